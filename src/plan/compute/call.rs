//! Calls: standard functions, functions of the flow, tables.

use super::{Machine, Place, Stop, Waiting, World, key_in, no_rows, printing};
use crate::{
    check::typed::DefineId,
    function::Argument,
    plan::{
        code::{Arg, Call, Code, TableCall},
        table::RowCode,
    },
    value::{Record, Value, Verdict},
};

impl<W: World> Machine<'_, W> {
    /// A function of the flow. Its places are put back as they were: the call may stand within another of the same.
    pub(super) fn define(&mut self, define: DefineId, args: &[Code]) -> Result<Value, Stop> {
        let args = self.values(args)?;
        let lowered = self.lowered;
        let Some(define) = lowered.defines.get(define.0 as usize).and_then(Option::as_ref) else {
            return Ok(Value::Blank);
        };
        let outside: Vec<Place> = define.own.iter().map(|var| self.place(*var).clone()).collect();
        self.clear(&define.own);
        for (param, arg) in define.params.iter().zip(args) {
            self.set(*param, arg);
        }
        let result = self.value(&define.body);
        for (var, place) in define.own.iter().zip(outside) {
            self.put(*var, place);
        }
        result
    }

    /// A standard function. One that is lifted is not called.
    pub(super) fn call(&mut self, call: &Call) -> Result<Value, Stop> {
        let mut waiting = Waiting::default();
        let mut values = Vec::with_capacity(call.args.len());
        let mut lifted = false;
        for arg in &call.args {
            let value = match arg {
                Arg::Value(code, lifts) => {
                    let value = waiting.take(self.value(code))?.unwrap_or_default();
                    lifted |= *lifts && value.is_blank();
                    value
                }
                Arg::Pattern(_) | Arg::Columns(_) => Value::Blank,
            };
            values.push(value);
        }
        waiting.done()?;
        if lifted {
            return Ok(if call.list { no_rows() } else { Value::Blank });
        }
        let name = call.function.name;
        if let Some(key) = values.iter().find_map(key_in) {
            return Err(self.key_too_early(&key, call.span));
        }
        let arguments: Vec<Argument<'_>> = call
            .args
            .iter()
            .zip(&values)
            .map(|(arg, value)| match arg {
                Arg::Value(..) => Argument::Value(value),
                Arg::Pattern(pattern) => Argument::Pattern(pattern),
                Arg::Columns(columns) => Argument::Columns(columns),
            })
            .collect();
        (call.function.call)(&arguments).map_err(|trouble| {
            // The sentence may name the value, and nothing here knows whether that is somebody's.
            self.ends(Verdict::Fail, call.span, trouble.0, format!("`{name}` can make nothing of •••"))
        })
    }

    /// The row of a table that fits.
    pub(super) fn look_up(&mut self, call: &TableCall) -> Result<Value, Stop> {
        let args = self.values(&call.args)?;
        let lowered = self.lowered;
        let Some(table) = lowered.tables.get(call.table.0 as usize).and_then(Option::as_ref) else {
            return Ok(Value::Blank);
        };
        if let Some(key) = args.iter().find_map(key_in) {
            return Err(self.key_too_early(&key, call.span));
        }
        let rows = table.index.rows(&args);
        let row = match rows.as_slice() {
            [] => table.otherwise.as_ref(),
            [only] => table.results.get(*only).map(|(row, _)| row),
            [first, ..] if table.first => table.results.get(*first).map(|(row, _)| row),
            several => {
                let places: Vec<String> = several
                    .iter()
                    .filter_map(|row| table.results.get(*row).map(|(_, span)| self.place_of(*span)))
                    .collect();
                let says = |values: String| {
                    format!("{} rows of table `{}` fit {values} ({})", rows.len(), table.name, places.join(", "))
                };
                let (text, masked) = printing::inputs(&table.inputs, &args);
                return Err(self.ends(Verdict::Hold, call.span, says(text), says(masked)));
            }
        };
        let Some(row) = row else {
            let says = |values: String| format!("table `{}` has no row for {values}", table.name);
            let (text, masked) = printing::inputs(&table.inputs, &args);
            return Err(self.ends(Verdict::Hold, call.span, says(text), says(masked)));
        };
        if !matches!(row, RowCode::Value(_)) {
            for (input, arg) in table.inputs.iter().zip(&args) {
                if let Some(var) = input.var {
                    self.set(var, arg.clone());
                }
            }
        }
        match row {
            RowCode::Value(value) => Ok(match (call.pick, value) {
                (Some(pick), Value::Record(record)) => record.at(pick).clone(),
                _ => value.clone(),
            }),
            RowCode::Codes(codes) => match (call.pick, &table.shape) {
                (Some(pick), _) => codes.get(pick).map_or(Ok(Value::Blank), |code| self.value(code)),
                (None, Some(shape)) => Ok(Value::Record(Record::new(shape.clone(), self.values(codes)?))),
                (None, None) => codes.first().map_or(Ok(Value::Blank), |code| self.value(code)),
            },
            RowCode::Outcome(verdict, message) => {
                let reason = self.reason(message)?;
                Err(Stop::Ends(Box::new((*verdict, reason))))
            }
        }
    }
}

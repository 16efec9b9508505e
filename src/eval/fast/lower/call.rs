//! Lowers calls: tables and functions, and the lists that functions take.

use super::{
    super::{
        code::{At, Given, List, Lookup, Native, Op, Pattern, Result},
        layout::Place,
        pattern::Simple,
        table::Classes,
    },
    Lowering, Stands,
};
use crate::{
    check::typed::VarId,
    plan::{
        code::{Arg, Call, Code, Holds, TableCall},
        table::RowCode,
    },
    value::Value,
};

const NATIVES: &[(&str, Native)] = &[
    ("trim", Native::Trim),
    ("upper", Native::Upper),
    ("first_chars", Native::FirstChars),
    ("days_between", Native::DaysBetween),
    ("abs", Native::Abs),
    ("round", Native::Round),
];

impl<'p> Lowering<'_, 'p> {
    pub(super) fn table(&mut self, call: &'p TableCall) -> Option<(Lookup<'p>, Vec<Result<'p>>)> {
        let table = self.lowered.tables.get(call.table.0 as usize)?.as_ref()?;
        let mut args = Vec::new();
        for arg in &call.args {
            args.push((self.op(arg)?, self.slot()));
        }
        let inputs: Vec<VarId> = table.inputs.iter().filter_map(|input| input.var).collect();
        let slots = table.inputs.iter().zip(&args).filter_map(|(input, (_, slot))| Some((input.var?, *slot)));
        let slots: Vec<_> = slots.map(|(var, slot)| (var, Stands::Slot(slot))).collect();
        let ((ends, results), _) = self.within(&inputs, |this| {
            this.names.extend(slots);
            let (mut ends, mut results) = (Vec::new(), Vec::new());
            for row in table.results.iter().map(|(row, _)| row).chain(&table.otherwise) {
                let (end, result) = match row {
                    RowCode::Outcome(verdict, message) => (Some(this.ending(*verdict, message)?), Result::Ends),
                    RowCode::Value(Value::Record(record)) => match call.pick {
                        Some(pick) => (None, Result::Value(this.quick(record.at(pick))?)),
                        None => (None, Result::Ends),
                    },
                    RowCode::Value(value) => (None, Result::Value(this.quick(value)?)),
                    RowCode::Codes(codes) => match (call.pick, &table.shape) {
                        (Some(pick), _) => (None, Result::Code(this.op(codes.get(pick)?)?)),
                        (None, None) => (None, Result::Code(this.op(codes.first()?)?)),
                        (None, Some(_)) => return None,
                    },
                };
                ends.push(end);
                results.push(result);
            }
            Some((ends, results))
        })?;
        let classes = Classes::new(table, call.args.len());
        Some((Lookup { args, classes, ends }, results))
    }

    pub(super) fn function(&mut self, call: &'p Call) -> Option<Op<'p>> {
        let value = |arg: &'p Arg| match arg {
            Arg::Value(code, _) => Some(code),
            Arg::Pattern(_) | Arg::Columns(_) => None,
        };
        let name = call.function.name;
        if let Some((_, native)) = NATIVES.iter().find(|(own, _)| *own == name) {
            let codes: Option<Vec<&'p Code>> = call.args.iter().map(value).collect();
            let ops: Option<Vec<Op<'p>>> = codes?.into_iter().map(|code| self.op(code)).collect();
            return Some(Op::Native(*native, ops?));
        }
        match (name, &call.args[..]) {
            ("part", [Arg::Value(of, _), Arg::Pattern(pattern)]) => {
                let of = self.boxed(of)?;
                self.patterns.push(pattern.clone());
                let number = self.patterns.len() - 1;
                return Some(Op::Part(of, Pattern { number, simple: Simple::new(pattern.as_str()) }));
            }
            ("join", [Arg::Value(list, _), Arg::Value(by, _)]) => {
                return Some(Op::Join(Box::new(self.list(list)?), self.boxed(by)?));
            }
            ("sum", [Arg::Value(list, _)]) => return Some(Op::Sum(Box::new(self.list(list)?))),
            ("count", [Arg::Value(list, _)]) => return Some(Op::Count(Box::new(self.list(list)?))),
            ("first", [Arg::Value(list, _)]) => {
                return match self.list(list)? {
                    // A row is no value here.
                    List::Rows(_) => None,
                    list => Some(Op::First(Box::new(list))),
                };
            }
            _ => {}
        }
        if call.list {
            return None;
        }
        let mut given = Vec::new();
        for arg in &call.args {
            given.push(match arg {
                Arg::Pattern(pattern) => Given::Pattern(pattern),
                Arg::Columns(columns) => Given::Columns(columns),
                Arg::Value(code, lifts) => match self.list(code) {
                    Some(List::Rows(_)) => return None,
                    Some(list) => Given::List(list),
                    None => Given::Value(self.op(code)?, *lifts),
                },
            });
        }
        Some(Op::Function(call, given))
    }

    pub(super) fn list(&mut self, code: &'p Code) -> Option<List<'p>> {
        match code {
            Code::Const(Value::List(items)) => Some(List::Items(self.constants(items)?)),
            Code::List(items) => Some(List::Items(items.iter().map(|item| self.op(item)).collect::<Option<_>>()?)),
            Code::Loop(each) => {
                let head = (each.var, &each.list, each.when.as_ref(), &each.own[..]);
                let (head, item) = self.each(head, |this| this.op(&each.item))?;
                Some(List::Loop(Box::new(head), item))
            }
            Code::Field(of, field) => match (self.stands(of)?, field.holds) {
                (Stands::Rows(rows), Holds::Value | Holds::Values) => match rows.fields.get(field.name())? {
                    Place::Register(register) => Some(List::Column(At::of(rows), *register)),
                    _ => None,
                },
                (_, Holds::Records) => match self.stands(code)? {
                    Stands::Rows(rows) => Some(List::Rows(At::of(rows))),
                    _ => None,
                },
                _ => None,
            },
            Code::Slot(_) => match self.stands(code)? {
                Stands::Rows(rows) => Some(List::Rows(At::of(rows))),
                _ => None,
            },
            _ => None,
        }
    }
}

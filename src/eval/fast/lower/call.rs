//! Lowers calls: tables and functions, and the lists that functions take.

use super::{
    super::{
        code::{Block, Given, List, Lookup, Native, Operand, Pattern, Result, Step},
        layout::Place,
        pattern::Shape,
        table::Classes,
        value::Quick,
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
    pub(super) fn table(&mut self, call: &'p TableCall) -> Option<(Lookup<'p>, Box<[Result<'p>]>)> {
        let table = self.lowered.tables.get(call.table.0 as usize)?.as_ref()?;
        let args: Box<[Operand]> = call.args.iter().map(|arg| self.value(arg)).collect::<Option<_>>()?;
        let first = self.inputs;
        self.inputs += args.len();
        let inputs: Vec<VarId> = table.inputs.iter().filter_map(|input| input.var).collect();
        let named = table.inputs.iter().zip(&args).filter_map(|(input, arg)| Some((input.var?, Stands::Value(*arg))));
        let named: Vec<_> = named.collect();
        let ((ends, results), _) = self.within(&inputs, |this| {
            this.names.extend(named);
            let (mut ends, mut results) = (Vec::new(), Vec::new());
            for row in table.results.iter().map(|(row, _)| row).chain(&table.otherwise) {
                let (end, result) = match row {
                    RowCode::Outcome(verdict, message) => (Some(this.ending(*verdict, message)?), Result::Ends),
                    RowCode::Value(Value::Record(record)) => match call.pick {
                        Some(pick) => (None, Result::Value(this.quick(record.at(pick))?)),
                        None => (None, Result::Ends),
                    },
                    RowCode::Value(value) => (None, Result::Value(this.quick(value)?)),
                    RowCode::Codes(codes) => {
                        let code = match (call.pick, &table.shape) {
                            (Some(pick), _) => codes.get(pick)?,
                            (None, None) => codes.first()?,
                            (None, Some(_)) => return None,
                        };
                        let (steps, value) = this.apart(|this| this.value(code))?;
                        (None, Result::Code(Block { steps, value }))
                    }
                };
                ends.push(end);
                results.push(result);
            }
            Some((ends, results))
        })?;
        let classes = Classes::new(table, call.args.len());
        Some((Lookup { args, first, classes, ends }, results.into()))
    }

    pub(super) fn function(&mut self, call: &'p Call) -> Option<Operand> {
        let name = call.function.name;
        if let Some((_, native)) = NATIVES.iter().find(|(own, _)| *own == name) {
            let mut args = call.args.iter().map(|arg| match arg {
                Arg::Value(code, _) => self.value(code),
                Arg::Pattern(_) | Arg::Columns(_) => None,
            });
            let first = args.next()??;
            let second = args.next();
            if args.next().is_some() {
                return None;
            }
            let second = match second {
                Some(second) => second?,
                None => self.held(Quick::BLANK)?,
            };
            return self.step(|to| Step::Native(to, *native, first, second));
        }
        match (name, &call.args[..]) {
            ("part", [Arg::Value(of, _), Arg::Pattern(pattern)]) => {
                let of = self.value(of)?;
                self.patterns.push(pattern.clone());
                let shape = Shape::new(pattern.as_str()).map(|(shape, group)| (self.shape(shape), group));
                let pattern = Pattern { number: self.patterns.len() - 1, shape };
                return self.step(|to| Step::Part(to, of, Box::new(pattern)));
            }
            ("join", [Arg::Value(list, _), Arg::Value(by, _)]) => {
                let by = self.value(by)?;
                let list = self.list(list)?;
                return self.step(|to| Step::Join(to, Box::new(list), by));
            }
            ("sum" | "count" | "first", [Arg::Value(list, _)]) => {
                let list = self.list(list)?;
                return match (name, list) {
                    ("sum", list) => self.step(|to| Step::Sum(to, Box::new(list))),
                    ("count", list) => self.step(|to| Step::Count(to, Box::new(list))),
                    // A row is no value here.
                    (_, List::Rows(_)) => None,
                    (_, list) => self.step(|to| Step::First(to, Box::new(list))),
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
                    // Only the last one that was collected is known.
                    Some(List::Collected) if given.iter().any(|given| matches!(given, Given::List(_))) => return None,
                    Some(list) => Given::List(list),
                    None => Given::Value(self.value(code)?, *lifts),
                },
            });
        }
        self.step(|to| Step::Function(to, call, given.into()))
    }

    /// The place of a shape among those of the program.
    fn shape(&mut self, shape: Shape) -> usize {
        if let Some(known) = self.shapes.iter().position(|known| *known == shape) {
            return known;
        }
        self.shapes.push(shape);
        self.shapes.len() - 1
    }

    /// Where the elements of a list are, once the steps so far have been gone through. None leaves no step behind.
    fn list(&mut self, code: &'p Code) -> Option<List> {
        match code {
            Code::Const(Value::List(items)) => Some(List::Items(self.constants(items)?)),
            Code::List(items) => Some(List::Items(items.iter().map(|item| self.value(item)).collect::<Option<_>>()?)),
            Code::Loop(each) => {
                let head = (each.var, &each.list, each.when.as_ref(), &each.own[..]);
                let each = self.each(head, |this| {
                    let item = this.value(&each.item)?;
                    this.steps.push(Step::Collect(item));
                    Some(())
                })?;
                self.steps.push(Step::Begin);
                self.steps.push(Step::Each(Box::new(each)));
                Some(List::Collected)
            }
            Code::Field(of, field) => match (self.stands(of)?, field.holds) {
                (Stands::Rows(rows), Holds::Value | Holds::Values) => match rows.fields.get(field.name())? {
                    Place::Register(register) => {
                        Some(List::Column(Operand::of_record(rows.register)?, u32::try_from(*register).ok()?))
                    }
                    _ => None,
                },
                (_, Holds::Records) => self.rows(code),
                _ => None,
            },
            Code::Slot(_) => self.rows(code),
            _ => None,
        }
    }

    fn rows(&mut self, code: &'p Code) -> Option<List> {
        match self.stands(code)? {
            Stands::Rows(rows) => Operand::of_record(rows.register).map(List::Rows),
            _ => None,
        }
    }
}

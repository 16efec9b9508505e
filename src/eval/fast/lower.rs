//! From the lowered code of a plan to a [`Program`]: registers for names.
//!
//! Takes a plan and the layout of its records. None where the flow does what only the plain evaluator can: searches,
//! ensures, updates, statements in a loop, records made on the way.

mod call;
mod write;

use std::{collections::HashMap, sync::Arc};

use regex::Regex;

use super::{
    code::{At, Bit, Define, Each, Ending, Frame, Guard, Op, Pair, Program, Result, Stmt},
    layout::{DerivedWords, Fields, Layout, Place, Rows},
    texts::PLAN,
    value::Quick,
};
use crate::{
    check::typed::VarId,
    diagnostic::{Sources, Span},
    plan::{
        Plan,
        code::{Code, Definition, GuardCode, Lowered, Message, Piece, StmtCode, TableCall},
        table::RowCode,
    },
    value::{EntityName, Filter, Value, Verdict},
};

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
enum Stands<'l, 'p> {
    Slot(usize),
    Let(usize),
    Record(&'l Fields, Frame),
    Rows(&'l Rows),
    /// The row of a table: the let that holds its number.
    TableRow(usize, &'p TableCall),
    /// The key of a write: not known here.
    Unknown,
}

struct Lowering<'l, 'p> {
    lowered: &'p Lowered,
    sources: &'p Sources,
    layout: &'l Layout,
    names: HashMap<VarId, Stands<'l, 'p>>,
    lets: Vec<Option<Op<'p>>>,
    slots: usize,
    bases: usize,
    patterns: Vec<Regex>,
    texts: String,
    is_bare: &'l dyn Fn(&EntityName) -> bool,
}

impl<'p> Program<'p> {
    /// The program of a plan whose records have this layout.
    pub(super) fn new(plan: &'p Plan, layout: &Layout, is_bare: &dyn Fn(&EntityName) -> bool) -> Option<Self> {
        let lowered = &plan.lowered;
        let names = HashMap::from([(lowered.record?, Stands::Record(&layout.fields, Frame::Record))]);
        let mut lowering = Lowering {
            lowered,
            sources: &plan.sources,
            layout,
            names,
            lets: Vec::new(),
            slots: 0,
            bases: 0,
            patterns: Vec::new(),
            texts: String::new(),
            is_bare,
        };
        let mut admits = lowering.filter(&plan.source.as_ref()?.filter)?;
        if let Some(code) = &lowered.source_residual {
            admits.push(lowering.op(code)?);
        }
        let source = plan.source.as_ref()?;
        let key = source.key.iter().map(|path| match lowering.register(path)? {
            Found::Value(op) => Some(op),
            Found::Words(..) => None,
        });
        let key = key.collect::<Option<_>>()?;
        let mut stmts = Vec::new();
        for stmt in lowered.guards.iter().chain(&lowered.blocks) {
            stmts.push(match stmt {
                StmtCode::Guard(code) => Stmt::Guard(lowering.guard(code)?),
                StmtCode::Write(code) => Stmt::Write(lowering.write(code)?),
                StmtCode::Ensure(_) | StmtCode::Each(_) => return None,
            });
        }
        let Lowering { lets, slots, bases, patterns, texts, .. } = lowering;
        let lets: Option<Vec<Op<'p>>> = lets.into_iter().collect();
        Some(Self { key, admits, stmts, lets: lets?, slots, bases, patterns, texts })
    }
}

impl<'l, 'p> Lowering<'l, 'p> {
    /// The condition of the source, as conditions that all hold.
    fn filter(&mut self, filter: &'p Filter) -> Option<Vec<Op<'p>>> {
        let one = |this: &Self, path: &str| this.register(path);
        Some(match filter {
            Filter::All => Vec::new(),
            Filter::And(all) => {
                let mut ops = Vec::new();
                for filter in all {
                    ops.extend(self.filter(filter)?);
                }
                ops
            }
            Filter::Is(path, value) => {
                let field = one(self, path)?;
                vec![match field {
                    Found::Words(op, words) => Op::HasWord(Box::new(op), bits(words, &[value])),
                    Found::Value(op) => Op::Matches(Box::new((op, self.constant(value)?))),
                }]
            }
            Filter::In(path, values) => vec![match one(self, path)? {
                Found::Words(op, words) => Op::HasWord(Box::new(op), bits(words, &values.iter().collect::<Vec<_>>())),
                Found::Value(op) => Op::OneOf(Box::new(op), self.constants(values)?),
            }],
            Filter::Compares(path, compare, value) => match one(self, path)? {
                Found::Value(op) => vec![Op::Compare(*compare, Box::new((op, self.constant(value)?)))],
                Found::Words(..) => return None,
            },
            _ => return None,
        })
    }

    fn register(&self, path: &str) -> Option<Found<'l, 'p>> {
        let mut fields = &self.layout.fields;
        let mut steps = path.split('.').peekable();
        while let Some(step) = steps.next() {
            match (fields.get(step)?, steps.peek()) {
                (Place::Object(inner), Some(_)) => fields = inner,
                (Place::Register(register), None) => return Some(Found::Value(Op::Register(*register))),
                (Place::Words(number), None) => return self.words(*number),
                _ => return None,
            }
        }
        None
    }

    fn words(&self, number: usize) -> Option<Found<'l, 'p>> {
        let derived = self.layout.derived.get(number)?;
        Some(Found::Words(Op::Register(derived.register), derived))
    }

    fn guard(&mut self, code: &'p GuardCode) -> Option<Guard<'p>> {
        let when = self.when(code.when.as_ref())?;
        Some(Guard { when, ending: self.ending(code.verdict, &code.message)? })
    }

    /// A value that the plan holds.
    fn quick(&mut self, value: &Value) -> Option<Quick> {
        Quick::of(value, PLAN, &mut self.texts)
    }

    fn constant(&mut self, value: &Value) -> Option<Op<'p>> {
        self.quick(value).map(Op::Const)
    }

    fn constants(&mut self, values: &[Value]) -> Option<Vec<Op<'p>>> {
        values.iter().map(|value| self.constant(value)).collect()
    }

    /// A condition that may not be there: the inner none.
    #[expect(clippy::option_option, reason = "whether there is one, and whether it can be done here")]
    fn when(&mut self, when: Option<&'p Code>) -> Option<Option<Op<'p>>> {
        match when {
            Some(code) => self.op(code).map(Some),
            None => Some(None),
        }
    }

    fn ending(&mut self, verdict: Verdict, message: &'p Message) -> Option<Ending<'p>> {
        Some(Ending { verdict, place: self.place(message.span), bits: self.bits(&message.pieces)? })
    }

    /// `orders.flow:75`
    fn place(&self, span: Span) -> Arc<str> {
        match self.sources.get(span.file) {
            Some(source) => format!("{}:{}", source.path, source.line_column(span.start).0).into(),
            None => "koppel".into(),
        }
    }

    fn bits(&mut self, pieces: &'p [Piece]) -> Option<Vec<Bit<'p>>> {
        let mut bits = Vec::new();
        for piece in pieces {
            bits.push(match piece {
                Piece::Chars(chars) => Bit::Chars(chars),
                Piece::Hole(code, print, privacy) => Bit::Hole(self.op(code)?, *print, *privacy),
            });
        }
        Some(bits)
    }

    fn pair(&mut self, pair: &'p (Code, Code)) -> Option<Pair<'p>> {
        Some(Box::new((self.op(&pair.0)?, self.op(&pair.1)?)))
    }

    fn boxed(&mut self, code: &'p Code) -> Option<Box<Op<'p>>> {
        self.op(code).map(Box::new)
    }

    /// An expression that gives a value; none for a record, a list, and what is not known here.
    fn op(&mut self, code: &'p Code) -> Option<Op<'p>> {
        Some(match code {
            Code::Const(value) => self.constant(value)?,
            Code::Slot(var) => match self.name(*var)? {
                Stands::Slot(slot) => Op::Slot(slot),
                Stands::Let(slot) => Op::Let(slot),
                _ => return None,
            },
            Code::Field(of, field) => match self.stands(of)? {
                Stands::Record(fields, frame) => match fields.get(field.name())? {
                    Place::Nowhere if !field.holds.is_list() => Op::Const(Quick::BLANK),
                    Place::Register(register) => match frame {
                        Frame::Record => Op::Register(*register),
                        Frame::Row(base) => Op::Row(base, *register),
                    },
                    _ => return None,
                },
                Stands::TableRow(number, call) => {
                    let table = self.lowered.tables.get(call.table.0 as usize)?.as_ref()?;
                    let pick = table.shape.as_ref()?.index(field.name())?;
                    let results = table.results.iter().map(|(row, _)| row).chain(&table.otherwise);
                    let results = results.map(|row| match row {
                        RowCode::Value(Value::Record(record)) => self.quick(record.at(pick)).map(Result::Value),
                        _ => Some(Result::Ends),
                    });
                    Op::Pick(Box::new(Op::Let(number)), results.collect::<Option<_>>()?)
                }
                _ => return None,
            },
            Code::Text(pieces, _) => Op::Text(self.bits(pieces)?),
            Code::Not(of) => Op::Not(self.boxed(of)?),
            Code::Must(of, ..) => Op::Must(self.boxed(of)?),
            Code::Fits(of, limit) => Op::Fits(self.boxed(of)?, limit.max as usize),
            Code::And(pair) => Op::And(self.pair(pair)?),
            Code::Or(pair) => Op::Or(self.pair(pair)?),
            Code::Is(pair) | Code::Matches(pair) => {
                if let Some(op) = self.has_word(pair) {
                    return Some(op);
                }
                let blanks_count = matches!(code, Code::Is(_));
                let pair = self.pair(pair)?;
                if blanks_count { Op::Is(pair) } else { Op::Matches(pair) }
            }
            Code::In(pair) => {
                let of = self.list_words(&pair.0);
                match (&pair.1, of) {
                    (Code::Const(Value::List(items)), Some((op, words))) => {
                        Op::HasWord(Box::new(op), bits(words, &items.iter().collect::<Vec<_>>()))
                    }
                    (Code::Const(Value::List(items)), None) => Op::OneOf(self.boxed(&pair.0)?, self.constants(items)?),
                    (Code::List(items), None) => {
                        let of = self.boxed(&pair.0)?;
                        Op::OneOf(of, items.iter().map(|item| self.op(item)).collect::<Option<_>>()?)
                    }
                    _ => return None,
                }
            }
            Code::Compare(compare, pair, _) => Op::Compare(*compare, self.pair(pair)?),
            Code::Default(pair) => Op::Default(self.pair(pair)?),
            Code::Arithmetic(operator, pair, _) => Op::Arithmetic(*operator, self.pair(pair)?),
            Code::Choose(arms, last, false) => {
                let mut lowered = Vec::new();
                for (when, value) in arms {
                    lowered.push((self.op(when)?, self.op(value)?));
                }
                let last = match last {
                    Some(last) => Some(self.boxed(last)?),
                    None => None,
                };
                Op::Choose(lowered, last)
            }
            Code::Outcome(verdict, message) => Op::Outcome(Box::new(self.ending(*verdict, message)?)),
            Code::Table(call) => {
                let (lookup, results) = self.table(call)?;
                Op::Table(Box::new(lookup), results)
            }
            Code::Function(call) => self.function(call)?,
            Code::Define(define, args) => {
                let define = self.lowered.defines.get(define.0 as usize)?.as_ref()?;
                let mut values = Vec::new();
                let mut params = Vec::new();
                for (param, arg) in define.params.iter().zip(args) {
                    // A record is a place; everything else is worked out once.
                    if let Some(stands) = self.record(arg) {
                        params.push((*param, stands));
                        continue;
                    }
                    let value = self.op(arg)?;
                    let slot = self.slot();
                    values.push((slot, value));
                    params.push((*param, Stands::Slot(slot)));
                }
                let (body, own) = self.within(&define.own, |this| {
                    this.names.extend(params);
                    this.op(&define.body)
                })?;
                Op::Define(Box::new(Define { args: values, own, body }))
            }
            Code::Today => Op::Today,
            Code::Convert(of, form, _) => Op::Convert(self.boxed(of)?, form),
            _ => return None,
        })
    }

    /// `invoice.list is "sent"`, whichever side the words are on.
    fn has_word(&mut self, pair: &'p (Code, Code)) -> Option<Op<'p>> {
        let ((op, words), Code::Const(word)) = self
            .list_words(&pair.0)
            .map(|found| (found, &pair.1))
            .or_else(|| self.list_words(&pair.1).map(|found| (found, &pair.0)))?
        else {
            return None;
        };
        (!word.is_blank()).then(|| Op::HasWord(Box::new(op), bits(words, &[word])))
    }

    /// A derived field of the record.
    fn list_words(&mut self, code: &'p Code) -> Option<(Op<'p>, &'l DerivedWords)> {
        let Code::Field(of, field) = code else { return None };
        match self.record(of)? {
            Stands::Record(fields, Frame::Record) => match fields.get(field.name())? {
                Place::Words(number) => match self.words(*number)? {
                    Found::Words(op, words) => Some((op, words)),
                    Found::Value(_) => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// What a name stands for, worked out where it is first met.
    fn name(&mut self, var: VarId) -> Option<Stands<'l, 'p>> {
        if let Some(stands) = self.names.get(&var) {
            return Some(*stands);
        }
        let Definition::Let(code) = self.lowered.definition(var) else { return None };
        let stands = match (self.record(code), code) {
            (Some(stands), _) => stands,
            (None, Code::Table(call)) if call.pick.is_none() && self.has_columns(call) => {
                let (lookup, results) = self.table(call)?;
                // A result that is worked out may end the record, whichever column is asked.
                if results.iter().any(|result| matches!(result, Result::Code(_))) {
                    return None;
                }
                self.lets.push(Some(Op::Find(Box::new(lookup))));
                Stands::TableRow(self.lets.len() - 1, call)
            }
            (None, code) => {
                let number = self.lets.len();
                self.lets.push(None);
                let op = self.op(code)?;
                *self.lets.get_mut(number)? = Some(op);
                Stands::Let(number)
            }
        };
        self.names.insert(var, stands);
        Some(stands)
    }

    fn has_columns(&self, call: &TableCall) -> bool {
        let table = self.lowered.tables.get(call.table.0 as usize).and_then(Option::as_ref);
        table.is_some_and(|table| table.shape.is_some())
    }

    /// The record or rows that an expression is, without doing anything.
    fn record(&mut self, code: &'p Code) -> Option<Stands<'l, 'p>> {
        match code {
            Code::Slot(_) | Code::Field(..) => match self.stands(code)? {
                Stands::Slot(_) | Stands::Let(_) | Stands::Unknown => None,
                stands => Some(stands),
            },
            _ => None,
        }
    }

    fn stands(&mut self, code: &'p Code) -> Option<Stands<'l, 'p>> {
        match code {
            Code::Slot(var) => self.name(*var),
            Code::Field(of, field) => match self.stands(of)? {
                Stands::Record(fields, frame) => match fields.get(field.name())? {
                    Place::Object(inner) => Some(Stands::Record(inner, frame)),
                    Place::Rows(rows) => Some(Stands::Rows(rows)),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    /// Lowers something in which these names are its own: what they stood for before is put back behind it. Gives the
    /// lets among them as well.
    fn within<T>(&mut self, own: &[VarId], lower: impl FnOnce(&mut Self) -> Option<T>) -> Option<(T, Vec<usize>)> {
        let outside: Vec<_> = own.iter().map(|var| (*var, self.names.remove(var))).collect();
        let lowered = lower(self);
        let mut lets = Vec::new();
        for (var, before) in outside {
            if let Some(Stands::Let(number) | Stands::TableRow(number, _)) = self.names.remove(&var) {
                lets.push(number);
            }
            if let Some(before) = before {
                self.names.insert(var, before);
            }
        }
        lowered.map(|lowered| (lowered, lets))
    }

    /// A loop over rows, with what is lowered for each.
    fn each<T>(
        &mut self,
        (var, list, when, own): (VarId, &'p Code, Option<&'p Code>, &[VarId]),
        lower: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<(Each<'p>, T)> {
        let Stands::Rows(rows) = self.stands(list)? else { return None };
        let base = self.bases;
        self.bases += 1;
        let names: Vec<VarId> = own.iter().copied().chain([var]).collect();
        let ((when, lowered), own) = self.within(&names, |this| {
            this.names.insert(var, Stands::Record(&rows.fields, Frame::Row(base)));
            Some((this.when(when)?, lower(this)?))
        })?;
        Some((Each { rows: At::of(rows), base, when, own }, lowered))
    }
}

/// A field of the record.
enum Found<'l, 'p> {
    Value(Op<'p>),
    Words(Op<'p>, &'l DerivedWords),
}

/// The bits of words.
fn bits(derived: &DerivedWords, words: &[&Value]) -> i64 {
    let own = derived.words.iter().enumerate();
    let own = own.filter(|(_, own)| words.iter().any(|word| word.as_text() == Some(&own.word)));
    own.fold(0, |bits, (number, _)| bits | 1 << number)
}

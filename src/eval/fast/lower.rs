//! From the lowered code of a plan to a [`Program`]: registers for names, steps for expressions.
//!
//! Takes a plan and the layout of its records. None where the flow does what only the plain evaluator can: searches,
//! ensures, updates, statements in a loop, records made on the way.

mod call;
mod expression;
mod write;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use regex::Regex;

use super::{
    super::output::{Output, PIECE},
    code::{Bit, Block, Each, Ending, FRAMES, OWN, Operand, Program, RECORD, Result, Step, To},
    layout::{DerivedWords, Fields, Layout, Place, Rows},
    pattern::Shape,
    texts::PLAN,
    value::Quick,
};
use crate::{
    check::typed::VarId,
    diagnostic::{Sources, Span},
    plan::{
        Plan,
        code::{Code, Definition, GuardCode, Lowered, Message, Piece, StmtCode, TableCall},
    },
    value::{EntityName, Filter, Value, Verdict},
};

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
enum Stands<'l, 'p> {
    /// What has been worked out.
    Value(Operand),
    Let(usize),
    /// The fields of a record in a frame.
    Record(&'l Fields, u32),
    Rows(&'l Rows),
    /// The row of a table: its number.
    TableRow(Row, &'p TableCall),
    /// The key of a write: not known here.
    Unknown,
}

/// The number of a row of a table.
#[derive(Debug, Clone, Copy)]
enum Row {
    Value(Operand),
    Let(usize),
}

/// Which lets can be worked out where they are first met, since nothing that stands behind is come by without it.
#[derive(Debug, Default)]
enum Here {
    /// All of the flow.
    All,
    /// Those of the row, or of the function.
    Own(Vec<VarId>),
    #[default]
    None,
}

struct Lowering<'l, 'p> {
    lowered: &'p Lowered,
    sources: &'p Sources,
    layout: &'l Layout,
    names: HashMap<VarId, Stands<'l, 'p>>,
    /// The steps so far.
    steps: Vec<Step<'p>>,
    /// None: it is being lowered.
    lets: Vec<Option<Block<'p>>>,
    /// The lets that have been worked out wherever the steps so far have been.
    known: Vec<usize>,
    here: Here,
    /// What stands in the program's own registers at the beginning.
    own: Vec<Quick>,
    /// Which values are never blank.
    filled: HashSet<Operand>,
    /// How many inputs the look-ups so far have.
    inputs: usize,
    /// The loops that are around, with the lets of each.
    loops: Vec<Vec<VarId>>,
    /// The fields of the write or the line object in hand that are always the same.
    fields: Vec<(usize, Quick)>,
    /// What the other ones are taken from.
    puts: Vec<(u32, Operand)>,
    /// How many conditions are around, within the write or the line object.
    conditions: u32,
    patterns: Vec<Regex>,
    shapes: Vec<Shape>,
    texts: Output,
    is_bare: &'l dyn Fn(&EntityName) -> bool,
}

impl<'p> Program<'p> {
    /// The program of a plan whose records have this layout.
    pub(super) fn new(plan: &'p Plan, layout: &Layout, is_bare: &dyn Fn(&EntityName) -> bool) -> Option<Self> {
        let lowered = &plan.lowered;
        let names = HashMap::from([(lowered.record?, Stands::Record(&layout.fields, RECORD))]);
        let mut lowering = Lowering {
            lowered,
            sources: &plan.sources,
            layout,
            names,
            steps: Vec::new(),
            lets: Vec::new(),
            known: Vec::new(),
            here: Here::All,
            // The first one is for the day of the decision.
            own: vec![Quick::UNSET],
            filled: HashSet::new(),
            inputs: 0,
            loops: Vec::new(),
            fields: Vec::new(),
            puts: Vec::new(),
            conditions: 0,
            patterns: Vec::new(),
            shapes: Vec::new(),
            texts: Output::default(),
            is_bare,
        };
        lowering.filter(&plan.source.as_ref()?.filter)?;
        if let Some(code) = &lowered.source_residual {
            let holds = lowering.value(code)?;
            lowering.steps.push(Step::Asked(holds));
        }
        let source = plan.source.as_ref()?;
        let key = source.key.iter().map(|path| match lowering.register(path)? {
            Found::Value(operand) => Some(operand),
            Found::Words(..) => None,
        });
        let key = key.collect::<Option<_>>()?;
        for stmt in lowered.guards.iter().chain(&lowered.blocks) {
            match stmt {
                StmtCode::Guard(code) => lowering.guard(code)?,
                StmtCode::Write(code) => lowering.write(code)?,
                StmtCode::Ensure(_) | StmtCode::Each(_) => return None,
            }
        }
        let Lowering { steps, lets, own, inputs, patterns, shapes, mut texts, .. } = lowering;
        // So that the last one can be copied as a piece.
        texts.word(&[b' '; PIECE]);
        let texts = str::from_utf8(texts.written()).ok()?.to_owned();
        let lets: Option<Vec<_>> = lets.into_iter().map(|block| Some(block?.steps)).collect();
        Some(Self { key, steps, lets: lets?, own, inputs, patterns, shapes, texts })
    }
}

impl<'l, 'p> Lowering<'l, 'p> {
    /// The condition of the source, as conditions that all hold.
    fn filter(&mut self, filter: &'p Filter) -> Option<()> {
        let holds = match filter {
            Filter::All => return Some(()),
            Filter::And(all) => return all.iter().try_for_each(|filter| self.filter(filter)),
            Filter::Is(path, value) => match self.register(path)? {
                Found::Words(of, words) => self.step(|to| Step::HasWord(to, of, bits(words, &[value])))?,
                Found::Value(of) => {
                    let value = self.constant(value)?;
                    self.step(|to| Step::Matches(to, of, value))?
                }
            },
            Filter::In(path, values) => match self.register(path)? {
                Found::Words(of, words) => {
                    let bits = bits(words, &values.iter().collect::<Vec<_>>());
                    self.step(|to| Step::HasWord(to, of, bits))?
                }
                Found::Value(of) => {
                    let values = self.constants(values)?;
                    self.step(|to| Step::OneOf(to, of, values))?
                }
            },
            Filter::Compares(path, compare, value) => match self.register(path)? {
                Found::Value(of) => {
                    let value = self.constant(value)?;
                    self.step(|to| Step::Compare(to, *compare, of, value))?
                }
                Found::Words(..) => return None,
            },
            _ => return None,
        };
        self.steps.push(Step::Asked(holds));
        Some(())
    }

    /// A field of the record.
    fn register(&self, path: &str) -> Option<Found<'l>> {
        let mut fields = &self.layout.fields;
        let mut steps = path.split('.').peekable();
        while let Some(step) = steps.next() {
            match (fields.get(step)?, steps.peek()) {
                (Place::Object(inner), Some(_)) => fields = inner,
                (Place::Register(register), None) => return Operand::of_record(*register).map(Found::Value),
                (Place::Words(number), None) => return self.words(*number),
                _ => return None,
            }
        }
        None
    }

    fn words(&self, number: usize) -> Option<Found<'l>> {
        let derived = self.layout.derived.get(number)?;
        Some(Found::Words(Operand::of_record(derived.register)?, derived))
    }

    fn guard(&mut self, code: &'p GuardCode) -> Option<()> {
        self.when(code.when.as_ref(), |this| {
            let ending = this.ending(code.verdict, &code.message)?;
            this.steps.push(Step::End(Box::new(ending)));
            Some(())
        })
    }

    /// What is done only where a condition holds, if there is one.
    fn when(&mut self, when: Option<&'p Code>, lower: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        let Some(when) = when else { return lower(self) };
        let when = self.value(when)?;
        let jump = self.jump();
        self.conditions += 1;
        self.perhaps(lower)?;
        self.conditions -= 1;
        self.land(jump, |there| Step::Unless(when, there))
    }

    /// A place among the steps for one that goes on further on.
    fn jump(&mut self) -> usize {
        self.steps.push(Step::Go(0));
        self.steps.len() - 1
    }

    /// Lets the step at that place go on here.
    fn land(&mut self, jump: usize, step: impl FnOnce(u32) -> Step<'p>) -> Option<()> {
        let here = u32::try_from(self.steps.len()).ok()?;
        *self.steps.get_mut(jump)? = step(here);
        Some(())
    }

    /// Lowers steps that may be left out: what they work out is not known behind them.
    fn perhaps<T>(&mut self, lower: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let (known, here) = (self.known.len(), std::mem::take(&mut self.here));
        let lowered = lower(self);
        self.known.truncate(known);
        self.here = here;
        lowered
    }

    /// Lowers steps that stand by themselves, and are gone through from elsewhere.
    fn apart<T>(&mut self, lower: impl FnOnce(&mut Self) -> Option<T>) -> Option<(Vec<Step<'p>>, T)> {
        let around = std::mem::take(&mut self.steps);
        let lowered = self.perhaps(lower);
        let steps = std::mem::replace(&mut self.steps, around);
        Some((steps, lowered?))
    }

    /// Steps that stand by themselves and give a value. They may be gone through at any time: nothing is known there.
    fn block(&mut self, lower: impl FnOnce(&mut Self) -> Option<Operand>) -> Option<Block<'p>> {
        let known = std::mem::take(&mut self.known);
        let block = self.apart(lower);
        self.known = known;
        block.map(|(steps, value)| Block { steps, value })
    }

    /// A step with a register for its value.
    fn step(&mut self, step: impl FnOnce(To) -> Step<'p>) -> Option<Operand> {
        let value = self.held(Quick::UNSET)?;
        self.steps.push(step(value.register));
        Some(value)
    }

    /// A value that the plan holds.
    fn quick(&mut self, value: &Value) -> Option<Quick> {
        Quick::of(value, PLAN, &mut self.texts)
    }

    /// A register of the program's own, with what stands in it at the beginning.
    fn held(&mut self, value: Quick) -> Option<Operand> {
        self.own.push(value);
        Operand::new(OWN, self.own.len() - 1)
    }

    fn constant(&mut self, value: &Value) -> Option<Operand> {
        let value = self.quick(value)?;
        self.held(value)
    }

    fn constants(&mut self, values: &[Value]) -> Option<Box<[Operand]>> {
        values.iter().map(|value| self.constant(value)).collect()
    }

    /// The value that always stands in a register. What is worked out does not stand there at the beginning.
    fn always(&self, of: Operand) -> Option<Quick> {
        let value = self.own.get(of.register as usize).filter(|_| of.frame == OWN)?;
        (!value.is_unset()).then_some(*value)
    }

    fn ending(&mut self, verdict: Verdict, message: &'p Message) -> Option<Ending<'p>> {
        let (steps, bits) = self.apart(|this| this.bits(&message.pieces))?;
        Some(Ending { verdict, place: self.place(message.span), steps, bits })
    }

    /// `orders.flow:75`
    fn place(&self, span: Span) -> Arc<str> {
        match self.sources.get(span.file) {
            Some(source) => format!("{}:{}", source.path, source.line_column(span.start).0).into(),
            None => "koppel".into(),
        }
    }

    fn bits(&mut self, pieces: &'p [Piece]) -> Option<Box<[Bit<'p>]>> {
        let bits = pieces.iter().map(|piece| {
            Some(match piece {
                Piece::Chars(chars) => Bit::Chars(chars),
                Piece::Hole(code, print, privacy) => Bit::Hole(self.value(code)?, *print, *privacy),
            })
        });
        bits.collect()
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
                let find = |this: &mut Self| {
                    let (lookup, results) = this.table(call)?;
                    // A result that is worked out may end the record, whichever column is asked.
                    if results.iter().any(|result| matches!(result, Result::Code(_))) {
                        return None;
                    }
                    this.step(|to| Step::Find(to, Box::new(lookup)))
                };
                let row = if self.is_here(var) { Row::Value(find(self)?) } else { Row::Let(self.put_off(var, find)?) };
                Stands::TableRow(row, call)
            }
            (None, code) if self.is_here(var) => Stands::Value(self.value(code)?),
            (None, code) => Stands::Let(self.put_off(var, |this| this.value(code))?),
        };
        self.names.insert(var, stands);
        Some(stands)
    }

    fn is_here(&self, var: VarId) -> bool {
        match &self.here {
            Here::All => true,
            Here::Own(own) => own.contains(&var),
            Here::None => false,
        }
    }

    /// A let that is worked out where it is needed, in whatever loops that is: it knows of those around itself.
    fn put_off(&mut self, var: VarId, lower: impl FnOnce(&mut Self) -> Option<Operand>) -> Option<usize> {
        let number = self.lets.len();
        self.lets.push(None);
        let around = self.loops.iter().rposition(|own| own.contains(&var)).map_or(0, |place| place + 1);
        let within = self.loops.split_off(around);
        let block = self.block(lower);
        self.loops.extend(within);
        *self.lets.get_mut(number)? = Some(block?);
        Some(number)
    }

    /// The value of a let, worked out by now.
    fn needed(&mut self, number: usize) -> Option<Operand> {
        let block = self.lets.get(number)?.as_ref()?;
        let (value, is_there) = (block.value, block.steps.is_empty());
        if !is_there && !self.known.contains(&number) {
            self.steps.push(Step::Need(u32::try_from(number).ok()?));
            self.known.push(number);
        }
        Some(value)
    }

    fn has_columns(&self, call: &TableCall) -> bool {
        let table = self.lowered.tables.get(call.table.0 as usize).and_then(Option::as_ref);
        table.is_some_and(|table| table.shape.is_some())
    }

    /// The record or rows that an expression is, without doing anything.
    fn record(&mut self, code: &'p Code) -> Option<Stands<'l, 'p>> {
        match code {
            Code::Slot(_) | Code::Field(..) => match self.stands(code)? {
                Stands::Value(_) | Stands::Let(_) | Stands::Unknown => None,
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

    /// Lowers something in which these names are its own: what they stood for before is put back behind it. Gives the
    /// lets among them as well.
    fn within<T>(&mut self, own: &[VarId], lower: impl FnOnce(&mut Self) -> Option<T>) -> Option<(T, Vec<u32>)> {
        let outside: Vec<_> = own.iter().map(|var| (*var, self.names.remove(var))).collect();
        let lowered = lower(self);
        let mut lets = Vec::new();
        for (var, before) in outside {
            if let Some(Stands::Let(number) | Stands::TableRow(Row::Let(number), _)) = self.names.remove(&var) {
                lets.push(u32::try_from(number).ok()?);
            }
            if let Some(before) = before {
                self.names.insert(var, before);
            }
        }
        lowered.map(|lowered| (lowered, lets))
    }

    /// A loop over rows, with what is lowered for each.
    fn each(
        &mut self,
        (var, list, when, own): (VarId, &'p Code, Option<&'p Code>, &[VarId]),
        lower: impl FnOnce(&mut Self) -> Option<()>,
    ) -> Option<Each<'p>> {
        let Stands::Rows(rows) = self.stands(list)? else { return None };
        let frame = RECORD + 1 + u32::try_from(self.loops.len()).ok()?;
        if frame as usize >= FRAMES {
            return None;
        }
        self.loops.push(own.to_vec());
        let names: Vec<VarId> = own.iter().copied().chain([var]).collect();
        let lowered = self.within(&names, |this| {
            this.names.insert(var, Stands::Record(&rows.fields, frame));
            this.apart(|this| {
                this.here = Here::Own(own.to_vec());
                this.when(when, |this| {
                    // Of a row that is taken they all are.
                    this.here = Here::Own(own.to_vec());
                    lower(this)
                })
            })
        });
        self.loops.pop();
        let ((steps, ()), own) = lowered?;
        Some(Each { list: Operand::of_record(rows.register)?, frame, own, steps })
    }
}

/// A field of the record.
enum Found<'l> {
    Value(Operand),
    Words(Operand, &'l DerivedWords),
}

/// The bits of words.
fn bits(derived: &DerivedWords, words: &[&Value]) -> i64 {
    let own = derived.words.iter().enumerate();
    let own = own.filter(|(_, own)| words.iter().any(|word| word.as_text() == Some(&own.word)));
    own.fold(0, |bits, (number, _)| bits | 1 << number)
}

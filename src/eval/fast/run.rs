//! Decides a record that stands in registers.
//!
//! Takes a [`Program`], gives the values of what would be written or the end of the record, as the plain evaluator
//! does; or steps aside wherever that one would fail the record or do what is not known here.

use regex::{CaptureLocations, Regex};

use super::{
    super::output::Output,
    code::{Bit, Ending, Guard, Line, Op, Program, Stmt, Target},
    layout::{Condition, Layout},
    table::Asked,
    texts::Texts,
    value::{Kind, Quick},
    write::text,
};
use crate::{
    plan::compute::{kept, printed},
    value::{Reason, Verdict},
};

/// What one decision has found out so far. Where there is no value, the record has [`Machine::ended`], or is decided
/// plainly.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    pub(super) program: &'a Program<'a>,
    pub(super) registers: Vec<Quick>,
    pub(super) lets: Vec<Quick>,
    pub(super) slots: Vec<Asked>,
    pub(super) bases: Vec<usize>,
    /// The fields of what is written.
    pub(super) outs: Vec<Quick>,
    pub(super) warnings: Vec<Reason>,
    /// How the record ends.
    pub(super) ended: Option<(Verdict, Reason)>,
    /// What is written, each with where its fields begin.
    pub(super) made: Vec<(&'a Target<'a>, usize)>,
    /// Where patterns found what.
    pub(super) places: Vec<CaptureLocations>,
    pub(super) scratch: String,
    /// What is about to be joined.
    pub(super) joined: Vec<Quick>,
    pub(super) today: Quick,
    pub(super) texts: Texts<'a>,
}

impl<'a> Machine<'a> {
    /// For one record after the other.
    pub(super) fn new(program: &'a Program<'a>, today: Quick) -> Self {
        Self {
            program,
            registers: Vec::new(),
            lets: vec![Quick::UNSET; program.lets.len()],
            slots: vec![Asked::NOTHING; program.slots],
            bases: vec![0; program.bases],
            outs: Vec::new(),
            warnings: Vec::new(),
            ended: None,
            made: Vec::new(),
            places: program.patterns.iter().map(Regex::capture_locations).collect(),
            scratch: String::new(),
            joined: Vec::new(),
            today,
            texts: Texts { line: "", made: String::new(), plan: &program.texts },
        }
    }

    /// Works out what follows from other fields. None: a field is not as it should be.
    pub(super) fn derive(&mut self, layout: &Layout) -> Option<()> {
        for derived in &layout.derived {
            let mut bits = 0;
            for (number, word) in derived.words.iter().enumerate() {
                let holds = word.when.iter().all(|(register, condition)| {
                    let value = self.registers.get(*register).copied().unwrap_or(Quick::BLANK);
                    match condition {
                        Condition::Is(text) => value.is_text() && self.texts.get(value) == &**text,
                        Condition::Zero => value.is_number() && value.number() == 0,
                        Condition::NotZero => value.is_number() && value.number() != 0,
                        Condition::Past => value.kind() == Kind::DATE && value.number() < self.today.number(),
                        Condition::Empty => value.is_blank() || (value.kind() == Kind::LIST && value.rows().1 == 0),
                    }
                });
                if holds {
                    bits |= 1 << number;
                }
            }
            *self.registers.get_mut(derived.register)? = Quick::words(bits);
        }
        Some(())
    }

    /// Decides the record in the registers. None: it has ended, or is to be decided plainly.
    pub(super) fn decide(&mut self) -> Option<()> {
        let program = self.program;
        self.ended = None;
        self.made.clear();
        self.lets.fill(Quick::UNSET);
        self.outs.clear();
        self.joined.clear();
        self.warnings.clear();
        for op in &program.admits {
            if !self.value(op)?.is_yes() {
                // How a record that was not asked for is told is the plain evaluator's to say.
                return None;
            }
        }
        for stmt in &program.stmts {
            match stmt {
                Stmt::Guard(guard) => self.guard(guard)?,
                Stmt::Write(targets) => {
                    for target in targets {
                        if self.applies(target.when.as_ref())? {
                            let base = self.outs.len();
                            self.outs.resize(base + target.width, Quick::UNSET);
                            self.lines(&target.lines, base)?;
                            self.made.push((target, base));
                            break;
                        }
                    }
                }
            }
        }
        Some(())
    }

    /// The name of the record, as a text of JSON. None: it is for the plain evaluator to name.
    pub(super) fn key(&mut self, into: &mut Output) -> Option<()> {
        let program = self.program;
        if let [op] = &program.key[..] {
            let key = self.value(op)?;
            if key.is_text() {
                text(key, &self.texts, into);
                return Some(());
            }
        }
        let mut parts = Vec::new();
        for op in &program.key {
            let part = self.value(op)?;
            parts.push(part.to_value(&self.texts)?.to_string());
        }
        serde_json::to_writer(into, &parts.join("/")).ok()
    }

    pub(super) fn applies(&mut self, when: Option<&'a Op<'a>>) -> Option<bool> {
        when.map_or(Some(true), |when| Some(self.value(when)?.is_yes()))
    }

    fn guard(&mut self, guard: &'a Guard<'a>) -> Option<()> {
        if !self.applies(guard.when.as_ref())? {
            return Some(());
        }
        let reason = self.reason(&guard.ending)?;
        if guard.ending.verdict == Verdict::Warn {
            self.warnings.push(reason);
            return Some(());
        }
        self.ended = Some((guard.ending.verdict, reason));
        None
    }

    pub(super) fn ends<T>(&mut self, ending: &'a Ending<'a>) -> Option<T> {
        let reason = self.reason(ending)?;
        self.ended = Some((ending.verdict, reason));
        None
    }

    fn reason(&mut self, ending: &'a Ending<'a>) -> Option<Reason> {
        let (mut text, mut masked) = (String::new(), String::new());
        for bit in &ending.bits {
            match bit {
                Bit::Chars(chars) => {
                    text.push_str(chars);
                    masked.push_str(chars);
                }
                Bit::Hole(op, print, privacy) => {
                    let value = self.value(op)?;
                    let value = value.to_value(&self.texts)?;
                    text.push_str(&printed(&value, *print));
                    masked.push_str(&kept(&value, *print, *privacy));
                }
            }
        }
        Some(Reason { place: ending.place.clone(), text: text.into(), masked: masked.into() })
    }

    fn lines(&mut self, lines: &'a [Line<'a>], base: usize) -> Option<()> {
        for line in lines {
            match line {
                Line::Guard(guard) => self.guard(guard)?,
                Line::Field(out, op) => {
                    let value = self.value(op)?;
                    *self.outs.get_mut(base + out)? = value;
                }
                Line::Object(when, lines) => {
                    if self.applies(when.as_ref())? {
                        self.lines(lines, base)?;
                    }
                }
                Line::Each { each, out, width, lines } => {
                    let first = self.outs.len();
                    let mut count = 0;
                    self.rounds(each, &mut |machine| {
                        let row = machine.outs.len();
                        machine.outs.resize(row + width, Quick::UNSET);
                        machine.lines(lines, row)?;
                        if machine.outs.iter().skip(row).any(|value| !value.is_blank()) {
                            count += 1;
                        } else {
                            machine.outs.truncate(row);
                        }
                        Some(())
                    })?;
                    *self.outs.get_mut(base + out)? = Quick::list(first, count, *width)?;
                }
            }
        }
        Some(())
    }
}

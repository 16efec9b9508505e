//! Decides records of the wire in a few passes over their bytes: the same decisions as the plain evaluator, sooner.
//!
//! Takes a plan, gives a [`Lane`] for flows that look at nothing but their record: no search, no ensure, one create
//! after the other. Promises that what it decides is what [`super::step`] decides of the decoded record, byte for byte
//! in the body that AFAS takes, and that it steps aside for everything else: a line that is no JSON or has a value of
//! another kind, a number of more than eighteen digits, whatever would fail the record. Tests compare the two on
//! records that are cut, turned around and made up.
//!
//! # Shape
//! A record is an array of registers ([`layout`]); [`read`] fills it by comparing what follows with what followed last
//! time ([`steps`]). The flow is lowered ([`lower`]) to steps one behind the other ([`code`]): each takes its operands
//! from registers and puts its value into one; [`work`] goes through them for a record that [`run`] holds, and [`write`]
//! fills a template with what came out.

mod code;
mod layout;
mod lower;
mod native;
mod pattern;
mod read;
mod run;
mod scan;
mod steps;
mod table;
mod texts;
mod value;
mod work;
mod write;

use jiff::civil::Date;

use self::{code::Program, layout::Layout, read::Reader, run::Machine, texts::PLAN, value::Quick};
use super::output::Output;
use crate::{
    plan::Plan,
    schema::Projection,
    value::{EntityName, Reason, Value, Verdict},
};

/// A plan that can be decided so.
#[derive(Debug)]
pub struct Lane<'p> {
    layout: Layout,
    program: Program<'p>,
    today: Value,
}

/// Decides lines one after the other, and learns how they look.
#[derive(Debug)]
pub(super) struct Driver<'l> {
    lane: &'l Lane<'l>,
    reader: Reader,
}

/// Decides the lines of a piece of text.
pub(super) struct Session<'s> {
    lane: &'s Lane<'s>,
    reader: &'s mut Reader,
    machine: Machine<'s>,
}

/// What was decided.
#[derive(Debug)]
pub(super) enum Decided {
    /// The record ends.
    Ends(Verdict, Reason),
    /// There are writes, or there is nothing to do.
    Writes,
}

impl<'p> Lane<'p> {
    /// The lane of a plan; `projection` is how its records are decoded, `is_bare` tells whether the body of a create is
    /// the envelope alone. None: it takes the plain evaluator.
    pub(super) fn new(
        plan: &'p Plan,
        projection: &Projection,
        today: Date,
        is_bare: &dyn Fn(&EntityName) -> bool,
    ) -> Option<Self> {
        let layout = Layout::new(projection)?;
        let program = Program::new(plan, &layout, is_bare)?;
        Some(Self { layout, program, today: Value::Date(today) })
    }

    /// Somebody who decides with it.
    pub(super) fn driver(&self) -> Driver<'_> {
        Driver { lane: self, reader: Reader::new(&self.layout) }
    }
}

impl Driver<'_> {
    /// For the lines of a text.
    pub(super) fn session(&mut self) -> Option<Session<'_>> {
        // A day has no text.
        let today = Quick::of(&self.lane.today, PLAN, &mut Output::default())?;
        Some(Session { lane: self.lane, reader: &mut self.reader, machine: Machine::new(&self.lane.program, today) })
    }
}

impl<'s> Session<'s> {
    /// Decides the line of JSON that begins here in a text, and tells where it ends. None: decide it plainly.
    pub(super) fn line(&mut self, text: &'s str, begin: usize) -> Option<(Decided, usize)> {
        let base = self.machine.record();
        let Machine { registers, texts, .. } = &mut self.machine;
        texts.line = text;
        texts.made.clear();
        let end = self.reader.record(&self.lane.layout, text, begin, (registers, base), &mut texts.made)?;
        self.machine.derive(&self.lane.layout)?;
        let decided = self.machine.decide();
        if !self.machine.texts.fit() {
            return None;
        }
        let decided = match decided {
            Some(()) => Decided::Writes,
            None => self.machine.ended.take().map(|(verdict, reason)| Decided::Ends(verdict, reason))?,
        };
        Some((decided, end))
    }

    /// What `warn` said of the last line.
    pub(super) fn warnings(&self) -> &[Reason] {
        &self.machine.warnings
    }

    /// Writes the key of the last line as a text of JSON. None: decide it plainly.
    pub(super) fn key(&mut self, into: &mut Output) -> Option<()> {
        self.machine.key(into)
    }

    /// How many writes the last line comes to.
    pub(super) fn writes(&self) -> usize {
        self.machine.made.len()
    }

    /// Writes what would be sent of a write of the last line. None: decide it plainly.
    pub(super) fn write(&self, number: usize, into: &mut Output) -> Option<()> {
        let (target, base) = self.machine.made.get(number)?;
        into.bytes(target.head.as_bytes());
        target.element.write(&self.machine.outs, &self.machine.texts, *base, into)?;
        into.word(b"}}}");
        Some(())
    }
}

//! What a record's decision is made of when all names are registers: steps one behind the other, each of which puts
//! its value into a register of its own, and nothing is looked up.
//!
//! Gives the [`Program`] that [`super::lower`] makes and [`super::run`] works out.

use std::{ops::Range, sync::Arc};

use regex::Regex;

use super::{pattern::Shape, table::Classes, value::Quick, write::Element};
use crate::{
    plan::code::{Call, Form, Operator, Print, Privacy},
    value::{Compare, Verdict},
};

/// A register, counted from the beginning of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Operand {
    /// One of [`FRAMES`]: the program's own registers, the record, or the row that a loop has in hand.
    pub(super) frame: u32,
    pub(super) register: u32,
}

/// The program's own registers: constants, and a place for each value on the way.
pub(super) const OWN: u32 = 0;
/// The record.
pub(super) const RECORD: u32 = 1;
/// As many frames as there are: loops in loops take the ones behind the record.
pub(super) const FRAMES: usize = 8;

/// One of the program's own registers, where a step puts its value.
pub(super) type To = u32;

/// A step. Where another one is named, it is further on in the same steps.
#[derive(Debug)]
pub(super) enum Step<'p> {
    /// Goes on there.
    Go(u32),
    /// Goes on there unless it is yes.
    Unless(Operand, u32),
    /// Goes on there when it is yes.
    When(Operand, u32),
    /// Takes the value over, and goes on there unless it is blank.
    Default(To, Operand, u32),
    /// The first one, or the second where that is blank.
    Either(To, Operand, Operand),
    Copy(To, Operand),
    /// Yes where it is yes; no for all else.
    Yes(To, Operand),
    Not(To, Operand),
    /// The record is decided plainly unless it is yes: a record that was not asked for, and how that is told.
    Asked(Operand),
    /// The record is decided plainly when it is blank.
    Must(Operand),
    /// The record is decided plainly when there are more characters than so many.
    Fits(Operand, u32),
    Is(To, Operand, Operand),
    Blank(To, Operand),
    /// As `Is`, and no for a blank.
    Matches(To, Operand, Operand),
    /// Has a set of words one of these?
    HasWord(To, Operand, i64),
    OneOf(To, Operand, Box<[Operand]>),
    Compare(To, Compare, Operand, Operand),
    Arithmetic(To, Operator, Operand, Operand),
    Native(To, Native, Operand, Operand),
    Convert(To, Operand, &'p Form),
    /// A text of values as they are printed; blank when one of them is.
    Text(To, Box<[(Operand, Print)]>),
    Part(To, Operand, Box<Pattern>),
    /// Works out one of [`Program::lets`] where that has not been done.
    Need(u32),
    /// From now on that has not been done.
    Forget(Box<[u32]>),
    /// The number of the row of a table.
    Find(To, Box<Lookup<'p>>),
    /// The value of a row of a table.
    Table(To, Box<(Lookup<'p>, Box<[Result<'p>]>)>),
    /// A column of the row whose number the operand gives.
    Pick(To, Operand, Box<[Result<'p>]>),
    /// What is collected from here on is one list.
    Begin,
    Collect(Operand),
    /// Does the same for each row.
    Each(Box<Each<'p>>),
    Join(To, Box<List>, Operand),
    Sum(To, Box<List>),
    Count(To, Box<List>),
    First(To, Box<List>),
    /// A standard function, called as the plain evaluator calls it.
    Function(To, &'p Call, Box<[Given<'p>]>),
    /// Warns, or ends the record.
    End(Box<Ending<'p>>),
    /// A write begins.
    Open(Box<Target>),
    /// Fields of the write, or of the line object in hand.
    Put(Box<[(u32, Operand)]>),
    /// Line objects: a row of the body for each row with a [`Step::Row`].
    Rows(Box<Rows<'p>>),
    /// A line object begins, with the fields that are always the same.
    Row(Box<[Quick]>),
}

/// Functions that have a way of their own here; of one argument the second one is blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Native {
    Trim,
    Upper,
    FirstChars,
    DaysBetween,
    Abs,
    Round,
}

/// Steps, and where the value is that they work out.
#[derive(Debug)]
pub(super) struct Block<'p> {
    pub(super) steps: Vec<Step<'p>>,
    pub(super) value: Operand,
}

/// An argument of a standard function.
#[derive(Debug)]
pub(super) enum Given<'p> {
    /// `true`: the function is not called for a blank.
    Value(Operand, bool),
    List(List),
    Pattern(&'p Regex),
    Columns(&'p [Arc<str>]),
}

/// The elements of a list.
#[derive(Debug)]
pub(super) enum List {
    Items(Box<[Operand]>),
    /// Those that were collected last.
    Collected,
    /// All rows of a list, of which only how many there are counts.
    Rows(Operand),
    /// A field of each row of a list.
    Column(Operand, u32),
}

/// A loop over rows.
#[derive(Debug)]
pub(super) struct Each<'p> {
    /// Their list.
    pub(super) list: Operand,
    /// The frame of the row in hand.
    pub(super) frame: u32,
    /// What is forgotten at each round.
    pub(super) own: Vec<u32>,
    pub(super) steps: Vec<Step<'p>>,
}

/// Line objects of a body.
#[derive(Debug)]
pub(super) struct Rows<'p> {
    pub(super) each: Each<'p>,
    /// Where their list stands among the fields of the write.
    pub(super) out: u32,
    /// How many fields one has.
    pub(super) width: usize,
}

/// A pattern whose first group is wanted.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Its place among [`Program::patterns`].
    pub(super) number: usize,
    /// Its place among [`Program::shapes`] and the parts that are wanted, where it is simple enough.
    pub(super) shape: Option<(usize, Range<usize>)>,
}

/// A piece of a message.
#[derive(Debug)]
pub(super) enum Bit<'p> {
    Chars(&'p str),
    Hole(Operand, Print, Privacy),
}

/// The end of a record.
#[derive(Debug)]
pub(super) struct Ending<'p> {
    pub(super) verdict: Verdict,
    pub(super) place: Arc<str>,
    /// What works out the holes of its message.
    pub(super) steps: Vec<Step<'p>>,
    pub(super) bits: Box<[Bit<'p>]>,
}

/// A look-up in a table.
#[derive(Debug)]
pub(super) struct Lookup<'p> {
    pub(super) args: Box<[Operand]>,
    /// The place of the first argument among those of all look-ups.
    pub(super) first: usize,
    pub(super) classes: Classes<'p>,
    /// By row; the last is what stands for the rest.
    pub(super) ends: Vec<Option<Ending<'p>>>,
}

/// What a row gives.
#[derive(Debug)]
pub(super) enum Result<'p> {
    Value(Quick),
    Code(Block<'p>),
    /// Its [`Lookup::ends`] says so; or nothing that fits here.
    Ends,
}

/// One of the targets of a write.
#[derive(Debug)]
pub(super) struct Target {
    /// What stands before its fields: `{"name":"sale",…,"body":{"FbSales":{"Element":`.
    pub(super) head: String,
    /// Its fields at the beginning: those that are always the same stand there.
    pub(super) fields: Box<[Quick]>,
    pub(super) element: Element,
}

/// A whole flow.
#[derive(Debug)]
pub(super) struct Program<'p> {
    /// The fields that name a record.
    pub(super) key: Vec<Operand>,
    /// What must hold of a record that the source is asked for, and all that is decided of it.
    pub(super) steps: Vec<Step<'p>>,
    /// What is worked out once, by [`Step::Need`].
    pub(super) lets: Vec<Vec<Step<'p>>>,
    /// What stands in the program's own registers at the beginning; the first one is for the day of the decision.
    pub(super) own: Vec<Quick>,
    /// How many inputs all look-ups have.
    pub(super) inputs: usize,
    /// The patterns of [`Step::Part`]; a copy for one thread has no rival.
    pub(super) patterns: Vec<Regex>,
    /// The shapes of those that are simple.
    pub(super) shapes: Vec<Shape>,
    /// The texts of the flow, one behind the other.
    pub(super) texts: String,
}

impl Operand {
    /// The day of the decision.
    pub(super) const TODAY: Self = Self { frame: OWN, register: 0 };

    /// A register of the record.
    pub(super) fn of_record(register: usize) -> Option<Self> {
        Self::new(RECORD, register)
    }

    pub(super) fn new(frame: u32, register: usize) -> Option<Self> {
        Some(Self { frame, register: u32::try_from(register).ok()? })
    }
}

//! What a record's decision is made of when all names are registers: smaller than the lowered code of a plan, and
//! nothing is looked up.
//!
//! Gives the [`Program`] that [`super::lower`] makes and [`super::run`] works out.

use std::sync::Arc;

use regex::Regex;

use super::{layout::Rows, pattern::Simple, table::Classes, value::Quick, write::Element};
use crate::{
    plan::code::{Call, Form, Operator, Print, Privacy},
    value::{Compare, Verdict},
};

/// An expression. Its first byte tells which one: it is looked at more often than anything else.
#[derive(Debug)]
#[repr(u8)]
pub(super) enum Op<'p> {
    Const(Quick),
    /// A register of the record.
    Register(usize),
    /// A register of the row that a loop has in hand.
    Row(usize, usize),
    /// What somebody has put there.
    Slot(usize),
    /// A row of [`Program::lets`], worked out once.
    Let(usize),
    Text(Vec<Bit<'p>>),
    Not(Box<Op<'p>>),
    Must(Box<Op<'p>>),
    /// At most so many characters.
    Fits(Box<Op<'p>>, usize),
    And(Pair<'p>),
    Or(Pair<'p>),
    Is(Pair<'p>),
    /// As `Is`, and no for a blank.
    Matches(Pair<'p>),
    /// Has a set of words one of these?
    HasWord(Box<Op<'p>>, i64),
    OneOf(Box<Op<'p>>, Vec<Op<'p>>),
    Compare(Compare, Pair<'p>),
    Default(Pair<'p>),
    Arithmetic(Operator, Pair<'p>),
    Choose(Vec<(Op<'p>, Op<'p>)>, Option<Box<Op<'p>>>),
    Outcome(Box<Ending<'p>>),
    /// The number of the row of a table.
    Find(Box<Lookup<'p>>),
    /// The value of a row of a table.
    Table(Box<Lookup<'p>>, Vec<Result<'p>>),
    /// A column of the row whose number the operand gives.
    Pick(Box<Op<'p>>, Vec<Result<'p>>),
    Native(Native, Vec<Op<'p>>),
    Part(Box<Op<'p>>, Pattern),
    Join(Box<List<'p>>, Box<Op<'p>>),
    Sum(Box<List<'p>>),
    Count(Box<List<'p>>),
    First(Box<List<'p>>),
    /// A standard function, called as the plain evaluator calls it.
    Function(&'p Call, Vec<Given<'p>>),
    Define(Box<Define<'p>>),
    Today,
    Convert(Box<Op<'p>>, &'p Form),
}

pub(super) type Pair<'p> = Box<(Op<'p>, Op<'p>)>;

/// Functions that have a way of their own here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Native {
    Trim,
    Upper,
    FirstChars,
    DaysBetween,
    Abs,
    Round,
}

/// An argument of a standard function.
#[derive(Debug)]
pub(super) enum Given<'p> {
    /// `true`: the function is not called for a blank.
    Value(Op<'p>, bool),
    List(List<'p>),
    Pattern(&'p Regex),
    Columns(&'p [Arc<str>]),
}

/// Where a register is counted from: the beginning of the record, or the row that a loop has in hand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Frame {
    Record,
    Row(usize),
}

/// A list, element by element.
#[derive(Debug)]
pub(super) enum List<'p> {
    Items(Vec<Op<'p>>),
    Loop(Box<Each<'p>>, Op<'p>),
    /// All rows, of which only how many there are counts.
    Rows(At),
    /// A field of each row.
    Column(At, usize),
}

/// Where rows are: the register of their list, and the registers of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) register: usize,
    pub(super) width: usize,
}

/// The head of a loop over rows.
#[derive(Debug)]
pub(super) struct Each<'p> {
    pub(super) rows: At,
    /// Where the row in hand begins.
    pub(super) base: usize,
    pub(super) when: Option<Op<'p>>,
    /// What is emptied at each round.
    pub(super) own: Vec<usize>,
}

/// A call of a function of the flow, its body written out.
#[derive(Debug)]
pub(super) struct Define<'p> {
    pub(super) args: Vec<(usize, Op<'p>)>,
    pub(super) own: Vec<usize>,
    pub(super) body: Op<'p>,
}

/// A pattern whose first group is wanted.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Its place among [`Program::patterns`].
    pub(super) number: usize,
    /// The same, where it is simple enough.
    pub(super) simple: Option<Simple>,
}

/// A piece of a text or message.
#[derive(Debug)]
pub(super) enum Bit<'p> {
    Chars(&'p str),
    Hole(Op<'p>, Print, Privacy),
}

/// The end of a record.
#[derive(Debug)]
pub(super) struct Ending<'p> {
    pub(super) verdict: Verdict,
    pub(super) place: Arc<str>,
    pub(super) bits: Vec<Bit<'p>>,
}

/// A look-up in a table.
#[derive(Debug)]
pub(super) struct Lookup<'p> {
    /// Inputs, and the slot that a result may name.
    pub(super) args: Vec<(Op<'p>, usize)>,
    pub(super) classes: Classes<'p>,
    /// By row; the last is what stands for the rest.
    pub(super) ends: Vec<Option<Ending<'p>>>,
}

/// What a row gives.
#[derive(Debug)]
pub(super) enum Result<'p> {
    Value(Quick),
    Code(Op<'p>),
    /// Its [`Lookup::ends`] says so; or nothing that fits here.
    Ends,
}

/// A guard.
#[derive(Debug)]
pub(super) struct Guard<'p> {
    pub(super) when: Option<Op<'p>>,
    pub(super) ending: Ending<'p>,
}

/// A statement.
#[derive(Debug)]
pub(super) enum Stmt<'p> {
    Guard(Guard<'p>),
    Write(Vec<Target<'p>>),
}

/// One of the targets of a write.
#[derive(Debug)]
pub(super) struct Target<'p> {
    pub(super) when: Option<Op<'p>>,
    /// What stands before its fields: `{"name":"sale",…,"body":{"FbSales":{"Element":`.
    pub(super) head: String,
    pub(super) lines: Vec<Line<'p>>,
    /// The registers of its fields.
    pub(super) width: usize,
    pub(super) element: Element,
}

/// A line of a body.
#[derive(Debug)]
pub(super) enum Line<'p> {
    Guard(Guard<'p>),
    Field(usize, Op<'p>),
    Object(Option<Op<'p>>, Vec<Line<'p>>),
    Each { each: Each<'p>, out: usize, width: usize, lines: Vec<Line<'p>> },
}

/// A whole flow.
#[derive(Debug)]
pub(super) struct Program<'p> {
    /// The fields that name a record.
    pub(super) key: Vec<Op<'p>>,
    /// What must hold of a record that the source is asked for.
    pub(super) admits: Vec<Op<'p>>,
    pub(super) stmts: Vec<Stmt<'p>>,
    /// What is worked out once, by [`Op::Let`].
    pub(super) lets: Vec<Op<'p>>,
    /// How many [`Op::Slot`]s there are.
    pub(super) slots: usize,
    /// How many loops have a row in hand.
    pub(super) bases: usize,
    /// The patterns of [`Op::Part`]; a copy for one thread has no rival.
    pub(super) patterns: Vec<Regex>,
    /// The texts of the flow, one behind the other.
    pub(super) texts: String,
}

impl At {
    pub(super) fn of(rows: &Rows) -> Self {
        Self { register: rows.register, width: rows.width }
    }
}

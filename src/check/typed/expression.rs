//! Expressions, each with its type.

use std::sync::Arc;

use regex::Regex;

use super::{DefineId, Line, Message, Search, SettingId, TableId, VarId};
use crate::{
    diagnostic::Span,
    function::Function,
    schema::{Object, Ty},
    syntax::tree::BinaryOp,
    value::{Value, Verdict},
};

/// An expression.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Ty,
    /// Its place.
    pub span: Span,
}

/// The kinds of expressions. "Lifts" = a blank operand gives blank.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// A literal.
    Const(Value),
    /// A compiled-when-checked pattern, as the argument of a text function.
    Pattern(Regex),
    /// A place.
    Var(VarId),
    /// A setting.
    Setting(SettingId),
    /// A field of a record; lifts. Of a list of records: the list of the fields.
    Field(Box<Expr>, Arc<str>),
    /// A text with holes, none of them blank.
    Text(Vec<TextPart>),
    /// A list.
    List(Vec<Expr>),
    /// `[item for var in list when …]`
    Comprehension {
        /// The element.
        item: Box<Expr>,
        /// The loop name.
        var: VarId,
        /// The list.
        list: Box<Expr>,
        /// The filter.
        when: Option<Box<Expr>>,
    },
    /// `each x in list when … { fields }`: a list of records.
    Rows {
        /// The loop name.
        var: VarId,
        /// The list.
        list: Box<Expr>,
        /// The filter.
        when: Option<Box<Expr>>,
        /// The lets and finds in it, then the record.
        record: Box<RecordExpr>,
    },
    /// A record made of fields.
    Record(Box<RecordExpr>),
    /// `-x`; lifts.
    Negate(Box<Expr>),
    /// `not x`; a blank counts as no.
    Not(Box<Expr>),
    /// `x!`: fails the record when blank, with this name.
    Must(Box<Expr>, Arc<str>),
    /// Two sides. `is` and `in` on a list of words ask membership; arithmetic lifts; `and`/`or` count blank as no
    /// and do not work out the right side when the left decides.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// Arms in order, then the last value; none = blank.
    Choose(Vec<(Expr, Expr)>, Option<Box<Expr>>),
    /// Ends the record here.
    Outcome(Verdict, Message),
    /// `exists e where …`
    Exists(Box<Search>),
    /// A table, one argument for each input in order; the result column (its name) if several are asked: then a
    /// [`ExprKind::Field`] stands around it. Gives the value, or a record of the results where there are several.
    Table(TableId, Vec<Expr>),
    /// A standard function, arguments in the order of its parameters, defaults filled in.
    Function(&'static Function, Vec<Expr>),
    /// A `define`.
    Define(DefineId, Vec<Expr>),
    /// `.n` or `[.a, .b]` as the argument of a list function: names of fields of each element.
    Columns(Vec<Arc<str>>),
    /// `today()`.
    Today,
    /// A number made into money or decimal, an int into a decimal: where the types ask for it.
    Convert(Box<Expr>, Convert),
    /// `todo "…"`
    Todo,
}

/// A change of kind that loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convert {
    /// A number literal to an amount in euro.
    ToMoney,
    /// An int to a decimal.
    ToDecimal,
    /// A datetime to its Amsterdam day.
    ToDate,
    /// A value to its normal form (e-mail: trimmed and lower case; IBAN and VAT number: no spaces and dots).
    Normalise,
}

/// A record made of fields, with the lets and finds that stand among them.
#[derive(Debug, Clone)]
pub struct RecordExpr {
    /// What stands before.
    pub lines: Vec<Line>,
    /// Its shape.
    pub object: Arc<Object>,
}

/// A piece of a text.
#[derive(Debug, Clone)]
pub enum TextPart {
    /// Characters.
    Chars(Arc<str>),
    /// A value, never blank.
    Hole(Expr),
}

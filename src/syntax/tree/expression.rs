//! Literals, expressions, and texts with holes.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use super::{Name, Path};
use crate::diagnostic::Span;

/// A literal value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// `3`, `3.50`; whole without a point.
    Number(Decimal),
    /// `21%`, as its fraction.
    Percent(Decimal),
    /// `"text"` without holes.
    Text(Arc<str>),
    /// `2026-01-01`
    Date(Date),
    /// `2026-01-01T10:00`, Amsterdam.
    DateTime(Timestamp),
    /// `2 hours`, in seconds (a month is 30 days).
    Duration(i64),
    /// `yes`, `no`
    Bool(bool),
    /// `blank`
    Blank,
    /// `clear`
    Clear,
    /// `/…/`
    Pattern(Arc<str>),
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A literal.
    Literal(Literal),
    /// A text with holes.
    Text(Text),
    /// `name.a.b`
    Path(Path),
    /// `.a.b`
    Dot(Path),
    /// `f(x).a`
    Call(Call),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `[e for x in list when c]`, and the single argument of a call.
    Comprehension(Box<Comprehension>),
    /// `-x`
    Negate(Box<Expr>),
    /// `not x`
    Not(Box<Expr>),
    /// `x!`
    Must(Box<Expr>),
    /// `a op b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `a when c else b when d else e`: arms in order, then the last value.
    Choose(Vec<Arm>, Option<Box<Expr>>),
    /// `hold "…"`
    Outcome(crate::value::Verdict, Text),
    /// `todo "…"`
    Todo(Option<Text>),
    /// `exists e where …`
    Exists(Path, Box<Expr>),
}

/// `value when condition`
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// The value.
    pub value: Expr,
    /// When it holds.
    pub when: Expr,
}

/// `e for x in list when c`
#[derive(Debug, Clone, PartialEq)]
pub struct Comprehension {
    /// The element.
    pub item: Expr,
    /// The loop name.
    pub name: Name,
    /// The list.
    pub list: Expr,
    /// The filter.
    pub when: Option<Expr>,
}

/// `f(x, on: y).a`
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What is called.
    pub name: Name,
    /// The arguments.
    pub args: Vec<Arg>,
    /// A field of the result.
    pub field: Option<Path>,
    /// The whole.
    pub span: Span,
}

/// An argument.
#[derive(Debug, Clone, PartialEq)]
pub struct Arg {
    /// `on:`
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// Operators with two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `or`
    Or,
    /// `and`
    And,
    /// `is`
    Is,
    /// `is not`
    IsNot,
    /// `in`
    In,
    /// `not in`
    NotIn,
    /// `<` `<=` `>` `>=`
    Compare(crate::value::Compare),
    /// `??`
    Default,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

impl BinaryOp {
    /// As a flow writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        use crate::value::Compare;
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Is => "is",
            Self::IsNot => "is not",
            Self::In => "in",
            Self::NotIn => "not in",
            Self::Compare(Compare::Less) => "<",
            Self::Compare(Compare::AtMost) => "<=",
            Self::Compare(Compare::Greater) => ">",
            Self::Compare(Compare::AtLeast) => ">=",
            Self::Default => "??",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }
}

/// A text with holes.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// In order.
    pub parts: Vec<TextPart>,
    /// Quotes included.
    pub span: Span,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum TextPart {
    /// Characters, escapes resolved.
    Chars(Arc<str>),
    /// `{…}`
    Hole(Expr),
}

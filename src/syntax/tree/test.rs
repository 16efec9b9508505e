//! Tests: what is given, and what is expected.

use std::sync::Arc;

use super::{Expr, Line, Name, Path, Text};
use crate::diagnostic::Span;

/// `test "…" { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Its name.
    pub name: Arc<str>,
    /// Its lines, in order.
    pub givens: Vec<Given>,
    /// What must come out.
    pub expects: Vec<Expect>,
    /// The statement.
    pub span: Span,
}

/// A `given` line.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// What is given.
    pub kind: GivenKind,
    /// The line.
    pub span: Span,
}

/// What a `given` says.
#[derive(Debug, Clone, PartialEq)]
pub enum GivenKind {
    /// `given setting s = v` (`s` may be `debtor.person_type`)
    Setting(Path, Expr),
    /// `given after e { … }`
    After(Path, Vec<Line>),
    /// `given x from "file" { … }`: x is the record, a system or an entity.
    From(Path, Name, Option<Vec<Line>>),
    /// `given today = 2026-01-01`
    Value(Path, Expr),
    /// `given invoice { … }`
    Record(Path, Vec<Line>),
    /// `given e is empty`
    Empty(Path),
    /// `given e has { … }`
    Has(Path, Vec<Line>),
}

/// An `expect` line.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// What is expected.
    pub kind: ExpectKind,
    /// The line.
    pub span: Span,
}

/// What an `expect` says.
#[derive(Debug, Clone, PartialEq)]
pub enum ExpectKind {
    /// `expect [no] create e { … }`; `write` without an action is any.
    Write {
        /// `no`
        no: bool,
        /// None = `write`.
        action: Option<crate::value::Action>,
        /// The entity, if named.
        entity: Option<Path>,
        /// The fields that must be equal.
        lines: Vec<Line>,
    },
    /// `expect [no] hold "part"`
    Outcome {
        /// `no`
        no: bool,
        /// Which.
        verdict: crate::value::Verdict,
        /// Part of its text.
        text: Option<Text>,
    },
    /// `expect no read`
    NoRead,
    /// `expect expr`
    Expr(Expr),
}

//! Lookup tables, every cell a value of its column.

use std::sync::Arc;

use super::{Expr, Message, SettingId, VarId};
use crate::{
    diagnostic::Span,
    schema::Ty,
    value::{Compare, Value, Verdict},
};

/// A lookup table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: Arc<str>,
    /// `first`: the first row that fits; else exactly one.
    pub first: bool,
    /// Name and type of the inputs.
    pub inputs: Vec<(Arc<str>, Ty)>,
    /// Name and type of the results.
    pub results: Vec<(Arc<str>, Ty)>,
    /// In the order of the text or CSV.
    pub rows: Vec<Row>,
    /// What stands for the rest. Holes may name the inputs: their places are `params`.
    pub otherwise: Option<RowResult>,
    /// The places of the inputs, for results that name them.
    pub params: Vec<VarId>,
    /// The head.
    pub span: Span,
}

/// A row of a table.
#[derive(Debug, Clone)]
pub struct Row {
    /// One for each input.
    pub cells: Vec<Cell>,
    /// What it gives.
    pub result: RowResult,
    /// Its place (file and line of the CSV).
    pub span: Span,
}

/// What a row gives.
#[derive(Debug, Clone)]
pub enum RowResult {
    /// One for each result.
    Values(Vec<Expr>),
    /// Ends the record.
    Outcome(Verdict, Message),
}

/// A cell, values already of the column's type, named lists written out.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// `*`: everything, blank included.
    Any,
    /// One of these (`Value::Blank` among them where `blank` stands there).
    In(Vec<Value>),
    /// None of these.
    NotIn(Vec<Value>),
    /// Both included, either end may be open.
    Range {
        /// Lowest, and whether it is included.
        from: Option<(Value, bool)>,
        /// Highest, and whether it is included.
        to: Option<(Value, bool)>,
    },
    /// The text contains this, ignoring case.
    Contains(Arc<str>),
    /// The text matches this.
    Matches(Arc<str>),
    /// The setting, or one of its list: which values that are is known only when it runs.
    Setting(SettingId),
    /// Several of the above, any of which fits.
    AnyOf(Vec<Cell>),
    /// None of these.
    NoneOf(Vec<Cell>),
}

impl Cell {
    /// Does a setting say what it takes?
    #[must_use]
    pub fn by_setting(&self) -> bool {
        match self {
            Self::Setting(_) => true,
            Self::AnyOf(cells) | Self::NoneOf(cells) => cells.iter().any(Self::by_setting),
            Self::Any | Self::In(_) | Self::NotIn(_) | Self::Range { .. } | Self::Contains(_) | Self::Matches(_) => {
                false
            }
        }
    }

    /// A bound `< x` and so on.
    #[must_use]
    pub fn bound(compare: Compare, value: Value) -> Self {
        match compare {
            Compare::Less => Self::Range { from: None, to: Some((value, false)) },
            Compare::AtMost => Self::Range { from: None, to: Some((value, true)) },
            Compare::Greater => Self::Range { from: Some((value, false)), to: None },
            Compare::AtLeast => Self::Range { from: Some((value, true)), to: None },
        }
    }
}

//! Decides: plan, record and rows so far in; wanted reads or a decision out.
//!
//! Pure and synchronous. When reads are missing it returns *all* that can be known now, so that a whole page of
//! records is asked for in a few calls. The outcome is that of reading the file downwards.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::civil::Date;

use crate::value::{Ask, Decision, Record, Value};

/// Rows so far, by what was asked. An ask that is not in here has not been answered yet.
#[derive(Debug, Clone, Default)]
pub struct Reads(pub HashMap<Ask, Arc<[Record]>>);

/// What a decision depends on besides the record and the rows.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// `today()`: the Amsterdam date when this decision began.
    pub today: Date,
    /// Keys of this record's writes and ensures that are confirmed already, by name: they are not decided again.
    pub confirmed: &'a BTreeMap<Arc<str>, Value>,
}

/// One step of deciding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// These reads are missing; call again with their rows.
    Wants(Vec<Ask>),
    /// Done.
    Decided(Decision),
}

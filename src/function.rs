//! The standard functions: pure, each one row with signature, one line of documentation and an example that is a test.
//!
//! Takes values, gives values. The checker reads the signatures, the evaluator calls the bodies, the reference prints
//! both. Not found here: `today` (an input of the evaluation) and patterns (compiled once, handed in).

use std::sync::Arc;

use regex::Regex;

use crate::{schema::Ty, value::Value};

/// A standard function.
#[derive(Debug)]
pub struct Function {
    /// As flows call it.
    pub name: &'static str,
    /// Its parameters, in order.
    pub params: &'static [Param],
    /// What it gives for these argument types. Lifting is done by the caller: these types are never optional for a
    /// plain parameter.
    pub gives: fn(&[Ty]) -> Ty,
    /// One line for the reference.
    pub doc: &'static str,
    /// An expression of the language and its result, as text: a test.
    pub example: (&'static str, &'static str),
    /// The body; arguments in the order of `params`, defaults filled in with [`Argument::Value`] of blank.
    pub call: fn(&[Argument<'_>]) -> Result<Value, Trouble>,
}

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// As calls may name it (`over:`).
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// May it be left out (then it is blank)?
    pub optional: bool,
}

/// What a parameter takes. A plain one is lifted: the function is not called for a blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A text of any kind.
    Text,
    /// A whole number.
    Int,
    /// A number, amount or percentage.
    Number,
    /// An amount.
    Money,
    /// Numbers or days.
    Ordered,
    /// A day (a moment is taken as its Amsterdam day).
    Date,
    /// yes or no.
    Bool,
    /// A literal pattern.
    Pattern,
    /// A list of anything.
    List,
    /// A list of texts.
    Texts,
    /// A list of numbers, amounts, percentages.
    Numbers,
    /// A list of records.
    Records,
    /// Anything, also blank: never lifted.
    Anything,
    /// `.n`
    Column,
    /// `[.a, .b]`
    Columns,
}

/// An argument at run time.
#[derive(Debug, Clone, Copy)]
pub enum Argument<'a> {
    /// A value.
    Value(&'a Value),
    /// A compiled pattern.
    Pattern(&'a Regex),
    /// Names of fields of each element.
    Columns(&'a [Arc<str>]),
}

/// Why a function cannot give a value: fails the record with this sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

/// The function of a name.
#[must_use]
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().copied().find(|function| function.name == name)
}

/// All functions, by subject.
pub const FUNCTIONS: &[&Function] = &[];

//! The standard functions: pure, each one row with signature, one line of documentation and an example that is a test.
//!
//! Takes values, gives values. The checker reads the signatures, the evaluator calls the bodies, the reference prints
//! both. Not found here: `today` (an input of the evaluation) and patterns (compiled once, handed in).

mod bookkeeping;
mod convert;
mod date;
mod iso;
mod list;
mod manual;
mod number;
mod text;
mod valid;

use std::sync::Arc;

use regex::Regex;

use crate::{schema::Ty, value::Value};

pub use manual::manual;

/// A standard function.
#[derive(Debug)]
pub struct Function {
    /// As flows call it.
    pub name: &'static str,
    /// Its parameters, in order.
    pub params: &'static [Param],
    /// What it gives for these argument types, one for each parameter ([`Ty::any`] for one that is left out). Lifting
    /// is done by the caller. Two things ride along in a type: a literal whole number has its value as `max`
    /// (`first_chars(x, 10)` is a `text(10)`), and a column argument is a `one of` the names of its columns.
    pub gives: fn(&[Ty]) -> Ty,
    /// One line for the reference.
    pub doc: &'static str,
    /// An expression of the language and its result, as text: a test. Lines before the last one are statements.
    pub example: (&'static str, &'static str),
    /// The body; arguments in the order of `params`, defaults filled in with [`Argument::Value`] of blank.
    pub call: fn(&[Argument<'_>]) -> Result<Value, Trouble>,
}

impl Function {
    /// A call with the names of the parameters that it needs: `first_chars(text, n)`.
    #[must_use]
    pub fn shape(&self) -> String {
        let needed: Vec<&str> = self.params.iter().filter(|param| !param.optional).map(|param| param.name).collect();
        format!("{}({})", self.name, needed.join(", "))
    }
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
pub const FUNCTIONS: &[&Function] = &[
    &text::TRIM,
    &text::LOWER,
    &text::UPPER,
    &text::FIRST_CHARS,
    &text::LAST_CHARS,
    &text::REPLACE,
    &text::PART,
    &text::MATCHES,
    &text::STARTS_WITH,
    &text::CONTAINS,
    &text::SPLIT,
    &text::JOIN,
    &text::PAD_LEFT,
    &text::DIGITS_ONLY,
    &text::TITLE_CASE,
    &text::WITHOUT_ACCENTS,
    &number::ROUND,
    &number::ROUND_EVEN,
    &number::FLOOR,
    &number::CEIL,
    &number::ABS,
    &number::MIN,
    &number::MAX,
    &number::SUM,
    &number::PRODUCT,
    &number::AVERAGE,
    &date::YEAR,
    &date::MONTH,
    &date::DAY,
    &date::ADD_DAYS,
    &date::ADD_MONTHS,
    &date::DAYS_BETWEEN,
    &date::END_OF_MONTH,
    &date::FIRST_OF_MONTH,
    &date::DATE,
    &date::FORMAT_DATE,
    &date::TO_DATE,
    &list::FIRST,
    &list::LAST,
    &list::COUNT,
    &list::DISTINCT,
    &list::SORT_BY,
    &list::ANY,
    &list::ALL,
    &convert::TO_INT,
    &convert::TO_DECIMAL,
    &convert::TO_PERCENT,
    &convert::TO_TEXT,
    &convert::TO_COUNTRY,
    &convert::TO_CURRENCY,
    &valid::EMAIL,
    &valid::IBAN,
    &valid::VAT,
    &valid::KVK,
    &valid::POSTCODE,
    &bookkeeping::GROUP,
    &bookkeeping::SPREAD,
    &bookkeeping::BALANCE,
];

impl<'a> Argument<'a> {
    /// The value of an ordinary argument; blank for a pattern or columns.
    #[must_use]
    pub fn value(&self) -> &'a Value {
        match self {
            Self::Value(value) => value,
            Self::Pattern(_) | Self::Columns(_) => &Value::Blank,
        }
    }

    /// Its text, or none.
    fn text(&self) -> &'a str {
        self.value().as_text().unwrap_or("")
    }

    /// Its whole number, or none.
    fn int(&self) -> Option<i64> {
        match self.value() {
            Value::Int(n) => Some(*n),
            other => i64::try_from(other.as_decimal()?.trunc()).ok(),
        }
    }

    /// Its elements.
    fn list(&self) -> &'a [Value] {
        self.value().as_list()
    }

    /// The names of its columns.
    fn columns(&self) -> &'a [Arc<str>] {
        match self {
            Self::Columns(names) => names,
            Self::Value(_) | Self::Pattern(_) => &[],
        }
    }
}

/// A parameter that must be given.
const fn needed(name: &'static str, takes: Takes) -> Param {
    Param { name, takes, optional: false }
}

/// A parameter that may be left out.
const fn optional(name: &'static str, takes: Takes) -> Param {
    Param { name, takes, optional: true }
}

/// The argument at a place; the caller gives one for each parameter, so a missing one is blank.
fn at<'a>(args: &[Argument<'a>], index: usize) -> Argument<'a> {
    args.get(index).copied().unwrap_or(Argument::Value(&Value::Blank))
}

/// The type at a place.
fn type_at(types: &[Ty], index: usize) -> Ty {
    types.get(index).cloned().unwrap_or_else(Ty::any)
}

//! What flows through the house: values, records, filters, writes, decisions.
//!
//! Takes and gives plain data; knows nothing else of koppel. Promises that numbers never pass through a float
//! and that blank (missing, `null`, empty, white space) is one value, made at the edge.

mod decision;
mod filter;
mod hidden;
mod pattern;
mod record;

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};
pub use rust_decimal::Decimal;

pub use decision::{Action, Chosen, Decision, Ensured, Fields, Node, Outcome, Reason, Verdict, Write};
pub use filter::{Ask, Compare, EntityName, Filter, Order, order};
pub use hidden::{is_hidden, shown, shown_json, shown_lines, written_out};
pub use pattern::pattern;
pub use record::{Record, Shape};

/// A value of the language. The static type tells a percentage (a fraction) from a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Value {
    /// Missing, `null`, empty text or white space.
    #[default]
    Blank,
    /// `yes` or `no`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// An exact number; a percentage is its fraction (21% is 0.21).
    Decimal(Decimal),
    /// An amount with its currency.
    Money(Money),
    /// A text that is not blank.
    Text(Arc<str>),
    /// A day.
    Date(Date),
    /// A moment.
    DateTime(Timestamp),
    /// A list; a missing list is the empty one, never blank.
    List(Arc<[Value]>),
    /// A record, a row or a sub-object.
    Record(Record),
    /// The key that an earlier write of this record will give, by the name of that write.
    Key(Arc<str>),
    /// `clear`: empty the field at the target.
    Clear,
}

/// An amount; `is 0` compares the amount only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// The amount, exact.
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
}

/// A currency code of ISO 4217, three upper-case letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");

    /// Reads three letters, in any case; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 3] = text.trim().as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_alphabetic).then(|| Self(letters.map(|b| b.to_ascii_uppercase())))
    }

    /// `EUR`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl Value {
    /// A text; blank when there is nothing but white space in it.
    #[must_use]
    pub fn text(text: &str) -> Self {
        if text.trim().is_empty() { Self::Blank } else { Self::Text(text.into()) }
    }

    /// Euros.
    #[must_use]
    pub fn eur(amount: Decimal) -> Self {
        Self::Money(Money { amount, currency: Currency::EUR })
    }

    /// Is it blank? A list never is.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        matches!(self, Self::Blank)
    }

    /// The text of a text value.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The record of a record value.
    #[must_use]
    pub fn as_record(&self) -> Option<&Record> {
        match self {
            Self::Record(record) => Some(record),
            _ => None,
        }
    }

    /// The elements of a list; nothing for anything else.
    #[must_use]
    pub fn as_list(&self) -> &[Value] {
        match self {
            Self::List(list) => list,
            _ => &[],
        }
    }

    /// Any number as a decimal (an amount without its currency).
    #[must_use]
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Int(n) => Some(Decimal::from(*n)),
            Self::Decimal(n) => Some(*n),
            Self::Money(money) => Some(money.amount),
            _ => None,
        }
    }
}

/// Compares as the language does: numbers by value whatever their kind (2 is 2.00), texts by their characters.
///
/// Blank equals blank; values of different kinds are different.
#[must_use]
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Money(x), Value::Money(y)) => x.amount == y.amount && (x.currency == y.currency || x.amount.is_zero()),
        _ => match (a.as_decimal(), b.as_decimal()) {
            (Some(x), Some(y)) => x == y,
            _ => a == b,
        },
    }
}

/// How a value stands in a text: money with two decimals at least, other numbers without trailing zeros, days as
/// `2026-03-14`, a blank as `(blank)`.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Blank => f.write_str("(blank)"),
            Self::Bool(yes) => f.write_str(if *yes { "yes" } else { "no" }),
            Self::Int(n) => write!(f, "{n}"),
            Self::Decimal(n) => write!(f, "{}", n.normalize()),
            Self::Money(money) => {
                let amount = money.amount.normalize();
                if amount.scale() < 2 { write!(f, "{amount:.2}") } else { write!(f, "{amount}") }
            }
            Self::Text(text) => f.write_str(text),
            Self::Date(day) => write!(f, "{day}"),
            Self::DateTime(moment) => write!(f, "{moment}"),
            Self::List(list) => {
                for (index, value) in list.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{value}")?;
                }
                Ok(())
            }
            Self::Record(_) => f.write_str("(record)"),
            Self::Key(name) => write!(f, "(key of {name})"),
            Self::Clear => f.write_str("(clear)"),
        }
    }
}

/// For `plan --json` and logs of decisions shown live; the wire forms of the vendors are made by the schema.
impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        match self {
            Self::Blank => serializer.serialize_none(),
            Self::Bool(yes) => serializer.serialize_bool(*yes),
            Self::Int(n) => serializer.serialize_i64(*n),
            Self::Decimal(n) => serializer.collect_str(n),
            Self::List(list) => serializer.collect_seq(list.iter()),
            Self::Record(record) => serializer.collect_map(record.iter()),
            Self::Key(name) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("key_of", name)?;
                map.end()
            }
            other => serializer.collect_str(other),
        }
    }
}

//! Values, classes and cells of a column in words: as a title names them, and as a row is written.

use super::domain::{Class, Cut, Domain};
use crate::{
    check::typed::Cell,
    schema::{Kind, Ty},
    value::{Decimal, Value},
};

/// A column, as its words need it.
#[derive(Clone, Copy)]
pub(super) struct Column<'a> {
    pub(super) name: &'a str,
    pub(super) ty: &'a Ty,
    pub(super) domain: &'a Domain,
    /// Are its cells written without quotes?
    pub(super) csv: bool,
}

impl Column<'_> {
    /// A class as a title names it: `area "eu"`, `rate 9%`, `30 days`.
    pub(super) fn class(&self, class: &Class) -> String {
        match (class.example(self.ty, |value| self.taken(value)), class) {
            (_, Class::Matching(pattern)) => format!("{} that matches /{pattern}/", self.name),
            (Some(value), _) => self.value(&value),
            (None, Class::Between(..)) => format!("any {}", self.name),
            (None, _) => format!("another {}", self.name),
        }
    }

    /// A value as a title names it.
    pub(super) fn value(&self, value: &Value) -> String {
        let written = literal(value, self.ty, false);
        if self.ty.kind == Kind::Int && self.name.ends_with('s') && !value.is_blank() {
            return format!("{written} {}", self.name);
        }
        format!("{} {written}", self.name)
    }

    /// A cell as a title names it; none where it says nothing.
    pub(super) fn cell(&self, cell: &Cell) -> Option<String> {
        let list =
            |values: &[Value]| values.iter().map(|value| literal(value, self.ty, false)).collect::<Vec<_>>().join(", ");
        match cell {
            Cell::In(values) if values.iter().all(Value::is_blank) => None,
            Cell::In(values) => Some(format!("{} {}", self.name, list(values))),
            Cell::NotIn(values) => Some(format!("{} not {}", self.name, list(values))),
            _ => None,
        }
    }

    /// The cell that takes a class.
    pub(super) fn cell_of(&self, class: &Class) -> String {
        match class {
            Class::Between(low, high) => self
                .range(low.as_ref(), high.as_ref())
                .or_else(|| Some(self.written(&class.example(self.ty, |_| false)?)))
                .unwrap_or_else(|| "*".to_owned()),
            Class::Matching(pattern) => format!("matches /{pattern}/"),
            Class::Holding(text) => format!("contains \"{text}\""),
            _ => class
                .example(self.ty, |value| self.taken(value))
                .map_or_else(|| "*".to_owned(), |value| self.written(&value)),
        }
    }

    fn taken(&self, value: &Value) -> bool {
        self.domain.classes.iter().any(|class| matches!(class, Class::One(own) if own == value))
    }

    /// A value as it is written in a cell.
    pub(super) fn written(&self, value: &Value) -> String {
        literal(value, self.ty, self.csv)
    }

    /// The cell from one cut to another; none where no cell says that, or it would say everything.
    pub(super) fn range(&self, low: Option<&Cut>, high: Option<&Cut>) -> Option<String> {
        let dates = self.ty.kind == Kind::Date;
        let whole = dates || self.ty.kind == Kind::Int;
        // the last value below a cut
        let last = |cut: &Cut| match &cut.value {
            Value::Int(n) => n.checked_sub(1).map(Value::Int),
            Value::Date(day) => day.yesterday().ok().map(Value::Date),
            value => cut.behind.then(|| value.clone()),
        };
        let lowest = |cut: &Cut| (whole || !cut.behind).then(|| self.written(&cut.value));
        let highest = |cut: &Cut| last(cut).map(|value| self.written(&value));
        match (low, high) {
            (None, None) => None,
            (Some(low), Some(high)) => {
                let (low, high) = (lowest(low)?, highest(high)?);
                if low == high {
                    return Some(low);
                }
                Some(if dates { format!("from {low} until {high}") } else { format!("{low}..{high}") })
            }
            (Some(low), None) if dates => Some(format!("from {}", lowest(low)?)),
            (None, Some(high)) if dates => Some(format!("until {}", highest(high)?)),
            (Some(low), None) if low.behind => Some(format!("> {}", self.written(&low.value))),
            (Some(low), None) if whole => Some(format!("> {}", self.written(&last(low)?))),
            (Some(low), None) => Some(format!(">= {}", self.written(&low.value))),
            (None, Some(high)) if high.behind => Some(format!("<= {}", self.written(&high.value))),
            (None, Some(high)) => Some(format!("< {}", self.written(&high.value))),
        }
    }
}

/// A value as a flow writes it; in a CSV file texts stand without quotes.
fn literal(value: &Value, ty: &Ty, csv: bool) -> String {
    match value {
        Value::Blank => "blank".to_owned(),
        Value::Text(text) if csv => text.to_string(),
        Value::Text(text) => format!("\"{text}\""),
        Value::Decimal(number) if ty.kind == Kind::Percent => {
            format!("{}%", (number * Decimal::ONE_HUNDRED).normalize())
        }
        _ => value.to_string(),
    }
}

//! Tables as an array: each column says in which class a value falls, the classes together say which row fits.
//!
//! Takes a table of a plan, gives the row of some values. All values of a class fit the same cells, so one of each is
//! tried with the index of the table, once, when the program is made. Where there are too many classes, or patterns,
//! the index itself is asked.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use jiff::ToSpan as _;
use rust_decimal::Decimal;

use super::value::{EUR, Kind, Quick, Texts, order_numbers};
use crate::{
    plan::table::{Index, TableCode},
    value::Value,
};

/// The rows of a table by the classes of its inputs.
#[derive(Debug)]
pub(super) struct Classes<'p> {
    columns: Vec<Column<'p>>,
    /// By class of the first column, then of the second …; empty: the index is asked.
    cells: Vec<u32>,
    index: &'p Index,
    first: bool,
    /// What stands for the rest.
    otherwise: usize,
    has_rest: bool,
}

/// The classes of an input: blank, its texts and any other, below, at and above each of its numbers and days, no and yes.
#[derive(Debug, Default)]
struct Column<'p> {
    texts: HashMap<&'p str, usize, FixedState>,
    numbers: Vec<Quick>,
    days: Vec<i64>,
    /// How many classes there are.
    count: usize,
}

/// No row fits, or several.
const NONE: u32 = u32::MAX;
const SEVERAL: u32 = u32::MAX - 1;
/// No more cells than this are filled.
const MOST: usize = 1 << 16;

impl<'p> Classes<'p> {
    /// The classes of a table with so many inputs.
    pub(super) fn new(table: &'p TableCode, inputs: usize) -> Self {
        let otherwise = table.results.len();
        let has_rest = table.otherwise.is_some();
        let mut classes = Self {
            columns: Vec::new(),
            cells: Vec::new(),
            index: &table.index,
            first: table.first,
            otherwise,
            has_rest,
        };
        if let Some((columns, values)) = columns(&table.index, inputs) {
            classes.fill(&values);
            classes.columns = columns;
        }
        classes
    }

    fn fill(&mut self, columns: &[Vec<Value>]) {
        let total: usize = columns.iter().map(Vec::len).product();
        let mut values: Vec<Value> = Vec::new();
        for mut cell in 0..total {
            values.clear();
            for column in columns.iter().rev() {
                values.extend(column.get(cell % column.len().max(1)).cloned());
                cell /= column.len().max(1);
            }
            values.reverse();
            self.cells.push(match self.index.rows(&values)[..] {
                [] => NONE,
                [only] => u32::try_from(only).unwrap_or(SEVERAL),
                [first, ..] if self.first => u32::try_from(first).unwrap_or(SEVERAL),
                _ => SEVERAL,
            });
        }
    }

    /// The number of the row that fits, or of what stands for the rest. None: there is none, or there are several.
    pub(super) fn row(&self, values: impl Iterator<Item = Quick>, texts: &Texts<'_>) -> Option<usize> {
        if self.cells.is_empty() {
            let values: Option<Vec<Value>> = values.map(|value| value.to_value(texts)).collect();
            return match self.index.rows(&values?)[..] {
                [] => self.rest(),
                [only] => Some(only),
                [first, ..] if self.first => Some(first),
                _ => None,
            };
        }
        let mut cell = 0;
        for (column, value) in self.columns.iter().zip(values) {
            cell = cell * column.count + column.class(value, texts)?;
        }
        match *self.cells.get(cell)? {
            NONE => self.rest(),
            SEVERAL => None,
            row => usize::try_from(row).ok(),
        }
    }

    fn rest(&self) -> Option<usize> {
        self.has_rest.then_some(self.otherwise)
    }
}

/// The columns with a value of each of their classes. None: patterns, or too many classes.
fn columns(index: &Index, inputs: usize) -> Option<(Vec<Column<'_>>, Vec<Vec<Value>>)> {
    let mut columns = Vec::new();
    let mut values = Vec::new();
    let mut total = 1_usize;
    for number in 0..inputs {
        let (column, own) = Column::new(&index.literals(number)?)?;
        total = total.checked_mul(own.len()).filter(|total| *total <= MOST)?;
        columns.push(column);
        values.push(own);
    }
    Some((columns, values))
}

impl<'p> Column<'p> {
    fn new(literals: &[&'p Value]) -> Option<(Self, Vec<Value>)> {
        let mut column = Self::default();
        let mut values = vec![Value::Blank];
        // A text that is none of them.
        let mut other = "…".to_owned();
        let (mut numbers, mut days): (Vec<Decimal>, Vec<jiff::civil::Date>) = (Vec::new(), Vec::new());
        for literal in literals {
            match literal {
                Value::Text(text) if !column.texts.contains_key(&**text) => {
                    column.texts.insert(text, values.len());
                    values.push((*literal).clone());
                    if text.starts_with(&other) {
                        other = format!("{text}…");
                    }
                }
                Value::Int(_) | Value::Decimal(_) | Value::Money(_) => numbers.extend(literal.as_decimal()),
                Value::Date(day) => days.push(*day),
                Value::Text(_) | Value::Blank | Value::Bool(_) => {}
                _ => return None,
            }
        }
        values.push(Value::text(&other));
        numbers.sort_unstable();
        numbers.dedup();
        days.sort_unstable();
        days.dedup();
        let mut below = numbers.first().copied().unwrap_or_default().checked_sub(Decimal::ONE)?;
        for number in numbers {
            values.push(Value::Decimal(below.checked_add(number)?.checked_div(Decimal::TWO)?));
            values.push(Value::Decimal(number));
            let Value::Decimal(exact) = values.last()? else { return None };
            let whole = exact.normalize();
            let digits = i64::try_from(whole.mantissa()).ok()?;
            let scale = u8::try_from(whole.scale()).ok().filter(|scale| *scale <= super::value::DIGITS)?;
            column.numbers.push(Quick::decimal(digits, scale));
            below = number;
        }
        values.push(Value::Decimal(below.checked_add(Decimal::ONE)?));
        let first = days.first().copied().unwrap_or(jiff::civil::Date::ZERO);
        let mut between = first.checked_sub(1.day()).ok()?;
        for day in days {
            values.push(Value::Date(between));
            values.push(Value::Date(day));
            let text = day.to_string();
            column.days.push(super::value::day(&text)?.number);
            between = day.checked_add(1.day()).ok()?;
        }
        values.push(Value::Date(between));
        values.extend([Value::Bool(false), Value::Bool(true)]);
        column.count = values.len();
        Some((column, values))
    }

    /// The class of a value, in the order in which [`Column::new`] lists one of each.
    fn class(&self, value: Quick, texts: &Texts<'_>) -> Option<usize> {
        let other = 1 + self.texts.len();
        let numbers = other + 1;
        let days = numbers + self.numbers.len() * 2 + 1;
        Some(match value.kind {
            Kind::Unset | Kind::Blank => 0,
            Kind::Plain | Kind::Text => self.texts.get(texts.get(value)).copied().unwrap_or(other),
            Kind::Money if value.extra != EUR => return None,
            Kind::Int | Kind::Decimal | Kind::Money => {
                let below = self.numbers.iter().take_while(|own| order_numbers(**own, value).is_lt()).count();
                let at = self.numbers.get(below).is_some_and(|own| order_numbers(*own, value).is_eq());
                numbers + below * 2 + usize::from(at)
            }
            Kind::Date => {
                let below = self.days.partition_point(|own| *own < value.number);
                let at = self.days.get(below) == Some(&value.number);
                days + below * 2 + usize::from(at)
            }
            Kind::Bool => days + self.days.len() * 2 + 1 + usize::from(value.is_yes()),
            Kind::Words | Kind::List => return None,
        })
    }
}

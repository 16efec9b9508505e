//! Tables as an array: each column says in which class a value falls, the classes together say which row fits.
//!
//! Takes a table of a plan, gives the row of some values. All values of a class fit the same cells, so one of each is
//! tried with the index of the table, once, when the program is made. Where there are too many classes, or patterns,
//! the index itself is asked.

use jiff::ToSpan as _;
use rust_decimal::Decimal;

use super::{
    super::output::Output,
    texts::{PLAN, Texts},
    value::{DIGITS, EUR, Kind, Quick, power},
};
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

/// The classes of an input: blank, its texts, below, at and above each of its numbers and days, no and yes; and one for
/// all values of a kind that it does not name.
#[derive(Debug, Default)]
struct Column<'p> {
    texts: Words<'p>,
    /// With so many digits behind the point.
    numbers: Vec<i64>,
    scale: u8,
    days: Vec<i64>,
    /// Does it name no or yes?
    answers: bool,
    /// How many classes there are.
    count: usize,
}

/// What an input was the last time, and its class: rows ask for the rates of their record again and again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remembered {
    value: Quick,
    class: usize,
}

impl Remembered {
    /// Nothing was asked yet: what is unset is of the class of blanks.
    pub(super) const NOTHING: Self = Self { value: Quick::UNSET, class: 0 };
}

/// What a look-up finds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell {
    /// A row, or what stands for the rest.
    Row(usize),
    /// No row, or several.
    Nothing,
    /// There are no cells: the index says which.
    Index,
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

    /// Where a look-up stands behind one more input; it begins at 0. What was asked of this input before is taken from
    /// there.
    #[inline]
    pub(super) fn narrowed(
        &self,
        cell: usize,
        input: usize,
        value: Quick,
        before: &mut Remembered,
        texts: &Texts<'_>,
    ) -> Option<usize> {
        let Some(column) = self.columns.get(input) else { return Some(cell) };
        let class = if before.value.is_alike(value) {
            before.class
        } else if value.is_text() {
            let class = column.class_of_text(value, texts)?;
            // Another line has another text there.
            if value.extra() == PLAN {
                *before = Remembered { value, class };
            }
            class
        } else {
            *before = Remembered { value, class: column.class(value)? };
            before.class
        };
        Some(cell * column.count + class)
    }

    /// What stands behind all inputs.
    #[inline]
    pub(super) fn row(&self, cell: usize) -> Cell {
        match self.cells.get(cell) {
            None => Cell::Index,
            Some(&NONE) => self.rest().map_or(Cell::Nothing, Cell::Row),
            Some(&SEVERAL) => Cell::Nothing,
            Some(row) => Cell::Row(*row as usize),
        }
    }

    /// The number of the row that fits these values, where there are too many classes, or of what stands for the rest.
    /// None: there is none, or there are several.
    #[inline(never)]
    pub(super) fn by_index(&self, values: &[Value]) -> Option<usize> {
        match self.index.rows(values)[..] {
            [] => self.rest(),
            [only] => Some(only),
            [first, ..] if self.first => Some(first),
            _ => None,
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
                Value::Text(text) if column.texts.get(text.as_bytes(), text.len()).is_none() => {
                    column.texts.add(text, values.len());
                    values.push((*literal).clone());
                    if text.starts_with(&other) {
                        other = format!("{text}…");
                    }
                }
                Value::Int(_) | Value::Decimal(_) | Value::Money(_) => numbers.extend(literal.as_decimal()),
                Value::Date(day) => days.push(*day),
                Value::Bool(_) => column.answers = true,
                Value::Text(_) | Value::Blank => {}
                _ => return None,
            }
        }
        values.push(Value::text(&other));
        numbers.sort_unstable();
        numbers.dedup();
        days.sort_unstable();
        days.dedup();
        let scale = numbers.iter().map(|number| number.normalize().scale()).max().unwrap_or(0);
        column.scale = u8::try_from(scale).ok().filter(|scale| *scale <= DIGITS)?;
        let mut below = numbers.first().copied().unwrap_or_default().checked_sub(Decimal::ONE)?;
        for number in numbers {
            values.push(Value::Decimal(below.checked_add(number)?.checked_div(Decimal::TWO)?));
            values.push(Value::Decimal(number));
            let mut digits = number.normalize();
            digits.rescale(scale);
            column.numbers.push(i64::try_from(digits.mantissa()).ok().filter(|_| digits.scale() == scale)?);
            below = number;
        }
        if !column.numbers.is_empty() {
            values.push(Value::Decimal(below.checked_add(Decimal::ONE)?));
        }
        let first = days.first().copied().unwrap_or(jiff::civil::Date::ZERO);
        let mut between = first.checked_sub(1.day()).ok()?;
        for day in days {
            values.push(Value::Date(between));
            values.push(Value::Date(day));
            column.days.push(Quick::of(&Value::Date(day), PLAN, &mut Output::default())?.number());
            between = day.checked_add(1.day()).ok()?;
        }
        if !column.days.is_empty() {
            values.push(Value::Date(between));
        }
        if column.answers {
            values.extend([Value::Bool(false), Value::Bool(true)]);
        }
        column.count = values.len();
        Some((column, values))
    }

    /// The class of a text.
    fn class_of_text(&self, value: Quick, texts: &Texts<'_>) -> Option<usize> {
        let (start, length) = value.span();
        let here = texts.around(value).get(start..)?;
        Some(self.texts.get(here, length).unwrap_or(1 + self.texts.count))
    }

    /// The class of any other value, in the order in which [`Column::new`] lists one of each.
    #[inline(never)]
    fn class(&self, value: Quick) -> Option<usize> {
        let other = 1 + self.texts.count;
        if value.is_blank() {
            return Some(0);
        }
        let numbers = other + 1;
        let classes = |named: usize| if named == 0 { 0 } else { named * 2 + 1 };
        let days = numbers + classes(self.numbers.len());
        Some(match value.kind() {
            Kind::MONEY if value.extra() != EUR => return None,
            Kind::INT | Kind::DECIMAL | Kind::MONEY if self.numbers.is_empty() => other,
            Kind::INT | Kind::DECIMAL | Kind::MONEY => {
                let (number, scale) = (value.number(), value.scale());
                let (number, exact) = if let Some(up) = self.scale.checked_sub(scale) {
                    (number.checked_mul(power(up)?)?, true)
                } else {
                    let step = power(scale - self.scale)?;
                    (number.div_euclid(step), number.rem_euclid(step) == 0)
                };
                let below = self.numbers.iter().filter(|own| **own < number || (**own == number && !exact)).count();
                let at = exact && self.numbers.get(below) == Some(&number);
                numbers + below * 2 + usize::from(at)
            }
            Kind::DATE if self.days.is_empty() => other,
            Kind::DATE => {
                let below = self.days.partition_point(|own| *own < value.number());
                let at = self.days.get(below) == Some(&value.number());
                days + below * 2 + usize::from(at)
            }
            Kind::BOOL if !self.answers => other,
            Kind::BOOL => days + classes(self.days.len()) + usize::from(value.is_yes()),
            _ => return None,
        })
    }
}

/// Texts with a number each.
#[derive(Debug, Default)]
struct Words<'p> {
    /// Where a text begins to be looked for follows from its ends; it stands there, or before the next free place.
    places: Vec<Option<Word<'p>>>,
    count: usize,
}

#[derive(Debug, Clone, Copy)]
struct Word<'p> {
    ends: Ends,
    text: &'p str,
    number: usize,
}

/// What most texts are told apart by: their first and last eight bytes, and their length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    first: u64,
    last: u64,
    length: usize,
}

impl<'p> Words<'p> {
    fn add(&mut self, text: &'p str, number: usize) {
        let mut words: Vec<Word<'p>> = self.places.iter().flatten().copied().collect();
        words.push(Word { ends: Ends::of(text.as_bytes(), text.len()), text, number });
        self.count = words.len();
        // Mostly free, so that most texts stand where they are looked for first.
        self.places = vec![None; (self.count * 4).next_power_of_two()];
        for word in words {
            let (count, begin) = (self.places.len(), word.ends.mixed());
            let mut places = (begin..begin + count).map(|place| place & (count - 1));
            let free = places.find(|place| matches!(self.places.get(*place), Some(None)));
            if let Some(place) = free.and_then(|free| self.places.get_mut(free)) {
                *place = Some(word);
            }
        }
    }

    /// The number of the text with which these bytes begin, and which has so many.
    fn get(&self, bytes: &[u8], length: usize) -> Option<usize> {
        let ends = Ends::of(bytes, length);
        let mut place = ends.mixed();
        // There is always a free place.
        while let Some(word) = self.places.get(place & self.places.len().wrapping_sub(1))? {
            // No byte of a short one is in neither end.
            if word.ends == ends && (length <= 16 || bytes.get(..length) == Some(word.text.as_bytes())) {
                return Some(word.number);
            }
            place += 1;
        }
        None
    }
}

impl Ends {
    /// A number that is mostly another one for other ends.
    fn mixed(self) -> usize {
        let mixed = (self.first ^ self.last.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from(mixed >> 40).unwrap_or(0)
    }

    /// Of so many bytes; others may follow.
    fn of(bytes: &[u8], length: usize) -> Self {
        let eight = |bytes: Option<&[u8]>| bytes.and_then(<[u8]>::first_chunk).map(|eight| u64::from_le_bytes(*eight));
        if let Some(before_last) = length.checked_sub(8) {
            let (first, last) = (eight(Some(bytes)), eight(bytes.get(before_last..)));
            return Self { first: first.unwrap_or(0), last: last.unwrap_or(0), length };
        }
        let mask = u64::MAX.checked_shr(64 - u32::try_from(length * 8).unwrap_or(0)).unwrap_or(0);
        let short = || {
            let mut eight = [0; 8];
            eight.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
            u64::from_le_bytes(eight)
        };
        Self { first: eight(Some(bytes)).unwrap_or_else(short) & mask, last: 0, length }
    }
}

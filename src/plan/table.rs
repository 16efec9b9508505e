//! Tables with an index: rows by the hash of their exact cells, ranges by their bounds.
//!
//! Takes the cells of a checked table, gives the rows that fit some values. Promises the same rows as trying every
//! row from the top (a property test says so), in constant time for rows of literals and in the time of a binary
//! search for rows of ranges, whatever the number of rows.

use std::{
    cell::OnceCell,
    cmp::Ordering,
    collections::HashMap,
    hash::{BuildHasherDefault, Hash, Hasher},
    sync::Arc,
};

use regex::Regex;

use super::code::{Code, Message, Print, Privacy};
use crate::{
    check::typed::{Cell, SettingId, VarId},
    diagnostic::Span,
    value::{Shape, Value, Verdict, order, pattern, same},
};

/// A table that runs.
#[derive(Debug)]
pub(crate) struct TableCode {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// The first row that fits, else exactly one.
    pub(crate) first: bool,
    /// Its inputs.
    pub(crate) inputs: Vec<Input>,
    /// Its rows by number.
    pub(crate) index: Index,
    /// What each row gives, and its place.
    pub(crate) results: Vec<(RowCode, Span)>,
    /// What stands for the rest.
    pub(crate) otherwise: Option<RowCode>,
    /// The names of the results where there are several.
    pub(crate) shape: Option<Arc<Shape>>,
}

/// An input of a table.
#[derive(Debug)]
pub(crate) struct Input {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Its place, for results that name it.
    pub(crate) var: Option<VarId>,
    /// How it is printed.
    pub(crate) print: Print,
    /// May it be logged?
    pub(crate) privacy: Privacy,
}

/// What a row gives.
#[derive(Debug)]
pub(crate) enum RowCode {
    /// The value, or the record of several results.
    Value(Value),
    /// To be worked out.
    Codes(Vec<Code>),
    /// Ends the record.
    Outcome(Verdict, Message),
}

/// Rows by their cells.
#[derive(Debug, Default)]
pub(crate) struct Index {
    rows: Vec<Vec<Fit>>,
    groups: Vec<Group>,
}

/// Rows whose exact cells stand in the same columns.
#[derive(Debug)]
struct Group {
    columns: Vec<usize>,
    buckets: Buckets,
}

/// By the hash of the exact cells.
type Buckets = HashMap<u64, Bucket, BuildHasherDefault<Mix>>;

#[derive(Debug, Default)]
struct Bucket {
    rows: Vec<usize>,
    ranges: Option<Ranges>,
}

/// Rows in the order of their lowest value in one column, each with the highest end so far.
#[derive(Debug)]
struct Ranges {
    column: usize,
    rows: Vec<RangeRow>,
}

#[derive(Debug)]
struct RangeRow {
    row: usize,
    from: Option<Value>,
    /// None = open.
    furthest: Option<Value>,
}

/// A cell made ready.
#[derive(Debug)]
enum Fit {
    Any,
    In(Vec<Value>),
    NotIn(Vec<Value>),
    Range { from: Option<(Value, bool)>, to: Option<(Value, bool)> },
    Contains(String),
    Matches(Regex),
    AnyOf(Vec<Fit>),
    NoneOf(Vec<Fit>),
}

/// A value that is looked up.
struct Probe<'a> {
    value: &'a Value,
    lower: OnceCell<String>,
}

/// A quick hash. Nobody can aim at a bucket: what stands in one is what the author of the table wrote.
#[derive(Clone, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        // An odd number without a pattern in its bits; the low bits of a product know only of low bits.
        self.0 = (self.0.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// A row stands in at most so many buckets; beyond, one of its lists is compared instead of hashed.
const SPREAD: usize = 100_000;

/// From so many rows on a bucket gets an order of its own.
const MANY: usize = 8;

impl Index {
    /// The index of these rows; `held` gives the values that a setting holds.
    ///
    /// # Errors
    /// A pattern that cannot be read.
    pub(crate) fn new<'a>(
        rows: impl Iterator<Item = &'a [Cell]>,
        held: &dyn Fn(SettingId) -> Vec<Value>,
    ) -> Result<Self, String> {
        let mut index = Self::default();
        let mut groups: HashMap<Vec<usize>, Buckets> = HashMap::new();
        for (number, cells) in rows.enumerate() {
            let fits = cells.iter().map(|cell| Fit::new(cell, held)).collect::<Result<Vec<_>, _>>()?;
            let columns = exact_columns(&fits);
            let buckets = groups.entry(columns.clone()).or_default();
            for hash in hashes(&fits, &columns) {
                let bucket = buckets.entry(hash).or_default();
                if bucket.rows.last() != Some(&number) {
                    bucket.rows.push(number);
                }
            }
            index.rows.push(fits);
        }
        index.groups = groups
            .into_iter()
            .map(|(columns, mut buckets)| {
                for bucket in buckets.values_mut().filter(|bucket| bucket.rows.len() > MANY) {
                    bucket.ranges = Ranges::new(&index.rows, &bucket.rows);
                }
                Group { columns, buckets }
            })
            .collect();
        Ok(index)
    }

    /// The rows that fit, lowest number first.
    pub(crate) fn rows(&self, values: &[Value]) -> Vec<usize> {
        let probes: Vec<_> = values.iter().map(|value| Probe { value, lower: OnceCell::new() }).collect();
        let mut hits = Vec::new();
        for group in &self.groups {
            let mut hasher = Mix::default();
            for column in &group.columns {
                if let Some(probe) = probes.get(*column) {
                    hash(probe.value, &mut hasher);
                }
            }
            let Some(bucket) = group.buckets.get(&hasher.finish()) else { continue };
            let mut visit = |row: usize| {
                let fits = self.rows.get(row).is_some_and(|cells| {
                    cells.len() == probes.len() && cells.iter().zip(&probes).all(|(cell, probe)| cell.takes(probe))
                });
                if fits {
                    hits.push(row);
                }
            };
            match &bucket.ranges {
                Some(ranges) => ranges.candidates(values, &mut visit),
                None => bucket.rows.iter().copied().for_each(visit),
            }
        }
        hits.sort_unstable();
        hits
    }
}

impl Index {
    /// The values that the cells of a column name. None where a cell looks into a text.
    pub(crate) fn literals(&self, column: usize) -> Option<Vec<&Value>> {
        let mut values = Vec::new();
        for cells in &self.rows {
            cells.get(column)?.literals(&mut values)?;
        }
        Some(values)
    }
}

fn exact_columns(fits: &[Fit]) -> Vec<usize> {
    let mut lists: Vec<(usize, usize)> = fits
        .iter()
        .enumerate()
        .filter_map(|(column, fit)| match fit {
            Fit::In(values) => Some((values.len(), column)),
            _ => None,
        })
        .collect();
    lists.sort_unstable();
    let mut product = 1;
    let mut columns: Vec<usize> = lists
        .into_iter()
        .take_while(|(length, _)| {
            product *= length.max(&1);
            product <= SPREAD
        })
        .map(|(_, column)| column)
        .collect();
    columns.sort_unstable();
    columns
}

/// One hash for each combination of the exact values.
fn hashes(fits: &[Fit], columns: &[usize]) -> Vec<u64> {
    let mut hashers = vec![Mix::default()];
    for column in columns {
        let Some(Fit::In(values)) = fits.get(*column) else { continue };
        hashers = hashers
            .iter()
            .flat_map(|hasher| {
                values.iter().map(move |value| {
                    let mut hasher = hasher.clone();
                    hash(value, &mut hasher);
                    hasher
                })
            })
            .collect();
    }
    hashers.iter().map(Hasher::finish).collect()
}

/// Values that are the same have the same hash; the reverse is not needed, since every row found is tried.
fn hash(value: &Value, hasher: &mut Mix) {
    match value.as_decimal() {
        Some(number) => number.normalize().hash(hasher),
        None => value.hash(hasher),
    }
}

impl Ranges {
    /// None when no column is a range in all of these rows.
    fn new(all: &[Vec<Fit>], rows: &[usize]) -> Option<Self> {
        let range = |row: usize, column: usize| match all.get(row)?.get(column)? {
            Fit::Range { from, to } => Some((from.as_ref().map(|from| &from.0), to.as_ref().map(|to| &to.0))),
            _ => None,
        };
        let width = all.get(*rows.first()?)?.len();
        let column = (0..width).find(|column| rows.iter().all(|row| range(*row, *column).is_some()))?;
        let mut sorted: Vec<_> =
            rows.iter().filter_map(|row| range(*row, column).map(|bounds| (*row, bounds))).collect();
        sorted.sort_by(|(_, (a, _)), (_, (b, _))| match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => order(a, b).unwrap_or(Ordering::Equal),
        });
        let mut furthest: Option<Option<&Value>> = None;
        let rows = sorted
            .into_iter()
            .map(|(row, (from, to))| {
                let further = match (furthest, to) {
                    (None, to) => to,
                    (Some(None), _) | (_, None) => None,
                    (Some(Some(a)), Some(b)) => Some(if order(a, b).is_some_and(Ordering::is_ge) { a } else { b }),
                };
                furthest = Some(further);
                RangeRow { row, from: from.cloned(), furthest: further.cloned() }
            })
            .collect();
        Some(Self { column, rows })
    }

    /// Rows that may fit: those that begin at or before the value, as far back as one of them reaches it.
    fn candidates(&self, values: &[Value], visit: &mut dyn FnMut(usize)) {
        let Some(value) = values.get(self.column) else { return };
        let begun = self.rows.partition_point(|row| {
            row.from.as_ref().is_none_or(|from| order(from, value).is_some_and(Ordering::is_le))
        });
        for row in self.rows.iter().take(begun).rev() {
            if row.furthest.as_ref().is_some_and(|end| order(end, value).is_none_or(Ordering::is_lt)) {
                return;
            }
            visit(row.row);
        }
    }
}

impl Fit {
    fn new(cell: &Cell, held: &dyn Fn(SettingId) -> Vec<Value>) -> Result<Self, String> {
        let all = |cells: &[Cell]| cells.iter().map(|cell| Self::new(cell, held)).collect::<Result<Vec<_>, _>>();
        Ok(match cell {
            Cell::Any => Self::Any,
            Cell::In(values) => Self::In(values.clone()),
            Cell::NotIn(values) => Self::NotIn(values.clone()),
            Cell::Range { from, to } => Self::Range { from: from.clone(), to: to.clone() },
            Cell::Contains(part) => Self::Contains(part.to_lowercase()),
            Cell::Matches(text) => Self::Matches(pattern(text).map_err(|error| error.to_string())?),
            Cell::AnyOf(cells) => Self::AnyOf(all(cells)?),
            Cell::NoneOf(cells) => Self::NoneOf(all(cells)?),
            Cell::Setting(id) => Self::In(held(*id)),
        })
    }

    fn literals<'a>(&'a self, into: &mut Vec<&'a Value>) -> Option<()> {
        match self {
            Self::Any => {}
            Self::In(values) | Self::NotIn(values) => into.extend(values),
            Self::Range { from, to } => into.extend(from.iter().chain(to).map(|(bound, _)| bound)),
            Self::AnyOf(fits) | Self::NoneOf(fits) => {
                for fit in fits {
                    fit.literals(into)?;
                }
            }
            Self::Contains(_) | Self::Matches(_) => return None,
        }
        Some(())
    }

    fn takes(&self, probe: &Probe<'_>) -> bool {
        let value = probe.value;
        match self {
            Self::Any => true,
            Self::In(values) => values.iter().any(|own| same(own, value)),
            Self::NotIn(values) => !values.iter().any(|own| same(own, value)),
            Self::Range { from, to } => {
                let above = from.as_ref().is_none_or(|(from, included)| {
                    order(from, value).is_some_and(|order| order.is_lt() || (*included && order.is_eq()))
                });
                let below = to.as_ref().is_none_or(|(to, included)| {
                    order(value, to).is_some_and(|order| order.is_lt() || (*included && order.is_eq()))
                });
                !value.is_blank() && above && below
            }
            Self::Contains(part) => value
                .as_text()
                .is_some_and(|text| probe.lower.get_or_init(|| text.to_lowercase()).contains(part.as_str())),
            Self::Matches(pattern) => value.as_text().is_some_and(|text| pattern.is_match(text)),
            Self::AnyOf(fits) => fits.iter().any(|fit| fit.takes(probe)),
            Self::NoneOf(fits) => !fits.iter().any(|fit| fit.takes(probe)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn int(n: i64) -> Value {
        Value::Int(n)
    }

    /// Of cells that no setting fills.
    fn indexed<'a>(rows: impl Iterator<Item = &'a [Cell]>) -> Index {
        Index::new(rows, &|_| Vec::new()).unwrap()
    }

    fn cell() -> impl Strategy<Value = Cell> {
        let value = || prop_oneof![4 => (0i64..12).prop_map(Value::Int), 1 => Just(Value::Blank)];
        let bound = || proptest::option::of(((0i64..12).prop_map(Value::Int), any::<bool>()));
        prop_oneof![
            2 => Just(Cell::Any),
            4 => proptest::collection::vec(value(), 1..3).prop_map(Cell::In),
            1 => proptest::collection::vec(value(), 1..3).prop_map(Cell::NotIn),
            4 => (bound(), bound()).prop_map(|(from, to)| Cell::Range { from, to }),
            1 => (value(), bound()).prop_map(|(value, from)| Cell::AnyOf(vec![
                Cell::In(vec![value]),
                Cell::Range { from, to: None },
            ])),
        ]
    }

    proptest! {
        #[test]
        fn the_index_finds_the_rows_that_a_scan_finds(
            rows in proptest::collection::vec(proptest::collection::vec(cell(), 2), 0..40),
            asked in proptest::collection::vec(prop_oneof![(0i64..12).prop_map(Value::Int), Just(Value::Blank)], 2),
        ) {
            let index = indexed(rows.iter().map(Vec::as_slice));
            let scan: Vec<usize> = index.rows.iter().enumerate().filter(|(_, cells)| {
                cells.iter().zip(&asked).all(|(cell, value)| cell.takes(&Probe { value, lower: OnceCell::new() }))
            }).map(|(number, _)| number).collect();
            prop_assert_eq!(index.rows(&asked), scan);
        }
    }

    #[test]
    fn a_number_is_found_whatever_its_kind() {
        let cells = [Cell::In(vec![int(2)])];
        let index = indexed([cells.as_slice()].into_iter());
        assert_eq!(index.rows(&[Value::Decimal("2.00".parse().unwrap())]), [0]);
        assert_eq!(index.rows(&[Value::eur("2".parse().unwrap())]), [0]);
        assert_eq!(index.rows(&[Value::Blank]), Vec::<usize>::new());
    }

    #[test]
    fn a_hundred_thousand_literals_and_ranges_are_each_found_at_once() {
        let literals: Vec<Vec<Cell>> = (0..100_000).map(|n| vec![Cell::In(vec![int(n)])]).collect();
        let index = indexed(literals.iter().map(Vec::as_slice));
        let ranges: Vec<Vec<Cell>> = (0..100_000)
            .map(|n| vec![Cell::Range { from: Some((int(n * 10), true)), to: Some((int(n * 10 + 9), true)) }])
            .collect();
        let by_range = indexed(ranges.iter().map(Vec::as_slice));
        for n in (0..100_000).step_by(7) {
            assert_eq!(index.rows(&[int(n)]), [usize::try_from(n).unwrap()]);
            assert_eq!(by_range.rows(&[int(n * 10 + 3)]), [usize::try_from(n).unwrap()]);
        }
        let group = index.groups.first().unwrap();
        assert!(group.buckets.values().all(|bucket| bucket.rows.len() == 1), "no bucket is scanned");
        let mut tried = 0;
        let ranges = by_range.groups.first().unwrap().buckets.values().next().unwrap().ranges.as_ref().unwrap();
        ranges.candidates(&[int(500_003)], &mut |_| tried += 1);
        assert_eq!(tried, 1, "only the one row that begins and ends around it");
    }

    #[test]
    fn contains_ignores_case_and_blank_fits_only_what_says_so() {
        let rows = [
            [Cell::Contains("PostNL".into())],
            [Cell::Matches("^x".into())],
            [Cell::In(vec![Value::Blank])],
            [Cell::NotIn(vec![Value::text("a")])],
            [Cell::Any],
        ];
        let index = indexed(rows.iter().map(<[Cell; 1]>::as_slice));
        assert_eq!(index.rows(&[Value::text("met POSTNL pakket")]), [0, 3, 4]);
        assert_eq!(index.rows(&[Value::text("xyz")]), [1, 3, 4]);
        assert_eq!(index.rows(&[Value::Blank]), [2, 3, 4]);
        assert_eq!(index.rows(&[Value::text("a")]), [4]);
    }
}

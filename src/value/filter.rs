//! What is asked of a system: an entity, a condition with its values filled in, an order.
//!
//! A [`Filter`] is data: connectors translate as much of it as the vendor can do, and [`Filter::matches`] decides
//! the rest, so that values never become syntax and a weaker vendor filter never changes an outcome.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use super::{Record, Value, same};

/// `jortt.invoices`: the role in the flow and the entity of its system.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct EntityName {
    /// The first word; `koppel.toml` says which connection plays it.
    pub role: Arc<str>,
    /// The entity.
    pub entity: Arc<str>,
}

impl std::fmt::Display for EntityName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.role, self.entity)
    }
}

/// An order relation of the language; blank never matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compare {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Compare {
    /// Does `a REL b` hold? No when either is blank or they have no common order.
    #[must_use]
    pub fn holds(self, a: &Value, b: &Value) -> bool {
        order(a, b).is_some_and(|order| self.is(order))
    }

    /// Is this the order that it asks for?
    #[must_use]
    pub fn is(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

/// The order of two values of one kind: numbers, days, moments, texts (by characters), no before yes.
#[must_use]
pub fn order(a: &Value, b: &Value) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Value::Date(x), Value::Date(y)) => Some(x.cmp(y)),
        (Value::DateTime(x), Value::DateTime(y)) => Some(x.cmp(y)),
        (Value::Text(x), Value::Text(y)) => Some(x.cmp(y)),
        (Value::Bool(x), Value::Bool(y)) => Some(x.cmp(y)),
        _ => Some(a.as_decimal()?.cmp(&b.as_decimal()?)),
    }
}

/// A condition on the searched row. Paths are `A` or `A.b` of that row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter {
    /// Every row.
    All,
    /// No row; nothing is asked.
    Never,
    /// `.path is value`; a blank on either side never matches.
    Is(Arc<str>, Value),
    /// `.path is not value`; true for a blank row value.
    IsNot(Arc<str>, Value),
    /// `.path in values`; blanks never match. On a list of words: one of them is there.
    In(Arc<str>, Arc<[Value]>),
    /// `.path < value` and so on.
    Compares(Arc<str>, Compare, Value),
    /// `.path is blank`.
    Blank(Arc<str>),
    /// `.path is not blank`.
    Filled(Arc<str>),
    /// All of them.
    And(Vec<Filter>),
    /// One of them.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
}

impl Filter {
    /// Does a row satisfy it? Texts are compared as AFAS and Jortt do for keys: case counts.
    #[must_use]
    pub fn matches(&self, row: &Record) -> bool {
        match self {
            Self::All => true,
            Self::Never => false,
            Self::Is(path, value) => is(row.path(path), value),
            Self::IsNot(path, value) => !is(row.path(path), value),
            Self::In(path, values) => values.iter().any(|value| is(row.path(path), value)),
            Self::Compares(path, compare, value) => compare.holds(row.path(path), value),
            Self::Blank(path) => row.path(path).is_blank(),
            Self::Filled(path) => !row.path(path).is_blank(),
            Self::And(all) => all.iter().all(|filter| filter.matches(row)),
            Self::Or(any) => any.iter().any(|filter| filter.matches(row)),
            Self::Not(filter) => !filter.matches(row),
        }
    }

    /// The paths that it looks at.
    #[must_use]
    pub fn paths(&self) -> Vec<&Arc<str>> {
        match self {
            Self::All | Self::Never => Vec::new(),
            Self::Is(path, _)
            | Self::IsNot(path, _)
            | Self::In(path, _)
            | Self::Compares(path, ..)
            | Self::Blank(path)
            | Self::Filled(path) => vec![path],
            Self::And(filters) | Self::Or(filters) => filters.iter().flat_map(Self::paths).collect(),
            Self::Not(filter) => filter.paths(),
        }
    }
}

/// `is` in a `where`: blank never matches; a set of words is asked for membership.
fn is(row: &Value, value: &Value) -> bool {
    match row {
        Value::List(words) => words.iter().any(|word| same(word, value)),
        _ => !row.is_blank() && !value.is_blank() && same(row, value),
    }
}

/// One step of a sort order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order {
    /// The field.
    pub path: Arc<str>,
    /// `-.A`: highest first.
    pub descending: bool,
}

/// A look-up: which rows of which entity. Equal asks have equal answers within a run, so it is also the key under
/// which rows are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What is searched.
    pub entity: EntityName,
    /// The condition, values filled in.
    pub filter: Filter,
    /// Which fields are decoded: sorted paths (`DebtorId`, `line_items.amount`); a path to an object means all of it.
    pub fields: Arc<[Arc<str>]>,
}

/// Without the fields: they are the same for nearly all asks of one entity, and their names are most of what there is to
/// hash.
impl Hash for Ask {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.entity.hash(state);
        self.filter.hash(state);
    }
}

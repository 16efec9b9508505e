//! The values that can come into a column, cut into classes that its cells do not tell apart.
//!
//! Takes the type of a column, its values where they are known, and its cells; gives the classes, each with a value
//! that stands for it, and for each cell the classes that it takes.

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use super::grid::Set;
use crate::{
    check::typed::Cell,
    schema::{Kind, Ty},
    value::{Decimal, Value, order, pattern},
};

/// The classes of a column.
#[derive(Debug)]
pub(super) struct Domain {
    pub(super) classes: Vec<Class>,
    cuts: Vec<Cut>,
    index: HashMap<Value, u32>,
}

/// Values that no cell of the column tells apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Class {
    /// This one, `blank` among them.
    One(Value),
    /// Some of a known set that no cell names: one of them, and how many there are.
    Rest(Value, u64),
    /// All that no cell names.
    Other,
    /// Texts that hold this.
    Holding(Arc<str>),
    /// Texts that match this.
    Matching(Arc<str>),
    /// Numbers or days from one cut to the next.
    Between(Option<Cut>, Option<Cut>),
}

/// A place between two values: before this one, or right behind it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cut {
    pub(super) value: Value,
    pub(super) behind: bool,
}

/// Where a range begins and ends; open on a side without a cut.
type Ends = (Option<Cut>, Option<Cut>);

impl Domain {
    /// The classes of a column; none for a type that no table can be proven over.
    pub(super) fn new(ty: &Ty, known: Option<Vec<Value>>, cells: &[&Cell]) -> Option<Self> {
        let mut domain = Self { classes: Vec::new(), cuts: Vec::new(), index: HashMap::new() };
        let known = known.or_else(|| closed(ty));
        let ordered = ty.is_number() || matches!(ty.kind, Kind::Date | Kind::DateTime | Kind::Duration);
        match known {
            Some(values) => domain.closed(values, cells),
            None if ordered => domain.ordered(cells),
            None if ty.is_texty() => domain.texts(cells),
            None => return None,
        }
        if ty.optional {
            domain.one(Value::Blank);
        }
        Some(domain)
    }

    fn one(&mut self, value: Value) {
        let next = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
        if let std::collections::hash_map::Entry::Vacant(place) = self.index.entry(key(&value)) {
            place.insert(next);
            self.classes.push(Class::One(value));
        }
    }

    fn closed(&mut self, values: Vec<Value>, cells: &[&Cell]) {
        let mut named = Named::default();
        for cell in cells {
            named.see(cell);
        }
        let mut rest: Option<(Value, u64)> = None;
        for value in values {
            // few values stand each for itself, so that they can be counted and named
            if named.by_range || self.classes.len() < 100 || named.values.contains_key(&key(&value)) {
                self.one(value);
            } else {
                rest = Some(rest.map_or_else(|| (value, 1), |(first, count)| (first, count + 1)));
            }
        }
        self.classes.extend(rest.map(|(value, count)| Class::Rest(value, count)));
    }

    fn texts(&mut self, cells: &[&Cell]) {
        let mut named = Named::default();
        for cell in cells {
            named.see(cell);
        }
        let mut values: Vec<(Value, usize)> = named.values.into_iter().collect();
        values.sort_unstable_by_key(|(_, place)| *place);
        for (value, _) in values {
            if !value.is_blank() {
                self.one(value);
            }
        }
        for part in named.parts {
            if !self.classes.contains(&part) {
                self.classes.push(part);
            }
        }
        self.classes.push(Class::Other);
    }

    fn ordered(&mut self, cells: &[&Cell]) {
        let mut cuts = Vec::new();
        for cell in cells {
            cuts_of(cell, &mut cuts);
        }
        cuts.sort_unstable_by(compare);
        cuts.dedup_by(|a, b| compare(a, b).is_eq());
        let mut low: Option<Cut> = None;
        for cut in &cuts {
            self.classes.push(Class::Between(low.replace(cut.clone()), Some(cut.clone())));
        }
        self.classes.push(Class::Between(low, None));
        self.cuts = cuts;
    }

    /// How many values each class stands for.
    pub(super) fn weights(&self) -> Vec<u64> {
        self.classes.iter().map(|class| if let Class::Rest(_, count) = class { *count } else { 1 }).collect()
    }

    /// The classes that a cell takes.
    pub(super) fn set(&self, cell: &Cell) -> Set {
        match cell {
            Cell::Any => vec![(0, self.size())],
            Cell::In(values) => join(values.iter().flat_map(|value| self.of_value(value)).collect()),
            Cell::NotIn(values) => self.without(&join(values.iter().flat_map(|value| self.of_value(value)).collect())),
            Cell::Range { from, to } if self.is_line() => self.between(&ends(from.as_ref(), to.as_ref())),
            Cell::AnyOf(cells) => join(cells.iter().flat_map(|cell| self.set(cell)).collect()),
            Cell::NoneOf(cells) => self.without(&join(cells.iter().flat_map(|cell| self.set(cell)).collect())),
            Cell::Range { .. } | Cell::Contains(_) | Cell::Matches(_) => self.by_trying(cell),
        }
    }

    fn is_line(&self) -> bool {
        matches!(self.classes.first(), Some(Class::Between(..)))
    }

    fn size(&self) -> u32 {
        u32::try_from(self.classes.len()).unwrap_or(u32::MAX)
    }

    fn of_value(&self, value: &Value) -> Set {
        if let Some(class) = self.index.get(&key(value)) {
            return vec![(*class, class + 1)];
        }
        if self.is_line() && !value.is_blank() {
            let bound = Some((value.clone(), true));
            return self.between(&ends(bound.as_ref(), bound.as_ref()));
        }
        Set::new()
    }

    /// The classes of a line between two cuts.
    pub(super) fn between(&self, (low, high): &Ends) -> Set {
        let place = |cut: &Cut| {
            let place = self.cuts.partition_point(|own| compare(own, cut).is_lt());
            u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1)
        };
        let from = low.as_ref().map_or(0, place);
        let line = u32::try_from(self.cuts.len()).unwrap_or(u32::MAX).saturating_add(1);
        let to = high.as_ref().map_or(line, place);
        if from < to { vec![(from, to)] } else { Set::new() }
    }

    fn without(&self, set: &Set) -> Set {
        let (mut left, mut start) = (Set::new(), 0);
        for (from, to) in set {
            if *from > start {
                left.push((start, *from));
            }
            start = *to;
        }
        if start < self.size() {
            left.push((start, self.size()));
        }
        left
    }

    fn by_trying(&self, cell: &Cell) -> Set {
        let pattern = if let Cell::Matches(text) = cell { pattern(text).ok() } else { None };
        let takes = |class: &Class| match (class, cell) {
            (Class::One(value) | Class::Rest(value, _), Cell::Range { from, to }) => {
                in_range(value, from.as_ref(), to.as_ref())
            }
            (Class::One(Value::Text(text)) | Class::Holding(text), Cell::Contains(part)) => {
                text.to_lowercase().contains(&part.to_lowercase())
            }
            (Class::One(Value::Text(text)), Cell::Matches(_)) => {
                pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
            }
            // whatever stands around it
            (Class::Holding(text), Cell::Matches(_)) => pattern.as_ref().is_some_and(|pattern| {
                pattern.is_match(text)
                    && pattern.is_match(&format!("~{text}~"))
                    && pattern.is_match(&text.to_lowercase())
            }),
            (Class::Matching(own), Cell::Matches(other)) => own == other,
            _ => false,
        };
        let classes = self.classes.iter().zip(0_u32..);
        join(classes.filter(|(class, _)| takes(class)).map(|(_, place)| (place, place + 1)).collect())
    }
}

/// The values of a type that has only some.
fn closed(ty: &Ty) -> Option<Vec<Value>> {
    if let Some(codes) = ty.codes.as_ref().filter(|codes| !codes.open) {
        return Some(codes.codes.iter().map(|code| Value::Text(code.code.clone())).collect());
    }
    match &ty.kind {
        Kind::Bool => Some(vec![Value::Bool(true), Value::Bool(false)]),
        Kind::OneOf(words) => Some(words.iter().cloned().map(Value::Text).collect()),
        _ => None,
    }
}

/// What the cells of a column speak of.
#[derive(Default)]
struct Named {
    /// In the order of first appearance.
    values: HashMap<Value, usize>,
    parts: Vec<Class>,
    by_range: bool,
}

impl Named {
    fn see(&mut self, cell: &Cell) {
        match cell {
            Cell::Any => {}
            Cell::In(values) | Cell::NotIn(values) => {
                for value in values {
                    let next = self.values.len();
                    self.values.entry(key(value)).or_insert(next);
                }
            }
            Cell::Range { .. } => self.by_range = true,
            Cell::Contains(part) => self.parts.push(Class::Holding(part.clone())),
            Cell::Matches(pattern) => self.parts.push(Class::Matching(pattern.clone())),
            Cell::AnyOf(cells) | Cell::NoneOf(cells) => cells.iter().for_each(|cell| self.see(cell)),
        }
    }
}

/// Equal for values that are the same.
fn key(value: &Value) -> Value {
    value.as_decimal().map_or_else(|| value.clone(), |number| Value::Decimal(number.normalize()))
}

fn in_range(value: &Value, from: Option<&(Value, bool)>, to: Option<&(Value, bool)>) -> bool {
    let fits = |bound: Option<&(Value, bool)>, outside: Ordering| {
        bound.is_none_or(|(bound, included)| {
            order(value, bound).is_some_and(|order| order != outside && (*included || order.is_ne()))
        })
    };
    !value.is_blank() && fits(from, Ordering::Less) && fits(to, Ordering::Greater)
}

fn cuts_of(cell: &Cell, into: &mut Vec<Cut>) {
    match cell {
        Cell::In(values) | Cell::NotIn(values) => {
            for value in values.iter().filter(|value| !value.is_blank()) {
                let bound = Some((value.clone(), true));
                let (low, high) = ends(bound.as_ref(), bound.as_ref());
                into.extend(low);
                into.extend(high);
            }
        }
        Cell::Range { from, to } => {
            let (low, high) = ends(from.as_ref(), to.as_ref());
            into.extend(low);
            into.extend(high);
        }
        Cell::AnyOf(cells) | Cell::NoneOf(cells) => cells.iter().for_each(|cell| cuts_of(cell, into)),
        Cell::Any | Cell::Contains(_) | Cell::Matches(_) => {}
    }
}

/// The cuts of a range.
pub(super) fn ends(from: Option<&(Value, bool)>, to: Option<&(Value, bool)>) -> Ends {
    let low = from.and_then(|(value, included)| cut(value, !included));
    let high = to.and_then(|(value, included)| cut(value, *included));
    (low, high)
}

/// A cut. Behind a whole number or a day is before the next one; behind the last one is nothing.
fn cut(value: &Value, behind: bool) -> Option<Cut> {
    match value {
        Value::Int(n) if behind => Some(Cut { value: Value::Int(n.checked_add(1)?), behind: false }),
        Value::Date(day) if behind => Some(Cut { value: Value::Date(day.tomorrow().ok()?), behind: false }),
        _ => Some(Cut { value: value.clone(), behind }),
    }
}

fn compare(a: &Cut, b: &Cut) -> Ordering {
    order(&a.value, &b.value).unwrap_or(Ordering::Equal).then(a.behind.cmp(&b.behind))
}

/// Runs in order, without touching each other.
fn join(mut runs: Set) -> Set {
    runs.sort_unstable();
    let mut joined: Set = Vec::with_capacity(runs.len());
    for (from, to) in runs {
        match joined.last_mut() {
            Some((_, end)) if *end >= from => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    joined
}

impl Class {
    /// A value of the class, where one can be named.
    pub(super) fn example(&self, ty: &Ty, taken: impl Fn(&Value) -> bool) -> Option<Value> {
        match self {
            Self::One(value) | Self::Rest(value, _) => Some(value.clone()),
            Self::Holding(text) => Some(Value::Text(text.clone())),
            Self::Matching(_) => None,
            Self::Other => {
                let words: &[&str] = match ty.kind {
                    Kind::Country => &["GB", "US", "CH", "NO", "BE", "DE", "FR", "NL", "AU", "CA", "JP", "BR"],
                    Kind::Currency => &["USD", "GBP", "CHF", "SEK", "JPY", "EUR"],
                    _ => &[],
                };
                words.iter().map(|word| Value::Text((*word).into())).find(|word| !taken(word))
            }
            Self::Between(low, high) => between(low.as_ref(), high.as_ref(), ty),
        }
    }
}

/// A value between two cuts: at the low end where that is one.
fn between(low: Option<&Cut>, high: Option<&Cut>, ty: &Ty) -> Option<Value> {
    let low = low.map(|cut| (&cut.value, cut.behind));
    let high = high.map(|cut| (&cut.value, cut.behind));
    match (low, high) {
        (None, None) => None,
        (Some((value, false)), _) | (None, Some((value, true))) => Some(value.clone()),
        (None, Some((Value::Int(n), _))) => n.checked_sub(1).map(Value::Int),
        (None, Some((Value::Date(day), _))) => day.yesterday().ok().map(Value::Date),
        (None, Some((value, _))) => Some(number(value.as_decimal()?.checked_sub(step(ty))?, ty)),
        (Some((value, _)), high) => {
            let low = value.as_decimal()?;
            let next = low.checked_add(step(ty))?;
            let fits = |high: Decimal| next < high;
            Some(match high.and_then(|(value, _)| value.as_decimal()) {
                Some(high) if !fits(high) => number(low.checked_add(high)?.checked_div(Decimal::TWO)?, ty),
                _ => number(next, ty),
            })
        }
    }
}

fn step(ty: &Ty) -> Decimal {
    if ty.kind == Kind::Decimal { Decimal::ONE } else { Decimal::new(1, 2) }
}

fn number(number: Decimal, ty: &Ty) -> Value {
    let number = number.normalize();
    if ty.kind == Kind::Money { Value::eur(number) } else { Value::Decimal(number) }
}

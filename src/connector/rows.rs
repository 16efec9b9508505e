//! From raw rows to answers: each row is decoded once, tried by the filter of every ask, and given in the ask's shape.
//!
//! Takes the asks of one entity and rows in any number, doubled ones too; gives the rows of each ask. Promises that an
//! answer satisfies its filter exactly, however weak the vendor's own filter was, and holds no row twice. A row that is
//! not as the schema has it stands in the way only of the asks that it may be an answer to.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use jiff::civil::Date;
use serde_json::Value as Json;

use super::{Cursor, Faulty, Page, faults::clean};
use crate::{
    clock,
    schema::{DecodeError, Object, Privacy, Projection, ReadFacts, home_day},
    value::{Ask, Filter, Record, Value},
};

/// So many characters of a key are shown; both systems have less.
const KEY_SHOWN: usize = 60;
/// A page with so many faulty rows, more than half of what it shows, speaks of the schema and not of its rows.
const MANY_FAULTY: usize = 5;

/// The asks of one entity, and what was found for each so far.
pub(super) struct Sieve<'a> {
    asks: Vec<&'a Ask>,
    found: Vec<Found>,
    readers: Vec<Reader>,
    /// Which reader an ask uses.
    reader_of: Vec<usize>,
    key: Vec<Arc<str>>,
    /// The first field of the key where messages may show it.
    tellable: Option<Arc<str>>,
    seen: HashSet<String>,
    today: Date,
}

/// What was found for an ask.
#[derive(Debug, Clone, Default)]
struct Found {
    records: Vec<Record>,
    faulty: Vec<Faulty>,
}

/// How rows are decoded for asks that look at the same fields.
struct Reader {
    fields: Arc<[Arc<str>]>,
    looked_at: BTreeSet<Arc<str>>,
    /// The fields of the ask and of its filter.
    wide: Projection,
    /// The fields of the ask alone; none = the filter needs no others.
    narrow: Option<Projection>,
}

impl<'a> Sieve<'a> {
    /// A sieve for asks that are all of this entity.
    pub(super) fn new(facts: &ReadFacts, asks: Vec<&'a Ask>) -> Self {
        let mut readers: Vec<Reader> = Vec::new();
        let mut reader_of = Vec::with_capacity(asks.len());
        for ask in &asks {
            let looked_at: BTreeSet<Arc<str>> = ask.filter.paths().into_iter().cloned().collect();
            let known = readers.iter().position(|reader| reader.fields == ask.fields && reader.looked_at == looked_at);
            reader_of.push(known.unwrap_or(readers.len()));
            if known.is_none() {
                readers.push(Reader::new(&facts.object, ask.fields.clone(), looked_at));
            }
        }
        Self {
            found: vec![Found::default(); asks.len()],
            asks,
            readers,
            reader_of,
            key: key_names(facts),
            tellable: tellable(facts),
            seen: HashSet::new(),
            today: today(),
        }
    }

    /// Rows with these keys were given before.
    pub(super) fn skip(&mut self, keys: impl IntoIterator<Item = String>) {
        self.seen.extend(keys);
    }

    /// Takes a row; one that was here already is passed over.
    pub(super) fn offer(&mut self, raw: &Json) {
        let key = key_of(&self.key, raw);
        if self.seen.contains(&key) {
            return;
        }
        let mut wide: Vec<Option<Result<Record, DecodeError>>> = vec![None; self.readers.len()];
        let mut narrow: Vec<Option<Record>> = vec![None; self.readers.len()];
        let places = self.asks.iter().zip(&self.reader_of).zip(&mut self.found);
        for ((ask, place), found) in places {
            let (Some(reader), Some(wide), Some(narrow)) =
                (self.readers.get(*place), wide.get_mut(*place), narrow.get_mut(*place))
            else {
                continue;
            };
            let record = match wide.get_or_insert_with(|| reader.wide.decode(raw, self.today)) {
                Ok(record) => record,
                Err(error) => {
                    if let Some(record) = reader.perhaps(ask, raw, self.today) {
                        let row = self.tellable.as_deref().and_then(|name| row_name(name, raw));
                        found.faulty.push(Faulty { record, row, text: clean(&error.to_string()).into() });
                    }
                    continue;
                }
            };
            if !ask.filter.matches(record) {
                continue;
            }
            let given = match (&reader.narrow, &*narrow) {
                (None, _) => record.clone(),
                (Some(_), Some(given)) => given.clone(),
                // All of it was decoded a moment ago.
                (Some(projection), None) => narrow.insert(projection.readable(raw, self.today).0).clone(),
            };
            found.records.push(given);
        }
        self.seen.insert(key);
    }

    /// Takes rows, one after the other.
    pub(super) fn offer_all<'j>(&mut self, rows: impl IntoIterator<Item = &'j Json>) {
        for raw in rows {
            self.offer(raw);
        }
    }

    /// Takes a row that is no JSON, and why.
    pub(super) fn unreadable(&mut self, text: &str) {
        let text: Arc<str> = clean(text).into();
        for (place, found) in self.reader_of.iter().zip(&mut self.found) {
            let Some(reader) = self.readers.get(*place) else { continue };
            let (record, _) = reader.wide.readable(&Json::Null, self.today);
            found.faulty.push(Faulty { record, row: None, text: text.clone() });
        }
    }

    /// Keys of all rows that were offered.
    pub(super) fn seen(&self) -> &HashSet<String> {
        &self.seen
    }

    /// The rows of each ask, in the order of the asks. The error tells of a row that may be an answer and is not as the
    /// schema has it: what is not known cannot be left out.
    pub(super) fn into_found(self) -> Result<Vec<Vec<Record>>, String> {
        let each = self.found.into_iter().map(|found| match found.faulty.into_iter().next() {
            Some(faulty) => Err(faulty.to_string()),
            None => Ok(found.records),
        });
        each.collect()
    }

    /// What was found, as a page. The error is that of a page of which most rows are not as the schema has them.
    pub(super) fn into_page(self, next: Option<Cursor>) -> Result<Page, String> {
        let (mut records, mut faulty) = (Vec::new(), Vec::new());
        for found in self.found {
            records.extend(found.records);
            faulty.extend(found.faulty);
        }
        match faulty.first() {
            Some(first) if faulty.len() >= MANY_FAULTY && faulty.len() > records.len() => {
                let all = faulty.len().saturating_add(records.len());
                Err(format!("{first}; {} of {all} rows are not as the schema has them", faulty.len()))
            }
            _ => Ok(Page { records, faulty, next }),
        }
    }
}

/// `row with id 17`; none where it shows none.
fn row_name(name: &str, raw: &Json) -> Option<Arc<str>> {
    let key = raw.get(name)?;
    let key = key.as_str().map_or_else(|| key.to_string(), ToOwned::to_owned);
    // What follows it must not be cut off.
    let key: String = key.chars().take(KEY_SHOWN).collect();
    Some(clean(&format!("row with {name} {key}")).into())
}

impl Reader {
    fn new(object: &Arc<Object>, fields: Arc<[Arc<str>]>, looked_at: BTreeSet<Arc<str>>) -> Self {
        let covered = |path: &str| {
            fields
                .iter()
                .any(|field| path.strip_prefix(&**field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
        };
        let missing: Vec<Arc<str>> = looked_at.iter().filter(|path| !covered(path)).cloned().collect();
        if missing.is_empty() {
            let wide = Projection::new(object, &fields);
            return Self { fields, looked_at, wide, narrow: None };
        }
        let all: BTreeSet<Arc<str>> = fields.iter().cloned().chain(missing).collect();
        let all: Vec<Arc<str>> = all.into_iter().collect();
        let narrow = Some(Projection::new(object, &fields));
        Self { wide: Projection::new(object, &all), narrow, fields, looked_at }
    }

    /// What can be read of a row that is not as the schema has it; none where its filter certainly does not hold.
    fn perhaps(&self, ask: &Ask, raw: &Json, today: Date) -> Option<Record> {
        let (record, wrong) = self.wide.readable(raw, today);
        let unknown = self.looked_at.iter().any(|path| wrong.iter().any(|name| first(path) == &**name));
        (unknown || !raw.is_object() || ask.filter.matches(&record)).then_some(record)
    }
}

/// The first name of a path.
fn first(path: &str) -> &str {
    path.split_once('.').map_or(path, |(first, _)| first)
}

/// The asks of one entity.
pub(super) struct Group<'a> {
    /// The entity.
    pub(super) entity: &'a str,
    /// The asks.
    pub(super) asks: Vec<&'a Ask>,
    places: Vec<usize>,
}

/// Puts asks of one entity together; what can match nothing is not asked.
pub(super) fn by_entity(asks: &[Ask]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (place, ask) in asks.iter().enumerate().filter(|(_, ask)| ask.filter != Filter::Never) {
        let entity = &*ask.entity.entity;
        match groups.iter_mut().find(|group| group.entity == entity) {
            Some(group) => {
                group.asks.push(ask);
                group.places.push(place);
            }
            None => groups.push(Group { entity, asks: vec![ask], places: vec![place] }),
        }
    }
    groups
}

/// Puts what was found for the groups back into the order of the asks.
pub(super) fn in_order(asks: usize, groups: &[Group<'_>], found: Vec<Vec<Vec<Record>>>) -> Vec<Arc<[Record]>> {
    let mut answers: Vec<Arc<[Record]>> = vec![Arc::from([]); asks];
    for (group, found) in groups.iter().zip(found) {
        for (place, rows) in group.places.iter().zip(found) {
            if let Some(answer) = answers.get_mut(*place) {
                *answer = rows.into();
            }
        }
    }
    answers
}

/// Wire names of the fields that tell rows apart.
pub(super) fn key_names(facts: &ReadFacts) -> Vec<Arc<str>> {
    let names = facts.keys.first().map(Vec::as_slice).unwrap_or_default();
    names.iter().map(|name| facts.object.field(name).map_or_else(|| name.clone(), |field| field.wire.clone())).collect()
}

/// The first field of the key, unless it is personal.
fn tellable(facts: &ReadFacts) -> Option<Arc<str>> {
    let field = facts.object.field(facts.keys.first()?.first()?)?;
    (field.privacy == Privacy::Plain).then(|| field.wire.clone())
}

/// What tells a row apart: its key, or all of it where the key is not complete.
pub(super) fn key_of(names: &[Arc<str>], raw: &Json) -> String {
    let values: Vec<&Json> =
        names.iter().filter_map(|name| raw.get(&**name)).filter(|value| !value.is_null()).collect();
    match values.as_slice() {
        [Json::String(text)] if names.len() == 1 => text.clone(),
        some if !some.is_empty() && some.len() == names.len() => {
            some.iter().map(|value| (*value).clone()).collect::<Json>().to_string()
        }
        _ => raw.to_string(),
    }
}

/// The Amsterdam date: what is late is late there.
fn today() -> Date {
    home_day(clock::now())
}

/// The values of which a matching row must have one at this path; none = the filter does not say.
pub(super) fn must_be<'f>(filter: &'f Filter, path: &str) -> Option<Vec<&'f Value>> {
    match filter {
        Filter::Never => Some(Vec::new()),
        Filter::Is(own, value) if &**own == path => {
            Some(Some(value).filter(|value| !value.is_blank()).into_iter().collect())
        }
        Filter::In(own, values) if &**own == path => Some(values.iter().filter(|value| !value.is_blank()).collect()),
        Filter::And(all) => all.iter().filter_map(|filter| must_be(filter, path)).min_by_key(Vec::len),
        Filter::Or(any) => {
            let each: Option<Vec<Vec<&Value>>> = any.iter().map(|filter| must_be(filter, path)).collect();
            each.map(|each| each.into_iter().flatten().collect())
        }
        _ => None,
    }
}

/// A key as text: what stands in an address.
pub(super) fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Decimal(number) => Some(number.normalize().to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(path: &str, value: &str) -> Filter {
        Filter::Is(path.into(), Value::text(value))
    }

    #[test]
    fn a_filter_tells_which_values_a_row_must_have() {
        let filter = Filter::And(vec![is("id", "1"), is("b", "2")]);
        assert_eq!(must_be(&filter, "id"), Some(vec![&Value::text("1")]));
        assert_eq!(must_be(&filter, "c"), None);
        assert_eq!(must_be(&Filter::Or(vec![is("id", "1"), is("b", "2")]), "id"), None);
        assert_eq!(must_be(&Filter::Or(vec![is("id", "1"), is("id", "2")]), "id").map(|all| all.len()), Some(2));
        assert_eq!(must_be(&is("id", " "), "id"), Some(vec![]));
        assert_eq!(must_be(&Filter::Not(Box::new(is("id", "1"))), "id"), None);
    }

    #[test]
    fn a_key_is_its_text_or_the_whole_row() {
        let names = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect::<Vec<Arc<str>>>();
        let row = serde_json::json!({"a": "x", "b": 2, "c": null});
        assert_eq!(key_of(&names(&["a"]), &row), "x");
        assert_eq!(key_of(&names(&["a", "b"]), &row), r#"["x",2]"#);
        assert_eq!(key_of(&names(&["a", "c"]), &row), row.to_string());
        assert_eq!(key_of(&[], &row), row.to_string());
    }
}

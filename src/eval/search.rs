//! Searches: what is asked, and what is made of the rows.

use std::{cmp::Ordering, sync::Arc};

use super::decide::Decider;
use crate::{
    plan::{
        code::{FindCode, ReadEntity, Search},
        compute::{Stop, key_in},
    },
    schema::Privacy,
    syntax::tree::FindMode,
    value::{Ask, Filter, Record, Value, Verdict, order},
};

/// How many keys of rows are named when there are too many rows.
const NAMED: usize = 5;

/// The rows of a search, in its order; what is not there yet is wanted.
pub(super) fn rows(machine: &mut Decider<'_, '_>, search: &Search) -> Result<Arc<[Record]>, Stop> {
    let filter = search.filter.fill(machine)?;
    if filter == Filter::Never {
        return Ok(Arc::from([]));
    }
    if let Some(key) = filter_key(&filter) {
        return Err(machine.key_too_early(&key, search.span));
    }
    let fields = search.read.fields.get().cloned().unwrap_or_else(|| Arc::from([]));
    let ask = Ask { entity: search.read.name.clone(), filter, fields };
    let found = machine.world.reads.0.get(&ask).cloned();
    let known = found.is_some();
    if !known {
        machine.world.wants.insert(ask.clone());
    }
    machine.world.asked.push((search.row, ask));
    let rows = found.ok_or(Stop::Waits)?;
    if search.residual.is_none() && search.by.is_empty() {
        return Ok(rows);
    }
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        machine.set(search.row, Value::Record(row.clone()));
        if machine.applies(search.residual.as_ref())? {
            kept.push(row.clone());
        }
    }
    kept.sort_by(|a, b| by(a, b, &search.by));
    Ok(kept.into())
}

/// The value of a `find`.
pub(super) fn find(machine: &mut Decider<'_, '_>, find: &FindCode) -> Result<Value, Stop> {
    let rows = rows(machine, &find.search)?;
    match find.mode {
        FindMode::All => Ok(Value::List(rows.iter().cloned().map(Value::Record).collect())),
        FindMode::First => Ok(rows.first().cloned().map_or(Value::Blank, Value::Record)),
        FindMode::One => one(machine, &find.search, &rows).map(|row| row.map_or(Value::Blank, Value::Record)),
    }
}

/// The only row; several hold the record, told by their keys and never by what was searched.
pub(super) fn one(machine: &Decider<'_, '_>, search: &Search, rows: &[Record]) -> Result<Option<Record>, Stop> {
    let [first, _, ..] = rows else { return Ok(rows.first().cloned()) };
    let read = &search.read;
    let matching = match search.filter.paths().as_slice() {
        [] => " where one is expected".to_owned(),
        paths => format!(" match {}", paths.join(", ")),
    };
    let named: Vec<String> = rows.iter().take(NAMED).map(|row| key(read, row)).collect();
    let more = rows.len().checked_sub(NAMED).filter(|more| *more > 0).map(|more| format!(" and {more} more"));
    let start = format!("{} rows of {}{matching}", rows.len(), read.name.entity);
    let text = match (key(read, first).is_empty(), more) {
        (true, _) => start.clone(),
        (false, more) => format!("{start}: {}{}", named.join(", "), more.unwrap_or_default()),
    };
    let masked = if key_is_plain(read) { text.clone() } else { start };
    Err(machine.ends(Verdict::Hold, search.span, text, masked))
}

fn key(read: &ReadEntity, row: &Record) -> String {
    let parts: Vec<String> = read.key().iter().map(|path| row.path(path).to_string()).collect();
    parts.join("/")
}

fn key_is_plain(read: &ReadEntity) -> bool {
    let object = read.entity.read.as_ref().map(|read| &read.object);
    read.key()
        .iter()
        .all(|path| object.and_then(|object| object.field(path)).is_none_or(|field| field.privacy == Privacy::Plain))
}

/// Blanks come last, whichever way.
fn by(a: &Record, b: &Record, keys: &[(Arc<str>, bool)]) -> Ordering {
    for (path, descending) in keys {
        let (x, y) = (a.path(path), b.path(path));
        let ordering = match (x.is_blank(), y.is_blank()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let ordering = order(x, y).unwrap_or(Ordering::Equal);
                if *descending { ordering.reverse() } else { ordering }
            }
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
    Ordering::Equal
}

fn filter_key(filter: &Filter) -> Option<Arc<str>> {
    match filter {
        Filter::Is(_, value) | Filter::IsNot(_, value) | Filter::Compares(_, _, value) => key_in(value),
        Filter::In(_, values) => values.iter().find_map(key_in),
        Filter::And(parts) | Filter::Or(parts) => parts.iter().find_map(filter_key),
        Filter::Not(inner) => filter_key(inner),
        Filter::All | Filter::Never | Filter::Blank(_) | Filter::Filled(_) => None,
    }
}

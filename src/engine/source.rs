//! A source: how its records are named, asked for and paged through, from where it is read, and which of them are to
//! be decided.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{EngineError, Run, Stop, question::typed, reads::with_patience};
use crate::{
    check::typed::Since,
    connector::{Connector, Cursor, Page},
    ledger::{Hashes, Known, KnownRecord, Mark, RecordName, RecordOutcome},
    plan::SourcePlan,
    value::{Ask, Filter, Record, Value},
};

/// Everything is read again after this time, whatever the marks say.
const SWEEP: SignedDuration = SignedDuration::from_hours(24);
/// A stamp is read again from so long before: the target may finish a write late, and clocks fold in autumn.
const OVERLAP: SignedDuration = SignedDuration::from_hours(2);

/// What is to be done with a record that was read.
pub(super) enum Standing {
    /// Something of it is in doubt: only asking is allowed.
    InDoubt,
    /// Nothing.
    Unchanged,
    /// Nothing, but the plan reads fields for the first time.
    FillIn(Hashes),
    /// It is decided.
    Decide,
}

/// What is to be done with a record that the ledger knows.
pub(super) fn standing(own: &KnownRecord, hashes: &Hashes, run: &Run) -> Standing {
    let differs = |path: &Arc<str>, hash: &Arc<str>| own.hashes.get(path).is_some_and(|old| old != hash);
    let changed = hashes.iter().any(|(path, hash)| differs(path, hash));
    let edited = own.plan_version != run.plan_version;
    let decide = match own.outcome {
        RecordOutcome::Open | RecordOutcome::Gone => true,
        RecordOutcome::Done => changed,
        RecordOutcome::Skipped | RecordOutcome::Failed => changed || edited,
        RecordOutcome::Held => changed || edited || !run.patient || due(own.next_try),
    };
    if decide {
        Standing::Decide
    } else if hashes.keys().any(|path| !own.hashes.contains_key(path)) {
        Standing::FillIn(hashes.clone())
    } else {
        Standing::Unchanged
    }
}

/// Is a record that waits to be looked at now?
pub(super) fn standing_due(run: &Run, known: &Known) -> bool {
    let Some(own) = &known.record else { return true };
    match own.outcome {
        RecordOutcome::Held => own.plan_version != run.plan_version || !run.patient || due(own.next_try),
        _ => true,
    }
}

fn due(next_try: Option<Timestamp>) -> bool {
    next_try.is_none_or(|next| next <= Timestamp::now())
}

/// The name of a record in the ledger.
pub(super) fn record_name(run: &Run, source: &SourcePlan, record: &Record) -> RecordName {
    let parts: Vec<String> = source.key.iter().map(|path| record.path(path).to_string()).collect();
    name_of(run, source, &parts.join("/").into())
}

/// The name of a record with this key.
pub(super) fn name_of(run: &Run, source: &SourcePlan, key: &Arc<str>) -> RecordName {
    let fields: Vec<&str> = source.key.iter().map(|path| &**path).collect();
    RecordName::new(&run.name, key, &fields.join("/").into())
}

/// What a source is asked for.
pub(super) fn source_ask(source: &SourcePlan, filter: Filter) -> Ask {
    Ask { entity: source.name.clone(), filter, fields: source.fields.clone() }
}

/// The condition that finds a record of the source by its key; none where the key cannot be taken apart.
pub(super) fn by_key(source: &SourcePlan, key: &str) -> Option<Filter> {
    let object = &source.entity.read.as_ref()?.object;
    let parts: Vec<&str> = if source.key.len() == 1 { vec![key] } else { key.split('/').collect() };
    let mut all: Vec<Filter> = source
        .key
        .iter()
        .zip(&parts)
        .map(|(path, part)| Filter::Is(path.clone(), typed(&Value::text(part), object, path)))
        .collect();
    match (all.len(), parts.len()) {
        (1, 1) => all.pop(),
        (paths, parts) if paths == parts => Some(Filter::And(all)),
        _ => None,
    }
}

/// From where a source is read, by its stamp or down from its newest record; none = everything.
pub(super) fn floor(since: &Since, mark: Option<&Mark>, run: &Run, now: Timestamp) -> Option<Value> {
    let mark = mark.filter(|mark| mark.plan_version == run.plan_version)?;
    if now.duration_since(mark.swept_at) >= SWEEP {
        return None;
    }
    let floor = stamp(mark.floor.as_deref()?)?;
    let Since::Field { overlap, .. } = since else { return Some(floor) };
    let overlap = SignedDuration::from_secs(*overlap).max(OVERLAP);
    match floor {
        Value::DateTime(at) => at.checked_sub(overlap).ok().map(Value::DateTime),
        Value::Date(day) => {
            let days = jiff::Span::new().try_days(overlap.as_hours().div_euclid(24) + 1).ok()?;
            day.checked_sub(days).ok().map(Value::Date)
        }
        _ => None,
    }
}

/// A stored stamp.
pub(super) fn stamp(text: &str) -> Option<Value> {
    text.parse().map(Value::DateTime).or_else(|_| text.parse().map(Value::Date)).ok()
}

/// The pages of a source, one after the other.
pub(super) struct Pages<'a> {
    connector: &'a dyn Connector,
    stop: &'a Stop,
    ask: Ask,
    cursor: Option<Cursor>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn new(run: &'a Run, stop: &'a Stop, ask: Ask) -> Result<Self, EngineError> {
        Ok(Self { connector: &**run.connection(&ask.entity.role)?, stop, ask, cursor: None, ended: false })
    }

    pub(super) async fn next(&mut self) -> Result<Option<Vec<Record>>, EngineError> {
        if self.ended || self.stop.wished() {
            return Ok(None);
        }
        let Page { records, next } = with_patience(self.stop, || self.connector.page(&self.ask, self.cursor.as_ref()))
            .await
            .map_err(|error| EngineError::connection(self.connector, error.to_string()))?;
        self.ended = next.is_none();
        self.cursor = next;
        Ok(Some(records))
    }
}

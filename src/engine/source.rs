//! A source: how its records are named, asked for and paged through, from where it is read, and which of them are to
//! be decided.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{EngineError, Run, Stop, question::typed, reads::with_patience};
use crate::{
    check::typed::Since,
    clock,
    connector::{Connector, Cursor, Faulty, Page},
    ledger::{Hashes, Known, KnownRecord, LAST_TRY, Mark, RecordName, RecordOutcome},
    plan::SourcePlan,
    value::{Ask, Filter, Reason, Record, Value},
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

pub(super) fn due(next_try: Option<Timestamp>) -> bool {
    let now = clock::now();
    // Later than any pause is what a clock said that was ahead.
    next_try.is_none_or(|next| next <= now || next.duration_since(now) > LAST_TRY)
}

/// The name of a record in the ledger.
pub(super) fn record_name(run: &Run, source: &SourcePlan, record: &Record) -> RecordName {
    let parts: Vec<String> = source.key.iter().map(|path| record.path(path).to_string()).collect();
    name_of(run, source, &parts.join("/").into())
}

/// The name of a record of which not everything can be read; none where that is its key.
pub(super) fn faulty_name(run: &Run, source: &SourcePlan, record: &Record) -> Option<RecordName> {
    source.key.iter().all(|path| !record.path(path).is_blank()).then(|| record_name(run, source, record))
}

/// Why a row that is not as the schema has it is not decided.
pub(super) fn faulty_reason(run: &Run, source: &SourcePlan, faulty: &Faulty) -> Reason {
    let system = &source.entity.system;
    let text: Arc<str> = format!("is not as the schema of {system} has it: {}", faulty.text).into();
    run.reason(None, text.clone(), text)
}

/// The trouble with a row whose key cannot be read: nothing can be kept of it.
pub(super) fn nameless(run: &Run, source: &SourcePlan, faulty: &Faulty) -> EngineError {
    let text = format!("{}, a row whose key cannot be read: {faulty}", source.name);
    let connection = run.connection(&source.name.role);
    connection.map_or_else(|error| error, |connector| EngineError::connection(&**connector, text))
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
    floor_at(since, mark.filter(|mark| mark.plan_version == run.plan_version)?, now)
}

fn floor_at(since: &Since, mark: &Mark, now: Timestamp) -> Option<Value> {
    // A mark of tomorrow was made by a clock that was ahead.
    let swept = now.duration_since(mark.swept_at);
    if swept.is_negative() || swept >= SWEEP {
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

/// So many records are read, decided and applied together, and about so many of each are in memory at once. Fewer would
/// cost more calls, since the asks of a batch share theirs.
pub(super) const BATCH: usize = 250;

/// What was read, and when its reading began.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) records: Vec<Record>,
    pub(super) faulty: Vec<Faulty>,
    pub(super) read: Timestamp,
}

impl Batch {
    /// Empty, and about to be read.
    pub(super) fn begun() -> Self {
        Self { records: Vec::new(), faulty: Vec::new(), read: clock::now() }
    }

    fn len(&self) -> usize {
        self.records.len().saturating_add(self.faulty.len())
    }
}

/// The pages of a source, one after the other.
pub(super) struct Pages<'a> {
    connector: &'a dyn Connector,
    stop: &'a Stop,
    ask: Ask,
    cursor: Option<Cursor>,
    ended: bool,
    /// What ended it, behind a batch that was begun.
    trouble: Option<EngineError>,
}

impl<'a> Pages<'a> {
    pub(super) fn new(run: &'a Run, stop: &'a Stop, ask: Ask) -> Result<Self, EngineError> {
        let connector = &**run.connection(&ask.entity.role)?;
        Ok(Self { connector, stop, ask, cursor: None, ended: false, trouble: None })
    }

    pub(super) async fn next(&mut self) -> Result<Option<Page>, EngineError> {
        if self.ended || self.stop.wished() {
            return Ok(None);
        }
        let mut page = with_patience(self.stop, || self.connector.page(&self.ask, self.cursor.as_ref()))
            .await
            .map_err(|error| EngineError::connection(self.connector, error.to_string()))?;
        self.cursor = page.next.take();
        self.ended = self.cursor.is_none();
        Ok(Some(page))
    }

    /// So many pages as make a batch; `last` looks at each and says whether it was the last one.
    pub(super) async fn batch(
        &mut self,
        last: &mut impl FnMut(&[Record]) -> bool,
    ) -> Result<Option<Batch>, EngineError> {
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        let mut batch = Batch::begun();
        while batch.len() < BATCH {
            match self.next().await {
                Ok(None) => break,
                Ok(Some(Page { records, faulty, .. })) => {
                    self.ended |= last(&records);
                    batch.records.extend(records);
                    batch.faulty.extend(faulty);
                }
                Err(trouble) if batch.len() == 0 => return Err(trouble),
                // What was read is brought to its end first.
                Err(trouble) => {
                    self.trouble = Some(trouble);
                    break;
                }
            }
        }
        Ok((batch.len() > 0).then_some(batch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// From where a source with a stamp is read, when that was the highest one an hour ago.
    fn from(highest: &str, overlap: i64) -> String {
        let mark = Mark { floor: Some(highest.into()), plan_version: "1".into(), swept_at: at("2026-10-25T12:00:00Z") };
        let since = Since::Field { path: "ModifiedDate".into(), overlap };
        floor_at(&since, &mark, at("2026-10-25T13:00:00Z")).unwrap().to_string()
    }

    #[test]
    fn what_is_written_late_is_read_also_when_the_flow_overlaps_less_than_two_hours() {
        for overlap in [0, 60, 7_200] {
            assert_eq!(from("2026-10-25T09:00:00Z", overlap), "2026-10-25T07:00:00Z", "{overlap}");
        }
        assert_eq!(from("2026-10-25T09:00:00Z", 10_800), "2026-10-25T06:00:00Z");
        assert_eq!(from("2026-10-25", 0), "2026-10-24");
    }

    #[test]
    fn in_the_night_whose_hour_comes_twice_a_mark_reaches_back_behind_both() {
        // 02:30 was read as the earlier one, and something is stamped 02:05 in the later one.
        let shown = from("2026-10-25T00:30:00Z", 0);
        assert_eq!(shown, "2026-10-24T22:30:00Z");
        let read_as = at("2026-10-25T00:05:00Z");
        assert!(read_as > shown.parse().unwrap());
    }

    #[test]
    fn what_is_held_is_tried_after_its_pause_and_after_a_clock_that_was_ahead() {
        let now = Timestamp::now();
        let minutes = |n: i64| Some(now.checked_add(SignedDuration::from_mins(n)).unwrap());
        assert!(due(None) && due(minutes(-1)) && due(minutes(60 * 24 * 365)));
        assert!(!due(minutes(5)) && !due(minutes(359)));
    }

    #[test]
    fn everything_is_read_after_a_day_and_after_a_clock_that_was_ahead() {
        let mark = Mark {
            floor: Some("2026-10-25T09:00:00Z".into()),
            plan_version: "1".into(),
            swept_at: at("2026-10-25T12:00:00Z"),
        };
        for now in ["2026-10-26T12:00:00Z", "2026-10-25T11:59:59Z"] {
            assert_eq!(floor_at(&Since::Change, &mark, at(now)), None, "{now}");
        }
        assert!(floor_at(&Since::Change, &mark, at("2026-10-26T11:59:59Z")).is_some());
    }
}

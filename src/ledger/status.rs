//! What `koppel status` tells: counts, what waits and why, what is in doubt. Reads only, also while another process
//! writes.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use serde::Serialize;

use super::{
    LedgerError, RecordName, View,
    store::{self, Answer},
};
use crate::clock;

/// A stage that is held is not told to a person before it has waited for so long.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// Has a stage waited for less than a person is told about?
#[must_use]
pub fn not_yet(begun: Timestamp, now: Timestamp) -> bool {
    now.duration_since(begun) < PATIENCE
}

/// How everything stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Number of records by run and outcome.
    pub records: BTreeMap<Arc<str>, BTreeMap<Arc<str>, u64>>,
    /// Held and failed records with their reasons.
    pub waiting: Vec<Waiting>,
    /// What may have happened.
    pub doubts: Vec<Doubt>,
}

/// A record that waits for a person or another state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The run.
    pub run: Arc<str>,
    /// The record.
    pub key: Arc<str>,
    /// The key of the record, also where a stage of it waits.
    pub record: Arc<str>,
    /// `held` or `failed`.
    pub outcome: Arc<str>,
    /// Where the flow says so.
    pub place: Option<Arc<str>>,
    /// Why, masked.
    pub reason: Option<Arc<str>>,
    /// Since when, tries in between not counted.
    pub since: Option<Timestamp>,
    /// When it was decided.
    pub at: Option<Timestamp>,
    /// When it is tried again by itself.
    pub next_try: Option<Timestamp>,
}

/// A write of which nobody knows yet whether it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// The run.
    pub run: Arc<str>,
    /// The record.
    pub key: Arc<str>,
    /// The write or ensure.
    pub write: Arc<str>,
    /// `FbSales`.
    pub entity: Arc<str>,
    /// The connection.
    pub connection: Arc<str>,
    /// `unsettled`, `keyless`, `unclear`.
    pub state: &'static str,
    /// Our own number, or the reference.
    pub number: Option<Arc<str>>,
    /// Since when.
    pub since: Option<Timestamp>,
}

impl From<super::Row> for Doubt {
    fn from(row: super::Row) -> Self {
        Self {
            key: row.record.to_string().into(),
            run: row.record.run,
            write: row.name,
            entity: row.entity,
            connection: row.conn,
            state: store::state_word(row.standing.state),
            number: row.own_number.or(row.reference),
            since: row.quiet_since,
        }
    }
}

/// Reads how everything stands, without the lock; nothing at all where there is no ledger yet.
///
/// # Errors
/// [`LedgerError`] where the file is no ledger.
pub fn status(ledger: &Path) -> Result<Status, LedgerError> {
    View::open(ledger)?.map_or_else(|| Ok(Status::default()), |view| view.status())
}

pub(super) fn read(connection: &Connection) -> Answer<Status> {
    let mut status = Status::default();
    let counted = "SELECT run, outcome, count(*) FROM record WHERE stage = '' GROUP BY run, outcome";
    let mut counts = connection.prepare(counted)?;
    let mut lines = counts.query([])?;
    while let Some(line) = lines.next()? {
        let (run, outcome): (String, String) = (line.get(0)?, line.get(1)?);
        let counted: i64 = line.get(2)?;
        let by_run = status.records.entry(run.into()).or_default();
        by_run.insert(outcome.into(), u64::try_from(counted).unwrap_or(0));
    }
    let mut waiting = connection.prepare(
        "SELECT run, key, outcome, place, reason, at, next_try, stage, begun, since FROM record
         WHERE outcome IN ('held', 'failed') ORDER BY run, place, key",
    )?;
    let now = clock::now();
    let shared = |text: String| -> Arc<str> { text.into() };
    let moment = |text: Option<String>| text.and_then(|text| text.parse().ok());
    let lines = waiting.query_map([], |line| {
        let (key, stage): (Arc<str>, Arc<str>) = (line.get(1).map(shared)?, line.get(7).map(shared)?);
        let name = RecordName { run: line.get(0).map(shared)?, key, key_fields: "".into(), stage };
        let begun: Option<Timestamp> = moment(line.get(8)?);
        let outcome: String = line.get(2)?;
        if outcome == "held" && name.is_stage() && begun.is_some_and(|begun| not_yet(begun, now)) {
            return Ok(None);
        }
        Ok(Some(Waiting {
            key: name.to_string().into(),
            run: name.run,
            record: name.key,
            outcome: outcome.into(),
            place: line.get::<_, Option<String>>(3)?.map(shared),
            reason: line.get::<_, Option<String>>(4)?.map(shared),
            since: moment(line.get(9)?).or(moment(line.get(5)?)),
            at: moment(line.get(5)?),
            next_try: moment(line.get(6)?),
        }))
    })?;
    status.waiting = lines.filter_map(Result::transpose).collect::<Result<_, _>>()?;
    status.doubts = store::doubts(connection)?.into_iter().map(Doubt::from).collect();
    Ok(status)
}

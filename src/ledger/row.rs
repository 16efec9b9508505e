//! What goes in and out of the ledger: names of records, rows, what is wanted, how a record ended.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    gates::LockName,
    key::Hash,
    left::{Change, ReadBack, Target},
    question::Question,
    state::{Event, Seen, Standing, Why},
};
use crate::value::{Verdict, Write};

/// A record of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordName {
    /// The run.
    pub run: Arc<str>,
    /// Its key.
    pub key: Arc<str>,
    /// The names of the fields that make the key: an edited key is told from another record by them.
    pub key_fields: Arc<str>,
    /// The write behind which an `after` is decided; empty for the flow itself.
    pub stage: Arc<str>,
}

impl RecordName {
    /// A record of a run, for the flow itself.
    #[must_use]
    pub fn new(run: &Arc<str>, key: &Arc<str>, key_fields: &Arc<str>) -> Self {
        Self { run: run.clone(), key: key.clone(), key_fields: key_fields.clone(), stage: "".into() }
    }

    /// The same record, for the stage behind a write.
    #[must_use]
    pub fn after(&self, write: &Arc<str>) -> Self {
        Self { stage: write.clone(), ..self.clone() }
    }

    /// Is it the stage behind a write?
    #[must_use]
    pub fn is_stage(&self) -> bool {
        !self.stage.is_empty()
    }
}

/// `10023`, `10023 after sale`.
impl std::fmt::Display for RecordName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_stage() { write!(f, "{} after {}", self.key, self.stage) } else { f.write_str(&self.key) }
    }
}

/// Short keyed hashes of what was read, by path.
pub type Hashes = BTreeMap<Arc<str>, Arc<str>>;

/// How a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordOutcome {
    /// Begun and not ended.
    Open,
    /// All its writes are confirmed.
    Done,
    /// Nothing to do.
    Skipped,
    /// Waits.
    Held,
    /// Wrong data, or refused.
    Failed,
    /// It left the source before it was done.
    Gone,
}

/// A reason as it is kept: place, and the text with dots for what is private.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Kept {
    /// The word.
    pub verdict: Verdict,
    /// Where the flow says so.
    pub place: Arc<str>,
    /// Why, masked.
    pub masked: Arc<str>,
}

/// How a record ended for now.
#[derive(Debug, Clone)]
pub struct Ending {
    /// How.
    pub outcome: RecordOutcome,
    /// Why.
    pub reason: Option<Kept>,
    /// What it looked like.
    pub hashes: Hashes,
    /// Which plan decided.
    pub plan_version: Arc<str>,
    /// Is nothing more to be created for it? Once sealed, always sealed.
    pub sealed: bool,
    /// Fields of targets that koppel never wrote, with what it would leave there today: from here on a difference is
    /// one.
    pub adopted: Vec<(Target, Hashes)>,
}

/// What is known of a record.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// None for a record that was never decided.
    pub record: Option<KnownRecord>,
    /// Its writes, and the ensured things that it was the first to want.
    pub rows: Vec<Row>,
}

/// A record's own row.
#[derive(Debug, Clone)]
pub struct KnownRecord {
    /// How it stands.
    pub outcome: RecordOutcome,
    /// What it looked like when that was decided.
    pub hashes: Hashes,
    /// Which plan decided.
    pub plan_version: Arc<str>,
    /// Was it done once?
    pub sealed: bool,
    /// When a held one is tried again by itself.
    pub next_try: Option<Timestamp>,
    /// When it was first decided, or its stage began.
    pub begun: Timestamp,
}

/// Which row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId {
    pub(super) table: Table,
    pub(super) id: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Table {
    Write,
    Ensure,
    Change,
}

/// A write, or an ensured thing.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which.
    pub id: RowId,
    /// The record it belongs to, or that wanted it first.
    pub record: RecordName,
    /// Its name in the flow: of the write, or of the ensure.
    pub name: Arc<str>,
    /// The connection.
    pub conn: Arc<str>,
    /// What it makes.
    pub entity: Arc<str>,
    /// Where it stands.
    pub standing: Standing,
    /// How to ask for it from this row alone.
    pub question: Option<Question>,
    /// Our own number.
    pub own_number: Option<Arc<str>>,
    /// The reference.
    pub reference: Option<Arc<str>>,
    /// Its key at the target.
    pub target_key: Option<Arc<str>>,
    /// When its doubt began, for people.
    pub quiet_since: Option<Timestamp>,
    /// How an update is seen to have happened.
    pub read_back: Option<ReadBack>,
    /// Identity of an ensured thing.
    pub(super) compared: Option<Hash>,
}

impl Row {
    /// Is it an ensured thing (else a write of its record alone)?
    #[must_use]
    pub fn is_thing(&self) -> bool {
        self.id.table == Table::Ensure
    }

    /// Is it an update?
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.id.table == Table::Change
    }

    /// Is it this very thing: the same values compared?
    #[must_use]
    pub fn is(&self, thing: &Thing) -> bool {
        self.compared == Some(thing.compared)
    }
}

/// An ensured thing: the lock of its recognition key, and its identity under it.
#[derive(Debug, Clone)]
pub struct Thing {
    /// The name of the ensure.
    pub name: Arc<str>,
    /// Its lock.
    pub lock: LockName,
    /// Keyed hash of all values that its finds compare.
    pub(super) compared: Hash,
}

/// A write that a decision wants.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// For which record.
    pub record: RecordName,
    /// By which plan.
    pub plan_version: Arc<str>,
    /// What, keys of earlier writes filled in.
    pub write: Write,
    /// Where.
    pub conn: Arc<str>,
    /// How it is recognised.
    pub seen: Seen,
    /// How it is asked for.
    pub question: Option<Question>,
    /// The thing it makes, for the create of an ensure.
    pub thing: Option<Thing>,
    /// Did a key that certainly exists come back with the ask for it?
    pub control: bool,
    /// What it changes, for an update.
    pub change: Option<Change>,
    /// Does a stage begin when it is confirmed?
    pub followed: bool,
    /// Is what it leaves read once more, so that an edit is told from it?
    pub watched: bool,
}

/// What happened to a row.
#[derive(Debug, Clone)]
pub struct Told {
    /// Which row.
    pub row: RowId,
    /// What.
    pub event: Event,
    /// The key that became known with it.
    pub key: Option<Arc<str>>,
}

/// What came of wanting a write.
#[derive(Debug)]
pub enum Intent {
    /// It is on disk as intended: send it.
    Send(super::Intended),
    /// It happened before, under this key.
    UseKey(Arc<str>),
    /// It may have happened: wait until that is settled.
    InDoubt,
    /// It is held.
    Held(Why),
    /// Its number or reference was used by this record.
    Other(RecordName),
    /// It would put back what another run has just changed.
    Flips {
        /// The written field.
        field: Arc<str>,
        /// The other run.
        run: Arc<str>,
    },
}

/// How far a source was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The highest stamp of the last finished scan.
    pub floor: Option<Arc<str>>,
    /// The plan that scanned.
    pub plan_version: Arc<str>,
    /// When everything was last read.
    pub swept_at: Timestamp,
}

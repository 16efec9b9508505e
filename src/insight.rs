//! What happened, told: events become a log with retention; ids and field names only, personal data masked.
//!
//! Takes [`Event`]s, gives log lines. Promises that no payload and no personal value reaches a file.

mod log;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use log::{Log, Wanted, read};

/// Something that happened to a record or a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// The run.
    pub run: Arc<str>,
    /// The record's key; none for the run as a whole.
    pub key: Option<Arc<str>>,
    /// What.
    pub kind: EventKind,
    /// The write or ensure it is about.
    pub write: Option<Arc<str>>,
    /// `afas.FbSales`.
    pub entity: Option<Arc<str>>,
    /// The key at the target.
    pub target_key: Option<Arc<str>>,
    /// Masked reason, or the target's words for a failure of the connection.
    pub reason: Option<Arc<str>>,
    /// `orders.flow:75`.
    pub place: Option<Arc<str>>,
    /// Names of the fields that were sent, never values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Arc<str>>,
}

/// The steps of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A run began.
    Started,
    /// A record was read.
    Read,
    /// Something that an ensure or write wanted was there already.
    Found,
    /// A write is on disk as intended.
    Intended,
    /// A write happened.
    Confirmed,
    /// Nobody knows yet whether a write happened.
    Unsettled,
    /// A write certainly did not happen.
    Voided,
    /// Nothing to do.
    Skipped,
    /// Waits.
    Held,
    /// Wrong data, or refused.
    Failed,
    /// Told by a `warn`.
    Warned,
    /// A record is done.
    Done,
    /// What a person typed was carried out, or was not and why.
    Wished,
    /// A connection does not work.
    Disconnected,
    /// A run ended.
    Finished,
}

/// Where events go.
pub trait Journal: Send + Sync {
    /// Takes an event. Never fails the run: a journal that cannot write says so once on its own.
    fn record(&self, event: &Event);
}

//! The two systems over HTTP: asks become vendor queries, writes become vendor bodies, answers become facts.
//!
//! Takes asks and [`crate::ledger::Intended`] writes, gives records and [`Answered`]. Promises that no value becomes
//! filter syntax, that a write is sent at most once per call, and that limits are kept per connection. Knows no flow.

mod address;
mod afas;
mod answer;
mod body;
mod faults;
mod http;
mod line;
mod login;
mod manifest;
mod rest;
mod rows;
mod sent;
#[cfg(test)]
mod testing;

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::SecretString;

use crate::{
    ledger::Intended,
    schema::Catalog,
    value::{Action, Ask, Record},
};

pub use body::Bodies;
pub use manifest::Manifest;
use manifest::Protocol;

/// Opens a connection to one of the systems that koppel brings along; nothing is sent yet.
pub fn open(connection: &Connection, catalog: Arc<Catalog>) -> Result<Arc<dyn Connector>, ConnectorError> {
    let manifest = Manifest::standard(&connection.system)
        .map_err(|error| ConnectorError::Setup(format!("connection {}: {error}", connection.name)))?;
    open_with(manifest, connection, catalog)
}

/// Opens a connection to the system of this manifest: a third system is a manifest and a schema.
pub fn open_with(
    manifest: Manifest,
    connection: &Connection,
    catalog: Arc<Catalog>,
) -> Result<Arc<dyn Connector>, ConnectorError> {
    let protocol = manifest.protocol;
    let line = line::Line::new(manifest, connection)?;
    Ok(match protocol {
        Protocol::Rest => Arc::new(rest::Rest::new(line, catalog)),
        Protocol::Afas => Arc::new(afas::Afas::new(line, catalog)),
    })
}

/// How to reach a system: a section `[connections.NAME]` of `koppel.toml`, secrets resolved.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its name in `koppel.toml`.
    pub name: Arc<str>,
    /// `jortt` or `afas`.
    pub system: Arc<str>,
    /// Base address; none = the system's own.
    pub base: Option<Arc<str>>,
    /// Log-in address; none = the system's own.
    pub login: Option<Arc<str>>,
    /// AFAS participant number.
    pub participant: Option<Arc<str>>,
    /// How to log in.
    pub credentials: Credentials,
    /// What is done with which entity (none = read), so that no more is asked of the account; none = everything.
    pub uses: Option<BTreeSet<(Arc<str>, Option<Action>)>>,
    /// How long an unclear write may still take effect; none = the manifest's.
    pub settle: Option<Duration>,
}

/// How to log in.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// OAuth 2 client credentials.
    Client {
        /// Client id.
        id: SecretString,
        /// Client secret.
        secret: SecretString,
    },
    /// The classic AFAS token (the XML text, or its 64 digits).
    Token(SecretString),
}

/// A system that can be read and written.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Its name in `koppel.toml`.
    fn name(&self) -> &str;

    /// Who is on the other side (organisation, environment): differs = another system, nothing may be sent.
    async fn identity(&self) -> Result<String, ConnectorError>;

    /// One page of a source: records that satisfy the ask's filter, already decoded. `cursor` is that of the page
    /// before; none = the first page.
    async fn page(&self, source: &Ask, cursor: Option<&Cursor>) -> Result<Page, ConnectorError>;

    /// Rows for many asks, in as few calls as the limits allow; answers in the order of the asks. Every answer is
    /// complete and satisfies its filter exactly.
    async fn find(&self, asks: &[Ask]) -> Result<Vec<Arc<[Record]>>, ConnectorError>;

    /// Sends one write, once.
    async fn write(&self, intended: &Intended) -> Answered;

    /// The stamp by which an entity is listed, newest first; none where the order is another one or not known.
    fn newest_first(&self, entity: &str) -> Option<&Arc<str>>;

    /// How many HTTP requests were made so far, log-ins not counted.
    fn requests(&self) -> u64;

    /// From a certain moment of no open socket until a write can no longer take effect.
    fn settle(&self) -> Duration;

    /// From the end of a write until reads show it.
    fn read_lag(&self) -> Duration;
}

/// Where the next page begins; made by the connector that reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A page of a source.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// In the order of the source.
    pub records: Vec<Record>,
    /// Rows that may belong to it and are not as the schema has them.
    pub faulty: Vec<Faulty>,
    /// None = the end.
    pub next: Option<Cursor>,
}

/// A row that is not as the schema has it: nothing may be decided with it.
#[derive(Debug, Clone)]
pub struct Faulty {
    /// What can be read of it, so that it can be called by its key; the rest is blank.
    pub record: Record,
    /// `row with id 17`, where its key is one that may be shown.
    pub row: Option<Arc<str>>,
    /// What is wrong with it; shows nothing personal.
    pub text: Arc<str>,
}

impl fmt::Display for Faulty {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.row {
            Some(row) => write!(out, "{row}: {}", self.text),
            None => out.write_str(&self.text),
        }
    }
}

/// What came of a write. The cases are those of the protocol's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// It happened, and this is its key.
    Done(Arc<str>),
    /// It happened, on a route that gives no key.
    DoneWithoutKey,
    /// It happened, and the key is missing or the body unreadable: to be read back, never sent again.
    Keyless,
    /// The target refused it and nothing happened; its words.
    Refused(String),
    /// The target says that the own number is taken.
    NumberExists(String),
    /// It certainly did not arrive or was not begun.
    NotArrived(ConnectorError),
    /// Nobody knows.
    Unclear(String),
}

/// What can go wrong, by what a caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectorError {
    /// Log-in, address, authorisation: nothing more is sent on this connection until a person mends it.
    #[error("{0}")]
    Setup(String),
    /// The system asks to wait (429, 503), already waited for as often as makes sense.
    #[error("{text}")]
    Busy {
        /// When to come back.
        after: Duration,
        /// Its words.
        text: String,
    },
    /// Somebody else works on what it needs: nothing happened, and it may be asked for again.
    #[error("{text}")]
    Locked {
        /// When to come back.
        after: Duration,
        /// Its words.
        text: String,
    },
    /// Not reached, or no usable answer, after retries (reads only).
    #[error("{0}")]
    Unreachable(String),
    /// An answer that is not what the vendor's specification says.
    #[error("{0}")]
    Unexpected(String),
    /// The system refused this one question.
    #[error("{0}")]
    Refused(String),
}

//! What somebody sees of a ledger who has not its lock, also while another process writes; and how a wish gets in.
//!
//! Takes the path of a ledger, gives counts, rows and reasons. Promises to change nothing, but for the wishes that it is
//! given: these it writes through a connection of their own, in one small transaction.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use super::{
    LedgerError, place, records,
    row::{RecordOutcome, Row},
    status::{self, Status},
    store::{self, Answer, outcome_of, perhaps, shared, word},
    tables,
    wish::{self, Verb, Wish, Wished},
};
use crate::clock;

/// A ledger to look at.
#[derive(Debug)]
pub struct View {
    connection: Connection,
    path: PathBuf,
}

/// A record, or the stage behind one of its writes, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stands {
    /// The write behind which it is decided; empty for the flow itself.
    pub stage: Arc<str>,
    /// How it stands.
    pub outcome: RecordOutcome,
    /// Was it done once?
    pub sealed: bool,
    /// Why, masked.
    pub reason: Option<Arc<str>>,
}

/// A row that a person may settle.
#[derive(Debug, Clone)]
pub struct Doubted {
    /// Which.
    pub row: Row,
    /// Why its record is held, masked; none where that does not wait for a person.
    pub reason: Option<Arc<str>>,
}

/// Who has the lock of a ledger: the number of its process, where that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder(pub Option<u32>);

impl View {
    /// Looks at a ledger; none where nothing was ever written.
    ///
    /// # Errors
    /// The file is no ledger, or one of another version.
    pub fn open(ledger: &Path) -> Result<Option<Self>, LedgerError> {
        if !ledger.exists() {
            return Ok(None);
        }
        let connection = Connection::open_with_flags(ledger, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(PATIENCE)?;
        tables::newest(&connection)?;
        Ok(Some(Self { connection, path: ledger.to_owned() }))
    }

    /// How everything stands.
    pub fn status(&self) -> Result<Status, LedgerError> {
        status::read(&self.connection)
    }

    /// The runs that have records.
    pub fn runs(&self) -> Result<Vec<Arc<str>>, LedgerError> {
        self.names("SELECT DISTINCT run FROM record ORDER BY run", [])
    }

    /// The runs that have a record of this key.
    pub fn runs_with(&self, key: &str) -> Result<Vec<Arc<str>>, LedgerError> {
        self.names("SELECT DISTINCT run FROM record WHERE key = ?1 ORDER BY run", [key])
    }

    /// Keys of records of a run.
    pub fn keys(&self, run: &str) -> Result<Vec<Arc<str>>, LedgerError> {
        self.names("SELECT key FROM record WHERE run = ?1 AND stage = '' ORDER BY key", [run])
    }

    /// A record and its stages; nothing where the run has no such record.
    pub fn record(&self, run: &str, key: &str) -> Result<Vec<Stands>, LedgerError> {
        let sentence = "SELECT stage, outcome, sealed, reason FROM record WHERE run = ?1 AND key = ?2 ORDER BY stage";
        let mut statement = self.connection.prepare_cached(sentence)?;
        let found = statement.query_map(params![run, key], |line| {
            Ok(Stands {
                stage: shared(line, 0)?,
                outcome: word(line, 1, outcome_of)?,
                sealed: line.get(2)?,
                reason: perhaps(line, 3)?,
            })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The writes, things and updates of a record and of its stages.
    pub fn rows(&self, run: &str, key: &str) -> Result<Vec<Row>, LedgerError> {
        store::of_record(&self.connection, run, key)
    }

    /// All rows that a person may settle, with the reason of their record where it is held; of those that were sent too
    /// often the ones that hold their record.
    pub fn doubts(&self) -> Result<Vec<Doubted>, LedgerError> {
        let mut all = store::doubts(&self.connection)?;
        all.extend(store::used_up(&self.connection)?);
        let reason = |row: Row| -> Answer<Doubted> {
            let record = self.record(&row.record.run, &row.record.key)?;
            let own = record.into_iter().find(|own| own.stage == row.record.stage);
            let reason = own.filter(|own| own.outcome == RecordOutcome::Held).and_then(|own| own.reason);
            Ok(Doubted { row, reason })
        };
        all.into_iter().map(reason).collect()
    }

    /// How many records and stages a retry would decide again.
    pub fn retried(&self, run: &str, key: Option<&str>, verb: Verb) -> Result<u64, LedgerError> {
        let condition = records::retried(key, verb == Verb::RetryFailed);
        let counted = format!("SELECT count(*) FROM record WHERE {condition}");
        let count: i64 = self.connection.query_row(&counted, params![run, key], |line| line.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The wishes that wait, and those that were ended since then.
    pub fn wishes(&self, since: Timestamp) -> Result<Vec<Wished>, LedgerError> {
        wish::wishes(&self.connection, "ended IS NULL OR ended >= ?1", [since.to_string()])
    }

    /// Copies it as it stands at this moment, to decide with while another process has it.
    ///
    /// # Errors
    /// The copy cannot be written; the ledger stays as it is in any case.
    pub fn copy(&self, to: &Path) -> Result<(), LedgerError> {
        let to = to.to_str().ok_or_else(|| LedgerError::File { path: to.to_owned(), text: "is no text".to_owned() })?;
        self.connection.execute("VACUUM INTO ?1", [to])?;
        Ok(())
    }

    /// Who works with it now; none where nobody does.
    ///
    /// # Errors
    /// The lock does not work.
    pub fn holder(&self) -> Result<Option<Holder>, LedgerError> {
        match place::lock(&self.path) {
            // Ours for this moment only.
            Ok(_) => Ok(None),
            Err(LedgerError::Locked { pid, .. }) => Ok(Some(Holder(pid))),
            Err(error) => Err(error),
        }
    }

    /// Writes wishes, for the process that has the lock, or will have it next.
    ///
    /// # Errors
    /// They could not be written; none of them is.
    pub fn wish(&self, wishes: &[Wish]) -> Result<(), LedgerError> {
        let mut connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tables::newest(&transaction)?;
        wish::put(&transaction, clock::now(), wishes)?;
        Ok(transaction.commit()?)
    }

    fn names(&self, sentence: &str, values: impl rusqlite::Params) -> Result<Vec<Arc<str>>, LedgerError> {
        let mut statement = self.connection.prepare_cached(sentence)?;
        let names = statement.query_map(values, |line| shared(line, 0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }
}

/// So long another connection is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

//! What was sent, so that nothing is sent twice: the protocol as types, on `SQLite`.
//!
//! Takes names, keys and hashes of writes, gives permissions to send. Promises that an [`Intended`] exists only after
//! its row is on disk, and that no payload, name or e-mail is ever stored.
//!
//! - A write goes *intend, commit, send, confirm*. Whatever was on its way when a process died is in doubt at the next
//!   start, and is asked for by its own number or reference, never sent again blindly ([`state`] is the whole table).
//! - There is one row for each ensured thing (the debtor of an e-mail), shared by all records and flows; all rows of
//!   one recognition key together are the lock under which the thing is looked for once more and made.
//! - What people wish of records is written beside the process that has the ledger, and carried out by it ([`Wish`]).
//! - All sentences go through one thread, many to a commit; a commit that failed ends all sending.

mod error;
mod gates;
mod key;
mod left;
mod moments;
mod place;
mod question;
mod records;
mod row;
pub mod state;
mod status;
mod store;
mod tables;
mod view;
mod wish;
mod writer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rusqlite::Connection;

pub use error::LedgerError;
pub use gates::{LockName, Locks, Slot};
pub use left::{Change, LeftAt, LeftField, ReadBack, Target};
pub use place::Places;
pub use question::{Judged, Mark as QuestionMark, Part, Question};
pub use records::LAST_TRY;
pub use row::{
    Ending, Hashes, Intent, Kept, Known, KnownRecord, Mark, RecordName, RecordOutcome, Row, RowId, Thing, Told, Wanted,
};
pub use state::{Command, Event, Finding, Reply, Seen, State, Why};
pub use status::{Doubt, Status, Waiting, not_yet, status};
pub use view::{Doubted, Holder, Stands, View};
pub use wish::{Came, Verb, Wish, Wished};

use crate::{
    clock, crash,
    value::{Node, Record, Value, Write},
};

/// A write that is on disk as intended: the only thing that a connector accepts. Only the ledger makes one.
#[derive(Debug)]
pub struct Intended {
    write: Write,
    attempt: u32,
    row: RowId,
}

impl Intended {
    /// What is to be sent, keys of earlier writes filled in.
    #[must_use]
    pub fn write(&self) -> &Write {
        &self.write
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Its row, to tell what came of it.
    #[must_use]
    pub fn row(&self) -> RowId {
        self.row
    }
}

/// An open ledger; there is one for each process and environment.
#[derive(Debug)]
pub struct Ledger {
    // In this order: the thread ends before the lock is freed.
    writer: writer::Writer,
    _lock: place::Lock,
    gates: gates::Gates,
    key: key::Key,
    epoch: i64,
    moments: moments::Moments,
    quarantine: Arc<Quarantine>,
}

/// Hashes values as the ledger remembers them.
#[derive(Debug, Clone)]
pub struct Hasher(key::Key);

impl Hasher {
    /// The short hash of what stands, or would be sent, at a path.
    #[must_use]
    pub fn leaf(&self, node: &Node) -> Arc<str> {
        self.0.leaf(node)
    }

    /// The short hash of what a read shows.
    #[must_use]
    pub fn value(&self, value: &Value) -> Arc<str> {
        self.0.leaf(&Node::Value(value.clone()))
    }
}

/// After a loss, nothing is created until what was forgotten cannot take effect any more.
#[derive(Debug)]
struct Quarantine {
    lost: bool,
    start: Instant,
    /// The longest time that anyone waits for, in seconds.
    longest: AtomicU64,
}

/// So many records are read once more at a time.
const UNREAD: u32 = 500;

impl Ledger {
    /// Opens or makes a ledger. What was on its way when the last process ended is in doubt from now on, on disk
    /// before this returns.
    ///
    /// # Errors
    /// Every [`LedgerError`]; nothing may be sent then.
    pub fn open(places: &Places) -> Result<Self, LedgerError> {
        let path = &places.ledger;
        let file = |error: std::io::Error| LedgerError::File { path: path.clone(), text: error.to_string() };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(file)?;
        }
        let lock = place::lock(path)?;
        let exists = std::fs::metadata(path).is_ok_and(|facts| facts.len() > 0);
        let key = key::Key::load(&places.key, !exists)?;
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(64);
        tables::migrate(&mut connection)?;
        let found = begin(&mut connection, &key, places)?;
        let now = place::Birth { epoch: found.epoch + 1, inode: place::inode(path).map_err(file)?, ..found };
        let before = place::Birth { epoch: now.epoch - 1, ..now.clone() };
        let birth = places.birth.as_deref().and_then(place::Birth::read);
        let quarantine = Arc::new(Quarantine {
            lost: birth.is_some_and(|birth| !birth.continues_in(&before)),
            start: Instant::now(),
            longest: AtomicU64::new(seconds(places.settle)),
        });
        if let (Some(birth), false) = (&places.birth, quarantine.lost) {
            now.write(birth).map_err(|error| LedgerError::File { path: birth.clone(), text: error.to_string() })?;
        }
        let over = Arc::clone(&quarantine);
        let watch = writer::Watch {
            path: path.clone(),
            seen: now.clone(),
            birth: places.birth.clone(),
            may_mark: Box::new(move || over.over()),
        };
        Ok(Self {
            writer: writer::Writer::start(connection, watch)?,
            _lock: lock,
            gates: gates::Gates::default(),
            key,
            epoch: now.epoch,
            moments: moments::Moments::new(quarantine.start),
            quarantine,
        })
    }

    /// Must creates wait that were asked for at that moment, because the ledger was lost or put back and `settle` had
    /// not passed since this start? What was asked for before that may have missed what the ledger forgot.
    #[must_use]
    pub fn quarantined(&self, settle: Duration, asked: Instant) -> bool {
        self.quarantine.longest.fetch_max(seconds(settle), Ordering::Relaxed);
        self.quarantine.lost && asked.saturating_duration_since(self.quarantine.start) < settle
    }

    /// How long creates on any connection still have to wait after a loss; none when nothing was lost, or it is over.
    #[must_use]
    pub fn quarantine_left(&self) -> Option<Duration> {
        let longest = Duration::from_secs(self.quarantine.longest.load(Ordering::Relaxed));
        let left = longest.saturating_sub(self.quarantine.start.elapsed());
        (self.quarantine.lost && !left.is_zero()).then_some(left)
    }

    /// Checks that a connection still leads to the same system; the first answer is remembered.
    pub async fn connect(&self, name: &str, identity: &str) -> Result<(), LedgerError> {
        let (own, found) = (name.to_owned(), identity.to_owned());
        let other = self.writer.call(move |c| records::connect(c, &own, &found)).await?;
        other.map_or(Ok(()), |known| {
            Err(LedgerError::OtherSystem { connection: name.into(), known, found: identity.to_owned() })
        })
    }

    // ---- hashes

    /// Short keyed hashes of what stands at these paths, through lists.
    #[must_use]
    pub fn hashes(&self, record: &Record, paths: &[Arc<str>]) -> Hashes {
        paths.iter().map(|path| (Arc::clone(path), self.key.content(record, path))).collect()
    }

    /// A thing to be ensured: the lock of its recognition key, and its identity by all that was compared.
    #[must_use]
    pub fn thing(&self, name: &Arc<str>, conn: &Arc<str>, family: &Arc<str>, key: &Value, compared: &[Value]) -> Thing {
        // Targets compare keys without case: ` Info@` and `info@` are one lock, whatever wrote them.
        let plain = match key {
            Value::Text(text) => Value::text(&text.trim().to_lowercase()),
            other => other.clone(),
        };
        let all: Vec<&Value> = std::iter::once(&plain).chain(compared).collect();
        Thing {
            name: Arc::clone(name),
            compared: self.key.values("compared", &all),
            lock: LockName {
                conn: Arc::clone(conn),
                family: Arc::clone(family),
                key: self.key.values("recognised", &[&plain]),
            },
        }
    }

    // ---- what waits in memory

    /// The lock of a record of a target: one change of it is under way at a time.
    #[must_use]
    pub fn change_lock(&self, conn: &Arc<str>, thing: &str, key: &str) -> LockName {
        LockName {
            conn: Arc::clone(conn),
            family: format!("change of {thing}").into(),
            key: self.key.values("changed", &[&Value::text(key)]),
        }
    }

    /// Takes locks of things, all of them in one order. Dropped while waiting, it holds none.
    pub async fn lock(&self, names: Vec<LockName>) -> Locks {
        self.gates.lock(names).await
    }

    /// Waits for leave to have one more write of a connection under way.
    pub async fn slot(&self, conn: &Arc<str>) -> Result<Slot, LedgerError> {
        self.gates.slot(conn).await
    }

    /// Since when a row stands where it stands, by this process's clock: the start for what it found.
    #[must_use]
    pub fn since(&self, row: RowId) -> Instant {
        self.moments.since(row)
    }

    // ---- rows

    /// Puts a write on disk as intended, in one commit with what came of the write before it. The ask for it must
    /// have found nothing ([`Ledger::found`] is for the other findings) and be younger than its last void.
    ///
    /// Dropped half-way, the row may stand as intended without being sent: it is then settled as any row in doubt.
    pub async fn intend(&self, slot: &Slot, wanted: Wanted, before: Option<Told>) -> Result<Intent, LedgerError> {
        if slot.conn != wanted.conn {
            return Err(LedgerError::Impossible(format!("a slot of {} for {}", slot.conn, wanted.conn)));
        }
        self.want(wanted, Finding::Absent, None, before).await
    }

    /// Tells that a wanted write was there already.
    pub async fn found(
        &self,
        wanted: Wanted,
        finding: Finding,
        key: Option<Arc<str>>,
        before: Option<Told>,
    ) -> Result<Intent, LedgerError> {
        if finding == Finding::Absent {
            return Err(LedgerError::Impossible(format!("{} was not found", wanted.write.name)));
        }
        self.want(wanted, finding, key, before).await
    }

    async fn want(
        &self,
        wanted: Wanted,
        finding: Finding,
        key: Option<Arc<str>>,
        before: Option<Told>,
    ) -> Result<Intent, LedgerError> {
        let at = self.at();
        let payload = self.key.body(&wanted.write.fields);
        let leaves = self.key.leaves(&wanted.write.fields);
        let moments = self.moments.clone();
        let write = wanted.write.clone();
        let follows = before.is_some();
        let wants = self
            .writer
            .call(move |c| {
                let told = before.map(|told| store::tell(c, at, &told)).transpose()?;
                let sent = left::Sent { payload: &payload, leaves: &leaves };
                let wants = store::want(c, at, &wanted, &sent, finding, key.as_deref())?;
                if let Some((row, _)) = told {
                    moments.moved(row.id, row.standing.state);
                }
                if let store::Wants::Intended { row, .. } = &wants {
                    moments.moved(*row, State::Intended);
                    crash::point("intend-queued");
                }
                Ok(wants)
            })
            .await?;
        Ok(match wants {
            store::Wants::UseKey(row) => Intent::UseKey(row.target_key.unwrap_or_default()),
            store::Wants::InDoubt => Intent::InDoubt,
            store::Wants::Held(why) => Intent::Held(why),
            store::Wants::Other(record) => Intent::Other(record),
            store::Wants::Stands(key) => Intent::UseKey(key),
            store::Wants::Flips { field, run } => Intent::Flips { field, run },
            // The commit is on disk: from here on, and only from here, it may be sent.
            store::Wants::Intended { row, attempt } => {
                crash::point("intend-committed");
                if follows {
                    crash::point("confirm+next-intend-committed");
                }
                Intent::Send(Intended { write, attempt, row })
            }
        })
    }

    /// Tells what came of an attempt; gives what to do now.
    pub async fn tell(&self, told: Told) -> Result<Command, LedgerError> {
        self.told(told, None).await
    }

    /// Tells what an ask that began then showed of a row; gives what to do now. Where the row has moved since, somebody
    /// else has settled it or sent it anew, and the answer is about what is over: nothing is done.
    pub async fn answer(&self, told: Told, begun: Instant) -> Result<Command, LedgerError> {
        self.told(told, Some(begun)).await
    }

    async fn told(&self, told: Told, begun: Option<Instant>) -> Result<Command, LedgerError> {
        let at = self.at();
        let moments = self.moments.clone();
        self.writer
            .call(move |c| {
                let from = store::state_at(c, told.row)?;
                // A row that is gone was an update that is over.
                let over = |begun| from.is_none_or(|state| moments.over(told.row, state, begun));
                if begun.is_some_and(over) {
                    return Ok(Command::Rest);
                }
                let (row, command) = store::tell(c, at, &told)?;
                if Some(row.standing.state) != from {
                    moments.moved(row.id, row.standing.state);
                }
                Ok(command)
            })
            .await
    }

    /// All rows in doubt, of every run.
    pub async fn doubts(&self) -> Result<Vec<Row>, LedgerError> {
        self.writer.call(store::doubts).await
    }

    /// The rows under a lock; to be read while it is held.
    pub async fn under(&self, lock: &LockName) -> Result<Vec<Row>, LedgerError> {
        let lock = lock.clone();
        self.writer.call(move |c| store::under(c, &lock.conn, &lock.family, &lock.key)).await
    }

    /// The key of the last confirmed write of an entity, but for the one that is asked about: it certainly exists.
    pub async fn control(&self, conn: &str, entity: &str, but: Option<&str>) -> Result<Option<Arc<str>>, LedgerError> {
        let (conn, entity, but) = (conn.to_owned(), entity.to_owned(), but.map(str::to_owned));
        self.writer.call(move |c| store::control(c, &conn, &entity, but.as_deref())).await
    }

    /// Which of these keys, own numbers or references of an entity are koppel's own writes, in any state.
    pub async fn made(&self, conn: &str, entity: &str, keys: Vec<Arc<str>>) -> Result<Vec<bool>, LedgerError> {
        let (conn, entity) = (conn.to_owned(), entity.to_owned());
        self.writer.call(move |c| keys.iter().map(|key| store::made(c, &conn, &entity, key)).collect()).await
    }

    // ---- what is left at the targets

    /// What koppel left in these records of targets, in order.
    pub async fn left(&self, targets: Vec<Target>) -> Result<Vec<LeftAt>, LedgerError> {
        self.writer.call(move |c| targets.iter().map(|target| left::left(c, target)).collect()).await
    }

    /// Was anything written to a record of this key since then?
    pub async fn changed_since(&self, conn: &str, key: &str, since: Timestamp) -> Result<bool, LedgerError> {
        let (conn, key) = (conn.to_owned(), key.to_owned());
        self.writer.call(move |c| left::changed_since(c, &conn, &key, since)).await
    }

    /// Keeps how the targets show fields, as hashes by written path: from here on another value is an edit. It counts
    /// for what was left before that moment, and was not read since.
    pub async fn set_bases(&self, shown: Vec<(Target, Hashes)>, before: Timestamp) -> Result<(), LedgerError> {
        self.writer.call(move |c| left::set_bases(c, &shown, before)).await
    }

    /// Keys of records of an entity in which something was left before that moment and not read since.
    pub async fn unread(&self, target: (&str, &str), before: Timestamp) -> Result<Vec<Arc<str>>, LedgerError> {
        let (conn, entity) = (target.0.to_owned(), target.1.to_owned());
        self.writer.call(move |c| left::unread(c, &conn, &entity, before, UNREAD)).await
    }

    /// Tells that these were read: what was not shown by now is not waited for.
    pub async fn were_read(&self, targets: Vec<Target>, before: Timestamp) -> Result<(), LedgerError> {
        self.writer.call(move |c| left::were_read(c, &targets, before)).await
    }

    /// What hashes values as they are remembered.
    #[must_use]
    pub fn hasher(&self) -> Hasher {
        Hasher(self.key.clone())
    }

    // ---- records

    /// What is known of these records, in order, of the flow itself (an empty stage) or of the stage behind a write.
    pub async fn records(&self, run: &str, stage: &str, keys: Vec<Arc<str>>) -> Result<Vec<Known>, LedgerError> {
        let (run, stage) = (run.to_owned(), stage.to_owned());
        self.writer.call(move |c| records::records(c, &run, &stage, &keys)).await
    }

    /// The stages of a run that have begun and are not over.
    pub async fn stages(&self, run: &str) -> Result<Vec<RecordName>, LedgerError> {
        let run = run.to_owned();
        self.writer.call(move |c| records::stages(c, &run)).await
    }

    /// Keys of the records of a run that wait: open or held.
    pub async fn waiting(&self, run: &str) -> Result<Vec<Arc<str>>, LedgerError> {
        let run = run.to_owned();
        self.writer.call(move |c| records::waiting(c, &run)).await
    }

    /// Writes how a record ended, in one commit with what came of its last write.
    pub async fn finish(&self, record: RecordName, ending: Ending, before: Option<Told>) -> Result<(), LedgerError> {
        let at = self.at();
        let follows = before.is_some();
        let moments = self.moments.clone();
        self.writer
            .call(move |c| {
                let told = before.map(|told| store::tell(c, at, &told)).transpose()?;
                records::finish(c, at, &record, &ending)?;
                if let Some((row, _)) = told {
                    moments.moved(row.id, row.standing.state);
                }
                if follows {
                    crash::point("confirm-queued");
                }
                Ok(())
            })
            .await?;
        if follows {
            crash::point("last-confirm-committed");
        }
        Ok(())
    }

    /// Adds hashes of fields that an edited plan reads for the first time; nothing else of the record changes.
    pub async fn fill_in(&self, record: RecordName, hashes: Hashes) -> Result<(), LedgerError> {
        self.writer.call(move |c| records::fill_in(c, &record, &hashes)).await
    }

    /// Notes a record that waits for what is in doubt elsewhere, so that it is looked at again.
    pub async fn wait(&self, record: RecordName, plan_version: Arc<str>) -> Result<(), LedgerError> {
        let at = self.at();
        self.writer.call(move |c| records::wait(c, at, &record, &plan_version)).await
    }

    /// Tells that records left the source before they were done.
    pub async fn gone(&self, records: Vec<RecordName>) -> Result<(), LedgerError> {
        let at = self.at();
        self.writer
            .call(move |c| {
                records.iter().try_for_each(|record| records::set_outcome(c, at, record, RecordOutcome::Gone, None))
            })
            .await
    }

    // ---- marks

    /// How far a source was read.
    pub async fn mark(&self, run: &str, list: &str) -> Result<Option<Mark>, LedgerError> {
        let (run, list) = (run.to_owned(), list.to_owned());
        self.writer.call(move |c| records::mark(c, &run, &list)).await
    }

    /// Remembers how far a source was read. To be called after the outcomes of all that was seen are written.
    pub async fn set_mark(&self, run: &str, list: &str, mark: Mark) -> Result<(), LedgerError> {
        let (run, list) = (run.to_owned(), list.to_owned());
        self.writer.call(move |c| records::set_mark(c, &run, &list, &mark)).await
    }

    /// The list that records of a source leave is about to be read: what an earlier reading that did not come to its end
    /// has noted is forgotten.
    pub async fn begin_list(&self, run: &str, list: &str) -> Result<(), LedgerError> {
        let (run, list) = (run.to_owned(), list.to_owned());
        self.writer.call(move |c| records::begin_list(c, &run, &list)).await
    }

    /// These are in that list now.
    pub async fn list(&self, run: &str, list: &str, keys: Vec<Arc<str>>) -> Result<(), LedgerError> {
        let (run, list) = (run.to_owned(), list.to_owned());
        self.writer.call(move |c| records::list(c, &run, &list, &keys)).await
    }

    /// What was in that list when it was last read to its end, and is not now.
    pub async fn left_list(&self, run: &str, list: &str) -> Result<Vec<Arc<str>>, LedgerError> {
        let (run, list) = (run.to_owned(), list.to_owned());
        self.writer.call(move |c| records::left_list(c, &run, &list)).await
    }

    /// That list was read to its end. To be called after the outcomes of all that left it are written.
    pub async fn end_list(&self, run: &str, list: &str) -> Result<(), LedgerError> {
        let (run, list) = (run.to_owned(), list.to_owned());
        self.writer.call(move |c| records::end_list(c, &run, &list)).await
    }

    fn at(&self) -> store::At {
        store::At { epoch: self.epoch, now: clock::now() }
    }
}

impl Quarantine {
    fn over(&self) -> bool {
        !self.lost || self.start.elapsed() >= Duration::from_secs(self.longest.load(Ordering::Relaxed))
    }
}

/// Whole seconds, and no less than the time.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// The first commit of a process: identity of the file, the next epoch, everything under way in doubt. Gives the file
/// as it was found.
fn begin(connection: &mut Connection, key: &key::Key, places: &Places) -> Result<place::Birth, LedgerError> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute(
        "INSERT OR IGNORE INTO meta (one, ledger_id, hmac_key_id, epoch, commits) VALUES (1, ?1, ?2, 0, 0)",
        [uuid::Uuid::new_v4().to_string(), key.id()],
    )?;
    let (found, key_id) =
        transaction.query_row("SELECT ledger_id, epoch, commits, hmac_key_id FROM meta", [], |row| {
            let birth = place::Birth { ledger_id: row.get(0)?, epoch: row.get(1)?, commits: row.get(2)?, inode: 0 };
            Ok((birth, row.get::<_, String>(3)?))
        })?;
    if key_id != key.id() {
        return Err(LedgerError::OtherKey { path: places.key.clone() });
    }
    transaction.execute("UPDATE meta SET epoch = epoch + 1", [])?;
    store::started(&transaction, store::At { epoch: found.epoch + 1, now: clock::now() })?;
    crash::point("restart:before-unsettled");
    transaction.commit()?;
    crash::point("restart:unsettled-committed");
    Ok(found)
}

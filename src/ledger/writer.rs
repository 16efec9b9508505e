//! The one thread that touches the database: it drains its queue into one transaction, syncs it to disk, and only then
//! tells the waiting tasks.
//!
//! Takes pieces of work, gives their results after the commit. Promises that a result is told only when it is on disk;
//! that a failed piece of work undoes itself and nothing else; and that after a failed commit, a foreign epoch or a
//! replaced file nothing is told as done any more: whoever waits gets the error, and so does everyone after.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    LedgerError,
    place::{Birth, inode},
};

/// So many pieces of work go into one commit at most.
const GROUP: usize = 256;
/// How often the birth mark is written.
const TICK: Duration = Duration::from_mins(1);

/// Runs within the transaction; says how to tell the outcome, given that of the commit.
type Work = Box<dyn FnOnce(&Connection) -> Tell + Send>;
type Tell = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

/// The queue before the thread.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
    broken: Arc<Mutex<Option<LedgerError>>>,
}

/// What the thread checks at each commit, and the mark it keeps.
pub(super) struct Watch {
    pub(super) path: PathBuf,
    pub(super) seen: Birth,
    pub(super) birth: Option<PathBuf>,
    /// Says when the mark may be written: not while a lost ledger is in quarantine.
    pub(super) may_mark: Box<dyn Fn() -> bool + Send>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection, watch: Watch) -> Result<Self, LedgerError> {
        let (queue, work) = mpsc::channel();
        let broken = Arc::new(Mutex::new(None));
        let told = Arc::clone(&broken);
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || run(connection, watch, &work, &told))
            .map_err(|error| LedgerError::Stopped(error.to_string()))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), broken })
    }

    /// Queues work and waits for its commit. Dropped half-way, the work is done all the same.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (tell, told) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let result = within(connection, work);
            Box::new(move |commit| {
                // Nobody waits any more: the work is done all the same.
                let _ = tell.send(commit.and(result));
            })
        });
        let sent = self.queue.as_ref().is_some_and(|queue| queue.send(work).is_ok());
        if sent && let Ok(result) = told.await {
            return result;
        }
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Err(broken.unwrap_or_else(|| LedgerError::Stopped("its thread has ended".to_owned())))
    }
}

/// Ends when all that is queued is on disk.
impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // It reports its troubles itself.
            let _ = thread.join();
        }
    }
}

/// Runs one piece of work so that its failure leaves the others of its group alone.
fn within<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    connection.execute_batch("SAVEPOINT work")?;
    let result = work(connection);
    let end = if result.is_ok() { "RELEASE work" } else { "ROLLBACK TO work; RELEASE work" };
    connection.execute_batch(end)?;
    result
}

fn run(
    mut connection: Connection,
    mut watch: Watch,
    queue: &mpsc::Receiver<Work>,
    broken: &Mutex<Option<LedgerError>>,
) {
    loop {
        let first = match queue.recv_timeout(TICK) {
            Ok(first) => first,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                mark(&watch);
                continue;
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        };
        let mut told = Vec::new();
        // Kept here on an early failure: dropping it wakes its sender, who must then find the reason.
        let mut first = Some(first);
        let commit = commit(&mut connection, &mut watch, &mut first, queue, &mut told);
        if let Err(error) = &commit {
            *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
        }
        for tell in told {
            tell(commit.clone());
        }
        if commit.is_err() {
            return;
        }
    }
    mark(&watch);
}

fn commit(
    connection: &mut Connection,
    watch: &mut Watch,
    work: &mut Option<Work>,
    queue: &mpsc::Receiver<Work>,
    told: &mut Vec<Tell>,
) -> Result<(), LedgerError> {
    let whole = |error: rusqlite::Error| LedgerError::Stopped(format!("a commit failed: {error}"));
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(whole)?;
    let (epoch, commits): (i64, i64) = transaction
        .query_row("SELECT epoch, commits FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(whole)?;
    let same_file = inode(&watch.path).is_ok_and(|inode| inode == watch.seen.inode);
    if epoch != watch.seen.epoch || !same_file {
        return Err(LedgerError::Replaced { path: watch.path.clone() });
    }
    let before = transaction.total_changes();
    while let Some(next) = work.take() {
        told.push(next(&transaction));
        if told.len() < GROUP {
            *work = queue.try_recv().ok();
        }
    }
    // Only asking costs no sync.
    if transaction.total_changes() != before {
        transaction.execute("UPDATE meta SET commits = ?1", [commits + 1]).map_err(whole)?;
        watch.seen.commits = commits + 1;
    }
    transaction.commit().map_err(whole)
}

fn mark(watch: &Watch) {
    if let Some(path) = &watch.birth
        && (watch.may_mark)()
    {
        // An older mark is still true of this ledger, and the next one is due in a minute: nothing is lost.
        let _ = watch.seen.write(path);
    }
}

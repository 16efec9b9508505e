//! What a run would do now with the records of its source: decided with what the ledger knows, and nothing sent.
//!
//! Takes a run and a ledger that may be written, a copy or an empty one; gives what would come of each record. Promises
//! that nothing leaves but questions, and that what was made before is not shown as still to be made.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

use super::{
    Ended, EngineError, Progress, Run, Silent, Stop,
    apply::{changed_half_way, half_way, known, would_make_again},
    decide::{self, Decided},
    page::Carried,
    poll::Poll,
    source::{Pages, nameless},
    summary::Tally,
};
use crate::{
    ledger::Ledger,
    value::{Action, Decision, Outcome, Reason},
};

/// What would come of a record.
#[derive(Debug, Clone)]
pub enum Foreseen {
    /// It looks as it did when it was decided, and is left alone.
    Unchanged,
    /// Nobody knows yet whether something of it was made; that is asked first.
    InDoubt,
    /// It would be decided so. What was made before is not among the writes.
    Decided(Decision),
}

/// Tells what would come of every record of the source; gives how many were read. Only the ledger that is given is
/// written, so it should be a copy.
///
/// # Errors
/// A connection or the ledger does not work.
pub async fn foresee(
    run: &Run,
    ledger: &Ledger,
    stop: &Stop,
    mut tell: impl FnMut(&Arc<str>, Foreseen),
) -> Result<u64, EngineError> {
    let (undecided, tally, unclear) = (Undecided::default(), Tally::default(), AtomicU32::new(0));
    let poll = Poll::new((run, ledger), (&Silent, &undecided), stop, &tally, &unclear);
    let source = run.source()?;
    poll.identity(&source.name.role).await?;
    let ask = poll.source_ask(source, source.filter.clone()).await?;
    let mut pages = Pages::new(run, stop, ask)?;
    let mut carried = Carried::default();
    while let Some(batch) = pages.batch(&mut |_| false).await? {
        let entries = poll.entries(source, &mut carried, batch).await?;
        for (key, foreseen) in undecided.take() {
            tell(&key, foreseen);
        }
        if entries.is_empty() {
            continue;
        }
        poll.acquainted().await?;
        for decided in decide::page(run, ledger, stop, &mut carried.memory, poll.today, entries).await? {
            let key = decided.entry.name.key.clone();
            tell(&key, Foreseen::Decided(still_to_do(&poll, decided)));
        }
    }
    match carried.nameless {
        Some(faulty) => Err(nameless(run, source, &faulty)),
        None => Ok(undecided.read.into_inner()),
    }
}

/// The decision as it would be carried out: without what was made before, and held where that does not fit it.
fn still_to_do(poll: &Poll<'_>, decided: Decided) -> Decision {
    let Decided { entry, mut decision, rows } = decided;
    let hold = |write: &str, text: String| Outcome::Hold(poll.run.reason(Some(write), text.clone(), text)).into();
    if let Some(name) = half_way(poll.run, &entry, &decision, &rows, poll.today) {
        return hold(name, changed_half_way(name));
    }
    if let Outcome::Writes(writes) = &mut decision.outcome {
        writes.retain(|write| write.action != Action::Create || !known(&entry, write));
        if let Some(write) = writes.iter().find(|write| entry.sealed() && write.action == Action::Create) {
            return hold(&write.name, would_make_again(poll.run, &entry, write));
        }
    }
    decision
}

/// Notes the records that are not decided.
#[derive(Debug, Default)]
struct Undecided {
    read: AtomicU64,
    records: Mutex<Vec<(Arc<str>, Foreseen)>>,
}

impl Undecided {
    fn take(&self) -> Vec<(Arc<str>, Foreseen)> {
        std::mem::take(&mut *self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Progress for Undecided {
    fn read(&self, _: &str, records: u64) {
        self.read.fetch_add(records, Ordering::Relaxed);
    }

    fn ended(&self, _: &str, key: &str, ended: Ended, reason: Option<&Reason>) {
        let foreseen = match (ended, reason.cloned()) {
            (Ended::Unsettled, _) => Foreseen::InDoubt,
            (Ended::Held, Some(reason)) => Foreseen::Decided(Outcome::Hold(reason).into()),
            (Ended::Skipped, Some(reason)) => Foreseen::Decided(Outcome::Skip(reason).into()),
            _ => Foreseen::Unchanged,
        };
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push((key.into(), foreseen));
    }
}

//! What waits in memory: locks of things to be ensured, and slots for sending.
//!
//! A lock keeps two records from making one debtor at once; what outlives the process stands in the rows. A slot is
//! taken before anything is intended, so that only what stands in the slots can ever be in doubt.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use super::{LedgerError, key::Hash};

/// So many writes of one connection are under way at once: some more than a system takes, so that the next ones are on
/// disk when an answer comes.
const SLOTS: usize = 10;

/// The lock of everything that one key recognises. Sorted, so that all take their locks in one order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockName {
    /// The connection.
    pub(super) conn: Arc<str>,
    /// `debtor`.
    pub(super) family: Arc<str>,
    /// Keyed hash of the recognition key.
    pub(super) key: Hash,
}

/// Locks that are held; dropping them lets the next record in.
#[derive(Debug)]
pub struct Locks(#[expect(dead_code, reason = "held until dropped")] Vec<OwnedMutexGuard<()>>);

/// Leave to have one write under way; dropping it lets the next one go.
#[derive(Debug)]
pub struct Slot {
    /// For which connection.
    pub(super) conn: Arc<str>,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug, Default)]
pub(super) struct Gates {
    locks: Mutex<HashMap<LockName, Arc<tokio::sync::Mutex<()>>>>,
    slots: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
}

impl Gates {
    /// Takes all of the locks, in order. Dropped half-way, it holds none.
    pub(super) async fn lock(&self, mut names: Vec<LockName>) -> Locks {
        names.sort();
        names.dedup();
        let mut held = Vec::with_capacity(names.len());
        for name in names {
            let lock = {
                let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
                // Nobody holds or awaits a lock that only this table knows.
                locks.retain(|_, lock| Arc::strong_count(lock) > 1);
                Arc::clone(locks.entry(name).or_default())
            };
            held.push(lock.lock_owned().await);
        }
        Locks(held)
    }

    /// Waits for a slot of a connection.
    pub(super) async fn slot(&self, conn: &Arc<str>) -> Result<Slot, LedgerError> {
        let slots = {
            let mut all = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(Arc::clone(conn)).or_insert_with(|| Arc::new(Semaphore::new(SLOTS))))
        };
        let permit = slots.acquire_owned().await.map_err(|error| LedgerError::Stopped(error.to_string()))?;
        Ok(Slot { conn: Arc::clone(conn), _permit: permit })
    }
}

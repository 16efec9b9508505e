//! Since when rows stand where they stand, by the clock of this process.
//!
//! Takes each move of a row, gives the moment of the last one: late enough after it, an ask proves an absence; and an
//! answer to an ask that began before it is about what is over. The writer's thread keeps it, in the order in which the
//! rows move. Promises to keep only what can still matter: a write that is confirmed stays so, and its moment is dropped,
//! so that a process does not grow with what it sends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use super::{
    row::{RowId, Table},
    state::State,
};

/// The moments of the rows that moved in this process.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    start: Instant,
    moved: Arc<Mutex<HashMap<RowId, Instant>>>,
}

impl Moments {
    /// Of a process that starts then.
    pub(super) fn new(start: Instant) -> Self {
        Self { start, moved: Arc::default() }
    }

    /// A row moved to this state just now. To be told last in a piece of work: what fails after it undoes the move.
    pub(super) fn moved(&self, row: RowId, to: State) {
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        if stays(row, to) {
            moved.remove(&row);
        } else {
            moved.insert(row, Instant::now());
        }
    }

    /// Since when a row stands where it stands: the start for what this process found there.
    pub(super) fn since(&self, row: RowId) -> Instant {
        self.get(row).unwrap_or(self.start)
    }

    /// Is it over what an ask that began then was about, now that the row stands here?
    pub(super) fn over(&self, row: RowId, state: State, begun: Instant) -> bool {
        stays(row, state) || self.get(row).is_some_and(|moved| moved >= begun)
    }

    fn get(&self, row: RowId) -> Option<Instant> {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner).get(&row).copied()
    }
}

/// Does a row stay in this state for good? A thing does not: gone one day, it is made again.
fn stays(row: RowId, state: State) -> bool {
    state == State::Confirmed && row.table != Table::Ensure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_still_be_asked_about_is_kept() {
        let moments = Moments::new(Instant::now());
        for table in [Table::Write, Table::Change, Table::Ensure] {
            let row = RowId { table, id: 1 };
            for state in [State::Intended, State::Unsettled, State::Keyless, State::Unclear, State::Void] {
                let before = Instant::now();
                moments.moved(row, state);
                assert!(moments.since(row) >= before, "{row:?} {state:?}");
            }
            moments.moved(row, State::Confirmed);
        }
        let kept: Vec<RowId> = moments.moved.lock().unwrap().keys().copied().collect();
        assert_eq!(kept, [RowId { table: Table::Ensure, id: 1 }], "a thing may be gone one day");
    }
}

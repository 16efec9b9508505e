//! How much is too much: calls in a second, calls at once.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// So many calls in a second; more are refused and not counted.
#[derive(Debug)]
pub(super) struct PerSecond {
    most: usize,
    seen: Mutex<VecDeque<Instant>>,
}

impl PerSecond {
    /// A second is a little short, so that a caller that keeps an even pace is not refused for the jitter of its calls.
    const SECOND: Duration = Duration::from_millis(900);

    pub(super) fn new(most: usize) -> Self {
        Self { most, seen: Mutex::new(VecDeque::new()) }
    }

    /// Counts a call that is made now; no when it is one too many.
    pub(super) fn allows(&self) -> bool {
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while seen.front().is_some_and(|first| now.duration_since(*first) >= Self::SECOND) {
            seen.pop_front();
        }
        if seen.len() >= self.most {
            return false;
        }
        seen.push_back(now);
        true
    }
}

/// So many calls at once.
#[derive(Debug)]
pub(super) struct AtOnce {
    most: usize,
    open: AtomicUsize,
}

/// A call that is under way, until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay<'a>(&'a AtOnce);

impl AtOnce {
    pub(super) fn new(most: usize) -> Self {
        Self { most, open: AtomicUsize::new(0) }
    }

    /// Counts a call until the guard is dropped; none when it is one too many.
    pub(super) fn enter(&self) -> Option<UnderWay<'_>> {
        let guard = UnderWay(self);
        let before = self.open.fetch_add(1, Ordering::SeqCst);
        (before < self.most).then_some(guard)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

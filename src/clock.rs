//! The time on the wall, asked in one place.
//!
//! Gives what a person would read off, for logs, days and what waits over a restart. Promises no order: a wall clock is
//! put forward and back at any moment, so what must not come early goes by `std::time::Instant`.

use jiff::Timestamp;

/// What the clock says now.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    #[cfg(all(debug_assertions, unix))]
    let now = now.saturating_add(jumps::so_far()).unwrap_or(now);
    now
}

/// Jumps of the clock that a test asks for; no release has any of it.
#[cfg(all(debug_assertions, unix))]
pub(crate) mod jumps {
    use std::sync::atomic::{AtomicI64, Ordering};

    use jiff::SignedDuration;

    static SECONDS: AtomicI64 = AtomicI64::new(0);

    /// The clock is put forward by so many seconds, or back.
    pub(crate) fn jump(seconds: i64) {
        SECONDS.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(super) fn so_far() -> SignedDuration {
        SignedDuration::from_secs(SECONDS.load(Ordering::SeqCst))
    }
}

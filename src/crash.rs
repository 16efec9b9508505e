//! Points at which a test kills this process, as a power cut would.
//!
//! `KOPPEL_CRASH=intend-committed:2` in the environment is SIGKILL at the second passing of the point of that name.
//! Promises that only a build with debug assertions has any of it: elsewhere a point is nothing at all.

/// The process may end here.
#[cfg(all(debug_assertions, unix))]
pub(crate) fn point(name: &str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    };

    static ARMED: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
        let text = std::env::var("KOPPEL_CRASH").ok()?;
        let (name, nth) = text.rsplit_once(':')?;
        Some((name.to_owned(), AtomicU32::new(nth.parse().ok()?)))
    });
    if let Some((armed, left)) = &*ARMED
        && armed == name
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        // Nothing follows: to kill itself is always allowed.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// The process goes on.
#[cfg(not(all(debug_assertions, unix)))]
pub(crate) fn point(_: &str) {}

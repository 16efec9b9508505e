//! Points at which a test kills this process, as a power cut would, or puts its clock forward or back.
//!
//! `KOPPEL_CRASH=intend-committed:2` in the environment is SIGKILL at the second passing of the point of that name;
//! `KOPPEL_CLOCK=ask-sent:1:-86400,…` is a clock that goes back by a day at the first passing of that one.
//! Promises that only a build with debug assertions has any of it: elsewhere a point is nothing at all.

/// The process may end here.
#[cfg(all(debug_assertions, unix))]
pub(crate) fn point(name: &str) {
    use std::sync::LazyLock;

    use armed::Armed;

    static KILL: LazyLock<Option<Armed>> = LazyLock::new(|| Armed::of(&std::env::var("KOPPEL_CRASH").ok()?));
    static JUMPS: LazyLock<Vec<(Armed, i64)>> = LazyLock::new(|| {
        let text = std::env::var("KOPPEL_CLOCK").unwrap_or_default();
        let jump = |text: &str| {
            let (armed, seconds) = text.rsplit_once(':')?;
            Some((Armed::of(armed)?, seconds.parse().ok()?))
        };
        text.split(',').filter_map(jump).collect()
    });
    for (_, seconds) in JUMPS.iter().filter(|(armed, _)| armed.passed(name)) {
        crate::clock::jumps::jump(*seconds);
    }
    if KILL.as_ref().is_some_and(|armed| armed.passed(name)) {
        // Nothing follows: to kill itself is always allowed.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// The process goes on.
#[cfg(not(all(debug_assertions, unix)))]
pub(crate) fn point(_: &str) {}

#[cfg(all(debug_assertions, unix))]
mod armed {
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A point at whose how-manieth passing something happens.
    pub(super) struct Armed {
        name: String,
        left: AtomicU32,
    }

    impl Armed {
        /// `intend-committed:2`
        pub(super) fn of(text: &str) -> Option<Self> {
            let (name, nth) = text.rsplit_once(':')?;
            Some(Self { name: name.to_owned(), left: AtomicU32::new(nth.parse().ok()?) })
        }

        /// Is it this passing of a point?
        pub(super) fn passed(&self, name: &str) -> bool {
            self.name == name && self.left.fetch_sub(1, Ordering::SeqCst) == 1
        }
    }
}

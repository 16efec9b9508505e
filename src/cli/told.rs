//! What a run tells while it goes: events as JSON lines, and the progress bar.
//!
//! Takes events from all threads of the engine, gives lines. Promises that nothing here can stop a run, also when
//! nobody reads any more.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    engine::{Ended, Progress},
    insight::{Event, EventKind, Journal},
    value::{Reason, shown_json},
};

/// Several journals as one.
pub(super) struct Journals(pub(super) Vec<Arc<dyn Journal>>);

impl Journal for Journals {
    fn record(&self, event: &Event) {
        self.0.iter().for_each(|journal| journal.record(event));
    }
}

/// `run --json`: every event of a record as a line.
#[derive(Default)]
pub(super) struct Lines {
    closed: AtomicBool,
}

impl Lines {
    /// Prints a line, unless nobody reads any more; the run goes on.
    pub(super) fn print(&self, line: &str) {
        if !self.closed.load(Ordering::Relaxed) && writeln!(io::stdout().lock(), "{}", shown_json(line)).is_err() {
            self.closed.store(true, Ordering::Relaxed);
        }
    }
}

impl Journal for Lines {
    fn record(&self, event: &Event) {
        if event.key.is_some() || event.kind == EventKind::Disconnected {
            self.print(&serde_json::to_string(event).unwrap_or_default());
        }
    }
}

/// The progress bar on a terminal: records read and come through so far.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// On a terminal only.
    pub(super) fn new(run: &str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}  {pos} of {len} records  {elapsed}") {
            bar.set_style(style);
        }
        bar.set_prefix(run.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn read(&self, _: &str, records: u64) {
        self.0.inc_length(records);
    }

    fn ended(&self, _: &str, _: &str, _: Ended, _: Option<&Reason>) {
        self.0.inc(1);
    }
}

//! What a run tells while it goes: events as JSON lines, the progress bar, and what a person has to do about it.
//!
//! Takes events from all threads of the engine, gives lines. Promises one line for each kind of hold or failure,
//! whatever the number of records, and that nothing here can stop a run.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _, Write as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::insight::{Event, EventKind, Journal};

/// So many keys are named in a line.
const SHOWN: usize = 3;

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
        if !self.closed.load(Ordering::Relaxed) && writeln!(io::stdout().lock(), "{line}").is_err() {
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

/// The progress bar: records read and ended so far.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// On a terminal only.
    pub(super) fn new(run: &str) -> Option<Self> {
        if !io::stderr().is_terminal() {
            return None;
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}  {pos}/{len} records  {elapsed}") {
            bar.set_style(style);
        }
        bar.set_prefix(run.to_owned());
        bar.set_length(0);
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Some(Self { bar })
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Journal for Progress {
    fn record(&self, event: &Event) {
        match event.kind {
            EventKind::Read => self.bar.inc_length(1),
            EventKind::Done | EventKind::Skipped | EventKind::Held | EventKind::Failed => self.bar.inc(1),
            _ => {}
        }
    }
}

/// Kinds of trouble, each with how often and where.
#[derive(Default)]
pub(super) struct Troubles {
    kinds: Mutex<BTreeMap<Kind, Group>>,
}

/// What counts as one kind of trouble.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    word: Word,
    reason: Arc<str>,
    place: Option<Arc<str>>,
}

/// How bad it is: the order of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Disconnected,
    Doubt,
    Failed,
    Held,
    Warned,
}

#[derive(Debug, Default)]
struct Group {
    count: usize,
    keys: Vec<Arc<str>>,
}

impl Journal for Troubles {
    fn record(&self, event: &Event) {
        let word = match event.kind {
            EventKind::Disconnected => Word::Disconnected,
            EventKind::Unsettled => Word::Doubt,
            EventKind::Failed => Word::Failed,
            EventKind::Held => Word::Held,
            EventKind::Warned => Word::Warned,
            _ => return,
        };
        let nameless = || event.entity.clone().unwrap_or_else(|| "no reason given".into());
        let kind = Kind { word, reason: event.reason.clone().unwrap_or_else(nameless), place: event.place.clone() };
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let group = kinds.entry(kind).or_default();
        group.count += 1;
        if group.keys.len() < SHOWN {
            group.keys.extend(event.key.clone());
        }
    }
}

impl Troubles {
    /// A line for each kind, with what to do; the worst first.
    pub(super) fn lines(&self) -> Vec<String> {
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.iter().map(|(kind, group)| line(kind, group)).collect()
    }
}

fn line(kind: &Kind, group: &Group) -> String {
    let records = if group.count == 1 { "1 record".to_owned() } else { format!("{} records", group.count) };
    let more = if group.count > group.keys.len() { " …" } else { "" };
    let keys = format!("{}{more}", group.keys.join(", "));
    let at = kind.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    let reason = &kind.reason;
    match kind.word {
        Word::Disconnected => format!("stopped  {reason}{at}; nothing more was sent: mend it and run again"),
        Word::Doubt => format!(
            "in doubt {records}: {reason}{at}; asked about until it is certain, never sent twice: run again later [{keys}]"
        ),
        Word::Failed => {
            format!("failed   {records}: {reason}{at}; change the record, then it is decided again [{keys}]")
        }
        Word::Held => {
            format!("held     {records}: {reason}{at}; when that is mended they go through by themselves [{keys}]")
        }
        Word::Warned => format!("warning  {records}: {reason}{at} [{keys}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: EventKind, key: &str, reason: &str) -> Event {
        Event {
            at: jiff::Timestamp::UNIX_EPOCH,
            run: "orders".into(),
            key: Some(key.into()),
            kind,
            write: None,
            entity: None,
            target_key: None,
            reason: Some(reason.into()),
            place: Some("orders.flow:75".into()),
            fields: Vec::new(),
        }
    }

    #[test]
    fn each_kind_of_trouble_is_one_line_with_what_to_do() {
        let troubles = Troubles::default();
        for n in 1..=5 {
            troubles.record(&event(EventKind::Held, &n.to_string(), "no VAT code for 19%"));
        }
        troubles.record(&event(EventKind::Failed, "9", "AFAS refused it"));
        troubles.record(&event(EventKind::Done, "10", "fine"));
        insta::assert_snapshot!(troubles.lines().join("\n"), @r#"
        failed   1 record: AFAS refused it (orders.flow:75); change the record, then it is decided again [9]
        held     5 records: no VAT code for 19% (orders.flow:75); when that is mended they go through by themselves [1, 2, 3 …]
        "#);
    }
}

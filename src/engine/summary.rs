//! What a poll did, in numbers and reasons; and how it is told while it goes on.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;

use super::settle::InDoubt;
use crate::{
    insight::{Event, Journal},
    ledger::Doubt,
    value::{Action, Reason, Verdict, Write},
};

/// What a poll did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// The run.
    pub flow: Arc<str>,
    /// Records that were read.
    pub read: u64,
    /// What was made, by entity.
    pub created: BTreeMap<Arc<str>, u64>,
    /// What was changed, by entity.
    pub updated: BTreeMap<Arc<str>, u64>,
    /// Records with nothing to do.
    pub skipped: u64,
    /// Records that wait.
    pub held: u64,
    /// Records with wrong data, or refused.
    pub failed: u64,
    /// Stages that wait for something and began only a while ago: nobody has to look yet.
    #[serde(skip_serializing_if = "is_zero")]
    pub waiting: u64,
    /// Records of which something may have happened, or that wait for what is in doubt or not shown yet elsewhere.
    pub unsettled: u64,
    /// Those of them that go on by themselves; the others are held until a person has looked.
    #[serde(skip)]
    pub awaited: u64,
    /// HTTP requests, by connection.
    pub requests: BTreeMap<Arc<str>, u64>,
    /// How long it took.
    pub seconds: f64,
    /// Kinds of holds, failures and warnings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Trouble>,
    /// What may have happened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub in_doubt: Vec<Doubt>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Summary {
    /// Takes a later poll of the same run in: what was done adds up, what is in doubt is what is in doubt now.
    ///
    /// What the later poll only met again (records read, held and failed before) is not counted twice.
    pub fn go_on(&mut self, later: Self) {
        for (own, more) in [
            (&mut self.created, later.created),
            (&mut self.updated, later.updated),
            (&mut self.requests, later.requests),
        ] {
            for (name, count) in more {
                *own.entry(name).or_default() += count;
            }
        }
        self.read = self.read.max(later.read);
        self.skipped += later.skipped;
        self.held += later.held;
        self.failed += later.failed;
        self.seconds += later.seconds;
        self.reasons.extend(later.reasons);
        self.waiting = later.waiting;
        self.unsettled = later.unsettled;
        self.awaited = later.awaited;
        self.in_doubt = later.in_doubt;
    }
}

/// A kind of hold, failure or warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// The word.
    pub verdict: Verdict,
    /// Where the flow says so.
    pub place: Arc<str>,
    /// Why for one of them, masked.
    pub reason: Arc<str>,
    /// Why for one of them, in full: for the screen only.
    #[serde(skip)]
    pub text: Arc<str>,
    /// How many records.
    pub count: u64,
    /// The key of one of them.
    pub example: Arc<str>,
}

/// How a record came through a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It looks as it did when it was decided.
    Unchanged,
    /// All its writes are confirmed.
    Done,
    /// Nothing to do.
    Skipped,
    /// Waits.
    Held,
    /// A stage that waits, and began only a while ago.
    Waiting,
    /// Wrong data, or refused.
    Failed,
    /// Something may have happened.
    Unsettled,
}

/// Who is told how a poll goes on; a bar, lines of JSON, nobody.
pub trait Progress: Send + Sync {
    /// So many more records were read.
    fn read(&self, run: &str, records: u64);

    /// A record came through; the reason is the live one.
    fn ended(&self, run: &str, key: &str, ended: Ended, reason: Option<&Reason>);
}

/// Nobody is told.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Journal for Silent {
    fn record(&self, _: &Event) {}
}

impl Progress for Silent {
    fn read(&self, _: &str, _: u64) {}
    fn ended(&self, _: &str, _: &str, _: Ended, _: Option<&Reason>) {}
}

/// The summary while it grows; records under way at once share it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    summary: Summary,
    kinds: HashMap<(Verdict, Arc<str>, String), usize>,
    unsettled: BTreeSet<Arc<str>>,
    waits: HashSet<Arc<str>>,
}

impl Tally {
    pub(super) fn read(&self, records: usize) {
        self.with(|inner| inner.summary.read += records as u64);
    }

    /// Something was made or changed.
    pub(super) fn wrote(&self, write: &Write) {
        self.with(|inner| {
            let counts = match write.action {
                Action::Create => &mut inner.summary.created,
                Action::Update => &mut inner.summary.updated,
            };
            *counts.entry(write.entity.entity.clone()).or_default() += 1;
        });
    }

    pub(super) fn ended(&self, ended: Ended) {
        self.with(|inner| match ended {
            Ended::Skipped => inner.summary.skipped += 1,
            Ended::Held => inner.summary.held += 1,
            Ended::Failed => inner.summary.failed += 1,
            Ended::Waiting => inner.summary.waiting += 1,
            // Counted at the end, with those of earlier polls.
            Ended::Unchanged | Ended::Done | Ended::Unsettled => {}
        });
    }

    /// A record waits for what is in doubt, of its own or elsewhere.
    pub(super) fn unsettled(&self, record: Arc<str>) {
        self.with(|inner| inner.unsettled.insert(record));
    }

    /// A stage was decided and is not over.
    pub(super) fn waits(&self, stage: Arc<str>) {
        self.with(|inner| inner.waits.insert(stage));
    }

    /// Was this stage decided in this poll, and is not over?
    pub(super) fn has_waited(&self, stage: &str) -> bool {
        self.with(|inner| inner.waits.contains(stage))
    }

    pub(super) fn told(&self, verdict: Verdict, reason: &Reason, key: &Arc<str>) {
        self.with(|inner| {
            let Inner { summary, kinds, .. } = inner;
            let kind = (verdict, reason.place.clone(), kind(&reason.masked));
            let index = *kinds.entry(kind).or_insert_with(|| {
                summary.reasons.push(Trouble {
                    verdict,
                    place: reason.place.clone(),
                    reason: reason.masked.clone(),
                    text: reason.text.clone(),
                    count: 0,
                    example: key.clone(),
                });
                summary.reasons.len() - 1
            });
            if let Some(trouble) = summary.reasons.get_mut(index) {
                trouble.count += 1;
            }
        });
    }

    /// Takes the summary out; these are the records that the ledger knows to be in doubt.
    pub(super) fn finish(&self, in_doubt: &InDoubt) -> Summary {
        self.with(|inner| Summary {
            unsettled: inner.unsettled.union(&in_doubt.records).count() as u64,
            awaited: inner.unsettled.union(&in_doubt.awaited).count() as u64,
            ..std::mem::take(&mut inner.summary)
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        change(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is alike in the reasons of many records: the text without the numbers and keys in it.
#[must_use]
pub fn kind(text: &str) -> String {
    let bare = |word: &str| if word.contains(|letter: char| letter.is_ascii_digit()) { "#" } else { word }.to_owned();
    text.split(' ').map(bare).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_differ_in_numbers_only_are_one_kind() {
        let tally = Tally::default();
        for (number, verdict) in [("2026-1", Verdict::Hold), ("2026-2", Verdict::Hold), ("2026-3", Verdict::Warn)] {
            let text: Arc<str> = format!("no period for {number} yet").into();
            let reason = Reason { place: "orders.flow:7".into(), text: text.clone(), masked: text };
            tally.told(verdict, &reason, &number.into());
        }
        let counts: Vec<_> =
            tally.finish(&InDoubt::default()).reasons.into_iter().map(|kind| (kind.count, kind.example)).collect();
        assert_eq!(counts, [(2, Arc::from("2026-1")), (1, Arc::from("2026-3"))]);
    }
}

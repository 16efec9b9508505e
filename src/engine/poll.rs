//! One poll of a run: settle what is in doubt, read the source page by page, decide, apply.
//!
//! What is read goes through in batches (`through`). Memory is bounded by them, a few bytes for each key that was seen, and
//! a limited number of remembered rows.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    sync::{Arc, Mutex, atomic::AtomicU32},
    time::Instant,
};

use jiff::{Timestamp, civil::Date};
use tokio::sync::OnceCell;

use super::{
    EngineError, Progress, Run, Stop, Summary,
    apply::{Applying, Ready},
    decide::today,
    left, newest,
    page::{Carried, Seen},
    reads::with_patience,
    settle::{carry_out, in_doubt, settle},
    source::{Pages, floor, name_of, nameless, source_ask, stamp},
    summary::Tally,
};
use crate::{
    check::typed::Since,
    clock, crash,
    insight::{Event, EventKind, Journal},
    ledger::{Ledger, Mark},
    plan::SourcePlan,
    value::{Ask, Compare, Filter, order},
};

/// Polls a run once: what is in doubt is asked for, the source is read, and every record that is new, changed or
/// waiting is decided and applied.
///
/// # Errors
/// What stops all of the run: a connection that does not work, a ledger that does not. The summary of what was done
/// until then is in the error of a connection. A faulty record is no error: it is counted.
pub async fn poll(
    run: &Run,
    ledger: &Ledger,
    journal: &dyn Journal,
    progress: &dyn Progress,
    stop: &Stop,
) -> Result<Summary, EngineError> {
    let started = Instant::now();
    let before = requests(run);
    let tally = Tally::default();
    note(run, journal, EventKind::Started, None);
    let unclear = AtomicU32::new(0);
    let poll = Poll::new((run, ledger), (journal, progress), stop, &tally, &unclear);
    let result = tokio::select! {
        result = poll.whole() => result,
        // What hangs is let go: its row stays as intended, and is in doubt from the next start on.
        () = stop.overdue() => Ok(()),
    };
    let doubts = in_doubt(run, ledger).await.unwrap_or_default();
    let mut summary = tally.finish(&doubts);
    summary.flow = run.name.clone();
    summary.in_doubt = doubts.all;
    summary.requests = requests(run)
        .into_iter()
        .map(|(name, now)| {
            let earlier = before.get(&name).copied().unwrap_or(0);
            (name, now.saturating_sub(earlier))
        })
        .collect();
    summary.seconds = started.elapsed().as_secs_f64();
    match result {
        Ok(()) => {
            note(run, journal, EventKind::Finished, None);
            Ok(summary)
        }
        Err(mut error) => {
            if let EngineError::Connection { summary: place, .. } = &mut error {
                **place = summary;
                note(run, journal, EventKind::Disconnected, Some(error.to_string().into()));
            }
            Err(error)
        }
    }
}

pub(super) struct Poll<'a> {
    pub(super) run: &'a Run,
    pub(super) ledger: &'a Ledger,
    pub(super) journal: &'a dyn Journal,
    pub(super) progress: &'a dyn Progress,
    pub(super) stop: &'a Stop,
    pub(super) tally: &'a Tally,
    unclear: &'a AtomicU32,
    pub(super) today: Date,
    since: Timestamp,
    acquainted: OnceCell<()>,
}

impl<'a> Poll<'a> {
    /// A poll that begins now; how many writes in a row had no clear answer is counted in `unclear`.
    pub(super) fn new(
        (run, ledger): (&'a Run, &'a Ledger),
        (journal, progress): (&'a dyn Journal, &'a dyn Progress),
        stop: &'a Stop,
        tally: &'a Tally,
        unclear: &'a AtomicU32,
    ) -> Self {
        let (today, since) = (today(), clock::now());
        Self { run, ledger, journal, progress, stop, tally, unclear, today, since, acquainted: OnceCell::new() }
    }

    async fn whole(&self) -> Result<(), EngineError> {
        let Self { run, ledger, stop, .. } = *self;
        let source = run.source()?;
        carry_out(run, ledger, self.journal).await?;
        self.identity(&source.name.role).await?;
        settle(self).await?;
        left::keep_bases(self).await?;
        let begun = self.behind_stages().await?;
        let began = clock::now();
        let waiting = ledger.waiting(&run.name).await?;
        let list = source.name.to_string();
        let mark = ledger.mark(&run.name, &list).await?;
        let newest = newest::newest(run, source)?;
        // What waits may lie below a stamp; what lies below the floor of a list is read by its keys.
        let stamped = newest.is_some() || matches!(source.since, Since::Field { .. });
        let floor = floor(&source.since, mark.as_ref(), run, began)
            .filter(|_| stamped && (newest.is_some() || waiting.is_empty()));
        let whole = floor.is_none();
        let filter = match (&source.since, &floor) {
            (Since::Field { path, .. }, Some(floor)) => {
                let newer = Filter::Compares(path.clone(), Compare::AtLeast, floor.clone());
                Filter::And(vec![source.filter.clone(), newer])
            }
            _ => source.filter.clone(),
        };
        let mut highest = mark.as_ref().and_then(|mark| mark.floor.as_deref()).and_then(stamp);
        let mut ask = self.source_ask(source, filter).await?;
        let mut carried = Carried::default();
        if let Some(newest) = &newest {
            ask = newest.widened(ask);
            ledger.begin_list(&run.name, &list).await?;
            // Read whole, the source tells itself what is in its narrower list.
            carried.listing = newest.leaving().filter(|_| whole).cloned();
        }
        let mut first = true;
        self.through(source, &mut carried, Pages::new(run, stop, ask)?, |records| {
            if let Some(newest) = newest.as_ref().filter(|_| std::mem::take(&mut first)) {
                // What is made while this scan runs comes before the first page: it is new to the next one.
                highest = newest::highest(records, &newest.stamp).or_else(|| highest.take());
            }
            if let Since::Field { path, .. } = &source.since {
                let more = newest::highest(records, path);
                let newer = more
                    .filter(|more| highest.as_ref().is_none_or(|own| order(more, own).is_some_and(Ordering::is_gt)));
                highest = newer.or_else(|| highest.take());
            }
            let reached = newest.as_ref().zip(floor.as_ref());
            reached.is_some_and(|(newest, floor)| newest::below(records, &newest.stamp, floor))
        })
        .await?;
        if stop.wished() {
            return Ok(());
        }
        if let Some(newest) = &newest {
            self.leaving(source, newest, &mut carried, whole).await?;
        }
        // Who waits may be the row whose key cannot be read.
        if whole && carried.nameless.is_none() {
            self.gone(source, waiting, &carried.seen).await?;
        } else if !whole && newest.is_some() {
            self.below_the_floor(source, &mut carried, waiting).await?;
        }
        if stop.wished() {
            return Ok(());
        }
        if let Some(faulty) = carried.nameless.take() {
            // The list is read again from where it was, since nothing was kept of this row. What koppel made is followed
            // up all the same.
            self.stages(source, &mut carried.memory, &begun).await?;
            return Err(nameless(run, source, &faulty));
        }
        let swept_at = if whole { began } else { mark.map_or(began, |mark| mark.swept_at) };
        let floor = highest.map(|stamp| stamp.to_string().into());
        let mark = Mark { floor, plan_version: run.plan_version.clone(), swept_at };
        ledger.set_mark(&run.name, &list, mark).await?;
        crash::point("floor-committed");
        self.stages(source, &mut carried.memory, &begun).await
    }

    /// What a source is asked for, with what tells whether koppel's own records were edited since: that decides whether
    /// they are records at all.
    pub(super) async fn source_ask(&self, source: &SourcePlan, filter: Filter) -> Result<Ask, EngineError> {
        let ask = source_ask(source, filter);
        let masters = self.makes_masters(source).await?;
        Ok(if masters { left::showing(self.run, &ask) } else { left::telling(self.run, &ask) })
    }

    /// Applies one batch.
    pub(super) async fn apply(&self, ready: Ready) -> Result<(), EngineError> {
        let trouble = Mutex::new(None);
        self.applying(&trouble).batch(ready).await
    }

    pub(super) fn applying<'t>(&'t self, trouble: &'t Mutex<Option<EngineError>>) -> Applying<'t> {
        Applying {
            run: self.run,
            ledger: self.ledger,
            journal: self.journal,
            progress: self.progress,
            stop: self.stop,
            tally: self.tally,
            unclear: self.unclear,
            today: self.today,
            since: self.since,
            trouble,
        }
    }

    /// Who the other systems are, before the first thing is asked of them: another one under a known name is sent
    /// nothing. The source is known already.
    pub(super) async fn acquainted(&self) -> Result<(), EngineError> {
        let all = || async {
            let mut roles: Vec<&Arc<str>> = self.run.connections.keys().collect();
            roles.sort_by_key(|role| self.run.connections.get(*role).map(|own| own.name().to_owned()));
            roles.dedup_by_key(|role| self.run.connections.get(*role).map(|own| own.name().to_owned()));
            let source = self.run.connection(&self.run.source()?.name.role)?.name();
            for role in roles {
                if self.run.connection(role)?.name() != source {
                    self.identity(role).await?;
                }
            }
            Ok(())
        };
        self.acquainted.get_or_try_init(all).await.copied()
    }

    /// Who the system of this role is: another one under a known name is sent nothing.
    pub(super) async fn identity(&self, role: &str) -> Result<(), EngineError> {
        let connector = self.run.connection(role)?;
        let identity = with_patience(self.stop, || connector.identity()).await;
        let identity = identity.map_err(|error| EngineError::connection(&**connector, error.to_string()))?;
        Ok(self.ledger.connect(connector.name(), &identity).await?)
    }

    /// Records that waited and are not among what is read any more.
    pub(super) async fn gone(
        &self,
        source: &SourcePlan,
        waiting: Vec<Arc<str>>,
        seen: &Seen,
    ) -> Result<(), EngineError> {
        let left: Vec<Arc<str>> = waiting.into_iter().filter(|key| !seen.contains(key)).collect();
        let known = self.ledger.records(&self.run.name, "", left.clone()).await?;
        let gone = left.into_iter().zip(known);
        let gone = gone.filter(|(_, known)| !known.rows.iter().any(|row| row.standing.state.in_doubt()));
        let names = gone.map(|(key, _)| name_of(self.run, source, &key)).collect();
        Ok(self.ledger.gone(names).await?)
    }
}

fn requests(run: &Run) -> BTreeMap<Arc<str>, u64> {
    run.connections.values().map(|connector| (connector.name().into(), connector.requests())).collect()
}

fn note(run: &Run, journal: &dyn Journal, kind: EventKind, reason: Option<Arc<str>>) {
    journal.record(&Event {
        at: clock::now(),
        run: run.name.clone(),
        key: None,
        kind,
        write: None,
        entity: None,
        target_key: None,
        reason,
        place: None,
        fields: Vec::new(),
    });
}

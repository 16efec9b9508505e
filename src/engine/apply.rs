//! Applying a decision: what it wants comes to be, each effect once.
//!
//! The order for every write is *ask, take a slot, intend, commit, send, confirm*; the confirm of one write and the
//! intention of the next are one commit, and so are the last confirm and the outcome of the record.

mod gone;
mod known;
mod locks;
mod update;
mod write;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU32},
    time::Instant,
};

use futures_util::{Stream, StreamExt as _, stream};
use jiff::{Timestamp, civil::Date};
use tokio::sync::{mpsc, oneshot};

use self::{
    locks::Made,
    write::{Looked, Making},
};
use super::{
    Ended, EngineError, Progress, Run, Stop,
    decide::{Decided, Entry},
    question::question,
    reads::ask,
    settle::Asking,
    summary::Tally,
};
use crate::{
    clock, eval,
    insight::{Event, EventKind, Journal},
    ledger::{Ending, Judged, Kept, Ledger, Locks, RecordName, RecordOutcome, Row, State, Told},
    schema::WriteFacts,
    value::{Action, Decision, EntityName, Filter, Outcome, Reason, Record, Value, Verdict, Write},
};

/// So many records are applied at once; their writes wait for the slots of their connections.
const AT_ONCE: usize = 16;

/// What the records of a poll share.
pub(super) struct Applying<'a> {
    pub(super) run: &'a Run,
    pub(super) ledger: &'a Ledger,
    pub(super) journal: &'a dyn Journal,
    pub(super) progress: &'a dyn Progress,
    pub(super) stop: &'a Stop,
    pub(super) tally: &'a Tally,
    /// So many writes in a row had no clear answer.
    pub(super) unclear: &'a AtomicU32,
    pub(super) today: Date,
    /// When the poll began: what was written after that may not be in the rows that were decided with.
    pub(super) since: Timestamp,
    /// The first trouble that concerns all: nothing more is begun, what is under way ends.
    pub(super) trouble: &'a Mutex<Option<EngineError>>,
}

/// What an ask found, or why it could not be asked.
type Answer = Result<Judged, Arc<str>>;

/// Decisions that can be applied.
#[derive(Default)]
pub(super) struct Ready {
    decided: Vec<Decided>,
    found: Found,
}

/// What the asks before the creates of a batch found.
#[derive(Default)]
struct Found {
    /// When they began; none where there was nothing to ask.
    asked: Option<Instant>,
    /// By record and write.
    judged: HashMap<(Arc<str>, Arc<str>), Answer>,
    /// Dropped with the last record of the batch.
    under_way: Option<oneshot::Sender<()>>,
}

impl Ready {
    /// What is closed when the last of its records has ended; none where there is none.
    pub(super) fn applied(&mut self) -> Option<oneshot::Receiver<()>> {
        if self.decided.is_empty() {
            return None;
        }
        let (under_way, applied) = oneshot::channel();
        self.found.under_way = Some(under_way);
        Some(applied)
    }

    /// The entities whose rows it changes.
    pub(super) fn changed(&self, run: &Run) -> HashSet<EntityName> {
        self.decided.iter().flat_map(|decided| changed(run, &decided.decision)).collect()
    }

    /// The records of which something is made, as they were read; not those that are changed themselves.
    pub(super) fn made_of(&self, run: &Run, source: &EntityName) -> Vec<(RecordName, Record)> {
        let makes = |decision: &Decision| match &decision.outcome {
            Outcome::Writes(writes) => writes.iter().any(|write| write.action == Action::Create),
            _ => false,
        };
        let of = self.decided.iter().filter(|decided| makes(&decided.decision));
        let unchanged = of.filter(|decided| !changed(run, &decided.decision).contains(source));
        unchanged.map(|decided| (decided.entry.name.clone(), decided.entry.record.clone())).collect()
    }
}

/// Why a record goes no further.
enum Halt {
    /// It ends here for now, and why.
    Ends(Box<(Verdict, Reason)>),
    /// Something of it is in doubt.
    Unsettled,
    /// All are told to end: it is taken up again at the next poll.
    Later,
    /// Trouble that concerns all.
    All(EngineError),
}

impl<E: Into<EngineError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::All(error.into())
    }
}

impl Applying<'_> {
    /// Applies one batch.
    pub(super) async fn batch(&self, ready: Ready) -> Result<(), EngineError> {
        self.records(stream::iter([ready])).await;
        self.troubled()
    }

    /// Applies batches as they come: the first records of one are begun while the last ones of the one before it end.
    pub(super) async fn all(&self, batches: mpsc::Receiver<Ready>) {
        let next = |mut batches: mpsc::Receiver<Ready>| async move { Some((batches.recv().await?, batches)) };
        self.records(stream::unfold(batches, next)).await;
    }

    /// Where several wait for their turn, those that were decided first go first.
    async fn records(&self, batches: impl Stream<Item = Ready>) {
        let each = |(decided, found): (Vec<Decided>, Arc<Found>)| {
            stream::iter(decided).map(move |decided| (decided, found.clone()))
        };
        let records = batches.then(|ready| self.begin(ready)).flat_map(each);
        records.for_each_concurrent(AT_ONCE, |(decided, found)| self.record(decided, found)).await;
    }

    async fn begin(&self, Ready { decided, found }: Ready) -> (Vec<Decided>, Arc<Found>) {
        if let Err(error) = self.found_in_doubt(&decided).await {
            self.stop_all(error);
        }
        (decided, Arc::new(found))
    }

    /// The trouble that stopped all, if there was any.
    pub(super) fn troubled(&self) -> Result<(), EngineError> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    /// Asks for everything that would be created for the first time, in as few calls as can be. What the decisions, made
    /// since `asked`, have looked for and not found is not asked for again.
    pub(super) async fn ready(&self, decided: Vec<Decided>, asked: Instant) -> Result<Ready, EngineError> {
        let absent = absent(&decided);
        let mut asking = Vec::new();
        for Decided { entry, decision, .. } in &decided {
            let Outcome::Writes(writes) = &decision.outcome else { continue };
            let wanted = writes.iter().filter(|write| write.action == Action::Create && write.ensure.is_none());
            for write in wanted.filter(|write| !entry.sealed() && !known(entry, write)) {
                let (Some(system), Some(facts)) =
                    (self.run.systems.get(&write.entity.role), self.run.write_facts(&write.entity))
                else {
                    continue;
                };
                let (_, Some(question)) = question(&self.run.catalog, system, facts, write) else { continue };
                let role = &write.entity.role;
                let asked = if tried(entry, write) {
                    let conn = self.run.connection(role)?.name();
                    Asking::new(self.ledger, conn, role, &write.entity.entity, question).await?
                } else {
                    Asking::first(role, question, &absent)
                };
                asking.push(((entry.name.key.clone(), write.name.clone()), asked));
            }
        }
        let asks = asking.iter().map(|(_, asking)| asking.ask.clone()).collect();
        let answers = ask(self.run, self.stop, asks).await?;
        let judged = asking.into_iter().map(|(of, asking)| (of, asking.judge(&answers))).collect();
        drop(absent);
        Ok(Ready { decided, found: Found { asked: Some(asked), judged, under_way: None } })
    }

    /// Applies one decision, unless all were told to end.
    async fn record(&self, decided: Decided, found: Arc<Found>) {
        if self.ending() {
            return;
        }
        let Decided { entry, .. } = &decided;
        self.told(entry, EventKind::Read, None, None);
        if let Err(error) = self.outcome(decided, &found).await {
            self.stop_all(error);
        }
    }

    fn stop_all(&self, error: EngineError) {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// Is nothing more to be begun?
    pub(super) fn ending(&self) -> bool {
        self.stop.wished() || self.trouble.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    async fn outcome(&self, decided: Decided, found: &Found) -> Result<(), EngineError> {
        let Decided { entry, mut decision, mut rows } = decided;
        let halt = match self.writes(&entry, &mut decision, &mut rows, found).await {
            // The locks are held until the end is on disk, so that the next one looks at what was made.
            Ok((last, _locks)) => {
                self.warn(&entry, &decision.warnings);
                return self.finish(&entry, RecordOutcome::Done, None, last).await;
            }
            Err(halt) => halt,
        };
        if !matches!(decision.outcome, Outcome::Skip(_)) {
            self.warn(&entry, &decision.warnings);
        }
        match halt {
            Halt::Ends(ending) => {
                let (verdict, reason) = *ending;
                let outcome = match verdict {
                    Verdict::Skip => RecordOutcome::Skipped,
                    Verdict::Hold => RecordOutcome::Held,
                    Verdict::Fail | Verdict::Warn => RecordOutcome::Failed,
                };
                self.finish(&entry, outcome, Some((verdict, reason)), None).await
            }
            Halt::Unsettled => {
                // What is in doubt may belong to another record: this one is to be looked at again all the same.
                self.ledger.wait(entry.name.clone(), self.run.plan_version.clone()).await?;
                self.told(&entry, EventKind::Unsettled, None, None);
                self.tally.unsettled(entry.title());
                self.progress.ended(&self.run.name, &entry.title(), Ended::Unsettled, None);
                Ok(())
            }
            Halt::Later => Ok(()),
            Halt::All(error) => Err(error),
        }
    }

    /// Makes what the decision wants; gives what became known of the last write, and the locks it was made under.
    async fn writes(
        &self,
        entry: &Entry,
        decision: &mut Decision,
        rows: &mut super::reads::Rows,
        found: &Found,
    ) -> Result<(Option<Told>, Option<Locks>), Halt> {
        self.not_half_way(entry, decision, rows)?;
        if let Some(end) = ended(&decision.outcome) {
            return Err(end);
        }
        let (locks, made) = self.things(entry, decision, rows).await?;
        if entry.sealed() {
            self.nothing_again(entry, &decision.outcome, &made)?;
        }
        let Outcome::Writes(writes) = &decision.outcome else {
            return Err(ended(&decision.outcome).unwrap_or(Halt::Unsettled));
        };
        let mut keys: BTreeMap<Arc<str>, Value> = entry.confirmed.clone();
        let mut last = None;
        for write in writes {
            let before = made.keys.get(&write.name).or_else(|| sealed(entry, write));
            let key = if let Some(key) = before {
                key.clone()
            } else {
                let thing = write.ensure.as_ref().and_then(|name| made.things.get(name));
                let looked = match thing {
                    Some(_) => Looked { begun: made.asked, judged: made.judged.get(&write.name) },
                    None => Looked {
                        begun: found.asked.unwrap_or(made.asked),
                        judged: found.judged.get(&(entry.name.key.clone(), write.name.clone())),
                    },
                };
                let making = Making { entry, rows, keys: &keys };
                match self.write(making, write, thing, looked, &mut last).await {
                    Ok(key) => key,
                    Err(halt) => {
                        // What happened before is on disk whatever stops here.
                        if let Some(told) = last.take() {
                            self.ledger.tell(told).await?;
                        }
                        return Err(self.unless_gone(making, &made, write, halt).await?);
                    }
                }
            };
            keys.insert(write.name.clone(), Value::text(&key));
        }
        Ok((last, locks))
    }

    /// A record of which something is made already must still want that: else the flow changed half-way.
    fn not_half_way(&self, entry: &Entry, decision: &Decision, rows: &super::reads::Rows) -> Result<(), Halt> {
        match half_way(self.run, entry, decision, rows, self.today) {
            None => Ok(()),
            Some(name) => Err(self.hold(Some(name), changed_half_way(name))),
        }
    }

    /// A record that was done makes nothing more.
    fn nothing_again(&self, entry: &Entry, outcome: &Outcome, made: &Made) -> Result<(), Halt> {
        let Outcome::Writes(writes) = outcome else { return Ok(()) };
        for write in writes {
            let known = made.keys.contains_key(&write.name) || known(entry, write);
            if write.action == Action::Create && !known {
                return Err(self.hold(Some(&write.name), would_make_again(self.run, entry, write)));
            }
        }
        Ok(())
    }

    /// Writes how a record ended, and tells it.
    pub(super) async fn finish(
        &self,
        entry: &Entry,
        outcome: RecordOutcome,
        reason: Option<(Verdict, Reason)>,
        last: Option<Told>,
    ) -> Result<(), EngineError> {
        let kept = reason.as_ref().map(|(verdict, reason)| Kept {
            verdict: *verdict,
            place: reason.place.clone(),
            masked: reason.masked.clone(),
        });
        // What was done stays done, also when the flow now has nothing to do for it.
        let stays = entry.sealed() && outcome == RecordOutcome::Skipped;
        let ending = Ending {
            outcome: if stays { RecordOutcome::Done } else { outcome },
            reason: kept,
            hashes: entry.hashes.clone(),
            plan_version: self.run.plan_version.clone(),
            sealed: outcome == RecordOutcome::Done,
            adopted: entry.left.adopted(self.run),
        };
        self.ledger.finish(entry.name.clone(), ending, last).await?;
        let (ended, kind) = match outcome {
            RecordOutcome::Skipped => (Ended::Skipped, EventKind::Skipped),
            RecordOutcome::Held => (Ended::Held, EventKind::Held),
            RecordOutcome::Failed => (Ended::Failed, EventKind::Failed),
            RecordOutcome::Done | RecordOutcome::Open | RecordOutcome::Gone => (Ended::Done, EventKind::Done),
        };
        let ended = if ended == Ended::Held && entry.waits() { Ended::Waiting } else { ended };
        self.tally.ended(ended);
        if entry.name.is_stage() && outcome == RecordOutcome::Held {
            self.tally.waits(entry.title());
        }
        if let Some((verdict @ (Verdict::Hold | Verdict::Fail), reason)) = &reason
            && ended != Ended::Waiting
        {
            self.tally.told(*verdict, reason, &entry.title());
        }
        let reason = reason.map(|(_, reason)| reason);
        self.told(entry, kind, None, reason.as_ref());
        self.progress.ended(&self.run.name, &entry.title(), ended, reason.as_ref());
        Ok(())
    }

    fn warn(&self, entry: &Entry, warnings: &[Reason]) {
        for warning in warnings {
            self.tally.told(Verdict::Warn, warning, &entry.title());
            self.told(entry, EventKind::Warned, None, Some(warning));
        }
    }

    /// A hold of the engine's own; its text holds no values of the record.
    fn hold(&self, write: Option<&str>, text: impl Into<Arc<str>>) -> Halt {
        let text = text.into();
        Halt::Ends(Box::new((Verdict::Hold, self.run.reason(write, text.clone(), text))))
    }

    fn told(&self, entry: &Entry, kind: EventKind, write: Option<(&Write, Option<&str>)>, reason: Option<&Reason>) {
        let names = |write: &Write| match kind {
            EventKind::Intended => write.fields.0.iter().map(|(name, _)| name.clone()).collect(),
            _ => Vec::new(),
        };
        self.journal.record(&Event {
            at: clock::now(),
            run: self.run.name.clone(),
            key: Some(entry.name.key.clone()),
            kind,
            write: write.map(|(write, _)| write.name.clone()),
            entity: write.map(|(write, _)| write.entity.to_string().into()),
            target_key: write.and_then(|(_, key)| key).map(Into::into),
            reason: reason.map(|reason| reason.masked.clone()),
            place: reason.map(|reason| reason.place.clone()),
            fields: write.map(|(write, _)| names(write)).unwrap_or_default(),
        });
    }
}

/// Why a record is held of which something was made that its flow does not want any more.
pub(super) fn changed_half_way(name: &str) -> String {
    format!("the flow changed half-way: `{name}` was made for this record and is not wanted any more")
}

/// Why a record is held that was done and wants something more.
pub(super) fn would_make_again(run: &Run, entry: &Entry, write: &Write) -> String {
    format!("would make {} again: `koppel redo {}/{}`", write.name, run.name, entry.name.key)
}

/// What was made of a record already, and its flow does not want any more.
pub(super) fn half_way<'a>(
    run: &Run,
    entry: &'a Entry,
    decision: &Decision,
    rows: &super::reads::Rows,
    today: Date,
) -> Option<&'a Arc<str>> {
    // A thing stands for itself: other records use it as well. An update is compared afresh each time.
    let made = |row: &&Row| !row.is_thing() && !row.is_change() && entry.confirmed.contains_key(&row.name);
    let writes = entry.known.rows.iter().filter(made);
    let mut writes = writes.map(|row| &row.name).peekable();
    if writes.peek().is_none() || matches!(decision.outcome, Outcome::Hold(_) | Outcome::Fail(_)) {
        return None;
    }
    let passed = eval::passed_over(&run.plan, &entry.name.stage, &entry.record, &rows.0, entry.moment(today));
    writes.find(|name| !passed.contains(*name))
}

/// What the decisions of a batch asked for and what no row answered. Answers without a row are never remembered, so they
/// are of this batch; who does not see rows of its own is left out.
fn absent(decided: &[Decided]) -> HashSet<(&EntityName, &Filter)> {
    let others = decided.iter().find(|decided| decided.entry.hidden.is_empty());
    others.into_iter().flat_map(|decided| decided.rows.without_answer()).collect()
}

/// The entities whose rows a decision changes.
fn changed(run: &Run, decision: &Decision) -> Vec<EntityName> {
    let Outcome::Writes(writes) = &decision.outcome else { return Vec::new() };
    let updates = writes.iter().filter(|write| write.action == Action::Update);
    let shown = updates.flat_map(|write| {
        let readers = run.write_facts(&write.entity).into_iter().flat_map(WriteFacts::readers);
        readers.map(|entity| EntityName { role: write.entity.role.clone(), entity: entity.clone() })
    });
    shown.collect()
}

fn ended(outcome: &Outcome) -> Option<Halt> {
    let (verdict, reason) = match outcome {
        Outcome::Skip(reason) => (Verdict::Skip, reason),
        Outcome::Hold(reason) => (Verdict::Hold, reason),
        Outcome::Fail(reason) => (Verdict::Fail, reason),
        Outcome::Writes(_) => return None,
    };
    Some(Halt::Ends(Box::new((verdict, reason.clone()))))
}

/// The row by which the ledger has confirmed this create for this record.
fn confirmed<'a>(entry: &'a Entry, write: &Write) -> Option<&'a Row> {
    let name = write.ensure.as_ref().unwrap_or(&write.name);
    let is_it = |row: &&Row| row.is_thing() == write.ensure.is_some() && !row.is_change() && row.name == *name;
    entry.known.rows.iter().filter(is_it).find(|row| row.standing.state == State::Confirmed)
}

/// Was this create tried before, and nobody saw whether it happened until its time was over?
fn tried(entry: &Entry, write: &Write) -> bool {
    let own = |row: &&Row| !row.is_thing() && !row.is_change() && row.name == write.name;
    entry.known.rows.iter().find(own).is_some_and(|row| row.standing.attempt > 0)
}

/// Has the ledger confirmed this create for this record?
pub(super) fn known(entry: &Entry, write: &Write) -> bool {
    confirmed(entry, write).is_some()
}

/// The key of a create of a record that was done: it is not made again.
fn sealed<'a>(entry: &'a Entry, write: &Write) -> Option<&'a Arc<str>> {
    let done = entry.sealed() && write.action == Action::Create;
    confirmed(entry, write).filter(|_| done).and_then(|row| row.target_key.as_ref())
}

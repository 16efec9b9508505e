//! One poll of a run: settle what is in doubt, read the source page by page, decide, apply.
//!
//! The next page is fetched while this one is decided and applied. Memory is bounded by pages, the keys that were
//! seen, and a limited number of remembered rows.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, atomic::AtomicU32},
    time::Instant,
};

use jiff::{Timestamp, civil::Date};

use super::{
    Ended, EngineError, Progress, Run, Stop, Summary,
    apply::Applying,
    decide::{self, Decided, Entry, today},
    left, newest,
    reads::{Memory, with_patience},
    settle::{carry_out, in_doubt, settle},
    source::{Pages, Standing, floor, name_of, record_name, source_ask, stamp, standing},
    summary::Tally,
};
use crate::{
    check::typed::Since,
    clock, crash, eval,
    insight::{Event, EventKind, Journal},
    ledger::{Hashes, Known, Ledger, Mark, RecordName, RecordOutcome},
    plan::SourcePlan,
    schema::{WriteClass, WriteFacts},
    value::{
        Action, Ask, Compare, Decision, EntityName, Filter, Outcome, Reason, Record, Shape, Value, Verdict, order,
    },
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
    let since = clock::now();
    let unclear = AtomicU32::new(0);
    let poll = Poll { run, ledger, journal, progress, stop, tally: &tally, unclear: &unclear, today: today(), since };
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

/// Decides every record of the source and tells the decisions; sends nothing, asks the ledger nothing.
///
/// # Errors
/// A connection that does not work.
pub async fn decide_only(
    run: &Run,
    stop: &Stop,
    mut tell: impl FnMut(&Arc<str>, &Decision),
) -> Result<u64, EngineError> {
    let source = run.source()?;
    let mut memory = Memory::default();
    let mut pages = Pages::new(run, stop, source_ask(source, source.filter.clone()))?;
    let mut read = 0;
    while let Some(records) = pages.next().await? {
        read += records.len() as u64;
        let entries = records
            .into_iter()
            .map(|record| {
                let name = record_name(run, source, &record);
                Entry::new(run, None, name, record, Known::default(), Hashes::new())
            })
            .collect();
        for decided in decide::page(run, None, stop, &mut memory, today(), entries).await? {
            tell(&decided.entry.name.key, &decided.decision);
        }
        if stop.wished() {
            break;
        }
    }
    Ok(read)
}

pub(super) struct Poll<'a> {
    pub(super) run: &'a Run,
    pub(super) ledger: &'a Ledger,
    journal: &'a dyn Journal,
    pub(super) progress: &'a dyn Progress,
    pub(super) stop: &'a Stop,
    tally: &'a Tally,
    unclear: &'a AtomicU32,
    pub(super) today: Date,
    since: Timestamp,
}

impl Poll<'_> {
    async fn whole(&self) -> Result<(), EngineError> {
        let Self { run, ledger, stop, .. } = *self;
        let source = run.source()?;
        carry_out(run, ledger, self.journal).await?;
        self.identities().await?;
        settle(run, ledger, self.journal, stop).await?;
        left::keep_bases(run, ledger, stop).await?;
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
        let mut seen: HashSet<Arc<str>> = HashSet::new();
        let mut memory = Memory::default();
        let mut ask = self.source_ask(source, filter).await?;
        if let Some(newest) = &newest {
            ask = newest::with_field(ask, &newest.stamp);
        }
        let mut pages = Pages::new(run, stop, ask)?;
        let mut read = clock::now();
        let mut next = pages.next().await?;
        if let (Some(newest), Some(first)) = (&newest, &next) {
            // What is made while this scan runs comes before the first page: it is new to the next one.
            highest = newest::highest(first, &newest.stamp).or(highest);
        }
        while let Some(records) = next {
            if let Since::Field { path, .. } = &source.since {
                let more = newest::highest(&records, path);
                let newer = more
                    .filter(|more| highest.as_ref().is_none_or(|own| order(more, own).is_some_and(Ordering::is_gt)));
                highest = newer.or(highest);
            }
            let reached = newest.as_ref().zip(floor.as_ref());
            let last = reached.is_some_and(|(newest, floor)| newest::below(&records, &newest.stamp, floor));
            // Both run to their end: a record under way is never dropped for a page that could not be fetched.
            let page = self.page(source, &mut memory, &mut seen, records, read);
            read = clock::now();
            let after = async { if last { Ok(None) } else { pages.next().await } };
            let (fetched, applied) = futures_util::future::join(after, page).await;
            applied?;
            crash::point("sweep-half");
            next = fetched?;
            if stop.wished() {
                return Ok(());
            }
        }
        if let Some(newest) = &newest {
            self.leaving(source, newest, &mut memory, &mut seen, whole).await?;
        }
        if whole {
            self.gone(source, waiting, &seen).await?;
        } else if newest.is_some() {
            self.below_the_floor(source, &mut memory, &mut seen, waiting).await?;
        }
        if stop.wished() {
            return Ok(());
        }
        let swept_at = if whole { began } else { mark.map_or(began, |mark| mark.swept_at) };
        let floor = highest.map(|stamp| stamp.to_string().into());
        let mark = Mark { floor, plan_version: run.plan_version.clone(), swept_at };
        ledger.set_mark(&run.name, &list, mark).await?;
        crash::point("floor-committed");
        self.stages(source, &mut memory).await
    }

    /// What a source is asked for, with what tells whether koppel's own records were edited since: that decides whether
    /// they are records at all.
    pub(super) async fn source_ask(&self, source: &SourcePlan, filter: Filter) -> Result<Ask, EngineError> {
        let ask = source_ask(source, filter);
        let masters = self.makes_masters(source).await?;
        Ok(if masters { left::showing(self.run, &ask) } else { left::telling(self.run, &ask) })
    }

    /// The key of a record in the ledger.
    pub(super) fn key_of(&self, source: &SourcePlan, record: &Record) -> Arc<str> {
        record_name(self.run, source, record).key
    }

    /// Applies decisions with what this poll has in hand.
    pub(super) async fn apply(&self, memory: &mut Memory, decided: Vec<Decided>) -> Result<(), EngineError> {
        let changed = decided.iter().flat_map(|decided| changed(self.run, &decided.decision)).collect();
        let trouble = Mutex::new(None);
        let applied = self.applying(&trouble).page(decided).await;
        memory.forget(&changed);
        applied
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

    /// Another system under a known name: nothing may be sent.
    async fn identities(&self) -> Result<(), EngineError> {
        let mut seen = HashSet::new();
        for connector in self.run.connections.values() {
            if !seen.insert(connector.name().to_owned()) {
                continue;
            }
            let identity = with_patience(self.stop, || connector.identity()).await;
            let identity = identity.map_err(|error| EngineError::connection(&**connector, error.to_string()))?;
            self.ledger.connect(connector.name(), &identity).await?;
        }
        Ok(())
    }

    pub(super) async fn page(
        &self,
        source: &SourcePlan,
        memory: &mut Memory,
        seen: &mut HashSet<Arc<str>>,
        mut records: Vec<Record>,
        read: Timestamp,
    ) -> Result<(), EngineError> {
        let run = self.run;
        crash::point("read-page");
        let edited = left::edited(run, self.ledger, self.stop, (&source.name, read), &mut records).await?;
        let names: Vec<RecordName> = records.iter().map(|record| record_name(run, source, record)).collect();
        let keys = names.iter().map(|name| name.key.clone()).collect();
        let known = self.ledger.records(&run.name, "", keys).await?;
        let echoes = self.echoes(source, &records, &edited.unwrap_or_default()).await?;
        let trouble = Mutex::new(None);
        let applying = self.applying(&trouble);
        let paths = source.content();
        let found = self.found(memory, &records).await?;
        let mut entries = Vec::new();
        let mut quiet = Vec::new();
        let records = names.into_iter().zip(records).zip(known).zip(echoes).zip(found);
        for ((((name, record), known), echo), found) in records {
            // A source that shows one record twice, while it moves between pages: once is enough.
            if !seen.insert(name.key.clone()) {
                continue;
            }
            self.tally.read(1);
            self.progress.read(&run.name, 1);
            let mut hashes = self.ledger.hashes(&record, &paths);
            hashes.extend(found);
            // A thing in doubt is asked for by whoever wants it, under its lock: its first record as well as others.
            let in_doubt = known.rows.iter().any(|row| !row.is_thing() && row.standing.state.in_doubt());
            let standing = match &known.record {
                _ if in_doubt => Standing::InDoubt,
                None => Standing::Decide,
                Some(own) => standing(own, &hashes, run),
            };
            match standing {
                Standing::InDoubt => {
                    // Another record may settle it while this page is applied: it is still to be decided then.
                    if known.record.is_none_or(|own| own.outcome != RecordOutcome::Held) {
                        self.tally.unsettled(name.to_string().into());
                    }
                    self.progress.ended(&run.name, &name.key, Ended::Unsettled, None);
                }
                Standing::Unchanged => self.progress.ended(&run.name, &name.key, Ended::Unchanged, None),
                Standing::FillIn(hashes) => {
                    quiet.push(self.ledger.fill_in(name.clone(), hashes));
                    self.progress.ended(&run.name, &name.key, Ended::Unchanged, None);
                }
                Standing::Decide if echo => {
                    let entry = Entry::new(run, Some(self.ledger), name, record, known, hashes);
                    let reason: Reason = run.reason(None, "made by koppel", "made by koppel");
                    applying.finish(&entry, RecordOutcome::Skipped, Some((Verdict::Skip, reason)), None).await?;
                }
                Standing::Decide => {
                    entries.push(Entry::new(run, Some(self.ledger), name, record, known, hashes));
                }
            }
        }
        futures_util::future::try_join_all(quiet).await?;
        if entries.is_empty() {
            return Ok(());
        }
        let decided = decide::page(run, Some(self.ledger), self.stop, memory, self.today, entries).await?;
        crash::point("decided");
        self.apply(memory, decided).await
    }

    /// Hashes of the rows elsewhere that belong to these records; none for a question that is refused.
    async fn found(&self, memory: &mut Memory, records: &[Record]) -> Result<Vec<Hashes>, EngineError> {
        let asks: Vec<_> =
            records.iter().map(|record| eval::content_asks(&self.run.plan, record, self.today)).collect();
        let all: Vec<Ask> = asks.iter().flatten().map(|(_, ask)| ask.clone()).collect();
        if all.is_empty() {
            return Ok(records.iter().map(|_| Hashes::new()).collect());
        }
        let answers = left::look(self.run, Some(self.ledger), self.stop, all).await?;
        memory.keep(&answers);
        let hashes = |(name, ask): (Arc<str>, Ask)| {
            let rows = answers.get(&ask)?.as_ref().ok()?;
            let rows = Value::List(rows.iter().cloned().map(Value::Record).collect());
            let shape = Arc::new(Shape { names: vec![name.clone()] });
            Some(self.ledger.hashes(&Record::new(shape, vec![rows]), &[name]))
        };
        Ok(asks.into_iter().map(|asks| asks.into_iter().filter_map(hashes).flatten().collect()).collect())
    }

    /// Which of these records koppel made itself. Documents are never records then, master records only when a person
    /// has edited them since.
    async fn echoes(&self, source: &SourcePlan, records: &[Record], edited: &[bool]) -> Result<Vec<bool>, EngineError> {
        let mut echoes = vec![false; records.len()];
        let connector = self.run.connection(&source.name.role)?;
        for (name, facts, key) in shown_writes(self.run, source) {
            if !source.fields.contains(key) {
                continue;
            }
            let keys: Vec<Arc<str>> = records.iter().map(|record| record.path(key).to_string().into()).collect();
            let made = self.ledger.made(connector.name(), name, keys).await?;
            let edited = edited.iter().copied().chain(std::iter::repeat(false));
            for ((echo, made), edited) in echoes.iter_mut().zip(made).zip(edited) {
                *echo |= made && !(edited && facts.class == WriteClass::Master);
            }
        }
        Ok(echoes)
    }

    /// Has koppel ever made a master record that this source shows?
    async fn makes_masters(&self, source: &SourcePlan) -> Result<bool, EngineError> {
        let conn = self.run.connection(&source.name.role)?.name();
        for (name, facts, _) in shown_writes(self.run, source) {
            if facts.class == WriteClass::Master && self.ledger.control(conn, name, None).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Records that waited and are not among what is read any more.
    pub(super) async fn gone(
        &self,
        source: &SourcePlan,
        waiting: Vec<Arc<str>>,
        seen: &HashSet<Arc<str>>,
    ) -> Result<(), EngineError> {
        let left: Vec<Arc<str>> = waiting.into_iter().filter(|key| !seen.contains(key)).collect();
        let known = self.ledger.records(&self.run.name, "", left.clone()).await?;
        let gone = left.into_iter().zip(known);
        let gone = gone.filter(|(_, known)| !known.rows.iter().any(|row| row.standing.state.in_doubt()));
        let names = gone.map(|(key, _)| name_of(self.run, source, &key)).collect();
        Ok(self.ledger.gone(names).await?)
    }
}

/// The written entities that a source shows, with their facts and the read field that holds their key.
fn shown_writes<'a>(
    run: &'a Run,
    source: &'a SourcePlan,
) -> impl Iterator<Item = (&'a Arc<str>, &'a WriteFacts, &'a Arc<str>)> {
    let system = run.catalog.systems.get(&source.entity.system);
    system.into_iter().flat_map(|system| system.entities.values()).filter_map(|written| {
        let facts = written.write.as_ref()?;
        let (entity, key) = facts.recognise.made()?;
        (*entity == source.entity.name).then_some((&written.name, facts, key))
    })
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

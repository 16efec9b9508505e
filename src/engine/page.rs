//! A batch of what was read: which of its records are to be decided, and their decisions.
//!
//! Takes records as they were read, gives them decided, with all that was asked before anything is written: a record that
//! looks as it did, is in doubt or was made by koppel is told and goes no further. One that is not as the schema has it
//! is held, and the others go on.

use std::{
    collections::{HashSet, hash_map::RandomState},
    hash::BuildHasher as _,
    sync::{Arc, Mutex},
    time::Instant,
};

use super::{
    Ended, EngineError, Run,
    apply::Ready,
    decide::{self, Entry},
    left,
    poll::Poll,
    reads::Memory,
    source::{Batch, Standing, faulty_name, faulty_reason, record_name, standing},
};
use crate::{
    connector::Faulty,
    crash, eval,
    ledger::{Hashes, RecordName, RecordOutcome},
    plan::SourcePlan,
    schema::{WriteClass, WriteFacts},
    value::{Ask, Filter, Reason, Record, Shape, Value, Verdict},
};

/// What a poll carries from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Carried {
    pub(super) memory: Memory,
    pub(super) seen: Seen,
    /// The list that records leave, while it is read: what is in it is noted.
    pub(super) listing: Option<Filter>,
    /// A row whose key cannot be read.
    pub(super) nameless: Option<Faulty>,
}

/// The keys that a poll has seen, each in a few bytes, however many records there are. Two keys of which one is taken
/// for the other are not to be expected, and are told apart at the next poll.
#[derive(Debug, Default)]
pub(super) struct Seen {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    /// Notes a key; no when it was seen before.
    fn insert(&mut self, key: &str) -> bool {
        self.hashes.insert(self.hasher.hash_one(key))
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.hashes.contains(&self.hasher.hash_one(key))
    }
}

/// A row of the source.
struct Shown {
    name: RecordName,
    record: Record,
    /// Did koppel make it itself?
    echo: bool,
    /// Hashes of the rows elsewhere that belong to it.
    found: Hashes,
    /// Why it is not decided, where it is not as the schema has it.
    fault: Option<Reason>,
}

impl Poll<'_> {
    /// Decides a batch.
    pub(super) async fn prepare(
        &self,
        source: &SourcePlan,
        carried: &mut Carried,
        batch: Batch,
    ) -> Result<Ready, EngineError> {
        let entries = self.entries(source, carried, batch).await?;
        if entries.is_empty() {
            return Ok(Ready::default());
        }
        self.acquainted().await?;
        let asked = Instant::now();
        let decided = decide::page(self.run, self.ledger, self.stop, &mut carried.memory, self.today, entries).await?;
        crash::point("decided");
        let trouble = Mutex::new(None);
        self.applying(&trouble).ready(decided, asked).await
    }

    /// The records of a batch that are to be decided; what becomes of the others is told.
    pub(super) async fn entries(
        &self,
        source: &SourcePlan,
        carried: &mut Carried,
        Batch { mut records, faulty, read }: Batch,
    ) -> Result<Vec<Entry>, EngineError> {
        let run = self.run;
        crash::point("read-page");
        let edited = left::edited(run, self.ledger, self.stop, (&source.name, read), &mut records).await?;
        let echoes = self.echoes(source, &records, &edited.unwrap_or_default()).await?;
        let found = self.found(&mut carried.memory, &records).await?;
        let sound = records.into_iter().zip(echoes).zip(found);
        let mut shown: Vec<Shown> = sound
            .map(|((record, echo), found)| Shown {
                name: record_name(run, source, &record),
                record,
                echo,
                found,
                fault: None,
            })
            .collect();
        for faulty in faulty {
            let Some(name) = faulty_name(run, source, &faulty.record) else {
                self.tally.read(1);
                carried.nameless.get_or_insert(faulty);
                continue;
            };
            let fault = Some(faulty_reason(run, source, &faulty));
            shown.push(Shown { name, record: faulty.record, echo: false, found: Hashes::new(), fault });
        }
        if let Some(filter) = &carried.listing {
            // What is faulty may be in the list, so that is asked for again.
            let listed = shown.iter().filter(|own| own.fault.is_some() || filter.matches(&own.record));
            let keys = listed.map(|own| own.name.key.clone()).collect();
            self.ledger.list(&run.name, &source.name.to_string(), keys).await?;
        }
        let keys = shown.iter().map(|own| own.name.key.clone()).collect();
        let known = self.ledger.records(&run.name, "", keys).await?;
        let trouble = Mutex::new(None);
        let applying = self.applying(&trouble);
        let paths = source.content();
        let mut entries = Vec::new();
        let mut quiet = Vec::new();
        for (Shown { name, record, echo, found, fault }, known) in shown.into_iter().zip(known) {
            // A source that shows one record twice, while it moves between pages: once is enough.
            if !carried.seen.insert(&name.key) {
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
                Standing::Decide => {
                    let entry = Entry::new(run, self.ledger, name, record, known, hashes);
                    if let Some(reason) = fault {
                        applying.finish(&entry, RecordOutcome::Held, Some((Verdict::Hold, reason)), None).await?;
                    } else if echo {
                        let reason: Reason = run.reason(None, "made by koppel", "made by koppel");
                        applying.finish(&entry, RecordOutcome::Skipped, Some((Verdict::Skip, reason)), None).await?;
                    } else {
                        entries.push(entry);
                    }
                }
            }
        }
        futures_util::future::try_join_all(quiet).await?;
        Ok(entries)
    }

    /// Hashes of the rows elsewhere that belong to these records; none for a question that is refused.
    async fn found(&self, memory: &mut Memory, records: &[Record]) -> Result<Vec<Hashes>, EngineError> {
        let asks: Vec<_> =
            records.iter().map(|record| eval::content_asks(&self.run.plan, record, self.today)).collect();
        let all: Vec<Ask> = asks.iter().flatten().map(|(_, ask)| ask.clone()).collect();
        if all.is_empty() {
            return Ok(records.iter().map(|_| Hashes::new()).collect());
        }
        self.acquainted().await?;
        let answers = left::look(self.run, self.ledger, self.stop, all).await?;
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
    pub(super) async fn makes_masters(&self, source: &SourcePlan) -> Result<bool, EngineError> {
        let conn = self.run.connection(&source.name.role)?.name();
        for (name, facts, _) in shown_writes(self.run, source) {
            if facts.class == WriteClass::Master && self.ledger.control(conn, name, None).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
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

//! Stages: what an `after` decides once its write is confirmed.
//!
//! A stage has a row of its own in the ledger, begun in the commit that confirms its write, by whatever way that came.
//! It is decided at every poll until it is over, with the record as it is read then and the keys of what the flow
//! itself made of it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Instant,
};

use super::{
    EngineError,
    apply::Ready,
    decide::{self, Entry},
    left::look,
    poll::Poll,
    reads::Memory,
    source::{BATCH, by_key, due, source_ask},
};
use crate::{
    eval,
    ledger::{Known, KnownRecord, RecordName, RecordOutcome},
    plan::SourcePlan,
    value::{Ask, Record},
};

impl Poll<'_> {
    /// The stages behind stages that have begun. What such a stage waits for takes its time, so that those which begin in
    /// this poll are decided in the next one.
    pub(super) async fn behind_stages(&self) -> Result<HashSet<RecordName>, EngineError> {
        if !eval::stages(&self.run.plan).any(|stage| self.is_behind_stage(stage)) {
            return Ok(HashSet::new());
        }
        let names = self.ledger.stages(&self.run.name).await?;
        Ok(names.into_iter().filter(|name| self.is_behind_stage(&name.stage)).collect())
    }

    fn is_behind_stage(&self, write: &str) -> bool {
        !eval::stages_before(&self.run.plan, write).is_empty()
    }

    /// Decides the stages that are not over, but for those that were decided in this poll already; of those behind
    /// stages the ones that had begun before.
    pub(super) async fn stages(
        &self,
        source: &SourcePlan,
        memory: &mut Memory,
        begun: &HashSet<RecordName>,
    ) -> Result<(), EngineError> {
        if !self.has_stages() {
            return Ok(());
        }
        let mut by_write: BTreeMap<Arc<str>, Vec<RecordName>> = BTreeMap::new();
        for name in self.ledger.stages(&self.run.name).await? {
            // An `after` that was taken out of the flow waits for its return.
            let of_flow = eval::stages(&self.run.plan).any(|stage| *stage == name.stage);
            let ripe = begun.contains(&name) || !self.is_behind_stage(&name.stage);
            if of_flow && ripe && !self.tally.has_waited(&name.to_string()) {
                by_write.entry(name.stage.clone()).or_default().push(name);
            }
        }
        for (write, names) in by_write {
            for names in names.chunks(BATCH) {
                if self.stop.wished() {
                    return Ok(());
                }
                self.behind(source, memory, &write, names, &HashMap::new()).await?;
            }
        }
        Ok(())
    }

    fn has_stages(&self) -> bool {
        eval::stages(&self.run.plan).next().is_some()
    }

    /// The records of a batch that stages may begin behind.
    pub(super) fn staged(&self, ready: &Ready, source: &SourcePlan) -> Vec<(RecordName, Record)> {
        if self.has_stages() { ready.made_of(self.run, &source.name) } else { Vec::new() }
    }

    /// Decides the stages behind a batch that was applied.
    pub(super) async fn behind_batch(
        &self,
        source: &SourcePlan,
        memory: &mut Memory,
        made: Vec<(RecordName, Record)>,
    ) -> Result<(), EngineError> {
        if made.is_empty() {
            return Ok(());
        }
        let (names, records): (Vec<RecordName>, Vec<(Arc<str>, Record)>) =
            made.into_iter().map(|(name, record)| (name.clone(), (name.key, record))).unzip();
        let records = records.into_iter().collect();
        for write in eval::stages(&self.run.plan).filter(|write| !self.is_behind_stage(write)) {
            let names: Vec<RecordName> =
                names.iter().map(|name| RecordName { stage: write.clone(), ..name.clone() }).collect();
            self.behind(source, memory, write, &names, &records).await?;
        }
        Ok(())
    }

    /// The stages behind one write, of some records; those that are not in hand are read.
    async fn behind(
        &self,
        source: &SourcePlan,
        memory: &mut Memory,
        write: &str,
        names: &[RecordName],
        in_hand: &HashMap<Arc<str>, Record>,
    ) -> Result<(), EngineError> {
        let (run, ledger) = (self.run, self.ledger);
        let keys: Vec<Arc<str>> = names.iter().map(|name| name.key.clone()).collect();
        let known = ledger.records(&run.name, write, keys.clone()).await?;
        let due: Vec<(&RecordName, Known)> = names.iter().zip(known).filter(|(_, own)| self.due(own)).collect();
        if due.is_empty() {
            return Ok(());
        }
        self.acquainted().await?;
        let keys: Vec<Arc<str>> = due.iter().map(|(name, _)| name.key.clone()).collect();
        let mut before = ledger.records(&run.name, "", keys.clone()).await?;
        for stage in eval::stages_before(&run.plan, write) {
            let more = ledger.records(&run.name, stage, keys.clone()).await?;
            before.iter_mut().zip(more).for_each(|(all, more)| all.rows.extend(more.rows));
        }
        let ask = |key: &Arc<str>| Some(source_ask(source, by_key(source, key)?));
        let asks: HashMap<&Arc<str>, Ask> =
            keys.iter().filter(|key| !in_hand.contains_key(*key)).filter_map(|key| Some((key, ask(key)?))).collect();
        let answers = look(run, ledger, self.stop, asks.values().cloned().collect()).await?;
        let (mut entries, mut gone) = (Vec::new(), Vec::new());
        for ((name, own), before) in due.into_iter().zip(before) {
            let read = || Some(answers.get(asks.get(&name.key)?)?.as_ref().ok()?.first());
            match in_hand.get(&name.key).map(Some).or_else(read) {
                Some(Some(record)) => {
                    entries.push(Entry::stage(run, ledger, name.clone(), record.clone(), own, &before.rows));
                }
                Some(None) => gone.push(name.clone()),
                // It could not be read this time.
                None => {}
            }
        }
        ledger.gone(gone).await?;
        let asked = Instant::now();
        let decided = decide::page(run, ledger, self.stop, memory, self.today, entries).await?;
        let trouble = Mutex::new(None);
        let ready = self.applying(&trouble).ready(decided, asked).await?;
        let changed = ready.changed(run);
        self.apply(ready).await?;
        memory.forget(&changed);
        Ok(())
    }

    /// Is a stage to be decided now?
    fn due(&self, own: &Known) -> bool {
        if own.rows.iter().any(|row| !row.is_thing() && row.standing.state.in_doubt()) {
            return false;
        }
        let Some(KnownRecord { outcome, plan_version, next_try, .. }) = &own.record else { return false };
        let edited = *plan_version != self.run.plan_version;
        match outcome {
            RecordOutcome::Open => true,
            RecordOutcome::Held => edited || !self.run.patient || due(*next_try),
            RecordOutcome::Skipped | RecordOutcome::Failed => edited,
            RecordOutcome::Done | RecordOutcome::Gone => false,
        }
    }
}

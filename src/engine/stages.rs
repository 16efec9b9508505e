//! Stages: what an `after` decides once its write is confirmed.
//!
//! A stage has a row of its own in the ledger, begun in the commit that confirms its write, by whatever way that came.
//! It is decided at every poll until it is over, with the record as it is read then and the keys of what the flow
//! itself made of it.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    EngineError,
    decide::{self, Entry},
    left::look,
    poll::Poll,
    reads::Memory,
    source::{by_key, due, source_ask},
};
use crate::{
    eval,
    ledger::{Known, KnownRecord, RecordName, RecordOutcome},
    plan::SourcePlan,
    value::Ask,
};

/// So many stages are looked at together.
const PAGE: usize = 100;

impl Poll<'_> {
    /// Decides the stages that are not over.
    pub(super) async fn stages(&self, source: &SourcePlan, memory: &mut Memory) -> Result<(), EngineError> {
        if eval::stages(&self.run.plan).next().is_none() {
            return Ok(());
        }
        let mut by_write: BTreeMap<Arc<str>, Vec<RecordName>> = BTreeMap::new();
        for name in self.ledger.stages(&self.run.name).await? {
            // An `after` that was taken out of the flow waits for its return.
            if eval::stages(&self.run.plan).any(|stage| *stage == name.stage) {
                by_write.entry(name.stage.clone()).or_default().push(name);
            }
        }
        for (write, names) in by_write {
            for names in names.chunks(PAGE) {
                if self.stop.wished() {
                    return Ok(());
                }
                self.behind(source, memory, &write, names).await?;
            }
        }
        Ok(())
    }

    /// The stages behind one write, of some records.
    async fn behind(
        &self,
        source: &SourcePlan,
        memory: &mut Memory,
        write: &str,
        names: &[RecordName],
    ) -> Result<(), EngineError> {
        let (run, ledger) = (self.run, self.ledger);
        let keys: Vec<Arc<str>> = names.iter().map(|name| name.key.clone()).collect();
        let known = ledger.records(&run.name, write, keys.clone()).await?;
        let mut before = ledger.records(&run.name, "", keys.clone()).await?;
        for stage in eval::stages_before(&run.plan, write) {
            let more = ledger.records(&run.name, stage, keys.clone()).await?;
            before.iter_mut().zip(more).for_each(|(all, more)| all.rows.extend(more.rows));
        }
        let due: Vec<(RecordName, Known, Known, Ask)> = names
            .iter()
            .zip(known)
            .zip(before)
            .filter(|((_, own), _)| self.due(own))
            .filter_map(|((name, own), before)| {
                let filter = by_key(source, &name.key)?;
                Some((name.clone(), own, before, source_ask(source, filter)))
            })
            .collect();
        let asks = due.iter().map(|(.., ask)| ask.clone()).collect();
        let answers = look(run, Some(ledger), self.stop, asks).await?;
        let (mut entries, mut gone) = (Vec::new(), Vec::new());
        for (name, own, before, ask) in due {
            match answers.get(&ask).and_then(|answer| answer.as_ref().ok()).map(|rows| rows.first()) {
                Some(Some(record)) => {
                    entries.push(Entry::stage(run, ledger, name, record.clone(), own, &before.rows));
                }
                Some(None) => gone.push(name),
                // It could not be read this time.
                None => {}
            }
        }
        ledger.gone(gone).await?;
        let decided = decide::page(run, Some(ledger), self.stop, memory, self.today, entries).await?;
        self.apply(memory, decided).await
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

//! Bringing what is read through: while one batch is applied, the next one is decided and the one after that is fetched.
//!
//! A batch may be decided before the one in front of it is applied, for the same reason as the records of one batch:
//! what is created or changed is locked and looked at again before it is sent. Its first records are begun while the last
//! ones of the batch in front of it end. Promises that a batch is applied whole whatever becomes of the ones behind it,
//! and that the stages of a batch are decided with its records as they were read, so that none is read twice.

use std::{
    collections::{HashSet, VecDeque},
    sync::Mutex,
};

use futures_util::future::join;
use tokio::sync::{mpsc, oneshot};

use super::{
    EngineError,
    apply::{Applying, Ready},
    page::Carried,
    poll::Poll,
    source::{Batch, Pages},
};
use crate::{
    crash,
    ledger::RecordName,
    plan::SourcePlan,
    value::{EntityName, Record},
};

/// A batch that was handed on to be applied.
struct HandedOn {
    /// The entities whose rows it changes.
    changed: HashSet<EntityName>,
    /// The records that stages may begin behind.
    made: Vec<(RecordName, Record)>,
    /// Closed when its last record has ended; none where it had no records.
    applied: Option<oneshot::Receiver<()>>,
}

impl Poll<'_> {
    /// Brings all of a list through; `last` looks at each page and says whether it is the last one that is wanted.
    pub(super) async fn through(
        &self,
        source: &SourcePlan,
        carried: &mut Carried,
        pages: Pages<'_>,
        last: impl FnMut(&[Record]) -> bool,
    ) -> Result<(), EngineError> {
        let trouble = Mutex::new(None);
        let applying = self.applying(&trouble);
        let (batches, decided) = mpsc::channel(1);
        // Both run to their end: a record under way is never dropped for a page that could not be fetched.
        let (read, ()) =
            join(self.hand_on(source, carried, pages, last, &applying, batches), applying.all(decided)).await;
        applying.troubled()?;
        read
    }

    /// Fetches and decides batch after batch, and hands each on to be applied.
    async fn hand_on(
        &self,
        source: &SourcePlan,
        carried: &mut Carried,
        mut pages: Pages<'_>,
        mut last: impl FnMut(&[Record]) -> bool,
        applying: &Applying<'_>,
        batches: mpsc::Sender<Ready>,
    ) -> Result<(), EngineError> {
        let mut fetched = pages.batch(&mut last).await?;
        let mut before: VecDeque<HandedOn> = VecDeque::new();
        let mut trouble = None;
        while fetched.is_some() || !before.is_empty() {
            // The batch before is begun: of the one in front of that the last records are ending.
            let Ok(place) = batches.reserve().await else { break };
            let over = if fetched.is_none() || before.len() > 1 { before.pop_front() } else { None };
            let mut behind = Vec::new();
            if let Some(HandedOn { changed, made, applied }) = over {
                if let Some(applied) = applied {
                    // Nothing is ever sent on it.
                    let _ = applied.await;
                    crash::point("sweep-half");
                }
                carried.memory.forget(&changed);
                behind = made;
            }
            if applying.ending() {
                break;
            }
            let batch = fetched.take();
            let more = batch.is_some();
            let fetch = async { if more { pages.batch(&mut last).await } else { Ok(None) } };
            let decide = async {
                if let Some(batch) = batch {
                    let mut ready = self.prepare(source, carried, batch).await?;
                    let (changed, made) = (ready.changed(self.run), self.staged(&ready, source));
                    before.push_back(HandedOn { changed, made, applied: ready.applied() });
                    place.send(ready);
                }
                self.behind_batch(source, &mut carried.memory, behind).await
            };
            let (next, decided) = join(fetch, decide).await;
            decided?;
            match next {
                Ok(next) => fetched = next,
                Err(error) => trouble = Some(error),
            }
        }
        trouble.map_or(Ok(()), Err)
    }

    /// Brings one batch through.
    pub(super) async fn batch(
        &self,
        source: &SourcePlan,
        carried: &mut Carried,
        batch: Batch,
    ) -> Result<(), EngineError> {
        let ready = self.prepare(source, carried, batch).await?;
        let (changed, made) = (ready.changed(self.run), self.staged(&ready, source));
        self.apply(ready).await?;
        carried.memory.forget(&changed);
        self.behind_batch(source, &mut carried.memory, made).await
    }
}

//! Bringing what is read through: while one batch is applied, the next one is decided and the one after that is fetched.
//!
//! A batch may be decided before the one in front of it is applied, for the same reason as the records of one batch:
//! what is created or changed is locked and looked at again before it is sent. Promises that a batch is applied whole
//! whatever becomes of the ones behind it, and that the stages of a batch are decided with its records as they were
//! read, so that none is read twice.

use futures_util::future::join3;

use super::{
    EngineError,
    apply::Ready,
    page::Carried,
    poll::Poll,
    source::{Batch, Pages},
};
use crate::{crash, plan::SourcePlan, value::Record};

impl Poll<'_> {
    /// Brings all of a list through; `last` looks at each page and says whether it is the last one that is wanted.
    pub(super) async fn through(
        &self,
        source: &SourcePlan,
        carried: &mut Carried,
        mut pages: Pages<'_>,
        mut last: impl FnMut(&[Record]) -> bool,
    ) -> Result<(), EngineError> {
        let mut fetched = pages.batch(&mut last).await?;
        let mut ready = Ready::default();
        let mut made = Vec::new();
        let mut trouble = None;
        while fetched.is_some() || !ready.is_empty() || !made.is_empty() {
            let (batch, applied) = (fetched.take(), !ready.is_empty());
            let (more, changed) = (batch.is_some(), ready.changed(self.run));
            let behind = std::mem::replace(&mut made, self.staged(&ready, source));
            let fetch = async { if more { pages.batch(&mut last).await } else { Ok(None) } };
            let decide = async {
                let next = match batch {
                    Some(batch) => self.prepare(source, carried, batch).await?,
                    None => Ready::default(),
                };
                self.behind_batch(source, &mut carried.memory, behind).await?;
                Ok::<_, EngineError>(next)
            };
            // All run to their end: a record under way is never dropped for a page that could not be fetched.
            let (next, decided, all) = join3(fetch, decide, self.apply(ready)).await;
            all?;
            carried.memory.forget(&changed);
            ready = decided?;
            match next {
                Ok(next) => fetched = next,
                Err(error) => trouble = Some(error),
            }
            if applied {
                crash::point("sweep-half");
            }
            if self.stop.wished() {
                break;
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

//! What is run: a plan, the connections that play its roles, and the facts about their entities.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::sync::watch;

use super::EngineError;
use crate::{
    connector::Connector,
    crash,
    plan::{Plan, SourcePlan},
    schema::{Catalog, WriteFacts},
    value::{EntityName, Reason},
};

/// A run of a flow: `[runs.NAME]`, or a flow by itself.
#[derive(Clone)]
pub struct Run {
    /// Its name, which is its name in the ledger.
    pub name: Arc<str>,
    /// What is decided.
    pub plan: Arc<Plan>,
    /// Hash of the flow's texts and settings: after an edit, what waits is decided again.
    pub plan_version: Arc<str>,
    /// Connections by the role that they play.
    pub connections: BTreeMap<Arc<str>, Arc<dyn Connector>>,
    /// System of each role.
    pub systems: BTreeMap<Arc<str>, Arc<str>>,
    /// What is known of the systems.
    pub catalog: Arc<Catalog>,
    /// Are held records left alone until their next try (`serve`), or tried at every poll (`run`)?
    pub patient: bool,
}

impl Run {
    pub(super) fn source(&self) -> Result<&SourcePlan, EngineError> {
        self.plan.source.as_ref().ok_or_else(|| EngineError::NoSource { flow: self.plan.name.clone() })
    }

    pub(super) fn connection(&self, role: &str) -> Result<&Arc<dyn Connector>, EngineError> {
        self.connections.get(role).ok_or_else(|| EngineError::NoConnection { role: role.into() })
    }

    /// A role that a connection plays; they are alike to the connection.
    pub(super) fn role(&self, connection: &str) -> Option<&Arc<str>> {
        self.connections.iter().find(|(_, own)| own.name() == connection).map(|(role, _)| role)
    }

    pub(super) fn write_facts(&self, name: &EntityName) -> Option<&WriteFacts> {
        let system = self.systems.get(&name.role)?;
        self.catalog.entity(system, &name.entity)?.write.as_ref()
    }

    /// A reason that the engine gives itself, at the place of a write; `masked` is what may be kept.
    pub(super) fn reason(&self, write: Option<&str>, text: impl Into<Arc<str>>, masked: impl Into<Arc<str>>) -> Reason {
        let place = write.and_then(|write| self.place(write)).unwrap_or_else(|| self.plan.name.clone());
        Reason { place, text: text.into(), masked: masked.into() }
    }

    /// `orders.flow:113`, the line of a write or ensure.
    fn place(&self, name: &str) -> Option<Arc<str>> {
        let base = name.split('#').next().unwrap_or(name);
        let span = self.plan.program.place_of(base)?;
        let source = self.plan.sources.get(span.file)?;
        Some(format!("{}:{}", source.path, source.line_column(span.start).0).into())
    }
}

/// So long what is under way may still end by itself.
const GRACE: Duration = Duration::from_secs(15);

/// The wish to end: asked between two records.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

/// Gives the wish to end.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stop {
    /// A wish that may come, and who gives it.
    #[must_use]
    pub fn new() -> (Stopper, Self) {
        let (stopper, stop) = watch::channel(false);
        (Stopper(stopper), Self(stop))
    }

    /// A wish that never comes.
    #[must_use]
    pub fn never() -> Self {
        Self::new().1
    }

    /// Has it come?
    #[must_use]
    pub fn wished(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it comes; for ever where nobody can give it any more.
    pub async fn wait(&mut self) {
        if self.0.wait_for(|wished| *wished).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until it came and what was under way then has had its time.
    pub(super) async fn overdue(&self) {
        self.clone().wait().await;
        crash::point("stop-at-20s");
        tokio::time::sleep(GRACE).await;
    }
}

impl Stopper {
    /// Ends what listens, after the records that are under way, or after a while without them.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

//! Runs flows: reads the source, decides in pages, applies with the ledger's protocol, on a schedule if asked.
//!
//! Takes [`Run`]s (a plan, connections, facts), gives [`Summary`]s and events. Promises that every effect leaves only
//! with the ledger's permission; that a faulty record never stops the others; that trouble which concerns all stops
//! the run with nothing half-written; and that a stop is heeded between two records.

mod again;
mod apply;
mod decide;
mod foresee;
mod left;
mod lines;
mod newest;
mod page;
mod poll;
mod question;
mod reads;
mod run;
mod serve;
mod settle;
mod source;
mod stages;
mod summary;
mod through;

use std::sync::Arc;

pub use again::{Again, changed};
pub use foresee::{Foreseen, foresee};
pub use lines::{LinesError, lines};
pub use poll::poll;
pub use run::{Run, Stop, Stopper};
pub use serve::{ScheduledRun, serve};
pub use settle::hear;
pub use summary::{Ended, Progress, Silent, Summary, Trouble, kind};

use crate::{connector::Connector, ledger::LedgerError};

/// What stops a run as a whole.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A connection does not work: nothing more is sent, and nothing is lost.
    #[error("connection {connection}: {text}")]
    Connection {
        /// Its name in `koppel.toml`.
        connection: Arc<str>,
        /// What it says.
        text: String,
        /// What was done until then.
        summary: Box<Summary>,
    },
    /// The ledger does not work.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No connection plays a role.
    #[error("no connection plays the role `{role}`: add [connections.{role}] to koppel.toml")]
    NoConnection {
        /// The first word of an entity.
        role: Arc<str>,
    },
    /// A library cannot be run.
    #[error("{flow} reads nothing: only a flow with `read` can be run")]
    NoSource {
        /// Its name.
        flow: Arc<str>,
    },
}

impl EngineError {
    fn connection(connector: &dyn Connector, text: String) -> Self {
        Self::Connection { connection: connector.name().into(), text, summary: Box::default() }
    }
}

//! Why a ledger does not work, in words that say what to do.

use std::{path::PathBuf, sync::Arc};

/// Why the ledger does not work. Every one of them means: nothing more is sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Another process has it.
    #[error("the ledger {} is in use by {}: only one koppel at a time may write it", .path.display(),
        .pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")))]
    Locked {
        /// The ledger.
        path: PathBuf,
        /// Who, where it can be read.
        pid: Option<u32>,
    },
    /// A file beside the ledger does not work.
    #[error("{}: {text}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        text: String,
    },
    /// The key file does not work.
    #[error("the key of the ledger, {}: {text}", .path.display())]
    Key {
        /// Which.
        path: PathBuf,
        /// Why.
        text: String,
    },
    /// The key is not the one that the ledger was made with.
    #[error("{} is not the key that the ledger was made with: put the right one back, or nothing in it is recognised", .path.display())]
    OtherKey {
        /// The key file.
        path: PathBuf,
    },
    /// Someone else answers on a connection.
    #[error(
        "connection {connection} led to {known} until now and leads to {found}: \
        give another system another connection name or another --env, so that both keep their own ledger"
    )]
    OtherSystem {
        /// The connection.
        connection: Arc<str>,
        /// Who answered before.
        known: String,
        /// Who answers now.
        found: String,
    },
    /// The file was made by a newer koppel.
    #[error("the ledger has version {found}, this koppel knows {known}: use the newer koppel")]
    Newer {
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The file was made by an older koppel, and who only looks may not change it.
    #[error(
        "the ledger has version {found}, this koppel works with {known}: the next `koppel run` or `koppel serve` brings \
         it over"
    )]
    Older {
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The file on disk is another one, or another process has begun to write it.
    #[error("the ledger {} was replaced while koppel ran: nothing more is sent, start again", .path.display())]
    Replaced {
        /// Which.
        path: PathBuf,
    },
    /// A sentence failed; the rest of its group went on.
    #[error("the ledger: {0}")]
    Database(String),
    /// A row was asked to do what it cannot.
    #[error("the ledger: {0}; this is a mistake in koppel, please report it")]
    Impossible(String),
    /// Its thread has ended, mostly by a failed commit.
    #[error("the ledger has stopped: {0}")]
    Stopped(String),
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}

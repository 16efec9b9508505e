//! What was sent, so that nothing is sent twice: the protocol as types, on `SQLite`.
//!
//! Takes names, keys and hashes of writes, gives permissions to send. Promises that an [`Intended`] exists only after
//! its row is on disk, and that no payload, name or e-mail is ever stored.

use crate::value::Write;

/// A write that is on disk as intended: the only thing that a connector accepts. Only the ledger makes one.
#[derive(Debug)]
pub struct Intended {
    write: Write,
    attempt: u32,
}

impl Intended {
    /// What is to be sent, keys of earlier writes filled in.
    #[must_use]
    pub fn write(&self) -> &Write {
        &self.write
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

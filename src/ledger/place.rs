//! The ledger's files: the lock that keeps a second process out, and the birth mark that notices a lost or restored
//! ledger.
//!
//! The lock is held for the life of the process and freed by its death only. The birth mark stands outside the ledger
//! and says which ledger, which start and which commit were seen last: a ledger that knows less was put back, and
//! what it forgot may still take effect, so nothing is created for a while.

use std::{
    fs::{self, File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::LedgerError;

/// Where the parts of a ledger stand.
#[derive(Debug, Clone)]
pub struct Places {
    /// The SQLite file; its lock stands beside it as `….lock`.
    pub ledger: PathBuf,
    /// The key of the hashes; made at the first start.
    pub key: PathBuf,
    /// The birth mark, beside `koppel.toml`; none for a ledger in a temporary folder.
    pub birth: Option<PathBuf>,
    /// The longest time that an attempt on any connection of the project may still take effect, also one that this
    /// process does not open: so long a loss is remembered.
    pub settle: Duration,
}

/// A held lock; dropping it frees it.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closed alone, it would live on in a child that is being started at this moment. Where it cannot be freed, the
        // end of the process does it.
        let _ = self.0.unlock();
    }
}

/// Takes the lock beside the ledger and writes our process number into it.
pub(super) fn lock(ledger: &Path) -> Result<Lock, LedgerError> {
    let mut path = ledger.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let trouble = |error: std::io::Error| LedgerError::File { path: path.clone(), text: error.to_string() };
    let mut file =
        fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(trouble)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // Unreadable on some systems while it is locked; the message does without it then.
            let _ = file.read_to_string(&mut pid);
            return Err(LedgerError::Locked { path: ledger.to_owned(), pid: pid.trim().parse().ok() });
        }
        Err(TryLockError::Error(error)) => return Err(trouble(error)),
    }
    file.set_len(0).map_err(trouble)?;
    file.rewind().map_err(trouble)?;
    write!(file, "{}", std::process::id()).map_err(trouble)?;
    file.flush().map_err(trouble)?;
    Ok(Lock(file))
}

/// What was last seen of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Birth {
    pub(super) ledger_id: String,
    pub(super) epoch: i64,
    pub(super) commits: i64,
    pub(super) inode: u64,
}

impl Birth {
    /// The mark on disk; none for a new installation. An unreadable one counts as one that knows more than we do.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let unknown = || Self { ledger_id: String::new(), epoch: i64::MAX, commits: i64::MAX, inode: 0 };
        match fs::read(path) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap_or_else(|_| unknown())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(_) => Some(unknown()),
        }
    }

    /// Writes the mark, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let beside = path.with_extension("new");
        fs::write(&beside, serde_json::to_vec(self)?)?;
        fs::rename(&beside, path)
    }

    /// Is a ledger that says `now` the one that was seen last, or a later state of it?
    pub(super) fn continues_in(&self, now: &Self) -> bool {
        self.ledger_id == now.ledger_id
            && self.epoch <= now.epoch
            && self.commits <= now.commits
            && self.inode == now.inode
    }
}

/// The number of a file on its disk, so that a replaced file is noticed; 0 where a system has none.
pub(super) fn inode(path: &Path) -> std::io::Result<u64> {
    let facts = fs::metadata(path)?;
    #[cfg(unix)]
    return Ok(std::os::unix::fs::MetadataExt::ino(&facts));
    #[cfg(not(unix))]
    {
        let _ = facts;
        Ok(0)
    }
}

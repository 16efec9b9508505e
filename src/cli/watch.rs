//! Waits until something in a project was saved.
//!
//! Watches folders and not files, because editors write a new file and rename it; waits until nothing has happened for
//! a moment, because a save is several events. What koppel itself writes (`.koppel`) does not count.

use std::{
    path::Path,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use notify::{Event, RecursiveMode, Watcher as _};

/// So long nothing may happen before a save counts as complete.
const QUIET: Duration = Duration::from_millis(200);

/// The folders under watch.
pub(super) struct Watch {
    saves: Receiver<()>,
    _watcher: notify::RecommendedWatcher,
}

impl Watch {
    /// Watches folders with all that is in them.
    pub(super) fn new(folders: &[&Path]) -> Result<Self, String> {
        let (saved, saves) = channel();
        let told = move |event: notify::Result<Event>| {
            // The receiver goes only when the verb ends.
            if event.is_ok_and(|event| counts(&event)) {
                let _ = saved.send(());
            }
        };
        let watcher = notify::recommended_watcher(told);
        let mut watcher = watcher.map_err(|error| format!("files cannot be watched here: {error}"))?;
        for folder in folders {
            let watched = watcher.watch(folder, RecursiveMode::Recursive);
            watched.map_err(|error| format!("{} cannot be watched: {error}", folder.display()))?;
        }
        Ok(Self { saves, _watcher: watcher })
    }

    /// Until something was saved and all is quiet again; no when nothing can be seen any more.
    pub(super) fn wait(&self) -> bool {
        if self.saves.recv().is_err() {
            return false;
        }
        while self.saves.recv_timeout(QUIET).is_ok() {}
        true
    }
}

/// Does the event change a file that koppel reads?
fn counts(event: &Event) -> bool {
    let reads = |path: &Path| {
        let hidden = path.iter().any(|part| part == ".koppel" || part == ".git");
        let ending = path.extension().and_then(|ending| ending.to_str());
        // A folder that is renamed or removed has no ending, and takes its flows with it.
        !hidden && matches!(ending, None | Some("flow" | "csv" | "toml" | "json"))
    };
    !matches!(event.kind, notify::EventKind::Access(_)) && event.paths.iter().any(|path| reads(path))
}

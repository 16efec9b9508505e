//! `flow.lock` of a project: judged when the project is opened, written when it is checked.
//!
//! Promises that a change is never taken over without a word: while something differs from what was kept, the file
//! stays as it is, until `koppel check --accept`. A number formula that changed is an error, so nothing runs with it.

use std::{fs, io, path::Path};

use super::{Project, settings};
use crate::{
    diagnostic::{Diagnostic, Files as _, Span},
    lock::{self, LOCK, Lock, Uses},
    plan::SettingValues,
    schema::Catalog,
};

impl Project {
    /// F901 to F903: what was kept against what is there today.
    pub(super) fn judge_lock(&mut self, catalog: &Catalog, uses: &Uses) {
        let Some(text) = self.kept_text() else { return };
        let old = match lock::read(&text) {
            Ok(old) => old,
            Err(why) => {
                let file = self.sources.add(LOCK, text);
                let told = Diagnostic::new("F903", format!("{LOCK} cannot be read: {why}"), Span::new(file, 0, 0));
                self.tell(vec![told.help(
                    "take it from your version control again\n\
                     if it is lost, look whether each own number (`OrNu = …`) is made as before, then:\n\
                     koppel check --accept",
                )]);
                return;
            }
        };
        let mut found = lock::drifted(&old, catalog, &self.sources, &mut self.diagnostics);
        if !self.has_errors() {
            found.extend(lock::renumbered(&old, uses));
        }
        self.tell(found);
    }

    pub(super) fn tell(&mut self, found: Vec<Diagnostic>) {
        self.diagnostics.extend(found);
        self.diagnostics.sort_by_key(|diagnostic| (diagnostic.span().file, diagnostic.span().start));
        if self.has_errors() {
            self.runs.clear();
        }
    }

    /// Does `flow.lock` contradict what is there today?
    #[must_use]
    pub fn drifts(&self) -> bool {
        self.diagnostics.iter().any(|told| told.code.starts_with("F90"))
    }

    /// Keeps what is used: adds what is new and leaves out fields that nothing uses any more. Own numbers stay, also
    /// those that no flow makes now: the documents are still there. `accept` takes changes over, and forgets those
    /// numbers. Where nothing changes nothing is written.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep_lock(&self, accept: bool) -> Result<(), String> {
        let mut new = self.uses().lock;
        let text = self.kept_text();
        let old = text.as_deref().and_then(|text| lock::read(text).ok()).unwrap_or_default();
        if !accept {
            for (flow, numbers) in old.number {
                let own = new.number.entry(flow).or_default();
                for (entity, number) in numbers {
                    own.entry(entity).or_insert(number);
                }
            }
        }
        let written = lock::written(&new);
        let nothing = text.is_none() && new == Lock::default();
        if nothing || text.as_deref() == Some(&*written) {
            return Ok(());
        }
        put(&self.folder.root().join(LOCK), &written).map_err(|error| format!("{LOCK} cannot be written: {error}"))
    }

    /// What the flows use. Which settings are given only decides whether a flow can be planned, not what it reads.
    fn uses(&self) -> Uses {
        let declared = settings::Declared::new(&self.programs);
        let environments = self.config.environments.iter().filter(|own| *own.name.value == *self.environment);
        let lines = self.config.settings.iter().chain(environments.flat_map(|own| &own.settings));
        let runs = self.config.runs.iter().flat_map(|run| &run.settings);
        lock::uses(&self.programs, &self.sources, &declared.values(lines.chain(runs)), &self.numbering())
    }

    /// The settings that hold in all environments and runs: there is one `flow.lock` for all of them.
    pub(super) fn numbering(&self) -> SettingValues {
        settings::Declared::new(&self.programs).values(self.config.settings.iter())
    }

    /// The text of the file; none when it is not there.
    fn kept_text(&self) -> Option<std::sync::Arc<str>> {
        self.folder.root().join(LOCK).exists().then(|| self.folder.read(LOCK).unwrap_or_default())
    }
}

/// The new text beside the old one, and then in its place: a file is old or new, never half of it.
fn put(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_file_name(format!(".{LOCK}.{}.tmp", std::process::id()));
    fs::write(&beside, text)?;
    fs::rename(&beside, path).inspect_err(|_| drop(fs::remove_file(&beside)))
}

//! The files of a project on disk.
//!
//! Takes paths relative to the project, gives texts. Promises that nothing outside the project is read: `..`, absolute
//! paths and links that lead out are refused.

use std::{
    fs,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use crate::diagnostic::Files;

/// A project's folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder at a path.
    ///
    /// # Errors
    /// It is not there, or not a folder.
    pub fn open(path: &Path) -> Result<Self, String> {
        let root = fs::canonicalize(path).map_err(|error| format!("{}: {}", path.display(), plain(&error)))?;
        if root.is_dir() { Ok(Self { root }) } else { Err(format!("{} is no folder", path.display())) }
    }

    /// Its full path.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn walk(&self, place: &Path, ending: &str, into: &mut Vec<String>) {
        let Ok(entries) = fs::read_dir(place) else { return };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            // Hidden folders hold the ledger, the log and version control; links are not followed, so no circle.
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.walk(&path, ending, into),
                Ok(_) if path.extension().is_some_and(|own| own == ending) && path.is_file() => {
                    if let Ok(own) = path.strip_prefix(&self.root) {
                        let parts: Vec<_> = own.iter().map(|part| part.to_string_lossy()).collect();
                        into.push(parts.join("/"));
                    }
                }
                _ => {}
            }
        }
    }
}

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        let relative = Path::new(path);
        let inside = relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !inside {
            return Err(format!("`{path}` lies outside the project"));
        }
        let full = fs::canonicalize(self.root.join(relative)).map_err(|error| plain(&error))?;
        if !full.starts_with(&self.root) {
            return Err(format!("`{path}` leads outside the project"));
        }
        if !full.is_file() {
            return Err("it is no file".to_owned());
        }
        let bytes = fs::read(&full).map_err(|error| plain(&error))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            format!("it is not UTF-8 text (byte {}); save it as UTF-8", error.utf8_error().valid_up_to() + 1)
        })?;
        Ok(text.into())
    }

    fn list(&self, ending: &str) -> Vec<String> {
        let mut all = Vec::new();
        self.walk(&self.root, ending, &mut all);
        all.sort();
        all
    }
}

/// An error of the disk in plain words.
pub(super) fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it is not there".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_project_is_read() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("flows");
        fs::create_dir_all(root.join("shared")).unwrap();
        fs::write(place.path().join("secret.flow"), "hush").unwrap();
        fs::write(root.join("shared/a.flow"), "a").unwrap();
        fs::write(root.join("latin.flow"), [0x61, 0xe9]).unwrap();
        let folder = Folder::open(&root).unwrap();
        assert_eq!(&*folder.read("shared/a.flow").unwrap(), "a");
        assert_eq!(folder.read("../secret.flow").unwrap_err(), "`../secret.flow` lies outside the project");
        assert!(folder.read("/etc/hostname").is_err());
        assert_eq!(folder.read("shared").unwrap_err(), "it is no file");
        assert_eq!(folder.read("latin.flow").unwrap_err(), "it is not UTF-8 text (byte 2); save it as UTF-8");
        assert_eq!(folder.list("flow"), ["latin.flow", "shared/a.flow"]);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(place.path().join("secret.flow"), root.join("out.flow")).unwrap();
            assert_eq!(folder.read("out.flow").unwrap_err(), "`out.flow` leads outside the project");
        }
    }
}

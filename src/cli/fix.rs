//! `koppel check --fix`: writes the repairs that are certain.
//!
//! Takes a project and which of its diagnostics are asked about, gives the project as it is afterwards and what was
//! written. Promises that only files of the project are written, each at once or not at all, and that a file which
//! changed while koppel looked at it is left alone.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::Path,
};

use super::{args::Args, check::count, place, say::Stop};
use crate::{
    diagnostic::{Change, Diagnostic, FileId, Files as _, Fix, mend},
    project::Project,
};

/// One repair can uncover the next; more rounds than this only go in circles.
const ROUNDS: usize = 10;

/// What was written, by path.
pub(super) type Mended = Vec<(String, Vec<Change>)>;

/// Mends a project until nothing is left to mend.
pub(super) fn fix(
    folder: &Path,
    args: &Args,
    asked: impl Fn(&Project) -> Vec<Diagnostic>,
) -> Result<(Project, Mended), Stop> {
    let mut mended: Mended = Vec::new();
    let mut project = place::open(folder, args)?;
    for _ in 0..ROUNDS {
        let round = round(&project, &asked(&project))?;
        if round.is_empty() {
            break;
        }
        for (path, changes) in round {
            match mended.iter_mut().find(|(own, _)| *own == path) {
                Some((_, all)) => all.extend(changes),
                None => mended.push((path, changes)),
            }
        }
        project = place::open(folder, args)?;
    }
    Ok((project, mended))
}

/// Writes the fixes of some diagnostics once.
fn round(project: &Project, asked: &[Diagnostic]) -> Result<Mended, Stop> {
    let mut by_file: BTreeMap<FileId, Vec<&Fix>> = BTreeMap::new();
    for fix in asked.iter().filter_map(|told| told.fix.as_ref()) {
        by_file.entry(fix.span.file).or_default().push(fix);
    }
    let mut mended = Vec::new();
    for (file, fixes) in by_file {
        let Some(source) = project.sources.get(file) else { continue };
        // The folder gives nothing from outside the project; secrets are hidden in what was read of koppel.toml, and
        // an editor may just have saved: a text that differs is not the one that the places belong to.
        if project.folder.read(&source.path).is_ok_and(|text| text == source.text) {
            let (text, changes) = mend(source, &fixes);
            if !changes.is_empty() {
                write(&project.folder.root().join(&source.path), &text)
                    .map_err(|error| Stop::Setup(format!("{} cannot be written: {error}", source.path)))?;
                mended.push((source.path.clone(), changes));
            }
        }
    }
    Ok(mended)
}

/// Puts a new text in the place of a file: beside it first, then under its name.
fn write(path: &Path, text: &str) -> io::Result<()> {
    // A link keeps pointing where it points.
    let path = fs::canonicalize(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = fs::File::create_new(&beside)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.set_permissions(fs::metadata(&path)?.permissions())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // What was half written is of no use; the first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Tells what was written.
pub(super) fn tell(out: &mut dyn Write, mended: &Mended) -> io::Result<()> {
    for (path, changes) in mended {
        for Change { line, column, from, to } in changes {
            writeln!(out, "mended  {path}:{line}:{column}  {}", what(from, to))?;
        }
    }
    let all: usize = mended.iter().map(|(_, changes)| changes.len()).sum();
    if all == 0 {
        return writeln!(out, "nothing that could be mended by itself\n");
    }
    writeln!(out, "{} written into {}\n", count(all, "repair"), count(mended.len(), "file"))
}

/// `==` → `is`
fn what(from: &str, to: &str) -> String {
    match (shown(from), shown(to)) {
        (from, to) if from.is_empty() => format!("+ `{to}`"),
        (from, to) if to.is_empty() => format!("- `{from}`"),
        (from, to) => format!("`{from}` → `{to}`"),
    }
}

/// A text in one short line.
fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    if line.chars().count() <= 40 { line } else { line.chars().take(39).chain(['…']).collect() }
}

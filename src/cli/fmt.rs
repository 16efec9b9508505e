//! `koppel fmt`: the flows in their one form.
//!
//! Takes files, folders or standard input, gives the same flows formatted. Promises that a file is old or new, never
//! half of it: the new text is written beside it and takes its name. `--check` writes nothing and ends with 1 where
//! something would change.

mod labels;

use std::{
    fs,
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
};

use super::{
    args::{Args, FmtArgs},
    check::count,
    place,
    say::{Ended, Form, Said, Stop, out_in},
};
use crate::{
    schema::Catalog,
    syntax::format::{Vendor, format},
};

/// So many changed lines of a file are shown.
const SHOWN: usize = 5;

/// Formats, or tells what would change.
pub(super) fn fmt(args: &Args, fmt: &FmtArgs) -> Said {
    let catalog = place::catalog()?;
    let mut out = out_in(if fmt.stdin { Form::AsIs } else { Form::Shown });
    if fmt.stdin {
        let mut text = String::new();
        io::stdin()
            .lock()
            .read_to_string(&mut text)
            .map_err(|error| Stop::Setup(format!("standard input: {error}")))?;
        out.write_all(formatted(&text, catalog).as_bytes())?;
        out.flush()?;
        return Ok(Ended::Fine);
    }
    let folder = if fmt.paths.is_empty() { vec![place::folder(args)?] } else { Vec::new() };
    let mut files = Vec::new();
    for path in fmt.paths.iter().chain(&folder) {
        if !path.exists() {
            return Err(Stop::Setup(format!("{} is not there", path.display())));
        }
        collect(path, &mut files)?;
    }
    files.sort();
    files.dedup();
    let mut changed = 0;
    for path in &files {
        let failed = |error: io::Error| Stop::Setup(format!("{}: {error}", path.display()));
        let old = fs::read_to_string(path).map_err(failed)?;
        let new = formatted(&old, catalog);
        if new == old {
            continue;
        }
        changed += 1;
        if fmt.check {
            writeln!(out, "{} is not formatted", shown(path))?;
            difference(&mut out, &old, &new)?;
        } else {
            replace(path, &new).map_err(failed)?;
            writeln!(out, "formatted  {}", shown(path))?;
        }
    }
    let all = count(files.len(), "flow file");
    match (fmt.check, changed) {
        (_, 0) => writeln!(out, "{all}: nothing to format")?,
        (true, _) => writeln!(out, "{changed} of {all} not formatted; `koppel fmt` does it")?,
        (false, _) => writeln!(out, "{changed} of {all} formatted")?,
    }
    out.flush()?;
    Ok(if fmt.check && changed > 0 { Ended::Mistakes } else { Ended::Fine })
}

/// The text in its one form. Labels come in first: with a long name made short, a field has one that it had not.
fn formatted(text: &str, catalog: &Catalog) -> String {
    let names = Vendor { names: labels::of(text, catalog).names, ..Vendor::default() };
    let text = format(text, &names);
    format(&text, &labels::of(&text, catalog))
}

/// The path as a person would type it.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// The flow files at a path; folders whose name begins with a dot are the tools'.
fn collect(path: &Path, into: &mut Vec<PathBuf>) -> Result<(), Stop> {
    if !path.is_dir() {
        into.push(path.to_owned());
        return Ok(());
    }
    let failed = |error: io::Error| Stop::Setup(format!("{}: {error}", path.display()));
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let inner = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let is_flow = inner.extension().is_some_and(|ending| ending == "flow") && inner.is_file();
        // A link to a folder may lead round in a circle.
        if !hidden && (entry.file_type().map_err(failed)?.is_dir() || is_flow) {
            collect(&inner, into)?;
        }
    }
    Ok(())
}

/// Puts a new text in the place of a file. A link stays a link: its file is replaced.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = fs::File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    })();
    if written.is_err() {
        // What is left beside the file helps nobody; the first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// The first lines that differ, as they are and as they would be. Only blank lines come and go: the others are pairs.
fn difference(out: &mut dyn Write, old: &str, new: &str) -> io::Result<()> {
    let pairs = filled(old).zip(filled(new)).filter(|((_, old), (_, new))| old != new);
    let pairs: Vec<_> = pairs.collect();
    for ((number, old), (_, new)) in pairs.iter().take(SHOWN) {
        writeln!(out, "  {number:>4} - {}\n       + {}", visible(old), visible(new))?;
    }
    match pairs.len().checked_sub(SHOWN) {
        None if pairs.is_empty() => writeln!(out, "       blank lines or the ends of lines"),
        None | Some(0) => Ok(()),
        Some(more) => writeln!(out, "       and {}", count(more, "more line")),
    }
}

/// The lines with something in them, each with its number from 1.
fn filled(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.split('\n').enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.trim().is_empty())
}

/// Characters that nobody sees, as what they are.
fn visible(line: &str) -> String {
    line.replace('\r', "\\r").replace('\t', "\\t").replace('\u{feff}', "\\u{feff}")
}

//! `koppel check`: all mistakes of all files in one run.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use super::{
    args::{Args, CheckArgs},
    fix, place,
    say::{Ended, Form, Said, Stop, colour, out, out_in, width},
    watch::Watch,
};
use crate::{
    diagnostic::{Diagnostic, SarifPart, Severity, Sources, render_json, render_sarif, render_terminal},
    project::{CONFIG, Project},
};

/// Checks, once or at every save.
pub(super) fn check(args: &Args, check: &CheckArgs) -> Said {
    let scopes = scopes(args, check)?;
    if !check.watch {
        return once(args, check, &scopes);
    }
    let folders: Vec<&Path> = scopes.iter().map(|scope| scope.folder.as_path()).collect();
    let watch = Watch::new(&folders).map_err(Stop::Setup)?;
    loop {
        match once(args, check, &scopes) {
            Ok(_) => {}
            // Half-written files and folders that come back: told, and looked at again at the next save.
            Err(Stop::Setup(text)) => writeln!(std::io::stderr(), "{text}")?,
            Err(stop) => return Err(stop),
        }
        if !check.json {
            let mut out = out();
            writeln!(out, "watching; Ctrl-C ends it\n")?;
            out.flush()?;
        }
        if !watch.wait() {
            return Err(Stop::Setup("files cannot be watched any more".to_owned()));
        }
    }
}

fn once(args: &Args, check: &CheckArgs, scopes: &[Scope]) -> Said {
    // Messages have colours of their own.
    let mut out = out_in(if check.json || check.sarif { Form::Json } else { Form::AsIs });
    let mut ended = Ended::Fine;
    let mut judged = Vec::new();
    for scope in scopes {
        let (project, mended) = if check.fix {
            let (project, mended) = fix::fix(&scope.folder, args, |project| scope.shown(project))?;
            (project, Some(mended))
        } else {
            (place::open(&scope.folder, args)?, None)
        };
        // At every save it would keep numbers that are only being tried out.
        let project = if check.watch { project } else { keep(project, &scope.folder, args, check.accept)? };
        let mut shown = scope.shown(&project);
        if check.strict {
            for diagnostic in &mut shown {
                diagnostic.severity = Severity::Error;
            }
        }
        if shown.iter().any(Diagnostic::is_error) {
            ended = Ended::Mistakes;
        }
        if let Some(mended) = &mended {
            // Programs read standard output; what was written is for the person who started them.
            if check.json || check.sarif {
                fix::tell(&mut std::io::stderr(), mended)?;
            } else {
                fix::tell(&mut out, mended)?;
            }
        }
        if check.sarif {
            judged.push((seen_from_here(project.folder.root()), project.sources, shown));
            continue;
        }
        tell(&mut out, &shown, &project.sources, check.json)?;
        if !check.json {
            writeln!(out, "{}", verdict(&project, &shown))?;
        }
    }
    if check.sarif {
        let parts: Vec<_> =
            judged.iter().map(|(folder, sources, diagnostics)| SarifPart { diagnostics, sources, folder }).collect();
        writeln!(out, "{}", render_sarif(&parts))?;
    }
    out.flush()?;
    Ok(ended)
}

/// Keeps `flow.lock`, when nothing is wrong and nothing differs from it; with `--accept` also when something does.
fn keep(project: Project, folder: &Path, args: &Args, accept: bool) -> Result<Project, Stop> {
    let of_lock = |told: &Diagnostic| told.code.starts_with("F90");
    let wrong = project.diagnostics.iter().any(|told| told.is_error() && !of_lock(told));
    if wrong || (project.drifts() && !accept) {
        return Ok(project);
    }
    // A folder that nobody may write to is checked all the same.
    let kept = project.keep_lock(accept);
    if let (Err(why), true) = (&kept, accept) {
        return Err(Stop::Setup(why.clone()));
    }
    if accept { place::open(folder, args) } else { Ok(project) }
}

/// A folder relative to this one where it lies below it: so code hosts find the files of a repository.
fn seen_from_here(folder: &Path) -> String {
    let here = std::env::current_dir().and_then(std::fs::canonicalize).unwrap_or_default();
    let below = folder.strip_prefix(here).unwrap_or(Path::new(""));
    below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Shows diagnostics, for people or for programs.
pub(super) fn tell(out: &mut dyn Write, all: &[Diagnostic], sources: &Sources, json: bool) -> std::io::Result<()> {
    if json {
        return all.iter().try_for_each(|diagnostic| writeln!(out, "{}", render_json(diagnostic, sources)));
    }
    write!(out, "{}", render_terminal(all, sources, width(), colour()))
}

/// The last line: what was checked and what came of it.
fn verdict(project: &Project, shown: &[Diagnostic]) -> String {
    let errors = shown.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let flows = project.programs.iter().filter(|program| program.title.is_some()).count();
    let found = match (errors, shown.len() - errors) {
        (0, 0) => "no mistakes".to_owned(),
        (errors, 0) => count(errors, "mistake"),
        (0, warnings) => format!("no mistakes, {}", count(warnings, "warning")),
        (errors, warnings) => format!("{}, {}", count(errors, "mistake"), count(warnings, "warning")),
    };
    format!("{} checked: {found}", count(flows, "flow"))
}

/// `1 flow`, `2 flows`.
pub(super) fn count(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// A project, and what of it is asked about.
struct Scope {
    folder: PathBuf,
    /// Full paths of files and folders; empty = all of it.
    only: Vec<PathBuf>,
}

impl Scope {
    fn shown(&self, project: &Project) -> Vec<Diagnostic> {
        let asked = |diagnostic: &&Diagnostic| {
            let path = project.sources.get(diagnostic.span().file).map(|source| &source.path);
            self.only.is_empty()
                || path.is_none_or(|path| {
                    let full = project.folder.root().join(path);
                    self.only.iter().any(|only| full.starts_with(only))
                })
        };
        project.diagnostics.iter().filter(asked).cloned().collect()
    }
}

/// The projects that the paths belong to: the nearest folder above with a `koppel.toml`, else the file's own.
fn scopes(args: &Args, check: &CheckArgs) -> Result<Vec<Scope>, Stop> {
    if check.paths.is_empty() {
        return Ok(vec![Scope { folder: place::folder(args)?, only: Vec::new() }]);
    }
    let mut scopes: Vec<Scope> = Vec::new();
    for path in &check.paths {
        let full = std::fs::canonicalize(path).map_err(|_| Stop::Setup(format!("{} is not there", path.display())))?;
        let own = if full.is_dir() { full.as_path() } else { full.parent().unwrap_or(&full) };
        let above = own.ancestors().find(|folder| folder.join(CONFIG).is_file()).unwrap_or(own);
        let folder = args.project.clone().unwrap_or_else(|| above.to_owned());
        match scopes.iter_mut().find(|scope| scope.folder == folder) {
            Some(scope) => scope.only.push(full),
            None => scopes.push(Scope { folder, only: vec![full] }),
        }
    }
    Ok(scopes)
}

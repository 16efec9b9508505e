//! A project that may run: judged, without mistakes, with everything it needs open.
//!
//! Takes what was typed, gives the runs, their connections, the ledger and the log. Promises that nothing is opened,
//! asked or written while there is a mistake in the flows.

use std::{io::Write as _, path::Path, sync::Arc};

use jiff::Timestamp;

use super::{
    args::{Args, InSandbox},
    check::tell,
    place,
    say::{Ended, Stop, out},
    target::Target,
};
use crate::{
    diagnostic::Severity,
    insight::Log,
    ledger::Ledger,
    project::{Project, Run, listed, nearest},
};

/// `todo "…"` only warns while a flow is written; what runs must be finished.
const UNFINISHED: &str = "F802";

/// The project with its mistakes told; `None` when it cannot run.
pub(super) fn project(args: &Args, json: bool) -> Result<Option<Project>, Stop> {
    let mut project = place::project(args)?;
    project.diagnostics.iter_mut().filter(|found| found.code == UNFINISHED).for_each(|found| {
        found.severity = Severity::Error;
    });
    if !project.has_errors() {
        return Ok(Some(project));
    }
    let mut out = out();
    tell(&mut out, &project.diagnostics, &project.sources, json)?;
    if !json {
        writeln!(out, "nothing was read or sent: mend these first")?;
    }
    out.flush()?;
    Ok(None)
}

/// The runs of these names; all of them without names.
pub(super) fn chosen(project: &Project, names: &[String]) -> Result<Vec<Run>, Stop> {
    if project.runs.is_empty() {
        return Err(Stop::Setup("there is no flow in this project to run".to_owned()));
    }
    let all: Vec<&str> = project.runs.iter().map(|run| &*run.name).collect();
    for name in names.iter().filter(|name| !all.contains(&name.as_str())) {
        let help = nearest(name, all.iter().copied())
            .map_or_else(|| format!("there are: {}", listed(&all)), |near| format!("{near}?"));
        return Err(Stop::Usage(format!("there is no run `{name}`\n      {help}")));
    }
    Ok(project
        .runs
        .iter()
        .filter(|run| names.is_empty() || names.iter().any(|name| **name == *run.name))
        .cloned()
        .collect())
}

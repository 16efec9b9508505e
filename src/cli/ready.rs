//! A project that may run: judged, without mistakes, with its runs, connections, ledger and log open.
//!
//! Takes what was typed, gives what the engine needs. Promises that nothing is opened, asked or written while there
//! is a mistake in the flows.

use std::{collections::BTreeMap, io::Write as _, sync::Arc};

use super::{
    args::{Args, InSandbox},
    check::tell,
    named::run_of,
    place,
    say::{Form, Stop, out_in},
    target::{Target, Temporary},
};
use crate::{
    clock,
    connector::Connector,
    diagnostic::Severity,
    engine::{self, EngineError},
    insight::Log,
    ledger::{Ledger, Places, View},
    project::{self, CONFIG, Project},
    schema::Catalog,
};

/// `todo "…"` only warns while a flow is written; what runs must be finished.
const UNFINISHED: &str = "F802";

/// Opened connections by name.
pub(super) type Connections = BTreeMap<Arc<str>, Arc<dyn Connector>>;

/// The project of what was typed; none when it has mistakes, which are told.
pub(super) fn project(args: &Args, json: bool) -> Result<Option<Project>, Stop> {
    let mut project = place::project(args)?;
    finish(&mut project);
    if !project.has_errors() {
        return Ok(Some(project));
    }
    let mut out = out_in(if json { Form::Json } else { Form::AsIs });
    tell(&mut out, &project.diagnostics, &project.sources, json)?;
    if !json {
        writeln!(out, "nothing was read or sent: mend these first")?;
    }
    out.flush()?;
    Ok(None)
}

/// What is still to be written stops a run.
pub(super) fn finish(project: &mut Project) {
    for found in project.diagnostics.iter_mut().filter(|found| found.code == UNFINISHED) {
        found.severity = Severity::Error;
    }
}

/// The runs of these names; all of them without names.
pub(super) fn chosen(project: &Project, names: &[String]) -> Result<Vec<project::Run>, Stop> {
    if project.runs.is_empty() {
        return Err(Stop::Setup("there is no flow in this project to run".to_owned()));
    }
    let known: Vec<Arc<str>> = project.runs.iter().map(|run| run.name.clone()).collect();
    for name in names {
        run_of(&known, name)?;
    }
    let wanted = |run: &&project::Run| names.is_empty() || names.iter().any(|name| **name == *run.name);
    Ok(project.runs.iter().filter(wanted).cloned().collect())
}

/// A world that is open for runs.
pub(super) struct Open {
    /// Whom and where.
    pub(super) target: Target,
    /// By name.
    pub(super) connections: Connections,
    /// What the systems have.
    pub(super) catalog: Arc<Catalog>,
}

impl Open {
    /// Opens the connections of these runs; nothing is sent yet.
    pub(super) async fn new(project: &Project, runs: &[project::Run], asked: &InSandbox) -> Result<Self, Stop> {
        let catalog = Arc::new(place::catalog()?.clone());
        let target = Target::new(project, asked).await?;
        let connections = target.connections(project, runs, &catalog)?;
        Ok(Self { target, connections, catalog })
    }

    /// The ledger, ours alone from here on.
    pub(super) fn ledger(&self) -> Result<Ledger, Stop> {
        Ledger::open(&self.target.places).map_err(|error| Stop::Setup(error.to_string()))
    }

    /// A copy of the ledger as it stands, to decide with while another process may have it; an empty one where nothing
    /// has run yet. It goes with its folder.
    pub(super) fn ledger_copy(&self) -> Result<(Ledger, Temporary), Stop> {
        let folder = Temporary::new()?;
        let places = &self.target.places;
        let mut copy = Places { ledger: folder.path().join("ledger.sqlite"), birth: None, ..places.clone() };
        match View::open(&places.ledger)? {
            Some(view) => view.copy(&copy.ledger)?,
            None => copy.key = folder.path().join("key"),
        }
        Ok((Ledger::open(&copy)?, folder))
    }

    /// The log.
    pub(super) fn log(&self, project: &Project) -> Result<Log, Stop> {
        let (folder, name) = &self.target.log;
        let log = Log::open(folder, name, project.config.keep, clock::now());
        log.map_err(|error| Stop::Setup(format!("the log in {} cannot be opened: {error}", folder.display())))
    }
}

/// A run as the engine wants it.
///
/// # Errors
/// It needs a connection that is not open.
pub(super) fn run(
    project: &Project,
    run: &project::Run,
    connections: &Connections,
    catalog: &Arc<Catalog>,
    patient: bool,
) -> Result<engine::Run, String> {
    let mut played = BTreeMap::new();
    let mut systems = BTreeMap::new();
    for (role, name) in &run.connections {
        let connection = connections.get(name).ok_or_else(|| name.to_string())?;
        played.insert(Arc::clone(role), Arc::clone(connection));
        systems.insert(Arc::clone(role), project.system(name));
    }
    Ok(engine::Run {
        name: Arc::clone(&run.name),
        plan: Arc::clone(&run.plan),
        plan_version: Arc::clone(&run.version),
        connections: played,
        systems,
        catalog: Arc::clone(catalog),
        patient,
    })
}

/// What stopped a run, with the place of its connection.
pub(super) fn trouble(project: &Project, error: &EngineError) -> String {
    let EngineError::Connection { connection, text, .. } = error else { return error.to_string() };
    let lines = project.config.connections.iter().find(|lines| lines.name.value == *connection);
    let line = lines.and_then(|lines| {
        let source = project.sources.get(lines.name.span.file)?;
        Some(format!("{CONFIG}:{}", source.line_column(lines.name.span.start).0))
    });
    let text = text.strip_prefix(&format!("connection {connection}: ")).unwrap_or(text);
    let place = line.map(|line| format!(" ({line})")).unwrap_or_default();
    format!("{text}\n      connection {connection}{place}; what is confirmed stays, nothing is lost or sent twice")
}

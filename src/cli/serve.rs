//! `koppel serve`: the flows on their schedule, and edits of them taken over while it runs.
//!
//! An edit is taken over when it checks and its tests pass; a faulty one shows its messages and the version before
//! goes on. What cannot change while it runs (connections, ledger) asks for a restart.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

use super::{
    args::{Args, ServeArgs},
    check::tell,
    place,
    ready::{self, Connections, Open},
    report::{self, local},
    runtime,
    say::{Ended, Said, Stop},
    stopper, test,
    watch::Watch,
};
use crate::{
    clock,
    engine::{self, EngineError, ScheduledRun, Silent, Summary},
    project::{Config, Project},
    schema::Catalog,
    value::shown_lines,
};

/// Serves until it is asked to stop.
pub(super) fn serve(args: &Args, asked: &ServeArgs) -> Said {
    // Before anything is read, so that no save from then on is missed.
    let saves = Watch::new(&[&place::folder(args)?]).map_err(Stop::Setup)?;
    let Some(project) = ready::project(args, false)? else { return Ok(Ended::Mistakes) };
    runtime()?.block_on(until_stopped(asked, project, saves))
}

async fn until_stopped(asked: &ServeArgs, project: Project, saves: Watch) -> Said {
    let chosen = ready::chosen(&project, &[])?;
    let open = Open::new(&project, &chosen, &asked.sandbox).await?;
    let ledger = open.ledger()?;
    let log = open.log(&project)?;
    let reload = Reload {
        folder: project.folder.root().to_owned(),
        environment: project.environment.to_string(),
        connections: open.connections.clone(),
        catalog: Arc::clone(&open.catalog),
    };
    let scheduled = reload.scheduled(&project).map_err(Stop::Setup)?;
    let timetable: Vec<String> =
        project.runs.iter().map(|run| format!("{} every {}", run.name, every(run.every))).collect();
    say(&format!("serving {}; Ctrl-C ends it", timetable.join(", ")))?;
    if let Some(sandbox) = open.target.sandbox.as_ref().filter(|sandbox| sandbox.own) {
        say(&format!("against the sandbox at {}", sandbox.url))?;
    }
    let (sender, runs) = watch::channel(Arc::new(scheduled));
    let config = project.config.clone();
    std::thread::spawn(move || reload.whenever(&saves, &config, &sender));
    let mut told = Vec::new();
    let report = |name: &str, result: Result<Summary, EngineError>| {
        let lines = match &result {
            Ok(summary) => came_of(summary),
            Err(error) => vec![format!("{name}: {}", shown_lines(&ready::trouble(&project, error)))],
        };
        // What stays as it was is told once.
        let new: Vec<_> = lines.iter().filter(|line| !told.contains(*line)).cloned().collect();
        told.retain(|line: &String| !line.starts_with(&format!("{name}:")));
        told.extend(lines);
        // Nobody may be reading; the work goes on.
        let _ = new.iter().try_for_each(|line| say(line));
    };
    let served = engine::serve(runs, &ledger, &log, &Silent, stopper(), report).await;
    served.map_err(|error| Stop::Setup(ready::trouble(&project, &error)))?;
    say("stopped")?;
    Ok(Ended::Fine)
}

/// A line with the time.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}  {line}", local(clock::now()))?;
    out.flush()
}

/// `5m`
fn every(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let unit = units.into_iter().find(|(length, _)| seconds >= *length && seconds.is_multiple_of(*length));
    unit.map_or_else(|| format!("{seconds}s"), |(length, word)| format!("{}{word}", seconds / length))
}

/// Lines for a poll in which something happened.
fn came_of(summary: &Summary) -> Vec<String> {
    let made = summary.created.iter().map(|(entity, n)| format!("{n} {entity} created"));
    let changed = summary.updated.iter().map(|(entity, n)| format!("{n} {entity} updated"));
    let counts = [
        (summary.held, "held"),
        (summary.failed, "failed"),
        (summary.unsettled, "in doubt"),
        (summary.waiting, "waiting for what comes after"),
    ];
    let counts = counts.into_iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
    let parts: Vec<String> = made.chain(changed).chain(counts).collect();
    if parts.is_empty() {
        return Vec::new();
    }
    let first = format!("{}: {}", summary.flow, parts.join(", "));
    let troubles = report::troubles(std::slice::from_ref(summary));
    std::iter::once(first).chain(troubles.into_iter().map(|line| format!("{}: {line}", summary.flow))).collect()
}

/// Takes edits over.
struct Reload {
    folder: PathBuf,
    environment: String,
    connections: Connections,
    catalog: Arc<Catalog>,
}

impl Reload {
    /// The runs of a project with the connections that are open.
    fn scheduled(&self, project: &Project) -> Result<Vec<ScheduledRun>, String> {
        let runs = project.runs.iter().map(|run| {
            let engine = ready::run(project, run, &self.connections, &self.catalog, true).map_err(|name| {
                format!("the run {} needs the connection {name}, which opens at a restart only", run.name)
            })?;
            Ok(ScheduledRun { run: Arc::new(engine), every: run.every })
        });
        runs.collect()
    }

    /// At every save, for as long as the program runs.
    fn whenever(&self, saves: &Watch, started_with: &Config, sender: &watch::Sender<Arc<Vec<ScheduledRun>>>) {
        while saves.wait() {
            // Let go of before the new runs are put in its place.
            let running = Arc::clone(&sender.borrow());
            // Nobody may be reading; the work goes on.
            let _ = match self.again(started_with, &running) {
                Ok(Some((runs, words))) => {
                    sender.send_replace(Arc::new(runs));
                    say(&words)
                }
                Ok(None) => Ok(()),
                Err(text) => say(&format!("{text}\n      the version before the edit goes on")),
            };
        }
    }

    /// The project as it is now: its runs if it is good and new, nothing if it is what runs already.
    fn again(
        &self,
        started_with: &Config,
        running: &[ScheduledRun],
    ) -> Result<Option<(Vec<ScheduledRun>, String)>, String> {
        let mut project = Project::open(&self.folder, &self.environment, &self.catalog, place::today())?;
        ready::finish(&mut project);
        if !project.has_errors() {
            let failing = test::failing(&project, &self.catalog);
            project.diagnostics.extend(failing);
        }
        if project.has_errors() {
            let mut text = Vec::new();
            let mistakes: Vec<_> = project.diagnostics.iter().filter(|found| found.is_error()).cloned().collect();
            tell(&mut text, &mistakes, &project.sources, false).map_err(|error| error.to_string())?;
            return Err(format!("a faulty edit:\n{}", String::from_utf8_lossy(&text).trim_end()));
        }
        let runs = self.scheduled(&project)?;
        let is = |run: &ScheduledRun| (run.run.name.clone(), run.run.plan_version.clone(), run.every);
        let restart = started_with.needs_restart(&project.config);
        if runs.iter().map(is).eq(running.iter().map(is)) && restart.is_empty() {
            return Ok(None);
        }
        let more = if restart.is_empty() {
            String::new()
        } else {
            format!("; {} changed in koppel.toml: that needs a restart", restart.join(" and "))
        };
        Ok(Some((runs, format!("the edit is taken over{more}"))))
    }
}

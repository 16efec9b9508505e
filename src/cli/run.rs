//! `koppel run`: every flow once, in the order of `koppel.toml`.
//!
//! Trouble of a connection is told once: runs that need it are left out from there on, the others go on.

use std::{collections::HashSet, io::Write as _, sync::Arc, time::Duration};

use super::{
    args::{Args, RunArgs},
    ready::{self, Open},
    report, runtime,
    say::{Ended, Said, Stop, out},
    stopper,
    told::{Bar, Journals, Lines},
};
use crate::{
    clock,
    engine::{self, EngineError, Progress, Silent, Summary},
    insight::Journal,
    ledger::Ledger,
    project::Project,
};

/// Runs and reports.
pub(super) fn run(args: &Args, asked: &RunArgs) -> Said {
    let Some(project) = ready::project(args, asked.json)? else { return Ok(Ended::Mistakes) };
    runtime()?.block_on(once(&project, asked))
}

async fn once(project: &Project, asked: &RunArgs) -> Said {
    let chosen = ready::chosen(project, &asked.runs)?;
    let open = Open::new(project, &chosen, &asked.sandbox).await?;
    let ledger = open.ledger()?;
    let lines = Arc::new(Lines::default());
    let mut journals: Vec<Arc<dyn Journal>> = vec![Arc::new(open.log(project)?)];
    if asked.json {
        journals.push(Arc::clone(&lines) as Arc<dyn Journal>);
    }
    let journal = Journals(journals);
    let stop = stopper();
    let mut summaries: Vec<Summary> = Vec::new();
    let mut troubles = Vec::new();
    let mut down: HashSet<Arc<str>> = HashSet::new();
    if asked.wait {
        wait_after_loss(&ledger, &stop).await;
    }
    for run in &chosen {
        if stop.wished() {
            break;
        }
        if let Some(name) = run.connections.values().find(|name| down.contains(*name)) {
            troubles.push(format!("not run: {}, which needs connection {name}", run.name));
            continue;
        }
        let run = ready::run(project, run, &open.connections, &open.catalog, false).map_err(Stop::Setup)?;
        let bar = Bar::new(&run.name);
        let progress: &dyn Progress = if asked.json { &Silent } else { &bar };
        let summary = match poll(&run, asked.wait, &ledger, &journal, progress, &stop).await {
            Ok(summary) => summary,
            Err(error) => {
                troubles.push(ready::trouble(project, &error));
                match error {
                    EngineError::Connection { connection, summary, .. } => {
                        down.insert(connection);
                        *summary
                    }
                    _ => break,
                }
            }
        };
        if asked.json {
            lines.print(&report::json(&summary));
        }
        summaries.push(summary);
    }
    if !asked.json && !summaries.is_empty() {
        let mut out = out();
        write!(out, "{}", report::table(&summaries))?;
        for line in report::troubles(&summaries) {
            writeln!(out, "{line}")?;
        }
        if let Some(sandbox) = open.target.sandbox.as_ref().filter(|_| troubles.is_empty()) {
            writeln!(out, "{}", sandbox.effects().await?)?;
        }
        out.flush()?;
    }
    match troubles.as_slice() {
        [_, ..] => Err(Stop::Setup(troubles.join("\n"))),
        [] if stop.wished() => {
            writeln!(std::io::stderr(), "stopped before the end; the next run goes on from here")?;
            Ok(Ended::Held)
        }
        [] if summaries.iter().any(report::troubled) => Ok(Ended::Held),
        [] => Ok(Ended::Fine),
    }
}

/// Stays until nothing that a lost ledger forgot can take effect any more, by the clock of this process: who only starts
/// koppel from time to time would begin that time anew at each start.
async fn wait_after_loss(ledger: &Ledger, stop: &engine::Stop) {
    let Some(left) = ledger.quarantine_left() else { return };
    let until = clock::now().saturating_add(left).map_or_else(|_| String::new(), report::time_of_day);
    // Whether anybody reads it changes nothing.
    let _ = writeln!(
        std::io::stderr(),
        "the ledger was lost or put back: nothing is made until {until}, so that what it forgot is seen; waiting"
    );
    tokio::select! {
        () = tokio::time::sleep(left) => {}
        () = async { stop.clone().wait().await } => {}
    }
}

/// How long to stay away before asking again about what is in doubt: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// One poll; with `wait` again and again until nothing of it is in doubt that time can settle. Records that are held
/// stay as they are meanwhile, and so does what is in doubt until a person has looked.
async fn poll(
    run: &engine::Run,
    wait: bool,
    ledger: &Ledger,
    journal: &dyn Journal,
    progress: &dyn Progress,
    stop: &engine::Stop,
) -> Result<Summary, EngineError> {
    let mut summary = engine::poll(run, ledger, journal, progress, stop).await?;
    let patient = engine::Run { patient: true, ..run.clone() };
    let (first, longest) = PAUSES;
    // Where nothing stays in doubt for long, nobody need wait long either.
    let mut pause = run.connections.values().map(|connector| connector.settle()).fold(first, Duration::min);
    while wait && summary.awaited > 0 && !stop.wished() {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = async { stop.clone().wait().await } => break,
        }
        pause = (pause * 2).min(longest);
        match engine::poll(&patient, ledger, journal, progress, stop).await {
            Ok(later) => summary.go_on(later),
            Err(EngineError::Connection { connection, text, summary: later }) => {
                summary.go_on(*later);
                return Err(EngineError::Connection { connection, text, summary: Box::new(summary) });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(summary)
}

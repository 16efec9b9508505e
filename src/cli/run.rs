//! `koppel run`: every flow once, in the order of `koppel.toml`.

use std::{io::Write as _, sync::Arc, time::Duration};

use super::{
    args::{Args, RunArgs},
    ready::{self, Open},
    report, runtime,
    say::{Ended, Said, Stop, out},
    stopper,
    told::{Bar, Journals, Lines},
};
use crate::{
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
    let mut stopped = None;
    for run in &chosen {
        let run = ready::run(project, run, &open.connections, &open.catalog, false).map_err(Stop::Setup)?;
        let bar = Bar::new(&run.name);
        let progress: &dyn Progress = if asked.json { &Silent } else { &bar };
        let summary = match poll(&run, asked.wait, &ledger, &journal, progress, &stop).await {
            Ok(summary) => summary,
            Err(error) => {
                stopped = Some(ready::trouble(project, &error));
                if let EngineError::Connection { summary, .. } = error { *summary } else { Summary::default() }
            }
        };
        if asked.json {
            lines.print(&report::json(&summary));
        }
        summaries.push(summary);
        if stopped.is_some() || stop.wished() {
            break;
        }
    }
    if !asked.json {
        let mut out = out();
        write!(out, "{}", report::table(&summaries))?;
        for line in report::troubles(&summaries) {
            writeln!(out, "{line}")?;
        }
        if let Some(sandbox) = open.target.sandbox.as_ref().filter(|_| stopped.is_none()) {
            writeln!(out, "{}", sandbox.effects().await?)?;
        }
        out.flush()?;
    }
    match stopped {
        Some(trouble) => Err(Stop::Setup(trouble)),
        None if stop.wished() => {
            writeln!(std::io::stderr(), "stopped before the end; the next run goes on from here")?;
            Ok(Ended::Held)
        }
        None if summaries.iter().any(report::troubled) => Ok(Ended::Held),
        None => Ok(Ended::Fine),
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

//! `koppel eval`: what a flow makes of records in a file, without any connection.

use std::{
    fs::{File, read_to_string},
    io::{self, Read, Write as _},
    path::Path,
    sync::Arc,
    thread::available_parallelism,
};

use super::{
    args::{Args, EvalArgs},
    place, ready,
    say::{Ended, Form, Said, Stop, out_in},
};
use crate::{
    connector::Bodies,
    engine::{LinesError, lines},
    eval::lines::{Given, Lines, Tally},
    project::{Project, Run},
};

/// Decides and writes a line for each.
pub(super) fn eval(args: &Args, asked: &EvalArgs) -> Said {
    let Some(project) = ready::project(args, true)? else { return Ok(Ended::Mistakes) };
    let run = named(&project, &asked.flow)?;
    let today = place::today();
    let text = asked.given.as_ref().map_or(Ok("{}".to_owned()), |path| {
        read_to_string(path).map_err(|error| Stop::Setup(format!("{}: {error}", path.display())))
    })?;
    let given = Given::read(&text, &run.plan, place::catalog()?, today).map_err(|why| {
        let path = asked.given.as_deref().unwrap_or(Path::new("{}"));
        Stop::Setup(format!("{}: {why}", path.display()))
    })?;
    let (given, bodies) = (Arc::new(given), bodies(&project, run)?);
    let jobs = match asked.jobs {
        Some(jobs) => jobs.get(),
        None => available_parallelism().map_or(1, usize::from),
    };
    let worker = |_| Lines::new(run.plan.clone(), given.clone(), bodies.clone(), today);
    let mut out = out_in(Form::Json);
    let tally = lines(input(&asked.input)?, &mut out, (0..jobs).filter_map(worker).collect());
    let tally = tally.map_err(|error| match error {
        LinesError::Write(error) => error.into(),
        other => Stop::Setup(format!("{}: {other}", asked.input.display())),
    })?;
    out.flush()?;
    // The counts are for people; a program has the lines.
    let _ = writeln!(io::stderr(), "{}", told(&tally));
    Ok(if tally.hold + tally.fail + tally.error > 0 { Ended::Held } else { Ended::Fine })
}

/// The run that was meant: by its name, or the only one of a flow by the flow's name or file.
fn named<'p>(project: &'p Project, name: &str) -> Result<&'p Run, Stop> {
    if let Some(run) = project.runs.iter().find(|run| *run.name == *name) {
        return Ok(run);
    }
    let typed = name.trim_start_matches("./");
    let of_flow = |run: &&Run| {
        let path = project.sources.get(run.plan.program.file).map_or("", |source| source.path.as_str());
        *run.plan.name == *typed || path == typed || typed.ends_with(&format!("/{path}"))
    };
    let names = |runs: &mut dyn Iterator<Item = &'p Run>| runs.map(|run| &*run.name).collect::<Vec<_>>().join(", ");
    match *project.runs.iter().filter(of_flow).collect::<Vec<_>>() {
        [run] => Ok(run),
        [] => {
            let all = names(&mut project.runs.iter());
            Err(Stop::Usage(format!("there is no run and no flow `{name}`; there are: {all}")))
        }
        ref several => {
            let several = names(&mut several.iter().copied());
            Err(Stop::Usage(format!("`{name}` runs more than once, with settings of each; name one: {several}")))
        }
    }
}

/// How the systems of this run get their writes.
fn bodies(project: &Project, run: &Run) -> Result<Arc<Bodies>, Stop> {
    let systems = run.connections.iter().map(|(role, connection)| (role.clone(), project.system(connection)));
    let bodies = Bodies::new(systems, Arc::new(place::catalog()?.clone()));
    Ok(Arc::new(bodies.map_err(|error| Stop::Setup(error.to_string()))?))
}

fn input(path: &Path) -> Result<Box<dyn Read + Send>, Stop> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path).map_err(|error| Stop::Setup(format!("{}: {error}", path.display())))?;
    Ok(Box::new(file))
}

fn told(tally: &Tally) -> String {
    let counts = tally.counts();
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    let told: Vec<String> =
        counts.iter().filter(|(_, count)| *count > 0).map(|(word, count)| format!("{count} {word}")).collect();
    let told = if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) };
    format!("{all} records{told}; nothing was sent")
}

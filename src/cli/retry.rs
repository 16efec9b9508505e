//! `koppel retry`: what is held or failed is decided again at the next poll.

use std::io::Write as _;

use super::{
    args::{Args, RetryArgs},
    named::{Desk, Named},
    report::plain,
    say::{Ended, Said, Stop, out},
};
use crate::ledger::{RecordOutcome, Verb, Wish};

/// Says how many, and leaves it to the process that has the ledger.
pub(super) fn retry(args: &Args, asked: &RetryArgs) -> Said {
    let desk = Desk::open(args, &asked.of, "retry", &asked.what)?;
    if asked.what.is_empty() && !asked.all && !asked.failed {
        return Err(Stop::Usage(format!(
            "retry what?\n      one record:            {}\n      what waits of a run:   {}\n      what waits of all:     {}",
            desk.command("retry RUN/KEY"),
            desk.command("retry RUN"),
            desk.command("retry --all")
        )));
    }
    let verb = if asked.failed { Verb::RetryFailed } else { Verb::Retry };
    let mut wishes = Vec::new();
    for what in &asked.what {
        match desk.run(what) {
            Ok(run) => wishes.push(Wish { run, key: None, verb, write: None, target_key: None }),
            Err(unknown) if !what.contains('/') => {
                // A record without its run is told from a run that there is not.
                let known = desk.view.runs_with(what)?;
                return Err(if known.is_empty() { unknown } else { desk.record(what).err().unwrap_or(unknown) });
            }
            Err(_) => {
                let record = desk.record(what)?;
                waits(&desk, &record)?;
                let Named { run, key } = record;
                wishes.push(Wish { run, key: Some(key), verb: Verb::Retry, write: None, target_key: None });
            }
        }
    }
    if asked.what.is_empty() {
        let runs = desk.project.runs.iter().map(|run| run.name.clone());
        wishes.extend(runs.map(|run| Wish { run, key: None, verb, write: None, target_key: None }));
    }
    let mut out = out();
    let mut enqueued = Vec::new();
    for wish in wishes {
        let count = desk.view.retried(&wish.run, wish.key.as_deref(), wish.verb)?;
        let which = wish.key.as_ref().map_or_else(|| wish.run.to_string(), |key| plain(&format!("{}/{key}", wish.run)));
        match (count, &wish.key) {
            (0, _) if asked.what.is_empty() => {}
            (0, _) if asked.failed => writeln!(out, "nothing of {which} is failed")?,
            (0, _) => writeln!(out, "nothing of {which} is held or failed")?,
            (1, None) => writeln!(out, "1 record of {which} is decided again")?,
            (count, None) => writeln!(out, "{count} records of {which} are decided again")?,
            (_, Some(_)) => writeln!(out, "{which} is decided again")?,
        }
        if count > 0 {
            enqueued.push(wish);
        }
    }
    if enqueued.is_empty() {
        if asked.what.is_empty() {
            writeln!(out, "nothing is {}", if asked.failed { "failed" } else { "held or failed" })?;
        }
        out.flush()?;
        return Ok(Ended::Fine);
    }
    desk.wish(&mut out, &enqueued)
}

/// A record that a retry would leave as it is has another way.
fn waits(desk: &Desk, record: &Named) -> Result<(), Stop> {
    let count = desk.view.retried(&record.run, Some(&record.key), Verb::Retry)?;
    if count > 0 {
        return Ok(());
    }
    let stages = desk.view.record(&record.run, &record.key)?;
    let typed = record.typed();
    let is = |outcome| stages.iter().any(|own| own.stage.is_empty() && own.outcome == outcome);
    let text = if is(RecordOutcome::Done) {
        let redo = desk.command(&format!("redo {typed}"));
        format!("{typed} is done, there is nothing to try again\n      if it is to make more:  {redo}")
    } else if is(RecordOutcome::Gone) {
        format!("{typed} has left the list that is read; it is decided again when it is back")
    } else {
        let holds = desk.command(&format!("holds {}", record.run));
        format!("{typed} waits until it is certain whether something of it was made\n      {holds}")
    };
    Err(Stop::Usage(text))
}

//! `koppel redo`: lifts the seal of a record that was done, after saying what of it is there and stays.

use std::io::Write as _;

use super::{
    args::{Args, RedoArgs},
    named::{Desk, Named, agreed},
    report::wrapped,
    say::{Ended, Said, Stop, out},
};
use crate::ledger::{State, Verb, Wish};

/// Says what will happen, asks, and leaves it to the process that has the ledger.
pub(super) fn redo(args: &Args, asked: &RedoArgs) -> Said {
    let desk = Desk::open(args, &asked.of, "redo")?;
    let record = desk.record(&asked.record)?;
    let typed = record.typed();
    let Named { run, key } = &record;
    if !desk.view.record(run, key)?.iter().any(|own| own.sealed) {
        return Err(Stop::Usage(format!(
            "{typed} was never done, so it is not sealed\n      to decide it again:  {}",
            desk.command(&format!("retry {typed}"))
        )));
    }
    let rows = desk.view.rows(run, key)?;
    if let Some(row) = rows.iter().find(|row| row.standing.state.in_doubt()) {
        return Err(Stop::Usage(format!(
            "nobody knows yet whether {} of {typed} was made: that comes first\n      {}",
            row.title(),
            desk.command(&format!("holds {run}"))
        )));
    }
    let mut out = out();
    write!(out, "{}", wrapped(&format!("{typed} was done. It is decided again as if it were new:"), 0))?;
    let made = rows.iter().filter(|row| row.standing.state == State::Confirmed && !row.is_change());
    for row in made {
        let key = row.target_key.as_deref().filter(|key| !key.is_empty());
        let under = key.map(|key| format!(" under {key}")).unwrap_or_default();
        let line =
            format!("{} ({}.{}) was made{under}: it stays, and is not made again", row.title(), row.conn, row.entity);
        write!(out, "{}", wrapped(&line, 6))?;
    }
    let rest = "what the flow wants besides is made now; if it does not want all of this any more, the record is held";
    write!(out, "{}", wrapped(rest, 6))?;
    if !agreed(&mut out, asked.yes)? {
        return Ok(Ended::Fine);
    }
    let Named { run, key } = record;
    desk.wish(&mut out, &[Wish { run, key: Some(key), verb: Verb::Redo, write: None, target_key: None }])
}

//! `koppel settle`: a person has looked in the target, and says whether a write in doubt happened.

use std::{io::Write as _, sync::Arc};

use jiff::Timestamp;

use super::{
    args::{Args, SettleArgs},
    named::{Desk, Named, agreed},
    report::{clock, plain, quoted, wrapped},
    say::{Ended, Said, Stop, out},
    target,
};
use crate::{
    ledger::{Row, State, Verb, Wish},
    project::listed,
};

/// Says what will happen, asks, and leaves it to the process that has the ledger: that one judges whether an attempt
/// may still arrive.
pub(super) fn settle(args: &Args, asked: &SettleArgs) -> Said {
    let desk = Desk::open(args, &asked.of, "settle")?;
    let record = desk.record(&asked.record)?;
    let row = in_doubt(&desk, &record, asked)?;
    let (title, typed) = (row.title(), record.typed());
    let mut out = out();
    let (verb, target_key, text) = if let Some(number) = &asked.happened {
        let key = key_of(&desk, &row, number, &typed)?;
        let under = if key.is_empty() { String::new() } else { format!(" under {key}") };
        let text = format!("{title} of {typed} counts as made{under}: it is not sent again, and the record goes on.");
        (Verb::Happened, Some(key), text)
    } else if let Some(text) = too_early(&desk, &row)? {
        write!(out, "{}", wrapped(&text, 0))?;
        out.flush()?;
        return Ok(Ended::Held);
    } else {
        let text = format!(
            "{title} of {typed} counts as not made: it is decided again, and sent again where the flow still wants it. \
             If it is there after all, there will be two."
        );
        (Verb::DidNotHappen, None, text)
    };
    write!(out, "{}", wrapped(&format!("{text} That cannot be taken back."), 0))?;
    if !agreed(&mut out, asked.yes)? {
        return Ok(Ended::Fine);
    }
    let Named { run, key } = record;
    desk.wish(&mut out, &[Wish { run, key: Some(key), verb, write: Some(title), target_key }])
}

/// The one row that was meant.
fn in_doubt(desk: &Desk, record: &Named, asked: &SettleArgs) -> Result<Row, Stop> {
    let typed = record.typed();
    let rows = desk.view.rows(&record.run, &record.key)?;
    let mut rows: Vec<Row> = rows.into_iter().filter(Row::can_be_settled).collect();
    let titles: Vec<Arc<str>> = rows.iter().map(Row::title).collect();
    let known: Vec<&str> = titles.iter().map(|title| &**title).collect();
    if rows.is_empty() {
        return Err(Stop::Usage(format!("nothing of {typed} is in doubt\n      what is:  {}", desk.command("holds"))));
    }
    if asked.happened.is_none() && !asked.did_not_happen {
        return Err(Stop::Usage(format!(
            "is it there or not?\n      {}\n      {}",
            desk.command(&format!("settle {typed} --happened")),
            desk.command(&format!("settle {typed} --did-not-happen"))
        )));
    }
    if let Some(name) = &asked.write {
        rows.retain(|row| *row.title() == **name);
        if rows.is_empty() {
            return Err(Stop::Usage(format!("no `{name}` of {typed} is in doubt\n      what is: {}", listed(&known))));
        }
    }
    let word = word(asked);
    match rows.pop() {
        Some(row) if rows.is_empty() => Ok(row),
        _ => {
            let way = |title: &&str| desk.command(&format!("settle {typed} {word} --write {}", quoted(title)));
            let ways: Vec<String> = known.iter().map(|title| format!("      {}", way(title))).collect();
            Err(Stop::Usage(format!("{} of {typed} are in doubt: which one?\n{}", listed(&known), ways.join("\n"))))
        }
    }
}

/// What was typed of the two.
fn word(asked: &SettleArgs) -> String {
    match asked.happened.as_deref() {
        None => "--did-not-happen".to_owned(),
        Some("") => "--happened".to_owned(),
        Some(number) => format!("--happened {number}"),
    }
}

/// Under which key it is there: what was typed, else its own number; none where no read shows it.
fn key_of(desk: &Desk, row: &Row, number: &str, typed: &str) -> Result<Arc<str>, Stop> {
    // A changed record has the key that it had.
    let own = if row.is_change() { &row.target_key } else { &row.own_number };
    match own {
        Some(own) if !number.is_empty() && **own != *number => Err(Stop::Usage(format!(
            "{} was sent with number {own}, not {number}\n      if {own} is there:  {}",
            row.title(),
            desk.command(&format!("settle {typed} --happened"))
        ))),
        Some(own) => Ok(own.clone()),
        None if number.is_empty() && row.needs_number() => Err(Stop::Usage(format!(
            "under which number is it there? What follows needs it\n      {}",
            desk.command(&format!("settle {typed} --happened NUMBER"))
        ))),
        None => Ok(number.into()),
    }
}

/// Why it cannot be denied yet. What is proven absent already may be.
fn too_early(desk: &Desk, row: &Row) -> Result<Option<String>, Stop> {
    if row.standing.state == State::Void {
        return Ok(None);
    }
    let settle = target::settle(&desk.project, &row.conn, desk.sandbox);
    let over = row.quiet_since.and_then(|since| since.checked_add(settle).ok());
    if let Some(over) = over.filter(|over| *over > Timestamp::now()) {
        return Ok(Some(format!(
            "Not yet: {} may still arrive until {}. Look again after that; if it is not there then, type this again.",
            plain(&row.title()),
            clock(over)
        )));
    }
    if desk.holder()?.is_some() {
        return Ok(None);
    }
    let minutes = settle.as_secs().div_ceil(60);
    let time = if minutes == 1 { "1 minute".to_owned() } else { format!("{minutes} minutes") };
    Ok(Some(format!(
        "Not yet: only a process that has run for {time} can tell that nothing is on its way any more. Start koppel serve \
         or koppel run --wait and leave it running, look in the target after that time, and type this again."
    )))
}

//! `koppel redo`: a record that was done makes what it has not made yet, after saying what of it is there and stays;
//! with `--changed` all records of a run with which its flow, as it is now, would do more.

use std::{collections::BTreeMap, io::Write as _, sync::Arc};

use super::{
    args::{Args, InSandbox, RedoArgs},
    named::{Desk, Named, agreed},
    ready::{self, Open},
    report::{plain, short, wrapped},
    runtime,
    say::{Ended, Said, Stop, out},
    stopper,
};
use crate::{
    engine::{self, Again},
    ledger::{State, Verb, Wish},
    value::{Action, Write},
};

/// Says what will happen, asks, and leaves it to the process that has the ledger.
pub(super) fn redo(args: &Args, asked: &RedoArgs) -> Said {
    let named: Vec<String> = asked.changed.iter().chain(&asked.record).cloned().collect();
    let desk = Desk::open(args, &asked.of, "redo", &named)?;
    match (&asked.changed, &asked.record) {
        (Some(run), _) => changed(args, asked, &desk, &desk.run(run)?),
        (None, Some(record)) => one(asked, &desk, record),
        // Clap has asked for one of them.
        (None, None) => Err(Stop::Closed),
    }
}

fn one(asked: &RedoArgs, desk: &Desk, record: &str) -> Said {
    let record = desk.record(record)?;
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
        write!(out, "{}", wrapped(&line, INDENT))?;
    }
    let rest = "what the flow wants besides is made now; if it does not want all of this any more, the record is held";
    write!(out, "{}", wrapped(rest, INDENT))?;
    if !agreed(&mut out, asked.yes)? {
        return Ok(Ended::Fine);
    }
    let Named { run, key } = record;
    desk.wish(&mut out, &[Wish { run, key: Some(key), verb: Verb::Redo, write: None, target_key: None }])
}

/// Of what stands under a head.
const INDENT: usize = 6;

/// What the flow as it is now would do with records that were done.
#[derive(Default)]
struct Changed {
    /// How many ended under another version of the flow.
    looked: u64,
    /// What is wished of each record, and what is done then.
    wishes: Vec<(Wish, Vec<String>)>,
    /// How many records, by why nothing is done about them.
    staying: BTreeMap<String, u64>,
}

impl Changed {
    fn note(&mut self, run: &Arc<str>, key: &Arc<str>, again: Again) {
        let (verb, writes) = match again {
            Again::Makes(writes) => (Verb::Redo, writes),
            Again::Updates(writes) => (Verb::Again, writes),
            Again::Stays(why) => return self.stays(&why),
        };
        let wish = Wish { run: run.clone(), key: Some(key.clone()), verb, write: None, target_key: None };
        self.wishes.push((wish, writes.iter().map(doing).collect()));
    }

    fn stays(&mut self, why: &str) {
        *self.staying.entry(plain(&short(why))).or_default() += 1;
    }

    /// Records of which something is in doubt, also behind a write, are left until that is certain.
    fn leave_in_doubt(&mut self, desk: &Desk) -> Result<(), Stop> {
        for (wish, doing) in std::mem::take(&mut self.wishes) {
            let rows = desk.view.rows(&wish.run, wish.key.as_deref().unwrap_or_default())?;
            match rows.iter().find(|row| row.standing.state.in_doubt()) {
                Some(row) => self.stays(&format!("nobody knows yet whether {} was made", row.title())),
                None => self.wishes.push((wish, doing)),
            }
        }
        Ok(())
    }

    fn shown(&self, run: &str) -> String {
        let of = |records: u64| if records == 1 { "1 record".to_owned() } else { format!("{records} records") };
        let (were, them, all) =
            if self.looked == 1 { ("was", "it", "1 record".to_owned()) } else { ("were", "them", of(self.looked)) };
        let head = match (self.looked, self.wishes.len()) {
            (0, _) => format!("no record of {run} was done by an earlier version of it"),
            (_, 0) => {
                format!("{all} of {run} {were} done by an earlier version of it; there is nothing to do for {them}")
            }
            (1, _) => format!("1 record of {run} was done by an earlier version of it. As it is now, it does more:"),
            (_, more) => {
                let does = if more == 1 { "1 of them gets" } else { &format!("{more} of them get") };
                format!("{all} of {run} were done by an earlier version of it. As it is now, {does} more:")
            }
        };
        let mut text = wrapped(&head, 0);
        let mut doing: BTreeMap<&str, u64> = BTreeMap::new();
        for what in self.wishes.iter().flat_map(|(_, doing)| doing) {
            *doing.entry(what).or_default() += 1;
        }
        for (what, records) in &doing {
            text.push_str(&wrapped(&format!("{}: {what}", of(*records)), INDENT));
        }
        if !self.wishes.is_empty() {
            text.push_str(&wrapped("what was made before stays, and is not made again", INDENT));
        }
        for (why, records) in &self.staying {
            let stay = if *records == 1 { "stays as it is" } else { "stay as they are" };
            text.push_str(&wrapped(&format!("{} {stay}: {why}", of(*records)), INDENT));
        }
        text
    }
}

/// What is done by a write, in words.
fn doing(write: &Write) -> String {
    let Write { name, entity, fields, .. } = write;
    match write.action {
        Action::Create => format!("makes {name} ({entity})"),
        Action::Update => {
            let paths: Vec<String> = fields.leaves().into_iter().map(|(path, _)| path).collect();
            format!("updates {entity}, sends {}", paths.join(", "))
        }
    }
}

/// Decides all of a run that another version of its flow brought to an end, and shows what comes of it.
fn changed(args: &Args, asked: &RedoArgs, desk: &Desk, run: &Arc<str>) -> Said {
    let Some(project) = ready::project(args, false)? else { return Ok(Ended::Mistakes) };
    let chosen = ready::chosen(&project, &[run.to_string()])?;
    let sandbox = InSandbox { sandbox: asked.of.sandbox.clone(), size: None, seed: None, awkward: false };
    let mut found = runtime()?.block_on(async {
        let open = Open::new(&project, &chosen, &sandbox).await?;
        let (ledger, _folder) = open.ledger_copy()?;
        let stop = stopper();
        let mut found = Changed::default();
        for own in &chosen {
            let own = ready::run(&project, own, &open.connections, &open.catalog, false).map_err(Stop::Setup)?;
            let looked = engine::changed(&own, &ledger, &stop, |key, again| found.note(run, key, again)).await;
            found.looked += looked.map_err(|error| Stop::Setup(ready::trouble(&project, &error)))?;
        }
        // What was seen before a stop is not all.
        if stop.wished() { Err(Stop::Closed) } else { Ok(found) }
    })?;
    found.leave_in_doubt(desk)?;
    let mut out = out();
    write!(out, "{}", found.shown(run))?;
    if found.wishes.is_empty() || !agreed(&mut out, asked.yes)? {
        out.flush()?;
        return Ok(Ended::Fine);
    }
    let wishes: Vec<Wish> = found.wishes.into_iter().map(|(wish, _)| wish).collect();
    desk.wish(&mut out, &wishes)
}

//! `koppel settle`: a person has looked in the target, and says whether a write in doubt happened.

use std::{io::Write as _, sync::Arc, thread, time::Duration};

use super::{
    args::{Args, SettleArgs},
    named::{Desk, Named, agreed, somebody_there},
    report::{plain, quoted, time_of_day, wrapped},
    runtime,
    say::{Ended, Said, Stop, out},
    target,
};
use crate::{
    clock, engine,
    insight::Log,
    ledger::{Ledger, Row, State, Verb, Wish},
    project::listed,
};

/// Says what will happen, asks, and leaves it to the process that has the ledger: that one judges whether an attempt
/// may still arrive.
pub(super) fn settle(args: &Args, asked: &SettleArgs) -> Said {
    let desk = Desk::open(args, &asked.of, "settle", std::slice::from_ref(&asked.record))?;
    let record = desk.record(&asked.record)?;
    let row = in_doubt(&desk, &record, asked)?;
    let (title, typed) = (row.title(), record.typed());
    let mut out = out();
    let (verb, target_key, text) = if let Some(number) = &asked.happened {
        let key = key_of(&desk, &row, number, &typed)?;
        let under = if key.is_empty() { String::new() } else { format!(" under {key}") };
        let text = format!("{title} of {typed} counts as made{under}: it is not sent again, and the record goes on.");
        (Verb::Happened, Some(key), text)
    } else if let Some(early) = too_early(&desk, &row)? {
        write!(out, "{}", wrapped(&early.text, 0))?;
        out.flush()?;
        return match early.stay {
            Some(settle) if !asked.yes && somebody_there() => stay(&desk, &record, &row, settle),
            _ => Ok(Ended::Held),
        };
    } else {
        (Verb::DidNotHappen, None, not_made(&title, &typed))
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
    // What was given up is meant only where nothing else can be, or by its name.
    if asked.write.is_none() && rows.iter().any(|row| row.standing.state.in_doubt()) {
        rows.retain(|row| row.standing.state.in_doubt());
    }
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
            Err(Stop::Usage(format!("which write of {typed} is meant: {}?\n{}", listed(&known), ways.join("\n"))))
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

fn not_made(title: &str, typed: &str) -> String {
    format!(
        "{title} of {typed} counts as not made: it is decided again, and sent again where the flow still wants it. If it \
         is there after all, there will be two."
    )
}

/// Why it cannot be denied yet.
struct Early {
    text: String,
    /// How long this process itself has to stay until it can be; none while another one has the ledger.
    stay: Option<Duration>,
}

/// Why it cannot be denied yet. What is proven absent already may be.
fn too_early(desk: &Desk, row: &Row) -> Result<Option<Early>, Stop> {
    if row.standing.state == State::Void {
        return Ok(None);
    }
    let settle = target::settle(&desk.project, &row.conn, desk.sandbox);
    let held = desk.holder()?.is_some();
    let over = row.quiet_since.and_then(|since| since.checked_add(settle).ok());
    let text = match over.filter(|over| *over > clock::now()) {
        Some(over) => format!(
            "Not yet: {} may still arrive until {}. Look again after that; if it is not there then, type this again.",
            plain(&row.title()),
            time_of_day(over)
        ),
        None if held => return Ok(None),
        None => format!(
            "Not yet: only a process that has run for {} can tell that nothing is on its way any more. Start koppel \
             serve or koppel run --wait and leave it running, look in the target after that time, and type this again.",
            minutes(settle)
        ),
    };
    Ok(Some(Early { text, stay: (!held).then_some(settle) }))
}

fn minutes(time: Duration) -> String {
    match time.as_secs().div_ceil(60) {
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

/// Where no process runs for long enough, this one does: it has the ledger until nothing can be on its way any more,
/// lets the person look then, and carries out what they say.
fn stay(desk: &Desk, record: &Named, row: &Row, settle: Duration) -> Said {
    let (title, typed) = (row.title(), record.typed());
    let mut out = out();
    let text = format!(
        "Or this one stays for {}, in which no other koppel works with this ledger, and asks you then.",
        minutes(settle)
    );
    write!(out, "{}", wrapped(&text, 0))?;
    if !agreed(&mut out, false)? {
        return Ok(Ended::Held);
    }
    let ledger = Ledger::open(&desk.places)?;
    let log = Log::open(&desk.log.0, &desk.log.1, desk.project.config.keep, clock::now())?;
    thread::sleep(settle);
    let look = format!("Look in {} now, whether {} is there.", row.conn, row.entity);
    write!(
        out,
        "{}",
        wrapped(&format!("{look} If you go on, {} That cannot be taken back.", not_made(&title, &typed)), 0)
    )?;
    if !agreed(&mut out, false)? {
        return Ok(Ended::Held);
    }
    let (run, key) = (record.run.clone(), record.key.clone());
    let wish = Wish { run, key: Some(key), verb: Verb::DidNotHappen, write: Some(title), target_key: None };
    desk.view.wish(std::slice::from_ref(&wish))?;
    let came = runtime()?.block_on(async {
        let wished = ledger.wishes(&record.run).await?.into_iter().rfind(|wished| wished.wish == wish);
        let Some(wished) = wished else { return Ok(None) };
        engine::hear(&ledger, &log, wished, [(row.conn.clone(), settle)]).await
    });
    match came.map_err(|error| Stop::Setup(error.to_string()))? {
        Some(Ok(done)) => writeln!(out, "{done}")?,
        Some(Err(why)) => return Err(Stop::Usage(why.to_string())),
        None => {}
    }
    out.flush()?;
    Ok(Ended::Fine)
}

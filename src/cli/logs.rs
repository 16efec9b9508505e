//! `koppel logs`: what happened, from the log files.

use std::{fmt::Write as _, io::Write as _};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    args::{Args, LogsArgs},
    named::{run_of, runs_of},
    place,
    report::plain,
    runtime,
    say::{Ended, Form, Said, Stop, out_in},
    target,
};
use crate::{
    clock,
    insight::{self, Event, Wanted},
    ledger::View,
};

/// Shows the log of the environment, oldest first.
pub(super) fn logs(args: &Args, logs: &LogsArgs) -> Said {
    let project = place::project(args)?;
    let (places, (folder, name)) = runtime()?.block_on(target::places_of(&project, logs.of.sandbox.as_deref()))?;
    let since = logs.since.map(|since| clock::now().saturating_sub(since).unwrap_or(Timestamp::MIN));
    let wanted = Wanted { run: logs.run.clone(), key: logs.key.clone(), since };
    let (events, unreadable) = insight::read(&folder, &name, &wanted)
        .map_err(|error| Stop::Setup(format!("the log in {} cannot be read: {error}", folder.display())))?;
    if let (Some(run), true) = (&logs.run, events.is_empty()) {
        run_of(&runs_of(&project, View::open(&places.ledger)?.as_ref())?, run)?;
    }
    let mut out = out_in(Form::of(logs.json));
    for event in &events {
        if logs.json {
            writeln!(out, "{}", serde_json::to_string(event).unwrap_or_default())?;
        } else {
            writeln!(out, "{}", line(event))?;
        }
    }
    if events.is_empty() && !logs.json {
        writeln!(out, "nothing in the log of {} ({})", of_what(args, logs), folder.display())?;
    }
    out.flush()?;
    if unreadable > 0 {
        let mut err = std::io::stderr();
        writeln!(err, "{unreadable} lines of the log cannot be read (a crash cuts the last line)")?;
    }
    Ok(Ended::Fine)
}

fn of_what(args: &Args, logs: &LogsArgs) -> String {
    logs.of.sandbox.as_ref().map_or_else(|| format!("environment `{}`", args.env), |url| format!("the sandbox {url}"))
}

/// One event as a person reads it, in Amsterdam time.
fn line(event: &Event) -> String {
    let zone = TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC);
    // Writing into a text cannot fail.
    let mut line = format!("{} {}", zone.to_datetime(event.at).strftime("%Y-%m-%d %H:%M:%S"), event.run);
    let parts = [&event.key, &event.write, &event.entity, &event.target_key];
    let _ = write!(line, " {}", kind(event));
    for part in parts.into_iter().flatten() {
        line.push(' ');
        line.push_str(part);
    }
    if !event.fields.is_empty() {
        let _ = write!(line, " ({})", event.fields.join(", "));
    }
    if let Some(reason) = &event.reason {
        let _ = write!(line, ": {reason}");
    }
    if let Some(place) = &event.place {
        let _ = write!(line, " [{place}]");
    }
    plain(&line)
}

/// The word of the kind, as the log has it.
fn kind(event: &Event) -> String {
    serde_json::to_value(event.kind).ok().and_then(|kind| kind.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

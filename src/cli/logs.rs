//! `koppel logs`: what happened, from the log files.

use std::{fmt::Write as _, io::Write as _};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    args::{Args, LogsArgs},
    place,
    say::{Ended, Said, Stop, out},
};
use crate::insight::{self, Event, Wanted};

/// Shows the log of the environment, oldest first.
pub(super) fn logs(args: &Args, logs: &LogsArgs) -> Said {
    let folder = place::folder(args)?;
    let since = logs.since.map(|since| Timestamp::now().saturating_sub(since).unwrap_or(Timestamp::MIN));
    let wanted = Wanted { run: logs.run.clone(), key: logs.key.clone(), since };
    let place = place::log_folder(&folder);
    let (events, unreadable) = insight::read(&place, &args.env, &wanted)
        .map_err(|error| Stop::Setup(format!("the log in {} cannot be read: {error}", place.display())))?;
    let mut out = out();
    for event in &events {
        if logs.json {
            writeln!(out, "{}", serde_json::to_string(event).unwrap_or_default())?;
        } else {
            writeln!(out, "{}", line(event))?;
        }
    }
    if events.is_empty() && !logs.json {
        writeln!(out, "nothing in the log of environment `{}` ({})", args.env, place.display())?;
    }
    out.flush()?;
    if unreadable > 0 {
        let mut err = std::io::stderr();
        writeln!(err, "{unreadable} lines of the log cannot be read (a crash cuts the last line)")?;
    }
    Ok(Ended::Fine)
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
    line.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The word of the kind, as the log has it.
fn kind(event: &Event) -> String {
    serde_json::to_value(event.kind).ok().and_then(|kind| kind.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

//! `koppel plan`: what a run would do now with every record; nothing is sent, and the ledger stays as it is.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write as _},
};

use serde_json::json;

use super::{
    args::{Args, RunArgs},
    ready::{self, Open},
    report::{plain, short},
    runtime,
    say::{Ended, Form, Said, Stop, out_in},
    stopper,
};
use crate::{
    engine::{self, Foreseen},
    project::Project,
    value::{Action, Fields, Node, Outcome, Reason},
};

/// Decides and shows.
pub(super) fn plan(args: &Args, asked: &RunArgs) -> Said {
    let Some(project) = ready::project(args, asked.json)? else { return Ok(Ended::Mistakes) };
    runtime()?.block_on(decide(&project, asked))
}

async fn decide(project: &Project, asked: &RunArgs) -> Said {
    let chosen = ready::chosen(project, &asked.runs)?;
    let open = Open::new(project, &chosen, &asked.sandbox).await?;
    let (ledger, _folder) = open.ledger_copy()?;
    let stop = stopper();
    let mut troubled = false;
    for run in &chosen {
        let run = ready::run(project, run, &open.connections, &open.catalog, false).map_err(Stop::Setup)?;
        let mut out = out_in(Form::of(asked.json));
        let mut written: io::Result<()> = Ok(());
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let decided = engine::foresee(&run, &ledger, &stop, |key, foreseen| {
            *counts.entry(word(&foreseen)).or_default() += 1;
            let text = if asked.json { line(&run.name, key, &foreseen) } else { shown(key, &foreseen) };
            if written.is_ok() {
                written = out.write_all(text.as_bytes());
            }
        });
        let read = decided.await.map_err(|error| Stop::Setup(ready::trouble(project, &error)))?;
        written?;
        if !asked.json {
            let counts: Vec<String> = counts.iter().map(|(word, n)| format!("{n} {word}")).collect();
            let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
            writeln!(out, "{}: {read} records{counts}; nothing was sent\n", run.name)?;
        }
        out.flush()?;
        troubled |= counts.keys().any(|word| ["hold", "fail", IN_DOUBT].contains(word));
    }
    Ok(if troubled { Ended::Held } else { Ended::Fine })
}

const IN_DOUBT: &str = "in doubt";

fn word(foreseen: &Foreseen) -> &'static str {
    let decision = match foreseen {
        Foreseen::Unchanged => return "unchanged",
        Foreseen::InDoubt => return IN_DOUBT,
        Foreseen::Decided(decision) => decision,
    };
    match &decision.outcome {
        Outcome::Skip(_) => "skip",
        Outcome::Hold(_) => "hold",
        Outcome::Fail(_) => "fail",
        Outcome::Writes(writes) if writes.is_empty() => "nothing to do",
        Outcome::Writes(_) => "write",
    }
}

/// A record as a program reads it: its decision, or the word why there is none.
fn line(run: &str, key: &str, foreseen: &Foreseen) -> String {
    let line = match foreseen {
        Foreseen::Decided(decision) => json!({ "run": run, "key": key, "decision": decision }),
        other => json!({ "run": run, "key": key, "stands": word(other) }),
    };
    line.to_string() + "\n"
}

/// A record as a person reads it, with the values that would be sent; what is left alone is only counted.
fn shown(key: &str, foreseen: &Foreseen) -> String {
    let mut text = String::new();
    let decision = match foreseen {
        Foreseen::Unchanged => return text,
        Foreseen::InDoubt => return format!("{}  in doubt: nobody knows yet what was made of it\n", plain(key)),
        Foreseen::Decided(decision) => decision,
    };
    let reason = |reason: &Reason| plain(&format!("{} ({})", short(&reason.text), reason.place));
    match &decision.outcome {
        Outcome::Skip(why) | Outcome::Hold(why) | Outcome::Fail(why) => {
            let _ = writeln!(text, "{}  {}: {}", plain(key), word(foreseen), reason(why));
        }
        Outcome::Writes(writes) if writes.is_empty() => {
            let _ = writeln!(text, "{}  nothing to do", plain(key));
        }
        Outcome::Writes(writes) => {
            for write in writes {
                let verb = if write.action == Action::Create { "create" } else { "update" };
                let _ = writeln!(text, "{}  {verb} {} ({})", plain(key), write.entity, write.name);
                fields(&mut text, &write.fields, 4);
            }
        }
    }
    for warning in &decision.warnings {
        let _ = writeln!(text, "    warning: {}", reason(warning));
    }
    text
}

fn fields(text: &mut String, all: &Fields, indent: usize) {
    for (name, node) in &all.0 {
        match node {
            Node::Value(value) => {
                let _ = writeln!(text, "{:indent$}{name} = {}", "", plain(&value.to_string()));
            }
            Node::Object(inner) => {
                let _ = writeln!(text, "{:indent$}{name}", "");
                fields(text, inner, indent + 2);
            }
            Node::List(lines) => {
                for line in lines {
                    let _ = writeln!(text, "{:indent$}{name}", "");
                    fields(text, line, indent + 2);
                }
            }
        }
    }
}

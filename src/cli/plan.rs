//! `koppel plan`: every decision for the records as they are now; nothing is sent.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write as _},
};

use super::{
    args::{Args, RunArgs},
    ready::{self, Open},
    report::{plain, short},
    runtime,
    say::{Ended, Form, Said, Stop, out_in},
    stopper,
};
use crate::{
    engine,
    project::Project,
    value::{Action, Decision, Fields, Node, Outcome, Reason},
};

/// Decides and shows.
pub(super) fn plan(args: &Args, asked: &RunArgs) -> Said {
    let Some(project) = ready::project(args, asked.json)? else { return Ok(Ended::Mistakes) };
    runtime()?.block_on(decide(&project, asked))
}

async fn decide(project: &Project, asked: &RunArgs) -> Said {
    let chosen = ready::chosen(project, &asked.runs)?;
    let open = Open::new(project, &chosen, &asked.sandbox).await?;
    let stop = stopper();
    let mut troubled = false;
    for run in &chosen {
        let run = ready::run(project, run, &open.connections, &open.catalog, false).map_err(Stop::Setup)?;
        let mut out = out_in(Form::of(asked.json));
        let mut written: io::Result<()> = Ok(());
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let decided = engine::decide_only(&run, &stop, |key, decision| {
            *counts.entry(word(&decision.outcome)).or_default() += 1;
            let text = if asked.json {
                serde_json::json!({ "run": run.name, "key": key, "decision": decision }).to_string() + "\n"
            } else {
                shown(key, decision)
            };
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
        troubled |= counts.keys().any(|word| matches!(*word, "hold" | "fail"));
    }
    Ok(if troubled { Ended::Held } else { Ended::Fine })
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Skip(_) => "skip",
        Outcome::Hold(_) => "hold",
        Outcome::Fail(_) => "fail",
        Outcome::Writes(writes) if writes.is_empty() => "nothing to do",
        Outcome::Writes(_) => "write",
    }
}

/// A decision as a person reads it, with the values that would be sent.
fn shown(key: &str, decision: &Decision) -> String {
    let mut text = String::new();
    let reason = |reason: &Reason| plain(&format!("{} ({})", short(&reason.text), reason.place));
    match &decision.outcome {
        Outcome::Skip(why) | Outcome::Hold(why) | Outcome::Fail(why) => {
            let _ = writeln!(text, "{}  {}: {}", plain(key), word(&decision.outcome), reason(why));
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

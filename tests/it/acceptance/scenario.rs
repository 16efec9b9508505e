//! Reads a file of scenarios: its title, and the steps of each scenario.
//!
//! `tests/acceptance/README.md` tells how they are written. What is no head belongs to the head above it.

use std::{fs, path::Path};

use toml::Table;

/// One scenario.
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) steps: Vec<Step>,
}

/// One step, with the line that it begins on.
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) what: What,
}

/// What a step is.
pub(super) enum What {
    /// Lines of `koppel.toml`, in the part of these settings.
    Settings(String, Table),
    /// Rows of a table.
    Rows(String, Vec<String>),
    /// So many records of a system: its name, the kind, the record.
    Records(usize, String, String, Table),
    /// A call that goes wrong.
    Fault(Table),
    LostLedger,
    /// These runs, one after another.
    Runs(Vec<String>),
    /// A run whose process dies as soon as so much is written.
    Killed(String, usize),
    /// So many writes of a kind: `create afas.FbSales`, with these fields.
    Written(usize, String, Table),
    /// A record that ended so: `held`, `skipped`, `failed`, `waiting`, `warned`; the reason.
    Ended(String, String),
    Nothing,
}

/// Title and scenarios of a file.
pub(super) fn read(path: &Path) -> (String, Vec<Scenario>) {
    let text = fs::read_to_string(path).unwrap();
    let at = |line: usize| format!("{}:{line}", path.display());
    let mut title = String::new();
    let mut scenarios: Vec<Scenario> = Vec::new();
    // The head that is open, with its lines.
    let mut open: Option<(usize, String, Vec<String>)> = None;
    let close = |open: &mut Option<(usize, String, Vec<String>)>, scenarios: &mut Vec<Scenario>| {
        if let Some((line, head, lines)) = open.take() {
            let what = step(&head, lines).unwrap_or_else(|error| panic!("{}: {error}", at(line)));
            let scenario = scenarios.last_mut().unwrap_or_else(|| panic!("{}: no scenario yet", at(line)));
            scenario.steps.push(Step { line, what });
        }
    };
    for (place, line) in text.lines().enumerate() {
        if let Some(name) = line.strip_prefix("## ") {
            close(&mut open, &mut scenarios);
            scenarios.push(Scenario { name: name.trim().to_owned(), steps: Vec::new() });
        } else if let Some(name) = line.strip_prefix("# ").filter(|_| title.is_empty()) {
            name.trim().clone_into(&mut title);
        } else if ["given ", "when ", "then "].iter().any(|word| line.starts_with(word)) {
            close(&mut open, &mut scenarios);
            open = Some((place + 1, line.trim().to_owned(), Vec::new()));
        } else if let Some((_, _, lines)) = &mut open {
            lines.push(line.to_owned());
        }
    }
    close(&mut open, &mut scenarios);
    (title, scenarios)
}

fn step(head: &str, lines: Vec<String>) -> Result<What, String> {
    let (word, rest) = head.split_once(' ').unwrap_or((head, ""));
    let fields = || lines.join("\n").parse::<Table>().map_err(|error| error.to_string());
    let counted = |rest: &str| match rest.split_once(' ') {
        Some((count, rest)) if count.parse::<usize>().is_ok() => (count.parse().unwrap_or(1), rest.to_owned()),
        _ => (1, rest.to_owned()),
    };
    match word {
        "given" if rest == "a lost ledger" => Ok(What::LostLedger),
        "given" if rest == "a fault" => Ok(What::Fault(fields()?)),
        "given" if rest.starts_with("settings ") => Ok(What::Settings(rest[9..].to_owned(), fields()?)),
        "given" if rest.starts_with("rows of ") => {
            let rows = lines.into_iter().filter(|line| !line.trim().is_empty()).collect();
            Ok(What::Rows(rest[8..].to_owned(), rows))
        }
        "given" => {
            let (count, name) = counted(rest);
            let (system, kind) = name.split_once('.').ok_or_else(|| format!("what is `{name}`?"))?;
            Ok(What::Records(count, system.to_owned(), kind.to_owned(), fields()?))
        }
        "when" => match rest.split_once(" is killed after ") {
            Some((run, count)) => {
                let count = count.trim_end_matches(" writes").parse().map_err(|_| format!("how many is {count}?"))?;
                Ok(What::Killed(run.to_owned(), count))
            }
            None => Ok(What::Runs(rest.split(", ").map(str::to_owned).collect())),
        },
        _ if rest == "nothing is written" => Ok(What::Nothing),
        _ => {
            let (count, name) = counted(rest);
            match name.split_once(' ') {
                Some(("create" | "update", _)) => Ok(What::Written(count, name, fields()?)),
                Some((ended, reason)) => {
                    let quoted = reason.strip_prefix('"').and_then(|reason| reason.strip_suffix('"'));
                    let reason = quoted.ok_or_else(|| format!("{reason} needs quotes"))?.replace("\\\"", "\"");
                    Ok(What::Ended(ended.to_owned(), reason))
                }
                None => Err(format!("what is `then {rest}`?")),
            }
        }
    }
}

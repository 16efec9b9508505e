//! `flows/FEATURES.md` cannot lie: every feature has its row, and what a row names is there.

use std::path::Path;

use crate::shipped::{folder, shipped};

/// The features of the product.
const FEATURES: &[&str] = &[
    "O1", "O2", "O3", "O4", "O5", "O6", "O7", "O8", "O9", "O10", "O11", "O12", "O13", "O14", "O15", "O16", "K1", "K2",
    "K3", "K4", "K5", "P1", "P2", "P3", "P4", "P5", "P6", "T1", "T2", "D1", "R1", "R2", "R3", "R4",
];

/// What stands between back-ticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The cells of the rows that begin with a number of a feature.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let cells = |line: &'_ str| -> bool { line.starts_with("| ") && !line.starts_with("| no.") };
    text.lines()
        .filter(|line| cells(line))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

#[test]
fn every_feature_has_a_row_and_every_setting_block_and_test_that_it_names_is_there() {
    let text = std::fs::read_to_string(folder().join("FEATURES.md")).unwrap();
    let rows = rows(&text);
    let numbers: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(numbers, FEATURES);

    let programs = &shipped().programs;
    let known = |name: &str| {
        programs.iter().any(|program| {
            program.settings.iter().any(|setting| &*setting.name == name)
                || program.tables.iter().any(|table| &*table.name == name)
        })
    };
    let acceptance = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/acceptance");
    let mut wrong = Vec::new();
    for row in &rows {
        let [number, what, steered, place, shown] = row[..] else { panic!("five cells: {row:?}") };
        if what.is_empty() {
            wrong.push(format!("{number} says nothing"));
        }
        let mut names = quoted(steered).peekable();
        if names.peek().is_none() {
            wrong.push(format!("{number} names nothing that steers it"));
        }
        wrong.extend(names.filter(|name| !known(name)).map(|name| format!("{number}: no setting or table `{name}`")));

        for part in place.split(';') {
            let mut parts = quoted(part);
            let file = parts.next().unwrap_or_default();
            let Ok(flow) = std::fs::read_to_string(folder().join(file)) else {
                wrong.push(format!("{number}: there is no file {file:?}"));
                continue;
            };
            let blocks: Vec<&str> = parts.collect();
            if blocks.is_empty() {
                wrong.push(format!("{number}: which block of {file}?"));
            }
            let begins = |block: &str| {
                flow.lines().any(|line| {
                    let rest = line.trim_start().strip_prefix(block);
                    rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
                })
            };
            wrong.extend(
                blocks.iter().filter(|block| !begins(block)).map(|block| format!("{number}: no `{block}` in {file}")),
            );
        }

        // The name of the file begins with the number of the feature: `o01_…` is O1.
        let (letter, count) = number.split_at(1);
        let of_number = |name: &str| {
            let start = name.strip_prefix(&letter.to_lowercase()).and_then(|rest| rest.split('_').next());
            start.is_some_and(|digits| digits.trim_start_matches('0') == count)
        };
        let names: Vec<&str> = quoted(shown).collect();
        if names.is_empty() {
            wrong.push(format!("{number} is shown by no test"));
        }
        let missing =
            names.iter().filter(|name| !of_number(name) || !acceptance.join(format!("{name}.case")).is_file());
        wrong.extend(missing.map(|name| format!("{number}: tests/acceptance/{name}.case is not its test")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

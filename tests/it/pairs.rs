//! All pairs of values of the settings that steer the flows, each run end to end against a sandbox with hard cases.
//!
//! A mistake that only two settings make together shows here: bodies that one system refuses, holds without a reason,
//! effects of a second run. `covering` chooses the runs.

use std::{collections::BTreeMap, fmt::Write as _};

use koppel::{
    engine::{EngineError, Summary},
    project::Project,
    sandbox::Options,
    schema::Catalog,
    value::Verdict,
};
use serde_json::Value;

use crate::{cli::world::copy, engine::house::House};

/// A setting: its section in `koppel.toml`, its name, and its values as they are written there.
struct Setting {
    owner: &'static str,
    name: &'static str,
    values: &'static [&'static str],
}

const SETTINGS: [Setting; 7] = [
    Setting {
        owner: "jortt_orders",
        name: "document",
        values: &["\"order\"", "\"quotation\"", "\"invoice\"", "\"direct_invoice\"", "\"entry\""],
    },
    Setting {
        owner: "jortt_orders",
        name: "statuses",
        values: &["[\"draft\"]", "[\"sent\"]", "[\"unpaid\"]", "[\"late\"]", "[\"paid\"]"],
    },
    Setting { owner: "jortt_orders", name: "stock", values: &["\"none\"", "\"check\"", "\"deliver\"", "\"mutate\""] },
    Setting { owner: "jortt_orders", name: "on_missing_item", values: &["\"hold\"", "\"create\""] },
    Setting { owner: "jortt_orders", name: "credit_notes", values: &["\"hold\"", "\"document\""] },
    Setting { owner: "settings", name: "on_existing", values: &["\"update\"", "\"keep\""] },
    Setting { owner: "afas_orders", name: "send_state", values: &["\"draft\"", "\"email\"", "\"self\"", "\"peppol\""] },
];

/// One run: for each setting the place of its value.
type Row = [usize; SETTINGS.len()];

/// Two settings and the places of their values; the first setting comes first.
type Pair = ((usize, usize), (usize, usize));

/// Stock is only delivered with a document that delivers: the check of the flows refuses the others.
fn allowed((first, second): Pair) -> bool {
    let value = |(setting, place): (usize, usize)| SETTINGS[setting].values[place];
    let (document, stock) = (first.0 == 0, second.0 == 2 && value(second) == "\"deliver\"");
    !(document && stock) || ["\"invoice\"", "\"direct_invoice\""].contains(&value(first))
}

fn pairs_of(row: &Row) -> impl Iterator<Item = Pair> + '_ {
    (0..row.len())
        .flat_map(move |first| (first + 1..row.len()).map(move |second| ((first, row[first]), (second, row[second]))))
}

/// All pairs that there must be.
fn all_pairs() -> Vec<Pair> {
    let mut all = Vec::new();
    for (first, one) in SETTINGS.iter().enumerate() {
        for (second, other) in SETTINGS.iter().enumerate().skip(first + 1) {
            for left in 0..one.values.len() {
                all.extend((0..other.values.len()).map(|right| ((first, left), (second, right))));
            }
        }
    }
    all.into_iter().filter(|pair| allowed(*pair)).collect()
}

/// Rows with all pairs: each begins with a pair that is not there yet, and takes for every other setting the value that
/// adds the most new pairs.
fn covering() -> Vec<Row> {
    let mut open = all_pairs();
    let mut rows = Vec::new();
    while let Some(&(first, second)) = open.first() {
        let mut chosen: Vec<(usize, usize)> = vec![first, second];
        for (setting, own) in SETTINGS.iter().enumerate().filter(|(setting, _)| ![first.0, second.0].contains(setting))
        {
            let ordered = |a: (usize, usize), b: (usize, usize)| if a.0 < b.0 { (a, b) } else { (b, a) };
            let fits = |place: &usize| chosen.iter().all(|other| allowed(ordered(*other, (setting, *place))));
            let gain = |place: &usize| {
                chosen.iter().filter(|other| open.contains(&ordered(**other, (setting, *place)))).count()
            };
            // Of equals the one that turns with the rows, so that no value is always the first.
            let count = own.values.len();
            let turned = (0..count).map(|place| (place + rows.len()) % count);
            let best = turned.filter(fits).max_by_key(gain).unwrap();
            chosen.push((setting, best));
        }
        let mut row: Row = [0; SETTINGS.len()];
        for (setting, place) in chosen {
            row[setting] = place;
        }
        open.retain(|pair| !pairs_of(&row).any(|own| own == *pair));
        rows.push(row);
    }
    rows
}

fn shown(row: &Row) -> String {
    let values = SETTINGS.iter().zip(row).map(|(own, place)| format!("{} = {}", own.name, own.values[*place]));
    values.collect::<Vec<_>>().join(", ")
}

#[test]
fn every_pair_of_values_is_in_a_run_and_no_run_is_refused() {
    let rows = covering();
    for pair in all_pairs() {
        assert!(rows.iter().any(|row| pairs_of(row).any(|own| own == pair)), "{pair:?} is in no run");
    }
    assert!(rows.iter().all(|row| pairs_of(row).all(allowed)));
    assert!((25..=40).contains(&rows.len()), "{} runs", rows.len());
}

/// The flows of this repository with the settings of a row.
fn project(row: &Row) -> (tempfile::TempDir, Project) {
    let folder = tempfile::tempdir().unwrap();
    copy(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("flows"), folder.path());
    let mut sections: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (own, place) in SETTINGS.iter().zip(row) {
        sections.entry(own.owner).or_default().push(format!("{} = {}", own.name, own.values[*place]));
    }
    let config = folder.path().join("koppel.toml");
    let mut text = std::fs::read_to_string(&config).unwrap();
    for (owner, lines) in sections {
        writeln!(text, "\n[env.pair.settings.{owner}]\n{}\n", lines.join("\n")).unwrap();
    }
    std::fs::write(&config, text).unwrap();
    let catalog = Catalog::standard().unwrap();
    let project = Project::open(folder.path(), "pair", catalog, "2026-11-20".parse().unwrap()).unwrap();
    assert!(!project.has_errors(), "{}: {:?}", shown(row), project.diagnostics);
    (folder, project)
}

/// What a run did that it must not do.
fn wrong(summaries: &[Result<Summary, EngineError>]) -> Vec<String> {
    let mut wrong = Vec::new();
    for summary in summaries {
        let Ok(summary) = summary else {
            wrong.push(format!("stopped: {summary:?}"));
            continue;
        };
        let told = |verdict: Verdict| -> u64 {
            summary.reasons.iter().filter(|kind| kind.verdict == verdict).map(|kind| kind.count).sum()
        };
        for kind in summary.reasons.iter().filter(|kind| kind.verdict == Verdict::Fail) {
            wrong.push(format!("{}: {} failed: {} ({})", summary.flow, kind.count, kind.text, kind.example));
        }
        if summary.unsettled > 0 {
            wrong.push(format!("{}: {} in doubt", summary.flow, summary.unsettled));
        }
        if told(Verdict::Hold) != summary.held || told(Verdict::Fail) != summary.failed {
            wrong.push(format!(
                "{}: {} held, {} failed, but {:?}",
                summary.flow, summary.held, summary.failed, summary.reasons
            ));
        }
        if summary.reasons.iter().any(|kind| kind.text.trim().is_empty()) {
            wrong.push(format!("{}: a reason without a word", summary.flow));
        }
    }
    wrong
}

/// E-mails of several debtors in AFAS from the start: several customers in Jortt are what is asked for.
const MEANT: [&str; 1] = ["dubbel@lastig.example"];

/// What a system refused, or made twice.
fn refused(effects: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (system, entities) in effects.as_object().unwrap() {
        for (entity, facts) in entities.as_object().unwrap() {
            for kind in ["refused", "duplicates"] {
                let all = facts[kind].as_array().unwrap();
                let all = all.iter().filter(|one| !MEANT.iter().any(|meant| one.to_string().contains(meant)));
                found.extend(all.map(|one| format!("{system}.{entity} {kind}: {one}")));
            }
        }
    }
    found
}

/// One row, twice.
async fn run(row: Row) -> Vec<String> {
    let (_folder, project) = project(&row);
    let options = Options { size: SIZE, awkward: true, limits: false, ..Options::default() };
    let house = House::of_project(&project, options).await;
    let mut found = wrong(&house.try_all().await);
    let effects = house.effects().await;
    found.extend(refused(&effects));
    found.extend(wrong(&house.try_all().await).into_iter().map(|line| format!("second run: {line}")));
    let again = house.effects().await;
    for (system, entities) in again.as_object().unwrap() {
        for (entity, facts) in entities.as_object().unwrap() {
            let before = &effects[system][entity];
            if facts != before {
                found.push(format!("second run: {system}.{entity} {before} became {facts}"));
            }
        }
    }
    found.into_iter().map(|line| format!("{}\n    {line}", shown(&row))).collect()
}

/// So many ordinary invoices beside the eighty hard cases.
const SIZE: usize = 220;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_pair_of_settings_runs_without_a_failure_of_ours_and_a_second_run_writes_nothing() {
    let mut rows = covering().into_iter();
    let mut running = tokio::task::JoinSet::new();
    let mut found = Vec::new();
    loop {
        // A run mostly waits for its turn at Jortt, which takes ten calls in a second.
        while running.len() < 16 {
            let Some(row) = rows.next() else { break };
            running.spawn(run(row));
        }
        match running.join_next().await {
            Some(ended) => found.extend(ended.unwrap()),
            None => break,
        }
    }
    assert!(found.is_empty(), "{} things went wrong\n{}", found.len(), found.join("\n"));
}

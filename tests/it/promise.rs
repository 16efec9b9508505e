//! The promise under random edits: nothing that koppel can know reaches the target wrong.
//!
//! The shipped flows are edited at random, one small edit for each seed. What still passes `check` runs against the
//! sandbox, which judges each body by the vendor's own file. A body that this file refuses is a hole in the checker.
//! `cargo test` tries some of the seeds; `KOPPEL_SEEDS=1..2000 cargo test --release --test it promise -- --nocapture`
//! tries all of them and prints the figures.

mod edit;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use koppel::{project::Project, sandbox::Options, schema::Catalog};
use serde_json::Value;

use super::engine::house::House;

/// What `cargo test` tries: enough to notice a hole that is wide.
const USUAL: RangeInclusive<u64> = 1..=40;

/// Where the settings of the shipped flows lead elsewhere: each seed takes one of them, so that edits of all ways run.
const SETTINGS: &[&str] = &[
    "",
    "on_missing_item = \"create\"\nitem_from = \"text\"",
    "item_from = \"fixed\"\nfixed_item = \"ADV\"",
    "credit_notes = \"document\"",
    "default_debtor = \"99999\"\ndefault_debtor_for = \"private\"",
    "statuses = [\"draft\", \"sent\", \"paid\"]",
];

fn seeds() -> RangeInclusive<u64> {
    let Ok(text) = std::env::var("KOPPEL_SEEDS") else { return USUAL };
    let (first, last) = text.split_once("..").expect("KOPPEL_SEEDS is FIRST..LAST");
    first.parse().unwrap()..=last.parse().unwrap()
}

/// The flows of the repository, in a folder of their own.
struct Copy {
    folder: tempfile::TempDir,
    texts: BTreeMap<String, String>,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut texts = BTreeMap::new();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("flows"), folder.path(), "", &mut texts);
        Self { folder, texts }
    }

    fn path(&self, of: &str) -> PathBuf {
        self.folder.path().join(of)
    }

    /// What may be edited: flows, libraries and tables.
    fn editable(&self) -> BTreeMap<String, String> {
        let editable = |path: &str| ["flow", "csv"].contains(&edit::ending(path)) && !path.ends_with(".test.flow");
        self.texts.iter().filter(|(path, _)| editable(path)).map(|(path, text)| (path.clone(), text.clone())).collect()
    }
}

fn copy(from: &Path, to: &Path, under: &str, texts: &mut BTreeMap<String, String>) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{under}{name}");
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(&name), &format!("{path}/"), texts);
        } else {
            let text = fs::read_to_string(entry.path()).unwrap();
            fs::write(to.join(&name), &text).unwrap();
            texts.insert(path, text);
        }
    }
}

/// The bodies that the vendor's file (`schema`) or the books refused, with the words of the vendor.
fn refused(effects: &Value, by: &str) -> Vec<String> {
    let systems = effects.as_object().unwrap().values().flat_map(|of| of.as_object().unwrap());
    let refused = systems.flat_map(|(entity, of)| {
        let refused = of["refused"].as_array().unwrap().iter();
        refused.filter(|own| own["by"] == by).map(move |own| format!("{entity}: {}", own["message"]))
    });
    let mut all: Vec<String> = refused.collect();
    all.sort();
    all.dedup();
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_check_is_never_refused_for_a_reason_that_the_schema_told() {
    let copy = Copy::new();
    let editable = copy.editable();
    let configuration = &copy.texts["koppel.toml"];
    let catalog = Catalog::standard().unwrap();
    let today = "2026-03-20".parse().unwrap();
    let (mut tried, mut passed, mut written) = (0_u64, 0_u64, 0_u64);
    let mut holes = Vec::new();
    let mut by_the_books = BTreeSet::new();
    for seed in seeds() {
        tried += 1;
        let edit = edit::edit(&editable, seed);
        let settings = SETTINGS[usize::try_from(seed).unwrap() % SETTINGS.len()];
        let section = "[settings.jortt_orders]";
        let configured = configuration.replacen(section, &format!("{section}\n{settings}"), 1);
        fs::write(copy.path("koppel.toml"), configured).unwrap();
        fs::write(copy.path(&edit.path), &edit.text).unwrap();
        let project = Project::open(copy.folder.path(), "live", catalog, today).unwrap();
        fs::write(copy.path(&edit.path), &editable[&edit.path]).unwrap();
        if project.has_errors() {
            continue;
        }
        passed += 1;
        let options = Options { size: 16, awkward: true, limits: false, seed, ..Options::default() };
        let house = House::of_project(&project, options).await;
        // What an edit holds, fails or stops is no matter here: it wrote nothing wrong.
        for ended in house.try_all().await {
            written += ended.map_or(0, |summary| summary.created.values().sum());
        }
        let effects = house.effects().await;
        let told = refused(&effects, "schema");
        if !told.is_empty() {
            holes.push(format!("seed {seed}: {}\n    {}", edit.done, told.join("\n    ")));
        }
        by_the_books.extend(refused(&effects, "books"));
    }
    let share = passed * 100 / tried;
    println!("{tried} edits, {passed} pass check ({share} %), {written} writes, {} holes", holes.len());
    println!("refused by what the books hold, which no schema tells: {by_the_books:#?}");
    assert!(holes.is_empty(), "{} holes:\n{}", holes.len(), holes.join("\n"));
    assert!(share >= 30, "only {share} % of the edits pass check: the generator is too wild to show anything");
    assert!(written > 0, "no edit wrote anything");
}

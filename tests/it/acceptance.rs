//! What users ask of the coupling, as scenarios: the shipped flows, both systems over HTTP, the ledger.
//!
//! Each file in `tests/acceptance` is one row of the list of features and one test here; `tests/acceptance/README.md`
//! tells how they are written. Every `when` is followed by a second run of the same flows, which must write nothing.
//! With `-- --nocapture` the names of the scenarios are printed.

mod scenario;
mod shape;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

use koppel::{
    engine::{Ended, Progress, Summary},
    project::Project,
    schema::Catalog,
    value::{Reason, Verdict},
};
use scenario::{Scenario, What};
use serde_json::{Value, json};
use toml::Table;

use super::{cli::copy, engine::house::House};

/// The tests, each with its file.
macro_rules! rows {
    ($($name:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            row(stringify!($name)).await;
        })*

        const ROWS: &[&str] = &[$(stringify!($name)),*];
    };
}

rows! {
    o01_financial_mutation
    o02_sales_orders
    o03_sales_invoices
    o04_customers_in_the_order_flow
    o05_stock
    o06_vat_code
    o07_vat_code_per_country
    o08_shipping_costs
    o09_shipping_methods
    o10_payment_terms
    o11_payment_methods
    o12_discounts
    o13_revenue_account_per_country
    o14_order_status
    o15_default_debtor
    o16_unlimited_transactions
    k1_revenue_account_of_customers
    k2_customer_update
    k3_vat_duty_of_customers
    k4_unlimited_customers
    k5_customer_classification
    p1_statuses
    p2_missing_data
    p3_order_exists
    p4_customer_exists
    p5_company_or_person
    p6_products_exist
    t1_draft_or_sent
    t2_afas_documents
    d1_default_data_map
    r1_afas_orders
    r2_afas_customers
    r3_payment_terms_from_afas
    r4_products
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/acceptance")
}

#[test]
fn every_file_of_scenarios_is_a_test() {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "case"));
    let names: BTreeSet<String> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names, ROWS.iter().map(|name| (*name).to_owned()).collect());
}

/// Runs all scenarios of a row; those that fail are told together.
#[expect(clippy::print_stdout, reason = "the names of the scenarios are what a reader of the tests looks for")]
async fn row(name: &str) {
    let path = folder().join(format!("{name}.case"));
    let (title, scenarios) = scenario::read(&path);
    let bases: Table = fs::read_to_string(folder().join("records.toml")).unwrap().parse().unwrap();
    assert!(!scenarios.is_empty(), "{}: no scenario", path.display());
    let only = std::env::var("KOPPEL_SCENARIO").unwrap_or_default();
    let mut wrong = Vec::new();
    for scenario in scenarios.iter().filter(|scenario| scenario.name.contains(&only)) {
        let failures = World::new(&bases).await.play(scenario).await;
        println!("{title}: {} … {}", scenario.name, if failures.is_empty() { "ok" } else { "FAILED" });
        wrong.extend(failures.iter().map(|failure| format!("{name}.case:{failure}\n  in: {}", scenario.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// How the records of some runs ended: the word with the reason.
#[derive(Default)]
struct Told(Mutex<BTreeSet<(String, String)>>);

impl Progress for Told {
    fn read(&self, _: &str, _: u64) {}

    fn ended(&self, _: &str, _: &str, ended: Ended, reason: Option<&Reason>) {
        let word = match ended {
            Ended::Unchanged | Ended::Done => return,
            Ended::Skipped => "skipped",
            Ended::Held => "held",
            Ended::Waiting => "waiting",
            Ended::Failed => "failed",
            Ended::Unsettled => "unsettled",
        };
        self.add(word, reason.map_or("", |reason| &*reason.text));
    }
}

impl Told {
    fn add(&self, word: &str, reason: &str) {
        self.0.lock().unwrap().insert((word.to_owned(), reason.to_owned()));
    }
}

/// The flows in a folder of their own, and what runs them.
struct World<'a> {
    bases: &'a Table,
    folder: tempfile::TempDir,
    house: Option<House>,
    /// Settings or tables were changed since the flows were last read.
    edited: bool,
    /// How many writes earlier steps have seen.
    seen: usize,
    told: Told,
}

impl<'a> World<'a> {
    async fn new(bases: &'a Table) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("flows"), folder.path());
        let mut world = Self { bases, folder, house: None, edited: false, seen: 0, told: Told::default() };
        world.house = Some(House::empty(&world.project()).await);
        world
    }

    fn project(&self) -> Project {
        let catalog = Catalog::standard().unwrap();
        Project::open(self.folder.path(), "live", catalog, "2026-03-20".parse().unwrap()).unwrap()
    }

    fn house(&self) -> &House {
        self.house.as_ref().unwrap()
    }

    fn edit(&mut self, path: &str, change: impl FnOnce(String) -> String) {
        let path = self.folder.path().join(path);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, change(text)).unwrap();
        self.edited = true;
    }

    /// Gives what did not come as the scenario says.
    async fn play(mut self, scenario: &Scenario) -> Vec<String> {
        let mut failures = Vec::new();
        let mut steps = scenario.steps.iter().peekable();
        while let Some(step) = steps.next() {
            match &step.what {
                What::Settings(name, lines) => self.set(name, lines),
                What::Rows(table, rows) => self.add_rows(table, rows),
                What::Records(count, system, kind, fields) => self.put(*count, system, kind, fields).await,
                What::Fault(fields) => self.house().fault(shape::record(fields, self.bases, 1)).await,
                What::LostLedger => self.house.as_mut().unwrap().forget(),
                What::Killed(run, count) => self.kill(run, *count).await,
                What::Runs(runs) => {
                    let (line, mut then) = (step.line, Vec::new());
                    while let Some(next) =
                        steps.next_if(|next| matches!(next.what, What::Written(..) | What::Ended(..) | What::Nothing))
                    {
                        then.push(&next.what);
                    }
                    failures.extend(self.run(runs, &then).await.into_iter().map(|text| format!("{line}: {text}")));
                }
                _ => failures.push(format!("{}: a `then` without its `when`", step.line)),
            }
        }
        failures
    }

    fn set(&mut self, name: &str, lines: &Table) {
        let head = format!("[settings.{name}]");
        let lines = lines.clone();
        self.edit("koppel.toml", |text| {
            let (before, after) = text.split_once(&head).unwrap_or_else(|| panic!("no {head} in koppel.toml"));
            // What stands there already is taken over.
            let (own, rest) = after.split_once("\n[").unwrap_or((after, ""));
            let set = |line: &&str| line.split_once('=').is_none_or(|(key, _)| !lines.contains_key(key.trim()));
            let kept: Vec<&str> = own.lines().filter(set).collect();
            format!("{before}{head}\n{lines}{}\n[{rest}", kept.join("\n"))
        });
    }

    fn add_rows(&mut self, table: &str, rows: &[String]) {
        let path = self.folder.path().join("shared/tables.flow");
        let flow = fs::read_to_string(path).unwrap();
        let start = format!("table {table} ");
        let head = flow.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no table {table}"));
        let rows = rows.join("\n") + "\n";
        match head.split('"').nth(1) {
            Some(csv) => self.edit(csv.trim_start_matches("../"), |text| text + &rows),
            None => self.edit("shared/tables.flow", |text| {
                // The rows come first, below the line with the columns.
                let from = text.find(head).unwrap() + head.len() + 1;
                let columns = from + text[from..].find('\n').unwrap() + 1;
                format!("{}{rows}{}", &text[..columns], &text[columns..])
            }),
        }
    }

    async fn put(&self, count: usize, system: &str, kind: &str, fields: &Table) {
        let records = (1..=count).map(|turn| {
            let mut record = shape::record(fields, self.bases, turn);
            if count > 1 {
                record["id"] = format!("{turn:08x}-0000-4000-8000-000000000000").into();
            }
            record
        });
        let records: Vec<Value> = records.collect();
        self.house().put(json!({ system: { kind: records } })).await;
    }

    async fn poll(&self, run: &str) -> Summary {
        let summary = self.house().poll_told(run, &self.told).await;
        for trouble in summary.reasons.iter().filter(|trouble| trouble.verdict == Verdict::Warn) {
            self.told.add("warned", &trouble.text);
        }
        summary
    }

    /// The process dies in the midst of a run, as soon as so much is written, and is started again.
    async fn kill(&mut self, run: &str, count: usize) {
        let enough = async { while self.house().writes().await < count {} };
        tokio::select! {
            _ = self.poll(run) => panic!("{run} ended before {count} writes"),
            () = enough => {}
        }
        self.house.as_mut().unwrap().restart();
    }

    async fn run(&mut self, runs: &[String], then: &[&What]) -> Vec<String> {
        self.told.0.lock().unwrap().clear();
        let mut runs = runs;
        if std::mem::take(&mut self.edited) {
            let project = self.project();
            if project.has_errors() {
                project.diagnostics.iter().for_each(|told| self.told.add("mistake", &told.title));
                runs = &[];
            } else {
                self.house.as_mut().unwrap().take_over(&project);
            }
        }
        for run in runs {
            self.poll(run).await;
        }
        let mut all = self.house().written().await;
        let came: Vec<(String, Value)> = all.drain(self.seen..).map(|write| shape::written(&write)).collect();
        self.seen += came.len();
        let mut failures = Vec::new();
        for run in runs {
            let again = self.poll(run).await;
            if again.failed + again.unsettled > 0 {
                self.told.add("failed", "in the second run");
            }
        }
        let after = self.house().written().await;
        for more in &after[self.seen..] {
            let (name, body) = shape::written(more);
            failures.push(format!("the second run writes {name}: {body:#}"));
        }
        self.seen = after.len();
        failures.extend(compare(&came, then, self.bases));
        failures.extend(self.ends(then));
        failures
    }

    /// What differs between how the records ended and what is said of it.
    fn ends(&self, then: &[&What]) -> Vec<String> {
        let said = then.iter().filter_map(|what| match what {
            What::Ended(word, reason) => Some((word.clone(), reason.clone())),
            _ => None,
        });
        let said: BTreeSet<(String, String)> = said.collect();
        let came = self.told.0.lock().unwrap().clone();
        let missing = said.difference(&came).map(|(word, reason)| format!("is not {word}: {reason}"));
        let more = came.difference(&said).map(|(word, reason)| format!("is {word}: {reason}"));
        missing.chain(more).collect()
    }
}

/// What differs between the writes that came and those that a scenario names; it names all of them.
fn compare(came: &[(String, Value)], then: &[&What], bases: &Table) -> Vec<String> {
    let mut left: Vec<&(String, Value)> = came.iter().collect();
    let mut failures = Vec::new();
    let mut missing: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for what in then {
        let What::Written(count, name, fields) = what else { continue };
        let expected = shape::expected(fields, bases);
        for _ in 0..*count {
            match left.iter().position(|(own, body)| own == name && shape::includes(body, &expected)) {
                Some(place) => drop(left.remove(place)),
                None => missing.entry(name).or_default().push(expected.clone()),
            }
        }
    }
    for (name, expected) in missing {
        failures.extend(expected.iter().map(|expected| format!("no {name} with {expected:#}")));
    }
    failures.extend(left.iter().map(|(name, body)| format!("not said: {name} {body:#}")));
    failures
}

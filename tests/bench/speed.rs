//! How fast it is: `cargo bench` prints the numbers of the README's table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    hint::black_box,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use divan::Bencher;
use jiff::civil::Date;
use koppel::{
    check::{Checked, check},
    diagnostic::{FileId, Files},
    eval::{Moment, Reads, Step, step},
    plan::{Plan, SettingValues, build},
    project::{Folder, Project},
    schema::{Catalog, Projection, decode_sample},
    syntax::{
        format::{Vendor, format},
        parse,
    },
    value::{Ask, Record, Value},
};

fn main() {
    // What is loaded once for a process is no part of what is measured warm.
    LazyLock::force(&CATALOG);
    divan::main();
}

const TODAY: Date = Date::constant(2026, 1, 15);

static CATALOG: LazyLock<&Catalog> = LazyLock::new(|| Catalog::standard().unwrap());

fn flows() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("flows")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(flows().join(path)).unwrap()
}

/// Files in memory.
struct Texts(BTreeMap<String, Arc<str>>);

impl Files for Texts {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        self.0.get(path).cloned().ok_or_else(|| format!("{path} is not there"))
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Flows that are no part of the 1,000 lines: neither checked nor used by those that are.
const LEFT_OUT: [&str; 6] = [
    "afas_customers.flow",
    "afas_orders.flow",
    "afas_paid.flow",
    "estimates.flow",
    "jortt_paid.flow",
    "shared/customer.flow",
];

/// Orders and customers with all that they use, and the flow of the orders made longer until all have 1,000 lines.
fn thousand_lines() -> Texts {
    let folder = Folder::open(&flows()).unwrap();
    let files = ["flow", "csv", "json"].into_iter().flat_map(|ending| folder.list(ending));
    let paths = files.filter(|path| !path.ends_with(".test.flow") && !LEFT_OUT.contains(&&**path));
    let mut texts: BTreeMap<String, Arc<str>> = paths.map(|path| (path.clone(), folder.read(&path).unwrap())).collect();
    let flows = |texts: &BTreeMap<String, Arc<str>>| {
        texts.iter().filter(|(path, _)| path.ends_with("flow")).map(|(_, text)| text.lines().count()).sum::<usize>()
    };
    let mut orders = texts["orders.flow"].to_string();
    let missing = 1000_usize.checked_sub(flows(&texts)).expect("leave more out");
    for number in 0..missing / 4 {
        write!(
            orders,
            "\nlet more_{number} = first_chars(\"{{ours}} {{country}}\", 20) when days > {number} else number\n\
             hold when more_{number} is \"J{number}\" and invoice.invoice_total > 1{number}.00\n     because \"number {{more_{number}}}\"\n"
        )
        .unwrap();
    }
    texts.insert("orders.flow".to_owned(), orders.into());
    Texts(texts)
}

fn checked(files: &Texts) -> Checked {
    let roles = ["jortt", "afas"].map(|role| (Arc::from(role), Arc::from(role))).into();
    let flows = ["orders.flow".to_owned(), "customers.flow".to_owned()];
    check(&koppel::check::Project { files, catalog: *CATALOG, roles: &roles, flows: &flows, today: TODAY })
}

#[divan::bench]
fn parse_7_kb(bencher: Bencher<'_, '_>) {
    let text = read("orders.flow");
    let text = &text[..text.len().min(7_000)];
    let text = &text[..=text.rfind('\n').unwrap()];
    bencher.bench(|| parse(FileId(0), black_box(text)));
}

/// Files of which some are another text than at the last call: koppel reads only those again.
fn edited(files: &Texts, which: impl Fn(&str) -> bool) -> Texts {
    static EDITS: AtomicUsize = AtomicUsize::new(0);
    let edit = EDITS.fetch_add(1, Ordering::Relaxed);
    let text =
        |path: &str, text: &Arc<str>| if which(path) { format!("{text}# {edit}\n").into() } else { text.clone() };
    Texts(files.0.iter().map(|(path, own)| (path.clone(), text(path, own))).collect())
}

/// What an editor waits for at a save: the longest file, more than half of the lines, is a new text each time.
#[divan::bench]
fn check_1000_lines_after_an_edit(bencher: Bencher<'_, '_>) {
    let files = thousand_lines();
    assert!(!checked(&files).has_errors(), "{:#?}", checked(&files).diagnostics);
    bencher.with_inputs(|| edited(&files, |path| path == "orders.flow")).bench_refs(|files| checked(files));
}

#[divan::bench]
fn check_1000_lines_that_are_all_new(bencher: Bencher<'_, '_>) {
    let files = thousand_lines();
    bencher.with_inputs(|| edited(&files, |path| path.ends_with("flow"))).bench_refs(|files| checked(files));
}

#[divan::bench]
fn format_1000_lines(bencher: Bencher<'_, '_>) {
    let files = thousand_lines();
    let texts: Vec<String> =
        files.0.iter().filter(|(path, _)| path.ends_with("flow")).map(|(_, text)| text.to_string()).collect();
    bencher.bench(|| texts.iter().map(|text| format(black_box(text), &Vendor::default()).len()).sum::<usize>());
}

/// A new process that checks the shipped project: start, schemas, reading, checking.
#[divan::bench(sample_count = 30)]
fn koppel_check_cold(bencher: Bencher<'_, '_>) {
    bencher.bench(|| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_koppel"));
        let done = command.arg("check").arg(flows()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(done.unwrap().success());
    });
}

/// A flow with a table in a CSV file.
fn with_table(head: &str, csv: String) -> Texts {
    let flow = format!(
        "flow t \"T\"\nread invoice from jortt.invoices {{\n  since change\n  key .id\n}}\ntable codes{head}\n  \
         otherwise => \"0\"\n}}\nwarn when invoice.invoice_total is 0 because \"zero\"\n"
    );
    Texts([("orders.flow".to_owned(), flow.into()), ("codes.csv".to_owned(), csv.into())].into())
}

fn check_table(bencher: Bencher<'_, '_>, files: &Texts) {
    let roles = ["jortt", "afas"].map(|role| (Arc::from(role), Arc::from(role))).into();
    let flows = ["orders.flow".to_owned()];
    let check =
        |files| check(&koppel::check::Project { files, catalog: *CATALOG, roles: &roles, flows: &flows, today: TODAY });
    let all = check(files)
        .diagnostics
        .into_iter()
        .filter(|told| !matches!(told.code, "F402" | "F403" | "F404" | "F405" | "F701" | "F801"));
    assert_eq!(all.count(), 0);
    bencher.bench(|| check(black_box(files)));
}

/// 1,000 rows of ranges, lists and periods that overlap at random; the first that fits counts.
fn entangled(first: &str) -> Texts {
    let mut seed = 7_u64;
    let mut next = |most: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 33) % most
    };
    let mut csv = "amount,rate,country,day,code\n".to_owned();
    for row in 0..1_000 {
        let (low, high) = (next(9_000), next(9_000));
        let (from, to) = (next(20), next(20));
        let words: Vec<String> = (0..=next(3)).map(|_| format!("\"\"W{}\"\"", next(40))).collect();
        writeln!(
            csv,
            "{}..{},{}..{},\"{}\",from 20{:02}-01-01 until 20{:02}-12-31,{row}",
            low.min(high),
            low.max(high),
            from.min(to),
            from.max(to),
            words.join(", "),
            10 + from.min(to),
            10 + from.max(to),
        )
        .unwrap();
    }
    with_table(
        &format!(
            "{first} from \"codes.csv\" {{\n  amount: decimal | rate: int | country: text | day: date => code: text"
        ),
        csv,
    )
}

#[divan::bench]
fn judge_1000_entangled_rows(bencher: Bencher<'_, '_>) {
    check_table(bencher, &entangled(""));
}

#[divan::bench]
fn judge_1000_entangled_rows_where_the_first_counts(bencher: Bencher<'_, '_>) {
    check_table(bencher, &entangled(" first"));
}

/// The plan of the orders, an invoice as Jortt sends it, and the rows that its decision asks for.
struct Deciding {
    plan: Arc<Plan>,
    /// Made once for a page of records.
    projection: Projection,
    json: serde_json::Value,
    reads: Reads,
}

fn deciding() -> Deciding {
    let project = Project::open(&flows(), "live", *CATALOG, TODAY).unwrap();
    let plan = project.runs.iter().find(|run| &*run.name == "jortt_orders").unwrap().plan.clone();
    let object = |role: &str, entity: &str| CATALOG.entity(role, entity).unwrap().read.as_ref().unwrap().object.clone();
    let json: serde_json::Value = serde_json::from_str(&read("samples/invoice-2026-0042.json")).unwrap();
    let afas: serde_json::Value = serde_json::from_str(&read("samples/afas.json")).unwrap();
    let customers: serde_json::Value = serde_json::from_str(&read("samples/customers.json")).unwrap();
    let answer = |ask: &Ask| -> Arc<[Record]> {
        let rows = if &*ask.entity.role == "afas" { &afas[&*ask.entity.entity] } else { &customers };
        let rows = rows.as_array().into_iter().flatten().chain(rows.is_object().then_some(rows));
        let object = object(&ask.entity.role, &ask.entity.entity);
        let of_entity = |_: &&serde_json::Value| &*ask.entity.role == "afas" || &*ask.entity.entity == "customers";
        let whole = rows.filter(of_entity).map(|row| decode_sample(&object, row, TODAY).unwrap());
        whole.filter(|row| ask.filter.matches(row)).collect()
    };
    let projection = Projection::new(&object("jortt", "invoices"), &plan.source.as_ref().unwrap().fields);
    let mut this = Deciding { plan, projection, json, reads: Reads::default() };
    loop {
        match this.step() {
            Step::Decided(_) => return this,
            Step::Wants(asks) => {
                for ask in asks {
                    let rows = answer(&ask);
                    this.reads.0.insert(ask, rows);
                }
            }
        }
    }
}

impl Deciding {
    fn step(&self) -> Step {
        let record = self.projection.decode(&self.json, TODAY).unwrap();
        step(
            &self.plan,
            &record,
            &self.reads,
            Moment { today: TODAY, confirmed: &BTreeMap::new(), left: &koppel::eval::NothingLeft },
        )
    }
}

#[divan::bench]
fn decode_and_decide_an_invoice(bencher: Bencher<'_, '_>) {
    let deciding = deciding();
    bencher.bench(|| black_box(&deciding).step());
}

/// A record that looks one item up in a CSV table of 100,000 rows.
#[divan::bench]
fn look_up_in_100000_rows(bencher: Bencher<'_, '_>) {
    let (plan, record) = big_table();
    let (reads, confirmed) = (Reads::default(), BTreeMap::new());
    let moment = Moment { today: TODAY, confirmed: &confirmed, left: &koppel::eval::NothingLeft };
    assert!(matches!(step(&plan, &record, &reads, moment), Step::Decided(_)));
    bencher.bench_local(|| step(black_box(&plan), &record, &reads, moment));
}

/// Gaps and overlaps of 25 countries × 4 kinds × 5 ranges × 2 periods, in no order that helps.
#[divan::bench(sample_count = 10)]
fn prove_a_table_of_1000_rows_and_4_columns(bencher: Bencher<'_, '_>) {
    let files = wide_files();
    assert!(!checked_big(&files).has_errors(), "{:#?}", checked_big(&files).diagnostics);
    bencher.bench(|| checked_big(black_box(&files)));
}

/// The same without one of its rows: the gap must be found, and shown.
#[divan::bench(sample_count = 10)]
fn find_the_gap_in_a_table_of_1000_rows_and_4_columns(bencher: Bencher<'_, '_>) {
    let mut files = wide_files();
    let flow = files.0["big.flow"].replace(
        "\"BE\" | \"b\" | 100..199 | from 2026-01-01 => \"",
        "\"BE\" | \"b\" | 100..150 | from 2026-01-01 => \"",
    );
    assert_ne!(*flow, *files.0["big.flow"]);
    files.0.insert("big.flow".to_owned(), flow.into());
    assert!(checked_big(&files).has_errors());
    bencher.bench(|| checked_big(black_box(&files)));
}

#[divan::bench(sample_count = 10)]
fn load_and_check_10000_rows(bencher: Bencher<'_, '_>) {
    let files = big_files(10_000);
    bencher.bench(|| checked_big(black_box(&files)));
}

#[divan::bench(sample_count = 10)]
fn load_and_check_100000_rows(bencher: Bencher<'_, '_>) {
    let files = big_files(100_000);
    bencher.bench(|| checked_big(black_box(&files)));
}

fn big_files(rows: usize) -> Texts {
    let flow = "flow big \"Big\"\n\nread customer from jortt.customers {\n  since change\n  key   .id\n}\n\n\
                skip when item(customer.reference) is \"I99999\" because \"found\"\n\n\
                table item from \"big.csv\" {\n  key: text? => code: text\n  otherwise hold \"none\"\n}\n";
    let mut csv = "key,code\n".to_owned();
    for number in 0..rows {
        writeln!(csv, "K{number},I{number}").unwrap();
    }
    Texts([("big.flow".to_owned(), Arc::from(flow)), ("big.csv".to_owned(), Arc::from(csv))].into())
}

fn wide_files() -> Texts {
    const COUNTRIES: &str = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE";
    let mut rows = Vec::new();
    for country in COUNTRIES.split(' ') {
        for kind in ["a", "b", "c", "d"] {
            for range in ["< 0", "0..99", "100..199", "200..999", ">= 1000"] {
                for period in ["until 2025-12-31", "from 2026-01-01"] {
                    rows.push(format!("  \"{country}\" | \"{kind}\" | {range} | {period} => \"R{}\"", rows.len()));
                }
            }
        }
    }
    // 389 and 1,000 have no common divisor: every row comes once.
    let rows: Vec<&str> = (0..rows.len()).map(|at| &*rows[at * 389 % rows.len()]).collect();
    let countries: Vec<String> = COUNTRIES.split(' ').map(|country| format!("\"{country}\"")).collect();
    let flow = format!(
        "flow big \"Big\"\n\nsetting place: one of {} = \"NL\"\nsetting sort: one of \"a\", \"b\", \"c\", \"d\" = \"a\"\n\n\
         read customer from jortt.customers {{\n  since change\n  key   .id\n}}\n\n\
         skip when code(place, sort, customer.payment_term ?? 0, today()) is \"R1\" because \"found\"\n\n\
         table code {{\n  country: one of {} | kind: one of \"a\", \"b\", \"c\", \"d\" | days: int | on: date => code: text\n{}\n}}\n",
        countries.join(", "),
        countries.join(", "),
        rows.join("\n"),
    );
    Texts([("big.flow".to_owned(), Arc::from(flow))].into())
}

fn checked_big(files: &Texts) -> Checked {
    let roles = [(Arc::from("jortt"), Arc::from("jortt"))].into();
    let flows = ["big.flow".to_owned()];
    check(&koppel::check::Project { files, catalog: *CATALOG, roles: &roles, flows: &flows, today: TODAY })
}

fn big_table() -> (Plan, Record) {
    let checked = checked_big(&big_files(100_000));
    assert!(!checked.has_errors(), "{:#?}", checked.diagnostics);
    let program = checked.programs.iter().find(|program| program.source.is_some()).unwrap();
    let plan = build(program.clone(), &checked.sources, &SettingValues::new()).unwrap();
    let object = CATALOG.entity("jortt", "customers").unwrap().read.as_ref().unwrap().object.clone();
    let record = decode_sample(&object, &serde_json::json!({"id": "1", "reference": "K99999"}), TODAY).unwrap();
    assert_eq!(record.get("reference"), &Value::text("K99999"));
    (plan, record)
}

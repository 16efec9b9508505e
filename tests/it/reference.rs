//! The reference for users and the libraries that koppel brings along: what is printed there is checked here.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use jiff::civil::date;
use koppel::{
    check::{
        self, Checked, Project,
        lineage::{Origin, lineage},
    },
    diagnostic::{Diagnostic, Files},
    eval::testing,
    function,
    plan::SettingValues,
    schema::Catalog,
    value::Value,
};

/// Files in memory.
struct Memory(BTreeMap<String, String>);

impl Files for Memory {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        self.0.get(path).map(|text| text.as_str().into()).ok_or_else(|| "not there".to_owned())
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// The flows that ship.
struct Shipped;

impl Files for Shipped {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("flows").join(path);
        fs::read_to_string(path).map(Into::into).map_err(|error| error.to_string())
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

fn checked(files: &dyn Files, flow: &str) -> Checked {
    let roles = BTreeMap::from([("jortt".into(), "jortt".into()), ("afas".into(), "afas".into())]);
    let (catalog, flows) = (Catalog::standard().unwrap(), [flow.to_owned()]);
    check::check(&Project { files, catalog, roles: &roles, flows: &flows, today: date(2026, 1, 15) })
}

#[test]
fn the_libraries_that_koppel_brings_check_and_pass_their_tests() {
    for name in ["addresses", "countries", "names", "payment", "vat"] {
        let checked = checked(&Memory(BTreeMap::new()), &format!("std:{name}"));
        assert!(checked.diagnostics.is_empty(), "std:{name}: {:#?}", checked.diagnostics);
        let program = &checked.programs[0];
        let outcomes = testing::run(program, &checked.sources, Catalog::standard().unwrap(), &SettingValues::new());
        assert!(!outcomes.is_empty(), "std:{name} has tests");
        for outcome in outcomes {
            assert!(outcome.failures.is_empty(), "std:{name}: {}: {:#?}", outcome.name, outcome.failures);
        }
    }
}

#[test]
fn a_flow_that_uses_a_library_of_koppel_does_not_get_its_tests() {
    let text = "use vat_rate from \"std:vat\"\nlet rate = vat_rate(\"NL\", \"high\", on: 2026-01-01)\n";
    let files = Memory(BTreeMap::from([("own.flow".to_owned(), text.to_owned())]));
    let checked = checked(&files, "own.flow");
    assert!(!checked.has_errors(), "{:#?}", checked.diagnostics);
    assert!(checked.programs.iter().all(|program| program.tests.is_empty()));
}

#[test]
fn lineage_tells_what_a_field_comes_from_through_lets_functions_tables_and_ensures() {
    let checked = checked(&Shipped, "orders.flow");
    let program = checked.programs.iter().find(|program| &*program.name == "jortt_orders").unwrap();
    let rows = lineage(program);
    let origins = |entity: &str, path: &str| {
        let row = rows.iter().find(|row| &*row.entity.entity == entity && row.path == path);
        row.unwrap_or_else(|| panic!("{entity}.{path} is written")).origins.clone()
    };
    let field = |path: &str| Origin::Field(path.to_owned());
    let invoice = |name: &str| field(&format!("jortt.invoices.{name}"));
    assert_eq!(origins("FbSales", "OrNu"), [invoice("id"), invoice("invoice_number")].into());
    assert_eq!(
        origins("FbSales", "PaCd"),
        [invoice("invoice_date"), invoice("invoice_due_date"), Origin::Table("payment_condition".into())].into()
    );
    assert_eq!(origins("FbSales", "JoCo"), [Origin::Setting("journal".into())].into());
    assert_eq!(origins("FbSales", "CuId"), [].into(), "the flow itself says EUR");
    assert_eq!(
        origins("FbSales", "Lines.ItCd"),
        [
            field("afas.Profit_Article.ItemCode"),
            Origin::Key("afas.FbItemArticle.ItCd".to_owned()),
            invoice("line_items.amount"),
            invoice("line_items.description"),
            Origin::Table("line_kind".into()),
            Origin::Setting("discount_item".into()),
            Origin::Setting("shipping_item".into()),
            Origin::Setting("text_item".into()),
        ]
        .into()
    );
    let debtor = origins("FbSales", "DbId");
    for key in ["afas.KnSalesRelationOrg.DbId", "afas.KnSalesRelationPer.DbId"] {
        assert!(debtor.contains(&Origin::Key(key.to_owned())), "{debtor:?}");
    }
    // `buyer` is the customer or what `define snapshot` makes of the invoice: only the field that is asked counts
    assert_eq!(
        origins("KnSalesRelationPer", "KnPerson.KnBasicAddressAdr.Rs"),
        [field("jortt.customers.address_city"), invoice("customer_address_city")].into()
    );
}

#[test]
fn docs_of_a_flow_tell_what_its_stages_write() {
    let flows = Path::new(env!("CARGO_MANIFEST_DIR")).join("flows");
    let mut koppel = assert_cmd::Command::cargo_bin("koppel").unwrap();
    let told = koppel.arg("--project").arg(&flows).args(["docs", "afas_orders"]).assert().success();
    let page = String::from_utf8(told.get_output().stdout.clone()).unwrap();
    for line in [
        "- `mail` is looked up in `jortt.invoice_send_settings` where `.id is invoice`",
        "## What keeps a record back after `sending`",
        "## Creates sending of an invoice in jortt after `invoice` when `send_state is not \"draft\"`",
        "| `send_method` | How the Invoice should be sent |  | setting `send_state` |",
    ] {
        assert!(page.lines().any(|own| own == line), "{line}\n\n{page}");
    }
}

#[test]
fn docs_of_a_flow_tell_guards_settings_tables_and_fields() {
    let flows = Path::new(env!("CARGO_MANIFEST_DIR")).join("flows");
    for name in ["jortt_orders", "orders.flow"] {
        let mut koppel = assert_cmd::Command::cargo_bin("koppel").unwrap();
        let told = koppel.arg("--project").arg(&flows).args(["docs", name]).assert().success();
        let page = String::from_utf8(told.get_output().stdout.clone()).unwrap();
        for line in [
            "# Jortt invoices become AFAS sales documents",
            "- Left out when `invoice.invoice_total is 0`: \"a zero invoice needs no document\"",
            "| `OrNu` | Number | `jortt.invoices.id`, `jortt.invoices.invoice_number` |  |",
            "| `CuId` | Currency | always `\"EUR\"` |  |",
            "| `start_date` | `[settings.jortt_orders]` | `date` | must be set | Older invoices stay as they are. |",
            "| `vat_duty` | `area`, `shifted`, `private` | `duty` | 6 | Who owes the VAT of an invoice. |",
        ] {
            assert!(page.lines().any(|own| own == line), "{line}\n\n{page}");
        }
    }
    let mut koppel = assert_cmd::Command::cargo_bin("koppel").unwrap();
    let told = koppel.arg("--project").arg(&flows).args(["docs", "nothing"]).assert().code(64);
    let said = String::from_utf8(told.get_output().stderr.clone()).unwrap();
    assert_eq!(
        said,
        "there is no flow nothing; there are: afas_customers, afas_orders, afas_paid, jortt_customers, jortt_estimates, \
         jortt_paid, jortt_orders\n"
    );
}

/// The reference for users.
const LANGUAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/grammar/language.md");

/// What the examples of the reference may lean on: a name, and the lines that declare it. A line is left out where an
/// example declares the name itself, and the last ones go to the end of the file.
const FRAME: &[(&str, &str)] = &[
    ("flow", "flow example \"An example\""),
    ("administration", "setting administration: afas.Profit_Administrations.AdminId = 1"),
    ("invoice", "read invoice from jortt.invoices {\n  where .list is \"sent\"\n  since change\n  key .id\n}"),
    ("customer", "find customer in jortt.customers where .id is invoice.customer_id"),
    ("email", "let email = customer.email"),
    ("number", "let number: text(11) = invoice.invoice_number!"),
    ("country", "let country = customer.address_country_code ?? \"NL\""),
];

/// An example as a whole file: as it stands when it is one (a flow or a library), else with the frame around it.
fn framed(example: &str) -> String {
    let declared = regex::Regex::new(r"(?m)^(?:(flow) |(?:setting|read|find|let) (?:all |first )?(\w+))").unwrap();
    let own: Vec<&str> = declared
        .captures_iter(example)
        .filter_map(|found| found.get(1).or_else(|| found.get(2)))
        .map(|name| name.as_str())
        .collect();
    if own.contains(&"flow") || example.starts_with("\n# A library") {
        return example.to_owned();
    }
    let frame: String =
        FRAME.iter().filter(|(name, _)| !own.contains(name)).flat_map(|(_, lines)| [*lines, "\n"]).collect();
    // an example that reads has the rest of the frame behind its `read`
    match example.split_once("\nread ").and_then(|(before, rest)| Some((before, rest.split_once("\n}\n")?))) {
        Some((before, (read, after))) => {
            let (flow, rest) = frame.split_once('\n').unwrap();
            format!("{flow}\n{before}\nread {read}\n}}\n{rest}{after}")
        }
        None => format!("{frame}\n{example}"),
    }
}

/// The examples of the reference, each with the line where it begins.
fn examples(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line == "```flow" {
            let body: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            found.push((number + 1, format!("\n{}\n", body.join("\n"))));
        }
    }
    found
}

#[test]
fn every_example_of_the_reference_checks_and_passes_its_tests() {
    let text = fs::read_to_string(LANGUAGE).unwrap();
    let catalog = Catalog::standard().unwrap();
    let (mut wrong, mut tests, all) = (Vec::new(), 0, examples(&text));
    assert!(all.len() > 15, "{} examples", all.len());
    for (line, example) in all {
        let mut files: BTreeMap<String, String> = BTreeMap::from([("example.flow".to_owned(), framed(&example))]);
        files.insert("shared/own.flow".to_owned(), shared(&text));
        let checked = checked(&Memory(files), "example.flow");
        let errors: Vec<&Diagnostic> = checked.diagnostics.iter().filter(|found| found.is_error()).collect();
        if !errors.is_empty() {
            let told = errors
                .iter()
                .map(|error| format!("  {} {} ‹{}›\n", error.code, error.title, checked.sources.slice(error.span())));
            wrong.push(format!("language.md:{line}\n{}", told.collect::<String>()));
            continue;
        }
        let mut settings = SettingValues::new();
        settings.insert(("first_orders".into(), "administration".into()), Value::Int(1));
        for program in &checked.programs {
            for outcome in testing::run(program, &checked.sources, catalog, &settings) {
                tests += 1;
                for failure in outcome.failures {
                    wrong.push(format!("language.md:{line}: test \"{}\": {}\n", outcome.name, failure.text));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tests > 5, "{tests} tests in examples");
}

/// The library of the reference that other examples use.
fn shared(text: &str) -> String {
    let library = examples(text).into_iter().find(|(_, example)| example.starts_with("\n# A library"));
    library.map(|(_, example)| example).unwrap_or_default()
}

/// `KOPPEL_UPDATE=1` writes the list anew.
#[test]
fn the_functions_of_the_reference_are_those_of_the_register() {
    let text = fs::read_to_string(LANGUAGE).unwrap();
    let (before, rest) = text.split_once("<!-- functions -->\n").unwrap();
    let (own, after) = rest.split_once("<!-- end of functions -->\n").unwrap();
    if std::env::var_os("KOPPEL_UPDATE").is_some() {
        let manual = function::manual();
        fs::write(LANGUAGE, format!("{before}<!-- functions -->\n{manual}<!-- end of functions -->\n{after}")).unwrap();
    } else {
        assert_eq!(own, function::manual(), "KOPPEL_UPDATE=1 cargo test reference writes the list anew");
    }
}

//! The reference for users and the libraries that koppel brings along: what is printed there is checked here.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use jiff::civil::date;
use koppel::{
    check::{
        self, Checked, Project,
        lineage::{Origin, lineage},
    },
    diagnostic::Files,
    eval::testing,
    plan::SettingValues,
    schema::Catalog,
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
        std::fs::read_to_string(path).map(Into::into).map_err(|error| error.to_string())
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
        [field("afas.Profit_Article.ItemCode"), Origin::Key("afas.FbItemArticle.ItCd".to_owned())].into()
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
fn docs_of_a_flow_tell_guards_settings_tables_and_fields() {
    let flows = Path::new(env!("CARGO_MANIFEST_DIR")).join("flows");
    for name in ["jortt_orders", "orders.flow"] {
        let mut koppel = assert_cmd::Command::cargo_bin("koppel").unwrap();
        let told = koppel.arg("--project").arg(&flows).args(["docs", name]).assert().success();
        let page = String::from_utf8(told.get_output().stdout.clone()).unwrap();
        for line in [
            "# Jortt invoices become AFAS sales orders",
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
    assert_eq!(said, "there is no flow nothing; there are: jortt_customers, jortt_orders\n");
}

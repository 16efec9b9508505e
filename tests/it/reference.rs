//! The reference for users and the libraries that koppel brings along: what is printed there is checked here.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::date;
use koppel::{
    check::{self, Checked, Project},
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

fn checked(files: &Memory, flow: &str) -> Checked {
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

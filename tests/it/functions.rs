//! The standard functions: every example of the register is checked and worked out as a line of a flow.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::date;
use koppel::{
    check::{self, Project},
    diagnostic::Files,
    function::FUNCTIONS,
    plan::{self, SettingValues},
    schema::Catalog,
};

/// One library in memory.
struct OneFile(String);

impl Files for OneFile {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        if path == "example.flow" { Ok(self.0.as_str().into()) } else { Err("not there".to_owned()) }
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn every_example_of_a_function_gives_what_it_says() {
    let catalog = Catalog::standard().unwrap();
    let roles = BTreeMap::from([("jortt".into(), "jortt".into()), ("afas".into(), "afas".into())]);
    for function in FUNCTIONS {
        let (example, expected) = function.example;
        let (before, last) = example.rsplit_once('\n').map_or(("", example), |(before, last)| (before, last));
        let files = OneFile(format!("{before}\nlet example = {last}\n"));
        let flows = ["example.flow".to_owned()];
        let today = date(2026, 1, 15);
        let checked = check::check(&Project { files: &files, catalog, roles: &roles, flows: &flows, today });
        let errors: Vec<_> = checked.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
        assert!(errors.is_empty(), "{example}: {errors:?}");
        let program = checked.programs.first().unwrap();
        let value = &program.constants.last().unwrap().value;
        let got = plan::evaluate_constant(program, &SettingValues::new(), today, value);
        let got = got.unwrap_or_else(|why| panic!("{example}: {why}"));
        assert_eq!(got.to_string(), expected, "{example}");
    }
}

#[test]
fn no_two_functions_share_a_name() {
    let mut names: Vec<_> = FUNCTIONS.iter().map(|function| function.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FUNCTIONS.len());
}

//! The checker as a user meets it: whole files in, messages out.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use koppel::{
    check::{Checked, Project, check},
    diagnostic::{Diagnostic, Files},
    schema::Catalog,
};

/// Files in memory.
struct Memory(BTreeMap<String, String>);

impl Files for Memory {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        self.0.get(path).map(|text| text.as_str().into()).ok_or_else(|| "there is no such file".to_owned())
    }

    fn list(&self, ending: &str) -> Vec<String> {
        self.0.keys().filter(|path| path.ends_with(&format!(".{ending}"))).cloned().collect()
    }
}

/// Checks files in memory; the first one is the flow.
fn checked(files: &[(&str, &str)]) -> Checked {
    let memory = Memory(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect());
    let flows = vec![files[0].0.to_owned()];
    checked_in(&memory, &flows)
}

fn checked_in(files: &dyn Files, flows: &[String]) -> Checked {
    let roles: BTreeMap<Arc<str>, Arc<str>> =
        ["jortt", "afas"].into_iter().map(|name| (name.into(), name.into())).collect();
    let catalog = Catalog::standard().unwrap();
    let today = "2026-01-15".parse().unwrap();
    check(&Project { files, catalog, roles: &roles, flows, today })
}

/// `F202 3:5 title | label | help`, one line for each diagnostic; the file too where it is not the first.
fn messages(checked: &Checked) -> String {
    checked.diagnostics.iter().map(|told| one(checked, told)).collect::<Vec<_>>().join("\n")
}

fn one(checked: &Checked, told: &Diagnostic) -> String {
    let span = told.span();
    let source = checked.sources.get(span.file).unwrap();
    let (line, column) = source.line_column(span.start);
    let file = if span.file.0 == 0 { String::new() } else { format!("{}:", source.path) };
    let characters = checked.sources.slice(span);
    let help = told.help.as_deref().unwrap_or("").replace('\n', " / ");
    let first = characters.lines().next().unwrap_or("");
    format!("{} {file}{line}:{column} ‹{first}› {} | {help}", told.code, told.title)
}

/// A folder of a disk.
struct Folder(std::path::PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        std::fs::read_to_string(self.0.join(path)).map(Into::into).map_err(|trouble| trouble.to_string())
    }

    fn list(&self, _ending: &str) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn the_flows_of_the_product_check_without_a_message() {
    let folder = Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("flows"));
    let flows = ["orders.flow".to_owned(), "customers.flow".to_owned()];
    let checked = checked_in(&folder, &flows);
    assert_eq!(messages(&checked), "");
}

#[test]
fn scratch() {
    let Ok(dir) = std::env::var("SCRATCH") else { return };
    let folder = Folder(dir.clone().into());
    let flows: Vec<String> = std::env::var("FLOWS").unwrap().split(',').map(str::to_owned).collect();
    let checked = checked_in(&folder, &flows);
    println!("{}", messages(&checked));
}

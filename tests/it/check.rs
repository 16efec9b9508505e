//! The checker as a user meets it: whole files in, messages out.
//!
//! The cases are written in `tests/check/*.md`: a heading, a flow, the messages that it gets. After a change that is
//! meant, `KOPPEL_UPDATE=1 cargo test check` writes the messages anew; review them as what users will read.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, sync::Arc};

use koppel::{
    check::{Checked, Project, check},
    diagnostic::{Diagnostic, Files},
    schema::Catalog,
};

/// What stands above the lines of a case that is no whole file.
const HEAD: &str = "flow t \"T\"\nread invoice from jortt.invoices {\n  since change\n  key .id\n}\n\
                    test \"t\" {\n  expect no write\n}\n";

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

/// A folder of the disk.
struct Folder(std::path::PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        fs::read_to_string(self.0.join(path)).map(Into::into).map_err(|trouble| trouble.to_string())
    }

    fn list(&self, _ending: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Checks files in memory; the first one is the flow.
fn checked(files: &[(&str, &str)]) -> Checked {
    let memory = Memory(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect());
    checked_in(&memory, &[files[0].0.to_owned()])
}

fn checked_in(files: &dyn Files, flows: &[String]) -> Checked {
    let roles: BTreeMap<Arc<str>, Arc<str>> =
        ["jortt", "afas"].into_iter().map(|name| (name.into(), name.into())).collect();
    let catalog = Catalog::standard().unwrap();
    let today = "2026-01-15".parse().unwrap();
    check(&Project { files, catalog, roles: &roles, flows, today })
}

/// One line for each diagnostic, lines counted from behind the first `above`.
fn messages(checked: &Checked, above: usize) -> String {
    checked.diagnostics.iter().map(|told| one(checked, told, above)).collect::<Vec<_>>().join("\n")
}

/// `F202 3:5 ‹RfCz› title`, then the ways out, each on a line of its own.
fn one(checked: &Checked, told: &Diagnostic, above: usize) -> String {
    let span = told.span();
    let source = checked.sources.get(span.file).unwrap();
    let (line, column) = source.line_column(span.start);
    let place = if span.file.0 == 0 { format!("{}", line - above.min(line)) } else { format!("{}:{line}", source.path) };
    let characters = checked.sources.slice(span).lines().next().unwrap_or("");
    let characters: String = characters.chars().take(40).collect();
    let mut text = format!("{} {place}:{column} ‹{characters}› {}", told.code, told.title);
    for line in told.help.iter().flat_map(|help| help.lines()) {
        write!(text, "\n     {line}").unwrap();
    }
    text
}

/// The files of a case, the flow first.
#[derive(Default)]
struct Case {
    files: Vec<(String, String)>,
    above: usize,
}

impl Case {
    /// The messages of the case as a block of the document; nothing before the first flow.
    fn end(&mut self, out: &mut String) {
        let case = std::mem::take(self);
        if case.files.is_empty() {
            return;
        }
        let files: Vec<(&str, &str)> = case.files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let told = messages(&checked(&files), case.above);
        out.truncate(out.trim_end().len());
        write!(out, "\n\n```text\n{}\n```\n\n", if told.is_empty() { "nothing" } else { &told }).unwrap();
    }
}

/// Runs the cases of a file; gives the text with the messages as they are.
fn run(text: &str) -> String {
    let mut out = String::new();
    let mut case = Case::default();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("## ") {
            case.end(&mut out);
        }
        let Some(kind) = line.strip_prefix("```") else {
            writeln!(out, "{line}").unwrap();
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if kind == "text" {
            // the messages as they were
            continue;
        }
        let body: String = block.iter().map(|line| format!("{line}\n")).collect();
        write!(out, "{line}\n{body}```\n").unwrap();
        let (path, text) = match kind.strip_prefix("file") {
            Some(path) if !path.is_empty() => (path.trim(), body),
            Some(_) => ("t.flow", body),
            None => {
                case.above = HEAD.lines().count();
                ("t.flow", format!("{HEAD}{body}"))
            }
        };
        case.files.push((path.to_owned(), text));
    }
    case.end(&mut out);
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Compares a file of cases with what the checker says.
#[track_caller]
fn cases(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check").join(name);
    let text = fs::read_to_string(&path).unwrap();
    let now = run(&text);
    if std::env::var_os("KOPPEL_UPDATE").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let differs = text.lines().zip(now.lines()).position(|(old, new)| old != new);
    let differs = differs.unwrap_or(text.lines().count().min(now.lines().count()));
    assert!(
        text == now,
        "{name}:{} is\n{}\nand was\n{}",
        differs + 1,
        now.lines().skip(differs).take(4).collect::<Vec<_>>().join("\n"),
        text.lines().skip(differs).take(4).collect::<Vec<_>>().join("\n"),
    );
}

#[test]
fn messages_about_names() {
    cases("names.md");
}

#[test]
fn messages_about_types() {
    cases("types.md");
}

#[test]
fn messages_about_blanks() {
    cases("blanks.md");
}

#[test]
fn messages_about_reading() {
    cases("reading.md");
}

#[test]
fn messages_about_fields_of_the_target() {
    cases("fields.md");
}

#[test]
fn messages_about_tables() {
    cases("tables.md");
}

#[test]
fn messages_about_tests() {
    cases("tests.md");
}

#[test]
fn messages_about_files() {
    cases("files.md");
}

#[test]
fn the_flows_of_the_product_check_without_an_error() {
    let folder = Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("flows"));
    let flows = ["orders.flow".to_owned(), "customers.flow".to_owned()];
    let checked = checked_in(&folder, &flows);
    assert!(!checked.has_errors(), "{}", messages(&checked, 0));
    assert_eq!(checked.programs.iter().filter(|program| program.source.is_some()).count(), 2);
}

#[test]
fn a_long_chain_is_refused_and_not_a_crash() {
    let sum = "1 + ".repeat(5_000);
    let told = checked(&[("t.flow", &format!("{HEAD}let a = {sum}1\nwarn when a is 1 because \"x\"\n"))]);
    assert!(told.has_errors());
}

#[test]
fn scratch() {
    let Ok(dir) = std::env::var("SCRATCH") else { return };
    let folder = Folder(dir.clone().into());
    let flows: Vec<String> = std::env::var("FLOWS").unwrap().split(',').map(str::to_owned).collect();
    let checked = checked_in(&folder, &flows);
    println!("{}", messages(&checked, 0));
}

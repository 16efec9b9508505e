//! The checker as a user meets it: whole files in, messages out.
//!
//! The cases are written in `tests/check/*.md`: a heading, a flow, the messages that it gets. After a change that is
//! meant, `KOPPEL_UPDATE=1 cargo test check` writes the messages anew; review them as what users will read.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, sync::Arc};

use koppel::{
    check::{
        Checked, Project, check,
        typed::{Alternative, ExprKind, FieldLine, Line, MessagePart, Program, Stmt, VarId},
    },
    diagnostic::{Diagnostic, Files},
    schema::Catalog,
    value::Value,
};

mod entries;
mod numbers;

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
    let place =
        if span.file.0 == 0 { format!("{}", line - above.min(line)) } else { format!("{}:{line}", source.path) };
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
        let body = if block.is_empty() { String::new() } else { block.join("\n") + "\n" };
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
fn messages_about_what_is_found_again() {
    cases("recognise.md");
}

#[test]
fn messages_about_entries() {
    cases("entries.md");
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

/// The program of a flow that has no mistakes.
#[track_caller]
fn program(lines: &str) -> Arc<Program> {
    let told = checked(&[("t.flow", &format!("{HEAD}{lines}"))]);
    assert!(!told.has_errors(), "{}", messages(&told, HEAD.lines().count()));
    told.programs[0].clone()
}

/// The lines of the only target of the first write.
fn written(program: &Program) -> &[Line] {
    let write = program.body.iter().find_map(|stmt| if let Stmt::Write(write) = stmt { Some(write) } else { None });
    &write.unwrap().targets[0].lines
}

fn field<'l>(lines: &'l [Line], name: &str) -> &'l FieldLine {
    let fields = lines.iter().filter_map(|line| if let Line::Field(field) = line { Some(field) } else { None });
    fields.into_iter().find(|field| &*field.field.name == name).unwrap()
}

const ORDER: &str = "create order in afas.FbSales gives .OrNu {\n  DbId = \"10021\"\n  Unit = 1\n";

#[test]
fn a_label_is_written_as_its_code() {
    let program = program(&format!(
        "let kind = \"Artikel\" when invoice.invoice_total > 0 else \"Tekst\"\n{ORDER}  RfCs = invoice.id\n  Lines {{\n    \
         VaIt = \"Artikel\"\n    ItCd = \"A\"\n    BiUn = \"STK\"\n    QuUn = 1\n  }}\n  Lines {{\n    VaIt = kind\n    ItCd = \"A\"\n    \
         BiUn = \"STK\"\n    QuUn = 1\n  }}\n}}\n"
    ));
    let lines: Vec<&[Line]> = written(&program)
        .iter()
        .filter_map(|line| if let Line::Object { lines, .. } = line { Some(lines.as_slice()) } else { None })
        .collect();
    assert!(matches!(&field(lines[0], "VaIt").value.kind, ExprKind::Const(Value::Text(code)) if &**code == "2"));
    let ExprKind::Choose(arms, _) = &field(lines[1], "VaIt").value.kind else { panic!("a choice of codes") };
    assert!(matches!(&arms[0].0.kind, ExprKind::Const(Value::Text(code)) if &**code == "2"));
}

#[test]
fn a_length_is_measured_only_where_the_type_does_not_prove_it() {
    let program = program(&format!(
        "let number: text(11) = invoice.id\n{ORDER}  OrNu = \"J{{number}}\"\n  RfCs = invoice.id\n  \
         Re = first_chars(invoice.id, 20)\n}}\n"
    ));
    let lines = written(&program);
    assert_eq!(field(lines, "OrNu").max, None, "J and eleven characters are twelve at most");
    assert_eq!(field(lines, "RfCs").max, Some(100));
    assert_eq!(field(lines, "Re").max, None);
    let Stmt::Let(number) = &program.body[0] else { panic!("a let") };
    assert_eq!(number.max, Some(11), "the let is where it is measured");
}

#[test]
fn messages_know_which_holes_are_personal() {
    let program = program(
        "let name = invoice.customer_company_name ?? \"nobody\"\n\
         warn when invoice.invoice_total < 0 because \"{name} {invoice.invoice_number} {count(invoice.discounts)}\"\n",
    );
    let Stmt::Guard(guard) = &program.body[1] else { panic!("a guard") };
    let private: Vec<bool> = guard
        .message
        .parts
        .iter()
        .filter_map(|part| if let MessagePart::Hole { private, .. } = part { Some(*private) } else { None })
        .collect();
    assert_eq!(private, [true, false, false]);
}

#[test]
fn guards_of_settings_and_of_found_rows_are_marked() {
    let program = program(
        "setting stock: one of \"none\", \"check\" = \"none\"\n\
         fail when stock is \"check\" because \"stock is not looked at yet\"\n\
         ensure debtor: text(16) {\n  take \"1\" when invoice.invoice_total > 0\n  \
         find afas.Profit_Debtor where .Email is \"a@b.nl\" gives .DebtorId\n  let name = found.DebtorName\n  \
         hold when name is blank because \"no name\"\n  hold because \"none\"\n}\n\
         warn when debtor is \"1\" because \"one\"\n",
    );
    let Stmt::Guard(guard) = &program.body[0] else { panic!("a guard") };
    assert!(guard.settings_only);
    let Stmt::Ensure(ensure) = &program.body[1] else { panic!("an ensure") };
    let of_found: Vec<bool> = ensure
        .alternatives
        .iter()
        .filter_map(|one| if let Alternative::Guard { of_found, .. } = one { Some(*of_found) } else { None })
        .collect();
    assert_eq!(of_found, [true, false], "through a name as well");
}

#[test]
fn included_blocks_are_written_out_with_places_of_their_own() {
    let program = program(&format!(
        "fields head(number: text) for afas.FbSales {{\n  let short = first_chars(number, 20)\n  RfCs = short\n}}\n\
         {ORDER}  include head(invoice.id)\n}}\n"
    ));
    let lets: Vec<VarId> = written(&program)
        .iter()
        .filter_map(|line| if let Line::Let(line) = line { Some(line.var) } else { None })
        .collect();
    assert_eq!(lets.len(), 2, "the parameter and the let of the block");
    assert_ne!(lets[0], lets[1]);
    assert!(matches!(&field(written(&program), "RfCs").value.kind, ExprKind::Var(var) if *var == lets[1]));
}

#[test]
fn a_table_of_a_hundred_thousand_rows_is_read() {
    let mut csv = "item,code\n".to_owned();
    for row in 0..100_000 {
        writeln!(csv, "item-{row},{row}").unwrap();
    }
    let flow = format!(
        "{HEAD}table codes from \"codes.csv\" {{\n  item: text => code: text\n  otherwise => \"0\"\n}}\n\
         warn when codes(invoice.id) is \"1\" because \"one\"\n"
    );
    let told = checked(&[("t.flow", &flow), ("codes.csv", &csv)]);
    assert_eq!(messages(&told, 0), "");
    assert_eq!(told.programs[0].tables[0].rows.len(), 100_000);
}

#[test]
fn a_library_is_a_program_without_a_source() {
    let library = "let EU = [\"DE\"]\nsetting limit: money = 1.00\ntest \"limit\" {\n  expect limit is 1.00\n}\n";
    let flow =
        format!("use limit from \"shared/a.flow\"\n{HEAD}warn when invoice.invoice_total > limit because \"x\"\n");
    let told = checked(&[("t.flow", &flow), ("shared/a.flow", library)]);
    assert_eq!(messages(&told, 0), "");
    let names: Vec<(&str, bool)> =
        told.programs.iter().map(|program| (&*program.name, program.source.is_some())).collect();
    assert_eq!(names, [("t", true), ("a", false)]);
    assert_eq!(&*told.programs[0].settings[0].owner, "a");
    assert_eq!(told.programs[0].settings[0].default, Some(Value::eur("1.00".parse().unwrap())));
    assert_eq!(told.programs[1].constants.len(), 1);
}

#[test]
fn a_file_that_ends_anywhere_is_told_and_never_a_crash() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("flows/customers.flow")).unwrap();
    let whole = checked(&[("t.flow", &text)]).diagnostics.len();
    for end in (0..text.len()).step_by(97).filter(|end| text.is_char_boundary(*end)) {
        let told = checked(&[("t.flow", &text[..end])]);
        assert!(told.diagnostics.len() <= whole + 8, "up to byte {end}:\n{}", messages(&told, 0));
    }
}

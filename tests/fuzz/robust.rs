//! Whatever is typed: no panic, no endless work, every message at a place inside its text.
//!
//! The shipped flows, tables, `koppel.toml` and `flow.lock` with typing mistakes, and texts that no one would type.
//! `KOPPEL_SOAK=10` makes it a soak of ten minutes (CONTRIBUTING.md). What it finds becomes a test of its own.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, mpsc},
    time::{Duration, Instant},
};

use jiff::civil::Date;
use koppel::{
    check::{Checked, Project, check},
    diagnostic::{Diagnostic, FileId, Files, Sources, render_json, render_terminal},
    plan::{SettingValues, build},
    project,
    schema::Catalog,
    syntax::{
        format::{Vendor, format},
        parse,
    },
};
use proptest::{prelude::*, test_runner::TestRunner};

const TODAY: Date = Date::constant(2026, 1, 15);

/// Files in memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts(pub(super) BTreeMap<String, Arc<str>>);

impl Files for Texts {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        self.0.get(path).cloned().ok_or_else(|| format!("{path} is not there"))
    }

    fn list(&self, ending: &str) -> Vec<String> {
        self.0.keys().filter(|path| path.ends_with(&format!(".{ending}"))).cloned().collect()
    }
}

impl Texts {
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(*text))).collect())
    }
}

/// The shipped project.
static PRODUCT: LazyLock<Texts> = LazyLock::new(|| {
    fn walk(folder: &Path, root: &Path, into: &mut Texts) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, into);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                into.0.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), text.into());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("flows");
    let mut texts = Texts::default();
    walk(&root, &root, &mut texts);
    texts
});

/// Checks all flows, and looks that every message can be shown.
pub(super) fn checked(files: &Texts) -> Checked {
    let roles = ["jortt", "afas"].map(|role| (Arc::from(role), Arc::from(role))).into();
    let flows = files.list("flow");
    let catalog = Catalog::standard().unwrap();
    let checked = check(&Project { files, catalog, roles: &roles, flows: &flows, today: TODAY });
    can_be_shown(&checked.diagnostics, &checked.sources);
    if !checked.has_errors() {
        // Without a mistake a plan can be tried: only settings may lack.
        for program in checked.programs.iter().filter(|program| program.source.is_some()) {
            let _ = build(program.clone(), &checked.sources, &SettingValues::new());
        }
    }
    checked
}

fn can_be_shown(diagnostics: &[Diagnostic], sources: &Sources) {
    for diagnostic in diagnostics {
        assert!(!diagnostic.labels.is_empty(), "{diagnostic:?}");
        for label in &diagnostic.labels {
            let source = sources.get(label.span.file).unwrap_or_else(|| panic!("in no file: {diagnostic:?}"));
            let (start, end) = (label.span.start as usize, label.span.end as usize);
            assert!(source.text.get(start..end).is_some(), "outside its text: {diagnostic:?}");
        }
        let _ = render_json(diagnostic, sources);
    }
    let few = &diagnostics[..diagnostics.len().min(3)];
    let _ = render_terminal(few, sources, 80, false);
}

/// Ends with what the work gives, or the test fails: nothing of this size may take a minute.
pub(super) fn soon<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    let worker = std::thread::spawn(move || send.send(work()));
    match receive.recv_timeout(Duration::from_mins(1)) {
        Ok(value) => value,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it takes more than a minute"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match worker.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(_) => unreachable!("it ended without a value"),
        },
    }
}

/// Pieces that readers of flows, tables and settings have opinions about.
const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\"{",
    "'",
    "`",
    "/",
    "\\",
    "#",
    "##",
    "#:",
    "=",
    "==",
    "=>",
    "|",
    ",",
    ";",
    ".",
    "..",
    "?",
    "??",
    "!",
    "!=",
    "+",
    "-",
    "*",
    "%",
    "<",
    ">=",
    ":",
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "\u{a0}",
    "\u{feff}",
    "\0",
    "e\u{301}",
    "\u{202e}",
    "\u{5d0}\u{5d1}",
    "😀",
    "é",
    "\u{2028}",
    "1",
    "0",
    "-1",
    "1,5",
    "1.5",
    "99999999999999999999999999999999",
    "0.00000000000000000000000000000000001",
    "21%",
    "2026-02-30",
    "2026-01-01",
    "9999-12-31",
    "\"x\"",
    "blank",
    "clear",
    "yes",
    "not ",
    "and ",
    "or ",
    "is ",
    "in ",
    "when ",
    "else ",
    "where ",
    "by ",
    "gives ",
    "each ",
    "for ",
    "first ",
    "all ",
    "let ",
    "find ",
    "skip ",
    "hold ",
    "fail ",
    "warn ",
    "ensure ",
    "create ",
    "update ",
    "take ",
    "include ",
    "table ",
    "define ",
    "use ",
    "setting ",
    "read ",
    "test ",
    "given ",
    "expect ",
    "otherwise ",
    "from ",
    "until ",
    "contains ",
    "matches ",
    "on create",
    "on update",
    "unless edited",
    "today()",
    "invoice",
    "invoice.line_items",
    "customer",
    "found",
    ".id",
    "afas.",
    "jortt.",
    "text(3)",
    "list of ",
    "one of ",
    "todo \"x\"",
    "exists ",
    "count(",
    "sum(",
    "first_chars(",
    "group(",
];

/// A slip: where, of what kind, with what.
type Slip = (prop::sample::Index, u8, prop::sample::Index);

fn slips() -> impl Strategy<Value = Vec<Slip>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0..9_u8, any::<prop::sample::Index>()), 1..6)
}

/// The text with slips: letters and lines lost, doubled, swapped, words replaced by others of the text, pieces put in.
fn slipped(text: &str, slips: &[Slip]) -> String {
    let mut text = text.to_owned();
    for (at, kind, with) in slips {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        if lines.is_empty() {
            break;
        }
        let line = at.index(lines.len());
        let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
        match kind {
            0 => {
                lines.remove(line);
            }
            1 => lines.insert(line, lines[line].clone()),
            2 => {
                let other = with.index(lines.len());
                lines.swap(line, other);
            }
            3 => lines[line] = with.get(PIECES).repeat(1 + at.index(70)),
            4 => {
                let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                let own: Vec<String> = lines[line].split_whitespace().map(str::to_owned).collect();
                if !own.is_empty() {
                    lines[line] = lines[line].replacen(&own[with.index(own.len())], &words[at.index(words.len())], 1);
                }
            }
            _ => {
                let mut letters: Vec<char> = lines[line].chars().collect();
                let place = with.index(letters.len() + 1);
                match kind {
                    5 if place < letters.len() => {
                        letters.remove(place);
                    }
                    6 if place + 1 < letters.len() => letters.swap(place, place + 1),
                    _ => {
                        letters.splice(place..place, at.get(PIECES).chars());
                    }
                }
                lines[line] = letters.into_iter().collect();
            }
        }
        text = lines.concat();
    }
    text
}

/// The shipped project with slips in one of its files of these endings.
fn spoilt(which: prop::sample::Index, endings: &[&str], slips: &[Slip]) -> Texts {
    let mut texts = PRODUCT.clone();
    let paths: Vec<String> = endings.iter().flat_map(|ending| texts.list(ending)).collect();
    let path = which.get(&paths);
    let text = slipped(&texts.0[path], slips);
    texts.0.insert(path.clone(), text.into());
    texts
}

/// Tries a property on so many inputs; under `KOPPEL_SOAK=10` again and again, for ten minutes.
pub(super) fn fuzz<S: Strategy>(cases: u32, inputs: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>)
where
    S::Value: std::fmt::Debug,
{
    let minutes = std::env::var("KOPPEL_SOAK").ok().map(|minutes| minutes.parse().expect("KOPPEL_SOAK is minutes"));
    let end = minutes.map(|minutes| Instant::now() + Duration::from_mins(minutes));
    loop {
        let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
        if let Err(trouble) = TestRunner::new(config).run(inputs, &property) {
            panic!("{trouble}");
        }
        if end.is_none_or(|end| Instant::now() >= end) {
            return;
        }
    }
}

#[test]
fn shipped_flows_with_slips_are_checked() {
    fuzz(12, &(any::<prop::sample::Index>(), slips()), |(which, slips)| {
        checked(&spoilt(which, &["flow"], &slips));
        Ok(())
    });
}

#[test]
fn shipped_tables_and_samples_with_slips_are_checked() {
    fuzz(12, &(any::<prop::sample::Index>(), slips()), |(which, slips)| {
        checked(&spoilt(which, &["csv", "json"], &slips));
        Ok(())
    });
}

#[test]
fn shipped_flows_with_slips_are_formatted() {
    fuzz(24, &(any::<prop::sample::Index>(), slips()), |(which, slips)| {
        let paths = PRODUCT.list("flow");
        crate::fmt::promises(&slipped(&PRODUCT.0[which.get(&paths)], &slips))
    });
}

#[test]
fn any_pieces_are_formatted_and_read_again() {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..60);
    fuzz(200, &pieces, |pieces| crate::fmt::promises(&pieces.concat()));
}

#[test]
fn any_bytes_are_a_flow_a_table_and_a_sample() {
    fuzz(12, &prop::collection::vec(any::<u8>(), 0..300), |bytes| {
        let text = String::from_utf8_lossy(&bytes);
        let _ = parse(FileId(0), &text);
        crate::fmt::promises(&text)?;
        for path in ["orders.flow", "tables/items.csv", "samples/afas.json"] {
            let mut texts = PRODUCT.clone();
            texts.0.insert(path.to_owned(), (&*text).into());
            checked(&texts);
        }
        Ok(())
    });
}

#[test]
fn any_cells_are_a_table() {
    let cell = prop::sample::select(PIECES);
    let rows = prop::collection::vec(prop::collection::vec(cell, 1..5), 0..20);
    fuzz(12, &(rows, prop::sample::select(&[",", ";", "\",\""][..])), |(rows, comma)| {
        let lines: Vec<String> = rows.iter().map(|row| row.join(comma)).collect();
        let items = PRODUCT.0["tables/items.csv"].lines().next().unwrap();
        let mut texts = PRODUCT.clone();
        texts.0.insert("tables/items.csv".to_owned(), format!("{items}\n{}\n", lines.join("\n")).into());
        checked(&texts);
        Ok(())
    });
}

#[test]
fn the_settings_with_slips_are_judged() {
    fuzz(12, &slips(), |slips| {
        let text = slipped(&PRODUCT.0["koppel.toml"], &slips);
        let mut sources = Sources::default();
        let file = sources.add("koppel.toml", project::without_secrets(&text));
        let (_, mistakes) = project::Config::parse(file, &text);
        can_be_shown(&mistakes, &sources);
        opened_with(&[("koppel.toml", &text)]);
        Ok(())
    });
}

#[test]
fn a_lock_with_slips_is_judged() {
    fuzz(12, &slips(), |slips| {
        opened_with(&[("flow.lock", &slipped(&PRODUCT.0["flow.lock"], &slips))]);
        Ok(())
    });
}

/// The shipped project on disk, with other texts in some of its files.
fn opened_with(others: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let own = PRODUCT.0.iter().map(|(path, text)| (&**path, &**text));
    for (path, text) in own.chain(others.iter().copied()) {
        let path: PathBuf = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    for environment in ["live", "test"] {
        if let Ok(project) = project::Project::open(folder.path(), environment, Catalog::standard().unwrap(), TODAY) {
            can_be_shown(&project.diagnostics, &project.sources);
        }
    }
}

#[test]
fn a_file_of_a_megabyte_is_read_whatever_is_in_it() {
    // Unoptimised, a small part of it takes as long.
    let megabyte = if cfg!(debug_assertions) { 40_000 } else { 1_000_000 };
    let line = |text: &str| text.repeat(megabyte / text.len());
    let texts = [
        line("let x = 1\n"),
        line("lett x = ]\n"),
        line("x"),
        line("é"),
        line("{\n"),
        line("}\n"),
        line("\"{"),
        line("#"),
        line("\0"),
        line("a when b else "),
        line("create a in b.c {\n"),
        line("table t {\n  a: text => b: text\n"),
        format!("let x = \"{}\"\n", line("long ")),
        format!("let x = [{}1]\n", line("1, ")),
        format!("let x = 1{}\n", line(" + 1")),
    ];
    for text in texts {
        soon(move || {
            let _ = parse(FileId(0), &text);
            let _ = format(&text, &Vendor::default());
        });
    }
}

#[test]
fn what_is_nested_too_deep_is_told_and_not_followed() {
    for depth in [64, 65, 10_000] {
        let blocks = (0..depth).fold(String::new(), |mut text, at| {
            let _ = writeln!(text, "A{at} {{");
            text
        });
        let texts = [
            format!("let x = {}1{}\n", "(".repeat(depth), ")".repeat(depth)),
            format!("let x = {}1{}\n", "[".repeat(depth), "]".repeat(depth)),
            format!("let x = {}1\n", "not ".repeat(depth)),
            format!("create a in afas.FbSales {{\n{blocks}{}}}\n", "}\n".repeat(depth)),
            format!("create a in afas.FbSales {{\n{blocks}"),
        ];
        soon(move || {
            for text in texts {
                checked(&Texts::of(&[("deep.flow", &text)]));
            }
        });
    }
}

#[test]
fn a_table_of_a_hundred_thousand_rows_is_loaded() {
    let flow = "flow big \"Big\"\n\nread customer from jortt.customers {\n  since change\n  key   .id\n}\n\n\
                skip when item(customer.reference) is \"I9\" because \"found\"\n\n\
                table item from \"big.csv\" {\n  key: text? => code: text\n  otherwise hold \"none\"\n}\n";
    let mut rows = "key,code\n".to_owned();
    for number in 0..100_000 {
        let _ = writeln!(rows, "K{number},I{number}");
    }
    let told = soon(move || checked(&Texts::of(&[("big.flow", flow), ("big.csv", &rows)])));
    assert!(!told.has_errors(), "{:?}", told.diagnostics);
    let table = told.programs.iter().flat_map(|program| &program.tables).next().unwrap();
    assert_eq!(table.rows.len(), 100_000);
}

#[test]
fn libraries_in_a_circle_are_one_mistake() {
    let files = Texts::of(&[
        ("a.flow", "use b from \"b.flow\"\ndefine a(x: text): text = b(x)\n"),
        ("b.flow", "use c from \"c.flow\"\ndefine b(x: text): text = c(x)\n"),
        ("c.flow", "use a from \"a.flow\"\ndefine c(x: text): text = a(x)\n"),
        ("d.flow", "use d from \"d.flow\"\ndefine e(x: text): text = x\n"),
    ]);
    let told = soon(move || checked(&files));
    let circles: Vec<_> = told.diagnostics.iter().filter(|told| told.code == "F108").collect();
    assert_eq!(circles.len(), 2, "{:?}", told.diagnostics);
}

#[test]
fn marks_and_line_ends_of_other_systems_change_nothing() {
    let told = |texts: &Texts| {
        let checked = checked(texts);
        let all: Vec<String> = checked.diagnostics.iter().map(|told| format!("{} {}", told.code, told.title)).collect();
        all
    };
    let plain = told(&PRODUCT);
    let changed = |change: &dyn Fn(&str) -> String| {
        let texts = PRODUCT.0.iter().map(|(path, text)| (path.clone(), Arc::from(change(text)))).collect();
        told(&Texts(texts))
    };
    assert_eq!(changed(&|text| text.replace('\n', "\r\n")), plain, "CRLF");
    assert_eq!(changed(&|text| format!("\u{feff}{text}")), plain, "BOM");
}

#[test]
fn letters_of_all_kinds_stand_in_texts() {
    let flow = |text: &str| {
        format!(
            "flow a \"{text}\"\n\nread customer from jortt.customers {{\n  since change\n  key   .id\n}}\n\n\
             # {text}\nskip when customer.customer_name is \"{text}\" because \"{text} {{customer.id}}\"\n"
        )
    };
    for text in
        ["Cafe\u{301} Ren\u{e9}", "\u{5e9}\u{5dc}\u{5d5}\u{5dd}", "\u{202e}abc\u{202c}", "日本", "👩‍👩‍👧", "a\u{200d}b"]
    {
        let told = checked(&Texts::of(&[("a.flow", &flow(text))]));
        assert!(!told.has_errors(), "{text:?}: {:?}", told.diagnostics);
    }
}

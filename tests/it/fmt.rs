//! The formatter: whole texts before and after, what it never does, and the verb.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use assert_cmd::Command;
use koppel::{
    diagnostic::FileId,
    syntax::{
        format::{Vendor, format},
        parse,
    },
};
use proptest::prelude::*;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn koppel(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_koppel"));
    command.current_dir(folder).env_clear().args(args);
    command
}

/// Standard output, standard error and exit code.
fn said(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!("{}{}exit {}", text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
}

fn plain(text: &str) -> String {
    format(text, &Vendor::default())
}

/// The tree and the messages without their places, which are all that a formatter changes.
fn meaning(text: &str) -> String {
    static SPAN: LazyLock<regex::Regex> = LazyLock::new(|| regex::Regex::new(r"Span \{[^}]*\}").unwrap());
    let (file, said) = parse(FileId(0), text);
    let mut codes: Vec<_> = said.iter().map(|said| (said.code, said.title.clone())).collect();
    // Two messages of one place may change places with it.
    codes.sort();
    format!("{} {codes:?}", SPAN.replace_all(&format!("{file:?}"), "_"))
}

fn shipped() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![here("flows")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "flow") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn each_pair_of_files_is_before_and_after() {
    let mut pairs = 0;
    for entry in fs::read_dir(here("tests/fmt")).unwrap() {
        let before = entry.unwrap().path();
        let name = before.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".fmt.flow") {
            continue;
        }
        let after = before.with_extension("fmt.flow");
        let mut command = koppel(&here("tests/fmt"), &["fmt", "--stdin"]);
        let output = command.write_stdin(fs::read(&before).unwrap()).output().unwrap();
        let new = String::from_utf8(output.stdout).unwrap();
        let wanted = fs::read_to_string(&after).unwrap_or_default();
        assert_eq!(new, wanted, "{name}");
        let again = koppel(&here("tests/fmt"), &["fmt", "--stdin"]).write_stdin(new).output().unwrap();
        assert_eq!(String::from_utf8(again.stdout).unwrap(), wanted, "{name}, formatted again");
        pairs += 1;
    }
    assert!(pairs >= 4, "{pairs} pairs in tests/fmt");
}

#[test]
fn all_shipped_flows_and_libraries_are_formatted() {
    for folder in ["flows", "stdlib"] {
        let shown = said(koppel(&here(folder), &["fmt", "--check", "."]));
        assert!(shown.ends_with("exit 0"), "{shown}");
    }
}

#[test]
fn formatting_shipped_flows_that_lost_their_form_brings_it_back() {
    let indent = regex::Regex::new(r"(?m)^ +([^ ])").unwrap();
    for path in shipped() {
        let text = fs::read_to_string(&path).unwrap();
        let loose = text.replace('\n', "  \r\n");
        let loose = format!("\u{feff}\r\n{loose}\r\n\r\n");
        assert_eq!(plain(&loose), text, "{}", path.display());
        let flat = indent.replace_all(&text, " $1");
        assert_eq!(meaning(&plain(&flat)), meaning(&text), "{}", path.display());
    }
}

#[test]
fn a_link_stays_a_link_and_rights_stay_as_they_are() {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("real.txt");
        fs::write(&file, "let  x = 1").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, place.path().join("a.flow")).unwrap();
        let shown = said(koppel(place.path(), &["fmt", "a.flow"]));
        assert_eq!(shown, "formatted  a.flow\n1 of 1 flow file formatted\nexit 0");
        assert_eq!(fs::read_to_string(&file).unwrap(), "let x = 1\n");
        assert!(fs::symlink_metadata(place.path().join("a.flow")).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2, "nothing is left beside it");
    }
}

#[test]
fn check_lists_what_would_change_and_writes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| fs::write(place.path().join(path), text).unwrap();
    fs::create_dir_all(place.path().join("flows/.koppel")).unwrap();
    write("flows/koppel.toml", "");
    write("flows/good.flow", "let x = 1\n");
    write("flows/.koppel/old.flow", "let   x=1");
    write("flows/bad.flow", "let x = 1\n\n\nlet long = 2\nlet b = \"{x}\"\n");
    write("flows/ends.flow", "let x = 1\r\n");
    let shown = said(koppel(place.path(), &["fmt", "--check"]));
    insta::assert_snapshot!(shown, @r#"
    flows/bad.flow is not formatted
         5 - let b = "{x}"
           + let b    = "{x}"
    flows/ends.flow is not formatted
         1 - let x = 1\r
           + let x = 1
    2 of 3 flow files not formatted; `koppel fmt` does it
    exit 1
    "#);
    assert_eq!(fs::read_to_string(place.path().join("flows/ends.flow")).unwrap(), "let x = 1\r\n");
    assert!(said(koppel(place.path(), &["fmt"])).ends_with("2 of 3 flow files formatted\nexit 0"));
    assert_eq!(said(koppel(place.path(), &["fmt", "--check"])), "3 flow files: nothing to format\nexit 0");
    assert!(said(koppel(place.path(), &["fmt", "nowhere.flow"])).ends_with("nowhere.flow is not there\nexit 3"));
    assert!(said(koppel(place.path(), &["fmt", "--stdin", "--check"])).ends_with("exit 64"));
}

#[test]
fn brackets_come_only_where_they_say_what_was_meant() {
    let lines = [
        ("let x = a + b when c else d", "let x = (a + b) when c else d"),
        ("let x = a when c else f(a, b) * 2 when d", "let x = a when c else (f(a, b) * 2) when d"),
        ("let x = [a - 1 when c, -b when d]", "let x = [(a - 1) when c, -b when d]"),
        ("let x = f(a / 2 when c)!", "let x = f((a / 2) when c)!"),
        ("let x = sum(y.n * 2 for y in z when y.ok)", "let x = sum(y.n * 2 for y in z when y.ok)"),
        ("let x = a + 1 is b when c", "let x = a + 1 is b when c"),
        ("let x = \"{a + b} {c when d}\"", "let x = \"{a + b} {c when d}\""),
        ("let x = \"a + b\" when c", "let x = \"a + b\" when c"),
        ("skip when a + b > 1 because \"{a - b}\"", "skip when a + b > 1 because \"{a - b}\""),
        ("let x =\n  a + b when c", "let x =\n  a + b when c"),
        ("let x = r.when - 1 when c", "let x = (r.when - 1) when c"),
    ];
    for (before, after) in lines {
        assert_eq!(plain(before), format!("{after}\n"));
        assert_eq!(meaning(before), meaning(after), "{before}");
    }
}

#[test]
fn a_broken_line_is_copied_to_the_byte_and_the_rest_is_formatted() {
    let before = "create a in afas.FbSales {\nOrNu   =  = 1\t\n  RfCs   =  ours\n}\nlet  x = (1\nlet y   = 1\n";
    let after = "create a in afas.FbSales {\nOrNu   =  = 1\t\n  RfCs = ours\n}\n\nlet  x = (1\nlet y = 1\n";
    assert_eq!(plain(before), after);
    let unbalanced = "create a in b.c {\nA   = 1\n   X {\nB  = 2\n}\n";
    assert_eq!(plain(unbalanced), unbalanced);
}

#[test]
fn lines_that_go_on_with_a_broken_one_are_copied_too() {
    let text = "fields f() for b.c {\n  hold when not a\n     first   because \"x\"\n     first   because \"x\"\n}\n";
    assert_eq!(plain(text), text);
    promises(text).unwrap();
}

#[test]
fn a_block_without_a_name_that_is_not_closed_is_told_alike() {
    for text in ["=\r\u{e9}'\"{#", "=\n{\n"] {
        promises(text).unwrap();
    }
}

#[test]
fn an_empty_text_stays_empty() {
    assert_eq!(plain(""), "");
    assert_eq!(plain("\u{feff}\r\n \n"), "");
    assert_eq!(plain("  # only this"), "# only this\n");
}

#[test]
fn a_lone_carriage_return_ends_a_line() {
    for text in ["let a = 1\rlet b = 2\r", "\"x\"\r+\"{#'"] {
        promises(text).unwrap();
    }
}

#[test]
fn a_byte_order_mark_elsewhere_stays_where_it_is() {
    for text in ["\n\u{feff}", "\n\n\u{feff}let a = 1\n", "\u{feff}\u{feff}let a = 1\n"] {
        promises(text).unwrap();
    }
    assert_eq!(plain("\u{feff}let a = 1\n"), "let a = 1\n");
}

/// What the formatter promises of any text.
pub(crate) fn promises(text: &str) -> Result<(), TestCaseError> {
    let once = plain(text);
    prop_assert_eq!(plain(&once), once.clone(), "formatted again: {}", text);
    prop_assert_eq!(meaning(&once), meaning(text), "of {} came {}", text, once);
    let comments = |text: &str| text.matches('#').count();
    prop_assert_eq!(comments(&once), comments(text));
    Ok(())
}

/// Pieces that a slip of the hand puts in or takes away.
const PIECES: &[&str] = &[
    "\n",
    "\n\n\n",
    "  ",
    "\t",
    "\r\n",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "=",
    "=>",
    "|",
    ",",
    "#",
    "## d",
    "#: l",
    " when ",
    " else ",
    " and ",
    " + ",
    " - 1 ",
    ".",
    "?",
    "!",
    "let ",
    "skip ",
    "use ",
    "where ",
    "not ",
    "blank",
    "1",
    "é",
    "\u{a0}",
    " on create",
    " unless filled",
    "x = 1\n",
    "because",
    "for",
    "/",
    "`",
    "\\",
    "*",
    "\n  A = 1\n",
    "\n}\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_flow_with_slips_keeps_its_meaning_and_formats_once(
        file in any::<prop::sample::Index>(),
        part in any::<prop::sample::Index>(),
        slips in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<prop::sample::Index>()), 0..4),
    ) {
        let mut files = shipped();
        files.push(here("tests/syntax/whole.flow"));
        let text = fs::read_to_string(file.get(&files)).unwrap();
        // Two paragraphs are as good as the whole, and quicker.
        let paragraphs: Vec<&str> = text.split("\n\n").collect();
        let at = part.index(paragraphs.len());
        let mut letters: Vec<char> = paragraphs[at..paragraphs.len().min(at + 2)].join("\n\n").chars().collect();
        for (at, slip, piece) in slips {
            let at = at.index(letters.len() + 1);
            match slip {
                0 if at < letters.len() => { letters.remove(at); }
                1 if at < letters.len() => { let twice = letters[at]; letters.insert(at, twice); }
                _ => { letters.splice(at..at, piece.get(PIECES).chars()); }
            }
        }
        promises(&letters.iter().collect::<String>())?;
    }

    #[test]
    fn any_text_is_formatted(text in "[\\PC\n\r\t{}()|=#\"]{0,60}") {
        promises(&text)?;
    }
}

proptest! {
    // Whole files: fewer of them.
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn spaces_at_the_ends_of_lines_and_indents_mean_nothing(
        file in any::<prop::sample::Index>(),
        indents in prop::collection::vec(0..9_usize, 400),
    ) {
        let files = shipped();
        let text = fs::read_to_string(file.get(&files)).unwrap();
        let mut loose = String::new();
        for (line, indent) in text.lines().zip(indents.iter().cycle()) {
            let indented = line.starts_with(' ');
            loose += &" ".repeat(if indented { 1 + indent } else { 0 });
            loose += line.trim_start();
            loose += &" ".repeat(indent / 3);
            loose += if *indent == 8 && line.is_empty() { "\n\n\n" } else { "\n" };
        }
        promises(&loose)?;
    }
}

//! Whatever the text is: no panic, every place inside it, every mistake said.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{WHOLE, said};
use crate::{
    diagnostic::FileId,
    syntax::{
        edit::{Edit, Edits},
        parse,
        tree::{Item, Statement},
    },
};

/// All places in messages and tree are ranges of whole characters of the text.
fn places_are_inside(text: &str) -> Result<(), TestCaseError> {
    let (file, said) = parse(FileId(0), text);
    let mut places: Vec<(usize, usize)> = Vec::new();
    for said in &said {
        prop_assert!(!said.labels.is_empty());
        places.extend(said.labels.iter().map(|label| (label.span.start as usize, label.span.end as usize)));
        places.extend(said.fix.iter().map(|fix| (fix.span.start as usize, fix.span.end as usize)));
    }
    // The spans of the tree, as its `Debug` form names them: a new node cannot be forgotten here.
    let shown = format!("{file:?}");
    let span = regex::Regex::new(r"start: (\d+), end: (\d+) \}").unwrap();
    places.extend(span.captures_iter(&shown).map(|hit| (hit[1].parse().unwrap(), hit[2].parse().unwrap())));
    for (start, end) in places {
        prop_assert!(text.get(start..end).is_some(), "{start}..{end} of {}: {text:?}", text.len());
    }
    prop_assert!(!file.broken || !said.is_empty(), "broken and silent: {text:?}");
    Ok(())
}

/// Pieces that the parser has opinions about.
const PIECES: &[&str] = &[
    "let x = ",
    "skip when ",
    "create a in b.c {\n",
    "read x from a.b {\n",
    "table t {\n",
    "test \"t\" {\n",
    "}\n",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\"{",
    "\\",
    "/",
    "`",
    "'",
    "“",
    "é",
    "\u{301}",
    "😀",
    "\u{feff}",
    "\u{a0}",
    "\r\n",
    "\n",
    "\n  ",
    " ",
    "\t",
    "#",
    "## d\n",
    "#: l\n",
    "# allow F605: r\n",
    "==",
    "!=",
    "!",
    "&&",
    "->",
    "=>",
    "=",
    "+",
    "-",
    "*",
    "%",
    "?",
    "??",
    ":",
    ";",
    ",",
    ".",
    "..",
    "|",
    "when ",
    "else ",
    "and ",
    "or ",
    "not ",
    "is ",
    "in ",
    "if ",
    "then ",
    "for y in z ",
    "because ",
    "where ",
    "by ",
    "gives .K ",
    "each x in y ",
    "on create",
    "Skip ",
    "true ",
    "None ",
    "blank ",
    "x",
    "x.y ",
    ".z ",
    "f(",
    "1",
    "1,5",
    "2026-02-30",
    "21%",
    "2 hours",
    "otherwise ",
    "expect ",
    "given ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in "\\PC{0,60}") {
        places_are_inside(&text)?;
    }

    #[test]
    fn any_bytes_that_are_text_are_read(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        places_are_inside(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn any_mixture_of_pieces_is_read(picks in prop::collection::vec(any::<prop::sample::Index>(), 0..30)) {
        let text: String = picks.iter().map(|pick| *pick.get(PIECES)).collect();
        places_are_inside(&text)?;
    }

    #[test]
    fn a_flow_with_typing_mistakes_is_read(
        part in any::<prop::sample::Index>(),
        slips in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<prop::sample::Index>()), 1..4),
    ) {
        // A paragraph by itself is as good as the whole, and quicker.
        let paragraphs: Vec<&str> = WHOLE.split("\n\n").collect();
        let mut letters: Vec<char> = part.get(&paragraphs).chars().collect();
        for (at, slip, piece) in slips {
            let at = at.index(letters.len() + 1);
            match slip {
                0 if at < letters.len() => { letters.remove(at); }
                1 if at < letters.len() => { let twice = letters[at]; letters.insert(at, twice); }
                _ => { letters.splice(at..at, piece.get(PIECES).chars()); }
            }
        }
        places_are_inside(&letters.iter().collect::<String>())?;
    }

    #[test]
    fn each_broken_line_is_said_and_costs_nothing_else(breaks in prop::collection::vec(0..9_usize, 1..12)) {
        const BROKEN: &[&str] = &[
            "let x = (1", "let x = \"open", "let x = a b", "skip when c", "lett x = ]", "read q from a.b {", "let x 1",
            "create a in b.c {\n  A = = 1\n}",
        ];
        let mut text = String::new();
        for (number, broken) in breaks.iter().enumerate() {
            text += BROKEN.get(*broken).copied().unwrap_or("let y = 1");
            let _ = write!(text, "\nlet good_{number} = f({number})\n");
        }
        let mistakes = breaks.iter().filter(|broken| **broken < BROKEN.len()).count();
        let (file, said) = parse(FileId(0), &text);
        prop_assert!(said.len() >= mistakes, "{said:?} of {text}");
        let good = |item: &&Item| matches!(item, Item::Statement(Statement::Let(found)) if found.name.text.starts_with("good_"));
        prop_assert_eq!(file.items.iter().filter(good).count(), breaks.len());
    }
}

#[test]
fn an_empty_place_where_something_was_taken_away_is_what_was_taken_away() {
    // The first line is empty once its `;` is gone.
    places_are_inside(";\r\n)#create a in b.c {\n").unwrap();
    let edit = |start, end, text: &str| Edit { start, end, text: text.to_owned() };
    let edits = Edits::new(vec![edit(0, 1, ""), edit(4, 6, ""), edit(6, 7, ""), edit(8, 8, " ")]);
    assert_eq!(edits.apply(";abc;,;d."), "abcd .");
    assert_eq!(edits.written(0, 0), (0, 1));
    assert_eq!(edits.written(3, 3), (4, 7));
    assert_eq!(edits.written(0, 3), (1, 4));
    assert_eq!(edits.written(4, 5), (8, 8));
}

#[test]
fn twenty_blocks_that_are_never_closed_are_one_mistake() {
    let mut text = "create x in a.b {\n".to_owned();
    for depth in 1..20 {
        let _ = writeln!(text, "{}A {{", "  ".repeat(depth));
    }
    assert_eq!(said(&text).lines().count(), 1);
}

#[test]
fn nesting_has_a_limit() {
    let nested = |open: &str, close: &str, depth: usize| {
        said(&format!("let x = {}1{}\nlet y = 1\n", open.repeat(depth), close.repeat(depth)))
    };
    assert_eq!(nested("(", ")", 64), "");
    assert_eq!(nested("f(", ")", 64), "");
    for (open, close) in [("(", ")"), ("[", "]"), ("f(", ")"), ("\"{", "}\"")] {
        let text = nested(open, close, 65);
        assert!(text.starts_with("F004 1:") && text.lines().count() == 1, "{text}");
    }
    for endless in ["not ", "-", "1 + ", "a when b else "] {
        let text = nested(endless, "", 5000);
        assert!(text.starts_with("F004 1:") && text.lines().count() == 1, "{text}");
    }
    assert!(said(&format!("let x: {}int = 1", "list of ".repeat(5000))).starts_with("F004"));
    assert!(said(&format!("let x = {}", "\"{".repeat(5000))).starts_with("F004"));
}

#[test]
fn a_text_that_is_shared_out_over_the_cores_reads_as_one_that_is_not() {
    let deep = format!("let deep = {}1{}\n", "(".repeat(60), ")".repeat(60));
    let mut text = String::new();
    let mut single = Vec::new();
    while text.len() < 3 * crate::syntax::WORTH_SHARING {
        for part in [WHOLE, &deep, "skip if a == 1 because \"b\"\n", "let = 3\n", "## nothing below\n\n"] {
            single.push(format!("{:?}", said(part).lines().map(|line| line.split(' ').next()).collect::<Vec<_>>()));
            text.push_str(part);
        }
    }
    let (file, found) = parse(FileId(0), &text);
    let starts: Vec<u32> = found.iter().map(|said| said.span().start).collect();
    assert!(starts.is_sorted());
    let alone: usize = single.iter().map(|codes| codes.matches("Some").count()).sum();
    assert_eq!(found.len(), alone);
    let items = |text: &str| parse(FileId(0), text).0.items.len();
    assert_eq!(
        file.items.len(),
        single.len() / 5 * (items(WHOLE) + items(&deep) + items("skip if a == 1 because \"b\"\n"))
    );
}

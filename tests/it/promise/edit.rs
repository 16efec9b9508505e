//! Small random edits of a flow or table, as a hurried hand makes them: another name, another operator, another
//! literal, a line gone, two lines swapped, a way out gone.
//!
//! Takes the texts of a project and a seed, gives the path, the edited text and what was done. The same seed gives the
//! same edit. Test blocks stay as they are: they are not sent anywhere.

use std::{collections::BTreeMap, ops::Range};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

/// An edited file.
pub(super) struct Edit {
    pub(super) path: String,
    pub(super) text: String,
    /// For the reader of a failing test: `orders.flow:12  "is" -> "is not"`
    pub(super) done: String,
}

/// What a piece of text is to the hand that edits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A name of the flow.
    Word,
    /// `.field`, with its dot.
    Field,
    /// The field that a line writes.
    Target,
    Text,
    Number,
    Date,
    Operator,
}

#[derive(Debug)]
struct Piece {
    kind: Kind,
    place: Range<usize>,
}

/// Words of the language: they are no names.
const WORDS: &[&str] = &[
    "flow",
    "use",
    "from",
    "setting",
    "read",
    "find",
    "first",
    "all",
    "let",
    "skip",
    "hold",
    "fail",
    "warn",
    "when",
    "else",
    "because",
    "ensure",
    "take",
    "found",
    "create",
    "update",
    "include",
    "gives",
    "each",
    "fields",
    "define",
    "table",
    "for",
    "in",
    "is",
    "not",
    "and",
    "or",
    "exists",
    "where",
    "since",
    "change",
    "key",
    "by",
    "of",
    "one",
    "list",
    "on",
    "unless",
    "until",
    "otherwise",
    "after",
    "blank",
    "yes",
    "no",
];

/// What an operator may become.
const OPERATORS: &[(&str, &[&str])] = &[
    (" is not ", &[" is "]),
    (" not in ", &[" in "]),
    (" is ", &[" is not ", " in "]),
    (" and ", &[" or "]),
    (" or ", &[" and "]),
    (" in ", &[" not in "]),
    (" < ", &[" <= ", " > "]),
    (" > ", &[" < "]),
    (" >= ", &[" <= ", " > "]),
    (" + ", &[" - "]),
    (" - ", &[" + "]),
    (" * ", &[" / "]),
    (" ?? ", &[" + "]),
    ("not ", &[""]),
    ("yes", &["no", "blank"]),
    ("no", &["yes", "blank"]),
    ("!", &[""]),
];

/// Texts that a hand may put in the place of another one.
const TEXTS: &[&str] = &["X", "1", "NL", "a code of twenty chars", "9999999999999999999999999999999999999999"];

/// The edit of a seed.
pub(super) fn edit(texts: &BTreeMap<String, String>, seed: u64) -> Edit {
    let mut dice = StdRng::seed_from_u64(seed);
    let paths: Vec<&String> = texts.keys().collect();
    loop {
        // A long file is edited more often than a short one.
        let Ok(path) = paths.choose_weighted(&mut dice, |path| texts[*path].len()) else { continue };
        let text = &texts[*path];
        let Some((place, new)) = change(&mut dice, text, ending(path) == "csv") else { continue };
        if text[place.clone()] == new {
            continue;
        }
        let line = text[..place.start].matches('\n').count() + 1;
        let done = format!("{path}:{line}  {:?} -> {new:?}", &text[place.clone()]);
        let edited = format!("{}{new}{}", &text[..place.start], &text[place.end..]);
        return Edit { path: (*path).clone(), text: edited, done };
    }
}

/// `csv`, `flow`, …
pub(super) fn ending(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or("")
}

/// One change; none where the dice fell on nothing that can be changed so.
fn change(dice: &mut StdRng, text: &str, csv: bool) -> Option<(Range<usize>, String)> {
    if csv {
        return cell(dice, text);
    }
    let open = open_part(text);
    let pieces = pieces(&text[..open]);
    let of = |kind: Kind| pieces.iter().filter(move |piece| piece.kind == kind).collect::<Vec<_>>();
    match dice.random_range(0..12) {
        0 => renamed(dice, text, &of(Kind::Word)),
        1 => renamed(dice, text, &of(Kind::Field)),
        3 => renamed(dice, text, &of(Kind::Target)),
        4 | 5 => {
            let piece = of(Kind::Operator).choose(dice).copied()?;
            let old = &text[piece.place.clone()];
            let (_, others) = OPERATORS.iter().find(|(own, _)| *own == old)?;
            Some((piece.place.clone(), (*others.choose(dice)?).to_owned()))
        }
        6 => {
            let texts = of(Kind::Text);
            let piece = texts.choose(dice)?;
            let new = match dice.random_range(0..3) {
                0 => format!("\"{}\"", TEXTS.choose(dice)?),
                1 => text[texts.choose(dice)?.place.clone()].to_owned(),
                _ => shorter(&text[piece.place.clone()]),
            };
            Some((piece.place.clone(), new))
        }
        2 | 7 => {
            let piece = of(Kind::Number).choose(dice).copied()?;
            let new = ["0", "1", "7", "300", "99999", "0.5", "-1"].choose(dice)?;
            Some((piece.place.clone(), (*new).to_owned()))
        }
        8 => {
            let piece = of(Kind::Date).choose(dice).copied()?;
            let new = ["2026-02-01", "2019-06-30", "1999-12-31"].choose(dice)?;
            Some((piece.place.clone(), (*new).to_owned()))
        }
        9 => {
            let line = lines(&text[..open]).choose(dice)?.clone();
            Some((line, String::new()))
        }
        10 => {
            let lines = lines(&text[..open]);
            let at = dice.random_range(0..lines.len().checked_sub(1)?);
            let (first, second) = (lines[at].clone(), lines[at + 1].clone());
            (first.end == second.start)
                .then(|| (first.start..second.end, format!("{}{}", &text[second.clone()], &text[first.clone()])))
        }
        _ => tail(dice, &text[..open]),
    }
}

/// The text before its first test block.
fn open_part(text: &str) -> usize {
    text.find("\ntest \"").map_or(text.len(), |at| at + 1)
}

/// Another piece of the same kind in the place of one.
fn renamed(dice: &mut StdRng, text: &str, pieces: &[&Piece]) -> Option<(Range<usize>, String)> {
    let piece = pieces.choose(dice)?;
    let other = pieces.choose(dice)?;
    Some((piece.place.clone(), text[other.place.clone()].to_owned()))
}

/// A text without its last characters.
fn shorter(text: &str) -> String {
    let inner: Vec<char> = text.trim_matches('"').chars().collect();
    let kept: String = inner[..inner.len() / 2].iter().collect();
    if kept.contains(['{', '\\']) { "\"\"".to_owned() } else { format!("\"{kept}\"") }
}

/// The lines that say something, each with its newline.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut from = 0;
    let mut all = Vec::new();
    for line in text.split_inclusive('\n') {
        let place = from..from + line.len();
        from = place.end;
        if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
            all.push(place);
        }
    }
    all
}

/// ` when …`, ` else …` or ` ?? …` gone, up to the end of its line or the next such word.
fn tail(dice: &mut StdRng, text: &str) -> Option<(Range<usize>, String)> {
    let starts: Vec<usize> = [" when ", " else ", " ?? "]
        .iter()
        .flat_map(|word| text.match_indices(word).map(|(at, _)| at))
        .filter(|at| !line_of(text, *at).trim_start().starts_with('#'))
        .collect();
    let start = *starts.choose(dice)?;
    let rest = &text[start + 1..];
    let ends = ["\n", " when ", " else ", " because ", " {\n", " gives ", "  #"];
    let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    Some((start..start + 1 + end, String::new()))
}

fn line_of(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    text[start..].split('\n').next().unwrap_or("")
}

/// A cell of a table in a file: that of another row, or another text.
fn cell(dice: &mut StdRng, text: &str) -> Option<(Range<usize>, String)> {
    let lines = lines(text);
    if dice.random_range(0..4) == 0 {
        return Some((lines.choose(dice)?.clone(), String::new()));
    }
    let line = lines.choose(dice)?;
    let row = text[line.clone()].trim_end();
    let cells: Vec<&str> = row.split(',').collect();
    let at = dice.random_range(0..cells.len());
    let start = line.start + cells[..at].iter().map(|cell| cell.len() + 1).sum::<usize>();
    let other = text[lines.choose(dice)?.clone()].trim_end().split(',').nth(at)?;
    let new = if dice.random() { other } else { TEXTS.choose(dice)? };
    Some((start..start + cells[at].len(), new.to_owned()))
}

/// The pieces of a flow that a hand may change; comments and patterns have none.
fn pieces(text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut from = 0;
    for line in text.split_inclusive('\n') {
        pieces_of_line(text, from, from + line.len(), &mut found);
        from += line.len();
    }
    found
}

fn pieces_of_line(text: &str, start: usize, end: usize, found: &mut Vec<Piece>) {
    let mut at = start;
    let mut first = true;
    while at < end {
        let rest = &text[at..end];
        if let Some((operator, _)) = OPERATORS.iter().find(|(own, _)| {
            let word = own.chars().all(char::is_alphabetic);
            let free = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            rest.starts_with(own)
                && (!word || (free(rest[own.len()..].chars().next()) && free(text[..at].chars().next_back())))
        }) {
            found.push(Piece { kind: Kind::Operator, place: at..at + operator.len() });
            // The blanks around an operator may stand beside the next one too.
            at += operator.trim_end().len().max(1);
            first = false;
            continue;
        }
        let c = rest.chars().next().unwrap_or(' ');
        let (kind, length) = match c {
            '#' => return,
            '"' => (Some(Kind::Text), text_length(rest)),
            '/' if rest[1..].contains('/') && text[..at].ends_with(' ') && !rest.starts_with("/ ") => {
                (None, 2 + rest[1..].find('/').unwrap_or(0))
            }
            '.' if rest[1..].starts_with(|c: char| c.is_alphabetic()) => {
                (Some(Kind::Field), 1 + word_length(&rest[1..]))
            }
            c if c.is_ascii_digit() => {
                let length = rest.find(|c: char| !c.is_ascii_digit() && c != '-' && c != '.').unwrap_or(rest.len());
                let number = rest[..length].trim_end_matches('.').len();
                if rest[..length].contains('-') { (Some(Kind::Date), length) } else { (Some(Kind::Number), number) }
            }
            c if c.is_alphabetic() => {
                let length = word_length(rest);
                let word = &rest[..length];
                let written = first && rest[length..].trim_start().starts_with("= ");
                let kind = match (written, WORDS.contains(&word)) {
                    (true, _) => Some(Kind::Target),
                    (false, true) => None,
                    (false, false) => Some(Kind::Word),
                };
                (kind, length)
            }
            c => (None, c.len_utf8()),
        };
        first &= c == ' ';
        if let Some(kind) = kind {
            found.push(Piece { kind, place: at..at + length });
        }
        at += length.max(1);
    }
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// From quote to quote; a hole `{…}` may hold texts of its own.
fn text_length(text: &str) -> usize {
    let mut depth = 0;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => depth -= 1,
            '"' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

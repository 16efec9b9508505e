//! What could not be parsed: which lines belong to one mistake, and what is to be said about it.
//!
//! Takes the pairs that the tolerant rules of the grammar left, gives diagnostics: one for each mistake, at its
//! characters. Promises at least one for a segment that has such pairs.

mod say;

use super::{
    braces,
    edit::Edits,
    grammar::Rule,
    parse::{Findings, Pair},
    repair::Repair,
    scan::{Kind, Token, scan},
    segment,
    tree::Name,
    words::{self, Place},
};
use crate::diagnostic::{Diagnostic, Span};

/// What is wrong with a [`Bad`] pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadKind {
    /// A line.
    Line,
    /// The head of a block, up to its brace.
    Head,
    /// Something behind a closing brace.
    Junk,
    /// A closing brace too much.
    Stray,
    /// The end of a block is missing.
    Unclosed,
}

/// A part that could not be parsed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bad {
    pub(super) kind: BadKind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// In which kind of block.
    pub(super) place: Place,
}

/// Lines that belong to one mistake.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) place: Place,
    /// Does it end in the brace of a block?
    pub(super) head: bool,
}

/// All parts that could not be parsed, in order.
pub(super) fn collect(file: &Pair<'_>) -> Vec<Bad> {
    let mut all = Vec::new();
    inside(file, Place::File, &mut all);
    all
}

fn inside(pair: &Pair<'_>, place: Place, into: &mut Vec<Bad>) {
    for part in pair.clone().into_inner() {
        let (start, end) = (part.as_span().start(), part.as_span().start() + part.as_str().trim_end().len());
        let mut push = |kind| into.push(Bad { kind, start, end, place });
        match part.as_rule() {
            Rule::bad_line => push(BadKind::Line),
            Rule::junk => push(BadKind::Junk),
            Rule::unclosed => push(BadKind::Unclosed),
            Rule::stray => push(BadKind::Stray),
            Rule::bad_block => head(&part, place, into),
            Rule::read_block => inside(&part, Place::Read, into),
            Rule::table => inside(&part, Place::Table, into),
            Rule::steps => inside(&part, Place::Steps, into),
            Rule::ensure => inside(&part, Place::Ensure, into),
            Rule::map_block => inside(&part, Place::Fields, into),
            Rule::test_item => inside(&part, Place::Test, into),
            Rule::create
            | Rule::update
            | Rule::let_stmt
            | Rule::each_rows
            | Rule::each_block
            | Rule::after
            | Rule::fields_item
            | Rule::define
            | Rule::assign_each
            | Rule::nested
            | Rule::given
            | Rule::given_after
            | Rule::given_from
            | Rule::given_has
            | Rule::given_record
            | Rule::expect
            | Rule::expect_write => inside(&part, place, into),
            _ => {}
        }
    }
}

/// The head of a broken block; about its body nothing is said, except that its end is missing.
fn head(block: &Pair<'_>, place: Place, into: &mut Vec<Bad>) {
    for part in block.clone().into_inner() {
        let start = part.as_span().start();
        match part.as_rule() {
            Rule::bad_head => {
                let written = block.as_str().find('{').map_or(0, |_| part.as_str().len());
                // The brace behind the head is part of the mistake's line.
                into.push(Bad { kind: BadKind::Head, start, end: start + written + 1, place });
            }
            Rule::unclosed | Rule::junk => {
                let kind = if part.as_rule() == Rule::unclosed { BadKind::Unclosed } else { BadKind::Junk };
                into.push(Bad { kind, start, end: start + part.as_str().trim_end().len(), place });
            }
            Rule::bad_block => {
                for part in part.into_inner().filter(|part| part.as_rule() == Rule::unclosed) {
                    let start = part.as_span().start();
                    into.push(Bad { kind: BadKind::Unclosed, start, end: start, place });
                }
            }
            _ => {}
        }
    }
}

/// The tokens inside a range.
pub(super) fn within(tokens: &[Token], start: usize, end: usize) -> &[Token] {
    let from = tokens.partition_point(|token| token.start < start);
    let to = tokens.partition_point(|token| token.start < end);
    tokens.get(from..to.max(from)).unwrap_or(&[])
}

/// Broken lines and heads, with those that go on with the one above them put together.
pub(super) fn groups(text: &str, tokens: &[Token], bad: &[Bad]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for bad in bad.iter().filter(|bad| matches!(bad.kind, BadKind::Line | BadKind::Head)) {
        let head = bad.kind == BadKind::Head;
        if let Some(last) = groups.last_mut()
            && !last.head
            && last.place == bad.place
            && follows(text, tokens, last, bad)
        {
            last.end = bad.end;
            last.head = head;
        } else {
            groups.push(Group { start: bad.start, end: bad.end, place: bad.place, head });
        }
    }
    groups
}

/// Does a broken line go on with the broken line above it?
fn follows(text: &str, tokens: &[Token], above: &Group, bad: &Bad) -> bool {
    let between = within(tokens, above.end, bad.start);
    if between.iter().any(|token| token.kind != Kind::Comment) {
        return false;
    }
    let code = text.get(bad.start..bad.end).unwrap_or("");
    if code.starts_with(['+', '-']) {
        return false;
    }
    if segment::joins(code) {
        return true;
    }
    let tokens_of = within(tokens, bad.start, bad.end);
    if begins_statement(text, tokens_of, bad.place) {
        return false;
    }
    // Among fields a comma at the end of a line is a habit from elsewhere, and the next field is one of its own.
    let field = begins_field(text, tokens_of);
    if field && bad.place == Place::Fields {
        return false;
    }
    if segment::ends_open(text, within(tokens, above.start, above.end)) {
        return true;
    }
    if field {
        return false;
    }
    let depth = |at: usize, end: usize| within(tokens, at, end).first().map_or(0, |token| token.depth);
    depth(bad.start, bad.end) > depth(above.start, above.end) || indent(text, bad.start) > indent(text, above.start)
}

/// Does a line begin with the word of a statement that can stand here?
fn begins_statement(text: &str, tokens: &[Token], here: Place) -> bool {
    let word = tokens.first().map_or("", |token| token.text(text)).to_lowercase();
    words::statement(&word).is_some_and(|row| row.places.contains(&here))
}

/// Does a line begin as a field does?
fn begins_field(text: &str, tokens: &[Token]) -> bool {
    let behind = tokens.get(path_length(text, tokens)..).and_then(<[Token]>::first).map(|token| token.text(text));
    behind
        .is_some_and(|behind| matches!(behind, "=" | ":" | ":=" | "==" | "=>" | "->" | "{" | "when" | "on" | "unless"))
}

/// How many tokens at the start are `a.b.c`.
pub(super) fn path_length(text: &str, tokens: &[Token]) -> usize {
    let mut length = 0;
    while let Some(token) = tokens.get(length).filter(|token| matches!(token.kind, Kind::Word | Kind::Ticked)) {
        length += 1;
        let dot = tokens.get(length).filter(|dot| dot.text(text) == "." && dot.start == token.end);
        if dot.is_none() {
            break;
        }
        length += 1;
    }
    length
}

/// How far a place is from the start of its line.
pub(super) fn indent(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or("");
    at - before.rfind(['\n', '\r']).map_or(0, |line| line + 1)
}

/// Says what is wrong with a segment that was mended as far as possible. Yes = its braces do not balance.
pub(super) fn report(
    text: &str,
    bad: &[Bad],
    edits: &Edits,
    repairs: &[Repair],
    place: impl Fn(usize, usize) -> Span,
    found: &mut Findings,
) -> bool {
    if bad.is_empty() {
        return false;
    }
    found.broken = true;
    let tokens = scan(text);
    let place = |start: usize, end: usize| {
        let (start, end) = edits.written(start, end);
        place(start, end)
    };
    let uneven = bad.iter().any(|bad| matches!(bad.kind, BadKind::Stray | BadKind::Unclosed));
    let fault = if uneven { Some(braces::fault(text, &tokens, bad)) } else { None };
    if let Some(fault) = fault.as_ref().filter(|fault| !fault.in_text(&tokens)) {
        found.diagnostics.push(fault.diagnostic(&place));
    }
    // In a segment whose braces do not balance, what comes after the fault cannot be trusted.
    let quiet_from = fault.as_ref().map_or(usize::MAX, |fault| fault.line);
    for bad in bad.iter().filter(|bad| bad.kind == BadKind::Junk && bad.start < quiet_from) {
        found.diagnostics.push(
            Diagnostic::new("F002", "nothing can stand behind the brace that ends a block", place(bad.start, bad.end))
                .help("begin a new line for it"),
        );
    }
    for group in groups(text, &tokens, bad) {
        let inside = within(&tokens, group.start, group.end);
        found.unread.push(place(group.start, group.end));
        found.lost.extend(lost(text, inside, group.place, &place));
        let written = edits.written(group.start, group.end);
        if group.end > quiet_from {
            continue;
        }
        let literals = say::literals(text, inside, &place);
        let mended =
            repairs.iter().any(|repair| repair.start < written.1 && written.0 < repair.end.max(repair.start + 1));
        if literals.is_empty() && !mended {
            found.diagnostics.push(say::line(text, inside, &group, &place));
        }
        found.diagnostics.extend(literals);
    }
    fault.is_some()
}

/// The names that broken lines would have declared.
fn lost(text: &str, tokens: &[Token], here: Place, place: &impl Fn(usize, usize) -> Span) -> Vec<Name> {
    let mut names = tokens.iter().filter(|token| matches!(token.kind, Kind::Word | Kind::Ticked) && !token.hole);
    let first = names.next().map_or("", |token| token.text(text)).to_lowercase();
    let name = |token: &Token| {
        let word = token.text(text).trim_matches('`');
        Name { text: word.into(), span: place(token.start, token.end) }
    };
    let first = words::statement(&first).map_or_else(|| words::nearest(&first, here), |row| Some(row.word));
    match first.unwrap_or("") {
        "use" => names.take_while(|token| token.text(text) != "from").map(name).collect(),
        "let" | "find" | "setting" | "ensure" | "define" | "table" | "fields" | "create" | "update" | "read"
        | "each" => names.find(|token| !matches!(token.text(text), "first" | "all")).map(name).into_iter().collect(),
        _ => Vec::new(),
    }
}

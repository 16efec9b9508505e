//! Text of a flow to its tree.
//!
//! Takes a text and its file id, gives a [`tree::File`] and diagnostics. Promises that parsing never fails: a broken
//! line is one diagnostic and the rest of the file is read. Nothing behind this room knows pest.
//!
//! The way of a text: `segment` cuts it into the statements of column 0, `grammar` parses each of them, `repair` mends
//! what other languages write otherwise and has it parsed again, `parse` builds the tree, `broken` and `braces` say
//! what is wrong with the rest, `comments` reads those that mean something. `format` writes a text in
//! its one form. `known` keeps what was read for the next check of the process.

mod braces;
mod broken;
mod comments;
mod edit;
mod foreign;
pub mod format;
mod grammar;
mod known;
mod parse;
mod repair;
mod scan;
mod segment;
pub mod tree;
mod words;

use pest::Parser;
use rayon::prelude::*;

pub use self::known::parse_once;
use self::{
    broken::Bad,
    edit::Edits,
    grammar::{Grammar, Rule},
    parse::{Findings, Pair, Reader},
    repair::Repair,
    segment::Segment,
};
use crate::diagnostic::{Diagnostic, FileId, Span};

/// Reads a flow, a library or a file of tests.
#[must_use]
pub fn parse(id: FileId, text: &str) -> (tree::File, Vec<Diagnostic>) {
    parse_segments(id, text, &segment::segments(text))
}

/// Reads a text that is cut already.
fn parse_segments(id: FileId, text: &str, segments: &[Segment]) -> (tree::File, Vec<Diagnostic>) {
    let (items, mut found) = read_segments(id, text, segments);
    found.diagnostics.sort_by_key(|said| (said.span().start, said.span().end));
    let allows = comments::read(id, text, &mut found);
    found.diagnostics.sort_by_key(|said| (said.span().start, said.span().end));
    let file = tree::File { id, items, allows, broken: found.broken, unread: found.unread, lost: found.lost };
    (file, found.diagnostics)
}

/// Reads one cell of a table in the syntax of a flow; `span` is where `text` stands.
///
/// # Errors
/// What is wrong with it, at its characters.
#[expect(clippy::result_large_err, reason = "the caller collects the diagnostic itself; once a cell, no hot path")]
pub fn parse_cell(text: &str, span: Span) -> Result<tree::Cell, Diagnostic> {
    let wrong = || {
        Diagnostic::new("F406", format!("`{text}` is no cell of a table"), span)
            .help("a value, a list, `not …`, `1..14`, `< 0`, `from 2026-01-01 until 2026-12-31`, `blank` or `*`")
    };
    part(Rule::cell_only, text, span, wrong, |reader, pair| match pair.as_rule() {
        Rule::cell => reader.cell(pair),
        _ => None,
    })
}

/// Reads one result of a table, or any other expression that stands by itself; `span` is where `text` stands.
///
/// # Errors
/// What is wrong with it, at its characters.
#[expect(clippy::result_large_err, reason = "the caller collects the diagnostic itself; once a cell, no hot path")]
pub fn parse_result(text: &str, span: Span) -> Result<tree::Expr, Diagnostic> {
    let wrong = || {
        Diagnostic::new("F406", format!("`{text}` is no value"), span)
            .help("a text in quotes, a number, a percentage, a date, `yes`, `no`, `blank` or `hold \"reason\"`")
    };
    part(Rule::expr_only, text, span, wrong, |reader, pair| match pair.as_rule() {
        Rule::expr => Some(reader.expr(pair)),
        _ => None,
    })
}

/// Reads a text that is one part of a flow.
#[expect(clippy::result_large_err, reason = "the caller collects the diagnostic itself; once a cell, no hot path")]
fn part<T>(
    rule: Rule,
    text: &str,
    span: Span,
    wrong: impl Fn() -> Diagnostic,
    build: impl FnOnce(&mut Reader<'_>, Pair<'_>) -> Option<T>,
) -> Result<T, Diagnostic> {
    let mut scanner = scan::Scanner::default();
    scanner.line(text, 0, text.len());
    if scanner.too_deep.is_some() {
        return Err(too_deep(span));
    }
    let pair =
        Grammar::parse(rule, text).ok().and_then(|mut pairs| pairs.next()).and_then(|pair| pair.into_inner().next());
    let Some(pair) = pair else { return Err(wrong()) };
    let (edits, mut found) = (Edits::default(), Findings::default());
    let mut reader = Reader::new(span.file, text, 0, (&edits, text), &mut found, false).within(span);
    let built = build(&mut reader, pair);
    match (found.diagnostics.into_iter().next(), built) {
        (None, Some(built)) => Ok(built),
        (Some(said), _) => Err(said),
        (None, None) => Err(wrong()),
    }
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new("F004", format!("blocks and brackets stand more than {} deep in each other", scan::DEEPEST), span)
        .help("give parts of it a name with `let`")
}

/// Texts that are shorter are read sooner by one thread than shared out.
const WORTH_SHARING: usize = 16 * 1024;

/// So many segments are one piece of work.
const SHARE: usize = 8;

/// Reads segments, which know nothing of each other: a long text is read by all cores.
fn read_segments(id: FileId, text: &str, segments: &[Segment]) -> (Vec<tree::Item>, Findings) {
    let read = |segments: &[Segment]| {
        let mut found = Findings::default();
        let items = segments.iter().flat_map(|segment| read_segment(id, text, segment, &mut found)).collect();
        (items, found)
    };
    if text.len() < WORTH_SHARING {
        return read(segments);
    }
    let parts: Vec<_> = segments.par_chunks(SHARE).map(read).collect();
    parts.into_iter().fold((Vec::new(), Findings::default()), |(mut items, mut found), (more, others)| {
        items.extend(more);
        found.extend(others);
        (items, found)
    })
}

/// Reads one segment; what is wrong with it goes to `found`.
fn read_segment(id: FileId, text: &str, segment: &Segment, found: &mut Findings) -> Vec<tree::Item> {
    let source = text.get(segment.start..segment.end).unwrap_or("");
    let whole = Span::new(id, segment.start, segment.start + source.trim_end().len());
    if let Some(at) = segment.too_deep {
        found.diagnostics.push(too_deep(Span::new(id, at, at + 1)));
        found.broken = true;
        return Vec::new();
    }
    let Ok(file) = parse_file(source) else {
        // Only an exhausted stack: the grammar accepts every text.
        found.diagnostics.push(too_deep(whole));
        found.broken = true;
        return Vec::new();
    };
    let bad = broken::collect(&file);
    if bad.is_empty() {
        let edits = Edits::default();
        return Reader::new(id, text, segment.start, (&edits, source), found, false).items(file);
    }
    let (repairs, edits) = mend(source, segment, &bad);
    let mended = edits.apply(source);
    let Ok(file) = parse_file(&mended) else {
        found.diagnostics.push(too_deep(whole));
        found.broken = true;
        return Vec::new();
    };
    let place = |start: usize, end: usize| Span::new(id, segment.start + start, segment.start + end);
    for repair in &repairs {
        found.diagnostics.push(repair.diagnostic(source, &edits, place));
    }
    let bad = broken::collect(&file);
    if !bad.is_empty() {
        found.torn.push(whole);
    }
    let unbalanced = broken::report(&mended, &bad, &edits, &repairs, place, found);
    Reader::new(id, text, segment.start, (&edits, &mended), found, unbalanced).items(file)
}

/// The `file` pair of a text.
fn parse_file(text: &str) -> Result<Pair<'_>, ()> {
    Grammar::parse(Rule::file, text).ok().and_then(|mut pairs| pairs.next()).ok_or(())
}

/// The repairs of a segment's broken lines: those that are sure, and those after which the line can be read.
fn mend(source: &str, segment: &Segment, bad: &[Bad]) -> (Vec<Repair>, Edits) {
    let mut repairs = Vec::new();
    let groups = broken::groups(source, &segment.tokens, bad);
    for group in &groups {
        repairs.extend(repair::find(source, &segment.tokens, group));
    }
    repairs.sort_by_key(|repair| repair.start);
    let edits_of = |repairs: &[Repair]| Edits::new(repairs.iter().filter_map(|repair| repair.edit.clone()).collect());
    let edits = edits_of(&repairs);
    if repairs.iter().all(|repair| repair.sure) {
        return (repairs, edits);
    }
    let mended = edits.apply(source);
    let still: Vec<(usize, usize)> = parse_file(&mended).map_or_else(
        |()| vec![(0, source.len())],
        |file| {
            let bad = broken::collect(&file);
            bad.iter().map(|bad| edits.written(bad.start, bad.end)).collect()
        },
    );
    repairs.retain(|repair| {
        let at = groups.partition_point(|group| group.end < repair.start);
        let (start, end) = groups.get(at).map_or((repair.start, repair.end), |group| (group.start, group.end));
        let bad = still.get(still.partition_point(|(_, to)| *to <= start));
        repair.sure || bad.is_none_or(|(from, _)| *from >= end)
    });
    let edits = edits_of(&repairs);
    (repairs, edits)
}

#[cfg(test)]
mod tests;

//! Blocks whose braces do not balance: the one line that is to blame.
//!
//! Takes the tokens of a segment, gives a [`Fault`]: the first line whose indent disagrees with the depth of the
//! blocks, since people indent right even where they forget a brace.

use super::{
    broken::{Bad, BadKind, indent, within},
    scan::{Kind, Token},
    segment,
};
use crate::diagnostic::{Diagnostic, Span};

/// A brace that is missing or too much.
#[derive(Debug)]
pub(super) struct Fault {
    /// Where the line begins from which nothing can be trusted.
    pub(super) line: usize,
    kind: FaultKind,
}

#[derive(Debug)]
enum FaultKind {
    /// The head of the block, then the place before which its brace is missing (or the end of the text).
    NotClosed { head: (usize, usize), name: String, before: Option<(usize, usize)> },
    /// The line that lacks an opening brace.
    NotOpened { head: (usize, usize) },
    /// The closing brace.
    TooMuch { brace: (usize, usize) },
}

/// A block that is open.
#[derive(Debug)]
struct Block {
    head: (usize, usize),
    indent: usize,
    body: Option<usize>,
}

impl Fault {
    /// Does its brace stand in a text that has no end? Then nothing can be said of it.
    pub(super) fn in_text(&self, tokens: &[Token]) -> bool {
        match self.kind {
            FaultKind::NotClosed { head: (start, end), .. } => {
                within(tokens, start, end).iter().any(|token| token.kind == Kind::OpenText)
            }
            _ => false,
        }
    }

    /// The message.
    pub(super) fn diagnostic(&self, place: &impl Fn(usize, usize) -> Span) -> Diagnostic {
        match &self.kind {
            FaultKind::NotClosed { head, name, before } => {
                let block = if name.is_empty() { "this block".to_owned() } else { format!("the block of `{name}`") };
                let said = Diagnostic::new("F003", format!("{block} has no `}}`"), place(head.0, head.1));
                let said = said.says("opened here");
                match before {
                    Some((start, end)) => said
                        .also(place(*start, *end), "its `}` is missing above this line")
                        .help("put a line with `}` there, indented as the line that opens the block"),
                    None => said.help("put a line with `}` at its end, indented as this line"),
                }
            }
            FaultKind::NotOpened { head } => {
                Diagnostic::new("F003", "this line opens a block and has no `{`", place(head.0, head.1))
                    .says("the lines below it are indented")
                    .help("end the line with ` {`")
            }
            FaultKind::TooMuch { brace } => Diagnostic::new("F003", "this `}` closes nothing", place(brace.0, brace.1))
                .help("take it away, or look for a `{` that is missing above it")
                .fix(place(brace.0, brace.1), ""),
        }
    }
}

/// The tokens line by line, comments left out.
fn code_lines<'t>(text: &str, tokens: &'t [Token]) -> Vec<Vec<&'t Token>> {
    let mut lines: Vec<Vec<&Token>> = Vec::new();
    for token in tokens.iter().filter(|token| token.kind != Kind::Comment) {
        let same = lines
            .last()
            .and_then(|line| line.last())
            .is_some_and(|last| !text.get(last.start..token.start).unwrap_or("").contains(['\n', '\r']));
        match lines.last_mut() {
            Some(line) if same => line.push(token),
            _ => lines.push(vec![token]),
        }
    }
    lines
}

/// The fault of a segment whose braces do not balance.
pub(super) fn fault(text: &str, tokens: &[Token], bad: &[Bad]) -> Fault {
    let mut open: Vec<Block> = Vec::new();
    let mut above: Option<(usize, usize)> = None;
    let mut ends_open = false;
    for line in code_lines(text, tokens) {
        let (Some(first), Some(last)) = (line.first(), line.last()) else { continue };
        let (start, end, depth) = (first.start, last.end, indent(text, first.start));
        let code = text.get(start..end).unwrap_or("");
        let goes_on = ends_open || first.depth > open.len() || segment::joins(code);
        if first.text(text) == "}" {
            let brace = (first.start, first.end);
            match open.pop() {
                Some(block) if block.indent == depth => {}
                Some(block) if depth < block.indent => return not_closed(text, &block, Some(brace)),
                _ => return Fault { line: start, kind: FaultKind::TooMuch { brace } },
            }
        } else if !goes_on {
            let (outer, body) = open.last().map_or((None, Some(0)), |block| (Some(block.indent), block.body));
            if let Some(block) = open.last().filter(|_| outer.is_some_and(|outer| depth <= outer)) {
                return not_closed(text, block, Some((start, end)));
            }
            if let Some((from, to)) = above.filter(|_| body.is_some_and(|body| depth > body)) {
                // A brace cannot open anything: it closed a block too early.
                let brace = text.get(from..to) == Some("}");
                let (head, brace) = (FaultKind::NotOpened { head: (from, to) }, brace.then_some((from, to)));
                return Fault { line: from, kind: brace.map_or(head, |brace| FaultKind::TooMuch { brace }) };
            }
            if let Some(block) = open.last_mut() {
                block.body.get_or_insert(depth);
            }
        }
        let opens = last.text(text) == "{" && !last.hole;
        if opens {
            // A head may stand on several lines.
            let start = above.filter(|_| goes_on).map_or(start, |(start, _)| start);
            let head = text.get(start..last.start).unwrap_or("").trim_end().len();
            open.push(Block { head: (start, start + head), indent: indent(text, start), body: None });
        }
        ends_open = !opens && last.text(text) != "}" && segment::ends_open(text, std::slice::from_ref(*last));
        if !goes_on {
            above = Some((start, end));
        }
    }
    if let Some(block) = open.last() {
        return not_closed(text, block, None);
    }
    // The braces balance by themselves: a line in between reads otherwise. Blame what the grammar stumbled over.
    if let Some(stray) = bad.iter().find(|bad| bad.kind == BadKind::Stray) {
        return Fault { line: stray.start, kind: FaultKind::TooMuch { brace: (stray.start, stray.start + 1) } };
    }
    let first = text.split(['\n', '\r']).next().unwrap_or("").trim_end();
    let block = Block { head: (0, first.len()), indent: 0, body: None };
    not_closed(text, &block, None)
}

fn not_closed(text: &str, block: &Block, before: Option<(usize, usize)>) -> Fault {
    let head = text.get(block.head.0..block.head.1).unwrap_or("");
    let words = head.split(|c: char| !(c.is_alphanumeric() || "_.`".contains(c))).filter(|word| !word.is_empty());
    let name = words.take(2).collect::<Vec<_>>().join(" ");
    let line = before.map_or(text.len(), |(start, _)| start);
    Fault { line, kind: FaultKind::NotClosed { head: block.head, name, before } }
}

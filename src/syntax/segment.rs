//! Cuts a file into segments: what begins in column 0, with all lines that belong to it.
//!
//! Takes a text, gives [`Segment`]s in order. Promises that a broken statement ends where the next top-level word
//! stands in column 0, whatever is left open.

use super::{
    scan::{Kind, Scanner, Token},
    words,
};

/// A statement in column 0 with its lines.
#[derive(Debug)]
pub(super) struct Segment {
    /// First byte of its first line.
    pub(super) start: usize,
    /// Where the next one begins, or the end of the text.
    pub(super) end: usize,
    /// Its tokens, with places in the segment.
    pub(super) tokens: Vec<Token>,
    /// Where in the file its brackets are nested too deep.
    pub(super) too_deep: Option<usize>,
}

/// A line: first byte, byte behind its last character.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The lines of a text; a line ends as pest's `NEWLINE` does.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let end = rest.find(['\n', '\r']).map_or(text.len(), |at| start + at);
        let tail = text.get(end..).unwrap_or("");
        let next = end + if tail.starts_with("\r\n") { 2 } else { usize::from(!tail.is_empty()) };
        let line = Line { start, end };
        start = next;
        Some(line)
    })
}

/// The segments of a text.
pub(super) fn segments(text: &str) -> Vec<Segment> {
    let mut done = Vec::new();
    let mut open: Option<(usize, Scanner)> = None;
    let mut finish = |open: &mut Option<(usize, Scanner)>, end| {
        if let Some((start, scanner)) = open.take() {
            let local = |token: Token| Token { start: token.start - start, end: token.end - start, ..token };
            let tokens = scanner.tokens.into_iter().map(local).collect();
            done.push(Segment { start, end, tokens, too_deep: scanner.too_deep });
        }
    };
    for line in lines(text) {
        let start = if line.start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { line.start };
        let code = text.get(start..line.end).unwrap_or("");
        if begins(code) && !open.as_ref().is_some_and(|(_, scanner)| goes_on(text, code, scanner)) {
            finish(&mut open, start);
        }
        let is_code = !code.trim_start().is_empty() && !code.trim_start().starts_with('#');
        if open.is_none() && is_code {
            open = Some((start, Scanner::default()));
        }
        if let Some((_, scanner)) = &mut open {
            scanner.line(text, start, line.end);
        }
    }
    finish(&mut open, text.len());
    done
}

/// Does this line have something in column 0 that is no comment?
fn begins(code: &str) -> bool {
    code.chars().next().is_some_and(|letter| !letter.is_whitespace() && letter != '#')
}

/// Does a line in column 0 belong to the statement above it?
fn goes_on(text: &str, code: &str, above: &Scanner) -> bool {
    let word: String = code.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let behind = code.get(word.len()..).unwrap_or("").trim_start();
    let named = behind.starts_with('.') || (behind.starts_with('=') && !behind.starts_with("=="));
    if !named && words::is_statement(&word.to_lowercase()) {
        return false;
    }
    above.depth() > 0
        || code.starts_with(['{', '}'])
        || above.in_brackets()
        || joins(code)
        || ends_open(text, &above.tokens)
}

/// Does this line begin with a joiner, an operator or a closing bracket?
pub(super) fn joins(code: &str) -> bool {
    let code = code.trim_start();
    let word: String = code.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if word.is_empty() {
        return code.starts_with(|c| "?+-*/<>=|)]&".contains(c)) && !code.starts_with("//");
    }
    words::JOINERS.contains(&word.as_str())
}

/// Does what these tokens say go on in the next line?
pub(super) fn ends_open(text: &str, tokens: &[Token]) -> bool {
    let Some(last) = tokens.iter().rev().find(|token| token.kind != Kind::Comment) else { return false };
    match last.kind {
        Kind::Symbol => words::OPEN_ENDS.contains(&last.text(text)),
        Kind::Word => words::OPERATORS.contains(&last.text(text)),
        _ => false,
    }
}

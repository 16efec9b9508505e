//! Comments that mean something: `##` documentation, `# allow F605: reason`, `#:` labels.
//!
//! Takes the text and the places of statements and fields, gives documentation and allowances, and says where such a
//! comment belongs to nothing.

use std::sync::Arc;

use super::{
    parse::Findings,
    segment::{Line, lines},
    tree::Allow,
};
use crate::diagnostic::{Diagnostic, FileId, Span};

/// The lines `##` directly above a place, without their signs; `# allow` lines between do not part them.
pub(super) fn doc_above(text: &str, at: usize) -> Option<Arc<str>> {
    let line_start = |at: usize| text.get(..at).and_then(|before| before.rfind(['\n', '\r'])).map_or(0, |at| at + 1);
    let mut start = line_start(at);
    let mut found = Vec::new();
    while let Some(above) = text.get(..start).filter(|above| !above.is_empty()) {
        let above = above.strip_suffix('\n').unwrap_or(above);
        let above = above.strip_suffix('\r').unwrap_or(above);
        let begin = line_start(above.len());
        let line = above.get(begin..).unwrap_or("").trim_start_matches('\u{feff}').trim();
        if let Some(doc) = line.strip_prefix("##") {
            found.push(doc.trim());
        } else if allowance(line).is_none() {
            break;
        }
        start = begin;
    }
    found.reverse();
    (!found.is_empty()).then(|| found.join("\n").into())
}

/// The code of a `# allow F605: reason` line.
fn allowance(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('#')?.trim_start().strip_prefix("allow")?;
    let rest = rest.strip_prefix(' ')?.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let code = rest.get(..end)?;
    (code.len() == 4 && code.starts_with('F') && code.bytes().skip(1).all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// The allowances of a file; says something about comments that belong to nothing.
pub(super) fn read(file: FileId, text: &str, found: &mut Findings) -> Vec<Allow> {
    let all: Vec<Line> = lines(text).collect();
    found.fields.sort_by_key(|field| field.end);
    // For each line the next one below it that is code.
    let mut next_code = vec![None; all.len()];
    let mut code_below = None;
    for (next, line) in next_code.iter_mut().zip(&all).rev() {
        *next = code_below;
        let code = text.get(line.start..line.end).unwrap_or("").trim();
        if !code.is_empty() && !code.starts_with('#') {
            code_below = Some(*line);
        }
    }
    let mut allows = Vec::new();
    for (index, line) in all.iter().enumerate() {
        let whole = text.get(line.start..line.end).unwrap_or("");
        let code = whole.trim_start_matches('\u{feff}').trim();
        let start = line.start + whole.find('#').unwrap_or(0);
        let span = Span::new(file, start, line.start + whole.trim_end().len());
        if let Some(allowed) = allowance(code) {
            let next = next_code.get(index).copied().flatten();
            let line = next.map_or(span, |line| covered(file, text, line, &found.statements));
            allows.push(Allow { code: allowed.into(), line, span });
        } else if code.starts_with("##") {
            let above = index.checked_sub(1).and_then(|above| all.get(above));
            let above = above.and_then(|above| text.get(above.start..above.end)).unwrap_or("");
            if above.trim_start_matches('\u{feff}').trim().starts_with("##") {
                continue;
            }
            let mut below = all.iter().skip(index + 1).map(|line| text.get(line.start..line.end).unwrap_or("").trim());
            let next = below.find(|code| !code.starts_with("##") && allowance(code).is_none());
            if next.is_none_or(|code| code.is_empty() || code.starts_with(['}', '#'])) {
                found.diagnostics.push(
                    Diagnostic::new("F006", "this documentation stands above nothing", span)
                        .says("`##` belongs directly above what it documents")
                        .help("move it to the line above a declaration, or write `#` for a remark")
                        .fix(Span { end: span.start + 2, ..span }, "#"),
                );
            }
        } else if let Some(label) = label(file, text, *line)
            && !belongs(&found.fields, label, *line)
            && !is_torn(&found.torn, label)
        {
            found.diagnostics.push(
                Diagnostic::new("F006", "this label stands behind no field", label)
                    .says("`#:` is the name that the vendor gives a field")
                    .help("write `#` for a remark")
                    .fix(Span { end: label.start + 2, ..label }, "#"),
            );
        }
    }
    allows
}

/// What an allowance covers: the statement that begins on this line, else the line.
fn covered(file: FileId, text: &str, line: Line, statements: &[Span]) -> Span {
    let whole = text.get(line.start..line.end).unwrap_or("");
    let start = line.start + (whole.len() - whole.trim_start().len());
    let own = Span::new(file, start, line.start + whole.trim_end().len());
    let longest = statements.iter().filter(|span| span.start == own.start).max_by_key(|span| span.end);
    longest.copied().map_or(own, |span| own.to(span))
}

/// The `#:` comment of a line.
fn label(file: FileId, text: &str, line: Line) -> Option<Span> {
    let mut scanner = super::scan::Scanner::default();
    let whole = text.get(line.start..line.end)?;
    if !whole.contains("#:") {
        return None;
    }
    scanner.line(text, line.start, line.end);
    let last = scanner.tokens.last().filter(|token| token.text(text).starts_with("#:"))?;
    Some(Span::new(file, last.start, last.start + last.text(text).trim_end().len()))
}

/// Does this label stand behind a field, on the line where the field or its head ends, or inside one? Fields are in
/// the order of their ends.
fn belongs(fields: &[Span], label: Span, line: Line) -> bool {
    let next = fields.get(fields.partition_point(|field| (field.end as usize) < line.start));
    next.is_some_and(|field| field.start < label.start && (field.end < label.start || label.end <= field.end))
}

/// Does the label stand in one of these segments, which are in order?
fn is_torn(torn: &[Span], label: Span) -> bool {
    let next = torn.get(torn.partition_point(|segment| segment.end < label.start));
    next.is_some_and(|segment| segment.start <= label.start)
}

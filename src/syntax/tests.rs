//! Tests of the parser, by what they look at.

mod braces;
mod cells;
mod literals;
mod operators;
mod repairs;
mod robustness;
mod statements;
mod tables;
mod trees;

use super::parse;
use crate::diagnostic::{FileId, Sources, Span};

/// A flow with every construct of the language.
const WHOLE: &str = include_str!("../../tests/syntax/whole.flow");

/// The messages about a text, a line each: code, place, title, help.
fn said(text: &str) -> String {
    let mut sources = Sources::default();
    let file = sources.add("x.flow", text);
    let place = |at: u32| sources.get(file).unwrap().line_column(at);
    let mut lines = Vec::new();
    for said in parse(file, text).1 {
        let ((line, column), (last, end)) = (place(said.span().start), place(said.span().end));
        let end = if last == line { end.to_string() } else { format!("{last}:{end}") };
        let help = said.help.map_or(String::new(), |help| format!(" / {}", help.replace('\n', " | ")));
        lines.push(format!("{} {line}:{column}-{end} {}{help}", said.code, said.title));
    }
    lines.join("\n")
}

/// The characters of a span.
fn slice(text: &str, span: Span) -> &str {
    text.get(span.start as usize..span.end as usize).unwrap()
}

/// The tree of a text without mistakes.
fn tree(text: &str) -> super::tree::File {
    let (file, said) = parse(FileId(0), text);
    assert!(said.is_empty() && !file.broken, "{said:?}");
    file
}

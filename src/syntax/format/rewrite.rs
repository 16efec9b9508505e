//! What changes in words: labels of fields, long names of lines, brackets around arithmetic left of `when`.
//!
//! Takes a text and what the schema knows, gives the text with these changes. Only lines that are understood change,
//! and brackets only where the statement has no mistake: they say what the line meant already.

use super::{
    Vendor, What,
    lines::{Block, Line},
};
use crate::syntax::{
    edit::Edit,
    scan::{Kind, Token},
};

/// What changes in the words of a text.
pub(super) fn edits(text: &str, lines: &[Line<'_>], vendor: &Vendor) -> Vec<Edit> {
    let mut edits = Vec::new();
    for line in lines {
        let code = matches!(line.what, What::First | What::More);
        if !code {
            continue;
        }
        for token in &line.tokens {
            if let Some(name) = vendor.names.get(&token.start) {
                edits.push(Edit { start: token.start, end: token.end, text: name.clone() });
            }
        }
        if line.what != What::First || line.goes_on || line.opens {
            continue;
        }
        if line.clean {
            edits.extend(brackets(text, line));
        }
        if line.block == Block::Other && target(line.code, line).is_some() {
            edits.extend(label(line, vendor));
        }
    }
    edits
}

/// The index of the `=` of a field line.
pub(super) fn target(code: &str, line: &Line<'_>) -> Option<usize> {
    let start = line.tokens.first()?.start;
    let mut named = false;
    for (index, token) in line.tokens.iter().enumerate() {
        let text = code.get(token.start - start..token.end - start)?;
        let above = index.checked_sub(1).and_then(|index| line.tokens.get(index));
        let touches = above.is_none_or(|above| above.end == token.start);
        match (token.kind, text) {
            (Kind::Word | Kind::Ticked, _) if !named && touches => named = true,
            (Kind::Symbol, ".") if named && touches => named = false,
            (Kind::Symbol, "=") if named => return Some(index),
            _ => return None,
        }
    }
    None
}

/// The vendor's label behind a field line; a remark of a person stays.
fn label(line: &Line<'_>, vendor: &Vendor) -> Option<Edit> {
    let (first, last) = (line.tokens.first()?, line.tokens.iter().rev().find(|token| !token.hole)?);
    let label = vendor.labels.get(&first.start)?;
    let words: Vec<&str> = label.split_whitespace().collect();
    if words.is_empty() || !(line.comment.is_empty() || line.comment.starts_with("#:")) {
        return None;
    }
    let end = line.start + line.raw.len();
    Some(Edit { start: last.end.min(end), end, text: format!("  #: {}", words.join(" ")) })
}

/// Where a value begins that stands left of `when`.
const BORDERS: &[&str] = &["=", ",", ":", "when", "else", "take", "expect", "=>", "|"];
/// What binds weaker than arithmetic: with one of these the brackets would say something else.
const WEAKER: &[&str] = &[
    "is", "in", "not", "and", "or", "??", "<", ">", "<=", ">=", "for", "each", "where", "by", "gives", "because", "if",
];

/// The brackets that a line needs.
fn brackets(text: &str, line: &Line<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (index, when) in line.tokens.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| line.tokens.get(before));
        if when.kind != Kind::Word
            || when.hole
            || when.text(text) != "when"
            || before.is_none_or(|before| before.text(text) == ".")
        {
            continue;
        }
        if let Some((start, end)) = arithmetic(text, line.tokens.get(..index).unwrap_or(&[]), when) {
            edits.push(Edit { start, end: start, text: "(".to_owned() });
            edits.push(Edit { start: end, end, text: ")".to_owned() });
        }
    }
    edits
}

/// The value left of a `when`, if it is a calculation.
fn arithmetic(text: &str, before: &[Token], when: &Token) -> Option<(usize, usize)> {
    let above = |index: usize| index.checked_sub(1).and_then(|above| before.get(above));
    // A field may be called as a word of the language.
    let is_field = |index: usize| above(index).is_some_and(|above| above.text(text) == ".");
    let inside = |index: usize, token: &Token| {
        token.depth > when.depth || token.depth == when.depth && (is_field(index) || !border(text, token))
    };
    let level = before.iter().enumerate().rev().take_while(|(index, token)| inside(*index, token));
    let level: Vec<&Token> =
        level.map(|(_, token)| token).filter(|token| token.depth == when.depth && !token.hole).collect();
    let (last, first) = (level.first()?, level.last()?);
    if level.iter().any(|token| token.kind != Kind::Text && WEAKER.contains(&token.text(text))) {
        return None;
    }
    let calculates = level.windows(2).any(|pair| {
        let [sign, left] = pair else { return false };
        let is_sign = sign.kind == Kind::Symbol && ["+", "-", "*", "/"].contains(&sign.text(text));
        is_sign && (left.kind != Kind::Symbol || [")", "]", "!"].contains(&left.text(text)))
    });
    calculates.then_some((first.start, last.end))
}

fn border(text: &str, token: &Token) -> bool {
    matches!(token.kind, Kind::Word | Kind::Symbol) && BORDERS.contains(&token.text(text))
}

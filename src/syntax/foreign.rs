//! Spellings of other languages that parse as something else here: `true`, `null`, `Yes`.
//!
//! Takes a word, gives ours. What does not parse is the business of `repair`.

use super::tree::Literal;

/// Our word and value for a bare word that is written otherwise elsewhere, or with capitals.
pub(super) fn literal(word: &str) -> Option<(&'static str, Literal)> {
    Some(match (word, word.to_lowercase().as_str()) {
        (_, "true" | "yes") => ("yes", Literal::Bool(true)),
        (_, "false" | "no") => ("no", Literal::Bool(false)),
        ("None" | "NONE" | "undefined", _) | (_, "null" | "nil" | "blank") => ("blank", Literal::Blank),
        (_, "clear") => ("clear", Literal::Clear),
        _ => return None,
    })
}

/// Does the file seem to declare this word? Then it is a name after all.
pub(super) fn declares(text: &str, word: &str) -> bool {
    const BEFORE: &[&str] =
        &["let", "find", "first", "all", "each", "for", "setting", "read", "ensure", "table", "use"];
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or(""), text.get(at + word.len()..).unwrap_or(""));
        let apart = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let last = before.trim_end_matches([' ', '\t']);
        let word_before = last.len() < before.len() && BEFORE.iter().any(|word| last.ends_with(word));
        let open = last.ends_with(['(', ',', '{', '\n', '|']) && after.trim_start_matches(' ').starts_with(':');
        apart && (word_before || open)
    })
}

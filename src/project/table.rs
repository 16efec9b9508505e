//! `koppel.toml` as a tree in the order of the text, every key and value with its place.
//!
//! Takes a text, gives [`Entry`]s and diagnostics. Promises exact numbers (from their characters, never through a
//! float), and that a text made by [`without_secrets`] shows none when it stands in an excerpt.

use std::{
    ops::Range,
    sync::{Arc, LazyLock},
};

use ::toml::de::{DeTable, DeValue};
use jiff::{Timestamp, civil, tz::TimeZone};
use regex::{Captures, Regex};

use crate::{
    diagnostic::{Diagnostic, FileId, Span},
    value::Decimal,
};

/// A key with what stands behind it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: Arc<str>,
    /// Its place.
    pub span: Span,
    /// Its value.
    pub item: Item,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub struct Item {
    /// What.
    pub node: Node,
    /// Where.
    pub span: Span,
}

/// The kinds of values.
#[derive(Debug, Clone)]
pub enum Node {
    /// `"…"`
    Text(Arc<str>),
    /// `99`
    Int(i64),
    /// `0.05`
    Number(Decimal),
    /// `true`
    Bool(bool),
    /// `2026-01-01`
    Date(civil::Date),
    /// A moment; without an offset it is Amsterdam time.
    Moment(Timestamp),
    /// `[…]`
    List(Vec<Item>),
    /// `[section]` or `{ … }`
    Table(Vec<Entry>),
    /// What koppel has no use for (a time of day, `nan`, a number of 30 digits).
    Odd,
}

impl Node {
    /// What it is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Int(_) => "a whole number",
            Self::Number(_) => "a number",
            Self::Bool(_) => "`true` or `false`",
            Self::Date(_) => "a date",
            Self::Moment(_) => "a moment",
            Self::List(_) => "a list",
            Self::Table(_) => "a section",
            Self::Odd => "something that koppel cannot use",
        }
    }
}

/// Reads a text. With mistakes in it the tree is what could be read of it.
pub(super) fn parse(file: FileId, text: &str) -> (Vec<Entry>, Vec<Diagnostic>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let place = |range: Range<usize>| Span::new(file, range.start, range.end);
    let diagnostics = errors
        .iter()
        .map(|error| {
            let span = place(error.span().unwrap_or(0..0));
            Diagnostic::new("F854", format!("this is no TOML: {}", error.message()), span)
        })
        .collect();
    (entries(table.get_ref(), &place), diagnostics)
}

fn entries(table: &DeTable<'_>, place: &dyn Fn(Range<usize>) -> Span) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().as_ref().into(),
            span: place(key.span()),
            item: Item { node: node(value.get_ref(), place), span: place(value.span()) },
        })
        .collect();
    entries.sort_by_key(|entry| entry.span.start);
    entries
}

fn node(value: &DeValue<'_>, place: &dyn Fn(Range<usize>) -> Span) -> Node {
    match value {
        DeValue::String(text) => Node::Text(text.as_ref().into()),
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).map_or(Node::Odd, Node::Int),
        DeValue::Float(n) => {
            let text = n.as_str();
            let exact = text.parse().or_else(|_| Decimal::from_scientific(text));
            exact.map_or(Node::Odd, Node::Number)
        }
        DeValue::Boolean(yes) => Node::Bool(*yes),
        DeValue::Datetime(moment) => day_or_moment(&moment.to_string()),
        DeValue::Array(items) => Node::List(
            items.iter().map(|item| Item { node: node(item.get_ref(), place), span: place(item.span()) }).collect(),
        ),
        DeValue::Table(table) => Node::Table(entries(table, place)),
    }
}

fn day_or_moment(text: &str) -> Node {
    if text.len() <= 10 {
        return text.parse().map_or(Node::Odd, Node::Date);
    }
    let local = || {
        let zone = TimeZone::get("Europe/Amsterdam").ok()?;
        let moment: civil::DateTime = text.parse().ok()?;
        zone.to_ambiguous_timestamp(moment).compatible().ok()
    };
    text.parse().ok().or_else(local).map_or(Node::Odd, Node::Moment)
}

/// The text with `*` for every character of what is, or looks like, an inline secret: same bytes, same places.
///
/// Works on the characters and not on the tree, so that a file with mistakes shows no secret either.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    static HIDDEN: LazyLock<Option<(Regex, Regex)>> = LazyLock::new(|| {
        let keys = r#"((?i-u:[\w-]*(?:secret|token|passw|pwd|client|key|credential)[\w-]*["']?\s*=\s*))("""[\s\S]*?(?:"""|\z)|'''[\s\S]*?(?:'''|\z)|"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?)"#;
        Some((Regex::new(keys).ok()?, Regex::new(r#"(://)([^/@"'\s]*)(@)"#).ok()?))
    });
    let hide = |text: &str| -> String {
        text.chars()
            .map(|c| if matches!(c, '"' | '\'' | '\n') { c.to_string() } else { "*".repeat(c.len_utf8()) })
            .collect()
    };
    // Both patterns are constants; a pattern that cannot be compiled would show as a failing test.
    let Some((secret, login)) = HIDDEN.as_ref() else {
        return hide(text);
    };
    let part = |found: &Captures<'_>, index: usize| found.get(index).map_or("", |part| part.as_str()).to_owned();
    let text = secret.replace_all(text, |found: &Captures<'_>| part(found, 1) + &hide(&part(found, 2)));
    login
        .replace_all(&text, |found: &Captures<'_>| part(found, 1) + &hide(&part(found, 2)) + &part(found, 3))
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_inline_secrets_and_keeps_every_place() {
        let text = "client_secret = \"hush\\\" é\"\ntoken='a b'\npassword = \"open\nclient_id = { env = \"X\" }\nbase = \"https://u:p@h/x\"\nmy-token = \"\"\"a\nb\"\"\"\nparticipant = \"12345\"\n";
        let hidden = without_secrets(text);
        assert_eq!(hidden.len(), text.len());
        insta::assert_snapshot!(hidden, @r#"
        client_secret = "*****"***"
        token='***'
        password = "****
        client_id = { env = "X" }
        base = "https://***@h/x"
        my-token = """*
        *"""
        participant = "12345"
        "#);
    }

    #[test]
    fn numbers_are_exact_and_days_are_days() {
        let (entries, mistakes) = parse(FileId(0), "b = 0.10\na = 2026-01-31\nc = 2026-01-01T00:00:00\nd = 07:00:00\n");
        assert!(mistakes.is_empty());
        let kinds: Vec<_> = entries.iter().map(|entry| format!("{} {:?}", entry.key, entry.item.node)).collect();
        assert_eq!(kinds, ["b Number(0.10)", "a Date(2026-01-31)", "c Moment(2025-12-31T23:00:00Z)", "d Odd"]);
    }
}

//! Repairs that change the order of words: `if a then b else c`, `a ? b : c`, `is not in`, `2hours`.

use super::{Line, Repair, replace};
use crate::syntax::{
    edit::Edit,
    scan::{Kind, Token},
    words::Place,
};

/// The repairs of a line that need more than one token.
pub(super) fn find(line: &Line<'_>) -> Vec<Repair> {
    // Of those that change the order of words only the first: the next ones often stand inside it.
    let first = |word: &str| (0..line.tokens.len()).find(|at| line.word(*at) == word);
    let mut repairs: Vec<Repair> = first("if").and_then(|at| condition_first(line, at)).into_iter().collect();
    repairs.extend(first("?").and_then(|at| question(line, at)));
    for at in 0..line.tokens.len() {
        repairs.extend(if line.word(at) == "is" { not_in(line, at) } else { glued_duration(line, at) });
    }
    repairs
}

/// A repair of everything from one token to another.
fn rewrite(blame: &Token, (start, end): (usize, usize), text: String, title: &str) -> Repair {
    let edit = Some(Edit { start, end, text });
    Repair { start: blame.start, end: blame.end, title: title.to_owned(), help: None, edit, sure: false }
}

/// The next token from `at` that says `word` in as many brackets as the token at `like`.
fn same_level(line: &Line<'_>, like: usize, at: usize, word: &str) -> Option<usize> {
    let depth = line.tokens.get(like)?.depth;
    let rest = line.tokens.iter().enumerate().skip(at);
    let rest = rest.take_while(|(_, token)| token.depth >= depth);
    let mut rest = rest.filter(|(_, token)| token.depth == depth);
    rest.find(|(_, token)| token.text(line.text) == word).map(|(at, _)| at)
}

/// The byte where the value that holds the token at `at` ends.
fn value_end(line: &Line<'_>, at: usize) -> usize {
    let depth = line.tokens.get(at).map_or(0, |token| token.depth);
    let mut end = line.tokens.get(at).map_or(0, |token| token.end);
    for token in line.tokens.get(at + 1..).unwrap_or(&[]) {
        let word = token.text(line.text);
        let closes = matches!(word, ")" | "]" | "}") && token.depth < depth;
        let stops = token.depth == depth && matches!(word, "," | "on" | "unless" | ";" | "|" | "because" | "{");
        if token.kind == Kind::Comment || token.depth < depth || closes || stops {
            break;
        }
        end = token.end;
    }
    end
}

/// Statements that take a condition behind their first words.
const CONDITIONAL: &[&str] = &["skip", "hold", "fail", "warn", "take", "create", "update", "each", "after"];

/// `if c then a else b` is `a when c else b`; an `if` that opens a block has no such form.
fn condition_first(line: &Line<'_>, at: usize) -> Option<Repair> {
    let token = line.tokens.get(at)?;
    let text = |start: usize, end: usize| line.text.get(start..end).map(str::trim);
    if line.group.head && at == 0 || same_level(line, at, at, "then").is_none() {
        let behind = CONDITIONAL.contains(&line.word(0)) || line.before(at).is_some_and(|value| line.ends_value(value));
        if at > 0 && behind {
            return Some(replace(token, "when", "`if` is written `when`", true));
        }
        let help = match line.group.place {
            _ if at > 0 => "value when condition else other value",
            Place::Fields => "a field:   Name = value when condition\nan object: Name when condition {",
            _ => "a guard:  skip when condition because \"reason\"\na write:  create system.entity when condition {",
        };
        let title = "`if` is written `when`, behind what it decides".to_owned();
        return Some(Repair {
            start: token.start,
            end: token.end,
            title,
            help: Some(help.to_owned()),
            edit: None,
            sure: true,
        });
    }
    let then = same_level(line, at, at, "then")?;
    let (if_end, then_start) = (token.end, line.tokens.get(then)?.start);
    let condition = text(if_end, then_start)?;
    let title = "`if … then` is written `… when …`";
    let value_start = line.tokens.get(then + 1)?.start;
    if let Some(other) = same_level(line, at, then, "else") {
        let other = line.tokens.get(other)?;
        let value = text(value_start, other.start)?;
        return Some(rewrite(token, (token.start, other.end), format!("{value} when {condition} else"), title));
    }
    let end = value_end(line, then + 1);
    let value = text(value_start, end)?;
    Some(rewrite(token, (token.start, end), format!("{value} when {condition}"), title))
}

/// `c ? a : b` is `a when c else b`.
fn question(line: &Line<'_>, at: usize) -> Option<Repair> {
    let token = line.tokens.get(at)?;
    let colon = same_level(line, at, at + 1, ":")?;
    let first =
        line.tokens.get(at + 1).filter(|first| !matches!(first.text(line.text), "," | "=" | ")" | "|" | "=>"))?;
    let before = line.tokens.get(..at)?.iter().rev();
    let condition = before.take_while(|before| {
        let word = before.text(line.text);
        let stops = matches!(
            word,
            "=" | "," | ":" | "=>" | "|" | "??" | "when" | "take" | "where" | "because" | "expect" | "else"
        );
        before.depth > token.depth || before.depth == token.depth && !stops && !matches!(word, "(" | "[" | "{")
    });
    let condition = condition.last()?;
    let colon_token = line.tokens.get(colon)?;
    let end = value_end(line, colon + 1);
    let text = |start: usize, end: usize| line.text.get(start..end).map(str::trim);
    let yes = text(first.start, colon_token.start)?;
    let no = text(colon_token.end, end)?;
    let asked = text(condition.start, token.start)?;
    let title = "`c ? a : b` is written `a when c else b`";
    Some(rewrite(token, (condition.start, end), format!("{yes} when {asked} else {no}"), title))
}

/// `is not in` is `not in`, `is in` is `in`.
fn not_in(line: &Line<'_>, at: usize) -> Option<Repair> {
    let ours = match (line.word(at + 1), line.word(at + 2)) {
        ("in", _) => "in",
        ("not", "in") => "not in",
        _ => return None,
    };
    let length = if ours == "in" { 1 } else { 2 };
    let (first, last) = (line.tokens.get(at)?, line.tokens.get(at + length)?);
    let blame = Token { end: last.end, ..*first };
    let title = format!("`is {ours}` is written `{ours}`");
    Some(rewrite(&blame, (first.start, last.end), ours.to_owned(), &title))
}

/// `2hours` is `2 hours`.
fn glued_duration(line: &Line<'_>, at: usize) -> Option<Repair> {
    let (number, unit) = (line.tokens.get(at)?, line.tokens.get(at + 1)?);
    let unit_name = unit.text(line.text).trim_end_matches('s');
    let glued = number.kind == Kind::Number && number.end == unit.start;
    if !glued || !matches!(unit_name, "minute" | "hour" | "day" | "week" | "month") {
        return None;
    }
    let ours = format!("{} {}", number.text(line.text), unit.text(line.text));
    let blame = Token { end: unit.end, ..*number };
    let title = format!("a duration is written `{ours}`");
    Some(rewrite(&blame, (number.start, unit.end), ours, &title))
}

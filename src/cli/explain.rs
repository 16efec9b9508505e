//! `koppel explain`: a rule with its reason, a wrong and a right example; without a code the table of all rules.
//!
//! Takes the code (`F202`, `f202`) or the name (`unknown-field`) of a rule, gives the row of the register.

use std::io::Write as _;

use serde_json::json;

use super::{
    args::ExplainArgs,
    say::{Ended, Form, Said, Stop, colour, out_in, width},
};
use crate::{
    diagnostic::{Example, Rule, rules},
    project::nearest,
};

/// So many rules of a family are offered for a code that is none.
const NEAR: usize = 3;

/// Shows one rule, or all.
pub(super) fn explain(asked: &ExplainArgs) -> Said {
    let mut out = out_in(Form::AsIs);
    let found: Vec<&Rule> = match &asked.code {
        None => rules().collect(),
        Some(code) => vec![named(code).ok_or_else(|| unknown(code))?],
    };
    let indent = rules().map(|rule| rule.name.len()).max().unwrap_or(0);
    for rule in found {
        match (asked.json, &asked.code) {
            (true, _) => writeln!(out, "{}", as_json(rule))?,
            (false, None) => writeln!(out, "{}  {:indent$}  {}", rule.code, rule.name, rule.summary)?,
            (false, Some(_)) => write!(out, "{}", page(rule, width(), colour()))?,
        }
    }
    out.flush()?;
    Ok(Ended::Fine)
}

fn named(word: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.code.eq_ignore_ascii_case(word) || rule.name.eq_ignore_ascii_case(word))
}

/// A code that no rule has: the nearest of its family, since a code that is gone is never used again. A name: the
/// nearest one.
fn unknown(word: &str) -> Stop {
    let wanted = word.to_uppercase();
    let number = wanted.strip_prefix('F').and_then(|digits| digits.parse::<u32>().ok());
    let (gone, near): (_, Vec<&Rule>) = match number {
        Some(number) => {
            let family = |rule: &&Rule| wanted.get(..2) == rule.code.get(..2) && wanted.len() == rule.code.len();
            let mut near: Vec<&Rule> = rules().filter(family).collect();
            let distance =
                |rule: &&Rule| rule.code.get(1..).and_then(|own| own.parse().ok()).map(|own| number.abs_diff(own));
            near.sort_by_key(distance);
            near.truncate(NEAR);
            (", or none any more", near)
        }
        None => ("", nearest(word, rules().map(|rule| rule.name)).and_then(named).into_iter().collect()),
    };
    let help: Vec<String> = near
        .iter()
        .map(|rule| format!("\n      koppel explain {}  {}: {}", rule.code, rule.name, rule.summary))
        .collect();
    let help = if help.is_empty() { "\n      `koppel explain` lists them all".to_owned() } else { help.concat() };
    Stop::Usage(format!("there is no rule `{word}`{gone}{help}"))
}

fn as_json(rule: &Rule) -> serde_json::Value {
    json!({
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.word(),
        "summary": rule.summary,
        "why": rule.why,
        "wrong": rule.wrong.text(),
        "right": rule.right.text(),
    })
}

/// A rule as a page for people.
fn page(rule: &Rule, width: usize, colour: bool) -> String {
    let (on, off) = if colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let part = |head: &str, example: Example| format!("{on}{head}{off}\n{}", indented(example.text()));
    format!(
        "{on}{}  {}{off}  ({})\n{}\n\n{}\n{}\n{}",
        rule.code,
        rule.name,
        rule.severity.word(),
        rule.summary,
        paragraph(rule.why, width.min(80)),
        part("wrong", rule.wrong),
        part("right", rule.right),
    )
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}

/// Words in lines of at most `width` columns.
fn paragraph(text: &str, width: usize) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
    out
}

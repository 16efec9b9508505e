//! The functions as the reference prints them.
//!
//! Takes the register, gives Markdown. Promises that nothing stands there that the register does not say, but for
//! `today`, which is an input of the evaluation and no function of it.

use std::fmt::Write as _;

use super::{FUNCTIONS, Function, Param, Takes};
use crate::schema::{Kind, Ty};

/// The headings, each before the first function of its subject.
const SUBJECTS: &[(&str, &str)] = &[
    ("Texts", "trim"),
    ("Numbers and amounts", "round"),
    ("Days", "year"),
    ("Lists", "first"),
    ("Turning one kind into another", "to_int"),
    ("Is it what it claims to be?", "valid_email"),
    ("Sharing out amounts", "group"),
];

/// All functions by subject, each with its signature, what it does, and an example with its result.
#[must_use]
pub fn manual() -> String {
    let mut text = String::new();
    for function in FUNCTIONS {
        if let Some((heading, _)) = SUBJECTS.iter().find(|(_, first)| *first == function.name) {
            let lead = if text.is_empty() { "" } else { "\n" };
            // Writing into a String never fails.
            let _ = writeln!(text, "{lead}### {heading}\n");
            if function.name == "year" {
                text.push_str("- `today(): date`: the Amsterdam day on which the decision began.\n");
            }
        }
        text.push_str(&entry(function));
    }
    text
}

/// A function: one item of a list.
fn entry(function: &Function) -> String {
    let params: Vec<String> = function.params.iter().map(param).collect();
    let gives = gives(function).map_or_else(String::new, |ty| format!(": {ty}"));
    let (example, result) = function.example;
    let head = format!("- `{}({}){gives}`: {}.", function.name, params.join(", "), function.doc);
    let head = head.replace("?.", "?");
    if example.contains('\n') {
        let lines = example.replace('\n', "\n  ");
        format!("{head} The last line of this gives `{result}`:\n\n  ```text\n  {lines}\n  ```\n")
    } else {
        format!("{head} `{example}` gives `{result}`.\n")
    }
}

fn param(param: &Param) -> String {
    let takes = match param.takes {
        Takes::Text => "text",
        Takes::Int => "int",
        Takes::Number => "number",
        Takes::Money => "money",
        Takes::Ordered => "number or date",
        Takes::Date => "date",
        Takes::Bool => "bool",
        Takes::Pattern => "pattern",
        Takes::List => "list",
        Takes::Texts => "list of text",
        Takes::Numbers => "list of numbers",
        Takes::Records => "list of records",
        Takes::Anything => "anything",
        Takes::Column => ".field",
        Takes::Columns => "[.field, …]",
    };
    format!("{}: {takes}{}", param.name, if param.optional { ", may be left out" } else { "" })
}

/// What it gives, where that does not hang on what it is given.
fn gives(function: &Function) -> Option<String> {
    let types: Vec<Ty> = function.params.iter().map(|param| given(param.takes)).collect();
    let ty = (function.gives)(&types);
    let number = types.first().is_some_and(|first| {
        let of = if let Kind::List(of) = &first.kind { of } else { first };
        of.is_number() && of.kind == ty.kind && of.kind != Kind::Money
    });
    match &ty.kind {
        Kind::Any => None,
        Kind::List(of) if of.kind == Kind::Any => Some("list".to_owned()),
        _ if number => Some(if ty.optional { "number?" } else { "number" }.to_owned()),
        _ => Some(ty.to_string()),
    }
}

/// A type that such a parameter takes.
fn given(takes: Takes) -> Ty {
    match takes {
        Takes::Text => Ty::new(Kind::Text),
        Takes::Int => Ty::new(Kind::Int),
        Takes::Number => Ty::new(Kind::Decimal),
        Takes::Money => Ty::new(Kind::Money),
        Takes::Date => Ty::new(Kind::Date),
        Takes::Bool => Ty::new(Kind::Bool),
        Takes::Pattern => Ty::new(Kind::Pattern),
        Takes::List | Takes::Records => Ty::list(Ty::any()),
        Takes::Texts => Ty::list(Ty::new(Kind::Text)),
        Takes::Numbers => Ty::list(Ty::new(Kind::Decimal)),
        Takes::Ordered | Takes::Anything | Takes::Column | Takes::Columns => Ty::any(),
    }
}

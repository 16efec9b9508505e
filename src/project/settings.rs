//! The settings of `koppel.toml` against those that the flows declare.
//!
//! Takes the lines with their places and the checked programs, gives values of the right type and diagnostics: unset
//! (F111, at the declaration), unknown (F112), of another type (F113), a word that there is not (F107, F204). Promises
//! that a flow runs only with settings that were judged; lines of all environments are judged, whichever is asked for.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    config::{Config, SettingLine},
    section::{listed, nearest},
    table::{Item, Node},
};
use crate::{
    check::typed::{Cell, Program, Setting},
    diagnostic::{Diagnostic, Span},
    plan::SettingValues,
    schema::{Kind, Ty, normalise},
    value::{Currency, Decimal, Value},
};

/// Boxed, because the right value is small.
type Wrong = Box<Diagnostic>;

/// All settings that there are, by owner and name.
pub(super) struct Declared<'a> {
    settings: BTreeMap<(&'a str, &'a str), &'a Setting>,
    programs: &'a [Arc<Program>],
}

impl<'a> Declared<'a> {
    pub(super) fn new(programs: &'a [Arc<Program>]) -> Self {
        let all = programs.iter().flat_map(|program| &program.settings);
        let settings = all.map(|setting| ((&*setting.owner, &*setting.name), setting)).collect();
        Self { settings, programs }
    }

    /// Judges every line of the file.
    pub(super) fn judge(&self, config: &Config) -> Vec<Diagnostic> {
        let environments = config.environments.iter().flat_map(|environment| &environment.settings);
        let runs = config.runs.iter().flat_map(|run| &run.settings);
        let lines = config.settings.iter().chain(environments).chain(&config.test_settings).chain(runs);
        lines.filter_map(|line| self.value(line).err()).map(|wrong| *wrong).collect()
    }

    /// What is set and of the right type; later lines win.
    pub(super) fn values<'l>(&self, lines: impl Iterator<Item = &'l SettingLine>) -> SettingValues {
        let value =
            |line: &SettingLine| Some(((line.owner.value.clone(), line.name.value.clone()), self.value(line).ok()?));
        lines.filter_map(value).collect()
    }

    fn value(&self, line: &SettingLine) -> Result<Value, Wrong> {
        let (owner, name) = (&*line.owner.value, &*line.name.value);
        let Some(setting) = self.settings.get(&(owner, name)) else { return Err(Box::new(self.unknown(line))) };
        self.convert(setting, &setting.ty, &line.item)
    }

    fn unknown(&self, line: &SettingLine) -> Diagnostic {
        let (owner, name) = (&*line.owner.value, &*line.name.value);
        let of_owner: Vec<&str> = self.settings.keys().filter(|key| key.0 == owner).map(|key| key.1).collect();
        if !of_owner.is_empty() {
            let found = Diagnostic::new("F112", format!("`{owner}` has no setting `{name}`"), line.name.span);
            return found.help(
                nearest(name, of_owner.iter().copied())
                    .map_or_else(|| format!("it has: {}", listed(&of_owner)), ToOwned::to_owned),
            );
        }
        let mut owners: Vec<&str> = self.settings.keys().map(|key| key.0).collect();
        owners.dedup();
        let elsewhere = owners.iter().find(|other| self.settings.contains_key(&(other, name)));
        let help = match nearest(owner, owners.iter().copied()).or(elsewhere.copied()) {
            Some(near) => format!("[settings.{near}]"),
            None => format!("settings belong to: {}", listed(&owners)),
        };
        let title = format!("no flow or library `{owner}` declares settings");
        Diagnostic::new("F112", title, line.owner.span).help(help)
    }

    fn convert(&self, setting: &Setting, ty: &Ty, item: &Item) -> Result<Value, Wrong> {
        let wrong = |help: String| {
            let title = format!("the setting `{}` is {}, not {}", setting.name, words(ty), item.node.kind());
            let found = Diagnostic::new("F113", title, item.span).also(setting.span, "declared here").help(help);
            Err(Box::new(found))
        };
        let example = || format!("{} = {}", setting.name, example(ty));
        match (&ty.kind, &item.node) {
            (Kind::Any, _) => Ok(Value::Blank),
            (Kind::List(of), Node::List(items)) => {
                let values: Result<Vec<_>, Wrong> = items.iter().map(|item| self.convert(setting, of, item)).collect();
                Ok(Value::List(values?.into()))
            }
            (Kind::Words(words), Node::List(items)) => {
                let of = Ty::new(Kind::OneOf(words.clone()));
                let values: Result<Vec<_>, Wrong> = items.iter().map(|item| self.convert(setting, &of, item)).collect();
                Ok(Value::List(values?.into()))
            }
            (Kind::Bool, Node::Bool(yes)) => Ok(Value::Bool(*yes)),
            (Kind::Int, Node::Int(n)) => self.known(setting, ty, Value::Int(*n), item.span),
            (Kind::Decimal | Kind::Money, node) if number(node).is_some() => {
                let n = number(node).unwrap_or_default();
                Ok(if ty.kind == Kind::Money { Value::eur(n) } else { Value::Decimal(n) })
            }
            (Kind::Percent, Node::Text(text)) => match percent(text) {
                Some(fraction) => self.known(setting, ty, Value::Decimal(fraction), item.span),
                None => wrong(example()),
            },
            (Kind::Percent, node) if number(node).is_some() => {
                wrong(format!("{} = \"{}%\"", setting.name, number(node).unwrap_or_default()))
            }
            (Kind::Date, Node::Date(day)) => Ok(Value::Date(*day)),
            (Kind::DateTime, Node::Moment(moment)) => Ok(Value::DateTime(*moment)),
            (_, Node::Text(text)) if ty.is_texty() => self.text(setting, ty, text, item.span),
            (_, Node::Int(n)) if ty.is_texty() => wrong(format!("{} = \"{n}\"", setting.name)),
            (Kind::Date, Node::Text(text)) if text.parse::<jiff::civil::Date>().is_ok() => {
                wrong(format!("{} = {text}    # without quotes", setting.name))
            }
            (Kind::Duration | Kind::Pattern | Kind::Record(_), _) => {
                wrong("a setting of this type has a default only".to_owned())
            }
            _ => wrong(example()),
        }
    }

    fn text(&self, setting: &Setting, ty: &Ty, text: &str, span: Span) -> Result<Value, Wrong> {
        let normal = normalise(&ty.kind, text).as_text().unwrap_or("").to_owned();
        if normal.is_empty() {
            if ty.optional {
                return Ok(Value::Blank);
            }
            let found = Diagnostic::new("F113", format!("the setting `{}` is empty", setting.name), span);
            return Err(Box::new(found.help(format!("{} = {}", setting.name, example(ty)))));
        }
        let fits = match ty.kind {
            Kind::Email => normal.contains('@'),
            Kind::Country => normal.len() == 2 && normal.bytes().all(|byte| byte.is_ascii_alphabetic()),
            Kind::Currency => Currency::parse(&normal).is_some(),
            _ => true,
        };
        if !fits {
            let title = format!("`{text}` is no {}, and the setting `{}` is one", words(ty), setting.name);
            let help = format!("{} = {}", setting.name, example(ty));
            return Err(Box::new(Diagnostic::new("F113", title, span).help(help)));
        }
        if let Some(max) = ty.max
            && normal.chars().count() > max as usize
        {
            let title = format!("the setting `{}` has at most {max} characters", setting.name);
            let says = format!("{} characters", normal.chars().count());
            let found = Diagnostic::new("F113", title, span).says(says).also(setting.span, "declared here");
            return Err(Box::new(found));
        }
        if let Kind::OneOf(words) = &ty.kind
            && !words.iter().any(|word| **word == *normal)
        {
            let words: Vec<&str> = words.iter().map(|word| &**word).collect();
            return Err(no_word("F107", setting, &normal, &words, span));
        }
        if let Some(table) = &ty.codes {
            return match table.code_of(&normal) {
                Some(code) => Ok(Value::Text(code.clone())),
                None if table.open => Ok(Value::text(&normal)),
                None => {
                    let codes: Vec<&str> = table.codes.iter().map(|code| &*code.code).collect();
                    Err(no_word("F204", setting, &normal, &codes, span))
                }
            };
        }
        self.known(setting, ty, Value::text(&normal), span)
    }

    /// A reference to a column of a table: its values are known.
    fn known(&self, setting: &Setting, ty: &Ty, value: Value, span: Span) -> Result<Value, Wrong> {
        let Some(values) = ty.reference.as_ref().and_then(|column| self.column(&column.of, &column.column)) else {
            return Ok(value);
        };
        if values.iter().any(|known| crate::value::same(known, &value)) {
            return Ok(value);
        }
        let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Err(no_word("F107", setting, &value.to_string(), &texts, span))
    }

    /// The values of an input column, where every cell is a literal or a list of them.
    fn column(&self, table: &str, column: &str) -> Option<Vec<Value>> {
        let table = self.programs.iter().flat_map(|program| &program.tables).find(|own| &*own.name == table)?;
        let index = table.inputs.iter().position(|(name, _)| &**name == column)?;
        let mut all = Vec::new();
        for row in &table.rows {
            match row.cells.get(index)? {
                Cell::In(values) => all.extend(values.iter().cloned()),
                _ => return None,
            }
        }
        Some(all)
    }
}

/// F111 for every setting of `program` that must be set and is not; one that is set wrong was told already.
pub(super) fn unset(program: &Program, lines: &[&SettingLine], prefix: &str) -> Vec<Diagnostic> {
    let set = |setting: &Setting| {
        lines.iter().any(|line| line.owner.value == setting.owner && line.name.value == setting.name)
    };
    let needs = |setting: &Setting| setting.default.is_none() && !setting.ty.optional && setting.ty.kind != Kind::Any;
    let open = program.settings.iter().filter(|setting| needs(setting) && !set(setting));
    open.map(|setting| {
        let title = format!("the setting `{}` has no default and no value", setting.name);
        let help = format!(
            "in koppel.toml:\n[{prefix}settings.{}]\n{} = {}",
            setting.owner,
            setting.name,
            example(&setting.ty)
        );
        Diagnostic::new("F111", title, setting.span).help(help)
    })
    .collect()
}

fn no_word(code: &'static str, setting: &Setting, found: &str, words: &[&str], span: Span) -> Wrong {
    let title = format!("`{found}` is not a value that the setting `{}` can have", setting.name);
    let shown: Vec<String> = words.iter().take(12).map(|word| format!("\"{word}\"")).collect();
    let says = format!("one of {}{}", shown.join(", "), if words.len() > 12 { ", …" } else { "" });
    let diagnostic = Diagnostic::new(code, title, span).says(says);
    Box::new(match nearest(found, words.iter().copied()) {
        Some(near) => diagnostic.help(format!("{} = \"{near}\"", setting.name)),
        None => diagnostic,
    })
}

fn number(node: &Node) -> Option<Decimal> {
    match node {
        Node::Int(n) => Some(Decimal::from(*n)),
        Node::Number(n) => Some(*n),
        _ => None,
    }
}

/// `21%` is 0.21.
fn percent(text: &str) -> Option<Decimal> {
    let points: Decimal = text.trim().strip_suffix('%')?.trim().parse().ok()?;
    points.checked_div(Decimal::ONE_HUNDRED).map(|fraction| fraction.normalize())
}

/// A type in a bookkeeper's words.
fn words(ty: &Ty) -> String {
    match &ty.kind {
        Kind::Int => "a whole number".to_owned(),
        Kind::Decimal => "a number".to_owned(),
        Kind::Money => "an amount".to_owned(),
        Kind::Percent => "a percentage".to_owned(),
        Kind::Bool => "`true` or `false`".to_owned(),
        Kind::Date => "a date".to_owned(),
        Kind::DateTime => "a moment".to_owned(),
        Kind::List(_) | Kind::Words(_) => "a list".to_owned(),
        Kind::Text | Kind::OneOf(_) => "a text".to_owned(),
        Kind::Email => "e-mail address".to_owned(),
        Kind::Country => "country code of two letters".to_owned(),
        Kind::Currency => "currency code of three letters".to_owned(),
        _ => ty.clone().filled().to_string(),
    }
}

/// A value as `koppel.toml` writes it.
fn example(ty: &Ty) -> String {
    match &ty.kind {
        Kind::Int => "1".to_owned(),
        Kind::Decimal => "0.5".to_owned(),
        Kind::Money => "0.05".to_owned(),
        Kind::Percent => "\"21%\"".to_owned(),
        Kind::Bool => "true".to_owned(),
        Kind::Date => "2026-01-01".to_owned(),
        Kind::DateTime => "2026-01-01T08:00:00".to_owned(),
        Kind::List(of) => format!("[{}]", example(of)),
        Kind::OneOf(words) => words.first().map_or("\"…\"".to_owned(), |word| format!("\"{word}\"")),
        Kind::Words(words) => words.first().map_or("[]".to_owned(), |word| format!("[\"{word}\"]")),
        Kind::Email => "\"name@company.example\"".to_owned(),
        Kind::Country => "\"NL\"".to_owned(),
        Kind::Currency => "\"EUR\"".to_owned(),
        _ => "\"…\"".to_owned(),
    }
}

#[cfg(test)]
mod tests;

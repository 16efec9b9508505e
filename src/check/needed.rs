//! Fields that are needed only when another field of their object has a value, or unless it has: a company needs an
//! address, a private person does not.
//!
//! Takes what a body gives; tells F201 where such a field is left open although it may be needed. What a guard rules out
//! counts: behind `hold when not private and city is blank` the city is there whenever `private` is no.

use super::{
    checker::Checker,
    facts::{self, Fact, Holds, Root, What},
    required::{Block, Given, Purpose, Way, ways},
    typed::{Expr, ExprKind},
};
use crate::{
    schema::{Condition, Field, Kind},
    value::Value,
};

/// What is known of a value that a field gets.
pub(super) struct Sure {
    /// The value itself, where others hang on it.
    value: Option<Expr>,
    /// It is filled whenever one of these holds.
    filled_when: Vec<Holds>,
}

impl Sure {
    /// What is known of the value of a field, with what is `known` where it stands.
    pub(super) fn of(value: &Expr, field: &Field, known: &[Fact]) -> Self {
        let mut filled_when = Vec::new();
        if !field.needed.is_empty() && value.ty.optional {
            facts::conditions(value, known, &mut filled_when);
            filled_when.retain(|given| facts::filled_when(value, given, known));
        }
        Self { value: field.decides.then(|| value.clone()), filled_when }
    }
}

/// When a field is needed, as far as that is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Needed {
    /// Always, or it could not be told when.
    Always,
    /// Whenever this holds.
    When(Holds),
    /// Never in this body.
    Never,
}

impl Needed {
    /// Is a value that may be blank there whenever it is needed?
    pub(super) fn met(&self, sure: &Sure) -> bool {
        matches!(self, Self::When(holds) if sure.filled_when.contains(holds))
    }

    /// Is a condition met whenever it is needed?
    pub(super) fn holds(&self, when: &Expr) -> bool {
        matches!(self, Self::When(holds) if *holds == Holds::of(when))
    }
}

impl Checker<'_> {
    /// Tells the fields of a body that may be needed and are not given then.
    pub(super) fn hanging(&mut self, block: Block<'_>) {
        let Block { object, given, purpose, .. } = block;
        if purpose == Purpose::Record {
            return;
        }
        let mut missing: Vec<(String, Vec<&Field>)> = Vec::new();
        for field in object.fields.values().map(|field| &**field) {
            for condition in &field.needed {
                // what could not be read may have been the other field; one that lacks is told by itself
                let lacks = object.field(&condition.field).is_some_and(|other| other.required)
                    && ways(given, &condition.field, purpose).next().is_none();
                if lacks || self.meant_fields.contains(&(object.path.clone(), condition.field.clone())) {
                    continue;
                }
                let needed = needed(condition, given, purpose);
                if needed == Needed::Never {
                    continue;
                }
                let words = format!(" {condition}");
                if self.one_required(block, field, &needed, &words) {
                    continue;
                }
                match missing.iter_mut().find(|(own, _)| *own == words) {
                    Some((_, fields)) => fields.push(field),
                    None => missing.push((words, vec![field])),
                }
            }
        }
        for (words, fields) in missing {
            self.missing(block, &fields, &words);
        }
    }

    /// A condition as a flow writes it.
    pub(super) fn condition_text(&self, holds: &Holds) -> Option<String> {
        match &holds.what {
            What::Met(condition) => {
                let text = self.text_of(condition.span)?;
                // what was asked of a word in no condition has the place of its value only
                if let ExprKind::Binary(_, value, word) = &condition.kind
                    && value.span == condition.span
                    && let ExprKind::Const(word) = &word.kind
                {
                    let is = if holds.yes { "is" } else { "is not" };
                    return Some(format!("{text} {is} \"{word}\""));
                }
                let simple = !matches!(condition.kind, ExprKind::Binary(..));
                Some(match (holds.yes, simple) {
                    (true, _) => text.to_owned(),
                    (false, true) => format!("not {text}"),
                    (false, false) => format!("not ({text})"),
                })
            }
            What::Filled(place) => {
                let root = match place.root {
                    Root::Var(var) => &self.vars.get(var.0 as usize)?.name,
                    Root::Setting(id) => &self.settings.get(id.0 as usize)?.name,
                };
                let dot = if place.path.is_empty() { "" } else { "." };
                let is = if holds.yes { "is not" } else { "is" };
                Some(format!("{root}{dot}{} {is} blank", place.path))
            }
        }
    }
}

/// Has the other field the value that is asked for?
enum Has {
    Yes,
    No,
    While(Holds),
    Unsure,
}

/// When the condition asks for the field in this body.
fn needed(condition: &Condition, given: &[&Given], purpose: Purpose) -> Needed {
    let has = match ways(given, &condition.field, purpose).next() {
        Some(other) => has(condition, other),
        // an update that leaves the other field alone leaves the need as it was
        None if purpose == Purpose::Update && condition.is.is_some() => return Needed::Never,
        None => Has::No,
    };
    match (has, condition.holds) {
        (Has::Yes, true) | (Has::No, false) | (Has::Unsure, _) => Needed::Always,
        (Has::Yes, false) | (Has::No, true) => Needed::Never,
        (Has::While(holds), true) => Needed::When(holds),
        (Has::While(holds), false) => Needed::When(holds.contrary()),
    }
}

fn has(condition: &Condition, other: &Given) -> Has {
    match (&condition.is, &other.way) {
        (None, Way::Value { blank: None, .. } | Way::Object { when: None, .. } | Way::Each { .. }) => Has::Yes,
        (None, Way::Object { when: Some(when), .. }) => Has::While(Holds::of(when)),
        (is, Way::Value { sure, .. }) => match (is, &sure.value) {
            (_, None) => Has::Unsure,
            (Some(is), Some(value)) => has_value(is, value),
            (None, Some(value)) if matches!(value.kind, ExprKind::Const(_)) => Has::No,
            (None, Some(value)) => facts::place(value).map_or(Has::Unsure, |place| Has::While(Holds::filled(place))),
        },
        (Some(_), Way::Object { .. } | Way::Each { .. }) => Has::No,
    }
}

/// Is it this value?
fn has_value(is: &str, value: &Expr) -> Has {
    match &value.kind {
        ExprKind::Const(constant) if word(constant) == is => return Has::Yes,
        // one condition decides
        ExprKind::Choose(arms, last) => {
            if let [(value, when)] = arms.as_slice() {
                let last = last.as_deref().map_or(Has::No, |last| has_value(is, last));
                match (has_value(is, value), last) {
                    (Has::Yes, Has::No) => return Has::While(Holds::of(when)),
                    (Has::No, Has::Yes) => return Has::While(Holds::of(when).contrary()),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    if !may_be(is, value) {
        return Has::No;
    }
    match (&value.ty.kind, is) {
        (Kind::Bool, "yes") => Has::While(Holds::of(value)),
        (Kind::Bool, "no") => Has::While(Holds::of(value).contrary()),
        (Kind::OneOf(_), _) if facts::place(value).is_some() => Has::While(Holds::is_word(value, is)),
        _ => Has::Unsure,
    }
}

/// Can it be this value, as far as its words tell?
fn may_be(is: &str, value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Const(constant) => word(constant) == is,
        ExprKind::Outcome(..) => false,
        ExprKind::Choose(arms, last) => {
            arms.iter().map(|(value, _)| value).chain(last.as_deref()).any(|value| may_be(is, value))
        }
        _ => !matches!(&value.ty.kind, Kind::OneOf(words) if words.iter().all(|word| **word != *is)),
    }
}

/// A value as a flow writes it.
fn word(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Text(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        _ => String::new(),
    }
}

//! What a body gives, and what its target needs: F201 on every way through, F205 for a field given twice.

use std::sync::Arc;

use super::{
    body::field_name,
    checker::Checker,
    needed::{Needed, Sure},
    suggest,
    typed::{Expr, ExprKind},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Field, Kind, Object},
    syntax::tree::{BinaryOp, PolicyKind},
    value::Value,
};

/// What a body of fields is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A create of a target: the schema says what is required.
    Write,
    /// An update of a target.
    Update,
    /// A record of an entity, made by a `define`: fields that are always there must be given.
    Record,
}

/// A body that is looked at: what it fills, what its lines give, where it begins and what it is for.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    pub(super) object: &'a Object,
    pub(super) given: &'a [&'a Given],
    pub(super) head: Span,
    pub(super) purpose: Purpose,
}

/// A field that some line gives.
pub(super) struct Given {
    pub(super) field: Arc<Field>,
    pub(super) span: Span,
    pub(super) policy: Option<PolicyKind>,
    pub(super) way: Way,
}

/// How it is given.
pub(super) enum Way {
    /// A value; the place where it may be blank, and what is known of it.
    Value { blank: Option<Span>, sure: Sure },
    /// A sub-object or one line object.
    Object { object: Arc<Object>, head: Span, when: Option<Expr>, given: Vec<Given> },
    /// Line objects, one for each element of a list.
    Each { object: Arc<Object>, head: Span, given: Vec<Given> },
}

impl Checker<'_> {
    /// Tells what an object still needs, and what is given twice, in it and in all that is within it.
    pub(super) fn required(&mut self, block: Block<'_>) {
        let Block { object, given, purpose, .. } = block;
        self.twice(given);
        let missing: Vec<&Field> = object
            .fields
            .values()
            .map(|field| &**field)
            .filter(|field| needed(field, purpose) && !self.one_required(block, field, &Needed::Always, ""))
            .collect();
        self.missing(block, &missing, "");
        self.hanging(block);
        for (place, one) in given.iter().enumerate() {
            let mut inside = |object: &Object, head: Span, given: &[&Given]| {
                self.required(Block { object, given, head, purpose });
            };
            match &one.way {
                Way::Value { .. } => {}
                Way::Each { object, head, given } => inside(object, *head, &given.iter().collect::<Vec<_>>()),
                Way::Object { object, head, given: own, .. } if matches!(one.field.ty.kind, Kind::List(_)) => {
                    inside(object, *head, &own.iter().collect::<Vec<_>>());
                }
                Way::Object { object, head, when, given: own } => {
                    // blocks of one object add up: those without a condition are one
                    let siblings: Vec<(usize, &Vec<Given>)> = given
                        .iter()
                        .enumerate()
                        .filter(|(_, other)| other.field.name == one.field.name)
                        .filter_map(|(at, other)| match &other.way {
                            Way::Object { when: None, given, .. } => Some((at, given)),
                            _ => None,
                        })
                        .collect();
                    let first = siblings.first().map(|(at, _)| *at);
                    if when.is_some() && first.is_none() {
                        inside(object, *head, &own.iter().collect::<Vec<_>>());
                    } else if first == Some(place) {
                        let all: Vec<&Given> = siblings.into_iter().flat_map(|(_, given)| given).collect();
                        inside(object, *head, &all);
                    }
                }
            }
        }
    }

    /// Is a field given, on some way at least? Tells it if that is not on every way. `condition` says in words when it
    /// is needed.
    pub(super) fn one_required(&mut self, block: Block<'_>, field: &Field, needed: &Needed, condition: &str) -> bool {
        let Block { object, given, head, purpose } = block;
        let ways = || ways(given, &field.name, purpose);
        let always = ways().any(|one| match &one.way {
            Way::Value { blank, sure } => blank.is_none() || needed.met(sure),
            Way::Object { when, .. } => when.as_ref().is_none_or(|when| needed.holds(when)),
            Way::Each { .. } => true,
        });
        if always || self.is_meant(object, field) || self.seems_given(&field.name, head) {
            return true;
        }
        let Some(one) = ways().next() else { return false };
        let (noun, name) = (self.needing(object, purpose), field_name(field));
        let told = match &one.way {
            Way::Value { blank, .. } => {
                let span = blank.unwrap_or(one.span);
                if self.loaded.sources.slice(span) == "clear" {
                    let title = format!("{noun} {name}{condition}, so it cannot be emptied");
                    let told = Diagnostic::new("F201", title, span).also(head, "needs it");
                    self.say(told.help("leave `clear` out, or stop the record:  hold \"…\""));
                    return true;
                }
                let chooses = self.loaded.sources.slice(span).contains(" when ");
                let word = if chooses { "else" } else { "??" };
                let title = format!("{noun} {name}{condition}, and on one way it gets none");
                let told = Diagnostic::new("F201", title, span).says("may be blank").also(head, "needs it");
                let only = if let Needed::When(holds) = needed { self.condition_text(holds) } else { None };
                told.help(match (self.text_of(span), only) {
                    (Some(text), Some(only)) => format!(
                        "give that way a value:  {text} {word} …\nor stop the record:     hold when {only} and {text} is blank because \"…\""
                    ),
                    (Some(text), None) => format!(
                        "give that way a value:  {text} {word} …\nor stop the record:     {text} {word} hold \"…\""
                    ),
                    (None, _) => format!(
                        "give that way a value, at the end:  {word} …\nor stop the record:                 {word} hold \"…\""
                    ),
                })
            }
            Way::Object { head, .. } | Way::Each { head, .. } => {
                let title = format!("{noun} {name}{condition}, and gets none when this condition does not hold");
                Diagnostic::new("F201", title, *head)
            }
        };
        self.say(told);
        true
    }

    /// Tells the fields that no line gives, in one message.
    pub(super) fn missing(&mut self, block: Block<'_>, missing: &[&Field], condition: &str) {
        let Some((last, others)) = missing.split_last() else { return };
        let mut names = others.iter().map(|field| field_name(field)).collect::<Vec<_>>().join(", ");
        if !names.is_empty() {
            names.push_str(" and ");
        }
        names.push_str(&field_name(last));
        let title = format!("{} {names}{condition}", self.needing(block.object, block.purpose));
        let line = |field: &&Field| match (&field.ty.kind, field.ty.object()) {
            (Kind::List(_), Some(_)) => format!("{} = each … in … {{\n  …\n}}", field.name),
            (_, Some(_)) => format!("{} {{\n  …\n}}", field.name),
            _ => format!("{} = …", field.name),
        };
        let help = missing.iter().map(line).collect::<Vec<_>>().join("\n");
        let label = if others.is_empty() { "does not give it" } else { "does not give them" };
        self.say(Diagnostic::new("F201", title, block.head).says(label).help(help));
    }

    /// "a sales order needs"
    fn needing(&self, object: &Object, purpose: Purpose) -> String {
        let noun = self.noun(object);
        match purpose {
            Purpose::Write => format!("{noun} needs"),
            Purpose::Update => format!("a change of {noun} needs"),
            Purpose::Record => format!("{noun} always has"),
        }
    }

    /// Tells what `update found` lacks: it sends what the create sends, and the change of a record may need more. The
    /// found key goes along by itself.
    pub(super) fn required_to_update(&mut self, block: Block<'_>, key: Option<&str>) {
        let Block { object, given, .. } = block;
        let mut missing: Vec<&Field> = Vec::new();
        for field in object.fields.values().map(|field| &**field).filter(|field| field.required) {
            if key != Some(&*field.name) && !self.one_required(block, field, &Needed::Always, "") {
                missing.push(field);
            }
        }
        self.missing(block, &missing, "");
        self.hanging(block);
        let mut parts: Vec<(&Arc<str>, Span, Vec<&Given>)> = Vec::new();
        for one in given {
            let Way::Object { head, given: own, .. } = &one.way else { continue };
            match parts.iter_mut().find(|(name, ..)| **name == one.field.name) {
                Some((_, _, all)) => all.extend(own),
                None => parts.push((&one.field.name, *head, own.iter().collect())),
            }
        }
        for (name, head, given) in parts {
            if let Some(Kind::Record(inner)) = object.field(name).map(|field| &field.ty.kind) {
                self.required_to_update(Block { object: inner, given: &given, head, ..block }, None);
            }
        }
    }

    /// Does a line that could not be read begin with this field? Then it is not missing.
    fn seems_given(&self, name: &str, head: Span) -> bool {
        if !self.loaded.units.iter().any(|unit| unit.tree.id == head.file && unit.tree.broken) {
            return false;
        }
        let whole = self.loaded.sources.get(head.file).map_or("", |source| &source.text);
        let rest = whole.get(head.end as usize..).unwrap_or("");
        // up to the next statement in column 0
        let block = rest.lines().skip(1).take_while(|line| line.is_empty() || line.starts_with([' ', '\t', '}']));
        block.map(str::trim_start).any(|line| {
            let word = line.split_whitespace().next().unwrap_or("");
            let include = word != "include" && suggest::nearest(word, ["include"]).is_some();
            include
                || line
                    .strip_prefix(name)
                    .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    }

    /// Tells values that are given twice, at the later place.
    fn twice(&mut self, given: &[&Given]) {
        for (place, one) in given.iter().enumerate() {
            if !matches!(one.way, Way::Value { .. }) {
                continue;
            }
            let pair = |a: Option<PolicyKind>, b: Option<PolicyKind>| {
                matches!(
                    (a, b),
                    (Some(PolicyKind::OnCreate), Some(PolicyKind::OnUpdate))
                        | (Some(PolicyKind::OnUpdate), Some(PolicyKind::OnCreate))
                )
            };
            let earlier = given.iter().take(place).find(|other| {
                other.field.name == one.field.name
                    && matches!(other.way, Way::Value { .. })
                    && !pair(one.policy, other.policy)
            });
            if let Some(earlier) = earlier {
                let title = format!("`{}` is given twice", one.field.name);
                let told = Diagnostic::new("F205", title, one.span).also(earlier.span, "given here first");
                self.say(told.help("leave one of them out"));
            }
        }
    }
}

/// What gives a field, for a purpose.
pub(super) fn ways<'g>(given: &'g [&Given], name: &'g str, purpose: Purpose) -> impl Iterator<Item = &'g Given> {
    let other = if purpose == Purpose::Update { PolicyKind::OnCreate } else { PolicyKind::OnUpdate };
    given.iter().copied().filter(move |one| &*one.field.name == name && one.policy != Some(other))
}

/// Where `clear` stands in a value, if it does.
pub(super) fn clears(value: &Expr) -> Option<Span> {
    match &value.kind {
        ExprKind::Const(Value::Clear) => Some(value.span),
        ExprKind::Choose(arms, last) => {
            let values = arms.iter().map(|(_, value)| value).chain(last.as_deref());
            values.into_iter().find_map(clears)
        }
        ExprKind::Binary(BinaryOp::Default, a, b) => clears(a).or_else(|| clears(b)),
        _ => None,
    }
}

fn needed(field: &Field, purpose: Purpose) -> bool {
    match purpose {
        Purpose::Write | Purpose::Update => field.required,
        Purpose::Record => {
            !field.ty.optional && field.derived.is_none() && !matches!(field.ty.kind, Kind::List(_) | Kind::Words(_))
        }
    }
}

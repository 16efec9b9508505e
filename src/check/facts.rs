//! What a condition tells: after `skip when x is blank` x is there, behind `when x is not "draft"` x is another word.
//!
//! Takes typed conditions, gives what is known when the condition holds, or when it does not. Of a condition with two
//! parts (`hold when not private and street is blank`) one part tells what follows when the other is ruled out.

use std::sync::Arc;

use super::typed::{Expr, ExprKind, SettingId, VarId};
use crate::{
    schema::{Kind, Ty},
    syntax::tree::BinaryOp,
    value::Value,
};

/// Something that is known of a place: that it is not blank, or that it is not a certain word.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fact {
    pub(super) place: Place,
    /// The word that it is not; none = it is not blank.
    pub(super) not: Option<Arc<str>>,
    /// Known only while this does not hold.
    pub(super) unless: Option<Holds>,
}

/// A condition, or its contrary.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Holds {
    pub(super) what: What,
    /// It holds; else its contrary does.
    pub(super) yes: bool,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// Is this condition met? A blank counts as no.
    Met(Expr),
    /// Is this place filled?
    Filled(Place),
}

impl PartialEq for What {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Met(a), Self::Met(b)) => same(a, b),
            (Self::Filled(a), Self::Filled(b)) => a == b,
            _ => false,
        }
    }
}

impl Fact {
    /// A place that is filled.
    pub(super) fn filled(place: Place) -> Self {
        Self { place, not: None, unless: None }
    }
}

impl Holds {
    /// What a condition asks.
    pub(super) fn of(condition: &Expr) -> Self {
        match &condition.kind {
            ExprKind::Not(inner) => Self::of(inner).contrary(),
            ExprKind::Binary(op @ (BinaryOp::Is | BinaryOp::IsNot), a, b) if is_blank(b) => match place(a) {
                Some(place) => Self { what: What::Filled(place), yes: *op == BinaryOp::IsNot },
                None => Self::met(condition),
            },
            _ => Self::met(condition),
        }
    }

    fn met(condition: &Expr) -> Self {
        Self { what: What::Met(condition.clone()), yes: true }
    }

    /// The value is this word, as a flow would ask it: `value is "word"`.
    pub(super) fn is_word(value: &Expr, word: &str) -> Self {
        let word = Expr { kind: ExprKind::Const(Value::text(word)), ..value.clone() };
        let kind = ExprKind::Binary(BinaryOp::Is, Box::new(value.clone()), Box::new(word));
        Self::met(&Expr { kind, ty: Ty::new(Kind::Bool), span: value.span })
    }

    /// The place is filled.
    pub(super) fn filled(place: Place) -> Self {
        Self { what: What::Filled(place), yes: true }
    }

    /// The other way round.
    pub(super) fn contrary(self) -> Self {
        Self { yes: !self.yes, ..self }
    }
}

/// Facts that are known only while `other` does not hold.
fn unless(facts: Vec<Fact>, other: Holds) -> impl Iterator<Item = Fact> {
    let sure = facts.into_iter().filter(|fact| fact.unless.is_none());
    sure.map(move |fact| Fact { unless: Some(other.clone()), ..fact })
}

/// Is the value filled, when `given` holds? `known` is what is known at its place.
pub(super) fn filled_when(value: &Expr, given: &Holds, known: &[Fact]) -> bool {
    if !value.ty.optional {
        return true;
    }
    let named = |place: Place| {
        let other = given.clone().contrary();
        *given == Holds::filled(place.clone())
            || known.iter().any(|fact| {
                fact.place == place && fact.not.is_none() && fact.unless.as_ref().is_none_or(|own| *own == other)
            })
    };
    match &value.kind {
        ExprKind::Choose(arms, last) => {
            for (value, when) in arms {
                let own = Holds::of(when);
                if own == *given {
                    return filled_when(value, given, known);
                }
                if own != given.clone().contrary() && !filled_when(value, given, known) {
                    return false;
                }
            }
            last.as_ref().is_some_and(|last| filled_when(last, given, known))
        }
        ExprKind::Binary(BinaryOp::Default, a, b) => filled_when(a, given, known) || filled_when(b, given, known),
        _ => place(value).is_some_and(named),
    }
}

/// The simple conditions that could decide whether a value is filled.
pub(super) fn conditions(value: &Expr, known: &[Fact], into: &mut Vec<Holds>) {
    match &value.kind {
        ExprKind::Choose(arms, last) => {
            for (value, when) in arms {
                let own = Holds::of(when);
                into.extend([own.clone(), own.contrary()]);
                conditions(value, known, into);
            }
            if let Some(last) = last {
                conditions(last, known, into);
            }
        }
        ExprKind::Binary(BinaryOp::Default, a, b) => {
            conditions(a, known, into);
            conditions(b, known, into);
        }
        _ => {
            let Some(place) = place(value) else { return };
            let own = known.iter().filter(|fact| fact.place == place);
            into.extend(own.filter_map(|fact| fact.unless.clone()).map(Holds::contrary));
            into.push(Holds::filled(place));
        }
    }
}

/// A name with a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) root: Root,
    /// `a.b`, empty for the name itself.
    pub(super) path: String,
}

/// Where a place begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    Var(VarId),
    Setting(SettingId),
}

/// The place that an expression names, if it names one.
pub(super) fn place(expr: &Expr) -> Option<Place> {
    match &expr.kind {
        ExprKind::Var(var) => Some(Place { root: Root::Var(*var), path: String::new() }),
        ExprKind::Setting(id) => Some(Place { root: Root::Setting(*id), path: String::new() }),
        ExprKind::Field(base, name) if !matches!(base.ty.kind, Kind::List(_)) => {
            let mut place = place(base)?;
            if !place.path.is_empty() {
                place.path.push('.');
            }
            place.path.push_str(name);
            Some(place)
        }
        _ => None,
    }
}

/// Are two expressions the same, wherever they stand?
fn same(a: &Expr, b: &Expr) -> bool {
    let all = |a: &[Expr], b: &[Expr]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b));
    match (&a.kind, &b.kind) {
        (ExprKind::Const(a), ExprKind::Const(b)) => a == b,
        (ExprKind::Var(a), ExprKind::Var(b)) => a == b,
        (ExprKind::Setting(a), ExprKind::Setting(b)) => a == b,
        (ExprKind::Field(a, one), ExprKind::Field(b, other)) => one == other && same(a, b),
        (ExprKind::Not(a), ExprKind::Not(b)) => same(a, b),
        (ExprKind::Binary(one, a, c), ExprKind::Binary(other, b, d)) => one == other && same(a, b) && same(c, d),
        (ExprKind::List(a), ExprKind::List(b)) => all(a, b),
        (ExprKind::Table(one, a), ExprKind::Table(other, b)) => one == other && all(a, b),
        (ExprKind::Define(one, a), ExprKind::Define(other, b)) => one == other && all(a, b),
        (ExprKind::Function(one, a), ExprKind::Function(other, b)) => one.name == other.name && all(a, b),
        _ => false,
    }
}

/// The place and all that it stands in: with `a.b.c` there, `a` and `a.b` are there too.
fn with_parents(expr: &Expr, into: &mut Vec<Fact>) {
    if let Some(place) = place(expr) {
        into.push(Fact::filled(place));
    }
    if let ExprKind::Field(base, _) = &expr.kind {
        with_parents(base, into);
    }
}

/// The place is not one of these literal words.
fn not_words(expr: &Expr, words: &Expr, into: &mut Vec<Fact>) {
    match (&words.kind, place(expr)) {
        (ExprKind::Const(Value::Text(word)), Some(place)) => {
            into.push(Fact { not: Some(word.clone()), ..Fact::filled(place) });
        }
        (ExprKind::List(items), Some(_)) => items.iter().for_each(|item| not_words(expr, item, into)),
        _ => {}
    }
}

fn is_blank(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Const(value) if value.is_blank())
}

/// The literal `blank`, or a word that could not be read and may have meant it.
fn perhaps_blank(expr: &Expr) -> bool {
    is_blank(expr) || matches!(expr.kind, ExprKind::Todo)
}

/// What is there when the condition holds.
pub(super) fn when_true(condition: &Expr) -> Vec<Fact> {
    let mut facts = Vec::new();
    match &condition.kind {
        ExprKind::Binary(BinaryOp::And, a, b) => {
            facts.extend(when_true(a));
            facts.extend(when_true(b));
        }
        ExprKind::Binary(BinaryOp::Or, a, b) => {
            facts.extend(unless(when_true(a), Holds::of(b)));
            facts.extend(unless(when_true(b), Holds::of(a)));
        }
        ExprKind::Binary(BinaryOp::IsNot, a, b) if is_blank(b) => with_parents(a, &mut facts),
        ExprKind::Binary(BinaryOp::IsNot, a, b) if is_blank(a) => with_parents(b, &mut facts),
        ExprKind::Binary(BinaryOp::Is, a, b) if !is_blank(a) && !is_blank(b) => {
            if !b.ty.optional {
                with_parents(a, &mut facts);
            }
            if !a.ty.optional {
                with_parents(b, &mut facts);
            }
        }
        ExprKind::Binary(BinaryOp::IsNot | BinaryOp::NotIn, a, b) => not_words(a, b, &mut facts),
        ExprKind::Binary(BinaryOp::In, a, b) => {
            if matches!(&b.ty.kind, Kind::List(of) if !of.optional) {
                with_parents(a, &mut facts);
            }
        }
        ExprKind::Binary(BinaryOp::Compare(_), a, b) => {
            with_parents(a, &mut facts);
            with_parents(b, &mut facts);
        }
        ExprKind::Not(inner) => facts.extend(when_false(inner)),
        // a bare yes-or-no that counts as yes is there
        ExprKind::Var(_) | ExprKind::Setting(_) | ExprKind::Field(..) => with_parents(condition, &mut facts),
        _ => {}
    }
    facts
}

/// What is there when the condition does not hold.
pub(super) fn when_false(condition: &Expr) -> Vec<Fact> {
    let mut facts = Vec::new();
    match &condition.kind {
        ExprKind::Binary(BinaryOp::Or, a, b) => {
            facts.extend(when_false(a));
            facts.extend(when_false(b));
        }
        ExprKind::Binary(BinaryOp::And, a, b) => {
            facts.extend(unless(when_false(a), Holds::of(b).contrary()));
            facts.extend(unless(when_false(b), Holds::of(a).contrary()));
        }
        ExprKind::Binary(BinaryOp::Is, a, b) if perhaps_blank(b) => with_parents(a, &mut facts),
        ExprKind::Binary(BinaryOp::Is, a, b) if perhaps_blank(a) => with_parents(b, &mut facts),
        ExprKind::Binary(BinaryOp::IsNot, a, b) => {
            if !is_blank(b) && !b.ty.optional {
                with_parents(a, &mut facts);
            }
            if !is_blank(a) && !a.ty.optional {
                with_parents(b, &mut facts);
            }
        }
        ExprKind::Binary(BinaryOp::NotIn, a, b) => {
            if matches!(&b.ty.kind, Kind::List(of) if !of.optional) {
                with_parents(a, &mut facts);
            }
        }
        ExprKind::Not(inner) => facts.extend(when_true(inner)),
        _ => {}
    }
    facts
}

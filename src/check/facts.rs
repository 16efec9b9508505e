//! What a condition tells: after `skip when x is blank` x is there, behind `when x is not "draft"` x is another word.
//!
//! Takes typed conditions, gives what is known when the condition holds, or when it does not.

use std::sync::Arc;

use super::typed::{Expr, ExprKind, SettingId, VarId};
use crate::{schema::Kind, syntax::tree::BinaryOp, value::Value};

/// Something that is known of a place: that it is not blank, or that it is not a certain word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) place: Place,
    /// The word that it is not; none = it is not blank.
    pub(super) not: Option<Arc<str>>,
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

/// The place and all that it stands in: with `a.b.c` there, `a` and `a.b` are there too.
fn with_parents(expr: &Expr, into: &mut Vec<Fact>) {
    if let Some(place) = place(expr) {
        into.push(Fact { place, not: None });
    }
    if let ExprKind::Field(base, _) = &expr.kind {
        with_parents(base, into);
    }
}

/// The place is not one of these literal words.
fn not_words(expr: &Expr, words: &Expr, into: &mut Vec<Fact>) {
    match (&words.kind, place(expr)) {
        (ExprKind::Const(Value::Text(word)), Some(place)) => into.push(Fact { place, not: Some(word.clone()) }),
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

//! Several values as one: arms of `when`, sides of `??`, elements of a list take one type.
//!
//! Literals follow the others: `total ?? 0` is money. Takes typed values, gives them with literals turned into the
//! common kind; F103 at the value that does not fit the ones before it.

use std::sync::Arc;

use super::{
    checker::{Checker, expr},
    coerce::Need,
    typed::{Convert, Expr, ExprKind},
    types::say,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Kind, Object, Ty},
    value::Value,
};

/// A number, text or other literal, perhaps with a minus.
pub(super) fn is_literal(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Const(Value::Blank) => false,
        ExprKind::Const(_) => true,
        ExprKind::Negate(inner) => is_literal(inner),
        _ => false,
    }
}

/// The literal `blank`.
pub(super) fn is_blank_literal(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::Const(Value::Blank))
}

impl Checker<'_> {
    /// Gives the values one type. The type is optional if one of them may be blank.
    pub(super) fn join(&mut self, values: Vec<Expr>) -> (Vec<Expr>, Ty) {
        let optional = values.iter().any(|value| value.ty.optional);
        let mut common: Option<Ty> = None;
        let mut from = None;
        let mut poisoned = false;
        // those that are no literals first: literals follow them
        for literals in [false, true] {
            for value in values.iter().filter(|value| is_literal(value) == literals) {
                if is_blank_literal(value) || (value.ty.kind == Kind::Any && !value.ty.optional) {
                    continue;
                }
                if value.ty.kind == Kind::Any {
                    poisoned = true;
                    continue;
                }
                let Some(so_far) = common.take() else {
                    (common, from) = (Some(value.ty.clone()), Some(value.span));
                    continue;
                };
                let joined = join_types(&so_far, &value.ty, literals);
                if joined.is_none() {
                    self.not_one_type(value, &so_far, from);
                    poisoned = true;
                }
                common = joined.or(Some(so_far));
            }
        }
        if poisoned && self.quiet == 0 && common.is_none() {
            return (values, Ty::any());
        }
        let Some(common) = common else {
            // only blanks, or only outcomes
            return (values, if optional { Ty::any() } else { Ty::any().filled() });
        };
        let common = if optional { common.or_blank() } else { common.filled() };
        let values = values.into_iter().map(|value| self.follow(value, &common)).collect();
        (values, if poisoned { Ty::any() } else { common })
    }

    /// Tells a value of another type than the ones before it.
    fn not_one_type(&mut self, value: &Expr, so_far: &Ty, from: Option<Span>) {
        let title = format!("this is {}, the other way gives {}", say(&value.ty), say(so_far));
        let mut told = Diagnostic::new("F103", title, value.span);
        if let Some(first) = from {
            told = told.also(first, format!("this is {}", say(so_far)));
        }
        if let (Kind::Percent, Kind::Int | Kind::Decimal) = (&so_far.kind, &value.ty.kind) {
            told.code = "F110";
            told.help = self.text_of(value.span).map(|text| format!("`{text}%`, or `to_percent({text})`"));
        }
        self.say(told);
    }

    /// Turns a literal (or an int) into the kind of the others.
    fn follow(&mut self, value: Expr, common: &Ty) -> Expr {
        let literal = is_literal(&value);
        match (&common.kind, &value.ty.kind) {
            (Kind::Money, Kind::Int | Kind::Decimal) if literal => {
                let (span, ty) = (value.span, Ty::new(Kind::Money));
                expr(ExprKind::Convert(Box::new(value), Convert::ToMoney), ty, span)
            }
            (Kind::Decimal, Kind::Int) => {
                let (span, ty) = (value.span, Ty { kind: Kind::Decimal, ..value.ty.clone() });
                expr(ExprKind::Convert(Box::new(value), Convert::ToDecimal), ty, span)
            }
            _ if literal && common.codes.is_some() => {
                self.coerce(value, &Ty { max: None, ..common.clone() }, &Need::fine("this value"))
            }
            _ => value,
        }
    }
}

/// The type of which both are, if there is one. `literal`: the second one is a literal, which follows the first.
pub(super) fn join_types(a: &Ty, b: &Ty, literal: bool) -> Option<Ty> {
    let kind = match (&a.kind, &b.kind) {
        (Kind::Any, other) | (other, Kind::Any) => other.clone(),
        (x, y) if x == y => x.clone(),
        (Kind::OneOf(x), Kind::OneOf(y)) => {
            let mut words = x.to_vec();
            words.extend(y.iter().filter(|word| !x.contains(word)).cloned());
            Kind::OneOf(words.into())
        }
        // a literal text keeps the kind of the others, which is checked where it is used
        (Kind::Country | Kind::Currency | Kind::Email | Kind::Iban | Kind::VatNumber, Kind::OneOf(_)) if literal => {
            a.kind.clone()
        }
        _ if a.is_texty() && b.is_texty() => Kind::Text,
        (Kind::Int, Kind::Decimal) | (Kind::Decimal, Kind::Int) => Kind::Decimal,
        (Kind::Money, Kind::Int | Kind::Decimal) if literal => Kind::Money,
        (Kind::Record(x), Kind::Record(y)) if same_object(x, y) => a.kind.clone(),
        (Kind::List(x), Kind::List(y)) => {
            let mut of = join_types(x, y, literal)?;
            of.optional = (x.optional && x.kind != Kind::Any) || (y.optional && y.kind != Kind::Any);
            Kind::List(Box::new(of))
        }
        _ => return None,
    };
    let max = max_chars(a).zip(max_chars(b)).map(|(x, y)| x.max(y));
    let max = max.filter(|_| kind == Kind::Text);
    let codes = a.codes.clone().filter(|codes| literal || b.codes.as_ref() == Some(codes));
    let reference = a.reference.clone().filter(|reference| literal || b.reference.as_ref() == Some(reference));
    Some(Ty { kind, optional: a.optional || b.optional, max, codes, reference })
}

/// Are records of one shape?
pub(super) fn same_object(a: &Arc<Object>, b: &Arc<Object>) -> bool {
    Arc::ptr_eq(a, b) || if a.path.is_empty() { a == b } else { a.path == b.path }
}

/// How many characters a value of a type has at most, if that is known.
pub(super) fn max_chars(ty: &Ty) -> Option<u32> {
    let count = |word: &Arc<str>| u32::try_from(word.chars().count()).unwrap_or(u32::MAX);
    match &ty.kind {
        Kind::OneOf(words) => words.iter().map(count).max(),
        Kind::Country => Some(2),
        Kind::Currency | Kind::Bool => Some(3),
        Kind::Date => Some(10),
        Kind::Int => Some(20),
        _ if ty.max.is_some() => ty.max,
        _ => match &ty.codes {
            Some(codes) if !codes.open => codes.codes.iter().map(|code| count(&code.code)).max(),
            _ => None,
        },
    }
}

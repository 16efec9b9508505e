//! What an amount comes to where a condition holds.
//!
//! Takes a condition and an amount, gives the amount with the condition as a factor of one or zero. Promises that all
//! ways through add up to the whole: "not c" is the rest of "c", the last of some words is the rest of the others, and
//! an amount that is nothing at zero needs no case for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Adding, literal,
    poly::{Cond, Poly, Term},
    symbol::Env,
};
use crate::{
    check::typed::{Expr, ExprKind},
    schema::{Kind, Ty},
    syntax::tree::BinaryOp,
    value::{Compare, Decimal, Value},
};

impl<'e> Adding<'_, 'e> {
    /// The amount where a condition holds, else nothing.
    pub(super) fn restrict(&mut self, when: &'e Expr, amount: Poly, env: &Env<'e>) -> Poly {
        match &when.kind {
            ExprKind::Const(Value::Bool(yes)) => {
                if *yes {
                    amount
                } else {
                    Poly::default()
                }
            }
            ExprKind::Var(var) if self.conditions.contains_key(var) => match self.conditions.get(var).copied() {
                Some(condition) if self.steps() => self.restrict(condition, amount, env),
                _ => amount,
            },
            ExprKind::Not(inner) => {
                let holds = self.restrict(inner, amount.clone(), env);
                amount.minus(&holds)
            }
            ExprKind::Binary(BinaryOp::And, a, b) => {
                let inner = self.restrict(b, amount, env);
                self.restrict(a, inner, env)
            }
            ExprKind::Binary(BinaryOp::Or, a, b) => {
                let first = self.restrict(a, amount.clone(), env);
                let second = self.restrict(b, amount, env);
                let both = self.restrict(a, second.clone(), env);
                first.plus(&second, Decimal::ONE).minus(&both)
            }
            ExprKind::Binary(BinaryOp::IsNot, a, b) => {
                let equal = self.equal_to(a, b, amount.clone(), env);
                amount.minus(&equal)
            }
            ExprKind::Binary(BinaryOp::Is, a, b) => self.equal_to(a, b, amount, env),
            ExprKind::Binary(BinaryOp::In | BinaryOp::NotIn, a, list) if words(list) => {
                let mut inside = Poly::default();
                if let ExprKind::List(items) = &list.kind {
                    for item in items {
                        let own = self.equal_to(a, item, amount.clone(), env);
                        inside = inside.plus(&own, Decimal::ONE);
                    }
                }
                if matches!(when.kind, ExprKind::Binary(BinaryOp::In, ..)) { inside } else { amount.minus(&inside) }
            }
            ExprKind::Binary(BinaryOp::Compare(compare), a, b) if a.ty.is_number() && b.ty.is_number() => {
                let difference = self.number(a, env).minus(&self.number(b, env));
                self.compared(*compare, &difference, amount)
            }
            _ => {
                let condition = self.symbol(when, env);
                let subject = self.key(&condition);
                self.product(&amount, &Poly::cond(Cond { subject, word: None }))
            }
        }
    }

    /// The amount where a side of a comparison with zero holds.
    fn compared(&mut self, compare: Compare, difference: &Poly, amount: Poly) -> Poly {
        if let Some(number) = difference.as_number() {
            return if compare.holds(&Value::Decimal(number), &Value::Int(0)) { amount } else { Poly::default() };
        }
        let (unit, first) = difference.unit();
        let compare = match (compare, first.is_sign_negative()) {
            (compare, false) => compare,
            (Compare::Less, true) => Compare::Greater,
            (Compare::AtMost, true) => Compare::AtLeast,
            (Compare::Greater, true) => Compare::Less,
            (Compare::AtLeast, true) => Compare::AtMost,
        };
        let below = Poly::cond(Cond { subject: format!("{} < 0", unit.key()).into(), word: None });
        let below = self.product(&amount, &below);
        // an amount that is zero together with the difference needs no case of its own for it
        let zero = self.zero(&unit, &amount);
        match compare {
            Compare::Less => below,
            Compare::AtMost => below.plus(&zero, Decimal::ONE),
            Compare::AtLeast => amount.minus(&below),
            Compare::Greater => amount.minus(&below).minus(&zero),
        }
    }

    /// The amount where this other one is zero.
    fn zero(&mut self, other: &Poly, amount: &Poly) -> Poly {
        let mut groups: BTreeMap<&BTreeSet<Cond>, Poly> = BTreeMap::new();
        for (term, number) in &amount.0 {
            let plain = Term { factors: term.factors.clone(), ..Term::default() };
            groups.entry(&term.conds).or_default().add(plain, *number);
        }
        if groups.values().all(|group| group.share_of(other).is_some()) {
            return Poly::default();
        }
        self.product(amount, &Poly::cond(Cond { subject: format!("{} is 0", other.key()).into(), word: None }))
    }

    fn equal_to(&mut self, a: &'e Expr, b: &'e Expr, amount: Poly, env: &Env<'e>) -> Poly {
        let blank = |side: &Expr| matches!(&side.kind, ExprKind::Const(value) if value.is_blank());
        if a.ty.is_number() && b.ty.is_number() && !blank(a) && !blank(b) {
            let difference = self.number(a, env).minus(&self.number(b, env));
            return match difference.as_number() {
                Some(number) if number.is_zero() => amount,
                Some(_) => Poly::default(),
                None => self.zero(&difference.unit().0, &amount),
            };
        }
        let (subject, other) = (self.symbol(a, env), self.symbol(b, env));
        let (subject, other) = (self.key(&subject), self.key(&other));
        if subject == other {
            return amount;
        }
        match (&a.kind, &b.kind) {
            (ExprKind::Const(_), ExprKind::Const(_)) => Poly::default(),
            (_, ExprKind::Const(_)) => self.is_word(&subject, other, &a.ty, &amount),
            (ExprKind::Const(_), _) => self.is_word(&other, subject, &b.ty, &amount),
            _ => {
                let subject = format!("{subject} is {other}").into();
                self.product(&amount, &Poly::cond(Cond { subject, word: None }))
            }
        }
    }

    /// The amount where something is this word; it is the last of its words where it is none of the others.
    fn is_word(&mut self, subject: &Arc<str>, word: Arc<str>, ty: &Ty, amount: &Poly) -> Poly {
        let cond = |word: Arc<str>| Poly::cond(Cond { subject: subject.clone(), word: Some(word) });
        if let Kind::OneOf(words) = &ty.kind
            && !ty.optional
            && let Some((last, others)) = words.split_last()
            && *word == *literal(&Value::Text(last.clone()))
        {
            let mut rest = amount.clone();
            for other in others {
                let own = self.product(amount, &cond(literal(&Value::Text(other.clone()))));
                rest = rest.minus(&own);
            }
            return rest;
        }
        self.product(amount, &cond(word))
    }
}

/// Are these all written out?
fn words(list: &Expr) -> bool {
    matches!(&list.kind, ExprKind::List(items) if items.iter().all(|item| matches!(item.kind, ExprKind::Const(_))))
}

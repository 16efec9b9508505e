//! Operators: comparisons, arithmetic, `and`, `or`, `??`, the minus sign.

use std::sync::Arc;

use super::super::{
    checker::{Checker, expr},
    coerce::Need,
    facts,
    join::{is_blank_literal, is_literal},
    suggest,
    typed::{Convert, Expr, ExprKind},
    types::say,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Kind, Ty},
    syntax::tree::{self, BinaryOp},
    value::Value,
};

impl Checker<'_> {
    pub(super) fn binary(&mut self, op: BinaryOp, a: &tree::Expr, b: &tree::Expr, span: Span) -> Expr {
        match op {
            BinaryOp::And | BinaryOp::Or => {
                let a = self.condition(a);
                let known = if op == BinaryOp::And { facts::when_true(&a) } else { facts::when_false(&a) };
                let b = self.knowing(known, |checker| checker.condition(b));
                done(op, a, b, Ty::new(Kind::Bool), span)
            }
            BinaryOp::Default => {
                let values = vec![self.expr(a), self.expr(b)];
                let optional = values.get(1).is_some_and(|value| value.ty.optional);
                let (values, ty) = self.join(values);
                let mut values = values.into_iter();
                let (Some(a), Some(b)) = (values.next(), values.next()) else { return Self::poison(span) };
                let ty = if optional { ty.or_blank() } else { ty.filled() };
                done(op, a, b, ty, span)
            }
            // each of the two was meant to be compared with what stands between them
            _ if is_comparison(op) && self.is_chain(span) => {
                self.expr(a);
                self.expr(b);
                Self::poison(span)
            }
            BinaryOp::Is | BinaryOp::IsNot => {
                let (a, b) = (self.expr(a), self.expr(b));
                self.equality(op, a, b, span)
            }
            BinaryOp::In | BinaryOp::NotIn => {
                let (a, b) = (self.expr(a), self.expr(b));
                self.membership(op, a, b, span)
            }
            BinaryOp::Compare(_) => {
                let (a, b) = (self.expr(a), self.expr(b));
                self.order(op, a, b, span)
            }
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => {
                let (a, b) = (self.expr(a), self.expr(b));
                self.arithmetic(op, a, b, span)
            }
        }
    }

    /// Was it told that two comparisons stand in one another here?
    fn is_chain(&self, span: Span) -> bool {
        let inside = |at: Span| at.file == span.file && span.start <= at.start && at.end <= span.end;
        self.loaded
            .diagnostics
            .iter()
            .any(|told| told.code == "F009" && told.title.contains("chained") && inside(told.span()))
    }

    fn equality(&mut self, op: BinaryOp, a: Expr, b: Expr, span: Span) -> Expr {
        let bool = Ty::new(Kind::Bool);
        for (side, other) in [(&a, &b), (&b, &a)] {
            if matches!(&side.kind, ExprKind::Const(Value::Text(text)) if text.trim().is_empty()) {
                let word = if op == BinaryOp::Is { "is blank" } else { "is not blank" };
                let told = Diagnostic::new("F304", "an empty text is `blank`", side.span);
                let other = self.text_of(other.span).unwrap_or("…");
                let help = format!("{other} {word}");
                self.say(told.help(help).fix(side.span, "blank"));
                return Self::poison(span);
            }
        }
        if is_blank_literal(&a) || is_blank_literal(&b) {
            return done(op, a, b, bool, span);
        }
        let (a, b) = self.comparable(a, b);
        if op == BinaryOp::IsNot && !self.scope.searching {
            for (side, other) in [(&a, &b), (&b, &a)] {
                if side.ty.optional && side.ty.kind != Kind::Any && !other.ty.optional {
                    let named = self.named(side.span, "this");
                    let told = Diagnostic::new("F306", format!("a blank {named} counts as different here"), side.span);
                    let text = self.text_of(side.span).unwrap_or("x");
                    self.say(told.help(format!("if that is not meant:  {text} is not blank and …")));
                }
            }
        }
        done(op, a, b, bool, span)
    }

    /// Makes two sides comparable: literals take the kind of the other side.
    fn comparable(&mut self, a: Expr, b: Expr) -> (Expr, Expr) {
        if is_literal(&b) && !is_literal(&a) {
            let b = self.literal_like(b, &a);
            return (a, b);
        }
        if is_literal(&a) && !is_literal(&b) {
            let a = self.literal_like(a, &b);
            return (a, b);
        }
        if !comparable(&a.ty, &b.ty) {
            self.incomparable(&a, &b);
        }
        (a, b)
    }

    /// A literal as a value of the other side's kind; its length does not matter.
    fn literal_like(&mut self, literal: Expr, other: &Expr) -> Expr {
        let want = Ty { max: None, reference: None, ..other.ty.clone().filled() };
        match (&literal.ty.kind, &want.kind) {
            // a day beside a moment, a number beside a percentage: the comparison is at fault, not the literal
            (Kind::Date, Kind::DateTime) | (Kind::DateTime, Kind::Date) => {
                self.incomparable(&literal, other);
                literal
            }
            // numbers of any kind compare by their value
            (Kind::Decimal, Kind::Int) => literal,
            _ => {
                let what = self.named(other.span, "the other side");
                self.coerce(literal, &want, &Need::fine(&what))
            }
        }
    }

    fn incomparable(&mut self, a: &Expr, b: &Expr) {
        let days = [(a, b), (b, a)]
            .into_iter()
            .find(|(day, moment)| day.ty.kind == Kind::Date && moment.ty.kind == Kind::DateTime);
        let told = if let Some((_, moment)) = days {
            let text = self.text_of(moment.span).unwrap_or("x");
            Diagnostic::new("F502", "a day is compared with a moment", moment.span)
                .says("has a time")
                .help(format!("date({text})"))
        } else if let (Kind::OneOf(one), Kind::OneOf(other)) = (&a.ty.kind, &b.ty.kind) {
            let said = |words: &[Arc<str>]| {
                let which = if words.len() == 1 { "" } else { "one of " };
                format!("{which}{}", suggest::words(words.iter().map(|word| &**word), '"', 6))
            };
            let (one, other) = (said(one), said(other));
            Diagnostic::new("F103", format!("{one} is never {other}"), b.span).also(a.span, format!("this is {one}"))
        } else {
            let title = format!("{} is compared with {}", say(&a.ty), say(&b.ty));
            Diagnostic::new("F103", title, b.span).also(a.span, format!("this is {}", say(&a.ty)))
        };
        self.say(told);
    }

    fn membership(&mut self, op: BinaryOp, a: Expr, b: Expr, span: Span) -> Expr {
        let bool = Ty::new(Kind::Bool);
        let of = match &b.ty.kind {
            Kind::List(of) => (**of).clone(),
            Kind::Any => return done(op, a, b, bool, span),
            _ => {
                let title = format!("`in` looks in a list, and this is {}", say(&b.ty));
                let text = self.text_of(b.span).unwrap_or("…");
                self.say(Diagnostic::new("F103", title, b.span).help(format!("[{text}], or `is {text}`")));
                return Self::poison(span);
            }
        };
        let b = match b.kind {
            ExprKind::List(items) if items.iter().all(is_literal) => {
                let items = items.into_iter().map(|item| self.literal_like(item, &a)).collect();
                let ty = Ty::list(a.ty.clone().filled());
                expr(ExprKind::List(items), ty, b.span)
            }
            kind => {
                let b = expr(kind, b.ty, b.span);
                if !comparable(&a.ty, &of) {
                    self.incomparable(&a, &expr(ExprKind::Todo, of, b.span));
                }
                b
            }
        };
        done(op, a, b, bool, span)
    }

    fn order(&mut self, op: BinaryOp, a: Expr, b: Expr, span: Span) -> Expr {
        let (a, b) = self.comparable(a, b);
        for side in [&a, &b] {
            let ordered = side.ty.is_number()
                || side.ty.is_texty()
                || matches!(side.ty.kind, Kind::Date | Kind::DateTime | Kind::Duration | Kind::Any);
            if !ordered {
                let title = format!("{} has no order", say(&side.ty));
                self.say(
                    Diagnostic::new("F103", title, side.span).help("`<` and `>` compare numbers, dates and texts"),
                );
            } else if side.ty.optional
                && side.ty.kind != Kind::Any
                && !self.scope.searching
                && !(self.broken_here() && self.seems_guarded(side.span))
            {
                let named = self.named(side.span, "this");
                let text = self.text_of(side.span).unwrap_or("x");
                let told = Diagnostic::new(
                    "F302",
                    format!("{named} may be blank, and a blank is neither less nor more"),
                    side.span,
                );
                self.say(told.help(format!(
                    "{text} is not blank and …\nor a substitute:  ({text} ?? 0)\nor stop here:     {text}!"
                )));
            }
        }
        done(op, a, b, Ty::new(Kind::Bool), span)
    }

    fn arithmetic(&mut self, op: BinaryOp, a: Expr, b: Expr, span: Span) -> Expr {
        if a.ty.kind == Kind::Any || b.ty.kind == Kind::Any {
            return Self::poison(span);
        }
        let optional = a.ty.optional || b.ty.optional;
        let (a, b) = match (&a.ty.kind, &b.ty.kind) {
            (Kind::Money, Kind::Int | Kind::Decimal) if adds(op) && is_literal(&b) => (a, as_money(b)),
            (Kind::Int | Kind::Decimal, Kind::Money) if adds(op) && is_literal(&a) => (as_money(a), b),
            _ => (a, b),
        };
        let Some(kind) = result(op, &a.ty.kind, &b.ty.kind) else {
            let told = self.no_arithmetic(op, &a, &b, span);
            self.say(told);
            return Self::poison(span);
        };
        done(op, a, b, Ty { optional, ..Ty::new(kind) }, span)
    }

    fn no_arithmetic(&self, op: BinaryOp, a: &Expr, b: &Expr, span: Span) -> Diagnostic {
        let (x, y) = (self.text_of(a.span).unwrap_or("a"), self.text_of(b.span).unwrap_or("b"));
        let verb = match op {
            BinaryOp::Subtract => "taken off",
            BinaryOp::Multiply => "multiplied with",
            BinaryOp::Divide => "divided by",
            _ => "added to",
        };
        let title = match op {
            BinaryOp::Multiply | BinaryOp::Divide => format!("{} cannot be {verb} {}", say(&a.ty), say(&b.ty)),
            _ => format!("{} cannot be {verb} {}", say(&b.ty), say(&a.ty)),
        };
        let told = Diagnostic::new("F103", title, span);
        let help = match (&a.ty.kind, &b.ty.kind) {
            _ if a.ty.is_texty() && op == BinaryOp::Add => {
                let hole = |side: &Expr, text: &str| match &side.kind {
                    ExprKind::Const(Value::Text(text)) => text.to_string(),
                    _ => format!("{{{text}}}"),
                };
                format!("\"{}{}\"", hole(a, x), hole(b, y))
            }
            (Kind::Money, Kind::Percent) => {
                format!("{x} * (1 {} {y})", if op == BinaryOp::Add { '+' } else { '-' })
            }
            (Kind::Money, Kind::Int | Kind::Decimal) | (Kind::Int | Kind::Decimal, Kind::Money) => {
                "give the number a type where it is declared:  : money".to_owned()
            }
            (Kind::Date, Kind::Date) => format!("days_between({y}, {x})"),
            (Kind::Date, Kind::Int) => format!("add_days({x}, {}{y})", if op == BinaryOp::Subtract { "-" } else { "" }),
            _ => return told,
        };
        told.help(help)
    }

    pub(super) fn negate(&mut self, inner: &tree::Expr, span: Span) -> Expr {
        let inner = self.expr(inner);
        let ty = inner.ty.clone();
        if !ty.is_number() && ty.kind != Kind::Any {
            self.say(Diagnostic::new("F103", format!("{} has no negative", say(&ty)), span));
            return Self::poison(span);
        }
        // a literal keeps being one
        match inner.kind {
            ExprKind::Const(Value::Int(n)) => expr(ExprKind::Const(Value::Int(-n)), ty, span),
            ExprKind::Const(Value::Decimal(n)) => expr(ExprKind::Const(Value::Decimal(-n)), ty, span),
            _ => expr(ExprKind::Negate(Box::new(inner)), ty, span),
        }
    }
}

fn done(op: BinaryOp, a: Expr, b: Expr, ty: Ty, span: Span) -> Expr {
    expr(ExprKind::Binary(op, Box::new(a), Box::new(b)), ty, span)
}

fn adds(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Add | BinaryOp::Subtract)
}

fn as_money(literal: Expr) -> Expr {
    let span = literal.span;
    expr(ExprKind::Convert(Box::new(literal), Convert::ToMoney), Ty::new(Kind::Money), span)
}

/// Can values of these types be equal?
fn comparable(a: &Ty, b: &Ty) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::OneOf(x), Kind::OneOf(y) | Kind::Words(y)) | (Kind::Words(x), Kind::OneOf(y)) => {
            a.codes.is_some() || b.codes.is_some() || x.iter().any(|word| y.contains(word))
        }
        (Kind::Any, _) | (_, Kind::Any) | (Kind::Int | Kind::Decimal, Kind::Int | Kind::Decimal) => true,
        (Kind::Words(_) | Kind::Record(_) | Kind::List(_) | Kind::Pattern, _)
        | (_, Kind::Words(_) | Kind::Record(_) | Kind::List(_) | Kind::Pattern) => false,
        (x, y) => x == y || (a.is_texty() && b.is_texty()),
    }
}

/// The kind that arithmetic gives.
fn result(op: BinaryOp, a: &Kind, b: &Kind) -> Option<Kind> {
    use Kind::{Date, DateTime, Decimal, Duration, Int, Money, Percent};
    Some(match (op, a, b) {
        (BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply, Int, Int) => Int,
        (BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply, Percent, Percent) => Percent,
        (BinaryOp::Divide, Money, Money) | (_, Int | Decimal | Percent, Int | Decimal | Percent) => Decimal,
        (BinaryOp::Add | BinaryOp::Subtract, Money, Money)
        | (BinaryOp::Multiply | BinaryOp::Divide, Money, Int | Decimal | Percent)
        | (BinaryOp::Multiply, Int | Decimal | Percent, Money) => Money,
        (BinaryOp::Add | BinaryOp::Subtract, Date, Duration) => Date,
        (BinaryOp::Add | BinaryOp::Subtract, DateTime, Duration) => DateTime,
        _ => return None,
    })
}

fn is_comparison(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Is | BinaryOp::IsNot | BinaryOp::In | BinaryOp::NotIn | BinaryOp::Compare(_))
}

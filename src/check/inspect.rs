//! Looks through a typed expression: which places it names, whether it holds personal data, what it hangs on.

use super::{
    checker::Checker,
    typed::{Expr, ExprKind, Line, MessagePart, RecordExpr, Search, TextPart, VarId},
};
use crate::schema::{Kind, Object, Privacy};

/// Calls `see` for an expression and everything in it, from outside to inside.
pub(super) fn walk(expr: &Expr, see: &mut dyn FnMut(&Expr)) {
    see(expr);
    for part in parts(expr) {
        walk(part, see);
    }
    match &expr.kind {
        ExprKind::Rows { record, .. } | ExprKind::Record(record) => walk_record(record, see),
        ExprKind::Outcome(_, message) => {
            for part in &message.parts {
                if let MessagePart::Hole { value, .. } = part {
                    walk(value, see);
                }
            }
        }
        _ => {}
    }
}

/// The expressions directly within one; records and the holes of a reason are left out.
pub(super) fn parts<'e>(expr: &'e Expr) -> Vec<&'e Expr> {
    match &expr.kind {
        ExprKind::Const(_)
        | ExprKind::Pattern(_)
        | ExprKind::Var(_)
        | ExprKind::Setting(_)
        | ExprKind::Columns(_)
        | ExprKind::Record(_)
        | ExprKind::Outcome(..)
        | ExprKind::Today
        | ExprKind::Todo => Vec::new(),
        ExprKind::Field(inner, _)
        | ExprKind::Negate(inner)
        | ExprKind::Not(inner)
        | ExprKind::Must(inner, _)
        | ExprKind::Convert(inner, _) => vec![&**inner],
        ExprKind::Text(parts) => {
            let hole = |part: &'e TextPart| if let TextPart::Hole(hole) = part { Some(hole) } else { None };
            parts.iter().filter_map(hole).collect()
        }
        ExprKind::List(items)
        | ExprKind::Table(_, items)
        | ExprKind::Function(_, items)
        | ExprKind::Define(_, items) => items.iter().collect(),
        ExprKind::Comprehension { item, list, when, .. } => {
            [&**item, &**list].into_iter().chain(when.as_deref()).collect()
        }
        ExprKind::Rows { list, when, .. } => std::iter::once(&**list).chain(when.as_deref()).collect(),
        ExprKind::Binary(_, a, b) => vec![&**a, &**b],
        ExprKind::Choose(arms, last) => {
            arms.iter().flat_map(|(value, when)| [value, when]).chain(last.as_deref()).collect()
        }
        ExprKind::Exists(search) => search.condition.iter().collect(),
    }
}

/// The same for the condition of a search.
pub(super) fn walk_search(search: &Search, see: &mut dyn FnMut(&Expr)) {
    if let Some(condition) = &search.condition {
        walk(condition, see);
    }
}

fn walk_record(record: &RecordExpr, see: &mut dyn FnMut(&Expr)) {
    for line in &record.lines {
        walk_line(line, see);
    }
}

fn walk_line(line: &Line, see: &mut dyn FnMut(&Expr)) {
    match line {
        Line::Let(line) => walk(&line.value, see),
        Line::Find(find) => walk_search(&find.search, see),
        Line::Guard(guard) => {
            if let Some(when) = &guard.when {
                walk(when, see);
            }
        }
        Line::Ensure(_) => {}
        Line::Field(field) => walk(&field.value, see),
        Line::Object { when, lines, .. } => {
            if let Some(when) = when {
                walk(when, see);
            }
            for line in lines {
                walk_line(line, see);
            }
        }
        Line::Each { list, when, lines, .. } => {
            walk(list, see);
            if let Some(when) = when {
                walk(when, see);
            }
            for line in lines {
                walk_line(line, see);
            }
        }
    }
}

/// Does it name one of these places?
pub(super) fn mentions(expr: &Expr, wanted: &dyn Fn(VarId) -> bool) -> bool {
    let mut found = false;
    walk(expr, &mut |part| found |= matches!(part.kind, ExprKind::Var(var) if wanted(var)));
    found
}

/// Does a search name one of these places?
pub(super) fn search_mentions(search: &Search, wanted: &dyn Fn(VarId) -> bool) -> bool {
    search.condition.as_ref().is_some_and(|condition| mentions(condition, wanted))
}

/// Does it hang on settings and literals only?
pub(super) fn settings_only(expr: &Expr) -> bool {
    let mut only = true;
    walk(expr, &mut |part| {
        only &= !matches!(part.kind, ExprKind::Var(_) | ExprKind::Exists(_) | ExprKind::Today | ExprKind::Todo);
    });
    only
}

impl Checker<'_> {
    /// May its value hold personal data or free text? Codes that tables give, conditions and numbers do not.
    pub(super) fn private(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Var(var) => self.vars.get(var.0 as usize).is_some_and(|var| var.private),
            ExprKind::Field(base, name) => {
                let object = match &base.ty.kind {
                    Kind::Record(object) => Some(object),
                    Kind::List(of) => {
                        if let Kind::Record(object) = &of.kind {
                            Some(object)
                        } else {
                            None
                        }
                    }
                    _ => None,
                };
                let field = object.and_then(|object: &std::sync::Arc<Object>| object.field(name));
                field.is_some_and(|field| field.privacy != Privacy::Plain)
            }
            ExprKind::Text(parts) => {
                parts.iter().any(|part| matches!(part, TextPart::Hole(hole) if self.private(hole)))
            }
            ExprKind::List(items) => items.iter().any(|item| self.private(item)),
            ExprKind::Comprehension { item, .. } => self.private(item),
            ExprKind::Must(inner, _) | ExprKind::Convert(inner, _) | ExprKind::Negate(inner) => self.private(inner),
            ExprKind::Binary(_, a, b) => expr.ty.kind != Kind::Bool && (self.private(a) || self.private(b)),
            ExprKind::Choose(arms, last) => {
                arms.iter().any(|(value, _)| self.private(value)) || last.iter().any(|last| self.private(last))
            }
            ExprKind::Function(function, items) => {
                expr.ty.kind != Kind::Bool && function.name != "count" && items.iter().any(|item| self.private(item))
            }
            ExprKind::Define(id, items) => {
                expr.ty.kind != Kind::Bool
                    && (self.private_defines.contains(id) || items.iter().any(|item| self.private(item)))
            }
            ExprKind::Const(_)
            | ExprKind::Pattern(_)
            | ExprKind::Setting(_)
            | ExprKind::Rows { .. }
            | ExprKind::Record(_)
            | ExprKind::Not(_)
            | ExprKind::Outcome(..)
            | ExprKind::Exists(_)
            | ExprKind::Table(..)
            | ExprKind::Columns(_)
            | ExprKind::Today
            | ExprKind::Todo => false,
        }
    }
}

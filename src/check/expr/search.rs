//! `exists e where …` and the condition of every search: which forms a `where` may have.

use std::sync::Arc;

use super::super::{
    checker::{Checker, expr},
    entity::Target,
    inspect,
    typed::{Expr, ExprKind, Search, VarId},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Kind, Object, Ty},
    syntax::tree::{self, BinaryOp, Path},
};

impl Checker<'_> {
    pub(super) fn exists(&mut self, entity: &Path, condition: &tree::Expr, span: Span) -> Expr {
        let Some((target, object)) = self.readable(entity) else {
            self.orphan_condition(condition);
            return expr(ExprKind::Todo, Ty::any(), span);
        };
        let search = self.search(target, &object, Some(condition), span);
        self.too_early(&search);
        expr(ExprKind::Exists(Box::new(search)), Ty::new(Kind::Bool), span)
    }

    /// Looks at a condition whose entity is wrong, for the names in it: fields of the row are not judged.
    pub(in crate::check) fn orphan_condition(&mut self, condition: &tree::Expr) {
        self.silently(|checker| checker.expr(condition));
    }

    /// A search with its condition.
    pub(in crate::check) fn search(
        &mut self,
        target: Target,
        object: &Arc<Object>,
        condition: Option<&tree::Expr>,
        span: Span,
    ) -> Search {
        let row = self.var(&"row".into(), Ty::new(Kind::Record(object.clone())), span, false);
        let condition = condition.map(|condition| self.row_condition(row, object, condition));
        Search { name: target.name, entity: target.entity, row, condition, by: Vec::new(), span }
    }

    /// The condition on a row.
    pub(in crate::check) fn row_condition(&mut self, row: VarId, object: &Arc<Object>, condition: &tree::Expr) -> Expr {
        let outer = self.scope.row.replace((row, object.clone()));
        let searching = std::mem::replace(&mut self.scope.searching, true);
        let condition = self.condition(condition);
        self.scope.searching = searching;
        self.scope.row = outer;
        self.where_form(&condition, row);
        condition
    }

    /// A source can be asked for: fields of the row compared with values, joined by `and`, `or`, `not`.
    fn where_form(&mut self, condition: &Expr, row: VarId) {
        let of_row = |expr: &Expr| inspect::mentions(expr, &|var| var == row);
        if !of_row(condition) || condition.ty.kind == Kind::Any {
            return;
        }
        match &condition.kind {
            ExprKind::Binary(BinaryOp::And | BinaryOp::Or, a, b) => {
                self.where_form(a, row);
                self.where_form(b, row);
            }
            ExprKind::Not(inner) => self.where_form(inner, row),
            ExprKind::Field(..) if row_path(condition, row).is_some() => {}
            ExprKind::Binary(
                BinaryOp::Is | BinaryOp::IsNot | BinaryOp::In | BinaryOp::NotIn | BinaryOp::Compare(_),
                a,
                b,
            ) => {
                let (side, other) = if of_row(a) { (a, b) } else { (b, a) };
                if of_row(other) {
                    let told =
                        Diagnostic::new("F303", "two fields of the row are compared with each other", condition.span);
                    self.say(told.help("a search compares a field of the row with a value; judge the rest afterwards"));
                } else if row_path(side, row).is_none() {
                    self.not_searchable(side);
                }
            }
            _ => self.not_searchable(condition),
        }
    }

    fn not_searchable(&mut self, part: &Expr) {
        let told = Diagnostic::new("F303", "a search cannot work something out of the row first", part.span);
        self.say(told.help(
            "compare a field as it stands:  .Field is value\n\
             or work the value out above:   let value = …",
        ));
    }

    /// Tells a read that needs a key which a write of this stage still has to give (F115).
    pub(in crate::check) fn too_early(&mut self, search: &Search) {
        if self.pending.is_empty() {
            return;
        }
        let mut hit = None;
        inspect::walk_search(search, &mut |part| {
            if let ExprKind::Var(var) = part.kind
                && self.pending.contains(&var)
            {
                hit = hit.or(Some((var, part.span)));
            }
        });
        let Some((var, span)) = hit else { return };
        let written = self.vars.get(var.0 as usize).map(|var| var.span);
        let named = self.named(span, "this");
        let title = format!("{named} is known only once it is written, and all reads come before the first write");
        let mut told = Diagnostic::new("F115", title, span);
        if let Some(written) = written {
            told = told.also(written, "gives the key");
        }
        self.say(told.help("look it up afterwards:  after … { find … }\nor search by what you know already"));
    }
}

/// The path of a field of the row.
pub(in crate::check) fn row_path(expr: &Expr, row: VarId) -> Option<String> {
    match &expr.kind {
        ExprKind::Field(base, name) => match &base.kind {
            ExprKind::Var(var) if *var == row => Some(name.to_string()),
            _ => row_path(base, row).map(|path| format!("{path}.{name}")),
        },
        _ => None,
    }
}

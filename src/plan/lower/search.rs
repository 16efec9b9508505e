//! Searches: the condition taken apart into what a source can be asked and what its rows must satisfy besides.

use std::{collections::HashSet, sync::Arc};

use super::{Lowering, is_literal_blank};
use crate::{
    check::typed::{self, Convert, Expr, ExprKind, VarId},
    plan::{
        code::{Code, Definition, FindCode, Holds, Search},
        filter::{Operand, Template},
    },
    schema::Kind,
    syntax::tree::BinaryOp,
    value::{Compare, Filter, Value},
};

impl Lowering<'_> {
    /// A `find`: nothing to do until it is asked.
    pub(super) fn find_line(&mut self, find: &typed::Find) {
        let code = FindCode { search: self.search(&find.search), mode: find.mode };
        self.define(find.var, Definition::Find(Box::new(code)));
    }

    /// A search.
    pub(super) fn search(&mut self, search: &typed::Search) -> Search {
        let read = self.read(&search.name, &search.entity);
        let mut filters = Vec::new();
        let mut rest = None;
        for part in conjuncts(search.condition.as_ref()) {
            match self.template(part, search.row) {
                Some(template) => filters.push(template),
                None => rest = Some(self.and_rest(rest, part, search.row)),
            }
        }
        let filter = if filters.is_empty() { Template::All } else { Template::And(filters) };
        Search { read, row: search.row, filter, residual: rest, by: search.by.clone(), span: search.span }
    }

    /// The filter of the source with everything filled in, and what only a record can show.
    pub(in crate::plan) fn source_filter(&mut self, source: &typed::Source) -> Filter {
        let mut filters = Vec::new();
        let mut rest = None;
        for part in conjuncts(source.condition.as_ref()) {
            let template = self.template(part, source.var);
            match template.and_then(|template| template.fill(&mut self.machine()).ok()) {
                Some(Filter::All) => {}
                Some(filter) => filters.push(filter),
                None => rest = Some(self.and_rest(rest, part, source.var)),
            }
        }
        self.lowered.source_residual = rest;
        if filters.contains(&Filter::Never) {
            return Filter::Never;
        }
        match filters.len() {
            0 | 1 => filters.pop().unwrap_or(Filter::All),
            _ => Filter::And(filters),
        }
    }

    fn and_rest(&mut self, rest: Option<Code>, part: &Expr, row: VarId) -> Code {
        let outer = self.row.replace(row);
        let code = self.expr(part);
        self.row = outer;
        match rest {
            Some(rest) => Code::And(Box::new((rest, code))),
            None => code,
        }
    }

    /// A condition as a filter; none when no filter can say it.
    fn template(&mut self, expr: &Expr, row: VarId) -> Option<Template> {
        let known = match &expr.kind {
            ExprKind::Binary(BinaryOp::And, a, b) => {
                return Some(Template::And(vec![self.template(a, row)?, self.template(b, row)?]));
            }
            ExprKind::Binary(BinaryOp::Or, a, b) => {
                return Some(Template::Or(vec![self.template(a, row)?, self.template(b, row)?]));
            }
            ExprKind::Not(of) => return Some(negated(self.template(of, row)?)),
            ExprKind::Binary(BinaryOp::Is, a, b) => self.is_template(a, b, row),
            ExprKind::Binary(BinaryOp::IsNot, a, b) => self.is_template(a, b, row).map(negated),
            ExprKind::Binary(BinaryOp::In, a, b) => self.in_template(a, b, row),
            ExprKind::Binary(BinaryOp::NotIn, a, b) => self.in_template(a, b, row).map(negated),
            ExprKind::Binary(BinaryOp::Compare(compare), a, b) => match (path(a, row), path(b, row)) {
                (Some(path), None) => self.operand(b, row).map(|operand| Template::Compares(path, *compare, operand)),
                (None, Some(path)) => {
                    self.operand(a, row).map(|operand| Template::Compares(path, turned(*compare), operand))
                }
                _ => None,
            },
            ExprKind::Field(..) if expr.ty.kind == Kind::Bool => {
                path(expr, row).map(|path| Template::Is(path, Code::Const(Value::Bool(true)).into()))
            }
            _ => None,
        };
        known.or_else(|| self.operand(expr, row).map(|operand| Template::Test(operand.code)))
    }

    fn is_template(&mut self, a: &Expr, b: &Expr, row: VarId) -> Option<Template> {
        let (path, other) = match (path(a, row), path(b, row)) {
            (Some(path), None) => (path, b),
            (None, Some(path)) => (path, a),
            _ => return None,
        };
        if is_literal_blank(other) {
            return Some(Template::Blank(path));
        }
        // A word that is compared with a set of words has their type, and is asked for membership.
        let is_word = matches!(other.kind, ExprKind::Const(Value::Text(_)));
        if Holds::of(&other.ty) != Holds::Value && !is_word {
            return None;
        }
        self.operand(other, row).map(|operand| Template::Is(path, operand))
    }

    fn in_template(&mut self, a: &Expr, b: &Expr, row: VarId) -> Option<Template> {
        match (path(a, row), path(b, row)) {
            (Some(path), None) => self.operand(b, row).map(|operand| Template::In(path, operand)),
            // A word in the row's set of words: asked for membership, as `is` does it.
            (None, Some(path)) if Holds::of(&a.ty) == Holds::Value => {
                self.operand(a, row).map(|operand| Template::Is(path, operand))
            }
            _ => None,
        }
    }

    /// An expression without the row.
    fn operand(&mut self, expr: &Expr, row: VarId) -> Option<Operand> {
        let code = self.expr(expr);
        (!self.lowered.mentions(&code, &HashSet::from([row]))).then(|| code.into())
    }
}

/// The parts of a condition that must all hold.
fn conjuncts(condition: Option<&Expr>) -> Vec<&Expr> {
    let mut open: Vec<&Expr> = condition.into_iter().collect();
    let mut parts = Vec::new();
    while let Some(expr) = open.pop() {
        match &expr.kind {
            ExprKind::Binary(BinaryOp::And, a, b) => open.extend([&**b, &**a]),
            _ => parts.push(expr),
        }
    }
    parts
}

/// `A.b` of the searched row. A step through a list of records has no path: it would be its first element only.
fn path(expr: &Expr, row: VarId) -> Option<Arc<str>> {
    match &expr.kind {
        ExprKind::Field(of, name) => match &of.kind {
            ExprKind::Var(var) if *var == row => Some(name.clone()),
            ExprKind::Field(..) if Holds::of(&of.ty) == Holds::Record => {
                Some(format!("{}.{name}", path(of, row)?).into())
            }
            _ => None,
        },
        // A whole number is compared with decimals by its value.
        ExprKind::Convert(of, Convert::ToDecimal) => path(of, row),
        _ => None,
    }
}

fn negated(template: Template) -> Template {
    Template::Not(Box::new(template))
}

/// The same order seen from the other side.
fn turned(compare: Compare) -> Compare {
    match compare {
        Compare::Less => Compare::Greater,
        Compare::AtMost => Compare::AtLeast,
        Compare::Greater => Compare::Less,
        Compare::AtLeast => Compare::AtMost,
    }
}

//! `ensure`: its alternatives, what depends on the found row, and which searches tell the thing from others.

use std::{collections::HashSet, sync::Arc};

use super::{Limit, Lowering};
use crate::{
    check::typed::{self, Alternative, Expr, VarId},
    plan::{
        code::{AlternativeCode, Code, Definition, EnsureCode},
        watch::PointKind,
    },
    value::Value,
};

impl Lowering<'_> {
    /// An `ensure` with its number.
    pub(super) fn ensure(&mut self, ensure: &typed::Ensure) -> usize {
        let code = self.alternatives(ensure);
        let number = self.lowered.ensures.len();
        self.lowered.ensures.push(code);
        self.define(ensure.var, Definition::Ensure(number));
        number
    }

    fn alternatives(&mut self, ensure: &typed::Ensure) -> EnsureCode {
        self.declare(ensure.found);
        let mut alternatives = Vec::new();
        let mut names = Vec::new();
        let mut rows = Vec::new();
        let mut searches = Vec::new();
        let updates = ensure.alternatives.iter().any(|one| matches!(one, Alternative::UpdateFound(..)));
        for alternative in &ensure.alternatives {
            match alternative {
                Alternative::Take(value) => {
                    let code = self.expr(value);
                    let code = self.watch_take(value, code);
                    alternatives.push(AlternativeCode::Take(code));
                }
                Alternative::Find { search, first, gives } => {
                    let mut search = Box::new(self.search(search));
                    let what = || format!("find {}", search.read.name);
                    search.residual = self.watch(PointKind::Outcome, search.span, what, search.residual.take());
                    searches.push(search.row);
                    alternatives.push(AlternativeCode::Find { search, first: *first, gives: gives.clone() });
                }
                Alternative::UpdateFound(when, span) => {
                    if let Some(when) = self.known(when.as_ref()).condition() {
                        let when = self.watch(PointKind::Outcome, *span, || "update found".to_owned(), when);
                        alternatives.push(AlternativeCode::Update(when));
                    }
                }
                Alternative::Create(write) => {
                    let write = self.write(write, updates);
                    alternatives.extend(write.map(|write| AlternativeCode::Create(Box::new(write))));
                }
                Alternative::Guard { guard, of_found } => {
                    let guard = self.guard(guard);
                    alternatives.extend(guard.map(|guard| AlternativeCode::Guard(guard, *of_found)));
                }
                Alternative::Let(line) => {
                    self.let_line(line);
                    names.push(line.var);
                }
                Alternative::FindRow(find) => {
                    self.find_line(find);
                    names.push(find.var);
                    rows.push(find.var);
                    searches.push(find.search.row);
                }
                Alternative::Include(inner) => {
                    let inner = self.alternatives(inner);
                    self.declare(inner.var);
                    searches.extend(&inner.searches);
                    alternatives.push(AlternativeCode::Include(Box::new(inner)));
                }
            }
        }
        let found = HashSet::from([ensure.found]);
        names.retain(|name| self.lowered.mentions(&Code::Slot(*name), &found));
        rows.push(ensure.found);
        self.mark_identifying(&mut alternatives, &rows.into_iter().collect());
        let limit = ensure.max.map(|max| Limit { max, what: format!("`{}`", ensure.name).into(), span: ensure.span });
        EnsureCode {
            var: ensure.var,
            name: ensure.name.clone(),
            depth: self.depth,
            found: ensure.found,
            family: family(&alternatives),
            alternatives,
            of_found: names,
            searches,
            limit,
        }
    }

    /// What is taken counts as reached when there is something to take: so its value is asked twice, once for that.
    fn watch_take(&mut self, value: &Expr, code: Code) -> Code {
        if self.points.is_none() {
            return code;
        }
        let blank = Code::Is(Box::new((code, Code::Const(Value::Blank))));
        let filled = Code::Not(Box::new(blank));
        match self.watch(PointKind::Outcome, value.span, || "take".to_owned(), Some(filled)) {
            Some(taken) => Code::Choose(vec![(taken, self.expr(value))], None, false),
            None => self.expr(value),
        }
    }

    /// A value that comes from another row of the same ensure tells nothing of what is searched: it may appear at
    /// any time, and the thing is still the same.
    fn mark_identifying(&self, alternatives: &mut [AlternativeCode], rows: &HashSet<VarId>) {
        for alternative in alternatives {
            match alternative {
                AlternativeCode::Find { search, .. } => search.filter.each_operand(&mut |operand| {
                    operand.identifies &= !self.lowered.mentions(&operand.code, rows);
                }),
                AlternativeCode::Include(inner) => self.mark_identifying(&mut inner.alternatives, rows),
                AlternativeCode::Take(_)
                | AlternativeCode::Update(_)
                | AlternativeCode::Create(_)
                | AlternativeCode::Guard(..) => {}
            }
        }
    }
}

/// Role and family of the first create; of the first find where nothing is created.
fn family(alternatives: &[AlternativeCode]) -> (Arc<str>, Arc<str>) {
    let created = alternatives.iter().find_map(|alternative| match alternative {
        AlternativeCode::Create(write) => write.targets.first().map(|target| {
            let family = target.entity.write.as_ref().and_then(|write| write.family.as_ref());
            (target.name.role.clone(), family.map_or(&target.name.entity, |(family, _)| family).clone())
        }),
        AlternativeCode::Include(inner) => Some(inner.family.clone()),
        _ => None,
    });
    let found = || {
        alternatives.iter().find_map(|alternative| match alternative {
            AlternativeCode::Find { search, .. } => {
                Some((search.read.name.role.clone(), search.read.name.entity.clone()))
            }
            _ => None,
        })
    };
    created.or_else(found).unwrap_or_default()
}

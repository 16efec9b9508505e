//! What is read: the source of a flow and rows that are looked up (F303, F307, F308, F309).

use std::sync::Arc;

use super::{
    checker::Checker,
    entity::inner,
    expr::{dotted, row_path},
    inspect,
    typed::{Expr, ExprKind, Find, Search, Since, Source},
    types::say,
};
use crate::{
    diagnostic::Diagnostic,
    schema::{Field, Kind, Object, Ty},
    syntax::tree::{self, BinaryOp, FindMode, Path, SortKey},
    value::Value,
};

impl Checker<'_> {
    /// `read x from e { … }`
    pub(super) fn source(&mut self, read: &tree::Read) -> Option<Source> {
        if read.key.is_empty() && !self.broken_here() {
            let told =
                Diagnostic::new("F309", "the source has no key: koppel must know which record is which", read.head);
            self.say(told.help("name the field that tells records apart, for example  key .id"));
        }
        let Some((target, object)) = self.readable(&read.entity) else {
            read.wheres.iter().for_each(|line| self.orphan_condition(line));
            self.lost_name(&read.name);
            return None;
        };
        let var = self.var(&read.name.text, Ty::new(Kind::Record(object.clone())), read.name.span, false);
        let mut condition: Option<Expr> = None;
        for line in &read.wheres {
            let more = self.row_condition(var, &object, line);
            condition = Some(match condition {
                None => more,
                Some(so_far) => {
                    let span = so_far.span.to(more.span);
                    let kind = ExprKind::Binary(BinaryOp::And, Box::new(so_far), Box::new(more));
                    super::checker::expr(kind, Ty::new(Kind::Bool), span)
                }
            });
        }
        let since = self.since(read.since.as_ref(), &object);
        let mark = read.since.as_ref().and_then(|since| since.field.as_ref());
        if let (Some(mark), Some(condition)) = (mark, &condition) {
            self.since_misses(mark, var, condition, &target.entity, &object);
        }
        let key: Vec<Arc<str>> = read.key.iter().filter_map(|key| self.key(key, &object)).collect();
        self.bind(&read.name, var);
        Some(Source { var, name: target.name, entity: target.entity, condition, since, key, span: read.head })
    }

    fn since(&mut self, since: Option<&tree::Since>, object: &Arc<Object>) -> Since {
        let Some((since, path)) = since.and_then(|since| Some((since, since.field.as_ref()?))) else {
            return Since::Change;
        };
        if let Some(ty) = self.field_at(path, object).map(|field| field.ty.clone())
            && !matches!(ty.kind, Kind::Date | Kind::DateTime | Kind::Any)
        {
            let title = format!("`.{}` is {}, a mark is a date", dotted(path), say(&ty));
            self.say(Diagnostic::new("F103", title, path.span).help("since change"));
        }
        Since::Field { path: dotted(path).into(), overlap: since.overlap.unwrap_or(0) }
    }

    fn key(&mut self, key: &tree::Expr, object: &Arc<Object>) -> Option<Arc<str>> {
        let tree::ExprKind::Dot(path) = &key.kind else {
            self.say(Diagnostic::new("F309", "a key is a field of the record", key.span).help("key .id"));
            return None;
        };
        let ty = self.field_at(path, object)?.ty.clone();
        if matches!(ty.kind, Kind::List(_) | Kind::Record(_) | Kind::Words(_)) {
            let title = format!("`.{}` is {}, it cannot be a key", dotted(path), say(&ty));
            self.say(Diagnostic::new("F309", title, path.span));
        }
        Some(dotted(path).into())
    }

    /// The type of a field of the row; tells an unknown one.
    /// The field at a path of a row.
    pub(super) fn field_at(&mut self, path: &Path, object: &Arc<Object>) -> Option<Arc<Field>> {
        let mut object = object.clone();
        let mut found = None;
        for (place, name) in path.names.iter().enumerate() {
            let Some(field) = object.field(&name.text).cloned() else {
                let told = self.unknown_field(name, &object);
                self.say(told);
                return None;
            };
            if let Some(next) = inner(&field.ty) {
                object = next;
            } else if place + 1 < path.names.len() {
                let title = format!("`{}` is a plain field, nothing is in it", name.text);
                self.say(Diagnostic::new("F103", title, name.span));
                return None;
            }
            found = Some(field);
        }
        found
    }

    /// Is a part of this file unreadable? Then what seems to be missing may stand there.
    pub(super) fn broken_here(&self) -> bool {
        self.here().is_some_and(|unit| unit.tree.broken)
    }

    /// `find [first|all] x in e where … by …`
    pub(super) fn find(&mut self, find: &tree::Find) -> Option<Find> {
        self.declare(&find.name, "");
        let Some((target, object)) = self.readable(&find.entity) else {
            find.condition.iter().for_each(|condition| self.orphan_condition(condition));
            self.lost_name(&find.name);
            return None;
        };
        let single = target.entity.read.as_ref().is_some_and(|facts| facts.single);
        if find.condition.is_none() && !single {
            let title = format!("this would read all of {}", target.entity.name);
            let told = Diagnostic::new("F308", title, find.entity.span);
            self.say(told.help(format!("say which rows:  find … in {} where .… is …", target.name)));
        }
        let mut search = self.search(target, &object, find.condition.as_ref(), find.span);
        self.too_early(&search);
        search.by = self.order_by(&find.by, &object);
        if find.mode == FindMode::First {
            self.total_order(&search, find.span);
        }
        let row = Ty::new(Kind::Record(object));
        let ty = if find.mode == FindMode::All { Ty::list(row) } else { row.or_blank() };
        let var = self.var(&find.name.text, ty, find.name.span, false);
        if inspect::search_mentions(&search, &|var| self.of_found.contains(&var)) {
            self.of_found.insert(var);
        }
        if inspect::search_mentions(&search, &|var| self.pending.contains(&var)) {
            self.pending.insert(var);
        }
        self.bind(&find.name, var);
        Some(Find { var, search, mode: find.mode })
    }

    /// `by .A, -.B`
    pub(super) fn order_by(&mut self, by: &[SortKey], object: &Arc<Object>) -> Vec<(Arc<str>, bool)> {
        let mut keys = Vec::new();
        for key in by {
            if self.field_at(&key.path, object).is_some() {
                keys.push((dotted(&key.path).into(), key.descending));
            }
        }
        keys
    }

    /// Warns when two rows could both be the first: the order and what the `where` fixes must hold a key.
    pub(super) fn total_order(&mut self, search: &Search, span: crate::diagnostic::Span) {
        let Some(facts) = &search.entity.read else { return };
        let mut fixed: Vec<String> = search.by.iter().map(|(path, _)| path.to_string()).collect();
        if let Some(condition) = &search.condition {
            fixed_by(condition, search, &mut fixed);
        }
        let total = facts.keys.iter().any(|key| key.iter().all(|field| fixed.iter().any(|own| **own == **field)));
        if total {
            return;
        }
        let title = if search.by.is_empty() {
            "which row is the first? `find first` needs an order"
        } else {
            "two rows can be equal in this order, so the first one is not sure"
        };
        let mut told = Diagnostic::new("F307", title, span);
        if let Some(key) = facts.keys.first() {
            let own = key.iter().map(|field| format!(".{field}")).collect::<Vec<_>>().join(", ");
            told = told.help(if search.by.is_empty() { format!("by {own}") } else { format!("by …, {own}") });
        }
        self.say(told);
    }
}

/// The fields of the row that a condition fixes to one value.
fn fixed_by(condition: &Expr, search: &Search, into: &mut Vec<String>) {
    match &condition.kind {
        ExprKind::Binary(BinaryOp::And, a, b) => {
            fixed_by(a, search, into);
            fixed_by(b, search, into);
        }
        ExprKind::Binary(BinaryOp::Is, a, b) => {
            let blank = [a, b].iter().any(|side| matches!(side.kind, ExprKind::Const(Value::Blank)));
            into.extend([a, b].into_iter().filter(|_| !blank).filter_map(|side| row_path(side, search.row)));
        }
        _ => {}
    }
}

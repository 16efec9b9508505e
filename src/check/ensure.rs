//! `ensure`: the first alternative that applies gives the value; every way ends in a value or an outcome.

use std::sync::Arc;

use super::{
    checker::{Bound, Checker, expr},
    coerce::Need,
    facts::{Fact, Root},
    inspect,
    lookup::Found,
    typed::{Alternative, Ensure, Expr, ExprKind, Guard, MessagePart, VarId},
    write::{Key, Updating},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Kind, Object, Ty},
    syntax::tree::{self, FindGives, Include},
    value::Verdict,
};

/// What is being built.
struct Ways<'w> {
    name: &'w str,
    ty: Ty,
    alternatives: Vec<Alternative>,
    /// Does some line end it on every way?
    ends: bool,
    /// Its `update found`.
    updates: Option<Span>,
    /// Do all its creates set their key themselves?
    key: Key,
    /// What its finds look in.
    looks_in: Option<(Arc<Object>, Span)>,
}

impl Checker<'_> {
    /// An `ensure` of a stage or a body; its name is in sight below it.
    pub(super) fn ensure(&mut self, tree: &tree::Ensure) -> Ensure {
        let ty = self.ty(&tree.ty);
        let (ensure, key) = self.alternatives(tree, ty);
        self.bind(&tree.name, ensure.var);
        if key == Key::Answer {
            self.pending.insert(ensure.var);
        }
        ensure
    }

    /// Checks an `ensure` with parameters at its declaration.
    pub(super) fn ensure_part(&mut self, tree: &tree::Ensure) {
        let names = std::mem::take(&mut self.write_names);
        let pending = std::mem::take(&mut self.pending);
        self.including.push((self.unit, tree.name.text.clone()));
        self.within(self.unit, format!("`ensure {}`", tree.name.text), |checker| {
            checker.params(tree.params.as_deref().unwrap_or(&[]));
            let ty = checker.ty(&tree.ty);
            checker.alternatives(tree, ty);
            checker.tell_lacking();
        });
        self.including.pop();
        self.write_names = names;
        self.pending = pending;
    }

    fn alternatives(&mut self, tree: &tree::Ensure, ty: Ty) -> (Ensure, Key) {
        self.ensuring.push(tree.name.text.clone());
        let of_found = std::mem::take(&mut self.of_found);
        let found = self.var(&"found".into(), Ty::any(), tree.head, false);
        self.of_found.insert(found);
        let name = &*tree.name.text;
        let updates = tree.alternatives.iter().find_map(|one| match one {
            tree::Alternative::UpdateFound(_, span) => Some(*span),
            _ => None,
        });
        let (alternatives, looks_in) = (Vec::new(), None);
        let mut ways = Ways { name, ty: ty.clone(), alternatives, ends: false, key: Key::Own, looks_in, updates };
        self.block(|checker| {
            if let Some(object) = checker.looked_in(tree) {
                // its lines run only after a find that gave a row, so there it is never blank
                if let Some(var) = checker.vars.get_mut(found.0 as usize) {
                    var.ty = Ty::new(Kind::Record(object));
                }
            }
            // a find that could not be read is missing in the tree
            let finds = tree.alternatives.iter().any(|one| matches!(one, tree::Alternative::Find(_)));
            if (finds || checker.broken_here())
                && let Some(frame) = checker.scope.frames.last_mut()
            {
                frame.push(("found".into(), Bound { var: found, span: tree.head }));
            }
            for one in &tree.alternatives {
                checker.alternative(one, &mut ways);
            }
        });
        self.of_found = of_found;
        self.ensuring.pop();
        if !ways.ends && !self.broken_here() {
            let title = format!("`{name}` may end without a value");
            let told = Diagnostic::new("F301", title, tree.head).says("no line of it applies on every way");
            self.say(told.help("close the list:  hold because \"…\""));
        }
        let max = ty.max.filter(|_| ty.is_texty());
        let var = self.var(&tree.name.text, ty, tree.name.span, false);
        let ensure =
            Ensure { var, name: tree.name.text.clone(), found, alternatives: ways.alternatives, max, span: tree.head };
        (ensure, ways.key)
    }

    /// What the finds of an ensure look in, without telling.
    fn looked_in(&mut self, tree: &tree::Ensure) -> Option<Arc<Object>> {
        let find = tree.alternatives.iter().find_map(|one| match one {
            tree::Alternative::Find(find) => Some(find),
            _ => None,
        })?;
        self.silently(|checker| checker.readable(&find.entity)).map(|(_, object)| object)
    }

    fn alternative(&mut self, tree: &tree::Alternative, ways: &mut Ways<'_>) {
        let what = format!("`{}`", ways.name);
        match tree {
            tree::Alternative::Take(value, _) => {
                let value = self.expr(value);
                let value = self.coerce(value, &ways.ty, &Need::fine(&what));
                ways.ends |= !value.ty.optional;
                ways.alternatives.push(Alternative::Take(value));
            }
            tree::Alternative::Find(find) => self.find_gives(find, ways, &what),
            tree::Alternative::UpdateFound(when, span) => {
                let when = when.as_ref().map(|when| self.condition(when));
                ways.alternatives.push(Alternative::UpdateFound(when, *span));
            }
            tree::Alternative::Write(write) => {
                let found = ways.looks_in.as_ref().map(|(object, _)| object.path.clone());
                self.updating = ways.updates.map(|span| Updating { span, found });
                let (typed, key) = self.write(write);
                if key == Key::Answer {
                    ways.key = key;
                }
                ways.ends |= write.targets.last().is_none_or(|target| target.when.is_none());
                if let Some(typed) = typed {
                    self.hangs_on_blank(ways.name, &ways.alternatives, &typed);
                    let key = expr(ExprKind::Var(typed.var), self.var_type(typed.var), write.head);
                    let key = Expr { ty: Ty { max: None, ..key.ty }, ..key };
                    self.coerce(key, &Ty { max: None, ..ways.ty.clone() }, &Need::fine(&what));
                    ways.alternatives.push(Alternative::Create(typed));
                }
            }
            tree::Alternative::Guard(guard) => self.ensure_guard(guard, ways),
            tree::Alternative::Include(include) => self.include_part(include, ways, &what),
            tree::Alternative::Let(line) => {
                self.declare(&line.name, "");
                let line = self.let_line(line);
                ways.alternatives.push(Alternative::Let(line));
            }
            tree::Alternative::FindRow(find) => {
                if let Some(find) = self.find(find) {
                    ways.alternatives.push(Alternative::FindRow(find));
                }
            }
        }
    }

    /// A guard; what one that names `found` rules out is known of `found` only.
    fn ensure_guard(&mut self, tree: &tree::Guard, ways: &mut Ways<'_>) {
        let known = self.scope.known.len();
        let guard = self.guard(tree);
        let of_found = self.guard_of_found(&guard);
        if of_found {
            let fresh = self.scope.known.split_off(known.min(self.scope.known.len()));
            let about_found = |fact: &Fact| matches!(fact.place.root, Root::Var(var) if self.of_found.contains(&var));
            let kept: Vec<Fact> = fresh.into_iter().filter(about_found).collect();
            self.scope.known.extend(kept);
        }
        ways.ends |= guard.when.is_none() && guard.verdict != Verdict::Warn && !of_found;
        ways.alternatives.push(Alternative::Guard { guard, of_found });
    }

    fn guard_of_found(&self, guard: &Guard) -> bool {
        let wanted = |var: VarId| self.of_found.contains(&var);
        let hole =
            |part: &MessagePart| matches!(part, MessagePart::Hole { value, .. } if inspect::mentions(value, &wanted));
        guard.when.as_ref().is_some_and(|when| inspect::mentions(when, &wanted)) || guard.message.parts.iter().any(hole)
    }

    /// `find e where … gives .K`
    fn find_gives(&mut self, find: &FindGives, ways: &mut Ways<'_>, what: &str) {
        let Some((target, object)) = self.readable(&find.entity) else {
            self.orphan_condition(&find.condition);
            return;
        };
        match &ways.looks_in {
            None => ways.looks_in = Some((object.clone(), find.entity.span)),
            Some((first, span)) if first.path != object.path => {
                let told = Diagnostic::new("F303", "all searches of one `ensure` look in one entity", find.entity.span)
                    .also(*span, "the first one looks here");
                self.say(told.help("look the other row up first:  find row in …\nand search by its key here"));
            }
            Some(_) => {}
        }
        let mut search = self.search(target, &object, Some(&find.condition), find.span);
        self.too_early(&search);
        search.by = self.order_by(&find.by, &object);
        if find.first {
            self.total_order(&search, find.span);
        }
        let row = expr(ExprKind::Var(search.row), Ty::new(Kind::Record(object)), find.gives.span);
        let key = self.steps(row, &find.gives.names);
        let key = self.coerce(key, &ways.ty, &Need::fine(what));
        if key.ty.kind != Kind::Any {
            let gives = super::expr::dotted(&find.gives).into();
            ways.alternatives.push(Alternative::Find { search, first: find.first, gives });
        }
    }

    /// `include f(x)` in an `ensure`: another ensure, written out.
    fn include_part(&mut self, include: &Include, ways: &mut Ways<'_>, what: &str) {
        let call = &include.call;
        let (key, part) = match self.lookup_declared(&call.name.text) {
            Found::Part(key, part) => (key, part),
            other => {
                // whatever it is, it was meant to end this list
                ways.ends = true;
                return self.no_block(call, &other, false);
            }
        };
        ways.ends = true;
        let params = part.params.as_deref().unwrap_or(&[]);
        let Some(lets) = self.bind_arguments(call, key.0, params) else { return };
        if self.including.contains(&key) {
            return self.circle(&key, call);
        }
        self.including.push(key.clone());
        let (mut ensure, answer) = self.within(key.0, format!("`ensure {}`", key.1), |checker| {
            checker.silently(|checker| {
                checker.put_params(params, &lets);
                let ty = checker.ty(&part.ty);
                checker.alternatives(part, ty)
            })
        });
        self.including.pop();
        if answer == Key::Answer {
            ways.key = answer;
        }
        let value = expr(ExprKind::Var(ensure.var), self.var_type(ensure.var), call.span);
        self.coerce(value, &ways.ty, &Need::fine(what));
        let params = lets.into_iter().map(|(line, _)| Alternative::Let(line));
        ensure.alternatives.splice(0..0, params);
        ways.alternatives.push(Alternative::Include(Box::new(ensure)));
    }
}

//! Statements: `let`, guards, loops over writes, the second stage.

use std::sync::Arc;

use super::{
    checker::Checker,
    coerce::Need,
    facts, inspect,
    typed::{After, Alternative, Each, Ensure, Guard, Let, MessagePart, Stmt, VarId},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Kind, Ty},
    syntax::tree::{self, LetValue, Statement},
    value::Verdict,
};

impl Checker<'_> {
    /// A statement of a stage or of an `each`; none after a mistake.
    pub(super) fn statement(&mut self, statement: &Statement) -> Option<Stmt> {
        Some(match statement {
            Statement::Let(line) => {
                self.declare(&line.name, "");
                Stmt::Let(self.let_line(line))
            }
            Statement::Find(find) => Stmt::Find(self.find(find)?),
            Statement::Guard(guard) => Stmt::Guard(self.guard(guard)),
            Statement::Ensure(ensure) => {
                if ensure.params.is_some() {
                    let told = Diagnostic::new(
                        "F006",
                        "an `ensure` with parameters stands at the start of a line",
                        ensure.head,
                    );
                    self.say(told.help("move it out of this block, and write  include here"));
                    return None;
                }
                let ensure = self.ensure(ensure);
                self.tell_lacking();
                Stmt::Ensure(ensure)
            }
            Statement::Write(write) => {
                let (typed, _) = self.write(write);
                self.tell_lacking();
                Stmt::Write(typed?)
            }
            Statement::Each(each) => Stmt::Each(self.each(each)),
        })
    }

    /// `let x: type = …`
    pub(super) fn let_line(&mut self, line: &tree::Let) -> Let {
        let value = match &line.value {
            LetValue::Expr(value) => self.expr(value),
            LetValue::Rows(rows) => self.rows(rows),
        };
        let (mut value, mut max, mut ty) = (value.clone(), None, value.ty.clone());
        if let Some(written) = &line.ty {
            ty = self.ty(written);
            max = Self::to_measure(&value, &ty);
            let what = format!("`{}`", line.name.text);
            value = self.coerce(value, &ty, &Need { blank: ty.optional, ..Need::fine(&what) });
        }
        let private = self.private(&value);
        let var = self.var(&line.name.text, ty, line.name.span, private);
        if inspect::mentions(&value, &|var| self.pending.contains(&var)) {
            self.pending.insert(var);
        }
        if inspect::mentions(&value, &|var| self.of_found.contains(&var)) {
            self.of_found.insert(var);
        }
        self.bind(&line.name, var);
        Let { var, value, max, span: line.span }
    }

    /// `skip when … because "…"`: below it the condition does not hold.
    pub(super) fn guard(&mut self, guard: &tree::Guard) -> Guard {
        let when = guard.when.as_ref().map(|when| self.condition(when));
        let known = when.iter().flat_map(facts::when_true).collect();
        let message = self.knowing(known, |checker| checker.message(&guard.because, guard.span));
        if guard.verdict != Verdict::Warn {
            self.scope.known.extend(when.iter().flat_map(facts::when_false));
        }
        let fixed = message.parts.iter().all(|part| match part {
            MessagePart::Chars(_) => true,
            MessagePart::Hole { value, .. } => inspect::settings_only(value),
        });
        let settings_only = fixed && when.as_ref().is_some_and(inspect::settings_only);
        Guard { verdict: guard.verdict, when, message, settings_only }
    }

    /// `each x in list when … { statements }`
    fn each(&mut self, each: &tree::Each) -> Each {
        let (list, of) = self.looped(&each.list);
        self.block(|checker| {
            let var = checker.loop_name(&each.name, of, false);
            let when = each.when.as_ref().map(|when| checker.condition(when));
            checker.scope.known.extend(when.iter().flat_map(facts::when_true));
            let body = each.body.iter().filter_map(|statement| checker.statement(statement)).collect();
            Each { var, list, when, body }
        })
    }

    /// `after x { … }`: a stage of its own; the key of its write is known there. An `ensure` stands for its create.
    /// The write may be one of an earlier stage.
    pub(super) fn after(&mut self, after: &tree::After, body: &[Stmt], earlier: &[After]) -> Option<After> {
        let mut write = false;
        let mut behind: Arc<str> = "".into();
        let mut staged = None;
        if let Some(bound) = self.bound(&after.name.text) {
            self.used.insert(bound.span);
            let own = body.iter().find(|stmt| match stmt {
                Stmt::Write(write) => write.var == bound.var,
                Stmt::Ensure(ensure) => ensure.var == bound.var,
                _ => false,
            });
            write = own.is_some_and(|stmt| !matches!(stmt, Stmt::Ensure(ensure) if !makes(ensure)));
            if !write && self.var_type(bound.var).kind != Kind::Any {
                let title = match own {
                    Some(_) => format!("`{}` makes nothing, so nothing comes after it", after.name.text),
                    None => format!("`{}` is no write of this flow", after.name.text),
                };
                let help = "after the name of a `create`, or of an `ensure` with a `create` in it";
                self.say(Diagnostic::new("F103", title, after.name.span).help(help));
            }
        } else if let Some((stage, var)) = self.staged(&after.name, earlier) {
            behind = stage;
            write = true;
            staged = Some(var);
        } else {
            self.unknown_name(&after.name);
        }
        let pending = std::mem::take(&mut self.pending);
        // what stands behind one write is one stage, also in two blocks
        let own = self.stage_names.remove(&after.name.text).unwrap_or_default();
        let names = std::mem::replace(&mut self.write_names, own);
        let (when, body) = self.block(|checker| {
            if let Some(var) = staged {
                checker.bind(&after.name, var);
            }
            let when = after.when.as_ref().map(|when| checker.condition(when));
            checker.scope.known.extend(when.iter().flat_map(facts::when_true));
            let body = after.body.iter().filter_map(|statement| checker.statement(statement)).collect();
            (when, body)
        });
        self.pending = pending;
        let own = std::mem::replace(&mut self.write_names, names);
        self.stage_names.insert(after.name.text.clone(), own);
        let span = Span { end: after.name.span.end, ..after.span };
        write.then(|| After { name: after.name.text.clone(), behind, when, body, span })
    }

    /// A write of this name in an earlier stage: the stage, and the place of its key.
    fn staged(&mut self, name: &tree::Name, earlier: &[After]) -> Option<(Arc<str>, VarId)> {
        let found = earlier.iter().find_map(|stage| {
            let vars = stage.body.iter().filter_map(|stmt| match stmt {
                Stmt::Write(write) if write.named => Some(write.var),
                Stmt::Ensure(ensure) if makes(ensure) => Some(ensure.var),
                _ => None,
            });
            let named = |var: &VarId| self.vars.get(var.0 as usize).is_some_and(|own| own.name == name.text);
            vars.into_iter().find(named).map(|var| (stage.name.clone(), var))
        });
        let (stage, var) = found?;
        let span = self.vars.get(var.0 as usize).map(|own| own.span);
        self.used.extend(span);
        Some((stage, var))
    }

    /// A poisoned place under a name, so that nothing below it is told.
    pub(super) fn lost_name(&mut self, name: &tree::Name) {
        let var = self.var(&name.text, Ty::any(), name.span, false);
        self.bind(name, var);
    }
}

/// Is there a create in it, or in what it includes?
fn makes(ensure: &Ensure) -> bool {
    ensure.alternatives.iter().any(|one| match one {
        Alternative::Create(_) => true,
        Alternative::Include(inner) => makes(inner),
        _ => false,
    })
}

//! Statements and bodies of writes. A `let` or `find` leaves no statement behind, and neither does what a setting
//! closes.

use std::sync::Arc;

use super::{Lowering, field_name, fitting};
use crate::{
    check::typed::{self, After, Line, Stmt},
    plan::{
        PlanError,
        code::{Code, EachCode, GuardCode, Holds, LineCode, StageCode, StmtCode, TargetCode, WriteCode},
        projection::shown_through,
        watch::PointKind,
    },
    schema::{Entity, WriteFacts},
    syntax::tree::PolicyKind,
    value::{Action, EntityName, Value, Verdict},
};

/// What is known of a condition when the plan is made.
pub(super) enum Known {
    /// It always holds.
    Always,
    /// It never does.
    Never,
    /// The record decides.
    When(Code),
}

impl Lowering<'_> {
    /// The statements of column 0.
    pub(in crate::plan) fn body(&mut self, body: &[Stmt]) {
        for stmt in self.stmts(body) {
            match stmt {
                StmtCode::Guard(_) | StmtCode::Ensure(_) => self.lowered.guards.push(stmt),
                StmtCode::Write(_) | StmtCode::Each(_) => self.lowered.blocks.push(stmt),
            }
        }
    }

    /// The second stages.
    pub(in crate::plan) fn stages(&mut self, afters: &[After]) {
        for after in afters {
            let Some(when) = self.known_arm(after.when.as_ref()).condition() else { continue };
            let body = self.stmts(&after.body);
            self.lowered.stages.push(StageCode { name: after.name.clone(), behind: after.behind.clone(), when, body });
        }
    }

    fn stmts(&mut self, body: &[Stmt]) -> Vec<StmtCode> {
        let mut stmts = Vec::new();
        for stmt in body {
            match stmt {
                Stmt::Let(line) => self.let_line(line),
                Stmt::Find(find) => self.find_line(find),
                Stmt::Guard(guard) => stmts.extend(self.guard(guard).map(StmtCode::Guard)),
                Stmt::Ensure(ensure) => stmts.push(StmtCode::Ensure(self.ensure(ensure))),
                Stmt::Write(write) => {
                    stmts.extend(
                        self.write(write, write.action == Action::Update).map(|write| StmtCode::Write(Box::new(write))),
                    );
                }
                Stmt::Each(each) => {
                    let list = self.expr(&each.list);
                    self.depth += 1;
                    let ((when, body), own) =
                        self.scope(|low| (low.known_arm(each.when.as_ref()), low.stmts(&each.body)));
                    self.depth -= 1;
                    if let Some(when) = when.condition() {
                        stmts.push(StmtCode::Each(Box::new(EachCode { var: each.var, list, when, body, own })));
                    }
                }
            }
        }
        stmts
    }

    /// A guard; none when it can never apply. One that fails by settings alone is a mistake of the settings.
    pub(super) fn guard(&mut self, guard: &typed::Guard) -> Option<GuardCode> {
        let when = self.known(guard.when.as_ref()).condition()?;
        let message = self.message(&guard.message);
        let when = if guard.settings_only && guard.verdict == Verdict::Fail {
            let fails = when.as_ref().is_none_or(|when| self.try_value(when) == Some(Value::Bool(true)));
            let reason = if fails { self.machine().reason(&message).ok() } else { None };
            if let Some(reason) = reason {
                self.errors.push(PlanError::SettingFails { text: reason.text, span: message.span });
            }
            // No record comes to it, so no test can.
            when
        } else {
            self.watch(PointKind::Guard, message.span, || guard.verdict.word().to_owned(), when)
        };
        Some(GuardCode { verdict: guard.verdict, when, message })
    }

    /// A write; none when none of its targets can apply. `updates`: its lines are sent as an update too, or only so.
    pub(super) fn write(&mut self, write: &typed::Write, updates: bool) -> Option<WriteCode> {
        let mut targets = Vec::new();
        for target in &write.targets {
            let when = match self.known(target.when.as_ref()) {
                Known::Never => continue,
                Known::Always => None,
                Known::When(when) => Some(when),
            };
            self.writes.insert((target.name.clone(), write.action));
            if write.action == Action::Create {
                self.creates_at(&target.name, &target.entity);
            }
            let last = when.is_none();
            let place = target.when.as_ref().map_or(write.span, |when| when.span);
            let what = || format!("{} {}", write.action.word(), target.name);
            let when = self.watch(PointKind::Outcome, place, what, when);
            let lines = self.lines(&target.lines);
            let shown = target.shown_by.as_ref().filter(|_| write.action == Action::Update);
            let through = target.through.as_ref().filter(|_| updates && shown_through(&target.entity, &lines));
            let mut reader = |reader: &Arc<Entity>| {
                let name = EntityName { role: target.name.role.clone(), entity: reader.name.clone() };
                self.read(&name, reader)
            };
            let (shown, through) = (shown.map(&mut reader), through.map(&mut reader));
            let (name, entity) = (target.name.clone(), target.entity.clone());
            targets.push(TargetCode { name, entity, shown, through, when, lines });
            if last {
                break;
            }
        }
        self.declare(write.var);
        (!targets.is_empty()).then(|| WriteCode {
            var: write.var,
            name: write.name.clone(),
            depth: self.depth,
            action: write.action,
            targets,
            gives: write.gives.clone(),
            span: write.span,
        })
    }

    fn creates_at(&mut self, name: &EntityName, entity: &Entity) {
        self.creates.insert(name.clone());
        for reader in entity.write.iter().flat_map(WriteFacts::readers) {
            self.creates.insert(EntityName { role: name.role.clone(), entity: reader.clone() });
        }
    }

    fn lines(&mut self, lines: &[Line]) -> Vec<LineCode> {
        let mut codes = Vec::new();
        for line in lines {
            match line {
                Line::Let(line) => self.let_line(line),
                Line::Find(find) => self.find_line(find),
                Line::Guard(guard) => codes.extend(self.guard(guard).map(LineCode::Guard)),
                Line::Ensure(ensure) => codes.push(LineCode::Ensure(self.ensure(ensure))),
                Line::Field(line) => {
                    let value = self.present(line);
                    let value = fitting(value, line.max, || field_name(&line.field), line.span);
                    let always_blank = value.constant().is_some_and(Value::is_blank);
                    if !always_blank {
                        codes.push(LineCode::Field(line.field.name.clone(), value, line.policy));
                    }
                }
                Line::Object { field, policy, when, lines } => {
                    if let Some(when) = self.known_arm(when.as_ref()).condition() {
                        codes.push(LineCode::Object {
                            name: field.name.clone(),
                            repeats: Holds::of(&field.ty).is_list(),
                            policy: *policy,
                            when,
                            lines: self.lines(lines),
                        });
                    }
                }
                Line::Each { field, var, list, when, lines } => {
                    let list = self.expr(list);
                    self.depth += 1;
                    let ((when, body), own) = self.scope(|low| (low.known_arm(when.as_ref()), low.lines(lines)));
                    self.depth -= 1;
                    if let Some(when) = when.condition() {
                        let each = EachCode { var: *var, list, when, body, own };
                        codes.push(LineCode::Each(field.name.clone(), Box::new(each)));
                    }
                }
            }
        }
        codes
    }

    /// The value of a field line. That a required field has one was proven from what the vendor always fills in; a
    /// row that lacks it all the same ends the record here, before anything is sent.
    fn present(&mut self, line: &typed::FieldLine) -> Code {
        let value = self.expr(&line.value);
        if (line.field.required || !line.field.needed.is_empty())
            && !line.value.ty.optional
            && value.constant().is_none()
        {
            return Code::Must(Box::new(value), line.field.name.clone(), line.value.span);
        }
        value
    }

    /// The same for a `when` that a test can reach.
    fn known_arm(&mut self, when: Option<&typed::Expr>) -> Known {
        match (self.known(when), when) {
            (Known::When(code), Some(when)) => Known::When(self.watch_when(when.span, code)),
            (known, _) => known,
        }
    }

    pub(super) fn known(&mut self, when: Option<&typed::Expr>) -> Known {
        let Some(when) = when else { return Known::Always };
        let code = self.expr(when);
        match code.constant() {
            Some(Value::Bool(true)) => Known::Always,
            Some(_) => Known::Never,
            None => Known::When(code),
        }
    }
}

impl Known {
    /// The condition that is left; none when it never holds.
    #[expect(clippy::option_option, reason = "no statement, a statement always, a statement under a condition")]
    pub(super) fn condition(self) -> Option<Option<Code>> {
        match self {
            Self::Never => None,
            Self::Always => Some(None),
            Self::When(code) => Some(Some(code)),
        }
    }
}

/// Does a line with this policy stand in a body of this kind? What only a read row can tell is decided when it is
/// sent, so it stands in both.
pub(crate) fn stands(policy: Option<PolicyKind>, action: Action) -> bool {
    match policy {
        Some(PolicyKind::OnCreate) => action == Action::Create,
        Some(PolicyKind::OnUpdate) => action == Action::Update,
        None | Some(PolicyKind::UnlessFilled | PolicyKind::UnlessEdited) => true,
    }
}

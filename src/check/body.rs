//! The lines of a body: fields, objects, line objects, and what stands among them.
//!
//! Takes lines and the object that they fill (none: it is unknown, or this target lacks it; then only the values are
//! looked at), gives typed lines and what they give. A field that this target lacks is left out, and so, told as F209, is
//! one that would do something of its own.

use std::sync::Arc;

use super::{
    checker::Checker,
    coerce::{Need, culprit, would_fit},
    entity::inner,
    facts,
    join::is_blank_literal,
    needed::Sure,
    required::{Block, Given, Purpose, Way, clears},
    suggest,
    typed::{FieldLine, Line, RecordExpr},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Field, Kind, Object, Ty},
    syntax::tree::{self, Assign, Name, Nested, Path, Policy, PolicyKind, Rows},
};

/// A checked body.
#[derive(Default)]
pub(super) struct Body {
    pub(super) lines: Vec<Line>,
    pub(super) given: Vec<Given>,
}

/// What a body fills.
#[derive(Clone, Copy)]
pub(super) struct Filled<'o> {
    /// None: its fields are not known.
    pub(super) object: Option<&'o Arc<Object>>,
    /// The policy of the `include` around it.
    pub(super) policy: Option<PolicyKind>,
    pub(super) purpose: Purpose,
}

impl Checker<'_> {
    /// The lines of a body, in a block of their own.
    pub(super) fn body(&mut self, lines: &[tree::Line], filled: Filled<'_>) -> Body {
        self.block(|checker| {
            let mut body = Body::default();
            for line in lines {
                checker.line(line, filled, &mut body);
            }
            body
        })
    }

    /// A record of an entity, made by a `define`.
    pub(super) fn record(&mut self, lines: &[tree::Line], object: &Arc<Object>, head: Span) -> RecordExpr {
        let filled = Filled { object: Some(object), policy: None, purpose: Purpose::Record };
        let body = self.body(lines, filled);
        self.tell_lacking();
        let given: Vec<&Given> = body.given.iter().collect();
        self.required(Block { object, given: &given, head, purpose: Purpose::Record });
        RecordExpr { lines: body.lines, object: object.clone() }
    }

    fn line(&mut self, line: &tree::Line, filled: Filled<'_>, body: &mut Body) {
        match line {
            tree::Line::Let(_) | tree::Line::Find(_) | tree::Line::Guard(_) | tree::Line::Ensure(_) => {
                body.lines.extend(self.inner_line(line));
            }
            tree::Line::Include(include) => {
                let more = self.include(include, filled);
                body.lines.extend(more.lines);
                body.given.extend(more.given);
            }
            tree::Line::Assign(assign) => self.assign(assign, filled, body),
            tree::Line::AssignEach(path, rows) => self.assign_each(path, rows, filled, body),
            tree::Line::Nested(nested) => self.nested(nested, filled, body),
        }
    }

    /// What may stand in any body: `let`, `find`, a guard, an `ensure`.
    pub(super) fn inner_line(&mut self, line: &tree::Line) -> Option<Line> {
        match line {
            tree::Line::Let(line) => {
                self.declare(&line.name, "");
                Some(Line::Let(self.let_line(line)))
            }
            tree::Line::Find(find) => self.find(find).map(Line::Find),
            tree::Line::Guard(guard) => Some(Line::Guard(self.guard(guard))),
            tree::Line::Ensure(ensure) => Some(Line::Ensure(self.ensure(ensure))),
            tree::Line::Include(_) | tree::Line::Assign(_) | tree::Line::AssignEach(..) | tree::Line::Nested(_) => None,
        }
    }

    /// The policy of a line; those that are not built yet are told at their words.
    pub(super) fn policy(&mut self, own: Option<&Policy>, filled: Filled<'_>) -> Option<PolicyKind> {
        let Some(own) = own else { return filled.policy };
        if filled.purpose == Purpose::Record {
            let told = Diagnostic::new("F006", "a record of a `define` is sent nowhere", own.span);
            self.say(told.help("put it behind the field that uses this"));
        }
        Some(own.kind)
    }

    /// `A.b = value`
    fn assign(&mut self, assign: &Assign, filled: Filled<'_>, body: &mut Body) {
        let policy = self.policy(assign.policy.as_ref(), filled);
        let Some(steps) = self.target(&assign.target, filled) else {
            self.expr(&assign.value);
            return;
        };
        let Some((field, parents)) = steps.split_last() else { return };
        if let Some(instead) = field.instead.as_ref().filter(|_| filled.purpose != Purpose::Record) {
            let title = format!("`{}` is left out here", field.name);
            self.say(Diagnostic::new("F209", title, assign.target.span).help(instead.to_string()));
            self.expr(&assign.value);
            return;
        }
        let (value, max) = self.field_value(&assign.value, field);
        let blank =
            (value.ty.optional && (value.ty.kind != Kind::Any || is_blank_literal(&value))).then(|| culprit(&value));
        let blank = blank.or_else(|| clears(&value));
        let sure = Sure::of(&value, field, &self.scope.known);
        let span = assign.target.span;
        let line = Line::Field(FieldLine { field: field.clone(), value, policy, max, span: assign.span });
        let given = Given { field: field.clone(), span, policy, way: Way::Value { blank, sure } };
        wrap(parents, span, line, given, body);
    }

    /// The fields that a target path goes through; none when a step is missing here (told, or left out) or is wrong.
    fn target(&mut self, path: &Path, filled: Filled<'_>) -> Option<Vec<Arc<Field>>> {
        let mut object = filled.object.cloned();
        let mut steps: Vec<Arc<Field>> = Vec::new();
        for (place, name) in path.names.iter().enumerate() {
            let field = self.target_field(name, &object.take()?)?;
            if place + 1 < path.names.len() {
                let Kind::Record(next) = &field.ty.kind else {
                    self.no_parts(name, &field);
                    return None;
                };
                object = Some(next.clone());
            }
            steps.push(field);
        }
        Some(steps)
    }

    fn no_parts(&mut self, name: &Name, field: &Field) {
        let (title, help) = if inner(&field.ty).is_some() {
            (format!("`{}` is a list of line objects", name.text), format!("{} {{\n  …\n}}", name.text))
        } else {
            (format!("`{}` is a plain field, nothing is in it", name.text), format!("{} = …", name.text))
        };
        self.say(Diagnostic::new("F103", title, name.span).help(help));
    }

    /// A value as the field takes it, and the limit to be measured where the type does not prove that it fits.
    pub(super) fn field_value(&mut self, value: &tree::Expr, field: &Field) -> (super::typed::Expr, Option<u32>) {
        // `clear` alone, or as an arm
        let clearing = matches!(
            value.kind,
            tree::ExprKind::Literal(_)
                | tree::ExprKind::Choose(..)
                | tree::ExprKind::Binary(tree::BinaryOp::Default, ..)
        );
        let around = std::mem::replace(&mut self.clearing, clearing);
        let value = self.expr(value);
        self.clearing = around;
        let what = field_name(field);
        if inner(&field.ty).is_some() && !is_blank_literal(&value) {
            // a list of records fits as it is only where records of that very kind are wanted
            if value.ty.kind != Kind::Any && !would_fit(&value.ty, &field.ty) {
                let block = if matches!(field.ty.kind, Kind::List(_)) { "= each x in list { … }" } else { "{ … }" };
                let title = format!("{what} has fields of its own");
                self.say(Diagnostic::new("F103", title, value.span).help(format!("{} {block}", field.name)));
                return (Self::poison(value.span), None);
            }
            return (value, None);
        }
        let want = Ty { optional: false, ..field.ty.clone() };
        let max = Self::to_measure(&value, &want);
        let label = code_name(field);
        let system = self.target_system.clone();
        let need = Need { what: &what, blank: true, code: Some((&label, &system)) };
        (self.coerce(value, &want, &need), max)
    }

    /// `A = each x in list when … { lines }`
    fn assign_each(&mut self, path: &Path, rows: &Rows, filled: Filled<'_>, body: &mut Body) {
        let steps = self.target(path, filled);
        let field = steps.as_ref().and_then(|steps| steps.last()).cloned();
        let object = field.as_ref().and_then(|field| match &field.ty.kind {
            Kind::List(of) => {
                if let Kind::Record(object) = &of.kind {
                    Some(object.clone())
                } else {
                    None
                }
            }
            _ => None,
        });
        if let (Some(field), None) = (&field, &object) {
            let title = format!("`{}` is no list of line objects", field.name);
            let help = if inner(&field.ty).is_some() {
                format!("{} {{\n  …\n}}", field.name)
            } else {
                format!("{} = …", field.name)
            };
            self.say(Diagnostic::new("F103", title, path.span).help(help));
        }
        let (list, of) = self.looped(&rows.list);
        let (var, when, inside) = self.block(|checker| {
            let var = checker.loop_name(&rows.name, of, false);
            let when = rows.when.as_ref().map(|when| checker.condition(when));
            checker.scope.known.extend(when.iter().flat_map(facts::when_true));
            let inside = checker.body(&rows.lines, Filled { object: object.as_ref(), ..filled });
            (var, when, inside)
        });
        let (Some(steps), Some(object)) = (steps, object) else { return };
        let Some((field, parents)) = steps.split_last() else { return };
        let line = Line::Each { field: field.clone(), var, list, when, lines: inside.lines };
        let head = path.span.to(rows.head);
        let way = Way::Each { object, head: path.span, given: inside.given };
        let given = Given { field: field.clone(), span: path.span, policy: filled.policy, way };
        wrap(parents, head, line, given, body);
    }

    /// `A policy when c { lines }`
    fn nested(&mut self, nested: &Nested, filled: Filled<'_>, body: &mut Body) {
        let policy = self.policy(nested.policy.as_ref(), filled);
        let steps = self.target(&nested.target, filled);
        let field = steps.as_ref().and_then(|steps| steps.last()).cloned();
        let object = field.as_ref().and_then(|field| inner(&field.ty));
        if let (Some(field), None) = (&field, &object) {
            let title = format!("`{}` is a plain field, nothing is in it", field.name);
            self.say(Diagnostic::new("F103", title, nested.target.span).help(format!("{} = …", field.name)));
        }
        let when = nested.when.as_ref().map(|when| self.condition(when));
        let known = when.iter().flat_map(facts::when_true).collect();
        // the policy goes with the object; its lines have none of their own by it
        let inside = Filled { object: object.as_ref(), policy: None, ..filled };
        let inside = self.knowing(known, |checker| checker.body(&nested.lines, inside));
        let (Some(steps), Some(object)) = (steps, object) else { return };
        let Some((field, parents)) = steps.split_last() else { return };
        let way = Way::Object { object, head: nested.target.span, when: when.clone(), given: inside.given };
        let line = Line::Object { field: field.clone(), policy, when, lines: inside.lines };
        let given = Given { field: field.clone(), span: nested.target.span, policy, way };
        wrap(parents, nested.target.span, line, given, body);
    }
}

/// Puts the objects of a dotted path around a line.
fn wrap(parents: &[Arc<Field>], span: Span, line: Line, given: Given, body: &mut Body) {
    let (mut line, mut given) = (line, given);
    for field in parents.iter().rev() {
        let Kind::Record(object) = &field.ty.kind else { return };
        line = Line::Object { field: field.clone(), policy: None, when: None, lines: vec![line] };
        let way = Way::Object { object: object.clone(), head: span, when: None, given: vec![given] };
        given = Given { field: field.clone(), span, policy: None, way };
    }
    body.lines.push(line);
    body.given.push(given);
}

/// "`DbId` (Sales contact)"
pub(super) fn field_name(field: &Field) -> String {
    if field.label.is_empty() {
        format!("`{}`", field.name)
    } else {
        format!("`{}` ({})", field.name, suggest::label(&field.label))
    }
}

/// What a code of a field is called: "account feature".
pub(super) fn code_name(field: &Field) -> String {
    if field.label.is_empty() { format!("`{}`", field.name) } else { lower_first(&suggest::label(&field.label)) }
}

/// "Account feature" → "account feature", but not "VAT duty" → "vAT duty".
fn lower_first(label: &str) -> String {
    let mut letters = label.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => label.to_owned(),
    }
}

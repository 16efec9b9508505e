//! What a flow uses: the fields that its plan reads, whatever the settings, those that its bodies write, and its own
//! numbers.

use std::sync::Arc;

use rayon::prelude::*;

use super::{Fields, Lock, Number, Used, formula::Formulas};
use crate::{
    check::typed::{Expr, ExprKind, FieldLine, Line, Program, Target, Write},
    diagnostic::{Sources, Span},
    plan::{self, SettingValues},
    schema::{Entity, Field, Object, Recognise, WriteClass},
    syntax::tree::BinaryOp,
    value::{Action, EntityName, Value},
};

/// What is used, and where each own number is made, by flow and entity.
#[derive(Debug, Default)]
pub struct Uses {
    /// As it is kept.
    pub lock: Lock,
    /// The lines of the own numbers.
    pub numbers: Vec<(Arc<str>, String, Span)>,
    /// Documents that are known by a reference within something else.
    pub booked: Vec<Booked>,
}

/// A document that is known by its reference only together with other fields: an entry by its number in a journal of
/// an administration.
#[derive(Debug)]
pub struct Booked {
    /// The flow that makes it.
    pub flow: Arc<str>,
    /// What it makes.
    pub entity: EntityName,
    /// The line of the first of the other fields.
    pub span: Span,
    /// With what the reference begins.
    pub prefix: String,
    /// The other fields with their values, as far as no record changes them.
    pub within: Vec<(Arc<str>, Fixed)>,
}

/// A value that no record changes.
#[derive(Debug)]
pub enum Fixed {
    /// Written in the flow.
    Value(Value),
    /// The setting of this owner and name, and its default.
    Setting((Arc<str>, Arc<str>), Option<Value>),
}

/// What flows use; libraries count as far as flows use them. A flow that cannot be planned counts for what it writes.
/// `numbering` holds the settings that count in number formulas: those of all environments.
#[must_use]
pub fn uses(programs: &[Arc<Program>], sources: &Sources, settings: &SettingValues, numbering: &SettingValues) -> Uses {
    let mut uses = writes(programs, numbering);
    let flows = programs.par_iter().filter(|program| program.source.is_some());
    let plans: Vec<_> = flows.filter_map(|program| plan::build_watched(program, sources, settings).ok()).collect();
    for plan in &plans {
        for (entity, fields) in plan.reads() {
            read(&mut uses.lock.read, entity, fields);
        }
    }
    uses
}

/// The same without what is read: no plan is made for it.
#[must_use]
pub fn writes(programs: &[Arc<Program>], numbering: &SettingValues) -> Uses {
    let mut uses = Uses::default();
    for program in programs.iter().filter(|program| program.source.is_some()) {
        let mut bodies = Bodies { program, formulas: Formulas::new(program, numbering), uses: &mut uses };
        program.writes().into_iter().for_each(|write| bodies.write(write));
    }
    uses
}

/// `afas.FbSales`
pub(super) fn name(entity: &Entity) -> String {
    format!("{}.{}", entity.system, entity.name)
}

/// The type of a field as it is kept.
pub(super) fn ty(field: &Field) -> String {
    let always = field.required.then(|| " required".to_owned());
    let sometimes = field.needed.iter().map(|condition| format!(" required {condition}"));
    always.into_iter().chain(sometimes).fold(field.ty.to_string(), |kept, more| kept + &more)
}

fn read(into: &mut Fields, entity: &Entity, paths: &[Arc<str>]) {
    let Some(facts) = &entity.read else { return };
    let own = into.entry(name(entity)).or_default();
    for path in paths {
        let Some(field) = facts.object.at(path).filter(|field| field.ty.object().is_none()) else { continue };
        own.insert(path.to_string(), Used { ty: ty(field), codes: Vec::new() });
    }
}

struct Bodies<'a> {
    program: &'a Program,
    formulas: Formulas<'a>,
    uses: &'a mut Uses,
}

impl Bodies<'_> {
    fn write(&mut self, write: &Write) {
        for target in &write.targets {
            let facts = target.entity.write.as_ref();
            let object = facts.and_then(|facts| match write.action {
                Action::Create => facts.create.as_ref(),
                Action::Update => facts.update.as_ref(),
            });
            if let Some(object) = object {
                self.lines(target, object, &target.lines, "");
            }
            let number = facts.and_then(|facts| facts.recognise.own_number.as_ref());
            if let (Action::Create, Some(number)) = (write.action, number)
                && let Some(line) = line_at(&target.lines, &number.field)
            {
                let (prefix, formula) = (self.formulas.prefix(&line.value), self.formulas.of(&line.value));
                let flow = self.program.name.clone();
                let own = self.uses.lock.number.entry(flow.to_string()).or_default();
                own.insert(target.name.to_string(), Number { prefix, formula });
                self.uses.numbers.push((flow, target.name.to_string(), line.span));
            }
            if write.action == Action::Create && facts.is_some_and(|facts| facts.class == WriteClass::Document) {
                let booked = facts.and_then(|facts| self.booked(target, &facts.recognise));
                self.uses.booked.extend(booked);
            }
        }
    }

    /// None where nothing stands beside the reference, or where a record says what does.
    fn booked(&self, target: &Target, recognise: &Recognise) -> Option<Booked> {
        let reference = field_at(&target.lines, recognise.reference.as_ref()?)?;
        let mut within = Vec::new();
        let mut span = None;
        for (path, _) in &recognise.also {
            let line = field_at(&target.lines, path)?;
            span = span.or(Some(line.span));
            let fixed = match &self.formulas.behind(&line.value).kind {
                ExprKind::Const(value) => Fixed::Value(value.clone()),
                ExprKind::Setting(id) => {
                    let setting = self.program.settings.get(id.0 as usize)?;
                    Fixed::Setting((setting.owner.clone(), setting.name.clone()), setting.default.clone())
                }
                _ => return None,
            };
            within.push((line.field.name.clone(), fixed));
        }
        let flow = self.program.name.clone();
        let prefix = self.formulas.prefix(&reference.value);
        Some(Booked { flow, entity: target.name.clone(), span: span?, prefix, within })
    }

    fn lines(&mut self, target: &Target, object: &Object, lines: &[Line], above: &str) {
        for line in lines {
            match line {
                Line::Field(line) => {
                    let path = format!("{above}{}", line.field.name);
                    let Some(field) = object.at(&path) else { continue };
                    let own = self.uses.lock.write.entry(name(&target.entity)).or_default();
                    let used = own.entry(path).or_default();
                    used.ty = ty(field);
                    if field.ty.codes.is_some() {
                        codes(&line.value, &mut used.codes);
                    }
                }
                Line::Object { field, lines, .. } | Line::Each { field, lines, .. } => {
                    self.lines(target, object, lines, &format!("{above}{}.", field.name));
                }
                Line::Let(_) | Line::Find(_) | Line::Guard(_) | Line::Ensure(_) => {}
            }
        }
    }
}

/// The line of a top-level field.
fn line_at<'a>(lines: &'a [Line], name: &str) -> Option<&'a FieldLine> {
    lines.iter().find_map(|line| match line {
        Line::Field(line) if *line.field.name == *name => Some(line),
        _ => None,
    })
}

/// The first line of a field at a path, through objects and line objects.
fn field_at<'a>(lines: &'a [Line], path: &str) -> Option<&'a FieldLine> {
    let Some((first, rest)) = path.split_once('.') else { return line_at(lines, path) };
    lines.iter().find_map(|line| match line {
        Line::Object { field, lines, .. } | Line::Each { field, lines, .. } if *field.name == *first => {
            field_at(lines, rest)
        }
        _ => None,
    })
}

/// The codes that an expression may give, sorted.
fn codes(expr: &Expr, into: &mut Vec<String>) {
    match &expr.kind {
        ExprKind::Const(Value::Text(code)) => {
            if let Err(place) = into.binary_search_by(|own| (**own).cmp(&**code)) {
                into.insert(place, code.to_string());
            }
        }
        ExprKind::Choose(arms, last) => {
            for value in arms.iter().map(|(value, _)| value).chain(last.as_deref()) {
                codes(value, into);
            }
        }
        ExprKind::Binary(BinaryOp::Default, a, b) => {
            codes(a, into);
            codes(b, into);
        }
        _ => {}
    }
}

//! Which lines of a flow give a field of a write: those of its path in every body that writes the entity.

use crate::{
    check::typed::{Alternative, Ensure, Line, Program, Stmt, Write},
    diagnostic::Span,
    plan::stands,
    value::{Action, EntityName},
};

/// The lines, in the order of the text, each once: a body that is written out for several uses has its lines once.
pub(super) fn lines(program: &Program, action: Action, entity: &EntityName, path: &str) -> Vec<Span> {
    let mut found = Found { action, entity, path, lines: Vec::new() };
    program.body.iter().for_each(|stmt| found.stmt(stmt));
    program.afters.iter().flat_map(|after| &after.body).for_each(|stmt| found.stmt(stmt));
    found.lines.sort_unstable();
    found.lines.dedup();
    found.lines
}

struct Found<'a> {
    action: Action,
    entity: &'a EntityName,
    path: &'a str,
    lines: Vec<Span>,
}

impl Found<'_> {
    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Write(write) => self.write(write),
            Stmt::Ensure(ensure) => self.ensure(ensure),
            Stmt::Each(each) => each.body.iter().for_each(|stmt| self.stmt(stmt)),
            Stmt::Let(_) | Stmt::Find(_) | Stmt::Guard(_) => {}
        }
    }

    fn ensure(&mut self, ensure: &Ensure) {
        for alternative in &ensure.alternatives {
            match alternative {
                Alternative::Create(write) => self.write(write),
                Alternative::Include(inner) => self.ensure(inner),
                _ => {}
            }
        }
    }

    /// A create may be an update as well: `update found` sends its lines.
    fn write(&mut self, write: &Write) {
        for target in &write.targets {
            if target.name == *self.entity && (write.action == self.action || self.action == Action::Update) {
                self.fields(&target.lines, self.path);
            }
            self.ensures(&target.lines);
        }
    }

    fn fields(&mut self, lines: &[Line], path: &str) {
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        for line in lines {
            match (line, rest) {
                (Line::Field(line), None) if *line.field.name == *name && stands(line.policy, self.action) => {
                    self.lines.push(line.span);
                }
                (Line::Object { field, policy, lines, .. }, Some(rest))
                    if *field.name == *name && stands(*policy, self.action) =>
                {
                    self.fields(lines, rest);
                }
                (Line::Each { field, lines, .. }, Some(rest)) if *field.name == *name => self.fields(lines, rest),
                _ => {}
            }
        }
    }

    /// The things that lines make sure of.
    fn ensures(&mut self, lines: &[Line]) {
        for line in lines {
            match line {
                Line::Ensure(ensure) => self.ensure(ensure),
                Line::Object { lines, .. } | Line::Each { lines, .. } => self.ensures(lines),
                Line::Let(_) | Line::Find(_) | Line::Guard(_) | Line::Field(_) => {}
            }
        }
    }
}

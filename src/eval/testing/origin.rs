//! Which lines of a flow give a field of a write: those of its path in every body that writes the entity.

use crate::{
    check::typed::{Line, Program, Write},
    diagnostic::Span,
    plan::stands,
    value::{Action, EntityName},
};

/// The lines, in the order of the text, each once: a body that is written out for several uses has its lines once.
pub(super) fn lines(program: &Program, action: Action, entity: &EntityName, path: &str) -> Vec<Span> {
    let mut found = Found { action, entity, path, lines: Vec::new() };
    program.writes().into_iter().for_each(|write| found.write(write));
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
    /// A create may be an update as well: `update found` sends its lines.
    fn write(&mut self, write: &Write) {
        for target in &write.targets {
            if target.name == *self.entity && (write.action == self.action || self.action == Action::Update) {
                self.fields(&target.lines, self.path);
            }
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
}

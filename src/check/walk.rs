//! The walk over what the stages of a flow write, from top to bottom.
//!
//! Takes checked stages, shows each field line and each target of a write to who looks at them. Promises that
//! everything above a place was walked before it, so that what the names there stand for is known.

use std::collections::HashMap;

use super::typed::{After, Alternative, Expr, FieldLine, Let, Line, Stmt, Target, VarId, Write};

/// What the names above a place stand for.
#[derive(Default)]
pub(super) struct Names<'e> {
    /// Values of lets.
    pub(super) lets: HashMap<VarId, &'e Expr>,
    /// The lists that loop names go through.
    pub(super) loops: HashMap<VarId, &'e Expr>,
}

impl<'e> Names<'e> {
    /// Those of constants that are in sight everywhere.
    pub(super) fn of(constants: &'e [Let]) -> Self {
        Self { lets: constants.iter().map(|line| (line.var, &line.value)).collect(), loops: HashMap::new() }
    }
}

/// Who looks at what is written.
pub(super) trait Walk<'e>: Sized {
    /// What the names above stand for.
    fn names(&mut self) -> &mut Names<'e>;

    /// A field line.
    fn field(&mut self, _: &'e FieldLine) {}

    /// A target of a write, behind its lines. Was it searched for before it is created?
    fn target(&mut self, _: &'e Write, _: &'e Target, _searched: bool) {}

    /// All stages.
    fn stages(&mut self, body: &'e [Stmt], afters: &'e [After]) {
        self.statements(body);
        for after in afters {
            self.statements(&after.body);
        }
    }

    /// The statements of a stage or a loop.
    fn statements(&mut self, body: &'e [Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::Let(line) => self.name(line),
                Stmt::Ensure(ensure) => self.alternatives(&ensure.alternatives),
                Stmt::Write(write) => self.write(write, false),
                Stmt::Each(each) => {
                    self.names().loops.insert(each.var, &each.list);
                    self.statements(&each.body);
                }
                Stmt::Find(_) | Stmt::Guard(_) => {}
            }
        }
    }

    /// The alternatives of an ensure.
    fn alternatives(&mut self, alternatives: &'e [Alternative]) {
        let mut searched = false;
        for one in alternatives {
            match one {
                Alternative::Let(line) => self.name(line),
                Alternative::Find { .. } => searched = true,
                Alternative::Create(write) => self.write(write, searched),
                Alternative::Include(inner) => self.alternatives(&inner.alternatives),
                Alternative::Take(_)
                | Alternative::UpdateFound(..)
                | Alternative::Guard { .. }
                | Alternative::FindRow(_) => {}
            }
        }
    }

    /// A write with its targets.
    fn write(&mut self, write: &'e Write, searched: bool) {
        for target in &write.targets {
            self.lines(&target.lines);
            self.target(write, target, searched);
        }
    }

    /// The lines of a body.
    fn lines(&mut self, lines: &'e [Line]) {
        for line in lines {
            match line {
                Line::Let(line) => self.name(line),
                Line::Ensure(ensure) => self.alternatives(&ensure.alternatives),
                Line::Field(line) => self.field(line),
                Line::Object { lines, .. } => self.lines(lines),
                Line::Each { var, list, lines, .. } => {
                    self.names().loops.insert(*var, list);
                    self.lines(lines);
                }
                Line::Find(_) | Line::Guard(_) => {}
            }
        }
    }

    /// A name.
    fn name(&mut self, line: &'e Let) {
        self.names().lets.insert(line.var, &line.value);
    }
}

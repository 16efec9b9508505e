//! All writes of a checked flow and all things that it makes sure of, wherever they stand.

use super::typed::{Alternative, Ensure, Line, Program, Stmt, Write};
use crate::diagnostic::Span;

/// What has a name in the decisions of a flow.
enum Made<'p> {
    Write(&'p Write),
    Ensure(&'p Ensure),
}

impl Program {
    /// Its writes, second stages last: also those within an `each`, an `ensure`, and the lines of another write, which
    /// are looked through for each of its targets and come before it, as they are made.
    #[must_use]
    pub fn writes(&self) -> Vec<&Write> {
        let write = |made| if let Made::Write(write) = made { Some(write) } else { None };
        self.made().into_iter().filter_map(write).collect()
    }

    /// Where the write or ensure of a name stands.
    #[must_use]
    pub fn place_of(&self, name: &str) -> Option<Span> {
        let mut named = self.made().into_iter().map(|made| match made {
            Made::Write(write) => (&write.name, write.span),
            Made::Ensure(ensure) => (&ensure.name, ensure.span),
        });
        named.find(|(own, _)| ***own == *name).map(|(_, span)| span)
    }

    fn made(&self) -> Vec<Made<'_>> {
        let mut found = Vec::new();
        let later = self.afters.iter().flat_map(|after| &after.body);
        self.body.iter().chain(later).for_each(|stmt| of_stmt(stmt, &mut found));
        found
    }
}

fn of_stmt<'p>(stmt: &'p Stmt, into: &mut Vec<Made<'p>>) {
    match stmt {
        Stmt::Write(write) => of_write(write, into),
        Stmt::Ensure(ensure) => of_ensure(ensure, into),
        Stmt::Each(each) => each.body.iter().for_each(|stmt| of_stmt(stmt, into)),
        Stmt::Let(_) | Stmt::Find(_) | Stmt::Guard(_) => {}
    }
}

fn of_ensure<'p>(ensure: &'p Ensure, into: &mut Vec<Made<'p>>) {
    for alternative in &ensure.alternatives {
        match alternative {
            Alternative::Create(write) => of_write(write, into),
            Alternative::Include(inner) => of_ensure(inner, into),
            _ => {}
        }
    }
    into.push(Made::Ensure(ensure));
}

fn of_write<'p>(write: &'p Write, into: &mut Vec<Made<'p>>) {
    write.targets.iter().for_each(|target| of_lines(&target.lines, into));
    into.push(Made::Write(write));
}

fn of_lines<'p>(lines: &'p [Line], into: &mut Vec<Made<'p>>) {
    for line in lines {
        match line {
            Line::Ensure(ensure) => of_ensure(ensure, into),
            Line::Object { lines, .. } | Line::Each { lines, .. } => of_lines(lines, into),
            Line::Let(_) | Line::Find(_) | Line::Guard(_) | Line::Field(_) => {}
        }
    }
}

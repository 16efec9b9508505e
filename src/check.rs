//! Names, types, blank-ness, schema rules and tables: from trees to a checked [`typed::Program`].
//!
//! Takes syntax trees, the catalog and the other files of the project, gives the typed program and diagnostics.
//! Promises that all mistakes come out in one run, that one mistake makes one message (what is wrong is poisoned and
//! stays silent), and that a program without errors cannot hit an unknown name, field or type when it runs. No IO.
//!
//! Each file of the project is a *unit* and is checked once, as a program of its own; what a flow takes from a library
//! is checked again in silence to be written into the flow's program, so each mistake is told in its own file only.

mod balance;
mod body;
mod cell;
mod checker;
mod coerce;
mod csv;
mod ensure;
mod entity;
mod expr;
mod facts;
mod finish;
mod include;
mod inspect;
mod join;
pub mod lineage;
mod load;
mod lookup;
mod needed;
mod program;
mod proof;
mod read;
mod recognise;
mod required;
mod rounding;
mod since;
mod statement;
mod suggest;
mod table;
mod test;
pub mod typed;
mod types;
mod walk;
mod write;
mod writes;

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;
use rayon::prelude::*;

use crate::{
    diagnostic::{Diagnostic, Files, Sources},
    schema::Catalog,
};

/// What is checked, and against what.
#[derive(Clone, Copy)]
pub struct Project<'a> {
    /// How other files are read.
    pub files: &'a dyn Files,
    /// What the systems have.
    pub catalog: &'a Catalog,
    /// Which system plays each role (`afas` → `afas`, `afas_be` → `afas`).
    pub roles: &'a BTreeMap<Arc<str>, Arc<str>>,
    /// Paths of the flows and libraries to check; what they use is loaded by itself.
    pub flows: &'a [String],
    /// For rules about dates that are near.
    pub today: Date,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Checked {
    /// One for each flow and library, in the order in which they were loaded; a library has no `source`.
    /// Only a run without errors may be executed: with errors they hold poisoned parts.
    pub programs: Vec<Arc<typed::Program>>,
    /// All mistakes and warnings, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the diagnostics point into.
    pub sources: Sources,
}

impl Checked {
    /// Is there an error among the diagnostics?
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Checks flows with all that they use.
#[must_use]
pub fn check(project: &Project<'_>) -> Checked {
    let loaded = load::load(project);
    let mut diagnostics = loaded.diagnostics.clone();
    let mut programs = Vec::new();
    // Programs know nothing of each other: all cores check.
    let checked: Vec<_> =
        (0..loaded.units.len()).into_par_iter().map(|unit| program::program(project, &loaded, unit)).collect();
    for (program, found) in checked {
        programs.extend(program.map(Arc::new));
        diagnostics.extend(found);
    }
    let diagnostics = finish::finish(&loaded, diagnostics);
    Checked { programs, diagnostics, sources: loaded.sources }
}

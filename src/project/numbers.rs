//! Own numbers of one connection: two runs may not make the same ones.
//!
//! Takes the runs with the numbers that their flows make, tells F601 at the later of two that begin alike, and at the
//! later of two that book under such numbers in one journal: the target would refuse a document of one run because of
//! another one, and koppel would take the other's for its own.

use std::{collections::BTreeMap, sync::Arc};

use super::{Project, Run, settings::Declared};
use crate::{
    diagnostic::{Diagnostic, Span},
    lock::{Booked, Fixed, Uses},
    value::{EntityName, Value},
};

impl Project {
    /// F601 for runs whose own numbers, or numbers within one journal, could be the same.
    pub(super) fn judge_numbers(&mut self, uses: &Uses) {
        let mut found = alike(&self.runs, uses);
        found.extend(self.booked_alike(&uses.booked));
        if !found.is_empty() {
            self.tell(found);
        }
    }

    /// What is said of runs that book in one journal of one administration under numbers that could be the same.
    fn booked_alike(&self, booked: &[Booked]) -> Vec<Diagnostic> {
        if self.runs.is_empty() {
            return Vec::new();
        }
        let declared = Declared::new(&self.programs);
        let mut made: Vec<Made<'_>> = Vec::new();
        let mut told = Vec::new();
        for run in self.meant(&self.environment) {
            let values = declared.values(run.lines.iter().copied());
            let held = |fixed: &Fixed| match fixed {
                Fixed::Value(value) => Some(value.clone()),
                Fixed::Setting(name, default) => values.get(name).or(default.as_ref()).cloned(),
            };
            for own in booked.iter().filter(|own| own.flow == run.program.name) {
                let Some(connection) = run.roles.get(&own.entity.role) else { continue };
                let within: Option<Vec<(&str, Value)>> =
                    own.within.iter().map(|(name, fixed)| Some((&**name, held(fixed)?))).collect();
                let Some(within) = within else { continue };
                let one = Made { run: run.name.clone(), connection: connection.clone(), own, within };
                match made.iter().find(|other| other.clashes(&one)) {
                    Some(other) => told.push(one.told(other)),
                    None => made.push(one),
                }
            }
        }
        told
    }
}

/// What a run books, its settings filled in.
struct Made<'b> {
    run: Arc<str>,
    connection: Arc<str>,
    own: &'b Booked,
    within: Vec<(&'b str, Value)>,
}

impl Made<'_> {
    /// Could a document of one be taken for one of the other?
    fn clashes(&self, other: &Self) -> bool {
        let (a, b) = (&*self.own.prefix, &*other.own.prefix);
        self.run != other.run
            && self.connection == other.connection
            && self.own.entity.entity == other.own.entity.entity
            && self.within == other.within
            && (a.starts_with(b) || b.starts_with(a))
    }

    fn told(&self, first: &Self) -> Diagnostic {
        let within: Vec<String> = self.within.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let title = format!(
            "`{}` and `{}` both book in {}, and their numbers may be the same",
            first.run,
            self.run,
            within.join(", ")
        );
        let mut told = Diagnostic::new("F601", title, self.own.span);
        if self.own.span != first.own.span {
            told = told.also(first.own.span, "booked here as well");
        }
        told.help("give each run a journal of its own in koppel.toml,\nor numbers that begin with letters of its own:  \"K{number}\"")
    }
}

/// The connection and entity that a number belongs to, and what it begins with.
type Beginning<'a> = (&'a Arc<str>, &'a Arc<str>, &'a str);

/// What is said of runs that make the same numbers.
fn alike(runs: &[Run], uses: &Uses) -> Vec<Diagnostic> {
    let mut first: BTreeMap<Beginning<'_>, (&Run, Span)> = BTreeMap::new();
    let mut told = Vec::new();
    for run in runs {
        let flow = &run.plan.program.name;
        for (own, entity, span) in uses.numbers.iter().filter(|(own, ..)| own == flow) {
            let number = uses.lock.number.get(&**own).and_then(|numbers| numbers.get(entity));
            let made = run.plan.creates.iter().find(|name| name.to_string() == *entity);
            let (Some(number), Some(EntityName { role, entity })) = (number, made) else { continue };
            let Some(connection) = run.connections.get(role) else { continue };
            let key = (connection, entity, number.prefix.as_str());
            match first.get(&key) {
                Some((other, _)) if other.name == run.name => {}
                Some((other, place)) => {
                    let title = format!(
                        "`{}` and `{}` both make numbers of `{entity}` that begin with \"{}\"",
                        other.name, run.name, number.prefix
                    );
                    let mut one = Diagnostic::new("F601", title, *span);
                    if place != span {
                        one = one.also(*place, "made here as well");
                    }
                    told.push(one.help("let each run have letters of its own, for example  \"K{number}\""));
                }
                None => drop(first.insert(key, (run, *span))),
            }
        }
    }
    told
}

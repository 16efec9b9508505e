//! Own numbers of one connection: two runs may not make the same ones.
//!
//! Takes the runs with the numbers that their flows make, tells F601 at the later of two that begin alike: the target
//! would refuse a document of one run because of another one, and koppel would take the other's for its own.

use std::{collections::BTreeMap, sync::Arc};

use super::{Project, Run};
use crate::{
    diagnostic::{Diagnostic, Span},
    lock::{self, Uses},
    value::EntityName,
};

impl Project {
    /// F601 for runs whose own numbers could be the same.
    pub(super) fn judge_numbers(&mut self) {
        let found = alike(&self.runs, &lock::writes(&self.programs));
        if !found.is_empty() {
            self.tell(found);
        }
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

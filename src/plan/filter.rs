//! Conditions of searches as filter templates: what a source can be asked, with the values still to be filled in.
//!
//! Takes the lowered condition of a `where`, gives a [`Template`] and what is left over for the rows themselves.
//! Promises that the filled-in filter together with the rest says exactly what the condition says, and that
//! conditions without the row are decided before anything is asked.

use std::sync::Arc;

use super::{
    code::Code,
    compute::{Machine, Stop, Waiting, World},
};
use crate::value::{Compare, Filter, Value};

/// A filter with places for values.
#[derive(Debug)]
pub(crate) enum Template {
    /// Every row.
    All,
    /// A condition without the row: every row or none.
    Test(Code),
    /// `.path is value`
    Is(Arc<str>, Operand),
    /// `.path in values`
    In(Arc<str>, Operand),
    /// `.path < value` and so on.
    Compares(Arc<str>, Compare, Operand),
    /// `.path is blank`
    Blank(Arc<str>),
    /// All of them.
    And(Vec<Template>),
    /// One of them.
    Or(Vec<Template>),
    /// Not this.
    Not(Box<Template>),
}

/// A value that rows are compared with.
#[derive(Debug)]
pub(crate) struct Operand {
    /// Its expression.
    pub(crate) code: Code,
    /// Does it tell the searched thing from others? Not when it comes from another search of the same ensure.
    pub(crate) identifies: bool,
}

impl From<Code> for Operand {
    fn from(code: Code) -> Self {
        Self { code, identifies: true }
    }
}

impl Template {
    /// Fills the values in.
    pub(crate) fn fill<W: World>(&self, machine: &mut Machine<'_, W>) -> Result<Filter, Stop> {
        Ok(match self {
            Self::All => Filter::All,
            Self::Test(code) => all_if(machine.holds(code)?),
            Self::Is(path, operand) => match machine.value(&operand.code)? {
                Value::Blank => Filter::Never,
                value => Filter::Is(path.clone(), value),
            },
            Self::In(path, operand) => {
                let value = machine.value(&operand.code)?;
                let mut values: Vec<Value> = Vec::new();
                for item in value.as_list() {
                    if !item.is_blank() && !values.contains(item) {
                        values.push(item.clone());
                    }
                }
                if values.is_empty() { Filter::Never } else { Filter::In(path.clone(), values.into()) }
            }
            Self::Compares(path, compare, operand) => match machine.value(&operand.code)? {
                Value::Blank => Filter::Never,
                value => Filter::Compares(path.clone(), *compare, value),
            },
            Self::Blank(path) => Filter::Blank(path.clone()),
            Self::And(parts) => join(parts, machine, &Filter::Never, Filter::And)?,
            Self::Or(parts) => join(parts, machine, &Filter::All, Filter::Or)?,
            Self::Not(inner) => match inner.fill(machine)? {
                Filter::All => Filter::Never,
                Filter::Never => Filter::All,
                Filter::Is(path, value) => Filter::IsNot(path, value),
                Filter::Blank(path) => Filter::Filled(path),
                other => Filter::Not(Box::new(other)),
            },
        })
    }

    /// Is what stands behind it asked only when it says so?
    fn decides(&self) -> bool {
        match self {
            Self::Test(_) => true,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::decides),
            Self::Not(inner) => inner.decides(),
            _ => false,
        }
    }

    /// The expressions in it.
    pub(crate) fn each_code<'a>(&'a self, see: &mut dyn FnMut(&'a Code)) {
        match self {
            Self::All | Self::Blank(_) => {}
            Self::Test(code) => see(code),
            Self::Is(_, operand) | Self::In(_, operand) | Self::Compares(_, _, operand) => see(&operand.code),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.each_code(see)),
            Self::Not(inner) => inner.each_code(see),
        }
    }

    /// The expressions whose values tell the searched thing from others, in order.
    pub(crate) fn each_identifying<'a>(&'a self, see: &mut dyn FnMut(&'a Code)) {
        match self {
            Self::All | Self::Blank(_) | Self::Test(_) => {}
            Self::Is(_, operand) | Self::In(_, operand) | Self::Compares(_, _, operand) => {
                if operand.identifies {
                    see(&operand.code);
                }
            }
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.each_identifying(see)),
            Self::Not(inner) => inner.each_identifying(see),
        }
    }

    /// The values that rows are compared with.
    pub(crate) fn each_operand(&mut self, see: &mut dyn FnMut(&mut Operand)) {
        match self {
            Self::All | Self::Blank(_) | Self::Test(_) => {}
            Self::Is(_, operand) | Self::In(_, operand) | Self::Compares(_, _, operand) => see(operand),
            Self::And(parts) | Self::Or(parts) => parts.iter_mut().for_each(|part| part.each_operand(see)),
            Self::Not(inner) => inner.each_operand(see),
        }
    }

    /// The paths of the row that it looks at, in order, each once.
    pub(crate) fn paths(&self) -> Vec<Arc<str>> {
        let mut paths = Vec::new();
        self.collect_paths(&mut paths);
        paths
    }

    fn collect_paths(&self, paths: &mut Vec<Arc<str>>) {
        match self {
            Self::All | Self::Test(_) => {}
            Self::Is(path, _) | Self::In(path, _) | Self::Compares(path, ..) | Self::Blank(path) => {
                if !paths.contains(path) {
                    paths.push(path.clone());
                }
            }
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect_paths(paths)),
            Self::Not(inner) => inner.collect_paths(paths),
        }
    }
}

fn all_if(yes: bool) -> Filter {
    if yes { Filter::All } else { Filter::Never }
}

/// Parts in order until one settles it (`Never` among `and`, `All` among `or`). A part whose values are still to come
/// does not keep the later ones from asking for theirs, unless it decides whether they are asked at all.
fn join<W: World>(
    parts: &[Template],
    machine: &mut Machine<'_, W>,
    settles: &Filter,
    make: fn(Vec<Filter>) -> Filter,
) -> Result<Filter, Stop> {
    let mut waiting = Waiting::default();
    let mut filters = Vec::with_capacity(parts.len());
    for part in parts {
        match waiting.take(part.fill(machine))? {
            None if part.decides() => return Err(Stop::Waits),
            Some(filter) if filter == *settles => {
                waiting.done()?;
                return Ok(filter);
            }
            None | Some(Filter::All | Filter::Never) => {}
            Some(filter) => filters.push(filter),
        }
    }
    waiting.done()?;
    Ok(match filters.len() {
        0 if *settles == Filter::Never => Filter::All,
        0 => Filter::Never,
        1 => filters.pop().unwrap_or(Filter::All),
        _ => make(filters),
    })
}

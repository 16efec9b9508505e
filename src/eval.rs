//! Decides: plan, record and rows so far in; wanted reads or a decision out.
//!
//! Pure and synchronous. When reads are missing it returns *all* that can be known now, so that a whole page of
//! records is asked for in a few calls. The outcome is that of reading the file downwards.

mod decide;
mod ensure;
mod fast;
pub mod lines;
pub mod output;
mod search;
pub mod testing;
#[cfg(test)]
mod tests;
mod update;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use jiff::civil::Date;

use self::decide::{Deciding, machine};
use crate::{
    check::typed::{Expr, ExprKind},
    plan::{Plan, Point, code::Lowered, compute::Stop},
    value::{Ask, Decision, EntityName, Node, Reason, Record, Value, Verdict},
};

/// Rows so far, by what was asked. An ask that is not in here has not been answered yet.
#[derive(Debug, Clone, Default)]
pub struct Reads(pub HashMap<Ask, Arc<[Record]>>);

/// What a decision depends on besides the record and the rows.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// `today()`: the Amsterdam date when this decision began.
    pub today: Date,
    /// Keys of this record's writes and ensures that are confirmed already, by name: they are not decided again.
    pub confirmed: &'a BTreeMap<Arc<str>, Value>,
    /// What koppel last left at the targets, for fields that no read shows.
    pub left: &'a dyn Left,
}

/// What koppel last left in the fields of a target.
pub trait Left: std::fmt::Debug {
    /// Compares what stands (or would be sent) at a written path with what koppel last left there: a value, or a
    /// whole list of line objects.
    fn compare(&self, entity: &EntityName, key: &Value, path: &str, node: &Node) -> Remembered;

    /// Compares what the target shows of a written path with how it showed what koppel left there.
    fn shown(&self, entity: &EntityName, key: &Value, path: &str, value: &Value) -> Remembered {
        self.compare(entity, key, path, &Node::Value(value.clone()))
    }
}

/// What is known of a field that koppel may have written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remembered {
    /// It is what koppel left there.
    Same,
    /// Koppel left something else there.
    Different,
    /// Koppel never wrote it.
    Never,
}

/// Koppel wrote nothing yet.
#[derive(Debug, Clone, Copy)]
pub struct NothingLeft;

impl Left for NothingLeft {
    fn compare(&self, _: &EntityName, _: &Value, _: &str, _: &Node) -> Remembered {
        Remembered::Never
    }
}

/// One step of deciding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// These reads are missing; call again with their rows.
    Wants(Vec<Ask>),
    /// Done.
    Decided(Decision),
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoValue {
    /// These reads are missing; call again with their rows.
    Wants(Vec<Ask>),
    /// It ends the record.
    Ends(Verdict, Reason),
    /// It is no `expect` of the plan's program.
    Unknown,
}

impl std::fmt::Display for NoValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Wants(_) => f.write_str("a read that nothing answers"),
            Self::Ends(_, reason) => write!(f, "\"{}\" ({})", reason.text, reason.place),
            Self::Unknown => f.write_str("nothing"),
        }
    }
}

/// Decides one record with the rows that are there.
#[must_use]
pub fn step(plan: &Plan, record: &Record, reads: &Reads, moment: Moment<'_>) -> Step {
    watched_step(plan, record, reads, moment).0
}

/// What was come by of a plan that is watched; nothing of another.
type Seen = BTreeSet<Point>;

fn watched_step(plan: &Plan, record: &Record, reads: &Reads, moment: Moment<'_>) -> (Step, Seen) {
    let mut machine = machine(plan, Some(record), reads, moment);
    let result = decide::decide(&mut machine, plan);
    decided(machine.world, result)
}

fn decided(world: Deciding<'_>, result: Result<(), Stop>) -> (Step, Seen) {
    let Deciding { wants, warnings, ensured, writes, seen, .. } = world;
    let step = match result {
        Ok(()) => Step::Decided(Decision { outcome: crate::value::Outcome::Writes(writes), warnings, ensured }),
        Err(Stop::Waits) => Step::Wants(wants.into_iter().collect()),
        Err(Stop::Ends(ended)) => Step::Decided(decide::ended(*ended, warnings)),
    };
    (step, seen)
}

/// The writes of a plan that a stage follows, by name.
pub fn stages(plan: &Plan) -> impl Iterator<Item = &Arc<str>> {
    plan.lowered.stages.iter().map(|stage| &stage.name)
}

/// Does a stage follow a write of this name in that stage (empty: in the flow itself)?
#[must_use]
pub fn followed(plan: &Plan, stage: &str, write: &str) -> bool {
    plan.lowered.stages.iter().any(|own| *own.name == *write && *own.behind == *stage)
}

/// The stages that were over before the one behind a write began, the latest first; the flow itself comes before all.
pub fn stages_before<'p>(plan: &'p Plan, write: &str) -> Vec<&'p Arc<str>> {
    before(&plan.lowered, write)
}

fn before<'p>(lowered: &'p Lowered, write: &str) -> Vec<&'p Arc<str>> {
    // A stage stands behind an earlier one, so that this ends.
    let behind = |name: &str| lowered.stages.iter().find(|stage| *stage.name == *name).map(|stage| &stage.behind);
    std::iter::successors(behind(write), |name| behind(name)).take_while(|name| !name.is_empty()).collect()
}

/// Decides the stage behind a confirmed write, with the record as it is now; `confirmed` of the moment holds the keys
/// of the first stage. Guards of column 0 are not judged again.
#[must_use]
pub fn step_after(plan: &Plan, write: &str, record: &Record, reads: &Reads, moment: Moment<'_>) -> Step {
    watched_step_after(plan, write, record, reads, moment).0
}

fn watched_step_after(plan: &Plan, write: &str, record: &Record, reads: &Reads, moment: Moment<'_>) -> (Step, Seen) {
    let mut machine = machine(plan, Some(record), reads, moment);
    let result = decide::after(&mut machine, write);
    decided(machine.world, result)
}

/// The confirmed names that this decision still comes to, of the flow itself (an empty stage) or of the stage behind a
/// write. One that is missing here is of a write that the flow no longer makes for this record: it changed half-way.
#[must_use]
pub fn passed_over(plan: &Plan, stage: &str, record: &Record, reads: &Reads, moment: Moment<'_>) -> BTreeSet<Arc<str>> {
    let mut machine = machine(plan, Some(record), reads, moment);
    // However it ends: what it came to until then is what counts.
    let _ = if stage.is_empty() { decide::decide(&mut machine, plan) } else { decide::after(&mut machine, stage) };
    machine.world.passed
}

/// The value of an `expect` of the plan's program, once the record is decided: names of the flow stand for what they
/// are then, the name of a create or ensure for its key.
///
/// # Errors
/// Reads are missing, or the expression ends the record.
pub fn evaluate(
    plan: &Plan,
    expr: &Expr,
    record: Option<&Record>,
    reads: &Reads,
    moment: Moment<'_>,
) -> Result<Value, NoValue> {
    watched_value(plan, expr, record, reads, moment).map(|(value, _)| value)
}

fn watched_value(
    plan: &Plan,
    expr: &Expr,
    record: Option<&Record>,
    reads: &Reads,
    moment: Moment<'_>,
) -> Result<(Value, Seen), NoValue> {
    if let ExprKind::Const(value) = &expr.kind {
        return Ok((value.clone(), Seen::new()));
    }
    let number = plan.expects.iter().position(|span| *span == expr.span);
    let code = number.and_then(|number| plan.lowered.expects.get(number)).ok_or(NoValue::Unknown)?;
    let mut machine = machine(plan, record, reads, moment);
    // Deciding fills the keys of writes in; where it ends, what was filled in until then stands.
    if record.is_some() {
        let _ = decide::decide(&mut machine, plan);
    }
    match machine.value(code) {
        Ok(value) => Ok((value, machine.world.seen)),
        Err(Stop::Waits) => Err(NoValue::Wants(machine.world.wants.into_iter().collect())),
        Err(Stop::Ends(ended)) => Err(NoValue::Ends(ended.0, ended.1)),
    }
}

/// Is this record among those that the source is asked for? The part of its condition that no filter can say.
///
/// # Errors
/// The condition ends the record.
pub fn admits(plan: &Plan, record: &Record, today: Date) -> Result<bool, Reason> {
    if plan.source.as_ref().is_some_and(|source| !source.filter.matches(record)) {
        return Ok(false);
    }
    let Some(residual) = &plan.lowered.source_residual else { return Ok(true) };
    let (reads, confirmed) = (Reads::default(), BTreeMap::new());
    let mut machine = machine(plan, Some(record), &reads, Moment { today, confirmed: &confirmed, left: &NothingLeft });
    match machine.applies(Some(residual)) {
        Ok(admits) => Ok(admits),
        // A source condition has nothing to wait for: it sees its record only.
        Err(Stop::Waits) => Ok(true),
        Err(Stop::Ends(ended)) => Err(ended.1),
    }
}

/// The questions whose rows belong to a record's content, each with the name of its `find all`.
#[must_use]
pub fn content_asks(plan: &Plan, record: &Record, today: Date) -> Vec<(Arc<str>, Ask)> {
    // Asked for every record of every poll, also when nothing changed: most flows have no such search.
    if plan.content.is_empty() {
        return Vec::new();
    }
    let (reads, confirmed) = (Reads::default(), BTreeMap::new());
    let mut machine = machine(plan, Some(record), &reads, Moment { today, confirmed: &confirmed, left: &NothingLeft });
    let mut asks = Vec::new();
    for var in &plan.content {
        // What else it wants or how it ends is told when the record is decided.
        let _ = machine.slot(*var);
        if let crate::plan::code::Definition::Find(find) = plan.lowered.definition(*var)
            && let Some((_, ask)) = machine.world.asked.iter().rfind(|(row, _)| *row == find.search.row)
        {
            let name = plan.program.vars.get(var.0 as usize).map_or("", |var| &*var.name);
            asks.push((format!("find {name}").into(), ask.clone()));
        }
    }
    asks
}

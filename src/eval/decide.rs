//! Statements in their order: guards and ensures of column 0, then writes and loops.
//!
//! While something waits for rows, what stands below is looked at only for what it wants: its trouble does not count,
//! and nothing behind an undecided `when` is looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use indexmap::IndexSet;

use super::{Left, Moment, Reads};
use crate::{
    check::typed::VarId,
    plan::{
        Plan, Point,
        code::{EachCode, EnsureCode, FindCode, GuardCode, Search, StmtCode},
        compute::{Machine, Place, Stop, Waiting, World},
    },
    value::{Ask, Decision, Ensured, EntityName, Outcome, Reason, Record, Value, Verdict, Write},
};

/// The machine of one decision.
pub(super) type Decider<'a, 'w> = Machine<'a, Deciding<'w>>;

/// What one decision knows and has found out so far.
#[derive(Debug)]
pub(crate) struct Deciding<'a> {
    pub(super) reads: &'a Reads,
    pub(super) confirmed: &'a BTreeMap<Arc<str>, Value>,
    pub(super) left: &'a dyn Left,
    /// The record in hand and its entity.
    pub(super) record: Option<(&'a EntityName, Record)>,
    /// Missing reads, each once.
    pub(super) wants: IndexSet<Ask>,
    pub(super) warnings: Vec<Reason>,
    pub(super) ensured: Vec<Ensured>,
    pub(super) writes: Vec<Write>,
    /// Confirmed names that the flow still comes to.
    pub(super) passed: BTreeSet<Arc<str>>,
    /// Positions in the loops of statements around, from 1.
    pub(super) rounds: Vec<usize>,
    /// What each search of an ensure asked, by its row.
    pub(super) asked: Vec<(VarId, Ask)>,
    /// Creates of ensures by recognition key: equal keys are one create.
    pub(super) created: Vec<Created>,
    /// What was come by of a plan that is watched.
    pub(super) seen: BTreeSet<Point>,
}

/// A create that an ensure chose.
#[derive(Debug)]
pub(super) struct Created {
    pub(super) role: Arc<str>,
    pub(super) family: Arc<str>,
    pub(super) key: Value,
    pub(super) name: Arc<str>,
    pub(super) value: Value,
}

impl World for Deciding<'_> {
    fn rows(machine: &mut Machine<'_, Self>, search: &Search) -> Result<Arc<[Record]>, Stop> {
        super::search::rows(machine, search)
    }

    fn find(machine: &mut Machine<'_, Self>, find: &FindCode) -> Result<Value, Stop> {
        super::search::find(machine, find)
    }

    fn ensure(machine: &mut Machine<'_, Self>, ensure: &EnsureCode) -> Result<Value, Stop> {
        super::ensure::ensure(machine, ensure)
    }

    /// A write that did not apply, a name whose line did not run.
    fn unset(_: &Machine<'_, Self>, _: VarId) -> Result<Value, Stop> {
        Ok(Value::Blank)
    }

    fn seen(machine: &mut Machine<'_, Self>, point: Point) {
        machine.world.seen.insert(point);
    }
}

/// A machine for one record.
pub(super) fn machine<'a>(
    plan: &'a Plan,
    record: Option<&Record>,
    reads: &'a Reads,
    moment: Moment<'a>,
) -> Decider<'a, 'a> {
    let world = Deciding {
        reads,
        confirmed: moment.confirmed,
        left: moment.left,
        record: plan.source.as_ref().zip(record).map(|(source, record)| (&source.name, record.clone())),
        wants: IndexSet::new(),
        warnings: Vec::new(),
        ensured: Vec::new(),
        writes: Vec::new(),
        passed: BTreeSet::new(),
        rounds: Vec::new(),
        asked: Vec::new(),
        created: Vec::new(),
        seen: BTreeSet::new(),
    };
    let mut machine = Machine::new(&plan.lowered, &plan.sources, Some(moment.today), world);
    if let Some((var, record)) = plan.lowered.record.zip(record) {
        machine.set(var, Value::Record(record.clone()));
    }
    machine
}

/// The whole flow, from the top.
pub(super) fn decide(machine: &mut Decider<'_, '_>, plan: &Plan) -> Result<(), Stop> {
    let lowered = machine.lowered();
    if !machine.applies(lowered.source_residual.as_ref())? {
        let span = plan.program.source.as_ref().map_or(crate::diagnostic::Span::NONE, |source| source.span);
        let text = "the `where` of the source leaves it out";
        return Err(machine.ends(Verdict::Skip, span, text.to_owned(), text.to_owned()));
    }
    let mut waiting = Waiting::default();
    for stmt in lowered.guards.iter().chain(&lowered.blocks) {
        waiting.take(statement(machine, stmt))?;
    }
    waiting.done()
}

/// The stages behind a write: the keys of the stages before it are in their places, nothing of it is decided again.
pub(super) fn after(machine: &mut Decider<'_, '_>, write: &str) -> Result<(), Stop> {
    let lowered = machine.lowered();
    let before = super::before(lowered, write);
    let stages = lowered.stages.iter().filter(|stage| before.contains(&&stage.name));
    for stmt in lowered.blocks.iter().chain(stages.flat_map(|stage| &stage.body)) {
        if let StmtCode::Write(code) = stmt {
            let key = machine.world.confirmed.get(&code.name).cloned().unwrap_or_default();
            machine.set(code.var, key);
        }
    }
    let mut waiting = Waiting::default();
    for stage in lowered.stages.iter().filter(|stage| *stage.name == *write) {
        let Some(applies) = waiting.take(machine.applies(stage.when.as_ref()))? else { continue };
        for stmt in stage.body.iter().filter(|_| applies) {
            waiting.take(statement(machine, stmt))?;
        }
    }
    waiting.done()
}

/// The decision of a record that ended early.
pub(super) fn ended((verdict, reason): (Verdict, Reason), warnings: Vec<Reason>) -> Decision {
    let (outcome, warnings) = match verdict {
        Verdict::Skip => (Outcome::Skip(reason), Vec::new()),
        Verdict::Hold => (Outcome::Hold(reason), warnings),
        // `warn` ends nothing; as an outcome it would be a fault of the checker, and is not lost.
        Verdict::Fail | Verdict::Warn => (Outcome::Fail(reason), warnings),
    };
    Decision { outcome, warnings, ensured: Vec::new() }
}

fn statement(machine: &mut Decider<'_, '_>, stmt: &StmtCode) -> Result<(), Stop> {
    match stmt {
        StmtCode::Guard(code) => guard(machine, code),
        StmtCode::Ensure(number) => ensure(machine, *number),
        StmtCode::Write(write) => super::write::write(machine, write),
        StmtCode::Each(code) => {
            let mut waiting = Waiting::default();
            rounds(machine, code, &mut waiting, |machine, waiting| {
                for stmt in &code.body {
                    waiting.take(statement(machine, stmt))?;
                }
                Ok(())
            })?;
            waiting.done()
        }
    }
}

/// One guard: the record ends, is warned of, or goes on.
pub(super) fn guard(machine: &mut Decider<'_, '_>, guard: &GuardCode) -> Result<(), Stop> {
    if !machine.applies(guard.when.as_ref())? {
        return Ok(());
    }
    let reason = machine.reason(&guard.message)?;
    if guard.verdict == Verdict::Warn {
        machine.world.warnings.push(reason);
        return Ok(());
    }
    Err(Stop::Ends(Box::new((guard.verdict, reason))))
}

/// An ensure where it stands: its value is in its place afterwards.
pub(super) fn ensure(machine: &mut Decider<'_, '_>, number: usize) -> Result<(), Stop> {
    let lowered = machine.lowered();
    let Some(ensure) = lowered.ensures.get(number) else { return Ok(()) };
    if let Place::Empty = machine.place(ensure.var) {
        let result = super::ensure::ensure(machine, ensure);
        machine.put(ensure.var, result.map_or_else(Place::Stopped, Place::Value));
    }
    machine.slot(ensure.var).map(|_| ())
}

/// The rounds of a loop of statements or lines; the position counts elements that the filter leaves out, too.
pub(super) fn rounds<'a, 'w, T>(
    machine: &mut Decider<'a, 'w>,
    each: &EachCode<T>,
    waiting: &mut Waiting,
    mut body: impl FnMut(&mut Decider<'a, 'w>, &mut Waiting) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let Some(list) = waiting.take(machine.value(&each.list))? else { return Ok(()) };
    for (index, element) in list.as_list().iter().enumerate() {
        machine.clear(&each.own);
        machine.set(each.var, element.clone());
        machine.world.rounds.push(index + 1);
        let round = match waiting.take(machine.applies(each.when.as_ref())) {
            Ok(Some(true)) => body(machine, waiting),
            Ok(_) => Ok(()),
            Err(stop) => Err(stop),
        };
        machine.world.rounds.pop();
        round?;
    }
    Ok(())
}

impl Deciding<'_> {
    /// A name within `depth` loops: `name#n`.
    pub(super) fn name(&self, name: &Arc<str>, depth: usize) -> Arc<str> {
        if depth == 0 {
            return name.clone();
        }
        let mut full = name.to_string();
        for position in self.rounds.iter().take(depth) {
            let _ = write!(full, "#{position}");
        }
        full.into()
    }
}

//! Runs the tests that stand in flows: what is given becomes rows, the decision is compared with what is expected.
//!
//! Takes a checked program and the settings that tests see, gives one [`Outcome`] a test, and what of the program the
//! tests reach. Pure: samples are in the program already, the day is an input. Uses the same plan and evaluator as a
//! real run; what is reached comes of a second plan, made to be watched, so that a run pays nothing for it.

mod again;
mod compare;
mod literal;
mod origin;
mod suggest;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::civil::Date;

use super::{Moment, NoValue, NothingLeft, Reads, Seen, Step, admits, watched_step, watched_step_after, watched_value};
use crate::{
    check::typed::{ExpectFields, ExpectKind, Expr, Given, Program, Test},
    diagnostic::{Sources, Span},
    plan::{self, Plan, Point, Points, SettingValues, SourcePlan},
    schema::{Catalog, Projection},
    value::{self, Action, Decision, EntityName, Record, Value, Write},
};
use again::Memory;
pub use suggest::Suggested;
pub(super) use world::World;

/// What came of one test.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its name.
    pub name: Arc<str>,
    /// Its place.
    pub span: Span,
    /// What was not as expected; none = passed.
    pub failures: Vec<Failure>,
}

/// One line of a test that did not come true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The line.
    pub span: Span,
    /// In the reader's words: expected and got.
    pub text: String,
    /// The field of a write that it is about, if it is about one.
    pub field: Option<Box<FieldFailure>>,
}

/// A field of a write that is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFailure {
    /// The `expect` that it stands in.
    pub expect: Span,
    /// `create afas.FbSales`
    pub write: String,
    /// `Lines.ItCd`
    pub path: String,
    /// As a flow would write it.
    pub expected: String,
    /// Likewise.
    pub got: String,
    /// The lines of the flow that give this field.
    pub lines: Vec<Span>,
}

/// What the tests of a program reach of it.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// All that can be reached.
    pub points: Points,
    /// What a test reached, in its first run or in a stage behind it.
    pub reached: BTreeSet<Point>,
}

/// What a test came to.
#[derive(Debug, Default)]
pub struct Trial {
    /// What was not as expected.
    pub failures: Vec<Failure>,
    /// The decision, then those of the stages behind it; none when nothing was decided.
    pub decisions: Vec<Decision>,
    /// The keys that its writes would be given, by name.
    pub keys: BTreeMap<Arc<str>, Value>,
    /// What was reached, where the plan is watched.
    pub reached: BTreeSet<Point>,
}

/// What all tests of a program have in common.
#[derive(Debug, Clone, Copy)]
pub struct Bench<'a> {
    /// The program.
    pub program: &'a Arc<Program>,
    /// Its texts.
    pub sources: &'a Sources,
    /// The entities.
    pub catalog: &'a Catalog,
    /// Those of `[test.settings]`; a test may give others.
    pub settings: &'a SettingValues,
}

/// The day on which tests run unless they give another one.
const TODAY: Date = Date::constant(2026, 1, 15);

/// Runs all tests of a program. `settings` are those of `[test.settings]`; a test may give others.
#[must_use]
pub fn run(program: &Arc<Program>, sources: &Sources, catalog: &Catalog, settings: &SettingValues) -> Vec<Outcome> {
    Bench { program, sources, catalog, settings }.run()
}

impl Bench<'_> {
    fn run(&self) -> Vec<Outcome> {
        let run_one = |test: &Test| {
            let failures = match self.trial(test, false) {
                Ok(trial) => trial.failures,
                Err(failure) => vec![failure],
            };
            Outcome { name: test.name.clone(), span: test.span, failures }
        };
        self.program.tests.iter().map(run_one).collect()
    }

    /// What the tests of which `counts` says yes reach. A test that cannot be run reaches nothing.
    #[must_use]
    pub fn coverage(&self, counts: &dyn Fn(&Test) -> bool) -> Coverage {
        let points = plan::points(self.program, self.sources, self.settings);
        let tests = self.program.tests.iter().filter(|test| counts(test));
        let reached = tests.filter_map(|test| self.trial(test, true).ok()).flat_map(|trial| trial.reached).collect();
        Coverage { points, reached }
    }

    /// One test of the program, or one that is like them.
    ///
    /// # Errors
    /// The first line that makes it impossible to decide anything.
    pub fn trial(&self, test: &Test, watched: bool) -> Result<Trial, Failure> {
        let Self { program, sources, catalog, .. } = *self;
        let mut settings = self.settings.clone();
        let constant = |settings: &SettingValues, today, expr: &Expr| {
            plan::evaluate_constant(program, settings, today, expr).map_err(|why| fail(expr.span, why))
        };
        let mut today = TODAY;
        for given in &test.givens {
            match given {
                Given::Setting(id, expr) => {
                    let Some(setting) = program.settings.get(id.0 as usize) else { continue };
                    let value = constant(&settings, today, expr)?;
                    settings.insert((setting.owner.clone(), setting.name.clone()), value);
                }
                Given::Today(expr) => {
                    if let Value::Date(day) = constant(&settings, today, expr)? {
                        today = day;
                    }
                }
                _ => {}
            }
        }
        let plan = if watched {
            plan::build_watched(program, sources, &settings)
        } else {
            plan::build(program.clone(), sources, &settings)
        };
        let told = |errors: Vec<plan::PlanError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let plan = plan.map_err(|errors| fail(test.span, told(errors)))?;
        let constant = |expr: &Expr| constant(&settings, today, expr);
        let world = World::new(program, catalog, &test.givens, today, &constant)?;
        tried(test, &plan, world, today, &constant)
    }
}

fn fail(span: Span, text: impl Into<String>) -> Failure {
    Failure { span, text: text.into(), field: None }
}

/// A test on its plan, in the world that it gives.
fn tried(
    test: &Test,
    plan: &Plan,
    mut world: World<'_>,
    today: Date,
    constant: &dyn Fn(&Expr) -> Result<Value, Failure>,
) -> Result<Trial, Failure> {
    let Some(record) = &world.record else { return Ok(expressions_only(test, plan, today)) };
    let mut reads = Reads::default();
    let Some(source) = &plan.source else {
        return Err(fail(test.span, "this file reads nothing, so a test cannot give it a record"));
    };
    let is_read = admits(plan, record, today).map_err(|reason| fail(test.span, reason.text.to_string()))?;
    let mut failures = Vec::new();
    if let Some(expect) = test.expects.iter().find(|expect| matches!(expect.kind, ExpectKind::NoRead)) {
        if is_read {
            failures
                .push(fail(expect.span, "expected that this record is not read; the `where` of the source lets it in"));
        }
    } else if !is_read {
        return Err(fail(test.span, "the `where` of the source leaves this record out, so nothing is decided"));
    }
    if !is_read {
        return Ok(Trial { failures, ..Trial::default() });
    }
    let now = Now { plan, today, span: test.span };
    let in_hand = projected(source, record);
    let nothing = BTreeMap::new();
    let moment = Moment { today, confirmed: &nothing, left: &NothingLeft };
    let (first, mut reached) = decide(&now, &world, &mut reads, |reads| watched_step(plan, &in_hand, reads, moment))?;
    let mut keys = generated_keys(&first, &BTreeMap::new());
    let given = world.clone();
    let (mut memory, mut decisions) = (Memory::default(), vec![first]);
    let made = again::apply(&mut world, plan, written(&decisions), &keys, &mut memory);
    computed(test, &mut world, &made, constant)?;
    for (decision, seen) in stages(&now, source, &mut world, &mut memory, &decisions, &mut keys)? {
        decisions.push(decision);
        reached.extend(seen);
    }
    // A second run is a proof of its own: what only it comes by, nobody expected anything of.
    failures.extend(second_run(&now, source, &world, &memory, &decisions, &keys)?);

    let (world, record) = (given, in_hand);
    let moment = Moment { today, confirmed: &keys, left: &NothingLeft };
    let mut value_of = |expr: &Expr| {
        let (value, seen) = world.value_of(plan, expr, &record, &mut reads, moment)?;
        reached.extend(seen);
        Ok(value)
    };
    let mut blocks: BTreeMap<(&EntityName, bool), Vec<(Span, &ExpectFields)>> = BTreeMap::new();
    for expect in &test.expects {
        if let ExpectKind::Write(action, entity, fields) = &expect.kind {
            blocks.entry((entity, *action == Action::Create)).or_default().push((expect.span, fields));
        }
        failures.extend(compare::expectation(expect, &decisions, &mut value_of));
    }
    for ((entity, create), blocks) in blocks {
        let action = if create { Action::Create } else { Action::Update };
        let lines = |path: &str| origin::lines(&plan.program, action, entity, path);
        let asked = compare::Asked { action, entity, lines: &lines };
        failures.extend(compare::writes(&blocks, &asked, &decisions, &keys, &mut value_of));
    }
    failures.sort_by_key(|failure| failure.span);
    Ok(Trial { failures, decisions, keys, reached })
}

/// The tests of a library: conditions over its functions and tables.
fn expressions_only(test: &Test, plan: &Plan, today: Date) -> Trial {
    let reads = Reads::default();
    let nothing = BTreeMap::new();
    let moment = Moment { today, confirmed: &nothing, left: &NothingLeft };
    let mut trial = Trial::default();
    for expect in &test.expects {
        let ExpectKind::Holds(expr) = &expect.kind else {
            trial.failures.push(fail(
                expect.span,
                "nothing is given, so nothing is decided: give the record that the flow reads",
            ));
            continue;
        };
        let mut value_of = |expr: &Expr| -> Result<Value, NoValue> {
            let (value, seen) = watched_value(plan, expr, None, &reads, moment)?;
            trial.reached.extend(seen);
            Ok(value)
        };
        let value = value_of(expr);
        let failure = compare::holds(expr, value, expect.span, &mut value_of);
        trial.failures.extend(failure);
    }
    trial
}

/// What all decisions of one test share.
struct Now<'a> {
    plan: &'a Plan,
    today: Date,
    span: Span,
}

/// The record as a real read would have decoded it.
fn projected(source: &SourcePlan, record: &Record) -> Record {
    let projection = source.entity.read.as_ref().map(|read| Projection::new(&read.object, &source.fields));
    projection.map_or_else(|| record.clone(), |projection| world::project(record, &projection))
}

/// The writes of the first stage.
fn written(decisions: &[Decision]) -> &[Write] {
    decisions.first().map_or(&[], compare::writes_of)
}

/// Puts what `given after` says into the rows that were made.
fn computed(
    test: &Test,
    world: &mut World<'_>,
    made: &again::Made,
    constant: &dyn Fn(&Expr) -> Result<Value, Failure>,
) -> Result<(), Failure> {
    for given in &test.givens {
        let Given::After { name, fields, span } = given else { continue };
        let mut rows = made.iter().filter(|(entity, _)| entity == name).peekable();
        if rows.peek().is_none() {
            return Err(fail(*span, format!("no write of this test makes a row of {name}")));
        }
        for (_, at) in rows {
            world.compute(name, *at, fields, constant)?;
        }
    }
    Ok(())
}

/// The stages behind the writes that were made, with what they leave.
fn stages(
    now: &Now<'_>,
    source: &SourcePlan,
    world: &mut World<'_>,
    memory: &mut Memory,
    decisions: &[Decision],
    keys: &mut BTreeMap<Arc<str>, Value>,
) -> Result<Vec<(Decision, Seen)>, Failure> {
    let mut names: Vec<&Arc<str>> = super::stages(now.plan).collect();
    names.dedup();
    let mut decided: Vec<(&Arc<str>, Decision, Seen)> = Vec::new();
    for name in names {
        let follows = |write: &Write| write.name == *name || write.ensure.as_ref() == Some(name);
        let behind = match super::stages_before(now.plan, name).first() {
            None => written(decisions),
            Some(stage) => {
                let before = decided.iter().find(|(own, ..)| own == stage);
                before.map_or(&[][..], |(_, decision, _)| compare::writes_of(decision))
            }
        };
        if !behind.iter().any(follows) {
            continue;
        }
        let Some(record) = world.record.as_ref().map(|record| projected(source, record)) else { continue };
        let (decision, seen) = decide(now, world, &mut Reads::default(), |reads| {
            let moment = Moment { today: now.today, confirmed: keys, left: memory };
            watched_step_after(now.plan, name, &record, reads, moment)
        })?;
        for (name, key) in generated_keys(&decision, keys) {
            keys.entry(name).or_insert(key);
        }
        again::apply(world, now.plan, compare::writes_of(&decision), keys, memory);
        decided.push((name, decision, seen));
    }
    Ok(decided.into_iter().map(|(_, decision, seen)| (decision, seen)).collect())
}

/// The same record once more, as if it had changed, on what the first run left: it must write nothing.
fn second_run(
    now: &Now<'_>,
    source: &SourcePlan,
    world: &World<'_>,
    memory: &Memory,
    decisions: &[Decision],
    keys: &BTreeMap<Arc<str>, Value>,
) -> Result<Option<Failure>, Failure> {
    let first = written(decisions);
    let Some(record) = world.record.as_ref().filter(|_| !first.is_empty()) else { return Ok(None) };
    if !admits(now.plan, record, now.today).unwrap_or(false) {
        return Ok(None);
    }
    let record = projected(source, record);
    let nothing = BTreeMap::new();
    let (decision, _) = decide(now, world, &mut Reads::default(), |reads| {
        watched_step(now.plan, &record, reads, Moment { today: now.today, confirmed: &nothing, left: memory })
    })?;
    Ok(again::once_more(world, first, keys, compare::writes_of(&decision), now.span))
}

/// Decides with the given rows: asks are answered until a decision comes out.
fn decide(
    now: &Now<'_>,
    world: &World<'_>,
    reads: &mut Reads,
    step: impl Fn(&Reads) -> (Step, Seen),
) -> Result<(Decision, Seen), Failure> {
    world.decide(reads, step).map_err(|text| fail(now.span, text))
}

/// The keys that the target would give: `new-1`, `new-2` in the order of the creates; an own number or a key that the
/// body sets stays what it is. Those that are given already are given to nothing else.
fn generated_keys(decision: &Decision, given: &BTreeMap<Arc<str>, Value>) -> BTreeMap<Arc<str>, Value> {
    let mut keys = BTreeMap::new();
    let value::Outcome::Writes(writes) = &decision.outcome else { return keys };
    let mut next = 0;
    for write in writes.iter().filter(|write| write.action == value::Action::Create) {
        let own = write.gives.as_ref().and_then(|gives| write.fields.value(gives)).cloned();
        let key = own.unwrap_or_else(|| {
            loop {
                next += 1;
                let new = Value::text(&format!("new-{next}"));
                if given.values().all(|key| *key != new) {
                    return new;
                }
            }
        });
        keys.insert(write.name.clone(), key.clone());
        let ensures = decision
            .ensured
            .iter()
            .filter(|ensured| matches!(&ensured.chosen, value::Chosen::Create(name) if *name == write.name));
        for ensured in ensures {
            keys.insert(ensured.name.clone(), key.clone());
        }
    }
    keys
}

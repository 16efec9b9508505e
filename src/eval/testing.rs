//! Runs the tests that stand in flows: what is given becomes rows, the decision is compared with what is expected.
//!
//! Takes a checked program and the settings that tests see, gives one [`Outcome`] a test. Pure: samples are in the
//! program already, the day is an input. Uses the same plan and evaluator as a real run.

mod again;
mod compare;
mod world;

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;

use super::{Moment, NothingLeft, Reads, Step, admits, evaluate, step, step_after};
use crate::{
    check::typed::{ExpectFields, ExpectKind, Expr, Given, Program, Test},
    diagnostic::{Sources, Span},
    plan::{self, Plan, SettingValues, SourcePlan},
    schema::{Catalog, Projection},
    value::{self, Action, Decision, EntityName, Record, Value, Write},
};
use again::Memory;
use world::World;

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
}

/// The day on which tests run unless they give another one.
const TODAY: Date = Date::constant(2026, 1, 15);

/// A look-up is answered from what is given; a decision that still wants reads after so many rounds is a mistake in
/// koppel, and told as one instead of running for ever.
const ROUNDS: usize = 100;

/// Runs all tests of a program. `settings` are those of `[test.settings]`; a test may give others.
#[must_use]
pub fn run(program: &Arc<Program>, sources: &Sources, catalog: &Catalog, settings: &SettingValues) -> Vec<Outcome> {
    let run_one = |test: &Test| {
        let failures = match run_test(program, sources, catalog, settings, test) {
            Ok(failures) => failures,
            Err(failure) => vec![failure],
        };
        Outcome { name: test.name.clone(), span: test.span, failures }
    };
    program.tests.iter().map(run_one).collect()
}

fn fail(span: Span, text: impl Into<String>) -> Failure {
    Failure { span, text: text.into() }
}

fn run_test(
    program: &Arc<Program>,
    sources: &Sources,
    catalog: &Catalog,
    settings: &SettingValues,
    test: &Test,
) -> Result<Vec<Failure>, Failure> {
    let mut settings = settings.clone();
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
    let plan = plan::build(program.clone(), sources, &settings)
        .map_err(|errors| fail(test.span, errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
    let mut world = World::new(program, catalog, &test.givens, today, &|expr| constant(&settings, today, expr))?;

    let Some(record) = &world.record else { return Ok(expressions_only(test, &plan, today)) };
    let mut reads = Reads::default();
    let Some(source) = &plan.source else {
        return Err(fail(test.span, "this file reads nothing, so a test cannot give it a record"));
    };
    let is_read = admits(&plan, record, today).map_err(|reason| fail(test.span, reason.text.to_string()))?;
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
        return Ok(failures);
    }
    let now = Now { plan: &plan, today, span: test.span };
    let in_hand = projected(source, record);
    let nothing = BTreeMap::new();
    let moment = Moment { today, confirmed: &nothing, left: &NothingLeft };
    let first = decide(&now, &world, &mut reads, |reads| step(&plan, &in_hand, reads, moment))?;
    let mut keys = generated_keys(&first);
    let given = world.clone();
    let (mut memory, mut decisions) = (Memory::default(), vec![first]);
    let made = again::apply(&mut world, &plan, written(&decisions), &keys, &mut memory);
    computed(test, &mut world, &made, &|expr| constant(&settings, today, expr))?;
    decisions.extend(stages(&now, source, &mut world, &mut memory, &decisions, &mut keys)?);
    failures.extend(second_run(&now, source, &world, &memory, &decisions, &keys)?);

    let (world, record) = (given, in_hand);
    let moment = Moment { today, confirmed: &keys, left: &NothingLeft };
    let value_of = |expr: &Expr, reads: &mut Reads| world.value_of(&plan, expr, &record, reads, moment);
    let mut blocks: BTreeMap<(&EntityName, bool), Vec<(Span, &ExpectFields)>> = BTreeMap::new();
    for expect in &test.expects {
        if let ExpectKind::Write(action, entity, fields) = &expect.kind {
            blocks.entry((entity, *action == Action::Create)).or_default().push((expect.span, fields));
        }
        failures.extend(compare::expectation(expect, &decisions, &mut |expr| value_of(expr, &mut reads)));
    }
    for ((entity, create), blocks) in blocks {
        let action = if create { Action::Create } else { Action::Update };
        let mut value_of = |expr: &_| value_of(expr, &mut reads);
        failures.extend(compare::writes(&blocks, action, entity, &decisions, &keys, &mut value_of));
    }
    failures.sort_by_key(|failure| failure.span);
    Ok(failures)
}

/// The tests of a library: conditions over its functions and tables.
fn expressions_only(test: &Test, plan: &Plan, today: Date) -> Vec<Failure> {
    let reads = Reads::default();
    let nothing = BTreeMap::new();
    let moment = Moment { today, confirmed: &nothing, left: &NothingLeft };
    let mut failures = Vec::new();
    for expect in &test.expects {
        let ExpectKind::Holds(expr) = &expect.kind else {
            failures.push(fail(
                expect.span,
                "nothing is given, so nothing is decided: give the record that the flow reads",
            ));
            continue;
        };
        let value = evaluate(plan, expr, None, &reads, moment);
        failures
            .extend(compare::holds(expr, value, expect.span, &mut |part| evaluate(plan, part, None, &reads, moment)));
    }
    failures
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
) -> Result<Vec<Decision>, Failure> {
    let mut names: Vec<&Arc<str>> = super::stages(now.plan).collect();
    names.dedup();
    let mut decided = Vec::new();
    for name in names {
        let follows = |write: &Write| write.name == *name || write.ensure.as_ref() == Some(name);
        if !written(decisions).iter().any(follows) {
            continue;
        }
        let Some(record) = world.record.as_ref().map(|record| projected(source, record)) else { continue };
        let decision = decide(now, world, &mut Reads::default(), |reads| {
            let moment = Moment { today: now.today, confirmed: keys, left: memory };
            step_after(now.plan, name, &record, reads, moment)
        })?;
        for (name, key) in generated_keys(&decision) {
            keys.entry(name).or_insert(key);
        }
        again::apply(world, now.plan, compare::writes_of(&decision), keys, memory);
        decided.push(decision);
    }
    Ok(decided)
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
    let decision = decide(now, world, &mut Reads::default(), |reads| {
        step(now.plan, &record, reads, Moment { today: now.today, confirmed: &nothing, left: memory })
    })?;
    Ok(again::once_more(world, first, keys, compare::writes_of(&decision), now.span))
}

/// Decides with the given rows: asks are answered until a decision comes out.
fn decide(
    now: &Now<'_>,
    world: &World<'_>,
    reads: &mut Reads,
    step: impl Fn(&Reads) -> Step,
) -> Result<Decision, Failure> {
    for _ in 0..ROUNDS {
        match step(reads) {
            Step::Decided(decision) => return Ok(decision),
            Step::Wants(asks) => {
                for ask in asks {
                    let rows = world.rows(&ask);
                    reads.0.insert(ask, rows);
                }
            }
        }
    }
    Err(fail(now.span, format!("no decision after {ROUNDS} rounds of reading: a mistake in koppel, please report it")))
}

/// The keys that the target would give: `new-1`, `new-2` in the order of the creates; an own number or a key that the
/// body sets stays what it is.
fn generated_keys(decision: &Decision) -> BTreeMap<Arc<str>, Value> {
    let mut keys = BTreeMap::new();
    let value::Outcome::Writes(writes) = &decision.outcome else { return keys };
    let mut next = 0;
    for write in writes.iter().filter(|write| write.action == value::Action::Create) {
        let own = write.gives.as_ref().and_then(|gives| write.fields.value(gives)).cloned();
        let key = own.unwrap_or_else(|| {
            next += 1;
            Value::text(&format!("new-{next}"))
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

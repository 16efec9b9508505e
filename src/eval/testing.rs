//! Runs the tests that stand in flows: what is given becomes rows, the decision is compared with what is expected.
//!
//! Takes a checked program and the settings that tests see, gives one [`Outcome`] a test. Pure: samples are in the
//! program already, the day is an input. Uses the same plan and evaluator as a real run.

mod compare;
mod world;

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;

use super::{Moment, NothingLeft, Reads, Step, admits, evaluate, step};
use crate::{
    check::typed::{ExpectFields, ExpectKind, Expr, Given, Program, Test},
    diagnostic::{Sources, Span},
    plan::{self, Plan, SettingValues},
    schema::{Catalog, Projection},
    value::{self, Action, Decision, EntityName, Record, Value},
};
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
    let world = World::new(program, catalog, &test.givens, today, &|expr| constant(&settings, today, expr))?;

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
    let projection = source.entity.read.as_ref().map(|read| Projection::new(&read.object, &source.fields));
    let record = projection.map_or_else(|| record.clone(), |projection| world::project(record, &projection));
    let decision = decide(&plan, &record, &world, &mut reads, today, test.span)?;
    let keys = generated_keys(&decision);
    let moment = Moment { today, confirmed: &keys, left: &NothingLeft };
    let value_of = |expr: &Expr, reads: &mut Reads| world.value_of(&plan, expr, &record, reads, moment);
    let mut blocks: BTreeMap<(&EntityName, bool), Vec<(Span, &ExpectFields)>> = BTreeMap::new();
    for expect in &test.expects {
        if let ExpectKind::Write(action, entity, fields) = &expect.kind {
            blocks.entry((entity, *action == Action::Create)).or_default().push((expect.span, fields));
        }
        failures.extend(compare::expectation(expect, &decision, &mut |expr| value_of(expr, &mut reads)));
    }
    for ((entity, create), blocks) in blocks {
        let action = if create { Action::Create } else { Action::Update };
        let mut value_of = |expr: &_| value_of(expr, &mut reads);
        failures.extend(compare::writes(&blocks, action, entity, &decision, &keys, &mut value_of));
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

/// Decides with the given rows: asks are answered until a decision comes out.
fn decide(
    plan: &Plan,
    record: &Record,
    world: &World<'_>,
    reads: &mut Reads,
    today: Date,
    span: Span,
) -> Result<Decision, Failure> {
    let nothing = BTreeMap::new();
    for _ in 0..ROUNDS {
        match step(plan, record, reads, Moment { today, confirmed: &nothing, left: &NothingLeft }) {
            Step::Decided(decision) => return Ok(decision),
            Step::Wants(asks) => {
                for ask in asks {
                    let rows = world.rows(&ask);
                    reads.0.insert(ask, rows);
                }
            }
        }
    }
    Err(fail(span, format!("no decision after {ROUNDS} rounds of reading: a mistake in koppel, please report it")))
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

//! The evaluator against its slow twin: the same decision for the same record and rows, however the rows come in.
//!
//! On all flows of the product with the inputs of their tests, on records and rows that differ a little from them, and
//! on small flows that are made here.

mod expression;
mod flows;
mod interpreter;
mod update;
pub(crate) mod world;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, LazyLock},
};

use jiff::civil::Date;
use koppel::{
    check::typed::{Given, Program},
    diagnostic::Sources,
    eval::{Moment, Reads, Step, admits, stages, step, step_after},
    plan::{Plan, SettingValues, build, evaluate_constant},
    project::Project,
    schema::{Catalog, Projection},
    value::{Action, Ask, Chosen, Decision, Ensured, EntityName, Outcome, Reason, Record, Value, Verdict, Write},
};
use proptest::prelude::*;

use self::{
    interpreter::{Choice, Ended, Made, Verdicts},
    world::{Picks, World, change, object, project},
};

const TODAY: Date = Date::constant(2026, 1, 15);

/// What the rows do not answer at once.
#[derive(Debug, Clone, Copy)]
enum Answers<'a> {
    /// Everything that is asked.
    All,
    /// One question a step, chosen by these numbers.
    OneByOne(&'a [u16]),
    /// Some of them a step, in some order.
    Some(&'a [u16]),
}

/// The evaluator's decision, and all that it asked.
fn decide(plan: &Plan, record: &Record, world: &World, answers: Answers<'_>) -> (Decision, Vec<Ask>) {
    let confirmed = BTreeMap::new();
    let moment = Moment { today: TODAY, confirmed: &confirmed, left: world };
    answered(plan, record, world, answers, &|record, reads| step(plan, record, reads, moment))
}

/// The decision of the stage behind a write.
fn decide_after(
    plan: &Plan,
    write: &str,
    record: &Record,
    world: &World,
    keys: &BTreeMap<Arc<str>, Value>,
    answers: Answers<'_>,
) -> Decision {
    let moment = Moment { today: TODAY, confirmed: keys, left: world };
    answered(plan, record, world, answers, &|record, reads| step_after(plan, write, record, reads, moment)).0
}

/// Steps until there is a decision, the rows coming in as `answers` says.
fn answered(
    plan: &Plan,
    record: &Record,
    world: &World,
    answers: Answers<'_>,
    step: &dyn Fn(&Record, &Reads) -> Step,
) -> (Decision, Vec<Ask>) {
    let source = plan.source.as_ref().unwrap();
    let projection = Projection::new(&object(&source.name), &source.fields);
    let record = project(record, &projection);
    let mut reads = Reads::default();
    let mut asked = Vec::new();
    let numbers: &[u16] = match answers {
        Answers::All => &[],
        Answers::OneByOne(numbers) | Answers::Some(numbers) => numbers,
    };
    let mut picks = Picks(numbers.iter());
    for _ in 0..1000 {
        match step(&record, &reads) {
            Step::Decided(decision) => return (decision, asked),
            Step::Wants(mut asks) => {
                assert!(!asks.is_empty(), "waits for nothing");
                assert!(asks.iter().all(|ask| !reads.0.contains_key(ask)), "asks again what is answered");
                match answers {
                    Answers::All => {}
                    Answers::OneByOne(_) => asks = vec![asks.swap_remove(picks.of(asks.len()))],
                    Answers::Some(_) => {
                        let keep = 1 + picks.of(asks.len());
                        while asks.len() > keep {
                            asks.swap_remove(picks.of(asks.len()));
                        }
                        asks.rotate_left(picks.of(keep));
                    }
                }
                for ask in asks {
                    reads.0.insert(ask.clone(), world.answer(&ask));
                    asked.push(ask);
                }
            }
        }
    }
    panic!("no decision after 1000 steps");
}

/// A decision of the evaluator in the form of the twin's; a sentence that the twin leaves open is left open.
fn as_twin(decision: &Decision, twin: &Verdicts) -> Verdicts {
    let open = matches!(&twin.outcome, Err(Ended { text: None, .. }));
    let ended = |verdict, reason: &Reason| Ended {
        verdict,
        place: reason.place.to_string(),
        text: (!open).then(|| reason.text.to_string()),
    };
    Verdicts {
        read: twin.read.clone(),
        outcome: match &decision.outcome {
            Outcome::Skip(reason) => Err(ended(Verdict::Skip, reason)),
            Outcome::Hold(reason) => Err(ended(Verdict::Hold, reason)),
            Outcome::Fail(reason) => Err(ended(Verdict::Fail, reason)),
            Outcome::Writes(writes) => Ok(writes
                .iter()
                .map(|write| Made {
                    name: write.name.to_string(),
                    entity: write.entity.to_string(),
                    action: write.action,
                    fields: write.fields.clone(),
                    ensure: write.ensure.as_ref().map(ToString::to_string),
                })
                .collect()),
        },
        warnings: decision.warnings.iter().map(|said| (said.place.to_string(), said.text.to_string())).collect(),
        ensured: decision
            .ensured
            .iter()
            .map(|ensured| {
                let choice = match &ensured.chosen {
                    Chosen::Taken => Choice::Taken,
                    Chosen::Found(key) => Choice::Found(key.clone()),
                    Chosen::Create(name) => Choice::Create(name.to_string()),
                };
                (ensured.name.to_string(), choice)
            })
            .collect(),
    }
}

/// A flow that can be decided on both sides.
struct Case {
    program: Arc<Program>,
    sources: Sources,
    settings: SettingValues,
    plan: Plan,
}

impl Case {
    /// None where the settings make the flow fail for every record.
    fn new(program: &Arc<Program>, sources: &Sources, settings: &SettingValues) -> Option<Self> {
        let plan = build(program.clone(), sources, settings).ok()?;
        Some(Self { program: program.clone(), sources: sources.clone(), settings: settings.clone(), plan })
    }

    /// Both decide alike, in whatever way the rows come in. Gives what was asked.
    fn agree(&self, record: &Record, world: &World, numbers: &[u16]) -> Result<Vec<Ask>, TestCaseError> {
        let twin = interpreter::decide(&self.program, &self.sources, &self.settings, world, record, TODAY);
        let source = self.plan.source.as_ref().unwrap();
        let seen = project(record, &Projection::new(&object(&source.name), &source.fields));
        let read = admits(&self.plan, &seen, TODAY);
        prop_assert_eq!(&read.map_err(|reason| reason.place.to_string()), &twin.read, "is it read? {}", self.text());
        if twin.read != Ok(true) {
            return Ok(Vec::new());
        }
        let (decision, asked) = decide(&self.plan, record, world, Answers::All);
        prop_assert_eq!(&as_twin(&decision, &twin), &twin, "evaluator and twin, of {}", self.text());
        for answers in [Answers::OneByOne(&[]), Answers::OneByOne(numbers), Answers::Some(numbers)] {
            let (other, _) = decide(&self.plan, record, world, answers);
            prop_assert_eq!(&other, &decision, "rows came in as {:?}, of {}", answers, self.text());
        }
        if let Outcome::Writes(writes) = &decision.outcome {
            self.agree_after(writes, &decision.ensured, record, world, numbers)?;
        }
        Ok(asked)
    }

    /// The same for the stages behind the writes, with keys as the targets would give them.
    fn agree_after(
        &self,
        writes: &[Write],
        ensured: &[Ensured],
        record: &Record,
        world: &World,
        numbers: &[u16],
    ) -> Result<(), TestCaseError> {
        let mut keys = BTreeMap::new();
        for (number, write) in writes.iter().filter(|write| write.action == Action::Create).enumerate() {
            let own = write.gives.as_ref().and_then(|gives| write.fields.value(gives)).cloned();
            let key = own.unwrap_or_else(|| Value::text(&format!("new-{number}")));
            let by = |ensured: &&Ensured| matches!(&ensured.chosen, Chosen::Create(name) if *name == write.name);
            keys.extend(ensured.iter().filter(by).map(|ensured| (ensured.name.clone(), key.clone())));
            keys.insert(write.name.clone(), key);
        }
        let Self { program, sources, settings, .. } = self;
        for write in stages(&self.plan).filter(|name| keys.contains_key(*name)) {
            let after = (&**write, &keys);
            let twin = interpreter::decide_after(program, sources, settings, world, record, TODAY, after);
            for answers in [Answers::All, Answers::OneByOne(&[]), Answers::Some(numbers)] {
                let decision = decide_after(&self.plan, write, record, world, &keys, answers);
                prop_assert_eq!(&as_twin(&decision, &twin), &twin, "after {}, of {}", write, self.text());
            }
        }
        Ok(())
    }

    /// A small flow as it is, another by its name.
    fn text(&self) -> &str {
        let text = self.sources.get(self.program.file).map_or("", |source| &source.text);
        if text.len() < 3000 { text } else { &self.program.name }
    }
}

/// The flows of the product with what their tests give.
static PRODUCT: LazyLock<Vec<(String, Case, Record, World)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("flows");
    let project = Project::open(&folder, "live", Catalog::standard().unwrap(), TODAY).unwrap();
    assert!(!project.has_errors(), "{:#?}", project.diagnostics);
    let mut all = Vec::new();
    for program in project.programs.iter().filter(|program| program.source.is_some()) {
        for test in &program.tests {
            let mut settings = project.test_settings();
            for given in &test.givens {
                let Given::Setting(id, expr) = given else { continue };
                let setting = &program.settings[id.0 as usize];
                let value = evaluate_constant(program, &settings, TODAY, expr).unwrap();
                settings.insert((setting.owner.clone(), setting.name.clone()), value);
            }
            let constant = |expr: &_| evaluate_constant(program, &settings, TODAY, expr).unwrap();
            let (record, world) = world::given(program, &test.givens, TODAY, &constant);
            let case = Case::new(program, &project.sources, &settings);
            if let Some((case, record)) = case.zip(record) {
                all.push((test.name.to_string(), case, record, world));
            }
        }
    }
    assert!(all.len() > 20, "the product has tests: {}", all.len());
    all
});

#[test]
fn the_flows_of_the_product_are_decided_alike_on_the_inputs_of_their_tests() {
    for (name, case, record, world) in PRODUCT.iter() {
        if let Err(trouble) = case.agree(record, world, &[5, 3, 8, 1]) {
            panic!("{name}: {trouble}");
        }
    }
}

/// All texts of rows and record, so that a changed value is sometimes that of another row.
fn texts(record: &Record, world: &World) -> Vec<Value> {
    fn collect(value: &Value, into: &mut Vec<Value>) {
        match value {
            Value::Text(_) if !into.contains(value) => into.push(value.clone()),
            Value::List(items) => items.iter().for_each(|item| collect(item, into)),
            Value::Record(record) => record.iter().for_each(|(_, value)| collect(value, into)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    for record in world.0.values().flatten().chain([record]) {
        collect(&Value::Record(record.clone()), &mut all);
    }
    all
}

/// Some things changed in the record and in the rows that were asked for.
fn changed(case: &Case, record: &Record, world: &World, asked: &[Ask], picks: &mut Picks<'_>) -> (Record, World) {
    let (mut record, mut world) = (record.clone(), world.clone());
    let texts = texts(&record, &world);
    if picks.of(2) == 0 {
        world.remember(&texts, picks);
    }
    let source = case.plan.source.as_ref().unwrap();
    let mut places: Vec<(Option<EntityName>, Arc<str>)> =
        source.fields.iter().map(|path| (None, path.clone())).collect();
    for ask in asked {
        places.extend(ask.fields.iter().map(|path| (Some(ask.entity.clone()), path.clone())));
    }
    for _ in 0..=picks.of(4) {
        let (entity, path) = places[picks.of(places.len())].clone();
        let Some(entity) = entity else {
            record = change(&record, &object(&source.name), &path, &texts, picks);
            continue;
        };
        let rows = world.0.entry(entity.clone()).or_default();
        match picks.of(6) {
            0 => rows.clear(),
            1 => rows.extend(rows.first().cloned()),
            _ if rows.is_empty() => {}
            _ => {
                let at = picks.of(rows.len());
                rows[at] = change(&rows[at], &object(&entity), &path, &texts, picks);
            }
        }
    }
    (record, world)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn records_and_rows_that_differ_are_decided_alike(
        which in any::<prop::sample::Index>(),
        numbers in prop::collection::vec(any::<u16>(), 8..60),
    ) {
        let (_, case, record, world) = which.get(&PRODUCT);
        let asked = case.agree(record, world, &[])?;
        let (record, world) = changed(case, record, world, &asked, &mut Picks(numbers.iter()));
        case.agree(&record, &world, &numbers)?;
    }
}

/// A flow in memory, checked; none when the checker finds a mistake in it.
fn small(text: &str) -> Result<Case, Vec<String>> {
    let files = crate::fuzz::Texts::of(&[("small.flow", text)]);
    let checked = crate::fuzz::checked(&files);
    let told: Vec<String> = checked
        .diagnostics
        .iter()
        .filter(|told| told.is_error())
        .map(|told| format!("{} {}", told.code, told.title))
        .collect();
    let program = checked.programs.iter().find(|program| program.source.is_some());
    let case = program
        .filter(|_| told.is_empty())
        .and_then(|program| Case::new(program, &checked.sources, &SettingValues::new()));
    case.ok_or(told)
}

#[test]
fn small_flows_are_decided_alike() {
    let said = prop::collection::vec(any::<u16>(), 40..400);
    let numbers = prop::collection::vec(any::<u16>(), 8..60);
    crate::fuzz::fuzz(40, &(said, numbers, any::<prop::sample::Index>()), |(said, numbers, which)| {
        let Ok(case) = small(&flows::flow(&said)) else { return Ok(()) };
        let orders: Vec<_> = PRODUCT.iter().filter(|(_, case, ..)| &*case.program.name == "jortt_orders").collect();
        let (_, _, record, world) = which.get(&orders);
        let asked = case.agree(record, world, &numbers)?;
        let (record, world) = changed(&case, record, world, &asked, &mut Picks(numbers.iter()));
        case.agree(&record, &world, &numbers).map(|_| ())
    });
}

/// Numbers for the small flow of a seed.
fn said(seed: u16) -> Vec<u16> {
    let mut state = u64::from(seed) + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u16::try_from(state >> 48).unwrap()
    };
    (0..400).map(|_| next()).collect()
}

#[test]
fn updates_policies_and_stages_come_about_and_are_decided_alike() {
    let orders = PRODUCT.iter().filter(|(_, case, ..)| &*case.program.name == "jortt_orders");
    let inputs: Vec<_> = orders.take(2).collect();
    let (mut updates, mut debtors, mut after, mut differs) = (0, 0, 0, 0);
    for seed in 0..120 {
        let numbers = said(seed);
        let Ok(case) = small(&flows::flow(&numbers)) else { continue };
        for (_, _, record, world) in &inputs {
            let mut known = world.clone();
            known.remember(&texts(record, world), &mut Picks(numbers.iter()));
            case.agree(record, &known, &numbers).unwrap();
            let (decision, _) = decide(&case.plan, record, &known, Answers::All);
            let (other, _) = decide(&case.plan, record, world, Answers::All);
            differs += usize::from(decision != other);
            let Outcome::Writes(writes) = &decision.outcome else { continue };
            updates += writes.iter().filter(|write| write.action == Action::Update).count();
            debtors += writes.iter().filter(|write| &*write.entity.entity == "KnSalesRelationOrg").count();
            after += stages(&case.plan).filter(|name| writes.iter().any(|write| write.name == **name)).count();
        }
    }
    assert!(
        updates >= 10 && debtors >= 3 && after >= 5 && differs >= 3,
        "{updates} updates, {debtors} of debtors, {after} stages, {differs} by what was left"
    );
}

#[test]
fn most_small_flows_check_without_a_mistake() {
    let mut told = BTreeMap::<String, usize>::new();
    let mut fine = 0;
    for seed in 0..100_u16 {
        match small(&flows::flow(&said(seed))) {
            Ok(_) => fine += 1,
            Err(mistakes) => mistakes.into_iter().for_each(|mistake| *told.entry(mistake).or_default() += 1),
        }
    }
    assert!(fine >= 50, "{fine} of 100; {told:#?}");
}

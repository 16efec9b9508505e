//! The flows of this repository, decided without a network: a record and rows as JSON in, the decision out.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use jiff::civil::Date;
use koppel::{
    eval::{Moment, NothingLeft, Reads, Step, step, step_after},
    plan::{Plan, SettingValues, build},
    project::Project,
    schema::{Catalog, Projection, decode_sample},
    value::{Ask, Decision, EntityName, Record, Value},
};
use serde_json::Value as Json;

use crate::twin::world::{object, project};

/// The flows as they are shipped, with the settings that tests see.
static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    let project =
        Project::open(&folder(), "live", Catalog::standard().unwrap(), "2026-03-20".parse().unwrap()).unwrap();
    assert!(!project.has_errors(), "{:?}", project.diagnostics);
    project
});

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("flows")
}

pub(crate) fn shipped() -> &'static Project {
    &PROJECT
}

/// The plan of a flow; settings are named `owner.name`.
pub(crate) fn plan(flow: &str, settings: &serde_json::Map<String, Json>) -> Plan {
    let program = PROJECT.programs.iter().find(|program| &*program.name == flow).unwrap();
    let mut values: SettingValues = PROJECT.test_settings();
    for (name, value) in settings {
        let (owner, own) = name.split_once('.').unwrap();
        values.insert((owner.into(), own.into()), setting(value));
    }
    build(program.clone(), &PROJECT.sources, &values).unwrap()
}

fn setting(value: &Json) -> Value {
    match value {
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Array(items) => Value::List(items.iter().map(setting).collect()),
        Json::String(text) => Value::text(text),
        other => panic!("{other} is no setting here"),
    }
}

/// What both systems hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows(BTreeMap<EntityName, Vec<Record>>);

impl Rows {
    /// `{"afas.Profit_Debtor": […]}` in place of what there was of these entities.
    pub(crate) fn put(&mut self, rows: &serde_json::Map<String, Json>, today: Date) {
        for (entity, rows) in rows {
            let (role, own) = entity.split_once('.').unwrap();
            let name = EntityName { role: role.into(), entity: own.into() };
            let rows = rows.as_array().unwrap().iter().map(|row| record(&name, row, today)).collect();
            self.0.insert(name, rows);
        }
    }

    fn answer(&self, ask: &Ask) -> Arc<[Record]> {
        let projection = Projection::new(&object(&ask.entity), &ask.fields);
        let rows = self.0.get(&ask.entity).into_iter().flatten();
        rows.filter(|row| ask.filter.matches(row)).map(|row| project(row, &projection)).collect()
    }
}

pub(crate) fn record(name: &EntityName, json: &Json, today: Date) -> Record {
    decode_sample(&object(name), json, today).unwrap_or_else(|error| panic!("{name}: {error}\n{json}"))
}

/// Decides a record.
pub(crate) fn decide(plan: &Plan, json: &Json, rows: &Rows, today: Date) -> Decision {
    decided(
        plan,
        json,
        rows,
        |record, reads| step(plan, record, reads, Moment { today, confirmed: &BTreeMap::new(), left: &NothingLeft }),
        today,
    )
}

/// Decides the stage behind a write, of a record whose writes have these keys.
pub(crate) fn decide_after(
    plan: &Plan,
    write: &str,
    keys: &BTreeMap<Arc<str>, Value>,
    json: &Json,
    rows: &Rows,
    today: Date,
) -> Decision {
    let moment = Moment { today, confirmed: keys, left: &NothingLeft };
    decided(plan, json, rows, |record, reads| step_after(plan, write, record, reads, moment), today)
}

fn decided(plan: &Plan, json: &Json, rows: &Rows, step: impl Fn(&Record, &Reads) -> Step, today: Date) -> Decision {
    let source = plan.source.as_ref().unwrap();
    let record = project(&record(&source.name, json, today), &Projection::new(&object(&source.name), &source.fields));
    let mut reads = Reads::default();
    for _ in 0..100 {
        match step(&record, &reads) {
            Step::Decided(decision) => return decision,
            Step::Wants(asks) => reads.0.extend(asks.into_iter().map(|ask| {
                let rows = rows.answer(&ask);
                (ask, rows)
            })),
        }
    }
    panic!("no decision after 100 steps")
}

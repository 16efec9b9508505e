//! The flows of this repository against the sandbox, over HTTP.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use koppel::{
    connector::{self, Connection, Connector, Credentials},
    engine::{EngineError, Run, Silent, Stop, Summary, poll},
    ledger::Ledger,
    project::Project,
    sandbox::{self, Options, Sandbox},
    schema::Catalog,
};
use serde_json::{Value, json};

use super::world::{Told, places};

/// The repository's project, a sandbox, and a ledger of their own.
pub(crate) struct House {
    sandbox: Option<Sandbox>,
    url: String,
    runs: BTreeMap<String, Run>,
    ledger: Ledger,
    journal: Told,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new(options: Options) -> Self {
        let catalog = Catalog::standard().unwrap();
        let flows = Path::new(env!("CARGO_MANIFEST_DIR")).join("flows");
        let project = Project::open(&flows, "live", catalog, "2026-03-20".parse().unwrap()).unwrap();
        assert!(!project.has_errors(), "{:?}", project.diagnostics);
        Self::of(&project, options).await
    }

    /// A project without mistakes and a sandbox of its own.
    pub(crate) async fn of(project: &Project, options: Options) -> Self {
        let sandbox = sandbox::start(options).await.unwrap();
        let catalog = Catalog::standard().unwrap();
        let shared = Arc::new(catalog.clone());
        let secret = || "sandbox".to_owned().into();
        let open = |name: &str, base: String, login: Option<String>, credentials| {
            let connection = Connection {
                name: name.into(),
                system: name.into(),
                base: Some(base.into()),
                login: login.map(Into::into),
                participant: None,
                credentials,
                settle: None,
            };
            connector::open(&connection, shared.clone()).unwrap()
        };
        let client = Credentials::Client { id: secret(), secret: secret() };
        let token = Credentials::Token("5A".repeat(32).into());
        let connections: BTreeMap<Arc<str>, Arc<dyn Connector>> = [
            (Arc::from("jortt"), open("jortt", sandbox.jortt_url(), Some(sandbox.jortt_login_url()), client)),
            (Arc::from("afas"), open("afas", sandbox.afas_url(), None, token)),
        ]
        .into();
        let runs = project.runs.iter().map(|run| {
            let of_engine = Run {
                name: run.name.clone(),
                plan: run.plan.clone(),
                plan_version: run.version.clone(),
                connections: connections.clone(),
                systems: super::world::roles(),
                catalog: shared.clone(),
                patient: false,
            };
            (run.name.to_string(), of_engine)
        });
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&places(folder.path())).unwrap();
        let url = sandbox.url();
        let runs = runs.collect();
        Self { sandbox: Some(sandbox), url, runs, ledger, journal: Told::default(), _folder: folder }
    }

    async fn try_poll(&self, run: &str) -> Result<Summary, EngineError> {
        poll(&self.runs[run], &self.ledger, &self.journal, &Silent, &Stop::never()).await
    }

    /// Polls every run; what stops one run stops no other.
    pub(crate) async fn try_all(&self) -> Vec<Result<Summary, EngineError>> {
        let mut ended = Vec::new();
        for run in self.runs.keys() {
            ended.push(self.try_poll(run).await);
        }
        ended
    }

    async fn poll(&self, run: &str) -> Summary {
        self.try_poll(run).await.unwrap()
    }

    pub(crate) async fn effects(&self) -> Value {
        let answer = reqwest::get(format!("{}/_control/effects", self.url)).await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    async fn fault(&self, fault: Value) {
        let http = reqwest::Client::new();
        let body = json!([fault]).to_string();
        let answer = http.post(format!("{}/_control/faults", self.url)).body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }
}

/// How many were made of an entity, and that none was made twice.
#[track_caller]
fn made(effects: &Value, entity: &str) -> u64 {
    let of = &effects["afas"][entity];
    assert_eq!(of["duplicates"], json!([]), "{entity}");
    of["count"].as_u64().unwrap_or(0)
}

#[tokio::test]
async fn the_main_job_makes_each_order_and_each_debtor_once_and_a_second_run_makes_nothing() {
    let house = House::new(Options { size: 40, limits: false, ..Options::default() }).await;
    let orders = house.poll("jortt_orders").await;
    assert_eq!((orders.held, orders.failed, orders.unsettled), (0, 0, 0), "{:#?}", orders.reasons);
    assert!(orders.created["FbSales"] > 10, "{orders:?}");
    let effects = house.effects().await;
    assert_eq!(made(&effects, "FbSales"), orders.created["FbSales"]);
    let debtors = made(&effects, "KnSalesRelationOrg") + made(&effects, "KnSalesRelationPer");
    assert!(debtors > 0);

    let customers = house.poll("jortt_customers").await;
    assert_eq!((customers.held, customers.failed), (0, 0), "{:#?}", customers.reasons);
    let all = house.effects().await;
    for run in ["jortt_orders", "jortt_customers"] {
        let again = house.poll(run).await;
        assert!(again.created.is_empty(), "{again:?}");
        assert_eq!((again.held, again.failed, again.unsettled), (0, 0, 0), "{again:?}");
    }
    assert_eq!(house.effects().await, all);
}

#[tokio::test]
async fn orders_of_known_customers_cost_little_more_than_their_own_call() {
    let house = House::new(Options { size: 200, limits: false, ..Options::default() }).await;
    house.poll("jortt_customers").await;
    let orders = house.poll("jortt_orders").await;
    let made = orders.created["FbSales"];
    let asked = orders.requests["afas"];
    assert!(asked * 10 <= made * 13, "{asked} requests for {made} orders");
}

#[tokio::test]
async fn the_hard_cases_wait_with_their_reasons_and_stop_nobody_else() {
    let house = House::new(Options { size: 40, awkward: true, limits: false, ..Options::default() }).await;
    let orders = house.poll("jortt_orders").await;
    assert!(orders.held + orders.failed > 0, "{orders:?}");
    assert!(orders.created["FbSales"] > 10);
    let told: u64 =
        orders.reasons.iter().filter(|kind| kind.verdict != koppel::value::Verdict::Warn).map(|kind| kind.count).sum();
    assert_eq!(told, orders.held + orders.failed, "each with its reason: {:#?}", orders.reasons);
    assert_eq!(made(&house.effects().await, "FbSales"), orders.created["FbSales"]);
}

#[tokio::test]
async fn lost_answers_over_http_are_settled_without_a_double() {
    let house = House::new(Options { size: 20, limits: false, ..Options::default() }).await;
    house.fault(json!({"system": "afas", "kind": "lost_answer", "method": "POST", "path": "FbSales", "nth": 3})).await;
    let first = house.poll("jortt_orders").await;
    assert_eq!(first.unsettled, 1, "{first:#?}");
    let second = house.poll("jortt_orders").await;
    assert_eq!((second.unsettled, second.held, second.failed), (0, 0, 0), "{second:#?}");
    let effects = house.effects().await;
    assert_eq!(made(&effects, "FbSales"), first.created["FbSales"] + 1);
}

#[tokio::test]
async fn a_sandbox_that_goes_away_in_the_middle_stops_the_run_and_leaves_the_ledger_usable() {
    let mut house = House::new(Options { size: 20, limits: false, ..Options::default() }).await;
    house
        .fault(
            json!({"system": "afas", "kind": "forbidden", "method": "POST", "path": "FbSales", "nth": 4, "times": 99}),
        )
        .await;
    let error = house.try_poll("jortt_orders").await.unwrap_err();
    let EngineError::Connection { connection, summary, .. } = error else { panic!("{error}") };
    assert_eq!((&*connection, summary.unsettled), ("afas", 0));
    assert_eq!(made(&house.effects().await, "FbSales"), summary.created["FbSales"]);
    house.sandbox.take().unwrap().stop().await;
    assert!(matches!(house.try_poll("jortt_orders").await, Err(EngineError::Connection { .. })));
    assert!(house.ledger.doubts().await.unwrap().is_empty());
}

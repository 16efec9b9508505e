//! A sandbox, flows between its two systems, and a ledger that can be closed and opened again.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use koppel::{
    connector::{self, Connection, Connector, Credentials},
    engine::{EngineError, Progress, Run, Silent, Stop, Summary, poll},
    insight::EventKind,
    ledger::{Ledger, Status, status},
    plan::{Plan, SettingValues},
    project::Project,
    sandbox::{self, Options, Sandbox},
    schema::Catalog,
};
use serde_json::{Value, json};

use super::world::{One, Told, places, plan, roles};

/// Flows, a sandbox, and a ledger of their own.
pub(crate) struct House {
    pub(super) sandbox: Option<Sandbox>,
    url: String,
    runs: BTreeMap<String, Run>,
    ledger: Option<Ledger>,
    pub(super) journal: Told,
    folder: tempfile::TempDir,
}

impl House {
    /// The flows of this repository.
    pub(crate) async fn new(options: Options) -> Self {
        let flows = Path::new(env!("CARGO_MANIFEST_DIR")).join("flows");
        let catalog = Catalog::standard().unwrap();
        let project = Project::open(&flows, "live", catalog, "2026-03-20".parse().unwrap()).unwrap();
        assert!(!project.has_errors(), "{:?}", project.diagnostics);
        Self::of_project(&project, options).await
    }

    /// A project without mistakes.
    pub(crate) async fn of_project(project: &Project, options: Options) -> Self {
        let plans = project.runs.iter().map(|run| (run.name.to_string(), run.plan.clone(), run.version.clone()));
        Self::with(options, None, plans.collect()).await
    }

    /// A project without mistakes and two empty systems, which show at once what was sent.
    pub(crate) async fn empty(project: &Project) -> Self {
        let plans = project.runs.iter().map(|run| (run.name.to_string(), run.plan.clone(), run.version.clone()));
        let options = Options { size: 0, limits: false, sending: Duration::ZERO, ..Options::default() };
        Self::with(options, Some(Duration::ZERO), plans.collect()).await
    }

    /// The same runs of an edited project.
    pub(crate) fn take_over(&mut self, project: &Project) {
        for edited in &project.runs {
            let run = self.runs.get_mut(&*edited.name).unwrap();
            run.plan = edited.plan.clone();
            run.plan_version = edited.version.clone();
        }
    }

    /// The ledger is lost: the next run begins with an empty one.
    pub(crate) fn forget(&mut self) {
        self.ledger = None;
        self.folder = tempfile::tempdir().unwrap();
        self.restart();
    }

    /// These flows, by name, with an empty Jortt. What was sent can take effect for `settle`, and is shown at once
    /// after it.
    pub(super) async fn of(flows: &[(&str, &str)], settle: Duration) -> Self {
        let plans = flows.iter().map(|(name, text)| {
            let path = format!("{name}.flow");
            let files = One(path.clone(), (*text).to_owned());
            ((*name).to_owned(), plan(&files, &[path], name, &SettingValues::new()), "1".into())
        });
        let options = Options { size: 0, limits: false, ..Options::default() };
        Self::with(options, Some(settle), plans.collect()).await
    }

    async fn with(options: Options, settle: Option<Duration>, plans: Vec<(String, Arc<Plan>, Arc<str>)>) -> Self {
        let sandbox = sandbox::start(options).await.unwrap();
        let shared = Arc::new(Catalog::standard().unwrap().clone());
        let secret = || "sandbox".to_owned().into();
        let open = |name: &str, base: String, login: Option<String>, credentials| {
            let connection = Connection {
                name: name.into(),
                system: name.into(),
                base: Some(base.into()),
                login: login.map(Into::into),
                participant: None,
                credentials,
                uses: None,
                settle,
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
        let runs = plans.into_iter().map(|(name, plan, plan_version)| {
            let run = Run {
                name: name.as_str().into(),
                plan,
                plan_version,
                connections: connections.clone(),
                systems: roles(),
                catalog: shared.clone(),
                patient: false,
            };
            (name, run)
        });
        let (url, runs) = (sandbox.url(), runs.collect());
        let folder = tempfile::tempdir().unwrap();
        let ledger = Some(Ledger::open(&places(folder.path())).unwrap());
        Self { sandbox: Some(sandbox), url, runs, ledger, journal: Told::default(), folder }
    }

    /// Ends the process and starts it again.
    pub(crate) fn restart(&mut self) {
        self.ledger = None;
        self.ledger = Some(Ledger::open(&places(self.folder.path())).unwrap());
    }

    /// Ends the process, does something to the file of the ledger as time would, and starts it again.
    pub(super) fn restart_after(&mut self, sentence: &str) {
        self.ledger = None;
        let file = rusqlite::Connection::open(places(self.folder.path()).ledger).unwrap();
        assert!(file.execute(sentence, []).unwrap() > 0, "{sentence}");
        drop(file);
        self.restart();
    }

    pub(super) fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().unwrap()
    }

    pub(super) fn status(&self) -> Status {
        status(&places(self.folder.path()).ledger).unwrap()
    }

    pub(super) async fn try_poll(&self, run: &str) -> Result<Summary, EngineError> {
        poll(&self.runs[run], self.ledger(), &self.journal, &Silent, &Stop::never()).await
    }

    /// Polls a run and tells how its records ended.
    pub(crate) async fn poll_told(&self, run: &str, told: &dyn Progress) -> Summary {
        let own = self.runs.get(run).unwrap_or_else(|| panic!("no run {run}"));
        poll(own, self.ledger(), &self.journal, told, &Stop::never()).await.unwrap()
    }

    /// Polls every run; what stops one run stops no other.
    pub(crate) async fn try_all(&self) -> Vec<Result<Summary, EngineError>> {
        let mut ended = Vec::new();
        for run in self.runs.keys() {
            ended.push(self.try_poll(run).await);
        }
        ended
    }

    pub(super) async fn poll(&self, run: &str) -> Summary {
        self.try_poll(run).await.unwrap()
    }

    pub(crate) async fn effects(&self) -> Value {
        let answer = reqwest::get(format!("{}/_control/effects", self.url)).await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// How often each path was called: `{afas: {"GET /…": 3}, jortt: {…}}`.
    pub(crate) async fn calls(&self) -> Value {
        let answer = reqwest::get(format!("{}/_control/calls", self.url)).await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// What was accepted, in order: `[{system, method, path, body}]`.
    pub(crate) async fn written(&self) -> Vec<Value> {
        let answer = reqwest::get(format!("{}/_control/written", self.url)).await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// How many writes were accepted.
    pub(crate) async fn writes(&self) -> usize {
        let effects = self.effects().await;
        let counts = effects.as_object().unwrap().values().flat_map(|system| system.as_object().unwrap().values());
        let of = |count: &Value| count["count"].as_u64().unwrap() + count["updated"].as_u64().unwrap();
        usize::try_from(counts.map(of).sum::<u64>()).unwrap()
    }

    /// How often something was made, and how often changed.
    pub(super) async fn count(&self, system: &str, entity: &str) -> (u64, u64) {
        let effects = self.effects().await;
        let of = &effects[system][entity];
        (of["count"].as_u64().unwrap_or(0), of["updated"].as_u64().unwrap_or(0))
    }

    async fn control(&self, path: &str, body: Value) {
        let http = reqwest::Client::new();
        let sent = http.post(format!("{}/_control/{path}", self.url)).body(body.to_string()).send();
        let answer = sent.await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    pub(crate) async fn fault(&self, fault: Value) {
        self.control("faults", json!([fault])).await;
    }

    /// Puts records in, or lays them over those that are there, as persons do.
    pub(crate) async fn put(&self, records: Value) {
        self.control("records", records).await;
    }

    /// All rows of a `GetConnector`.
    pub(crate) async fn rows(&self, connector: &str) -> Vec<Value> {
        let url = format!("{}/afas/ProfitRestServices/connectors/{connector}?skip=-1&take=-1", self.url);
        let token = self.sandbox.as_ref().unwrap().credentials().afas_token;
        let request = reqwest::Client::new().get(url).header("Authorization", format!("AfasToken {token}"));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["rows"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// A customer of Jortt.
    pub(super) async fn customer(&self, id: &str) -> Value {
        self.jortt("customers:read", &format!("v1/customers/{id}")).await
    }

    /// The invoices of Jortt, newest first.
    pub(super) async fn invoices(&self) -> Vec<Value> {
        self.jortt("invoices:read", "v2/invoices").await.as_array().unwrap().clone()
    }

    /// What Jortt shows at an address.
    async fn jortt(&self, scope: &str, path: &str) -> Value {
        let (sandbox, http) = (self.sandbox.as_ref().unwrap(), reqwest::Client::new());
        let own = sandbox.credentials();
        let login = http
            .post(format!("{}/token", sandbox.jortt_login_url()))
            .basic_auth(&own.jortt_client_id, Some(&own.jortt_client_secret))
            .form(&[("grant_type", "client_credentials"), ("scope", scope)]);
        let login: Value = login.send().await.unwrap().json().await.unwrap();
        let token = login["access_token"].as_str().unwrap();
        let asked = http.get(format!("{}/{path}", sandbox.jortt_url())).bearer_auth(token);
        let answer: Value = asked.send().await.unwrap().json().await.unwrap();
        answer["data"].clone()
    }

    /// An edited flow.
    pub(super) fn edit(&mut self, name: &str, text: &str) {
        let path = format!("{name}.flow");
        let files = One(path.clone(), text.to_owned());
        let run = self.runs.get_mut(name).unwrap();
        run.plan = plan(&files, &[path], name, &SettingValues::new());
        run.plan_version = format!("{}+", run.plan_version).into();
    }

    /// The fields of the writes that left, in order: of each write its top level.
    pub(super) fn sent(&self) -> Vec<Vec<String>> {
        let told = self.journal.0.lock().unwrap();
        let sent = told.iter().filter(|event| event.kind == EventKind::Intended);
        sent.map(|event| event.fields.iter().map(ToString::to_string).collect()).collect()
    }
}

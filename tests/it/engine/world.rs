//! A small world for the engine: a flow, and two systems in memory that behave as a test says.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use koppel::{
    check,
    connector::{Answered, Connector, ConnectorError, Cursor, Page},
    diagnostic::Files,
    engine::{EngineError, Run, Silent, Stop, Summary, poll},
    insight::{Event, Journal},
    ledger::{Intended, Ledger, Places},
    plan::{self, SettingValues},
    schema::Catalog,
    value::{Action, Ask, Decimal, Fields, Node, Record, Shape, Value},
};

/// Invoices become orders; the customer is a debtor, found by e-mail or made.
pub(crate) const FLOW: &str = r#"flow orders "Invoices become orders"

read invoice from jortt.invoices {
  since change
  key   .id
}

skip when invoice.invoice_total is 0 because "a zero invoice needs no document"
hold when invoice.customer_mail_to is blank because "{invoice.customer_company_name} has no e-mail"

ensure debtor: text(16) {
  find afas.Profit_Debtor where .Email is invoice.customer_mail_to gives .DebtorId
  create afas.KnSalesRelationOrg gives .DbId {
    IsDb = yes
    CuId = "EUR"
    ColA = "1300"
    InPv = "Reeds verstrekt, niet opnieuw verstrekken"
    AuPa = no
    PaCd = "30"
    VaDu = "1"
    KnOrganisation {
      PadAdr   = yes
      AutoNum  = yes
      MatchOga = "Altijd nieuw toevoegen"
      Nm       = invoice.customer_company_name ?? "?"
      EmAd     = invoice.customer_mail_to
    }
  }
}

create sale in afas.FbSales gives .OrNu {
  OrNu = "J{invoice.invoice_number!}"
  OrDa = invoice.invoice_date
  DbId = debtor
  RfCs = invoice.invoice_number!
  Unit = 1
  CuId = "EUR"
  Lines = each line in invoice.line_items {
    VaIt = "Artikel"
    ItCd = "ADV"
    BiUn = "STK"
    QuUn = line.quantity
  }
}
"#;

/// One file.
pub(super) struct One(pub(super) String, pub(super) String);

impl Files for One {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        if path == self.0 { Ok(self.1.as_str().into()) } else { Err("not there".to_owned()) }
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

pub(super) fn roles() -> BTreeMap<Arc<str>, Arc<str>> {
    ["jortt", "afas"].into_iter().map(|role| (role.into(), role.into())).collect()
}

/// Checks flows and plans the one of a name.
#[track_caller]
pub(super) fn plan(files: &dyn Files, paths: &[String], name: &str, settings: &SettingValues) -> Arc<plan::Plan> {
    let catalog = Catalog::standard().unwrap();
    let today = "2026-03-20".parse().unwrap();
    let project = check::Project { files, catalog, roles: &roles(), flows: paths, today };
    let checked = check::check(&project);
    let errors: Vec<String> = checked
        .diagnostics
        .iter()
        .filter(|found| found.is_error())
        .map(|found| format!("{} {} at {:?}", found.code, found.title, found.labels))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    let program = checked.programs.iter().find(|program| &*program.name == name).unwrap();
    Arc::new(plan::build(program.clone(), &checked.sources, settings).unwrap())
}

/// How a write goes.
#[derive(Debug, Clone)]
pub(super) struct Script {
    /// Does it happen?
    pub(super) happens: bool,
    /// What is answered; none = its key.
    pub(super) answer: Option<Answered>,
}

/// A system in memory.
#[derive(Default)]
pub(super) struct System {
    pub(super) name: String,
    pub(super) rows: Mutex<BTreeMap<String, Vec<Record>>>,
    /// What the next writes of an entity do; after them everything works.
    pub(super) scripts: Mutex<BTreeMap<String, VecDeque<Script>>>,
    /// Everything that was sent, by entity.
    pub(super) sent: Mutex<Vec<(String, Fields)>>,
    pub(super) asked: Mutex<Vec<Ask>>,
    /// The sources that were read.
    pub(super) sources: Mutex<Vec<Ask>>,
    /// What reading says instead of rows.
    pub(super) down: Mutex<Option<ConnectorError>>,
    /// Rows that are made but not shown.
    pub(super) blind: Mutex<bool>,
    /// Rows are shown as they were before they were changed.
    pub(super) lags: Mutex<bool>,
    pub(super) settle: Mutex<Duration>,
    /// The next write of this entity happens, and its answer never comes.
    hangs: Mutex<Option<String>>,
    hung: tokio::sync::Notify,
    /// The stamp by which its lists come newest first; the rows are in that order.
    pub(super) newest_first: OnceLock<Arc<str>>,
    requests: AtomicU64,
}

impl System {
    pub(super) fn add(&self, entity: &str, fields: &[(&str, Value)]) {
        self.rows.lock().unwrap().entry(entity.to_owned()).or_default().push(record(fields));
    }

    pub(super) fn script(&self, entity: &str, happens: bool, answer: Option<Answered>) {
        let script = Script { happens, answer };
        self.scripts.lock().unwrap().entry(entity.to_owned()).or_default().push_back(script);
    }

    pub(super) fn count(&self, entity: &str) -> usize {
        self.rows.lock().unwrap().get(entity).map_or(0, Vec::len)
    }

    pub(super) fn sent(&self, entity: &str) -> Vec<Fields> {
        let sent = self.sent.lock().unwrap();
        sent.iter().filter(|(own, _)| own == entity).map(|(_, fields)| fields.clone()).collect()
    }

    pub(super) fn requests_made(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn hang_on(&self, entity: &str) {
        *self.hangs.lock().unwrap() = Some(entity.to_owned());
    }

    /// Waits until a write hangs.
    pub(super) async fn hung(&self) {
        self.hung.notified().await;
    }

    /// Changes a debtor; gives its key.
    fn change(&self, entity: &str, fields: &Fields) -> Arc<str> {
        assert_eq!(entity, "KnSalesRelationOrg", "nothing else is changed here");
        let value = |path: &str| fields.value(path).cloned();
        let key = value("DbId").unwrap();
        let mut rows = self.rows.lock().unwrap();
        let debtors = rows.get_mut("Profit_Debtor").into_iter().flatten();
        for row in debtors.filter(|row| row.get("DebtorId") == &key && !*self.lags.lock().unwrap()) {
            let changed = row.iter().map(|(name, old)| {
                let written = value("KnOrganisation.Nm").filter(|_| name == "DebtorName");
                written.unwrap_or_else(|| old.clone())
            });
            *row = Record::new(row.shape().clone(), changed.collect());
        }
        key.to_string().into()
    }

    fn make(&self, entity: &str, fields: &Fields) -> Arc<str> {
        let value = |path: &str| fields.value(path).cloned().unwrap_or_default();
        match entity {
            "FbSales" => {
                let number = value("OrNu");
                self.add(
                    "Profit_Salesorders",
                    &[("OrderNumber", number.clone()), ("CustomerReference", value("RfCs"))],
                );
                number.to_string().into()
            }
            "KnSalesRelationOrg" => {
                // A number is never given twice, also when its debtor is gone.
                let id = format!("{}", 9_999 + self.sent("KnSalesRelationOrg").len());
                let email = value("KnOrganisation.EmAd");
                self.add("Profit_Debtor", &[("DebtorId", Value::text(&id)), ("Email", email)]);
                id.into()
            }
            other => panic!("{other} is not made here"),
        }
    }
}

#[async_trait]
impl Connector for System {
    fn name(&self) -> &str {
        &self.name
    }

    async fn identity(&self) -> Result<String, ConnectorError> {
        Ok(format!("{} of the tests", self.name))
    }

    async fn page(&self, source: &Ask, cursor: Option<&Cursor>) -> Result<Page, ConnectorError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(error) = self.down.lock().unwrap().clone() {
            return Err(error);
        }
        self.sources.lock().unwrap().push(source.clone());
        // Pages of three, so that several are read.
        let from: usize = cursor.map_or(0, |cursor| cursor.0.parse().unwrap());
        let rows = self.rows.lock().unwrap();
        let all: Vec<Record> = rows
            .get(&*source.entity.entity)
            .into_iter()
            .flatten()
            .filter(|row| source.filter.matches(row))
            .cloned()
            .collect();
        let next = (from + 3 < all.len()).then(|| Cursor((from + 3).to_string()));
        Ok(Page { records: all.into_iter().skip(from).take(3).collect(), next, ..Page::default() })
    }

    async fn find(&self, asks: &[Ask]) -> Result<Vec<Arc<[Record]>>, ConnectorError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.asked.lock().unwrap().extend_from_slice(asks);
        // Others run meanwhile, as with a real system.
        tokio::task::yield_now().await;
        if let Some(error) = self.down.lock().unwrap().clone() {
            return Err(error);
        }
        if *self.blind.lock().unwrap() {
            return Ok(asks.iter().map(|_| Arc::from([])).collect());
        }
        let rows = self.rows.lock().unwrap();
        let answer = |ask: &Ask| {
            rows.get(&*ask.entity.entity).into_iter().flatten().filter(|row| ask.filter.matches(row)).cloned().collect()
        };
        Ok(asks.iter().map(answer).collect())
    }

    async fn write(&self, intended: &Intended) -> Answered {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let write = intended.write();
        let entity = &*write.entity.entity;
        self.sent.lock().unwrap().push((entity.to_owned(), write.fields.clone()));
        let script = self.scripts.lock().unwrap().get_mut(entity).and_then(VecDeque::pop_front);
        tokio::task::yield_now().await;
        let script = script.unwrap_or(Script { happens: true, answer: None });
        let key = script.happens.then(|| match write.action {
            Action::Create => self.make(entity, &write.fields),
            Action::Update => self.change(entity, &write.fields),
        });
        let hangs = self.hangs.lock().unwrap().as_deref() == Some(entity);
        if hangs {
            self.hung.notify_one();
            std::future::pending::<()>().await;
        }
        script.answer.unwrap_or_else(|| key.map_or(Answered::Unclear("nothing".to_owned()), Answered::Done))
    }

    fn newest_first(&self, _: &str) -> Option<&Arc<str>> {
        self.newest_first.get()
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    fn settle(&self) -> Duration {
        *self.settle.lock().unwrap()
    }

    fn read_lag(&self) -> Duration {
        Duration::from_mins(1).min(self.settle())
    }
}

/// Remembers what it is told.
#[derive(Default)]
pub(super) struct Told(pub(super) Mutex<Vec<Event>>);

impl Journal for Told {
    fn record(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// A flow between two systems in memory, with a ledger in a temporary folder.
pub(super) struct World {
    pub(super) jortt: Arc<System>,
    pub(super) afas: Arc<System>,
    pub(super) run: Run,
    pub(super) journal: Told,
    pub(super) folder: tempfile::TempDir,
    ledger: Option<Ledger>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::of(FLOW)
    }

    #[track_caller]
    pub(super) fn of(flow: &str) -> Self {
        let system = |name: &str| {
            Arc::new(System { name: name.to_owned(), settle: Mutex::new(Duration::from_mins(18)), ..System::default() })
        };
        let (jortt, afas) = (system("jortt"), system("afas"));
        let connections: BTreeMap<Arc<str>, Arc<dyn Connector>> =
            [(Arc::from("jortt"), jortt.clone() as Arc<dyn Connector>), (Arc::from("afas"), afas.clone())].into();
        let run = Run {
            name: "orders".into(),
            plan: planned(flow),
            plan_version: "1".into(),
            connections,
            systems: roles(),
            catalog: Arc::new(Catalog::standard().unwrap().clone()),
            patient: false,
        };
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self { jortt, afas, run, journal: Told::default(), folder, ledger: None };
        world.start();
        world
    }

    /// Ends the process and starts it again.
    pub(super) fn start(&mut self) {
        self.ledger = None;
        self.ledger = Some(Ledger::open(&places(self.folder.path())).unwrap());
    }

    /// Another run of this world.
    #[track_caller]
    pub(super) fn run_of(&self, name: &str, flow: &str) -> Run {
        let path = format!("{name}.flow");
        let files = One(path.clone(), flow.to_owned());
        Run { name: name.into(), plan: plan(&files, &[path], name, &SettingValues::new()), ..self.run.clone() }
    }

    pub(super) async fn poll_of(&self, run: &Run) -> Summary {
        poll(run, self.ledger(), &self.journal, &Silent, &Stop::never()).await.unwrap()
    }

    pub(super) fn edit(&mut self, flow: &str) {
        self.run.plan = planned(flow);
        self.run.plan_version = format!("{}+", self.run.plan_version).into();
    }

    pub(super) fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().unwrap()
    }

    pub(super) fn invoice(&self, number: &str, email: &str, total: i64) {
        self.jortt.add("invoices", &invoice(number, email, total));
    }

    pub(super) fn change_invoice(&self, number: &str, email: &str, total: i64) {
        let mut rows = self.jortt.rows.lock().unwrap();
        let rows = rows.get_mut("invoices").unwrap();
        let place = rows.iter_mut().find(|row| row.get("id") == &Value::text(&format!("id-{number}"))).unwrap();
        *place = record(&invoice(number, email, total));
    }

    pub(super) async fn try_poll(&self) -> Result<Summary, EngineError> {
        poll(&self.run, self.ledger(), &self.journal, &Silent, &Stop::never()).await
    }

    pub(super) async fn poll(&self) -> Summary {
        self.try_poll().await.unwrap()
    }

    /// Nothing that was sent can still take effect.
    pub(super) fn settled(&self) {
        *self.afas.settle.lock().unwrap() = Duration::ZERO;
    }
}

fn planned(flow: &str) -> Arc<plan::Plan> {
    let files = One("orders.flow".to_owned(), flow.to_owned());
    plan(&files, &["orders.flow".to_owned()], "orders", &SettingValues::new())
}

pub(super) fn places(folder: &Path) -> Places {
    Places {
        ledger: folder.join("ledger.sqlite"),
        key: folder.join("key"),
        birth: Some(folder.join("birth")),
        settle: Duration::from_mins(18),
    }
}

pub(super) fn invoice(number: &str, email: &str, total: i64) -> Vec<(&'static str, Value)> {
    let line = record(&[("quantity", Value::Decimal(Decimal::from(total)))]);
    vec![
        ("id", Value::text(&format!("id-{number}"))),
        ("invoice_number", Value::text(number)),
        ("invoice_date", Value::Date("2026-03-14".parse().unwrap())),
        ("invoice_total", Value::eur(Decimal::from(total))),
        ("customer_company_name", Value::text("Jansen")),
        ("customer_mail_to", Value::text(email)),
        ("line_items", Value::List([Value::Record(line)].into())),
    ]
}

pub(super) fn record(fields: &[(&str, Value)]) -> Record {
    let names = fields.iter().map(|(name, _)| (*name).into()).collect();
    Record::new(Arc::new(Shape { names }), fields.iter().map(|(_, value)| value.clone()).collect())
}

pub(super) fn text_at(fields: &Fields, name: &str) -> String {
    match fields.get(name) {
        Some(Node::Value(value)) => value.to_string(),
        other => panic!("no value at {name}: {other:?}"),
    }
}

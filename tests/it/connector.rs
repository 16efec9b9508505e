//! The connectors against the sandbox: log-in, pages, look-ups, faults, over real HTTP.

use std::sync::Arc;

use koppel::{
    connector::{self, Connection, Connector, ConnectorError, Credentials, Manifest},
    sandbox::{self, Options, Sandbox},
    schema::Catalog,
    value::{Ask, EntityName, Filter, Record, Value},
};
use secrecy::SecretString;
use serde_json::{Value as Json, json};

async fn sandbox(size: usize) -> Sandbox {
    sandbox::start(Options { size, ..Options::default() }).await.unwrap()
}

fn connection(system: &str, base: String, credentials: Credentials) -> Connection {
    Connection {
        name: system.into(),
        system: system.into(),
        base: Some(base.into()),
        login: None,
        participant: None,
        credentials,
        uses: None,
        settle: None,
    }
}

fn client(secret: &str) -> Credentials {
    Credentials::Client { id: SecretString::from("koppel"), secret: SecretString::from(secret) }
}

fn open(connection: &Connection) -> Arc<dyn Connector> {
    connector::open(connection, Arc::new(Catalog::standard().unwrap().clone())).unwrap()
}

fn jortt(sandbox: &Sandbox) -> Arc<dyn Connector> {
    open(&connection("jortt", sandbox.jortt_url(), client("secret")))
}

fn afas(sandbox: &Sandbox) -> Arc<dyn Connector> {
    open(&connection("afas", sandbox.afas_url(), client("secret")))
}

fn ask(entity: (&str, &str), filter: Filter, fields: &[&str]) -> Ask {
    Ask {
        entity: EntityName { role: entity.0.into(), entity: entity.1.into() },
        filter,
        fields: fields.iter().map(|name| Arc::from(*name)).collect(),
    }
}

fn is(path: &str, value: &Value) -> Filter {
    Filter::Is(path.into(), value.clone())
}

async fn all_pages(connector: &dyn Connector, source: &Ask) -> Vec<Record> {
    let (mut cursor, mut all) = (None, Vec::new());
    loop {
        let page = connector.page(source, cursor.as_ref()).await.unwrap();
        all.extend(page.records);
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

async fn faults(sandbox: &Sandbox, faults: Json) {
    let url = format!("{}/_control/faults", sandbox.url());
    let answer = reqwest::Client::new().post(url).json(&faults).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

#[tokio::test]
async fn both_systems_say_who_they_are_whatever_the_log_in() {
    let sandbox = sandbox(5).await;
    let token = format!("<token><version>1</version><data>{}</data></token>", "5A".repeat(32));
    let classic = open(&connection("afas", sandbox.afas_url(), Credentials::Token(SecretString::from(token))));
    for connector in [jortt(&sandbox), afas(&sandbox), classic] {
        assert_eq!(connector.identity().await.unwrap(), sandbox.id(), "{}", connector.name());
        assert_eq!(connector.requests(), 1);
    }
}

#[tokio::test]
async fn wrong_credentials_are_a_matter_for_a_person() {
    let sandbox = sandbox(5).await;
    let zeros = Credentials::Token(SecretString::from("0".repeat(64)));
    let connections = [
        connection("jortt", sandbox.jortt_url(), client("wrong")),
        connection("afas", sandbox.afas_url(), client("wrong")),
        connection("afas", sandbox.afas_url(), zeros),
    ];
    for connection in connections {
        let error = open(&connection).identity().await.unwrap_err();
        let ConnectorError::Setup(text) = error else { panic!("{error:?}") };
        assert!(text.contains(&format!("connection {}", connection.name)) && text.contains("log-in"), "{text}");
    }
}

#[tokio::test]
async fn all_sent_invoices_come_page_by_page_and_their_customers_are_found() {
    let sandbox = sandbox(150).await;
    let jortt = jortt(&sandbox);
    let fields = ["customer_id", "id", "invoice_number", "invoice_total", "line_items", "list"];
    let source = ask(("jortt", "invoices"), is("list", &Value::text("sent")), &fields);
    let invoices = all_pages(&*jortt, &source).await;
    assert!(invoices.len() > 100, "{}", invoices.len());
    let mut ids: Vec<String> = invoices.iter().map(|invoice| invoice.get("id").to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), invoices.len(), "an invoice came twice");
    assert!(invoices.iter().all(|invoice| !invoice.get("invoice_number").is_blank()));
    let asks: Vec<Ask> = invoices
        .iter()
        .take(20)
        .map(|invoice| {
            ask(("jortt", "customers"), is("id", invoice.get("customer_id")), &["customer_name", "email", "id"])
        })
        .collect();
    let found = jortt.find(&asks).await.unwrap();
    for (ask, rows) in asks.iter().zip(&found) {
        assert_eq!(rows.len(), 1);
        assert!(ask.filter.matches(&rows[0]));
    }
    let nobody = ask(("jortt", "customers"), is("id", &Value::text("no uuid")), &["id"]);
    assert!(jortt.find(&[nobody]).await.unwrap()[0].is_empty());
}

#[tokio::test]
async fn afas_rows_are_found_in_few_calls_and_hostile_values_find_nothing() {
    let sandbox = sandbox(60).await;
    let afas = afas(&sandbox);
    let all = all_pages(&*afas, &ask(("afas", "Profit_Debtor"), Filter::All, &["DebtorId", "Email"])).await;
    let known: Vec<&Record> = all.iter().filter(|row| !row.get("Email").is_blank()).collect();
    assert!(!known.is_empty());
    let before = afas.requests();
    let hostile = ["a,b;c\"{}%", "x;DebtorId", "\"}]}}", "*", "' or 1=1"];
    let asks: Vec<Ask> = known
        .iter()
        .map(|row| row.get("Email").clone())
        .chain(hostile.iter().map(|text| Value::text(text)))
        .map(|email| ask(("afas", "Profit_Debtor"), is("Email", &email), &["DebtorId"]))
        .collect();
    let found = afas.find(&asks).await.unwrap();
    for (row, found) in known.iter().zip(&found) {
        assert!(found.iter().any(|hit| hit.get("DebtorId") == row.get("DebtorId")), "{row:?}");
    }
    assert!(found.iter().skip(known.len()).all(|rows| rows.is_empty()));
    let calls = afas.requests() - before;
    assert!(calls <= 2 + asks.len() as u64 / 30, "{calls} calls for {} addresses", asks.len());
}

#[tokio::test]
async fn conditions_that_afas_does_its_own_way_are_decided_here() {
    let sandbox = sandbox(40).await;
    let afas = afas(&sandbox);
    let fields = ["Blocked", "DebtorId", "ModifiedDate"];
    let all = all_pages(&*afas, &ask(("afas", "Profit_Debtor"), Filter::All, &fields)).await;
    let first = all.first().unwrap();
    let changed = first.get("ModifiedDate").clone();
    let filters = [
        Filter::Not(Box::new(is("Blocked", &Value::Bool(true)))),
        Filter::IsNot("DebtorId".into(), first.get("DebtorId").clone()),
        Filter::Blank("Email".into()),
        Filter::Compares("ModifiedDate".into(), koppel::value::Compare::AtMost, changed.clone()),
        Filter::Compares("ModifiedDate".into(), koppel::value::Compare::Greater, changed),
    ];
    for filter in filters {
        let wide = ask(("afas", "Profit_Debtor"), Filter::All, &["Blocked", "DebtorId", "Email", "ModifiedDate"]);
        let all = afas.find(&[wide]).await.unwrap();
        let expected: Vec<&Value> =
            all[0].iter().filter(|row| filter.matches(row)).map(|row| row.get("DebtorId")).collect();
        let one = ask(("afas", "Profit_Debtor"), filter.clone(), &["DebtorId"]);
        let found = afas.find(&[one]).await.unwrap();
        let mut ids: Vec<&Value> = found[0].iter().map(|row| row.get("DebtorId")).collect();
        ids.sort_by_key(ToString::to_string);
        let mut wanted = expected;
        wanted.sort_by_key(ToString::to_string);
        assert_eq!(ids, wanted, "{filter:?}");
    }
}

#[tokio::test]
async fn reads_go_on_after_faults_and_a_forbidden_address_stops_the_connection() {
    let sandbox = sandbox(5).await;
    let afas = afas(&sandbox);
    faults(
        &sandbox,
        json!([
            {"system": "afas", "kind": "unavailable", "path": "Profit_Article", "retry_after": 1},
            {"system": "afas", "kind": "forbidden", "path": "Profit_Journals"}
        ]),
    )
    .await;
    let articles = ask(("afas", "Profit_Article"), Filter::All, &["ItemCode"]);
    assert!(!afas.find(&[articles]).await.unwrap()[0].is_empty());
    assert_eq!(afas.requests(), 2);
    let journals = ask(("afas", "Profit_Journals"), Filter::All, &["JournalId"]);
    let error = afas.find(&[journals]).await.unwrap_err();
    assert!(matches!(&error, ConnectorError::Setup(text) if text.contains("IP restrictions")), "{error:?}");
    let jortt = jortt(&sandbox);
    faults(
        &sandbox,
        json!([{"system": "jortt", "kind": "token_expired", "path": "organizations"},
        {"system": "jortt", "kind": "html", "path": "organizations", "nth": 2}]),
    )
    .await;
    assert_eq!(jortt.identity().await.unwrap(), sandbox.id());
    assert_eq!(jortt.requests(), 3);
}

#[tokio::test]
async fn a_sandbox_that_is_gone_is_unreachable_and_nothing_else() {
    let sandbox = sandbox(5).await;
    let mut manifest = Manifest::standard("afas").unwrap();
    manifest.retries.first_ms = 1;
    let connection = connection("afas", sandbox.afas_url(), client("secret"));
    let catalog = Arc::new(Catalog::standard().unwrap().clone());
    let afas = connector::open_with(manifest, &connection, catalog).unwrap();
    afas.identity().await.unwrap();
    sandbox.stop().await;
    let error = afas.identity().await.unwrap_err();
    assert!(matches!(error, ConnectorError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn while_a_system_asks_to_wait_no_request_of_any_task_leaves() {
    let sandbox = sandbox::start(Options { size: 5, limits: false, ..Options::default() }).await.unwrap();
    let articles = || ask(("afas", "Profit_Article"), Filter::All, &["ItemCode"]);
    for kind in ["unavailable", "throttled"] {
        let afas = afas(&sandbox);
        afas.identity().await.unwrap();
        let fault = json!({"system": "afas", "kind": kind, "path": "Profit_Article", "retry_after": 2});
        faults(&sandbox, json!([fault])).await;
        let begun = std::time::Instant::now();
        let tasks = (0..24).map(|task| {
            let (afas, ask) = (afas.clone(), articles());
            async move {
                // Some begin with the refused one, the others come during the pause.
                tokio::time::sleep(std::time::Duration::from_millis(task * 60)).await;
                afas.find(&[ask]).await.map(|rows| (rows[0].len(), begun.elapsed()))
            }
        });
        let during = async {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            let before = afas.requests();
            tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
            afas.requests() - before
        };
        let (ended, during) = tokio::join!(futures_util::future::join_all(tasks), during);
        assert_eq!(during, 0, "{kind}: requests during the pause");
        for ended in ended {
            let (rows, at) = ended.unwrap();
            assert!(rows > 0);
            assert!(
                at >= std::time::Duration::from_millis(1_900) || at < std::time::Duration::from_millis(500),
                "{at:?}"
            );
        }
    }
}

//! What is asked of Jortt, and what becomes of its answers.

use serde_json::json;

use super::*;
use crate::{
    connector::testing::{Answer, Seen, Served, answer, line_of},
    value::{Action, EntityName, Fields, Node},
};

fn jortt(server: &Served) -> Rest {
    let catalog = Arc::new(Catalog::standard().unwrap().clone());
    Rest::new(line_of("jortt", &server.base, |manifest| manifest.limits.page = 3), catalog)
}

fn ask(entity: &str, filter: Filter, fields: &[&str]) -> Ask {
    Ask {
        entity: EntityName { role: "jortt".into(), entity: entity.into() },
        filter,
        fields: fields.iter().map(|name| Arc::from(*name)).collect(),
    }
}

fn is(path: &str, value: &str) -> Filter {
    Filter::Is(path.into(), Value::text(value))
}

fn one_of(path: &str, values: &[&str]) -> Filter {
    Filter::In(path.into(), values.iter().map(|value| Value::text(value)).collect())
}

fn list(rows: &[Json], more: bool) -> Answer {
    let next = if more { json!({"href": "http://example.invalid/?page=9"}) } else { Json::Null };
    answer(200, &json!({"data": rows, "_links": {"next": next}}).to_string())
}

fn invoice(id: &str, due: &str) -> Json {
    json!({"id": id, "invoice_status": "sent", "invoice_due_amount": {"amount": due, "currency": "EUR"},
        "invoice_due_date": "2020-01-01", "reference": format!("ref {id}"), "credit_invoice_ids": []})
}

fn customer(number: usize) -> Json {
    json!({"id": format!("c{number}"), "customer_name": "x", "is_private": false, "email": format!("C{number}@x.nl")})
}

fn ids(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.get("id").to_string()).collect()
}

async fn all_pages(rest: &Rest, source: &Ask) -> Vec<String> {
    let (mut cursor, mut found) = (None, Vec::new());
    loop {
        let page = rest.page(source, cursor.as_ref()).await.unwrap();
        found.extend(ids(&page.records));
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn pages_are_counted_and_a_row_that_moved_is_given_once() {
    let server = Served::new(|number, _| match number {
        0 => list(&[invoice("1", "1"), invoice("2", "1"), invoice("3", "1")], true),
        // A new invoice moved number 3 onto this page.
        1 => list(&[invoice("3", "1"), invoice("4", "1")], false),
        _ => answer(500, ""),
    })
    .await;
    let found = all_pages(&jortt(&server), &ask("invoices", is("list", "sent"), &["id"])).await;
    assert_eq!(found, ["1", "2", "3", "4"]);
    assert_eq!(
        server.lines(),
        ["GET /v2/invoices?invoice_status=sent&page=1", "GET /v2/invoices?invoice_status=sent&page=2"]
    );
}

#[tokio::test]
async fn a_list_that_gives_the_same_page_again_is_not_read_for_ever() {
    let server = Served::new(|_, _| list(&[customer(1), customer(2)], true)).await;
    let rest = jortt(&server);
    let first = rest.page(&ask("customers", Filter::All, &["id"]), None).await.unwrap();
    let error = rest.page(&ask("customers", Filter::All, &["id"]), first.next.as_ref()).await.unwrap_err();
    assert_eq!(error.to_string(), "connection books: Jortt gives the same page again");
    let found = rest.find(&[ask("customers", is("customer_name", "y"), &["id"])]).await.unwrap_err();
    assert_eq!(found, error);
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn words_become_the_widest_lists_and_a_row_of_two_lists_is_given_once() {
    let server = Served::new(|_, seen: &Seen| {
        if !seen.line.contains("invoice_status=late") {
            return list(&[invoice("1", "5"), invoice("3", "0.00")], false);
        }
        let mut not_yet = invoice("2", "5");
        not_yet["invoice_due_date"] = json!("2999-01-01");
        list(&[invoice("1", "5"), not_yet], false)
    })
    .await;
    let rest = jortt(&server);
    // "late" is part of "sent", so one list is enough.
    all_pages(&rest, &ask("invoices", one_of("list", &["sent", "late"]), &["id"])).await;
    assert_eq!(server.lines(), ["GET /v2/invoices?invoice_status=sent&page=1"]);
    // Whatever the vendor's list held, its rows are tried here: number 2 is not late, and number 1 came before.
    let found = all_pages(&rest, &ask("invoices", one_of("list", &["late", "paid"]), &["id"])).await;
    assert_eq!(found, ["1", "3"]);
}

#[tokio::test]
async fn every_condition_is_tried_here_and_the_record_has_the_shape_that_was_asked() {
    let server = Served::new(|_, _| list(&[invoice("1", "5"), invoice("2", "7")], false)).await;
    let filter = Filter::And(vec![is("list", "sent"), is("reference", "ref 2")]);
    let page = jortt(&server).page(&ask("invoices", filter, &["id"]), None).await.unwrap();
    assert_eq!(ids(&page.records), ["2"]);
    assert_eq!(page.records[0].shape().names, [Arc::from("id")]);
}

#[tokio::test]
async fn known_ids_are_read_one_by_one_and_once_a_missing_one_is_no_row() {
    let server = Served::new(|_, seen| match seen.line.rsplit('/').next().unwrap_or("") {
        "c1" => answer(200, &json!({"data": customer(1)}).to_string()),
        "c2" => answer(404, r#"{"error":{"code":404,"key":"resource.not_found","message":"Not found","details":[]}}"#),
        _ => answer(422, r#"{"error":{"code":422,"key":"params.invalid","message":"Invalid","details":[{"key":"is_invalid","param":"id","message":"is invalid"}]}}"#),
    })
    .await;
    let asks = [
        ask("customers", is("id", "c1"), &["id"]),
        ask("customers", is("id", "c2"), &["id"]),
        ask("customers", is("id", "../no uuid"), &["id"]),
        ask("customers", is("id", "c1"), &["email", "id"]),
        ask("customers", Filter::Never, &["id"]),
    ];
    let found = jortt(&server).find(&asks).await.unwrap();
    let counts: Vec<usize> = found.iter().map(|rows| rows.len()).collect();
    assert_eq!(counts, [1, 0, 0, 1, 0]);
    assert_eq!(found[3][0].get("email"), &Value::text("c1@x.nl"));
    let mut lines = server.lines();
    lines.sort();
    assert_eq!(lines, ["GET /v1/customers/..%2Fno%20uuid", "GET /v1/customers/c1", "GET /v1/customers/c2"]);
}

#[tokio::test]
async fn many_ids_are_looked_for_in_the_list_first() {
    let server = Served::new(|_, seen| {
        if let Some((_, page)) = seen.line.split_once("page=") {
            let page: usize = page.parse().unwrap();
            let first = (page - 1) * 3 + 1;
            return list(&(first..first + 3).map(customer).collect::<Vec<_>>(), true);
        }
        let id: usize = seen.line.rsplit('c').next().and_then(|id| id.parse().ok()).unwrap();
        answer(200, &json!({"data": customer(id)}).to_string())
    })
    .await;
    // Twelve ids are worth three pages of three; the last ones are asked for by id.
    let asks: Vec<Ask> = (1..=12).map(|id| ask("customers", is("id", &format!("c{id}")), &["id"])).collect();
    let found = jortt(&server).find(&asks).await.unwrap();
    assert!(found.iter().all(|rows| rows.len() == 1));
    assert_eq!(server.count(), 3 + 3);
}

#[tokio::test]
async fn other_look_ups_read_the_whole_list_once_for_all_of_them() {
    let server = Served::new(|number, _| match number {
        0 => list(&[customer(1), customer(2), customer(3)], true),
        _ => list(&[customer(4)], false),
    })
    .await;
    let asks: Vec<Ask> =
        [1, 4, 9].iter().map(|id| ask("customers", is("email", &format!("c{id}@x.nl")), &["id"])).collect();
    let found = jortt(&server).find(&asks).await.unwrap();
    assert_eq!(found.iter().map(|rows| ids(rows)).collect::<Vec<_>>(), [vec!["c1"], vec!["c4"], vec![]]);
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn an_answer_that_is_not_the_schemas_is_told() {
    let server = Served::new(|_, _| answer(200, r#"{"result": []}"#)).await;
    let error = jortt(&server).page(&ask("invoices", is("list", "sent"), &["id"]), None).await.unwrap_err();
    assert!(matches!(&error, ConnectorError::Unexpected(text) if text.contains("without the list")), "{error:?}");
}

/// A sent invoice that owes this.
fn owing(id: u32, due: &Json) -> Json {
    json!({"id": id.to_string(), "invoice_status": "sent", "invoice_due_amount": due})
}

#[tokio::test]
async fn a_row_that_is_not_as_the_schema_has_it_stands_beside_the_others_of_its_page() {
    let server = Served::new(|_, _| {
        let sound = json!({"amount": "12.00", "currency": "EUR"});
        list(&[owing(1, &sound), owing(2, &"lots".into()), owing(3, &sound)], false)
    })
    .await;
    let source = ask("invoices", is("list", "sent"), &["id", "invoice_due_amount"]);
    let page = jortt(&server).page(&source, None).await.unwrap();
    assert_eq!(ids(&page.records), ["1", "3"]);
    let faulty: Vec<String> =
        page.faulty.iter().map(|faulty| format!("{} is {faulty}", faulty.record.path("id"))).collect();
    assert_eq!(
        faulty,
        ["2 is row with id 2: invoice_due_amount should be an object with amount and currency, found a text: \"lots\""]
    );
}

#[tokio::test]
async fn a_faulty_row_that_certainly_is_not_asked_for_stands_in_nobodys_way() {
    let server = Served::new(|_, _| {
        let mut other = owing(2, &"lots".into());
        other["invoice_status"] = "draft".into();
        list(&[owing(1, &Json::Null), other], false)
    })
    .await;
    let source = ask("invoices", is("invoice_status", "sent"), &["id", "invoice_due_amount"]);
    let page = jortt(&server).page(&source, None).await.unwrap();
    assert_eq!((ids(&page.records), page.faulty.len()), (vec!["1".to_owned()], 0));
}

#[tokio::test]
async fn a_page_of_mostly_faulty_rows_speaks_of_the_schema_and_is_no_page() {
    let server = Served::new(|_, _| {
        let rows: Vec<Json> = (1..=9).map(|id| owing(id, &if id > 4 { "lots".into() } else { Json::Null })).collect();
        list(&rows, false)
    })
    .await;
    let source = ask("invoices", is("list", "sent"), &["id", "invoice_due_amount"]);
    let error = jortt(&server).page(&source, None).await.unwrap_err().to_string();
    assert!(error.ends_with("; 5 of 9 rows are not as the schema has them"), "{error}");
}

#[tokio::test]
async fn an_answer_that_a_faulty_row_may_belong_to_is_not_known() {
    let server = Served::new(|_, _| list(&[owing(1, &Json::Null), owing(2, &"lots".into())], false)).await;
    let asks = |id: u32| ask("invoices", is("invoice_number", &id.to_string()), &["id", "invoice_due_amount"]);
    // No number is shown, so no row is an answer, whatever is wrong with it.
    assert_eq!(jortt(&server).find(&[asks(1)]).await.unwrap()[0].len(), 0);
    let wide = ask("invoices", is("invoice_status", "sent"), &["id", "invoice_due_amount"]);
    let error = jortt(&server).find(&[wide]).await.unwrap_err();
    assert!(
        matches!(&error, ConnectorError::Unexpected(text) if text.contains("invoices, row with id 2: invoice_due_amount")),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_one_organisation_needs_no_condition() {
    let server = Served::new(|_, _| answer(200, r#"{"data":{"id":"org-1","has_mollie":true}}"#)).await;
    let rest = jortt(&server);
    let found = rest.find(&[ask("organization", Filter::All, &["id"])]).await.unwrap();
    assert_eq!(ids(&found[0]), ["org-1"]);
    assert_eq!(rest.identity().await.unwrap(), "org-1");
}

fn write(entity: &str, action: Action, fields: &[(&str, &str)]) -> Write {
    let fields = fields.iter().map(|(name, value)| (Arc::from(*name), Node::Value(Value::text(value)))).collect();
    Write {
        name: entity.into(),
        entity: EntityName { role: "jortt".into(), entity: entity.into() },
        action,
        fields: Fields(fields),
        gives: None,
        own_number: None,
        reference: None,
        needs: vec![],
        ensure: None,
    }
}

#[tokio::test]
async fn a_create_gives_its_key() {
    let server = Served::new(|_, _| answer(201, r#"{"data":{"id":"b3a0"}}"#)).await;
    let fields = [("customer_id", "7d1f"), ("reference", "5012")];
    let sent = jortt(&server).send(&write("invoices", Action::Create, &fields)).await;
    assert_eq!(sent, Answered::Done("b3a0".into()));
    let seen = server.seen();
    assert_eq!(server.lines(), ["POST /v3/invoices"]);
    assert_eq!(
        serde_json::from_str::<Json>(&seen[0].body).unwrap(),
        json!({"customer_id": "7d1f", "reference": "5012"})
    );
}

#[tokio::test]
async fn an_invoice_is_never_sent_by_the_call_that_makes_or_changes_it() {
    let server = Served::new(|_, _| answer(201, r#"{"data":{"id":"b3a0"}}"#)).await;
    for action in [Action::Create, Action::Update] {
        let fields = [("id", "b3a0"), ("customer_id", "7d1f"), ("send_method", "email")];
        let fields = if action == Action::Create { &fields[1..] } else { &fields };
        let sent = jortt(&server).send(&write("invoices", action, fields)).await;
        assert!(matches!(&sent, Answered::Refused(text) if text.contains("jortt.invoice_sendings")), "{sent:?}");
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn what_stands_in_the_address_of_a_create_is_its_key_where_the_answer_gives_none() {
    let server = Served::new(|_, _| answer(200, "")).await;
    let fields = [("id", "b3a0"), ("send_method", "self")];
    let sent = jortt(&server).send(&write("invoice_sendings", Action::Create, &fields)).await;
    assert_eq!(sent, Answered::Done("b3a0".into()));
    assert_eq!(server.lines(), ["POST /v1/invoices/b3a0/send"]);
    assert_eq!(server.seen()[0].body, r#"{"send_method":"self"}"#);
}

#[tokio::test]
async fn a_record_that_does_not_repeat_its_id_is_known_by_its_address() {
    let server = Served::new(|_, _| answer(200, r#"{"data":{"default_mail_subject":"Factuur"}}"#)).await;
    let ask = ask("invoice_send_settings", is("id", "b3a0"), &["id", "default_mail_subject"]);
    let found = jortt(&server).find(&[ask]).await.unwrap();
    assert_eq!(ids(&found[0]), ["b3a0"]);
    assert_eq!(server.lines(), ["GET /v1/invoices/b3a0/send_settings"]);
}

#[tokio::test]
async fn the_id_of_an_update_stands_in_the_address_and_not_in_the_body() {
    let server = Served::new(|_, _| answer(200, "")).await;
    let rest = jortt(&server);
    let sent = rest.send(&write("invoices", Action::Update, &[("id", "b3/a0"), ("reference", "x")])).await;
    assert_eq!(sent, Answered::Done("b3/a0".into()));
    assert_eq!(server.lines(), ["PUT /v2/invoices/b3%2Fa0"]);
    assert_eq!(server.seen()[0].body, r#"{"reference":"x"}"#);
    let sent = rest.send(&write("invoices", Action::Update, &[("reference", "x")])).await;
    assert!(matches!(&sent, Answered::Refused(text) if text.contains("id must be given")), "{sent:?}");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_customer_is_changed_whole_so_that_nothing_is_emptied() {
    let server = Served::new(|_, seen| {
        let now = json!({"id": "c1", "is_private": false, "customer_name": "Linde", "payment_term": 30, "attn": null,
            "archived": false});
        if seen.line.starts_with("GET") { answer(200, &json!({"data": now}).to_string()) } else { answer(204, "") }
    })
    .await;
    let sent = jortt(&server).send(&write("customers", Action::Update, &[("id", "c1"), ("reference", "10021")])).await;
    assert_eq!(sent, Answered::Done("c1".into()));
    assert_eq!(server.lines(), ["GET /v1/customers/c1", "PUT /v1/customers/c1"]);
    let body: Json = serde_json::from_str(&server.seen()[1].body).unwrap();
    assert_eq!(body, json!({"reference": "10021", "is_private": false, "customer_name": "Linde", "payment_term": 30}));
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_without_a_call() {
    let server = Served::new(|_, _| answer(500, "")).await;
    let rest = jortt(&server);
    for (entity, action) in [("tradenames", Action::Create), ("nothing", Action::Create), ("labels", Action::Update)] {
        assert!(matches!(rest.send(&write(entity, action, &[("id", "1")])).await, Answered::Refused(_)));
    }
    let unknown = rest.send(&write("labels", Action::Create, &[("colour", "red")])).await;
    assert!(matches!(&unknown, Answered::Refused(text) if text.contains("colour")), "{unknown:?}");
    assert_eq!(server.count(), 0);
}

#[test]
fn every_entity_of_the_manifest_is_one_of_the_catalog() {
    let catalog = Catalog::standard().unwrap();
    for system in ["jortt", "afas"] {
        let manifest = crate::connector::Manifest::standard(system).unwrap();
        for (name, routes) in &manifest.entities {
            let entity = catalog.entity(system, name).unwrap_or_else(|| panic!("{system} has no {name}"));
            let write = entity.write.as_ref();
            assert!(routes.create.is_none() || write.is_some_and(|facts| facts.create.is_some()), "{name}: create");
            assert!(routes.update.is_none() || write.is_some_and(|facts| facts.update.is_some()), "{name}: update");
            assert!(routes.list.is_none() && routes.one.is_none() || entity.read.is_some(), "{name}: read");
        }
    }
}

#[tokio::test]
async fn a_third_system_is_a_manifest_and_a_schema() {
    let manifest = r#"
        system = "crm"
        title = "the CRM"
        protocol = "rest"
        base = "https://crm.example"
        settle_seconds = 60
        read_lag_seconds = 10
        limits = { parallel = 1, page = 2, query = 2000, answer_bytes = 1000000, read_seconds = 120, write_seconds = 930 }
        retries = { times = 0, first_ms = 1, longest_wait_seconds = 1 }
        identity = { path = "/who", at = "$.tenant" }
        answers = { words = ["$.problem"] }
        [login]
        address = "{base}/auth"
        local = "{base}/auth"
        secret = "body"
        [[errors]]
        status = 418
        class = "record"
        [entities.customers]
        list = "/contacts"
        records = "$.items"
        page = "p"
        create = { method = "PATCH", path = "/contacts/new" }
    "#;
    let server = Served::new(|number, _| match number {
        0 => answer(200, &json!({"items": [customer(1), customer(2)]}).to_string()),
        1 => answer(200, &json!({"items": []}).to_string()),
        _ => answer(418, r#"{"problem":"no tea"}"#),
    })
    .await;
    let mut catalog = Catalog::standard().unwrap().clone();
    let schema = catalog.systems.get("jortt").unwrap().clone();
    catalog.systems.insert("crm".into(), schema);
    let connection = crate::connector::testing::connection("crm", &server.base);
    let line = Line::new(crate::connector::Manifest::parse(manifest).unwrap(), &connection).unwrap();
    let crm = Rest::new(line, Arc::new(catalog));
    let found = crm.find(&[ask("customers", is("id", "c2"), &["id"])]).await.unwrap();
    assert_eq!(ids(&found[0]), ["c2"]);
    assert_eq!(server.lines(), ["GET /contacts?p=1", "GET /contacts?p=2"]);
    let sent = crm.send(&write("customers", Action::Create, &[("customer_name", "x")])).await;
    assert_eq!(sent, Answered::Refused("no tea".to_owned()));
    assert_eq!(server.lines()[2], "PATCH /contacts/new");
}

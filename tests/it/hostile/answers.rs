//! Records that are no records: what a system may answer as JSON, and koppel must not take for something else.

use std::sync::Arc;

use axum::{Router, extract::Request, response::IntoResponse as _};
use koppel::{
    connector::{self, Connection, Connector, Credentials},
    schema::Catalog,
    value::{Ask, EntityName, Filter, is_hidden},
};
use tokio::net::TcpListener;

/// A Jortt that answers everything with this.
async fn jortt(body: String) -> Arc<dyn Connector> {
    let app = Router::new().fallback(move |request: Request| {
        let token = r#"{"access_token":"t","expires_in":7200}"#;
        let body = if request.uri().path().ends_with("/token") { token.to_owned() } else { body.clone() };
        async move { ([("content-type", "application/json")], body).into_response() }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/jortt", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let secret = || "secret".to_owned().into();
    let connection = Connection {
        name: "jortt".into(),
        system: "jortt".into(),
        base: Some(base.into()),
        login: None,
        participant: None,
        credentials: Credentials::Client { id: secret(), secret: secret() },
        uses: None,
        settle: None,
    };
    connector::open(&connection, Arc::new(Catalog::standard().unwrap().clone())).unwrap()
}

/// What comes of a page of invoices.
async fn page(body: String) -> String {
    let entity = EntityName { role: "jortt".into(), entity: "invoices".into() };
    let fields = ["id", "invoice_number", "invoice_total", "invoice_date", "line_items", "remarks"];
    let fields = fields.iter().map(|name| Arc::from(*name)).collect();
    match jortt(body).await.page(&Ask { entity, filter: Filter::All, fields }, None).await {
        Ok(page) => {
            let shown =
                format!("{:?}", page.records.iter().map(|record| record.get("invoice_total")).collect::<Vec<_>>());
            let mut told = format!(
                "{} records, {}",
                page.records.len(),
                if shown.len() < 200 { shown } else { "long".to_owned() }
            );
            for faulty in &page.faulty {
                told = format!("{told}; invoice {}: {}", faulty.record.path("invoice_number"), faulty.text);
            }
            told
        }
        Err(error) => error.to_string(),
    }
}

/// A page with one invoice, of which one field is this.
fn invoice(field: &str, value: &str) -> String {
    let mut fields = vec![
        ("id", r#""7""#),
        ("invoice_number", r#""1""#),
        ("invoice_total", r#"{"amount":"1.00","currency":"EUR"}"#),
        ("invoice_date", r#""2026-03-14""#),
        ("line_items", "[]"),
        ("invoice_status", r#""sent""#),
    ];
    fields.retain(|(name, _)| *name != field);
    fields.push((field, value));
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{\"data\":[{{{}}}],\"_links\":{{}}}}", fields.join(","))
}

#[tokio::test]
async fn what_is_no_value_of_its_field_is_told_in_one_line_and_never_taken_for_another_value() {
    let money = |amount: &str| format!(r#"{{"amount":{amount},"currency":"EUR"}}"#);
    let digits = "7".repeat(1_000_000);
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let twice = r#"{"amount":"1.00","amount":"2.00","currency":"EUR"}"#;
    let cases = [
        ("a total of a million digits", invoice("invoice_total", &money(&digits))),
        ("the same as a text", invoice("invoice_total", &money(&format!("\"{digits}\"")))),
        ("a total of 1e999999999", invoice("invoice_total", &money("1e999999999"))),
        ("a total of 1e-999999999", invoice("invoice_total", &money("1e-999999999"))),
        (
            "more places than any money has",
            invoice("invoice_total", &money("0.1234567890123456789012345678901234567890")),
        ),
        ("a total that is no number", invoice("invoice_total", &money("\"\u{202e}1\""))),
        ("two totals", invoice("invoice_total", twice)),
        ("a total that is a list", invoice("invoice_total", "[]")),
        ("a currency of emoji", invoice("invoice_total", r#"{"amount":"1.00","currency":"💶💶💶"}"#)),
        ("a day that is none", invoice("invoice_date", "\"2026-02-31\"")),
        ("a day in the year 99999", invoice("invoice_date", "\"99999-01-01\"")),
        ("a day that steers", invoice("invoice_date", "\"\\u001b[2J\\u202e\"")),
        ("a million characters for a day", invoice("invoice_date", &format!("\"{digits}\""))),
        ("lines that are a text", invoice("line_items", "\"x\"")),
        ("lines that are no objects", invoice("line_items", "[1,null,[]]")),
        ("lines a hundred deep", invoice("line_items", &deep)),
        ("an id that is a list", invoice("id", "[\"7\"]")),
        ("an id of a million characters that steers", invoice("id", &format!("\"\\u001b{digits}\""))),
        ("a zero byte in a remark", invoice("remarks", "\"a\\u0000b\"")),
        ("no list", "{\"data\":{}}".to_owned()),
        ("a list of nothing", "{\"data\":[null,1,\"x\",[]]}".to_owned()),
        ("nothing", "null".to_owned()),
    ];
    let mut told = Vec::new();
    for (name, body) in cases {
        let line = page(body).await;
        assert!(line.chars().count() < 600 && !line.chars().any(is_hidden), "{name}: {line}");
        told.push(format!("{name}\n  {line}"));
    }
    insta::assert_snapshot!(told.join("\n"));
}

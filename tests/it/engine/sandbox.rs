//! The flows of this repository against the sandbox, over HTTP.

use std::time::Duration;

use koppel::{engine::EngineError, sandbox::Options};
use serde_json::{Value, json};

use super::house::House;

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

/// A debtor, an order and a quotation.
pub(super) const THREE: &str = include_str!("../crash/cell.flow");

/// A sent invoice.
pub(super) async fn invoice(house: &House, number: u32, email: &str) {
    let line = json!({"description": "Advies", "quantity": "2.0", "amount": {"amount": "10.00", "currency": "EUR"},
        "vat": {"value": "0.21", "category": null}});
    let id = format!("e508ba44-f8a9-4aa9-b4e8-{number:012}");
    let invoice = json!({"id": id, "invoice_status": "sent", "invoice_number": number.to_string(),
        "invoice_date": "2026-03-14", "customer_mail_to": email, "line_items": [line]});
    house.put(json!({"jortt": {"invoices": [invoice]}})).await;
}

/// A house with one invoice, of which the quotation meets this.
async fn quoted(fault: &str) -> House {
    let house = House::of(&[("cell", THREE)], Duration::ZERO).await;
    invoice(&house, 7, "info@bakkerij.example").await;
    house.fault(json!({"system": "afas", "kind": fault, "method": "POST", "path": "FbSalesQuotation"})).await;
    assert_eq!(house.poll("cell").await.unsettled, 1);
    house
}

#[tokio::test]
async fn a_debtor_in_doubt_that_never_came_is_made_once_by_the_first_record_that_wants_it_after_its_time() {
    let house = House::of(&[("cell", THREE)], Duration::from_secs(2)).await;
    invoice(&house, 1, "known@bakkerij.example").await;
    assert_eq!(house.poll("cell").await.unsettled, 0);
    invoice(&house, 2, "new@bakkerij.example").await;
    house.fault(json!({"system": "afas", "kind": "reset", "method": "POST"})).await;
    assert_eq!(house.poll("cell").await.unsettled, 1);
    invoice(&house, 3, "new@bakkerij.example").await;
    // The debtor's time is over while the records are looked at.
    let slow = json!({"system": "afas", "kind": "delay", "ms": 2200, "method": "GET", "path": "Profit_Debtor"});
    house.fault(slow).await;
    let second = house.poll("cell").await;
    assert_eq!((second.created["FbSales"], second.unsettled, second.awaited), (2, 0, 0), "{second:#?}");
    assert_eq!(house.count("afas", "KnSalesRelationOrg").await, (2, 0));
}

#[tokio::test]
async fn another_number_for_what_no_read_shows_is_held_while_nobody_knows_of_the_one_before() {
    let mut house = quoted("lost_answer").await;
    house.edit("cell", &THREE.replace("\"Q{number}\"", "\"R{number}\""));
    let after = house.poll("cell").await;
    assert_eq!((after.held, after.unsettled), (1, 0), "{after:#?}");
    assert!(after.reasons[0].text.contains("under another number"), "{after:#?}");
    house.edit("cell", THREE);
    let back = house.poll("cell").await;
    assert_eq!((back.held, back.failed, back.unsettled), (0, 0, 0), "its old number tells: {back:#?}");
    assert_eq!(house.count("afas", "FbSalesQuotation").await, (1, 0));
}

#[tokio::test]
async fn a_refusal_after_an_attempt_that_no_read_shows_is_held_for_a_person_and_not_waited_for() {
    let house = quoted("reset").await;
    let message = "Not in this period.";
    let refused = json!({"system": "afas", "kind": "status", "message": message, "method": "POST", "path": "FbSalesQ"});
    house.fault(refused).await;
    let after = house.poll("cell").await;
    assert_eq!((after.held, after.failed), (1, 0), "{after:#?}");
    assert!(after.reasons[0].text.contains("look in the target"), "{after:#?}");
    let later = house.poll("cell").await;
    assert_eq!((later.unsettled, later.awaited), (1, 0), "nobody but a person can tell: {later:#?}");
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
    assert!(house.ledger().doubts().await.unwrap().is_empty());
}

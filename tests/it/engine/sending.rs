//! Sending an invoice: once, whatever becomes of the answer, and never a second time when nobody knows.

use std::time::Duration;

use koppel::sandbox::Options;
use serde_json::{Value, json};

use super::house::House;

const FLOW: &str = r#"flow invoices "A sent invoice for a customer"

read customer from jortt.customers {
  where .id is "ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9a01"
  since change
  key   .id
}

create invoice in jortt.invoices gives .id {
  customer_id = customer.id
  reference   = "once"
  line_items {
    description  = "Advice"
    quantity     = 1
    amount       = 100.00
    vat.value    = 21%
    vat.category = blank
  }
}

after invoice {
  create sending in jortt.invoice_sendings {
    id          = invoice
    send_method = "self"
  }
}

after sending {
  find sent in jortt.invoices where .id is invoice
  hold when (sent.invoice_status ?? "draft") is not "sent" because "not sent yet"
  update jortt.customers {
    id   = customer.id
    attn = "sent {sent.invoice_number ?? sending}"
  }
}
"#;

const ID: &str = "ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9a01";

async fn house(settle: Duration) -> House {
    house_of(&[("invoices", FLOW)], settle).await
}

async fn house_of(flows: &[(&str, &str)], settle: Duration) -> House {
    let house = House::of(flows, settle).await;
    let customer = json!({"id": ID, "customer_name": "Jansen", "is_private": true});
    house.put(json!({"jortt": {"customers": [customer]}})).await;
    house
}

async fn lose(house: &House, kind: &str) {
    house.fault(json!({"system": "jortt", "kind": kind, "method": "POST", "path": "/send"})).await;
}

/// How many sendings, and what was sent twice.
async fn sendings(house: &House) -> (u64, Value) {
    let effects = house.effects().await;
    let own = &effects["jortt"]["invoice_sendings"];
    (own["count"].as_u64().unwrap(), own["duplicates"].clone())
}

/// Time for Jortt to send what it was asked to.
async fn a_while() {
    tokio::time::sleep(Options::default().sending * 2).await;
}

#[tokio::test]
async fn an_invoice_is_sent_after_it_was_made_and_what_stands_behind_waits_for_its_number() {
    let mut house = house(Duration::ZERO).await;
    let first = house.poll("invoices").await;
    assert_eq!((first.created["invoices"], first.created["invoice_sendings"]), (1, 1), "{first:#?}");
    a_while().await;
    house.restart();
    let second = house.poll("invoices").await;
    assert_eq!((second.waiting, second.updated.get("customers")), (0, Some(&1)), "{second:#?}");
    let invoice = &house.invoices().await[0];
    assert_eq!((&invoice["invoice_status"], &invoice["send_method"]), (&json!("sent"), &json!("self")));
    assert_eq!(house.customer(ID).await["attn"], format!("sent {}", invoice["invoice_number"].as_str().unwrap()));
    house.restart();
    house.poll("invoices").await;
    assert_eq!(sendings(&house).await, (1, json!([])));
}

#[tokio::test]
async fn a_sending_whose_answer_is_lost_is_asked_about_and_not_sent_again() {
    let mut house = house(Duration::from_mins(18)).await;
    lose(&house, "lost_answer").await;
    let first = house.poll("invoices").await;
    assert_eq!((first.created.get("invoice_sendings"), first.unsettled), (None, 1), "{first:#?}");
    house.restart();
    house.poll("invoices").await;
    a_while().await;
    house.restart();
    let after = house.poll("invoices").await;
    assert_eq!((after.unsettled, after.waiting), (0, 0), "{after:#?}");
    let number = house.invoices().await[0]["invoice_number"].clone();
    assert_eq!(house.customer(ID).await["attn"], format!("sent {}", number.as_str().unwrap()));
    assert_eq!(sendings(&house).await, (1, json!([])));
}

#[tokio::test]
async fn a_sending_that_may_not_have_happened_is_never_sent_again_and_is_told() {
    let mut house = house(Duration::ZERO).await;
    lose(&house, "reset").await;
    house.poll("invoices").await;
    for _ in 0..3 {
        house.restart();
        house.poll("invoices").await;
    }
    assert_eq!(sendings(&house).await, (0, json!([])));
    let doubt = &house.status().doubts[0];
    assert_eq!((&*doubt.write, doubt.state), ("sending", "unclear"));
    house.restart_after("UPDATE record SET begun = '2026-01-01T00:00:00Z' WHERE stage = 'invoice'");
    let waiting = &house.status().waiting[0];
    assert_eq!(*waiting.key, format!("{ID} after invoice"));
    assert!(waiting.reason.as_ref().unwrap().contains("never sent again by itself"), "{waiting:?}");
    let invoice = house.invoices().await[0]["id"].clone();
    house
        .put(json!({"jortt": {"invoices": [{"id": invoice, "invoice_status": "sent", "invoice_number": "2026-7"}]}}))
        .await;
    let after = house.poll("invoices").await;
    assert_eq!(after.updated.get("customers"), Some(&1), "a person sent it: {after:#?}");
    assert_eq!((house.customer(ID).await["attn"].clone(), sendings(&house).await.0), (json!("sent 2026-7"), 0));
}

#[tokio::test]
async fn what_a_person_sent_already_is_found_and_not_sent() {
    let flow = FLOW.replace("after invoice {", "after invoice when customer.attn is not blank {");
    let flow = flow.replace(
        "after invoice when",
        "after invoice {\n  hold when customer.attn is blank because \"later\"\n}\n\nafter invoice when",
    );
    let house = house_of(&[("invoices", &flow)], Duration::ZERO).await;
    house.poll("invoices").await;
    let invoice = house.invoices().await[0]["id"].clone();
    let sent = json!({"id": invoice, "invoice_status": "sent", "invoice_number": "2026-7"});
    house.put(json!({"jortt": {"invoices": [sent], "customers": [{"id": ID, "attn": "now"}]}})).await;
    house.poll("invoices").await;
    house.poll("invoices").await;
    assert_eq!((house.customer(ID).await["attn"].clone(), sendings(&house).await.0), (json!("sent 2026-7"), 0));
}

#[tokio::test]
async fn two_flows_do_not_both_send_one_invoice() {
    let other = r#"flow again "Sends what the other flow made"

read invoice from jortt.invoices {
  where .reference is "once"
  since change
  key   .id
}

create sending in jortt.invoice_sendings {
  id          = invoice.id
  send_method = "self"
}
"#;
    let house = house_of(&[("invoices", FLOW), ("again", other)], Duration::ZERO).await;
    house.poll("invoices").await;
    house.poll("again").await;
    assert_eq!(sendings(&house).await, (1, json!([])));
}

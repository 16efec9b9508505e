//! What koppel made for a record, and a person deleted before the record was done with it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{house::House, sandbox::invoice, world::FLOW};

/// The order is followed by its delivery note.
const NOTE: &str = r#"
create note in afas.FbDeliveryNote gives .OrNu {
  OrNu = "P{invoice.invoice_number!}"
  SoOr = sale
  Unit = 1
}
"#;

fn orders() -> String {
    FLOW.replacen("\"STK\"", "\"UUR\"", 1)
}

/// Says what a person says to AFAS.
async fn by_hand(house: &House, request: impl FnOnce(reqwest::Client, String) -> reqwest::RequestBuilder) {
    let sandbox = house.sandbox.as_ref().unwrap();
    let request = request(reqwest::Client::new(), format!("{}/connectors/FbSales", sandbox.afas_url()));
    let sent = request.header("Authorization", format!("AfasToken {}", sandbox.credentials().afas_token)).send();
    let answer = sent.await.unwrap();
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
}

async fn deleted(house: &House, number: &str) {
    by_hand(house, |http, url| http.delete(format!("{url}/FbSales/@OrNu/{number}"))).await;
}

/// What a record says that is held because its order is gone.
const GONE: &str = "afas refused the FbDeliveryNote and does not show sale J2 any more";

#[tokio::test]
async fn an_order_that_is_deleted_before_its_record_is_done_holds_it_until_it_is_back() {
    let mut house = House::of(&[("orders", &(orders() + NOTE))], Duration::ZERO).await;
    invoice(&house, 1, "a@bakkerij.example").await;
    house.poll("orders").await;
    invoice(&house, 2, "b@bakkerij.example").await;
    house.fault(json!({"system": "afas", "kind": "forbidden", "method": "POST", "path": "FbDeliveryNote"})).await;
    assert!(house.try_poll("orders").await.is_err(), "it stops between the order and its note");
    deleted(&house, "J2").await;

    house.restart();
    let held = house.poll("orders").await;
    assert_eq!((held.held, held.failed), (1, 0), "{held:#?}");
    assert!(held.reasons[0].text.contains(GONE), "{held:#?}");
    assert_eq!(house.count("afas", "FbSales").await, (2, 0), "a document is made no second time");

    let debtors = house.rows("Profit_Debtor").await;
    let debtor = debtors.iter().find(|debtor| debtor["Email"] == "b@bakkerij.example").unwrap();
    let fields = json!({"OrNu": "J2", "DbId": debtor["DebtorId"], "Unit": 1});
    let order: Value = json!({"FbSales": {"Element": {"Fields": fields}}});
    by_hand(&house, |http, url| http.post(url).body(order.to_string())).await;
    let done = house.poll("orders").await;
    assert_eq!((done.held, done.created.get("FbDeliveryNote")), (0, Some(&1)), "{done:#?}");
    assert_eq!(done.created.get("FbSales"), None);
}

#[tokio::test]
async fn a_record_that_was_done_and_whose_order_is_deleted_makes_neither_it_nor_what_would_follow() {
    let mut house = House::of(&[("orders", &orders())], Duration::ZERO).await;
    invoice(&house, 1, "a@bakkerij.example").await;
    invoice(&house, 2, "b@bakkerij.example").await;
    assert_eq!(house.poll("orders").await.created["FbSales"], 2);
    deleted(&house, "J2").await;

    house.edit("orders", &(orders() + NOTE));
    invoice(&house, 2, "c@bakkerij.example").await;
    let sealed = house.poll("orders").await;
    assert_eq!(sealed.held, 1, "{sealed:#?}");
    assert!(sealed.reasons[0].text.contains("would make note again: `koppel redo orders/"), "{sealed:#?}");

    // What `redo` does.
    house.restart_after("UPDATE record SET outcome = 'open', sealed = 0 WHERE outcome = 'held'");
    let held = house.poll("orders").await;
    assert_eq!((held.held, held.failed), (1, 0), "{held:#?}");
    assert!(held.reasons[0].text.contains(GONE), "{held:#?}");
    assert_eq!(house.count("afas", "FbSales").await, (2, 0), "a document is made no second time");
    assert_eq!(house.count("afas", "FbDeliveryNote").await, (0, 0));
}

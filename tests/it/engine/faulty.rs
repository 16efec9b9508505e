//! Rows that are not as the schema has them: they are told, they wait, and they stop nobody else.

use std::time::Duration;

use koppel::{engine::EngineError, value::Verdict};
use serde_json::json;

use super::{
    house::House,
    sandbox::{THREE, invoice},
};

/// The id of an invoice that [`invoice`] puts in.
fn id(number: u32) -> String {
    format!("e508ba44-f8a9-4aa9-b4e8-{number:012}")
}

/// Three invoices, of which the second was sent on this day.
async fn three(day: &str) -> House {
    let house = House::of(&[("cell", THREE)], Duration::ZERO).await;
    for number in 1..=3 {
        invoice(&house, number, "info@bakkerij.example").await;
    }
    dated(&house, day).await;
    house
}

async fn dated(house: &House, day: &str) {
    house.put(json!({"jortt": {"invoices": [{"id": id(2), "invoice_date": day}]}})).await;
}

#[tokio::test]
async fn a_row_that_is_not_as_the_schema_has_it_waits_for_a_sound_one_and_the_others_go_on() {
    let house = three("someday").await;
    let first = house.poll("cell").await;
    assert_eq!((first.read, first.held, first.failed), (3, 1, 0), "{first:#?}");
    assert_eq!(first.created["FbSales"], 2);
    let reason = &first.reasons[0];
    let text = "is not as the schema of jortt has it: invoice_date should be a day such as 2026-03-14, found a text: \"someday\"";
    assert_eq!((reason.verdict, &*reason.text), (Verdict::Hold, text));
    let second = house.poll("cell").await;
    assert_eq!((second.held, second.created.len()), (1, 0), "it still waits: {second:#?}");

    dated(&house, "2026-03-14").await;
    let mended = house.poll("cell").await;
    assert_eq!((mended.held, mended.created["FbSales"]), (0, 1), "{mended:#?}");
    assert_eq!(house.count("afas", "FbSales").await, (3, 0));
}

#[tokio::test]
async fn a_record_that_was_done_and_becomes_faulty_makes_nothing_again() {
    let house = three("2026-03-14").await;
    assert_eq!(house.poll("cell").await.created["FbSales"], 3);
    dated(&house, "someday").await;
    let faulty = house.poll("cell").await;
    assert_eq!((faulty.held, faulty.created.len()), (1, 0), "{faulty:#?}");
    dated(&house, "2026-03-14").await;
    let mended = house.poll("cell").await;
    assert_eq!((mended.held, mended.failed, mended.created.len()), (0, 0, 0), "{mended:#?}");
    assert_eq!(house.count("afas", "FbSales").await, (3, 0));
}

/// A customer for each debtor.
const DEBTORS: &str = r#"flow debtors "Customers of debtors"

read debtor from afas.Profit_Debtor {
  since .ModifiedDate
  key   .DebtorId
}

create customer in jortt.customers gives .id {
  is_private    = yes
  customer_name = debtor.DebtorName ?? "?"
  reference     = debtor.DebtorId
  email         = debtor.Email
}
"#;

#[tokio::test]
async fn a_row_without_a_key_is_told_at_the_end_and_read_again_and_the_others_are_done_once() {
    let house = House::of(&[("debtors", DEBTORS)], Duration::ZERO).await;
    let known = house.rows("Profit_Debtor").await.len();
    let debtor =
        |id: serde_json::Value| json!({"DebtorId": id, "DebtorName": "Bakkerij", "Email": "info@bakkerij.example"});
    house.put(json!({"afas": {"Profit_Debtor": [debtor(json!(["1"])), debtor(json!("90001"))]}})).await;
    for created in [known + 1, 0] {
        let Err(EngineError::Connection { text, summary, .. }) = house.try_poll("debtors").await else {
            panic!("a row without a key")
        };
        assert!(text.contains("DebtorId should be a text"), "{text}");
        assert_eq!(summary.created.get("customers").copied().unwrap_or(0), created as u64, "{summary:#?}");
    }
}

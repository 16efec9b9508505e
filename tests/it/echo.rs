//! Both directions at once between the same two systems: what koppel made on one side never comes back from the other.

use koppel::sandbox::Options;
use serde_json::{Value, json};

use crate::engine::house::House;

/// What changed in the effects: entity, how often made, how often changed.
fn counts(effects: &Value) -> Vec<(String, u64, u64)> {
    let systems = effects.as_object().unwrap().iter();
    let entities = systems.flat_map(|(system, entities)| {
        entities.as_object().unwrap().iter().map(move |(entity, facts)| (format!("{system}.{entity}"), facts))
    });
    entities.map(|(name, facts)| (name, facts["count"].as_u64().unwrap(), facts["updated"].as_u64().unwrap())).collect()
}

#[tokio::test]
async fn after_ten_polls_of_all_flows_in_both_directions_nothing_has_come_back_and_no_record_has_grown() {
    let house = House::new(Options { size: 30, awkward: true, limits: false, ..Options::default() }).await;
    // An order that a person typed in AFAS, for a debtor that is there, beside all that comes from Jortt.
    let debtors = house.rows("Profit_Debtor").await;
    let debtor =
        debtors.iter().find(|row| row["VatDuty"] == "1" && row["Blocked"] == false).unwrap()["DebtorId"].clone();
    house
        .put(json!({"afas": {
            "Profit_Salesorders": [{"OrderNumber": "7001", "OrderDate": "2026-03-10", "DebtorId": debtor, "Status": "Te factureren",
                "CurrencyId": "EUR", "Gross": 100.0, "Discount": 0.0, "VAT": 21.0, "InvoiceTotal": 121.0}],
            "Profit_SalesorderLines": [{"OrderNumber": "7001", "SeqNo": 1,
                "ItemTypeCode": "2", "ItemCodeId": "ADV", "Description": "Advies", "UnitId": "UUR", "PiecePerUnit": 1,
                "PriceNet": 100.0, "AmtTotal": 100.0, "ModifiedDate": "2026-03-10T09:00:00Z"}]
        }}))
        .await;
    let mut after_three = Value::Null;
    let mut sizes = (0, 0);
    for turn in 1..=10 {
        for summary in house.try_all().await {
            let summary = summary.unwrap();
            assert_eq!((summary.failed, summary.unsettled), (0, 0), "poll {turn}: {summary:#?}");
        }
        if turn == 3 {
            after_three = house.effects().await;
            sizes = (house.rows("Profit_Salesorders").await.len(), house.rows("Profit_Debtor").await.len());
        }
    }
    let after_ten = house.effects().await;
    assert_eq!(counts(&after_ten), counts(&after_three));
    assert_eq!(sizes, (house.rows("Profit_Salesorders").await.len(), house.rows("Profit_Debtor").await.len()));
    let count = |system: &str, entity: &str| after_ten[system][entity]["count"].as_u64().unwrap();
    assert!(count("afas", "FbSales") > 30, "{after_ten}");
    assert_eq!(count("jortt", "invoices"), 1, "the typed order alone becomes an invoice: {after_ten}");
    let numbers = house.rows("Profit_Salesorders").await;
    let of_typed = numbers.iter().filter(|row| row["CustomerReference"] == "7001").count();
    assert_eq!(of_typed, 0, "its invoice is no new order");
}

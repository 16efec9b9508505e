//! Several flows on one connection: who has little to do does not wait for who has much.

use std::time::Duration;

use serde_json::{Value, json};

use super::house::House;

/// Asks for something of each customer by itself.
const MANY: &str = r#"flow many "The rates of every customer"

read customer from jortt.customers {
  since change
  key   .id
}

find rates in jortt.vat_percentages where .id is customer.id
skip when rates.id is not blank because "its rates are known"
hold when rates.id is blank because "its rates are not known"
"#;

/// Asks for next to nothing.
const FEW: &str = r#"flow few "The labels"

read label from jortt.labels {
  since change
  key   .id
}

skip when label.id is not blank because "it is a label"
"#;

/// How many customers' rates were asked for.
async fn asked(house: &House) -> u64 {
    let calls = house.calls().await;
    calls["jortt"]["GET /v2/customers/{id}/vat-percentages"].as_u64().unwrap_or(0)
}

#[tokio::test]
async fn a_flow_with_few_calls_ends_long_before_one_that_wants_many_of_the_same_connection() {
    const CUSTOMERS: u64 = 60;
    let house = House::of(&[("many", MANY), ("few", FEW)], Duration::ZERO).await;
    let customer = |number| {
        let id = format!("ae3d2c0a-8a33-4a1e-9b8d-{number:012}");
        json!({"id": id, "customer_name": "Jansen", "is_private": true})
    };
    let customers: Vec<Value> = (0..CUSTOMERS).map(customer).collect();
    house.put(json!({"jortt": {"customers": customers}})).await;
    let few = async {
        while asked(&house).await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        (house.poll("few").await, asked(&house).await)
    };
    let (many, (few, asked_meanwhile)) = tokio::join!(house.poll("many"), few);
    assert!(few.skipped > 0, "{few:#?}");
    assert!(asked_meanwhile < CUSTOMERS / 2, "it waited for {asked_meanwhile} of {CUSTOMERS} calls");
    assert_eq!((many.skipped, asked(&house).await), (CUSTOMERS, CUSTOMERS), "{many:#?}");
}

//! What comes after a write: once, when it is confirmed by whatever way, also over a restart.

use std::time::Duration;

use serde_json::{Value, json};

use super::house::House;

/// Customers get an item of their own; when Jortt knows a website, the customer gets a note.
const FLOW: &str = r#"flow items "An item for each customer"

read customer from jortt.customers {
  where .id is "ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9a01"
  since change
  key   .id
}

create item in afas.FbItemArticle gives .ItCd {
  ItCd = "K{customer.reference!}"
  Ds   = customer.customer_name
  Grp  = "DIENST"
  BiUn = "UUR"
  VaRc = "1"
}

after item {
  find article in afas.Profit_Article where .ItemCode is item
  hold when article is blank because "AFAS does not show the item yet"
  hold when customer.website is blank because "no website yet"
  update jortt.customers {
    id   = customer.id
    attn = "item {item} of {customer.website}"
  }
}
"#;

const ID: &str = "ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9a01";

fn customer(changed: &Value) -> Value {
    let mut customer = json!({
        "id": ID, "customer_name": "Bakkerij Jansen", "reference": "41202536", "address_street": "Rozengracht",
        "address_postal_code": "1016 LV", "address_city": "Amsterdam"
    });
    customer.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    json!({"jortt": {"customers": [customer]}})
}

async fn house(settle: Duration) -> House {
    let house = House::of(&[("items", FLOW)], settle).await;
    house.put(customer(&json!({}))).await;
    house
}

#[tokio::test]
async fn a_stage_waits_without_a_hold_and_is_decided_once_over_a_restart() {
    let mut house = house(Duration::ZERO).await;
    let first = house.poll("items").await;
    assert_eq!((first.created["FbItemArticle"], first.waiting, first.held), (1, 1, 0), "{first:#?}");
    assert!(first.reasons.is_empty(), "nobody has to look yet: {:?}", first.reasons);
    house.restart();
    assert_eq!(house.poll("items").await.waiting, 1);
    house.put(customer(&json!({"website": "R7"}))).await;
    house.restart();
    let done = house.poll("items").await;
    assert_eq!((done.waiting, done.updated.get("customers")), (0, Some(&1)), "{done:#?}");
    assert_eq!(house.customer(ID).await["attn"], "item K41202536 of R7");
    house.restart();
    for _ in 0..2 {
        let again = house.poll("items").await;
        assert_eq!((again.waiting, again.updated.len(), again.created.len()), (0, 0, 0), "{again:#?}");
    }
    assert_eq!((house.count("afas", "FbItemArticle").await.0, house.count("jortt", "customers").await.1), (1, 1));
}

#[tokio::test]
async fn a_stage_that_has_waited_for_long_is_held_and_told() {
    let mut house = house(Duration::ZERO).await;
    assert_eq!(house.poll("items").await.waiting, 1);
    assert!(house.status().waiting.is_empty());
    house.restart_after("UPDATE record SET begun = '2026-01-01T00:00:00Z' WHERE stage = 'item'");
    let summary = house.poll("items").await;
    assert_eq!((summary.waiting, summary.held), (0, 1), "{summary:#?}");
    assert_eq!(
        (&*summary.reasons[0].text, &*summary.reasons[0].example),
        ("no website yet", &*format!("{ID} after item"))
    );
    let status = house.status();
    assert_eq!(*status.waiting[0].key, format!("{ID} after item"));
    assert_eq!(status.records["items"], [("done".into(), 1)].into(), "the record itself is done");
}

#[tokio::test]
async fn a_stage_begins_also_when_its_write_is_found_by_asking() {
    let mut house = house(Duration::from_mins(18)).await;
    house.put(customer(&json!({"website": "R7"}))).await;
    house.fault(json!({"system": "afas", "kind": "lost_answer", "method": "POST"})).await;
    let first = house.poll("items").await;
    assert_eq!((first.unsettled, first.updated.len()), (1, 0), "{first:#?}");
    house.restart();
    let second = house.poll("items").await;
    assert_eq!((second.unsettled, second.updated.get("customers")), (0, Some(&1)), "{second:#?}");
    assert_eq!(house.customer(ID).await["attn"], "item K41202536 of R7");
}

#[tokio::test]
async fn a_stage_whose_record_is_gone_is_over() {
    let house = house(Duration::ZERO).await;
    assert_eq!(house.poll("items").await.waiting, 1);
    house.put(json!({"jortt": {"customers": [{"id": ID, "deleted": true}]}})).await;
    assert_eq!(house.poll("items").await.waiting, 0);
    assert!(house.ledger().stages("items").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_after_that_is_added_later_holds_for_what_is_confirmed_later() {
    let without: String = FLOW.split("\nafter item").next().unwrap().to_owned();
    let mut house = House::of(&[("items", &without)], Duration::ZERO).await;
    house.put(customer(&json!({"website": "R7"}))).await;
    house.poll("items").await;
    house.edit("items", FLOW);
    let summary = house.poll("items").await;
    assert_eq!((summary.waiting, summary.updated.len()), (0, 0), "{summary:#?}");
}

#[tokio::test]
async fn a_stage_follows_the_create_of_an_ensure_and_not_what_is_found() {
    let flow = r#"flow labels "A label for each reference"

read customer from jortt.customers {
  where .id is "ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9a01"
  since change
  key   .id
}

ensure article: text(40) {
  find afas.Profit_Article where .ItemCode is "K1" gives .ItemCode
  create afas.FbItemArticle gives .ItCd {
    ItCd = "K1"
    Ds   = customer.customer_name
    Grp  = "DIENST"
    BiUn = "UUR"
    VaRc = "1"
  }
}
warn when article is blank because "never"

after article {
  update jortt.customers {
    id   = customer.id
    attn = "made {article}"
  }
}
"#;
    let mut house = House::of(&[("labels", flow)], Duration::ZERO).await;
    house.put(customer(&json!({}))).await;
    let summary = house.poll("labels").await;
    assert_eq!(summary.created["FbItemArticle"], 1, "{summary:#?}");
    assert_eq!(summary.updated.get("customers"), Some(&1), "{summary:#?}");
    house.restart();
    house.poll("labels").await;
    assert_eq!(house.customer(ID).await["attn"], "made K1");
    assert_eq!((house.count("afas", "FbItemArticle").await.0, house.count("jortt", "customers").await.1), (1, 1));
}

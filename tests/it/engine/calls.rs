//! What a poll costs in calls: as few as there can be, and none where nothing has changed.

use std::time::Duration;

use koppel::{engine::EngineError, sandbox::Options, value::Value as Field};
use serde_json::{Value, json};

use super::{house::House, world::World};

/// Invoices of customers that are debtors already.
fn known(size: usize, customers: usize) -> Options {
    Options { size, customers: Some(customers), known: true, limits: false, ..Options::default() }
}

/// Calls of a system in all: what was written, and everything else.
fn calls(of_system: &Value) -> (u64, u64) {
    let calls = of_system.as_object().unwrap().iter().map(|(what, count)| (what.as_str(), count.as_u64().unwrap()));
    let (reads, writes): (Vec<_>, Vec<_>) = calls.partition(|(what, _)| what.starts_with("GET"));
    (reads.iter().map(|(_, count)| count).sum(), writes.iter().map(|(_, count)| count).sum())
}

#[tokio::test]
async fn orders_of_known_customers_cost_little_more_than_their_own_call() {
    let house = House::new(known(500, 50)).await;
    let orders = house.poll("jortt_orders").await;
    assert_eq!((orders.created["FbSales"], orders.held, orders.waiting), (500, 0, 0), "{orders:#?}");
    let calls_of = house.calls().await;
    let (reads, writes) = calls(&calls_of["afas"]);
    assert_eq!(writes, 500, "{calls_of:#}");
    assert!(reads <= 24, "{reads} reads for 500 orders: {calls_of:#}");
    assert_eq!(calls_of["jortt"]["GET /v2/invoices"], 5, "each page once, also for what comes after the orders");
    assert_eq!(calls_of["jortt"]["GET /v2/invoices/{id}"], Value::Null);
    assert!(calls_of["jortt"]["GET /v1/customers"].as_u64().unwrap() <= 2, "{calls_of:#}");
}

#[tokio::test]
async fn orders_of_many_known_customers_cost_their_own_call_and_one_for_ten() {
    let house = House::new(known(250, 250)).await;
    assert_eq!(house.poll("jortt_orders").await.created["FbSales"], 250);
    let calls_of = house.calls().await;
    let (reads, writes) = calls(&calls_of["afas"]);
    assert!(reads + writes <= 275, "{reads} reads for {writes} orders: {calls_of:#}");
    assert!(calls(&calls_of["jortt"]).0 <= 9, "customers come by the hundred: {calls_of:#}");
}

#[tokio::test]
async fn a_poll_in_which_nothing_has_changed_reads_the_lists_and_does_not_call_afas() {
    let house = House::new(known(450, 20)).await;
    let first = house.poll("jortt_orders").await;
    assert_eq!((first.held, first.failed, first.unsettled), (0, 0, 0), "{:#?}", first.reasons);
    let before = house.calls().await;
    let again = house.poll("jortt_orders").await;
    assert!(again.created.is_empty(), "{again:#?}");
    assert!(again.read > 100 && again.read < first.read, "{} of {}", again.read, first.read);
    let after = house.calls().await;
    assert_eq!(after["afas"], before["afas"]);
    let lists = |calls: &Value| calls["jortt"]["GET /v2/invoices"].as_u64().unwrap();
    assert!(lists(&after) - lists(&before) <= 5, "at most its five pages: {after:#}");
    assert_eq!(calls(&after["jortt"]).0 - calls(&before["jortt"]).0, lists(&after) - lists(&before) + 1);
    assert_eq!(house.effects().await["afas"]["FbSales"]["duplicates"], json!([]));
}

#[tokio::test]
async fn a_write_that_takes_long_does_not_keep_the_next_batch_from_being_begun() {
    let world = World::new();
    world.afas.add("Profit_Debtor", &[("DebtorId", Field::text("7")), ("Email", Field::text("known@x.example"))]);
    // Two batches; the debtor of the first record never comes.
    world.invoice("0", "new@x.example", 10);
    (1..=400).for_each(|number| world.invoice(&number.to_string(), "known@x.example", 10));
    world.afas.hang_on("KnSalesRelationOrg");
    let all_others = async {
        while world.afas.count("Profit_Salesorders") < 400 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        _ = world.try_poll() => panic!("it hangs"),
        all = tokio::time::timeout(Duration::from_mins(2), all_others) => all.unwrap(),
    }
}

#[tokio::test]
async fn what_was_read_before_a_page_that_cannot_be_had_is_brought_to_its_end() {
    let house = House::new(known(600, 20)).await;
    house.fault(json!({"system": "jortt", "kind": "forbidden", "path": "v2/invoices", "nth": 5, "times": 99})).await;
    let error = house.try_poll("jortt_orders").await.unwrap_err();
    let EngineError::Connection { connection, summary, .. } = error else { panic!("{error}") };
    assert_eq!((&*connection, summary.created["FbSales"], summary.unsettled), ("jortt", 400, 0));
}

//! Lists that are read from their newest record down: less is read, and nothing is missed.

use koppel::value::{Decimal, Value};

use super::world::{FLOW, World, invoice, record};

/// Only what is paid becomes an order; what is not is left until it changes.
fn world() -> World {
    let flow = FLOW.replacen("  since change", "  where .list is \"sent\"\n  since change", 1).replacen(
        "skip when invoice.invoice_total is 0",
        "skip when invoice.invoice_due_amount is not 0",
        1,
    );
    let world = World::of(&flow);
    world.jortt.newest_first.set("created_at".into()).unwrap();
    world
}

fn sent(number: u32, owed: i64, email: &str) -> Vec<(&'static str, Value)> {
    let mut fields = invoice(&number.to_string(), email, 10);
    let at = format!("2026-03-14T10:00:{number:02}Z");
    let words = if owed == 0 { ["sent", "paid"] } else { ["sent", "unpaid"] };
    fields.push(("created_at", Value::DateTime(at.parse().unwrap())));
    fields.push(("invoice_due_amount", Value::eur(Decimal::from(owed))));
    fields.push(("list", Value::List(words.map(Value::text).into())));
    fields
}

/// Puts an invoice into the list, newest first, in place of the one with its number.
fn put(world: &World, number: u32, owed: i64, email: &str) {
    let mut rows = world.jortt.rows.lock().unwrap();
    let rows = rows.entry("invoices".to_owned()).or_default();
    rows.retain(|row| row.get("id") != &Value::text(&format!("id-{number}")));
    rows.push(record(&sent(number, owed, email)));
    rows.sort_by_key(|row| std::cmp::Reverse(row.get("created_at").to_string()));
}

/// A world in which nine paid invoices were read, on three pages.
async fn read_once() -> World {
    let world = world();
    for number in 1..=9 {
        put(&world, number, 0, "a@x.example");
    }
    assert_eq!(world.poll().await.created["FbSales"], 9);
    world
}

fn pages(world: &World) -> usize {
    world.jortt.sources.lock().unwrap().len()
}

#[tokio::test]
async fn a_list_that_nothing_leaves_is_read_down_to_its_floor() {
    let world = read_once().await;
    let before = pages(&world);
    let again = world.poll().await;
    assert_eq!((again.read, again.created.len()), (3, 0), "{again:#?}");
    assert_eq!(pages(&world) - before, 2, "one page, and the unpaid ones");

    for number in 10..=17 {
        put(&world, number, 0, "a@x.example");
    }
    let new = world.poll().await;
    assert_eq!(new.created["FbSales"], 8, "all pages down to the floor: {new:#?}");
}

#[tokio::test]
async fn an_old_draft_that_is_sent_late_is_found_among_the_unpaid_ones() {
    let world = read_once().await;
    put(&world, 0, 10, "a@x.example");
    assert_eq!(world.poll().await.skipped, 1, "it is new, and owes something");
    assert_eq!(world.poll().await.skipped, 0);
    put(&world, 0, 0, "a@x.example");
    let paid = world.poll().await;
    assert_eq!(paid.created.get("FbSales"), Some(&1), "it left the unpaid ones: {paid:#?}");
}

#[tokio::test]
async fn what_waits_below_the_floor_is_read_by_its_key() {
    let world = read_once().await;
    put(&world, 0, 10, "");
    world.poll().await;
    put(&world, 0, 0, "");
    assert_eq!(world.poll().await.held, 1, "no e-mail");
    let before = pages(&world);
    assert_eq!(world.poll().await.held, 1, "tried again");
    assert_eq!(pages(&world) - before, 2, "without reading all pages");
    put(&world, 0, 0, "b@x.example");
    assert_eq!(world.poll().await.created.get("FbSales"), Some(&1));
    assert!(world.ledger().waiting("orders").await.unwrap().is_empty());
}

#[tokio::test]
async fn what_waits_and_is_not_there_any_more_is_gone() {
    let world = read_once().await;
    put(&world, 0, 10, "");
    world.poll().await;
    put(&world, 0, 0, "");
    assert_eq!(world.poll().await.held, 1);
    world.jortt.rows.lock().unwrap().get_mut("invoices").unwrap().pop();
    assert_eq!(world.poll().await.held, 0);
    assert!(world.ledger().waiting("orders").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_edited_flow_reads_everything_once() {
    let mut world = read_once().await;
    world.poll().await;
    world.run.plan_version = "2".into();
    assert_eq!(world.poll().await.read, 9);
    assert_eq!(world.poll().await.read, 3);
}

//! What a run would do now: what was done is left alone, what is new is shown, and nothing is sent.

use koppel::{
    connector::Answered,
    engine::{Foreseen, Stop, foresee},
    ledger::status,
    value::Outcome,
};

use super::world::{FLOW, World, places};

/// The records in order, each with what would come of it.
async fn foreseen(world: &World) -> Vec<(String, String)> {
    let mut told = Vec::new();
    let stop = Stop::never();
    let read = foresee(&world.run, world.ledger(), &stop, |key, foreseen| {
        let what = match foreseen {
            Foreseen::Unchanged => "unchanged".to_owned(),
            Foreseen::InDoubt => "in doubt".to_owned(),
            Foreseen::Decided(decision) => match decision.outcome {
                Outcome::Writes(writes) => {
                    writes.iter().map(|write| write.name.to_string()).collect::<Vec<_>>().join(" ")
                }
                Outcome::Skip(reason) | Outcome::Hold(reason) | Outcome::Fail(reason) => reason.text.to_string(),
            },
        };
        told.push((key.to_string(), what));
    });
    assert_eq!(read.await.unwrap(), told.len() as u64);
    told.sort();
    told
}

fn told(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(key, what)| ((*key).to_owned(), (*what).to_owned())).collect()
}

#[tokio::test]
async fn before_the_first_run_everything_is_decided_and_nothing_sent() {
    let world = World::new();
    world.invoice("1", "a@x.example", 10);
    world.invoice("2", "a@x.example", 0);
    let zero = "a zero invoice needs no document";
    assert_eq!(foreseen(&world).await, told(&[("id-1", "KnSalesRelationOrg sale"), ("id-2", zero)]));
    assert!(world.afas.sent.lock().unwrap().is_empty());
    assert!(status(&places(world.folder.path()).ledger).unwrap().records.is_empty());
    assert_eq!(world.afas.requests_made(), 1);
}

#[tokio::test]
async fn after_a_run_only_what_is_new_is_shown() {
    let world = World::new();
    world.invoice("1", "a@x.example", 10);
    world.poll().await;
    world.invoice("2", "a@x.example", 10);
    assert_eq!(foreseen(&world).await, told(&[("id-1", "unchanged"), ("id-2", "sale")]));
    assert_eq!(world.afas.sent("FbSales").len(), 1);
}

#[tokio::test]
async fn what_is_in_doubt_is_asked_about_first() {
    let world = World::new();
    world.invoice("1", "a@x.example", 10);
    world.afas.script("FbSales", false, Some(Answered::Unclear("cut off".to_owned())));
    assert_eq!(world.poll().await.unsettled, 1);
    assert_eq!(foreseen(&world).await, told(&[("id-1", "in doubt")]));
}

#[tokio::test]
async fn what_was_made_of_a_record_is_not_shown_as_still_to_be_made() {
    let mut world = World::new();
    world.invoice("1", "a@x.example", 10);
    world.afas.script("FbSales", false, Some(Answered::Refused("not today".to_owned())));
    assert_eq!(world.poll().await.failed, 1);
    assert_eq!(foreseen(&world).await, told(&[("id-1", "unchanged")]));
    world.edit(&FLOW.replace("Unit = 1", "Unit = 2"));
    assert_eq!(foreseen(&world).await, told(&[("id-1", "sale")]));
}

#[tokio::test]
async fn a_record_that_was_done_is_shown_to_wait_for_a_person_where_its_flow_wants_more() {
    let mut world = World::new();
    world.invoice("1", "a@x.example", 10);
    world.poll().await;
    let sale = &FLOW[FLOW.find("create sale").unwrap()..];
    let more = sale.replace("create sale", "create copy").replace("\"J{", "\"K{");
    world.edit(&format!("{FLOW}\n{more}"));
    world.change_invoice("1", "a@x.example", 20);
    assert_eq!(foreseen(&world).await, told(&[("id-1", "would make copy again: `koppel redo orders/id-1`")]));
    assert_eq!(world.poll().await.held, 1, "as the run does");
}

//! Every effect once, whatever the systems do: answers lost, refused, late; records and flows edited in between.

use std::{sync::Arc, time::Duration};

use koppel::{
    connector::{Answered, ConnectorError},
    engine::{EngineError, ScheduledRun, Silent, Stop, poll, serve},
    insight::EventKind,
    ledger::status,
    value::{Compare, Filter, Value, Verdict},
};

use super::world::{FLOW, World, invoice, places, text_at};

#[tokio::test]
async fn new_invoices_become_orders_once_and_a_second_poll_does_nothing() {
    let world = World::new();
    for n in 1..=7 {
        world.invoice(&format!("2026-{n}"), &format!("c{n}@x.example"), 10);
    }
    let first = world.poll().await;
    assert_eq!((first.read, first.skipped, first.held, first.failed, first.unsettled), (7, 0, 0, 0, 0));
    assert_eq!((first.created["FbSales"], first.created["KnSalesRelationOrg"]), (7, 7));
    let sent = world.afas.sent("FbSales");
    assert!(sent.iter().all(|order| text_at(order, "DbId").starts_with("100")), "with the key of the debtor");

    let second = world.poll().await;
    assert_eq!(second.read, 7);
    assert!(second.created.is_empty());
    assert_eq!((world.afas.sent("FbSales").len(), world.afas.sent("KnSalesRelationOrg").len()), (7, 7));
}

#[tokio::test]
async fn invoices_of_one_new_email_make_one_debtor() {
    let world = World::new();
    for n in 1..=6 {
        world.invoice(&format!("2026-{n}"), "same@x.example", 10);
    }
    let summary = world.poll().await;
    assert_eq!((summary.created["FbSales"], summary.created["KnSalesRelationOrg"]), (6, 1));
    let debtors: Vec<String> = world.afas.sent("FbSales").iter().map(|order| text_at(order, "DbId")).collect();
    assert!(debtors.iter().all(|debtor| *debtor == debtors[0]), "{debtors:?}");
}

#[tokio::test]
async fn a_debtor_that_the_target_does_not_show_yet_is_not_made_again() {
    let world = World::new();
    world.invoice("1", "same@x.example", 10);
    world.poll().await;
    world.afas.rows.lock().unwrap().remove("Profit_Debtor");
    world.invoice("2", "same@x.example", 10);
    let summary = world.poll().await;
    assert_eq!(summary.created.get("KnSalesRelationOrg"), None, "the ledger knows it");
    assert_eq!(text_at(&world.afas.sent("FbSales")[1], "DbId"), "10000");

    world.settled();
    world.invoice("3", "same@x.example", 10);
    let summary = world.poll().await;
    assert_eq!(summary.created.get("KnSalesRelationOrg"), None, "a read that shows nothing at all says nothing of it");

    world.invoice("4", "other@x.example", 10);
    world.poll().await;
    world.invoice("5", "same@x.example", 10);
    let summary = world.poll().await;
    assert_eq!(summary.created.get("KnSalesRelationOrg"), Some(&1), "another one is shown, and it is not: it is gone");
}

#[tokio::test]
async fn rows_that_hang_on_the_key_of_a_record_are_part_of_its_content() {
    let found = "find all orders in afas.Profit_Salesorders where .CustomerReference is invoice.id by .OrderNumber\n\
                 skip when count(orders) is 0 because \"nothing is ordered yet\"\n\nensure debtor";
    let world = World::of(&FLOW.replacen("ensure debtor", found, 1));
    world.invoice("1", "a@x.example", 10);
    assert_eq!(world.poll().await.skipped, 1);
    assert_eq!(world.poll().await.skipped, 0, "nothing changed");
    world
        .afas
        .add("Profit_Salesorders", &[("OrderNumber", Value::text("5")), ("CustomerReference", Value::text("id-2"))]);
    assert_eq!(world.poll().await.created.get("FbSales"), None, "a row of another record");
    world
        .afas
        .add("Profit_Salesorders", &[("OrderNumber", Value::text("6")), ("CustomerReference", Value::text("id-1"))]);
    assert_eq!(world.poll().await.created.get("FbSales"), Some(&1));
}

#[tokio::test]
async fn a_page_is_asked_for_in_few_calls() {
    let world = World::new();
    world.invoice("0", "c0@x.example", 10);
    world.poll().await;
    world.afas.add("Profit_Debtor", &[("DebtorId", Value::text("5")), ("Email", Value::text("known@x.example"))]);
    for n in 1..=3 {
        world.invoice(&format!("2026-{n}"), "known@x.example", 10);
    }
    let before = world.afas.requests_made();
    world.poll().await;
    // Two pages; for each the debtors and the orders that may be there, then the orders themselves.
    assert!(world.afas.requests_made() - before <= 4 + 3, "{}", world.afas.requests_made() - before);
}

#[tokio::test]
async fn records_end_as_the_flow_says_and_are_told_by_kind() {
    let world = World::new();
    world.invoice("1", "a@x.example", 0);
    world.invoice("2", "", 10);
    world.invoice("3", "", 10);
    let summary = world.poll().await;
    assert_eq!((summary.skipped, summary.held, summary.failed), (1, 2, 0));
    let [kind] = summary.reasons.as_slice() else { panic!("{:?}", summary.reasons) };
    assert_eq!((kind.verdict, kind.count), (Verdict::Hold, 2));
    assert_eq!(&*kind.place, "orders.flow:9");
    assert_eq!((&*kind.text, &*kind.reason), ("Jansen has no e-mail", "••• has no e-mail"));
    let json = serde_json::to_string(&summary).unwrap();
    assert!(!json.contains("Jansen"), "{json}");
    for event in world.journal.0.lock().unwrap().iter() {
        assert!(!serde_json::to_string(event).unwrap().contains("Jansen"), "{event:?}");
    }

    let again = world.poll().await;
    assert_eq!((again.skipped, again.held), (0, 2), "held ones are tried again, skipped ones are not");
    world.change_invoice("2", "b@x.example", 10);
    let mended = world.poll().await;
    assert_eq!((mended.created["FbSales"], mended.held), (1, 1));
}

#[tokio::test]
async fn after_an_edit_what_waits_or_was_skipped_is_decided_again_and_what_is_done_is_not() {
    let mut world = World::new();
    world.invoice("1", "a@x.example", 0);
    world.invoice("2", "b@x.example", 10);
    world.poll().await;
    world.edit(&FLOW.replace("skip when invoice.invoice_total is 0", "hold when invoice.invoice_total is 0"));
    let summary = world.poll().await;
    assert_eq!((summary.held, summary.skipped), (1, 0));
    assert!(summary.created.is_empty());
    // A field that is read for the first time is filled in, and changes from there on.
    world.edit(&FLOW.replace("  Unit = 1", "  Unit = 1\n  Re   = invoice.remarks"));
    assert!(world.poll().await.created.is_empty());
    assert!(world.poll().await.reasons.is_empty());
}

#[tokio::test]
async fn a_done_record_that_changes_makes_nothing_more() {
    let mut world = World::new();
    world.invoice("1", "a@x.example", 10);
    world.poll().await;
    world.change_invoice("1", "a@x.example", 20);
    let summary = world.poll().await;
    assert_eq!((summary.held, summary.created.len()), (0, 0), "{:?}", summary.reasons);

    world.edit(&FLOW.replace("create sale in", "create order in"));
    world.change_invoice("1", "a@x.example", 30);
    let summary = world.poll().await;
    assert_eq!(summary.held, 1);
    assert!(
        summary.reasons[0].text.contains("would make order again: `koppel redo orders/id-1`"),
        "{:?}",
        summary.reasons
    );
    assert_eq!(world.afas.count("Profit_Salesorders"), 1);
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_asking_and_nothing_is_sent_twice() {
    let world = World::new();
    world.invoice("1", "a@x.example", 10);
    world.afas.script("FbSales", true, Some(Answered::Unclear("reset".into())));
    let first = world.poll().await;
    assert_eq!((first.unsettled, first.in_doubt[0].number.as_deref()), (1, Some("J1")));
    assert_eq!(world.afas.count("Profit_Salesorders"), 1);

    let second = world.poll().await;
    assert_eq!((second.unsettled, second.held, second.failed), (0, 0, 0));
    assert_eq!(world.afas.sent("FbSales").len(), 1);
    let told: Vec<EventKind> = world.journal.0.lock().unwrap().iter().map(|event| event.kind).collect();
    assert!(told.contains(&EventKind::Unsettled) && told.contains(&EventKind::Done));
}

#[tokio::test]
async fn a_write_that_never_happened_is_sent_again_only_after_its_time_and_not_by_a_blind_ask() {
    let world = World::new();
    world.invoice("0", "a@x.example", 10);
    world.poll().await;
    world.invoice("1", "a@x.example", 10);
    world.afas.script("FbSales", false, Some(Answered::Unclear("reset".into())));
    assert_eq!(world.poll().await.unsettled, 1);
    assert_eq!(world.poll().await.unsettled, 1, "not found too early proves nothing");
    assert_eq!(world.afas.sent("FbSales").len(), 2);

    world.settled();
    *world.afas.blind.lock().unwrap() = true;
    assert_eq!(world.poll().await.unsettled, 1, "nor does an answer without what is known to exist");
    assert_eq!(world.afas.sent("FbSales").len(), 2);

    *world.afas.blind.lock().unwrap() = false;
    let last = world.poll().await;
    assert_eq!((last.unsettled, last.created["FbSales"]), (0, 1));
    assert_eq!(world.afas.count("Profit_Salesorders"), 2);
}

#[tokio::test]
async fn a_debtor_in_doubt_keeps_its_records_waiting_and_is_found_by_the_next_one_that_needs_it() {
    let world = World::new();
    world.invoice("1", "a@x.example", 10);
    world.invoice("2", "a@x.example", 10);
    world.afas.script("KnSalesRelationOrg", true, Some(Answered::Unclear("reset".into())));
    *world.afas.blind.lock().unwrap() = true;
    let first = world.poll().await;
    assert_eq!(first.unsettled, 2, "also the one that only waits for it");
    assert!(world.afas.sent("FbSales").is_empty());

    *world.afas.blind.lock().unwrap() = false;
    world.poll().await;
    world.poll().await;
    assert_eq!(world.afas.sent("KnSalesRelationOrg").len(), 1, "one debtor, whatever became of the answer");
}

#[tokio::test]
async fn a_debtor_that_was_never_made_is_made_after_its_time_and_not_by_a_blind_ask() {
    let world = World::new();
    world.invoice("0", "known@x.example", 10);
    world.poll().await;
    world.invoice("1", "a@x.example", 10);
    world.afas.script("KnSalesRelationOrg", false, Some(Answered::Unclear("reset".into())));
    assert_eq!(world.poll().await.unsettled, 1);
    assert_eq!(world.poll().await.unsettled, 1);
    world.settled();
    *world.afas.blind.lock().unwrap() = true;
    let blind = world.poll().await;
    assert_eq!((blind.held, world.afas.count("Profit_Debtor")), (1, 1), "its time alone says nothing: {blind:?}");
    assert!(blind.reasons[0].text.contains("may the user of this connection read"), "{blind:?}");

    *world.afas.blind.lock().unwrap() = false;
    world.change_invoice("1", "a@x.example", 20);
    let last = world.poll().await;
    assert_eq!((last.unsettled, last.created["FbSales"]), (0, 1), "{last:?}");
    assert_eq!(world.afas.count("Profit_Debtor"), 2);
}

#[tokio::test]
async fn what_is_half_done_goes_on_with_the_key_it_has() {
    let world = World::new();
    world.invoice("1", "a@x.example", 10);
    world.afas.script("FbSales", false, Some(Answered::Refused("a line is wrong".into())));
    let first = world.poll().await;
    assert_eq!((first.failed, first.created["KnSalesRelationOrg"]), (1, 1));
    assert!(first.reasons[0].text.contains("a line is wrong"));
    assert!(!first.reasons[0].reason.contains("a line is wrong"), "the words may repeat what was sent");
    assert_eq!(world.poll().await.failed, 0, "a refused record waits for a change");

    world.change_invoice("1", "a@x.example", 20);
    let second = world.poll().await;
    assert_eq!(second.created.get("FbSales"), Some(&1), "{second:?}");
    assert_eq!(world.afas.sent("KnSalesRelationOrg").len(), 1);
    assert_eq!(text_at(&world.afas.sent("FbSales")[1], "DbId"), "10000");
}

#[tokio::test]
async fn a_number_that_exists_is_ours_or_holds_the_record() {
    let world = World::new();
    world.invoice("1", "a@x.example", 10);
    // It was made a moment ago by an attempt that nobody remembers, and shows only after the refusal.
    world.afas.script("FbSales", true, Some(Answered::NumberExists("exists".into())));
    let summary = world.poll().await;
    assert_eq!((summary.held, summary.unsettled), (0, 0), "{summary:?}");

    world.afas.add(
        "Profit_Salesorders",
        &[("OrderNumber", Value::text("J2")), ("CustomerReference", Value::text("of a person"))],
    );
    world.invoice("2", "a@x.example", 10);
    let summary = world.poll().await;
    assert_eq!(summary.held, 1);
    assert!(summary.reasons[0].text.contains("stands on another document"), "{:?}", summary.reasons);
    assert_eq!(world.afas.sent("FbSales").len(), 1, "it was seen before anything was sent");
}

#[tokio::test]
async fn an_order_that_is_there_already_is_found_and_not_made() {
    let world = World::new();
    world.invoice("1", "a@x.example", 10);
    world
        .afas
        .add("Profit_Salesorders", &[("OrderNumber", Value::text("J1")), ("CustomerReference", Value::text("1"))]);
    let summary = world.poll().await;
    assert_eq!((summary.held, summary.created.get("FbSales")), (0, None));
    assert!(world.afas.sent("FbSales").is_empty());
    assert!(world.poll().await.reasons.is_empty());
}

#[tokio::test]
async fn an_answer_without_a_key_is_read_back() {
    let world = World::new();
    world.invoice("1", "a@x.example", 10);
    world.afas.script("FbSales", true, Some(Answered::Keyless));
    let summary = world.poll().await;
    assert_eq!((summary.unsettled, summary.held), (0, 0));
    assert_eq!(world.poll().await.unsettled, 0);
    assert_eq!(world.afas.sent("FbSales").len(), 1);
}

#[tokio::test]
async fn trouble_of_a_connection_stops_the_run_and_nothing_is_lost() {
    let world = World::new();
    for n in 1..=5 {
        world.invoice(&n.to_string(), "a@x.example", 10);
    }
    world.poll().await;
    for n in 6..=9 {
        world.invoice(&n.to_string(), "a@x.example", 10);
    }
    let refused = Answered::NotArrived(ConnectorError::Setup("the address is not allowed (403)".into()));
    world.afas.script("FbSales", false, Some(refused));
    let error = world.try_poll().await.unwrap_err();
    let EngineError::Connection { connection, text, summary } = error else { panic!("{error}") };
    assert_eq!((&*connection, summary.unsettled), ("afas", 0));
    assert!(text.contains("403"));

    world.poll().await;
    assert_eq!(world.afas.count("Profit_Salesorders"), 9, "each once");

    *world.afas.down.lock().unwrap() = Some(ConnectorError::Unreachable("gone".into()));
    world.invoice("10", "b@x.example", 10);
    assert!(world.try_poll().await.is_err());
    *world.afas.down.lock().unwrap() = None;
    assert_eq!(world.poll().await.created["FbSales"], 1, "the ledger is still usable");
}

#[tokio::test]
async fn a_system_that_answers_no_write_does_not_use_up_the_records() {
    let world = World::new();
    world.invoice("0", "a@x.example", 10);
    world.poll().await;
    for n in 1..=60 {
        world.invoice(&n.to_string(), "a@x.example", 10);
        world.afas.script("FbSales", false, Some(Answered::Unclear("502 without a text".to_owned())));
    }
    let error = world.try_poll().await.unwrap_err();
    let EngineError::Connection { text, summary, .. } = error else { panic!("{error}") };
    assert!(text.contains("8 writes in a row had no clear answer, the last one: 502 without a text"), "{text}");
    let tried = world.afas.sent("FbSales").len() as u64 - 1;
    assert!((8..=16).contains(&tried) && summary.unsettled == tried, "{tried}: {summary:#?}");

    world.afas.scripts.lock().unwrap().clear();
    world.settled();
    world.poll().await;
    assert_eq!(world.poll().await.unsettled, 0);
    assert_eq!(world.afas.count("Profit_Salesorders"), 61, "each once");
}

#[tokio::test]
async fn a_busy_system_is_waited_for() {
    let world = World::new();
    world.invoice("1", "a@x.example", 10);
    let busy = ConnectorError::Busy { after: Duration::from_millis(1), text: "429".into() };
    world.afas.script("FbSales", false, Some(Answered::NotArrived(busy)));
    assert_eq!(world.poll().await.created["FbSales"], 1);
    assert_eq!(world.afas.sent("FbSales").len(), 2);
}

#[tokio::test]
async fn what_somebody_else_works_on_is_tried_again_and_holds_only_its_own_record() {
    let world = World::new();
    let locked = || {
        let text = "The order is blocked by user J. Jansen".to_owned();
        Some(Answered::NotArrived(ConnectorError::Locked { after: Duration::from_millis(1), text }))
    };
    world.invoice("1", "a@x.example", 10);
    world.afas.script("FbSales", false, locked());
    assert_eq!(world.poll().await.created["FbSales"], 1);

    world.invoice("2", "a@x.example", 10);
    for _ in 0..3 {
        world.afas.script("FbSales", false, locked());
    }
    let summary = world.poll().await;
    assert_eq!((summary.held, summary.failed, summary.unsettled), (1, 0, 0), "{summary:#?}");
    assert!(summary.reasons[0].text.contains("blocked by user J. Jansen"), "{:?}", summary.reasons);
    assert!(!summary.reasons[0].reason.contains("Jansen"), "a name is not kept: {:?}", summary.reasons);
    assert_eq!(world.poll().await.created["FbSales"], 1);
    assert_eq!(world.afas.count("Profit_Salesorders"), 2);
}

#[tokio::test]
async fn a_record_finds_its_own_debtor_whose_answer_had_no_key() {
    let world = World::new();
    world.invoice("1", "a@x.example", 10);
    world.afas.script("KnSalesRelationOrg", true, Some(Answered::Keyless));
    *world.afas.blind.lock().unwrap() = true;
    let first = world.poll().await;
    assert_eq!((first.unsettled, first.created.get("FbSales")), (1, None), "{first:#?}");
    *world.afas.blind.lock().unwrap() = false;
    let second = world.poll().await;
    assert_eq!((second.unsettled, second.created["FbSales"]), (0, 1), "{second:#?}");
    assert_eq!(world.afas.count("Profit_Debtor"), 1);
    assert!(world.ledger().doubts().await.unwrap().is_empty(), "nobody needs to ask any more");
}

#[tokio::test]
async fn a_debtor_that_the_target_does_not_know_any_more_is_made_again() {
    let world = World::new();
    world.invoice("1", "other@x.example", 10);
    world.poll().await;
    world.invoice("2", "a@x.example", 10);
    let stop = Answered::NotArrived(ConnectorError::Setup("the address is not allowed (403)".into()));
    world.afas.script("FbSales", false, Some(stop));
    assert!(world.try_poll().await.is_err());
    // A person deletes it, between its making and the order.
    let gone = |row: &koppel::value::Record| row.get("DebtorId") == &Value::text("10001");
    world.afas.rows.lock().unwrap().get_mut("Profit_Debtor").unwrap().retain(|row| !gone(row));
    let refused = || Some(Answered::Refused("Debtor 10001 does not exist".to_owned()));
    world.afas.script("FbSales", false, refused());
    let early = world.poll().await;
    assert_eq!((early.held, early.failed), (1, 0), "{early:#?}");
    assert!(early.reasons[0].text.contains("does not show debtor 10001 yet or any more"), "{:?}", early.reasons);
    assert_eq!(world.afas.sent("KnSalesRelationOrg").len(), 2, "a read may lag behind");

    world.settled();
    world.afas.script("FbSales", false, refused());
    let told = world.poll().await;
    assert!(told.reasons[0].text.contains("does not show debtor 10001 any more: it is made again"), "{told:#?}");
    let mended = world.poll().await;
    assert_eq!((mended.created["KnSalesRelationOrg"], mended.created["FbSales"]), (1, 1), "{mended:#?}");
    assert_eq!(text_at(world.afas.sent("FbSales").last().unwrap(), "DbId"), "10002");

    // What is refused for another reason fails as before.
    world.invoice("3", "a@x.example", 10);
    world.afas.script("FbSales", false, Some(Answered::Refused("Item ADV does not exist".to_owned())));
    let other = world.poll().await;
    assert_eq!((other.failed, other.held), (1, 0), "{other:#?}");
}

#[tokio::test]
async fn two_invoices_of_one_number_make_one_order() {
    let world = World::new();
    world.invoice("1", "a@x.example", 10);
    let mut twin = invoice("1", "a@x.example", 10);
    twin[0].1 = Value::text("id-twin");
    world.jortt.add("invoices", &twin);
    let summary = world.poll().await;
    assert_eq!((summary.created["FbSales"], summary.held), (1, 1), "{:?}", summary.reasons);
}

#[tokio::test]
async fn a_kill_between_intention_and_answer_is_settled_at_the_next_start() {
    let mut world = World::new();
    world.invoice("1", "a@x.example", 10);
    // The write happens and its answer is on its way when the process dies.
    world.afas.hang_on("FbSales");
    {
        let mut polling = Box::pin(world.try_poll());
        tokio::select! {
            _ = &mut polling => panic!("it hangs"),
            () = world.afas.hung() => {}
        }
    }
    world.start();
    assert_eq!(world.afas.count("Profit_Salesorders"), 1);
    let summary = world.poll().await;
    assert_eq!((summary.unsettled, summary.failed, summary.held), (0, 0, 0));
    assert_eq!(world.afas.sent("FbSales").len(), 1);
    let told = status(&places(world.folder.path()).ledger).unwrap();
    assert_eq!(told.records["orders"]["done"], 1);
}

#[tokio::test]
async fn records_that_leave_the_source_before_they_are_done_are_gone() {
    let world = World::new();
    world.invoice("1", "", 10);
    assert_eq!(world.poll().await.held, 1);
    world.jortt.rows.lock().unwrap().clear();
    assert_eq!(world.poll().await.held, 0);
    let told = status(&places(world.folder.path()).ledger).unwrap();
    assert_eq!(told.records["orders"].get("gone"), Some(&1));
    world.invoice("1", "a@x.example", 10);
    assert_eq!(world.poll().await.created["FbSales"], 1, "back again, it is decided");
}

#[tokio::test]
async fn a_stop_is_heeded_between_records_and_the_rest_is_done_later() {
    let world = World::new();
    for n in 1..=5 {
        world.invoice(&n.to_string(), "a@x.example", 10);
    }
    let (stopper, stop) = Stop::new();
    stopper.stop();
    let summary = poll(&world.run, world.ledger(), &world.journal, &Silent, &stop).await.unwrap();
    assert!(summary.created.is_empty());
    assert_eq!(world.poll().await.created["FbSales"], 5);
}

#[tokio::test]
async fn a_document_that_koppel_made_is_never_a_record() {
    let world = World::new();
    world.invoice("1", "a@x.example", 10);
    world.poll().await;
    let person = [("OrderNumber", Value::text("500")), ("CustomerReference", Value::text("by phone"))];
    world.afas.add("Profit_Salesorders", &person);
    let back = world.run_of(
        "back",
        "flow back \"Orders\"\n\nread order from afas.Profit_Salesorders {\n  since change\n  key   .OrderNumber\n}\n\n\
         hold when order.OrderNumber is not blank because \"seen\"\n",
    );
    let summary = world.poll_of(&back).await;
    assert_eq!((summary.read, summary.skipped, summary.held), (2, 1, 1));
    assert_eq!(&*summary.reasons[0].example, "500");
}

#[tokio::test]
async fn a_source_with_a_stamp_is_read_from_its_mark_and_whole_while_something_waits() {
    let world = World::new();
    let moment = |text: &str| Value::DateTime(text.parse().unwrap());
    let debtor = |id: &str, at: &str, blocked| {
        world.afas.add(
            "Profit_Debtor",
            &[("DebtorId", Value::text(id)), ("ModifiedDate", moment(at)), ("Blocked", Value::Bool(blocked))],
        );
    };
    debtor("1", "2026-03-14T09:59:59Z", false);
    debtor("2", "2026-03-14T12:00:00Z", false);
    let run = world.run_of(
        "debtors",
        "flow debtors \"Debtors\"\n\nread debtor from afas.Profit_Debtor {\n  since .ModifiedDate overlap 2 hours\n  \
         key   .DebtorId\n}\n\nhold when debtor.Blocked because \"blocked\"\nskip when not debtor.Blocked because \"fine\"\n",
    );
    assert_eq!(world.poll_of(&run).await.skipped, 2);
    let second = world.poll_of(&run).await;
    assert_eq!((second.read, second.skipped), (1, 0), "only what lies behind the mark less the overlap");
    let asked = world.afas.sources.lock().unwrap().last().unwrap().filter.clone();
    let Filter::And(parts) = asked else { panic!("{asked:?}") };
    let newer = Filter::Compares("ModifiedDate".into(), Compare::AtLeast, moment("2026-03-14T10:00:00Z"));
    assert_eq!(parts[1], newer);

    debtor("3", "2026-03-14T13:00:00Z", true);
    assert_eq!(world.poll_of(&run).await.held, 1);
    let waiting = world.poll_of(&run).await;
    assert_eq!((waiting.read, waiting.held), (3, 1), "what waits would lie before the mark one day");
}

#[tokio::test]
async fn serving_takes_over_an_edit_at_once_and_ends_when_asked() {
    let mut world = World::new();
    world.invoice("1", "a@x.example", 0);
    let scheduled = |world: &World| {
        let run = Arc::new(world.run.clone());
        Arc::new(vec![ScheduledRun { run, every: Duration::from_hours(1) }])
    };
    let (send, runs) = tokio::sync::watch::channel(scheduled(&world));
    let edited = FLOW.replace("skip when invoice.invoice_total is 0", "hold when invoice.invoice_total is 0");
    world.edit(&edited);
    let (stopper, stop) = Stop::new();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let serving = serve(runs, world.ledger(), &world.journal, &Silent, stop, |name, result| {
        tell.send((name.to_owned(), result.unwrap())).unwrap();
    });
    let watching = async {
        let (name, first) = told.recv().await.unwrap();
        assert_eq!((&*name, first.skipped), ("orders", 1));
        send.send(scheduled(&world)).unwrap();
        let (_, second) = told.recv().await.unwrap();
        assert_eq!(second.held, 1, "the edited flow, without waiting for its hour");
        stopper.stop();
    };
    let (served, ()) = tokio::join!(serving, watching);
    served.unwrap();
}

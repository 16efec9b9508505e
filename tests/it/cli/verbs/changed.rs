//! `koppel redo --changed`: what an edited flow would do with records that were done.

use super::{FLOW, ORDER, World};

/// The customer of each invoice is a debtor that is kept up to date.
const DEBTOR: &str = r#"flow stock "A debtor that is kept up to date"

read invoice from jortt.invoices {
  where .list is "sent"
  since change
  key   .id
}

ensure debtor: text(16) {
  find afas.Profit_Debtor where .Email is "nieuw@x.example" gives .DebtorId
  update found
  create afas.KnSalesRelationOrg gives .DbId {
    IsDb = yes                                         on create
    CuId = "EUR"                                       on create
    ColA = "1300"                                      on create
    InPv = "Reeds verstrekt, niet opnieuw verstrekken" on create
    AuPa = no                                          on create
    PaCd = "30"
    VaDu = "1"                                         on create
    KnOrganisation {
      PadAdr   = yes
      AutoNum  = yes                     on create
      MatchOga = "Altijd nieuw toevoegen" on create
      Nm       = "Nieuw"
      EmAd     = "nieuw@x.example"       on create
    }
  }
}
"#;

fn more() -> String {
    let more = FLOW.split("# allow").nth(1).unwrap().replace("create bread", "create more");
    format!("{FLOW}\n# allow{more}")
}

#[test]
fn records_that_were_done_make_what_an_edited_flow_wants_besides_after_one_yes() {
    let world = World::with(FLOW, 3);
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.made(), 3);
    insta::assert_snapshot!(world.koppel(&["redo", "--changed", "stock"]), @r#"
    no record of stock was done by an earlier version of it
    exit 0
    "#);
    world.place.write("stock.flow", &more());
    insta::assert_snapshot!(world.koppel(&["redo", "--changed", "stock"]), @r#"
    3 records of stock were done by an earlier version of it. As it is now, 3 of
    them get more:
          3 records: makes more (afas.FbStockMutation)
          what was made before stays, and is not made again
    --- stderr
    this is asked first, and nobody can answer here
          if it is meant, add --yes
    exit 64
    "#);
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.made(), 3, "nobody said yes");
    insta::assert_snapshot!(world.koppel(&["redo", "--changed", "stock", "--yes"]), @r#"
    3 records of stock were done by an earlier version of it. As it is now, 3 of
    them get more:
          3 records: makes more (afas.FbStockMutation)
          what was made before stays, and is not made again
    the next koppel run, or koppel serve, carries that out
          what came of it:  koppel holds --sandbox=URL
    exit 0
    "#);
    assert!(world.koppel(&["holds"]).contains(", and 2 more of stock"), "{}", world.koppel(&["holds"]));
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.made(), 6, "the new ones and no others");
    assert!(
        world
            .koppel(&["redo", "--changed", "stock", "--yes"])
            .contains("no record of stock was done by an earlier version")
    );
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.made(), 6);
}

#[test]
fn an_edited_update_is_sent_to_what_was_done_under_its_seal() {
    let world = World::new(DEBTOR);
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.count("KnSalesRelationOrg"), 1);
    world.place.write("stock.flow", &DEBTOR.replace("\"Nieuw\"", "\"Nieuwer\""));
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.updated("KnSalesRelationOrg"), 0, "what is done is not decided again");
    insta::assert_snapshot!(world.koppel(&["redo", "--changed", "stock", "--yes"]), @r#"
    1 record of stock was done by an earlier version of it. As it is now, it does
    more:
          1 record: updates afas.KnSalesRelationOrg, sends DbId, KnOrganisation.Nm
          what was made before stays, and is not made again
    the next koppel run, or koppel serve, carries that out
          what came of it:  koppel holds --sandbox=URL
    exit 0
    "#);
    assert!(world.run().ends_with("exit 0"));
    assert_eq!((world.count("KnSalesRelationOrg"), world.updated("KnSalesRelationOrg")), (1, 1));
    insta::assert_snapshot!(world.koppel(&["holds"]), @r#"
    nothing is held, failed or in doubt

    typed DAY TIME:  koppel redo --changed stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d
          carried out at TIME
    exit 0
    "#);
    assert!(
        world
            .koppel(&["redo", "--changed", "stock", "--yes"])
            .contains("no record of stock was done by an earlier version")
    );
}

#[test]
fn a_record_of_which_something_is_not_wanted_any_more_is_counted_and_left_alone() {
    let world = World::new(FLOW);
    assert!(world.run().ends_with("exit 0"));
    world.place.write("stock.flow", &FLOW.replace("create bread", "create loaf"));
    insta::assert_snapshot!(world.koppel(&["redo", "--changed", "stock", "--yes"]), @r#"
    1 record of stock was done by an earlier version of it; there is nothing to do
    for it
          1 record stays as it is: `bread` was made and is not wanted any more
    exit 0
    "#);
    let hold = "hold when invoice.id is not \"x\" because \"too late\"\n\n# allow";
    world.place.write("stock.flow", &FLOW.replacen("# allow", hold, 1));
    insta::assert_snapshot!(world.koppel(&["redo", "--changed", "stock", "--yes"]), @r#"
    1 record of stock was done by an earlier version of it; there is nothing to do
    for it
          1 record stays as it is: too late
    exit 0
    "#);
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.made(), 1);
    assert!(world.koppel(&["holds"]).starts_with("nothing is held, failed or in doubt"));
}

#[cfg(unix)]
#[test]
fn a_serve_that_has_the_ledger_carries_it_out_with_the_edited_flow() {
    let world = World::new(FLOW);
    let serve = world.serve();
    serve.line("1 FbStockMutation created");
    world.place.write("stock.flow", &more());
    serve.line("taken over");
    assert!(world.koppel(&["redo", "--changed", "stock", "--yes"]).contains("carries that out at its next poll"));
    serve.line("1 FbStockMutation created");
    assert_eq!(serve.stop(), Some(0));
    assert_eq!(world.made(), 2);
}

#[test]
fn a_debtor_that_an_earlier_order_made_is_not_made_again_for_one_more_write() {
    let world = World::new(ORDER);
    assert!(world.run().ends_with("exit 0"));
    let more = FLOW.split("# allow").nth(1).unwrap();
    world.place.write("stock.flow", &format!("{ORDER}\n# allow{more}"));
    insta::assert_snapshot!(world.koppel(&["redo", "--changed", "stock", "--yes"]), @r#"
    1 record of stock was done by an earlier version of it. As it is now, it does
    more:
          1 record: makes bread (afas.FbStockMutation)
          what was made before stays, and is not made again
    the next koppel run, or koppel serve, carries that out
          what came of it:  koppel holds --sandbox=URL
    exit 0
    "#);
    assert!(world.run().ends_with("exit 0"));
    assert_eq!((world.count("FbSales"), world.count("KnSalesRelationOrg"), world.made()), (1, 1, 1));
}

#[test]
fn a_record_of_which_something_behind_a_write_is_in_doubt_is_left_until_that_is_certain() {
    let bread = FLOW.split("# allow").nth(1).unwrap();
    let after = format!("after sale {{\n  # allow{}\n}}\n", bread.trim_end().replace('\n', "\n  "));
    let flow = format!("{ORDER}\n{after}");
    let world = World::new(&flow);
    world.fault("lost_answer");
    assert!(world.run().ends_with("exit 2"));
    let more = bread.replace("create bread", "create more");
    world.place.write("stock.flow", &format!("{ORDER}\n# allow{more}\n{after}"));
    insta::assert_snapshot!(world.koppel(&["redo", "--changed", "stock", "--yes"]), @r#"
    1 record of stock was done by an earlier version of it; there is nothing to do
    for it
          1 record stays as it is: nobody knows yet whether bread after sale was
          made
    exit 0
    "#);
}

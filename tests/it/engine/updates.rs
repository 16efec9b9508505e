//! Updates over HTTP: each once, only what differs, whoever else writes meanwhile and whatever is lost on the way.

use std::time::Duration;

use koppel::value::Value as Own;
use serde_json::{Value, json};

use super::{
    house::House,
    world::{FLOW, World},
};

/// Customers become debtors and are kept up to date.
const CUSTOMERS: &str = r#"flow customers "Customers become debtors"

read customer from jortt.customers {
  where .id is "ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9a01"
  since change
  key   .id
}

skip when customer.email is blank because "a debtor is recognised by its e-mail address"

ensure debtor: text(16) {
  find afas.Profit_Debtor where .Email is customer.email gives .DebtorId
  hold when found.conflict because "changed in Jortt and in AFAS"
  update found
  create afas.KnSalesRelationOrg gives .DbId {
    IsDb = yes     on create
    CuId = "EUR"   on create
    ColA = "1300"  on create
    AuPa = no      on create
    PaCd = "30"
    VaDu = "1"     on create
    KnOrganisation {
      PadAdr   = yes
      AutoNum  = yes                       on create
      MatchOga = "Altijd nieuw toevoegen"  on create
      Nm       = customer.customer_name
      TeNr     = customer.phonenumber
      HoPa     = customer.website
      EmAd     = customer.email            on create
      KnBasicAddressAdr {
        CoId      = "NL"
        PbAd      = no
        Ad        = customer.address_street
        HmNr      = 1
        ZpCd      = customer.address_postal_code
        Rs        = customer.address_city
        BeginDate = today()
        ResZip    = no
      }
    }
  }
}
"#;

/// Another flow that sets the telephone number of the same debtors.
const PHONES: &str = r#"flow phones "All debtors have our number"

read customer from jortt.customers {
  where .id is "ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9a01"
  since change
  key   .id
}

find debtor in afas.Profit_Debtor where .Email is customer.email
skip when debtor is blank because "no debtor yet"

update afas.KnSalesRelationOrg {
  DbId = debtor.DebtorId!
  KnOrganisation {
    PadAdr = yes
    TeNr   = "020-0000000"
  }
}
"#;

const ID: &str = "ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9a01";

fn customer(changed: &Value) -> Value {
    let mut customer = json!({
        "id": ID, "customer_name": "Bakkerij Jansen", "email": "info@bakkerij.example", "phonenumber": "020-1",
        "website": "https://bakkerij.example", "address_street": "Rozengracht", "address_postal_code": "1016 LV",
        "address_city": "Amsterdam"
    });
    customer.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    json!({"jortt": {"customers": [customer]}})
}

/// A house with one debtor that was made of a customer.
async fn with_debtor(flows: &[(&str, &str)], settle: Duration) -> House {
    let house = House::of(flows, settle).await;
    house.put(customer(&json!({}))).await;
    let summary = house.poll("customers").await;
    assert_eq!(summary.created["KnSalesRelationOrg"], 1, "{summary:#?}");
    house
}

async fn debtor(house: &House) -> Value {
    let rows = house.rows("Profit_Debtor").await;
    rows.into_iter().find(|row| row["Email"] == "info@bakkerij.example").unwrap()
}

async fn changes(house: &House) -> u64 {
    house.count("afas", "KnSalesRelationOrg").await.1
}

const AT_ONCE: Duration = Duration::ZERO;
const LATER: Duration = Duration::from_mins(18);

#[tokio::test]
async fn a_changed_telephone_number_is_one_update_and_a_second_run_sends_nothing() {
    let house = with_debtor(&[("customers", CUSTOMERS)], AT_ONCE).await;
    house.put(customer(&json!({"phonenumber": "020-2"}))).await;
    let summary = house.poll("customers").await;
    assert_eq!(summary.updated["KnSalesRelationOrg"], 1, "{summary:#?}");
    assert_eq!((summary.held, summary.failed, summary.unsettled), (0, 0, 0), "{summary:#?}");
    assert_eq!(debtor(&house).await["TelNr"], "020-2");
    assert_eq!(house.sent().last().unwrap(), &["DbId", "KnOrganisation"], "no payment condition: it is the same");
    house.poll("customers").await;
    assert_eq!((changes(&house).await, house.count("afas", "KnSalesRelationOrg").await.0), (1, 1));
}

#[tokio::test]
async fn an_address_that_no_read_shows_is_compared_with_what_was_left_and_goes_whole() {
    let house = with_debtor(&[("customers", CUSTOMERS)], AT_ONCE).await;
    let before = debtor(&house).await;
    house.put(customer(&json!({"address_street": "Prinsengracht"}))).await;
    let summary = house.poll("customers").await;
    assert_eq!(summary.updated["KnSalesRelationOrg"], 1, "{summary:#?}");
    let after = debtor(&house).await;
    assert_eq!(after["AdressLine1"], "Prinsengracht 1");
    for column in ["TelNr", "DebtorName", "PayCon", "AdressLine3"] {
        assert_eq!(after[column], before[column], "{column}");
    }
    house.poll("customers").await;
    // A name that nobody changes sends nothing either.
    house.put(customer(&json!({"address_street": "Prinsengracht", "attn": "Els"}))).await;
    house.poll("customers").await;
    assert_eq!(changes(&house).await, 1);
}

#[tokio::test]
async fn a_field_that_koppel_never_wrote_and_no_read_shows_counts_from_today_on() {
    let house = House::of(&[("customers", CUSTOMERS)], AT_ONCE).await;
    let own = json!({"DebtorId": "7", "BcCo": "7", "Email": "info@bakkerij.example", "DebtorName": "Bakkerij Jansen",
        "TelNr": "020-1", "PayCon": "30", "CurrencyId": "EUR"});
    let behind = json!({"BcCo": "7", "Type": "ORG", "Homepage": "https://bakkerij.example"});
    house.put(json!({"afas": {"Profit_Debtor": [own], "Profit_OrgPer": [behind]}})).await;
    house.put(customer(&json!({}))).await;
    assert!(house.poll("customers").await.updated.is_empty(), "what a person wrote stays");
    house.put(customer(&json!({"address_street": "Prinsengracht"}))).await;
    let summary = house.poll("customers").await;
    assert_eq!(summary.updated.get("KnSalesRelationOrg"), Some(&1), "{summary:#?}");
    house.put(customer(&json!({"address_street": "Prinsengracht", "attn": "Els"}))).await;
    assert!(house.poll("customers").await.updated.is_empty());
}

/// The website as AFAS shows it: one read further than the debtor.
async fn website(house: &House) -> Value {
    let number = debtor(house).await["BcCo"].clone();
    let rows = house.rows("Profit_OrgPer").await;
    rows.into_iter().find(|row| row["BcCo"] == number).unwrap()["Homepage"].clone()
}

/// A person writes the website in AFAS.
async fn put_website(house: &House, website: &Value) {
    let number = debtor(house).await["BcCo"].clone();
    house.put(json!({"afas": {"Profit_OrgPer": [{"BcCo": number, "Homepage": website}]}})).await;
}

#[tokio::test]
async fn a_website_that_a_person_filled_in_stays_and_a_blank_one_is_filled_once() {
    let flow = CUSTOMERS.replace("customer.website", "customer.website unless filled");
    let house = House::of(&[("customers", &flow)], AT_ONCE).await;
    let own = json!({"DebtorId": "7", "BcCo": "7", "Email": "info@bakkerij.example", "DebtorName": "Bakkerij Jansen",
        "TelNr": "020-1", "PayCon": "30", "CurrencyId": "EUR"});
    house.put(json!({"afas": {"Profit_Debtor": [own], "Profit_OrgPer": [{"BcCo": "7", "Type": "ORG"}]}})).await;
    put_website(&house, &json!("https://of-a-person.example")).await;
    house.put(customer(&json!({}))).await;
    assert!(house.poll("customers").await.updated.is_empty());
    put_website(&house, &Value::Null).await;
    house.put(customer(&json!({"website": "https://second.example"}))).await;
    assert_eq!(house.poll("customers").await.updated["KnSalesRelationOrg"], 1);
    assert_eq!(website(&house).await, "https://second.example");
    house.put(customer(&json!({"website": "https://third.example"}))).await;
    assert!(house.poll("customers").await.updated.is_empty(), "it is filled now");
    assert_eq!(changes(&house).await, 1);
}

#[tokio::test]
async fn a_website_that_koppel_wrote_follows_until_a_person_edits_it() {
    let flow = CUSTOMERS.replace("customer.website", "customer.website unless edited");
    let house = with_debtor(&[("customers", &flow)], AT_ONCE).await;
    house.poll("customers").await;
    house.put(customer(&json!({"website": "https://second.example"}))).await;
    assert_eq!(house.poll("customers").await.updated["KnSalesRelationOrg"], 1);
    assert_eq!(website(&house).await, "https://second.example");
    house.poll("customers").await;
    put_website(&house, &json!("https://of-a-person.example")).await;
    house.put(customer(&json!({"website": "https://third.example"}))).await;
    assert!(house.poll("customers").await.updated.is_empty());
    assert_eq!(website(&house).await, "https://of-a-person.example");
}

#[tokio::test]
async fn a_person_who_changed_the_website_as_well_makes_it_a_conflict() {
    let house = with_debtor(&[("customers", CUSTOMERS)], AT_ONCE).await;
    house.poll("customers").await;
    put_website(&house, &json!("https://of-a-person.example")).await;
    house.put(customer(&json!({"customer_name": "Bakkerij Jansen en zoon"}))).await;
    let summary = house.poll("customers").await;
    assert_eq!(summary.held, 1, "{summary:#?}");
    assert_eq!((website(&house).await, changes(&house).await), (json!("https://of-a-person.example"), 0));
}

#[tokio::test]
async fn a_read_one_step_further_is_one_call_for_a_page_of_records() {
    let flow = CUSTOMERS.replace("  where .id is \"ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9a01\"\n", "");
    let flow = flow.replace("customer.website", "customer.website unless filled");
    let mut requests = Vec::new();
    for count in [2, 9] {
        let house = House::of(&[("customers", &flow)], AT_ONCE).await;
        let mail = |number: u32| format!("info-{number}@bakkerij.example");
        let of = |number: u32| {
            let own = customer(&json!({
                "id": format!("ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9b{number:02}"), "email": mail(number),
            }));
            own["jortt"]["customers"][0].clone()
        };
        let debtor = |number: u32| {
            json!({"DebtorId": number.to_string(), "BcCo": number.to_string(), "Email": mail(number),
                "DebtorName": "Bakkerij Jansen", "TelNr": "020-1", "PayCon": "30", "CurrencyId": "EUR"})
        };
        let behind =
            |number: u32| json!({"BcCo": number.to_string(), "Type": "ORG", "Homepage": "https://of-a-person.example"});
        let all = |row: &dyn Fn(u32) -> Value| (1..=count).map(row).collect::<Vec<_>>();
        house.put(json!({"jortt": {"customers": all(&of)}})).await;
        house.put(json!({"afas": {"Profit_Debtor": all(&debtor), "Profit_OrgPer": all(&behind)}})).await;
        let summary = house.poll("customers").await;
        assert_eq!((summary.failed, summary.held, summary.updated.len()), (0, 0, 0), "{summary:#?}");
        assert!(summary.read >= u64::from(count), "{summary:#?}");
        requests.push(summary.requests["afas"]);
    }
    assert_eq!(requests[0], requests[1], "{requests:?}");
}

#[tokio::test]
async fn invoices_of_one_administration_are_told_apart_by_their_number() {
    let flow = r#"flow dates "Invoices get another last day"

read customer from jortt.customers {
  since change
  key   .id
}

let number = customer.reference
skip when number is blank because "no invoice"
skip when not (number in ["J-A1", "J-A2"]) because "another invoice"

update afas.FiInvoice {
  UnId = 1
  VaAd = "Debiteur"
  DcNr = "10021"
  InId = first_chars(number, 12)
  ExDa = 2026-12-31
}
"#;
    let house = House::of(&[("dates", flow)], AT_ONCE).await;
    let item = |number: &str| json!({"UnitId": 1, "InvoiceNr": number, "DebtorId": "10021", "ExpDate": "2026-06-30"});
    house.put(json!({"afas": {"Profit_Debtor_Invoices": [item("J-A1"), item("J-A2")]}})).await;
    let of =
        |id: &str, number: &str| customer(&json!({"id": id, "reference": number}))["jortt"]["customers"][0].clone();
    let second = "ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9a02";
    house.put(json!({"jortt": {"customers": [of(ID, "J-A1"), of(second, "J-A2")]}})).await;
    let summary = house.poll("dates").await;
    assert_eq!((summary.updated.get("FiInvoice"), summary.held, summary.failed), (Some(&2), 0, 0), "{summary:#?}");
    house.put(json!({"jortt": {"customers": [of(second, "J-A1")]}})).await;
    assert!(house.poll("dates").await.updated.is_empty(), "that day is what koppel left there");
}

#[tokio::test]
async fn a_lost_answer_of_an_update_is_settled_by_reading_it_back() {
    let mut house = with_debtor(&[("customers", CUSTOMERS)], LATER).await;
    house.fault(json!({"system": "afas", "kind": "lost_answer", "method": "PUT"})).await;
    house.put(customer(&json!({"phonenumber": "020-2"}))).await;
    let first = house.poll("customers").await;
    assert_eq!((first.unsettled, first.in_doubt[0].write.as_ref()), (1, "KnSalesRelationOrg.update"), "{first:#?}");
    house.restart();
    let second = house.poll("customers").await;
    assert_eq!((second.unsettled, second.held, second.failed), (0, 0, 0), "{second:#?}");
    house.poll("customers").await;
    assert_eq!(changes(&house).await, 1);
}

#[tokio::test]
async fn an_update_that_never_arrived_is_decided_afresh_after_its_time() {
    let house = with_debtor(&[("customers", CUSTOMERS)], AT_ONCE).await;
    house.fault(json!({"system": "afas", "kind": "reset", "method": "PUT"})).await;
    house.put(customer(&json!({"phonenumber": "020-2"}))).await;
    assert_eq!(house.poll("customers").await.unsettled, 1);
    house.put(customer(&json!({"phonenumber": "020-3"}))).await;
    let second = house.poll("customers").await;
    assert_eq!((second.unsettled, second.updated["KnSalesRelationOrg"]), (0, 1), "{second:#?}");
    assert_eq!((debtor(&house).await["TelNr"].as_str(), changes(&house).await), (Some("020-3"), 1), "not 020-2");
}

#[tokio::test]
async fn an_update_in_doubt_keeps_every_other_one_of_its_debtor_waiting() {
    let house = with_debtor(&[("customers", CUSTOMERS), ("phones", PHONES)], LATER).await;
    house.fault(json!({"system": "afas", "kind": "reset", "method": "PUT"})).await;
    house.put(customer(&json!({"customer_name": "Bakkerij Jansen en zoon"}))).await;
    assert_eq!(house.poll("customers").await.unsettled, 1);
    let sent = house.sent().len();
    let other = house.poll("phones").await;
    assert!(other.updated.is_empty(), "{other:#?}");
    assert_eq!((house.sent().len(), changes(&house).await), (sent, 0), "nothing leaves before the first is settled");
}

#[tokio::test]
async fn two_flows_that_change_a_field_to_and_fro_are_held_and_named() {
    let house = with_debtor(&[("customers", CUSTOMERS), ("phones", PHONES)], AT_ONCE).await;
    assert_eq!(house.poll("phones").await.updated["KnSalesRelationOrg"], 1);
    house.put(customer(&json!({"customer_name": "Bakkerij Jansen en zoon"}))).await;
    let held = house.poll("customers").await;
    assert_eq!(held.held, 1, "{held:#?}");
    let text = &held.reasons[0].text;
    assert!(text.contains("`KnOrganisation.TeNr`"), "{text}");
    assert!(text.contains("run phones") && text.contains("run customers"), "{text}");
    assert_eq!((debtor(&house).await["TelNr"].as_str(), changes(&house).await), (Some("020-0000000"), 1));
}

#[tokio::test]
async fn a_person_who_changed_the_debtor_as_well_makes_it_a_conflict() {
    let house = with_debtor(&[("customers", CUSTOMERS)], AT_ONCE).await;
    // The first read after the write shows what koppel left.
    house.poll("customers").await;
    let id = debtor(&house).await["DebtorId"].clone();
    house.put(json!({"afas": {"Profit_Debtor": [{"DebtorId": id, "TelNr": "06-of-a-person"}]}})).await;
    assert_eq!(house.poll("customers").await.held, 0, "AFAS alone changed: it keeps that");
    house.put(customer(&json!({"customer_name": "Bakkerij Jansen en zoon"}))).await;
    let summary = house.poll("customers").await;
    assert_eq!(summary.held, 1, "{summary:#?}");
    assert_eq!(&*summary.reasons[0].text, "changed in Jortt and in AFAS");
    assert_eq!((debtor(&house).await["TelNr"].as_str(), changes(&house).await), (Some("06-of-a-person"), 0));
}

#[tokio::test]
async fn a_debtor_that_koppel_changed_itself_is_no_conflict() {
    let house = with_debtor(&[("customers", CUSTOMERS)], AT_ONCE).await;
    for phone in ["020-2", "020-3", "020-4"] {
        house.poll("customers").await;
        house.put(customer(&json!({"phonenumber": phone}))).await;
        let summary = house.poll("customers").await;
        assert_eq!((summary.held, summary.updated["KnSalesRelationOrg"]), (0, 1), "{summary:#?}");
    }
    assert_eq!(changes(&house).await, 3);
}

#[tokio::test]
async fn what_is_done_is_made_no_second_time_and_its_updates_are_sent() {
    let house = with_debtor(&[("customers", CUSTOMERS)], AT_ONCE).await;
    // Another e-mail: nothing is found by it, and the debtor was made already.
    house.put(customer(&json!({"email": "new@bakkerij.example"}))).await;
    let summary = house.poll("customers").await;
    assert_eq!((summary.held, summary.created.len()), (0, 0), "{summary:#?}");
    assert_eq!(house.count("afas", "KnSalesRelationOrg").await, (1, 0));
    house.put(customer(&json!({"phonenumber": "020-9"}))).await;
    assert_eq!(house.poll("customers").await.updated["KnSalesRelationOrg"], 1);
}

#[tokio::test]
async fn a_jortt_customer_keeps_what_an_update_does_not_name() {
    let flow = r#"flow back "The number of the debtor"

read debtor from afas.Profit_Debtor {
  where .DebtorId is "7"
  since change
  key   .DebtorId
}

find customer in jortt.customers where .email is debtor.Email
skip when customer is blank because "not of Jortt"

update jortt.customers when customer.reference is blank {
  id        = customer.id
  reference = debtor.DebtorId
}
"#;
    let house = House::of(&[("back", flow)], AT_ONCE).await;
    house.put(customer(&json!({"attn": "Els", "vat_number": "NL000099998B57"}))).await;
    let own = json!({"DebtorId": "7", "BcCo": "7", "Email": "info@bakkerij.example", "CurrencyId": "EUR"});
    house.put(json!({"afas": {"Profit_Debtor": [own]}})).await;
    let summary = house.poll("back").await;
    assert_eq!(summary.updated.get("customers"), Some(&1), "{summary:#?}");
    assert_eq!(house.count("jortt", "customers").await.1, 1);
    let kept = house.customer(ID).await;
    assert_eq!(
        (&kept["reference"], &kept["attn"], &kept["phonenumber"]),
        (&json!("7"), &json!("Els"), &json!("020-1"))
    );
    house.poll("back").await;
    assert_eq!(house.count("jortt", "customers").await.1, 1);
}

#[tokio::test]
async fn a_kill_after_an_update_sends_it_no_second_time() {
    let order = r#"
create sale in afas.FbSales gives .OrNu {
  OrNu = "J1"
  DbId = debtor
  RfCs = "R1"
  Unit = 1
  CuId = "EUR"
  Lines {
    VaIt = "Artikel"
    ItCd = "ADV"
    BiUn = "UUR"
    QuUn = 1
  }
}
"#;
    let flow = format!("{CUSTOMERS}{order}");
    let mut house = House::of(&[("customers", &flow)], LATER).await;
    let own = json!({"DebtorId": "7", "BcCo": "7", "Email": "info@bakkerij.example", "DebtorName": "Old",
        "TelNr": "020-1", "PayCon": "30", "CurrencyId": "EUR"});
    house.put(json!({"afas": {"Profit_Debtor": [own], "Profit_OrgPer": [{"BcCo": "7", "Type": "ORG"}]}})).await;
    house.put(customer(&json!({}))).await;
    house.fault(json!({"system": "afas", "kind": "slow", "method": "POST", "path": "FbSales", "ms": 60_000})).await;
    {
        let mut polling = Box::pin(house.try_poll("customers"));
        let ordered = async { while house.count("afas", "FbSales").await.0 == 0 {} };
        tokio::select! {
            ended = &mut polling => panic!("it waits for its answer: {ended:?}"),
            () = ordered => {}
        }
    }
    house.restart();
    let summary = house.poll("customers").await;
    assert_eq!((summary.unsettled, summary.held, summary.failed), (0, 0, 0), "{summary:#?}");
    house.poll("customers").await;
    assert_eq!((changes(&house).await, house.count("afas", "FbSales").await.0), (1, 1));
    assert_eq!(debtor(&house).await["DebtorName"], "Bakkerij Jansen");
}

/// Invoices of a debtor whose name differs.
fn of_one_debtor() -> World {
    let kept = FLOW.replacen("gives .DebtorId\n", "gives .DebtorId\n  update found\n", 1);
    let kept = kept.replacen(
        "      EmAd     = invoice.customer_mail_to\n",
        "      EmAd     = invoice.customer_mail_to on create\n",
        1,
    );
    let world = World::of(&kept);
    let text = |text: &str| Own::text(text);
    let debtor = [("DebtorId", text("7")), ("Email", text("same@x.example")), ("DebtorName", text("Old"))];
    world.afas.add("Profit_Debtor", &debtor);
    for number in 1..=7 {
        world.invoice(&number.to_string(), "same@x.example", 10);
    }
    world
}

#[tokio::test]
async fn records_that_were_decided_together_change_their_debtor_once() {
    let world = of_one_debtor();
    let summary = world.poll().await;
    assert_eq!((summary.updated["KnSalesRelationOrg"], summary.created["FbSales"]), (1, 7), "{summary:#?}");
}

#[tokio::test]
async fn a_target_that_does_not_show_an_update_yet_gets_it_no_second_time() {
    let world = of_one_debtor();
    *world.afas.lags.lock().unwrap() = true;
    let summary = world.poll().await;
    assert_eq!((summary.updated["KnSalesRelationOrg"], summary.created["FbSales"]), (1, 7), "{summary:#?}");
    assert_eq!(world.afas.sent("KnSalesRelationOrg").len(), 1);
}

/// Debtors become customers.
const BACK: &str = r#"flow back "Debtors become customers"

read debtor from afas.Profit_Debtor {
  where .Email is "info@bakkerij.example"
  since change
  key   .DebtorId
}

hold when debtor.DebtorId is not blank because "seen with {debtor.TelNr}"
"#;

#[tokio::test]
async fn a_debtor_that_koppel_made_is_no_record_until_a_person_edits_it() {
    let house = with_debtor(&[("customers", CUSTOMERS), ("back", BACK)], AT_ONCE).await;
    let summary = house.poll("back").await;
    assert_eq!((summary.skipped, summary.held), (1, 0), "{summary:#?}");
    house.put(customer(&json!({"phonenumber": "020-2"}))).await;
    house.poll("customers").await;
    assert_eq!(house.poll("back").await.held, 0, "koppel changed it itself");
    let id = debtor(&house).await["DebtorId"].clone();
    house.put(json!({"afas": {"Profit_Debtor": [{"DebtorId": id, "TelNr": "020-3"}]}})).await;
    let summary = house.poll("back").await;
    assert_eq!(summary.held, 1, "{summary:#?}");
    assert_eq!(&*summary.reasons[0].text, "seen with 020-3");
}

#[tokio::test]
async fn an_organisation_by_itself_is_changed_by_its_own_number() {
    let flow = r#"flow names "Names"

read customer from jortt.customers {
  where .id is "ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9a01"
  since change
  key   .id
}

find relation in afas.Profit_OrgPer where .MailWork is customer.email
skip when relation is blank because "not in AFAS"

update afas.KnOrganisation {
  BcCo   = relation.BcCo
  PadAdr = yes
  Nm     = customer.customer_name
}
"#;
    let house = with_debtor(&[("customers", CUSTOMERS), ("names", flow)], AT_ONCE).await;
    house.put(customer(&json!({"customer_name": "Molen De Hoop"}))).await;
    let summary = house.poll("names").await;
    assert_eq!((summary.updated.get("KnOrganisation"), summary.failed), (Some(&1), 0), "{summary:#?}");
    assert_eq!(debtor(&house).await["DebtorName"], "Molen De Hoop");
    house.poll("names").await;
    assert_eq!(house.count("afas", "KnOrganisation").await.1, 1);
}

#[tokio::test]
async fn labels_of_an_invoice_are_set_as_one_list_and_once() {
    let flow = r#"flow labels "Labels"

read invoice from jortt.invoices {
  where .id is "5c23005a-2d9a-4a1e-9b8d-2d9a2f6f9a02"
  since change
  key   .id
}

skip when invoice.remarks is "none" because "no labels"
find all known in jortt.labels where .description in ["a", "b"]

update jortt.invoice_labels {
  id        = invoice.id
  label_ids = known.id
}
"#;
    let house = House::of(&[("labels", flow)], AT_ONCE).await;
    let label =
        |id: &str, text: &str| json!({"id": format!("5c23005a-2d9a-4a1e-9b8d-2d9a2f6f9a{id}"), "description": text});
    let invoice = |remarks: &str| json!({"id": "5c23005a-2d9a-4a1e-9b8d-2d9a2f6f9a02", "remarks": remarks});
    house.put(json!({"jortt": {"labels": [label("0a", "a"), label("0b", "b")], "invoices": [invoice("1")]}})).await;
    let summary = house.poll("labels").await;
    assert_eq!(summary.updated.get("invoice_labels"), Some(&1), "{summary:#?}");
    house.put(json!({"jortt": {"invoices": [invoice("2")]}})).await;
    assert!(house.poll("labels").await.updated.is_empty());
    house.put(json!({"jortt": {"labels": [label("0c", "b")]}})).await;
    house.put(json!({"jortt": {"invoices": [invoice("3")]}})).await;
    assert_eq!(house.poll("labels").await.updated.get("invoice_labels"), Some(&1), "another list goes whole");
}

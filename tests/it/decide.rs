//! The product's flows decided on their samples: check, plan and step together, rows from the sample files.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use koppel::{
    check::{Project, check},
    diagnostic::Files,
    eval::{Moment, NothingLeft, Reads, Step, step},
    plan::{Plan, SettingValues, build},
    schema::{Catalog, Object, decode_sample},
    value::{Ask, Chosen, Decision, EntityName, Outcome, Record, Value, Write},
};

struct Folder(PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        std::fs::read_to_string(self.0.join(path)).map(Into::into).map_err(|trouble| trouble.to_string())
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

fn flows() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("flows")
}

/// A value of a setting by owner and name.
type Set = ((Arc<str>, Arc<str>), Value);

fn setting(owner: &str, name: &str, value: Value) -> Set {
    ((owner.into(), name.into()), value)
}

fn plan(flow: &str, more: &[Set]) -> Plan {
    let roles: BTreeMap<Arc<str>, Arc<str>> =
        ["jortt", "afas"].into_iter().map(|name| (name.into(), name.into())).collect();
    let catalog = Catalog::standard().unwrap();
    let today = today();
    let files = Folder(flows());
    let checked = check(&Project { files: &files, catalog, roles: &roles, flows: &[flow.to_owned()], today });
    let errors: Vec<_> = checked.diagnostics.iter().filter(|told| told.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let program = checked.programs.iter().find(|program| program.source.is_some()).unwrap();
    let mut settings = SettingValues::from_iter([
        setting("settings", "administration", Value::Int(1)),
        setting("settings", "control_account", Value::text("1300")),
        setting("jortt_orders", "start_date", Value::Date("2026-01-01".parse().unwrap())),
    ]);
    settings.extend(more.iter().cloned());
    build(program.clone(), &checked.sources, &settings).unwrap()
}

fn today() -> jiff::civil::Date {
    "2026-01-15".parse().unwrap()
}

fn object(name: &EntityName) -> Arc<Object> {
    let catalog = Catalog::standard().unwrap();
    catalog.entity(&name.role, &name.entity).unwrap().read.as_ref().unwrap().object.clone()
}

/// A sample file: a row or rows of one entity.
fn rows(entity: &str, file: &str) -> Vec<Record> {
    let json: serde_json::Value = serde_json::from_str(&Folder(flows()).read(file).unwrap()).unwrap();
    let (role, own) = entity.split_once('.').unwrap();
    let object = object(&EntityName { role: role.into(), entity: own.into() });
    let json = match json {
        serde_json::Value::Array(rows) => rows,
        row => vec![row],
    };
    json.iter().map(|row| decode_sample(&object, row, today()).unwrap()).collect()
}

type Held = BTreeMap<String, Vec<Record>>;

/// What the samples say is there.
fn held() -> Held {
    let mut held = Held::from([("jortt.customers".to_owned(), rows("jortt.customers", "samples/customers.json"))]);
    let afas: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&Folder(flows()).read("samples/afas.json").unwrap()).unwrap();
    for (entity, rows) in afas {
        let object = object(&EntityName { role: "afas".into(), entity: entity.as_str().into() });
        let rows = rows.as_array().unwrap().iter().map(|row| decode_sample(&object, row, today()).unwrap());
        held.insert(format!("afas.{entity}"), rows.collect());
    }
    held
}

/// The decision, with what was asked in each round.
fn decide(plan: &Plan, record: &Record, held: &Held) -> (Decision, Vec<Vec<Ask>>) {
    let confirmed = BTreeMap::new();
    let (mut reads, mut rounds) = (Reads::default(), Vec::new());
    loop {
        match step(plan, record, &reads, Moment { today: today(), confirmed: &confirmed, left: &NothingLeft }) {
            Step::Decided(decision) => return (decision, rounds),
            Step::Wants(asks) => {
                for ask in &asks {
                    let rows = held.get(&ask.entity.to_string()).map_or(&[][..], Vec::as_slice);
                    let rows = rows.iter().filter(|row| ask.filter.matches(row)).cloned().collect();
                    reads.0.insert(ask.clone(), rows);
                }
                rounds.push(asks);
            }
        }
    }
}

fn invoice() -> Record {
    rows("jortt.invoices", "samples/invoice-2026-0042.json").remove(0)
}

/// The record with some fields replaced.
fn with(record: &Record, fields: &[(&str, Value)]) -> Record {
    let value = |(name, value): (&str, &Value)| {
        fields.iter().find(|(own, _)| *own == name).map_or_else(|| value.clone(), |(_, new)| new.clone())
    };
    Record::new(record.shape().clone(), record.iter().map(value).collect())
}

fn writes(decision: &Decision) -> &[Write] {
    match &decision.outcome {
        Outcome::Writes(writes) => writes,
        other => panic!("no writes but {other:?}"),
    }
}

fn asked(round: &[Ask]) -> Vec<&str> {
    round.iter().map(|ask| &*ask.entity.entity).collect()
}

#[test]
fn an_invoice_of_a_known_customer_becomes_an_order_after_three_rounds_of_reads() {
    let plan = plan("orders.flow", &[]);
    let (decision, rounds) = decide(&plan, &invoice(), &held());
    let [sale] = writes(&decision) else { panic!("the order only") };
    let order = serde_json::json!({
        "OrNu": "J2026-0042", "OrDa": "2026-03-14", "DbId": "10021", "RfCs": "2026-0042", "CuId": "EUR", "Unit": 1,
        "JoCo": "VERK", "InVa": false, "VaDu": "1", "PaCd": "30",
        "Lines": [{
            "VaIt": "2", "ItCd": "ADV", "Ds": "Advies maart", "BiUn": "UUR", "QuUn": "2.0", "Upri": "90.00",
            "VaRc": "1",
        }],
    });
    assert_eq!(serde_json::to_value(&sale.fields).unwrap(), order);
    assert_eq!((sale.own_number.as_deref(), sale.reference.as_deref()), (Some("J2026-0042"), Some("2026-0042")));
    assert_eq!(decision.warnings, []);
    let rounds: Vec<Vec<&str>> = rounds.iter().map(|round| asked(round)).collect();
    assert_eq!(
        rounds,
        [
            vec!["Profit_Salesorders", "customers"],
            vec!["Profit_Debtor", "Profit_Contacts", "Profit_Article"],
            vec!["Profit_OrgPer"],
        ]
    );
}

#[test]
fn a_new_customer_is_made_first_and_the_order_has_the_promise_of_its_key() {
    let plan = plan("orders.flow", &[]);
    let mut held = held();
    held.remove("afas.Profit_Debtor");
    let (decision, _) = decide(&plan, &invoice(), &held);
    let [debtor, sale] = writes(&decision) else { panic!("debtor and order") };
    assert_eq!(debtor.fields.value("KnOrganisation.EmAd"), Some(&Value::text("info@bakkerij.example")));
    assert_eq!(debtor.fields.value("KnOrganisation.KnBasicAddressAdr.HmNr"), Some(&Value::Int(75)));
    assert_eq!(debtor.ensure.as_deref(), Some("debtor"));
    assert_eq!(sale.fields.value("DbId"), Some(&Value::Key(debtor.name.clone())));
    assert_eq!(sale.needs, std::slice::from_ref(&debtor.name));
    let ensured = &decision.ensured[0];
    assert_eq!((&*ensured.name, &*ensured.family), ("debtor", "debtor"));
    assert_eq!(ensured.chosen, Chosen::Create(debtor.name.clone()));
    assert_eq!(ensured.key, Value::text("info@bakkerij.example"));
    assert_eq!(ensured.compared, [Value::text("info@bakkerij.example"), Value::text("41202536")]);
}

#[test]
fn what_holds_skips_and_fails_says_so_with_its_line_and_no_name() {
    let plan = plan("orders.flow", &[]);
    let reason = |record: &Record, held: &Held| match decide(&plan, record, held).0.outcome {
        Outcome::Skip(reason) | Outcome::Hold(reason) | Outcome::Fail(reason) => reason,
        Outcome::Writes(_) => panic!("it writes"),
    };
    let nothing = Value::eur("0.00".parse().unwrap());
    let zero = reason(&with(&invoice(), &[("invoice_total", nothing)]), &held());
    assert_eq!(&*zero.text, "a zero invoice needs no document");
    let line = zero.place.strip_prefix("orders.flow:").unwrap().parse::<usize>().unwrap();
    let text = Folder(flows()).read("orders.flow").unwrap();
    assert!(text.lines().nth(line - 1).unwrap().starts_with("skip when invoice.invoice_total is 0"));

    let mut nobody = held();
    nobody.remove("jortt.customers");
    let no_mail = with(&invoice(), &[("customer_mail_to", Value::Blank)]);
    assert_eq!(&*reason(&no_mail, &nobody).text, "no e-mail and no default debtor");

    let mut no_items = held();
    no_items.remove("afas.Profit_Article");
    let unknown = reason(&invoice(), &no_items);
    assert_eq!(&*unknown.text, "item ADV of \"Advies maart\" does not exist in AFAS");
    assert!(unknown.masked.contains("•••") && !unknown.masked.contains("Advies"));
}

#[test]
fn an_item_that_several_lines_need_is_made_once() {
    let plan = plan("orders.flow", &[setting("jortt_orders", "on_missing_item", Value::text("create"))]);
    let lines = invoice().get("line_items").as_list().to_vec();
    let twice = with(&invoice(), &[("line_items", Value::List([lines[0].clone(), lines[0].clone()].into()))]);
    let mut held = held();
    held.remove("afas.Profit_Article");
    let (decision, _) = decide(&plan, &twice, &held);
    let [item, sale] = writes(&decision) else { panic!("one item and the order") };
    assert_eq!((&*item.name, item.ensure.as_deref()), ("FbItemArticle#1", Some("item#1")));
    assert_eq!(item.fields.value("ItCd"), Some(&Value::text("ADV")));
    assert_eq!(sale.needs, std::slice::from_ref(&item.name));
    let chosen = |name: &str| &decision.ensured.iter().find(|ensured| &*ensured.name == name).unwrap().chosen;
    assert_eq!(chosen("item#1"), chosen("item#2"));
}

#[test]
fn a_customer_becomes_a_debtor_organisation_or_person() {
    let plan = plan("customers.flow", &[]);
    let source = plan.source.as_ref().unwrap();
    assert_eq!(source.name.to_string(), "jortt.customers");
    let person = rows("jortt.customers", "samples/customer-private.json").remove(0);
    let (decision, _) = decide(&plan, &person, &Held::new());
    let [write, back] = writes(&decision) else { panic!("one debtor, and its number back to Jortt") };
    assert_eq!(back.entity.to_string(), "jortt.customers");
    assert_eq!(&*write.entity.entity, "KnSalesRelationPer");
    assert_eq!(write.fields.value("KnPerson.Is"), Some(&Value::text("van der")));
    assert_eq!(write.fields.value("KnPerson.LaNm"), Some(&Value::text("Visser")));
    assert_eq!(write.fields.value("KnPerson.KnBasicAddressAdr.HmAd"), Some(&Value::text("bis")));
}

#[test]
fn a_setting_closes_what_it_does_not_need() {
    let open = plan("orders.flow", &[setting("jortt_orders", "item_from", Value::text("text"))]);
    let fixed = [
        setting("jortt_orders", "item_from", Value::text("fixed")),
        setting("jortt_orders", "fixed_item", Value::text("X")),
    ];
    let reads = |plan: &Plan, path: &str| plan.source.as_ref().unwrap().fields.iter().any(|own| &**own == path);
    assert!(!reads(&open, "line_items.ledger_account_id"));
    assert!(reads(&plan("orders.flow", &[]), "line_items.ledger_account_id"));
    assert!(!reads(&plan("orders.flow", &fixed), "line_items.ledger_account_id"));
}

//! What is asked of AFAS, and what becomes of its answers.

use percent_encoding::percent_decode_str;
use serde_json::json;

use super::*;
use crate::{
    connector::testing::{Served, answer, line_of},
    value::{EntityName, Fields, Filter, Node, Value},
};

fn afas(server: &Served, page: usize) -> Afas {
    let catalog = Arc::new(Catalog::standard().unwrap().clone());
    Afas::new(line_of("afas", &server.base, |manifest| manifest.limits.page = page), catalog)
}

fn ask(entity: &str, filter: Filter, fields: &[&str]) -> Ask {
    Ask {
        entity: EntityName { role: "afas".into(), entity: entity.into() },
        filter,
        fields: fields.iter().map(|name| Arc::from(*name)).collect(),
    }
}

fn is(path: &str, value: &str) -> Filter {
    Filter::Is(path.into(), Value::text(value))
}

fn rows(rows: &[Json]) -> crate::connector::testing::Answer {
    answer(200, &json!({"skip": 0, "take": 1, "rows": rows}).to_string())
}

fn debtor(id: usize, email: &str) -> Json {
    json!({"DebtorId": id.to_string(), "Email": email, "ChOfCommNr": null, "Blocked": false})
}

fn decoded(line: &str) -> String {
    percent_decode_str(line).decode_utf8().unwrap().into_owned()
}

fn ids(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.get("DebtorId").to_string()).collect()
}

#[tokio::test]
async fn a_source_is_paged_in_order_until_fewer_rows_come_than_were_asked() {
    let server = Served::new(|number, _| match number {
        0 => rows(&[debtor(1, "a@x.nl"), debtor(2, "b@x.nl")]),
        _ => rows(&[debtor(3, "c@x.nl")]),
    })
    .await;
    let afas = afas(&server, 2);
    let source = ask("Profit_Debtor", Filter::Not(Box::new(is("Email", "b@x.nl"))), &["DebtorId"]);
    let first = afas.page(&source, None).await.unwrap();
    let second = afas.page(&source, first.next.as_ref()).await.unwrap();
    assert_eq!((ids(&first.records), ids(&second.records), second.next), (vec!["1".into()], vec!["3".into()], None));
    assert_eq!(
        server.lines(),
        [
            "GET /connectors/Profit_Debtor?skip=0&take=2&orderbyfieldids=DebtorId",
            "GET /connectors/Profit_Debtor?skip=2&take=2&orderbyfieldids=DebtorId"
        ]
    );
}

#[tokio::test]
async fn a_list_that_gives_the_same_page_again_is_not_read_for_ever() {
    let server = Served::new(|_, _| rows(&[debtor(1, "a@x.nl"), debtor(2, "b@x.nl")])).await;
    let afas = afas(&server, 2);
    let source = ask("Profit_Debtor", Filter::All, &["DebtorId"]);
    let first = afas.page(&source, None).await.unwrap();
    let error = afas.page(&source, first.next.as_ref()).await.unwrap_err();
    assert_eq!(error.to_string(), "connection books: AFAS gives the same page again");
    let found = afas.find(&[ask("Profit_Debtor", is("Email", "c@x.nl"), &["DebtorId"])]).await.unwrap_err();
    assert_eq!(found, error);
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn asks_of_one_entity_are_one_call_and_each_gets_its_own_rows() {
    // AFAS ignores case, so it may answer with more than was asked.
    let server = Served::new(|_, _| {
        rows(&[
            json!({"ItemCode": "ADV", "Description": "Advice"}),
            json!({"ItemCode": "adv"}),
            json!({"ItemCode": "B-1"}),
        ])
    })
    .await;
    let asks: Vec<Ask> =
        ["ADV", "B-1", "C"].iter().map(|code| ask("Profit_Article", is("ItemCode", code), &["Description"])).collect();
    let found = afas(&server, 1000).find(&asks).await.unwrap();
    assert_eq!(found.iter().map(|rows| rows.len()).collect::<Vec<_>>(), [1, 1, 0]);
    assert_eq!(found[0][0].get("Description"), &Value::text("Advice"));
    assert_eq!(found[0][0].shape().names, [Arc::from("Description")]);
    assert_eq!(server.lines().len(), 1);
    assert_eq!(
        decoded(&server.lines()[0]),
        "GET /connectors/Profit_Article?skip=0&take=1000&orderbyfieldids=ItemCode\
         &filterfieldids=ItemCode;ItemCode;ItemCode&filtervalues=ADV;B-1;C&operatortypes=1;1;1"
    );
}

#[tokio::test]
async fn conditions_on_two_fields_go_through_filterjson() {
    let server = Served::new(|_, _| rows(&[])).await;
    let filter = Filter::And(vec![
        is("InvoiceId", "a,b;c\"{}%"),
        is("JournalId", "VERK"),
        Filter::Is("UnitId".into(), Value::Int(1)),
    ]);
    afas(&server, 1000).find(&[ask("Profit_Transactions", filter, &["EntryNo"])]).await.unwrap();
    let line = decoded(&server.lines()[0]);
    let (start, json) = line.split_once("&filterjson=").unwrap();
    assert_eq!(start, "GET /connectors/Profit_Transactions?skip=0&take=1000&orderbyfieldids=UnitId,EntryNo,SeqNo");
    let json: Json = serde_json::from_str(json).unwrap();
    assert_eq!(
        json["Filters"]["Filter"][0]["Field"][0],
        json!({"@FieldId": "InvoiceId", "@OperatorType": "1", "#text": "a,b;c\"{}%"})
    );
    assert_eq!(json["Filters"]["Filter"][0]["Field"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn many_asks_are_split_by_the_length_of_the_query_and_none_is_lost() {
    let server = Served::new(|_, seen| {
        assert!(seen.line.split_once('?').is_some_and(|(_, query)| query.len() < 2049));
        let line = decoded(&seen.line);
        let found: Vec<Json> = (0..120)
            .filter(|id| line.contains(&format!("customer{id}@x.nl")))
            .map(|id| debtor(id, &format!("Customer{id}@X.nl")))
            .collect();
        rows(&found)
    })
    .await;
    let asks: Vec<Ask> =
        (0..120).map(|id| ask("Profit_Debtor", is("Email", &format!("customer{id}@x.nl")), &["DebtorId"])).collect();
    let found = afas(&server, 1000).find(&asks).await.unwrap();
    for (id, found) in found.iter().enumerate() {
        assert_eq!(ids(found), [id.to_string()]);
    }
    assert!(server.count() <= 4, "{} calls for 120 addresses", server.count());
}

#[tokio::test]
async fn what_afas_cannot_be_asked_reads_everything_page_by_page() {
    let server = Served::new(|number, _| match number {
        0 => rows(&[debtor(1, ""), debtor(2, "b@x.nl")]),
        _ => rows(&[debtor(3, " ")]),
    })
    .await;
    let asks = [
        ask("Profit_Debtor", Filter::Blank("Email".into()), &["DebtorId"]),
        ask("Profit_Debtor", is("Email", "b@x.nl"), &["DebtorId"]),
        ask("Profit_Debtor", Filter::Never, &["DebtorId"]),
    ];
    let found = afas(&server, 2).find(&asks).await.unwrap();
    assert_eq!(found.iter().map(|rows| ids(rows)).collect::<Vec<_>>(), [vec!["1", "3"], vec!["2"], vec![]]);
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn too_many_cells_halve_the_page() {
    let server = Served::new(|number, _| match number {
        0 => answer(500, r#"{"externalMessage":"Out of memory"}"#),
        1 => rows(&[debtor(1, "a@x.nl"), debtor(2, "b@x.nl")]),
        _ => rows(&[]),
    })
    .await;
    let afas = afas(&server, 4);
    let found = afas.find(&[ask("Profit_Debtor", Filter::All, &["DebtorId"])]).await.unwrap();
    assert_eq!(ids(&found[0]), ["1", "2"]);
    let takes: Vec<String> = server
        .lines()
        .iter()
        .map(|line| line[line.find('?').unwrap()..line.find("&order").unwrap()].to_owned())
        .collect();
    assert_eq!(takes, ["?skip=0&take=4", "?skip=0&take=2", "?skip=2&take=2"]);
}

#[tokio::test]
async fn an_answer_without_rows_and_a_connector_that_is_not_given_free_are_told_apart() {
    let server = Served::new(|number, _| match number {
        0 => answer(200, "{}"),
        1 => answer(500, r#"{"externalMessage":"GetConnector not supported for this app or user not authorised","profitLogReference":"A9"}"#),
        _ => answer(403, ""),
    })
    .await;
    let afas = afas(&server, 10);
    let asks = [ask("Profit_Debtor", Filter::All, &["DebtorId"])];
    let error = afas.find(&asks).await.unwrap_err();
    assert!(
        matches!(&error, ConnectorError::Unexpected(text) if text.contains("Profit_Debtor without rows")),
        "{error:?}"
    );
    let error = afas.find(&asks).await.unwrap_err();
    assert!(
        matches!(&error, ConnectorError::Setup(text) if text.contains("App connector") && text.contains("A9")),
        "{error:?}"
    );
    let error = afas.find(&asks).await.unwrap_err();
    assert!(
        matches!(&error, ConnectorError::Setup(text) if text.contains("is not allowed") && text.contains("403")),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_environment_is_who_it_is() {
    let server = Served::new(|_, _| answer(200, r#"{"info":{"envid":"O12345AB","appName":"koppel"}}"#)).await;
    assert_eq!(afas(&server, 10).identity().await.unwrap(), "O12345AB");
    assert_eq!(server.lines(), ["GET /metainfo"]);
}

fn write(entity: &str, action: Action, fields: Fields) -> Write {
    Write {
        name: entity.into(),
        entity: EntityName { role: "afas".into(), entity: entity.into() },
        action,
        fields,
        gives: None,
        own_number: None,
        reference: None,
        needs: vec![],
        ensure: None,
    }
}

fn fields(all: Vec<(&str, Node)>) -> Fields {
    Fields(all.into_iter().map(|(name, node)| (Arc::from(name), node)).collect())
}

fn value(text: &str) -> Node {
    Node::Value(Value::text(text))
}

#[tokio::test]
async fn an_order_goes_out_in_its_envelope_and_its_number_comes_back() {
    let server = Served::new(|_, _| answer(201, r#"{"results":{"FbSales":{"ornu":"J2026-0042"}}}"#)).await;
    let line = fields(vec![("ItCd", value("ADV"))]);
    let order =
        fields(vec![("OrNu", value("J2026-0042")), ("DbId", value("10001")), ("Lines", Node::List(vec![line]))]);
    let sent = afas(&server, 10).send(&write("FbSales", Action::Create, order)).await;
    assert_eq!(sent, Answered::Done("J2026-0042".into()));
    assert_eq!(server.lines(), ["POST /connectors/FbSales"]);
    assert_eq!(
        server.seen()[0].body,
        r#"{"FbSales":{"Element":{"Fields":{"OrNu":"J2026-0042","DbId":"10001"},"Objects":[{"FbSalesLines":{"Element":[{"Fields":{"ItCd":"ADV"}}]}}]}}}"#
    );
}

#[tokio::test]
async fn an_entry_has_another_root_and_a_debtor_is_changed_as_its_own() {
    let server = Served::new(|_, _| answer(201, "{}")).await;
    let afas = afas(&server, 10);
    let entry = afas.send(&write("FiEntries", Action::Create, fields(vec![("JoCo", value("VERK"))]))).await;
    assert_eq!(entry, Answered::Keyless);
    let organisation = Node::Object(fields(vec![("Nm", value("Linde"))]));
    let changed = fields(vec![("DbId", value("10001")), ("KnOrganisation", organisation)]);
    let sent = afas.send(&write("KnSalesRelationOrg", Action::Update, changed)).await;
    assert_eq!(sent, Answered::Done("10001".into()));
    let seen = server.seen();
    assert!(seen[0].body.starts_with(r#"{"FiEntryPar":{"Element":"#), "{}", seen[0].body);
    assert_eq!(server.lines()[1], "PUT /connectors/KnSalesRelationOrg");
    assert!(seen[1].body.contains(r#"{"Nm":"Linde","MatchOga":"9"}"#), "{}", seen[1].body);
}

#[tokio::test]
async fn a_taken_number_and_a_refusal_are_told_apart() {
    let server = Served::new(|number, _| match number {
        0 => answer(
            500,
            r#"{"externalMessage":"General message: Sales order J1 already exists.","profitLogReference":"A1"}"#,
        ),
        _ => answer(500, r#"{"externalMessage":"General message: The value for 'Item' does not exist."}"#),
    })
    .await;
    let afas = afas(&server, 10);
    let order = write("FbSales", Action::Create, fields(vec![("OrNu", value("J1"))]));
    let first = afas.send(&order).await;
    assert_eq!(first, Answered::NumberExists("Sales order J1 already exists. (log reference A1)".to_owned()));
    assert_eq!(afas.send(&order).await, Answered::Refused("The value for 'Item' does not exist.".to_owned()));
}

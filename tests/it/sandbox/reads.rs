//! AFAS is read: log-in, filters, order, pages, limits, metainfo.

use reqwest::Method;
use serde_json::{Value, json};

use super::{World, body, client, options, status_and_body};

async fn failed(world: &World, connector: &str, query: &[(&str, &str)]) -> String {
    let answer = world.afas(Method::GET, &format!("/connectors/{connector}")).query(query).send().await.unwrap();
    let (status, body) = status_and_body(answer).await;
    assert_eq!(status, 500, "{body}");
    body["externalMessage"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn and_or_and_filterjson_find_the_same_rows() {
    let world = World::new(options()).await;
    let ids = |rows: Vec<Value>| rows.into_iter().map(|row| row["CoId"].clone()).collect::<Vec<_>>();
    let plain = [("filterfieldids", "CoId;CoId"), ("filtervalues", "nl;D "), ("operatortypes", "1;1")];
    let found = ids(world.read("ProfitCountries", &plain).await);
    assert_eq!(found, [json!("NL"), json!("D")]);
    let filter = json!({"Filters": {"Filter": [
        {"@FilterId": "Filter 1", "Field": [{"@FieldId": "CoId", "@OperatorType": "1", "#text": "NL"}]},
        {"@FilterId": "Filter 2", "Field": {"@FieldId": "CoId", "@OperatorType": 1, "#text": "D"}}
    ]}})
    .to_string();
    assert_eq!(ids(world.read("ProfitCountries", &[("filterjson", &filter)]).await), found);
    let both = [("filterfieldids", "CoId,Co"), ("filtervalues", "RU,Bur"), ("operatortypes", "1,10")];
    assert_eq!(ids(world.read("ProfitCountries", &both).await), [json!("RU")]);
}

#[tokio::test]
async fn a_name_with_a_comma_needs_filterjson() {
    let world = World::new(options()).await;
    let name = "Jansen, Zonen; & Co";
    world.control("records", json!({"afas": {"Profit_Debtor": [{"DebtorId": "77777", "DebtorName": name}]}})).await;
    let text = failed(&world, "Profit_Debtor", &[("filterfieldids", "DebtorName"), ("filtervalues", name)]).await;
    assert!(text.contains("not the same"), "{text}");
    let filter = json!({"Filters": {"Filter": [{"@FilterId": "F", "Field": [
        {"@FieldId": "DebtorName", "@OperatorType": "1", "#text": name}
    ]}]}})
    .to_string();
    let rows = world.read("Profit_Debtor", &[("filterjson", &filter)]).await;
    assert_eq!(rows[0]["DebtorId"], "77777");
    assert_eq!(rows[0]["TelNr"], Value::Null);
}

#[tokio::test]
async fn pages_are_whole_only_with_an_order() {
    let world = World::new(options()).await;
    let mut ordered = Vec::new();
    let mut loose = Vec::new();
    for page in 0..20 {
        let skip = (page * 10).to_string();
        let query = [("skip", skip.as_str()), ("take", "10")];
        let mut with = query.to_vec();
        with.push(("orderbyfieldids", "-CoId"));
        ordered.extend(world.read("ProfitCountries", &with).await);
        loose.extend(world.read("ProfitCountries", &query).await);
    }
    let distinct = |rows: &[Value]| {
        rows.iter().map(|row| row["CoId"].as_str().unwrap().to_owned()).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(distinct(&ordered), ordered.len());
    assert!(ordered.is_sorted_by(|left, right| left["CoId"].as_str() > right["CoId"].as_str()));
    assert!(distinct(&loose) < distinct(&ordered), "without an order rows are lost between pages");
}

#[tokio::test]
async fn skip_and_take_have_their_limits() {
    let world = World::new(options()).await;
    let all = world.read("ProfitCountries", &[("skip", "-1"), ("take", "-1")]).await;
    assert!(all.len() > 80);
    assert!(failed(&world, "ProfitCountries", &[("skip", "0"), ("take", "-1")]).await.contains("skip and take"));
    let rows: Vec<Value> = (0..7200).map(|number| json!({"CoId": format!("X{number}"), "Co": "X"})).collect();
    world.control("records", json!({"afas": {"ProfitCountries": rows}})).await;
    assert_eq!(world.read("ProfitCountries", &[("take", "7250")]).await.len(), 7250);
    let rows: Vec<Value> = (0..8400).map(|number| json!({"Account": format!("X{number}")})).collect();
    world.control("records", json!({"afas": {"Profit_Accounts": rows}})).await;
    assert_eq!(failed(&world, "Profit_Accounts", &[("take", "8400")]).await, "Out of memory");
    assert_eq!(world.read("Profit_Accounts", &[("take", "8300")]).await.len(), 8300);
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_words_of_afas() {
    let world = World::new(options()).await;
    assert_eq!(
        failed(&world, "Profit_Debtor", &[("filterfieldids", "Emial"), ("filtervalues", "a")]).await,
        "Connector field 'Emial' not found"
    );
    assert!(failed(&world, "Profit_Nothing", &[]).await.contains("not supported"));
    let special = [("filterfieldids", "['A_Toev_Huisnr.']"), ("filtervalues", "a")];
    assert!(world.read("Profit_Deliveryaddress", &special).await.is_empty());
    let answer = world
        .afas(Method::GET, "/connectors/Profit_Debtor")
        .query(&[("filterfieldids", "Email"), ("filtervalues", &"a".repeat(2049))])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn both_logins_work_and_bad_ones_do_not() {
    let world = World::new(options()).await;
    let url = world.sandbox.afas_url();
    let login = |secret: &'static str| {
        let form = [("grant_type", "client_credentials"), ("client_id", "x"), ("client_secret", secret)];
        client().post(format!("{url}/oauth/token")).form(&form).send()
    };
    let answer = body(login("y").await.unwrap()).await;
    assert_eq!(answer["expires_in"], 3600);
    let version = |header: String| client().get(format!("{url}/ProfitVersion")).header("authorization", header).send();
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(body(version(format!("Bearer {token}")).await.unwrap()).await["version"], "22.22.5");
    assert_eq!(version(world.afas_token.clone()).await.unwrap().status(), 200);
    assert_eq!(login("wrong").await.unwrap().status(), 401);
    let zeros = "PHRva2VuPjx2ZXJzaW9uPjE8L3ZlcnNpb24+PGRhdGE+MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDwvZGF0YT48L3Rva2VuPg==";
    for header in ["Bearer nothing".to_owned(), "AfasToken nothing".to_owned(), format!("AfasToken {zeros}")] {
        assert_eq!(version(header).await.unwrap().status(), 401);
    }
}

#[tokio::test]
async fn metainfo_tells_what_there_is() {
    let world = World::new(options()).await;
    let all = body(world.afas(Method::GET, "/metainfo").send().await.unwrap()).await;
    assert_eq!(all["info"]["envid"], world.sandbox.id());
    let gets = all["getConnectors"].as_array().unwrap();
    for get in gets {
        let name = get["id"].as_str().unwrap();
        let info = body(world.afas(Method::GET, &format!("/metainfo/get/{name}")).send().await.unwrap()).await;
        assert!(!info["fields"].as_array().unwrap().is_empty(), "{name}");
        world.read(name, &[("take", "1")]).await;
    }
    let info = body(world.afas(Method::GET, "/metainfo/update/FbSales").send().await.unwrap()).await;
    let field =
        |name: &str| info["fields"].as_array().unwrap().iter().find(|field| field["fieldId"] == name).unwrap().clone();
    assert_eq!((&field("DbId")["mandatory"], &field("OrNu")["length"]), (&json!(true), &json!(12)));
    assert_eq!(field("PaCd")["values"][1]["id"], "14");
    assert_eq!(info["objects"][0]["name"], "FbSalesLines");
}

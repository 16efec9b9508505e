//! The control paths, the limits, the hard cases, the end.

use std::time::Duration;

use koppel::sandbox::{Options, start};
use reqwest::Method;
use serde_json::{Value, json};

use super::{World, advice, body, client, options, order, status_and_body};

#[tokio::test]
async fn a_lost_answer_leaves_its_effect() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let fault = json!([{"system": "afas", "method": "POST", "path": "connectors/fbsales", "kind": "lost_answer"}]);
    assert_eq!(world.control("faults", fault).await.0, 200);
    let sent = world.afas(Method::POST, "/connectors/FbSales").json(&order(&debtor, "J1", &advice())).send().await;
    assert!(sent.is_err());
    assert_eq!(world.read("Profit_Salesorders", &[]).await.len(), 1);
    assert_eq!(world.effects().await["afas"]["FbSales"]["count"], 1);
}

#[tokio::test]
async fn what_is_written_is_kept_in_order_and_what_is_refused_is_not() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    for number in ["J1", "J1", "J2"] {
        world.write(Method::POST, "FbSales", order(&debtor, number, &advice())).await;
    }
    let made = world.jortt(Method::POST, "/v1/labels").json(&json!({"description": "Nieuw"})).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let url = format!("{}/_control/written", world.sandbox.url());
    let (_, written) = status_and_body(client().get(url).send().await.unwrap()).await;
    let of = |place: usize, name: &str| written[place][name].clone();
    assert_eq!(written.as_array().unwrap().len(), 3, "{written}");
    assert_eq!(of(0, "body"), order(&debtor, "J1", &advice()));
    assert_eq!(of(1, "body"), order(&debtor, "J2", &advice()));
    assert_eq!((of(1, "method"), of(1, "path")), (json!("POST"), json!("/ProfitRestServices/connectors/FbSales")));
    let label = json!({"system": "jortt", "method": "POST", "path": "/v1/labels", "body": {"description": "Nieuw"}});
    assert_eq!(written[2], label);
}

#[tokio::test]
async fn a_reset_leaves_nothing() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    world.control("faults", json!([{"system": "afas", "method": "POST", "kind": "reset", "nth": 2}])).await;
    let (status, _) = world.write(Method::POST, "FbSales", order(&debtor, "J1", &advice())).await;
    assert_eq!(status, 201);
    let sent = world.afas(Method::POST, "/connectors/FbSales").json(&order(&debtor, "J2", &advice())).send().await;
    assert!(sent.is_err());
    assert_eq!(world.read("Profit_Salesorders", &[]).await.len(), 1);
}

#[tokio::test]
async fn a_cut_line_does_not_stop_the_work_that_runs_on() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    world.control("faults", json!([{"system": "afas", "method": "POST", "kind": "runs_on", "ms": 300}])).await;
    let sent = world.afas(Method::POST, "/connectors/FbSales").json(&order(&debtor, "J1", &advice())).send().await;
    assert!(sent.is_err());
    assert_eq!(world.read("Profit_Salesorders", &[]).await.len(), 0, "not yet");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(world.read("Profit_Salesorders", &[]).await.len(), 1);
}

#[tokio::test]
async fn a_call_is_worked_on_to_its_end_when_nobody_waits_for_it_any_more() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    world.control("faults", json!([{"system": "afas", "method": "POST", "kind": "delay", "ms": 300}])).await;
    let call = world.afas(Method::POST, "/connectors/FbSales").json(&order(&debtor, "J1", &advice()));
    assert!(call.timeout(Duration::from_millis(100)).send().await.is_err());
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(world.read("Profit_Salesorders", &[]).await.len(), 1);
}

#[tokio::test]
async fn what_an_answer_hides_is_done_all_the_same_and_what_was_done_before_is_refused() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let fault = |fault: Value| json!([fault]);
    world.control("faults", fault(json!({"system": "afas", "method": "POST", "kind": "html", "done": true}))).await;
    assert_eq!(world.write(Method::POST, "FbSales", order(&debtor, "J1", &advice())).await.0, 502);
    world.control("faults", fault(json!({"system": "afas", "method": "POST", "kind": "done_before"}))).await;
    let refused = world.refused("FbSales", order(&debtor, "J2", &advice())).await;
    assert_eq!(refused, "Number J2 already exists.");
    let person = json!({"afas": {"Profit_Salesorders": [{"OrderNumber": "J3", "CustomerReference": "by phone"}]}});
    let meanwhile = json!({"system": "afas", "method": "POST", "kind": "delay", "records": person});
    world.control("faults", fault(meanwhile)).await;
    let refused = world.refused("FbSales", order(&debtor, "J3", &advice())).await;
    assert_eq!(refused, "Number J3 already exists.");
    assert_eq!(world.read("Profit_Salesorders", &[]).await.len(), 3);
    assert_eq!(world.effects().await["afas"]["FbSales"]["count"], 2);
}

#[tokio::test]
async fn each_kind_of_fault_answers_as_the_vendor_would() {
    let world = World::new(options()).await;
    let cases = [
        (json!({"system": "afas", "kind": "status", "message": "Row blocked by user SYS"}), 500, "Row blocked"),
        (json!({"system": "afas", "kind": "status"}), 500, ""),
        (json!({"system": "afas", "kind": "unavailable", "retry_after": 3}), 503, "\"retry_after\":3"),
        (json!({"system": "afas", "kind": "token_expired"}), 401, ""),
        (json!({"system": "afas", "kind": "forbidden"}), 403, "not allowed"),
        (json!({"system": "afas", "kind": "html"}), 502, "<html>"),
        (json!({"system": "afas", "kind": "delay", "ms": 1}), 200, "version"),
    ];
    for (fault, status, text) in cases {
        world.control("faults", json!([fault])).await;
        let answer = world.afas(Method::GET, "/ProfitVersion").send().await.unwrap();
        assert_eq!(answer.status(), status, "{fault}");
        assert!(answer.text().await.unwrap().contains(text), "{fault}");
    }
    for (kind, status, key) in [("throttled", 429, "request.throttled"), ("token_expired", 401, "access_token.expired")]
    {
        world.control("faults", json!([{"system": "jortt", "kind": kind}])).await;
        let answer = world.jortt(Method::GET, "/v1/labels").send().await.unwrap();
        let (got, body) = status_and_body(answer).await;
        assert_eq!((got, &body["error"]["key"]), (status, &json!(key)));
    }
    world.control("faults", json!([{"system": "jortt", "kind": "invalid_json"}])).await;
    let text = world.jortt(Method::GET, "/v1/labels").send().await.unwrap().text().await.unwrap();
    assert!(serde_json::from_str::<Value>(&text).is_err());
}

#[tokio::test]
async fn what_has_begun_goes_on_when_its_caller_hangs_up_and_a_success_may_lack_its_key() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let send =
        |number: &'static str| world.afas(Method::POST, "/connectors/FbSales").json(&order(&debtor, number, &advice()));
    world.control("faults", json!([{"system": "afas", "kind": "delay", "ms": 500, "method": "POST"}])).await;
    assert!(send("J1").timeout(Duration::from_millis(100)).send().await.unwrap_err().is_timeout());
    assert!(world.read("Profit_Salesorders", &[]).await.is_empty(), "not yet");
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(world.read("Profit_Salesorders", &[]).await.len(), 1);

    world.control("faults", json!([{"system": "afas", "kind": "no_key", "method": "POST", "times": 2}])).await;
    let (status, body) = status_and_body(send("J2").send().await.unwrap()).await;
    assert_eq!((status, body), (201, json!({})));
    let (status, body) = status_and_body(send("J2").send().await.unwrap()).await;
    assert!(status == 500 && body["externalMessage"].is_string(), "a refusal stays one: {body}");
    assert_eq!(world.read("Profit_Salesorders", &[]).await.len(), 2);
}

#[tokio::test]
async fn bad_control_input_is_explained_and_changes_nothing() {
    let world = World::new(options()).await;
    let cases = [
        ("faults", json!({"system": "afas"}), "list of faults"),
        ("faults", json!([{"system": "sap", "kind": "reset"}]), "unknown variant `sap`"),
        ("faults", json!([{"system": "afas", "kind": "reset", "time": 2}]), "unknown field `time`"),
        ("faults", json!([{"system": "afas", "kind": "reset", "times": 0}]), "count from 1"),
        ("faults", json!([{"system": "afas", "kind": "delay", "records": {"sap": {}}}]), "`sap` is no system"),
        ("records", json!({"sap": {}}), "`sap` is no system"),
        ("records", json!({"afas": {"Profit_Debter": []}}), "no GetConnector `Profit_Debter`"),
        ("records", json!({"afas": {"Profit_Debtor": [{"DebtorNumber": "1"}]}}), "`DebtorNumber`"),
        ("records", json!({"afas": {"Profit_Debtor": [{"Email": "a@b.nl"}]}}), "needs `DebtorId`"),
        ("records", json!({"jortt": {"invoices": [{"id": "12"}]}}), "a UUID"),
        ("records", json!({"jortt": {"orders": []}}), "no records `orders`"),
    ];
    for (path, input, text) in cases {
        let (status, answer) = world.control(path, input.clone()).await;
        assert_eq!(status, 400, "{input}");
        assert!(answer["error"].as_str().unwrap().contains(text), "{answer}");
    }
    let (status, _) =
        status_and_body(client().get(format!("{}/_control/nothing", world.sandbox.url())).send().await.unwrap()).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn records_are_added_and_laid_over_old_ones() {
    let world = World::new(options()).await;
    let customer = "ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9a01";
    let invoice = "e508ba44-f8a9-4aa9-b4e8-8d071a355554";
    let input = json!({"jortt": {
        "customers": [{"id": customer, "customer_name": "Bakkerij Jansen B.V.", "email": "info@bakkerij.example"}],
        "invoices": [{"id": invoice, "customer_id": customer, "invoice_status": "sent", "invoice_number": "2026-7777",
            "created_at": "2026-03-14T10:22:33.000+01:00"}]
    }, "afas": {"Profit_Article": [{"ItemCode": "ADV", "Blocked": true}]}});
    let (status, answer) = world.control("records", input).await;
    assert_eq!(status, 200, "{answer}");
    let read = body(world.jortt(Method::GET, &format!("/v2/invoices/{invoice}")).send().await.unwrap()).await;
    assert_eq!(read["data"]["customer_company_name"], "Bakkerij Jansen B.V.");
    world.control("records", json!({"jortt": {"invoices": [{"id": invoice, "remarks": "Nieuw"}]}})).await;
    let read = body(world.jortt(Method::GET, &format!("/v2/invoices/{invoice}")).send().await.unwrap()).await;
    assert_eq!((&read["data"]["remarks"], &read["data"]["invoice_number"]), (&json!("Nieuw"), &json!("2026-7777")));
    let debtor = world.debtor().await;
    assert_eq!(world.refused("FbSales", order(&debtor, "J1", &advice())).await, "Item ADV is blocked.");
    assert_eq!(world.effects().await["jortt"]["invoices"]["count"], 0);
}

#[tokio::test]
async fn the_eleventh_call_in_a_second_and_the_ninth_at_once_are_refused() {
    let world = World::new(Options::default()).await;
    let calls = (0..40).map(|_| world.jortt(Method::GET, "/v1/labels").send());
    let answers = futures_util::future::join_all(calls).await;
    let refused = answers.into_iter().filter(|answer| answer.as_ref().unwrap().status() == 429).count();
    assert!(refused > 0);

    world.control("faults", json!([{"system": "afas", "kind": "delay", "ms": 1500, "times": 9}])).await;
    let calls = (0..9).map(|_| world.afas(Method::GET, "/ProfitVersion").send());
    let answers = futures_util::future::join_all(calls).await;
    let refused = answers.into_iter().filter(|answer| answer.as_ref().unwrap().status() == 503).count();
    assert_eq!(refused, 1);
}

#[tokio::test]
async fn the_hard_cases_are_there_when_asked_for() {
    let world = World::new(Options { awkward: true, ..options() }).await;
    let world = &world;
    let debtors = |email: &'static str| async move {
        world.read("Profit_Debtor", &[("filterfieldids", "Email"), ("filtervalues", email)]).await
    };
    assert_eq!(debtors("dubbel@lastig.example").await.len(), 2);
    assert_eq!(debtors("geblokkeerd@lastig.example").await[0]["Blocked"], true);
    assert_eq!(debtors("dollar@lastig.example").await[0]["CurrencyId"], "USD");
    assert_eq!(debtors("info@hoofdletter.example").await.len(), 1);
    let drafts = body(world.jortt(Method::GET, "/v2/invoices?invoice_status=draft").send().await.unwrap()).await;
    assert_eq!(drafts["data"].as_array().unwrap().len(), 2);
    let found = body(world.jortt(Method::GET, "/v2/invoices?query=verwijderd").send().await.unwrap()).await;
    let customer = found["data"][0]["customer_id"].as_str().unwrap();
    let gone = world.jortt(Method::GET, &format!("/v1/customers/{customer}")).send().await.unwrap();
    assert_eq!(gone.status(), 404);
    let three = body(world.jortt(Method::GET, "/v2/invoices?query=driemaal").send().await.unwrap()).await;
    assert_eq!(three["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_part_of_the_customers_are_debtors_already() {
    let world = World::new(Options { size: 190, ..options() }).await;
    // Eight of them, and the debtor of cash sales.
    assert_eq!(world.read("Profit_Debtor", &[]).await.len(), 9);
    assert_eq!(world.read("Profit_Contacts", &[]).await.len(), 4);
}

#[tokio::test]
async fn a_stopped_sandbox_answers_no_more() {
    let world = World::new(options()).await;
    assert!(world.afas(Method::GET, "/ProfitVersion").send().await.is_ok());
    let World { sandbox, http, .. } = world;
    let url = format!("{}/_control", sandbox.url());
    sandbox.stop().await;
    assert!(http.get(&url).timeout(Duration::from_secs(5)).send().await.is_err());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = start(options()).await.unwrap();
    let error = start(Options { port: first.address.port(), ..options() }).await.unwrap_err().to_string();
    assert!(error.contains(&first.address.to_string()) && error.contains("another port"), "{error}");
}

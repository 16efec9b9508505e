//! Jortt: log-in, lists, invoices and customers.

use reqwest::Method;
use serde_json::{Value, json};

use super::{World, body, client, options, status_and_body};
use koppel::sandbox::Options;

async fn call(world: &World, method: Method, path: &str, body: Value) -> (u16, Value) {
    status_and_body(world.jortt(method, path).json(&body).send().await.unwrap()).await
}

async fn get(world: &World, path: &str) -> Value {
    let answer = world.jortt(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    body(answer).await
}

async fn customer(world: &World) -> String {
    let body = json!({"is_private": true, "customer_name": "Anne van der Visser", "email": "anne@visser.example"});
    let (status, answer) = call(world, Method::POST, "/v1/customers", body).await;
    assert_eq!(status, 201, "{answer}");
    answer["data"]["id"].as_str().unwrap().to_owned()
}

fn invoice(customer: &str) -> Value {
    json!({
        "customer_id": customer, "invoice_date": "2026-11-14", "payment_term": 14, "reference": "5012",
        "line_items": [{
            "description": "Advies", "quantity": "2", "amount": {"amount": "90.00", "currency": "EUR"},
            "vat": {"value": "0.21", "category": null}
        }]
    })
}

#[tokio::test]
async fn the_login_refuses_in_the_words_of_oauth() {
    let world = World::new(options()).await;
    let url = format!("{}/token", world.sandbox.jortt_login_url());
    let login = |secret: &'static str, form: [(&'static str, &'static str); 2]| {
        client().post(&url).basic_auth("x", Some(secret)).form(&form).send()
    };
    let good = [("grant_type", "client_credentials"), ("scope", "invoices:read")];
    let (status, answer) = status_and_body(login("wrong", good).await.unwrap()).await;
    assert_eq!((status, &answer["error"]), (401, &json!("invalid_client")));
    let (status, answer) =
        status_and_body(login("y", [("grant_type", "client_credentials"), ("scope", "moon:read")]).await.unwrap())
            .await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_scope")));
    let (status, answer) =
        status_and_body(login("y", [("grant_type", "password"), ("scope", "")]).await.unwrap()).await;
    assert_eq!((status, &answer["error"]), (400, &json!("unsupported_grant_type")));
    let token = body(login("y", good).await.unwrap()).await["access_token"].as_str().unwrap().to_owned();
    let answer =
        client().get(format!("{}/customers", world.sandbox.jortt_url())).bearer_auth(token).send().await.unwrap();
    let (status, answer) = status_and_body(answer).await;
    assert_eq!((status, &answer["error"]["key"]), (401, &json!("scopes.insufficient")));
}

#[tokio::test]
async fn pages_hold_a_hundred_and_their_links_lose_the_status() {
    let world = World::new(Options { size: 250, ..options() }).await;
    let first = get(&world, "/v2/invoices?invoice_status=sent&query=advies").await;
    let next = first["_links"]["next"]["href"].as_str();
    if let Some(next) = next {
        assert!(next.contains("query=advies") && !next.contains("invoice_status"), "{next}");
    }
    let mut seen = std::collections::BTreeSet::new();
    for page in 1..=3 {
        let answer = get(&world, &format!("/v2/invoices?page={page}&invoice_status=sent")).await;
        assert_eq!(answer["_links"]["next"].is_null(), page == 3);
        seen.extend(
            answer["data"].as_array().unwrap().iter().map(|invoice| invoice["id"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(seen.len(), 250);
    let customers = get(&world, "/v1/customers").await;
    let names: Vec<String> = customers["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|customer| customer["customer_name"].as_str().unwrap().to_lowercase())
        .collect();
    assert!(names.is_sorted());
    let (status, _) = call(&world, Method::GET, "/v2/invoices?query=ab", Value::Null).await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn a_sending_takes_a_while_and_a_second_one_is_told_as_a_double() {
    let world = World::new(Options { sending: std::time::Duration::from_mins(1), ..options() }).await;
    let customer = customer(&world).await;
    let (_, answer) = call(&world, Method::POST, "/v3/invoices", invoice(&customer)).await;
    let id = answer["data"]["id"].as_str().unwrap().to_owned();
    for count in [1, 2] {
        let path = format!("/v1/invoices/{id}/send");
        assert_eq!(call(&world, Method::POST, &path, json!({"send_method": "self"})).await.0, 200);
        let sendings = world.effects().await["jortt"]["invoice_sendings"].clone();
        assert_eq!((&sendings["count"], sendings["duplicates"].as_array().unwrap().len()), (&json!(count), count - 1));
    }
    let draft = get(&world, &format!("/v2/invoices/{id}")).await["data"].clone();
    assert_eq!((&draft["invoice_status"], &draft["invoice_number"]), (&json!("draft"), &Value::Null));
}

#[tokio::test]
async fn an_invoice_is_a_draft_until_it_is_sent_and_then_frozen() {
    let world = World::new(options()).await;
    let customer = customer(&world).await;
    let (status, answer) = call(&world, Method::POST, "/v3/invoices", invoice(&customer)).await;
    assert_eq!(status, 201, "{answer}");
    let id = answer["data"]["id"].as_str().unwrap().to_owned();
    let draft = get(&world, &format!("/v2/invoices/{id}")).await["data"].clone();
    assert_eq!((&draft["invoice_status"], &draft["invoice_number"]), (&json!("draft"), &Value::Null));
    assert_eq!(
        (&draft["invoice_due_date"], &draft["invoice_delivery_period"]),
        (&json!("2026-11-28"), &json!("2026-11-01"))
    );
    assert_eq!(draft["invoice_total_incl_vat"]["amount"], "217.80");
    assert_eq!(
        (&draft["line_items"][0]["quantity"], &draft["customer_mail_to"]),
        (&json!("2.0"), &json!("anne@visser.example"))
    );
    let (status, _) = call(&world, Method::PUT, &format!("/v2/invoices/{id}"), json!({"remarks": "Dank u"})).await;
    assert_eq!(status, 200);
    let (status, answer) =
        call(&world, Method::POST, &format!("/v1/invoices/{id}/send"), json!({"send_method": "email"})).await;
    assert_eq!((status, answer["error"]["details"].as_array().unwrap().len()), (422, 3));
    let (status, _) =
        call(&world, Method::POST, &format!("/v1/invoices/{id}/send"), json!({"send_method": "self"})).await;
    assert_eq!(status, 200);
    tokio::time::sleep(options().sending).await;
    let sent = get(&world, &format!("/v2/invoices/{id}")).await["data"].clone();
    assert_eq!((&sent["invoice_number"], &sent["remarks"]), (&json!("2026-0041"), &json!("Dank u")));
    let (status, answer) = call(&world, Method::PUT, &format!("/v2/invoices/{id}"), json!({"remarks": "x"})).await;
    assert_eq!((status, &answer["error"]["key"]), (422, &json!("operation.invalid")));
    let (status, answer) = call(&world, Method::POST, &format!("/v1/invoices/{id}/credit"), json!({})).await;
    assert_eq!(status, 201);
    let note = get(&world, &format!("/v2/invoices/{}", answer["data"]["id"].as_str().unwrap())).await["data"].clone();
    assert_eq!((&note["credited_invoice_id"], &note["invoice_total"]["amount"]), (&json!(id), &json!("-180.00")));
    assert_eq!(world.effects().await["jortt"]["invoices"]["count"], 2);
    let old = get(&world, &format!("/invoices/{id}")).await["data"].clone();
    assert_eq!(
        (&old["invoice_total"]["value"], &old["line_items"][0]["vat_percentage"]),
        (&json!("180.00"), &json!("21.0"))
    );
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let world = World::new(options()).await;
    let customer = customer(&world).await;
    let mut wrong = invoice(&customer);
    wrong["line_items"][0].as_object_mut().unwrap().remove("vat");
    wrong.as_object_mut().unwrap().remove("customer_id");
    let (status, answer) = call(&world, Method::POST, "/v3/invoices", wrong).await;
    assert_eq!((status, &answer["error"]["key"]), (422, &json!("params.invalid")));
    let params: Vec<&str> =
        answer["error"]["details"].as_array().unwrap().iter().map(|detail| detail["param"].as_str().unwrap()).collect();
    assert!(params.contains(&"customer_id") && params.contains(&"line_items[0][vat]"), "{params:?}");
    let (status, answer) =
        call(&world, Method::POST, "/v1/customers", json!({"is_private": false, "customer_name": "X"})).await;
    assert_eq!((status, answer["error"]["details"].as_array().unwrap().len()), (422, 3));
    let cases = [
        (Method::GET, "/v2/invoices/12", 422, "params.invalid"),
        (Method::GET, "/v2/invoices/ae3d2c0a-8a33-4a1e-9b8d-2d9a2f6f9a01", 404, "resource.not_found"),
        (Method::GET, "/v3/invoices", 404, "endpoint.not_found"),
        (Method::GET, "/v1/nothing", 404, "endpoint.not_found"),
        (Method::DELETE, "/v1/customers", 405, "resource.method_not_allowed"),
    ];
    for (method, path, status, key) in cases {
        let (got, answer) = call(&world, method, path, Value::Null).await;
        assert_eq!((got, &answer["error"]["key"]), (status, &json!(key)), "{path}");
    }
    let answer =
        client().get(format!("{}/v2/invoices", world.sandbox.jortt_url())).bearer_auth("no").send().await.unwrap();
    let (status, answer) = status_and_body(answer).await;
    assert_eq!((status, &answer["error"]["key"]), (401, &json!("access_token.invalid")));
}

#[tokio::test]
async fn a_customer_is_changed_as_a_whole() {
    let world = World::new(options()).await;
    let id = customer(&world).await;
    let path = format!("/v1/customers/{id}");
    let (status, _) =
        call(&world, Method::PUT, &path, json!({"is_private": true, "customer_name": "Anne Visser"})).await;
    assert_eq!(status, 204);
    let changed = get(&world, &path).await["data"].clone();
    assert_eq!((&changed["customer_name"], &changed["email"]), (&json!("Anne Visser"), &Value::Null));
    let (status, _) = call(&world, Method::PUT, &format!("{path}/set_archived"), json!({"archived": true})).await;
    assert_eq!(status, 204);
    assert_eq!(get(&world, &path).await["data"]["archived"], true);
    let (status, _) = call(&world, Method::DELETE, &path, Value::Null).await;
    assert_eq!(status, 204);
    let (status, _) = call(&world, Method::GET, &path, Value::Null).await;
    assert_eq!(status, 404);
    let vats = get(&world, "/v1/labels").await;
    assert_eq!(vats["data"][0]["description"], "Goud");
    assert_eq!(get(&world, "/v1/organizations/me").await["data"]["id"], world.sandbox.id());
}

#[tokio::test]
async fn paid_and_open_invoices_stand_in_their_lists() {
    let world = World::new(options()).await;
    let world = &world;
    let count = |list: &'static str| async move {
        get(world, &format!("/v2/invoices?invoice_status={list}")).await["data"].as_array().unwrap().len()
    };
    let (sent, paid, unpaid) = (count("sent").await, count("paid").await, count("unpaid").await);
    assert_eq!((sent, paid + unpaid, count("draft").await), (40, 40, 0));
    assert!(paid > 0 && unpaid > 0);
}

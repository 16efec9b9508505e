//! The sandbox over real HTTP: it behaves as the vendors say.

use std::sync::Once;

use koppel::sandbox::{Options, Sandbox, start};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

/// A sandbox with a client that is logged in at both systems.
struct World {
    sandbox: Sandbox,
    http: Client,
    jortt_token: String,
    afas_token: String,
}

fn options() -> Options {
    Options { limits: false, ..Options::default() }
}

fn client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    Client::builder().no_proxy().build().unwrap()
}

impl World {
    async fn new(options: Options) -> Self {
        let sandbox = start(options).await.unwrap();
        let http = client();
        let credentials = sandbox.credentials();
        let answer: Value = http
            .post(format!("{}/token", sandbox.jortt_login_url()))
            .basic_auth(&credentials.jortt_client_id, Some(&credentials.jortt_client_secret))
            .form(&[
                ("grant_type", "client_credentials"),
                (
                    "scope",
                    "invoices:read invoices:write customers:read customers:write organizations:read \
                     organizations:write estimates:read",
                ),
            ])
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(answer["expires_in"], 7200);
        let jortt_token = answer["access_token"].as_str().unwrap().to_owned();
        Self { sandbox, http, jortt_token, afas_token: format!("AfasToken {}", credentials.afas_token) }
    }

    fn jortt(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.sandbox.jortt_url())).bearer_auth(&self.jortt_token)
    }

    fn afas(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.sandbox.afas_url());
        self.http.request(method, url).header("authorization", &self.afas_token)
    }

    async fn read(&self, connector: &str, query: &[(&str, &str)]) -> Vec<Value> {
        let answer = self.afas(Method::GET, &format!("/connectors/{connector}")).query(query).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        body(answer).await["rows"].as_array().unwrap().clone()
    }

    async fn write(&self, method: Method, connector: &str, body: Value) -> (u16, Value) {
        let answer = self.afas(method, &format!("/connectors/{connector}")).json(&body).send().await.unwrap();
        status_and_body(answer).await
    }

    async fn refused(&self, connector: &str, body: Value) -> String {
        let (status, body) = self.write(Method::POST, connector, body).await;
        assert_eq!(status, 500, "{body}");
        assert!(body["errorNumber"].is_number() && body["profitLogReference"].is_string());
        body["externalMessage"].as_str().unwrap().to_owned()
    }

    async fn control(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/_control/{path}", self.sandbox.url());
        status_and_body(self.http.post(url).json(&body).send().await.unwrap()).await
    }

    async fn effects(&self) -> Value {
        body(self.http.get(format!("{}/_control/effects", self.sandbox.url())).send().await.unwrap()).await
    }

    /// A debtor that is not blocked.
    async fn debtor(&self) -> String {
        let rows = self.read("Profit_Debtor", &[("orderbyfieldids", "DebtorId")]).await;
        rows[0]["DebtorId"].as_str().unwrap().to_owned()
    }
}

async fn body(answer: Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

async fn status_and_body(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

fn order(debtor: &str, number: &str, lines: Value) -> Value {
    json!({"FbSales": {"Element": {
        "Fields": {"OrNu": number, "DbId": debtor, "RfCs": format!("2026-{number}"), "Unit": 1, "VaDu": "1"},
        "Objects": [{"FbSalesLines": {"Element": lines}}]
    }}})
}

fn advice() -> Value {
    json!([{"Fields": {"VaIt": "2", "ItCd": "ADV", "BiUn": "UUR", "QuUn": 2, "Upri": "90.00", "VaRc": "1"}}])
}

fn company(email: &str) -> Value {
    json!({"KnSalesRelationOrg": {"Element": {
        "Fields": {"IsDb": true, "CuId": "EUR", "PaCd": "30", "ColA": "1300", "VaDu": "1"},
        "Objects": [{"KnOrganisation": {"Element": [{
            "Fields": {"PadAdr": true, "AutoNum": true, "MatchOga": "6", "Nm": "Nieuw B.V.", "EmAd": email},
            "Objects": [{"KnBasicAddressAdr": {"Element": [{"Fields": {
                "CoId": "B", "PbAd": false, "Ad": "Meir", "HmNr": 24, "HmAd": "a", "ZpCd": "2000", "Rs": "Antwerpen",
                "ResZip": false
            }}]}}]
        }]}}]
    }}})
}

#[tokio::test]
async fn the_same_seed_gives_the_same_invoices_and_nothing_that_holds() {
    let (one, other) = (World::new(options()).await, World::new(options()).await);
    let page = body(one.jortt(Method::GET, "/v2/invoices?page=1").send().await.unwrap()).await;
    let again = body(other.jortt(Method::GET, "/v2/invoices?page=1").send().await.unwrap()).await;
    assert_eq!(page["data"], again["data"]);
    let invoices = page["data"].as_array().unwrap();
    assert_eq!(invoices.len(), 40);
    for invoice in invoices {
        assert_eq!(invoice["invoice_status"], "sent");
        assert!(invoice["invoice_total"]["amount"].as_str().unwrap().parse::<f64>().unwrap() > 0.0);
        assert!(invoice["customer_mail_to"].as_str().unwrap().contains('@'));
    }
    assert!(invoices.is_sorted_by(|left, right| left["created_at"].as_str() >= right["created_at"].as_str()));
    assert_ne!(one.sandbox.id(), other.sandbox.id());
}

#[tokio::test]
async fn an_order_shows_with_its_totals_and_its_number_is_taken_once() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let (status, answer) = world.write(Method::POST, "FbSales", order(&debtor, "J1", advice())).await;
    assert_eq!((status, &answer["results"]["FbSales"]["OrNu"]), (201, &json!("J1")), "{answer}");
    let rows = world
        .read(
            "Profit_Salesorders",
            &[("filterfieldids", "OrderNumber"), ("filtervalues", "j1"), ("operatortypes", "1")],
        )
        .await;
    assert_eq!(rows[0]["InvoiceTotal"].to_string(), "217.8");
    assert_eq!(rows[0]["VAT"].to_string(), "37.8");
    assert_eq!(rows[0]["CustomerReference"], "2026-J1");
    let lines = world.read("Profit_SalesorderLines", &[]).await;
    assert_eq!((lines.len(), &lines[0]["ItemCodeId"]), (1, &json!("ADV")));
    let text = world.refused("FbSales", order(&debtor, "J1", advice())).await;
    assert_eq!(text, "Number J1 already exists.");
    let effects = world.effects().await;
    assert_eq!(effects["afas"]["FbSales"]["count"], 1);
    assert_eq!(effects["afas"]["FbSales"]["duplicates"], json!([]));
}

#[tokio::test]
async fn a_refused_body_leaves_nothing_behind() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let lines = json!([advice()[0], {"Fields": {"VaIt": "2", "ItCd": "NIETS", "BiUn": "STK", "QuUn": 1}}]);
    let text = world.refused("FbSales", order(&debtor, "J2", lines)).await;
    assert_eq!(text, "The value 'NIETS' for 'Itemcode' does not exist.");
    assert!(world.read("Profit_Salesorders", &[]).await.is_empty());
    assert!(world.read("Profit_SalesorderLines", &[]).await.is_empty());
}

#[tokio::test]
async fn bodies_are_judged_by_the_files_of_the_vendor() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let with = |name: &str, value: Value| {
        let mut body = order(&debtor, "J3", advice());
        body["FbSales"]["Element"]["Fields"][name] = value;
        body
    };
    let cases = [
        (with("DbId", Value::Null), "Enter a value for 'Sales contact'."),
        (
            with("OrNu", json!("J234567890123")),
            "The value for 'Number' is too long: at most 12 characters are allowed.",
        ),
        (with("OrDa", json!("14-03-2026")), "The value '14-03-2026' for 'Date' is not valid."),
        (with("Nothing", json!("x")), "'Nothing' does not exist in object 'FbSales'."),
        (with("DeCo", json!("9")), "The value '9' for 'Delivery conditions' does not exist."),
        (with("PaCd", json!("45")), "The value '45' for 'Payment condition' does not exist."),
        (with("Unit", Value::Null), "Enter a value for 'Administration'."),
        (with("DbId", json!("1")), "The value '1' for 'Sales contact' does not exist."),
    ];
    for (body, text) in cases {
        assert_eq!(world.refused("FbSales", body).await, text);
    }
    let mut unit = order(&debtor, "J3", advice());
    unit["FbSales"]["Element"]["Objects"][0]["FbSalesLines"]["Element"][0]["Fields"]["BiUn"] = json!("STK");
    assert_eq!(world.refused("FbSales", unit).await, "The value 'STK' for 'Unit' does not exist.");
}

#[tokio::test]
async fn all_forms_of_the_envelope_are_taken() {
    let world = World::new(options()).await;
    let debtor = world.debtor().await;
    let body = json!({"FbSales": {"Element": [{
        "@OrNu": "J4",
        "Fields": {"DbId": debtor, "Unit": "1", "InVa": "1"},
        "Objects": {"FbSalesLines": {"Element": {"Fields":
            {"VaIt": "art", "ItCd": "BROOD", "BiUn": "STK", "QuUn": "2", "Upri": "10.90"}
        }}}
    }]}});
    let (status, answer) = world.write(Method::POST, "fbsales", body).await;
    assert_eq!(status, 201, "{answer}");
    let rows = world.read("Profit_Salesorders", &[]).await;
    assert_eq!((rows[0]["InvoiceTotal"].to_string(), rows[0]["TotalAmount"].to_string()), ("21.8".into(), "20".into()));
}

#[tokio::test]
async fn a_new_debtor_is_found_by_its_work_email_only() {
    let world = World::new(options()).await;
    let (status, answer) = world.write(Method::POST, "KnSalesRelationOrg", company("nieuw@bedrijf.example")).await;
    assert_eq!(status, 201, "{answer}");
    let key = &answer["results"]["KnSalesRelationOrg"]["DbId"];
    let find = |email: &'static str| async {
        world
            .read("Profit_Debtor", &[("filterfieldids", "Email"), ("filtervalues", email), ("operatortypes", "1")])
            .await
    };
    let rows = find("NIEUW@bedrijf.example").await;
    assert_eq!(&rows[0]["DebtorId"], key);
    assert_eq!(rows[0]["AdressLine1"], "Meir 24a");
    assert_eq!(rows[0]["AdressLine3"], "2000  Antwerpen");
    assert_eq!(rows[0]["AdressLine4"], "België");

    let trap = json!({"KnSalesRelationPer": {"Element": {
        "Fields": {"IsDb": true, "CuId": "EUR", "PaCd": "30", "ColA": "1300"},
        "Objects": [{"KnPerson": {"Element": [{"Fields": {
            "PadAdr": true, "AutoNum": true, "MatchPer": "7", "FiNm": "Anne", "Is": "van der", "LaNm": "Visser",
            "EmA2": "prive@bedrijf.example"
        }}]}}]
    }}});
    let (status, answer) = world.write(Method::POST, "KnSalesRelationPer", trap).await;
    assert_eq!(status, 201, "{answer}");
    assert!(find("prive@bedrijf.example").await.is_empty());

    world.write(Method::POST, "KnSalesRelationOrg", company("Nieuw@Bedrijf.example")).await;
    let effects = world.effects().await;
    assert_eq!(effects["afas"]["KnSalesRelationOrg"]["count"], 2);
    let duplicates = effects["afas"]["KnSalesRelationOrg"]["duplicates"].as_array().unwrap();
    assert_eq!((duplicates.len(), &duplicates[0]["by"]), (1, &json!("e-mail")));
}

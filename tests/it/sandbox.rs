//! The sandbox over real HTTP: it behaves as the vendors say.

mod control;
mod jortt;
mod reads;
mod writes;

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

pub(crate) fn client() -> Client {
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

fn order(debtor: &str, number: &str, lines: &Value) -> Value {
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

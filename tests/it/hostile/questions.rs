//! A value stays a value in every question: what AFAS is asked finds the rows of that value and no others, and what
//! Jortt is asked holds it in the one place where it was put.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::Request};
use koppel::{
    connector::{self, Connection, Connector, Credentials},
    sandbox::{self, Options, Sandbox},
    schema::Catalog,
    value::{Ask, EntityName, Filter, Value},
};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use serde_json::json;
use tokio::net::TcpListener;

use super::texts;

/// Keeps what it is asked, and knows nothing.
struct Listener {
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    async fn new() -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        let app = Router::new().fallback(move |request: Request| {
            let heard = heard.clone();
            async move {
                let line = request.uri().to_string();
                if line.ends_with("/token") {
                    return Json(json!({"access_token": "t", "expires_in": 7200}));
                }
                heard.lock().unwrap().push(line);
                Json(json!({"rows": [], "data": []}))
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/base", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { base, asked }
    }

    /// What came in since the last time, behind the base.
    fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.iter().map(|line| line.strip_prefix("/base").unwrap_or(line).to_owned()).collect()
    }

    fn connector(&self, system: &str) -> Arc<dyn Connector> {
        let secret = || "secret".to_owned().into();
        let credentials = match system {
            "afas" => Credentials::Token("5A".repeat(32).into()),
            _ => Credentials::Client { id: secret(), secret: secret() },
        };
        let connection = Connection {
            name: system.into(),
            system: system.into(),
            base: Some(self.base.as_str().into()),
            login: None,
            participant: None,
            credentials,
            uses: None,
            settle: None,
        };
        connector::open(&connection, Arc::new(Catalog::standard().unwrap().clone())).unwrap()
    }
}

fn ask(role: &str, entity: &str, filter: Filter, fields: &[&str]) -> Ask {
    let entity = EntityName { role: role.into(), entity: entity.into() };
    Ask { entity, filter, fields: fields.iter().map(|name| Arc::from(*name)).collect() }
}

/// A sandbox whose debtors are known.
struct Debtors {
    sandbox: Sandbox,
    http: reqwest::Client,
}

impl Debtors {
    async fn new(listener: &Listener) -> Self {
        // The first connector chooses who encrypts, for all clients of this process.
        listener.connector("afas");
        let options = Options { size: 0, limits: false, ..Options::default() };
        Self { sandbox: sandbox::start(options).await.unwrap(), http: reqwest::Client::new() }
    }

    /// Debtors with these e-mails, numbered from 1.
    async fn put(&self, emails: &[String]) {
        let rows: Vec<_> = (1..)
            .zip(emails)
            .map(|(number, email)| json!({"DebtorId": number.to_string(), "DebtorName": "x", "Email": email}))
            .collect();
        let body = json!({"afas": {"Profit_Debtor": rows}}).to_string();
        let url = format!("{}/_control/records", self.sandbox.url());
        let answer = self.http.post(url).body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// The e-mails that the sandbox finds for a question as it was put.
    async fn found(&self, question: &str) -> BTreeSet<String> {
        let url = format!("{}{question}", self.sandbox.afas_url());
        let token = self.sandbox.credentials().afas_token;
        let answer = self.http.get(url).header("Authorization", format!("AfasToken {token}")).send().await.unwrap();
        let json: serde_json::Value = answer.json().await.unwrap();
        let rows = json["rows"].as_array().unwrap_or_else(|| panic!("{question}: {json}"));
        rows.iter().map(|row| row["Email"].as_str().unwrap_or("").to_owned()).collect()
    }
}

/// As the database of AFAS compares.
fn folded(text: &str) -> String {
    text.trim_end().to_lowercase()
}

/// Debtors that a question about this text would find if any of it were taken for a sign.
fn neighbours(text: &str) -> Vec<String> {
    let mut all: Vec<String> = text.split([',', ';', '%', '*', '"', '\'', '&', '=', '\0']).map(str::to_owned).collect();
    all.extend([text.to_owned(), format!("{text}x"), format!("x{text}"), "info@x.example".to_owned(), "*".to_owned()]);
    all.extend([text.to_uppercase(), text.chars().rev().collect(), text.replace(['\u{202e}', '\0', '\n'], "")]);
    all.retain(|email| !email.trim().is_empty());
    all.sort();
    all.dedup();
    all
}

/// Asks koppel for the debtors of a text, alone and in a list, and puts its questions to the sandbox.
async fn means_itself(debtors: &Debtors, listener: &Listener, text: &str) {
    let value = Value::text(text);
    if value.is_blank() {
        return;
    }
    let connector = listener.connector("afas");
    let there = neighbours(text);
    debtors.put(&there).await;
    let of = |texts: &[&str]| -> BTreeSet<String> {
        let wanted: Vec<String> = texts.iter().map(|text| folded(text)).collect();
        there.iter().filter(|email| wanted.contains(&folded(email))).cloned().collect()
    };
    let other = "info@x.example";
    let is = |text: &str| Filter::Is("Email".into(), Value::text(text));
    let two: Vec<Value> = vec![Value::text(other), value.clone()];
    let both = Filter::And(vec![is(text), Filter::Is("DebtorName".into(), Value::text("x"))]);
    let cases = [
        (is(text), of(&[text])),
        (Filter::In("Email".into(), two.into()), of(&[other, text])),
        (Filter::Or(vec![is(other), is(text)]), of(&[other, text])),
        (both, of(&[text])),
    ];
    for (filter, expected) in cases {
        connector.find(&[ask("afas", "Profit_Debtor", filter.clone(), &["DebtorId", "Email"])]).await.unwrap();
        let questions = listener.asked();
        // No e-mail of AFAS is that long: there is nothing to ask about.
        let long = text.chars().count() > 255;
        assert!(!questions.is_empty() || long, "nothing was asked for {text:?}");
        let mut found = BTreeSet::new();
        for question in &questions {
            assert!(question.starts_with("/connectors/Profit_Debtor?") && !question.contains('#'), "{question}");
            found.extend(debtors.found(question).await);
        }
        let mut expected = expected;
        expected.retain(|email| !long || folded(email) != folded(text));
        // What is too long for a question is decided here, with all rows.
        let whole = questions.iter().all(|question| !question.contains("filter"));
        let fits = questions.iter().all(|question| question.len() < 2100);
        assert!(
            fits && (found == expected || (whole && text.len() > 200)),
            "{text:?}, {filter:?}: {questions:?} finds {found:?}"
        );
    }
}

#[tokio::test]
async fn afas_finds_the_rows_of_a_hostile_text_and_no_others() {
    let listener = Listener::new().await;
    let debtors = Debtors::new(&listener).await;
    for text in texts() {
        means_itself(&debtors, &listener, &text).await;
    }
}

/// Any text, texts made of what is a sign somewhere, and plain ones with a sign of AFAS in them.
fn any_text() -> impl Strategy<Value = String> {
    let signs = prop::sample::select(vec![
        ",",
        ";",
        "%",
        "%2C",
        "'",
        "\"",
        "\\",
        "[",
        "]",
        "{",
        "}",
        "&",
        "=",
        "?",
        "#",
        "+",
        " ",
        "*",
        "@",
        ".",
        "/",
        "\0",
        "\n",
        "\r",
        "\t",
        "\u{1b}",
        "\u{202e}",
        "\u{200b}",
        "\u{feff}",
        "é",
        "ß",
        "İ",
        "\u{1f600}",
        "a",
        "B",
        "1",
    ]);
    let of_afas = prop::sample::select(vec![",", ";", ",1", ";1,1", "%2C", "%3B", "\"", "'", "']", "\\", "*"]);
    prop_oneof![
        any::<String>(),
        prop::collection::vec(signs, 1..24).prop_map(|signs| signs.concat()),
        ("[a-zA-Z0-9@. -]{0,8}", of_afas, "[a-z0-9]{0,8}")
            .prop_map(|(before, sign, after)| format!("{before}{sign}{after}")),
    ]
}

#[test]
fn any_text_as_an_email_means_the_same_to_afas() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = runtime.block_on(Listener::new());
    let debtors = runtime.block_on(Debtors::new(&listener));
    let config = ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(text in any_text())| runtime.block_on(means_itself(&debtors, &listener, &text)));
}

#[tokio::test]
async fn jortt_is_asked_for_a_hostile_id_in_one_step_of_the_path_or_not_at_all() {
    let listener = Listener::new().await;
    let jortt = listener.connector("jortt");
    for text in texts() {
        let id = Filter::Is("id".into(), Value::text(&text));
        // The listener knows no customer: what matters is where it was looked for.
        let _ = jortt.find(&[ask("jortt", "customers", id, &["id", "customer_name"])]).await;
        let asked = listener.asked();
        if text == ".." {
            assert!(asked.is_empty(), "{asked:?}");
            continue;
        }
        let [line] = &asked[..] else { panic!("{text:?}: {asked:?}") };
        let step = line.strip_prefix("/v1/customers/").unwrap_or_else(|| panic!("{line}"));
        assert!(!step.contains(['/', '?', '#', '&']), "{line}");
        assert_eq!(percent_decode_str(step).decode_utf8().unwrap(), text);
    }
}

#[tokio::test]
async fn jortt_is_asked_with_a_hostile_word_in_one_parameter() {
    let listener = Listener::new().await;
    let jortt = listener.connector("jortt");
    for text in texts() {
        let word = Filter::Is("list".into(), Value::text(&text));
        let _ = jortt.page(&ask("jortt", "invoices", word, &["id"]), None).await;
        for line in listener.asked() {
            let (path, query) = line.split_once('?').unwrap_or((&line, ""));
            assert_eq!(path, "/v2/invoices");
            let given: Vec<(String, String)> = reqwest::Url::parse(&format!("http://x/?{query}"))
                .unwrap()
                .query_pairs()
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            assert_eq!(given, [("invoice_status".to_owned(), text.clone()), ("page".to_owned(), "1".to_owned())]);
        }
    }
}

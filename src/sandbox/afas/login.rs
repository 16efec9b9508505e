//! Both log-ins of AFAS: the classic token, and OAuth with client credentials in the body.
//!
//! Each well-formed classic token is accepted, but not one of zeros; each OAuth client, but not with the secret `wrong`.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::Engine as _;
use regex::Regex;
use serde_json::json;

use super::super::message::{Call, Reply};

const LIFE: Duration = Duration::from_hours(1);

/// The tokens that were given out, with their end.
#[derive(Debug, Default)]
pub(super) struct Logins(Mutex<HashMap<String, Instant>>);

/// The XML text of a classic token; the pattern is a constant of this file.
static CLASSIC: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^\s*<token>\s*<version>1</version>\s*<data>([0-9A-Fa-f]{64})</data>\s*</token>\s*$").ok()
});

fn classic(encoded: &str) -> bool {
    let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(encoded.trim()) else { return false };
    let Ok(text) = String::from_utf8(bytes) else { return false };
    CLASSIC
        .as_ref()
        .and_then(|pattern| pattern.captures(&text))
        .and_then(|found| found.get(1))
        .is_some_and(|data| data.as_str().chars().any(|digit| digit != '0'))
}

impl Logins {
    /// Answers a call of the token endpoint.
    pub(super) fn answer(&self, call: &Call) -> Reply {
        if call.method != "POST" {
            return Reply::empty(405);
        }
        let form = call.form();
        let value = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        if value("grant_type") != "client_credentials" {
            return Reply::json(400, json!({"error": "unsupported_grant_type"}));
        }
        if value("client_id").is_empty() || value("client_secret").is_empty() || value("client_secret") == "wrong" {
            return Reply::json(401, json!({"error": "invalid_client"}));
        }
        let token = uuid::Uuid::new_v4().simple().to_string();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), Instant::now() + LIFE);
        Reply::json(200, json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFE.as_secs()}))
    }

    /// May this call come in?
    pub(super) fn allows(&self, call: &Call) -> bool {
        let Some((kind, token)) = call.header("authorization").and_then(|header| header.split_once(' ')) else {
            return false;
        };
        if kind.eq_ignore_ascii_case("afastoken") {
            return classic(token);
        }
        kind.eq_ignore_ascii_case("bearer")
            && self
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(token.trim())
                .is_some_and(|until| *until > Instant::now())
    }
}

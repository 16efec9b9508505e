//! The log-in: client credentials by HTTP Basic, tokens that live two hours, scopes.
//!
//! Every client is accepted unless its id or secret is the word `wrong`.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::Engine as _;
use serde_json::json;

use super::{
    super::message::{Call, Reply},
    trouble,
};

const LIFE: Duration = Duration::from_hours(2);

/// The scopes that an application can be registered for.
const SCOPES: &[&str] = &[
    "customers:read",
    "customers:write",
    "estimates:read",
    "estimates:write",
    "expenses:read",
    "expenses:write",
    "financing:read",
    "inbox:write",
    "invoices:read",
    "invoices:write",
    "organizations:read",
    "organizations:write",
    "payroll:read",
    "payroll:write",
    "reports:read",
];

#[derive(Debug)]
struct Token {
    scopes: Vec<String>,
    until: Instant,
}

/// The tokens that were given out.
#[derive(Debug, Default)]
pub(super) struct Logins(Mutex<HashMap<String, Token>>);

/// The token endpoint's errors are those of RFC 6749, not Jortt's.
fn refused(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, json!({"error": error, "error_description": description}))
}

fn basic(call: &Call) -> Option<(String, String)> {
    let (kind, encoded) = call.header("authorization")?.split_once(' ')?;
    if !kind.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}

impl Logins {
    /// Answers a call of the token endpoint.
    pub(super) fn answer(&self, call: &Call) -> Reply {
        if call.segments() != ["oauth-provider", "oauth", "token"] {
            return super::no_endpoint();
        }
        if call.method != "POST" {
            return trouble(405, "resource.method_not_allowed", "The method is not allowed");
        }
        let form = call.form();
        let value = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match basic(call) {
            Some((id, secret)) if !id.is_empty() && !secret.is_empty() && id != "wrong" && secret != "wrong" => {}
            _ => return refused(401, "invalid_client", "Client authentication failed"),
        }
        match value("grant_type") {
            None => return refused(400, "invalid_request", "Missing required parameter: grant_type"),
            Some("client_credentials") => {}
            Some("authorization_code" | "refresh_token") => {
                return refused(400, "invalid_grant", "The provided authorization grant is invalid");
            }
            Some(_) => return refused(400, "unsupported_grant_type", "The grant type is not supported"),
        }
        let scopes: Vec<String> = value("scope").unwrap_or("").split_whitespace().map(str::to_owned).collect();
        if scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
            return refused(400, "invalid_scope", "The requested scope is invalid, unknown, or malformed");
        }
        let token = uuid::Uuid::new_v4().simple().to_string();
        let granted = scopes.join(" ");
        let entry = Token { scopes, until: Instant::now() + LIFE };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), entry);
        Reply::json(
            200,
            json!({
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": LIFE.as_secs(),
                "scope": granted,
                "created_at": jiff::Timestamp::now().as_second()
            }),
        )
    }

    /// Does the token of this call hold this scope?
    pub(super) fn allows(&self, call: &Call, scope: &str) -> Result<(), Reply> {
        let invalid = || trouble(401, "access_token.invalid", "The access token is invalid");
        let token = call
            .header("authorization")
            .and_then(|header| header.split_once(' '))
            .filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(invalid)?;
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tokens.get(token).ok_or_else(invalid)?;
        if known.until <= Instant::now() {
            return Err(trouble(401, "access_token.expired", "The access token expired"));
        }
        if !known.scopes.iter().any(|granted| granted == scope) {
            let message = format!("The access token lacks the scope {scope}");
            return Err(trouble(401, "scopes.insufficient", &message));
        }
        Ok(())
    }
}

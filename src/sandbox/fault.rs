//! Faults on demand: which call fails, and how.
//!
//! `POST /_control/faults` takes a list of `Fault`; each waits for its call and fires so many times.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    afas,
    control::lists,
    jortt,
    message::{Call, Reply},
};

/// Which of the two systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum System {
    Jortt,
    Afas,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// The work is done, the connection is cut before the answer.
    LostAnswer,
    /// The connection is cut, nothing is done.
    Reset,
    /// The connection is cut, and the work is done all the same, after `ms`.
    RunsOn,
    /// The work was done just before, by an attempt that nobody saw the answer of; now it is asked for once more.
    DoneBefore,
    /// The call waits `ms` and then goes on; meanwhile `records` came in, from a person.
    Delay,
    /// The work is done, the answer waits `ms`.
    Slow,
    /// The answer is `status` with `message` in the vendor's form, or without a body.
    Status,
    /// 503 with `retry_after`.
    Unavailable,
    /// 429.
    Throttled,
    /// 401, as of a token that has run out.
    TokenExpired,
    /// 403, as of an address that is not allowed.
    Forbidden,
    /// A 502 of a proxy, in HTML.
    Html,
    /// 200 with a body that is no JSON, nothing is done.
    InvalidJson,
    /// The work is done, and a success is answered without its key.
    NoKey,
}

/// One fault that waits for its call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    pub(super) system: System,
    pub(super) kind: Kind,
    /// Only calls with this method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// Only calls whose path holds this text, upper and lower case alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Fires at the nth matching call.
    #[serde(default = "one")]
    nth: u32,
    /// Fires at so many calls in a row.
    #[serde(default = "one")]
    times: u32,
    /// So long the call waits before anything comes of it.
    #[serde(default)]
    ms: u64,
    /// The answer takes the place of another one: the work is done all the same.
    #[serde(default)]
    pub(super) done: bool,
    /// What a person puts in just before, as at `POST /_control/records`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(super) records: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(default = "one")]
    retry_after: u32,
}

fn one() -> u32 {
    1
}

impl Fault {
    fn fits(&self, system: System, call: &Call) -> bool {
        self.system == system
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&call.method))
            && self.path.as_ref().is_none_or(|path| {
                let whole = format!("/{}", call.path.join("/")).to_lowercase();
                whole.contains(&path.to_lowercase())
            })
    }

    /// How long the call waits before anything is done.
    pub(super) fn before(&self) -> Option<Duration> {
        (self.kind != Kind::Slow && self.ms > 0).then(|| Duration::from_millis(self.ms))
    }

    /// How long the answer waits after the work.
    pub(super) fn after(&self) -> Option<Duration> {
        (self.kind == Kind::Slow).then(|| Duration::from_millis(self.ms))
    }

    /// What of the answer to the work is sent.
    pub(super) fn sent(&self, reply: Reply) -> Reply {
        let success = (200..300).contains(&reply.status);
        if self.kind == Kind::NoKey && success { Reply::json(reply.status, json!({})) } else { reply }
    }

    /// The answer that takes the place of the work.
    pub(super) fn reply(&self) -> Option<Reply> {
        let afas = self.system == System::Afas;
        match self.kind {
            Kind::LostAnswer
            | Kind::Reset
            | Kind::RunsOn
            | Kind::DoneBefore
            | Kind::Delay
            | Kind::Slow
            | Kind::NoKey => None,
            Kind::Status => {
                let status = self.status.unwrap_or(500);
                Some(match &self.message {
                    None => Reply::empty(status),
                    Some(message) if afas => afas::refusal(status, message),
                    Some(message) => jortt::trouble(status, "server.internal_error", message),
                })
            }
            Kind::Unavailable if afas => Some(afas::unavailable(self.retry_after)),
            Kind::Unavailable => Some(
                jortt::trouble(503, "server.maintenance", "Jortt is under maintenance")
                    .with_header("retry-after", self.retry_after.to_string()),
            ),
            Kind::Throttled if afas => Some(Reply::empty(429).with_header("retry-after", self.retry_after.to_string())),
            Kind::Throttled => Some(jortt::throttled()),
            Kind::TokenExpired if afas => Some(afas::unauthorised()),
            Kind::TokenExpired => Some(jortt::trouble(401, "access_token.expired", "The access token expired")),
            Kind::Forbidden if afas => {
                Some(afas::refusal(403, "The IP address is not allowed for this app connector."))
            }
            Kind::Forbidden => Some(jortt::trouble(403, "access.forbidden", "Forbidden")),
            Kind::Html => Some(Reply::text(
                502,
                "text/html",
                "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
            )),
            Kind::InvalidJson => Some(Reply::text(200, "application/json", "{\"data\": [")),
        }
    }
}

/// The faults that wait.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Takes the fault of this call, if one waits for it; all that wait for this call count it.
    pub(super) fn take(&self, system: System, call: &Call) -> Option<Fault> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = None;
        for fault in waiting.iter_mut().filter(|fault| fault.fits(system, call)) {
            if fault.nth > 1 {
                fault.nth -= 1;
            } else if taken.is_none() {
                fault.times = fault.times.saturating_sub(1);
                taken = Some(fault.clone());
            }
        }
        waiting.retain(|fault| fault.times > 0);
        taken
    }

    /// Adds faults from a JSON list; the error is a sentence for the caller.
    pub(super) fn add(&self, body: &[u8]) -> Result<usize, String> {
        let faults: Vec<Fault> =
            serde_json::from_slice(body).map_err(|fault| format!("the body must be a list of faults: {fault}"))?;
        let count = faults.len();
        if faults.iter().any(|fault| fault.nth == 0 || fault.times == 0) {
            return Err("`nth` and `times` of a fault count from 1".to_owned());
        }
        if faults.iter().any(|fault| fault.status.is_some_and(|status| !(200..=599).contains(&status))) {
            return Err("`status` of a fault is an HTTP status from 200 to 599".to_owned());
        }
        for fault in faults.iter().filter(|fault| !fault.records.is_null()) {
            lists(&fault.records)?;
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(faults);
        Ok(count)
    }

    /// Forgets all that wait.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Those that wait, as JSON.
    pub(super) fn list(&self) -> Value {
        json!(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

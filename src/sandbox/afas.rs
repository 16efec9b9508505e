//! An AFAS Profit: `GetConnector`s, `UpdateConnector`s, metainfo and both log-ins below `/afas/ProfitRestServices`.
//!
//! Takes calls and gives AFAS's answers, business errors as 500. One body is one transaction. The state is in memory
//! behind one lock; bodies are judged before the lock is taken.

mod address;
mod amounts;
mod codes;
mod connector;
mod correction;
mod document;
mod element;
mod entry;
mod filter;
mod item;
mod judge;
mod login;
mod metainfo;
mod party;
mod profit;
mod read;
mod relation;
mod remove;
mod write;

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

pub(super) use codes::{COUNTRIES, RATE_GROUPS};
pub(super) use element::Element;
pub(super) use entry::open_item;
pub(super) use profit::{Profit, check_rows};
pub(super) use relation::{Kind as RelationKind, create as create_relation};

use super::{
    json::Fields,
    message::{Call, Reply},
};

/// A business error: its text and AFAS's number, which tells nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    message: String,
    number: i64,
}

/// What a rule gives.
type Outcome<T> = Result<T, Refusal>;

impl Refusal {
    /// A rule of the business was broken.
    fn general(message: impl Into<String>) -> Self {
        Self { message: message.into(), number: -2_147_180_996 }
    }

    /// A code or key that does not exist.
    fn unknown(value: &str, label: &str) -> Self {
        Self { message: format!("The value '{value}' for '{label}' does not exist."), number: -2_147_220_469 }
    }

    /// A value that is needed.
    fn missing(label: &str) -> Self {
        Self { message: format!("Enter a value for '{label}'."), number: -2_147_220_469 }
    }

    /// A number that is taken. This wording is what clients may look for.
    fn exists(number: &str) -> Self {
        Self::general(format!("Number {number} already exists."))
    }

    fn reply(&self) -> Reply {
        envelope(500, &self.message, self.number)
    }
}

fn envelope(status: u16, message: &str, number: i64) -> Reply {
    let reference = uuid::Uuid::new_v4().simple().to_string().to_uppercase();
    Reply::json(status, json!({"externalMessage": message, "errorNumber": number, "profitLogReference": reference}))
}

/// AFAS's error body with this text.
pub(super) fn refusal(status: u16, message: &str) -> Reply {
    envelope(status, message, -2_147_180_996)
}

/// 503: come back later.
pub(super) fn unavailable(retry_after: u32) -> Reply {
    let error = json!({"code": 503, "message": "The service is temporarily unavailable."});
    Reply::json(503, json!({"error": error, "retry_after": retry_after}))
        .with_header("retry-after", retry_after.to_string())
}

/// 401: the token is no good.
pub(super) fn unauthorised() -> Reply {
    Reply::empty(401)
}

/// AFAS's state with what is needed to answer.
pub(super) struct Afas {
    profit: Mutex<Profit>,
    logins: login::Logins,
    environment: String,
}

impl Afas {
    pub(super) fn new(profit: Profit, environment: &str) -> Self {
        Self { profit: Mutex::new(profit), logins: login::Logins::default(), environment: environment.to_owned() }
    }

    fn profit(&self) -> MutexGuard<'_, Profit> {
        self.profit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was created over the API.
    pub(super) fn effects(&self) -> Value {
        self.profit().effects.shown()
    }

    /// Adds or changes rows that were checked.
    pub(super) fn put_records(&self, lists: Fields) {
        self.profit().put_rows(lists);
    }

    /// Answers one call. Names in a path may be written in capitals or not.
    pub(super) fn answer(&self, call: &Call) -> Reply {
        let small: Vec<String> = call.path.iter().map(|part| part.to_lowercase()).collect();
        let small: Vec<&str> = small.iter().map(String::as_str).collect();
        let method = call.method.as_str();
        let Some((&"profitrestservices", rest)) = small.split_first() else { return Reply::empty(404) };
        if rest == ["oauth", "token"] {
            return self.logins.answer(call);
        }
        if call.query.len() + 1 > read::LONGEST_QUERY {
            return Reply::empty(404);
        }
        if !self.logins.allows(call) {
            return unauthorised();
        }
        match (method, rest) {
            ("GET", ["profitversion"]) => Reply::json(200, json!({"version": "22.22.5"})),
            ("GET", ["metainfo"]) => metainfo::all(&self.environment),
            ("GET", ["metainfo", "get", name]) => metainfo::get(name),
            ("GET", ["metainfo", "update", name]) => metainfo::update(name),
            ("GET", ["connectors", name]) => read::answer(&self.profit(), name, call),
            ("POST" | "PUT", ["connectors", name]) => write::answer(&self.profit, name, None, call),
            ("POST", ["connectors", name, part]) => write::answer(&self.profit, name, Some(part), call),
            ("DELETE", ["connectors", name, ..]) => {
                let keys = call.path.get(3..).unwrap_or_default();
                remove::answer(&mut self.profit(), name, keys)
            }
            (_, ["connectors", _] | ["metainfo", ..] | ["profitversion"]) => Reply::empty(405),
            _ => Reply::empty(404),
        }
    }
}

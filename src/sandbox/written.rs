//! The bodies that were accepted, in the order in which they were: what a test of a flow looks at.
//!
//! Takes each call with its reply and keeps what changed something; `GET /_control/written` gives
//! `[{"system", "method", "path", "body"}]`. In memory only, and only the first `MOST`: what is looked at body by body is
//! small, and a long first fill must not grow with it.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::{
    fault::System,
    message::{Call, Reply},
};

/// So many bodies are kept.
const MOST: usize = 10_000;

/// What was accepted.
#[derive(Debug, Default)]
pub(super) struct Written(Mutex<Vec<Value>>);

impl Written {
    /// A call was answered; the log-in is no write.
    pub(super) fn note(&self, system: System, call: &Call, reply: &Reply) {
        if call.method == "GET" || reply.status >= 300 || call.path.last().is_some_and(|part| part == "token") {
            return;
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST {
            let path = format!("/{}", call.path.join("/"));
            kept.push(json!({"system": system, "method": call.method, "path": path, "body": body}));
        }
    }

    /// All of them.
    pub(super) fn list(&self) -> Value {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().into()
    }
}

//! How often each path was called: what a coupling costs.
//!
//! Takes each call as it comes in, also one that is refused; `GET /_control/calls` gives
//! `{"jortt": {"GET /v2/invoices/{id}": 3, …}, "afas": {…}}`. Log-ins are no calls.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};

use super::{fault::System, message::Call};

/// Counts by what was called.
#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    jortt: BTreeMap<String, u64>,
    afas: BTreeMap<String, u64>,
}

impl Calls {
    /// A call came in.
    pub(super) fn note(&self, system: System, call: &Call) {
        if call.path.last().is_some_and(|part| part == "token") {
            return;
        }
        let part = |part: &String| if uuid::Uuid::try_parse(part).is_ok() { "{id}".to_owned() } else { part.clone() };
        let path: Vec<String> = call.path.iter().map(part).collect();
        let what = format!("{} /{}", call.method, path.join("/"));
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_system = match system {
            System::Jortt => &mut counts.jortt,
            System::Afas => &mut counts.afas,
        };
        *of_system.entry(what).or_default() += 1;
    }

    /// All of them.
    pub(super) fn shown(&self) -> Value {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        json!({"jortt": counts.jortt, "afas": counts.afas})
    }
}

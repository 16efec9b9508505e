//! What a `connector.toml` says about a system: addresses, log-in, limits, routes, error classes.
//!
//! Takes the TOML text, gives a [`Manifest`] with its JSON paths compiled. Promises that nothing in it is code: a
//! third REST system is a manifest and a schema.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::ConnectorError;
use crate::value::Action;

/// A `connector.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `jortt`: the name of the system in the catalog.
    pub system: Arc<str>,
    /// As messages call it.
    pub title: Arc<str>,
    /// Which code speaks to it.
    pub protocol: Protocol,
    /// Base address; `{participant}` is filled in.
    pub base: String,
    /// From no open socket until a write can no longer take effect.
    pub settle_seconds: u64,
    /// From the end of a write until reads show it; a part of the time above.
    pub read_lag_seconds: u64,
    /// Sent with every call.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How to log in.
    pub login: LoginFacts,
    /// What the system bears.
    pub limits: Limits,
    /// How reads are tried again.
    pub retries: Retries,
    /// Where it says who it is.
    pub identity: Spot,
    /// Where its error answers keep what.
    pub answers: AnswerFacts,
    /// Error classes: the first row that fits decides.
    pub errors: Vec<ErrorRow>,
    /// Routes by entity; an entity without a line has those of its protocol, if that has any.
    #[serde(default)]
    pub entities: BTreeMap<Arc<str>, EntityRoutes>,
}

/// Which code speaks to a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// REST and JSON, wholly described by the manifest.
    Rest,
    /// AFAS Profit: its envelope and its filters are code.
    Afas,
}

/// The log-in of a system by OAuth 2 client credentials.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginFacts {
    /// Address that `/token` is put behind; `{base}` is filled in.
    pub address: String,
    /// The same when the base is on this machine and the connection names no `login`.
    pub local: String,
    /// Where id and secret go.
    pub secret: SecretPlace,
    /// What is always asked for beside the scopes of the routes; none = the system has no scopes.
    pub scope: Option<String>,
}

/// Where a token request carries id and secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretPlace {
    /// HTTP Basic.
    Basic,
    /// Form fields.
    Body,
}

/// What a system bears.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests a second.
    pub requests_per_second: Option<u32>,
    /// Calls at the same time.
    pub parallel: usize,
    /// Rows on a page.
    pub page: usize,
    /// Characters of the query string, `?` included.
    pub query: usize,
    /// Rows times columns of one answer.
    pub cells: Option<usize>,
    /// Bytes of one answer, unpacked.
    pub answer_bytes: usize,
    /// How long a read may take, with all of its answer.
    pub read_seconds: u64,
    /// How long a write may take: the system may work on it so long.
    pub write_seconds: u64,
}

/// How reads are tried again; writes never are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retries {
    /// How often.
    pub times: usize,
    /// The first pause; it doubles, with jitter.
    pub first_ms: u64,
    /// A longer pause than this is not waited for but told.
    pub longest_wait_seconds: u64,
}

/// A place in an answer: a path to read, and where in its JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spot {
    /// Below the base.
    pub path: String,
    /// Where in the answer.
    pub at: JsonPath,
}

/// Where error answers keep what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerFacts {
    /// The words, the first one that is there.
    pub words: Vec<JsonPath>,
    /// Objects with `param` and `message` (or `key`).
    pub details: Option<JsonPath>,
    /// A number by which the vendor finds its own log.
    pub log_reference: Option<JsonPath>,
    /// Seconds to wait, in the body.
    pub retry_after: Option<JsonPath>,
    /// Beginnings of the words that say nothing.
    #[serde(default)]
    pub drop: Vec<String>,
}

/// One row of the error classes; what is left out fits all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRow {
    /// HTTP status.
    pub status: Option<u16>,
    /// Something in the answer that must be there and not empty …
    pub at: Option<JsonPath>,
    /// … and hold one of these texts, ignoring case.
    #[serde(default)]
    pub text: Vec<String>,
    /// What it is.
    pub class: Class,
    /// What to do, in words; `{address}` is the address that was refused, if the answer tells it.
    pub say: Option<String>,
}

/// What an error is, by what can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Log-in, address or authorisation: a person must act.
    Setup,
    /// The token is spent: a new one, once.
    Expired,
    /// This one question or write is refused.
    Record,
    /// There is no such record.
    Gone,
    /// The whole connection must wait; nothing was begun.
    Busy,
    /// Somebody else holds the record; nothing was done.
    Locked,
    /// Too many rows at once.
    TooMuch,
    /// A fault of the service: a read is tried again, of a write nobody knows.
    Fault,
    /// Not begun, and never will be in this form (too large).
    NotBegun,
}

/// The routes of one entity.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntityRoutes {
    /// What an account must be allowed for reading it.
    pub scope: Option<String>,
    /// Path of the list.
    pub list: Option<String>,
    /// Path of one record; `{…}` is its key.
    pub one: Option<String>,
    /// Where the records of a list are.
    pub records: Option<JsonPath>,
    /// Where the one record is.
    pub record: Option<JsonPath>,
    /// The list has pages, counted from 1 in this parameter; none = all at once.
    pub page: Option<String>,
    /// Not null as long as there are more pages.
    pub more: Option<JsonPath>,
    /// The field by which the list comes newest first, if it does.
    pub newest_first: Option<Arc<str>>,
    /// Parameters of the list that filter a field by one word, by field.
    #[serde(default)]
    pub filters: BTreeMap<Arc<str>, String>,
    /// How a record is made.
    pub create: Option<WriteRoute>,
    /// How a record is changed.
    pub update: Option<WriteRoute>,
}

/// One way to write.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteRoute {
    /// `POST`, `PUT`.
    pub method: String,
    /// Path; `{field}` is filled from the write and leaves the body.
    pub path: String,
    /// What an account must be allowed for it.
    pub scope: Option<String>,
    /// The route empties what the body does not name: read the record, lay the fields over it, send all of it.
    #[serde(default)]
    pub whole: bool,
    /// Values that are added when the object they stand in is sent, by path.
    #[serde(default)]
    pub adds: BTreeMap<String, String>,
}

/// A JSON path, compiled once.
#[derive(Debug)]
pub struct JsonPath(serde_json_path::JsonPath);

impl JsonPath {
    /// Everything it points at.
    #[must_use]
    pub fn all<'a>(&self, json: &'a Value) -> Vec<&'a Value> {
        self.0.query(json).all()
    }

    /// The first thing it points at that is not `null`.
    #[must_use]
    pub fn first<'a>(&self, json: &'a Value) -> Option<&'a Value> {
        self.all(json).into_iter().find(|value| !value.is_null())
    }

    /// The first text or number it points at, unless empty.
    #[must_use]
    pub fn text(&self, json: &Value) -> Option<String> {
        self.first(json).and_then(plain_text)
    }
}

impl<'de> Deserialize<'de> for JsonPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json_path::JsonPath::parse(&text)
            .map(Self)
            .map_err(|error| de::Error::custom(format!("`{text}` is no JSON path: {error}")))
    }
}

/// A text that is not empty, or a number as it is spelled.
pub(super) fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Manifest {
    /// Reads a `connector.toml`.
    pub fn parse(text: &str) -> Result<Self, ConnectorError> {
        toml::from_str(text).map_err(|error| ConnectorError::Setup(format!("connector.toml cannot be read: {error}")))
    }

    /// What a log-in asks for: the scopes of the routes that are used; of all routes where that is not known.
    pub fn scope(&self, uses: Option<&BTreeSet<(Arc<str>, Option<Action>)>>) -> Option<String> {
        let always = self.login.scope.as_ref()?;
        let used = |entity: &Arc<str>, action| uses.is_none_or(|uses| uses.contains(&(Arc::clone(entity), action)));
        let mut scopes: BTreeSet<&str> = always.split_whitespace().collect();
        for (entity, routes) in &self.entities {
            let writes = [(&routes.create, Action::Create), (&routes.update, Action::Update)];
            let mut writes = writes.into_iter().filter(|(_, action)| used(entity, Some(*action))).peekable();
            // What is written is also read: to know whether it happened.
            if used(entity, None) || writes.peek().is_some() {
                scopes.extend(routes.scope.as_deref());
            }
            scopes.extend(writes.filter_map(|(route, _)| route.as_ref()?.scope.as_deref()));
        }
        Some(scopes.into_iter().collect::<Vec<_>>().join(" "))
    }

    /// The manifest of a system that koppel brings along.
    pub fn standard(system: &str) -> Result<Self, ConnectorError> {
        match system {
            "jortt" => Self::parse(include_str!("../../stdlib/jortt/connector.toml")),
            "afas" => Self::parse(include_str!("../../stdlib/afas/connector.toml")),
            other => Err(ConnectorError::Setup(format!(
                "koppel knows no system `{other}`: write `system = \"jortt\"` or `system = \"afas\"`"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_manifests_can_be_read() {
        for system in ["jortt", "afas"] {
            let manifest = Manifest::standard(system).unwrap();
            assert_eq!(&*manifest.system, system);
            assert!(!manifest.errors.is_empty());
        }
    }

    #[test]
    fn an_unknown_system_is_told_with_the_known_ones() {
        let error = Manifest::standard("exact").unwrap_err();
        assert!(error.to_string().contains("`exact`") && error.to_string().contains("jortt"), "{error}");
    }

    #[test]
    fn a_wrong_json_path_is_told() {
        let text = include_str!("../../stdlib/jortt/connector.toml").replace("$.data.id", "$.[");
        assert!(Manifest::parse(&text).unwrap_err().to_string().contains("JSON path"));
    }

    #[test]
    fn a_json_path_gives_texts_and_numbers_as_they_are_spelled() {
        let path: JsonPath = serde_json::from_str("\"$..key\"").unwrap();
        assert_eq!(path.text(&serde_json::json!({"a": [{"key": null}, {"key": "x "}]})), Some("x".to_owned()));
        let json: Value = serde_json::from_str(r#"{"key": 1.50}"#).unwrap();
        assert_eq!(path.text(&json), Some("1.50".to_owned()));
        assert_eq!(path.text(&serde_json::json!({"key": ""})), None);
    }
}

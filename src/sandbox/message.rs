//! One call and its reply, without the HTTP library: what both systems take and give.
//!
//! `Call` is a request that was read whole; `Reply` becomes a response in `server.rs`.

use axum::http::HeaderMap;
use serde_json::Value;

use super::json::Fields;

/// A request, its path without the part that names the system.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: String,
    /// Percent-decoded, without empty segments.
    pub(super) path: Vec<String>,
    /// As sent, without the question mark.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Call {
    /// The segments of the path, for `match`.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// A parameter of the query string, decoded; the last one wins.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        pairs(&self.query).into_iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The fields of a form body.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        pairs(&String::from_utf8_lossy(&self.body))
    }
}

/// `a=1&b=2`, decoded; a plus is a space.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let decode =
        |part: &str| percent_encoding::percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(key), decode(value))
        })
        .collect()
}

/// What a reply holds.
#[derive(Debug)]
pub(super) enum Content {
    Empty,
    Json(Value),
    /// A content type and its text: what a proxy would send.
    Text(&'static str, String),
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content: Content,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(super) fn json(status: u16, value: Value) -> Self {
        Self { status, content: Content::Json(value), headers: Vec::new() }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, content: Content::Empty, headers: Vec::new() }
    }

    pub(super) fn text(status: u16, kind: &'static str, text: impl Into<String>) -> Self {
        Self { status, content: Content::Text(kind, text.into()), headers: Vec::new() }
    }

    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Reads a body that must be one JSON object; an empty body is an empty object.
pub(super) fn object(body: &[u8]) -> Result<Fields, String> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Fields::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err("the body must be a JSON object".to_owned()),
        Err(fault) => Err(format!("the body is not JSON: {fault}")),
    }
}

//! Error answers: which class, and what they say in a person's words.
//!
//! Takes status and body, gives a [`Class`] by the rows of the manifest and a text. Promises that the body is never
//! assumed to be JSON, and that control characters never reach a message.

use std::{net::IpAddr, time::Duration};

use serde_json::Value;

use super::{
    answer::json,
    manifest::{Class, ErrorRow, Manifest, plain_text},
};
use crate::value::shown;

/// Longest piece of a vendor's text that is shown.
const SHOWN: usize = 400;

/// An error answer, understood.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// By what can be done about it.
    pub(super) class: Class,
    /// The vendor's words with details and log reference, and what the manifest says to do.
    pub(super) text: String,
    /// How long to wait, if the answer says so.
    pub(super) after: Option<Duration>,
}

impl Fault {
    /// Reads an error answer.
    pub(super) fn read(manifest: &Manifest, status: u16, header_after: Option<Duration>, body: &[u8]) -> Self {
        let json = json(body).unwrap_or(Value::Null);
        let words = words(manifest, &json);
        let row = manifest.errors.iter().find(|row| fits(row, status, &json));
        let after = manifest
            .answers
            .retry_after
            .as_ref()
            .and_then(|path| path.text(&json))
            .and_then(|seconds| seconds.parse().ok())
            .map(Duration::from_secs)
            .or(header_after);
        // A row decides; without one a client error is about this record, and a server error says nothing.
        let class = match row {
            Some(row) => row.class,
            None if status == 503 && after.is_some() => Class::Busy,
            None if status >= 500 => Class::Fault,
            None => Class::Record,
        };
        let say = row.and_then(|row| row.say.as_ref()).map(|say| {
            let address = words.as_deref().and_then(ip_address);
            say.replace("{address}", &address.map_or_else(|| "of this machine".to_owned(), |ip| ip.to_string()))
        });
        let text = match (&say, &words) {
            (Some(say), Some(words)) => format!("{say} (HTTP {status}). {}: {words}", manifest.title),
            (Some(say), None) => format!("{say} (HTTP {status})"),
            (None, Some(words)) => words.clone(),
            (None, None) => format!("{} answered HTTP {status} without a text", manifest.title),
        };
        Self { class, text, after }
    }
}

fn fits(row: &ErrorRow, status: u16, json: &Value) -> bool {
    row.status.is_none_or(|own| own == status)
        && row.at.as_ref().is_none_or(|path| {
            path.text(json).is_some_and(|found| {
                let found = found.to_lowercase();
                row.text.is_empty() || row.text.iter().any(|part| found.contains(&part.to_lowercase()))
            })
        })
}

/// What the answer says, with its details and the number in the vendor's log.
fn words(manifest: &Manifest, json: &Value) -> Option<String> {
    let facts = &manifest.answers;
    let mut text = facts.words.iter().find_map(|path| path.text(json))?;
    for start in &facts.drop {
        if let Some(rest) = text.strip_prefix(start.as_str()) {
            text = rest.to_owned();
        }
    }
    let details: Vec<String> = facts
        .details
        .as_ref()
        .map(|path| path.all(json))
        .unwrap_or_default()
        .into_iter()
        .filter_map(|detail| {
            let part = |name: &str| detail.get(name).and_then(plain_text);
            let said = part("message").or_else(|| part("key"))?;
            Some(part("param").map_or_else(|| said.clone(), |param| format!("{param} {said}")))
        })
        .collect();
    if !details.is_empty() {
        text = format!("{text}: {}", details.join("; "));
    }
    let mut text = clean(&text);
    if let Some(reference) = facts.log_reference.as_ref().and_then(|path| path.text(json)) {
        text = format!("{text} (log reference {})", clean(&reference));
    }
    Some(text)
}

/// One line in which nothing is hidden, not endless.
pub(super) fn clean(text: &str) -> String {
    // The end of a text without end is looked at no further than it may be shown.
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN.saturating_mul(2)).collect();
    let line = line.trim();
    let mut short: String = line.chars().take(SHOWN).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    shown(&short).into_owned()
}

/// The first IP address in a text: that of this machine as the vendor sees it.
fn ip_address(text: &str) -> Option<IpAddr> {
    text.split(|letter: char| !(letter.is_ascii_hexdigit() || letter == '.' || letter == ':'))
        .find_map(|word| word.trim_matches(['.', ':']).parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(system: &str, status: u16, body: &str) -> Fault {
        Fault::read(&Manifest::standard(system).unwrap(), status, None, body.as_bytes())
    }

    #[test]
    fn jortt_errors_are_told_apart_by_their_key() {
        let body = |key: &str| format!(r#"{{"error":{{"code":401,"key":"{key}","message":"No","details":[]}}}}"#);
        assert_eq!(fault("jortt", 401, &body("access_token.expired")).class, Class::Expired);
        assert_eq!(fault("jortt", 401, &body("scopes.insufficient")).class, Class::Setup);
        assert_eq!(fault("jortt", 404, &body("resource.not_found")).class, Class::Gone);
        assert_eq!(fault("jortt", 404, &body("endpoint.not_found")).class, Class::Setup);
        assert_eq!(fault("jortt", 404, "<html>").class, Class::Setup);
        assert_eq!(fault("jortt", 422, &body("params.invalid")).class, Class::Record);
        assert_eq!(fault("jortt", 429, &body("request.throttled")).class, Class::Busy);
        assert_eq!(fault("jortt", 500, &body("server.internal_error")).class, Class::Fault);
        assert_eq!(fault("jortt", 502, "<html><body>Bad Gateway</body></html>").class, Class::Fault);
    }

    #[test]
    fn every_detail_of_a_jortt_error_is_shown_also_without_a_param() {
        let body = r#"{"error":{"code":422,"key":"params.invalid","message":"The parameters are invalid","details":[
            {"key":"is_missing","param":"customer_name","message":"is missing"},{"key":"DirectDebit::NotEnabled"}]}}"#;
        let text = fault("jortt", 422, body).text;
        assert_eq!(text, "The parameters are invalid: customer_name is missing; DirectDebit::NotEnabled");
    }

    #[test]
    fn afas_errors_are_told_apart_by_their_text() {
        let class = |text: &str| {
            fault(
                "afas",
                500,
                &format!(r#"{{"externalMessage":"{text}","errorNumber":-2147180996,"profitLogReference":"A1"}}"#),
            )
            .class
        };
        assert_eq!(class("General message: The value for 'Item' does not exist."), Class::Record);
        assert_eq!(class("The booking layout is blocked by user J. Jansen"), Class::Locked);
        assert_eq!(class("Out of String space"), Class::TooMuch);
        assert_eq!(class("Command time-out"), Class::Fault);
        assert_eq!(class("GetConnector not supported for this app or user not authorised"), Class::Setup);
        assert_eq!(class("The GetConnector is blocked"), Class::Setup);
        assert_eq!(fault("afas", 500, "{}").class, Class::Fault);
        assert_eq!(fault("afas", 500, r#"{"externalMessage":""}"#).class, Class::Fault);
        assert_eq!(fault("afas", 502, "<html>").class, Class::Fault);
        assert_eq!(fault("afas", 400, "").class, Class::Record);
    }

    #[test]
    fn afas_words_lose_their_empty_beginning_and_keep_the_log_reference() {
        let text = fault(
            "afas",
            500,
            r#"{"externalMessage":"General message: Period\nis blocked","profitLogReference":"B7"}"#,
        )
        .text;
        assert_eq!(text, "Period is blocked (log reference B7)");
    }

    #[test]
    fn a_pause_in_the_body_wins_over_the_header() {
        let manifest = Manifest::standard("afas").unwrap();
        let body = br#"{"error":{"code":"503","message":"Maintenance"},"retry_after":7200}"#;
        let fault = Fault::read(&manifest, 503, Some(Duration::from_secs(5)), body);
        assert_eq!((fault.class, fault.after), (Class::Busy, Some(Duration::from_hours(2))));
        assert_eq!(Fault::read(&manifest, 503, None, b"").class, Class::Fault);
        assert_eq!(Fault::read(&manifest, 503, Some(Duration::from_secs(5)), b"").class, Class::Busy);
    }

    #[test]
    fn a_403_shows_the_address_that_is_not_allowed() {
        let text = fault("afas", 403, r#"{"externalMessage":"Address 203.0.113.7 is not allowed."}"#).text;
        assert!(text.contains("the address 203.0.113.7 is not allowed") && text.contains("IP restrictions"), "{text}");
        let text = fault("afas", 403, "").text;
        assert!(text.contains("the address of this machine is not allowed"), "{text}");
    }
}

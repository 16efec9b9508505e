//! Addresses: what secrets may be sent to, and how values stand in a path or a query.
//!
//! Takes texts, gives addresses and percent-encoded pieces. Promises that no value becomes a part of an address that
//! it was not meant to be: not a step of the path, not a parameter.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

use super::http::is_local;

/// Everything but letters, digits and `-_.~` is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A value as it stands in a path or a query.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Fills the `{field}`s of a path; none when one has no value, or one that cannot stand there.
pub(super) fn fill(template: &str, mut value: impl FnMut(&str) -> Option<String>) -> Option<String> {
    let mut path = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (field, behind) = after.split_once('}')?;
        let value = value(field)?;
        // Dots alone are steps of a path, also when they are encoded.
        if value.trim().is_empty() || value.trim_matches('.').is_empty() {
            return None;
        }
        path.push_str(before);
        path.push_str(&encode(&value));
        rest = behind;
    }
    path.push_str(rest);
    Some(path)
}

/// An address that secrets may be sent to.
pub(super) fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is no address ({error})"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address holds no name and password; write `client_id` and `client_secret`".to_owned());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_local(&url) => Ok(url),
        "http" => Err(format!("`{text}` is not encrypted; write https:// (http:// only to this machine: 127.0.0.1)")),
        _ => Err(format!("`{text}` does not begin with https://")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        assert!(address("http://127.0.0.1:8080/afas").is_ok());
        assert!(address("https://api.jortt.nl").is_ok());
        let error = address("http://api.jortt.nl").unwrap_err();
        assert!(error.contains("https://") && error.contains("127.0.0.1"), "{error}");
        assert!(address("ftp://api.jortt.nl").is_err());
        assert!(address("https://me:secret@api.jortt.nl").is_err_and(|text| !text.contains("secret@")));
        assert!(address("12345").is_err());
    }

    #[test]
    fn no_value_leaves_its_step_of_a_path() {
        let path = |id: &str| fill("/v2/invoices/{id}", |_| Some(id.to_owned()));
        assert_eq!(path("7d1f").as_deref(), Some("/v2/invoices/7d1f"));
        assert_eq!(path("../customers?x=1#y").as_deref(), Some("/v2/invoices/..%2Fcustomers%3Fx%3D1%23y"));
        for nothing in ["", " ", ".", ".."] {
            assert_eq!(path(nothing), None);
        }
        assert_eq!(fill("/v1/{id}/x", |_| None), None);
        assert_eq!(fill("/v1/me", |_| None).as_deref(), Some("/v1/me"));
        let url = Url::parse(&format!("https://x.example{}", path("../a").unwrap())).unwrap();
        assert_eq!(url.path(), "/v2/invoices/..%2Fa");
    }
}

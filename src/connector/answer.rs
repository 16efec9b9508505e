//! The JSON of an answer.
//!
//! Takes the bytes of a body, gives its JSON. Promises that an answer of a limited length takes a limited memory: a
//! short text can be a great many values, and each of them takes much more room than it has characters.

use serde::de::DeserializeOwned;

/// So many values, names not counted, are taken in. The largest answers that either system gives have some hundred
/// thousand; a million take about 100 MB.
const MOST: usize = 1_000_000;

/// Why there is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is none, or one that is too deep.
    NoJson,
    /// It has too many values.
    TooMany,
}

/// The JSON of a body, in the form that is wanted.
pub(super) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unreadable> {
    if values(body) > MOST {
        return Err(Unreadable::TooMany);
    }
    serde_json::from_slice(body).map_err(|_| Unreadable::NoJson)
}

/// How many values it can have at most: one begins the text, one follows each sign outside of a text that may be
/// followed by one.
fn values(body: &[u8]) -> usize {
    let (mut count, mut in_text, mut escaped) = (1, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => count += 1,
            _ => {}
        }
    }
    count
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoJson => f.write_str("did not answer with JSON"),
            Self::TooMany => write!(f, "answered with more than {MOST} values"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn signs_within_texts_are_no_values() {
        assert_eq!(values(br#"{"a": "x,y[{\",", "b": [1, 2]}"#), 5);
        assert_eq!(values(b"7"), 1);
    }

    #[test]
    fn an_answer_of_very_many_values_is_not_taken_in() {
        let json = json::<Value>;
        let many = |n: usize| format!("[{}1]", "1,".repeat(n)).into_bytes();
        assert!(json(&many(1000)).is_ok());
        assert_eq!(json(&many(MOST)), Err(Unreadable::TooMany));
        assert_eq!(json(b"[".repeat(MOST).as_slice()), Err(Unreadable::TooMany));
        assert_eq!(json(&b"[".repeat(100_000)), Err(Unreadable::NoJson), "it is too deep");
        assert_eq!(json(b"\xff"), Err(Unreadable::NoJson));
    }
}

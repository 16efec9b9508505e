//! Lists: pages of a hundred, searching, and links that lose a filter.

use serde_json::{Value, json};

use super::{
    super::{
        json::Fields,
        message::{Call, Reply},
    },
    Detail, invalid,
};

const PAGE: usize = 100;

/// What a list was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    page: usize,
    /// In small letters; empty finds everything.
    pub(super) query: String,
}

/// A parameter that is given and not empty.
pub(super) fn given(call: &Call, name: &str) -> Option<String> {
    call.parameter(name).filter(|value| !value.trim().is_empty())
}

/// Reads the page and the search text.
pub(super) fn asked(call: &Call) -> Result<Asked, Reply> {
    let page = match given(call, "page") {
        None => 1,
        Some(text) => match text.parse::<usize>() {
            Ok(page) if page > 0 => page,
            _ => return Err(invalid(&[Detail::invalid("page")])),
        },
    };
    let query = given(call, "query").unwrap_or_default().to_lowercase();
    if !query.is_empty() && query.chars().count() < 3 {
        return Err(invalid(&[Detail {
            key: "is_too_short",
            param: "query".to_owned(),
            message: "is too short".to_owned(),
        }]));
    }
    Ok(Asked { page, query })
}

/// One page of what was found, with its links. The links keep the search text and lose every other filter, as
/// Jortt's do.
pub(super) fn page<'a>(
    found: impl Iterator<Item = &'a Fields>,
    asked: &Asked,
    address: &str,
    shape: impl Fn(&Fields) -> Value,
) -> Reply {
    let mut rest = found.skip((asked.page - 1).saturating_mul(PAGE));
    let records: Vec<Value> = rest.by_ref().take(PAGE).map(shape).collect();
    let link = |page: usize| {
        let query = match asked.query.as_str() {
            "" => String::new(),
            query => {
                format!("&query={}", percent_encoding::utf8_percent_encode(query, percent_encoding::NON_ALPHANUMERIC))
            }
        };
        json!({"href": format!("{address}?page={page}{query}"), "type": "application/json"})
    };
    let links = json!({
        "previous": if asked.page > 1 { link(asked.page - 1) } else { Value::Null },
        "next": if rest.next().is_some() { link(asked.page + 1) } else { Value::Null },
        "self": link(asked.page),
        "documentation": {"href": "https://developer.jortt.nl/#pagination", "type": "text/html"}
    });
    Reply::json(200, json!({"data": records, "_links": links}))
}

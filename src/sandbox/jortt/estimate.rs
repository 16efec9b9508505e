//! Estimates (quotations): read only.

use serde_json::json;

use super::{
    super::{
        json::text,
        message::{Call, Reply},
    },
    Books, check,
    list::{asked, given, page},
    not_found,
};

pub(super) fn list(books: &Books, call: &Call, url: &str) -> Result<Reply, Reply> {
    let asked = asked(call)?;
    let (status, acceptance) = (given(call, "estimate_status"), given(call, "acceptance_status"));
    let found = books.estimates.iter().rev().filter(|estimate| {
        let fits =
            |name: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|word| text(estimate, name) == word);
        fits("estimate_status", &status)
            && fits("acceptance_status", &acceptance)
            && (asked.query.is_empty()
                || ["customer_company_name", "estimate_number", "reference"]
                    .iter()
                    .any(|name| text(estimate, name).to_lowercase().contains(&asked.query)))
    });
    Ok(page(found, &asked, &format!("{url}/v2/estimates"), |estimate| estimate.clone().into()))
}

pub(super) fn read(books: &Books, id: &str) -> Result<Reply, Reply> {
    check::uuid(id, "id")?;
    let estimate = books.estimates.iter().find(|estimate| text(estimate, "id") == id).ok_or_else(not_found)?;
    Ok(Reply::json(200, json!({"data": estimate, "possible_actions": []})))
}

//! Labels and the default ledger account.

use serde_json::{Value, json};

use super::{
    super::{
        effects::Mark,
        json::text,
        message::{Call, Reply},
    },
    Books, Detail, check, created, data, invalid,
};

pub(super) fn labels(books: &Books) -> Reply {
    data(books.labels.clone())
}

pub(super) fn create_label(books: &mut Books, call: &Call) -> Result<Reply, Reply> {
    let body = check::body(call, "CreateLabel")?;
    let description = text(&body, "description");
    if description.trim().is_empty() {
        return Err(invalid(&[Detail::missing("description")]));
    }
    let id = uuid::Uuid::new_v4().to_string();
    books.labels.push(json!({"id": id, "description": description, "category": "user_label"}));
    let mark = Mark { family: "label", by: "description", value: description.to_owned() };
    books.effects.created("labels", &id, vec![mark]);
    Ok(created(&id))
}

/// The account of lines that name none.
pub(super) fn default_ledger_account(books: &Books) -> Reply {
    let selectable = |account: &&Value| account.get("selectable").and_then(Value::as_bool) == Some(true);
    data(books.ledger_accounts.iter().rfind(selectable).cloned().unwrap_or_default())
}

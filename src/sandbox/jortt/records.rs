//! Records that a test puts in: added, or laid over the one with the same id.

use serde_json::{Value, json};

use super::{
    super::{
        clock,
        json::{Fields, text},
    },
    Books, customer, invoice,
};

const KINDS: &[&str] =
    &["invoices", "customers", "estimates", "labels", "ledger_accounts", "tradenames", "organization"];

/// Can these be put? The error is a sentence.
pub(in super::super) fn check(lists: &Fields) -> Result<(), String> {
    for (kind, list) in lists {
        if !KINDS.contains(&kind.as_str()) {
            return Err(format!("Jortt has no records `{kind}`; there are {}", KINDS.join(", ")));
        }
        let Value::Array(records) = list else { return Err(format!("`jortt.{kind}` must be a list of records")) };
        for (place, record) in records.iter().enumerate() {
            let Value::Object(record) = record else {
                return Err(format!("`jortt.{kind}[{place}]` must be an object"));
            };
            let key = key(kind);
            if !key.is_empty() && uuid::Uuid::parse_str(text(record, key)).is_err() {
                return Err(format!("`jortt.{kind}[{place}]` needs `{key}`, a UUID"));
            }
            if let Some(moment) = record.get("created_at").and_then(Value::as_str)
                && moment.parse::<jiff::Timestamp>().is_err()
            {
                return Err(format!(
                    "`created_at` of `jortt.{kind}[{place}]` must look like 2026-03-14T10:22:33+01:00"
                ));
            }
        }
    }
    Ok(())
}

fn key(kind: &str) -> &'static str {
    match kind {
        "organization" => "",
        "ledger_accounts" => "ledger_account_id",
        _ => "id",
    }
}

/// Adds or changes records that were checked; a customer with `"deleted": true` is taken away.
pub(super) fn put(books: &mut Books, lists: Fields) {
    for (kind, list) in lists {
        let Value::Array(records) = list else { continue };
        for record in records {
            if let Value::Object(record) = record {
                put_one(books, &kind, record);
            }
        }
    }
    books.sort_invoices();
    books.seal();
}

fn put_one(books: &mut Books, kind: &str, record: Fields) {
    let id = text(&record, key(kind)).to_owned();
    let over = |mut base: Fields| {
        base.extend(record.clone());
        base
    };
    match kind {
        "customers" if record.get("deleted") == Some(&json!(true)) => books.remove_customer(&id),
        "customers" => {
            let base = books.customer(&id).cloned().unwrap_or_else(|| customer::blank(&id));
            books.put_customer(over(base));
        }
        "invoices" => {
            let base = books.invoice(&id).cloned().unwrap_or_else(|| {
                let mut blank = invoice::blank(&id);
                if let Some(customer) = books.customer(text(&record, "customer_id")) {
                    blank.extend(invoice::snapshot(customer));
                }
                blank.insert("created_at".to_owned(), json!(clock::with_offset(&clock::now())));
                blank
            });
            let mut invoice = over(base);
            // Lines without totals: Jortt works those out.
            if record.contains_key("line_items") && !record.contains_key("invoice_total") {
                invoice::reckon(&mut invoice, false);
                invoice
                    .extend(record.get("invoice_due_amount").map(|due| ("invoice_due_amount".to_owned(), due.clone())));
            }
            books.put_invoice(invoice);
        }
        "organization" => books.organisation.extend(record),
        "estimates" => {
            if let Some(old) = books.estimates.iter_mut().find(|old| text(old, "id") == id) {
                old.extend(record);
            } else {
                books.estimates.push(record);
            }
        }
        _ => {
            let list = match kind {
                "labels" => &mut books.labels,
                "tradenames" => &mut books.tradenames,
                _ => &mut books.ledger_accounts,
            };
            let old = list.iter_mut().filter_map(Value::as_object_mut).find(|old| text(old, key(kind)) == id);
            if let Some(old) = old {
                old.extend(record);
            } else {
                list.push(record.into());
            }
        }
    }
}

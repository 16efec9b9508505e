//! Drafts: made, changed, taken away.

use serde_json::{Value, json};

use super::{
    super::{
        clock,
        json::{Fields, decimal, filled, text},
        message::{Call, Reply},
    },
    Books, Detail, check, created, invalid,
    invoice::{blank, draft, reckon, snapshot},
    version_one,
};

/// A line as it is read, of one as it is written.
fn line(written: &Fields) -> Value {
    let number = |value: Option<&Value>, scale: u32| {
        let mut number = value.and_then(decimal).unwrap_or_default().normalize();
        if number.scale() < scale {
            number.rescale(scale);
        }
        number.to_string()
    };
    let part = |name: &str, inner: &str| written.get(name).and_then(|value| value.get(inner));
    json!({
        "description": written.get("description"),
        "vat": {"value": number(part("vat", "value"), 0), "category": part("vat", "category")},
        "quantity": number(written.get("quantity"), 1),
        "amount": {"amount": number(part("amount", "amount"), 2), "currency": "EUR"},
        "total_amount_ex_vat": null,
        "ledger_account_id": written.get("ledger_account_id")
    })
}

/// Lays a body over an invoice and works out what follows from it.
fn fill(books: &Books, mut invoice: Fields, body: &Fields, one_by_one: bool) -> Result<Fields, Reply> {
    let mut details = Vec::new();
    if let Some(id) = filled(body, "customer_id") {
        match (uuid::Uuid::parse_str(id), books.customer(id)) {
            (Ok(_), Some(customer)) => invoice.extend(snapshot(customer)),
            _ => details.push(Detail::invalid("customer_id")),
        }
    }
    for name in [
        "invoice_date",
        "tradename_id",
        "net_amounts",
        "introduction",
        "remarks",
        "payment_method",
        "discounts",
        "reference",
        "send_method",
    ] {
        if let Some(value) = body.get(name) {
            invoice.insert(name.to_owned(), value.clone());
        }
    }
    for (here, there) in
        [("invoice_delivery_period", "delivery_period"), ("invoice_delivery_period_end", "delivery_period_end")]
    {
        if let Some(value) = body.get(there) {
            invoice.insert(here.to_owned(), value.clone());
        }
    }
    if filled(body, "delivery_period_end").is_some() && filled(body, "delivery_period").is_none() {
        details.push(Detail::missing("delivery_period"));
    }
    if let Some(lines) = body.get("line_items").and_then(Value::as_array) {
        if lines.is_empty() {
            details.push(Detail::missing("line_items"));
        }
        for (place, written) in lines.iter().enumerate() {
            let number = |path: &str| written.pointer(path).is_some_and(|value| decimal(value).is_some());
            for (path, name) in
                [("/quantity", "[quantity]"), ("/amount/amount", "[amount][amount]"), ("/vat/value", "[vat][value]")]
            {
                if !number(path) {
                    details.push(Detail::invalid(format!("line_items[{place}]{name}")));
                }
            }
            let account = written.get("ledger_account_id").and_then(Value::as_str);
            let selectable = |wanted: &str| {
                books.ledger_accounts.iter().any(|account| {
                    account.get("ledger_account_id").and_then(Value::as_str) == Some(wanted)
                        && account.get("selectable").and_then(Value::as_bool) == Some(true)
                })
            };
            if account.is_some_and(|wanted| !selectable(wanted)) {
                details.push(Detail::invalid(format!("line_items[{place}][ledger_account_id]")));
            }
        }
        let lines: Vec<Value> = lines.iter().filter_map(Value::as_object).map(line).collect();
        invoice.insert("line_items".to_owned(), lines.into());
    }
    if !details.is_empty() {
        return Err(invalid(&details));
    }
    let date = clock::date(text(&invoice, "invoice_date")).unwrap_or_else(clock::today);
    let term = match body.get("payment_term").and_then(Value::as_i64) {
        Some(days) => days,
        None => match (clock::date(text(&invoice, "invoice_due_date")), body.contains_key("invoice_date")) {
            (Some(due), false) => i64::from((due - date).get_days()),
            _ => books
                .customer(text(&invoice, "customer_id"))
                .and_then(|customer| customer.get("payment_term")?.as_i64())
                .unwrap_or(30),
        },
    };
    let due = date.checked_add(jiff::Span::new().try_days(term).unwrap_or_default()).unwrap_or(date);
    invoice.insert("invoice_date".to_owned(), json!(date.to_string()));
    invoice.insert("invoice_due_date".to_owned(), json!(due.to_string()));
    if filled(&invoice, "invoice_delivery_period").is_none() {
        invoice.insert("invoice_delivery_period".to_owned(), json!(date.first_of_month().to_string()));
    }
    reckon(&mut invoice, one_by_one);
    Ok(invoice)
}

/// An invoice that says nothing of discounts has the usual one of its customer; an empty list says that there is none.
/// Nobody has seen it: the harder way for who writes an invoice.
fn with_usual_discount(books: &Books, mut body: Fields) -> Fields {
    let customer = filled(&body, "customer_id").and_then(|id| books.customer(id));
    let usual = customer.and_then(|customer| {
        let percentage = customer.get("default_discount_percentage").filter(|value| !value.is_null())?;
        Some(json!([{"description": customer.get("default_discount_description"), "percentage": percentage}]))
    });
    if let Some(usual) = usual {
        body.entry("discounts").or_insert(usual);
    }
    body
}

pub(super) fn create(books: &mut Books, call: &Call, version: &'static str) -> Result<Reply, Reply> {
    let body = check::body(call, version)?;
    let body = if version == "CreateInvoice" { version_one::modern(body) } else { body };
    let body = with_usual_discount(books, body);
    let id = uuid::Uuid::new_v4().to_string();
    let mut invoice = fill(books, blank(&id), &body, version != "CreateInvoiceV3")?;
    invoice.insert("created_at".to_owned(), json!(clock::with_offset(&clock::now())));
    books.put_invoice(invoice);
    books.count_invoice(&id);
    if let Some(method) = filled(&body, "send_method") {
        books.schedule(&id, method);
    }
    Ok(created(&id))
}

/// v1 empties what is not given, v2 keeps it.
pub(super) fn edit(books: &mut Books, id: &str, call: &Call, old: bool) -> Result<Reply, Reply> {
    let before = draft(books, id)?.clone();
    let body = check::body(call, if old { "EditInvoice" } else { "EditInvoiceV2" })?;
    let (base, body) = if old {
        let mut base = blank(id);
        for kept in ["created_at", "customer_id"] {
            base.insert(kept.to_owned(), before.get(kept).cloned().unwrap_or_default());
        }
        (base, version_one::modern(body))
    } else {
        (before, body)
    };
    let invoice = fill(books, base, &body, old)?;
    books.put_invoice(invoice);
    books.effects.updated("invoices");
    Ok(Reply::empty(200))
}

pub(super) fn delete(books: &mut Books, id: &str) -> Result<Reply, Reply> {
    draft(books, id)?;
    books.remove_invoice(id);
    Ok(Reply::empty(204))
}

//! Invoices: what they hold, their totals and lists; sent, credited, copied, labelled. Making them is in `draft.rs`.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    super::{
        clock,
        json::{Fields, amount, cents, decimal, fields, filled, text, yes},
        message::{Call, Reply},
        totals::{self, Line, Totals, per_rate},
    },
    Books, Detail, check, created,
    customer::EU,
    data, invalid,
    list::{asked, given, page},
    not_found, not_possible, version_one,
};

/// Every field of an invoice, in Jortt's order.
const FIELDS: &[&str] = &[
    "id",
    "invoice_status",
    "customer_id",
    "tradename_id",
    "invoice_number",
    "invoice_date",
    "invoice_due_date",
    "invoice_delivery_period",
    "invoice_delivery_period_end",
    "invoice_date_sent",
    "invoice_total",
    "invoice_total_incl_vat",
    "invoice_due_amount",
    "send_method",
    "net_amounts",
    "invoice_marked_free_of_vat",
    "credited_invoice_id",
    "remarks",
    "introduction",
    "number_of_reminders_sent",
    "last_reminded_at",
    "payment_method",
    "customer_company_name",
    "customer_attn",
    "customer_address_street",
    "customer_address_city",
    "customer_address_postal_code",
    "customer_address_country_code",
    "customer_address_country_name",
    "customer_address_extra_information",
    "customer_vat_shifted",
    "customer_vat_number",
    "customer_in_eu",
    "customer_reference",
    "customer_is_private",
    "customer_mail_to",
    "customer_mail_cc_addresses",
    "language",
    "line_items",
    "discounts",
    "reference",
    "created_at",
    "credit_invoice_ids",
    "peppol_status",
];

/// What an invoice copies of its customer: the field here, the field there.
const SNAPSHOT: &[(&str, &str)] = &[
    ("customer_id", "id"),
    ("customer_company_name", "customer_name"),
    ("customer_attn", "attn"),
    ("customer_address_street", "address_street"),
    ("customer_address_city", "address_city"),
    ("customer_address_postal_code", "address_postal_code"),
    ("customer_address_country_code", "address_country_code"),
    ("customer_address_country_name", "address_country_name"),
    ("customer_address_extra_information", "address_extra_information"),
    ("customer_vat_shifted", "shift_vat"),
    ("customer_vat_number", "vat_number"),
    ("customer_reference", "reference"),
    ("customer_is_private", "is_private"),
    ("customer_mail_to", "email"),
    ("customer_mail_cc_addresses", "cc_emails"),
    ("language", "invoice_language"),
];

fn money(amount: Decimal) -> Value {
    json!({"amount": format!("{:.2}", cents(amount)), "currency": "EUR"})
}

/// A draft with nothing in it.
pub(in super::super) fn blank(id: &str) -> Fields {
    let mut invoice: Fields = FIELDS.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    invoice.extend(fields([
        ("id", json!(id)),
        ("invoice_status", json!("draft")),
        ("net_amounts", json!(false)),
        ("invoice_marked_free_of_vat", json!(false)),
        ("number_of_reminders_sent", json!(0)),
        ("payment_method", json!("pay_later")),
        ("invoice_total", money(Decimal::ZERO)),
        ("invoice_total_incl_vat", money(Decimal::ZERO)),
        ("invoice_due_amount", money(Decimal::ZERO)),
        ("line_items", json!([])),
        ("discounts", json!([])),
        ("credit_invoice_ids", json!([])),
    ]));
    invoice
}

/// What an invoice shows of its customer.
pub(in super::super) fn snapshot(customer: &Fields) -> Fields {
    let mut copy: Fields = SNAPSHOT
        .iter()
        .map(|(here, there)| ((*here).to_owned(), customer.get(*there).cloned().unwrap_or_default()))
        .collect();
    copy.insert("customer_in_eu".to_owned(), json!(EU.contains(&text(customer, "address_country_code"))));
    copy
}

/// Fills in what follows from the lines: line totals, totals, what is due. `one_by_one` rounds VAT for each line.
pub(in super::super) fn reckon(invoice: &mut Fields, one_by_one: bool) {
    let incl = yes(invoice, "net_amounts");
    let mut lines = Vec::new();
    if let Some(Value::Array(items)) = invoice.get_mut("line_items") {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            let vat = item.get("vat").cloned().unwrap_or_default();
            let rate = vat.get("value").and_then(decimal).unwrap_or_default();
            let price = item.get("amount").and_then(|money| money.get("amount")).and_then(decimal).unwrap_or_default();
            let whole = amount(item, "quantity").unwrap_or_default() * price;
            let without = if incl { whole / (Decimal::ONE + rate) } else { whole };
            item.insert("total_amount_ex_vat".to_owned(), money(without));
            let group = format!("{} {}", rate.normalize(), vat.get("category").cloned().unwrap_or_default());
            lines.push(Line { group, amount: whole, rate });
        }
    }
    let mut left = Decimal::ONE;
    for discount in invoice.get("discounts").and_then(Value::as_array).into_iter().flatten() {
        let percentage = discount.get("percentage").and_then(decimal).unwrap_or_default();
        left *= Decimal::ONE - percentage / Decimal::ONE_HUNDRED;
    }
    let Totals { without, with } =
        if one_by_one { totals::per_line(&lines, left, incl) } else { per_rate(&lines, left, incl) };
    invoice.insert("invoice_total".to_owned(), money(without));
    invoice.insert("invoice_total_incl_vat".to_owned(), money(with));
    invoice.insert("invoice_due_amount".to_owned(), money(with));
}

fn due(invoice: &Fields) -> Decimal {
    invoice.get("invoice_due_amount").and_then(|money| money.get("amount")).and_then(decimal).unwrap_or_default()
}

/// Is the invoice in this list?
fn in_list(invoice: &Fields, list: &str) -> bool {
    let sent = text(invoice, "invoice_status") == "sent";
    let open = !due(invoice).is_zero();
    let credits = filled(invoice, "credited_invoice_id").is_some()
        || invoice.get("credit_invoice_ids").and_then(Value::as_array).is_some_and(|ids| !ids.is_empty());
    match list {
        "draft" => !sent,
        "sent" => sent,
        "unpaid" => sent && open,
        "late" => {
            sent && open && clock::date(text(invoice, "invoice_due_date")).is_some_and(|day| day < clock::today())
        }
        "paid" => sent && !open && !credits,
        _ => true,
    }
}

/// The full-text search: number, reference, customer, texts of the lines.
fn mentions(invoice: &Fields, query: &str) -> bool {
    let has = |value: &str| value.to_lowercase().contains(query);
    ["invoice_number", "reference", "customer_company_name"].iter().any(|name| has(text(invoice, name)))
        || invoice
            .get("line_items")
            .and_then(Value::as_array)
            .is_some_and(|lines| lines.iter().filter_map(Value::as_object).any(|line| has(text(line, "description"))))
}

pub(super) fn list(books: &Books, call: &Call, url: &str, old: bool) -> Result<Reply, Reply> {
    let asked = asked(call)?;
    let status = given(call, "invoice_status").unwrap_or_default();
    if !["", "sent", "draft", "unpaid", "late", "paid"].contains(&status.as_str()) {
        return Err(invalid(&[Detail::invalid("invoice_status")]));
    }
    let found = books
        .invoices()
        .filter(|invoice| in_list(invoice, &status) && (asked.query.is_empty() || mentions(invoice, &asked.query)));
    let version = if old { "v1" } else { "v2" };
    Ok(page(found, &asked, &format!("{url}/{version}/invoices"), |invoice| shape(invoice, old)))
}

fn shape(invoice: &Fields, old: bool) -> Value {
    if old { version_one::shown(invoice) } else { invoice.clone().into() }
}

fn found<'a>(books: &'a Books, id: &str) -> Result<&'a Fields, Reply> {
    check::uuid(id, "id")?;
    books.invoice(id).ok_or_else(not_found)
}

pub(super) fn draft<'a>(books: &'a Books, id: &str) -> Result<&'a Fields, Reply> {
    let invoice = found(books, id)?;
    if text(invoice, "invoice_status") == "draft" {
        Ok(invoice)
    } else {
        Err(not_possible("The invoice was sent already"))
    }
}

fn sent<'a>(books: &'a Books, id: &str) -> Result<&'a Fields, Reply> {
    let invoice = found(books, id)?;
    if text(invoice, "invoice_status") == "sent" {
        Ok(invoice)
    } else {
        Err(not_possible("The invoice was not sent yet"))
    }
}

pub(super) fn read(books: &Books, id: &str, old: bool) -> Result<Reply, Reply> {
    let invoice = found(books, id)?;
    let actions = if text(invoice, "invoice_status") == "draft" {
        json!(["edit", "send", "delete"])
    } else {
        json!(["credit", "copy"])
    };
    Ok(Reply::json(200, json!({"data": shape(invoice, old), "possible_actions": actions})))
}

pub(super) fn send(books: &mut Books, id: &str, call: &Call) -> Result<Reply, Reply> {
    let invoice = draft(books, id)?;
    let body = check::body(call, "SendInvoice")?;
    let method = text(&body, "send_method");
    let needed: &[&str] = match method {
        "email" => &["email_address_customer", "mail_subject", "mail_body"],
        "peppol" => &["peppol_scheme_code", "peppol_identifier"],
        _ => &[],
    };
    let missing: Vec<Detail> =
        needed.iter().filter(|name| filled(&body, name).is_none()).map(|name| Detail::missing(*name)).collect();
    if !missing.is_empty() {
        return Err(invalid(&missing));
    }
    if filled(invoice, "customer_id").is_none() {
        return Err(not_possible("The invoice has no customer"));
    }
    if !yes(&books.organisation, "data_complete_for_sending_invoices") {
        return Err(not_possible("The data of the organization is not complete for sending invoices"));
    }
    books.schedule(id, method);
    Ok(Reply::empty(200))
}

/// A credit note is a new invoice with the quantities turned round.
pub(super) fn credit(books: &mut Books, id: &str, call: &Call) -> Result<Reply, Reply> {
    let original = sent(books, id)?.clone();
    let body = check::body(call, "CreateCreditInvoice")?;
    let credited = original.get("credit_invoice_ids").and_then(Value::as_array).is_some_and(|ids| !ids.is_empty());
    if credited || filled(&original, "credited_invoice_id").is_some() {
        return Err(not_possible("The invoice cannot be credited"));
    }
    let new = uuid::Uuid::new_v4().to_string();
    books.put_invoice(credit_note(&original, &new, &clock::now()));
    if let Some(old) = books.invoice_mut(id) {
        old.insert("credit_invoice_ids".to_owned(), json!([new]));
        old.insert("invoice_due_amount".to_owned(), money(Decimal::ZERO));
    }
    books.count_invoice(&new);
    if let Some(method) = filled(&body, "send_method") {
        books.send_invoice(&new, method);
        if let Some(note) = books.invoice_mut(&new) {
            note.insert("invoice_due_amount".to_owned(), money(Decimal::ZERO));
        }
    }
    Ok(created(&new))
}

/// The credit note of an invoice, as a draft.
pub(in super::super) fn credit_note(original: &Fields, id: &str, now: &jiff::ZonedDateTime) -> Fields {
    let mut note = again(original, id, now);
    note.insert("credited_invoice_id".to_owned(), original.get("id").cloned().unwrap_or_default());
    if let Some(Value::Array(lines)) = note.get_mut("line_items") {
        for line in lines.iter_mut().filter_map(Value::as_object_mut) {
            let turned = -amount(line, "quantity").unwrap_or_default();
            line.insert("quantity".to_owned(), json!(turned.to_string()));
        }
    }
    reckon(&mut note, false);
    note
}

/// The same invoice once more, as a draft of today.
fn again(original: &Fields, id: &str, now: &jiff::ZonedDateTime) -> Fields {
    let mut copy = original.clone();
    let today = json!(now.date().to_string());
    copy.extend(fields([
        ("id", json!(id)),
        ("invoice_status", json!("draft")),
        ("invoice_number", Value::Null),
        ("invoice_date_sent", Value::Null),
        ("send_method", Value::Null),
        ("invoice_date", today.clone()),
        ("invoice_due_date", today),
        ("credit_invoice_ids", json!([])),
        ("created_at", json!(clock::with_offset(now))),
    ]));
    copy
}

pub(super) fn copy(books: &mut Books, id: &str) -> Result<Reply, Reply> {
    let original = sent(books, id)?.clone();
    let new = uuid::Uuid::new_v4().to_string();
    let mut copy = again(&original, &new, &clock::now());
    copy.insert("credited_invoice_id".to_owned(), Value::Null);
    reckon(&mut copy, false);
    books.put_invoice(copy);
    books.count_invoice(&new);
    Ok(created(&new))
}

/// Labels are written and never read.
pub(super) fn label(books: &mut Books, id: &str, call: &Call) -> Result<Reply, Reply> {
    found(books, id)?;
    let body = check::body(call, "SetLabels")?;
    let known = |id: &Value| books.labels.iter().any(|label| label.get("id") == Some(id));
    let ids = body.get("label_ids").and_then(Value::as_array).cloned().unwrap_or_default();
    if !ids.iter().all(known) {
        return Err(invalid(&[Detail::invalid("label_ids")]));
    }
    books.effects.updated("invoice_labels");
    Ok(Reply::empty(204))
}

pub(super) fn download(books: &Books, id: &str, url: &str) -> Result<Reply, Reply> {
    sent(books, id)?;
    Ok(data(json!({"download_location": format!("{url}/storage/{id}?type=attachment")})))
}

pub(super) fn next_number(books: &Books, id: &str) -> Result<Reply, Reply> {
    let invoice = found(books, id)?;
    let date = text(invoice, "invoice_date");
    Ok(data(json!({"next_possible_invoice_number": books.next_number(date)})))
}

pub(super) fn send_settings(books: &Books, id: &str) -> Result<Reply, Reply> {
    found(books, id)?;
    Ok(data(json!({
        "default_mail_subject": "Factuur",
        "default_mail_body": "Geachte heer, mevrouw, hierbij ontvangt u onze factuur.",
        "supported_attachment_types": ["application/pdf"],
        "default_attachments": []
    })))
}

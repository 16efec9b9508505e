//! Customers: read, made, changed as a whole, archived, taken away.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    super::{
        clock,
        json::{Fields, decimal, fields, filled, number, text, yes},
        message::{Call, Reply},
    },
    Books, Detail, check, created, data, invalid,
    list::{asked, page},
    not_found, not_possible, with_details,
};

/// Every field of a customer, in Jortt's order.
const FIELDS: &[&str] = &[
    "id",
    "is_private",
    "customer_name",
    "address_street",
    "address_postal_code",
    "address_city",
    "address_country_code",
    "address_country_name",
    "address_extra_information",
    "shift_vat",
    "vat_number",
    "coc_number",
    "initials",
    "first_name",
    "last_name",
    "date_of_birth",
    "citizen_service_number",
    "attn",
    "phonenumber",
    "website",
    "email",
    "cc_emails",
    "email_salutation",
    "additional_information",
    "payment_term",
    "invoice_language",
    "payment_method_invoice",
    "reference",
    "mollie_direct_debit_status",
    "mollie_customer_id",
    "mollie_mandate_id",
    "default_ledger_account_id",
    "archived",
    "default_label_id",
    "default_discount_description",
    "default_discount_percentage",
    "peppol_scheme_code",
    "peppol_identifier",
];

/// What a field holds when it is not given.
const DEFAULTS: &[(&str, &str)] = &[
    ("is_private", "false"),
    ("shift_vat", "false"),
    ("archived", "false"),
    ("address_country_code", "\"NL\""),
    ("email_salutation", "\"Geachte heer, mevrouw,\""),
    ("payment_term", "30"),
    ("invoice_language", "\"nl\""),
    ("payment_method_invoice", "\"pay_later\""),
    ("cc_emails", "[]"),
];

/// The member states of the European Union.
pub(in super::super) const EU: &[&str] = &[
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Dutch names of countries; others show their code.
fn country_name(code: &str) -> &str {
    match code {
        "NL" => "Nederland",
        "BE" => "België",
        "DE" => "Duitsland",
        "FR" => "Frankrijk",
        "LU" => "Luxemburg",
        "AT" => "Oostenrijk",
        "ES" => "Spanje",
        "IT" => "Italië",
        "GB" => "Verenigd Koninkrijk",
        "US" => "Verenigde Staten",
        "CH" => "Zwitserland",
        "JP" => "Japan",
        other => other,
    }
}

/// A customer with nothing but its id and the defaults.
pub(in super::super) fn blank(id: &str) -> Fields {
    let mut customer: Fields = FIELDS.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    for (name, value) in DEFAULTS {
        customer.insert((*name).to_owned(), serde_json::from_str(value).unwrap_or_default());
    }
    customer.insert("id".to_owned(), json!(id));
    name_country(&mut customer);
    customer
}

fn name_country(customer: &mut Fields) {
    let name = country_name(text(customer, "address_country_code")).to_owned();
    customer.insert("address_country_name".to_owned(), json!(name));
}

/// A customer made of a body.
pub(in super::super) fn made(id: &str, body: &Fields) -> Fields {
    let mut customer = blank(id);
    for (name, value) in body {
        if !value.is_null() && FIELDS.contains(&name.as_str()) && name != "id" {
            customer.insert(name.clone(), value.clone());
        }
    }
    name_country(&mut customer);
    customer
}

/// What the swagger says only in words: a company has an address.
fn judge(body: &Fields) -> Result<(), Reply> {
    let company = !yes(body, "is_private");
    let mut details = Vec::new();
    let needed: &[&str] = if company {
        &["customer_name", "address_street", "address_postal_code", "address_city"]
    } else {
        &["customer_name"]
    };
    for name in needed {
        if filled(body, name).is_none() {
            details.push(Detail::missing(*name));
        }
    }
    if let Some(code) = filled(body, "address_country_code")
        && !(code.len() == 2 && code.chars().all(|letter| letter.is_ascii_uppercase()))
    {
        details.push(Detail::invalid("address_country_code"));
    }
    if details.is_empty() { Ok(()) } else { Err(invalid(&details)) }
}

pub(super) fn list(books: &Books, call: &Call, url: &str) -> Result<Reply, Reply> {
    let asked = asked(call)?;
    let found = books.customers().filter(|customer| {
        asked.query.is_empty() || text(customer, "customer_name").to_lowercase().contains(&asked.query)
    });
    Ok(page(found, &asked, &format!("{url}/v1/customers"), |customer| customer.clone().into()))
}

/// The customer of a path.
fn found<'a>(books: &'a Books, id: &str) -> Result<&'a Fields, Reply> {
    check::uuid(id, "customer_id")?;
    books.customer(id).ok_or_else(not_found)
}

pub(super) fn read(books: &Books, id: &str, url: &str) -> Result<Reply, Reply> {
    let customer = found(books, id)?;
    let link = json!({"href": format!("{url}/v1/customers/{id}/extra_details"), "type": "application/json"});
    Ok(Reply::json(200, json!({"data": customer, "_links": {"extra_details": link}})))
}

pub(super) fn create(books: &mut Books, call: &Call) -> Result<Reply, Reply> {
    let body = check::body(call, "CreateCustomer")?;
    judge(&body)?;
    let id = uuid::Uuid::new_v4().to_string();
    books.put_customer(made(&id, &body));
    books.count_customer(&id);
    Ok(created(&id))
}

/// A field that is left out is emptied.
pub(super) fn edit(books: &mut Books, id: &str, call: &Call) -> Result<Reply, Reply> {
    let old = found(books, id)?.clone();
    let body = check::body(call, "UpdateCustomer")?;
    judge(&body)?;
    let mut customer = made(id, &body);
    for kept in ["archived", "mollie_direct_debit_status", "mollie_customer_id", "mollie_mandate_id"] {
        customer.insert(kept.to_owned(), old.get(kept).cloned().unwrap_or_default());
    }
    books.put_customer(customer);
    books.effects.updated("customers");
    Ok(Reply::empty(204))
}

pub(super) fn delete(books: &mut Books, id: &str) -> Result<Reply, Reply> {
    found(books, id)?;
    if books.invoices().any(|invoice| text(invoice, "customer_id") == id) {
        return Err(not_possible("The customer is in use"));
    }
    books.remove_customer(id);
    Ok(Reply::empty(204))
}

pub(super) fn archive(books: &mut Books, id: &str, call: &Call) -> Result<Reply, Reply> {
    let mut customer = found(books, id)?.clone();
    let body = check::body(call, "SetCustomerArchived")?;
    customer.insert("archived".to_owned(), json!(yes(&body, "archived")));
    books.put_customer(customer);
    books.effects.updated("customers");
    Ok(Reply::empty(204))
}

/// What the customer was sent and still owes.
pub(super) fn details(books: &Books, id: &str) -> Result<Reply, Reply> {
    found(books, id)?;
    let sum = |name: &str, late: bool| {
        let mine = books.invoices().filter(|invoice| {
            text(invoice, "customer_id") == id
                && text(invoice, "invoice_status") == "sent"
                && (!late || clock::date(text(invoice, "invoice_due_date")).is_some_and(|due| due < clock::today()))
        });
        let amounts: Vec<Decimal> = mine
            .filter_map(|invoice| invoice.get(name).and_then(|money| money.get("amount")).and_then(decimal))
            .filter(|amount| !amount.is_zero())
            .collect();
        json!({"amount": number(amounts.iter().sum()), "count": amounts.len()})
    };
    Ok(data(fields([
        ("total_revenue", sum("invoice_total", false)),
        ("total_due", sum("invoice_due_amount", false)),
        ("total_late", sum("invoice_due_amount", true)),
    ])))
}

/// The rates that are valid today for this customer.
pub(super) fn vat(books: &Books, id: &str, old: bool) -> Result<Reply, Reply> {
    let customer = found(books, id)?;
    let country = text(customer, "address_country_code");
    let free = yes(customer, "shift_vat") || !EU.contains(&country);
    Ok(data(if old && free {
        json!({"id": id, "vat_percentages": {"standard_rate": "0.0", "reduced_rate": []}})
    } else if old {
        json!({"id": id, "vat_percentages": {"standard_rate": "21.0", "reduced_rate": ["9.0", "0.0"]}})
    } else {
        let rates: &[&str] = if free { &["0.0"] } else { &["0.21", "0.09", "0.0"] };
        let vats: Vec<Value> = rates.iter().map(|rate| json!({"value": rate, "category": null})).collect();
        json!({"id": id, "vats": vats})
    }))
}

/// There is no Mollie here; the detail has a class for a key and no parameter.
pub(super) fn mandate(books: &Books, id: &str) -> Result<Reply, Reply> {
    found(books, id)?;
    let mut reply = with_details(422, "operation.invalid", "The operation is invalid", &[]);
    if let super::super::message::Content::Json(body) = &mut reply.content
        && let Some(details) = body.pointer_mut("/error/details")
    {
        *details = json!([{"key": "DirectDebit::NotEnabled", "message": "direct debit is not enabled"}]);
    }
    Err(reply)
}

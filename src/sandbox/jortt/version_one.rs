//! The older shapes: invoices of v1 as they are read and written.

use serde_json::{Value, json};

use super::super::json::{Fields, decimal, number, text};

/// Money is `{"value": …}` here and `{"amount": …}` in the newer versions.
fn money(value: &Value) -> Value {
    match value.as_object() {
        Some(money) => json!({"value": money.get("amount"), "currency": money.get("currency")}),
        None => Value::Null,
    }
}

/// A percentage with one decimal.
fn percentage(line: &Fields) -> rust_decimal::Decimal {
    let fraction = line.get("vat").and_then(|vat| vat.get("value")).and_then(decimal).unwrap_or_default();
    let mut percentage = (fraction * rust_decimal::Decimal::ONE_HUNDRED).normalize();
    if percentage.scale() == 0 {
        percentage.rescale(1);
    }
    percentage
}

/// An invoice as v1 shows it.
pub(super) fn shown(invoice: &Fields) -> Value {
    let mut old = invoice.clone();
    for name in ["invoice_total", "invoice_total_incl_vat", "invoice_due_amount"] {
        if let Some(value) = old.get_mut(name) {
            *value = money(value);
        }
    }
    if let Some(Value::Array(lines)) = old.get_mut("line_items") {
        for line in lines.iter_mut() {
            if let Some(fields) = line.as_object() {
                let rate = percentage(fields);
                let quantity = fields.get("quantity").cloned().unwrap_or_default();
                *line = json!({
                    "description": fields.get("description"),
                    "units": decimal(&quantity).map(number),
                    "number_of_units": quantity,
                    "amount_per_unit": fields.get("amount").map(money),
                    "vat": number(rate),
                    "vat_percentage": rate.to_string(),
                    "total_amount_excl_vat": fields.get("total_amount_ex_vat").map(money),
                    "ledger_account_id": fields.get("ledger_account_id")
                });
            }
        }
    }
    old.into()
}

/// A body of v1 as v2 would write it.
pub(super) fn modern(mut body: Fields) -> Fields {
    if let Some(Value::Array(lines)) = body.get_mut("line_items") {
        for line in lines.iter_mut() {
            let Some(old) = line.as_object() else { continue };
            let percent = old.get("vat_percentage").or_else(|| old.get("vat")).and_then(decimal).unwrap_or_default();
            let fraction = (percent / rust_decimal::Decimal::ONE_HUNDRED).normalize();
            let amount = old.get("amount_per_unit").and_then(Value::as_object).cloned().unwrap_or_default();
            *line = json!({
                "description": text(old, "description"),
                "quantity": old.get("number_of_units").or_else(|| old.get("units")).cloned().unwrap_or(json!("1")),
                "amount": {"amount": amount.get("value").cloned().unwrap_or(json!("0")), "currency": "EUR"},
                "vat": {"value": fraction.to_string(), "category": null},
                "ledger_account_id": old.get("ledger_account_id")
            });
        }
    }
    body
}

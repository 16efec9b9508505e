//! Invoices: sent ones, spread over the year, with lines that fit the customer.

use jiff::{Span, civil::Date};
use rand::{RngExt as _, rngs::StdRng};
use serde_json::{Value, json};

use super::{
    super::{
        clock,
        jortt::{Books, blank_invoice, reckon, snapshot},
        json::{Fields, fields, text, yes},
    },
    area,
    environment::{ADVICE, BREAD},
    pick, uuid, word,
};

const FIRST_DAY: Date = jiff::civil::date(2026, 1, 2);
/// The last day is 30 October.
const DAYS: usize = 301;

const ADVICE_TEXTS: &[&str] =
    &["Advies", "Begeleiding project", "Onderzoek op locatie", "Workshop één dag", "Rapportage"];
const BREAD_TEXTS: &[&str] = &["Volkorenbrood", "Croissants", "Speltbrood gesneden", "Broodjes voor lunch"];
const SUNDRY_TEXTS: &[&str] = &["Reiskosten", "Materiaal", "Licentie per maand"];
const MONTHS: &[&str] = &[
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
];

/// The day of an invoice, so many invoices spread evenly.
fn day(place: usize, size: usize) -> Date {
    let days = i64::try_from(place * DAYS / size.max(1)).unwrap_or(0);
    FIRST_DAY.checked_add(Span::new().days(days)).unwrap_or(FIRST_DAY)
}

/// Adds the invoices: each customer gets one, the rest is left to the dice.
pub(super) fn add(dice: &mut StdRng, books: &mut Books, customers: &[Fields], size: usize) {
    let mut last = FIRST_DAY;
    let mut on_this_day = 0;
    for place in 0..size {
        let customer = customers.get(place).or_else(|| pick(dice, customers));
        let Some(customer) = customer else { return };
        let date = day(place, size);
        on_this_day = if date == last { on_this_day + 1 } else { 0 };
        last = date;
        let lines = lines(dice, customer, date);
        let mut invoice = sent(dice, customer, date, on_this_day, lines);
        let home = area(text(customer, "address_country_code")) == "home";
        invoice.insert("net_amounts".to_owned(), json!(home && dice.random_bool(0.2)));
        if dice.random_bool(0.3) {
            invoice.insert("reference".to_owned(), json!(format!("order-{}", 70 + place)));
        }
        if dice.random_bool(0.2) {
            invoice.insert("remarks".to_owned(), json!("Levering volgens afspraak"));
        }
        reckon(&mut invoice, false);
        if dice.random_bool(0.25) {
            invoice.insert("invoice_due_amount".to_owned(), json!({"amount": "0.00", "currency": "EUR"}));
        }
        invoice.insert("invoice_number".to_owned(), json!(format!("2026-{:04}", place + 1)));
        books.put_invoice(invoice);
    }
}

/// A sent invoice of a day, without its number; `turn` keeps those of one day apart.
pub(super) fn sent(dice: &mut StdRng, customer: &Fields, date: Date, turn: u32, lines: Vec<Value>) -> Fields {
    let mut invoice = blank_invoice(&uuid(dice));
    invoice.extend(snapshot(customer));
    let term = customer.get("payment_term").and_then(Value::as_i64).unwrap_or(30);
    let due = date.checked_add(Span::new().try_days(term).unwrap_or_default()).unwrap_or(date);
    let seconds = 8 * 3600 + (turn * 37) % (12 * 3600);
    let part = |value: u32| i8::try_from(value).unwrap_or(0);
    let moment = clock::at(date, part(seconds / 3600), part(seconds / 60 % 60), part(seconds % 60));
    invoice.extend(fields([
        ("invoice_status", json!("sent")),
        ("invoice_date", json!(date.to_string())),
        ("invoice_date_sent", json!(date.to_string())),
        ("invoice_due_date", json!(due.to_string())),
        ("invoice_delivery_period", json!(date.first_of_month().to_string())),
        ("send_method", json!("email")),
        ("line_items", lines.into()),
        ("created_at", json!(clock::with_offset(&moment))),
    ]));
    reckon(&mut invoice, false);
    invoice
}

/// A line.
pub(super) fn line(description: &str, quantity: &str, amount: &str, rate: &str, account: Option<&str>) -> Value {
    json!({
        "description": description,
        "vat": {"value": rate, "category": null},
        "quantity": quantity,
        "amount": {"amount": amount, "currency": "EUR"},
        "total_amount_ex_vat": null,
        "ledger_account_id": account
    })
}

fn lines(dice: &mut StdRng, customer: &Fields, date: Date) -> Vec<Value> {
    let free = yes(customer, "shift_vat") || area(text(customer, "address_country_code")) == "outside";
    let month = usize::try_from(date.month()).ok().and_then(|month| MONTHS.get(month - 1)).copied().unwrap_or("");
    (0..dice.random_range(1..=3))
        .map(|_| {
            let quantity = word(dice, &["1.0", "2.0", "2.5", "4.0", "7.25", "12.0"]);
            let cents = dice.random_range(0..4) * 25;
            match dice.random_range(0..3) {
                1 if !free => {
                    let amount = format!("{}.{cents:02}", dice.random_range(2..9));
                    line(word(dice, BREAD_TEXTS), quantity, &amount, "0.09", Some(BREAD))
                }
                2 if !free => {
                    let amount = format!("{}.{cents:02}", dice.random_range(5..200));
                    line(word(dice, SUNDRY_TEXTS), quantity, &amount, "0.21", None)
                }
                _ => {
                    let amount = format!("{}.{cents:02}", dice.random_range(60..140));
                    let text = format!("{} {month}", word(dice, ADVICE_TEXTS));
                    line(&text, quantity, &amount, if free { "0" } else { "0.21" }, Some(ADVICE))
                }
            }
        })
        .collect()
}

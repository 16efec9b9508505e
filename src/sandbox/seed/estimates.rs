//! Estimates: one for every twenty invoices, most of them sent.

use jiff::{Span, civil::Date};
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{
    super::{
        jortt::{Books, reckon, snapshot},
        json::{Fields, fields, text, yes},
    },
    area,
    environment::ADVICE,
    invoices::line,
    uuid,
};

const FIRST_DAY: Date = jiff::civil::date(2026, 2, 3);

/// What an estimate shows of its customer: an invoice shows more.
const OF_CUSTOMER: &[&str] = &[
    "customer_id",
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
    "language",
];

/// Adds them, for the first customers in turn.
pub(super) fn add(dice: &mut StdRng, books: &mut Books, customers: &[Fields], size: usize) {
    for (place, customer) in customers.iter().cycle().take(size / 20).enumerate() {
        let day = FIRST_DAY.checked_add(Span::new().days(i64::try_from(place).unwrap_or(0))).unwrap_or(FIRST_DAY);
        let until = day.checked_add(Span::new().days(30)).unwrap_or(day);
        let free = yes(customer, "shift_vat") || area(text(customer, "address_country_code")) == "outside";
        let rate = if free { "0" } else { "0.21" };
        let lines = [
            line("Advies, in dagen", "2.5", "760.00", rate, Some(ADVICE)),
            line("Reiskosten", "1.0", "42.35", rate, None),
        ];
        let discounts: Value = match place % 3 {
            1 => json!([{"description": "Korting", "percentage": 10}]),
            _ => json!([]),
        };
        let mut priced =
            fields([("line_items", json!(lines)), ("discounts", discounts), ("net_amounts", json!(false))]);
        reckon(&mut priced, false);
        let of = |priced: &Fields, name: &str| priced.get(name).cloned().unwrap_or_default();
        let mut items = of(&priced, "line_items");
        for item in items.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            item.remove("ledger_account_id");
        }
        let status = if place % 5 == 4 { "draft" } else { "sent" };
        let mut estimate = fields([
            ("id", json!(uuid(dice))),
            ("estimate_status", json!(status)),
            ("acceptance_status", if status == "sent" { json!("pending") } else { Value::Null }),
            ("tradename_id", Value::Null),
            ("estimate_number", json!(format!("2026-E{:03}", place + 1))),
            ("valid_until", json!(until.to_string())),
            ("total", of(&priced, "invoice_total")),
            ("total_incl_vat", of(&priced, "invoice_total_incl_vat")),
            ("net_amounts", json!(false)),
            ("introduction", Value::Null),
            ("remarks", if place % 4 == 0 { json!("Geldig tot een maand na datum") } else { Value::Null }),
            ("reference", Value::Null),
            ("line_items", items),
            ("discounts", of(&priced, "discounts")),
            ("sent_or_modified_on", json!(day.to_string())),
        ]);
        estimate.extend(snapshot(customer).into_iter().filter(|(name, _)| OF_CUSTOMER.contains(&name.as_str())));
        books.estimates.push(estimate);
    }
}

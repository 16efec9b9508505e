//! Invoices that are hard to reckon with: discounts, prices with VAT, shipping, categories, many lines, credit notes.

use serde_json::{Value, json};

use super::{
    super::{
        super::{
            clock,
            jortt::{credit_note, reckon},
            json::{Fields, fields},
        },
        environment::{ADVICE, BREAD},
        invoices::line,
        people::company,
        uuid,
    },
    Cases,
};

fn percentages(list: &[u32]) -> Value {
    list.iter().map(|part| json!({"description": "Korting", "percentage": part})).collect()
}

/// A line of another kind of VAT than a plain rate.
fn of_category(mut line: Value, category: &str) -> Value {
    if let Some(place) = line.pointer_mut("/vat/category") {
        *place = json!(category);
    }
    line
}

impl Cases<'_> {
    /// An invoice of a new company, with something laid over it.
    fn of(&mut self, name: &str, lines: Vec<Value>, over: Fields) -> Fields {
        let email = format!("{}@lastig.example", name.to_lowercase().replace(' ', "-"));
        let customer = company(self.dice, &format!("{name} B.V."), Some(&email));
        self.books.put_customer(customer.clone());
        let mut invoice = self.invoice(&customer, lines);
        invoice.extend(over);
        reckon(&mut invoice, false);
        self.books.put_invoice(invoice.clone());
        invoice
    }
}

/// Adds them.
pub(super) fn add(cases: &mut Cases<'_>) {
    let advice = |amount: &str| line("Advies november", "1.0", amount, "0.21", Some(ADVICE));
    let bread = |quantity: &str, amount: &str| line("Volkorenbrood", quantity, amount, "0.09", Some(BREAD));
    let inclusive = || ("net_amounts", json!(true));

    // Discounts: one, two after each other, one with prices that hold the VAT.
    cases.of("Korting Een", vec![advice("333.33"), bread("7.0", "2.95")], fields([("discounts", percentages(&[3]))]));
    cases.of("Korting Twee", vec![advice("250.00")], fields([("discounts", percentages(&[10, 5]))]));
    cases.of(
        "Korting Inclusief",
        vec![advice("121.05"), bread("3.0", "3.27")],
        fields([("discounts", percentages(&[15])), inclusive()]),
    );

    // Cents: prices with VAT, half cents, parts of hours, small lines of two rates.
    cases.of("Inclusief", vec![advice("99.99"), bread("11.0", "1.99")], fields([inclusive()]));
    let half = vec![line("Advies per uur", "0.5", "85.33", "0.21", Some(ADVICE)), bread("2.5", "0.33")];
    cases.of("Halve Centen", half, Fields::new());
    let many = (1..=60).map(|place| match place % 2 {
        0 => line(&format!("Dag {place}"), "0.25", &format!("{place}.37"), "0.21", Some(ADVICE)),
        _ => line(&format!("Brood {place}"), "3.0", &format!("1.{place:02}"), "0.09", Some(BREAD)),
    });
    cases.of("Zestig Regels", many.collect(), Fields::new());

    // Shipping with a carrier, without one, and for nothing.
    for (name, text, amount) in [
        ("Verzending PostNL", "Verzending PostNL pakket", "6.95"),
        ("Verzending Koerier", "Verzendkosten fietskoerier", "12.50"),
        ("Verzending Gratis", "Gratis verzending", "0.00"),
    ] {
        let lines = vec![bread("10.0", "3.25"), line(text, "1.0", amount, "0.21", None)];
        cases.of(name, lines, Fields::new());
    }

    // Kinds of VAT that are no rate.
    let exempt = of_category(line("Cursus", "1.0", "450.00", "0", Some(ADVICE)), "exempt");
    cases.of("Vrijgesteld", vec![exempt], fields([("invoice_marked_free_of_vat", json!(true))]));
    let margin = of_category(line("Antieke kast", "1.0", "900.00", "0", Some(ADVICE)), "margin_goods_high");
    cases.of("Marge", vec![margin], Fields::new());

    // Ways to pay.
    for (name, method) in [("Incasso", "direct_debit"), ("Vooraf Betaald", "already_paid")] {
        cases.of(name, vec![advice("80.00")], fields([("payment_method", json!(method))]));
    }

    // More taken off than asked for, on an invoice that is no credit note.
    cases.of("Teruggave", vec![advice("10.00"), line("Korting", "1.0", "-60.00", "0.21", Some(ADVICE))], Fields::new());

    // An item that is named in the text: one that there is, and one that there is not.
    for (name, code) in [("Artikel Bekend", "BROOD"), ("Artikel Onbekend", "NIEUW-1")] {
        let lines = vec![line(&format!("[{code}] Volkorenbrood"), "4.0", "3.25", "0.09", Some(BREAD))];
        cases.of(name, lines, Fields::new());
    }

    // A credit note of two rates with a discount and prices that hold the VAT.
    let over = fields([("discounts", percentages(&[10])), inclusive()]);
    let mut original = cases.of("Creditnota Gemengd", vec![advice("60.50"), bread("9.0", "2.18")], over);
    let (id, number, day) = (uuid(cases.dice), cases.number(), cases.day());
    let mut note = credit_note(&original, &id, &clock::at(day, 13, 0, 0));
    note.extend(fields([
        ("invoice_status", json!("sent")),
        ("invoice_number", json!(number)),
        ("invoice_date_sent", json!(day.to_string())),
    ]));
    cases.books.put_invoice(note);
    original.extend(fields([
        ("credit_invoice_ids", json!([id])),
        ("invoice_due_amount", json!({"amount": "0.00", "currency": "EUR"})),
    ]));
    cases.books.put_invoice(original);

    // A number that is too long for AFAS.
    let over = fields([("invoice_number", json!("2026-LANG-0000117"))]);
    cases.of("Lang Nummer", vec![advice("75.00")], over);
}

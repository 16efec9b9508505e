//! The hard cases: what a flow holds, skips or must not stumble over. One invoice for each, dated in November.

mod amounts;
mod parties;

use jiff::{Span, civil::Date};
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{
    super::{
        afas::Profit,
        clock,
        jortt::{Books, credit_note},
        json::{Fields, fields, text},
    },
    Known, debtor,
    environment::{ADVICE, RENT},
    invoices::{line, sent},
    people::company,
    uuid,
};

const FIRST_DAY: Date = jiff::civil::date(2026, 11, 1);

/// Where the cases are put down.
struct Cases<'a> {
    dice: &'a mut StdRng,
    books: &'a mut Books,
    count: u32,
}

impl Cases<'_> {
    fn day(&self) -> Date {
        FIRST_DAY.checked_add(Span::new().days(i64::from(self.count / 3))).unwrap_or(FIRST_DAY)
    }

    /// A number of their own series, so that the size of the ordinary data does not change them.
    fn number(&mut self) -> String {
        self.count += 1;
        format!("2026-9{:03}", self.count)
    }

    fn invoice(&mut self, customer: &Fields, lines: Vec<Value>) -> Fields {
        let number = self.number();
        let mut invoice = sent(self.dice, customer, self.day(), self.count, lines);
        invoice.insert("invoice_number".to_owned(), json!(number));
        self.books.put_invoice(invoice.clone());
        invoice
    }

    /// One ordinary invoice of a customer.
    fn ordinary(&mut self, customer: &Fields) -> Fields {
        self.books.put_customer(customer.clone());
        self.invoice(customer, vec![line("Advies november", "2.0", "90.00", "0.21", Some(ADVICE))])
    }
}

fn with<const N: usize>(mut customer: Fields, over: [(&str, Value); N]) -> Fields {
    customer.extend(fields(over));
    customer
}

/// Adds the hard cases.
pub(super) fn add(dice: &mut StdRng, books: &mut Books, profit: &mut Profit) {
    let mut cases = Cases { dice, books, count: 0 };
    let none = Fields::new();

    // A credit note of an ordinary invoice.
    let customer = company(cases.dice, "Creditnota B.V.", Some("credit@lastig.example"));
    let original = cases.ordinary(&customer);
    let id = uuid(cases.dice);
    let number = cases.number();
    let day = cases.day();
    let mut note = credit_note(&original, &id, &clock::at(day, 12, 0, 0));
    note.insert("invoice_status".to_owned(), json!("sent"));
    note.insert("invoice_number".to_owned(), json!(number));
    note.insert("invoice_date_sent".to_owned(), json!(day.to_string()));
    cases.books.put_invoice(note);
    let mut credited = original;
    credited.insert("credit_invoice_ids".to_owned(), json!([id]));
    credited.insert("invoice_due_amount".to_owned(), json!({"amount": "0.00", "currency": "EUR"}));
    cases.books.put_invoice(credited);

    // A zero invoice.
    let customer = company(cases.dice, "Gratis B.V.", Some("gratis@lastig.example"));
    cases.books.put_customer(customer.clone());
    cases.invoice(&customer, vec![line("Proefles", "1.0", "0.00", "0.21", Some(ADVICE))]);

    // No e-mail.
    let customer = company(cases.dice, "Zonder Mail B.V.", None);
    cases.ordinary(&customer);

    // A debtor that is blocked.
    let customer = company(cases.dice, "Geblokkeerd B.V.", Some("geblokkeerd@lastig.example"));
    debtor(profit, &customer, Known::ByEmail, &fields([("BlTl", json!(true))]));
    cases.ordinary(&customer);

    // Two debtors with one e-mail.
    let customer = company(cases.dice, "Dubbel B.V.", Some("dubbel@lastig.example"));
    debtor(profit, &customer, Known::ByEmail, &none);
    debtor(profit, &customer, Known::ByEmail, &none);
    cases.ordinary(&customer);

    // A country that no table has.
    let customer = company(cases.dice, "Ver Weg K.K.", Some("japan@lastig.example"));
    let customer = with(customer, [("address_country_code", json!("JP")), ("address_country_name", json!("Japan"))]);
    cases.books.put_customer(customer.clone());
    cases.invoice(&customer, vec![line("Advies november", "2.0", "90.00", "0", Some(ADVICE))]);

    // A ledger account that no table has.
    let customer = company(cases.dice, "Verhuur B.V.", Some("verhuur@lastig.example"));
    cases.books.put_customer(customer.clone());
    cases.invoice(&customer, vec![line("Huur zaal", "1.0", "250.00", "0.21", Some(RENT))]);

    // VAT shifted to nobody: the number is missing.
    let customer = company(cases.dice, "Ohne Nummer GmbH", Some("ohne@lastig.example"));
    let customer = with(
        customer,
        [
            ("address_country_code", json!("DE")),
            ("address_country_name", json!("Duitsland")),
            ("shift_vat", json!(true)),
        ],
    );
    cases.books.put_customer(customer.clone());
    cases.invoice(&customer, vec![line("Advies november", "2.0", "90.00", "0", Some(ADVICE))]);

    // 45 days are a condition, 90 are none.
    for term in [45, 90] {
        let email = format!("termijn{term}@lastig.example");
        let customer = company(cases.dice, &format!("Termijn {term} B.V."), Some(&email));
        cases.ordinary(&with(customer, [("payment_term", json!(term))]));
    }

    // A description that is too long for AFAS.
    let customer = company(cases.dice, "Lange Tekst B.V.", Some("lang@lastig.example"));
    cases.books.put_customer(customer.clone());
    let long: String = "Uitgebreide omschrijving van het werk. ".repeat(11).chars().take(400).collect();
    cases.invoice(&customer, vec![line(&long, "1.0", "120.00", "0.21", Some(ADVICE))]);

    // A rate that is no longer owed.
    let customer = company(cases.dice, "Oud Tarief B.V.", Some("tarief@lastig.example"));
    cases.books.put_customer(customer.clone());
    cases.invoice(&customer, vec![line("Boek", "1.0", "20.00", "0.06", Some(ADVICE))]);

    // A line that takes something off, and one that costs nothing.
    let customer = company(cases.dice, "Regels B.V.", Some("regels@lastig.example"));
    cases.books.put_customer(customer.clone());
    cases.invoice(
        &customer,
        vec![
            line("Advies november", "3.0", "90.00", "0.21", Some(ADVICE)),
            line("Korting", "1.0", "-25.00", "0.21", Some(ADVICE)),
            line("Gratis intake", "1.0", "0.00", "0.21", Some(ADVICE)),
        ],
    );

    // A customer that was taken away since.
    let customer = company(cases.dice, "Verwijderd B.V.", Some("weg@lastig.example"));
    cases.ordinary(&customer);
    cases.books.remove_customer(text(&customer, "id"));

    // Drafts.
    let customer = company(cases.dice, "Concept B.V.", Some("concept@lastig.example"));
    for _ in 0..2 {
        let mut draft = cases.ordinary(&customer);
        draft.insert("invoice_status".to_owned(), json!("draft"));
        for name in ["invoice_number", "invoice_date_sent", "send_method"] {
            draft.insert(name.to_owned(), Value::Null);
        }
        cases.books.put_invoice(draft);
    }

    // A Dutch street without a house number.
    let customer = company(cases.dice, "Zonder Nummer B.V.", Some("straat@lastig.example"));
    cases.ordinary(&with(customer, [("address_street", json!("Industrieterrein Oost"))]));

    // A debtor in dollars.
    let customer = company(cases.dice, "Dollar B.V.", Some("dollar@lastig.example"));
    debtor(profit, &customer, Known::ByEmail, &fields([("CuId", json!("USD"))]));
    cases.ordinary(&customer);

    // An e-mail with capitals and spaces, whose debtor is known in small letters.
    let customer = company(cases.dice, "Hoofdletter B.V.", Some(" Info@Hoofdletter.Example "));
    debtor(profit, &customer, Known::ByEmail, &none);
    cases.ordinary(&customer);

    // Three invoices of one new e-mail.
    let customer = company(cases.dice, "Driemaal B.V.", Some("driemaal@lastig.example"));
    for _ in 0..3 {
        cases.ordinary(&customer);
    }

    // A name that is no filter.
    let customer = company(cases.dice, "Jansen, Zonen; & Co \"De Wilg\" B.V.", Some("jansen@lastig.example"));
    cases.ordinary(&customer);

    // An organisation in AFAS, a person in Jortt.
    let customer = company(cases.dice, "Kim Beekman", Some("kim@lastig.example"));
    debtor(profit, &customer, Known::ByEmail, &none);
    cases.ordinary(&with(customer, [("is_private", json!(true))]));

    amounts::add(&mut cases);
    parties::add(&mut cases, profit);
}

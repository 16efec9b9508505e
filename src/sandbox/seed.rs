//! The data that a sandbox starts with: the same seed gives the same.
//!
//! By default nothing in it holds a flow: sent invoices with lines of known ledger accounts, customers with addresses and
//! e-mails, some of them debtors in AFAS already. `awkward` adds the hard cases.

mod awkward;
mod environment;
mod estimates;
mod invoices;
mod people;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use super::{
    Options,
    afas::{COUNTRIES, Element, Profit, RelationKind, create_relation, open_item},
    jortt::{self, Books, EU},
    json::{Fields, decimal, fields, filled, text, yes},
};

/// When all that is there at the start was made in AFAS.
const BEFORE: &str = "2025-12-01T09:00:00Z";

/// The e-mail of the debtor of those that are none themselves.
const CASH: &str = "kas@voorbeeld.example";

/// The data of both systems.
pub(super) struct Seeded {
    pub(super) books: Books,
    pub(super) profit: Profit,
}

/// How a customer is known in AFAS already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    No,
    /// A debtor with this e-mail.
    ByEmail,
    /// A debtor whose contact has this e-mail.
    ByContact,
}

/// Makes the data. `id` is what tells this sandbox from another one.
pub(super) fn data(options: &Options, id: &str) -> Seeded {
    let mut dice = StdRng::seed_from_u64(options.seed);
    let mut books = environment::books(id);
    let mut profit = environment::profit();
    let usual = if options.size == 0 { 0 } else { options.size / 10 + 1 };
    let people = options.customers.unwrap_or(usual);
    let customers: Vec<Fields> = (0..people)
        .map(|place| {
            let (customer, known) = people::customer(&mut dice, place);
            let known = if known == Known::No && options.known { Known::ByEmail } else { known };
            debtor(&mut profit, &customer, known, &Fields::new());
            books.put_customer(customer.clone());
            customer
        })
        .collect();
    invoices::add(&mut dice, &mut books, &customers, options.size);
    estimates::add(&mut dice, &mut books, &customers, options.size);
    booked(&books, &mut profit);
    if options.awkward {
        awkward::add(&mut dice, &mut books, &mut profit);
    }
    books.sort_invoices();
    books.seal();
    profit.stamp(BEFORE);
    profit.seal();
    Seeded { books, profit }
}

/// What was paid in Jortt was booked in AFAS before, and is open there still: for its debtor, or for the cash debtor.
fn booked(books: &Books, profit: &mut Profit) {
    let in_euros = |invoice: &Fields, name: &str| invoice.get(name)?.get("amount").and_then(decimal);
    let paid = |invoice: &&Fields| in_euros(invoice, "invoice_due_amount").is_some_and(|open| open.is_zero());
    if !books.invoices().any(|invoice| paid(&invoice)) {
        return;
    }
    let cash = fields([
        ("customer_name", json!("Contante verkoop")),
        ("email", json!(CASH)),
        ("address_street", json!("Marktplein 1")),
        ("address_postal_code", json!("1012 AB")),
        ("address_city", json!("Amsterdam")),
        ("address_country_code", json!("NL")),
    ]);
    debtor(profit, &cash, Known::ByEmail, &Fields::new());
    let debtor_of = |profit: &Profit, email: &str| {
        profit.find("Profit_Debtor", "Email", email).and_then(|row| row.get("DebtorId")).cloned()
    };
    for invoice in books.invoices().filter(paid) {
        let of = |name: &str| invoice.get(name).cloned().unwrap_or_default();
        let debtor = debtor_of(profit, text(invoice, "customer_mail_to")).or_else(|| debtor_of(profit, CASH));
        let total = in_euros(invoice, "invoice_total_incl_vat").unwrap_or_default();
        let lines = [json!(1), debtor.unwrap_or_default(), of("invoice_date"), of("invoice_due_date"), json!("Jortt")];
        open_item(profit, text(invoice, "invoice_number"), total, lines);
    }
}

/// An id out of the dice.
fn uuid(dice: &mut StdRng) -> String {
    uuid::Builder::from_random_bytes(dice.random()).into_uuid().to_string()
}

/// One of a list.
fn pick<'a, T>(dice: &mut StdRng, list: &'a [T]) -> Option<&'a T> {
    if list.is_empty() { None } else { list.get(dice.random_range(0..list.len())) }
}

/// A text of a list.
fn word<'a>(dice: &mut StdRng, list: &[&'a str]) -> &'a str {
    pick(dice, list).copied().unwrap_or("")
}

/// Home, inside or outside the European Union.
fn area(country: &str) -> &'static str {
    match country {
        "NL" => "home",
        other if EU.contains(&other) => "eu",
        _ => "outside",
    }
}

/// Makes a debtor of a customer, as a person would have typed it; `over` is laid over the relation's fields.
fn debtor(profit: &mut Profit, customer: &Fields, known: Known, over: &Fields) {
    if known == Known::No {
        return;
    }
    let private = yes(customer, "is_private");
    let country = text(customer, "address_country_code");
    let code = COUNTRIES.iter().find(|(_, iso, _)| *iso == country).map_or(country, |(code, ..)| *code);
    let duty = match (area(country), yes(customer, "shift_vat")) {
        ("outside", _) => "4",
        ("eu", true) => "3",
        ("home", true) => "2",
        _ => "1",
    };
    let condition = match customer.get("payment_term").and_then(Value::as_i64).unwrap_or(30) {
        0 => "00",
        1..=14 => "14",
        15..=30 => "30",
        _ => "60",
    };
    let email = json!(text(customer, "email").trim().to_lowercase());
    let (street, number, addition) = people::split(text(customer, "address_street"));
    let address = Element {
        fields: fields([
            ("CoId", json!(code)),
            ("PbAd", json!(street == "Postbus")),
            ("Ad", json!(street)),
            ("HmNr", number.map_or(Value::Null, |number| json!(number))),
            ("HmAd", json!(addition)),
            ("ZpCd", customer.get("address_postal_code").cloned().unwrap_or_default()),
            ("Rs", customer.get("address_city").cloned().unwrap_or_default()),
            ("ResZip", json!(false)),
        ]),
        ..Element::default()
    };
    let mut behind = Element {
        fields: fields([
            ("PadAdr", json!(true)),
            ("AutoNum", json!(true)),
            ("TeNr", customer.get("phonenumber").cloned().unwrap_or_default()),
        ]),
        ..Element::default()
    };
    behind.objects.push(("KnBasicAddressAdr".to_owned(), vec![address]));
    if known == Known::ByContact {
        let contact = fields([
            ("ViKc", json!("AFD")),
            ("ExAd", json!("Administratie")),
            ("PadAdr", json!(true)),
            ("EmAd", email),
        ]);
        let contact = Element { fields: contact, ..Element::default() };
        behind.objects.push(("KnContact".to_owned(), vec![contact]));
    } else {
        behind.fields.insert("EmAd".to_owned(), email);
    }
    let (kind, object) = if private {
        let name = filled(customer, "last_name").unwrap_or(text(customer, "customer_name"));
        let (prefix, last) = people::prefix(name);
        behind.fields.extend(fields([
            ("MatchPer", json!("7")),
            ("FiNm", customer.get("first_name").cloned().unwrap_or_default()),
            ("Is", json!(prefix)),
            ("LaNm", json!(last)),
        ]));
        (RelationKind::Person, "KnPerson")
    } else {
        behind.fields.extend(fields([
            ("MatchOga", json!("6")),
            ("Nm", customer.get("customer_name").cloned().unwrap_or_default()),
            ("CcNr", customer.get("coc_number").cloned().unwrap_or_default()),
        ]));
        (RelationKind::Organisation, "KnOrganisation")
    };
    let mut relation = Element {
        fields: fields([
            ("IsDb", json!(true)),
            ("CuId", json!("EUR")),
            ("ColA", json!("1300")),
            ("PaCd", json!(condition)),
            ("VaDu", json!(duty)),
            ("VaId", customer.get("vat_number").cloned().unwrap_or_default()),
        ]),
        ..Element::default()
    };
    relation.fields.extend(over.clone());
    relation.objects.push((object.to_owned(), vec![behind]));
    // A debtor that broke a rule would be missing; the tests count them.
    let _ = create_relation(profit, kind, &relation);
}

/// A customer of a few fields; the rest is as Jortt fills it.
fn customer(dice: &mut StdRng, given: &Fields) -> Fields {
    jortt::made_customer(&uuid(dice), given)
}

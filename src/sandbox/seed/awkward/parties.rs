//! Customers that are hard to write down: other countries, post boxes, long names, labels, persons with a number.

use serde_json::{Value, json};

use super::{
    super::{
        super::{afas::Profit, json::Fields},
        Known, debtor,
        environment::{ADVICE, GOLD},
        invoices::line,
        people::company,
    },
    Cases, with,
};

/// Adds them.
pub(super) fn add(cases: &mut Cases<'_>, profit: &mut Profit) {
    // Companies abroad that owe the VAT themselves: Greece is EL in VAT numbers.
    for (name, country, number, street) in [
        ("Olympos A.E.", "GR", "EL123456789", "Odos Ermou 12"),
        ("Lyon Conseil S.A.R.L.", "FR", "FR12345678901", "12 bis Rue de la République"),
        ("Graz Handels GmbH", "AT", "ATU12345678", "Hauptplatz 3/2/14"),
    ] {
        let email = format!("{}@lastig.example", country.to_lowercase());
        let customer = company(cases.dice, name, Some(&email));
        let customer = with(
            customer,
            [
                ("address_country_code", json!(country)),
                ("address_street", json!(street)),
                ("shift_vat", json!(true)),
                ("vat_number", json!(number)),
            ],
        );
        cases.books.put_customer(customer.clone());
        cases.invoice(&customer, vec![line("Advies november", "2.0", "90.00", "0", Some(ADVICE))]);
    }

    // Outside the Union: export, and a country that only left it.
    for (name, country, street) in
        [("Belfast Bakers Ltd", "GB", "12 High Street"), ("Zug AG", "CH", "Bahnhofstrasse 7")]
    {
        let customer = company(cases.dice, name, Some(&format!("{}@lastig.example", country.to_lowercase())));
        let over = [("address_country_code", json!(country)), ("address_street", json!(street))];
        let customer = with(customer, over);
        cases.books.put_customer(customer.clone());
        cases.invoice(&customer, vec![line("Advies november", "1.0", "140.00", "0", Some(ADVICE))]);
    }

    // VAT that is shifted inside the country.
    let customer = company(cases.dice, "Bouwbedrijf Steen B.V.", Some("bouw@lastig.example"));
    let customer = with(customer, [("shift_vat", json!(true)), ("vat_number", json!("NL123456782B12"))]);
    cases.books.put_customer(customer.clone());
    cases.invoice(&customer, vec![line("Metselwerk", "8.0", "55.00", "0", Some(ADVICE))]);

    // Addresses and names at their limits.
    let over: [(&str, &str, Value); 7] = [
        ("Postbus B.V.", "address_street", json!("Postbus 1234")),
        ("Lang Huisnummer B.V.", "address_street", json!("Plein 1945 12-2")),
        ("Extra Regel B.V.", "address_extra_information", json!("t.a.v. afdeling Inkoop, gebouw C")),
        ("Webwinkel B.V.", "website", json!("https://www.webwinkel.example/over-ons")),
        ("Telefoon B.V.", "phonenumber", json!("+31 (0)20 - 555 01 00 toestel 12")),
        ("Ter Attentie B.V.", "attn", json!("mevr. drs. A.B. van der Visser-de Groot")),
        ("Goud B.V.", "default_label_id", json!(GOLD)),
    ];
    for (place, (name, field, value)) in over.into_iter().enumerate() {
        let customer = company(cases.dice, name, Some(&format!("adres{place}@lastig.example")));
        cases.ordinary(&with(customer, [(field, value)]));
    }
    let long =
        "Coöperatieve Vereniging tot Bevordering van de Landbouw en de Veeteelt in de Noordelijke Provinciën U.A.";
    let customer = company(cases.dice, long, Some("coop@lastig.example"));
    cases.ordinary(&customer);

    // A person with prefixes, one of one name, and a sole trader.
    for (name, email, number) in [
        ("Anne van der Visser", "anne@lastig.example", None),
        ("Björk", "bjork@lastig.example", None),
        ("Kees de Boer", "kees@lastig.example", Some("12345670")),
    ] {
        let customer = company(cases.dice, name, Some(email));
        cases.ordinary(&with(customer, [("is_private", json!(true)), ("coc_number", json!(number))]));
    }

    // Two companies with the e-mail of one bookkeeper, told apart by their numbers; one of them is known.
    for (name, number, known) in [("Klant Een B.V.", "11112222", true), ("Klant Twee B.V.", "33334444", false)] {
        let customer = company(cases.dice, name, Some("boekhouder@lastig.example"));
        let customer = with(customer, [("coc_number", json!(number))]);
        if known {
            debtor(profit, &customer, Known::ByEmail, &Fields::new());
        }
        cases.ordinary(&customer);
    }
}

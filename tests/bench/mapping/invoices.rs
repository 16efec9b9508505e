//! Jortt invoices for the bench, a line of JSON each: the same seed gives the same bytes.
//!
//! In Jortt's real form (`invoice.json` beside this), compact, about 2 kB: names with umlauts, texts with escapes as
//! its server writes them, fields that are null and fields that are not there. Of a hundred, two or three end at a
//! guard of the flow or have no row in one of its tables, and one is warned about.

use std::io::Write as _;

use jiff::{ToSpan as _, civil::Date};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rust_decimal::{Decimal, RoundingStrategy};

const FIRST: Date = Date::constant(2025, 1, 1);

/// As they stand in JSON: a server that writes for browsers escapes `&`.
const COMPANIES: [&str; 10] = [
    "Bakkerij Jansen B.V.",
    r"De Vries \u0026 Zonen Transport B.V.",
    "Müller Maschinenbau GmbH",
    r#"Café \"De Zwaan\""#,
    "Société Générale de Boulangerie S.A.",
    "Loodgietersbedrijf Van den Heuvel",
    "Stichting Kinderopvang Noord-Holland",
    "Jørgensen Design",
    r"Groenhof Tuinen \u0026 Landschap",
    "Smit Administraties",
];

const PEOPLE: [&str; 6] =
    ["Anne de Vries", "Jan Jansen", "Zoë Müller", "Afdeling inkoop", "P. van 't Hof", "Jürgen Groß"];

/// A country with some of its cities.
struct Country {
    code: &'static str,
    name: &'static str,
    /// Postal code and name.
    cities: [(&'static str, &'static str); 3],
    /// Of a hundred invoices.
    share: u32,
}

#[rustfmt::skip]
const COUNTRIES: [Country; 7] = [
    Country { code: "NL", name: "Nederland", share: 80, cities: [("1016 LV", "Amsterdam"), ("3511 AB", "Utrecht"), ("2514 EA", "'s-Gravenhage")] },
    Country { code: "DE", name: "Duitsland", share: 7, cities: [("50667", "Köln"), ("80331", "München"), ("10115", "Berlin")] },
    Country { code: "BE", name: "België", share: 6, cities: [("2000", "Antwerpen"), ("4000", "Liège"), ("9000", "Gent")] },
    Country { code: "FR", name: "Frankrijk", share: 3, cities: [("75001", "Paris"), ("69001", "Lyon"), ("13001", "Marseille")] },
    Country { code: "AT", name: "Oostenrijk", share: 1, cities: [("1010", "Wien"), ("5020", "Salzburg"), ("8010", "Graz")] },
    Country { code: "GB", name: "Verenigd Koninkrijk", share: 2, cities: [("EC1A 1BB", "London"), ("M1 1AE", "Manchester"), ("G1 1AA", "Glasgow")] },
    Country { code: "US", name: "Verenigde Staten", share: 1, cities: [("10001", "New York"), ("60601", "Chicago"), ("94103", "San Francisco")] },
];

const STREETS: [&str; 8] = [
    "Rozengracht",
    "Hoofdstraat",
    "Van der Helstplein",
    "Königsallee",
    "Rue de la Loi",
    "Oude Gracht",
    "'t Plein",
    "Straße",
];

const ADDITIONS: [&str; 6] = ["", "", "", "a", " bis", "-II"];

const TEXTS: [&str; 8] = [
    "Advies maart",
    "Licentie per maand, basispakket",
    r#"Koffiebonen \"Espresso\" 1 kg, biologisch"#,
    "Reiskosten Utrecht – Köln, retour",
    r"Onderhoud \u0026 reparatie van de installatie, inclusief voorrijkosten en klein materiaal volgens onze offerte van 3 februari",
    "Crème brûlée, 24 stuks; gekoeld geleverd bij de achterdeur van het café aan de Rozengracht vóór acht uur 's ochtends",
    "Verzending PostNL pakket",
    "Ontwerp en opmaak van de jaarrekening\\n(2 rondes)",
];

const REMARKS: [&str; 4] = [
    "Graag onder vermelding van het factuurnummer.",
    r"Vielen Dank für Ihren Auftrag!\nMit freundlichen Grüßen",
    "Betaling binnen de gestelde termijn.",
    r#"Geleverd volgens \"Algemene voorwaarden\" van 1 januari 2025, gedeponeerd bij de Kamer van Koophandel."#,
];

const ACCOUNTS: [&str; 8] = [
    "f8fd3e4e-da1c-43a7-892f-1410ac13e38a",
    "c1a3a2b0-6b9e-4f0e-9f0b-2f3d8f5e7a10",
    "0b7c1f52-43f0-4a0e-8d0e-5c8f3c6d7e21",
    "5a1e9d77-2c64-4b1b-9f6a-7e2d4c8b9a32",
    "9e3b6c88-7d15-4c2c-8a7b-6f1e3d5c4b43",
    "d2f4a6b8-1c3e-4d5f-9a8b-7c6d5e4f3a54",
    "3c5e7a9b-2d4f-4e6a-8b9c-0d1e2f3a4b65",
    "7b9d1f3a-5c7e-4a8b-9c0d-1e2f3a4b5c76",
];

/// The invoices of one seed, one after another.
pub(crate) struct Invoices {
    dice: StdRng,
    made: u32,
}

impl Invoices {
    pub(crate) fn new(seed: u64) -> Self {
        Self { dice: StdRng::seed_from_u64(seed), made: 0 }
    }

    /// Adds the next one to `out`, with its line end.
    pub(crate) fn line(&mut self, out: &mut Vec<u8>) {
        self.made += 1;
        let number = self.made;
        let country = self.country();
        let (code, city) = self.one(&country.cities);
        let dated = FIRST.checked_add(i64::from(self.below(700)).days()).unwrap();
        let term = if self.of_thousand(10) { 75 } else { self.one(&[0, 7, 14, 14, 30, 30, 30, 60]) };
        let abroad = !matches!(country.code, "NL");
        let shifted = abroad && self.of_thousand(600);
        let free = self.of_thousand(4);
        let count = self.one(&[1, 1, 2, 2, 3, 4, 5]);
        let lines: Vec<Line> = (0..count).map(|_| self.row(shifted, free)).collect();
        let discount = self.of_thousand(100).then(|| 5 * (1 + self.below(3)));
        let sum: Decimal = lines.iter().map(|line| line.net).sum();
        let reduced = match discount {
            Some(percent) => cents(sum * Decimal::new(100 - i64::from(percent), 2)),
            None => sum,
        };
        // Somebody changed the total by hand.
        let total = if self.of_thousand(3) { reduced + Decimal::ONE } else { reduced };
        let with_vat = cents(total * Decimal::new(121, 2));

        let start = out.len();
        let mut field = |name: &str, json: &dyn std::fmt::Display| {
            let comma = if out.len() == start { '{' } else { ',' };
            write!(out, "{comma}\"{name}\":{json}").unwrap();
        };
        let dice = &mut self.dice;
        let id = uuid(dice);
        field("id", &quoted(&id));
        field("invoice_status", &"\"sent\"");
        field("customer_id", &quoted(&uuid(dice)));
        field("tradename_id", &"null");
        field("invoice_number", &format_args!("\"{}-{number:06}\"", dated.year()));
        field("invoice_date", &quoted(&dated));
        if !chance(dice, 10) {
            field("invoice_due_date", &quoted(&dated.checked_add(i64::from(term).days()).unwrap()));
        }
        let period = dated.first_of_month();
        match dice.random_range(0..3) {
            0 => field("invoice_delivery_period", &quoted(&period)),
            1 => field("invoice_delivery_period", &"null"),
            _ => {}
        }
        field("invoice_delivery_period_end", &"null");
        field("invoice_date_sent", &quoted(&dated));
        field("invoice_total", &euros(total));
        field("invoice_total_incl_vat", &euros(with_vat));
        field("invoice_due_amount", &euros(with_vat));
        field("send_method", &"\"email\"");
        field("net_amounts", &chance(dice, 100));
        field("invoice_marked_free_of_vat", &false);
        field("credited_invoice_id", &"null");
        field("remarks", &maybe(chance(dice, 600).then(|| one(dice, &REMARKS))));
        if chance(dice, 300) {
            field("introduction", &quoted(&one(dice, &REMARKS)));
        }
        field("number_of_reminders_sent", &dice.random_range(0..3));
        field("last_reminded_at", &"null");
        field(
            "payment_method",
            &quoted(&one(dice, &["pay_later", "pay_later", "pay_later", "direct_debit", "already_paid"])),
        );
        field("customer_company_name", &quoted(&one(dice, &COMPANIES)));
        field("customer_attn", &maybe(chance(dice, 700).then(|| one(dice, &PEOPLE))));
        let (street, house, addition) = (one(dice, &STREETS), dice.random_range(1..400), one(dice, &ADDITIONS));
        if chance(dice, 6) {
            field("customer_address_street", &quoted(&street));
        } else {
            field("customer_address_street", &format_args!("\"{street} {house}{addition}\""));
        }
        field("customer_address_city", &quoted(&city));
        field("customer_address_postal_code", &quoted(&code));
        field("customer_address_country_code", &quoted(&country.code));
        field("customer_address_country_name", &quoted(&country.name));
        field("customer_address_extra_information", &maybe(chance(dice, 50).then_some("3e verdieping")));
        field("customer_vat_shifted", &shifted);
        let number = format_args!("\"{}{:09}\"", country.code, dice.random_range(0..1_000_000_000));
        if shifted && !chance(dice, 40) {
            field("customer_vat_number", &number);
        } else {
            field("customer_vat_number", &"null");
        }
        field("customer_in_eu", &!matches!(country.code, "GB" | "US"));
        match dice.random_range(0..400) {
            0 => field("customer_reference", &"null"),
            1 => field("customer_reference", &"\" \""),
            2 => {}
            _ => field("customer_reference", &quoted(&dice.random_range(10_000..99_999))),
        }
        field("customer_is_private", &chance(dice, 150));
        field("customer_mail_to", &format_args!("\"info@klant{}.example\"", dice.random_range(0..9_999)));
        field("customer_mail_cc_addresses", &"[]");
        field("language", &quoted(&one(dice, &["nl", "nl", "nl", "de", "en", "fr", "es"])));
        field("line_items", &List(&lines));
        match discount {
            Some(percent) => {
                field("discounts", &format_args!("[{{\"description\":\"Vaste klant\",\"percentage\":{percent}}}]"));
            }
            None => field("discounts", &"[]"),
        }
        field("reference", &maybe(chance(dice, 500).then(|| format!("order-{}", dice.random_range(0..100_000)))));
        field("created_at", &format_args!("\"{dated}T10:22:33.000+01:00\""));
        field("credit_invoice_ids", &"[]");
        field("peppol_status", &"null");
        out.extend_from_slice(b"}\n");
    }

    fn row(&mut self, shifted: bool, free: bool) -> Line {
        let (rate, category) = match (shifted, self.below(100)) {
            (true, _) | (_, 0..4) => ("0", None),
            (_, 4..8) => ("0", Some("exempt")),
            (_, 8..30) => ("0.09", None),
            _ => ("0.21", None),
        };
        let quantity = match self.below(4) {
            0 => Decimal::new(i64::from(self.below(2_000)) + 25, 2),
            _ => Decimal::new(i64::from(1 + self.below(12)) * 10, 1),
        };
        let amount = match self.below(40) {
            _ if free => Decimal::new(0, 2),
            0 => Decimal::new(0, 2),
            1 => -Decimal::new(i64::from(self.below(5_000)), 2),
            _ => Decimal::new(i64::from(self.below(50_000)) + 1, 2),
        };
        let account = if self.of_thousand(1) { "00000000-0000-4000-8000-000000000000" } else { self.one(&ACCOUNTS) };
        Line { text: self.one(&TEXTS), rate, category, quantity, amount, net: cents(quantity * amount), account }
    }

    fn country(&mut self) -> &'static Country {
        let mut left = self.below(100);
        let with_share = COUNTRIES.iter().find(|country| match left.checked_sub(country.share) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        });
        with_share.unwrap_or(&COUNTRIES[0])
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        one(&mut self.dice, of)
    }

    fn of_thousand(&mut self, share: u32) -> bool {
        chance(&mut self.dice, share)
    }

    fn below(&mut self, end: u32) -> u32 {
        self.dice.random_range(0..end)
    }
}

struct Line {
    text: &'static str,
    rate: &'static str,
    category: Option<&'static str>,
    quantity: Decimal,
    amount: Decimal,
    net: Decimal,
    account: &'static str,
}

struct List<'a>(&'a [Line]);

impl std::fmt::Display for List<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, line) in self.0.iter().enumerate() {
            let Line { text, rate, category, quantity, amount, net, account } = line;
            let (begin, category) = (if at == 0 { '[' } else { ',' }, maybe(*category));
            write!(
                f,
                "{begin}{{\"description\":\"{text}\",\"vat\":{{\"value\":\"{rate}\",\"category\":{category}}},\
                 \"quantity\":\"{quantity}\",\"amount\":{},\"total_amount_ex_vat\":{},\"ledger_account_id\":\"{account}\"}}",
                euros(*amount),
                euros(*net),
            )?;
        }
        f.write_str("]")
    }
}

fn one<T: Copy>(dice: &mut StdRng, of: &[T]) -> T {
    of[dice.random_range(0..of.len())]
}

fn chance(dice: &mut StdRng, of_thousand: u32) -> bool {
    dice.random_range(0..1_000) < of_thousand
}

fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

fn uuid(dice: &mut StdRng) -> uuid::Uuid {
    uuid::Builder::from_random_bytes(dice.random()).into_uuid()
}

fn quoted(value: &dyn std::fmt::Display) -> String {
    format!("\"{value}\"")
}

fn maybe(text: Option<impl std::fmt::Display>) -> String {
    text.map_or_else(|| "null".to_owned(), |text| quoted(&text))
}

fn euros(amount: Decimal) -> String {
    format!("{{\"amount\":\"{amount:.2}\",\"currency\":\"EUR\"}}")
}

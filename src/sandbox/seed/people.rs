//! Customers: companies and persons, at home and abroad, with the names and addresses that real ones have.

use rand::{RngExt as _, rngs::StdRng};
use serde_json::{Value, json};

use super::{
    super::json::{Fields, fields},
    Known, customer as made, word,
};

/// What a customer is, in the order in which they are made: the first five are in every data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    HomeCompany,
    HomePerson,
    /// A company in the European Union that owes the VAT itself.
    ShiftedCompany,
    UnionPerson,
    OutsideCompany,
}

use Kind::{HomeCompany, HomePerson, OutsideCompany, ShiftedCompany, UnionPerson};

const KINDS: &[Kind] = &[
    HomeCompany,
    HomePerson,
    ShiftedCompany,
    HomeCompany,
    OutsideCompany,
    HomeCompany,
    HomePerson,
    HomeCompany,
    HomeCompany,
    HomePerson,
    UnionPerson,
    HomeCompany,
    ShiftedCompany,
];

/// Two of five are debtors in AFAS already.
const KNOWN: &[Known] = &[Known::ByEmail, Known::No, Known::No, Known::ByContact, Known::No];

const TRADES: &[&str] = &[
    "Bakkerij",
    "Kwekerij",
    "Slagerij",
    "Drukkerij",
    "Garage",
    "Café",
    "Installatiebedrijf",
    "Adviesbureau",
    "Architectenbureau",
    "Timmerbedrijf",
    "Boekhandel",
    "Kaasmakerij",
    "Praktijk",
    "Rijschool",
    "Tuincentrum",
];

const FAMILIES: &[&str] = &[
    "Jansen",
    "de Vries",
    "van den Berg",
    "Bakker",
    "Visser",
    "van der Meer",
    "Smit",
    "Mulder",
    "de Groot",
    "Hendriks",
    "Dekker",
    "van Dijk",
    "Brouwer",
    "van der Visser",
    "Peeters",
    "Koster",
    "'t Hart",
    "Sanders",
    "ter Horst",
    "Kuipers",
    "Daniëls",
    "André",
];

const FIRST_NAMES: &[&str] = &[
    "Anne", "Bram", "Chloé", "Daan", "Eva", "Fleur", "Gijs", "Hanna", "Joris", "Käthe", "Lotte", "Mees", "Noor",
    "Pieter", "René", "Sofie", "Thijs", "Willem", "Yara", "Zoë",
];

const STREETS: &[&str] = &[
    "Dorpsstraat 12",
    "Rozengracht 75a",
    "Postbus 12",
    "Kerkweg 3",
    "Plein 1945 12-2",
    "1e Helmersstraat 10 hs",
    "Veilingweg 12b",
    "Stationsplein 1",
    "Molenlaan 144",
    "Oude Gracht 201 bis",
    "Postbus 4417",
    "Herengracht 8",
];

const CITIES: &[(&str, &str)] = &[
    ("1016 LV", "Amsterdam"),
    ("3511 AB", "Utrecht"),
    ("2691 AB", "Naaldwijk"),
    ("9712 HN", "Groningen"),
    ("6211 CD", "Maastricht"),
    ("5611EM", "Eindhoven"),
    ("2511 BT", "'s-Gravenhage"),
];

/// A place abroad: country, street, postal code, city, the letters of a VAT number.
const UNION: &[(&str, &str, &str, &str, &str)] = &[
    ("BE", "Meir 24", "2000", "Antwerpen", "BE0"),
    ("DE", "Königsallee 30", "40212", "Düsseldorf", "DE"),
    ("FR", "Avenue de l'Opéra 12", "75001", "Paris", "FR"),
];

const OUTSIDE: &[(&str, &str, &str, &str)] =
    &[("US", "Main Street 501", "10001", "New York"), ("GB", "Baker Street 221", "NW1 6XE", "London")];

/// Makes the customer at a place of the list.
pub(super) fn customer(dice: &mut StdRng, place: usize) -> (Fields, Known) {
    let kind = KINDS.get(place % KINDS.len()).copied().unwrap_or(HomeCompany);
    let known = match KNOWN.get(place % KNOWN.len()) {
        // A contact belongs to an organisation.
        Some(Known::ByContact) if matches!(kind, HomePerson | UnionPerson) => Known::ByEmail,
        known => known.copied().unwrap_or(Known::No),
    };
    let family = word(dice, FAMILIES);
    let term = [30, 14, 30, 0, 60].get(place % 5).copied().unwrap_or(30);
    let mut given = fields([
        ("is_private", json!(matches!(kind, HomePerson | UnionPerson))),
        ("payment_term", json!(term)),
        ("phonenumber", json!(format!("0{}{:07}", dice.random_range(10..90), dice.random_range(0..10_000_000)))),
    ]);
    let (street, postal_code, city, country) = match kind {
        HomeCompany | HomePerson => {
            let (postal_code, city) = super::pick(dice, CITIES).copied().unwrap_or(("1016 LV", "Amsterdam"));
            (word(dice, STREETS), postal_code, city, "NL")
        }
        ShiftedCompany | UnionPerson => {
            let (country, street, postal_code, city, letters) =
                super::pick(dice, UNION).copied().unwrap_or(("BE", "Meir 24", "2000", "Antwerpen", "BE0"));
            if kind == ShiftedCompany {
                given.insert("shift_vat".to_owned(), json!(true));
                let number = format!("{letters}{:09}", dice.random_range(100_000_000..999_999_999_u32));
                given.insert("vat_number".to_owned(), json!(number));
            }
            (street, postal_code, city, country)
        }
        OutsideCompany => {
            let (country, street, postal_code, city) =
                super::pick(dice, OUTSIDE).copied().unwrap_or(("US", "Main Street 501", "10001", "New York"));
            (street, postal_code, city, country)
        }
    };
    given.extend(fields([
        ("address_street", json!(street)),
        ("address_postal_code", json!(postal_code)),
        ("address_city", json!(city)),
        ("address_country_code", json!(country)),
    ]));
    let name = if matches!(kind, HomePerson | UnionPerson) {
        let first = word(dice, FIRST_NAMES);
        let initial: String = first.chars().take(1).collect();
        given.insert("first_name".to_owned(), json!(first));
        given.insert("initials".to_owned(), json!(format!("{initial}.")));
        given.insert("last_name".to_owned(), json!(family));
        format!("{first} {family}")
    } else {
        let form = if country == "NL" {
            "B.V."
        } else if country == "DE" {
            "GmbH"
        } else {
            "Ltd"
        };
        if country == "NL" {
            let number = dice.random_range(10_000_000..90_000_000_u32);
            given.insert("coc_number".to_owned(), json!(number.to_string()));
            if place.is_multiple_of(3) {
                let attn = format!("{} {}", word(dice, FIRST_NAMES), word(dice, FAMILIES));
                given.insert("attn".to_owned(), json!(attn));
            }
        }
        format!("{} {} {form}", word(dice, TRADES), family)
    };
    given.insert("email".to_owned(), json!(format!("{}{place}@voorbeeld.example", letters(&name))));
    given.insert("customer_name".to_owned(), json!(name));
    (made(dice, &given), known)
}

/// The letters of a name that an e-mail address may hold.
fn letters(name: &str) -> String {
    name.to_lowercase().chars().filter(char::is_ascii_alphabetic).take(20).collect()
}

/// "Rozengracht 75a" as street, number and addition; "Postbus 12" too.
pub(super) fn split(line: &str) -> (String, Option<u32>, String) {
    let words: Vec<&str> = line.split(' ').collect();
    let at =
        words.iter().rposition(|word| word.starts_with(|letter: char| letter.is_ascii_digit())).filter(|at| *at > 0);
    let Some(at) = at else { return (line.to_owned(), None, String::new()) };
    let word = words.get(at).copied().unwrap_or("");
    let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
    let rest: Vec<&str> = std::iter::once(word.get(digits.len()..).unwrap_or(""))
        .chain(words.iter().skip(at + 1).copied())
        .filter(|part| !part.is_empty())
        .collect();
    let street: Vec<&str> = words.iter().take(at).copied().collect();
    (street.join(" "), digits.parse().ok(), rest.join(" "))
}

/// "van der Visser" as prefix and name.
pub(super) fn prefix(name: &str) -> (String, String) {
    let small = ["van", "de", "den", "der", "het", "'t", "te", "ten", "ter"];
    let words: Vec<&str> = name.split(' ').collect();
    let count = words.iter().take_while(|word| small.contains(word)).count().min(words.len().saturating_sub(1));
    let part = |from: usize, to: usize| -> String {
        words.iter().skip(from).take(to - from).copied().collect::<Vec<_>>().join(" ")
    };
    (part(0, count), part(count, words.len()))
}

/// A customer of a few words, for the hard cases.
pub(super) fn company(dice: &mut StdRng, name: &str, email: Option<&str>) -> Fields {
    let given = fields([
        ("is_private", json!(false)),
        ("customer_name", json!(name)),
        ("address_street", json!("Dorpsstraat 12")),
        ("address_postal_code", json!("3511 AB")),
        ("address_city", json!("Utrecht")),
        ("address_country_code", json!("NL")),
        ("email", email.map_or(Value::Null, |email| json!(email))),
    ]);
    made(dice, &given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streets_are_split_as_a_person_would_type_them() {
        assert_eq!(split("Rozengracht 75a"), ("Rozengracht".to_owned(), Some(75), "a".to_owned()));
        assert_eq!(split("Plein 1945 12-2"), ("Plein 1945".to_owned(), Some(12), "-2".to_owned()));
        assert_eq!(split("1e Helmersstraat 10 hs"), ("1e Helmersstraat".to_owned(), Some(10), "hs".to_owned()));
        assert_eq!(split("Zonder nummer"), ("Zonder nummer".to_owned(), None, String::new()));
        assert_eq!(prefix("van der Visser"), ("van der".to_owned(), "Visser".to_owned()));
    }
}

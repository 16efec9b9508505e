//! Functions that tell whether a text can be what it claims to be.
//!
//! They look at shape and check digits only: none of them asks a bank, a register or a mail server. What each one looks
//! at stands in its line. Spaces and dots count as [`normalise`] says; a blank is lifted like everywhere.

use std::sync::LazyLock;

use regex::Regex;

use super::{Function, Takes, at, needed};
use crate::{
    schema::{Kind, Ty, normalise},
    value::Value,
};

fn bool(_: &[Ty]) -> Ty {
    Ty::new(Kind::Bool)
}

/// The text in the normal form of its kind.
fn normal(kind: &Kind, text: &str) -> String {
    normalise(kind, text).as_text().unwrap_or("").to_owned()
}

/// An e-mail address.
pub(super) const EMAIL: Function = Function {
    name: "valid_email",
    params: &[needed("text", Takes::Text)],
    gives: bool,
    doc: "has the text the shape of one e-mail address, name@domain.end? It does not tell whether mail arrives",
    example: ("valid_email(\"info@bakkerij.example\")", "yes"),
    call: |args| Ok(Value::Bool(valid_email(at(args, 0).text()))),
};

/// A bank account.
pub(super) const IBAN: Function = Function {
    name: "valid_iban",
    params: &[needed("text", Takes::Text)],
    gives: bool,
    doc: "are the check digits of this IBAN right, and for SEPA countries its length? It does not tell whether the account is there",
    example: ("valid_iban(\"NL91 ABNA 0417 1643 00\")", "yes"),
    call: |args| Ok(Value::Bool(valid_iban(&normal(&Kind::Iban, at(args, 0).text())))),
};

/// A VAT number.
pub(super) const VAT: Function = Function {
    name: "valid_vat",
    params: &[needed("text", Takes::Text)],
    gives: bool,
    doc: "has the text the shape of a VAT number of an EU country or GB, with the right check digits for NL and BE? It does not ask VIES",
    example: ("valid_vat(\"NL123456782B01\")", "yes"),
    call: |args| Ok(Value::Bool(valid_vat(&normal(&Kind::VatNumber, at(args, 0).text())))),
};

/// A chamber-of-commerce number.
pub(super) const KVK: Function = Function {
    name: "valid_kvk",
    params: &[needed("text", Takes::Text)],
    gives: bool,
    doc: "are these the 8 digits of a Dutch chamber-of-commerce number? It has no check digit, so more cannot be told",
    example: ("valid_kvk(\"1234567\")", "no"),
    call: |args| {
        let text = at(args, 0).text().trim();
        Ok(Value::Bool(text.len() == 8 && digits(text)))
    },
};

/// A postal code.
pub(super) const POSTCODE: Function = Function {
    name: "valid_postcode",
    params: &[needed("text", Takes::Text), needed("country", Takes::Text)],
    gives: bool,
    doc: "has the text the shape of a postal code of that country? Known are NL, its neighbours and most of the EU; elsewhere anything goes",
    example: ("valid_postcode(\"1016 LV\", \"NL\")", "yes"),
    call: |args| Ok(Value::Bool(valid_postcode(at(args, 0).text(), at(args, 1).text()))),
};

fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Lengths are those of RFC 5321; quoted names are refused, since no customer has one and every typing mistake does.
fn valid_email(text: &str) -> bool {
    let text = text.trim();
    let Some((name, domain)) = text.rsplit_once('@') else { return false };
    let letter = |letter: char| letter.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter);
    let name_right = (1..=64).contains(&name.len())
        && name.chars().all(letter)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..");
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let end = domain.rsplit('.').next().unwrap_or("");
    let domain_right = domain.contains('.') && domain.split('.').all(label) && end.chars().count() >= 2 && !digits(end);
    text.len() <= 254 && name_right && domain_right
}

/// The number that a text of digits and capitals writes (A is 10, Z is 35), modulo 97; none for other characters.
fn modulo_97(text: impl Iterator<Item = char>) -> Option<u32> {
    let mut rest = 0;
    for letter in text {
        let value = letter.to_digit(36)?;
        rest = if value < 10 { rest * 10 + value } else { rest * 100 + value } % 97;
    }
    Some(rest)
}

/// The lengths of the SEPA countries, from the IBAN registry of ISO 13616.
const IBAN_LENGTHS: &str = "AD24 AL28 AT20 BE16 BG22 CH21 CY28 CZ24 DE22 DK18 EE20 ES24 FI18 FR27 GB22 GI23 GR27 HR21 HU28 \
     IE22 IS26 IT27 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MT31 NL18 NO15 PL28 PT25 RO24 RS22 SE24 SI19 SK24 SM27 VA22";

/// ISO 7064: the first four characters behind the others, modulo 97, are 1.
fn valid_iban(iban: &str) -> bool {
    let (Some(country), Some(check), Some(account)) = (iban.get(..2), iban.get(2..4), iban.get(4..)) else {
        return false;
    };
    let known = IBAN_LENGTHS.split_whitespace().find_map(|entry| entry.strip_prefix(country)?.parse::<usize>().ok());
    let length_right = known.map_or((15..=34).contains(&iban.len()), |length| iban.len() == length);
    // 00, 01 and 99 pass the sum for some accounts, and are never given.
    let check_right = digits(check) && !["00", "01", "99"].contains(&check);
    country.bytes().all(|byte| byte.is_ascii_uppercase())
        && length_right
        && check_right
        && account.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && modulo_97(account.chars().chain(country.chars()).chain(check.chars())) == Some(1)
}

/// A shape for a country, compiled at the first use.
fn shapes(table: &[(&'static str, &str)]) -> Vec<(&'static str, Regex)> {
    let compiled =
        |(country, shape): &(&'static str, &str)| Some((*country, Regex::new(&format!("^(?:{shape})$")).ok()?));
    table.iter().filter_map(compiled).collect()
}

/// What stands behind the country in a VAT number: the structures that the European Commission publishes with VIES;
/// GB and XI as HMRC gives them. Greece writes EL.
const VAT_SHAPES: &[(&str, &str)] = &[
    ("AT", r"U\d{8}"),
    ("BE", r"[01]\d{9}"),
    ("BG", r"\d{9,10}"),
    ("CY", r"\d{8}[A-Z]"),
    ("CZ", r"\d{8,10}"),
    ("DE", r"\d{9}"),
    ("DK", r"\d{8}"),
    ("EE", r"\d{9}"),
    ("EL", r"\d{9}"),
    ("ES", r"[A-Z]\d{7}[A-Z0-9]|\d{8}[A-Z]"),
    ("FI", r"\d{8}"),
    ("FR", r"[A-HJ-NP-Z0-9]{2}\d{9}"),
    ("GB", r"\d{9}|\d{12}|GD\d{3}|HA\d{3}"),
    ("HR", r"\d{11}"),
    ("HU", r"\d{8}"),
    ("IE", r"\d[A-Z0-9+*]\d{5}[A-Z]|\d{7}[A-Z]{2}"),
    ("IT", r"\d{11}"),
    ("LT", r"\d{9}|\d{12}"),
    ("LU", r"\d{8}"),
    ("LV", r"\d{11}"),
    ("MT", r"\d{8}"),
    ("NL", r"\d{9}B\d{2}"),
    ("PL", r"\d{10}"),
    ("PT", r"\d{9}"),
    ("RO", r"[1-9]\d{1,9}"),
    ("SE", r"\d{10}01"),
    ("SI", r"\d{8}"),
    ("SK", r"\d{10}"),
    ("XI", r"\d{9}|\d{12}|GD\d{3}|HA\d{3}"),
];

fn valid_vat(number: &str) -> bool {
    static SHAPES: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| shapes(VAT_SHAPES));
    let (Some(country), Some(rest)) = (number.get(..2), number.get(2..)) else { return false };
    let shaped = SHAPES.iter().any(|(own, shape)| *own == country && shape.is_match(rest));
    shaped
        && match country {
            "NL" => dutch_vat(number, rest),
            "BE" => belgian_vat(rest),
            _ => true,
        }
}

/// Sole traders have numbers since 2020 that satisfy the sum modulo 97; those of companies rest on the nine digits of
/// their fiscal number, which satisfies the eleven test.
fn dutch_vat(number: &str, rest: &str) -> bool {
    let eleven =
        rest.chars().take(8).zip((2..=9).rev()).map(|(digit, weight)| digit.to_digit(10).unwrap_or(0) * weight);
    let check = rest.chars().nth(8).and_then(|digit| digit.to_digit(10));
    Some(eleven.sum::<u32>() % 11) == check || modulo_97(number.chars()) == Some(1)
}

/// The last two digits are 97 minus the others modulo 97.
fn belgian_vat(rest: &str) -> bool {
    let (Some(number), Some(check)) = (rest.get(..8), rest.get(8..)) else { return false };
    modulo_97(number.chars()).map(|rest| 97 - rest) == check.parse().ok()
}

/// Shapes of postal codes, upper case and without spaces. SA, SD and SS are not given out in the Netherlands.
const POSTCODES: &[(&str, &str)] = &[
    ("AT", r"[1-9]\d{3}"),
    ("BE", r"[1-9]\d{3}"),
    ("CH", r"[1-9]\d{3}"),
    ("CZ", r"[1-7]\d{4}"),
    ("DE", r"\d{5}"),
    ("DK", r"\d{4}"),
    ("ES", r"(?:0[1-9]|[1-4]\d|5[0-2])\d{3}"),
    ("FI", r"\d{5}"),
    ("FR", r"\d{5}"),
    ("GB", r"[A-Z]{1,2}\d[A-Z0-9]?\d[A-Z]{2}|GIR0AA"),
    ("IT", r"\d{5}"),
    ("LU", r"(?:L-?)?\d{4}"),
    ("NL", r"[1-9]\d{3}(?:[A-RT-Z][A-Z]|S[BCE-RT-Z])"),
    ("NO", r"\d{4}"),
    ("PL", r"\d{2}-?\d{3}"),
    ("PT", r"[1-9]\d{3}-?\d{3}"),
    ("SE", r"[1-9]\d{4}"),
];

fn valid_postcode(text: &str, country: &str) -> bool {
    static SHAPES: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| shapes(POSTCODES));
    let code: String = text.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_uppercase).collect();
    let country = normal(&Kind::Country, country);
    SHAPES.iter().find(|(own, _)| *own == country).is_none_or(|(_, shape)| shape.is_match(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_compiles() {
        assert_eq!(shapes(VAT_SHAPES).len(), VAT_SHAPES.len());
        assert_eq!(shapes(POSTCODES).len(), POSTCODES.len());
    }

    #[test]
    fn an_email_has_one_name_and_a_domain_with_an_end() {
        for right in ["a@b.nl", " Els.de-Vries+koppel@mail.bakkerij.example ", "o'neil@köln.de"] {
            assert!(valid_email(right), "{right}");
        }
        let long = format!("{}@b.nl", "a".repeat(65));
        for wrong in [
            "a@b",
            "@b.nl",
            "a b@c.nl",
            "a@b@c.nl",
            "a@.nl",
            "a@b..nl",
            "a.@b.nl",
            "a@b.n",
            "a@1.2.3.4",
            "a@b.nl, c@d.nl",
            &long,
        ] {
            assert!(!valid_email(wrong), "{wrong}");
        }
    }

    #[test]
    fn an_iban_has_check_digits_modulo_97_and_the_length_of_its_country() {
        let valid = |text| valid_iban(&normal(&Kind::Iban, text));
        for right in
            ["NL91ABNA0417164300", "nl91 abna 0417 1643 00", "BE68 5390 0754 7034", "GB82 WEST 1234 5698 7654 32"]
        {
            assert!(valid(right), "{right}");
        }
        for wrong in
            ["NL91ABNA0417164301", "NL91ABNA041716430", "NL91ABNA04171643000", "91NLABNA0417164300", "NL", "", "€€91"]
        {
            assert!(!valid(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_dutch_vat_number_satisfies_the_eleven_test_or_the_sum_of_sole_traders() {
        let valid = |text| valid_vat(&normal(&Kind::VatNumber, text));
        for right in ["NL123456782B01", "nl 1234.56.782.B01", "NL000099998B57"] {
            assert!(valid(right), "{right}");
        }
        for wrong in ["NL123456789B01", "NL123456782B1", "123456782B01", "NL000099998B58", "NL123456782A01"] {
            assert!(!valid(wrong), "{wrong}");
        }
    }

    #[test]
    fn other_vat_numbers_have_the_shape_of_their_country() {
        for right in
            ["DE123456789", "BE0428759497", "ATU12345678", "EL123456789", "FRXX123456789", "XI123456789", "IE1234567WA"]
        {
            assert!(valid_vat(right), "{right}");
        }
        for wrong in ["DE12345678", "BE0428759498", "GR123456789", "US123456789", "FROI123456789", ""] {
            assert!(!valid_vat(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_postal_code_has_the_shape_of_its_country() {
        for (right, country) in
            [("1016 LV", "NL"), ("1016lv", "nl"), ("1000", "BE"), ("EC1A 1BB", "GB"), ("00-950", "PL")]
        {
            assert!(valid_postcode(right, country), "{right} {country}");
        }
        for (wrong, country) in [("0016 LV", "NL"), ("1016 SS", "NL"), ("1016", "NL"), ("10115", "BE"), ("1011", "DE")]
        {
            assert!(!valid_postcode(wrong, country), "{wrong} {country}");
        }
        assert!(valid_postcode("anything", "US"), "a country without a known shape");
    }
}

//! Functions that turn one kind into another. What cannot be read fails the record and names the value.

use super::{Argument, Function, Takes, Trouble, at, iso, needed, optional};
use crate::{
    schema::{Kind, Ty, normalise},
    value::{Decimal, Value},
};

/// A whole number.
pub(super) const TO_INT: Function = Function {
    name: "to_int",
    params: &[needed("value", Takes::Anything), optional("or", Takes::Anything)],
    gives: |types| lifted(types, Kind::Int),
    doc: "the whole number that a text writes; another text fails the record, or gives `or`; blank of a blank",
    example: ("to_int(\"0042\")", "42"),
    call: |args| {
        read(
            args,
            "a whole number",
            |text| text.parse().ok().map(Value::Int),
            |number| number.is_integer().then(|| i64::try_from(number).ok().map(Value::Int)).flatten(),
        )
    },
};

/// A number.
pub(super) const TO_DECIMAL: Function = Function {
    name: "to_decimal",
    params: &[needed("value", Takes::Anything), optional("or", Takes::Anything)],
    gives: |types| lifted(types, Kind::Decimal),
    doc: "the number that a text writes with a point; another text fails the record, or gives `or`",
    example: ("to_decimal(\"3.50\")", "3.5"),
    call: |args| {
        let exact = |text: &str| Decimal::from_str_exact(text).ok().map(Value::Decimal);
        read(args, "a number", exact, |number| Some(Value::Decimal(number)))
    },
};

/// A percentage.
pub(super) const TO_PERCENT: Function = Function {
    name: "to_percent",
    params: &[needed("fraction", Takes::Number)],
    gives: |_| Ty::new(Kind::Percent),
    doc: "a fraction as a percentage: 0.21 is 21%",
    example: ("to_percent(0.21) is 21%", "yes"),
    call: |args| Ok(at(args, 0).value().as_decimal().map_or(Value::Blank, Value::Decimal)),
};

/// A text.
pub(super) const TO_TEXT: Function = Function {
    name: "to_text",
    params: &[needed("value", Takes::Anything)],
    gives: |types| lifted(types, Kind::Text),
    doc: "the value as a text, as it stands between braces in a text",
    example: ("to_text(42)", "42"),
    call: |args| {
        let value = at(args, 0).value();
        Ok(if value.is_blank() { Value::Blank } else { Value::text(&value.to_string()) })
    },
};

/// A country.
pub(super) const TO_COUNTRY: Function = Function {
    name: "to_country",
    params: &[needed("text", Takes::Text), optional("or", Takes::Anything)],
    gives: |_| Ty::new(Kind::Country),
    doc: "the country of a two-letter ISO 3166 code in any case; another text fails the record, or gives `or`",
    example: ("to_country(\" nl \")", "NL"),
    call: |args| {
        let country = |text: &str| code(&Kind::Country, text, iso::COUNTRIES);
        read(args, "the two-letter ISO code of a country", country, |_| None)
    },
};

/// A currency.
pub(super) const TO_CURRENCY: Function = Function {
    name: "to_currency",
    params: &[needed("text", Takes::Text), optional("or", Takes::Anything)],
    gives: |_| Ty::new(Kind::Currency),
    doc: "the currency of a three-letter ISO 4217 code in any case; another text fails the record, or gives `or`",
    example: ("to_currency(\"eur\")", "EUR"),
    call: |args| {
        let currency = |text: &str| code(&Kind::Currency, text, iso::CURRENCIES);
        read(args, "the three-letter ISO code of a currency", currency, |_| None)
    },
};

/// The normal form of a code, if the list has it.
fn code(kind: &Kind, text: &str, known: &str) -> Option<Value> {
    let code = normalise(kind, text);
    known.split_whitespace().any(|own| Some(own) == code.as_text()).then_some(code)
}

/// Blank of a blank.
fn lifted(types: &[Ty], kind: Kind) -> Ty {
    let ty = Ty::new(kind);
    if types.first().is_some_and(|first| first.optional) { ty.or_blank() } else { ty }
}

fn read(
    args: &[Argument<'_>],
    wanted: &str,
    from_text: impl Fn(&str) -> Option<Value>,
    from_number: impl Fn(Decimal) -> Option<Value>,
) -> Result<Value, Trouble> {
    let (value, instead) = (at(args, 0).value(), at(args, 1).value());
    let read = match value {
        Value::Blank => return Ok(Value::Blank),
        Value::Text(text) => from_text(text.trim()),
        other => other.as_decimal().and_then(from_number),
    };
    match (read, instead) {
        (Some(read), _) => Ok(read),
        (None, Value::Blank) => Err(Trouble(format!("\"{value}\" is not {wanted}"))),
        (None, instead) => Ok(instead.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(function: &Function, text: &str, instead: &Value) -> Result<Value, Trouble> {
        (function.call)(&[Argument::Value(&Value::text(text)), Argument::Value(instead)])
    }

    #[test]
    fn only_codes_that_iso_has_are_countries_and_currencies() {
        assert_eq!(call(&TO_COUNTRY, "gr", &Value::Blank).unwrap(), Value::text("GR"));
        for wrong in ["UK", "EL", "NLD", "Nederland", "XX"] {
            let trouble = call(&TO_COUNTRY, wrong, &Value::Blank).unwrap_err();
            assert_eq!(trouble.0, format!("\"{wrong}\" is not the two-letter ISO code of a country"));
        }
        assert_eq!(call(&TO_CURRENCY, "gbp", &Value::Blank).unwrap(), Value::text("GBP"));
        assert!(call(&TO_CURRENCY, "€", &Value::Blank).is_err());
    }

    #[test]
    fn the_substitute_stands_in_for_what_cannot_be_read() {
        let home = Value::text("NL");
        assert_eq!(call(&TO_COUNTRY, "Holland", &home).unwrap(), home);
        assert_eq!(call(&TO_COUNTRY, "be", &home).unwrap(), Value::text("BE"));
    }
}

//! Values of `koppel.toml` by the type of their setting.
//!
//! Takes a type and a TOML value, gives a value of the language, or a sentence that says what to write instead.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::{
    Kind, Ty,
    normal::{moment, normalise, number},
};
use crate::value::{Currency, Value};

/// The value of a setting.
///
/// A whole number is taken for a text that refers to a column (`administration = 1`), a number for an amount in euros.
/// A percentage is a text, `"10%"`. TOML has floats only, so a decimal is read from the digits that they are shown with.
///
/// # Errors
/// A sentence for the reader: what the setting takes, and what stands there.
pub fn parse_value(ty: &Ty, value: &toml::Value) -> Result<Value, String> {
    let wrong = || format!("takes {}, not {}", wanted(ty), shown(value));
    let parsed = match (&ty.kind, value) {
        (Kind::List(of), toml::Value::Array(items)) => {
            let items: Vec<Value> = items.iter().map(|item| parse_value(of, item)).collect::<Result<_, _>>()?;
            return Ok(Value::List(items.into()));
        }
        (Kind::Bool, toml::Value::Boolean(yes)) => Some(Value::Bool(*yes)),
        (Kind::Int, toml::Value::Integer(number)) => Some(Value::Int(*number)),
        (Kind::Decimal, value) => decimal(value).map(Value::Decimal),
        (Kind::Money, value) => decimal(value).map(Value::eur),
        (Kind::Percent, toml::Value::String(text)) => {
            let points = text.trim().strip_suffix('%').and_then(|points| number(points.trim_end()));
            points.and_then(super::normal::from_points).map(Value::Decimal)
        }
        (Kind::Date, toml::Value::Datetime(at)) if at.time.is_none() => at.to_string().parse().ok().map(Value::Date),
        (Kind::Date, toml::Value::String(text)) => text.trim().parse().ok().map(Value::Date),
        (Kind::DateTime, toml::Value::Datetime(at)) => moment(&at.to_string()).map(Value::DateTime),
        (Kind::DateTime, toml::Value::String(text)) => moment(text).map(Value::DateTime),
        (Kind::OneOf(words), toml::Value::String(text)) => {
            words.iter().find(|word| ***word == **text).map(|word| Value::Text(word.clone()))
        }
        (Kind::Currency, toml::Value::String(text)) => Currency::parse(text).map(|code| Value::text(code.as_str())),
        (Kind::Country, toml::Value::String(text)) => {
            let letters = text.trim().len() == 2 && text.trim().bytes().all(|byte| byte.is_ascii_alphabetic());
            letters.then(|| normalise(&ty.kind, text))
        }
        (Kind::Text, toml::Value::Integer(number)) if ty.reference.is_some() => {
            Some(Value::Text(Arc::from(number.to_string())))
        }
        (Kind::Text | Kind::Email | Kind::Iban | Kind::VatNumber, toml::Value::String(text)) => {
            return checked_text(ty, text);
        }
        _ => None,
    };
    let parsed = parsed.ok_or_else(wrong)?;
    if let (Value::Text(text), Some(max)) = (&parsed, ty.max) {
        fits(text, max)?;
    }
    Ok(parsed)
}

/// A text in its normal form, not blank unless it may be, not too long, and one of the codes where they are all known.
fn checked_text(ty: &Ty, text: &str) -> Result<Value, String> {
    let value = normalise(&ty.kind, text);
    let Value::Text(text) = &value else {
        return if ty.optional { Ok(value) } else { Err(format!("takes {}, not an empty text", wanted(ty))) };
    };
    if let Some(codes) = &ty.codes {
        match codes.code_of(text) {
            Some(code) => return Ok(Value::Text(code.clone())),
            None if codes.open => {}
            None => {
                let known: Vec<_> = codes.codes.iter().map(|code| format!("\"{}\"", code.code)).collect();
                return Err(format!("takes one of {}, not \"{text}\"", known.join(", ")));
            }
        }
    }
    if let Some(max) = ty.max {
        fits(text, max)?;
    }
    Ok(value)
}

fn fits(text: &str, max: u32) -> Result<(), String> {
    let length = text.chars().count();
    if length > max as usize { Err(format!("may have {max} characters, \"{text}\" has {length}")) } else { Ok(()) }
}

fn decimal(value: &toml::Value) -> Option<Decimal> {
    match value {
        toml::Value::Integer(whole) => Some(Decimal::from(*whole)),
        toml::Value::Float(digits) => number(&digits.to_string()),
        toml::Value::String(text) => number(text),
        _ => None,
    }
}

/// The type in a reader's words.
fn wanted(ty: &Ty) -> String {
    match &ty.kind {
        Kind::Bool => "true or false".to_owned(),
        Kind::Int => "a whole number".to_owned(),
        Kind::Decimal => "a number".to_owned(),
        Kind::Money => "an amount such as 0.05".to_owned(),
        Kind::Percent => "a percentage such as \"10%\"".to_owned(),
        Kind::Date => "a day such as 2026-01-01".to_owned(),
        Kind::DateTime => "a moment such as 2026-01-01T09:00:00".to_owned(),
        Kind::Country => "a country code such as \"NL\"".to_owned(),
        Kind::Currency => "a currency code such as \"EUR\"".to_owned(),
        Kind::OneOf(words) => {
            let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
            format!("one of {}", words.join(", "))
        }
        Kind::List(of) => format!("a list of {of}"),
        _ => "a text".to_owned(),
    }
}

fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => format!("\"{text}\""),
        toml::Value::Array(_) => "a list".to_owned(),
        toml::Value::Table(_) => "a table".to_owned(),
        other => other.to_string(),
    }
}

//! Reading and making JSON values exactly: numbers go through decimals, never through floats.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// The fields of one JSON object, in their order.
pub(super) type Fields = Map<String, Value>;

/// The text of a field; empty when it is absent, null or no text.
pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or("")
}

/// The text of a field that is filled.
pub(super) fn filled<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    Some(text(fields, name)).filter(|text| !text.trim().is_empty())
}

/// The truth of a field; no when it is absent.
pub(super) fn yes(fields: &Fields, name: &str) -> bool {
    fields.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// A number, or a text that is one.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok())
}

/// The number in a field.
pub(super) fn amount(fields: &Fields, name: &str) -> Option<Decimal> {
    fields.get(name).and_then(decimal)
}

/// A JSON number with exactly these digits.
pub(super) fn number(value: Decimal) -> Value {
    serde_json::from_str(&value.normalize().to_string()).unwrap_or(Value::Null)
}

/// Rounded to cents, a half away from zero.
pub(super) fn cents(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
}

/// A value as a person would write it; null is empty.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// An object out of names and values.
pub(super) fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

//! Decided fields become vendor JSON: wire names, wire forms, plain nesting.
//!
//! Takes an object and fields, gives one JSON object; what an envelope adds (`Element`, `Fields`, `Objects` of AFAS) is
//! its connector's job: scalars and amounts are values, sub-objects are objects, line objects are arrays of objects.
//! Promises that a number leaves with the digits it has.

use rust_decimal::Decimal;
use serde_json::{Map, Number, Value as Json};

use super::{
    Field, Form, Kind, Object,
    normal::{home_text, to_points},
};
use crate::value::{Fields, Money, Node, Value};

/// Why fields could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct EncodeError {
    /// `Lines[1].Upri`.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

/// The body of a write, by wire names: `{"DbId": "1", "FbSalesLines": [{…}]}`.
///
/// `clear` is an empty text for AFAS and `null` for others.
///
/// # Errors
/// A field that the object lacks, a value of another kind, a key that is not there yet, an amount in a currency that is
/// not that of the document.
pub fn encode(object: &Object, fields: &Fields) -> Result<Json, EncodeError> {
    body(object, fields, &Around { fields: &[], keys: Keys::Given })
}

/// The same before earlier writes have given their keys: `(key of sale)` stands for one.
///
/// # Errors
/// As [`encode`], but for keys.
pub fn encode_decided(object: &Object, fields: &Fields) -> Result<Json, EncodeError> {
    body(object, fields, &Around { fields: &[], keys: Keys::Named })
}

/// One value as its field has it on the wire; `clear` and keys of later writes have none.
///
/// # Errors
/// As [`encode`].
pub fn encode_value(field: &Field, value: &Value) -> Result<Json, EncodeError> {
    let around = Around { fields: &[], keys: Keys::Given };
    scalar(field, &field.ty.kind, value, &around)
        .map_err(|problem| EncodeError { path: field.name.to_string(), problem })
}

/// What a field stands in.
struct Around<'a> {
    /// The fields of the objects around it, the outermost first.
    fields: &'a [&'a Fields],
    keys: Keys,
}

/// What stands for the key of an earlier write.
#[derive(Clone, Copy)]
enum Keys {
    /// Nothing: it must be there.
    Given,
    /// Its name.
    Named,
}

fn body(object: &Object, fields: &Fields, around: &Around<'_>) -> Result<Json, EncodeError> {
    let mut out = Map::with_capacity(fields.0.len());
    let within: Vec<&Fields> = around.fields.iter().copied().chain([fields]).collect();
    let around = Around { fields: &within, keys: around.keys };
    for (name, node) in &fields.0 {
        let Some(field) = object.field(name) else {
            let problem = format!("{} has no such field", object.path);
            return Err(EncodeError { path: name.to_string(), problem });
        };
        if let Some(instead) = &field.instead {
            return Err(EncodeError { path: name.to_string(), problem: format!("is not written: {instead}") });
        }
        let json = match (node, field.ty.object()) {
            (Node::Value(Value::Clear), _) => cleared(object.system()),
            (Node::Value(Value::Blank), _) => continue,
            (Node::Value(value), _) => value_or_list(field, value, &around)
                .map_err(|problem| EncodeError { path: name.to_string(), problem })?,
            (Node::Object(inner), Some(of)) => {
                let one = body(of, inner, &around).map_err(|error| below(name, None, error))?;
                if matches!(field.ty.kind, Kind::List(_)) { Json::Array(vec![one]) } else { one }
            }
            (Node::List(rows), Some(of)) => {
                let rows = rows
                    .iter()
                    .enumerate()
                    .map(|(index, row)| body(of, row, &around).map_err(|error| below(name, Some(index), error)));
                let mut rows: Vec<_> = rows.collect::<Result<_, _>>()?;
                match (&field.ty.kind, rows.len()) {
                    (Kind::List(_), _) => Json::Array(rows),
                    (_, 1) => rows.swap_remove(0),
                    (_, count) => {
                        let problem = format!("takes one object, {count} are given");
                        return Err(EncodeError { path: name.to_string(), problem });
                    }
                }
            }
            (Node::Object(_) | Node::List(_), None) => {
                let problem = "takes a value, not fields".to_owned();
                return Err(EncodeError { path: name.to_string(), problem });
            }
        };
        out.insert(field.wire.to_string(), json);
    }
    for field in object.fields.values() {
        if field.form == Form::NullText {
            out.entry(field.wire.to_string()).or_insert(Json::Null);
        }
    }
    Ok(Json::Object(out))
}

fn below(name: &str, index: Option<usize>, error: EncodeError) -> EncodeError {
    let step = index.map_or_else(|| name.to_owned(), |index| format!("{name}[{index}]"));
    EncodeError { path: format!("{step}.{}", error.path), ..error }
}

fn cleared(system: &str) -> Json {
    if system == "afas" { Json::String(String::new()) } else { Json::Null }
}

fn value_or_list(field: &Field, value: &Value, around: &Around<'_>) -> Result<Json, String> {
    match (&field.ty.kind, value) {
        (Kind::List(of), Value::List(items)) => {
            let items = items.iter().filter(|item| !item.is_blank());
            items.map(|item| scalar(field, &of.kind, item, around)).collect::<Result<_, _>>().map(Json::Array)
        }
        (kind, value) => scalar(field, kind, value, around),
    }
}

fn scalar(field: &Field, kind: &Kind, value: &Value, around: &Around<'_>) -> Result<Json, String> {
    match (kind, value) {
        (_, Value::Key(write)) => match around.keys {
            Keys::Given => Err(format!("the key of {write} is not there yet")),
            Keys::Named => Ok(Json::String(value.to_string())),
        },
        (Kind::Bool, Value::Bool(yes)) => Ok(Json::Bool(*yes)),
        (Kind::Int, Value::Int(number)) => Ok(Json::from(*number)),
        (Kind::Int, Value::Decimal(number)) if number.is_integer() => json_number(number.normalize()),
        // A key that an earlier write gave, or a reference that is written as a number in koppel.toml.
        (Kind::Int, Value::Text(text)) => match text.trim().parse::<i64>() {
            Ok(number) => Ok(Json::from(number)),
            Err(_) => Err("takes a whole number, not a text".to_owned()),
        },
        (Kind::Decimal, Value::Int(_) | Value::Decimal(_)) => number(field, value.as_decimal().unwrap_or_default()),
        (Kind::Percent, Value::Int(_) | Value::Decimal(_)) => percent(field, value.as_decimal().unwrap_or_default()),
        (Kind::Money, Value::Money(amount)) => money(field, *amount, around),
        (Kind::Date, Value::Date(day)) => Ok(Json::String(day.to_string())),
        (Kind::DateTime, Value::DateTime(moment)) => match field.form {
            Form::AmsterdamTime => home_text(*moment).map(Json::String).ok_or_else(|| "has no Amsterdam time".into()),
            _ => Ok(Json::String(moment.to_string())),
        },
        (kind, Value::Text(text)) if texty(kind) => Ok(Json::String(text.to_string())),
        (kind, Value::Int(number)) if texty(kind) => Ok(Json::String(number.to_string())),
        (kind, value) => Err(format!("takes {}, not {}", words(kind), value_words(value))),
    }
}

fn texty(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Text | Kind::Country | Kind::Currency | Kind::Email | Kind::Iban | Kind::VatNumber | Kind::OneOf(_)
    )
}

fn number(field: &Field, number: Decimal) -> Result<Json, String> {
    match field.form {
        Form::NumberText => Ok(Json::String(number.normalize().to_string())),
        _ => json_number(number.normalize()),
    }
}

fn percent(field: &Field, fraction: Decimal) -> Result<Json, String> {
    if field.form == Form::PercentFraction {
        return Ok(Json::String(fraction.normalize().to_string()));
    }
    let points = to_points(fraction).ok_or("has too many digits")?;
    match field.decimals {
        Some(places) if points.scale() > places => {
            Err(format!("{points}% has more than {places} decimals: round it, `round(x, {places})`"))
        }
        _ => json_number(points),
    }
}

fn money(field: &Field, money: Money, around: &Around<'_>) -> Result<Json, String> {
    let wrong = |currency: &str| format!("an amount in {} where {currency} is written", money.currency.as_str());
    match &field.form {
        Form::MoneyObject(key) => {
            let mut amount = Map::new();
            amount.insert(key.to_string(), Json::String(cents(money.amount)));
            amount.insert("currency".to_owned(), Json::String(money.currency.as_str().to_owned()));
            Ok(Json::Object(amount))
        }
        form => {
            let currency = match form {
                Form::MoneyNumber(Some(name)) => {
                    around.fields.iter().rev().find_map(|fields| fields.value(name)?.as_text())
                }
                _ => None,
            };
            let currency = currency.unwrap_or("EUR");
            if currency != money.currency.as_str() && !money.amount.is_zero() {
                return Err(wrong(currency));
            }
            json_number(money.amount.normalize())
        }
    }
}

/// Two decimals at least, more where it has more.
fn cents(amount: Decimal) -> String {
    let amount = amount.normalize();
    if amount.scale() < 2 { format!("{amount:.2}") } else { amount.to_string() }
}

fn json_number(number: Decimal) -> Result<Json, String> {
    number.to_string().parse::<Number>().map(Json::Number).map_err(|_| "is no number of JSON".to_owned())
}

fn words(kind: &Kind) -> &'static str {
    match kind {
        Kind::Bool => "yes or no",
        Kind::Int => "a whole number",
        Kind::Decimal => "a number",
        Kind::Percent => "a percentage",
        Kind::Money => "an amount",
        Kind::Date => "a day",
        Kind::DateTime => "a moment",
        Kind::List(_) | Kind::Words(_) => "a list",
        Kind::Record(_) => "fields",
        _ => "a text",
    }
}

fn value_words(value: &Value) -> &'static str {
    match value {
        Value::Blank => "a blank",
        Value::Bool(_) => "yes or no",
        Value::Int(_) | Value::Decimal(_) => "a number",
        Value::Money(_) => "an amount",
        Value::Text(_) => "a text",
        Value::Date(_) => "a day",
        Value::DateTime(_) => "a moment",
        Value::List(_) => "a list",
        Value::Record(_) => "a record",
        Value::Key(_) => "a key",
        Value::Clear => "`clear`",
    }
}

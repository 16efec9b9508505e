//! What stands in a scenario, as the systems have it: records that are put in, bodies that were written.

use serde_json::{Map, Value, json};
use toml::{Table, Value as Toml};

/// Fields of Jortt that are amounts of money.
const MONEY: &[&str] =
    &["amount", "invoice_total", "invoice_total_incl_vat", "invoice_due_amount", "total", "total_incl_vat"];

/// A value of a scenario as JSON; `bases` are the records that others may be like.
pub(super) fn json(value: &Toml, bases: &Table, turn: usize) -> Value {
    match value {
        Toml::String(text) if text == "(none)" => Value::Null,
        Toml::String(text) => text.replace("{n}", &turn.to_string()).into(),
        Toml::Integer(number) => (*number).into(),
        Toml::Float(number) => serde_json::from_str(&number.to_string()).unwrap(),
        Toml::Boolean(yes) => (*yes).into(),
        Toml::Datetime(date) => date.to_string().into(),
        Toml::Array(list) => {
            // An item with `times` stands there so often.
            let times = |item: &Toml| item.get("times").and_then(Toml::as_integer).unwrap_or(1);
            let all = list.iter().flat_map(|item| (0..times(item)).map(move |_| json(item, bases, turn)));
            all.collect()
        }
        Toml::Table(table) => record(table, bases, turn),
    }
}

/// A record; with `like` it is laid over the one of that name.
pub(super) fn record(table: &Table, bases: &Table, turn: usize) -> Value {
    let mut all = Map::new();
    if let Some(base) = table.get("like") {
        let name = base.as_str().unwrap();
        let base = bases.get(name).and_then(Toml::as_table).unwrap_or_else(|| panic!("no record {name}"));
        if let Value::Object(fields) = record(base, bases, turn) {
            all.extend(fields);
        }
    }
    for (name, value) in table.iter().filter(|(name, _)| !["like", "times"].contains(&name.as_str())) {
        let own = json(value, bases, turn);
        let own = match (name.as_str(), own) {
            (money, Value::String(amount)) if MONEY.contains(&money) => json!({"amount": amount, "currency": "EUR"}),
            ("vat", Value::String(rate)) => json!({"value": rate, "category": null}),
            (_, own) => own,
        };
        all.insert(name.clone(), own);
    }
    all.into()
}

/// The fields that a write is expected to have: as written, nothing laid over.
pub(super) fn expected(table: &Table, bases: &Table) -> Value {
    json(&Toml::Table(table.clone()), bases, 1)
}

/// A write, as a scenario names it (`create afas.FbSales`), and its body without the vendor's wrapping.
pub(super) fn written(write: &Value) -> (String, Value) {
    let text = |name: &str| write[name].as_str().unwrap();
    let parts: Vec<&str> = text("path").split('/').filter(|part| !part.is_empty()).collect();
    let action = match text("method") {
        "POST" => "create",
        "PUT" => "update",
        _ => "delete",
    };
    if text("system") == "afas" {
        let root = write["body"].as_object().and_then(|body| body.values().next()).cloned().unwrap_or_default();
        return (format!("{action} afas.{}", parts[2]), element(&root["Element"]));
    }
    let mut body = write["body"].clone();
    // v1/customers/ID, v1/invoices/ID/set_labels
    let name = match parts[1..] {
        [kind] => kind.to_owned(),
        [kind, id] | [kind, id, _] => {
            if let Some(body) = body.as_object_mut() {
                body.insert("id".to_owned(), id.into());
            }
            match parts.get(3) {
                None => kind.to_owned(),
                // POST v1/invoices/ID/send
                Some(&"send") => "invoice_sendings".to_owned(),
                Some(what) => format!("{kind}.{what}"),
            }
        }
        _ => parts.join("/"),
    };
    (format!("{action} jortt.{name}"), body)
}

/// An element of AFAS: its fields, with its objects beside them.
fn element(value: &Value) -> Value {
    match value {
        Value::Array(all) => all.iter().map(element).collect(),
        Value::Object(own) => {
            let mut flat = Map::new();
            for (name, value) in own {
                match name.as_str() {
                    "Fields" => flat.extend(value.as_object().cloned().unwrap_or_default()),
                    "Objects" => {
                        for (name, below) in
                            value.as_array().into_iter().flatten().filter_map(Value::as_object).flatten()
                        {
                            flat.insert(name.clone(), element(&below["Element"]));
                        }
                    }
                    _ => drop(flat.insert(name.clone(), value.clone())),
                }
            }
            flat.into()
        }
        other => other.clone(),
    }
}

/// Is all that is expected in what came? What is not named may be anything; a list is named with all its items.
pub(super) fn includes(came: &Value, expected: &Value) -> bool {
    match (came, expected) {
        (Value::Object(came), Value::Object(expected)) => {
            expected.iter().all(|(name, expected)| includes(came.get(name).unwrap_or(&Value::Null), expected))
        }
        (Value::Array(came), Value::Array(expected)) => {
            came.len() == expected.len() && came.iter().zip(expected).all(|(came, expected)| includes(came, expected))
        }
        (Value::Array(came), Value::Object(_)) => came.len() == 1 && includes(&came[0], expected),
        _ => number(came).zip(number(expected)).map_or_else(|| came == expected, |(came, expected)| came == expected),
    }
}

fn number(value: &Value) -> Option<rust_decimal::Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    text.parse::<rust_decimal::Decimal>().ok().map(|number| number.normalize())
}

//! A value as a flow would write it.

use crate::{
    schema::{Kind, Ty},
    value::Value,
};

/// The literal of a value of this type; none for what has none: records, keys that are still to come.
pub(super) fn literal(value: &Value, ty: &Ty) -> Option<String> {
    Some(match (value, &ty.kind) {
        (Value::Blank, _) => "blank".to_owned(),
        (Value::Clear, _) => "clear".to_owned(),
        (Value::Decimal(share), Kind::Percent) => {
            format!("{}%", share.checked_mul(100.into())?.normalize())
        }
        (Value::Text(text), _) => quoted(text),
        // A set of words is given as one of them.
        (Value::List(items), Kind::Words(_)) => literal(items.last()?, ty)?,
        (Value::List(items), _) => {
            let of = if let Kind::List(of) = &ty.kind { of } else { ty };
            let items: Option<Vec<String>> = items.iter().map(|item| literal(item, of)).collect();
            format!("[{}]", items?.join(", "))
        }
        (Value::Bool(_) | Value::Int(_) | Value::Decimal(_) | Value::Money(_) | Value::Date(_), _) => value.to_string(),
        (Value::DateTime(_) | Value::Record(_) | Value::Key(_), _) => return None,
    })
}

/// A text between quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' | '{' | '}' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            other if other.is_control() => {}
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

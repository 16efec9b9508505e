//! Functions that turn one kind into another. What cannot be read fails the record and names the value.

use super::{Argument, Function, Takes, Trouble, at, needed, optional};
use crate::{
    schema::{Kind, Ty},
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

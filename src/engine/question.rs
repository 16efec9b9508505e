//! How a write will be recognised: its facts and its fields make the question that the ledger keeps.

use std::sync::Arc;

use crate::{
    ledger::{Part, Question, QuestionMark, Seen},
    schema::{Catalog, Kind, Object, Privacy, WriteFacts},
    value::{Decimal, Fields, Node, Value, Write},
};

/// How a write is seen again, and the question for it. Marks whose values are still to come, or blank, are left out.
pub(super) fn question(catalog: &Catalog, system: &str, facts: &WriteFacts, write: &Write) -> (Seen, Option<Question>) {
    let recognise = &facts.recognise;
    if recognise.nothing {
        return (Seen::Nothing, None);
    }
    let shown = recognise.entity.as_ref().and_then(|entity| catalog.entity(system, entity));
    let read = shown.and_then(|entity| entity.read.as_ref());
    let (Some(entity), Some(read)) = (&recognise.entity, read) else {
        let seen = if write.own_number.is_some() { Seen::Number } else { Seen::Nothing };
        return (seen, None);
    };
    let number = recognise.own_number.as_ref().map(|number| &number.field);
    let finds = recognise.compare.iter().map(|pair| (pair, true));
    let besides = recognise.also.iter().map(|pair| (pair, false));
    let mut marks = Vec::new();
    for ((written, field), finds) in finds.chain(besides) {
        let value = value_at(&write.fields, written);
        let value = typed(value, &read.object, field);
        if matches!(value, Value::Blank | Value::Key(_)) {
            continue;
        }
        let part = match finds {
            false => Part::Other,
            true if number == Some(written) => Part::Number,
            true => Part::Reference,
        };
        let privacy = facts.create.as_ref().and_then(|body| body.at(written)).map(|field| field.privacy);
        // A reference is chosen by the flow to be kept in plain, whatever its field could hold.
        let named = Some(written) == number || Some(written) == recognise.reference.as_ref();
        let private = match privacy {
            Some(Privacy::Personal) => true,
            Some(Privacy::FreeText) => !named,
            Some(Privacy::Plain) | None => false,
        };
        marks.push(QuestionMark { field: field.clone(), value, part, private });
    }
    let by_sign = recognise.sign.as_ref().map(|(field, word)| QuestionMark {
        field: field.clone(),
        value: Value::text(word),
        part: Part::Other,
        private: false,
    });
    let found_by = if by_sign.is_some() { Seen::Sign } else { Seen::Read };
    marks.extend(by_sign);
    if marks.iter().all(|mark| mark.part == Part::Other) {
        let seen = if write.own_number.is_some() { Seen::Number } else { Seen::Nothing };
        return (seen, None);
    }
    (found_by, Some(Question { entity: entity.clone(), key: recognise.key.clone(), marks }))
}

/// The value at a written path; of line objects the first.
fn value_at<'a>(fields: &'a Fields, path: &str) -> &'a Value {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    match (fields.get(first), rest) {
        (Some(Node::Value(value)), None) => value,
        (Some(Node::Object(fields)), Some(rest)) => value_at(fields, rest),
        (Some(Node::List(list)), Some(rest)) => list.first().map_or(&Value::Blank, |fields| value_at(fields, rest)),
        _ => &Value::Blank,
    }
}

/// A written value, or a key, as the read field shows it: a number where it shows numbers, else its text.
pub(super) fn typed(value: &Value, object: &Object, field: &str) -> Value {
    let kind = object.at(field).map(|field| &field.ty.kind);
    let text = || -> Arc<str> { value.to_string().into() };
    match (value, kind) {
        (Value::Int(_) | Value::Decimal(_) | Value::Money(_), Some(Kind::Text)) => Value::Text(text()),
        (Value::Text(digits), Some(Kind::Int)) => digits.parse().map_or(Value::Blank, Value::Int),
        (Value::Text(digits), Some(Kind::Decimal)) => digits.parse::<Decimal>().map_or(Value::Blank, Value::Decimal),
        _ => value.clone(),
    }
}

//! Conditions of the language as AFAS filters: never stronger than what was asked, never syntax out of a value.
//!
//! Takes a [`Filter`], gives alternatives of conditions and, packed as the length of a query allows, the parameters
//! that carry them. What AFAS cannot do, or does another way than koppel (case, trailing spaces, blanks), is left out
//! or widened here; the rows are tried by the filter itself afterwards.
//!
//! # Source
//! AFAS Profit REST, "GetConnector": operators 1 to 15; `,` is AND, `;` is OR, and there is no escape for them.

use std::{collections::HashMap, sync::Arc};

use indexmap::IndexSet;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde_json::json;

use crate::{
    connector::address::encode,
    schema::{Field, Form, Kind, Object},
    value::{Compare, Decimal, Filter, Value},
};

/// More alternatives than this are not made out of one filter: it is left weaker.
const MOST: usize = 400;

const IS: u8 = 1;
const AT_LEAST: u8 = 2;
const AT_MOST: u8 = 3;
const MORE: u8 = 4;
const LESS: u8 = 5;
const IS_NOT: u8 = 7;
const EMPTY: u8 = 8;
const FILLED: u8 = 9;
const STARTS: u8 = 10;

/// From so many numbers of one ten on, the ten is asked for: more rows may come, and fewer calls are made.
const OF_TEN: usize = 4;

/// One condition as AFAS has them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Condition {
    /// As it is written in a filter.
    field: String,
    operator: u8,
    value: String,
    /// Is the field a text, so that it can begin with something?
    text: bool,
}

/// Conditions that must all hold; none = every row.
pub(super) type All = Vec<Condition>;

/// The weakest filter of AFAS that lets through every row that `filter` matches, as alternatives; none = no row.
pub(super) fn weaken(filter: &Filter, object: &Object) -> Vec<All> {
    match filter {
        Filter::All => everything(),
        Filter::Never => Vec::new(),
        Filter::Is(path, value) => is(object, path, value),
        Filter::In(path, values) => either(values.iter().map(|value| is(object, path, value))),
        Filter::IsNot(path, value) => is_not(object, path, value),
        Filter::Compares(path, compare, value) => compares(object, path, *compare, value),
        Filter::Blank(path) => state(object, path, EMPTY),
        Filter::Filled(path) => state(object, path, FILLED),
        Filter::And(all) => both(all.iter().map(|filter| weaken(filter, object))),
        Filter::Or(any) => either(any.iter().map(|filter| weaken(filter, object))),
        Filter::Not(inner) => weaken_not(inner, object),
    }
}

/// The same for the opposite of a filter.
fn weaken_not(filter: &Filter, object: &Object) -> Vec<All> {
    match filter {
        Filter::All => Vec::new(),
        Filter::Never => everything(),
        Filter::Is(path, value) => is_not(object, path, value),
        Filter::IsNot(path, value) => is(object, path, value),
        Filter::In(path, values) => both(values.iter().map(|value| is_not(object, path, value))),
        Filter::Compares(path, compare, value) => {
            let opposite = match compare {
                Compare::Less => Compare::AtLeast,
                Compare::AtMost => Compare::Greater,
                Compare::Greater => Compare::AtMost,
                Compare::AtLeast => Compare::Less,
            };
            if value.is_blank() {
                return everything();
            }
            either([compares(object, path, opposite, value), state(object, path, EMPTY)])
        }
        Filter::Blank(path) => state(object, path, FILLED),
        Filter::Filled(path) => state(object, path, EMPTY),
        Filter::And(all) => either(all.iter().map(|filter| weaken_not(filter, object))),
        Filter::Or(any) => both(any.iter().map(|filter| weaken_not(filter, object))),
        Filter::Not(inner) => weaken(inner, object),
    }
}

fn everything() -> Vec<All> {
    vec![Vec::new()]
}

fn either(parts: impl IntoIterator<Item = Vec<All>>) -> Vec<All> {
    let mut any: Vec<All> = Vec::new();
    for all in parts.into_iter().flatten() {
        if all.is_empty() {
            return everything();
        }
        if !any.contains(&all) {
            any.push(all);
        }
    }
    any
}

fn both(parts: impl IntoIterator<Item = Vec<All>>) -> Vec<All> {
    let mut parts: Vec<Vec<All>> = parts.into_iter().collect();
    // Narrow ones first, so that what is left out when it gets too much is what narrows least.
    parts.sort_by_key(Vec::len);
    let mut product = everything();
    for part in parts {
        if product.len().saturating_mul(part.len()) > MOST {
            break;
        }
        product = product
            .iter()
            .flat_map(|left| {
                part.iter().map(|right| {
                    let mut all = left.clone();
                    all.extend(right.iter().filter(|condition| !left.contains(condition)).cloned());
                    all
                })
            })
            .collect();
    }
    product
}

/// A field that AFAS itself knows: one of the row, not computed by us.
fn field<'o>(object: &'o Object, path: &str) -> Option<&'o Arc<Field>> {
    object.field(path).filter(|field| field.derived.is_none())
}

fn condition(field: &Field, operator: u8, value: String) -> All {
    vec![Condition { field: field_id(&field.wire), operator, value, text: field.ty.is_texty() }]
}

/// `['A_Toev_Huisnr.']`: a name with more than letters, digits and underscores is put in brackets.
pub(super) fn field_id(wire: &str) -> String {
    if wire.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        wire.to_owned()
    } else {
        format!("['{wire}']")
    }
}

/// Is the value kept in another form than AFAS has it, so that equal here is not always equal there?
fn rewritten(field: &Field) -> bool {
    matches!(field.ty.kind, Kind::Iban | Kind::VatNumber | Kind::Words(_) | Kind::List(_) | Kind::Record(_))
}

fn is(object: &Object, path: &str, value: &Value) -> Vec<All> {
    if value.is_blank() {
        return Vec::new();
    }
    let Some(field) = field(object, path).filter(|field| !rewritten(field)) else { return everything() };
    match value {
        Value::Text(text) if field.ty.max.is_some_and(|max| text.chars().count() > max as usize) => Vec::new(),
        Value::Text(text) => vec![condition(field, IS, text.to_string())],
        Value::Bool(yes) => vec![condition(field, IS, yes.to_string())],
        Value::Date(day) => day_range(field, Some(*day), Some(*day)),
        _ => number(field, value).map_or_else(everything, |text| vec![condition(field, IS, text)]),
    }
}

/// A blank row is "not" as well, so that is asked for too. Texts that differ in case or by spaces at the end are
/// equal to AFAS and different here: for texts there is no such filter.
fn is_not(object: &Object, path: &str, value: &Value) -> Vec<All> {
    let Some(field) = field(object, path).filter(|field| !rewritten(field)) else { return everything() };
    let text = match value {
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Int(_) | Value::Decimal(_) => number(field, value),
        _ => None,
    };
    match text {
        Some(text) => either([vec![condition(field, IS_NOT, text)], state(object, path, EMPTY)]),
        None => everything(),
    }
}

fn state(object: &Object, path: &str, operator: u8) -> Vec<All> {
    match field(object, path) {
        // A text of white space is blank here, and AFAS may not find it empty.
        Some(field) if operator == FILLED || !field.ty.is_texty() && !rewritten(field) => {
            // A value must be given and means nothing.
            vec![condition(field, operator, "\"\"".to_owned())]
        }
        _ => everything(),
    }
}

fn compares(object: &Object, path: &str, compare: Compare, value: &Value) -> Vec<All> {
    if value.is_blank() {
        return Vec::new();
    }
    let Some(field) = field(object, path).filter(|field| !rewritten(field)) else { return everything() };
    match value {
        Value::Date(day) => match compare {
            Compare::AtLeast => day_range(field, Some(*day), None),
            Compare::Greater => day.tomorrow().map_or_else(|_| everything(), |next| day_range(field, Some(next), None)),
            Compare::AtMost => day_range(field, None, Some(*day)),
            Compare::Less => {
                day.yesterday().map_or_else(|_| everything(), |before| day_range(field, None, Some(before)))
            }
        },
        Value::DateTime(moment) => match compare {
            Compare::AtLeast | Compare::Greater => moment_bound(field, AT_LEAST, *moment),
            // In the autumn night an hour happens twice and AFAS does not say which it means.
            Compare::AtMost | Compare::Less => moment
                .checked_add(SignedDuration::from_hours(1))
                .map_or_else(|_| everything(), |later| moment_bound(field, AT_MOST, later)),
        },
        _ => {
            let operator = match compare {
                Compare::Less => LESS,
                Compare::AtMost => AT_MOST,
                Compare::Greater => MORE,
                Compare::AtLeast => AT_LEAST,
            };
            // The order of texts is that of the database, which is not ours.
            number(field, value).map_or_else(everything, |text| vec![condition(field, operator, text)])
        }
    }
}

/// Days are moments to AFAS, so a day is all its hours.
fn day_range(field: &Field, from: Option<Date>, until: Option<Date>) -> Vec<All> {
    let mut all = Vec::new();
    if let Some(day) = from {
        all.extend(condition(field, AT_LEAST, format!("{day}T00:00:00")));
    }
    if let Some(next) = until.and_then(|day| day.tomorrow().ok()) {
        all.extend(condition(field, LESS, format!("{next}T00:00:00")));
    }
    vec![all]
}

/// Local time without a zone; a fraction of a second is cut off, which is weaker for a lower bound, and the hour that
/// was added covers it for an upper one.
fn moment_bound(field: &Field, operator: u8, moment: Timestamp) -> Vec<All> {
    let zone = match field.form {
        Form::AmsterdamTime => TimeZone::get("Europe/Amsterdam").ok(),
        _ => Some(TimeZone::UTC),
    };
    let Some(zone) = zone else { return everything() };
    let local = zone.to_datetime(moment);
    vec![condition(field, operator, local.strftime("%Y-%m-%dT%H:%M:%S").to_string())]
}

/// A number as AFAS has it in this field.
fn number(field: &Field, value: &Value) -> Option<String> {
    let number = value.as_decimal()?;
    let number = if field.form == Form::PercentPoints { number.checked_mul(Decimal::ONE_HUNDRED)? } else { number };
    Some(number.normalize().to_string())
}

/// A query and the alternatives that it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    /// `filterjson=…` and so on.
    pub(super) text: String,
    /// What it lets through.
    pub(super) asks: Vec<All>,
}

impl Query {
    /// Does it ask for whole tens of numbers, where others may be among them?
    pub(super) fn is_wider(&self) -> bool {
        self.asks.iter().flatten().any(|one| one.operator == STARTS)
    }

    /// Does it let through what this alternative does?
    pub(super) fn covers(&self, all: &All) -> bool {
        self.asks.contains(all) || ten(all).is_some_and(|ten| self.asks.contains(&ten))
    }
}

/// What an equality with a number at its end becomes, when all numbers of its ten are asked for: `2026-017` is one of
/// those that begin with `2026-01`.
fn ten(all: &All) -> Option<All> {
    let [one] = all.as_slice() else { return None };
    let start = one.value.strip_suffix(|last: char| last.is_ascii_digit())?;
    let plain = one.text && one.operator == IS && !start.is_empty() && is_plain(start);
    plain.then(|| vec![Condition { operator: STARTS, value: start.to_owned(), ..one.clone() }])
}

/// Fewer alternatives that let through at least the same: numbers of one ten, where there are many, become one.
pub(super) fn gathered(alternatives: &[All]) -> Vec<All> {
    let mut tens: HashMap<All, usize> = HashMap::new();
    for ten in alternatives.iter().filter_map(ten) {
        *tens.entry(ten).or_default() += 1;
    }
    let mut few: IndexSet<All> = IndexSet::new();
    for all in alternatives {
        let ten = ten(all).filter(|ten| tens.get(ten).is_some_and(|count| *count >= OF_TEN));
        few.insert(ten.unwrap_or_else(|| all.clone()));
    }
    few.into_iter().collect()
}

/// The queries that together ask for these alternatives, each at most `limit` characters with its `?`. `start` is the
/// rest of the query at its longest. None = they cannot be asked for, all rows must be.
pub(super) fn queries(alternatives: &[All], start: &str, limit: usize) -> Option<Vec<Query>> {
    let room = limit.checked_sub(start.len().saturating_add("?&".len()))?;
    if alternatives.iter().any(Vec::is_empty) {
        return None;
    }
    let (simple, mixed): (Vec<&All>, Vec<&All>) = alternatives.iter().partition(|all| plain_one(all).is_some());
    if !mixed.is_empty() {
        let everything: Vec<&All> = alternatives.iter().collect();
        let one = as_json(&everything);
        if one.len() <= room {
            return Some(vec![Query { text: one, asks: alternatives.to_vec() }]);
        }
    }
    let mut queries = packed(&simple, room, as_plain)?;
    queries.extend(packed(&mixed, room, as_json)?);
    Some(queries)
}

/// Fills queries one after the other; none when a single alternative is too long by itself.
fn packed(alternatives: &[&All], room: usize, form: fn(&[&All]) -> String) -> Option<Vec<Query>> {
    let query = |open: &[&All], text| Query { text, asks: open.iter().copied().cloned().collect() };
    let mut queries = Vec::new();
    let mut open: Vec<&All> = Vec::new();
    let mut text = String::new();
    for all in alternatives {
        open.push(all);
        let longer = form(&open);
        if longer.len() <= room {
            text = longer;
            continue;
        }
        open.pop();
        if !open.is_empty() {
            queries.push(query(&open, text));
        }
        open = vec![all];
        text = form(&open);
        if text.len() > room {
            return None;
        }
    }
    if !open.is_empty() {
        queries.push(query(&open, text));
    }
    Some(queries)
}

/// A single equality or beginning whose value can hold nothing that AFAS takes for a sign of its own.
fn plain_one(all: &All) -> Option<&Condition> {
    match all.as_slice() {
        [one] if matches!(one.operator, IS | STARTS) && is_plain(&one.value) && is_plain(&one.field) => Some(one),
        _ => None,
    }
}

/// Letters, digits and signs that are known to mean nothing. Anything else goes through `filterjson`.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && text
            .chars()
            .all(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '@' | '.' | '-' | '_' | '+' | '/' | ':'))
}

fn as_plain(alternatives: &[&All]) -> String {
    let list = |part: fn(&Condition) -> String| {
        let parts: Vec<String> = alternatives.iter().copied().flatten().map(part).collect();
        encode(&parts.join(";"))
    };
    format!(
        "filterfieldids={}&filtervalues={}&operatortypes={}",
        list(|one| one.field.clone()),
        list(|one| one.value.clone()),
        list(|one| one.operator.to_string())
    )
}

fn as_json(alternatives: &[&All]) -> String {
    let filters: Vec<serde_json::Value> = alternatives
        .iter()
        .enumerate()
        .map(|(index, all)| {
            let fields: Vec<serde_json::Value> = all
                .iter()
                .map(
                    |one| json!({"@FieldId": one.field, "@OperatorType": one.operator.to_string(), "#text": one.value}),
                )
                .collect();
            json!({"@FilterId": format!("Filter {}", index.saturating_add(1)), "Field": fields})
        })
        .collect();
    format!("filterjson={}", encode(&json!({"Filters": {"Filter": filters}}).to_string()))
}

#[cfg(test)]
mod tests;

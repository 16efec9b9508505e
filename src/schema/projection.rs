//! Which fields of an entity are decoded, and the decoding: vendor JSON becomes a record.
//!
//! Takes an object, the fields that a plan reads and JSON; gives records of one shared shape. Promises: numbers exact;
//! `null`, empty texts and white space are blank; a missing list is an empty one; a value of the wrong kind is an error
//! that tells where, and never shows personal data. Fields that nobody reads are not looked at.

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Map, Value as Json};

use super::{
    Derived, Field, Form, Kind, Object, Privacy, Test, Ty,
    normal::{day, from_points, home_moment, moment, normalise, number},
};
use crate::value::{Currency, Money, Record, Shape, Value};

/// Why a record could not be decoded: the answer is not as the schema has it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} should be {expected}, found {found}")]
pub struct DecodeError {
    /// `line_items[2].amount`.
    pub path: String,
    /// What should stand there.
    pub expected: String,
    /// What stands there; cut, and only its kind where it may be personal.
    pub found: String,
}

/// The fields of an object that are decoded, with their places in the record.
#[derive(Debug, Clone)]
pub struct Projection {
    shape: Arc<Shape>,
    slots: Vec<Slot>,
    object: Arc<Object>,
}

#[derive(Debug, Clone)]
struct Slot {
    /// None = no field of the object: always blank.
    field: Option<Arc<Field>>,
    /// What is decoded of a record, or of each record of a list.
    inner: Option<Projection>,
}

impl Projection {
    /// `fields` are sorted dotted paths; a path to an object means all of it. The record has the first names of the
    /// paths, in order of first appearance, so equal arguments give equal shapes. A derived field needs no other path:
    /// what it tests is looked at in the JSON.
    #[must_use]
    pub fn new(object: &Arc<Object>, fields: &[Arc<str>]) -> Self {
        let paths: Vec<&str> = fields.iter().map(|path| &**path).collect();
        Self::of(object, &paths)
    }

    /// All fields, in the order of the object.
    #[must_use]
    pub fn whole(object: &Arc<Object>) -> Self {
        let names: Vec<&str> = object.fields.keys().map(|name| &**name).collect();
        Self::of(object, &names)
    }

    fn of(object: &Arc<Object>, paths: &[&str]) -> Self {
        // One entry a name: the paths below it, or none of them where all of it is wanted.
        let mut wanted: Vec<(&str, Vec<&str>)> = Vec::new();
        for path in paths {
            let (name, rest) = path.split_once('.').map_or((*path, None), |(name, rest)| (name, Some(rest)));
            match (wanted.iter_mut().find(|(own, _)| *own == name), rest) {
                (Some((_, below)), None) => below.clear(),
                (Some((_, below)), Some(rest)) if !below.is_empty() => below.push(rest),
                (Some(_), Some(_)) => {}
                (None, rest) => wanted.push((name, rest.into_iter().collect())),
            }
        }
        let mut shape = Shape::default();
        let mut slots = Vec::with_capacity(wanted.len());
        for (name, below) in wanted {
            let field = object.field(name);
            let inner = field
                .and_then(|field| field.ty.object())
                .map(|inner| if below.is_empty() { Self::whole(inner) } else { Self::of(inner, &below) });
            shape.names.push(field.map_or_else(|| name.into(), |field| field.name.clone()));
            slots.push(Slot { field: field.cloned(), inner });
        }
        Self { shape: Arc::new(shape), slots, object: object.clone() }
    }

    /// The shape of the records.
    #[must_use]
    pub fn shape(&self) -> &Arc<Shape> {
        &self.shape
    }

    /// What is decoded, in the order of the shape: name, field (none = always blank), what of a record or list.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (&Arc<str>, Option<&Arc<Field>>, Option<&Self>)> {
        let slots = self.slots.iter().map(|slot| (slot.field.as_ref(), slot.inner.as_ref()));
        self.shape.names.iter().zip(slots).map(|(name, (field, inner))| (name, field, inner))
    }

    /// The object whose records are decoded.
    pub(crate) fn object(&self) -> &Arc<Object> {
        &self.object
    }

    /// What is decoded of a record field, or of the records of a list.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.slots.get(self.shape.index(name)?)?.inner.as_ref()
    }

    /// A record from a vendor's JSON object; `today` decides what is late.
    ///
    /// # Errors
    /// The JSON is no object, or a value in it is of the wrong kind.
    pub fn decode(&self, json: &Json, today: Date) -> Result<Record, DecodeError> {
        self.record(json, Some(today)).map_err(|at| {
            let at = if at.error.path.is_empty() { at.below("the record") } else { at };
            at.error
        })
    }

    /// What can be read of JSON that [`Self::decode`] refuses, and the names of the fields that cannot be: they are
    /// blank.
    #[must_use]
    pub fn readable(&self, json: &Json, today: Date) -> (Record, Vec<Arc<str>>) {
        let empty = Map::new();
        let row = json.as_object().unwrap_or(&empty);
        let values: Vec<_> = self.slots.iter().map(|slot| self.value(slot, row, json, Some(today))).collect();
        let wrong = self.shape.names.iter().zip(&values).filter(|(_, value)| value.is_err());
        let wrong = wrong.map(|(name, _)| name.clone()).collect();
        let values = values.into_iter().map(|value| value.unwrap_or(Value::Blank)).collect();
        (Record::new(self.shape.clone(), values), wrong)
    }

    fn record(&self, json: &Json, today: Option<Date>) -> Result<Record, At> {
        let Json::Object(row) = json else {
            return Err(At::new("an object", json, true));
        };
        let mut values = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            values.push(self.value(slot, row, json, today)?);
        }
        Ok(Record::new(self.shape.clone(), values))
    }

    fn value(&self, slot: &Slot, row: &Map<String, Json>, json: &Json, today: Option<Date>) -> Result<Value, At> {
        let Some(field) = &slot.field else { return Ok(Value::Blank) };
        let value = match (&field.derived, today) {
            (Some(derived), Some(today)) if !derived.words.is_empty() => self.derived(derived, json, today),
            (Some(_), _) => Ok(row.get(&*field.wire).and_then(Json::as_bool).map_or(Value::Blank, Value::Bool)),
            (None, _) => slot.value(field, row.get(&*field.wire), json),
        };
        value.map_err(|at| at.below(&field.name))
    }

    /// The words of a derived field, from the JSON: what they test need not be decoded for the record.
    fn derived(&self, derived: &Derived, json: &Json, today: Date) -> Result<Value, At> {
        let mut wrong = None;
        let words = derived.words(today, |name| {
            let Some(field) = self.object.field(name) else { return Value::Blank };
            let slot = Slot { field: None, inner: None };
            slot.value(field, json.get(&*field.wire), json).unwrap_or_else(|at| {
                wrong.get_or_insert(at);
                Value::Blank
            })
        });
        wrong.map_or(Ok(words), Err)
    }
}

/// A record with every field that the object has: for test samples.
///
/// # Errors
/// As [`Projection::decode`].
pub fn decode_sample(object: &Arc<Object>, json: &Json, today: Date) -> Result<Record, DecodeError> {
    Projection::whole(object).decode(json, today)
}

impl Derived {
    /// The words that apply to a record, from wide to narrow, given the values of its fields.
    #[must_use]
    pub fn words(&self, today: Date, mut value_of: impl FnMut(&str) -> Value) -> Value {
        let mut holds = |test: &Test| match test {
            Test::Is(field, text) => value_of(field).as_text() == Some(text),
            Test::Zero(field) => value_of(field).as_decimal().is_some_and(|number| number.is_zero()),
            Test::NotZero(field) => value_of(field).as_decimal().is_some_and(|number| !number.is_zero()),
            Test::Past(field) => matches!(value_of(field), Value::Date(day) if day < today),
            Test::Empty(field) => match value_of(field) {
                Value::List(list) => list.is_empty(),
                value => value.is_blank(),
            },
        };
        let words = self.words.iter().filter(|word| word.when.iter().all(&mut holds));
        Value::List(words.map(|word| Value::Text(word.word.clone())).collect())
    }
}

impl Slot {
    fn value(&self, field: &Field, json: Option<&Json>, row: &Json) -> Result<Value, At> {
        let json = json.unwrap_or(&Json::Null);
        match &field.ty.kind {
            Kind::List(of) => match json {
                Json::Null => Ok(Value::List(Arc::from([]))),
                Json::Array(items) => {
                    let items = items.iter().enumerate().map(|(index, item)| {
                        self.one(field, of, item, row).map_err(|at| at.below(&format!("[{index}]")))
                    });
                    Ok(Value::List(items.collect::<Result<_, _>>()?))
                }
                other if blank(other) => Ok(Value::List(Arc::from([]))),
                other => Err(At::new("a list", other, field.privacy == Privacy::Plain)),
            },
            _ => self.one(field, &field.ty, json, row),
        }
    }

    fn one(&self, field: &Field, ty: &Ty, json: &Json, row: &Json) -> Result<Value, At> {
        if blank(json) {
            return Ok(Value::Blank);
        }
        if matches!(ty.kind, Kind::Record(_)) {
            return match &self.inner {
                Some(inner) => inner.record(json, None).map(Value::Record),
                None => Ok(Value::Blank),
            };
        }
        let value = scalar(field, &ty.kind, json, row);
        value.ok_or_else(|| At::new(expected(&ty.kind, &field.form), json, field.privacy == Privacy::Plain))
    }
}

/// `null`, and texts of nothing but white space.
fn blank(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// A value that is no list and no record; `None` = not of this kind.
fn scalar(field: &Field, kind: &Kind, json: &Json, row: &Json) -> Option<Value> {
    match kind {
        Kind::Bool => json.as_bool().map(Value::Bool),
        Kind::Int => {
            let number = exact(json)?;
            number.is_integer().then(|| number.try_into().ok().map(Value::Int))?
        }
        Kind::Decimal => exact(json).map(Value::Decimal),
        Kind::Percent => match field.form {
            Form::PercentPoints => from_points(exact(json)?).map(Value::Decimal),
            _ => exact(json).map(Value::Decimal),
        },
        Kind::Money => money(field, json, row).map(Value::Money),
        Kind::Date => day(json.as_str()?).map(Value::Date),
        Kind::DateTime => match field.form {
            Form::AmsterdamTime => home_moment(json.as_str()?),
            _ => moment(json.as_str()?),
        }
        .map(Value::DateTime),
        _ => match json {
            Json::String(text) => Some(normalise(kind, text)),
            // Codes and numbers of documents come as JSON numbers where an environment has them so.
            Json::Number(number) => Some(normalise(kind, &number.to_string())),
            _ => None,
        },
    }
}

/// A number from a JSON number or from a text.
fn exact(json: &Json) -> Option<rust_decimal::Decimal> {
    match json {
        Json::Number(spelled) => number(spelled.as_str()),
        Json::String(text) => number(text),
        _ => None,
    }
}

fn money(field: &Field, json: &Json, row: &Json) -> Option<Money> {
    match &field.form {
        Form::MoneyObject(amount) => {
            let currency = match json.get("currency") {
                None | Some(Json::Null) => Currency::EUR,
                Some(currency) => Currency::parse(currency.as_str()?)?,
            };
            Some(Money { amount: exact(json.get(&**amount)?)?, currency })
        }
        Form::MoneyNumber(Some(currency)) => {
            let currency = match row.get(&**currency) {
                Some(text) if !blank(text) => Currency::parse(text.as_str()?)?,
                _ => Currency::EUR,
            };
            Some(Money { amount: exact(json)?, currency })
        }
        _ => Some(Money { amount: exact(json)?, currency: Currency::EUR }),
    }
}

fn expected(kind: &Kind, form: &Form) -> String {
    match kind {
        Kind::Bool => "true or false".to_owned(),
        Kind::Int => "a whole number".to_owned(),
        Kind::Decimal | Kind::Percent => "a number".to_owned(),
        Kind::Money => match form {
            Form::MoneyObject(amount) => format!("an object with {amount} and currency"),
            _ => "an amount".to_owned(),
        },
        Kind::Date => "a day such as 2026-03-14".to_owned(),
        Kind::DateTime => "a moment such as 2026-03-14T10:22:33".to_owned(),
        _ => "a text".to_owned(),
    }
}

/// An error on its way up, its path growing.
struct At {
    error: DecodeError,
}

impl At {
    fn new(expected: impl Into<String>, json: &Json, may_show: bool) -> Self {
        let kind = match json {
            Json::Null => "nothing",
            Json::Bool(_) => "true or false",
            Json::Number(_) => "a number",
            Json::String(_) => "a text",
            Json::Array(_) => "a list",
            Json::Object(_) => "an object",
        };
        let shown = match json {
            Json::Bool(_) | Json::Number(_) | Json::String(_) if may_show => {
                let text: String = json.to_string().chars().take(40).collect();
                format!("{kind}: {text}")
            }
            _ => kind.to_owned(),
        };
        Self { error: DecodeError { path: String::new(), expected: expected.into(), found: shown } }
    }

    fn below(mut self, step: &str) -> Self {
        let path = &self.error.path;
        self.error.path = if path.is_empty() {
            step.to_owned()
        } else if path.starts_with('[') {
            format!("{step}{path}")
        } else {
            format!("{step}.{path}")
        };
        self
    }
}

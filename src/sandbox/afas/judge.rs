//! Bodies judged by the vendor's own files: types, lengths, codes, required fields, and nothing that is not in them.
//!
//! Takes the elements of a body, puts their values into the types of the file (a number may come as text, a truth as
//! "1"), and gives the first fault as AFAS would word it. An empty text clears a field and fits every type.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use jsonschema::{Draft, Validator, error::ValidationErrorKind};
use serde_json::{Map, Value, json};

use super::{
    super::{
        effects::By,
        json::{decimal, number, shown},
    },
    Element, Outcome, Refusal,
    connector::Update,
    correction::{CORRECTIONS, Truth},
};

/// A judge of the bodies of one connector and verb.
struct Judge {
    schema: Value,
    validator: Validator,
}

/// Short names that AFAS takes for item types.
const SHORT_NAMES: &[(&str, &str)] = &[("wst", "1"), ("art", "2")];

/// Codes that each administration makes for itself: the vendor's file lists those of an example.
const FREE_TABLES: &[&str] = &["VaTp", "VaIg", "VaGu", "ViFu", "SaCh", "Rout", "SeSt", "PkTp"];

/// Puts the elements into the types of the file and judges each as a body of its own; says who refuses.
pub(super) fn judge(
    update: &'static Update,
    verb: &'static str,
    elements: &mut [Element],
) -> Result<(), (By, Refusal)> {
    let judge = judge_of(update, verb).map_err(|refusal| (By::Schema, refusal))?;
    let root = update.root();
    let object = judge.schema.pointer(&format!("/properties/{root}")).unwrap_or(&Value::Null);
    for element in elements {
        let drawn = draw(element, object);
        let body = json!({ root: {"Element": if is_list(object) { json!([drawn]) } else { drawn }} });
        if let Some(fault) = judge.validator.iter_errors(&body).next() {
            return Err((by(&fault), worded(&fault, &judge.schema)));
        }
    }
    Ok(())
}

fn judge_of(update: &'static Update, verb: &'static str) -> Outcome<Arc<Judge>> {
    type Judges = Mutex<HashMap<(&'static str, &'static str), Arc<Judge>>>;
    static JUDGES: OnceLock<Judges> = OnceLock::new();
    let mut judges = JUDGES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(judge) = judges.get(&(update.name, verb)) {
        return Ok(Arc::clone(judge));
    }
    let unsupported = || Refusal::general(format!("UpdateConnector '{}' does not support {verb}.", update.name));
    let mut schema = update.schema(verb).cloned().ok_or_else(unsupported)?;
    correct(&mut schema, "", verb);
    let validator =
        jsonschema::options().with_draft(Draft::Draft4).should_validate_formats(true).build(&schema).map_err(
            |fault| Refusal::general(format!("The description of '{}' is not usable: {fault}", update.name)),
        )?;
    let judge = Arc::new(Judge { schema, validator });
    judges.insert((update.name, verb), Arc::clone(&judge));
    Ok(judge)
}

/// Lays the corrections over the schema of an object, closes it, and drops the formats that are only hints.
fn correct(schema: &mut Value, object: &str, verb: &str) {
    let Value::Object(parts) = schema else { return };
    if let Some(format) = parts.get("format").and_then(Value::as_str)
        && format != "date"
    {
        parts.remove("format");
    }
    if let Some(items) = parts.get_mut("items") {
        correct(items, object, verb);
    }
    let Some(Value::Object(properties)) = parts.get_mut("properties") else { return };
    for (name, part) in properties.iter_mut() {
        match name.as_str() {
            "Fields" => {
                correct(part, object, verb);
                require(part, object, verb);
            }
            "Element" | "Objects" => correct(part, object, verb),
            _ => correct(part, name, verb),
        }
    }
    parts.insert("additionalProperties".to_owned(), json!(false));
}

fn require(fields: &mut Value, object: &str, verb: &str) {
    let Value::Object(parts) = fields else { return };
    let mut needed: Vec<Value> = parts.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    for correction in CORRECTIONS.iter().filter(|row| row.object == object && (row.verb == "*" || row.verb == verb)) {
        needed.retain(|field| field != correction.field);
        if correction.truth == Truth::Needed {
            needed.push(json!(correction.field));
        }
    }
    if needed.is_empty() {
        parts.remove("required");
    } else {
        parts.insert("required".to_owned(), needed.into());
    }
}

fn is_list(object: &Value) -> bool {
    object.pointer("/properties/Element/type").and_then(Value::as_str) == Some("array")
}

/// The element in the form that the schema of its object describes; its own values are put into the types.
fn draw(element: &mut Element, object: &Value) -> Value {
    let below = if is_list(object) { "/properties/Element/items/properties" } else { "/properties/Element/properties" };
    let parts = object.pointer(below).unwrap_or(&Value::Null);
    let mut fields = Map::new();
    for (name, value) in &mut element.fields {
        let field = parts.pointer(&format!("/Fields/properties/{name}"));
        *value = typed(value, name, field.and_then(|field| field.get("type")).and_then(Value::as_str).unwrap_or(""));
        if !matches!(value, Value::String(text) if text.is_empty()) {
            fields.insert(name.clone(), value.clone());
        }
    }
    let mut drawn = Map::new();
    drawn.insert("Fields".to_owned(), fields.into());
    let mut objects = Vec::new();
    for (name, elements) in &mut element.objects {
        let object = parts.pointer(&format!("/Objects/items/properties/{name}")).unwrap_or(&Value::Null);
        // An object that the file does not know is drawn as a list; it is refused by its name.
        let list = is_list(object) || object.is_null();
        let mut items: Vec<Value> = elements.iter_mut().map(|element| draw(element, object)).collect();
        let inner = if list { items.into() } else { items.pop().unwrap_or_default() };
        objects.push(json!({ name.as_str(): {"Element": inner} }));
    }
    if !objects.is_empty() {
        drawn.insert("Objects".to_owned(), objects.into());
    }
    drawn.into()
}

/// A value in the type of its field, where it can be read as one; nothing is an empty text.
fn typed(value: &Value, name: &str, kind: &str) -> Value {
    match (kind, value) {
        (_, Value::Null) => json!(""),
        ("number" | "integer", Value::String(text)) if !text.is_empty() => {
            decimal(value).map_or_else(|| value.clone(), number)
        }
        ("boolean", _) => match shown(value).to_lowercase().as_str() {
            "true" | "1" => json!(true),
            "false" | "0" => json!(false),
            _ => value.clone(),
        },
        ("string", Value::String(text)) if name == "VaIt" => {
            let long = SHORT_NAMES.iter().find(|(short, _)| short.eq_ignore_ascii_case(text));
            long.map_or_else(|| value.clone(), |(_, code)| json!(code))
        }
        _ => value.clone(),
    }
}

/// The label of a field of the schema, else its id.
fn label(schema: &Value, path: &str, field: &str) -> String {
    let mut at = String::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        at.push_str(if part.parse::<usize>().is_ok() { "/items" } else { "/properties/" });
        if part.parse::<usize>().is_err() {
            at.push_str(part);
        }
    }
    let place = if field.is_empty() { at } else { format!("{at}/properties/{field}") };
    let described = schema.pointer(&place).and_then(|field| field.get("description")).and_then(Value::as_str);
    let id = if field.is_empty() { path.rsplit('/').next().unwrap_or("") } else { field };
    described.and_then(|text| text.lines().next()).filter(|line| !line.is_empty()).unwrap_or(id).to_owned()
}

/// Who refuses: the file, or the books where a code is one of their own tables.
fn by(fault: &jsonschema::ValidationError<'_>) -> By {
    let path = fault.instance_path().to_string();
    let field = path.rsplit('/').next().unwrap_or("");
    let code = matches!(fault.kind(), ValidationErrorKind::Enum { .. });
    if code && FREE_TABLES.contains(&field) { By::Books } else { By::Schema }
}

/// A fault in AFAS's words.
fn worded(fault: &jsonschema::ValidationError<'_>, schema: &Value) -> Refusal {
    let path = fault.instance_path().to_string();
    let value = shown(fault.instance());
    match fault.kind() {
        ValidationErrorKind::Required { property } => Refusal::missing(&label(schema, &path, &shown(property))),
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let mut object = path.split('/').filter(|part| !["", "Element", "Fields", "Objects"].contains(part));
            let object = object.rfind(|part| part.parse::<usize>().is_err()).unwrap_or("");
            Refusal::general(format!("'{}' does not exist in object '{object}'.", unexpected.join("', '")))
        }
        ValidationErrorKind::Enum { .. } => Refusal::unknown(&value, &label(schema, &path, "")),
        ValidationErrorKind::MaxLength { limit } => Refusal::general(format!(
            "The value for '{}' is too long: at most {limit} characters are allowed.",
            label(schema, &path, "")
        )),
        ValidationErrorKind::MultipleOf { multiple_of } => Refusal::general(format!(
            "The value '{value}' for '{}' has too many decimals: steps of {multiple_of} are allowed.",
            label(schema, &path, "")
        )),
        _ => Refusal::general(format!("The value '{value}' for '{}' is not valid.", label(schema, &path, ""))),
    }
}

//! The envelope of an UpdateConnector, read in all the forms that AFAS takes.
//!
//! `Element` may be an object or a list, `Objects` a list or an object, keys may stand as attributes or as fields.

use serde_json::Value;

use super::super::json::Fields;

/// One record of a body: its fields and the records below it.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Element {
    /// `insert`, `update` or `delete`, when the body says so.
    pub(in super::super) action: Option<String>,
    pub(in super::super) fields: Fields,
    pub(in super::super) objects: Vec<(String, Vec<Element>)>,
}

impl Element {
    /// The records below under this name.
    pub(super) fn below(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.objects.iter().filter(move |(object, _)| object == name).flat_map(|(_, elements)| elements)
    }
}

/// Reads the value of an object: `{"Element": …}`. The error says what is malformed.
pub(super) fn read(name: &str, object: &Value) -> Result<Vec<Element>, String> {
    match object.get("Element") {
        Some(Value::Array(items)) => items.iter().map(|item| one(name, item)).collect(),
        Some(item @ Value::Object(_)) => one(name, item).map(|element| vec![element]),
        _ => Err(format!("Object '{name}' has no Element.")),
    }
}

fn one(name: &str, item: &Value) -> Result<Element, String> {
    let Value::Object(parts) = item else { return Err(format!("An Element of '{name}' is no object.")) };
    let mut element = Element::default();
    for (part, value) in parts {
        match (part.as_str(), value) {
            ("@Action", Value::String(action)) => element.action = Some(action.to_lowercase()),
            ("Fields", Value::Object(fields)) => {
                for (field, value) in fields {
                    match (field.as_str(), value) {
                        ("@Action", Value::String(action)) => element.action = Some(action.to_lowercase()),
                        _ => {
                            element.fields.insert(field.trim_start_matches('@').to_owned(), value.clone());
                        }
                    }
                }
            }
            ("Objects", Value::Object(objects)) => {
                for (object, value) in objects {
                    element.objects.push((object.clone(), read(object, value)?));
                }
            }
            ("Objects", Value::Array(list)) => {
                for objects in list {
                    let Value::Object(objects) = objects else {
                        return Err(format!("Objects of '{name}' holds something that is no object."));
                    };
                    for (object, value) in objects {
                        element.objects.push((object.clone(), read(object, value)?));
                    }
                }
            }
            ("Fields" | "Objects", Value::Null) => {}
            _ => match part.strip_prefix('@') {
                Some(key) => {
                    element.fields.insert(key.to_owned(), value.clone());
                }
                None => return Err(format!("'{part}' is not expected in an Element of '{name}'.")),
            },
        }
    }
    if element.action.as_ref().is_some_and(|action| !["insert", "update", "delete"].contains(&action.as_str())) {
        return Err(format!("The Action of an Element of '{name}' is not insert, update or delete."));
    }
    Ok(element)
}

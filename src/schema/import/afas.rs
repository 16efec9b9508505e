//! AFAS: `get.X.json` (rows of a `GetConnector`) and `update.X.json` (bodies of an `UpdateConnector`) to one text for X.
//!
//! A body nests `Element` / `Fields` / `Objects`; the code table of a field stands in its description, one line for
//! each code: `0 = Deellevering toestaan;`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tree::{ImportError, Node, json, lay_over, plain_type, properties, required, text};

pub(super) fn import(files: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ImportError> {
    let mut out = BTreeMap::new();
    for (name, content) in files {
        let Some(stem) = name.strip_suffix(".json") else { continue };
        let (entity, made) = if let Some(entity) = stem.strip_prefix("get.") {
            (entity, get(name, &json(name, content)?)?)
        } else if let Some(entity) = stem.strip_prefix("update.") {
            (entity, update(name, entity, &json(name, content)?)?)
        } else {
            continue;
        };
        out.insert(format!("{entity}.schema"), made);
    }
    Ok(out)
}

fn get(name: &str, schema: &Value) -> Result<String, ImportError> {
    let row = schema
        .pointer("/properties/rows/items")
        .ok_or_else(|| ImportError(format!("vendor file {name} has no rows")))?;
    let nodes = fields(row).map_err(|error| ImportError(format!("vendor file {name}: {error}")))?;
    Ok(text(name, &[("read", &nodes)]))
}

fn update(name: &str, entity: &str, schema: &Value) -> Result<String, ImportError> {
    let body = |verb: &str| schema.get(format!("{entity}_{verb}"));
    let wrong = |error: &ImportError| ImportError(format!("vendor file {name}: {error}"));
    let (create, update) = (body("POST"), body("PUT"));
    let root = [create, update].into_iter().flatten().find_map(|body| properties(body).next());
    let Some((root, _)) = root else {
        return Err(ImportError(format!("vendor file {name} has neither {entity}_POST nor {entity}_PUT")));
    };
    let nodes = |body: Option<&Value>| match body.and_then(|body| body.pointer(&format!("/properties/{root}"))) {
        Some(object) => element(object).map_err(|error| wrong(&error)),
        None => Ok(Vec::new()),
    };
    let nodes = lay_over(nodes(create)?, nodes(update)?).map_err(|error| wrong(&error))?;
    let head = if root == entity { "write".to_owned() } else { format!("write {root}") };
    Ok(text(name, &[(&head, &nodes)]))
}

/// The fields and objects of an `Element`, which may stand in an array.
fn element(object: &Value) -> Result<Vec<Node>, ImportError> {
    let element = object.pointer("/properties/Element").ok_or_else(|| ImportError("an Element is missing".into()))?;
    let element = element.get("items").unwrap_or(element);
    let mut nodes = match element.pointer("/properties/Fields") {
        Some(object) => fields(object)?,
        None => Vec::new(),
    };
    if let Some(objects) = element.pointer("/properties/Objects") {
        for (name, object) in properties(objects.get("items").unwrap_or(objects)) {
            nodes.push(Node {
                name: name.clone(),
                ty: if object.pointer("/properties/Element/items").is_some() { "objects" } else { "object" }.into(),
                label: String::new(),
                required: [Some(false); 2],
                codes: Vec::new(),
                fields: element_of(name, object)?,
            });
        }
    }
    Ok(nodes)
}

fn element_of(name: &str, object: &Value) -> Result<Vec<Node>, ImportError> {
    element(object).map_err(|ImportError(text)| ImportError(format!("{name}: {text}")))
}

fn fields(object: &Value) -> Result<Vec<Node>, ImportError> {
    let needed = required(object);
    properties(object)
        .map(|(name, property)| {
            let description = property.get("description").and_then(Value::as_str).unwrap_or_default();
            let (label, table) = description.split_once('\n').unwrap_or((description, ""));
            Ok(Node {
                name: name.clone(),
                ty: plain_type(property).map_err(|error| ImportError(format!("{name}: {error}")))?,
                label: label.trim().to_owned(),
                required: [Some(needed.contains(&name.as_str())); 2],
                codes: codes(name, property, table)?,
                fields: Vec::new(),
            })
        })
        .collect()
}

/// The codes of `enum`, each with its label of the description.
fn codes(name: &str, property: &Value, table: &str) -> Result<Vec<(String, String)>, ImportError> {
    let labels: BTreeMap<&str, &str> = table
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(code, label)| (code.trim(), label.trim().trim_end_matches(';').trim_end()))
        .collect();
    let codes = property.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    codes
        .map(|code| match labels.get(code) {
            Some(label) => Ok((code.to_owned(), (*label).to_owned())),
            None => Err(ImportError(format!("{name}: code \"{code}\" has no label in the description"))),
        })
        .collect()
}

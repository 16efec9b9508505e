//! The golden set: records of both systems with the bodies that the shipped flows make of them.
//!
//! Each file of `flows/samples/golden/` is one case: a record, what the systems hold beside `rows.json`, and the writes.
//! The bodies are judged by the vendors' own files with a JSON-Schema validator, not by the schemas of the flows.
//! `KOPPEL_UPDATE=1` writes what the flows make today; read it line by line before it is kept.

use std::{collections::BTreeMap, sync::Arc};

use koppel::{
    schema::{Catalog, encode},
    value::{Action, Decision, Fields, Node, Outcome, Value, Write},
};
use serde_json::{Map, Value as Json, json};

use crate::shipped::{Rows, decide, decide_after, folder, plan};

/// The key of a record that is made in the same decision.
const NEW: &str = "00000000-0000";

/// What an update of these adds to an object, so that the record is found by its own key.
const MATCHED: [(&str, &str); 2] = [("KnOrganisation", "MatchOga"), ("KnPerson", "MatchPer")];

/// Slips of the swagger: the definition, and what stands there in truth.
const SLIPS: [(&str, &str); 2] = [
    // Numbers are taken as text, and a quantity is a number and no amount.
    (
        "Jortt_V2_Shared_Entities_Amount",
        r#"{"anyOf": [{"type": "string", "pattern": "^-?[0-9]+([.][0-9]+)?$"}, {"type": "object",
            "properties": {"amount": {"type": ["string", "number"]}, "currency": {"enum": ["EUR"]}},
            "required": ["amount", "currency"]}]}"#,
    ),
    // The key of a category is always there, and mostly null.
    (
        "Jortt_V2_Shared_Entities_Vat",
        r#"{"type": "object", "properties": {"value": {"type": ["string", "number"]}, "category": {"type": ["string", "null"]}},
            "required": ["value", "category"]}"#,
    ),
];

/// What the files of AFAS ask for although AFAS does not: a delivery address, keys that it gives itself, what it works out.
const NOT_NEEDED: [&str; 8] = ["BcCo", "BcId", "CdDa", "AddToPortal", "EnNo", "BiUn", "Qu", "BeginDate"];

fn read(path: &std::path::Path) -> Json {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// With a value for the keys that earlier writes give.
fn settled(fields: &Fields) -> Fields {
    let key = |value: &Value| if matches!(value, Value::Key(_)) { Value::text(NEW) } else { value.clone() };
    let value = |value: &Value| match value {
        Value::List(items) => Value::List(items.iter().map(key).collect()),
        other => key(other),
    };
    let node = |node: &Node| match node {
        Node::Value(own) => Node::Value(value(own)),
        Node::Object(inner) => Node::Object(settled(inner)),
        Node::List(lines) => Node::List(lines.iter().map(settled).collect()),
    };
    Fields(fields.0.iter().map(|(name, own)| (name.clone(), node(own))).collect())
}

/// The form of AFAS: plain fields into `Element`, `Fields`, `Objects`.
fn element(fields: Json) -> Json {
    let Json::Object(all) = fields else { return fields };
    let (mut made, mut own, mut objects) = (Map::new(), Map::new(), Vec::new());
    for (name, value) in all {
        match value {
            Json::Object(_) => objects.push(json!({ name: {"Element": element(value)} })),
            Json::Array(lines) => {
                objects.push(json!({ name: {"Element": lines.into_iter().map(element).collect::<Vec<_>>()} }));
            }
            value if name.starts_with('@') => drop(made.insert(name, value)),
            value => drop(own.insert(name, value)),
        }
    }
    made.insert("Fields".to_owned(), own.into());
    if !objects.is_empty() {
        made.insert("Objects".to_owned(), objects.into());
    }
    made.into()
}

/// The body of a write as it leaves.
fn body(write: &Write) -> Json {
    let entity = Catalog::standard().unwrap().entity(&write.entity.role, &write.entity.entity).unwrap();
    let facts = entity.write.as_ref().unwrap();
    let object = match write.action {
        Action::Create => facts.create.as_ref(),
        Action::Update => facts.update.as_ref(),
    };
    let mut body =
        encode(object.unwrap(), &settled(&write.fields)).unwrap_or_else(|error| panic!("{}: {error}", write.name));
    let fields = body.as_object_mut().unwrap();
    if &*write.entity.role == "jortt" {
        // The key stands in the path.
        fields.shift_remove("id");
        return body;
    }
    if write.action == Action::Update {
        for (inner, name) in MATCHED {
            if let Some(Json::Object(inner)) = fields.get_mut(inner) {
                inner.insert(name.to_owned(), json!("9"));
            }
        }
    }
    json!({ facts.root.to_string(): {"Element": element(body)} })
}

/// What came of it, as a case tells it.
fn told(decision: &Decision) -> (Json, Json) {
    let warns: Json = decision.warnings.iter().map(|reason| json!(*reason.text)).collect();
    let writes = match &decision.outcome {
        Outcome::Writes(writes) => writes
            .iter()
            .map(|write| json!({ write.action.word(): write.entity.to_string(), "body": body(write) }))
            .collect(),
        Outcome::Skip(reason) => json!([{"skip": *reason.text}]),
        Outcome::Hold(reason) => json!([{"hold": *reason.text}]),
        Outcome::Fail(reason) => json!([{"fail": *reason.text}]),
    };
    (writes, warns)
}

/// Nothing that is not in the file; and what is wrong in all files put right.
fn close(schema: &mut Json) {
    match schema {
        Json::Object(parts) => {
            parts.values_mut().for_each(close);
            if let Some(Json::Array(needed)) = parts.get_mut("required") {
                needed.retain(|name| !NOT_NEEDED.iter().any(|own| name == own));
                if needed.is_empty() {
                    parts.shift_remove("required");
                }
            }
            // One element may stand without its list.
            if let Some(list) = parts.get_mut("Element").filter(|part| part["type"] == "array") {
                *list = json!({"anyOf": [list["items"].clone(), list.clone()]});
            }
            if parts.get("properties").is_some_and(Json::is_object) && parts.get("type") == Some(&json!("object")) {
                parts.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Json::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// What stands beside a reference says the same once more, without what was put right in the definition.
fn beside_references(schema: &mut Json) {
    match schema {
        Json::Object(parts) => {
            if parts.contains_key("$ref") {
                parts.retain(|name, _| name == "$ref");
            }
            parts.values_mut().for_each(beside_references);
        }
        Json::Array(items) => items.iter_mut().for_each(beside_references),
        _ => {}
    }
}

/// The vendor's own schema of a body.
fn schema(role: &str, entity: &str, action: &str) -> Json {
    let vendor = folder().join("../stdlib").join(role).join("vendor");
    let mut schema = if role == "afas" {
        let verb = if action == "create" { "POST" } else { "PUT" };
        let mut schema = read(&vendor.join(format!("update.{entity}.json")))[format!("{entity}_{verb}")].take();
        close(&mut schema);
        schema
    } else {
        let name = match (entity, action) {
            ("invoices", "create") => "CreateInvoiceV3",
            ("invoices", "update") => "EditInvoiceV2",
            ("customers", "create") => "CreateCustomer",
            ("customers", "update") => "UpdateCustomer",
            ("labels", "create") => "CreateLabel",
            ("invoice_sendings", "create") => "SendInvoice",
            // The outer list of the swagger is a slip.
            ("invoice_labels", "update") => {
                return json!({"type": "object", "required": ["label_ids"], "additionalProperties": false,
                    "properties": {"label_ids": {"type": "array", "items": {"type": "string"}}}});
            }
            other => panic!("{other:?} has no definition"),
        };
        let definitions = read(&vendor.join("swagger.json"))["definitions"].take();
        let mut schema = definitions[name].clone();
        schema["definitions"] = definitions;
        for (definition, truth) in SLIPS {
            schema["definitions"][definition] = serde_json::from_str(truth).unwrap();
        }
        beside_references(&mut schema);
        close(&mut schema);
        schema
    };
    // An update sends only what differs.
    if action == "update" {
        schema.as_object_mut().unwrap().shift_remove("required");
    }
    schema
}

/// What the vendor's file says against a body.
fn faults(write: &Json) -> Vec<String> {
    let Some((action, name)) = ["create", "update"].into_iter().find_map(|word| Some((word, write[word].as_str()?)))
    else {
        return Vec::new();
    };
    let (role, entity) = name.split_once('.').unwrap();
    let schema = schema(role, entity, action);
    let validator = jsonschema::options().with_draft(jsonschema::Draft::Draft4).build(&schema).unwrap();
    validator.iter_errors(&write["body"]).map(|fault| format!("{name} {}: {fault}", fault.instance_path())).collect()
}

#[test]
fn the_golden_records_become_the_bodies_that_stand_beside_them_and_the_vendors_files_take_them() {
    let place = folder().join("samples/golden");
    let shared = read(&place.join("rows.json"));
    let update = std::env::var_os("KOPPEL_UPDATE").is_some();
    let mut files: Vec<_> = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.file_name().unwrap() != "rows.json");
    files.sort();
    let (mut wrong, mut forth, mut back) = (Vec::new(), 0, 0);
    for file in files {
        let mut case = read(&file);
        let text =
            |name: &str| case[name].as_str().unwrap_or_else(|| panic!("{} has no {name}", file.display())).to_owned();
        let (name, flow, today) = (text("name"), text("flow"), text("today").parse().unwrap());
        assert!(!text("why").is_empty());
        let mut rows = Rows::default();
        for more in [&shared, &case["reads"]] {
            rows.put(more.as_object().unwrap(), today);
        }
        let plan = plan(&flow, case["settings"].as_object().unwrap());
        let (mut writes, mut warns) = told(&decide(&plan, &case["record"], &rows, today));
        // What stands behind a write is of the case when it tells the key of that write.
        let keys = case["keys"].as_object().into_iter().flatten();
        let keys: BTreeMap<Arc<str>, Value> =
            keys.map(|(name, key)| (name.as_str().into(), Value::text(key.as_str().unwrap()))).collect();
        for name in keys.keys() {
            let (more, told) = told(&decide_after(&plan, name, &keys, &case["record"], &rows, today));
            writes.as_array_mut().unwrap().extend(more.as_array().unwrap().clone());
            warns.as_array_mut().unwrap().extend(told.as_array().unwrap().clone());
        }
        wrong.extend(writes.as_array().unwrap().iter().flat_map(faults).map(|fault| format!("{name}: {fault}")));
        *(if flow.starts_with("jortt") { &mut forth } else { &mut back }) += 1;
        if update {
            case["writes"] = writes;
            case["warns"] = warns;
            std::fs::write(&file, serde_json::to_string_pretty(&case).unwrap() + "\n").unwrap();
        } else if case["writes"] != writes || case["warns"] != warns {
            let shown = serde_json::to_string_pretty(&json!({"writes": writes, "warns": warns})).unwrap();
            wrong.push(format!("{name}: the flow makes something else of it:\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(forth >= 50 && back >= 10, "{forth} from Jortt, {back} from AFAS");
}

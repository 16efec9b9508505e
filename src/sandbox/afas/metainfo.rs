//! Metainfo: which connectors there are, and their fields with labels, lengths and code tables.

use serde_json::{Map, Value, json};

use super::{
    super::message::Reply,
    RATE_GROUPS, Refusal, codes,
    connector::{self, GETS, UPDATES},
};

/// Everything that this token may use: `/metainfo`.
pub(super) fn all(environment: &str) -> Reply {
    let updates: Vec<Value> =
        UPDATES.iter().map(|update| json!({"id": update.name, "description": update.name})).collect();
    let gets: Vec<Value> = GETS.iter().map(|get| json!({"id": get.name, "description": get.name})).collect();
    let info = json!({
        "envid": environment, "appName": "koppel sandbox", "group": "koppel", "tokenExpiry": "2027-05-01T00:00:00Z"
    });
    Reply::json(200, json!({"updateConnectors": updates, "getConnectors": gets, "info": info}))
}

/// The columns of a GetConnector: `/metainfo/get/{id}`.
pub(super) fn get(name: &str) -> Reply {
    let Some(get) = connector::get_named(name) else { return unknown("GetConnector", name) };
    let fields: Vec<Value> = get
        .columns()
        .iter()
        .map(|column| {
            json!({
                "id": column.name,
                "fieldId": column.name,
                "dataType": data_type(&column.kind),
                "label": column.label,
                "length": 0,
                "controlType": 0,
                "decimals": 0,
                "decimalsFieldId": ""
            })
        })
        .collect();
    Reply::json(200, json!({"name": get.name, "description": get.name, "fields": fields}))
}

/// The fields of an UpdateConnector: `/metainfo/update/{id}`.
pub(super) fn update(name: &str) -> Reply {
    let found = connector::update_named(name);
    let schema =
        found.and_then(|update| update.schema("POST").or_else(|| update.schema("PUT")).map(|schema| (update, schema)));
    let Some((update, schema)) = schema else { return unknown("UpdateConnector", name) };
    let object = schema.pointer(&format!("/properties/{}", update.root())).cloned().unwrap_or_default();
    let mut answer = Map::new();
    answer.insert("id".to_owned(), json!(update.name));
    answer.insert("name".to_owned(), json!(update.root()));
    answer.insert("description".to_owned(), json!(update.name));
    answer.extend(object_info(&object));
    Reply::json(200, answer.into())
}

fn unknown(kind: &str, name: &str) -> Reply {
    Refusal::general(format!("{kind} '{name}' is not supported for this app or user is not authorised.")).reply()
}

fn data_type(kind: &str) -> &'static str {
    match kind {
        "integer" => "int",
        "number" => "decimal",
        "boolean" => "boolean",
        _ => "string",
    }
}

fn object_info(object: &Value) -> Map<String, Value> {
    let element = object.pointer("/properties/Element").cloned().unwrap_or_default();
    let element = element.get("items").cloned().unwrap_or(element);
    let needed = element.pointer("/properties/Fields/required").and_then(Value::as_array).cloned().unwrap_or_default();
    let fields: Vec<Value> = element
        .pointer("/properties/Fields/properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, field)| field_info(name, field, needed.iter().any(|needed| needed == name)))
        .collect();
    let objects: Vec<Value> = element
        .pointer("/properties/Objects/items/properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, below)| {
            let mut info = Map::new();
            info.insert("name".to_owned(), json!(name));
            info.extend(object_info(below));
            info.into()
        })
        .collect();
    let mut info = Map::new();
    info.insert("fields".to_owned(), fields.into());
    info.insert("objects".to_owned(), objects.into());
    info
}

/// The code table of a field in this environment.
fn values(name: &str, field: &Value, description: &str) -> Value {
    let of = |table: &[(&str, &str)]| table.iter().map(|(id, text)| json!({"id": id, "description": text})).collect();
    if let Some(codes) = field.get("enum").and_then(Value::as_array) {
        let text = |code: &str| {
            let line = description.lines().find_map(|line| line.strip_prefix(code)?.trim().strip_prefix('='));
            line.map(|text| text.trim().trim_end_matches(';').to_owned())
        };
        return codes
            .iter()
            .filter_map(Value::as_str)
            .map(|code| json!({"id": code, "description": text(code)}))
            .collect();
    }
    match (name, description) {
        ("PaCd", _) => of(codes::PAYMENT_CONDITIONS),
        ("PaTp", _) => of(codes::PAYMENT_METHODS),
        ("VaDu", _) => of(codes::VAT_DUTIES),
        ("VaRc", _) => RATE_GROUPS.iter().map(|(id, text, _)| json!({"id": id, "description": text})).collect(),
        ("TrPt", _) => of(codes::TRANSPORTERS),
        ("Grp", _) => of(codes::ARTICLE_GROUPS),
        ("ReId", _) => of(codes::REASONS),
        ("DsGr", _) => of(codes::DISCOUNT_GROUPS),
        _ => Value::Null,
    }
}

fn field_info(name: &str, field: &Value, needed: bool) -> Value {
    let description = field.get("description").and_then(Value::as_str).unwrap_or("");
    let text = |part: &str| field.get(part).and_then(Value::as_str).unwrap_or("");
    let data_type = if text("format") == "date" { "date" } else { data_type(text("type")) };
    json!({
        "fieldId": name,
        "primaryKey": false,
        "dataType": data_type,
        "label": description.lines().next().unwrap_or(""),
        "mandatory": needed,
        "length": field.get("maxLength").cloned().unwrap_or(json!(0)),
        "decimals": 0,
        "decimalFieldId": "",
        "notzero": false,
        "controlType": 0,
        "values": values(name, field, description)
    })
}

//! Bodies judged by Jortt's own swagger, with the slips of that file put right.
//!
//! Gives the body as an object, or a 422 with one detail for each fault.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
};

use jsonschema::{Draft, Validator, error::ValidationErrorKind};
use serde_json::{Value, json};

use super::{
    super::{
        json::{self, Fields},
        message::{Call, Reply},
    },
    Detail, invalid, trouble,
};

/// A slip of the swagger: the place in `definitions`, what stands there in truth, and why.
struct Correction {
    place: &'static str,
    truth: &'static str,
    #[expect(dead_code, reason = "the reason is for the reader of the table")]
    reason: &'static str,
}

const NUMBER: &str = r#"{"type": ["string", "number"]}"#;

/// Where the swagger is wrong. `*` stands for each definition that creates or edits a document.
const CORRECTIONS: &[Correction] = &[
    Correction {
        place: "*/properties/line_items/items/properties/quantity",
        truth: NUMBER,
        reason: "the reference to an amount is a slip: quantities are plain decimals, as text or number",
    },
    Correction {
        place: "*/properties/line_items/items/properties/amount/properties/amount",
        truth: NUMBER,
        reason: "amounts are taken as text and as number",
    },
    Correction {
        place: "*/properties/line_items/items/properties/amount_per_unit/properties/value",
        truth: NUMBER,
        reason: "amounts are taken as text and as number",
    },
    Correction {
        place: "*/properties/line_items/items/properties/vat/properties/value",
        truth: NUMBER,
        reason: "rates are taken as text and as number",
    },
    Correction {
        place: "*/properties/line_items/items/properties/vat/properties/category",
        truth: r#"{"enum": [null, "exempt", "margin_goods_high", "travel_services_high"]}"#,
        reason: "the key must be there and may be null",
    },
    Correction {
        place: "*/properties/line_items/items/properties/amount/properties/currency",
        truth: r#"{"enum": ["EUR"]}"#,
        reason: "there is no other currency",
    },
    Correction {
        place: "SetLabels",
        truth: r#"{"type": "object", "properties": {"label_ids": {"type": "array", "items": {"type": "string"}}}, "required": ["label_ids"]}"#,
        reason: "the outer list is a slip",
    },
    Correction {
        place: "CreateCustomer/properties/peppol_scheme_code",
        truth: r#"{"type": ["string", "integer"]}"#,
        reason: "typed integer, but the values are texts such as KVK",
    },
    Correction {
        place: "CreateCustomer/properties/peppol_identifier",
        truth: r#"{"type": ["string", "integer"]}"#,
        reason: "as above",
    },
    Correction {
        place: "UpdateCustomer/properties/peppol_scheme_code",
        truth: r#"{"type": ["string", "integer"]}"#,
        reason: "as above",
    },
    Correction {
        place: "UpdateCustomer/properties/peppol_identifier",
        truth: r#"{"type": ["string", "integer"]}"#,
        reason: "as above",
    },
];

/// What is needed though the swagger does not say so: the definition, the field.
const NEEDED: &[(&str, &str)] = &[
    ("CreateInvoice", "customer_id"),
    ("CreateInvoice", "line_items"),
    ("CreateInvoiceV2", "customer_id"),
    ("CreateInvoiceV2", "line_items"),
    ("CreateInvoiceV3", "customer_id"),
    ("CreateInvoiceV3", "line_items"),
];

/// The definitions of the swagger with the corrections.
fn definitions() -> &'static Value {
    static DEFINITIONS: OnceLock<Value> = OnceLock::new();
    DEFINITIONS.get_or_init(|| {
        let swagger: Value =
            serde_json::from_str(include_str!("../../../stdlib/jortt/vendor/swagger.json")).unwrap_or_default();
        let mut definitions = swagger.get("definitions").cloned().unwrap_or_default();
        let documents: Vec<String> = definitions
            .as_object()
            .map(|all| {
                all.keys().filter(|name| name.starts_with("Create") || name.starts_with("Edit")).cloned().collect()
            })
            .unwrap_or_default();
        for correction in CORRECTIONS {
            let truth: Value = serde_json::from_str(correction.truth).unwrap_or_default();
            for name in &documents {
                let place = format!("/{}", correction.place.replacen('*', name, 1));
                if let Some(wrong) = definitions.pointer_mut(&place) {
                    *wrong = truth.clone();
                }
            }
            if let Some(wrong) = definitions.pointer_mut(&format!("/{}", correction.place)) {
                *wrong = truth;
            }
        }
        // Draft 4 passes over what stands beside a reference; here it is what counts.
        for name in &documents {
            for part in ["amount", "vat", "amount_per_unit"] {
                let place = format!("/{name}/properties/line_items/items/properties/{part}");
                if let Some(Value::Object(field)) = definitions.pointer_mut(&place) {
                    field.remove("$ref");
                }
            }
        }
        for (name, field) in NEEDED {
            if let Some(Value::Object(definition)) = definitions.get_mut(name)
                && let Some(needed) = definition.entry("required").or_insert_with(|| json!([])).as_array_mut()
            {
                needed.push(json!(field));
            }
        }
        definitions
    })
}

fn validates(name: &'static str, body: &Value) -> Vec<Detail> {
    static VALIDATORS: OnceLock<Mutex<HashMap<&'static str, Option<Validator>>>> = OnceLock::new();
    let mut validators = VALIDATORS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let validator = validators.entry(name).or_insert_with(|| {
        let schema = json!({"$ref": format!("#/definitions/{name}"), "definitions": definitions()});
        jsonschema::options().with_draft(Draft::Draft4).should_validate_formats(true).build(&schema).ok()
    });
    let Some(validator) = validator else { return Vec::new() };
    let mut details: Vec<Detail> = Vec::new();
    for fault in validator.iter_errors(body) {
        let path = fault.instance_path().to_string();
        let detail = match fault.kind() {
            ValidationErrorKind::Required { property } => {
                Detail::missing(param(&format!("{path}/{}", json::shown(property))))
            }
            _ => Detail::invalid(param(&path)),
        };
        if !details.contains(&detail) {
            details.push(detail);
        }
    }
    details
}

/// `/line_items/0/vat` as Jortt writes it: `line_items[0][vat]`.
fn param(path: &str) -> String {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or("").to_owned();
    parts.fold(first, |name, part| format!("{name}[{part}]"))
}

/// Nothing and null are the same, but for the category of a rate, whose key must be there.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, value)| !value.is_null() || name.as_str() == "category")
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .collect::<Fields>()
            .into(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// A form body as an object: `a=1`, `a[]=1`; words become what the swagger says.
fn from_form(call: &Call, name: &str) -> Fields {
    let mut fields = Fields::new();
    for (key, value) in call.form() {
        if let Some(list) = key.strip_suffix("[]") {
            if let Some(items) = fields.entry(list).or_insert_with(|| json!([])).as_array_mut() {
                items.push(json!(value));
            }
            continue;
        }
        let kind = definitions().pointer(&format!("/{name}/properties/{key}/type")).and_then(Value::as_str);
        let read = match kind {
            Some("boolean" | "integer") => serde_json::from_str(&value).unwrap_or(json!(value)),
            _ => json!(value),
        };
        fields.insert(key, read);
    }
    fields
}

/// Reads and judges the body of a call by a definition of the swagger.
pub(super) fn body(call: &Call, name: &'static str) -> Result<Fields, Reply> {
    let form = call.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let fields = if form {
        from_form(call, name)
    } else {
        super::super::message::object(&call.body).map_err(|message| trouble(422, "params.invalid_format", &message))?
    };
    let details = validates(name, &without_nulls(&Value::Object(fields.clone())));
    if details.is_empty() { Ok(fields) } else { Err(invalid(&details)) }
}

/// An id must be a UUID; one that is none is a bad parameter, not an unknown record.
pub(super) fn uuid(id: &str, param: &str) -> Result<(), Reply> {
    if uuid::Uuid::parse_str(id).is_ok() && id.len() == 36 { Ok(()) } else { Err(invalid(&[Detail::invalid(param)])) }
}

//! Jortt: definitions of `swagger.json` to one text for each entity that flows name.
//!
//! Which version of a resource is read and written is a table here, because the swagger holds three of each.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tree::{ImportError, Node, json, lay_over, plain_type, properties, required, text};

/// An entity with the definitions of its read, create and update.
struct Source {
    entity: &'static str,
    read: Option<&'static str>,
    create: Option<&'static str>,
    update: Option<&'static str>,
}

/// Every entity of Jortt. Invoices are read by v2 and made by v3, which computes VAT per rate; the v2 edit leaves what
/// is not given. A bank account and a VAT rate are read only.
const SOURCES: &[Source] = &[
    Source {
        entity: "bank_accounts",
        read: Some("Jortt_V3_Financing_BankAccounts_Entities_BankAccount"),
        create: None,
        update: None,
    },
    Source {
        entity: "customers",
        read: Some("Jortt_V1_Entities_Customer"),
        create: Some("CreateCustomer"),
        update: Some("UpdateCustomer"),
    },
    Source {
        entity: "estimates",
        read: Some("Jortt_V2_Invoicing_Entities_Estimate"),
        create: Some("CreateEstimateV2"),
        update: Some("EditEstimateV2"),
    },
    Source { entity: "invoice_labels", read: None, create: None, update: Some("SetLabels") },
    Source {
        entity: "invoice_send_settings",
        read: Some("Jortt_V1_Entities_Responses_SendSettingsInvoiceResponse"),
        create: None,
        update: None,
    },
    Source { entity: "invoice_sendings", read: None, create: Some("SendInvoice"), update: None },
    Source {
        entity: "invoices",
        read: Some("Jortt_V2_Invoicing_Entities_Invoice"),
        create: Some("CreateInvoiceV3"),
        update: Some("EditInvoiceV2"),
    },
    Source { entity: "labels", read: Some("Jortt_V1_Entities_Label"), create: Some("CreateLabel"), update: None },
    Source { entity: "ledger_accounts", read: Some("Jortt_V1_Entities_LedgerAccount"), create: None, update: None },
    Source { entity: "organization", read: Some("Jortt_V1_Entities_Organization"), create: None, update: None },
    Source { entity: "tradenames", read: Some("Jortt_V1_Entities_Tradename"), create: None, update: None },
    Source {
        entity: "vat_percentages",
        read: Some("Jortt_V2_Invoicing_Entities_VatPercentagesForCustomer"),
        create: None,
        update: None,
    },
];

/// What the swagger puts before the description of every amount.
const MONEY_WORDS: &str = "A hash representing a monetary amount, contains a string for amount and currency.";

pub(super) fn import(files: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ImportError> {
    let swagger = files.get("swagger.json").ok_or_else(|| ImportError("vendor file swagger.json is missing".into()))?;
    let swagger = json("swagger.json", swagger)?;
    let definitions =
        swagger.get("definitions").ok_or_else(|| ImportError("vendor file swagger.json has no definitions".into()))?;
    let nodes = |name: Option<&str>| match name {
        Some(name) => {
            let definition = definitions
                .get(name)
                .ok_or_else(|| ImportError(format!("vendor file swagger.json has no definition {name}")))?;
            // `SetLabels` wraps its body in an array: a slip, the call takes the object. An answer that no other record
            // shares has its fields below `data`.
            let object = definition.get("items").or_else(|| definition.pointer("/properties/data"));
            fields(definitions, object.unwrap_or(definition), 0)
                .map_err(|error| ImportError(format!("{name}: {error}")))
        }
        None => Ok(Vec::new()),
    };
    let mut out = BTreeMap::new();
    for source in SOURCES {
        let read = nodes(source.read)?;
        let write = lay_over(nodes(source.create)?, nodes(source.update)?)?;
        let mut sections: Vec<(&str, &[Node])> = Vec::new();
        if source.read.is_some() {
            sections.push(("read", &read));
        }
        if source.create.is_some() || source.update.is_some() {
            sections.push(("write", &write));
        }
        out.insert(format!("{}.schema", source.entity), text("swagger.json", &sections));
    }
    Ok(out)
}

/// Deeper than any body; a definition that holds itself would never end.
const DEEPEST: usize = 8;

fn fields(definitions: &Value, object: &Value, depth: usize) -> Result<Vec<Node>, ImportError> {
    if depth > DEEPEST {
        return Err(ImportError("it is nested too deeply".into()));
    }
    let needed = required(object);
    properties(object)
        .map(|(name, property)| {
            let inner = resolve(definitions, property);
            let (ty, fields) = if is_money(inner) {
                ("money".to_owned(), Vec::new())
            } else if inner.get("properties").is_some() {
                ("object".to_owned(), fields(definitions, inner, depth + 1)?)
            } else if let Some(items) = inner.get("items") {
                let item = resolve(definitions, items);
                if item.get("properties").is_some() {
                    ("objects".to_owned(), fields(definitions, item, depth + 1)?)
                } else {
                    ("texts".to_owned(), Vec::new())
                }
            } else if inner.get("type").and_then(Value::as_str) == Some("object") {
                ("object".to_owned(), Vec::new())
            } else {
                (plain_type(inner).map_err(|error| ImportError(format!("{name}: {error}")))?, Vec::new())
            };
            let words = property.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            Ok(Node {
                name: name.clone(),
                ty,
                label: label(property),
                required: [Some(needed.contains(&name.as_str())); 2],
                codes: words.map(|word| (word.to_owned(), word.to_owned())).collect(),
                fields,
            })
        })
        .collect()
}

/// What a `$ref` (alone, or in `allOf`) points to. It is followed even where properties stand beside it: those repeat it.
fn resolve<'a>(definitions: &'a Value, property: &'a Value) -> &'a Value {
    let reference = property.get("$ref").or_else(|| property.pointer("/allOf/0/$ref")).and_then(Value::as_str);
    let target = reference.and_then(|path| definitions.get(path.rsplit('/').next().unwrap_or_default()));
    target.unwrap_or(property)
}

fn is_money(object: &Value) -> bool {
    let names: Vec<_> = properties(object).map(|(name, _)| name.as_str()).collect();
    names == ["amount", "currency"]
}

/// The first sentence of a description, on one line.
fn label(property: &Value) -> String {
    let text = property.get("description").and_then(Value::as_str).unwrap_or_default();
    let text = text.strip_prefix(MONEY_WORDS).filter(|rest| !rest.is_empty()).unwrap_or(text);
    let line: Vec<_> = text.split_whitespace().collect();
    let line = line.join(" ");
    let sentence = line.split(". ").next().unwrap_or_default();
    let sentence = sentence.split(" - ").next().unwrap_or_default();
    sentence.trim_end_matches(['.', ':', ' ']).to_owned()
}

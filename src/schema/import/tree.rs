//! What both imports share: a tree of fields, two bodies laid over each other, and the text that is written.
//!
//! The text's form is told in [`HEADER`] and read by `schema::compact`.

use std::fmt::Write as _;

use serde_json::Value;

/// Why an import failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ImportError(pub String);

/// How a schema text is read, at the top of each.
pub(super) const HEADER: &str = "\
# Made by `koppel schema import`; never edited by hand: corrections and additions stand in facts.toml.
# A line is `name type marks: label`, sub-fields and codes (`= code label`) are indented below it.
# Types: text(n) int number(decimals) bool date datetime email phone url guid memo money texts object objects.
# Marks: `!` required, `create!` and `update!` only then; `create` and `update`: a field of that body only.
";

/// A field as the vendor has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) ty: String,
    pub(super) label: String,
    /// Required in the create's body (or the read) and in the update's; none = no field of that body.
    pub(super) required: [Option<bool>; 2],
    pub(super) codes: Vec<(String, String)>,
    pub(super) fields: Vec<Node>,
}

/// One text: what it was made of, and its parts.
pub(super) fn text(from: &str, sections: &[(&str, &[Node])]) -> String {
    let mut out = format!("# From vendor/{from}\n{HEADER}");
    for (head, nodes) in sections {
        let _ = writeln!(out, "\n{head}");
        for node in *nodes {
            line(node, 1, &mut out);
        }
    }
    out
}

fn line(node: &Node, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let _ = write!(out, "{indent}{} {}", node.name, node.ty);
    out.push_str(match node.required {
        [Some(true), Some(true)] => " !",
        [Some(true), Some(false)] => " create!",
        [Some(false), Some(true)] => " update!",
        [Some(true), None] => " create !",
        [Some(false), None] => " create",
        [None, Some(true)] => " update !",
        [None, Some(false)] => " update",
        [Some(false), Some(false)] | [None, None] => "",
    });
    if node.label.is_empty() {
        out.push('\n');
    } else {
        let _ = writeln!(out, ": {}", node.label);
    }
    for (code, label) in &node.codes {
        let _ = if code == label {
            writeln!(out, "{indent}  = {code}")
        } else {
            writeln!(out, "{indent}  = {code} {label}")
        };
    }
    for field in &node.fields {
        line(field, depth + 1, out);
    }
}

/// A create's and an update's fields as one list: what stands in one only is marked so.
///
/// # Errors
/// A field that is of another kind in the other body: then they would need two lists.
pub(super) fn lay_over(create: Vec<Node>, update: Vec<Node>) -> Result<Vec<Node>, ImportError> {
    let mut out: Vec<Node> = create.into_iter().map(|node| only(node, 0)).collect();
    for second in update {
        let Some(first) = out.iter_mut().find(|node| node.name == second.name) else {
            out.push(only(second, 1));
            continue;
        };
        if kind(&first.ty) != kind(&second.ty) || first.codes != second.codes {
            return Err(ImportError(format!(
                "{} is {} when it is made and {} when it is changed",
                first.name, first.ty, second.ty
            )));
        }
        first.required[1] = second.required[1];
        if second.ty.len() > first.ty.len() {
            first.ty = second.ty;
        }
        first.fields = lay_over(std::mem::take(&mut first.fields), second.fields)?;
    }
    Ok(out)
}

/// A field of one of the two bodies only, with all that is below it.
fn only(mut node: Node, body: usize) -> Node {
    if let Some(other) = node.required.get_mut(1 - body) {
        *other = None;
    }
    node.fields = node.fields.into_iter().map(|field| only(field, body)).collect();
    node
}

/// `number` of `number(2)`: the two bodies tell the decimals in one of them only.
fn kind(ty: &str) -> &str {
    if ty.starts_with("number") { "number" } else { ty }
}

/// The JSON of a vendor's file.
pub(super) fn json(name: &str, text: &str) -> Result<Value, ImportError> {
    serde_json::from_str(text).map_err(|error| ImportError(format!("vendor file {name} is no JSON: {error}")))
}

/// The type of a plain property: type, format, length and decimals together.
pub(super) fn plain_type(property: &Value) -> Result<String, ImportError> {
    let word = |name: &str| property.get(name).and_then(Value::as_str);
    let ty = match (word("type"), word("format")) {
        (Some("string"), Some("date")) => "date".to_owned(),
        (Some("string"), Some("date-time")) => "datetime".to_owned(),
        (Some("string"), Some("byte")) => "memo".to_owned(),
        (Some("string"), Some(format @ ("email" | "password" | "uri" | "uuid"))) => {
            let ty = match format {
                "email" => "email",
                "password" => "phone",
                "uri" => "url",
                _ => "guid",
            };
            sized(ty, property)
        }
        (Some("string"), None) => sized("text", property),
        (Some("integer"), _) => "int".to_owned(),
        (Some("number"), _) => match property.get("multipleOf").and_then(places) {
            Some(places) => format!("number({places})"),
            None => "number".to_owned(),
        },
        (Some("boolean"), _) => "bool".to_owned(),
        (ty, format) => {
            let format = format.map(|format| format!(" with format \"{format}\"")).unwrap_or_default();
            return Err(ImportError(format!("type \"{}\"{format} is unknown", ty.unwrap_or("(none)"))));
        }
    };
    Ok(ty)
}

fn sized(ty: &str, property: &Value) -> String {
    match property.get("maxLength").and_then(Value::as_u64) {
        Some(max) => format!("{ty}({max})"),
        None => ty.to_owned(),
    }
}

/// The decimals of a `multipleOf` such as `0.01` or `1e-05`.
fn places(step: &Value) -> Option<u32> {
    let text = step.as_number()?.to_string();
    let step = rust_decimal::Decimal::from_scientific(&text).or_else(|_| text.parse()).ok()?;
    Some(step.normalize().scale())
}

/// The names in an object's `required`.
pub(super) fn required(object: &Value) -> Vec<&str> {
    object.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The properties of an object, in the vendor's order.
pub(super) fn properties(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.get("properties").and_then(Value::as_object).into_iter().flatten()
}

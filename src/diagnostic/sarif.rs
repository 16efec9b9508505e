//! Diagnostics for code hosts and editors: one SARIF 2.1.0 log.
//!
//! Takes the diagnostics of some projects, gives the log as JSON. Promises that lines and columns count from 1 in
//! characters, that addresses are relative (`flows/orders.flow`), and that each result points to its rule.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Diagnostic, Fix, Rule, Sources, Span, rules};

/// What a path in an address may not hold as it is.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a library brought along with koppel is called.
const BROUGHT_ALONG: &str = "std:";

/// One project: its diagnostics, their texts, and its folder as seen from where the reader stands (`flows`, or empty).
#[derive(Debug)]
pub struct SarifPart<'a> {
    /// What is told.
    pub diagnostics: &'a [Diagnostic],
    /// What it points into.
    pub sources: &'a Sources,
    /// The folder before each path, with `/`, without one at the end.
    pub folder: &'a str,
}

/// The log of all projects, one run for each.
#[must_use]
pub fn render_sarif(parts: &[SarifPart<'_>]) -> String {
    let all: Vec<&Rule> = rules().collect();
    let runs: Vec<Value> = parts.iter().map(|part| run(part, &all)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": runs,
    });
    format!("{log:#}")
}

fn run(part: &SarifPart<'_>, all: &[&Rule]) -> Value {
    let results: Vec<Value> = part.diagnostics.iter().map(|told| result(told, part, all)).collect();
    let described: Vec<Value> = all.iter().map(|rule| describe(rule)).collect();
    json!({
        "tool": { "driver": {
            "name": "koppel",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": described,
        } },
        "columnKind": "unicodeCodePoints",
        "results": results,
    })
}

fn describe(rule: &Rule) -> Value {
    let help = format!("{}\n\nwrong:\n{}\nright:\n{}", rule.why, rule.wrong.text(), rule.right.text());
    let markdown =
        format!("{}\n\nwrong:\n```\n{}```\n\nright:\n```\n{}```\n", rule.why, rule.wrong.text(), rule.right.text());
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.why },
        "help": { "text": help, "markdown": markdown },
        "defaultConfiguration": { "level": rule.severity.word() },
    })
}

fn result(told: &Diagnostic, part: &SarifPart<'_>, all: &[&Rule]) -> Value {
    let mut text = told.title.clone();
    let first = told.labels.first().filter(|label| !label.text.is_empty());
    for more in first.map(|label| &label.text).into_iter().chain(&told.help) {
        text.push('\n');
        text.push_str(more);
    }
    let mut result = json!({
        "ruleId": told.code,
        "level": told.severity.word(),
        "message": { "text": text },
    });
    let Some(fields) = result.as_object_mut() else { return result };
    if let Some(index) = all.iter().position(|rule| rule.code == told.code) {
        fields.insert("ruleIndex".to_owned(), index.into());
    }
    let places: Vec<Value> = place(told.span(), part).into_iter().collect();
    fields.insert("locations".to_owned(), places.into());
    let others: Vec<Value> = told
        .labels
        .iter()
        .skip(1)
        .filter_map(|label| {
            let mut place = place(label.span, part)?;
            if !label.text.is_empty() {
                place.as_object_mut()?.insert("message".to_owned(), json!({ "text": label.text }));
            }
            Some(place)
        })
        .collect();
    if !others.is_empty() {
        fields.insert("relatedLocations".to_owned(), others.into());
    }
    if let Some(fix) = told.fix.as_ref().and_then(|fix| mend(fix, told, part)) {
        fields.insert("fixes".to_owned(), json!([fix]));
    }
    result
}

/// Where a span is; nothing for one that points nowhere.
fn place(span: Span, part: &SarifPart<'_>) -> Option<Value> {
    let artifact = artifact(span, part)?;
    Some(json!({ "physicalLocation": { "artifactLocation": artifact, "region": region(span, part)? } }))
}

fn artifact(span: Span, part: &SarifPart<'_>) -> Option<Value> {
    let path = &part.sources.get(span.file)?.path;
    let whole = if part.folder.is_empty() || path.starts_with(BROUGHT_ALONG) {
        path.clone()
    } else {
        format!("{}/{path}", part.folder)
    };
    Some(json!({ "uri": utf8_percent_encode(&whole, PATH).to_string() }))
}

/// Lines and columns from 1; the end stands behind the last character.
fn region(span: Span, part: &SarifPart<'_>) -> Option<Value> {
    let source = part.sources.get(span.file)?;
    let (line, column) = source.line_column(span.start);
    let (end_line, end_column) = source.line_column(span.end.max(span.start));
    Some(json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column }))
}

fn mend(fix: &Fix, told: &Diagnostic, part: &SarifPart<'_>) -> Option<Value> {
    let said = told.help.as_deref().unwrap_or(&fix.text);
    Some(json!({
        "description": { "text": said },
        "artifactChanges": [{
            "artifactLocation": artifact(fix.span, part)?,
            "replacements": [{
                "deletedRegion": region(fix.span, part)?,
                "insertedContent": { "text": fix.text },
            }],
        }],
    }))
}

//! What was expected against what came out, in the reader's words.

use std::{collections::BTreeMap, sync::Arc};

use super::{Failure, FieldFailure, fail};
use crate::{
    check::typed::{Expect, ExpectField, ExpectFields, ExpectKind, Expr, ExprKind},
    diagnostic::Span,
    eval::NoValue,
    syntax::tree::BinaryOp,
    value::{Action, Decision, EntityName, Fields, Node, Outcome, Reason, Value, Verdict, Write, same},
};

/// Works out an expression over the names of the flow.
type ValueOf<'a> = dyn FnMut(&Expr) -> Result<Value, NoValue> + 'a;

type Keys = BTreeMap<Arc<str>, Value>;

/// What one `expect` line finds wrong; those about writes are compared together ([`writes`]), `expect no read` by the
/// caller.
pub(super) fn expectation(expect: &Expect, decisions: &[Decision], value_of: &mut ValueOf<'_>) -> Vec<Failure> {
    match &expect.kind {
        ExpectKind::Write(..) | ExpectKind::NoRead => Vec::new(),
        ExpectKind::NoWrite(action, entity) => {
            let unwanted = all_writes(decisions).find(|write| {
                action.is_none_or(|action| action == write.action)
                    && entity.as_ref().is_none_or(|entity| *entity == write.entity)
            });
            let told = |write: &Write| {
                fail(expect.span, format!("expected none, got {} {}", write.action.word(), write.entity))
            };
            unwanted.map(told).into_iter().collect()
        }
        ExpectKind::Outcome(verdict, text) => {
            if reasons(decisions, *verdict).any(|reason| fits(reason, text.as_deref())) {
                return Vec::new();
            }
            let text = text.as_ref().map(|text| format!(" \"{text}\"")).unwrap_or_default();
            vec![fail(expect.span, format!("expected {}{text}, got {}", verdict.word(), told(decisions)))]
        }
        ExpectKind::NoOutcome(verdict, text) => {
            let unwanted = reasons(decisions, *verdict).find(|reason| fits(reason, text.as_deref()));
            let told = |reason: &Reason| {
                let word = verdict.word();
                fail(expect.span, format!("expected no {word}, got {word} \"{}\" ({})", reason.text, reason.place))
            };
            unwanted.map(told).into_iter().collect()
        }
        ExpectKind::Holds(expr) => {
            let value = value_of(expr);
            holds(expr, value, expect.span, value_of).into_iter().collect()
        }
    }
}

/// What `expect <condition>` finds wrong: both sides of a comparison are shown.
pub(super) fn holds(
    expr: &Expr,
    value: Result<Value, NoValue>,
    span: Span,
    value_of: &mut ValueOf<'_>,
) -> Option<Failure> {
    match value {
        Ok(Value::Bool(true)) => None,
        Ok(_) => Some(match &expr.kind {
            ExprKind::Binary(BinaryOp::Is, left, right) => {
                let (got, expected) = (shown(value_of(left)), shown(value_of(right)));
                fail(span, format!("expected {expected}, got {got}"))
            }
            _ => fail(span, "expected that this holds; it does not"),
        }),
        Err(why) => Some(fail(span, format!("expected a value, got {why}"))),
    }
}

fn shown(value: Result<Value, NoValue>) -> String {
    value.map_or_else(|why| why.to_string(), |value| quoted(&value))
}

fn quoted(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("\"{text}\""),
        Value::Blank => "blank".to_owned(),
        other => other.to_string(),
    }
}

fn reasons(decisions: &[Decision], verdict: Verdict) -> impl Iterator<Item = &Reason> {
    decisions.iter().flat_map(move |decision| reasons_of(decision, verdict))
}

fn reasons_of(decision: &Decision, verdict: Verdict) -> impl Iterator<Item = &Reason> {
    let outcome = match (&decision.outcome, verdict) {
        (Outcome::Skip(reason), Verdict::Skip)
        | (Outcome::Hold(reason), Verdict::Hold)
        | (Outcome::Fail(reason), Verdict::Fail) => Some(reason),
        _ => None,
    };
    let warnings = if verdict == Verdict::Warn { decision.warnings.as_slice() } else { &[] };
    outcome.into_iter().chain(warnings)
}

fn fits(reason: &Reason, part: Option<&str>) -> bool {
    part.is_none_or(|part| reason.text.contains(part))
}

/// The outcome in one line, with that of the stages behind it.
fn told(decisions: &[Decision]) -> String {
    let mut lines: Vec<String> = decisions.iter().map(told_of).collect();
    lines.dedup();
    lines.join(", then ")
}

fn told_of(decision: &Decision) -> String {
    let with = |word: &str, reason: &Reason| format!("{word} \"{}\" ({})", reason.text, reason.place);
    match &decision.outcome {
        Outcome::Skip(reason) => with("skip", reason),
        Outcome::Hold(reason) => with("hold", reason),
        Outcome::Fail(reason) => with("fail", reason),
        Outcome::Writes(writes) if writes.is_empty() => "nothing to write".to_owned(),
        Outcome::Writes(writes) => {
            let names: Vec<String> =
                writes.iter().map(|write| format!("{} {}", write.action.word(), write.entity)).collect();
            names.join(", ")
        }
    }
}

/// Which writes are compared.
pub(super) struct Asked<'a> {
    /// Made or changed.
    pub(super) action: Action,
    /// Of what.
    pub(super) entity: &'a EntityName,
    /// The lines of the flow that give a field.
    pub(super) lines: &'a dyn Fn(&str) -> Vec<Span>,
}

/// All `expect create E` lines of a test for one entity: they are the whole list in order, so the first is about the
/// first create of E, and there are exactly as many.
pub(super) fn writes(
    blocks: &[(Span, &ExpectFields)],
    asked: &Asked<'_>,
    decisions: &[Decision],
    keys: &Keys,
    value_of: &mut ValueOf<'_>,
) -> Vec<Failure> {
    let Some((first, _)) = blocks.first() else { return Vec::new() };
    let Asked { action, entity, .. } = *asked;
    let got: Vec<&Write> =
        all_writes(decisions).filter(|write| write.action == action && write.entity == *entity).collect();
    if got.is_empty() {
        return vec![fail(*first, format!("expected {} {entity}, got {}", action.word(), told(decisions)))];
    }
    let mut failures = Vec::new();
    if got.len() != blocks.len() {
        let (wanted, got, verb) = (blocks.len(), got.len(), action.word());
        failures.push(fail(*first, format!("expected {wanted} times {verb} {entity}, got {got}")));
    }
    for ((expect, expected), write) in blocks.iter().zip(got) {
        let at = At { asked, expect: *expect, above: String::new(), keys };
        failures.extend(fields(expected, &write.fields, &at, value_of));
    }
    failures
}

fn all_writes(decisions: &[Decision]) -> impl Iterator<Item = &Write> {
    decisions.iter().flat_map(writes_of)
}

/// The writes of a decision.
pub(super) fn writes_of(decision: &Decision) -> &[Write] {
    match &decision.outcome {
        Outcome::Writes(writes) => writes,
        Outcome::Skip(_) | Outcome::Hold(_) | Outcome::Fail(_) => &[],
    }
}

/// Where a comparison stands.
struct At<'a> {
    asked: &'a Asked<'a>,
    expect: Span,
    /// The object around, with its dot.
    above: String,
    keys: &'a Keys,
}

fn fields(expected: &ExpectFields, got: &Fields, at: &At<'_>, value_of: &mut ValueOf<'_>) -> Vec<Failure> {
    let At { asked, expect, above, keys } = at;
    let mut failures = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for field in &expected.0 {
        match field {
            ExpectField::Value(path, expr, span) => {
                let path = path.join(".");
                let wanted = match value_of(expr) {
                    Ok(value) => resolved(&value, keys),
                    Err(why) => {
                        failures.push(fail(*span, format!("{above}{path}: expected a value, got {why}")));
                        continue;
                    }
                };
                let got = got.value(&path).map_or(Value::Blank, |value| resolved(value, keys));
                if !same(&wanted, &got) {
                    let (expected, got) = (quoted(&wanted), quoted(&got));
                    let path = format!("{above}{path}");
                    let text = format!("{path}: expected {expected}, got {got}");
                    let write = format!("{} {}", asked.action.word(), asked.entity);
                    let lines = (asked.lines)(&path);
                    let field = Some(Box::new(FieldFailure { expect: *expect, write, path, expected, got, lines }));
                    failures.push(Failure { span: *span, text, field });
                }
            }
            ExpectField::Object(name, inner, span) => {
                let index = seen.entry(name).or_default();
                let element = match got.node(name) {
                    Some(Node::Object(object)) if *index == 0 => Some(object),
                    Some(Node::List(list)) => list.get(*index),
                    _ => None,
                };
                *index += 1;
                let place = format!("{above}{name}");
                match element {
                    Some(element) => {
                        let within = At { asked, expect: *expect, above: format!("{place}."), keys };
                        failures.extend(fields(inner, element, &within, value_of));
                    }
                    None => failures.push(fail(*span, format!("{place}: expected one more, got none"))),
                }
            }
        }
    }
    for (name, count) in seen {
        if let Some(Node::List(list)) = got.node(name)
            && list.len() > count
            && let Some(ExpectField::Object(_, _, span)) =
                expected.0.iter().find(|field| matches!(field, ExpectField::Object(own, ..) if &**own == name))
        {
            failures.push(fail(*span, format!("{above}{name}: expected {count}, got {}", list.len())));
        }
    }
    failures
}

/// The key of a write in place of its promise.
pub(super) fn resolved(value: &Value, keys: &Keys) -> Value {
    match value {
        Value::Key(name) => keys.get(name).cloned().unwrap_or_else(|| value.clone()),
        Value::List(items) => Value::List(items.iter().map(|item| resolved(item, keys)).collect()),
        other => other.clone(),
    }
}

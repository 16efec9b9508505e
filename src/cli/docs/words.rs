//! Pieces of a page: types and values as a flow writes them, the text of a place, cells of a table.

use crate::{
    check::typed::{Message, MessagePart},
    diagnostic::{Sources, Span},
    schema::{Kind, Ty},
    value::{Decimal, Value},
};

/// The text of a place on one line.
pub(super) fn text_of(sources: &Sources, span: Span) -> String {
    sources.slice(span).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A type as a flow writes it, a reference by its column.
pub(super) fn ty(ty: &Ty) -> String {
    match &ty.reference {
        Some(reference) => format!("{}.{}{}", reference.of, reference.column, if ty.optional { "?" } else { "" }),
        None => ty.to_string(),
    }
}

/// A value as a flow writes it.
pub(super) fn value(ty: &Ty, value: &Value) -> String {
    match (value, &ty.kind) {
        (Value::Blank, _) => "blank".to_owned(),
        (Value::Text(text), _) => format!("\"{text}\""),
        (Value::Decimal(number), Kind::Percent) => match number.checked_mul(Decimal::ONE_HUNDRED) {
            Some(points) => format!("{}%", points.normalize()),
            None => value.to_string(),
        },
        (Value::List(all), Kind::List(of)) => {
            let all: Vec<String> = all.iter().map(|element| self::value(of, element)).collect();
            format!("[{}]", all.join(", "))
        }
        _ => value.to_string(),
    }
}

/// A reason with its holes as they are written.
pub(super) fn message(message: &Message, sources: &Sources) -> String {
    let part = |part: &MessagePart| match part {
        MessagePart::Chars(text) => text.to_string(),
        MessagePart::Hole { value, .. } => format!("{{{}}}", text_of(sources, value.span)),
    };
    message.parts.iter().map(part).collect()
}

/// A text that is no Markdown: nothing of it becomes a tag, a link or code.
pub(super) fn prose(text: &str) -> String {
    text.chars().fold(String::new(), |mut all, c| {
        if matches!(c, '\\' | '`' | '<' | '[') {
            all.push('\\');
        }
        all.push(c);
        all
    })
}

/// A text as code, whatever stands in it.
pub(super) fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    if longest == 0 {
        return format!("`{text}`");
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence} {text} {fence}")
}

/// A row of a Markdown table: no cell ends it.
pub(super) fn row(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The head of a Markdown table.
pub(super) fn head(cells: &[&str]) -> String {
    format!("| {} |\n|{}\n", cells.join(" | "), "---|".repeat(cells.len()))
}

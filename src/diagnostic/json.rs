//! Diagnostics for programs: one JSON object a line.

use serde::Serialize;

use super::{Diagnostic, Sources};

/// One diagnostic as it is printed; lines and columns count from 1, columns in characters.
#[derive(Serialize)]
struct Row<'a> {
    code: &'a str,
    severity: &'a str,
    title: &'a str,
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    help: Option<&'a str>,
}

/// The diagnostic as one line of JSON, without the newline. The end is the place behind the last character.
#[must_use]
pub fn render_json(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let span = diagnostic.span();
    let source = sources.get(span.file);
    let (line, column) = source.map_or((1, 1), |source| source.line_column(span.start));
    let (end_line, end_column) = source.map_or((1, 1), |source| source.line_column(span.end));
    let row = Row {
        code: diagnostic.code,
        severity: diagnostic.severity.word(),
        title: &diagnostic.title,
        file: source.map_or("", |source| &source.path),
        line,
        column,
        end_line,
        end_column,
        help: diagnostic.help.as_deref(),
    };
    serde_json::to_string(&row).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    #[test]
    fn counts_lines_and_columns_from_one_in_characters() {
        let mut sources = Sources::default();
        let file = sources.add("orders.flow", "één\n  \"é\" RfCz = 1\n");
        let start = sources.get(file).unwrap().text.find("RfCz").unwrap();
        let diagnostic = Diagnostic::new("F202", "no field `RfCz`", Span::new(file, start, start + 4)).help("RfCs");
        insta::assert_snapshot!(render_json(&diagnostic, &sources), @r#"{"code":"F202","severity":"error","title":"no field `RfCz`","file":"orders.flow","line":2,"column":7,"end_line":2,"end_column":11,"help":"RfCs"}"#);
    }
}

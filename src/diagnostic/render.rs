//! Diagnostics for people: the one adapter to miette.
//!
//! Takes diagnostics with the texts they point into, gives what a terminal shows: code and title first, the lines of
//! the flow with the exact characters underlined, and the way out. Promises that no file can send control characters
//! to the terminal, and that a span that points nowhere costs the excerpt and not the message.

use std::fmt::Write as _;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents, ThemeStyles,
};

use super::{Diagnostic, Label, Severity, Source, Sources};

/// Labels at most so many lines apart are shown in one excerpt, with the lines between them.
const NEAR: usize = 4;

/// All diagnostics as a terminal of `width` columns shows them, an empty line behind each.
#[must_use]
pub fn render_terminal(diagnostics: &[Diagnostic], sources: &Sources, width: usize, colour: bool) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&title(diagnostic, width, colour));
        out.push_str(&excerpts(diagnostic, sources, width, colour));
        if let Some(help) = &diagnostic.help {
            for (index, line) in help.lines().enumerate() {
                let lead = if index == 0 { "help: " } else { "      " };
                let _ = writeln!(out, "{lead}{}", wrap(&clean(line), width.saturating_sub(6), "      "));
            }
        }
        out.push('\n');
    }
    out
}

/// `F202  AFAS has no field …`, and `warning` at the right edge where it is one.
fn title(diagnostic: &Diagnostic, width: usize, colour: bool) -> String {
    let warns = diagnostic.severity == Severity::Warning;
    let room = width.saturating_sub(if warns { 15 } else { 6 });
    let text = wrap(&clean(&diagnostic.title), room, "      ");
    let mut line = format!("{}  {text}", diagnostic.code);
    if warns {
        let last = line.lines().last().map_or(0, |line| line.chars().count());
        let gap = width.min(80).saturating_sub(last + "warning".len()).max(2);
        let _ = write!(line, "{}warning", " ".repeat(gap));
    }
    let (on, off) = match (colour, warns) {
        (true, false) => ("\x1b[1;31m", "\x1b[0m"),
        (true, true) => ("\x1b[1;33m", "\x1b[0m"),
        (false, _) => ("", ""),
    };
    format!("{on}{line}{off}\n")
}

/// The excerpts, one for each file that a label points into, the file of the first label first.
fn excerpts(diagnostic: &Diagnostic, sources: &Sources, width: usize, colour: bool) -> String {
    let mut files = Vec::new();
    for label in &diagnostic.labels {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    let handler = handler(diagnostic.severity, width, colour);
    let mut out = String::new();
    for file in files {
        let Some(source) = sources.get(file) else { continue };
        let labels: Vec<_> = diagnostic.labels.iter().filter(|label| label.span.file == file).collect();
        let first = diagnostic.labels.first().is_some_and(|label| label.span.file == file);
        let excerpt = Excerpt { source: Shown::of(source), labels: spans(source, &labels, first) };
        let mut text = String::new();
        if handler.render_report(&mut text, &excerpt).is_ok() {
            // The first line is miette's own title, which is empty here.
            out.push_str(text.split_once('\n').map_or("", |(_, rest)| rest));
        }
    }
    out
}

fn handler(severity: Severity, width: usize, colour: bool) -> GraphicalReportHandler {
    let mut theme = GraphicalTheme::unicode_nocolor();
    if colour {
        theme.styles = ThemeStyles::ansi();
        let first = if severity == Severity::Error { theme.styles.error } else { theme.styles.warning };
        theme.styles.highlights = vec![first, theme.styles.help];
    }
    GraphicalReportHandler::new_themed(theme)
        .with_width(width)
        .with_context_lines(0)
        .without_syntax_highlighting()
        .with_links(false)
}

/// The labels as miette wants them: within the text, within one line, on whole characters.
fn spans(source: &Source, labels: &[&Label], first_is_primary: bool) -> Vec<LabeledSpan> {
    let mut spans = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let text = &source.text;
        let start = boundary(text, label.span.start as usize);
        let end = boundary(text, label.span.end as usize).max(start);
        let one_line = text.get(start..end).unwrap_or("").lines().next().unwrap_or("").trim_end();
        let words = (!label.text.is_empty()).then(|| clean(&label.text));
        spans.push(if index == 0 && first_is_primary {
            LabeledSpan::new_primary_with_span(words, (start, one_line.len()))
        } else {
            LabeledSpan::new(words, start, one_line.len())
        });
    }
    spans
}

/// The nearest start of a character at or before `byte`.
fn boundary(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// What miette is given: excerpt and labels, no title, no help.
#[derive(Debug)]
struct Excerpt {
    source: Shown,
    labels: Vec<LabeledSpan>,
}

impl std::fmt::Display for Excerpt {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Excerpt {}

impl miette::Diagnostic for Excerpt {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// A text as it may be shown: the same bytes in the same places, but nothing in it steers a terminal.
#[derive(Debug)]
struct Shown {
    path: String,
    text: String,
}

impl Shown {
    fn of(source: &Source) -> Self {
        let mut text: String = source.text.replace("\r\n", " \n");
        if text.chars().any(steers) {
            text = text.chars().map(|c| if steers(c) { stand_in(c) } else { c }).collect();
        }
        Self { path: clean(&source.path), text }
    }
}

/// Control characters, and those that turn the direction of writing.
fn steers(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Something harmless of the same number of bytes, so that all places stay right.
fn stand_in(c: char) -> char {
    match c.len_utf8() {
        1 => '?',
        2 => '·',
        _ => '\u{fffd}',
    }
}

/// A text of one line without control characters.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\n' || c == '\t' { ' ' } else { c })
        .map(|c| if steers(c) { '?' } else { c })
        .collect()
}

impl SourceCode for Shown {
    /// The whole lines of a span. Counts columns in characters, where miette's own implementation counts bytes.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (from, to) = (span.offset(), span.offset() + span.len());
        let before = self.text.get(..from).ok_or(MietteError::OutOfBounds)?;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.text.get(to..).ok_or(MietteError::OutOfBounds)?;
        let end = rest.find('\n').map_or(self.text.len(), |at| to + at + 1);
        let lines = self.text.get(start..end).ok_or(MietteError::OutOfBounds)?;
        let column = self.text.get(start..from).map_or(0, |text| text.chars().count());
        Ok(Box::new(MietteSpanContents::new_named(
            self.path.clone(),
            lines.as_bytes(),
            (start, end - start).into(),
            before.matches('\n').count(),
            column,
            // miette joins two excerpts when the second begins within the lines of the first.
            lines.lines().count() + NEAR,
        )))
    }
}

/// Breaks a long line at spaces; `indent` stands before each line but the first.
fn wrap(text: &str, width: usize, indent: &str) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let (mut out, mut column) = (String::new(), 0);
    for piece in text.split_inclusive(' ') {
        let length = piece.trim_end().chars().count();
        if column > 0 && column + length > width {
            out.truncate(out.trim_end().len());
            let _ = write!(out, "\n{indent}");
            column = 0;
        }
        out.push_str(piece);
        column += piece.chars().count();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{FileId, Span};

    fn at(sources: &Sources, file: FileId, part: &str) -> Span {
        let start = sources.get(file).unwrap().text.find(part).unwrap();
        Span::new(file, start, start + part.len())
    }

    #[test]
    fn shows_title_place_exact_characters_and_help() {
        let mut sources = Sources::default();
        let file = sources.add("orders.flow", "create sale {\n  # één\n  \"é\" RfCz = invoice.number\n}\n");
        let diagnostic = Diagnostic::new("F202", "AFAS has no field `RfCz` on a sales order", at(&sources, file, "RfCz"))
            .says("not a field of FbSales")
            .also(at(&sources, file, "create sale"), "in this write")
            .help("`RfCs` (Order number/reference) is close; it is also what you search by, in line 77 of this file\nRfCs = …");
        insta::assert_snapshot!(render_terminal(&[diagnostic], &sources, 80, false), @r#"
        F202  AFAS has no field `RfCz` on a sales order
           ╭─[orders.flow:3:7]
         1 │ create sale {
           · ─────┬─────
           ·      ╰── in this write
         2 │   # één
         3 │   "é" RfCz = invoice.number
           ·       ──┬─
           ·         ╰── not a field of FbSales
           ╰────
        help: `RfCs` (Order number/reference) is close; it is also what you search by,
              in line 77 of this file
              RfCs = …
        "#);
    }

    #[test]
    fn shows_two_files_and_a_warning() {
        let mut sources = Sources::default();
        let csv = sources.add("tables/vat.csv", "a,b\r\n1,\"\x1b[2J\"\r\n");
        let flow = sources.add("orders.flow", "table vat from \"tables/vat.csv\" {\n}\n");
        let diagnostic =
            Diagnostic::new("F405", "the VAT rate of 9% has no code after 2026-12-31", Span::new(csv, 5, 12))
                .says("ends in 37 days")
                .also(at(&sources, flow, "vat"), "this table");
        insta::assert_snapshot!(render_terminal(&[diagnostic], &sources, 80, false), @r#"
        F405  the VAT rate of 9% has no code after 2026-12-31                    warning
           ╭─[tables/vat.csv:2:1]
         2 │ 1,"?[2J" 
           · ───┬───
           ·    ╰── ends in 37 days
           ╰────
           ╭─[orders.flow:1:7]
         1 │ table vat from "tables/vat.csv" {
           ·       ─┬─
           ·        ╰── this table
           ╰────
        "#);
    }

    #[test]
    fn a_span_that_points_nowhere_still_has_its_message() {
        let mut sources = Sources::default();
        let file = sources.add("é.flow", "é");
        let wild = [Span::NONE, Span::new(file, 1, 900), Span::new(file, 700, 900), Span::new(file, 2, 1)];
        for span in wild {
            let text = render_terminal(&[Diagnostic::new("F002", "cannot read this", span)], &sources, 20, true);
            assert!(text.contains("cannot read"), "{text}");
        }
        let empty = sources.add("empty.flow", "");
        let text = render_terminal(
            &[Diagnostic::new("F002", "empty", Span::new(empty, 0, 0)).says("here")],
            &sources,
            80,
            false,
        );
        assert!(text.contains("empty.flow:1:1"), "{text}");
    }
}

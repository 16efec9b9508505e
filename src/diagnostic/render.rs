//! Diagnostics for people: the one adapter to miette.
//!
//! Takes diagnostics with the texts they point into, gives what a terminal shows: code and title first, the lines of
//! the flow with the exact characters underlined, and the way out. Promises that no file can send control characters
//! to the terminal, and that a span that points nowhere costs the excerpt and not the message.

mod shown;

use std::fmt::Write as _;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents, ThemeStyles,
};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use self::shown::Shown;
use super::{Diagnostic, Label, Severity, Sources};
use crate::value::{is_hidden, written_out};

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
                let _ = writeln!(out, "{lead}{}", unbroken(&clean(line), width.saturating_sub(6), "      "));
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
    let text = wrap(&short(&clean(&diagnostic.title), room), room, "      ");
    let mut line = format!("{}  {text}", diagnostic.code);
    if warns {
        let last = line.lines().last().map_or(0, unicode_width::UnicodeWidthStr::width);
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
        // In the order of the text: what is shown of a line depends on all its labels.
        let mut labels: Vec<_> = diagnostic.labels.iter().filter(|label| label.span.file == file).collect();
        let first = diagnostic.labels.first();
        labels.sort_by_key(|label| label.span.start);
        let ranges: Vec<_> = labels.iter().map(|label| label.span.start as usize..label.span.end as usize).collect();
        let shown = Shown::of(source, &ranges, width);
        let room = width.saturating_sub(digits(&shown) + 8);
        let spans = labels.iter().zip(&shown.places).map(|(label, place)| {
            let words = words(label, room.saturating_sub(place.middle).max(16));
            let span = (place.bytes.start, place.bytes.len());
            if first.is_some_and(|first| std::ptr::eq(first, *label)) {
                LabeledSpan::new_primary_with_span(words, span)
            } else {
                LabeledSpan::new_with_span(words, span)
            }
        });
        let excerpt = Excerpt { labels: spans.collect(), source: shown };
        let mut text = String::new();
        if handler.render_report(&mut text, &excerpt).is_ok() {
            // The first line is miette's own title, which is empty here.
            out.push_str(text.split_once('\n').map_or("", |(_, rest)| rest));
        }
    }
    out
}

/// How wide the numbers of the lines are.
fn digits(shown: &Shown) -> usize {
    (shown.first + shown.text.lines().count()).to_string().len()
}

/// What a label says, in lines of at most `room` columns.
fn words(label: &Label, room: usize) -> Option<String> {
    let lines = || label.text.lines().map(|line| wrap(&short(&clean(line), room), room, ""));
    (!label.text.is_empty()).then(|| lines().collect::<Vec<_>>().join("\n"))
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

/// A text of one line without anything that steers a terminal.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(' '),
            c if is_hidden(c) => out.push_str(&written_out(c)),
            c => out.push(c),
        }
    }
    out
}

impl SourceCode for Shown {
    /// The whole lines of a span, numbered as in the source.
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
        let place = self.places.iter().find(|place| place.bytes == (from..to));
        Ok(Box::new(MietteSpanContents::new_named(
            self.path.clone(),
            lines.as_bytes(),
            (start, end - start).into(),
            self.first + before.matches('\n').count(),
            place.map_or(0, |place| place.column),
            // miette joins two excerpts when the second begins within the lines of the first.
            lines.lines().count() + NEAR,
        )))
    }
}

/// A line of help: words are broken where they get too long, what can be pasted never is.
fn unbroken(line: &str, width: usize, indent: &str) -> String {
    if line.width() <= width || line.starts_with(' ') || is_code(line) {
        return line.to_owned();
    }
    match line.rsplit_once("  ").map(|(words, code)| (words.trim_end(), code)) {
        Some((words, code)) if !words.is_empty() => {
            format!("{}\n{indent}  {code}", unbroken(words, width, indent))
        }
        _ => wrap(line, width, indent),
    }
}

/// Is a line something that a flow may hold? Outside back-ticks it has quotes, braces, an equals sign or a path.
fn is_code(line: &str) -> bool {
    let plain: String = line.split('`').step_by(2).collect();
    if plain.contains("  ") {
        return false;
    }
    let path = |word: &str| word.split_once('.').is_some_and(|(_, field)| field.starts_with(char::is_alphabetic));
    let words = || plain.split([' ', '(', ')', ',']).filter(|word| !word.contains("koppel.toml"));
    plain.contains(['"', '=', '{', '}']) || words().any(path)
}

/// Breaks a long line at spaces; `indent` stands before each line but the first.
fn wrap(text: &str, width: usize, indent: &str) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut out, mut column) = (String::new(), 0);
    for piece in text.split_inclusive(' ') {
        let length = piece.trim_end().width();
        if column > 0 && column + length > width {
            out.truncate(out.trim_end().len());
            let _ = write!(out, "\n{indent}");
            column = 0;
        }
        out.push_str(piece);
        column += piece.width();
    }
    out
}

/// A text of which no word is wider than a line: it is cut there.
fn short(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(' ') {
        if word.width() <= width {
            out.push_str(word);
            continue;
        }
        let mut column = 0;
        out.extend(word.chars().take_while(|c| {
            column += c.width().unwrap_or(0);
            column + 2 <= width
        }));
        out.push('…');
        // What closes the word stays: a quote, a bracket.
        let end = word.trim_end().chars().last().filter(char::is_ascii_punctuation);
        out.extend(end);
        out.push(' ');
    }
    out.truncate(out.trim_end().len());
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
         2 │ 1,"\u{1b}[2J"
           · ──────┬─────
           ·       ╰── ends in 37 days
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

    /// What the underline of `part` of a line covers, at 80 columns.
    #[track_caller]
    fn shown(line: &str, part: &str) -> String {
        let mut sources = Sources::default();
        let file = sources.add("orders.flow", format!("# one\n{line}\n# three\n"));
        let told = Diagnostic::new("F204", "not this", at(&sources, file, part)).says("this one");
        let text = render_terminal(&[told], &sources, 80, false);
        let wide = text.lines().find(|line| line.width() > 80);
        assert_eq!(wide, None, "{text}");
        text.lines().skip(2).take(3).map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_long_line_is_cut_around_its_place() {
        let filler = "so much to say about this article ".repeat(10);
        insta::assert_snapshot!(shown(&format!("  Ds = \"{filler}\" + Rfcs + \"{filler}\""), "Rfcs"), @r#"
        2 │ …uch to say about this article " + Rfcs + "so much to say about this arti…
          ·                                    ──┬─
          ·                                      ╰── this one
        "#);
        insta::assert_snapshot!(shown(&format!("  Ds = \"{filler}\""), &format!("\"{filler}\"")), @r#"
        2 │ …"so much to say about this article so much to say about this article so m…
          ·  ─────────────────────────────────────┬────────────────────────────────────
          ·                                       ╰── this one
        "#);
        insta::assert_snapshot!(shown(&format!("  Ds = \"{filler}\" + Rfcs"), "Rfcs"), @r#"
        2 │ …o much to say about this article " + Rfcs
          ·                                       ──┬─
          ·                                         ╰── this one
        "#);
        insta::assert_snapshot!(shown(&format!("  Ds = x + \"{filler}\" + Rfcs"), "x"), @r#"
        2 │   Ds = x + "so much to say about this article so much to say about this a…
          ·        ┬
          ·        ╰── this one
        "#);
    }

    #[test]
    fn places_are_right_behind_wide_combining_hidden_and_turned_characters() {
        insta::assert_snapshot!(shown("  \"日本語\" RfCz = 1", "RfCz"), @r#"
        2 │   "日本語" RfCz = 1
          ·            ──┬─
          ·              ╰── this one
        "#);
        let combining = shown("  \"e\u{301}e\u{301}\" RfCz = 1", "RfCz");
        assert!(combining.contains("\n   ·        ──┬─\n"), "{combining}");
        insta::assert_snapshot!(shown("\tA\t= RfCz", "RfCz"), @r#"
        2 │     A   = RfCz
          ·           ──┬─
          ·             ╰── this one
        "#);
        insta::assert_snapshot!(shown("  \"שלום\" RfCz = \"\u{202e}1\"", "RfCz"), @r#"
        2 │   "שלום" RfCz = "\u{202e}1"
          ·          ──┬─
          ·            ╰── this one
        "#);
        insta::assert_snapshot!(shown("  \"\u{1b}[2J\u{200b}\" RfCz = 1", "RfCz"), @r#"
        2 │   "\u{1b}[2J\u{200b}" RfCz = 1
          ·                       ──┬─
          ·                         ╰── this one
        "#);
        insta::assert_snapshot!(shown("  \"👩‍👩‍👧\" RfCz = 1", "RfCz"), @r#"
        2 │   "👩‍👩‍👧" RfCz = 1
          ·            ──┬─
          ·              ╰── this one
        "#);
    }

    #[test]
    fn two_places_far_apart_in_one_line_are_both_shown() {
        let mut sources = Sources::default();
        let filler = "very ".repeat(80);
        let file = sources.add("orders.flow", format!("let a = [\"{filler}\"] is 3\n"));
        let told = Diagnostic::new("F103", "not comparable", at(&sources, file, "3"))
            .says("a whole number")
            .also(at(&sources, file, "a = ["), format!("a list, and so long that {filler}it has to be told in lines"));
        insta::assert_snapshot!(render_terminal(&[told], &sources, 80, false), @r#"
        F103  not comparable
           ╭─[orders.flow:1:417]
         1 │ let a = ["very very very very very very …very very very very very "] is 3
           ·     ──┬──                                                               ┬
           ·       │                                                                 ╰── a whole number
           ·       ╰─┤ a list, and so long that very very very very very very very very
           ·         │ very very very very very very very very very very very very very
           ·         │ very very very very very very very very very very very very very
           ·         │ very very very very very very very very very very very very very
           ·         │ very very very very very very very very very very very very very
           ·         │ very very very very very very very very very very very very very
           ·         │ very very very very very very very it has to be told in lines
           ╰────
        "#);
    }

    #[test]
    fn what_can_be_pasted_is_never_broken() {
        let code = "invoice.customer_company_name when invoice.invoice_total > 0 else hold \"no name of the customer\"";
        let words = "a long sentence of words that nobody pastes anywhere, with `a.name` in it and (a remark) behind";
        assert_eq!(unbroken(code, 74, "      "), code);
        assert_eq!(unbroken(&format!("  {code}"), 74, "      "), format!("  {code}"));
        assert_eq!(unbroken(&format!("or stop:     {code}"), 74, "      "), format!("or stop:\n        {code}"));
        let broken = unbroken(words, 74, "      ");
        assert!(broken.lines().count() == 2 && broken.lines().all(|line| line.width() <= 80), "{broken}");
        let both = unbroken(&format!("{words}:  {code}"), 74, "      ");
        assert!(both.ends_with(&format!("\n        {code}")) && both.lines().count() == 3, "{both}");
    }

    #[test]
    fn a_title_with_a_long_word_is_cut_and_a_help_is_not() {
        let mut sources = Sources::default();
        let file = sources.add("orders.flow", "x\n");
        let long = "x".repeat(100);
        let told = Diagnostic::new("F204", format!("\"{long}\" is no item type"), at(&sources, file, "x")).help(&long);
        insta::assert_snapshot!(render_terminal(&[told], &sources, 80, false), @r#"
        F204  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"
              is no item type
           ╭─[orders.flow:1:1]
         1 │ x
           · ─
           ╰────
        help: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        "#);
    }
}

//! Tables from CSV files: the header is the declared columns, cells are as in a flow but for the quotes around texts.
//!
//! Takes the text of the file, gives rows as a flow would write them, each cell with its place in the file. Tells F407
//! (header) and F406 (row and cell). CSV quotes mean nothing; a text that reads like a word of the language (`blank`,
//! `not …`, `from …`) carries flow quotes inside the cell.

use jiff::civil::Date;

use super::{cell::BOUNDS, checker::Checker, suggest, table::Columns};
use crate::{
    diagnostic::{Diagnostic, FileId, Span},
    schema::{Kind, Ty},
    syntax::tree::{self, Cell, CellItem, CellKind, Expr, ExprKind, Literal},
    value::Decimal,
};

/// A row of the file.
pub(super) struct CsvRow {
    pub(super) cells: Vec<Cell>,
    pub(super) results: Vec<Expr>,
    pub(super) span: Span,
}

impl<'a> Checker<'a> {
    /// All rows of a file that can be read.
    pub(super) fn csv_rows(
        &mut self,
        file: FileId,
        table: &tree::Table,
        inputs: &Columns,
        results: &Columns,
    ) -> Vec<CsvRow> {
        let loaded = self.loaded;
        let text: &'a str = loaded.sources.get(file).map_or("", |source| &source.text);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut rows = Vec::new();
        let mut first = true;
        let mut record = csv::StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(trouble) => {
                    let at = trouble.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
                    let told = Diagnostic::new("F406", "this row cannot be read as CSV", Span::new(file, at, at));
                    self.say(told.help(trouble.to_string()));
                    break;
                }
            }
            let start = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
            let places = Places::of(text, start, file);
            if std::mem::take(&mut first) {
                if !self.header(&record, &places, table, inputs, results) {
                    return rows;
                }
                continue;
            }
            rows.extend(self.csv_row(&record, &places, inputs, results, table.first));
        }
        if first {
            let title = "this file is empty: its first line names the columns";
            self.say(Diagnostic::new("F407", title, Span::new(file, 0, 0)).help(names(inputs, results)));
        }
        rows
    }

    fn header(
        &mut self,
        record: &csv::StringRecord,
        places: &Places,
        table: &tree::Table,
        inputs: &Columns,
        results: &Columns,
    ) -> bool {
        let wanted: Vec<&str> = inputs.iter().chain(results).map(|(name, _)| &**name).collect();
        let own: Vec<&str> = record.iter().map(|cell| cell.trim().trim_start_matches('\u{feff}')).collect();
        if own == wanted {
            return true;
        }
        let wrong = (0..own.len().max(wanted.len())).find(|at| own.get(*at) != wanted.get(*at)).unwrap_or(0);
        let (title, place) = match (own.get(wrong), wanted.get(wrong)) {
            (Some(own), Some(wanted)) => (format!("column `{own}` should be `{wanted}`"), places.cell(wrong)),
            (Some(own), None) => (format!("column `{own}` is one more than the table declares"), places.cell(wrong)),
            (None, wanted) => (format!("column `{}` is missing", wanted.map_or("", |name| name)), places.row),
        };
        let told = Diagnostic::new("F407", title, place).also(table.head, "declared here");
        self.say(told.help(wanted.join(",")));
        false
    }

    fn csv_row(
        &mut self,
        record: &csv::StringRecord,
        places: &Places,
        inputs: &Columns,
        results: &Columns,
        parts: bool,
    ) -> Option<CsvRow> {
        let wanted = inputs.len() + results.len();
        if record.len() != wanted {
            let title = format!("this row has {} cells, the table has {wanted} columns", record.len());
            self.say(Diagnostic::new("F406", title, places.row).help(names(inputs, results)));
            return None;
        }
        let mut cells = Vec::new();
        let mut values = Vec::new();
        for (at, (text, (name, ty))) in record.iter().zip(inputs.iter().chain(results)).enumerate() {
            let span = places.cell(at);
            let text = text.trim().trim_start_matches('\u{feff}');
            let input = at < inputs.len();
            if text.is_empty() {
                let told = Diagnostic::new("F406", format!("the cell of `{name}` is empty"), span);
                self.say(told.help(if input { "write `blank` or `*`" } else { "write `blank`" }));
                return None;
            }
            if input {
                let kind = cell(text, ty, span, parts);
                if kind.is_none() {
                    self.unreadable(text, name, ty, span);
                }
                cells.push(Cell { kind: kind?, span });
            } else {
                let literal = literal(text, ty);
                if literal.is_none() {
                    self.unreadable(text, name, ty, span);
                }
                values.push(Expr { kind: ExprKind::Literal(literal?), span });
            }
        }
        Some(CsvRow { cells, results: values, span: places.row })
    }

    fn unreadable(&mut self, text: &str, column: &str, ty: &Ty, span: Span) {
        let title = format!("\"{text}\" is not {}, as column `{column}` needs", super::types::say(ty));
        let help = match ty.kind {
            Kind::Percent => Some("a percentage is written  21%".to_owned()),
            Kind::Date => Some("a date is written  2026-03-14".to_owned()),
            Kind::Bool => suggest::nearest(text, ["yes", "no"]).map(|word| format!("`{word}`")),
            Kind::Money | Kind::Decimal => Some("a number is written with a point:  12.50".to_owned()),
            _ => None,
        };
        let told = Diagnostic::new("F406", title, span);
        self.say(Diagnostic { help, ..told });
    }
}

/// The line as it should begin.
fn names(inputs: &Columns, results: &Columns) -> String {
    inputs.iter().chain(results).map(|(name, _)| &**name).collect::<Vec<_>>().join(",")
}

/// Where the cells of a record stand.
struct Places {
    row: Span,
    cells: Vec<Span>,
}

impl Places {
    /// Finds the cells of the record that starts at a byte: commas outside CSV quotes part them.
    fn of(text: &str, start: usize, file: FileId) -> Self {
        let bytes = text.as_bytes();
        let mut start = start;
        // a record may begin behind blank lines, the first one behind a byte order mark
        while matches!(bytes.get(start), Some(b'\n' | b'\r')) {
            start += 1;
        }
        if start == 0 && text.starts_with('\u{feff}') {
            start = '\u{feff}'.len_utf8();
        }
        let (mut cells, mut from, mut at, mut quoted) = (Vec::new(), start, start, false);
        loop {
            match bytes.get(at) {
                Some(b'"') => quoted = !quoted,
                Some(b',') if !quoted => {
                    cells.push(Span::new(file, from, at));
                    from = at + 1;
                }
                Some(b'\n' | b'\r') if !quoted => break,
                None => break,
                Some(_) => {}
            }
            at += 1;
        }
        cells.push(Span::new(file, from, at));
        Self { row: Span::new(file, start, at), cells }
    }

    fn cell(&self, at: usize) -> Span {
        self.cells.get(at).copied().unwrap_or(self.row)
    }
}

/// The place of a cell of a row.
pub(super) fn cell_place(text: &str, row: Span, column: usize) -> Span {
    Places::of(text, row.start as usize, row.file).cell(column)
}

/// A cell of an input column.
fn cell(text: &str, ty: &Ty, span: Span, parts: bool) -> Option<CellKind> {
    if text == "*" {
        return Some(CellKind::Any);
    }
    let (not, rest) = match text.strip_prefix("not ") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let items = split(rest).into_iter().map(|item| self::item(item.trim(), ty, span, parts));
    Some(CellKind::Items { not, items: items.collect::<Option<Vec<_>>>()? })
}

/// The items of a list, parted by commas outside flow quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut items, mut from, mut quoted) = (Vec::new(), 0, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                items.extend(text.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
    }
    items.extend(text.get(from..));
    items
}

fn item(text: &str, ty: &Ty, span: Span, parts: bool) -> Option<CellItem> {
    if text.starts_with("from ") || text.starts_with("until ") {
        return period(text, span);
    }
    if parts && ty.is_texty() {
        let quoted = text.strip_prefix("contains ").and_then(|rest| unquoted(rest.trim()));
        if let Some(part) = quoted {
            return Some(CellItem::Contains(part.into(), span));
        }
        let pattern = text.strip_prefix("matches /").and_then(|rest| rest.strip_suffix('/'));
        if let Some(pattern) = pattern {
            return Some(CellItem::Matches(pattern.into(), span));
        }
    }
    if !ty.is_texty() {
        if let Some((from, to)) = text.split_once("..") {
            return Some(CellItem::Range(literal(from.trim(), ty)?, literal(to.trim(), ty)?, span));
        }
        for (sign, compare) in BOUNDS {
            if let Some(rest) = text.strip_prefix(sign) {
                return Some(CellItem::Bound(*compare, literal(rest.trim(), ty)?, span));
            }
        }
    }
    literal(text, ty).map(|literal| CellItem::Literal(literal, span))
}

/// `from D until D`
fn period(text: &str, span: Span) -> Option<CellItem> {
    let (from, until) = match text.strip_prefix("from ") {
        Some(rest) => match rest.split_once(" until ") {
            Some((from, until)) => (Some(date(from)?), Some(date(until)?)),
            None => (Some(date(rest)?), None),
        },
        None => (None, Some(date(text.strip_prefix("until ")?)?)),
    };
    Some(CellItem::Period(from, until, span))
}

fn date(text: &str) -> Option<Date> {
    text.trim().parse().ok()
}

/// The text between flow quotes.
fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

/// A literal as the column reads it: texts without quotes.
fn literal(text: &str, ty: &Ty) -> Option<Literal> {
    if text == "blank" {
        return Some(Literal::Blank);
    }
    if ty.is_texty() || ty.kind == Kind::Any {
        return Some(Literal::Text(unquoted(text).unwrap_or(text).into()));
    }
    match ty.kind {
        Kind::Int | Kind::Decimal | Kind::Money => number(text).map(Literal::Number),
        Kind::Percent => {
            number(text.strip_suffix('%')?.trim()).map(|points| Literal::Percent(points / Decimal::ONE_HUNDRED))
        }
        Kind::Date => date(text).map(Literal::Date),
        Kind::Bool if text == "yes" => Some(Literal::Bool(true)),
        Kind::Bool if text == "no" => Some(Literal::Bool(false)),
        _ => None,
    }
}

fn number(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).ok()
}

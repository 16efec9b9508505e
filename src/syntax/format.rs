//! A flow as it is written by everybody: indent, columns, blank lines, the vendor's labels.
//!
//! Takes a text and what the schema knows of its fields, gives the text in its one form. Works on lines and tokens, so
//! that a flow with mistakes is formatted too: a line that is not understood is copied as it stands. Promises that
//! comments stay, that the new text means what the old one meant, and that formatting again changes nothing.
//!
//! `lines` tells what each line is, `rewrite` changes words (labels, names of lines, brackets), `runs` and `table` put
//! lines below each other in columns, `blanks` sets blank lines.

mod blanks;
mod lines;
mod rewrite;
mod runs;
mod table;

use std::collections::HashMap;

use self::lines::{Line, What};
use super::edit::Edits;

/// What the schema knows of the fields of a text, by the byte where their names begin.
#[derive(Debug, Default)]
pub struct Vendor {
    /// The labels that stand behind field lines.
    pub labels: HashMap<usize, String>,
    /// Names that have a shorter one in flows: `FbSalesLines` is `Lines`.
    pub names: HashMap<usize, String>,
}

/// A line that is longer than this, without its comment, stands in no column.
const WIDEST: usize = 92;

/// The text in its one form.
#[must_use]
pub fn format(text: &str, vendor: &Vendor) -> String {
    let lines = lines::read(text);
    let edits = rewrite::edits(text, &lines, vendor);
    if edits.is_empty() {
        return laid_out(&lines, text.len());
    }
    let text = Edits::new(edits).apply(text);
    laid_out(&lines::read(&text), text.len())
}

/// The lines at their places; `length` is about how long the text will be.
fn laid_out(lines: &[Line<'_>], length: usize) -> String {
    let mut shown: Vec<Shown<'_>> = lines.iter().map(Shown::new).collect();
    runs::align(lines, &mut shown);
    table::align(lines, &mut shown);
    let mut new = String::with_capacity(length);
    for row in blanks::set(lines) {
        if let Some(shown) = row.and_then(|index| shown.get(index)) {
            shown.write(&mut new);
        }
        new.push('\n');
    }
    new
}

/// How a line will look.
#[derive(Debug)]
struct Shown<'t> {
    indent: usize,
    code: String,
    comment: &'t str,
    /// Where its comment begins; further to the right where the code needs the room.
    column: usize,
}

impl<'t> Shown<'t> {
    fn new(line: &Line<'t>) -> Self {
        Self { indent: line.indent, code: line.code.to_owned(), comment: line.comment, column: line.column }
    }

    /// Columns that indent and code take.
    fn width(&self) -> usize {
        self.indent + wide(&self.code)
    }

    fn write(&self, into: &mut String) {
        if self.code.is_empty() && self.comment.is_empty() {
            return;
        }
        into.extend(std::iter::repeat_n(' ', self.indent));
        into.push_str(&self.code);
        if self.code.is_empty() {
            into.push_str(self.comment);
        } else if !self.comment.is_empty() {
            let gap = self.column.saturating_sub(self.width()).max(2);
            into.extend(std::iter::repeat_n(' ', gap));
            into.push_str(self.comment);
        }
    }
}

/// How many characters.
fn wide(text: &str) -> usize {
    text.chars().count()
}

/// Adds spaces up to a width.
fn pad(text: &mut String, width: usize) {
    text.extend(std::iter::repeat_n(' ', width.saturating_sub(wide(text))));
}

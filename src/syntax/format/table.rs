//! The rows of a table in columns: `|` below `|`, `=>` below `=>`.
//!
//! Takes the lines, changes how they are shown. A row with another number of cells than the header stays as it is, and
//! so does one on several lines. `otherwise` has no cells: its `=>` stands in the column of the rows, if there are any.

use super::{
    Shown, What,
    lines::{Block, Line},
    pad, wide,
};
use crate::syntax::scan::Kind;

/// A row: the texts left and right of `=>`.
#[derive(Debug)]
struct Row<'t> {
    index: usize,
    cells: Vec<&'t str>,
    results: Vec<&'t str>,
}

/// Puts the rows of all tables in columns.
pub(super) fn align<'t>(lines: &'t [Line<'t>], shown: &mut [Shown<'t>]) {
    let mut rows: Vec<Row<'t>> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if line.what == What::First && line.block == Block::Table {
            rows.extend(row(index, line));
        } else if line.what == What::Close {
            show(&std::mem::take(&mut rows), shown);
        }
    }
}

fn row<'t>(index: usize, line: &Line<'t>) -> Option<Row<'t>> {
    if line.goes_on || line.opens {
        return None;
    }
    let base = line.tokens.first()?;
    let (mut cells, mut results, mut behind, mut start) = (Vec::new(), Vec::new(), false, 0);
    let is_sign = |text: &str| text == "|" || text == "=>";
    for token in &line.tokens {
        let place = token.start - base.start;
        let text = line.code.get(place..token.end - base.start).unwrap_or("");
        if token.kind != Kind::Symbol || token.hole || token.depth != base.depth || !is_sign(text) {
            continue;
        }
        let part = line.code.get(start..place)?.trim();
        if behind { &mut results } else { &mut cells }.push(part);
        if text == "=>" {
            if behind {
                return None;
            }
            behind = true;
        }
        start = token.end - base.start;
    }
    results.push(line.code.get(start..)?.trim());
    behind.then_some(Row { index, cells, results })
}

/// The widest text of each column.
fn widths<'r, 't: 'r>(columns: usize, rows: impl Iterator<Item = &'r Vec<&'t str>>) -> Vec<usize> {
    let mut widths = vec![0; columns];
    for row in rows.filter(|row| row.len() == columns) {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = wide(text).max(*width);
        }
    }
    widths
}

/// Texts in columns, the last one without spaces behind it.
fn joined(texts: &[&str], widths: &[usize]) -> String {
    let (mut code, mut end) = (String::new(), 0);
    for (at, (text, width)) in texts.iter().zip(widths).enumerate() {
        if at > 0 {
            pad(&mut code, end);
            code.push_str(" | ");
            end += 3;
        }
        code.push_str(text);
        end += width;
    }
    code
}

fn show(rows: &[Row<'_>], shown: &mut [Shown<'_>]) {
    let Some((header, below)) = rows.split_first() else { return };
    let columns = header.cells.len();
    let is_otherwise = |row: &Row<'_>| row.cells == ["otherwise"];
    let fits = |row: &&Row<'_>| row.cells.len() == columns && !is_otherwise(row);
    let has_rows = below.iter().any(|row| fits(&row));
    let otherwise = if has_rows && below.iter().any(is_otherwise) { wide("otherwise") } else { 0 };
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + 3 * columns.saturating_sub(1);
    let mut cells = widths(columns, below.iter().filter(fits).map(|row| &row.cells));
    let narrow = total(&cells).max(otherwise);
    // A long type above one column would push the results far away from their cells.
    let outside = has_rows && columns == 1 && header.cells.iter().any(|cell| wide(cell) >= 2 * narrow);
    if !outside {
        cells = widths(columns, rows.iter().filter(fits).map(|row| &row.cells));
    }
    let arrow = total(&cells).max(otherwise);
    let results = widths(header.results.len(), rows.iter().map(|row| &row.results));
    for (index, row) in rows.iter().enumerate() {
        let Some(shown) = shown.get_mut(row.index) else { continue };
        let mut code = match () {
            () if is_otherwise(row) => "otherwise".to_owned(),
            () if fits(&row) => joined(&row.cells, &cells),
            () => continue,
        };
        if (has_rows || !is_otherwise(row)) && !(outside && index == 0) {
            pad(&mut code, arrow);
        }
        code.push_str(" => ");
        if row.results.len() == results.len() {
            code.push_str(&joined(&row.results, &results));
        } else {
            code.push_str(&row.results.join(" | "));
        }
        shown.code = code;
    }
}

//! Blank lines: one around each block declaration, never two, none where a block or the file begins or ends.
//!
//! Takes the lines, gives their order with blank lines between them. What is copied stays as far apart as it was.

use super::{What, lines::Line};

/// The indexes of the lines that stay, `None` for a blank line.
pub(super) fn set(lines: &[Line<'_>]) -> Vec<Option<usize>> {
    let mut rows: Vec<Option<usize>> = Vec::new();
    let starts = starts(lines);
    // Does the line above close a block declaration?
    let mut closed = false;
    // Is the block that is open in column 0 a declaration?
    let mut declared = false;
    for (index, line) in lines.iter().enumerate() {
        if line.what == What::Blank {
            let above = rows.last().copied().flatten().and_then(|above| lines.get(above));
            let opened = above.is_some_and(Line::ends_in_brace);
            if above.is_some() && !opened {
                rows.push(None);
            }
            closed = false;
            continue;
        }
        if line.what == What::Close && rows.last().is_some_and(Option::is_none) {
            rows.pop();
        }
        let apart = closed || starts.get(index).copied().unwrap_or(false);
        if apart && rows.last().is_some_and(Option::is_some) {
            rows.push(None);
        }
        rows.push(Some(index));
        if line.what == What::First && line.depth == 0 {
            declared = line.declares;
        }
        closed = line.what == What::Close && line.depth == 0 && declared;
    }
    while rows.last().is_some_and(Option::is_none) {
        rows.pop();
    }
    // A mark that only the start of a file may have would be at home there: it stays a mistake of its line.
    let first = rows.first().copied().flatten().and_then(|index| lines.get(index));
    if first.is_some_and(|line| line.raw.starts_with('\u{feff}')) {
        rows.insert(0, None);
    }
    rows
}

/// The lines with which block declarations begin, their comments included.
fn starts(lines: &[Line<'_>]) -> Vec<bool> {
    let mut starts = vec![false; lines.len()];
    let mut commented: Option<usize> = None;
    for (index, line) in lines.iter().enumerate() {
        match line.what {
            What::Comment => {
                commented.get_or_insert(index);
                continue;
            }
            What::First if line.depth == 0 && line.declares => {
                if let Some(start) = starts.get_mut(commented.unwrap_or(index)) {
                    *start = true;
                }
            }
            _ => {}
        }
        commented = None;
    }
    starts
}

//! Repairs, written into a text.
//!
//! Takes a text and the fixes that belong to it, gives the mended text and what was changed. Promises that no two
//! changes touch each other: of those that overlap the first is taken, the others wait for the next round.

use super::{Fix, Source};

/// One repair that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The line, from 1, as it was.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What stood there.
    pub from: String,
    /// What stands there now.
    pub to: String,
}

/// The text of a source with as many of the fixes as fit beside each other. A fix that changes nothing, or that points
/// to no characters of this text, is left out.
#[must_use]
pub fn mend(source: &Source, fixes: &[&Fix]) -> (String, Vec<Change>) {
    let mut sorted: Vec<&Fix> = fixes.to_vec();
    sorted.sort_by_key(|fix| (fix.span.start, fix.span.end));
    let (mut text, mut done, mut changes) = (String::with_capacity(source.text.len()), 0, Vec::new());
    for fix in sorted {
        let (start, end) = (fix.span.start as usize, fix.span.end as usize);
        let Some(from) = source.text.get(start..end).filter(|from| *from != fix.text) else { continue };
        // Two that meet could each depend on what the other writes.
        if !changes.is_empty() && start <= done {
            continue;
        }
        text.push_str(source.text.get(done..start).unwrap_or(""));
        text.push_str(&fix.text);
        let (line, column) = source.line_column(fix.span.start);
        changes.push(Change { line, column, from: from.to_owned(), to: fix.text.clone() });
        done = end;
    }
    text.push_str(source.text.get(done..).unwrap_or(""));
    (text, changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Sources, Span};

    #[test]
    fn of_two_repairs_that_overlap_the_first_is_written() {
        let mut sources = Sources::default();
        let file = sources.add("a.flow", "é == b && c");
        let fix = |start, end, text: &str| Fix { span: Span::new(file, start, end), text: text.to_owned() };
        let fixes = [fix(8, 10, "and"), fix(3, 5, "is"), fix(3, 7, "is b"), fix(0, 2, "é"), fix(700, 800, "x")];
        let (text, changes) = mend(sources.get(file).unwrap(), &fixes.iter().collect::<Vec<_>>());
        assert_eq!(text, "é is b and c");
        let places: Vec<_> = changes.iter().map(|change| (change.line, change.column, &*change.from)).collect();
        assert_eq!(places, [(1, 3, "=="), (1, 8, "&&")]);
    }
}

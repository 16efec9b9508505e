//! The lines of a source as they may be shown.
//!
//! Takes a source and places in it, gives the lines around them with the same places: control characters are written
//! out, tabs are spaces, and a line that is wider than the terminal is cut to what its places need, `…` for the rest.
//! Promises that each place still covers exactly its characters, and that nothing in a file steers a terminal.

use std::ops::Range;

use unicode_width::UnicodeWidthChar as _;

use super::{NEAR, clean};
use crate::{
    diagnostic::Source,
    value::{is_hidden, written_out},
};

/// How far a tab goes.
const TAB: usize = 4;

/// A part of a source, ready to be shown.
#[derive(Debug)]
pub(super) struct Shown {
    /// Where the file is.
    pub(super) path: String,
    /// Whole lines.
    pub(super) text: String,
    /// The number of the first of them, from 0.
    pub(super) first: usize,
    /// The places, in the order in which they were asked: bytes of `text`.
    pub(super) places: Vec<Place>,
}

/// A place of the source in what is shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// Its bytes.
    pub(super) bytes: Range<usize>,
    /// The column in the source, from 0, in characters.
    pub(super) column: usize,
    /// Where its middle stands on the screen, from 0.
    pub(super) middle: usize,
}

/// A place in the source: its line, and bytes within it.
struct Asked {
    line: usize,
    bytes: Range<usize>,
    column: usize,
}

impl Shown {
    /// The lines around some byte ranges of a source, for a terminal of `width` columns. Of a range over several lines
    /// only the first line is a place.
    pub(super) fn of(source: &Source, ranges: &[Range<usize>], width: usize) -> Self {
        let asked: Vec<Asked> = ranges.iter().map(|range| ask(source, range)).collect();
        let first = asked.iter().map(|asked| asked.line).min().unwrap_or(0);
        let last = asked.iter().map(|asked| asked.line).max().unwrap_or(0);
        let room = width.saturating_sub((last + 1).to_string().len() + 4).max(20);
        let mut text = String::new();
        let mut places = vec![Place::default(); asked.len()];
        for line in first..=last {
            // Lines that are far from every place are never shown; they only keep the count.
            if asked.iter().any(|asked| asked.line.abs_diff(line) <= NEAR + 1) {
                let here: Vec<(usize, &Asked)> =
                    asked.iter().enumerate().filter(|(_, asked)| asked.line == line).collect();
                let wanted: Vec<Range<usize>> = here.iter().map(|(_, asked)| asked.bytes.clone()).collect();
                let cut = Cut::new(source.line(line), &wanted, room);
                for ((index, asked), range) in here.iter().zip(&wanted) {
                    if let Some(place) = places.get_mut(*index) {
                        *place = cut.place(range, text.len(), asked.column);
                    }
                }
                text.push_str(&cut.text);
            }
            text.push('\n');
        }
        Self { path: clean(&source.path), text, first, places }
    }
}

fn ask(source: &Source, range: &Range<usize>) -> Asked {
    let start = boundary(&source.text, range.start);
    let (line, column) = source.line_column(u32::try_from(start).unwrap_or(u32::MAX));
    let text = source.line(line - 1);
    let from = text.chars().take(column - 1).map(char::len_utf8).sum::<usize>().min(text.len());
    let rest = text.get(from..).unwrap_or("");
    let end = boundary(&source.text, range.end.max(start)) - start;
    // Over several lines: up to the end of the first, without the space there.
    let length = if end > rest.len() { rest.trim_end().len() } else { end };
    Asked { line: line - 1, bytes: from..from + length, column: column - 1 }
}

/// The nearest start of a character at or before `byte`.
fn boundary(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// One character of a line: where it stands there, and where in what is shown.
struct Piece {
    byte: usize,
    shown: usize,
    column: usize,
}

/// A line as it is shown.
struct Cut {
    text: String,
    /// The characters that are shown, and the end of the line.
    pieces: Vec<Piece>,
}

impl Cut {
    fn new(line: &str, wanted: &[Range<usize>], room: usize) -> Self {
        let mut columns = vec![0];
        let mut column = 0;
        for c in line.chars() {
            column += if c == '\t' { TAB - column % TAB } else { width_of(c) };
            columns.push(column);
        }
        let whole = 0..columns.len() - 1;
        let kept = if column <= room { Vec::from([whole]) } else { keep(line, &columns, wanted, room) };
        let (mut text, mut pieces, mut column) = (String::new(), Vec::new(), 0);
        let mut kept = kept.into_iter().peekable();
        let mut gap = false;
        for (index, (byte, c)) in line.char_indices().enumerate() {
            while kept.next_if(|range| range.end <= index).is_some() {}
            if kept.peek().is_none_or(|range| index < range.start) {
                if !gap {
                    pieces.push(Piece { byte, shown: text.len(), column });
                    text.push('…');
                    column += 1;
                    gap = true;
                }
                continue;
            }
            gap = false;
            pieces.push(Piece { byte, shown: text.len(), column });
            if c == '\t' {
                let wide = TAB - column % TAB;
                text.extend(std::iter::repeat_n(' ', wide));
                column += wide;
            } else if is_hidden(c) {
                text.push_str(&written_out(c));
                column += width_of(c);
            } else {
                text.push(c);
                column += width_of(c);
            }
        }
        pieces.push(Piece { byte: line.len(), shown: text.len(), column });
        Self { text, pieces }
    }

    /// Where a range of the line stands; `before` bytes of text stand before this line.
    fn place(&self, range: &Range<usize>, before: usize, column: usize) -> Place {
        let after = |byte: usize| self.pieces.partition_point(|piece| piece.byte < byte);
        let (start, end) = (self.pieces.get(after(range.start)), self.pieces.get(after(range.end)));
        let Some(start) = start.or(self.pieces.last()) else { return Place { column, ..Place::default() } };
        let end = end.unwrap_or(start);
        Place {
            bytes: before + start.shown..before + end.shown.max(start.shown),
            column,
            middle: usize::midpoint(start.column, end.column),
        }
    }
}

/// Which characters of a wide line are kept: those of the ranges, with as much around them as there is room for.
/// `columns` holds where each character begins on the screen, and the end.
fn keep(line: &str, columns: &[usize], wanted: &[Range<usize>], room: usize) -> Vec<Range<usize>> {
    let starts: Vec<usize> = line.char_indices().map(|(byte, _)| byte).collect();
    let last = starts.len();
    let index = |byte: usize| starts.partition_point(|start| *start < byte);
    let wanted: Vec<Range<usize>> = match wanted {
        [] => Vec::from([Range::default()]),
        wanted => wanted.iter().map(|range| index(range.start)..index(range.end)).collect(),
    };
    let column = |index: usize| columns.get(index.min(last)).copied().unwrap_or(0);
    let around = |most: usize, context: usize| {
        let mut kept: Vec<Range<usize>> = Vec::new();
        for range in &wanted {
            // What is said about the place stands below it and to the right: that needs room too.
            let mut start = range.start.saturating_sub(context.min(room / 2));
            // A mark that stands on a letter keeps its letter.
            while start > 0 && start < last && column(start) == column(start + 1) {
                start -= 1;
            }
            let end = (range.end.min(range.start + most) + context).min(last);
            match kept.last_mut() {
                Some(before) if start <= before.end + 1 => before.end = before.end.max(end),
                _ => kept.push(start..end),
            }
        }
        kept
    };
    let fits = |kept: &[Range<usize>]| {
        let wide: usize = kept.iter().map(|range| column(range.end) - column(range.start)).sum();
        wide + kept.len() < room
    };
    let mut sorted = (0..=room).rev().map(|context| around(usize::MAX / 2, context));
    if let Some(kept) = sorted.find(|kept| fits(kept)) {
        return kept;
    }
    let mut shorter = (1..=room).rev().map(|most| around(most, 0));
    shorter.find(|kept| fits(kept)).unwrap_or_else(|| around(1, 0).into_iter().take(1).collect())
}

/// Columns of a character on the screen, as it is shown.
fn width_of(c: char) -> usize {
    if is_hidden(c) { written_out(c).len() } else { c.width().unwrap_or(0) }
}

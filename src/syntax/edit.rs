//! A text that was mended before it was parsed, and the way back to what was written.
//!
//! Takes replacements in a text, gives the new text; promises that every place in the new text has its place in the
//! old one.

/// A replacement of bytes `start..end` of the old text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: String,
}

/// Replacements in order, none touching another.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<Edit>);

impl Edits {
    /// Puts edits in order; of two that overlap the first stays.
    pub(super) fn new(mut edits: Vec<Edit>) -> Self {
        edits.sort_by_key(|edit| (edit.start, edit.end));
        let mut kept: Vec<Edit> = Vec::new();
        for edit in edits {
            if kept.last().is_none_or(|last| last.end <= edit.start) {
                kept.push(edit);
            }
        }
        Self(kept)
    }

    /// The new text.
    pub(super) fn apply(&self, old: &str) -> String {
        let mut new = String::with_capacity(old.len());
        let mut at = 0;
        for edit in &self.0 {
            new.push_str(old.get(at..edit.start).unwrap_or(""));
            new.push_str(&edit.text);
            at = edit.end;
        }
        new.push_str(old.get(at..).unwrap_or(""));
        new
    }

    /// The place in the old text of a place in the new one; inside a replacement it is the start of what was
    /// replaced, or its end for the end of a range.
    pub(super) fn written(&self, new: usize, is_end: bool) -> usize {
        let (mut old_at, mut new_at) = (0, 0);
        for edit in &self.0 {
            let start = new_at + (edit.start - old_at);
            if new < start || (new == start && is_end) {
                break;
            }
            let end = start + edit.text.len();
            if new < end || (new == end && is_end) {
                return if is_end { edit.end } else { edit.start };
            }
            (old_at, new_at) = (edit.end, end);
        }
        old_at + (new - new_at)
    }
}

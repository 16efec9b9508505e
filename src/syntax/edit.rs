//! A text that was mended before it was parsed, and the way back to what was written.
//!
//! Takes replacements in a text, gives the new text; promises that every range of the new text has its range
//! in the old one.

/// A replacement of bytes `start..end` of the old text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: String,
}

/// Replacements in order, none reaching into another, each with the place where its text begins in the new text.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<Edit>, Vec<usize>);

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
        let (mut old_at, mut new_at) = (0, 0);
        let starts = kept.iter().map(|edit| {
            let start = new_at + (edit.start - old_at);
            (old_at, new_at) = (edit.end, start + edit.text.len());
            start
        });
        let starts = starts.collect();
        Self(kept, starts)
    }

    /// The new text.
    pub(super) fn apply(&self, old: &str) -> String {
        self.apply_to(old, 0, old.len())
    }

    /// The new text of bytes `start..end`, with the replacements inside them.
    pub(super) fn apply_to(&self, old: &str, start: usize, end: usize) -> String {
        let first = self.0.partition_point(|edit| edit.start < start);
        let inside = self.0.get(first..).unwrap_or(&[]).iter().take_while(|edit| edit.end <= end);
        let (mut new, mut at) = (String::with_capacity(end - start), start);
        for edit in inside {
            new.push_str(old.get(at..edit.start).unwrap_or(""));
            new.push_str(&edit.text);
            at = edit.end;
        }
        new.push_str(old.get(at..end).unwrap_or(""));
        new
    }

    /// The range of the old text that bytes `start..end` of the new one stand for: of what was replaced all or nothing
    /// belongs to it. An empty range where something was taken away is what was taken away.
    pub(super) fn written(&self, start: usize, end: usize) -> (usize, usize) {
        let (start, end) = (self.written_at(start, false), self.written_at(end, true));
        // Only of an empty range: it starts behind what was taken away and ends before it.
        (start.min(end), start.max(end))
    }

    /// The place in the old text of a place in the new one; inside a replacement it is the start of what was
    /// replaced, or its end for the end of a range.
    fn written_at(&self, new: usize, is_end: bool) -> usize {
        let before = self.1.partition_point(|start| *start < new || (*start == new && !is_end));
        let last = before.checked_sub(1).and_then(|last| self.0.get(last).zip(self.1.get(last)));
        let Some((edit, start)) = last else { return new };
        let end = start + edit.text.len();
        if new < end || (new == end && is_end) {
            return if is_end { edit.end } else { edit.start };
        }
        edit.end + (new - end)
    }

    /// The place in the new text of a place in the old one that no replacement covers.
    pub(super) fn mended(&self, old: usize) -> usize {
        let before = self.0.partition_point(|edit| edit.end <= old && edit.start < old);
        let last = before.checked_sub(1).and_then(|last| self.0.get(last).zip(self.1.get(last)));
        last.map_or(old, |(edit, start)| start + edit.text.len() + old.saturating_sub(edit.end))
    }
}

//! Where the texts of values stand: in the line of the record, among those that were made for it, in the plan.
//!
//! Takes a value, gives its characters; makes new texts, which are kept until the next record.

use std::io::Write as _;

use super::{
    super::output::Output,
    value::{Kind, Quick},
};

/// A text stands in the line of the record.
pub(super) const LINE: u32 = 0;
/// A text was made for this record.
pub(super) const MADE: u32 = 1;
/// A text stands in the plan.
pub(super) const PLAN: u32 = 2;

/// Where texts stand.
#[derive(Debug)]
pub(super) struct Texts<'a> {
    /// The line of the record, and what is around it.
    pub(super) line: &'a str,
    pub(super) made: Output,
    pub(super) plan: &'a str,
}

impl<'a> Texts<'a> {
    /// The texts of a plan; there are no others yet.
    pub(super) fn of_plan(plan: &'a str) -> Self {
        Self { line: "", made: Output::default(), plan }
    }
}

impl Texts<'_> {
    /// The characters of a text; none of anything else.
    pub(super) fn get(&self, value: Quick) -> &str {
        if !value.is_text() {
            return "";
        }
        let (start, length) = value.span();
        let text = match value.extra() {
            LINE => self.line.get(start..start + length),
            MADE => str::from_utf8(self.bytes(value)).ok(),
            _ => self.plan.get(start..start + length),
        };
        text.unwrap_or_default()
    }

    /// The bytes of a text.
    #[inline]
    pub(super) fn bytes(&self, text: Quick) -> &[u8] {
        let (start, length) = text.span();
        self.around(text).get(start..start + length).unwrap_or_default()
    }

    /// All in which the bytes of a text stand.
    #[inline]
    pub(super) fn around(&self, text: Quick) -> &[u8] {
        match text.extra() {
            LINE => self.line.as_bytes(),
            MADE => self.made.all(),
            _ => self.plan.as_bytes(),
        }
    }

    /// Can each of them be told by place and length?
    pub(super) fn fit(&self) -> bool {
        [self.line.len(), self.made.len(), self.plan.len()].iter().all(|length| u32::try_from(*length).is_ok())
    }

    /// The text that was added from a place on, until the next record; blank when there is nothing but white space in it.
    #[inline]
    pub(super) fn made_from(&self, start: usize, escapes: bool) -> Option<Quick> {
        let value = Quick::plain(self.made.written().get(start..)?, MADE, start);
        Some(if escapes { value.with_escapes() } else { value })
    }

    /// A text of these values with another one between them; blanks are left out, and one text alone stays as it is.
    /// None: one of them is not there, or has no text.
    pub(super) fn join(&mut self, values: impl Iterator<Item = Option<Quick>>, by: Quick) -> Option<Quick> {
        let start = self.made.len();
        let (mut first, mut count) = (Quick::BLANK, 0);
        let mut escapes = by.kind() == Kind::TEXT;
        for value in values {
            let value = value?;
            if value.is_blank() {
                continue;
            }
            escapes |= value.kind() == Kind::TEXT;
            match count {
                0 => first = value,
                1 => {
                    self.add(first)?;
                    self.add(by)?;
                    self.add(value)?;
                }
                _ => {
                    self.add(by)?;
                    self.add(value)?;
                }
            }
            count += 1;
        }
        if count < 2 {
            if first.is_blank() || first.is_text() {
                return Some(first);
            }
            self.add(first)?;
            return self.made_from(start, false);
        }
        self.made_from(start, escapes)
    }

    /// Adds a value to what was made, as it is printed; of a blank nothing.
    #[inline]
    pub(super) fn add(&mut self, value: Quick) -> Option<()> {
        if !value.is_text() {
            // What is written to takes everything.
            return write!(self.made, "{}", value.to_value(self)?).ok();
        }
        let (start, length) = value.span();
        match value.extra() {
            LINE => self.made.part(self.line.as_bytes(), start, length),
            MADE => self.made.again(start, length),
            _ => self.made.part(self.plan.as_bytes(), start, length),
        }
        Some(())
    }
}

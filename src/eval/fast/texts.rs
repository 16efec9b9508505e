//! Where the texts of values stand: in the line of the record, among those that were made for it, in the plan.
//!
//! Takes a value, gives its characters; makes new texts, which are kept until the next record.

use std::fmt::Write as _;

use super::value::{Kind, Quick};

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
    pub(super) made: String,
    pub(super) plan: &'a str,
}

impl Texts<'_> {
    /// The characters of a text; none of anything else.
    pub(super) fn get(&self, value: Quick) -> &str {
        if !value.is_text() {
            return "";
        }
        let (start, length) = value.span();
        self.around(value).get(start..start + length).unwrap_or_default()
    }

    /// The bytes of a text.
    pub(super) fn bytes(&self, text: Quick) -> &[u8] {
        let (start, length) = text.span();
        self.around(text).as_bytes().get(start..start + length).unwrap_or_default()
    }

    /// All in which the characters of a text stand.
    pub(super) fn around(&self, text: Quick) -> &str {
        match text.extra() {
            LINE => self.line,
            MADE => &self.made,
            _ => self.plan,
        }
    }

    /// Can each of them be told by place and length?
    pub(super) fn fit(&self) -> bool {
        [self.line, &self.made, self.plan].iter().all(|all| u32::try_from(all.len()).is_ok())
    }

    /// A text that is kept until the next record; blank when there is nothing but white space in it.
    pub(super) fn make(&mut self, text: &str) -> Quick {
        let start = self.made.len();
        self.made.push_str(text);
        Quick::text(text, MADE, start)
    }

    /// A text of these values with another one between them. None: one of them has no text.
    pub(super) fn join(&mut self, values: &[Quick], by: Quick) -> Option<Quick> {
        let start = self.made.len();
        let mut escapes = by.kind() == Kind::TEXT;
        for (number, value) in values.iter().enumerate() {
            if number > 0 {
                self.add(by)?;
            }
            escapes |= value.kind() == Kind::TEXT;
            self.add(*value)?;
        }
        let value = Quick::text(self.made.get(start..)?, MADE, start);
        Some(if escapes { value } else { value.without_escapes() })
    }

    /// Adds a value to what was made, as it is printed; of a blank nothing.
    fn add(&mut self, value: Quick) -> Option<()> {
        if !value.is_text() {
            // A string takes everything.
            return write!(self.made, "{}", value.to_value(self)?).ok();
        }
        let (start, length) = value.span();
        let place = start..start + length;
        match value.extra() {
            LINE => self.made.push_str(self.line.get(place)?),
            MADE if self.made.get(place.clone()).is_some() => self.made.extend_from_within(place),
            MADE => return None,
            _ => self.made.push_str(self.plan.get(place)?),
        }
        Some(())
    }
}

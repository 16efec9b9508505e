//! Arithmetic, and the functions that have a way of their own here.
//!
//! Takes numbers of at most eighteen digits, texts and days, gives the same as `function` and `plan::compute` do, or what
//! those make of the values. None where they would fail.

use super::{
    code::Native,
    run::Machine,
    value::{DIGITS, Kind, Quick, power},
};
use crate::plan::{code::Operator, compute::arithmetic};

impl Machine<'_> {
    #[inline(never)]
    pub(super) fn arithmetic(&mut self, operator: Operator, a: Quick, b: Quick) -> Option<Quick> {
        if a.is_blank() || b.is_blank() {
            return Some(Quick::BLANK);
        }
        if let Some(made) = exact(operator, a, b) {
            return Some(made);
        }
        let made = arithmetic(operator, &a.to_value(&self.texts)?, &b.to_value(&self.texts)?);
        self.keep(&made.ok()?)
    }

    #[inline(never)]
    pub(super) fn native(&mut self, native: Native, first: Quick, second: Quick) -> Option<Quick> {
        if first.is_blank() || (second.is_blank() && native.needs_both()) {
            return Some(Quick::BLANK);
        }
        match native {
            Native::Trim if first.is_text() => {
                if let [begin, .., end] = self.texts.bytes(first)
                    && begin.is_ascii_graphic()
                    && end.is_ascii_graphic()
                {
                    return Some(first);
                }
                let text = self.texts.get(first);
                let begin = text.trim_start();
                Some(first.part(text.len() - begin.len(), begin.trim_end().as_bytes()))
            }
            Native::Upper if first.is_text() => {
                let start = self.texts.made.len();
                if self.texts.bytes(first).is_ascii() {
                    self.texts.add(first)?;
                    self.texts.made.from(start).make_ascii_uppercase();
                } else {
                    let upper = self.texts.get(first).to_uppercase();
                    self.texts.made.bytes(upper.as_bytes());
                }
                // Capitals need no escapes where small letters do not.
                self.texts.made_from(start, first.kind() == Kind::TEXT)
            }
            Native::FirstChars if first.is_text() && second.kind() == Kind::INT => {
                let bytes = self.texts.bytes(first);
                let most = usize::try_from(second.number()).unwrap_or(0);
                if bytes.len() <= most {
                    return Some(first);
                }
                Some(first.part(0, bytes.get(..first_chars(bytes, most))?))
            }
            Native::DaysBetween if first.kind() == Kind::DATE && second.kind() == Kind::DATE => {
                Some(Quick::int(second.day_number() - first.day_number()))
            }
            Native::Abs if first.is_number() => Some(first.counted(first.number().checked_abs()?, first.scale())),
            Native::Round if first.is_number() && (second.is_blank() || second.kind() == Kind::INT) => {
                let places = u8::try_from(second.number()).ok()?;
                rounded(first, places)
            }
            _ => None,
        }
    }
}

impl Native {
    /// Is it blank when its second argument is?
    fn needs_both(self) -> bool {
        matches!(self, Self::FirstChars | Self::DaysBetween)
    }
}

/// How many bytes the first so many characters of a text have.
fn first_chars(bytes: &[u8], most: usize) -> usize {
    let (mut end, mut left) = (0, most);
    // So many bytes begin at most so many characters: the bytes of a character that are left are taken with the rest.
    while left > 0 {
        let Some(taken) = bytes.get(end..end + left) else { return bytes.len() };
        left -= taken.iter().filter(|byte| !is_inside(**byte)).count();
        end += taken.len();
    }
    while bytes.get(end).is_some_and(|byte| is_inside(*byte)) {
        end += 1;
    }
    end
}

/// Is it a byte of a character, but not its first one?
fn is_inside(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Sums, differences and products that fit; none for all else.
pub(super) fn exact(operator: Operator, a: Quick, b: Quick) -> Option<Quick> {
    if !a.is_number() || !b.is_number() {
        return None;
    }
    let (number, scale) = match operator {
        Operator::Add | Operator::Subtract => {
            let scale = a.scale().max(b.scale());
            let x = a.number().checked_mul(power(scale - a.scale())?)?;
            let y = b.number().checked_mul(power(scale - b.scale())?)?;
            (if operator == Operator::Add { x.checked_add(y)? } else { x.checked_sub(y)? }, scale)
        }
        Operator::Multiply => {
            let scale = a.scale().checked_add(b.scale()).filter(|scale| *scale <= DIGITS)?;
            (a.number().checked_mul(b.number())?, scale)
        }
        Operator::Divide => return None,
    };
    Some(match (a.kind(), b.kind()) {
        (Kind::INT, Kind::INT) => Quick::int(number),
        (Kind::MONEY, Kind::MONEY) if operator != Operator::Multiply && a.extra() == b.extra() => {
            Quick::money(number, scale, a.extra())
        }
        (Kind::MONEY, Kind::MONEY) => return None,
        (Kind::MONEY, _) => Quick::money(number, scale, a.extra()),
        (_, Kind::MONEY) => Quick::money(number, scale, b.extra()),
        _ => Quick::decimal(number, scale),
    })
}

/// Half away from zero. None: it is too near to what fits.
fn rounded(value: Quick, places: u8) -> Option<Quick> {
    let Some(step) = value.scale().checked_sub(places).and_then(power) else { return Some(value) };
    let half = step / 2;
    let shift = if value.number() < 0 { -half } else { half };
    Some(value.counted(value.number().checked_add(shift)? / step, value.scale().min(places)))
}

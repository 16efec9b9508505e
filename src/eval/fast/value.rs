//! Values of sixteen bytes: what fits two registers of the machine is never copied through memory.
//!
//! Takes texts and numbers as they are spelled, gives [`Quick`] values and back. A text is a place in the line, among
//! the texts that were made, or among those of the plan ([`Texts`]). Promises that a number is exact or refused, and
//! that each value stands for exactly one [`Value`] of the language.

use std::num::NonZeroU64;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{super::output::Output, scan::needs_escapes, texts::Texts};
use crate::value::{Currency, Money, Value};

/// What a [`Quick`] is. Odd numbers, so that the head of a value is never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind(u8);

impl Kind {
    /// Nobody has put anything here: a field that is not there, a name not worked out yet. Reads as a blank.
    pub(super) const UNSET: Self = Self(1);
    pub(super) const BLANK: Self = Self(3);
    pub(super) const BOOL: Self = Self(5);
    pub(super) const INT: Self = Self(7);
    pub(super) const DECIMAL: Self = Self(9);
    pub(super) const MONEY: Self = Self(11);
    /// Characters that JSON writes as they are.
    pub(super) const PLAIN: Self = Self(13);
    pub(super) const TEXT: Self = Self(15);
    /// `yyyymmdd` as the number.
    pub(super) const DATE: Self = Self(17);
    /// The words of a derived field that apply, a bit for each.
    pub(super) const WORDS: Self = Self(19);
    /// Where in the registers its rows begin, and how many there are.
    pub(super) const LIST: Self = Self(21);
}

/// A value of the language; its text is in [`Texts`]. Two words, and no value at all (`Option`) takes no third one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quick {
    /// The kind in the lowest byte, the scale in the next one, the upper half is [`Quick::extra`].
    head: NonZeroU64,
    /// Of a text its place and length.
    number: i64,
}

/// So many digits always fit an `i64`.
pub(super) const DIGITS: u8 = 18;

const POWERS: [i64; 19] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    100_000_000_000,
    1_000_000_000_000,
    10_000_000_000_000,
    100_000_000_000_000,
    1_000_000_000_000_000,
    10_000_000_000_000_000,
    100_000_000_000_000_000,
    1_000_000_000_000_000_000,
];

/// Two numbers in one; who makes texts sees to it that both halves are enough ([`Texts::fit`]).
fn joined(start: usize, length: usize) -> i64 {
    let half = |number: usize| i64::from(u32::try_from(number).unwrap_or(u32::MAX));
    half(start) << 32 | half(length)
}

/// 10 to a power; none beyond what fits.
pub(super) fn power(of: u8) -> Option<i64> {
    POWERS.get(usize::from(of)).copied()
}

/// Euros.
pub(super) const EUR: u32 = code(*b"EUR");

const fn code(letters: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, letters[0], letters[1], letters[2]])
}

/// The code of a currency of three upper-case letters.
pub(super) fn currency(text: &str) -> Option<u32> {
    let letters: [u8; 3] = text.as_bytes().try_into().ok()?;
    letters.iter().all(u8::is_ascii_uppercase).then(|| code(letters))
}

impl Quick {
    pub(super) const UNSET: Self = Self::new(Kind::UNSET, 0);
    pub(super) const BLANK: Self = Self::new(Kind::BLANK, 0);

    const fn new(kind: Kind, number: i64) -> Self {
        Self::with(kind, 0, 0, number)
    }

    const fn with(kind: Kind, scale: u8, extra: u32, number: i64) -> Self {
        let head = kind.0 as u64 | (scale as u64) << 8 | (extra as u64) << 32;
        // The lowest bit is that of every kind.
        let head = match NonZeroU64::new(head) {
            Some(head) => head,
            None => NonZeroU64::MIN,
        };
        Self { head, number }
    }

    pub(super) fn kind(self) -> Kind {
        let [kind, ..] = self.head.get().to_le_bytes();
        Kind(kind)
    }

    /// Of a decimal or an amount: the digits behind the point, at most [`DIGITS`].
    pub(super) fn scale(self) -> u8 {
        let [_, scale, ..] = self.head.get().to_le_bytes();
        scale
    }

    /// Of a text where it stands ([`super::texts`]); of an amount its currency; of rows the registers of one.
    pub(super) fn extra(self) -> u32 {
        // A half of it always fits.
        u32::try_from(self.head.get() >> 32).unwrap_or(0)
    }

    pub(super) fn number(self) -> i64 {
        self.number
    }

    /// The same with other digits.
    pub(super) fn counted(self, number: i64, scale: u8) -> Self {
        Self::with(self.kind(), scale, self.extra(), number)
    }

    pub(super) const fn bool(yes: bool) -> Self {
        Self::new(Kind::BOOL, yes as i64)
    }

    pub(super) const fn int(number: i64) -> Self {
        Self::new(Kind::INT, number)
    }

    pub(super) const fn decimal(number: i64, scale: u8) -> Self {
        Self::with(Kind::DECIMAL, scale, 0, number)
    }

    pub(super) const fn money(number: i64, scale: u8, currency: u32) -> Self {
        Self::with(Kind::MONEY, scale, currency, number)
    }

    /// The words of these bits.
    pub(super) const fn words(bits: i64) -> Self {
        Self::new(Kind::WORDS, bits)
    }

    /// A text that stands at a place and needs no escapes in JSON; blank when there is nothing but white space in it.
    #[inline]
    pub(super) fn plain(bytes: &[u8], source: u32, start: usize) -> Self {
        if is_visible(bytes) || !is_white(bytes) {
            Self::with(Kind::PLAIN, 0, source, joined(start, bytes.len()))
        } else {
            Self::BLANK
        }
    }

    /// A text that is one whatever its characters: a flow may write `" "`.
    fn filled(text: &str, source: u32, start: usize) -> Self {
        Self::with(Kind::TEXT, 0, source, joined(start, text.len()))
    }

    /// The same text, which may need escapes in JSON; anything else as it is.
    pub(super) fn with_escapes(self) -> Self {
        if self.kind() == Kind::PLAIN { Self::with(Kind::TEXT, 0, self.extra(), self.number) } else { self }
    }

    /// The same text, known to need no escapes in JSON; anything else as it is.
    pub(super) fn without_escapes(self) -> Self {
        if self.kind() == Kind::TEXT { Self::with(Kind::PLAIN, 0, self.extra(), self.number) } else { self }
    }

    /// A part of a text that begins so many bytes behind it. What needs no escape needs none in part either.
    pub(super) fn part(self, start: usize, bytes: &[u8]) -> Self {
        let value = Self::plain(bytes, self.extra(), self.span().0 + start);
        if self.kind() == Kind::PLAIN { value } else { value.with_escapes() }
    }

    /// Rows of so many registers, from a register on.
    pub(super) fn list(first: usize, count: usize, width: usize) -> Option<Self> {
        let (first, count) = (i64::from(u32::try_from(first).ok()?), i64::from(u32::try_from(count).ok()?));
        Some(Self::with(Kind::LIST, 0, u32::try_from(width).ok()?, first << 32 | count))
    }

    /// Where a text or a list begins, and its length.
    pub(super) fn span(self) -> (usize, usize) {
        // Each half was made of what fits it.
        let part = |number: i64| usize::try_from(number & 0xffff_ffff).unwrap_or(0);
        (part(self.number >> 32), part(self.number))
    }

    /// The first register of the rows of a list, and how many rows.
    pub(super) fn rows(self) -> (usize, usize) {
        if self.kind() == Kind::LIST { self.span() } else { (0, 0) }
    }

    /// Where each row of a list begins.
    pub(super) fn row_begins(self) -> impl Iterator<Item = usize> {
        let ((first, count), width) = (self.rows(), self.extra() as usize);
        (0..count).map(move |number| first + number * width)
    }

    /// Are all their bits the same? What is not may be equal all the same.
    pub(super) fn is_alike(self, other: Self) -> bool {
        self.head == other.head && self.number == other.number
    }

    pub(super) fn is_unset(self) -> bool {
        self.kind() == Kind::UNSET
    }

    pub(super) fn is_blank(self) -> bool {
        self.kind() <= Kind::BLANK
    }

    pub(super) fn is_yes(self) -> bool {
        self.kind() == Kind::BOOL && self.number == 1
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self.kind(), Kind::PLAIN | Kind::TEXT)
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self.kind(), Kind::INT | Kind::DECIMAL | Kind::MONEY)
    }

    /// The value of the language that a value without rows and words stands for.
    pub(super) fn to_value(self, texts: &Texts<'_>) -> Option<Value> {
        Some(match self.kind() {
            Kind::UNSET | Kind::BLANK => Value::Blank,
            Kind::BOOL => Value::Bool(self.number == 1),
            Kind::INT => Value::Int(self.number),
            Kind::DECIMAL => Value::Decimal(self.exact()),
            Kind::MONEY => {
                let [_, letters @ ..] = self.extra().to_be_bytes();
                let currency = Currency::parse(std::str::from_utf8(&letters).ok()?)?;
                Value::Money(Money { amount: self.exact(), currency })
            }
            Kind::PLAIN | Kind::TEXT => Value::Text(texts.get(self).into()),
            Kind::DATE => Value::Date(self.day()?),
            _ => return None,
        })
    }

    /// A value of the language, its text added to those of this source. None: it is more than fits here.
    pub(super) fn of(value: &Value, source: u32, texts: &mut Output) -> Option<Self> {
        Some(match value {
            Value::Blank => Self::BLANK,
            Value::Bool(yes) => Self::bool(*yes),
            Value::Int(number) => Self::int(*number),
            Value::Decimal(number) => {
                let (number, scale) = fitting(*number)?;
                Self::decimal(number, scale)
            }
            Value::Money(money) => {
                let (number, scale) = fitting(money.amount)?;
                Self::money(number, scale, currency(money.currency.as_str())?)
            }
            Value::Text(text) => {
                let value = Self::filled(text, source, texts.len());
                texts.bytes(text.as_bytes());
                if needs_escapes(text) { value } else { value.without_escapes() }
            }
            Value::Date(day) if (1000..=9999).contains(&day.year()) => {
                let (year, month, day) = (i64::from(day.year()), i64::from(day.month()), i64::from(day.day()));
                Self::new(Kind::DATE, (year * 100 + month) * 100 + day)
            }
            _ => return None,
        })
    }

    fn exact(self) -> Decimal {
        Decimal::new(self.number, self.scale().into())
    }

    pub(super) fn day(self) -> Option<Date> {
        let part = |of: i64| i8::try_from(of % 100).ok();
        Date::new(i16::try_from(self.number / 10_000).ok()?, part(self.number / 100)?, part(self.number)?).ok()
    }

    /// Days since 1970-01-01, of a day (Howard Hinnant, `days_from_civil`).
    pub(super) fn day_number(self) -> i64 {
        let (year, month, day) = (self.number / 10_000, self.number / 100 % 100, self.number % 100);
        let year = if month <= 2 { year - 1 } else { year };
        let month = (month + 9) % 12;
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468
    }
}

/// Does this begin with a visible character of ASCII? Then it is not blank, and anything else is looked at whole.
#[inline]
fn is_visible(text: &[u8]) -> bool {
    text.first().is_some_and(|first| (0x21..0x7f).contains(first))
}

#[inline(never)]
fn is_white(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.trim().is_empty())
}

/// The digits and the scale of a number that fits.
fn fitting(number: Decimal) -> Option<(i64, u8)> {
    let number = if number.scale() > u32::from(DIGITS) { number.normalize() } else { number };
    let scale = u8::try_from(number.scale()).ok().filter(|scale| *scale <= DIGITS)?;
    Some((i64::try_from(number.mantissa()).ok()?, scale))
}

/// A number of at most 18 digits at the beginning of these bytes, as JSON spells it: its digits, its scale, and how
/// far it goes. None where an exponent follows.
pub(super) fn number(bytes: &[u8]) -> Option<(i64, u8, usize)> {
    let minus = usize::from(bytes.first() == Some(&b'-'));
    let digits = bytes.get(minus..)?;
    let (mut number, whole) = with_digits(0, digits);
    let (mut scale, mut length) = (0, whole);
    if digits.get(whole) == Some(&b'.') {
        (number, scale) = with_digits(number, digits.get(whole + 1..)?);
        length += 1 + scale;
        if scale == 0 {
            return None;
        }
    }
    // `-0` keeps its sign elsewhere; what has leading zeros is no number of JSON, and in a text others may judge it.
    let leading = whole > 1 && digits.starts_with(b"0");
    let minus_zero = minus == 1 && number == 0;
    let more = matches!(digits.get(length), Some(b'e' | b'E' | b'+' | b'-' | b'.'));
    if whole == 0 || whole + scale > usize::from(DIGITS) || leading || minus_zero || more {
        return None;
    }
    Some((if minus == 1 { -number } else { number }, u8::try_from(scale).ok()?, minus + length))
}

/// A number with the digits that these bytes begin with behind its own, and how many they are. Right up to eighteen.
#[inline]
fn with_digits(mut number: i64, bytes: &[u8]) -> (i64, usize) {
    for (count, byte) in bytes.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return (number, count);
        }
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
    }
    (number, bytes.len())
}

/// A day as `yyyy-mm-dd` from the year 1000 on.
pub(super) fn day(text: &[u8; 10]) -> Option<Quick> {
    let [millennia, centuries, decades, years, b'-', ten_months, months, b'-', ten_days, days] = text else {
        return None;
    };
    let digits = [millennia, centuries, decades, years, ten_months, months, ten_days, days];
    if !digits.iter().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number = digits.iter().fold(0, |number, digit| number * 10 + i64::from(**digit - b'0'));
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    let there = year >= 1000 && (1..=last).contains(&day);
    there.then_some(Quick::new(Kind::DATE, number))
}

/// The same number without zeros at the end of its decimals.
pub(super) fn shortest(mut number: i64, mut scale: u8) -> (i64, u8) {
    while scale > 0 && number % 10 == 0 {
        number /= 10;
        scale -= 1;
    }
    (number, scale)
}

/// The order of two numbers.
pub(super) fn order_numbers(a: Quick, b: Quick) -> std::cmp::Ordering {
    if a.scale() == b.scale() {
        return a.number.cmp(&b.number);
    }
    let scaled = |one: Quick, other: Quick| {
        let up = power(other.scale().saturating_sub(one.scale())).unwrap_or(1);
        i128::from(one.number) * i128::from(up)
    };
    scaled(a, b).cmp(&scaled(b, a))
}

/// [`crate::value::same`], of values that are no lists and no words.
pub(super) fn same(a: Quick, b: Quick, texts: &Texts<'_>) -> bool {
    match (a.kind(), b.kind()) {
        (Kind::PLAIN | Kind::TEXT, Kind::PLAIN | Kind::TEXT) => texts.bytes(a) == texts.bytes(b),
        (Kind::MONEY, Kind::MONEY) => order_numbers(a, b).is_eq() && (a.extra() == b.extra() || a.number == 0),
        _ if a.is_number() && b.is_number() => order_numbers(a, b).is_eq(),
        _ if a.is_blank() && b.is_blank() => true,
        (Kind::BOOL, Kind::BOOL) | (Kind::DATE, Kind::DATE) => a.number == b.number,
        _ => false,
    }
}

/// [`crate::value::order`], of values that are no lists and no words.
pub(super) fn order(a: Quick, b: Quick, texts: &Texts<'_>) -> Option<std::cmp::Ordering> {
    match (a.kind(), b.kind()) {
        (Kind::DATE, Kind::DATE) | (Kind::BOOL, Kind::BOOL) => Some(a.number.cmp(&b.number)),
        // The order of bytes is that of characters.
        _ if a.is_text() && b.is_text() => Some(texts.bytes(a).cmp(texts.bytes(b))),
        _ if a.is_number() && b.is_number() => Some(order_numbers(a, b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::texts::MADE, *};

    fn values() -> impl Strategy<Value = Value> {
        let number = || (any::<i32>(), 0u32..9).prop_map(|(digits, scale)| Decimal::new(digits.into(), scale));
        prop_oneof![
            Just(Value::Blank),
            any::<bool>().prop_map(Value::Bool),
            (-30i64..30).prop_map(Value::Int),
            any::<i64>().prop_map(Value::Int),
            number().prop_map(Value::Decimal),
            (-30i64..30, 0u32..3).prop_map(|(digits, scale)| Value::Decimal(Decimal::new(digits, scale))),
            (-3i64..3, 0u32..3, any::<bool>()).prop_map(|(digits, scale, euro)| {
                let currency = if euro { Currency::EUR } else { Currency::parse("USD").unwrap() };
                Value::Money(Money { amount: Decimal::new(digits, scale), currency })
            }),
            "[a-c ]{0,2}".prop_map(|text| Value::text(&text)),
            (1000i16..3000, 1i8..13, 1i8..29).prop_map(|(y, m, d)| Value::Date(Date::new(y, m, d).unwrap())),
        ]
    }

    proptest! {
        #[test]
        fn a_value_comes_back_as_it_was(value in values()) {
            let mut texts = Texts::of_plan("");
            let there = Quick::of(&value, MADE, &mut texts.made).unwrap();
            let back = there.to_value(&texts).unwrap();
            prop_assert_eq!(&back, &value);
            prop_assert_eq!(back.to_string(), value.to_string());
        }

        #[test]
        fn values_are_compared_as_the_language_does(a in values(), b in values()) {
            let mut texts = Texts::of_plan("");
            let (x, y) = (Quick::of(&a, MADE, &mut texts.made), Quick::of(&b, MADE, &mut texts.made));
            let (x, y) = (x.unwrap(), y.unwrap());
            prop_assert_eq!(same(x, y, &texts), crate::value::same(&a, &b));
            prop_assert_eq!(order(x, y, &texts), crate::value::order(&a, &b));
        }

        #[test]
        fn a_number_is_what_it_spells_or_refused(text in "-?[0-9]{0,20}[.]?[0-9]{0,12}") {
            if let Some((digits, scale, length)) = number(text.as_bytes()) {
                prop_assert_eq!(length, text.len());
                prop_assert_eq!(Decimal::new(digits, scale.into()), Decimal::from_str_exact(&text).unwrap());
                prop_assert!(serde_json::from_str::<serde_json::Number>(&text).is_ok());
            }
        }

        #[test]
        fn a_day_is_what_it_spells_or_refused(text in "[0-9]{4}-[0-1][0-9]-[0-3][0-9]") {
            match day(text.as_bytes().first_chunk().unwrap()) {
                Some(quick) => {
                    let parsed: Date = text.parse().unwrap();
                    prop_assert_eq!(quick.day(), Some(parsed));
                    let epoch = Date::constant(1970, 1, 1);
                    prop_assert_eq!(i64::from((parsed - epoch).get_days()), quick.day_number());
                }
                None => prop_assert!(text.parse::<Date>().is_err() || text.starts_with('0')),
            }
        }
    }
}

//! Normal forms: how a value looks inside koppel whatever the wire or a person wrote.
//!
//! Takes texts and kinds, gives values. Promises that these forms are made here and nowhere else, so that two spellings
//! of one e-mail address are one address in every comparison, key and hash.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use rust_decimal::Decimal;

use super::Kind;
use crate::value::Value;

/// The time zone of both systems: AFAS shows its local time, Jortt is Dutch.
const HOME: &str = "Europe/Amsterdam";

/// A text in the normal form of its kind; blank when nothing is left of it.
///
/// E-mail: trimmed, lower case. Country and currency: trimmed, upper case. IBAN and VAT number: without spaces and dots,
/// upper case. Any other text is taken as it stands.
#[must_use]
pub fn normalise(kind: &Kind, text: &str) -> Value {
    match kind {
        Kind::Email => Value::text(&text.trim().to_lowercase()),
        Kind::Country | Kind::Currency => Value::text(&text.trim().to_uppercase()),
        Kind::Iban | Kind::VatNumber => {
            let kept: String = text.chars().filter(|letter| !letter.is_whitespace() && *letter != '.').collect();
            Value::text(&kept.to_uppercase())
        }
        _ => Value::text(text),
    }
}

/// A number exactly as it is spelled; `None` for anything that is no number or has more digits than fit.
pub(super) fn number(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if text.contains(['e', 'E']) { Decimal::from_scientific(text).ok() } else { Decimal::from_str_exact(text).ok() }
}

/// A day, alone or at the start of a moment: as it stands there, whatever the offset.
pub(super) fn day(text: &str) -> Option<Date> {
    let text = text.trim();
    let (day, time) = text.split_once('T').unwrap_or((text, "00:00:00"));
    let digits = time.get(..2)?.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| day.parse().ok())?
}

/// A moment with its offset; without one it is Amsterdam time.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| home_moment(text))
}

/// A local Amsterdam time, marked `Z` or not. A time that happens twice is the earlier one.
pub(super) fn home_moment(text: &str) -> Option<Timestamp> {
    let local: DateTime = text.trim().trim_end_matches(['Z', 'z']).parse().ok()?;
    Some(local.in_tz(HOME).ok()?.timestamp())
}

/// The day that a moment belongs to where both systems live: from midnight in Amsterdam on it is the next one.
#[must_use]
pub fn home_day(moment: Timestamp) -> Date {
    TimeZone::get(HOME).unwrap_or(TimeZone::UTC).to_datetime(moment).date()
}

/// A moment as Amsterdam wrote it: `2026-03-14T10:22:33`.
pub(super) fn home_text(moment: Timestamp) -> Option<String> {
    let local = moment.in_tz(HOME).ok()?.datetime();
    Some(local.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

/// A percentage is its fraction: 21 points are 0.21. Nothing is rounded.
pub(super) fn from_points(points: Decimal) -> Option<Decimal> {
    let scale = points.scale() + 2;
    let mut fraction = points;
    if scale > Decimal::MAX_SCALE {
        fraction = points.normalize();
        if fraction.scale() + 2 > Decimal::MAX_SCALE {
            return None;
        }
    }
    let scale = fraction.scale() + 2;
    fraction.set_scale(scale).ok()?;
    Some(fraction.normalize())
}

/// The points of a fraction: 0.21 are 21. Nothing is rounded.
pub(super) fn to_points(fraction: Decimal) -> Option<Decimal> {
    Some(fraction.checked_mul(Decimal::ONE_HUNDRED)?.normalize())
}

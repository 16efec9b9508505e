//! The time in Amsterdam, in the written forms of both systems.

use std::sync::LazyLock;

use jiff::{Timestamp, ZonedDateTime, civil::Date, tz::TimeZone};

static ZONE: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC));

fn zone() -> TimeZone {
    ZONE.clone()
}

/// Now, in Amsterdam.
pub(super) fn now() -> ZonedDateTime {
    Timestamp::now().to_zoned_datetime(zone())
}

/// Today, in Amsterdam.
pub(super) fn today() -> Date {
    now().date()
}

/// Jortt's form, with the offset: `2026-03-14T10:22:33+01:00`.
pub(super) fn with_offset(moment: &ZonedDateTime) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// AFAS's form: Amsterdam time that carries a `Z` all the same.
pub(super) fn with_false_z(moment: &ZonedDateTime) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A moment of a day in Amsterdam.
pub(super) fn at(date: Date, hour: i8, minute: i8, second: i8) -> ZonedDateTime {
    date.at(hour, minute, second, 0).to_zoned_datetime(zone()).unwrap_or_else(|_| now())
}

/// A date that is written `YYYY-MM-DD`, also when a time follows.
pub(super) fn date(text: &str) -> Option<Date> {
    text.get(..10).and_then(|day| day.parse().ok())
}

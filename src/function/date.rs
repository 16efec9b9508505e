//! Functions on days. A moment counts as its Amsterdam day; `today()` is an input of the evaluation and not here.

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};

use super::{Argument, Function, Takes, Trouble, at, needed, optional};
use crate::{
    schema::{Kind, Ty},
    value::Value,
};

fn int(_: &[Ty]) -> Ty {
    Ty::new(Kind::Int)
}

fn day(_: &[Ty]) -> Ty {
    Ty::new(Kind::Date)
}

/// The year.
pub(super) const YEAR: Function = Function {
    name: "year",
    params: &[needed("date", Takes::Date)],
    gives: int,
    doc: "the year of a day",
    example: ("year(2026-03-14)", "2026"),
    call: |args| Ok(on(args, |date| Value::Int(date.year().into()))),
};

/// The month.
pub(super) const MONTH: Function = Function {
    name: "month",
    params: &[needed("date", Takes::Date)],
    gives: int,
    doc: "the month of a day, 1 to 12",
    example: ("month(2026-03-14)", "3"),
    call: |args| Ok(on(args, |date| Value::Int(date.month().into()))),
};

/// The day of the month.
pub(super) const DAY: Function = Function {
    name: "day",
    params: &[needed("date", Takes::Date)],
    gives: int,
    doc: "the day of the month, 1 to 31",
    example: ("day(2026-03-14)", "14"),
    call: |args| Ok(on(args, |date| Value::Int(date.day().into()))),
};

/// Days later.
pub(super) const ADD_DAYS: Function = Function {
    name: "add_days",
    params: &[needed("date", Takes::Date), needed("days", Takes::Int)],
    gives: day,
    doc: "so many days later (earlier when negative)",
    example: ("add_days(2026-02-27, 3)", "2026-03-02"),
    call: |args| {
        let days = at(args, 1).int().unwrap_or(0);
        shifted(args, |date| date.checked_add(1.day().checked_mul(days).ok()?).ok())
    },
};

/// Months later.
pub(super) const ADD_MONTHS: Function = Function {
    name: "add_months",
    params: &[needed("date", Takes::Date), needed("months", Takes::Int)],
    gives: day,
    doc: "so many months later, on the last day of a shorter month",
    example: ("add_months(2026-01-31, 1)", "2026-02-28"),
    call: |args| {
        let months = at(args, 1).int().unwrap_or(0);
        shifted(args, |date| date.checked_add(1.month().checked_mul(months).ok()?).ok())
    },
};

/// Days from one day to another.
pub(super) const DAYS_BETWEEN: Function = Function {
    name: "days_between",
    params: &[needed("from", Takes::Date), needed("to", Takes::Date)],
    gives: int,
    doc: "the days from one day to another; negative when the second is earlier",
    example: ("days_between(2026-03-14, 2026-04-13)", "30"),
    call: |args| {
        let (Some(from), Some(to)) = (date_of(&at(args, 0)), date_of(&at(args, 1))) else { return Ok(Value::Blank) };
        Ok(Value::Int((to - from).get_days().into()))
    },
};

/// The last day of the month.
pub(super) const END_OF_MONTH: Function = Function {
    name: "end_of_month",
    params: &[needed("date", Takes::Date)],
    gives: day,
    doc: "the last day of its month",
    example: ("end_of_month(2026-02-10)", "2026-02-28"),
    call: |args| Ok(on(args, |date| Value::Date(date.last_of_month()))),
};

/// The first day of the month.
pub(super) const FIRST_OF_MONTH: Function = Function {
    name: "first_of_month",
    params: &[needed("date", Takes::Date)],
    gives: day,
    doc: "the first day of its month",
    example: ("first_of_month(2026-02-10)", "2026-02-01"),
    call: |args| Ok(on(args, |date| Value::Date(date.first_of_month()))),
};

/// The day of a moment.
pub(super) const DATE: Function = Function {
    name: "date",
    params: &[needed("moment", Takes::Date)],
    gives: day,
    doc: "the Amsterdam day of a moment",
    example: ("date(2026-03-14T23:30)", "2026-03-14"),
    call: |args| Ok(on(args, Value::Date)),
};

/// Reads a day.
pub(super) const TO_DATE: Function = Function {
    name: "to_date",
    params: &[needed("text", Takes::Text), optional("or", Takes::Anything)],
    gives: day,
    doc: "the day that a text writes as 2026-03-14; another text fails the record, or gives `or`",
    example: ("to_date(\"2026-03-14\")", "2026-03-14"),
    call: |args| {
        let text = at(args, 0).text();
        match (text.trim().parse::<Date>(), at(args, 1).value()) {
            (Ok(date), _) => Ok(Value::Date(date)),
            (Err(_), Value::Blank) => Err(Trouble(format!("\"{text}\" is no day; a day is written 2026-03-14"))),
            (Err(_), instead) => Ok(instead.clone()),
        }
    },
};

/// Writes a day.
pub(super) const FORMAT_DATE: Function = Function {
    name: "format_date",
    params: &[needed("date", Takes::Date), needed("format", Takes::Text)],
    gives: |_| Ty::new(Kind::Text),
    doc: "the day written as `format` says: yyyy or yy, mm or m, dd or d, and anything that is no letter between them",
    example: ("format_date(2026-03-14, \"dd-mm-yyyy\")", "14-03-2026"),
    call: |args| {
        let Some(date) = date_of(&at(args, 0)) else { return Ok(Value::Blank) };
        format_date(date, at(args, 1).text()).map(|text| Value::text(&text))
    },
};

fn format_date(date: Date, format: &str) -> Result<String, Trouble> {
    let mut result = String::new();
    let mut rest = format;
    while let Some(letter) = rest.chars().next() {
        let run = rest.chars().take_while(|next| *next == letter).count();
        let written = match (letter, run) {
            ('y', 4) => format!("{:04}", date.year()),
            ('y', 2) => format!("{:02}", date.year().rem_euclid(100)),
            ('m', 2) => format!("{:02}", date.month()),
            ('m', 1) => date.month().to_string(),
            ('d', 2) => format!("{:02}", date.day()),
            ('d', 1) => date.day().to_string(),
            _ if letter.is_alphabetic() => {
                let part: String = rest.chars().take(run).collect();
                return Err(Trouble(format!("\"{part}\" is no part of a day: write yyyy, yy, mm, m, dd or d")));
            }
            _ => rest.chars().take(run).collect(),
        };
        result.push_str(&written);
        rest = rest.get(run * letter.len_utf8()..).unwrap_or("");
    }
    Ok(result)
}

fn date_of(argument: &Argument<'_>) -> Option<Date> {
    match argument.value() {
        Value::Date(date) => Some(*date),
        Value::DateTime(moment) => {
            let zone = TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC);
            Some(zone.to_datetime(*moment).date())
        }
        _ => None,
    }
}

fn on(args: &[Argument<'_>], give: impl Fn(Date) -> Value) -> Value {
    date_of(&at(args, 0)).map_or(Value::Blank, give)
}

fn shifted(args: &[Argument<'_>], shift: impl Fn(Date) -> Option<Date>) -> Result<Value, Trouble> {
    let Some(date) = date_of(&at(args, 0)) else { return Ok(Value::Blank) };
    let result = shift(date).ok_or_else(|| Trouble(format!("that many from {date} is no day of the calendar")))?;
    Ok(Value::Date(result))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_with_and_without_leading_zeros() {
        let date = jiff::civil::date(2026, 3, 4);
        assert_eq!(format_date(date, "d-m-yy").unwrap(), "4-3-26");
        assert_eq!(format_date(date, "yyyymmdd").unwrap(), "20260304");
        assert_eq!(format_date(date, "dd / mm …").unwrap(), "04 / 03 …");
    }

    #[test]
    fn a_letter_that_is_no_part_of_a_day_is_told() {
        let date = jiff::civil::date(2026, 3, 4);
        assert_eq!(
            format_date(date, "dd-mmm-yyyy").unwrap_err().0,
            "\"mmm\" is no part of a day: write yyyy, yy, mm, m, dd or d"
        );
        assert!(format_date(date, "YYYY").is_err());
    }
}

//! Literals: texts with holes, numbers, percentages, dates, moments, durations, patterns.
//!
//! What cannot be read gets its message and a value of its kind in its place, so that nothing after it complains.

use std::sync::Arc;

use jiff::{
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone},
};
use rust_decimal::Decimal;

use super::{Pair, Reader};
use crate::{
    diagnostic::Diagnostic,
    syntax::{
        grammar::Rule,
        tree::{Literal, Name, Text, TextPart},
    },
};

/// Dates and times of a flow are those of Amsterdam.
const ZONE: &str = "Europe/Amsterdam";

impl Reader<'_> {
    /// A literal that is no text.
    pub(super) fn literal(&mut self, pair: &Pair<'_>) -> Option<Literal> {
        Some(match pair.as_rule() {
            Rule::number | Rule::number_cell => Literal::Number(self.number(pair, pair.as_str())),
            Rule::percent | Rule::percent_cell => {
                let points = self.number(pair, pair.as_str().trim_end_matches('%'));
                let fraction = points.checked_mul(Decimal::new(1, 2)).map(|fraction| fraction.normalize());
                Literal::Percent(fraction.unwrap_or_default())
            }
            Rule::date | Rule::bad_date => Literal::Date(self.date(pair)),
            Rule::datetime => Literal::DateTime(self.moment(pair)),
            Rule::duration => Literal::Duration(self.duration(pair)),
            Rule::pattern => Literal::Pattern(Self::pattern(pair)),
            Rule::yes => Literal::Bool(true),
            Rule::no => Literal::Bool(false),
            Rule::blank => Literal::Blank,
            Rule::clear => Literal::Clear,
            _ => return None,
        })
    }

    fn bad(&mut self, pair: &Pair<'_>, title: impl Into<String>, help: impl Into<String>) {
        let span = self.span(pair);
        self.say(Diagnostic::new("F008", title, span).help(help));
    }

    fn number(&mut self, pair: &Pair<'_>, digits: &str) -> Decimal {
        let number = Decimal::from_str_exact(&digits.replace('_', ""));
        number.unwrap_or_else(|_| {
            self.bad(pair, "this number is too long", "numbers have at most 28 digits");
            Decimal::ZERO
        })
    }

    /// A date, also one that is not in the calendar or written another way.
    pub(super) fn date(&mut self, pair: &Pair<'_>) -> Date {
        let written = pair.as_str().trim();
        if pair.as_rule() == Rule::date {
            if let Ok(date) = written.parse() {
                return date;
            }
            let last = last_of_month(written);
            let help = last.map_or("dates are written 2026-01-31".to_owned(), |last| last.to_string());
            self.bad(pair, format!("{written} is not in the calendar"), help);
            return last.unwrap_or(Date::ZERO);
        }
        let (day, time) = written.split_once('T').map_or((written, None), |(day, time)| (day, Some(time)));
        let mended = mend_date(day);
        let example = mended.map_or("2026-01-31".to_owned(), |date| date.to_string());
        if time.is_some() {
            self.bad(pair, "a moment is written with day, hours and minutes", format!("{example}T09:30"));
        } else {
            let span = self.span(pair);
            let said = Diagnostic::new("F008", "a date is written year-month-day, in full", span).help(example.clone());
            self.say(if mended.is_some() { said.fix(span, example) } else { said });
        }
        mended.unwrap_or(Date::ZERO)
    }

    fn moment(&mut self, pair: &Pair<'_>) -> jiff::Timestamp {
        let written = pair.as_str();
        let Ok(civil) = written.parse::<DateTime>() else {
            self.bad(pair, format!("{written} is no moment of the calendar"), "for example 2026-01-31T09:30");
            return jiff::Timestamp::UNIX_EPOCH;
        };
        let moment = TimeZone::get(ZONE).map(|zone| zone.to_ambiguous_timestamp(civil));
        match moment.map(|moment| (moment.offset(), moment.compatible())) {
            Ok((AmbiguousOffset::Gap { .. }, _)) => {
                let title = format!("{written} does not exist: the clocks go forward in that hour");
                self.bad(pair, title, format!("{}T03:00", civil.date()));
                jiff::Timestamp::UNIX_EPOCH
            }
            // A time that happens twice is the earlier one.
            Ok((_, Ok(moment))) => moment,
            _ => {
                self.bad(pair, format!("{written} is out of range"), "for example 2026-01-31T09:30");
                jiff::Timestamp::UNIX_EPOCH
            }
        }
    }

    /// Seconds of `2 hours`.
    pub(super) fn duration(&mut self, pair: &Pair<'_>) -> i64 {
        let written = pair.as_str();
        let (digits, unit) = written.split_once([' ', '\t']).unwrap_or((written, ""));
        let seconds = match unit.trim().trim_end_matches('s') {
            "minute" => 60,
            "hour" => 3600,
            "day" => 86_400,
            "week" => 7 * 86_400,
            _ => 30 * 86_400,
        };
        let number = digits.parse::<i64>().ok().and_then(|number| number.checked_mul(seconds));
        number.filter(|number| *number < 1_000_000 * 86_400).unwrap_or_else(|| {
            self.bad(pair, "this is longer than anything can last", "for example 2 hours");
            0
        })
    }

    /// What stands between the slashes.
    pub(super) fn pattern(pair: &Pair<'_>) -> Arc<str> {
        let inner = pair.as_str().strip_prefix('/').and_then(|inner| inner.strip_suffix('/')).unwrap_or("");
        inner.replace("\\/", "/").into()
    }

    /// A text with its holes.
    pub(super) fn text(&mut self, pair: Pair<'_>) -> Text {
        let span = self.span(&pair);
        let mut parts = Vec::new();
        let mut chars = String::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::chars => chars.push_str(part.as_str()),
                Rule::escape => chars.push_str(match part.as_str() {
                    "\\n" => "\n",
                    "\\t" => "\t",
                    other => other.trim_start_matches('\\').get(..1).unwrap_or("\\"),
                }),
                _ => {
                    if !chars.is_empty() {
                        parts.push(TextPart::Chars(std::mem::take(&mut chars).into()));
                    }
                    parts.extend(part.into_inner().next().map(|hole| TextPart::Hole(self.expr(hole))));
                }
            }
        }
        if !chars.is_empty() {
            parts.push(TextPart::Chars(chars.into()));
        }
        Text { parts, span }
    }

    /// A text that may have no holes here.
    pub(super) fn plain_text(&mut self, pair: Pair<'_>) -> Arc<str> {
        let text = self.text(pair);
        let hole = text.parts.iter().find_map(|part| match part {
            TextPart::Hole(hole) => Some(hole.span),
            TextPart::Chars(_) => None,
        });
        if let Some(hole) = hole {
            self.say(
                Diagnostic::new("F008", "the text that stands here is fixed: it cannot have `{…}` in it", hole)
                    .help("write \\{ for the character itself"),
            );
        }
        fixed_text(&text).unwrap_or_default()
    }

    /// The place and the text between the quotes.
    pub(super) fn quoted_name(&mut self, pair: Pair<'_>) -> Name {
        let span = self.span(&pair);
        Name { text: self.plain_text(pair), span }
    }
}

/// The characters of a text without holes.
pub(super) fn fixed_text(text: &Text) -> Option<Arc<str>> {
    match text.parts.as_slice() {
        [] => Some("".into()),
        [TextPart::Chars(chars)] => Some(chars.clone()),
        _ => None,
    }
}

/// The last day of the month of a date like 2026-02-30.
fn last_of_month(written: &str) -> Option<Date> {
    let first: Date = format!("{}-01", written.get(..7)?).parse().ok()?;
    Some(first.last_of_month())
}

/// `2026-1-5` and `05-01-2026` as dates.
fn mend_date(written: &str) -> Option<Date> {
    let mut parts = written.split('-').map(|part| part.parse::<i16>().ok());
    let (first, month, last) = (parts.next()??, parts.next()??, parts.next()??);
    let (year, day) = if written.find('-') == Some(4) { (first, last) } else { (last, first) };
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

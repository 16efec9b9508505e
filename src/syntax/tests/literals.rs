//! Literals that cannot be read.

use super::said;

#[test]
fn texts_are_closed_on_their_line() {
    insta::assert_snapshot!(said(r#"let x = "abc
let y = "a {b"
let z = "a {} b"
let w = "a \d b"
"#), @r#"
        F008 1:9-13 this text has no closing quote / end it with " on the same line
        F008 2:12-13 this `{` has no `}` / write \{ for the character itself
        F008 3:12-14 there is no value between these braces / a value in a text: "{name}"; the characters themselves: \{\}
        F008 4:12-14 `\d` means nothing in a text / \\d for a backslash and d
        "#);
}

#[test]
fn dates_are_in_the_calendar() {
    insta::assert_snapshot!(said("let d = 2026-02-30
let e = 2026-2-3
let f = 30-01-2026
let g = 2026-01-01T25:00
let h = 2026-03-29T02:30
let i = 2026-01-01T9
"), @"
        F008 1:9-19 2026-02-30 is not in the calendar / 2026-02-28
        F008 2:9-17 a date is written year-month-day, in full / 2026-02-03
        F008 3:9-19 a date is written year-month-day, in full / 2026-01-30
        F008 4:9-25 2026-01-01T25:00 is no moment of the calendar / for example 2026-01-31T09:30
        F008 5:9-25 2026-03-29T02:30 does not exist: the clocks go forward in that hour / 2026-03-29T03:00
        F008 6:9-21 a moment is written with day, hours and minutes / 2026-01-01T09:30
        ");
}

#[test]
fn patterns_are_closed() {
    insta::assert_snapshot!(said("let p = part(x, /abc)
"), @"F008 1:17-22 this pattern has no closing `/` / end it with / on the same line");
}

#[test]
fn numbers_have_a_limit_and_a_point() {
    insta::assert_snapshot!(said(r#"let n = 99999999999999999999999999999999999
let s = 1,5
let t = 1.000,50
let d = 99999999999999999 weeks
let u: text(0) = "x"
"#), @"
        F008 1:9-44 this number is too long / numbers have at most 28 digits
        F008 2:9-12 the decimals of a number stand behind a point / 1.5
        F008 3:9-17 the decimals of a number stand behind a point / 1000.50
        F008 4:9-32 this is longer than anything can last / for example 2 hours
        F008 5:13-14 no text has this length / a whole number, for example `text(40)`
        ");
}

#[test]
fn a_fixed_text_has_no_holes() {
    insta::assert_snapshot!(said(r#"use x from "{y}.flow"
table t {
  a: text => b: text
  "{x}" => "y"
}
"#), @r"
        F008 1:14-15 the text that stands here is fixed: it cannot have `{…}` in it / write \{ for the character itself
        F008 4:5-6 the text that stands here is fixed: it cannot have `{…}` in it / write \{ for the character itself
        ");
}

//! How operators bind, where they may not stand together.

use super::said;

#[test]
fn and_beside_or_needs_brackets() {
    insta::assert_snapshot!(said("let x = a or b and c
let y = a and b or c and d
let z = (a and b) or c
"), @"
        F007 1:11-13 `and` beside `or` needs brackets / a or (b and c)
        F007 2:17-19 `and` beside `or` needs brackets / (a and b) or c and d
        ");
}

#[test]
fn comparisons_are_not_chained() {
    insta::assert_snapshot!(said("let x = 0 < b < c
let y = a is b is not c
"), @"
        F009 1:15-16 comparisons cannot be chained / 0 < b and b < c
        F009 2:16-22 comparisons cannot be chained / a is b and b is not c
        ");
}

#[test]
fn a_default_before_when_needs_brackets() {
    insta::assert_snapshot!(said("let x = a ?? b when c
let y = c when d else a ?? b when e
let z = (a ?? b) when c else d ?? e
"), @"
        F009 1:9-15 `??` before `when` needs brackets / (a ?? b) when c
        F009 2:23-29 `??` before `when` needs brackets / (a ?? b) when e
        ");
}

#[test]
fn else_needs_a_when() {
    insta::assert_snapshot!(said("let x = a else b
let y = a when b else c else d
let z = (a when b) else c
let w = a when b when c
"), @"
        F114 1:11-15 `else` without `when`; for a blank it is `??` / a ?? b
        F114 2:25-29 this `else` comes after the last value / give the value before it a condition:  … else value when condition else …
        F114 3:20-24 `else` without `when`; for a blank it is `??` / (a when b) ?? c
        F002 4:18-22 a second `when` cannot follow the first one / join two conditions with `and`; begin the next arm with `else`
        ");
}

//! Money and dates.

use super::{Rule, error};

/// F5xx.
pub(super) const RULES: &[Rule] = &[
    error("F502", "date-with-datetime", "a day compared with a moment")
        .why(
            "An invoice made on 1 January at 00:30 in Amsterdam was made in December by the clock of the server. \
             `date(…)` takes the Amsterdam day of a moment.",
        )
        .wrong(
            r#"
skip when invoice.created_at is 2026-01-01 because "New Year"
"#,
        )
        .right(
            r#"
skip when date(invoice.created_at) is 2026-01-01 because "New Year"
"#,
        ),
    error("F509", "entry-not-balanced", "debit and credit that are not provably equal"),
];

//! Lookup tables.

use super::{Rule, error, warning};

/// F4xx.
pub(super) const RULES: &[Rule] = &[
    error("F401", "table-gap", "an input that no row of the table fits")
        .why(
            "Exactly one row must fit every input. What no row fits is shown as an example; add its row, or close \
             all gaps on purpose with `otherwise`.",
        )
        .wrong(
            r#"
table code_of {
  days: int => code: text(2)
  0..14     => "14"
  16..30    => "30"
  > 30      => "60"
  < 0       => "14"
}
warn when code_of(count(invoice.line_items)) is "30" because "thirty days"
"#,
        )
        .right(
            r#"
table code_of {
  days: int => code: text(2)
  0..14     => "14"
  15..30    => "30"
  > 30      => "60"
  < 0       => "14"
}
warn when code_of(count(invoice.line_items)) is "30" because "thirty days"
"#,
        ),
    error("F402", "table-overlap", "two rows of a table that fit the same input")
        .why(
            "Two rows that fit the same input would make the order of rows count, and nobody reading one row \
             could trust it. `table … first` is for tables where the order is meant to count.",
        )
        .wrong(
            r#"
table code_of {
  days: int => code: text(2)
  < 0       => "14"
  0..14     => "14"
  14..30    => "30"
  > 30      => "60"
}
warn when code_of(count(invoice.line_items)) is "30" because "thirty days"
"#,
        )
        .right(
            r#"
table code_of {
  days: int => code: text(2)
  < 0       => "14"
  0..14     => "14"
  15..30    => "30"
  > 30      => "60"
}
warn when code_of(count(invoice.line_items)) is "30" because "thirty days"
"#,
        ),
    warning("F403", "row-never-reached", "a row that no input can reach")
        .why("A row that no input reaches is left over, or the row above it takes more than was meant.")
        .wrong(
            r#"
table kind_of first {
  text: text             => kind: text
  contains "Post"        => "post"
  contains "Post pakket" => "parcel"
  otherwise              => "other"
}
warn when kind_of(invoice.id) is "post" because "post"
"#,
        )
        .right(
            r#"
table kind_of first {
  text: text             => kind: text
  contains "Post pakket" => "parcel"
  contains "Post"        => "post"
  otherwise              => "other"
}
warn when kind_of(invoice.id) is "post" because "post"
"#,
        ),
    warning("F404", "table-hole", "days between two dated rows without a row")
        .why("Between two periods there are days without a row. Often one of the dates is a slip of the pen.")
        .wrong(
            r#"
table rate_of {
  on: date                         => rate: percent
  from 2019-01-01 until 2022-11-30 => 21%
  from 2023-01-01 until 2039-12-31 => 22%
  otherwise                        => hold "no rate on {on}"
}
warn when rate_of(date(invoice.created_at)) is 22% because "the new rate"
"#,
        )
        .right(
            r#"
table rate_of {
  on: date                         => rate: percent
  from 2019-01-01 until 2022-12-31 => 21%
  from 2023-01-01 until 2039-12-31 => 22%
  otherwise                        => hold "no rate on {on}"
}
warn when rate_of(date(invoice.created_at)) is 22% because "the new rate"
"#,
        ),
    warning("F405", "validity-ends", "a row with an end date that is near or past")
        .why(
            "The period ends soon or has ended, and no other row begins: records dated later will wait. It is \
             told sixty days before, so that there is time to ask for the new rate.",
        )
        .wrong(
            r#"
table rate_of {
  on: date                         => rate: percent
  from 2019-01-01 until 2022-12-31 => 21%
  from 2023-01-01 until 2026-01-31 => 22%
  otherwise                        => hold "no rate on {on}"
}
warn when rate_of(date(invoice.created_at)) is 22% because "the new rate"
"#,
        )
        .right(
            r#"
table rate_of {
  on: date                         => rate: percent
  from 2019-01-01 until 2022-12-31 => 21%
  from 2023-01-01 until 2039-12-31 => 22%
  otherwise                        => hold "no rate on {on}"
}
warn when rate_of(date(invoice.created_at)) is 22% because "the new rate"
"#,
        ),
    error("F406", "table-cell", "a cell that does not fit its column")
        .why("A cell is a value of its column, or says which values: a list, a range, `not …`, `blank`, `*`.")
        .wrong(
            r#"
table code_of {
  days: int => code: text(2)
  "14"      => "14"
  otherwise => "30"
}
warn when code_of(1) is "14" because "soon"
"#,
        )
        .right(
            r#"
table code_of {
  days: int => code: text(2)
  14        => "14"
  otherwise => "30"
}
warn when code_of(1) is "14" because "soon"
"#,
        ),
    error("F407", "table-header", "a CSV header that differs from the declared columns")
        .why(
            "The first line of the file names the columns as the flow declares them, in their order, so that a \
             column that was moved in a spreadsheet is seen.",
        )
        .wrong(
            r#"
table code_of from "codes.csv" {
  duty: text | rate: percent => code: text
  otherwise => "0"
}
warn when code_of("1", 21%) is "1" because "x"
--- codes.csv
duty,percentage,code
1,21%,1
"#,
        )
        .right(
            r#"
table code_of from "codes.csv" {
  duty: text | rate: percent => code: text
  otherwise => "0"
}
warn when code_of("1", 21%) is "1" because "x"
--- codes.csv
duty,rate,code
1,21%,1
"#,
        ),
    error("F408", "table-needs-otherwise", "a column that no rows can exhaust, without `otherwise`")
        .why(
            "There are endlessly many texts, so rows alone never cover the column. `otherwise` says what happens \
             with the rest.",
        )
        .wrong(
            r#"
table days_of {
  code: text => days: int
  "14"       => 14
}
warn when days_of("14") is 14 because "soon"
"#,
        )
        .right(
            r#"
table days_of {
  code: text => days: int
  "14"       => 14
  otherwise  => hold "no payment condition {code}"
}
warn when days_of("14") is 14 because "soon"
"#,
        ),
    error("F409", "table-needs-first", "a cell that only a table with `first` can have")
        .why(
            "Two rows with parts of texts can match one text. A table with `first` takes the first row that does; \
             without it exactly one row may match.",
        )
        .wrong(
            r#"
table kind_of {
  text: text      => kind: text
  contains "Post" => "post"
  otherwise       => "other"
}
warn when kind_of("Post") is "post" because "post"
"#,
        )
        .right(
            r#"
table kind_of first {
  text: text      => kind: text
  contains "Post" => "post"
  otherwise       => "other"
}
warn when kind_of("Post") is "post" because "post"
"#,
        ),
];

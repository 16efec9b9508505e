//! Lookup tables.

use super::{Rule, error, warning};

/// F4xx.
pub(super) const RULES: &[Rule] = &[
    error("F401", "table-gap", "an input that no row of the table fits"),
    error("F402", "table-overlap", "two rows of a table that fit the same input"),
    warning("F403", "row-never-reached", "a row that no input can reach"),
    warning("F404", "table-hole", "days between two dated rows without a row"),
    warning("F405", "validity-ends", "a row with an end date that is near or past"),
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

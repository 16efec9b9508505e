//! Tables whose rows do not fit.

use super::said;

#[test]
fn rows_have_a_cell_for_each_column() {
    insta::assert_snapshot!(said(r#"table t {
  a: text => b: text
  "x" | "y" => "z"
  "x" => "z" | "q"
  "q"
  /re/ => "x"
  otherwise => 1 | 2
}
"#), @r#"
        F406 3:3-12 this row has 2 cells before `=>`, the table has 1 column / `*` fits every value, `blank` only a missing one
        F406 4:10-19 this row has 2 values behind `=>`, the table has 1 column there / `blank` is a value too
        F002 5:3-6 `=>` is missing at the end of this line / "cell" | * => "result"
        F406 6:3-7 a pattern in a cell needs `matches` / matches /re/
        F406 7:16-21 this row has 2 values behind `=>`, the table has 1 column there / `blank` is a value too
        "#);
}

#[test]
fn a_table_says_what_its_columns_are() {
    insta::assert_snapshot!(said(r#"table t {
  "x" => "y"
}
table u {
}
"#), @"
        F002 1:1-8 table `t` does not say what its columns are / country: country | on: date => code: text
        F002 4:1-8 table `u` does not say what its columns are / country: country | on: date => code: text
        ");
}

#[test]
fn a_broken_header_is_one_message() {
    insta::assert_snapshot!(said(r#"table t {
  a: text b: text => c: text
  "x" | "y" => "z"
}
"#), @"F002 2:11-12 `b` cannot stand here / country: country | on: date => code: text");
}

#[test]
fn a_table_has_one_otherwise() {
    insta::assert_snapshot!(said(r#"table t {
  a: text => b: text
  otherwise => "x"
  otherwise => "y"
}
"#), @"F002 4:3-19 a table has one `otherwise`");
}

//! Spellings of other languages: each is shown with its repair.

use super::said;

#[test]
fn operators_of_other_languages_are_words_here() {
    insta::assert_snapshot!(said(r#"skip when a != b && (c || !d) because "x"
let same = a == b
let other = a <> b
hold when a & b because "x"
hold when a | b because "x"
"#), @r#"
        F001 1:13-15 `!=` is written `is not` / skip when a is not b and (c or not d) because "x"
        F001 1:18-20 `&&` is written `and` / skip when a is not b and (c or not d) because "x"
        F001 1:24-26 `||` is written `or` / skip when a is not b and (c or not d) because "x"
        F001 1:27-28 `!` before a condition is written `not` / skip when a is not b and (c or not d) because "x"
        F001 2:14-16 `==` is written `is` / let same = a is b
        F001 3:15-17 `<>` is written `is not` / let other = a is not b
        F001 4:13-14 `&` is written `and` / hold when a and b because "x"
        F001 5:13-14 `|` is written `or` / hold when a or b because "x"
        "#);
}

#[test]
fn words_of_other_languages_parse_and_are_mended() {
    insta::assert_snapshot!(said("let x = true
let y = f(x is null, None)
let z = Yes
"), @"
        F001 1:9-13 `true` is written `yes` / yes
        F001 2:16-20 `null` is written `blank` / blank
        F001 2:22-26 `None` is written `blank` / blank
        F001 3:9-12 `Yes` is written `yes` / yes
        ");
}

#[test]
fn a_name_that_the_file_declares_is_no_foreign_word() {
    insta::assert_snapshot!(said("let No = 3
let x = No + 1
"), @"");
}

#[test]
fn a_condition_does_not_stand_before_what_it_decides() {
    insta::assert_snapshot!(said(r#"if x is 3 {
  A = 1
}
let x = if a is 1 then "b" else "c"
let y = a is 1 ? "b" : "c"
let z = f(a ? b : c, d)
"#), @r#"
        F001 1:1-3 `if` is written `when`, behind what it decides / a guard:  skip when condition because "reason" | a write:  create system.entity when condition {
        F001 4:9-11 `if … then` is written `… when …` / let x = "b" when a is 1 else "c"
        F001 5:16-17 `c ? a : b` is written `a when c else b` / let y = "b" when a is 1 else "c"
        F001 6:13-14 `c ? a : b` is written `a when c else b` / let z = f(b when a else c, d)
        "#);
}

#[test]
fn an_if_behind_a_value_or_the_word_of_a_guard_is_a_when() {
    insta::assert_snapshot!(said(r#"skip if x is 3 because "three"
let x = "b" if a is 1 else "c"
"#), @r#"
        F001 1:6-8 `if` is written `when` / skip when x is 3 because "three"
        F001 2:13-15 `if` is written `when` / let x = "b" when a is 1 else "c"
        "#);
}

#[test]
fn a_field_of_the_record_has_its_dot() {
    insta::assert_snapshot!(said("create sale in afas.FbSales gives OrNu {\n  A = 1\n}\n"), @"F001 1:35-39 a field of the record is written `.OrNu` / .OrNu");
}

#[test]
fn texts_stand_between_double_quotes() {
    insta::assert_snapshot!(said("let x = 'it is {text}'
let y = “text”
"), @r#"
        F001 1:9-23 a text stands between straight double quotes / let x = "it is \{text}"
        F001 2:9-15 a text stands between straight double quotes / let y = "text"
        "#);
}

#[test]
fn a_value_stands_in_a_text() {
    insta::assert_snapshot!(said(r#"let x = "a" + b + "c{d}\n"
"#), @r#"F001 1:13-14 texts are not added with `+`: a value stands in the text / "a{b}c{d}\n""#);
}

#[test]
fn words_are_lower_case() {
    insta::assert_snapshot!(said(r#"Skip When x Is not 1 Because "y"
LET x = 1
"#), @r#"
        F001 1:1-5 `Skip` is written `skip` / skip when x is not 1 because "y"
        F001 1:6-10 `When` is written `when` / skip when x is not 1 because "y"
        F001 1:13-15 `Is` is written `is` / skip when x is not 1 because "y"
        F001 1:22-29 `Because` is written `because` / skip when x is not 1 because "y"
        F001 2:1-4 `LET` is written `let` / let x = 1
        "#);
}

#[test]
fn a_line_does_not_begin_with_a_sign() {
    insta::assert_snapshot!(said("let total = a   # what is due
  + b
create x in afas.FbSales {
  A = b
    - c
}
"), @"
        F001 2:3-4 a line cannot begin with `+`: it ends the line above / let total = a +   # what is due |   b
        F001 5:5-6 a line cannot begin with `-`: it ends the line above / A = b - |     c
        ");
}

#[test]
fn fields_are_given_with_an_equals_sign() {
    insta::assert_snapshot!(said("create x in afas.FbSales {
  A: 1
  B -> 2
  C == 3
  D = 4,
  E = 5;
  F 6
}
"), @"
        F001 2:4-5 a field is given with `=` / A = 1
        F001 3:5-7 a field is given with `=` / B = 2
        F001 4:5-7 a field is given with `=` / C = 3
        F001 5:8-9 a line of fields ends without a comma / D = 4
        F001 6:8-9 a line ends without `;` / E = 5
        F002 7:3-4 no `=` behind the field `F` / F = 6
        ");
}

#[test]
fn a_brace_ends_the_line_that_opens_a_block() {
    insta::assert_snapshot!(said("create x in afas.FbSales
{
  Lines { A = 1 }
}
"), @"
        F001 2:1-2 the `{` of a block ends the line that opens it / create x in afas.FbSales {
        F001 3:9-18 the lines of a block stand below its `{` / Lines { |   A = 1 | }
        ");
}

#[test]
fn equals_in_a_condition_is_a_word() {
    insta::assert_snapshot!(said("find x in afas.X where .id = y and .b => 3
"), @"
        F001 1:28-29 `=` in a condition is written `is` / find x in afas.X where .id is y and .b >= 3
        F001 1:39-41 `=>` is written `>=` / find x in afas.X where .id is y and .b >= 3
        ");
}

#[test]
fn an_arrow_in_a_table_has_one_spelling() {
    insta::assert_snapshot!(said(r#"table t {
  a: text => b: text
  "x" -> "y"
}
"#), @r#"F001 3:7-9 `->` is written `=>` / "x" => "y""#);
}

#[test]
fn other_small_habits_have_a_repair() {
    insta::assert_snapshot!(said("let a = 21 %
let b = 3 is not in [1, 2]
let c = 2hours
let d = 1 // remark
let café = 2
let\u{a0}e = 1
"), @"
        F001 1:9-13 a percentage is written `21%` / let a = 21%
        F001 2:11-20 `is not in` is written `not in` / let b = 3 not in [1, 2]
        F001 3:9-15 a duration is written `2 hours` / let c = 2 hours
        F001 4:11-13 a remark begins with `#` / let d = 1 # remark
        F001 5:5-9 `café` has other letters than a to z: it stands in back-ticks / let `café` = 2
        F001 6:4-5 this is no ordinary space / let e = 1
        ");
}

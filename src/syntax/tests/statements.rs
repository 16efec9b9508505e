//! Lines that cannot be read: where they stop, and what they look like.

use super::said;

#[test]
fn a_misspelt_statement_names_the_right_one() {
    insta::assert_snapshot!(said("creat sale in afas.FbSales {
  A == 1
}
var x = 1
read x from a.b {
  sinc change
  key .id
}
"), @"
        F002 1:1-6 no line begins with `creat` outside a block / create sale in afas.FbSales {
        F002 4:1-4 no line begins with `var` outside a block / let x = 1
        F002 6:3-7 no line begins with `sinc` in a `read` block / since change
        ");
}

#[test]
fn an_unknown_statement_lists_those_there_are() {
    insta::assert_snapshot!(said("frobnicate x
"), @"F002 1:1-11 no line begins with `frobnicate` outside a block / one of: flow, use, setting, read, find, let, skip, hold, fail, warn, ensure, create, update, after, each, fields, define, table, test");
}

#[test]
fn a_line_says_where_it_stops() {
    insta::assert_snapshot!(said(r#"flow x "a" b
use a b from "x"
setting a text
find x from y.z
ensure a {
  take x
}
let 3 = 4
let x = 
let y = a b
skip when x is 1
"#), @r#"
        F002 1:12-13 `b` cannot stand here / flow name "title"
        F002 2:7-8 `b` cannot stand here / use name, other from "shared/file.flow"
        F002 3:11-15 `text` cannot stand here / setting name : type = default
        F002 4:8-12 `from` cannot stand here / find name in system.entity where .field is value
        F002 5:10-11 `{` cannot stand here / ensure name: type {
        F002 8:5-6 `3` cannot stand here / let name = value
        F002 9:7-8 a value is missing at the end of this line / let name = value
        F002 10:11-12 `b` cannot stand here / let name = value
        F002 11:16-17 `because "reason"` is missing at the end of this line / skip when condition because "reason"
        "#);
}

#[test]
fn a_statement_of_the_file_cannot_stand_in_a_block() {
    insta::assert_snapshot!(said("create x in afas.FbSales {
  setting y: text
  A = 1
}
  let x = 1
"), @"
        F006 2:3-10 `setting` cannot stand among fields / it stands outside a block:  setting name : type = default
        F006 5:3-6 `let` stands at the start of its line / take the spaces before it away
        ");
}

#[test]
fn a_statement_in_the_wrong_block_says_where_it_belongs() {
    insta::assert_snapshot!(said("read x from a.b {
  take y
  key .id
}
"), @"F006 2:3-7 `take` cannot stand in a `read` block / it stands in an `ensure` block:  take value");
}

#[test]
fn an_indented_line_belongs_to_something() {
    insta::assert_snapshot!(said("let x = a
  when b
  els c
let y = 1
  2 3
"), @"
        F002 3:3-6 no line goes on with `els` / else
        F002 5:3-4 `2` cannot stand here
        ");
}

#[test]
fn a_heading_over_several_lines_is_one_mistake() {
    insta::assert_snapshot!(said("create sale in afas.FbSales when x foo 1,
               afas.FbDeliveryNote when y bar 2 gives .OrNu {
  A = 1
}
"), @"F002 1:36-39 `foo` cannot stand here / create name in system.entity gives .Key {");
}

#[test]
fn tests_are_lines_like_others() {
    insta::assert_snapshot!(said(r#"test "a" {
  given invoice fro "x.json"
  expekt create afas.FbSales
  expect create afas.FbSales {
    A == 1
  }
}
"#), @r#"
        F002 2:17-20 `fro` cannot stand here / given name from "samples/file.json"
        F002 3:3-9 no line begins with `expekt` in a test / expect create afas.FbSales
        F001 5:7-9 a field is given with `=` / A = 1
        "#);
}

#[test]
fn five_mistakes_are_five_messages() {
    insta::assert_snapshot!(said(r#"let a = b == c
let b = (1
skip when c
let d = "open
creat e in afas.FbSales {
}
let fine = 1
"#), @r#"
        F001 1:11-13 `==` is written `is` / let a = b is c
        F003 2:9-10 this `(` is not closed / put `)` behind the last thing that belongs to it
        F002 3:11-12 `because "reason"` is missing at the end of this line / skip when condition because "reason"
        F008 4:9-14 this text has no closing quote / end it with " on the same line
        F002 5:1-6 no line begins with `creat` outside a block / create e in afas.FbSales {
        "#);
}

#[test]
fn a_source_has_one_since() {
    insta::assert_snapshot!(said("read x from a.b {
  since change
  since .day
  key .id
}
"), @"F002 3:3-13 a source has one `since` / leave one of the two lines out");
}

#[test]
fn documentation_and_labels_belong_to_something() {
    insta::assert_snapshot!(said("## nothing

let x = 1 #: label
create a in b.c {
  A = 1 #: label
  Lines {  #: label too
    B = [
      2,
    ]  #: and here
  }
}
"), @"
        F006 1:1-11 this documentation stands above nothing / move it to the line above a declaration, or write `#` for a remark
        F006 3:11-19 this label stands behind no field / write `#` for a remark
        ");
}

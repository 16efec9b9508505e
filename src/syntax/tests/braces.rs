//! Blocks whose braces do not balance: one line is to blame.

use super::{WHOLE, said};

#[test]
fn a_block_without_its_end_is_said_once() {
    insta::assert_snapshot!(said("create x in afas.FbSales {
  A = 1
let y = 1
"), @"F003 1:1-25 the block of `create x` has no `}` / put a line with `}` at its end, indented as this line");
}

#[test]
fn an_inner_block_without_its_end_names_itself() {
    insta::assert_snapshot!(said("create x in afas.FbSales {
  Lines {
    A == 1
  B = 2
}
let y = 1
"), @"
        F003 2:3-8 the block of `Lines` has no `}` / put a line with `}` there, indented as the line that opens the block
        F001 3:7-9 a field is given with `=` / A = 1
        ");
}

#[test]
fn a_block_without_its_beginning_names_its_head() {
    insta::assert_snapshot!(said("read invoice from jortt.invoices
  where .a is 1
  key .id
}
let y = 1
"), @"F003 1:1-33 this line opens a block and has no `{` / end the line with ` {`");
}

#[test]
fn a_brace_too_much_is_named() {
    insta::assert_snapshot!(said("let y = 1
}
create x in afas.FbSales {
  A = 1
  }
}
let z = 2
"), @"
        F003 2:1-2 this `}` closes nothing / take it away, or look for a `{` that is missing above it
        F003 5:3-4 this `}` closes nothing / take it away, or look for a `{` that is missing above it
        ");
}

#[test]
fn nothing_stands_behind_the_end_of_a_block() {
    insta::assert_snapshot!(said("create x in a.b {
  A = 1
} else {
let y = 1
"), @"F002 3:3-9 nothing can stand behind the brace that ends a block / begin a new line for it");
}

#[test]
fn brackets_have_two_halves() {
    insta::assert_snapshot!(said(r#"skip when (a is 1 because "x"
skip when a is 1) because "x"
let x = [1, 2
let y = 1
"#), @"
        F003 1:11-12 this `(` is not closed / put `)` behind the last thing that belongs to it
        F003 2:17-18 this `)` closes nothing / take it away, or put the `(` where it begins
        F003 3:9-10 this `[` is not closed / put `]` behind the last thing that belongs to it
        ");
}

#[test]
fn each_brace_that_is_forgotten_or_doubled_is_one_message() {
    for paragraph in WHOLE.split("\n\n") {
        let paragraph = format!("{paragraph}\n");
        let lines: Vec<&str> = paragraph.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let opened = line.strip_suffix(" {");
            let closed = (line.trim() == "}").then_some("");
            let Some(without) = opened.or(closed) else { continue };
            let doubled = if opened.is_some() { format!("{line} {{") } else { format!("{line}\n{line}") };
            for slip in [without, &doubled] {
                let mut lines = lines.clone();
                lines[at] = slip;
                let text = lines.join("\n");
                assert_eq!(said(&text).lines().count(), 1, "{}\n{text}", said(&text));
            }
        }
    }
}

#[test]
fn a_brace_in_a_comment_opens_no_block() {
    insta::assert_snapshot!(said("lett x = 1 # like {
let y = 1
"), @"F002 1:1-5 no line begins with `lett` outside a block / let x = 1 # like {");
}

#[test]
fn a_mark_in_a_text_begins_no_comment() {
    insta::assert_snapshot!(said("craete \"x # y\" {
  A = 1
}
let y = 1
"), @r#"F002 1:1-7 no line begins with `craete` outside a block / create "x # y" {"#);
}

#[test]
fn a_brace_in_a_text_without_its_end_is_said_to_be_in_it() {
    insta::assert_snapshot!(said("let x = \"abc {
let y = 1
"), @"F008 1:9-15 this text has no closing quote / end it with \" on the same line");
    insta::assert_snapshot!(said("test \"abc {
  given today is 2026-01-01
}
let y = 1
"), @"F008 1:6-12 this text has no closing quote / end it with \" on the same line");
}

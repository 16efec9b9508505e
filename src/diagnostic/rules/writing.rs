//! How a flow is written: spellings, braces, literals.

use super::{Rule, error};

/// F0xx.
pub(super) const RULES: &[Rule] = &[
    error("F001", "foreign-spelling", "a spelling of another language; the repair is known")
        .why(
            "koppel is written in words: `is`, `and`, `not`, `yes`, `blank`. Whoever has learned another language \
             writes its signs from habit, and a reader who has not must still be able to read the flow. The sign \
             is understood, so the rest of the line is checked as usual, and `koppel check --fix` writes the \
             word.",
        )
        .wrong(r#"
skip when invoice.invoice_total == 0 because "nothing to send"
"#)
        .right(r#"
skip when invoice.invoice_total is 0 because "nothing to send"
"#),
    error("F002", "unreadable-line", "a line that is no statement here")
        .why(
            "Each line of a flow begins with a word that says what it does, or with the name of a field and `=`. \
             A line that does neither is left out and all others are still checked, so that one slip hides no \
             other.",
        )
        .wrong(r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId "10021"
  Unit = 1
}
"#)
        .right(r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021"
  Unit = 1
}
"#),
    error("F003", "unbalanced-brace", "a brace is missing or too much")
        .why(
            "A block begins with `{` at the end of its line and ends with `}` on a line of its own. When the two \
             do not balance, the line is shown whose indent disagrees with its depth: there the brace is most \
             likely missing.",
        )
        .wrong(r#"
each line in invoice.line_items {
  warn when line.amount < 0 because "negative"
"#)
        .right(r#"
each line in invoice.line_items {
  warn when line.amount < 0 because "negative"
}
"#),
    error("F004", "too-deep", "blocks or brackets are nested more than 64 deep")
        .why(
            "Nobody reads brackets in brackets in brackets. At 64 deep koppel stops reading, which also keeps a \
             broken file from stopping the program.",
        )
        .wrong(r#"
let total = (((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((invoice.invoice_total)))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))
skip when total is 0 because "nothing to send"
"#)
        .right(r#"
let total = invoice.invoice_total
skip when total is 0 because "nothing to send"
"#),
    error("F006", "misplaced", "a statement or comment that cannot stand here")
        .why(
            "A leading dot is a field of the row that is searched; outside a search there is no such row. In the \
             same way a second `read`, a guard in a library or a comment `##` above nothing have nothing that \
             they could belong to.",
        )
        .wrong(r#"
skip when .invoice_total is 0 because "nothing to send"
"#)
        .right(r#"
skip when invoice.invoice_total is 0 because "nothing to send"
"#),
    error("F007", "and-beside-or", "`and` beside `or` without brackets")
        .why(
            "`a and b or c` is read one way by one person and another way by the next. Brackets say which is \
             meant.",
        )
        .wrong(r#"
let quiet = invoice.list is "late"
skip when quiet and invoice.invoice_total is 0 or invoice.id is "7" because "not now"
"#)
        .right(r#"
let quiet = invoice.list is "late"
skip when (quiet and invoice.invoice_total is 0) or invoice.id is "7" because "not now"
"#),
    error("F008", "bad-literal", "a number, date, text or pattern that cannot be read")
        .why(
            "Numbers have a decimal point and no thousands sign, dates are year-month-day, texts know `\\\" \\\\ \\{ \
             \\} \\n \\t`: one way to write each, so that 1-2-2026 is never two days.",
        )
        .wrong(r#"
skip when date(invoice.created_at) < 1-2-2026 because "before the start"
"#)
        .right(r#"
skip when date(invoice.created_at) < 2026-02-01 because "before the start"
"#),
    error("F009", "needs-brackets", "`??` left of `when`, or a second comparison, without brackets")
        .why(
            "`a ?? b when c` could mean the substitute for one way or for both, and `a < b < c` compares a yes \
             with a number. Brackets, or two comparisons, say which is meant.",
        )
        .wrong(r#"
let mark = invoice.reference ?? "none" when invoice.invoice_total > 0 else "credit"
warn when mark is "credit" because "a credit note"
"#)
        .right(r#"
let mark = (invoice.reference ?? "none") when invoice.invoice_total > 0 else "credit"
warn when mark is "credit" because "a credit note"
"#),
];

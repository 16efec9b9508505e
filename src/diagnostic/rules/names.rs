//! Names, types and settings.

use super::{Rule, error};

/// F1xx.
pub(super) const RULES: &[Rule] = &[
    error("F101", "unknown-name", "a name that nothing declares")
        .why(
            "A bare name is something that this file declares above, or brings in with `use`. Anything else is a \
             slip of the pen, or a text that lost its quotes.",
        )
        .wrong(
            r#"
let gross = invoice.invoice_total
skip when gros is 0 because "nothing to send"
"#,
        )
        .right(
            r#"
let gross = invoice.invoice_total
skip when gross is 0 because "nothing to send"
"#,
        ),
    error("F102", "declared-twice", "a name that is declared already")
        .why(
            "Nothing hides a visible name: whoever reads `total` in line 80 must not have to look for the nearest \
             of two. Names of loops may be used again in the next loop.",
        )
        .wrong(
            r#"
let total = invoice.invoice_total
each line in invoice.line_items {
  let total = line.amount
  warn when total < 0 because "negative"
}
"#,
        )
        .right(
            r#"
let sum = invoice.invoice_total
each line in invoice.line_items {
  let total = line.amount
  warn when total < sum because "less"
}
"#,
        ),
    error("F103", "wrong-type", "a value of another type than is needed here")
        .why(
            "Each value has a type and each place takes one: a text is no amount, a table is no value, a list is \
             no single thing. What does not fit is told here and not by the other system in the middle of a run.",
        )
        .wrong(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021"
  Unit = "1"
}
"#,
        )
        .right(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021"
  Unit = 1
}
"#,
        ),
    error("F104", "unknown-type", "a type that does not exist")
        .why(
            "There are few types and each has one name: `text`, `int`, `decimal`, `money`, `percent`, `bool`, \
             `date`, `datetime`, `duration`, `country`, `currency`, `email`, `iban`, `vat_number`, `one of …`, \
             `list of …`, and the entities and columns of the two systems.",
        )
        .wrong(
            r#"
setting journal: string = "VERK"
warn when journal is "MEMO" because "an odd journal"
"#,
        )
        .right(
            r#"
setting journal: text = "VERK"
warn when journal is "MEMO" because "an odd journal"
"#,
        ),
    error("F105", "unknown-function", "a function that does not exist")
        .why("Only what koppel brings along and what the flow declares with `define` or `table` can be called.")
        .wrong(
            r#"
let short = frist_chars(invoice.id, 3)
warn when short is "abc" because "abc"
"#,
        )
        .right(
            r#"
let short = first_chars(invoice.id, 3)
warn when short is "abc" because "abc"
"#,
        ),
    error("F106", "wrong-arguments", "too many, too few or unknown arguments")
        .why("A function takes what its signature says, by position or by name.")
        .wrong(
            r#"
let short = first_chars(invoice.id)
warn when short is "abc" because "abc"
"#,
        )
        .right(
            r#"
let short = first_chars(invoice.id, 3)
warn when short is "abc" because "abc"
"#,
        ),
    error("F107", "unknown-word", "a word that is none of the words of its `one of`")
        .why("A `one of` lists all words that there are; a word that is not among them would never be true.")
        .wrong(
            r#"
setting document: one of "order", "invoice" = "order"
skip when document is "odrer" because "orders are off"
"#,
        )
        .right(
            r#"
setting document: one of "order", "invoice" = "order"
skip when document is "order" because "orders are off"
"#,
        ),
    error("F108", "cycle", "things that use each other in a circle")
        .why(
            "There is no recursion: what needs itself to be worked out never ends. The same holds for files that \
             use each other.",
        )
        .wrong(
            r#"
define up(n: int): int = down(n) + 1
define down(n: int): int = up(n) - 1
warn when up(1) is 1 because "one"
"#,
        )
        .right(
            r#"
define up(n: int): int = n + 1
define down(n: int): int = up(n) - 2
warn when down(1) is 0 because "none"
"#,
        ),
    error("F109", "unknown-file", "a file that is not there or cannot be read")
        .why(
            "Paths are relative to the file that names them and stay within the project, so that a project can be \
             moved as a whole.",
        )
        .wrong(
            r#"
use area_of from "shared/table.flow"
warn when area_of("NL") is "home" because "at home"
--- shared/tables.flow
table area_of {
  country: country => area: text
  "NL"             => "home"
  otherwise        => "abroad"
}
"#,
        )
        .right(
            r#"
use area_of from "shared/tables.flow"
warn when area_of("NL") is "home" because "at home"
--- shared/tables.flow
table area_of {
  country: country => area: text
  "NL"             => "home"
  otherwise        => "abroad"
}
"#,
        ),
    error("F110", "bare-percent", "a bare number where a percentage is needed")
        .why(
            "21 may be 21% or 2100%: Jortt writes 0.21 and AFAS writes 21. In a flow a percentage has its sign, \
             and koppel knows how each system wants it.",
        )
        .wrong(
            r#"
setting rate: percent = 21
warn when rate is 9% because "low"
"#,
        )
        .right(
            r#"
setting rate: percent = 21%
warn when rate is 9% because "low"
"#,
        ),
    error("F111", "setting-unset", "a setting that must be set and is not")
        .why(
            "A setting without a default says that nobody but the owner of the books can know the value. It \
             stands in `koppel.toml`, under the name of the flow that declares it.",
        )
        .wrong(
            r#"
setting journal: text
warn when journal is "MEMO" because "an odd journal"
"#,
        )
        .right(
            r#"
setting journal: text
warn when journal is "MEMO" because "an odd journal"
--- koppel.toml
[settings.example]
journal = "VERK"
"#,
        ),
    error("F112", "setting-unknown", "`koppel.toml` sets what no flow declares")
        .why("A line in `koppel.toml` that no flow reads changes nothing, and looks as if it did.")
        .wrong(
            r#"
setting journal: text = "VERK"
warn when journal is "MEMO" because "an odd journal"
--- koppel.toml
[settings.example]
jurnal = "VERK"
"#,
        )
        .right(
            r#"
setting journal: text = "VERK"
warn when journal is "MEMO" because "an odd journal"
--- koppel.toml
[settings.example]
journal = "VERK"
"#,
        ),
    error("F113", "setting-type", "a value in `koppel.toml` of another type than its setting")
        .why(
            "A setting has the type that the flow declares; `koppel.toml` gives a value of it. Amounts and days \
             are written without quotes, percentages as \"21%\".",
        )
        .wrong(
            r#"
setting start: date = 2026-01-01
skip when date(invoice.created_at) < start because "before the start"
--- koppel.toml
[settings.example]
start = "2026-02-01"
"#,
        )
        .right(
            r#"
setting start: date = 2026-01-01
skip when date(invoice.created_at) < start because "before the start"
--- koppel.toml
[settings.example]
start = 2026-02-01
"#,
        ),
    error("F114", "else-without-when", "`else` without `when`; for a blank it is `??`")
        .why(
            "`else` is what remains when the `when` on its left does not hold. For a value that may be missing \
             the word is `??`.",
        )
        .wrong(
            r#"
let mark = invoice.reference else "none"
warn when mark is "none" because "no reference"
"#,
        )
        .right(
            r#"
let mark = invoice.reference ?? "none"
warn when mark is "none" because "no reference"
"#,
        ),
    error("F115", "key-read-too-early", "a read that needs a key which a write of this record still has to give")
        .why(
            "All reads come before the first write, so that a record that is held has written nothing. A key that \
             a write still has to give can therefore not be searched by in the same stage.",
        )
        .wrong(
            r#"
ensure debtor: text(16) {
  find afas.Profit_Debtor where .Email is "a@b.nl" gives .DebtorId
  create afas.KnSalesRelationPer gives .DbId {
    PaCd = "14"
    CuId = "EUR"
    ColA = "1300"
    KnPerson {
      LaNm     = "Visser"
      EmAd     = "a@b.nl"
      PadAdr   = yes
      AutoNum  = yes
      MatchPer = "Altijd nieuw toevoegen"
    }
  }
}
find row in afas.Profit_Debtor where .DebtorId is debtor
warn when row is blank because "no such debtor"
"#,
        )
        .right(
            r#"
ensure debtor: text(16) {
  find afas.Profit_Debtor where .Email is "a@b.nl" gives .DebtorId
  create afas.KnSalesRelationPer gives .DbId {
    PaCd = "14"
    CuId = "EUR"
    ColA = "1300"
    KnPerson {
      LaNm     = "Visser"
      EmAd     = "a@b.nl"
      PadAdr   = yes
      AutoNum  = yes
      MatchPer = "Altijd nieuw toevoegen"
    }
  }
}
find row in afas.Profit_Debtor where .Email is "a@b.nl"
warn when row is blank and debtor is not blank because "no such debtor"
"#,
        ),
    error("F116", "setting-fails", "a guard of settings only that fails")
        .why(
            "A guard that looks at settings only comes out the same for every record, so it is judged when the \
             flow is checked.",
        )
        .wrong(
            r#"
setting stock: one of "none", "check" = "check"
fail when stock is "check" because "stock is not looked at yet"
"#,
        )
        .right(
            r#"
setting stock: one of "none", "check" = "none"
fail when stock is "check" because "stock is not looked at yet"
"#,
        ),
];

//! Writes and how they are found again.

use super::{Rule, error};

/// F6xx.
pub(super) const RULES: &[Rule] = &[
    error("F601", "create-not-recognisable", "a write that could not be found again after a crash")
        .why(
            "When koppel is stopped right after sending, it must be able to find out whether the record was made. \
             It can when the record has a number of its own, or a reference that can be searched for.",
        )
        .wrong(
            r#"
create order in afas.FbSales gives .OrNu {
  DbId = "10021"
  Unit = 1
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
    error("F602", "write-name-twice", "two writes of one stage with one name")
        .why("After a crash a write is found again by its name; two of one name could not be told apart.")
        .wrong(
            r#"
create afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021"
  Unit = 1
}
create afas.FbSales gives .OrNu {
  OrNu = "K{first_chars(invoice.id, 11)}"
  DbId = "10022"
  Unit = 1
}
"#,
        )
        .right(
            r#"
create one in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021"
  Unit = 1
}
create other in afas.FbSales gives .OrNu {
  OrNu = "K{first_chars(invoice.id, 11)}"
  DbId = "10022"
  Unit = 1
}
"#,
        ),
    error("F603", "list-in-update", "a list in an update that would only get longer")
        .why(
            "AFAS takes the lines of an update as new ones and keeps the old: each update would make them once more. \
             A list belongs into an update only where the system puts it in place of the old one, as Jortt does.",
        )
        .wrong(
            r#"
update change in afas.FbSales {
  OrNu = "J1"
  Lines {
    VaIt = "Artikel"
    ItCd = "A"
    BiUn = "STK"
    QuUn = 1
  }
}
"#,
        )
        .right(
            r#"
update change in afas.FbSales {
  OrNu = "J1"
  RfCs = invoice.invoice_number
}
"#,
        ),
    error("F605", "personal-in-key", "personal data in a key, a number or a reference")
        .why(
            "Numbers and references are kept in the ledger as they are, for years. Names, e-mail addresses and \
             the like do not belong there: they cannot be forgotten again.",
        )
        .wrong(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  RfCs = invoice.customer_mail_to
  DbId = "10021"
  Unit = 1
}
"#,
        )
        .right(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  RfCs = invoice.invoice_number
  DbId = "10021"
  Unit = 1
}
"#,
        ),
];

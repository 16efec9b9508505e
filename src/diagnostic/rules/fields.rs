//! Fields and entities of the two systems.

use super::{Rule, error, warning};

/// F2xx.
pub(super) const RULES: &[Rule] = &[
    error("F201", "required-open", "a field that the target needs, and on one way gets no value")
        .why(
            "The other system refuses the record without this field. Every way through the block must give it a \
             value that is not blank: with `else`, with `??`, or by ending the record with `hold`.",
        )
        .wrong(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021" when invoice.invoice_total > 0
  Unit = 1
}
"#,
        )
        .right(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021" when invoice.invoice_total > 0 else hold "credit notes are booked by hand"
  Unit = 1
}
"#,
        ),
    error("F202", "unknown-field", "a field that the entity does not have")
        .why(
            "Fields are the vendor's: the name must be one that the entity has. The nearest is found by its \
             spelling and by the label that the vendor's screens show. `koppel schema show afas.FbSales` lists \
             them all.",
        )
        .wrong(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021"
  Unit = 1
  RfCz = invoice.invoice_number
}
"#,
        )
        .right(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021"
  Unit = 1
  RfCs = invoice.invoice_number
}
"#,
        ),
    error("F203", "too-long", "a value that can never fit the field")
        .why(
            "The field holds fewer characters than this text always has. Where only some values are too long the \
             record is held when it comes by; where the flow can be sure it is told here.",
        )
        .wrong(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "a debtor number of thirty chars"
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
    error("F204", "not-in-code-table", "a value that is not in the code table of the field")
        .why("The field takes a code of a fixed table. Write its code or its label; koppel sends the code.")
        .wrong(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021"
  Unit = 1
  Lines {
    VaIt = "Artikle"
    ItCd = "A"
    BiUn = "STK"
    QuUn = 1
  }
}
"#,
        )
        .right(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021"
  Unit = 1
  Lines {
    VaIt = "Artikel"
    ItCd = "A"
    BiUn = "STK"
    QuUn = 1
  }
}
"#,
        ),
    error("F205", "field-twice", "a field that is given twice")
        .why(
            "Of two values for one field one would be lost without a word. Only `on create` and `on update` may \
             give one each.",
        )
        .wrong(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021"
  Unit = 1
  DbId = "10022"
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
    error("F206", "not-writable", "an entity or field that cannot be written this way")
        .why("Some entities can only be read, others only written, and each gives a certain key back.")
        .wrong(
            r#"
create order in afas.FbSales gives .Number {
  OrNu = "J{first_chars(invoice.id, 11)}"
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
    error("F207", "policy-never-applies", "`on update` where nothing is updated, or `on create` where nothing is made")
        .why(
            "`on update` sends a field when the record is there already. That happens in an `ensure` with \
             `update found`; anywhere else the line would never be sent.",
        )
        .wrong(
            r#"
create order in afas.FbSales gives .OrNu {
  OrNu = "J{first_chars(invoice.id, 11)}"
  DbId = "10021"
  Unit = 1
  RfCs = invoice.invoice_number on update
}
"#,
        )
        .right(
            r#"
ensure label: text {
  find jortt.labels where .description is "paid" gives .id
  create jortt.labels gives .id {
    description = "paid" on create
  }
}
warn when label is "x" because "a label"
"#,
        ),
    error("F208", "unless-unseen", "`unless filled` or `unless edited` on a field that no read shows")
        .why(
            "Whether a field is filled, or was edited by a person, is seen in what the target shows of it. A field \
             that no read shows would never be sent again, without a word.",
        )
        .wrong(
            r#"
ensure item: text(40) {
  find afas.Profit_Article where .ItemCode is "ADV" gives .ItemCode
  update found
  create afas.FbItemArticle gives .ItCd {
    ItCd = "ADV"
    Ds   = "Advice"
    Grp  = "DIV"          on create
    BiUn = "STK"          on create
    VaRc = "1"            on create
    Loc  = "Hall 3"       unless filled
  }
}
warn when item is "x" because "an item"
"#,
        )
        .right(
            r#"
ensure item: text(40) {
  find afas.Profit_Article where .ItemCode is "ADV" gives .ItemCode
  update found
  create afas.FbItemArticle gives .ItCd {
    ItCd = "ADV"
    Ds   = "Advice"       unless edited
    Grp  = "DIV"          on create
    BiUn = "STK"          on create
    VaRc = "1"            on create
    Loc  = "Hall 3"       on create
  }
}
warn when item is "x" because "an item"
"#,
        ),
    warning("F209", "left-out", "a field that would do something of its own, and is left out of the body")
        .why(
            "A field that sends an invoice makes two effects of one write, and the second cannot be taken back when \
             the answer is lost. koppel leaves it out, and has a write of its own for it that happens once.",
        )
        .wrong(
            r#"
create draft in jortt.invoices gives .id {
  customer_id = invoice.customer_id
  reference   = invoice.id
  send_method = "email"
  line_items {
    description  = "Advice"
    quantity     = 1
    amount       = 10.00
    vat.value    = 21%
    vat.category = blank
  }
}
"#,
        )
        .right(
            r#"
create draft in jortt.invoices gives .id {
  customer_id = invoice.customer_id
  reference   = invoice.id
  line_items {
    description  = "Advice"
    quantity     = 1
    amount       = 10.00
    vat.value    = 21%
    vat.category = blank
  }
}
after draft {
  create sending in jortt.invoice_sendings {
    id          = draft
    send_method = "self"
  }
}
"#,
        ),
    error("F210", "unknown-entity", "an entity that the system does not have")
        .why("The entity does not exist in this system, or not for koppel. `koppel schema show` lists them.")
        .wrong(
            r#"
find debtor in afas.Profit_Debtors where .DebtorId is "1"
warn when debtor is blank because "no such debtor"
"#,
        )
        .right(
            r#"
find debtor in afas.Profit_Debtor where .DebtorId is "1"
warn when debtor is blank because "no such debtor"
"#,
        ),
    error("F211", "unknown-role", "a first word of an entity that is no connection")
        .why(
            "The first word of an entity is a connection of `koppel.toml`, or a role that a run there gives to \
             one.",
        )
        .wrong(
            r#"
find debtor in afass.Profit_Debtor where .DebtorId is "1"
warn when debtor is blank because "no such debtor"
"#,
        )
        .right(
            r#"
find debtor in afas.Profit_Debtor where .DebtorId is "1"
warn when debtor is blank because "no such debtor"
"#,
        ),
];

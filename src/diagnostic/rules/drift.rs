//! What changed under the flows: the schemas of the systems, and how documents are numbered.

use super::{Rule, error, warning};

/// F90x.
pub(super) const RULES: &[Rule] = &[
    warning("F901", "schema-changed", "a field that is not any more what it was when `flow.lock` was written")
        .why(
            "A new version of koppel, or a new import of a schema, may bring other types, lengths and codes. The flow \
             still checks; whether it still does what was meant, only its lines can show. `koppel check --accept` \
             takes the change over.",
        )
        .wrong(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
--- flow.lock
version = 1

[read."jortt.invoices"]
invoice_total = "decimal?"
"#,
        )
        .right(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
--- flow.lock
version = 1

[read."jortt.invoices"]
invoice_total = "money"
"#,
        ),
    error("F902", "number-changed", "an own number that is made in another way than `flow.lock` says")
        .why(
            "By its own number koppel finds a document again after a crash, and AFAS refuses it a second time. Made in \
             another way, a document that is there is looked for in vain: with a lost ledger it would be made twice. \
             `koppel check --accept` says that the other way is meant.",
        )
        .wrong(
            r#"
create sale in afas.FbSalesQuotation gives .OrNu {
  OrNu = "K{invoice.id}"
  OrDa = invoice.invoice_date
  DbId = "10021"
  CuId = "EUR"
  Unit = 1
}
--- flow.lock
version = 1

[number.example]
"afas.FbSalesQuotation" = { prefix = "J", formula = '"J{invoice.id}"' }
"#,
        )
        .right(
            r#"
create sale in afas.FbSalesQuotation gives .OrNu {
  OrNu = "J{invoice.id}"
  OrDa = invoice.invoice_date
  DbId = "10021"
  CuId = "EUR"
  Unit = 1
}
--- flow.lock
version = 1

[number.example]
"afas.FbSalesQuotation" = { prefix = "J", formula = '"J{invoice.id}"' }
"#,
        ),
    error("F903", "lock-unreadable", "a `flow.lock` that cannot be read")
        .why(
            "It says how documents were numbered until now. Without it nobody can see whether a number formula was \
             changed, so nothing runs until it is there again.",
        )
        .wrong(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
--- flow.lock
<<<<<<< mine
version = 1
"#,
        )
        .right(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
--- flow.lock
version = 1
"#,
        ),
];

//! Blanks and reading.

use super::{Rule, error, warning};

/// F3xx.
pub(super) const RULES: &[Rule] = &[
    error("F301", "may-be-blank", "a value that may be blank where one is needed")
        .why(
            "A field that the vendor does not always fill may be blank, and something here needs a value. Say \
             what happens then: stop the record above, or give a substitute.",
        )
        .wrong(
            r#"
let text = "for {invoice.customer_mail_to}"
warn when text is "for x" because "x"
"#,
        )
        .right(
            r#"
skip when invoice.customer_mail_to is blank because "nobody to mail to"
let text = "for {invoice.customer_mail_to}"
warn when text is "for x" because "x"
"#,
        ),
    error("F302", "compares-blank", "`<` or `>` with a value that may be blank")
        .why(
            "A blank is neither less nor more than anything: whichever way it counted, it would surprise someone. \
             Ask first whether there is a value, or give a substitute.",
        )
        .wrong(
            r#"
find customer in jortt.customers where .id is invoice.customer_id
hold when customer.payment_term > 30 because "a long term"
"#,
        )
        .right(
            r#"
find customer in jortt.customers where .id is invoice.customer_id
hold when customer.payment_term is not blank and customer.payment_term > 30 because "a long term"
"#,
        ),
    error("F303", "not-readable", "an entity that cannot be read this way")
        .why(
            "A search compares a field of the row, as it stands, with a value that is known before. What has to \
             be worked out from the row is worked out after it is found.",
        )
        .wrong(
            r#"
find debtor in afas.Profit_Debtor where lower(.DebtorName) is "visser"
warn when debtor is blank because "no such debtor"
"#,
        )
        .right(
            r#"
find debtor in afas.Profit_Debtor where .DebtorName is "Visser"
warn when debtor is blank because "no such debtor"
"#,
        ),
    error("F304", "blank-text", "a comparison with the empty text; it is `is blank`")
        .why(
            "An empty text, white space and a missing field are all `blank` here, whatever the other system \
             sends.",
        )
        .wrong(
            r#"
find customer in jortt.customers where .id is invoice.customer_id
skip when customer.email is "" because "no e-mail"
"#,
        )
        .right(
            r#"
find customer in jortt.customers where .id is invoice.customer_id
skip when customer.email is blank because "no e-mail"
"#,
        ),
    error("F305", "create-hangs-on-blank", "a create that hangs on searches whose keys may all be blank")
        .why(
            "A blank is never searched by: a search with a blank key finds nothing. When all keys of an `ensure` \
             may be blank, every such record would get a new debtor. Say first what happens without a key.",
        )
        .wrong(
            r#"
find customer in jortt.customers where .id is invoice.customer_id
ensure debtor: text(16) {
  find afas.Profit_Debtor where .Email is customer.email gives .DebtorId
  create afas.KnSalesRelationPer gives .DbId {
    PaCd = "14"
    CuId = "EUR"
    ColA = "1300"
    KnPerson {
      LaNm     = "Visser"
      EmAd     = customer.email!
      PadAdr   = yes
      AutoNum  = yes
      MatchPer = "Altijd nieuw toevoegen"
    }
  }
}
warn when debtor is "1" because "the first debtor"
"#,
        )
        .right(
            r#"
find customer in jortt.customers where .id is invoice.customer_id
hold when customer.email is blank because "no e-mail to know the debtor by"
ensure debtor: text(16) {
  find afas.Profit_Debtor where .Email is customer.email gives .DebtorId
  create afas.KnSalesRelationPer gives .DbId {
    PaCd = "14"
    CuId = "EUR"
    ColA = "1300"
    KnPerson {
      LaNm     = "Visser"
      EmAd     = customer.email
      PadAdr   = yes
      AutoNum  = yes
      MatchPer = "Altijd nieuw toevoegen"
    }
  }
}
warn when debtor is "1" because "the first debtor"
"#,
        ),
    warning("F306", "blank-is-not", "`is not` with a value that may be blank counts as yes")
        .why(
            "A blank is not \"NL\", so the condition holds for a customer without a country as well. Often that is \
             not meant.",
        )
        .wrong(
            r#"
find customer in jortt.customers where .id is invoice.customer_id
hold when customer.address_country_code is not "NL" because "abroad"
"#,
        )
        .right(
            r#"
find customer in jortt.customers where .id is invoice.customer_id
hold when customer.address_country_code is not blank and customer.address_country_code is not "NL" because "abroad"
"#,
        ),
    warning("F307", "order-unsure", "`find first` without a total order")
        .why(
            "`find first` picks one of several rows. Without an order in which no two rows are equal it may pick \
             another one tomorrow.",
        )
        .wrong(
            r#"
find first debtor in afas.Profit_Debtor where .Email is "x@y.nl"
warn when debtor is blank because "no such debtor"
"#,
        )
        .right(
            r#"
find first debtor in afas.Profit_Debtor where .Email is "x@y.nl" by .DebtorId
warn when debtor is blank because "no such debtor"
"#,
        ),
    error("F308", "no-where", "a search without a condition")
        .why("A search without `where` reads the whole entity, which may be hundreds of thousands of rows.")
        .wrong(
            r#"
find all debtors in afas.Profit_Debtor
warn when count(debtors) is 0 because "no debtors"
"#,
        )
        .right(
            r#"
find all debtors in afas.Profit_Debtor where .Email is "x@y.nl"
warn when count(debtors) is 0 because "no debtors"
"#,
        ),
    error("F309", "no-key", "a source without a key")
        .why("The key tells one record from another; by it koppel knows what was written already.")
        .wrong(
            r#"
flow example "Example"
read invoice from jortt.invoices {
  since change
}
test "nothing is written" {
  given invoice {
    id = "7"
  }
  expect no write
}
"#,
        )
        .right(
            r#"
flow example "Example"
read invoice from jortt.invoices {
  since change
  key .id
}
test "nothing is written" {
  given invoice {
    id = "7"
  }
  expect no write
}
"#,
        ),
    error("F316", "since-misses-records", "a condition on a field that the `since` does not cover")
        .why(
            "`since` asks only for records that changed after the last time. A condition on something that \
             changes later without moving that date (an invoice is paid after two months) makes koppel look away \
             at the very moment that counts.",
        )
        .wrong(
            r#"
flow example "Example"
read invoice from jortt.invoices {
  where .list is "paid"
  since .created_at overlap 2 hours
  key .id
}
test "nothing is written" {
  given invoice {
    id   = "7"
    list = "paid"
  }
  expect no write
}
"#,
        )
        .right(
            r#"
flow example "Example"
read invoice from jortt.invoices {
  where .list is "paid"
  since change
  key .id
}
test "nothing is written" {
  given invoice {
    id   = "7"
    list = "paid"
  }
  expect no write
}
"#,
        ),
];

//! What is left over, and `koppel.toml`.

use super::{Rule, error, warning};

/// F8xx.
pub(super) const RULES: &[Rule] = &[
    warning("F801", "unused", "something that is declared and never used")
        .why("What nothing uses is either left over or used somewhere under a name that was mistyped.")
        .wrong(
            r#"
let total = invoice.invoice_total
skip when invoice.invoice_total is 0 because "nothing to send"
"#,
        )
        .right(
            r#"
let total = invoice.invoice_total
skip when total is 0 because "nothing to send"
"#,
        ),
    warning("F802", "todo", "something that is still to be written")
        .why(
            "`todo` keeps the place of what is not written yet, so that the rest can be checked. `koppel run` \
             refuses it.",
        )
        .wrong(
            r#"
let number = todo "the number of the order"
warn when number is blank because "no number"
"#,
        )
        .right(
            r#"
let number = invoice.invoice_number
warn when number is blank because "no number"
"#,
        ),
    warning("F803", "allows-nothing", "an `# allow` that silences nothing")
        .why(
            "What was allowed is no longer there. Left alone, the line would silence the next mistake of that kind \
             without anybody having looked at it.",
        )
        .wrong(
            r#"
# allow F306: a customer without a country is abroad
warn when invoice.invoice_total is 0 because "nothing to send"
"#,
        )
        .right(
            r#"
# allow F306: one without a number counts as another
warn when invoice.invoice_number is not "1" because "not the first"
"#,
        ),
    error("F851", "secret-inline", "a secret that stands in `koppel.toml` itself")
        .why(
            "`koppel.toml` is copied, mailed and kept in version control. It says where a secret is found, never \
             what it is.",
        )
        .wrong(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
--- koppel.toml
[connections.jortt]
client_id     = "abc"
client_secret = { env = "JORTT_CLIENT_SECRET" }
"#,
        )
        .right(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
--- koppel.toml
[connections.jortt]
client_id     = { env = "JORTT_CLIENT_ID" }
client_secret = { env = "JORTT_CLIENT_SECRET" }
"#,
        ),
    error("F852", "unknown-key", "a key that `koppel.toml` does not have")
        .why("A key that koppel does not know would change nothing without a word.")
        .wrong(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
--- koppel.toml
[log]
kep = "14d"
"#,
        )
        .right(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
--- koppel.toml
[log]
keep = "14d"
"#,
        ),
    error("F853", "insecure-address", "plain http to another machine")
        .why(
            "Over plain http everybody on the way can read invoices and change what is sent. It is allowed to \
             this machine only.",
        )
        .wrong(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
--- koppel.toml
[connections.jortt]
base = "http://api.jortt.nl"
"#,
        )
        .right(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
--- koppel.toml
[connections.jortt]
base = "https://api.jortt.nl"
"#,
        ),
    error("F854", "bad-configuration", "a value that `koppel.toml` cannot have here")
        .why("The key is right and its value is not one that it can have.")
        .wrong(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
--- koppel.toml
[log]
keep = "two weeks"
"#,
        )
        .right(
            r#"
skip when invoice.invoice_total is 0 because "nothing to send"
--- koppel.toml
[log]
keep = "14d"
"#,
        ),
];

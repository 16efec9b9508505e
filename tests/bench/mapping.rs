//! How fast records are mapped: `cargo bench --bench mapping`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "mapping/invoices.rs"]
mod invoices;

use std::io::{Write as _, stdout};

use invoices::Invoices;

/// Writes the invoices of the bench.
fn main() {
    let mut invoices = Invoices::new(1);
    let mut line = Vec::new();
    for _ in 0..100_000 {
        line.clear();
        invoices.line(&mut line);
        stdout().write_all(&line).unwrap();
    }
}

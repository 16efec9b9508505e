//! One binary for all tests that use more than one room: a module for each subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod acceptance;
mod amounts;
mod check;
mod cli;
mod connector;
mod coverage;
#[cfg(unix)]
mod crash;
mod decide;
mod diagnostics;
mod echo;
mod engine;
mod features;
mod fmt;
mod functions;
#[path = "../fuzz/robust.rs"]
mod fuzz;
mod golden;
mod hostile;
#[path = "../bench/mapping/invoices.rs"]
mod invoices;
mod lane;
mod language;
mod ledger;
mod lock;
mod model;
mod pairs;
mod promise;
mod reference;
mod rooms;
mod sandbox;
mod schema;
mod shipped;
mod storm;
mod twin;

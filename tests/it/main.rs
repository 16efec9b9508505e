//! One binary for all tests that use more than one room: a module for each subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod check;
mod cli;
mod connector;
mod decide;
mod engine;
mod functions;
#[path = "../fuzz/robust.rs"]
mod fuzz;
mod ledger;
mod rooms;
mod sandbox;
mod schema;
mod twin;

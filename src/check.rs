//! Names, types, blank-ness, schema rules and tables: from trees to a checked [`typed::Program`].
//!
//! Takes syntax trees, the catalog and the other files of the project, gives the typed program and diagnostics.
//! Promises that all mistakes come out in one run, that one mistake makes one message (what is wrong is poisoned and
//! stays silent), and that a program without errors cannot hit an unknown name, field or type when it runs. No IO.

pub mod typed;

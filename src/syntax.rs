//! Text of a flow to its tree.
//!
//! Takes a text and its file id, gives a [`tree::File`] and diagnostics. Promises that parsing never fails: a broken
//! line is one diagnostic and the rest of the file is read. Nothing behind this room knows pest.

pub mod tree;

//! What the flows use of the systems, and how they number documents: `flow.lock`, kept beside them.
//!
//! Takes checked programs and the schemas, gives a [`Lock`]; compares one that was kept with the schemas of today and
//! with the formulas of today. Pure: where the file lies and when it is written is the project's. Promises a stable
//! text, so that a change of it is a change of what it says.
//!
//! Why numbers: an own number is what tells, after a crash or with a lost ledger, whether a document was made. Made in
//! another way it is looked for in vain, and the document is made twice.

mod compare;
mod formula;
mod text;
mod uses;

use std::collections::BTreeMap;

pub use compare::{drifted, renumbered};
pub use text::{read, written};
pub use uses::{Booked, Fixed, Uses, uses, writes};

/// The file beside `koppel.toml`.
pub const LOCK: &str = "flow.lock";

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// Fields that are read, by entity (`jortt.invoices`) and path.
    pub read: Fields,
    /// Fields that are written, likewise.
    pub write: Fields,
    /// Own numbers, by flow and entity.
    pub number: BTreeMap<String, BTreeMap<String, Number>>,
}

/// Fields by entity and path.
pub type Fields = BTreeMap<String, BTreeMap<String, Used>>;

/// A field that is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Used {
    /// Its type in the words of a flow, with ` required` behind it where a create needs it.
    pub ty: String,
    /// The codes that the flows write into it.
    pub codes: Vec<String>,
}

/// How an own number is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// What it begins with.
    pub prefix: String,
    /// The whole way, names of the flow followed.
    pub formula: String,
}

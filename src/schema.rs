//! What the two systems have: entities, fields, types, code tables, and how their values look on the wire.
//!
//! Takes the compact schemas and facts of `stdlib/` (and those of a user's project), gives a [`Catalog`]; decodes
//! vendor JSON into records and writes into vendor JSON. Promises that numbers never pass through a float and that
//! normal forms (`email`, `money`, `percent`, `country`) are made here and nowhere else. No HTTP.

mod catalog;
mod compact;
mod encode;
mod facts;
pub mod import;
mod load;
mod normal;
mod projection;
mod settings;
mod standard;
#[cfg(test)]
mod tests;
mod ty;

pub use catalog::{
    Answer, Balance, Catalog, ChangeClass, Code, CodeTable, Condition, Derived, Entity, Field, Form, ListWord, Object,
    OwnNumber, Privacy, ReadFacts, Recognise, Stamp, System, Test, Through, WriteClass, WriteFacts,
};
pub use encode::{EncodeError, encode, encode_decided, encode_value};
pub use normal::{home_day, normalise};
pub use projection::{DecodeError, Projection, decode_sample};
pub use settings::parse_value;
pub use ty::{ColumnRef, Kind, Ty};

/// Why the schemas of the standard library cannot be used: a mistake in its files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(pub String);

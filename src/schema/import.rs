//! `koppel schema import`: the vendors' own files become compact schemas, one text per entity.
//!
//! Takes the files of `stdlib/<system>/vendor/` by name, gives the files of `stdlib/<system>/schema/` by name. Promises
//! that equal vendor files give equal texts, so that a new version of a vendor's file is a diff that can be read.
//! Nothing is corrected here: where a vendor's file is wrong, `facts.toml` says so.

mod afas;
mod jortt;
mod tree;

use std::collections::BTreeMap;

pub use tree::ImportError;

/// The compact schemas of a system, by file name, made of the vendor's files.
///
/// # Errors
/// An unknown system, a file that is missing, is no JSON or has no schema where one is expected.
pub fn import(system: &str, files: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ImportError> {
    match system {
        "afas" => afas::import(files),
        "jortt" => jortt::import(files),
        other => Err(ImportError(format!("there is no import for \"{other}\": write \"jortt\" or \"afas\""))),
    }
}

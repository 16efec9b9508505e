//! Patterns of the language, ready to match.
//!
//! Takes the text between the slashes and gives it compiled. To compile one costs more than all else about a small
//! flow, so that a process does it once for a text: a check that follows an edit, and the plan, find it done.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use regex::{Error, Regex};

/// More texts than a project has; then all are forgotten, so that an editor left open for days keeps its size.
const MOST: usize = 1_000;

static COMPILED: LazyLock<RwLock<HashMap<Arc<str>, Regex>>> = LazyLock::new(RwLock::default);

/// The pattern that a text is.
///
/// # Errors
/// The text is no pattern, or one that would take too much memory.
pub fn pattern(text: &Arc<str>) -> Result<Regex, Error> {
    if let Some(known) = COMPILED.read().unwrap_or_else(PoisonError::into_inner).get(text) {
        return Ok(known.clone());
    }
    let compiled = Regex::new(text)?;
    let mut all = COMPILED.write().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= MOST {
        all.clear();
    }
    all.insert(Arc::clone(text), compiled.clone());
    Ok(compiled)
}

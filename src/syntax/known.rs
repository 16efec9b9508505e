//! Files that were read before, so that a check which follows an edit reads only what was edited.
//!
//! Takes a text and its file id, gives what [`parse`] gives, shared with the checks before. Promises to keep one
//! reading for each id, the last one: a process that runs for days stays as large as its largest project.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use super::{parse, tree};
use crate::diagnostic::{Diagnostic, FileId};

/// What was read, with the text that it was read from.
#[derive(Debug, Clone)]
struct Known {
    text: Arc<str>,
    tree: Arc<tree::File>,
    said: Arc<[Diagnostic]>,
}

static READ: LazyLock<RwLock<HashMap<FileId, Known>>> = LazyLock::new(RwLock::default);

/// Reads a flow, a library or a file of tests, unless this very text was read last under this id.
#[must_use]
pub fn parse_once(id: FileId, text: &Arc<str>) -> (Arc<tree::File>, Arc<[Diagnostic]>) {
    let known =
        READ.read().unwrap_or_else(PoisonError::into_inner).get(&id).filter(|known| known.text == *text).cloned();
    if let Some(known) = known {
        return (known.tree, known.said);
    }
    let (tree, said) = parse(id, text);
    let known = Known { text: Arc::clone(text), tree: Arc::new(tree), said: said.into() };
    READ.write().unwrap_or_else(PoisonError::into_inner).insert(id, known.clone());
    (known.tree, known.said)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An id that no other test of this process reads under.
    const OWN: FileId = FileId(u32::MAX - 7);

    #[test]
    fn the_same_text_is_read_once_and_an_edited_one_again() {
        let (text, edited) = (Arc::from("let a = 1\n"), Arc::from("let a = 1\nlet b = \n"));
        let (first, _) = parse_once(OWN, &text);
        let (again, _) = parse_once(OWN, &Arc::from(&*text));
        assert!(Arc::ptr_eq(&first, &again));
        let (other, said) = parse_once(OWN, &edited);
        assert_eq!((&*other, &*said), (&parse(OWN, &edited).0, &*parse(OWN, &edited).1));
        assert!(!said.is_empty());
        let (back, said) = parse_once(OWN, &text);
        assert_eq!((&*back, said.len()), (&*first, 0));
    }
}

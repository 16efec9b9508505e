//! The end of a check: what `# allow` silences, doubles, and the order of the diagnostics.

use std::collections::HashSet;

use super::load::Loaded;
use crate::diagnostic::{Diagnostic, Label};

/// Diagnostics by file as loaded and by place; each once.
pub(super) fn finish(loaded: &Loaded, mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let allows = || {
        let trees = loaded
            .units
            .iter()
            .flat_map(|unit| std::iter::once(&unit.tree).chain(unit.tests.as_ref().map(|(_, tree)| tree)));
        trees.flat_map(|tree| &tree.allows)
    };
    diagnostics.retain(|told| {
        let place = told.span();
        !allows().any(|allow| {
            *allow.code == *told.code
                && allow.line.file == place.file
                && (allow.line.start..=allow.line.end).contains(&place.start)
        })
    });
    // a body is looked at once for each target: the same mistake is told once
    let mut seen = HashSet::new();
    diagnostics.retain(|told| seen.insert((told.code, told.span(), told.title.clone())));
    diagnostics.sort_by_key(|told| (told.span().file, told.span().start, told.code));
    together(diagnostics)
}

/// A name that nothing declares is one mistake, however often it stands in a file: one message with all its places.
fn together(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut kept: Vec<Diagnostic> = Vec::new();
    for told in diagnostics {
        let file = told.span().file;
        let same = |other: &&mut Diagnostic| other.title == told.title && other.span().file == file;
        let of_names = matches!(told.code, "F101" | "F105" | "F702");
        match if of_names { kept.iter_mut().find(same) } else { None } {
            Some(first) => first.labels.push(Label { span: told.span(), text: "here as well".to_owned() }),
            None => kept.push(told),
        }
    }
    kept
}

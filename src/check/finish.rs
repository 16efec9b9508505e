//! The end of a check: what `# allow` silences, doubles, and the order of the diagnostics.

use std::collections::HashSet;

use super::load::Loaded;
use crate::diagnostic::Diagnostic;

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
    diagnostics
}

//! The end of a check: what `# allow` silences (F803: nothing), doubles, and the order of the diagnostics.

use std::collections::HashSet;

use super::load::Loaded;
use crate::{
    diagnostic::{Diagnostic, Label, Span},
    syntax::tree::Allow,
};

/// Diagnostics by file as loaded and by place; each once.
pub(super) fn finish(loaded: &Loaded, mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let allows = || {
        let trees = loaded
            .units
            .iter()
            .flat_map(|unit| std::iter::once(&unit.tree).chain(unit.tests.as_ref().map(|(_, tree)| tree)));
        trees.flat_map(|tree| &tree.allows)
    };
    let mut served: HashSet<Span> = HashSet::new();
    diagnostics.retain(|told| {
        let place = told.span();
        let silences = |allow: &&Allow| {
            *allow.code == *told.code
                && allow.line.file == place.file
                && (allow.line.start..=allow.line.end).contains(&place.start)
        };
        let mut kept = true;
        for allow in allows().filter(silences) {
            served.insert(allow.span);
            kept = false;
        }
        kept
    });
    let broken = |allow: &Allow| loaded.units.iter().any(|unit| unit.broken() && unit.tree.id == allow.span.file);
    for allow in allows().filter(|allow| !served.contains(&allow.span) && !broken(allow)) {
        diagnostics.extend(silent(allow));
    }
    // a body is looked at once for each target: the same mistake is told once
    let mut seen = HashSet::new();
    diagnostics.retain(|told| seen.insert((told.code, told.span(), told.title.clone())));
    diagnostics.sort_by_key(|told| (told.span().file, told.span().start, told.code));
    together(diagnostics)
}

/// What is said of an `# allow` that silences nothing; codes that others than the checker say may be said later.
fn silent(allow: &Allow) -> Option<Diagnostic> {
    const LATER: [&str; 5] = ["F11", "F703", "F85", "F9", "F405"];
    if LATER.iter().any(|code| allow.code.starts_with(code)) {
        return None;
    }
    let told = if crate::diagnostic::rule(&allow.code).is_some() {
        let title = format!("nothing below is told as {}, so there is nothing to allow", allow.code);
        Diagnostic::new("F803", title, allow.span)
    } else {
        Diagnostic::new("F803", format!("there is no rule {}", allow.code), allow.span)
    };
    Some(told.help("leave this line out"))
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

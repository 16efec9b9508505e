//! F316: a condition of the source on a field whose change the mark does not see.
//!
//! A mark (`since .field`) asks the source for what was touched after it. A record that comes to fit the `where` by a
//! change that leaves the mark where it is would never be seen.

use super::{
    checker::Checker,
    expr::{dotted, row_path},
    inspect, suggest,
    typed::{Expr, VarId},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{ChangeClass, Entity, Object},
    syntax::tree::Path,
};

impl Checker<'_> {
    /// Tells the first field of the condition that the mark misses.
    pub(super) fn since_misses(&mut self, mark: &Path, row: VarId, condition: &Expr, entity: &Entity, object: &Object) {
        let Some(facts) = &entity.read else { return };
        let own = dotted(mark);
        if object.at(&own).is_none() {
            return;
        }
        let stamp = facts.stamp.as_ref().filter(|stamp| *stamp.field == *own);
        let moves = stamp.is_some_and(|stamp| stamp.moves);
        let missed = |path: &str| {
            let Some(field) = object.at(path) else { return false };
            let within =
                |missed: &str| path.strip_prefix(missed).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            match stamp {
                Some(stamp) if stamp.moves => stamp.misses.iter().any(|missed| within(missed)),
                _ => field.change != ChangeClass::Once && *path != *own,
            }
        };
        let mut found: Option<(String, Span)> = None;
        inspect::walk(condition, &mut |part| {
            if let Some(path) = row_path(part, row)
                && missed(&path)
                && found.as_ref().is_none_or(|(first, _)| path.starts_with(&format!("{first}.")))
            {
                found = Some((path, part.span));
            }
        });
        let Some((path, place)) = found else { return };
        let one = suggest::with_article(&entity.label);
        let title = format!("this flow never sees {one} whose `.{path}` changes later");
        let says = match stamp {
            Some(_) if moves => "does not move with it",
            Some(_) => "is set once, when it is made",
            None => "is no mark of every change",
        };
        let told = Diagnostic::new("F316", title, mark.span).says(says);
        self.say(told.also(place, "changes after it was made").help("since change"));
    }
}

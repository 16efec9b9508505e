//! `koppel test`: the tests that stand in the flows.

use std::{io::Write as _, sync::Arc};

use super::{
    args::{Args, TestArgs},
    check::{count, tell},
    place,
    say::{Ended, Said, out},
};
use crate::{
    check::typed::Program,
    diagnostic::Diagnostic,
    eval::testing::{self, Outcome},
    project::Project,
    schema::Catalog,
};

/// Runs the tests whose name holds what was typed.
pub(super) fn test(args: &Args, asked: &TestArgs) -> Said {
    let project = place::project(args)?;
    let mut out = out();
    if project.has_errors() {
        tell(&mut out, &project.diagnostics, &project.sources, asked.json)?;
        out.flush()?;
        return Ok(Ended::Mistakes);
    }
    let part = asked.name.as_deref().unwrap_or("");
    let outcomes = outcomes(&project, place::catalog()?);
    let wanted: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.name.contains(part)).collect();
    for (program, outcome) in &wanted {
        if asked.json {
            writeln!(out, "{}", json(&project, program, outcome))?;
        } else {
            let word = if outcome.failures.is_empty() { "ok    " } else { "FAILED" };
            writeln!(out, "{word}  {}: {}", program.name, outcome.name)?;
            tell(&mut out, &failures(outcome), &project.sources, false)?;
        }
    }
    let failed = wanted.iter().filter(|(_, outcome)| !outcome.failures.is_empty()).count();
    if !asked.json {
        let all = count(wanted.len(), "test");
        let none =
            if wanted.is_empty() && !part.is_empty() { format!(" with \"{part}\" in its name") } else { String::new() };
        let came = if failed == 0 { "passed".to_owned() } else { format!("{failed} failed") };
        writeln!(out, "{all}{none}: {came}")?;
    }
    out.flush()?;
    Ok(if failed == 0 { Ended::Fine } else { Ended::Mistakes })
}

/// All tests of a project, with what came of them.
fn outcomes(project: &Project, catalog: &Catalog) -> Vec<(Arc<Program>, Outcome)> {
    let settings = project.test_settings();
    let of_program = |program: &Arc<Program>| {
        let outcomes = testing::run(program, &project.sources, catalog, &settings);
        outcomes.into_iter().map(|outcome| (Arc::clone(program), outcome)).collect::<Vec<_>>()
    };
    project.programs.iter().flat_map(of_program).collect()
}

/// What does not come true in the tests of a project, as it is shown; nothing when all pass.
pub(super) fn failing(project: &Project, catalog: &Catalog) -> Vec<Diagnostic> {
    outcomes(project, catalog).iter().flat_map(|(_, outcome)| failures(outcome)).collect()
}

fn failures(outcome: &Outcome) -> Vec<Diagnostic> {
    let shown = |failure: &testing::Failure| Diagnostic::new("F703", failure.text.clone(), failure.span);
    outcome.failures.iter().map(shown).collect()
}

fn json(project: &Project, program: &Program, outcome: &Outcome) -> String {
    let failures: Vec<_> = failures(outcome)
        .iter()
        .map(|failure| {
            let source = project.sources.get(failure.span().file);
            let (line, column) = source.map_or((1, 1), |source| source.line_column(failure.span().start));
            let file = source.map_or("", |source| &source.path);
            serde_json::json!({ "file": file, "line": line, "column": column, "text": failure.title })
        })
        .collect();
    let passed = failures.is_empty();
    serde_json::json!({ "test": outcome.name, "flow": program.name, "passed": passed, "failures": failures })
        .to_string()
}

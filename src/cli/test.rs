//! `koppel test`: the tests that stand in the flows, and what of the flows they reach.

mod coverage;

use std::{
    io::{self, Write},
    sync::Arc,
};

use self::coverage::{Reached, line, place, told};
use super::{
    args::{Args, TestArgs},
    check::{count, tell},
    place as here,
    report::{columns, plain},
    say::{Ended, Form, Said, Stop, out_in},
};
use crate::{
    check::typed::Program,
    diagnostic::{Diagnostic, Sources},
    eval::testing::{self, Bench, FieldFailure, Outcome, Suggested},
    plan::SettingValues,
    project::Project,
    schema::Catalog,
};

/// Is it a test whose name, or that of its flow, holds what was typed?
fn meant(program: &Program, test: &str, part: &str) -> bool {
    test.contains(part) || program.name.contains(part)
}

/// Runs the tests whose name, or that of their flow, holds what was typed.
pub(super) fn test(args: &Args, asked: &TestArgs) -> Said {
    let project = here::project(args)?;
    // Messages have colours of their own.
    let mut out = out_in(if asked.json { Form::Json } else { Form::AsIs });
    if project.has_errors() {
        tell(&mut out, &project.diagnostics, &project.sources, asked.json)?;
        out.flush()?;
        return Ok(Ended::Mistakes);
    }
    let part = asked.name.as_deref().unwrap_or("");
    let catalog = here::catalog()?;
    if let Some(place) = &asked.suggest {
        let place = Some(place.as_str()).filter(|place| !place.is_empty());
        return suggest(&project, catalog, place, &mut out);
    }
    let outcomes = outcomes(&project, catalog);
    let wanted: Vec<_> = outcomes.iter().filter(|(program, outcome)| meant(program, &outcome.name, part)).collect();
    if wanted.is_empty() && !part.is_empty() {
        let all = count(outcomes.len(), "test");
        return Err(Stop::Usage(format!(
            "no test has \"{part}\" in its name or its flow's; without it all are run: {all}"
        )));
    }
    for (program, outcome) in &wanted {
        if asked.json {
            writeln!(out, "{}", json(&project, program, outcome))?;
        } else {
            let word = if outcome.failures.is_empty() { "ok    " } else { "FAILED" };
            writeln!(out, "{word}  {}: {}", program.name, outcome.name)?;
            failed(&mut out, outcome, &project.sources)?;
        }
    }
    let settings = project.test_settings();
    let reached = reached(&project, catalog, &settings, part);
    let failed = wanted.iter().filter(|(_, outcome)| !outcome.failures.is_empty()).count();
    // what some of the tests leave out says nothing of the flows, unless it is asked
    let whole = part.is_empty() || asked.coverage;
    if asked.json && whole {
        reached.json(&project.sources).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    } else if !asked.json {
        let all = count(wanted.len(), "test");
        let came = if failed == 0 { "passed".to_owned() } else { format!("{failed} failed") };
        writeln!(out, "{all}: {came}")?;
        if whole {
            write!(out, "\n{}", reached.table(&project.sources))?;
        }
        if asked.coverage {
            writeln!(out)?;
            reached.list(&project.sources, &mut out)?;
        }
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

/// What the tests that are meant reach.
fn reached(project: &Project, catalog: &Catalog, settings: &SettingValues, part: &str) -> Reached {
    let mut reached = Reached::default();
    for program in &project.programs {
        let bench = Bench { program, sources: &project.sources, catalog, settings };
        reached.take(bench.coverage(&|test| meant(program, &test.name, part)));
    }
    reached
}

/// A test for something that none reaches: at the place that was typed, else the first for which one is found.
fn suggest(project: &Project, catalog: &Catalog, at: Option<&str>, out: &mut dyn Write) -> Said {
    let (sources, settings) = (&project.sources, project.test_settings());
    let reached = reached(project, catalog, &settings, "");
    let asked = |span| at.is_none_or(|at| place(sources, span) == at);
    let open: Vec<_> = reached.open(sources).filter(|(point, _)| asked(point.span)).collect();
    let mut incomplete: Option<(String, Suggested)> = None;
    for (point, what) in open {
        let title = format!("{} ({})", told(point.kind, what), place(sources, point.span));
        let of = |program| Bench { program, sources, catalog, settings: &settings }.suggest(point, &title);
        for suggested in project.programs.iter().filter_map(of) {
            let shown = format!("# {}  {}", place(sources, point.span), line(sources, point.span));
            if suggested.reaches {
                write!(out, "{shown}\n{}", suggested.text)?;
                out.flush()?;
                return Ok(Ended::Fine);
            }
            incomplete.get_or_insert((shown, suggested));
        }
    }
    match (incomplete, at) {
        (Some((shown, suggested)), _) => write!(out, "{shown}\n{}", suggested.text)?,
        (None, Some(at)) => writeln!(out, "{at}: the tests reach it, or nothing to reach stands there")?,
        (None, None) => writeln!(out, "the tests reach everything")?,
    }
    out.flush()?;
    Ok(Ended::Fine)
}

/// What does not come true in the tests of a project, as it is shown; nothing when all pass.
pub(super) fn failing(project: &Project, catalog: &Catalog) -> Vec<Diagnostic> {
    outcomes(project, catalog).iter().flat_map(|(_, outcome)| outcome.failures.iter().map(shown)).collect()
}

fn shown(failure: &testing::Failure) -> Diagnostic {
    let told = Diagnostic::new("F703", failure.text.clone(), failure.span);
    let lines = failure.field.iter().flat_map(|field| &field.lines);
    lines.fold(told, |told, line| told.also(*line, "gives it"))
}

/// What failed in one test: the fields of a write side by side, everything else as a message of its own.
fn failed(out: &mut dyn Write, outcome: &Outcome, sources: &Sources) -> io::Result<()> {
    let fields: Vec<&FieldFailure> = outcome.failures.iter().filter_map(|failure| failure.field.as_deref()).collect();
    for same in fields.chunk_by(|a, b| a.expect == b.expect) {
        let Some(first) = same.first() else { continue };
        writeln!(out, "  {}  {}", place(sources, first.expect), first.write)?;
        let mut rows = vec![["field", "expected", "got", "given by"].map(ToOwned::to_owned).to_vec()];
        for field in same {
            let mut lines =
                field.lines.iter().map(|span| plain(&format!("{}  {}", place(sources, *span), line(sources, *span))));
            let first = lines.next().unwrap_or_else(|| "no line of the flow".to_owned());
            rows.push(vec![field.path.clone(), plain(&field.expected), plain(&field.got), first]);
            rows.extend(lines.map(|line| vec![String::new(), String::new(), String::new(), line]));
        }
        for line in columns(&rows, &[]).lines() {
            writeln!(out, "    {line}")?;
        }
    }
    let rest: Vec<_> = outcome.failures.iter().filter(|failure| failure.field.is_none()).map(shown).collect();
    tell(out, &rest, sources, false)
}

fn json(project: &Project, program: &Program, outcome: &Outcome) -> String {
    let at = |span: crate::diagnostic::Span| {
        let source = project.sources.get(span.file);
        let (line, column) = source.map_or((1, 1), |source| source.line_column(span.start));
        (source.map_or("", |source| &source.path), line, column)
    };
    let failure = |failure: &testing::Failure| {
        let (file, line, column) = at(failure.span);
        let mut told = serde_json::json!({ "file": file, "line": line, "column": column, "text": failure.text });
        if let (Some(field), Some(object)) = (&failure.field, told.as_object_mut()) {
            object.insert("field".to_owned(), field.path.clone().into());
            object.insert("expected".to_owned(), field.expected.clone().into());
            object.insert("got".to_owned(), field.got.clone().into());
            let lines = field.lines.iter().map(|span| place(&project.sources, *span));
            object.insert("given_by".to_owned(), lines.collect::<Vec<_>>().into());
        }
        told
    };
    let failures: Vec<_> = outcome.failures.iter().map(failure).collect();
    let passed = failures.is_empty();
    serde_json::json!({ "test": outcome.name, "flow": program.name, "passed": passed, "failures": failures })
        .to_string()
}

//! The language as its cases in `tests/language` say it: what comes of a flow and what is given, or which messages.
//!
//! The cases are plain text and know nothing of this program, so that another one could be tested with them;
//! `tests/language/README.md` tells how they are written. After a change that is meant, `KOPPEL_UPDATE=1 cargo test
//! --test it language` writes the last part of each anew; review it as what the language promises.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::civil::date;
use koppel::{
    check::typed::{Given, GivenFields, Program, Test},
    diagnostic::{Diagnostic, Span, rules},
    eval::testing::{self, Bench},
    project::Project,
    schema::Catalog,
    syntax::format::{Vendor, format},
    value::{Decision, EntityName, Outcome},
};
use serde_json::{Map, Value, json};

/// The parts that say what must come out.
const COMES: [&str; 3] = ["decision", "diagnostics", "formatted"];

struct Case {
    path: PathBuf,
    /// What it shows.
    says: String,
    /// Files of the project and what is given, in the order of the text.
    parts: Vec<(String, String)>,
    /// The last part.
    comes: (String, String),
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language")
}

/// All cases, in the order of their paths.
fn cases() -> Vec<Case> {
    let mut paths = Vec::new();
    let mut open = vec![folder()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "case") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Case {
    let text = fs::read_to_string(&path).unwrap();
    let mut says = String::new();
    let mut parts: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix("--- "), parts.last_mut()) {
            (Some(name), _) => parts.push((name.trim_end().to_owned(), String::new())),
            (None, Some((_, part))) => part.push_str(line),
            (None, None) => says.push_str(line.trim_start_matches(['#', ' '])),
        }
    }
    let comes = parts.pop().unwrap();
    assert!(COMES.contains(&&*comes.0), "{}: the last part is one of {COMES:?}", path.display());
    assert!(!says.trim().is_empty(), "{}: says nothing of what it shows", path.display());
    Case { path, says, parts, comes }
}

impl Case {
    fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(own, _)| own == name).map(|(_, text)| &**text)
    }

    fn flow(&self) -> &(String, String) {
        let is_flow = |name: &str| Path::new(name).extension().is_some_and(|ending| ending == "flow");
        self.parts.iter().find(|(name, _)| is_flow(name)).unwrap()
    }

    /// What this program makes of it.
    fn came(&self) -> String {
        if self.comes.0 == "formatted" {
            return format(&self.flow().1, &Vendor::default());
        }
        let place = tempfile::tempdir().unwrap();
        for (name, text) in self.parts.iter().filter(|(name, _)| name != "given") {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let catalog = Catalog::standard().unwrap();
        let project = Project::open(place.path(), "live", catalog, date(2026, 1, 15)).unwrap();
        if self.comes.0 == "diagnostics" {
            return told(&project, catalog);
        }
        if project.has_errors() {
            return told(&project, catalog);
        }
        let file = project.sources.iter().find(|(_, source)| source.path == self.flow().0).unwrap().0;
        let program = project.programs.iter().find(|program| program.file == file).unwrap();
        let settings = project.test_settings();
        let given: Value = serde_json::from_str(self.part("given").unwrap_or("{}"))
            .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
        let test = test(program, &given);
        let bench = Bench { program, sources: &project.sources, catalog, settings: &settings };
        let shown = match bench.trial(&test, false) {
            Ok(trial) => {
                let mut all = trial.decisions.iter().map(decision);
                let mut shown = all.next().unwrap_or_else(|| json!({ "outcome": "not read" }));
                let after: Vec<Value> = all.collect();
                if !after.is_empty() {
                    shown["after"] = after.into();
                }
                if let Some(failure) = trial.failures.first() {
                    shown["second run"] = failure.text.clone().into();
                }
                shown
            }
            Err(failure) if failure.text.contains("leaves this record out") => json!({ "outcome": "not read" }),
            Err(failure) => json!({ "trouble": failure.text }),
        };
        format!("{shown:#}\n")
    }
}

/// All cases with what this program makes of them, some at a time.
fn all_that_came() -> Vec<(Case, String)> {
    let cases = cases();
    let some = cases.len().div_ceil(std::thread::available_parallelism().map_or(1, usize::from));
    let came: Vec<String> = std::thread::scope(|scope| {
        let run = |part| scope.spawn(move || <[Case]>::iter(part).map(Case::came).collect::<Vec<_>>());
        let running: Vec<_> = cases.chunks(some.max(1)).map(run).collect();
        running.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    cases.into_iter().zip(came).collect()
}

/// A line for each message: code, file, line and column.
fn told(project: &Project, catalog: &Catalog) -> String {
    let mut all = project.diagnostics.clone();
    if all.is_empty() {
        let settings = project.test_settings();
        let run = |program: &Arc<Program>| testing::run(program, &project.sources, catalog, &settings);
        let failures = project.programs.iter().flat_map(run).flat_map(|outcome| outcome.failures);
        all.extend(failures.map(|failure| Diagnostic::new("F703", failure.text, failure.span)));
    }
    let line = |told: &Diagnostic| {
        let source = project.sources.get(told.span().file).unwrap();
        let (line, column) = source.line_column(told.span().start);
        format!("{} {}:{line}:{column}\n", told.code, source.path)
    };
    all.iter().map(line).collect()
}

/// What is given, as a test of the language would give it.
fn test(program: &Program, given: &Value) -> Test {
    let mut givens = Vec::new();
    let text = |value: &Value| Some(Arc::from(value.to_string()));
    for (name, rows) in given["rows"].as_object().into_iter().flatten() {
        let (role, entity) = name.split_once('.').unwrap();
        let name = EntityName { role: role.into(), entity: entity.into() };
        givens.push(Given::Entity { name, sample: text(rows), span: Span::NONE });
    }
    if program.source.is_some() {
        let empty = Value::Object(Map::new());
        let record = given.get("record").unwrap_or(&empty);
        givens.push(Given::Record { sample: text(record), fields: GivenFields::default(), span: Span::NONE });
    }
    Test { name: "case".into(), givens, expects: Vec::new(), span: Span::NONE }
}

fn decision(decision: &Decision) -> Value {
    let mut shown = Map::new();
    let (word, more) = match &decision.outcome {
        Outcome::Skip(reason) => ("skip", Some(reason)),
        Outcome::Hold(reason) => ("hold", Some(reason)),
        Outcome::Fail(reason) => ("fail", Some(reason)),
        Outcome::Writes(_) => ("writes", None),
    };
    shown.insert("outcome".to_owned(), word.into());
    if let Some(reason) = more {
        shown.insert("reason".to_owned(), (*reason.text).into());
        shown.insert("place".to_owned(), (*reason.place).into());
        if reason.masked != reason.text {
            shown.insert("kept".to_owned(), (*reason.masked).into());
        }
    }
    if let Outcome::Writes(writes) = &decision.outcome {
        let write = |write: &koppel::value::Write| json!({ "name": write.name, "action": write.action, "entity": write.entity.to_string(), "fields": write.fields });
        shown.insert("writes".to_owned(), writes.iter().map(write).collect());
    }
    if !decision.warnings.is_empty() {
        let warnings = decision.warnings.iter().map(|reason| Value::from(&*reason.text)).collect();
        shown.insert("warnings".to_owned(), warnings);
    }
    Value::Object(shown)
}

#[test]
fn every_case_comes_out_as_it_says() {
    let update = std::env::var_os("KOPPEL_UPDATE").is_some();
    let mut wrong = Vec::new();
    for (case, came) in all_that_came() {
        if came == case.comes.1 {
            continue;
        }
        if update {
            let text = fs::read_to_string(&case.path).unwrap();
            let head = format!("--- {}\n", case.comes.0);
            let end = text.rfind(&head).unwrap() + head.len();
            fs::write(&case.path, format!("{}{came}", &text[..end])).unwrap();
        } else {
            wrong.push(format!("{}\n{}expected\n{}came\n{came}", case.path.display(), case.says, case.comes.1));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_case_that_gets_it_and_nothing_else() {
    let of = |case: &Case| case.path.file_stem().unwrap().to_str().unwrap()[..4].to_owned();
    let rule_cases: Vec<Case> =
        cases().into_iter().filter(|case| case.path.parent().unwrap().ends_with("rules")).collect();
    let told: BTreeSet<String> = rule_cases.iter().map(of).collect();
    let all: BTreeSet<String> =
        rules().filter(|rule| !rule.wrong.text().is_empty()).map(|rule| rule.code.to_owned()).collect();
    assert_eq!(told, all);
    for case in &rule_cases {
        let code = of(case);
        assert!(case.comes.1.lines().count() >= 1, "{}", case.path.display());
        assert!(case.comes.1.lines().all(|line| line.starts_with(&code)), "{}: {}", case.path.display(), case.comes.1);
    }
}

#[test]
fn eleven_mistakes_of_eleven_kinds_are_eleven_messages_in_one_run() {
    let case = read(folder().join("files/eleven-mistakes.case"));
    let flow = &case.flow().1;
    assert_eq!(flow.lines().count(), 100);
    let codes: BTreeSet<&str> = case.comes.1.lines().map(|line| &line[..4]).collect();
    assert_eq!((case.comes.1.lines().count(), codes.len()), (11, 11), "{}", case.comes.1);
    assert_eq!(case.came(), case.comes.1);
}

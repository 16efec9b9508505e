//! The register of rules: one row for each code that koppel can say, with the reason and an example of each side.
//!
//! Takes nothing, gives [`rules`] and [`rule`]. Promises that codes outlive messages: a code that is no longer said
//! leaves the register and is never given to another rule (F501 is such). A row lives in the file of its
//! family; its examples are run as tests and shown by `koppel explain`.
//!
//! Families: F0xx writing, F1xx names and types, F2xx target fields, F3xx blank and reading, F4xx tables,
//! F5xx money and dates, F6xx writes, F7xx tests, F8xx hygiene, F85x `koppel.toml`, F9xx drift.

mod amounts;
mod drift;
mod fields;
mod hygiene;
mod names;
mod reading;
mod tables;
mod tests;
mod writes;
mod writing;

/// Whether a broken rule stops `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The flow cannot run.
    Error,
    /// The flow runs; the reader should know.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One row of the register.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// `F202`.
    pub code: &'static str,
    /// `unknown-field`.
    pub name: &'static str,
    /// Whether it stops `check`.
    pub severity: Severity,
    /// What the rule says, in one line.
    pub summary: &'static str,
    /// Why there is such a rule, and what to do: one paragraph.
    pub why: &'static str,
    /// What gets this message.
    pub wrong: Example,
    /// The same as it should be.
    pub right: Example,
}

/// A small project in one text: the flow, then other files, each behind a line `--- path`.
#[derive(Debug, Clone, Copy)]
pub struct Example(&'static str);

/// What stands above the lines of an example that is no whole flow.
const HEAD: &str = "flow example \"Example\"\nread invoice from jortt.invoices {\n  since change\n  key .id\n}\n";

/// What stands below them, so that the flow has a test.
const TEST: &str = "test \"nothing yet\" {\n  expect no write\n}\n";

impl Example {
    /// As it is shown: without the frame of the flow.
    #[must_use]
    pub fn text(&self) -> &'static str {
        self.0.trim_start_matches('\n')
    }

    /// The files of the project with their paths; the flow is the first and whole.
    #[must_use]
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let mut files = vec![("example.flow", String::new())];
        for line in self.text().split_inclusive('\n') {
            match (line.strip_prefix("--- "), files.last_mut()) {
                (Some(path), _) => files.push((path.trim_end(), String::new())),
                (None, Some((_, text))) => text.push_str(line),
                (None, None) => {}
            }
        }
        if let Some((_, flow)) = files.first_mut()
            && !flow.starts_with("flow ")
        {
            flow.insert_str(0, HEAD);
            if !flow.contains("\ntest ") {
                flow.push_str(TEST);
            }
        }
        files
    }
}

impl Rule {
    const fn new(code: &'static str, name: &'static str, severity: Severity, summary: &'static str) -> Self {
        Self { code, name, severity, summary, why: "", wrong: Example(""), right: Example("") }
    }

    const fn why(self, why: &'static str) -> Self {
        Self { why, ..self }
    }

    const fn wrong(self, text: &'static str) -> Self {
        Self { wrong: Example(text), ..self }
    }

    const fn right(self, text: &'static str) -> Self {
        Self { right: Example(text), ..self }
    }
}

const fn error(code: &'static str, name: &'static str, summary: &'static str) -> Rule {
    Rule::new(code, name, Severity::Error, summary)
}

const fn warning(code: &'static str, name: &'static str, summary: &'static str) -> Rule {
    Rule::new(code, name, Severity::Warning, summary)
}

const FAMILIES: &[&[Rule]] = &[
    writing::RULES,
    names::RULES,
    fields::RULES,
    reading::RULES,
    tables::RULES,
    amounts::RULES,
    writes::RULES,
    tests::RULES,
    hygiene::RULES,
    drift::RULES,
];

/// All rules, by code.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The row of a code.
#[must_use]
pub fn rule(code: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.code == code)
}

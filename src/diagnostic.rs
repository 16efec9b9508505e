//! What koppel says about a file: one type for parser, checker, CSV, `koppel.toml` and schema.
//!
//! Takes nothing, gives [`Diagnostic`], [`Span`] and [`Sources`]; renderers (terminal, JSON,
//! SARIF) stand beside it. Promises that a diagnostic is a value: who makes it does not know how it is shown.

mod json;
mod mend;
mod render;
mod rules;
mod sarif;
mod source;

pub use json::render_json;
pub use mend::{Change, mend};
pub use render::render_terminal;
pub use rules::{Example, Rule, Severity, rule, rules};
pub use sarif::{SarifPart, render_sarif};
pub use source::{FileId, Files, Source, Sources, Span};

/// One mistake, in the reader's words. Never thrown: collected, so that all mistakes come out in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The row of the register (`F202`) that this breaks.
    pub code: &'static str,
    /// Whether `check` ends with 1.
    pub severity: Severity,
    /// What is wrong, in one line without a full stop.
    pub title: String,
    /// Where; the first one is the place that is reported as line and column.
    pub labels: Vec<Label>,
    /// What to write instead; whole lines that can be pasted.
    pub help: Option<String>,
    /// The same as an edit, where it is certain.
    pub fix: Option<Fix>,
}

/// A place with what is to be said about it (may be empty).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The exact characters.
    pub span: Span,
    /// What they are or lack.
    pub text: String,
}

/// An edit that mends the mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub text: String,
}

impl Diagnostic {
    /// A diagnostic of rule `code` at `span`; the severity is that of the register.
    ///
    /// An unknown code is a mistake in koppel; it is shown as an error rather than lost.
    #[must_use]
    pub fn new(code: &'static str, title: impl Into<String>, span: Span) -> Self {
        let severity = rule(code).map_or(Severity::Error, |rule| rule.severity);
        let labels = vec![Label { span, text: String::new() }];
        Self { code, severity, title: title.into(), labels, help: None, fix: None }
    }

    /// Says something about the first place.
    #[must_use]
    pub fn says(mut self, text: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds the way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the edit that mends it.
    #[must_use]
    pub fn fix(mut self, span: Span, text: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, text: text.into() });
        self
    }

    /// Does it make `check` fail?
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The place that is reported; diagnostics without one do not exist.
    #[must_use]
    pub fn span(&self) -> Span {
        self.labels.first().map_or(Span::NONE, |label| label.span)
    }
}

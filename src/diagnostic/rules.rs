//! The register of rules: one row for each code that koppel can say. Codes outlive messages and are never reused.
//!
//! Families: F0xx writing, F1xx names and types, F2xx target fields, F3xx blank and reading, F4xx tables,
//! F5xx money and dates, F6xx writes, F7xx tests, F8xx hygiene, F85x `koppel.toml`, F9xx drift.

/// Whether a broken rule stops `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The flow cannot run.
    Error,
    /// The flow runs; the reader should know.
    Warning,
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
}

/// The row of a code.
#[must_use]
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code)
}

const fn error(code: &'static str, name: &'static str, summary: &'static str) -> Rule {
    Rule { code, name, severity: Severity::Error, summary }
}

const fn warning(code: &'static str, name: &'static str, summary: &'static str) -> Rule {
    Rule { code, name, severity: Severity::Warning, summary }
}

/// All rules, by code.
pub const RULES: &[Rule] = &[
    error("F001", "foreign-spelling", "a spelling of another language; the repair is known"),
    error("F002", "unreadable-line", "a line that is no statement here"),
    error("F003", "unbalanced-brace", "a brace is missing or too much"),
    error("F004", "too-deep", "blocks or brackets are nested more than 64 deep"),
    error("F005", "not-built-yet", "a part of the language that this version of koppel cannot run yet"),
    error("F006", "misplaced", "a statement or comment that cannot stand here"),
    error("F007", "and-beside-or", "`and` beside `or` without brackets"),
    error("F008", "bad-literal", "a number, date, text or pattern that cannot be read"),
    error("F009", "needs-brackets", "`??` left of `when`, or a second comparison, without brackets"),
    error("F101", "unknown-name", "a name that nothing declares"),
    error("F102", "declared-twice", "a name that is declared already"),
    error("F103", "wrong-type", "a value of another type than is needed here"),
    error("F104", "unknown-type", "a type that does not exist"),
    error("F105", "unknown-function", "a function that does not exist"),
    error("F106", "wrong-arguments", "too many, too few or unknown arguments"),
    error("F107", "unknown-word", "a word that is none of the words of its `one of`"),
    error("F108", "cycle", "things that use each other in a circle"),
    error("F109", "unknown-file", "a file that is not there or cannot be read"),
    error("F110", "bare-percent", "a bare number where a percentage is needed"),
    error("F111", "setting-unset", "a setting that must be set and is not"),
    error("F112", "setting-unknown", "`koppel.toml` sets what no flow declares"),
    error("F113", "setting-type", "a value in `koppel.toml` of another type than its setting"),
    error("F114", "else-without-when", "`else` without `when`; for a blank it is `??`"),
    error("F115", "key-read-too-early", "a read that needs a key which a write of this record still has to give"),
    error("F116", "setting-fails", "a guard of settings only that fails"),
    error("F201", "required-open", "a field that the target needs, and on one way gets no value"),
    error("F202", "unknown-field", "a field that the entity does not have"),
    error("F203", "too-long", "a value that can never fit the field"),
    error("F204", "not-in-code-table", "a value that is not in the code table of the field"),
    error("F205", "field-twice", "a field that is given twice"),
    error("F206", "not-writable", "an entity or field that cannot be written this way"),
    error("F210", "unknown-entity", "an entity that the system does not have"),
    error("F211", "unknown-role", "a first word of an entity that is no connection"),
    error("F301", "may-be-blank", "a value that may be blank where one is needed"),
    error("F302", "compares-blank", "`<` or `>` with a value that may be blank"),
    error("F303", "not-readable", "an entity that cannot be read this way"),
    error("F304", "blank-text", "a comparison with the empty text; it is `is blank`"),
    error("F305", "create-hangs-on-blank", "a create that hangs on searches whose keys may all be blank"),
    warning("F306", "blank-is-not", "`is not` with a value that may be blank counts as yes"),
    warning("F307", "order-unsure", "`find first` without a total order"),
    error("F308", "no-where", "a search without a condition"),
    error("F309", "no-key", "a source without a key"),
    error("F316", "since-misses-records", "a condition on a field that the `since` does not cover"),
    error("F401", "table-gap", "an input that no row of the table fits"),
    error("F402", "table-overlap", "two rows of a table that fit the same input"),
    warning("F403", "row-never-reached", "a row that no input can reach"),
    warning("F404", "table-hole", "days between two dated rows without a row"),
    warning("F405", "validity-ends", "a row with an end date that is near or past"),
    error("F406", "table-cell", "a cell that does not fit its column"),
    error("F407", "table-header", "a CSV header that differs from the declared columns"),
    error("F408", "table-needs-otherwise", "a column that no rows can exhaust, without `otherwise`"),
    error("F409", "table-needs-first", "a cell that only a table with `first` can have"),
    error("F501", "currencies-mixed", "amounts of different currencies"),
    error("F502", "date-with-datetime", "a day compared with a moment"),
    error("F503", "not-rounded", "an amount with more decimals than the field has"),
    error("F509", "entry-not-balanced", "debit and credit that are not provably equal"),
    error("F601", "create-not-recognisable", "a write that could not be found again after a crash"),
    error("F602", "write-name-twice", "two writes of one stage with one name"),
    error("F605", "personal-in-key", "personal data in a key, a number or a reference"),
    warning("F701", "no-test", "a flow without a test"),
    error("F702", "test-refers-to-nothing", "a test that gives or expects what the flow does not have"),
    error("F703", "test-fails", "an `expect` that does not come true"),
    warning("F801", "unused", "something that is declared and never used"),
    warning("F802", "todo", "something that is still to be written"),
    error("F851", "secret-inline", "a secret that stands in `koppel.toml` itself"),
    error("F852", "unknown-key", "a key that `koppel.toml` does not have"),
    error("F853", "insecure-address", "plain http to another machine"),
    error("F854", "bad-configuration", "a value that `koppel.toml` cannot have here"),
];

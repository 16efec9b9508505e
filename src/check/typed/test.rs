//! Tests, their given rows and expected fields worked out as far as the types go.

use std::sync::Arc;

use super::{Expr, SettingId};
use crate::{
    diagnostic::Span,
    value::{Action, EntityName, Verdict},
};

/// A test of the language.
#[derive(Debug, Clone)]
pub struct Test {
    /// Its name.
    pub name: Arc<str>,
    /// In the order of the text.
    pub givens: Vec<Given>,
    /// In the order of the text.
    pub expects: Vec<Expect>,
    /// Its place.
    pub span: Span,
}

/// What a test gives.
#[derive(Debug, Clone)]
pub enum Given {
    /// A setting.
    Setting(SettingId, Expr),
    /// The run's date.
    Today(Expr),
    /// The record: from a sample file (its text), with fields replaced.
    Record {
        /// The sample, as JSON text.
        sample: Option<Arc<str>>,
        /// Fields that replace (path → value); sub-blocks replace whole lists.
        fields: GivenFields,
        /// The line.
        span: Span,
    },
    /// All entities of a role, from a file `{"Entity": [rows]}`.
    System {
        /// The role.
        role: Arc<str>,
        /// JSON text.
        sample: Arc<str>,
        /// The line.
        span: Span,
    },
    /// One entity from a file (a row or a list of rows); it replaces what was given before.
    Entity {
        /// Role and entity.
        name: EntityName,
        /// JSON text; none = `is empty`.
        sample: Option<Arc<str>>,
        /// The line.
        span: Span,
    },
    /// What the target computes of a row that the test makes: known between its two runs.
    After {
        /// Role and entity.
        name: EntityName,
        /// Its fields.
        fields: GivenFields,
        /// The line.
        span: Span,
    },
    /// One row more.
    Row {
        /// Role and entity.
        name: EntityName,
        /// Its fields.
        fields: GivenFields,
        /// The line.
        span: Span,
    },
}

/// Fields of a given record, checked against the read fields of its entity.
#[derive(Debug, Clone, Default)]
pub struct GivenFields(pub Vec<GivenField>);

/// A field of a given record.
#[derive(Debug, Clone)]
pub enum GivenField {
    /// `a.b = value`
    Value(Vec<Arc<str>>, Expr),
    /// `a { … }`: a sub-object, or one element of a list (several blocks add up, the first replaces).
    Object(Arc<str>, GivenFields),
}

/// What a test expects.
#[derive(Debug, Clone)]
pub struct Expect {
    /// What.
    pub kind: ExpectKind,
    /// The line.
    pub span: Span,
}

/// What is expected.
#[derive(Debug, Clone)]
pub enum ExpectKind {
    /// `expect create e { … }` with the fields that must be equal.
    Write(Action, EntityName, ExpectFields),
    /// `expect no create e`, `expect no create`, `expect no write`.
    NoWrite(Option<Action>, Option<EntityName>),
    /// `expect hold "part"`.
    Outcome(Verdict, Option<Arc<str>>),
    /// `expect no hold`.
    NoOutcome(Verdict, Option<Arc<str>>),
    /// `expect no read`: the `where` of the source leaves the record out.
    NoRead,
    /// A condition over the names of the flow.
    Holds(Expr),
}

/// The fields that must be equal.
#[derive(Debug, Clone, Default)]
pub struct ExpectFields(pub Vec<ExpectField>);

/// A field that must be equal.
#[derive(Debug, Clone)]
pub enum ExpectField {
    /// `a.b = value`; the literal `blank` = not sent; the name of a write or ensure = its key.
    Value(Vec<Arc<str>>, Expr, Span),
    /// A sub-object, or one element of the whole list in order (repeated blocks).
    Object(Arc<str>, ExpectFields, Span),
}

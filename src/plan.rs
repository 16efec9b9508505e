//! From a checked program and its settings to what runs: slots instead of names, settings folded in, tables indexed,
//! the list of fields that are read.
//!
//! Takes a [`crate::check::typed::Program`] and setting values, gives a [`Plan`]. Promises that nothing is left to be
//! looked up by name while a record is decided. No IO.

pub(crate) mod code;
pub(crate) mod compute;
mod content;
mod filter;
mod lower;
mod projection;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod table;
#[cfg(test)]
mod tests;
pub(crate) mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::civil::Date;

pub(crate) use lower::stands;
pub use watch::{Point, PointKind, Points};

use self::{code::Lowered, lower::Lowering};
use crate::{
    check::typed::{Expect, ExpectField, ExpectFields, ExpectKind, Expr, ExprKind, Program, Since, VarId},
    diagnostic::{Diagnostic, Sources, Span},
    schema::Entity,
    syntax::tree::BinaryOp,
    value::{Action, EntityName, Filter, Value},
};

/// Values of settings by (owner, name), as `koppel.toml` or a test gives them, already of the right type.
pub type SettingValues = BTreeMap<(Arc<str>, Arc<str>), Value>;

/// An executable flow. Made once per edit, shared by all records.
#[derive(Debug)]
pub struct Plan {
    /// The flow's name.
    pub name: Arc<str>,
    /// What is read; none in a library, of which only expressions can be worked out.
    pub source: Option<SourcePlan>,
    /// Entities that any `create` of this plan makes, and the read entities that show them: their rows are asked
    /// per page and an absence is never remembered.
    pub creates: Vec<EntityName>,
    /// What is done at the systems; none = read.
    pub uses: BTreeSet<(EntityName, Option<Action>)>,
    /// What it was made from, for names and places in messages.
    pub program: Arc<Program>,
    pub(crate) lowered: Lowered,
    /// The `find all`s of column 0 that hang on the record's key: their rows are part of its content.
    pub(crate) content: Vec<VarId>,
    /// The `expect`s of the program, by place.
    pub(crate) expects: Vec<Span>,
    pub(crate) sources: Sources,
}

/// What the engine needs to know to read the source.
#[derive(Debug)]
pub struct SourcePlan {
    /// Role and entity.
    pub name: EntityName,
    /// Its facts.
    pub entity: Arc<Entity>,
    /// The condition, settings filled in.
    pub filter: Filter,
    /// Paths that are decoded: everything that the flow or the filter looks at, and the key.
    pub fields: Arc<[Arc<str>]>,
    /// The identity.
    pub key: Vec<Arc<str>>,
    /// How changes are seen.
    pub since: Since,
}

impl Plan {
    /// What is read: the source first, then the searched entities, each with the paths that are decoded.
    pub fn reads(&self) -> impl Iterator<Item = (&Entity, &[Arc<str>])> {
        let source = self.source.iter().map(|source| (&*source.entity, &*source.fields));
        let searched = self
            .lowered
            .reads
            .iter()
            .map(|read| (&*read.entity, read.fields.get().map_or(&[][..], |fields| &**fields)));
        source.chain(searched)
    }
}

impl SourcePlan {
    /// The paths whose content tells whether a record changed: all that is read but the stamp, in a stable order.
    #[must_use]
    pub fn content(&self) -> Vec<Arc<str>> {
        let stamp = match &self.since {
            Since::Field { path, .. } => Some(path),
            Since::Change => None,
        };
        self.fields.iter().filter(|path| Some(*path) != stamp).cloned().collect()
    }
}

/// What only the settings can show to be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A setting without default that nobody set.
    #[error("setting `{name}` of `{owner}` has no value")]
    SettingUnset {
        /// The flow or library that declares it.
        owner: Arc<str>,
        /// Its name.
        name: Arc<str>,
        /// Its declaration.
        span: Span,
    },
    /// A `fail` that looks at settings only, and fails.
    #[error("{text}")]
    SettingFails {
        /// Its reason.
        text: Arc<str>,
        /// The guard.
        span: Span,
    },
    /// A pattern that cannot be read.
    #[error("{text}")]
    Pattern {
        /// Why.
        text: String,
        /// Where.
        span: Span,
    },
}

impl PlanError {
    /// As it is told beside the messages of `check`.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::SettingUnset { owner, name, span } => Diagnostic::new("F111", self.to_string(), *span)
                .says("has no default")
                .help(format!("in koppel.toml:  [settings.{owner}]  {name} = …")),
            Self::SettingFails { span, .. } => Diagnostic::new("F116", self.to_string(), *span)
                .says("the settings make this fail for every record")
                .help("change the setting in koppel.toml, or this line"),
            Self::Pattern { span, .. } => Diagnostic::new("F008", self.to_string(), *span),
        }
    }
}

/// Makes the plan of a program with these settings.
///
/// # Errors
/// All settings that have no value, and all guards that fail by settings alone.
#[expect(clippy::needless_pass_by_value, reason = "the plan keeps its program")]
pub fn build(program: Arc<Program>, sources: &Sources, settings: &SettingValues) -> Result<Plan, Vec<PlanError>> {
    make(&program, sources, Lowering::new(&program, sources, settings, None))
}

/// The same plan, to be watched: what tests reach of it is noted. Slower, for tests only.
///
/// # Errors
/// As [`build`].
pub fn build_watched(
    program: &Arc<Program>,
    sources: &Sources,
    settings: &SettingValues,
) -> Result<Plan, Vec<PlanError>> {
    make(program, sources, Lowering::new(program, sources, settings, None).watched())
}

/// What tests can reach of a program, whatever its settings.
#[must_use]
pub fn points(program: &Program, sources: &Sources, settings: &SettingValues) -> Points {
    let mut lowering = Lowering::new(program, sources, settings, None).watched();
    lowering.body(&program.body);
    lowering.stages(&program.afters);
    for expr in expected(program) {
        lowering.expr(expr);
    }
    lowering.points.unwrap_or_default()
}

/// The expressions of all tests.
fn expected(program: &Program) -> impl Iterator<Item = &Expr> {
    program.tests.iter().flat_map(|test| &test.expects).flat_map(expressions)
}

fn make(program: &Arc<Program>, sources: &Sources, mut lowering: Lowering<'_>) -> Result<Plan, Vec<PlanError>> {
    lowering.require_settings();
    if !lowering.errors.is_empty() {
        return Err(lowering.errors);
    }
    lowering.lowered.record = program.source.as_ref().map(|source| source.var);
    let filter = program.source.as_ref().map(|source| lowering.source_filter(source));
    lowering.body(&program.body);
    lowering.stages(&program.afters);
    let mut expects = Vec::new();
    for expr in expected(program) {
        let code = lowering.expr(expr);
        lowering.lowered.expects.push(code);
        expects.push(expr.span);
    }
    let (lowered, creates, errors) = (lowering.lowered, lowering.creates, lowering.errors);
    let read = program.source.iter().map(|source| &source.name).chain(lowered.reads.iter().map(|read| &read.name));
    let mut uses: BTreeSet<_> = read.map(|name| (name.clone(), None)).collect();
    uses.extend(lowering.writes.into_iter().map(|(name, action)| (name, Some(action))));
    if !errors.is_empty() {
        return Err(errors);
    }
    let always = program.source.as_ref().map(|source| {
        let mut always = source.key.clone();
        always.extend(filter.iter().flat_map(Filter::paths).cloned());
        if let Since::Field { path, .. } = &source.since {
            always.push(path.clone());
        }
        always
    });
    let of_source = program.source.as_ref().zip(always.as_deref());
    let of_source = of_source.map(|(source, always)| (&source.name, &*source.entity, always));
    let (fields, reads) = projection::fields(&lowered, of_source);
    for (read, (_, fields)) in lowered.reads.iter().zip(reads) {
        // Set once: the list was empty until now.
        let _ = read.fields.set(fields);
    }
    let source = program.source.as_ref().zip(filter.zip(fields)).map(|(source, (filter, fields))| SourcePlan {
        name: source.name.clone(),
        entity: source.entity.clone(),
        filter,
        fields,
        key: source.key.clone(),
        since: source.since.clone(),
    });
    let content = content::finds(&lowered, program);
    Ok(Plan {
        content,
        name: program.name.clone(),
        source,
        creates: creates.into_iter().collect(),
        uses,
        lowered,
        expects,
        sources: sources.clone(),
        program: program.clone(),
    })
}

/// The value of an expression that hangs on settings, tables and functions only: a given value, a test of a library.
///
/// # Errors
/// A sentence: it needs a record, or ends it, or a setting has no value.
pub fn evaluate_constant(
    program: &Program,
    settings: &SettingValues,
    today: Date,
    expr: &Expr,
) -> Result<Value, String> {
    let sources = Sources::default();
    let mut lowering = Lowering::new(program, &sources, settings, Some(today));
    let code = lowering.expr(expr);
    lowering.machine().value(&code).map_err(|stop| Lowering::trouble(&stop))
}

/// The expressions of an `expect`, in order.
fn expressions(expect: &Expect) -> Vec<&Expr> {
    fn fields<'a>(of: &'a ExpectFields, into: &mut Vec<&'a Expr>) {
        for field in &of.0 {
            match field {
                ExpectField::Value(_, value, _) => into.push(value),
                ExpectField::Object(_, inner, _) => fields(inner, into),
            }
        }
    }
    let mut all = Vec::new();
    match &expect.kind {
        ExpectKind::Holds(condition) => {
            all.push(condition);
            // Both sides, so that a condition that does not hold can be told as "expected … got …".
            if let ExprKind::Binary(BinaryOp::Is, left, right) = &condition.kind {
                all.extend([&**left, &**right]);
            }
        }
        ExpectKind::Write(_, _, of) => fields(of, &mut all),
        ExpectKind::NoWrite(..) | ExpectKind::Outcome(..) | ExpectKind::NoOutcome(..) | ExpectKind::NoRead => {}
    }
    all
}

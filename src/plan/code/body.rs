//! Statements, ensures and writes as they run.

use std::sync::Arc;

use super::{Code, Limit, Message, ReadEntity, Search};
use crate::{
    check::typed::VarId,
    diagnostic::Span,
    schema::Entity,
    syntax::tree::PolicyKind,
    value::{Action, EntityName, Verdict},
};

/// A statement that runs.
#[derive(Debug)]
pub(crate) enum StmtCode {
    /// A guard.
    Guard(GuardCode),
    /// A row of [`Lowered::ensures`].
    Ensure(usize),
    /// A write.
    Write(Box<WriteCode>),
    /// The same for each element.
    Each(Box<EachCode<StmtCode>>),
}

/// What is decided when a write is confirmed.
#[derive(Debug)]
pub(crate) struct StageCode {
    /// The name of the write.
    pub(crate) name: Arc<str>,
    /// The stage that the write stands in; empty = the flow itself.
    pub(crate) behind: Arc<str>,
    /// None = always.
    pub(crate) when: Option<Code>,
    /// In order.
    pub(crate) body: Vec<StmtCode>,
}

/// A guard.
#[derive(Debug)]
pub(crate) struct GuardCode {
    /// The word.
    pub(crate) verdict: Verdict,
    /// None = always.
    pub(crate) when: Option<Code>,
    /// The reason.
    pub(crate) message: Message,
}

/// Statements or lines for each element of a list.
#[derive(Debug)]
pub(crate) struct EachCode<T> {
    /// The loop name.
    pub(crate) var: VarId,
    /// The list.
    pub(crate) list: Code,
    /// The filter.
    pub(crate) when: Option<Code>,
    /// What is done.
    pub(crate) body: Vec<T>,
    /// Places that are emptied at each round.
    pub(crate) own: Vec<VarId>,
}

/// `ensure`
#[derive(Debug)]
pub(crate) struct EnsureCode {
    /// Its value.
    pub(crate) var: VarId,
    /// Its name.
    pub(crate) name: Arc<str>,
    /// In how many loops it stands.
    pub(crate) depth: usize,
    /// The found row.
    pub(crate) found: VarId,
    /// In order.
    pub(crate) alternatives: Vec<AlternativeCode>,
    /// Names among them that depend on `found`.
    pub(crate) of_found: Vec<VarId>,
    /// The searches that its choice hangs on, those of included ensures too.
    pub(crate) searches: Vec<VarId>,
    /// Role and family of what it creates; of what it finds where it creates nothing.
    pub(crate) family: (Arc<str>, Arc<str>),
    /// The limit of its type.
    pub(crate) limit: Option<Limit>,
}

/// A line of an ensure that runs.
#[derive(Debug)]
pub(crate) enum AlternativeCode {
    /// Applies when it is not blank.
    Take(Code),
    /// A row's key.
    Find {
        /// The search.
        search: Box<Search>,
        /// `first`?
        first: bool,
        /// The key's path in the row.
        gives: Arc<str>,
    },
    /// `update found`: what the create would send goes to the found record, as far as it differs.
    Update(Option<Code>),
    /// Applies when one of its targets does.
    Create(Box<WriteCode>),
    /// A guard; `true`: only after a find gave a row.
    Guard(GuardCode, bool),
    /// Another ensure.
    Include(Box<EnsureCode>),
}

/// A write.
#[derive(Debug)]
pub(crate) struct WriteCode {
    /// Its key.
    pub(crate) var: VarId,
    /// Its name, without the position of a loop.
    pub(crate) name: Arc<str>,
    /// In how many loops it stands.
    pub(crate) depth: usize,
    /// Made or changed.
    pub(crate) action: Action,
    /// The first whose condition holds.
    pub(crate) targets: Vec<TargetCode>,
    /// The key that the answer gives.
    pub(crate) gives: Option<Arc<str>>,
    /// The head.
    pub(crate) span: Span,
}

/// A target with its lines.
#[derive(Debug)]
pub(crate) struct TargetCode {
    /// Role and entity.
    pub(crate) name: EntityName,
    /// Its facts.
    pub(crate) entity: Arc<Entity>,
    /// The read that shows what stands at the target; for an `update` of its own only.
    pub(crate) shown: Option<Arc<ReadEntity>>,
    /// The read one step further; only where it shows what an update of these lines sends.
    pub(crate) through: Option<Arc<ReadEntity>>,
    /// None = always.
    pub(crate) when: Option<Code>,
    /// In order.
    pub(crate) lines: Vec<LineCode>,
}

/// A line of a body that runs.
#[derive(Debug)]
pub(crate) enum LineCode {
    /// A guard.
    Guard(GuardCode),
    /// A row of [`Lowered::ensures`].
    Ensure(usize),
    /// `A = value`
    Field(Arc<str>, Code, Option<PolicyKind>),
    /// A sub-object; `repeats`: of a list, so it is one element more.
    Object {
        /// The field.
        name: Arc<str>,
        /// Is it an element of a list?
        repeats: bool,
        /// Its policy.
        policy: Option<PolicyKind>,
        /// Its condition.
        when: Option<Code>,
        /// Its lines.
        lines: Vec<LineCode>,
    },
    /// A line object for each element.
    Each(Arc<str>, Box<EachCode<LineCode>>),
}

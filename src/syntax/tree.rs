//! The syntax tree: what stands in a file, with the place of each part. Nothing is resolved or checked.
//!
//! Names are texts; entities and fields are unknown here. A broken part is missing from the tree (its diagnostic is
//! made by the parser), so that nothing after it reports the same mistake again.

mod definition;
mod expression;
mod test;

use std::sync::Arc;

use crate::diagnostic::{FileId, Span};

pub use definition::{Cell, CellItem, CellKind, Define, DefineBody, Otherwise, Param, Row, Table, TypeKind, TypeRef};
pub use expression::{Arg, Arm, BinaryOp, Call, Comprehension, Expr, ExprKind, Literal, Text, TextPart};
pub use test::{Expect, ExpectKind, Given, GivenKind, Test};

/// A word with its place. Back-ticks are taken off.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// The word.
    pub text: Arc<str>,
    /// Its place, back-ticks included.
    pub span: Span,
}

/// A path `a.b.c`; one name at least. For a dot path (`.a.b`) the names after the first dot.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// The words.
    pub names: Vec<Name>,
    /// From the first character to the last.
    pub span: Span,
}

/// A whole file.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// Which.
    pub id: FileId,
    /// In the order of the text.
    pub items: Vec<Item>,
    /// `# allow F605: reason` lines: code, the line that it stands above (from 1), its place.
    pub allows: Vec<Allow>,
    /// Did a part of it not parse? Then rules about what is missing (unused, no test) stay silent.
    pub broken: bool,
    /// Lines that could not be read, those of one mistake together.
    pub unread: Vec<Span>,
    /// Names that broken statements seem to declare: known, and nothing more is known of them.
    pub lost: Vec<Name>,
}

/// `# allow F605: reason`.
#[derive(Debug, Clone, PartialEq)]
pub struct Allow {
    /// The code.
    pub code: Arc<str>,
    /// The bytes of the line below it, to which it applies (block statements: their whole span).
    pub line: Span,
    /// Its own place.
    pub span: Span,
}

/// A statement in column 0.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// `flow name "title"`
    Flow(Flow),
    /// `use a, b from "x.flow"`
    Use(Use),
    /// `setting name: type = default`
    Setting(Setting),
    /// `read x from e { … }`
    Read(Read),
    /// `fields name(params) for A, B { … }`
    Fields(FieldsItem),
    /// `define name(params): type = …`
    Define(Define),
    /// `table name { … }`
    Table(Table),
    /// `after name when … { … }`
    After(After),
    /// `test "…" { … }`
    Test(Test),
    /// What may also stand in an `each` or `after` block.
    Statement(Statement),
}

/// A statement that decides or writes.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// `let x = …`
    Let(Let),
    /// `find x in …`
    Find(Find),
    /// `skip when … because "…"`
    Guard(Guard),
    /// `ensure x: type { … }`
    Ensure(Ensure),
    /// `create …` and `update …`
    Write(Write),
    /// `each x in list { … }`
    Each(Each),
}

/// `flow name "title"`
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// The name.
    pub name: Name,
    /// The title.
    pub title: Option<Arc<str>>,
    /// `##` lines above it.
    pub doc: Option<Arc<str>>,
    /// The statement.
    pub span: Span,
}

/// `use a, b from "x.flow"`
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The names.
    pub names: Vec<Name>,
    /// The path as written, without quotes.
    pub from: Name,
    /// The statement.
    pub span: Span,
}

/// `setting name: type = default`
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The name.
    pub name: Name,
    /// The type.
    pub ty: TypeRef,
    /// The default.
    pub default: Option<Expr>,
    /// `##` lines above it.
    pub doc: Option<Arc<str>>,
    /// The statement.
    pub span: Span,
}

/// `read x from e { where since key }`
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The record's name.
    pub name: Name,
    /// The source.
    pub entity: Path,
    /// Its condition (several lines are joined by `and`).
    pub wheres: Vec<Expr>,
    /// How changes are seen.
    pub since: Option<Since>,
    /// The identity.
    pub key: Vec<Expr>,
    /// The statement.
    pub span: Span,
    /// The line of the head, for diagnostics about what is missing.
    pub head: Span,
}

/// `since change` · `since .field overlap 2 hours`
#[derive(Debug, Clone, PartialEq)]
pub struct Since {
    /// None = `change`.
    pub field: Option<Path>,
    /// The overlap in seconds.
    pub overlap: Option<i64>,
    /// The line.
    pub span: Span,
}

/// `let x: type = …`
#[derive(Debug, Clone, PartialEq)]
pub struct Let {
    /// The name.
    pub name: Name,
    /// The type, if given.
    pub ty: Option<TypeRef>,
    /// The value.
    pub value: LetValue,
    /// `##` lines above it.
    pub doc: Option<Arc<str>>,
    /// The statement.
    pub span: Span,
}

/// What a `let` holds.
#[derive(Debug, Clone, PartialEq)]
pub enum LetValue {
    /// An expression.
    Expr(Expr),
    /// `each x in list when … { fields }`: a list of records.
    Rows(Rows),
}

/// `each x in list when … { lines }` as a value or behind a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The loop name.
    pub name: Name,
    /// The list.
    pub list: Expr,
    /// The filter.
    pub when: Option<Expr>,
    /// The lines of each record.
    pub lines: Vec<Line>,
    /// `each x in list`, for diagnostics about what is missing.
    pub head: Span,
    /// The whole.
    pub span: Span,
}

/// `find [first|all] x in e where … by …`
#[derive(Debug, Clone, PartialEq)]
pub struct Find {
    /// The name.
    pub name: Name,
    /// How many.
    pub mode: FindMode,
    /// Where.
    pub entity: Path,
    /// The condition.
    pub condition: Option<Expr>,
    /// The order.
    pub by: Vec<SortKey>,
    /// The statement.
    pub span: Span,
}

/// How many rows a `find` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindMode {
    /// One or blank; several hold.
    One,
    /// `first`: the first by an order.
    First,
    /// `all`: a list.
    All,
}

/// `.A` or `-.A`
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// The field.
    pub path: Path,
    /// Highest first.
    pub descending: bool,
}

/// `skip when … because "…"`
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// The word.
    pub verdict: crate::value::Verdict,
    /// The condition; none = always.
    pub when: Option<Expr>,
    /// The reason.
    pub because: Text,
    /// The statement.
    pub span: Span,
}

/// `ensure x(params): type { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Ensure {
    /// The name.
    pub name: Name,
    /// Parameters: then it is a part to be included.
    pub params: Option<Vec<Param>>,
    /// The type of its value.
    pub ty: TypeRef,
    /// What is tried, in order.
    pub alternatives: Vec<Alternative>,
    /// `##` lines above it.
    pub doc: Option<Arc<str>>,
    /// The line of the head.
    pub head: Span,
    /// The statement.
    pub span: Span,
}

/// A line of an `ensure`.
#[derive(Debug, Clone, PartialEq)]
pub enum Alternative {
    /// `take x`
    Take(Expr, Span),
    /// `find [first] e where … by … gives .K`
    Find(FindGives),
    /// `update found when …`
    UpdateFound(Option<Expr>, Span),
    /// `create …`
    Write(Write),
    /// A guard, perhaps naming `found`.
    Guard(Guard),
    /// `include f(x)`
    Include(Include),
    /// `let`
    Let(Let),
    /// `find x in …`
    FindRow(Find),
}

/// `find e where … gives .K`
#[derive(Debug, Clone, PartialEq)]
pub struct FindGives {
    /// `first`?
    pub first: bool,
    /// Where.
    pub entity: Path,
    /// The condition.
    pub condition: Expr,
    /// The order.
    pub by: Vec<SortKey>,
    /// The key.
    pub gives: Path,
    /// The statement.
    pub span: Span,
}

/// `create name in A when …, B gives .K { … }` · `update …`
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Made or changed.
    pub action: crate::value::Action,
    /// Its name.
    pub name: Option<Name>,
    /// The targets, in order.
    pub targets: Vec<Target>,
    /// The key that the answer gives.
    pub gives: Option<Path>,
    /// The body.
    pub lines: Vec<Line>,
    /// From `create` to before the brace.
    pub head: Span,
    /// The statement.
    pub span: Span,
}

/// A target with its condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The entity.
    pub entity: Path,
    /// None = always.
    pub when: Option<Expr>,
}

/// `each x in list when … { statements }`
#[derive(Debug, Clone, PartialEq)]
pub struct Each {
    /// The loop name.
    pub name: Name,
    /// The list.
    pub list: Expr,
    /// The filter.
    pub when: Option<Expr>,
    /// The statements.
    pub body: Vec<Statement>,
    /// The head.
    pub head: Span,
    /// The statement.
    pub span: Span,
}

/// `after name when … { statements }`
#[derive(Debug, Clone, PartialEq)]
pub struct After {
    /// The write.
    pub name: Name,
    /// The condition.
    pub when: Option<Expr>,
    /// The statements.
    pub body: Vec<Statement>,
    /// The statement.
    pub span: Span,
}

/// A line in a body of fields.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// `let`
    Let(Let),
    /// `find`
    Find(Find),
    /// A guard.
    Guard(Guard),
    /// `ensure`
    Ensure(Ensure),
    /// `include f(x) policy`
    Include(Include),
    /// `A.b = expr policy`
    Assign(Assign),
    /// `A = each x in list when … { … }`
    AssignEach(Path, Rows),
    /// `A policy when c { … }`
    Nested(Nested),
}

/// `include f(args) policy`
#[derive(Debug, Clone, PartialEq)]
pub struct Include {
    /// What is included.
    pub call: Call,
    /// The policy for all its fields.
    pub policy: Option<Policy>,
    /// The line.
    pub span: Span,
}

/// `A.b = expr policy`
#[derive(Debug, Clone, PartialEq)]
pub struct Assign {
    /// The field.
    pub target: Path,
    /// The value.
    pub value: Expr,
    /// When it is sent.
    pub policy: Option<Policy>,
    /// The line without its label comment.
    pub span: Span,
}

/// `A policy when c { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Nested {
    /// The object.
    pub target: Path,
    /// When it is sent.
    pub policy: Option<Policy>,
    /// The condition.
    pub when: Option<Expr>,
    /// Its lines.
    pub lines: Vec<Line>,
    /// The head.
    pub head: Span,
    /// The whole.
    pub span: Span,
}

/// When a field is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Which.
    pub kind: PolicyKind,
    /// Its words.
    pub span: Span,
}

/// The policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyKind {
    /// `on create`
    OnCreate,
    /// `on update`
    OnUpdate,
    /// `unless filled`
    UnlessFilled,
    /// `unless edited`
    UnlessEdited,
}

/// `fields name(params) for A, B { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct FieldsItem {
    /// The name.
    pub name: Name,
    /// The parameters.
    pub params: Vec<Param>,
    /// The objects that it fits.
    pub targets: Vec<Path>,
    /// The lines.
    pub lines: Vec<Line>,
    /// `##` lines above it.
    pub doc: Option<Arc<str>>,
    /// The head.
    pub head: Span,
    /// The statement.
    pub span: Span,
}

//! The checked tree: every name resolved to a number, every expression with its type, every body once per target.
//!
//! `include f(x)` and `ensure` parts are written out in place (their parameters become lets with numbers of their
//! own); `define` stays a call. Neither depends on itself, so one slot for each [`VarId`] is enough at run time; the
//! slots of a loop's body are emptied at each round.

mod expression;
mod table;
mod test;

use std::sync::Arc;

use crate::{
    diagnostic::{FileId, Span},
    schema::{Entity, Field, Ty},
    syntax::tree::{FindMode, PolicyKind},
    value::{Action, EntityName, Value, Verdict},
};

pub use expression::{Convert, Expr, ExprKind, RecordExpr, TextPart};
pub use table::{Cell, Row, RowResult, Table};
pub use test::{Expect, ExpectField, ExpectFields, ExpectKind, Given, GivenField, GivenFields, Test};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
    )* };
}
ids! {
    /// A place for a value: record, let, parameter, found row, loop name, key of a write, value of an ensure.
    VarId,
    /// A row of [`Program::settings`].
    SettingId,
    /// A row of [`Program::tables`].
    TableId,
    /// A row of [`Program::defines`].
    DefineId
}

/// A flow with all that it uses, or a library by itself (then without `source` and `body`).
#[derive(Debug, Clone)]
pub struct Program {
    /// The flow's name (a library: the stem of its file).
    pub name: Arc<str>,
    /// Its title.
    pub title: Option<Arc<str>>,
    /// Its file.
    pub file: FileId,
    /// All places for values.
    pub vars: Vec<Var>,
    /// Settings of the flow and of what it uses.
    pub settings: Vec<Setting>,
    /// Tables likewise.
    pub tables: Vec<Table>,
    /// Functions likewise.
    pub defines: Vec<Define>,
    /// `let`s outside the record (libraries, lists for tables): worked out once.
    pub constants: Vec<Let>,
    /// What is read; none in a library.
    pub source: Option<Source>,
    /// Column 0 in the order of the text.
    pub body: Vec<Stmt>,
    /// Second stages, in the order of the text.
    pub afters: Vec<After>,
    /// Its tests, those of `x.test.flow` included.
    pub tests: Vec<Test>,
}

/// A place for a value.
#[derive(Debug, Clone)]
pub struct Var {
    /// As the flow calls it.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Ty,
    /// Where it is declared.
    pub span: Span,
    /// May it hold personal data or free text (so that messages mask it at rest)?
    pub private: bool,
}

/// A setting.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name.
    pub name: Arc<str>,
    /// The flow's name, or the stem of the library file, under which `koppel.toml` sets it.
    pub owner: Arc<str>,
    /// Its type.
    pub ty: Ty,
    /// Its default: literals only.
    pub default: Option<Value>,
    /// Its place.
    pub span: Span,
}

/// `define`: arguments are put in the places of its parameters, then the body is worked out.
#[derive(Debug, Clone)]
pub struct Define {
    /// Its name.
    pub name: Arc<str>,
    /// Its parameters.
    pub params: Vec<VarId>,
    /// Its body (a record body is [`ExprKind::Record`]).
    pub body: Expr,
}

/// What is read.
#[derive(Debug, Clone)]
pub struct Source {
    /// The record.
    pub var: VarId,
    /// Role and entity.
    pub name: EntityName,
    /// Its facts.
    pub entity: Arc<Entity>,
    /// The condition; the searched row is the record itself.
    pub condition: Option<Expr>,
    /// How changes are seen.
    pub since: Since,
    /// The identity: paths of the record.
    pub key: Vec<Arc<str>>,
    /// The place of its head.
    pub span: Span,
}

/// How changes are seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// By content.
    Change,
    /// By a stamp, with an overlap in seconds.
    Field {
        /// The stamp.
        path: Arc<str>,
        /// Seconds.
        overlap: i64,
    },
}

/// A statement.
#[derive(Debug, Clone)]
pub enum Stmt {
    /// Worked out at first use, once.
    Let(Let),
    /// Asked at first use, once.
    Find(Find),
    /// In the order of the text.
    Guard(Guard),
    /// In the order of the text (column 0 and blocks), or when its value is used.
    Ensure(Ensure),
    /// A write.
    Write(Write),
    /// The same for each element.
    Each(Each),
}

/// `after name when … { … }`: decided when that write is confirmed.
#[derive(Debug, Clone)]
pub struct After {
    /// The name of the write.
    pub name: Arc<str>,
    /// The stage that this write stands in, by the name of the write before it; empty = the flow itself.
    pub behind: Arc<str>,
    /// None = always.
    pub when: Option<Expr>,
    /// In the order of the text.
    pub body: Vec<Stmt>,
    /// The head.
    pub span: Span,
}

/// `let`
#[derive(Debug, Clone)]
pub struct Let {
    /// Its place.
    pub var: VarId,
    /// Its value.
    pub value: Expr,
    /// The limit of a declared `text(n)`: measured when it is worked out, a longer value holds the record.
    pub max: Option<u32>,
    /// The statement.
    pub span: Span,
}

/// `find x in e where … by …`
#[derive(Debug, Clone)]
pub struct Find {
    /// The row, or the list of rows.
    pub var: VarId,
    /// The search.
    pub search: Search,
    /// How many.
    pub mode: FindMode,
}

/// A search: used by `find`, `exists` and `find … gives`.
#[derive(Debug, Clone)]
pub struct Search {
    /// Role and entity.
    pub name: EntityName,
    /// Its facts.
    pub entity: Arc<Entity>,
    /// The searched row within the condition.
    pub row: VarId,
    /// The condition.
    pub condition: Option<Expr>,
    /// Path and "highest first".
    pub by: Vec<(Arc<str>, bool)>,
    /// Its place.
    pub span: Span,
}

/// A guard.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The word.
    pub verdict: Verdict,
    /// None = always.
    pub when: Option<Expr>,
    /// The reason.
    pub message: Message,
    /// Does it look at settings only? Then a `fail` is judged when the flow is checked.
    pub settings_only: bool,
}

/// A reason with holes.
#[derive(Debug, Clone)]
pub struct Message {
    /// In order.
    pub parts: Vec<MessagePart>,
    /// The statement: its line is the place of the reason.
    pub span: Span,
}

/// A piece of a reason.
#[derive(Debug, Clone)]
pub enum MessagePart {
    /// Characters.
    Chars(Arc<str>),
    /// A value; `private` ones are `•••` at rest.
    Hole {
        /// The value; may be blank, then `(blank)` is printed.
        value: Expr,
        /// Personal data or free text?
        private: bool,
    },
}

/// `ensure`
#[derive(Debug, Clone)]
pub struct Ensure {
    /// Its value.
    pub var: VarId,
    /// Its name.
    pub name: Arc<str>,
    /// The found row (of whichever `find … gives` gave it); blank until then.
    pub found: VarId,
    /// In order; the first that gives a value ends it, but for guards, lets and finds that name `found`.
    pub alternatives: Vec<Alternative>,
    /// The limit of its declared type.
    pub max: Option<u32>,
    /// The statement's head.
    pub span: Span,
}

/// A line of an `ensure`.
#[derive(Debug, Clone)]
pub enum Alternative {
    /// Applies when it is not blank.
    Take(Expr),
    /// A row's key.
    Find {
        /// The search.
        search: Search,
        /// `first`?
        first: bool,
        /// The key's path in the row.
        gives: Arc<str>,
    },
    /// `update found`: what the create would send goes to the found record, as far as it differs.
    UpdateFound(Option<Expr>, Span),
    /// Applies when one of its targets does.
    Create(Write),
    /// A guard; `of_found` ones run only after a find gave a row.
    Guard {
        /// The guard.
        guard: Guard,
        /// Does it depend on `found`, also through names?
        of_found: bool,
    },
    /// A let.
    Let(Let),
    /// A find with a name.
    FindRow(Find),
    /// Another ensure, written out: when it gives a value it ends this one.
    Include(Box<Ensure>),
}

/// `create` or `update`.
#[derive(Debug, Clone)]
pub struct Write {
    /// Its key, once it is there.
    pub var: VarId,
    /// Its name: the given one, or its entity.
    pub name: Arc<str>,
    /// The name the flow gave it, if any: with it the stage can speak of the write.
    pub named: bool,
    /// Made or changed.
    pub action: Action,
    /// In order: the first whose condition holds.
    pub targets: Vec<Target>,
    /// The key that the answer gives.
    pub gives: Option<Arc<str>>,
    /// The head.
    pub span: Span,
}

/// A target with the body as checked for it; fields that it lacks are left out.
#[derive(Debug, Clone)]
pub struct Target {
    /// Role and entity.
    pub name: EntityName,
    /// Its facts.
    pub entity: Arc<Entity>,
    /// The entity that shows what stands there, if any does.
    pub shown_by: Option<Arc<Entity>>,
    /// The entity behind it that shows the rest, if any does.
    pub through: Option<Arc<Entity>>,
    /// None = always.
    pub when: Option<Expr>,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// A line of a body.
#[derive(Debug, Clone)]
pub enum Line {
    /// `let`
    Let(Let),
    /// `find`
    Find(Find),
    /// A guard: counts when the block applies.
    Guard(Guard),
    /// `ensure`
    Ensure(Ensure),
    /// `A = …`; `A.b = …` is an [`Line::Object`] around it. Lines of one object add up.
    Field(FieldLine),
    /// One sub-object.
    Object {
        /// The field.
        field: Arc<Field>,
        /// Its policy.
        policy: Option<PolicyKind>,
        /// Its condition.
        when: Option<Expr>,
        /// Its lines.
        lines: Vec<Line>,
    },
    /// One line object for each element.
    Each {
        /// The field.
        field: Arc<Field>,
        /// The loop name.
        var: VarId,
        /// The list.
        list: Expr,
        /// The filter.
        when: Option<Expr>,
        /// Its lines.
        lines: Vec<Line>,
    },
}

/// `A = expr policy`
#[derive(Debug, Clone)]
pub struct FieldLine {
    /// The field.
    pub field: Arc<Field>,
    /// The value, code labels already turned into codes.
    pub value: Expr,
    /// Its policy.
    pub policy: Option<PolicyKind>,
    /// The field's limit where the type does not prove that the value fits: measured when decided.
    pub max: Option<u32>,
    /// The line.
    pub span: Span,
}

/// `each x in list { … }` as statements.
#[derive(Debug, Clone)]
pub struct Each {
    /// The loop name.
    pub var: VarId,
    /// The list.
    pub list: Expr,
    /// The filter.
    pub when: Option<Expr>,
    /// The statements.
    pub body: Vec<Stmt>,
}

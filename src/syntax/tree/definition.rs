//! What a file defines for others to use: functions, blocks, types and tables.

use std::sync::Arc;

use jiff::civil::Date;

use super::{Expr, Line, Literal, Name, Path};
use crate::diagnostic::Span;

/// `define name(params): type = expr` or `{ lines }`
#[derive(Debug, Clone, PartialEq)]
pub struct Define {
    /// The name.
    pub name: Name,
    /// The parameters.
    pub params: Vec<Param>,
    /// The type.
    pub ty: TypeRef,
    /// The body.
    pub body: DefineBody,
    /// `##` lines above it.
    pub doc: Option<Arc<str>>,
    /// The statement.
    pub span: Span,
}

/// The body of a `define`.
#[derive(Debug, Clone, PartialEq)]
pub enum DefineBody {
    /// `= expr`
    Expr(Expr),
    /// `{ field lines }`: a record.
    Record(Vec<Line>),
}

/// `name: type`
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// The name.
    pub name: Name,
    /// The type.
    pub ty: TypeRef,
}

/// A type as written.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeRef {
    /// What.
    pub kind: TypeKind,
    /// `?`
    pub optional: bool,
    /// Its place.
    pub span: Span,
}

/// A type without its `?`.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeKind {
    /// `text`, `text(11)`, `jortt.invoices`, `vat_duty.duty`
    Named(Path, Option<u32>),
    /// `one of "a", "b"`
    OneOf(Vec<Name>),
    /// `list of T`
    List(Box<TypeRef>),
}

/// `table name [first] [from "x.csv"] { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name.
    pub name: Name,
    /// `first`
    pub first: bool,
    /// The CSV file.
    pub csv: Option<Name>,
    /// Input columns.
    pub inputs: Vec<Param>,
    /// Result columns.
    pub results: Vec<Param>,
    /// The rows.
    pub rows: Vec<Row>,
    /// `otherwise`
    pub otherwise: Option<Otherwise>,
    /// `##` lines above it.
    pub doc: Option<Arc<str>>,
    /// The head.
    pub head: Span,
    /// The statement.
    pub span: Span,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// One for each input.
    pub cells: Vec<Cell>,
    /// One for each result, or one outcome.
    pub results: Vec<Expr>,
    /// The row.
    pub span: Span,
}

/// `otherwise => …` or `otherwise hold "…"`
#[derive(Debug, Clone, PartialEq)]
pub struct Otherwise {
    /// One for each result, or one outcome.
    pub results: Vec<Expr>,
    /// The line.
    pub span: Span,
}

/// A cell of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What it says.
    pub kind: CellKind,
    /// Its place.
    pub span: Span,
}

/// What a cell says.
#[derive(Debug, Clone, PartialEq)]
pub enum CellKind {
    /// `*`
    Any,
    /// One or more items, any of which fits; `not` turns it round.
    Items {
        /// `not`
        not: bool,
        /// The items.
        items: Vec<CellItem>,
    },
}

/// One item of a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum CellItem {
    /// A literal, `blank` included.
    Literal(Literal, Span),
    /// A named list or a bare name.
    Name(Name),
    /// `lo..hi`, both included.
    Range(Literal, Literal, Span),
    /// `< x`
    Bound(crate::value::Compare, Literal, Span),
    /// `from D until D`, both included, either may be missing.
    Period(Option<Date>, Option<Date>, Span),
    /// `contains "…"`
    Contains(Arc<str>, Span),
    /// `matches /…/`
    Matches(Arc<str>, Span),
}

//! What a plan is made of: expressions, searches, statements with everything looked up.
//!
//! Lower than the checked tree: settings and constants are values, branches that a setting closes are gone, patterns
//! are compiled, conditions of searches are filter templates, tables are indexed, and a `let` or `find` is no
//! statement any more but the definition of its place, worked out when the place is first asked. Nothing here is
//! looked up by name while a record is decided; spans are turned into places only when something is told.

mod body;

use std::{
    collections::HashSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

pub(crate) use body::{
    AlternativeCode, EachCode, EnsureCode, GuardCode, LineCode, StageCode, StmtCode, TargetCode, WriteCode,
};
use regex::Regex;

use super::{filter::Template, table::TableCode, watch::Point};
use crate::{
    check::typed::{DefineId, TableId, VarId},
    diagnostic::Span,
    function::Function,
    schema::{Entity, Kind, Ty},
    syntax::tree::FindMode,
    value::{Compare, EntityName, Record, Shape, Value, Verdict},
};

/// Two operands.
pub(crate) type Pair = Box<(Code, Code)>;

/// Everything that runs, by number.
#[derive(Debug, Default)]
pub(crate) struct Lowered {
    /// What is in a place before anything is put there, by [`VarId`].
    pub(crate) definitions: Vec<Definition>,
    /// By [`TableId`]; those that nothing uses are not there.
    pub(crate) tables: Vec<Option<TableCode>>,
    /// By [`DefineId`]; those that nothing uses are not there.
    pub(crate) defines: Vec<Option<DefineCode>>,
    /// All ensures but the included ones.
    pub(crate) ensures: Vec<EnsureCode>,
    /// What is searched: one row for each entity, so that searches of one entity share their answers.
    pub(crate) reads: Vec<Arc<ReadEntity>>,
    /// Guards and ensures of column 0, in order.
    pub(crate) guards: Vec<StmtCode>,
    /// Writes and loops of column 0, in order.
    pub(crate) blocks: Vec<StmtCode>,
    /// Second stages, in order.
    pub(crate) stages: Vec<StageCode>,
    /// The place of the record.
    pub(crate) record: Option<VarId>,
    /// The part of the source's condition that no filter can say.
    pub(crate) source_residual: Option<Code>,
    /// Conditions of the tests: only so that what they look at is read.
    pub(crate) expects: Vec<Code>,
}

/// How a place gets its value.
#[derive(Debug, Default)]
pub(crate) enum Definition {
    /// Somebody puts it there: the record, a parameter, a loop, a found row, the key of a write.
    #[default]
    Bound,
    /// Worked out at first use.
    Let(Code),
    /// Asked at first use.
    Find(Box<FindCode>),
    /// Decided where it stands or at first use: a row of [`Lowered::ensures`].
    Ensure(usize),
}

/// An expression.
#[derive(Debug)]
pub(crate) enum Code {
    /// A value.
    Const(Value),
    /// A place.
    Slot(VarId),
    /// A field of a record, or of each record of a list; lifts.
    Field(Box<Code>, FieldRef),
    /// A text with holes.
    Text(Vec<Piece>, Span),
    /// A list.
    List(Vec<Code>),
    /// One value for each element.
    Loop(Box<Loop>),
    /// A record.
    Record(Box<RecordCode>),
    /// `-x`; lifts.
    Negate(Box<Code>, Span),
    /// yes when it is not yes.
    Not(Box<Code>),
    /// Fails when blank.
    Must(Box<Code>, Arc<str>, Span),
    /// Holds the record when the text is longer.
    Fits(Box<Code>, Limit),
    /// Right side only when the left is yes.
    And(Pair),
    /// Right side only when the left is not yes.
    Or(Pair),
    /// Equal; a list of words contains it.
    Is(Pair),
    /// As `Is`, and no for a blank on either side: the `is` of a `where`.
    Matches(Pair),
    /// Contained in.
    In(Pair),
    /// An order; no for a blank on either side.
    Compare(Compare, Pair, Span),
    /// Right side when the left is blank.
    Default(Pair),
    /// Lifts.
    Arithmetic(Operator, Pair, Span),
    /// Arms in order, then the last value; `true`: what is blank is the empty list.
    Choose(Vec<(Code, Code)>, Option<Box<Code>>, bool),
    /// Ends the record.
    Outcome(Verdict, Box<Message>),
    /// Is there a row?
    Exists(Box<Search>),
    /// A lookup.
    Table(Box<TableCall>),
    /// A standard function.
    Function(Box<Call>),
    /// A `define`.
    Define(DefineId, Vec<Code>),
    /// The day of the decision.
    Today,
    /// Yes; notes that it was come by. Only in a plan that is watched.
    Seen(Point),
    /// A change of kind.
    Convert(Box<Code>, Form, Span),
}

/// The four operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// What a conversion makes.
#[derive(Debug)]
pub(crate) enum Form {
    /// An amount in euro.
    Money,
    /// A decimal.
    Decimal,
    /// The Amsterdam day of a moment.
    Date,
    /// The normal form of a kind.
    Normal(Kind),
}

/// A field by name, with its place in the shape that was seen last: shapes of one expression seldom differ.
#[derive(Debug)]
pub(crate) struct FieldRef {
    name: Arc<str>,
    hint: AtomicUsize,
    /// What stands there.
    pub(crate) holds: Holds,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A value.
    Value,
    /// A list of values.
    Values,
    /// A record.
    Record,
    /// A list of records.
    Records,
}

impl Holds {
    /// What a value of a type is.
    pub(crate) fn of(ty: &Ty) -> Self {
        match &ty.kind {
            Kind::List(of) if matches!(of.kind, Kind::Record(_)) => Self::Records,
            Kind::List(_) | Kind::Words(_) => Self::Values,
            Kind::Record(_) => Self::Record,
            _ => Self::Value,
        }
    }

    /// Is a missing one the empty list?
    pub(crate) fn is_list(self) -> bool {
        matches!(self, Self::Values | Self::Records)
    }
}

impl FieldRef {
    /// A reference to a field.
    pub(crate) fn new(name: Arc<str>, holds: Holds) -> Self {
        Self { name, hint: AtomicUsize::new(0), holds }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The field of a record; blank where it has none.
    pub(crate) fn of<'a>(&self, record: &'a Record) -> &'a Value {
        let shape = record.shape();
        let hint = self.hint.load(Ordering::Relaxed);
        if shape.names.get(hint).is_some_and(|name| *name == self.name) {
            return record.at(hint);
        }
        let Some(index) = shape.index(&self.name) else { return &Value::Blank };
        self.hint.store(index, Ordering::Relaxed);
        record.at(index)
    }
}

/// A piece of a text or message.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Characters.
    Chars(Arc<str>),
    /// A value.
    Hole(Code, Print, Privacy),
}

/// How a value is printed where its static type matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Print {
    /// By itself.
    Plain,
    /// A fraction as `21%`.
    Percent,
    /// The last word of a set: the narrowest.
    Narrowest,
}

impl Print {
    /// How values of a type are printed.
    pub(crate) fn of(ty: &Ty) -> Self {
        match &ty.kind {
            Kind::Percent => Self::Percent,
            Kind::List(of) if of.kind == Kind::Percent => Self::Percent,
            Kind::Words(_) => Self::Narrowest,
            _ => Self::Plain,
        }
    }
}

/// Whether a value may be kept in logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privacy {
    /// It may.
    Plain,
    /// `•••` there.
    Private,
}

/// A reason with holes.
#[derive(Debug)]
pub(crate) struct Message {
    /// In order.
    pub(crate) pieces: Vec<Piece>,
    /// The statement.
    pub(crate) span: Span,
}

/// How long a text may be.
#[derive(Debug)]
pub(crate) struct Limit {
    /// Characters.
    pub(crate) max: u32,
    /// What has the limit: `Nm (Name)`.
    pub(crate) what: Arc<str>,
    /// Where.
    pub(crate) span: Span,
}

/// One value for each element of a list.
#[derive(Debug)]
pub(crate) struct Loop {
    /// The loop name.
    pub(crate) var: VarId,
    /// The list.
    pub(crate) list: Code,
    /// The filter.
    pub(crate) when: Option<Code>,
    /// What each gives.
    pub(crate) item: Code,
    /// Places that are emptied at each round.
    pub(crate) own: Vec<VarId>,
}

/// A record made of values.
#[derive(Debug)]
pub(crate) struct RecordCode {
    /// Its names.
    pub(crate) shape: Arc<Shape>,
    /// One for each.
    pub(crate) values: Vec<Code>,
}

/// A call of a table.
#[derive(Debug)]
pub(crate) struct TableCall {
    /// Which.
    pub(crate) table: TableId,
    /// One for each input.
    pub(crate) args: Vec<Code>,
    /// Which result is wanted, where the table has several and one is asked.
    pub(crate) pick: Option<usize>,
    /// Where.
    pub(crate) span: Span,
}

/// A call of a standard function.
#[derive(Debug)]
pub(crate) struct Call {
    /// Which.
    pub(crate) function: &'static Function,
    /// In the order of its parameters.
    pub(crate) args: Vec<Arg>,
    /// Does it give a list (then a lifted call gives the empty one)?
    pub(crate) list: bool,
    /// Where.
    pub(crate) span: Span,
}

/// An argument.
#[derive(Debug)]
pub(crate) enum Arg {
    /// A value; `true`: the function is not called for a blank.
    Value(Code, bool),
    /// A pattern.
    Pattern(Regex),
    /// Names of fields.
    Columns(Vec<Arc<str>>),
}

/// A function of the flow.
#[derive(Debug)]
pub(crate) struct DefineCode {
    /// Its parameters.
    pub(crate) params: Vec<VarId>,
    /// Places of its own, parameters included.
    pub(crate) own: Vec<VarId>,
    /// Its body.
    pub(crate) body: Code,
}

/// An entity that searches read.
#[derive(Debug)]
pub(crate) struct ReadEntity {
    /// Role and entity.
    pub(crate) name: EntityName,
    /// Its facts.
    pub(crate) entity: Arc<Entity>,
    /// The paths that are decoded, sorted; known when the whole plan is.
    pub(crate) fields: OnceLock<Arc<[Arc<str>]>>,
}

impl ReadEntity {
    /// The identity by which its rows are told apart.
    pub(crate) fn key(&self) -> &[Arc<str>] {
        self.entity.read.as_ref().and_then(|read| read.keys.first()).map_or(&[], Vec::as_slice)
    }
}

/// A search.
#[derive(Debug)]
pub(crate) struct Search {
    /// Where.
    pub(crate) read: Arc<ReadEntity>,
    /// The place of the searched row; unique, so it also stands for the search itself.
    pub(crate) row: VarId,
    /// What can be asked.
    pub(crate) filter: Template,
    /// What the rows must satisfy besides.
    pub(crate) residual: Option<Code>,
    /// Path and "highest first".
    pub(crate) by: Vec<(Arc<str>, bool)>,
    /// Where it stands.
    pub(crate) span: Span,
}

/// `find`
#[derive(Debug)]
pub(crate) struct FindCode {
    /// The search.
    pub(crate) search: Search,
    /// How many rows.
    pub(crate) mode: FindMode,
}

impl Lowered {
    /// How a place gets its value.
    pub(crate) fn definition(&self, var: VarId) -> &Definition {
        self.definitions.get(var.0 as usize).unwrap_or(&Definition::Bound)
    }

    /// Does an expression hang on one of these places, also through other names?
    pub(crate) fn mentions(&self, code: &Code, places: &HashSet<VarId>) -> bool {
        self.mentions_beyond(code, places, &mut HashSet::new())
    }

    fn mentions_beyond(&self, code: &Code, places: &HashSet<VarId>, seen: &mut HashSet<VarId>) -> bool {
        if let Code::Slot(var) = code {
            if places.contains(var) {
                return true;
            }
            if !seen.insert(*var) {
                return false;
            }
            match self.definition(*var) {
                Definition::Let(value) => return self.mentions_beyond(value, places, seen),
                Definition::Find(find) => {
                    let mut hit = false;
                    find.search.each_code(&mut |code| hit |= self.mentions_beyond(code, places, seen));
                    return hit;
                }
                Definition::Bound | Definition::Ensure(_) => return false,
            }
        }
        let mut hit = false;
        code.each_child(&mut |child| hit |= self.mentions_beyond(child, places, seen));
        hit
    }
}

impl Search {
    /// The expressions in it.
    pub(crate) fn each_code<'a>(&'a self, see: &mut dyn FnMut(&'a Code)) {
        self.filter.each_code(see);
        self.residual.iter().for_each(see);
    }
}

impl Code {
    /// The value of a constant.
    pub(crate) fn constant(&self) -> Option<&Value> {
        match self {
            Self::Const(value) => Some(value),
            _ => None,
        }
    }

    /// The expressions that it is made of.
    pub(crate) fn each_child<'a>(&'a self, see: &mut dyn FnMut(&'a Self)) {
        match self {
            Self::Const(_) | Self::Slot(_) | Self::Today | Self::Seen(_) => {}
            Self::Field(of, _)
            | Self::Negate(of, _)
            | Self::Not(of)
            | Self::Must(of, ..)
            | Self::Fits(of, _)
            | Self::Convert(of, ..) => see(of),
            Self::Text(pieces, _) => each_hole(pieces, see),
            Self::Outcome(_, message) => each_hole(&message.pieces, see),
            Self::List(items) | Self::Define(_, items) => items.iter().for_each(see),
            Self::Loop(each) => {
                see(&each.list);
                each.when.iter().for_each(&mut *see);
                see(&each.item);
            }
            Self::Record(record) => record.values.iter().for_each(see),
            Self::And(pair)
            | Self::Or(pair)
            | Self::Is(pair)
            | Self::Matches(pair)
            | Self::In(pair)
            | Self::Compare(_, pair, _)
            | Self::Default(pair)
            | Self::Arithmetic(_, pair, _) => {
                see(&pair.0);
                see(&pair.1);
            }
            Self::Choose(arms, last, _) => {
                for (when, value) in arms {
                    see(when);
                    see(value);
                }
                if let Some(last) = last {
                    see(last);
                }
            }
            Self::Exists(search) => search.each_code(see),
            Self::Table(call) => call.args.iter().for_each(see),
            Self::Function(call) => {
                for arg in &call.args {
                    if let Arg::Value(code, _) = arg {
                        see(code);
                    }
                }
            }
        }
    }
}

fn each_hole<'a>(pieces: &'a [Piece], see: &mut dyn FnMut(&'a Code)) {
    for piece in pieces {
        if let Piece::Hole(code, ..) = piece {
            see(code);
        }
    }
}

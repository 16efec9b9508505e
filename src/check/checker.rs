//! The state of checking one program: its places, what is in sight, what is known not to be blank, what was told.
//!
//! Takes nothing by itself; the other files of this room are its methods, one family each. Promises that nothing is
//! told while `quiet` is above zero: then something is checked that was or will be told elsewhere.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::{
    Project,
    facts::Fact,
    load::{Loaded, Unit},
    typed::{Define, DefineId, Expr, ExprKind, Let, Setting, SettingId, Table, TableId, Var, VarId},
    write::Updating,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Object, Ty},
    syntax::tree::Name,
};

pub(super) struct Checker<'a> {
    pub(super) project: &'a Project<'a>,
    pub(super) loaded: &'a Loaded,
    /// Whose program this is.
    pub(super) unit: usize,
    /// Whose text is being looked at.
    pub(super) at: usize,
    /// How deep the expression in hand is.
    pub(super) depth: u32,
    /// Above zero nothing is told.
    pub(super) quiet: u32,
    /// May `clear` stand here?
    pub(super) clearing: bool,
    pub(super) diagnostics: Vec<Diagnostic>,

    pub(super) vars: Vec<Var>,
    pub(super) settings: Vec<Setting>,
    pub(super) tables: Vec<Table>,
    pub(super) defines: Vec<Define>,
    pub(super) constants: Vec<Let>,
    /// What was checked already, by unit and name; none = it is being checked, or failed.
    pub(super) setting_ids: HashMap<Key, SettingId>,
    pub(super) table_ids: HashMap<Key, Option<TableId>>,
    pub(super) define_ids: HashMap<Key, Option<DefineId>>,
    pub(super) constant_vars: HashMap<Key, Option<VarId>>,
    /// Results of defines that hold personal data whatever their arguments are.
    pub(super) private_defines: HashSet<DefineId>,
    /// Blocks that are being written out and columns whose types are being looked up, against circles.
    pub(super) including: Vec<Key>,
    /// Circles that were told, by their sorted members.
    pub(super) circles: HashSet<Vec<Key>>,

    pub(super) scope: Scope,
    /// Values that need a key which a write of this stage still has to give.
    pub(super) pending: HashSet<VarId>,
    /// Values that depend on the `found` of the ensure in hand.
    pub(super) of_found: HashSet<VarId>,
    /// Names of the writes of this stage.
    pub(super) write_names: BTreeMap<Arc<str>, Span>,
    /// Those of the second stages, by the name that they stand behind.
    pub(super) stage_names: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Span>>,
    /// The name of the system that is written to, for messages about its codes.
    pub(super) target_system: String,
    /// The `update found` that the next write also serves.
    pub(super) updating: Option<Updating>,
    /// The ensures around the place, outermost first.
    pub(super) ensuring: Vec<Arc<str>>,
    /// Fields that some targets lack: how often they were looked up, and how often they were missing.
    pub(super) lacking: BTreeMap<Span, Lacking>,
    /// Fields that a block which cannot be read may give: they are not missing as well.
    pub(super) meant_fields: HashSet<(Arc<str>, Arc<str>)>,
    /// Fields that a target lacks: another one may have them, or they are misspelt.
    pub(super) unknown_fields: Vec<(Name, Arc<Object>)>,
    /// Declarations of this file that a warning would name if nothing uses them.
    pub(super) declared: BTreeMap<Span, (Arc<str>, &'static str)>,
    pub(super) used: HashSet<Span>,
}

/// A declaration: its unit and its name.
pub(super) type Key = (usize, Arc<str>);

/// A name of a field that was looked up once for each target.
pub(super) struct Lacking {
    pub(super) asked: u32,
    pub(super) missing: u32,
    /// The first of the targets that lack it.
    pub(super) first: Option<(Name, Arc<Object>)>,
}

/// What is in sight at a place.
#[derive(Default)]
pub(super) struct Scope {
    pub(super) frames: Vec<Vec<(Arc<str>, Bound)>>,
    /// What is known of places.
    pub(super) known: Vec<Fact>,
    /// The row that `.name` speaks of.
    pub(super) row: Option<(VarId, Arc<Object>)>,
    /// Within a `where`: blank never matches, so `<` takes it.
    pub(super) searching: bool,
    /// What hides the record's world here: "`fields address`".
    pub(super) closed: Option<String>,
}

/// A name in sight.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    pub(super) var: VarId,
    pub(super) span: Span,
}

impl<'a> Checker<'a> {
    pub(super) fn new(project: &'a Project<'a>, loaded: &'a Loaded, unit: usize) -> Self {
        Self {
            project,
            loaded,
            unit,
            at: unit,
            depth: 0,
            quiet: 0,
            clearing: false,
            diagnostics: Vec::new(),
            vars: Vec::new(),
            settings: Vec::new(),
            tables: Vec::new(),
            defines: Vec::new(),
            constants: Vec::new(),
            setting_ids: HashMap::new(),
            table_ids: HashMap::new(),
            define_ids: HashMap::new(),
            constant_vars: HashMap::new(),
            private_defines: HashSet::new(),
            including: Vec::new(),
            circles: HashSet::new(),
            scope: Scope::default(),
            pending: HashSet::new(),
            of_found: HashSet::new(),
            write_names: BTreeMap::new(),
            stage_names: BTreeMap::new(),
            target_system: String::new(),
            updating: None,
            ensuring: Vec::new(),
            lacking: BTreeMap::new(),
            meant_fields: HashSet::new(),
            unknown_fields: Vec::new(),
            declared: BTreeMap::new(),
            used: HashSet::new(),
        }
    }

    /// The file that is being looked at.
    pub(super) fn here(&self) -> Option<&'a Unit> {
        self.loaded.units.get(self.at)
    }

    /// Tells a mistake, unless this part is looked at in silence.
    pub(super) fn say(&mut self, told: Diagnostic) {
        if self.quiet == 0 {
            self.diagnostics.push(told);
        }
    }

    /// Tells a circle that comes back to `key`, once, also where this part is looked at in silence: it is found only
    /// while a block is written out. A circle through another file is one of its `use` lines, which were told.
    pub(super) fn say_circle(&mut self, key: &Key, told: Diagnostic) {
        let start = self.including.iter().position(|other| other == key).unwrap_or(0);
        let mut members: Vec<Key> = self.including.iter().skip(start).cloned().collect();
        members.sort();
        if members.iter().all(|(unit, _)| *unit == self.unit) && self.circles.insert(members) {
            self.diagnostics.push(told);
        }
    }

    /// The characters of a span, for help lines; only if they are short enough to be repeated.
    pub(super) fn text_of(&self, span: Span) -> Option<&'a str> {
        let text = self.loaded.sources.slice(span);
        (!text.is_empty() && text.len() <= 60 && !text.contains('\n')).then_some(text)
    }

    /// The characters of a span in backquotes, or another word for it.
    pub(super) fn named(&self, span: Span, otherwise: &str) -> String {
        self.text_of(span).map_or_else(|| otherwise.to_owned(), |text| format!("`{text}`"))
    }

    /// A new place for a value.
    pub(super) fn var(&mut self, name: &Arc<str>, ty: Ty, span: Span, private: bool) -> VarId {
        let id = VarId(u32::try_from(self.vars.len()).unwrap_or(u32::MAX));
        self.vars.push(Var { name: name.clone(), ty, span, private });
        id
    }

    /// The type of a place.
    pub(super) fn var_type(&self, var: VarId) -> Ty {
        self.vars.get(var.0 as usize).map_or_else(Ty::any, |var| var.ty.clone())
    }

    /// Looks at a declaration of a unit with an empty scope, then comes back. Another unit than the program's own is
    /// looked at in silence; the own one is not, even if what asked for it is: a declaration is looked at once.
    pub(super) fn within<T>(&mut self, unit: usize, closed: String, work: impl FnOnce(&mut Self) -> T) -> T {
        let scope = std::mem::replace(
            &mut self.scope,
            Scope { frames: vec![Vec::new()], closed: Some(closed), ..Scope::default() },
        );
        let of_found = std::mem::take(&mut self.of_found);
        let at = std::mem::replace(&mut self.at, unit);
        let quiet = std::mem::replace(&mut self.quiet, u32::from(unit != self.unit));
        let result = work(self);
        self.quiet = quiet;
        self.at = at;
        self.of_found = of_found;
        self.scope = scope;
        result
    }

    /// Looks at something that was or will be told elsewhere.
    pub(super) fn silently<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.quiet += 1;
        let result = work(self);
        self.quiet -= 1;
        result
    }

    /// A block: names and what is known in it end with it.
    pub(super) fn block<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.scope.frames.push(Vec::new());
        let known = self.scope.known.len();
        let result = work(self);
        self.scope.known.truncate(known);
        self.scope.frames.pop();
        result
    }

    /// What is known for a while only.
    pub(super) fn knowing<T>(&mut self, facts: Vec<Fact>, work: impl FnOnce(&mut Self) -> T) -> T {
        let known = self.scope.known.len();
        self.scope.known.extend(facts);
        let result = work(self);
        self.scope.known.truncate(known);
        result
    }

    /// Brings a name in sight. A name that is in sight already is a mistake (F102), and yet the new one counts, so
    /// that the lines below are judged as they were meant.
    pub(super) fn bind(&mut self, name: &Name, var: VarId) {
        self.hides(name, false);
        self.put(name, var);
    }

    /// Brings a parameter in sight: it may repeat names of the record's world.
    pub(super) fn bind_param(&mut self, name: &Name, var: VarId) {
        self.hides(name, true);
        self.put(name, var);
    }

    fn put(&mut self, name: &Name, var: VarId) {
        if let Some(frame) = self.scope.frames.last_mut() {
            frame.push((name.text.clone(), Bound { var, span: name.span }));
        }
    }

    /// The innermost binding of a name.
    pub(super) fn bound(&self, name: &str) -> Option<Bound> {
        let mut all = self.scope.frames.iter().rev().flat_map(|frame| frame.iter().rev());
        all.find(|(own, _)| &**own == name).map(|(_, bound)| *bound)
    }

    /// Remembers a declaration of this file that should be used somewhere; `what` it is, where its name alone does not
    /// say it.
    pub(super) fn declare(&mut self, name: &Name, what: &'static str) {
        if self.quiet == 0 {
            self.declared.insert(name.span, (name.text.clone(), what));
        }
    }

    /// An expression of which nothing is known, after a mistake was told.
    pub(super) fn poison(span: Span) -> Expr {
        Expr { kind: ExprKind::Todo, ty: Ty::any(), span }
    }
}

/// An expression.
pub(super) fn expr(kind: ExprKind, ty: Ty, span: Span) -> Expr {
    Expr { kind, ty, span }
}

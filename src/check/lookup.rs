//! Names: what a bare word stands for, F101 for one that stands for nothing, F102 for one that hides another.
//!
//! Names of the record's world come into sight downwards; settings, tables, functions and blocks of column 0 and what
//! `use` brings are in sight everywhere in their file.

use std::sync::Arc;

use super::{
    checker::{Bound, Checker, Key},
    facts::{Fact, Place, Root},
    load::{Decl, DeclKind, Unit, seen_from},
    suggest,
    typed::{SettingId, VarId},
};
use crate::{
    diagnostic::Diagnostic,
    function::{FUNCTIONS, function},
    syntax::tree::{self, Item, Name, Statement},
};

/// What a bare word stands for.
pub(super) enum Found<'a> {
    /// A place: record, let, row, parameter, loop name, key.
    Local(Bound),
    Setting(SettingId),
    /// A `let` of a library.
    Constant(VarId),
    Table(Key, &'a tree::Table),
    Define(Key, &'a tree::Define),
    Fields(Key, &'a tree::FieldsItem),
    Part(Key, &'a tree::Ensure),
    /// It stands for something that is wrong and was told.
    Poison,
    /// It stands for nothing.
    Nothing,
}

impl<'a> Checker<'a> {
    /// The value that a name stands for, or the block; marks it as used.
    pub(super) fn lookup(&mut self, name: &Name) -> Found<'a> {
        if let Some(bound) = self.bound(&name.text) {
            self.used.insert(bound.span);
            return Found::Local(bound);
        }
        self.lookup_declared(&name.text)
    }

    /// The same, but only what column 0 declares and `use` brings: for words before `(`.
    pub(super) fn lookup_declared(&mut self, name: &Arc<str>) -> Found<'a> {
        let Some(unit) = self.here() else { return Found::Nothing };
        let Some(Decl { kind, span }) = unit.names.get(name) else {
            return if unit.lost.contains(&**name) { Found::Poison } else { Found::Nothing };
        };
        self.used.insert(*span);
        match kind {
            DeclKind::Used(None) => Found::Poison,
            DeclKind::Used(Some(from)) => {
                let Some(decl) = self.loaded.units.get(*from).and_then(|unit| unit.names.get(name)) else {
                    return Found::Poison;
                };
                self.declared_item(*from, name, decl.kind)
            }
            kind => self.declared_item(self.at, name, *kind),
        }
    }

    fn declared_item(&mut self, unit: usize, name: &Arc<str>, kind: DeclKind) -> Found<'a> {
        let key = (unit, name.clone());
        let items: &'a [Item] = self.loaded.units.get(unit).map_or(&[], |unit| &unit.tree.items);
        let (DeclKind::Setting(at)
        | DeclKind::Table(at)
        | DeclKind::Define(at)
        | DeclKind::Fields(at)
        | DeclKind::Part(at)
        | DeclKind::Let(at)) = kind
        else {
            return Found::Nothing;
        };
        match items.get(at) {
            Some(Item::Setting(setting)) => Found::Setting(self.setting(key, setting)),
            Some(Item::Table(table)) => Found::Table(key, table),
            Some(Item::Define(define)) => Found::Define(key, define),
            Some(Item::Fields(fields)) => Found::Fields(key, fields),
            Some(Item::Statement(Statement::Ensure(ensure))) => Found::Part(key, ensure),
            Some(Item::Statement(Statement::Let(line))) if self.is_library(unit) => {
                self.constant(key, line).map_or(Found::Poison, Found::Constant)
            }
            _ => Found::Nothing,
        }
    }

    pub(super) fn is_library(&self, unit: usize) -> bool {
        self.loaded.units.get(unit).is_some_and(Unit::library)
    }

    /// Tells that a name stands for nothing, with the nearest one that does.
    pub(super) fn unknown_name(&mut self, name: &Name) {
        if self.here().is_some_and(|unit| unit.lost.contains(&*name.text)) {
            return;
        }
        let mut told = Diagnostic::new("F101", format!("nothing here is called `{}`", name.text), name.span);
        let below = self.here().and_then(|unit| unit.names.get(&name.text)).map(|decl| decl.span);
        let closed = self.scope.closed.clone();
        let told = match (below, closed) {
            (Some(span), Some(closed)) => {
                told.title = format!("{closed} does not see `{}`", name.text);
                told.also(span, "belongs to the record of the flow")
                    .help("a block sees its parameters, settings, tables and functions: give it as a parameter")
            }
            (Some(span), None) => {
                self.used.insert(span);
                told.title = format!("`{}` is declared further down", name.text);
                told.also(span, "declared here").help("move that line above this one")
            }
            (None, _) => {
                let names = self.names_in_sight();
                let near = suggest::nearest(&name.text, names.iter().map(|own| &**own));
                let near = near.map(|near| {
                    self.meant(near);
                    format!("`{near}`")
                });
                let role = self.project.roles.contains_key(&name.text);
                let called = match &*name.text {
                    "today" => Some("`today()`".to_owned()),
                    called => function(called).map(|function| format!("`{}`", function.shape())),
                };
                let near = near.filter(|_| &*name.text != "found");
                match called.or_else(|| self.in_library(&name.text)).or(near) {
                    Some(near) => told.help(near),
                    None if &*name.text == "found" => told.help(
                        "`found` is the row that a `find … gives` of an `ensure` gave: it is known in that `ensure` only",
                    ),
                    None if role => told.help("rows of a system are looked up:  find row in … where …"),
                    None => told.help(format!("a field of the row is written `.{0}`, a text \"{0}\"", name.text)),
                }
            }
        };
        self.say(told);
    }

    /// A name that a misspelt one stood for counts as used, and as looked at by the guard that it stands in.
    pub(super) fn meant(&mut self, name: &str) {
        let bound = self.bound(name);
        self.scope
            .known
            .extend(bound.map(|bound| Fact::filled(Place { root: Root::Var(bound.var), path: String::new() })));
        let bound = bound.map(|bound| bound.span);
        let declared = self.here().and_then(|unit| unit.names.get(name)).map(|decl| decl.span);
        self.used.extend(bound.into_iter().chain(declared));
    }

    /// The `use` line that brings a name, if a library that is loaded has it.
    pub(super) fn in_library(&self, name: &str) -> Option<String> {
        let shared = |unit: &&Unit| {
            let decl = unit.names.get(name);
            unit.library() && decl.is_some_and(|decl| !matches!(decl.kind, DeclKind::World | DeclKind::Used(_)))
        };
        let unit = self.loaded.units.iter().find(shared)?;
        let here = self.here()?;
        (unit.path != here.path).then(|| format!("use {name} from \"{}\"", seen_from(&here.path, &unit.path)))
    }

    /// All names that could be meant, for suggestions.
    fn names_in_sight(&self) -> Vec<Arc<str>> {
        let local = self.scope.frames.iter().flatten().map(|(name, _)| name.clone());
        let hidden = |kind: &DeclKind| matches!(kind, DeclKind::World | DeclKind::Let(_));
        let unit = self.here().into_iter().flat_map(|unit| unit.names.iter());
        let library = self.is_library(self.at);
        let own = unit.filter(move |(_, decl)| library || !hidden(&decl.kind)).map(|(name, _)| name.clone());
        let lost = self.here().into_iter().flat_map(|unit| &unit.lost).map(|name| Arc::from(name.as_str()));
        local.chain(own).chain(lost).collect()
    }

    /// Tells a new name that hides one in sight.
    pub(super) fn hides(&mut self, name: &Name, param: bool) {
        let mut found = self.bound(&name.text).map(|bound| bound.span);
        if let Some(unit) = self.here()
            && self.scope.frames.len() == 1
            && self.scope.closed.is_none()
            && unit.names.get(&name.text).map(|decl| decl.span) == found
        {
            // two names of column 0: told when they were collected
            self.used.extend(found);
            return;
        }
        if found.is_none()
            && let Some(unit) = self.here()
            && let Some(decl) = unit.names.get(&name.text)
            && decl.span != name.span
            && !matches!(decl.kind, DeclKind::World)
            && (!matches!(decl.kind, DeclKind::Let(_)) || self.is_library(self.at))
            && !(param && matches!(decl.kind, DeclKind::Fields(_) | DeclKind::Part(_)))
        {
            found = Some(decl.span);
        }
        if let Some(first) = found {
            self.used.insert(first);
            let title = format!("`{}` is the name of something else already", name.text);
            let told = Diagnostic::new("F102", title, name.span).also(first, "declared here");
            self.say(told.help("give one of them another name: nothing hides a name that is in sight"));
        }
    }

    /// Tells that a word before `(` is no function, with the nearest one.
    pub(super) fn unknown_function(&mut self, name: &Name) {
        if self.here().is_some_and(|unit| unit.lost.contains(&*name.text)) {
            return;
        }
        let callable = |kind: &DeclKind| matches!(kind, DeclKind::Table(_) | DeclKind::Define(_) | DeclKind::Used(_));
        let unit = self.here();
        let own = unit.into_iter().flat_map(|unit| unit.names.iter()).filter(|(_, decl)| callable(&decl.kind));
        let own = own.map(|(name, _)| &**name);
        let standard = FUNCTIONS.iter().map(|function| function.name).chain(["today"]);
        let title = format!("there is no function or table `{}`", name.text);
        let mut told = Diagnostic::new("F105", title, name.span);
        let near = suggest::nearest(&name.text, own.chain(standard));
        if let Some(near) = near {
            self.meant(near);
        }
        let near = near.map(|near| format!("`{near}`"));
        told.help = self.in_library(&name.text).or(near).or_else(|| {
            Some("`koppel docs` lists the functions; a table or `define` of a library needs a `use`".into())
        });
        self.say(told);
    }
}

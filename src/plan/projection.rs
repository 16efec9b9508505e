//! Which fields are read: exactly those that the lowered flow can look at.
//!
//! Follows records from where they are read (the source, each searched entity) through names, parameters, loops and
//! list functions to the fields that are asked of them. What a setting closes is gone already and reads nothing. All
//! searches of one entity share one list of fields, so that equal questions have equal answers.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use super::{
    code::{
        AlternativeCode, Arg, Code, Definition, EachCode, EnsureCode, GuardCode, Holds, LineCode, Lowered, Piece,
        ReadEntity, Search, StmtCode, TargetCode, WriteCode,
    },
    stands,
};
use crate::{
    check::typed::{DefineId, VarId},
    schema::{Entity, Kind, Object, Ty, WriteFacts},
    value::{Action, EntityName},
};

/// Sorted paths.
pub(super) type Fields = Arc<[Arc<str>]>;

/// Where records come from: the source, or the reads by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Source,
    Read(usize),
}

/// What an expression may stand for: places in what was read, and records made here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Stands {
    places: BTreeSet<(Origin, String)>,
    made: BTreeMap<Arc<str>, Stands>,
}

/// How a place is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// Its value.
    Value,
    /// Everything in it.
    Whole,
    /// That it is there, or how many there are.
    Presence,
}

struct Follow<'a> {
    lowered: &'a Lowered,
    vars: BTreeMap<VarId, Stands>,
    uses: BTreeSet<(Origin, String, Use)>,
    changed: bool,
    /// Names and functions that this round has been through.
    seen_vars: HashSet<VarId>,
    seen_defines: BTreeMap<DefineId, Stands>,
    /// What the source reads.
    source: Option<EntityName>,
}

/// The fields of the source (with these paths of its key and condition), and of each read.
pub(super) fn fields(
    lowered: &Lowered,
    source: Option<(&EntityName, &Entity, &[Arc<str>])>,
) -> (Option<Fields>, Vec<(EntityName, Fields)>) {
    let mut follow = Follow {
        lowered,
        vars: BTreeMap::new(),
        uses: BTreeSet::new(),
        changed: true,
        seen_vars: HashSet::new(),
        seen_defines: BTreeMap::new(),
        source: source.map(|(name, ..)| name.clone()),
    };
    if let Some(record) = lowered.record {
        follow.bind(record, &Stands::at(Origin::Source));
    }
    // A parameter may get more to stand for with each call that is found, until nothing is new.
    while follow.changed {
        follow.changed = false;
        follow.seen_vars.clear();
        follow.seen_defines.clear();
        follow.round();
    }
    let of_source = source.map(|(_, entity, always)| follow.paths(Origin::Source, entity, always));
    let of_reads = lowered.reads.iter().enumerate();
    let of_reads = of_reads
        .map(|(number, read)| (read.name.clone(), follow.paths(Origin::Read(number), &read.entity, read.key())));
    (of_source, of_reads.collect())
}

impl Stands {
    fn at(origin: Origin) -> Self {
        Self { places: BTreeSet::from([(origin, String::new())]), made: BTreeMap::new() }
    }

    fn join(&mut self, other: &Self) {
        self.places.extend(other.places.iter().cloned());
        for (name, stands) in &other.made {
            self.made.entry(name.clone()).or_default().join(stands);
        }
    }

    fn step(&self, name: &Arc<str>) -> Self {
        let step = |(origin, path): &(Origin, String)| {
            (*origin, if path.is_empty() { name.to_string() } else { format!("{path}.{name}") })
        };
        let mut stepped = Self { places: self.places.iter().map(step).collect(), made: BTreeMap::new() };
        if let Some(made) = self.made.get(name) {
            stepped.join(made);
        }
        stepped
    }
}

impl Follow<'_> {
    fn round(&mut self) {
        let lowered = self.lowered;
        for stmt in lowered.guards.iter().chain(&lowered.blocks) {
            self.stmt(stmt);
        }
        for stage in &lowered.stages {
            stage.when.iter().for_each(|when| self.sees(when));
            stage.body.iter().for_each(|stmt| self.stmt(stmt));
        }
        for code in lowered.expects.iter().chain(&lowered.source_residual) {
            self.sees(code);
        }
    }

    fn stmt(&mut self, stmt: &StmtCode) {
        match stmt {
            StmtCode::Guard(guard) => self.guard(guard),
            StmtCode::Ensure(number) => self.ensure_of(*number),
            StmtCode::Write(write) => self.write(write),
            StmtCode::Each(each) => self.each(each, Self::stmt),
        }
    }

    fn guard(&mut self, guard: &GuardCode) {
        guard.when.iter().for_each(|when| self.sees(when));
        self.pieces(&guard.message.pieces);
    }

    fn pieces(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            if let Piece::Hole(code, ..) = piece {
                self.sees(code);
            }
        }
    }

    fn each<T>(&mut self, each: &EachCode<T>, mut visit: impl FnMut(&mut Self, &T)) {
        let list = self.code(&each.list);
        self.uses(&list, Use::Presence);
        self.bind(each.var, &list);
        each.when.iter().for_each(|when| self.sees(when));
        each.body.iter().for_each(|one| visit(self, one));
    }

    fn ensure_of(&mut self, number: usize) {
        let lowered = self.lowered;
        if let Some(ensure) = lowered.ensures.get(number)
            && self.seen_vars.insert(ensure.var)
        {
            self.ensure(ensure);
        }
    }

    fn ensure(&mut self, ensure: &EnsureCode) {
        for alternative in &ensure.alternatives {
            match alternative {
                AlternativeCode::Take(code) => self.sees(code),
                AlternativeCode::Find { search, gives, .. } => {
                    let row = self.search(search);
                    self.uses(&row.step(gives), Use::Value);
                    self.bind(ensure.found, &row);
                    self.compared(ensure, search, &row);
                }
                AlternativeCode::Update(when) => when.iter().for_each(|when| self.sees(when)),
                AlternativeCode::Create(write) => self.write(write),
                AlternativeCode::Guard(guard, _) => self.guard(guard),
                AlternativeCode::Include(inner) => self.ensure(inner),
            }
        }
    }

    fn write(&mut self, write: &WriteCode) {
        for target in &write.targets {
            target.when.iter().for_each(|when| self.sees(when));
            target.lines.iter().for_each(|line| self.line(line));
            if let (Some(shown), Some(facts)) = (&target.shown, &target.entity.write) {
                for row in self.rows(shown) {
                    self.shown(facts, target, &row);
                    facts.shown_key().into_iter().for_each(|key| self.uses(&row.step(key), Use::Value));
                }
            }
        }
    }

    /// The rows of a read, and the record in hand where it is one of them.
    fn rows(&self, read: &Arc<ReadEntity>) -> Vec<Stands> {
        let of_read = self.lowered.reads.iter().position(|other| Arc::ptr_eq(other, read)).map(Origin::Read);
        let of_source = self.source.as_ref().filter(|source| **source == read.name).map(|_| Origin::Source);
        [of_read, of_source].into_iter().flatten().map(Stands::at).collect()
    }

    /// What `update found` compares of a row: the fields that show what the create would send.
    fn compared(&mut self, ensure: &EnsureCode, search: &Search, row: &Stands) {
        if !ensure.alternatives.iter().any(|one| matches!(one, AlternativeCode::Update(_))) {
            return;
        }
        for alternative in &ensure.alternatives {
            let AlternativeCode::Create(write) = alternative else { continue };
            for target in write.targets.iter().filter(|target| target.name.role == search.read.name.role) {
                let Some(facts) = target.entity.write.as_ref() else { continue };
                if facts.shown_by.as_ref() == Some(&search.read.name.entity) {
                    self.shown(facts, target, row);
                }
            }
        }
    }

    /// The fields of a row that show what an update of this target sends, and of the row one step further.
    fn shown(&mut self, facts: &WriteFacts, target: &TargetCode, row: &Stands) {
        let mut paths = Vec::new();
        updated(&target.lines, "", &mut paths);
        let shown = |shows: &BTreeMap<Arc<str>, Arc<str>>| {
            paths.iter().filter_map(|path| shows.get(path.as_str()).cloned()).collect::<Vec<_>>()
        };
        for field in shown(&facts.shows) {
            self.uses(&row.step(&field), Use::Value);
        }
        let (Some(read), Some(through)) = (&target.through, &facts.through) else { return };
        self.uses(&row.step(&through.by), Use::Value);
        for further in self.rows(read) {
            for field in shown(&through.shows).iter().chain([&through.key]) {
                self.uses(&further.step(field), Use::Value);
            }
        }
    }

    fn line(&mut self, line: &LineCode) {
        match line {
            LineCode::Guard(guard) => self.guard(guard),
            LineCode::Ensure(number) => self.ensure_of(*number),
            LineCode::Field(_, value, _) => self.whole(value),
            LineCode::Object { when, lines, .. } => {
                if let Some(when) = when {
                    self.sees(when);
                }
                for line in lines {
                    self.line(line);
                }
            }
            LineCode::Each(_, each) => self.each(each, Self::line),
        }
    }

    /// A search with the row that it gives.
    fn search(&mut self, search: &Search) -> Stands {
        let number = self.lowered.reads.iter().position(|read| Arc::ptr_eq(read, &search.read));
        let row = number.map_or_else(Stands::default, |number| Stands::at(Origin::Read(number)));
        let mut asked = search.filter.paths();
        asked.extend(search.by.iter().map(|(path, _)| path.clone()));
        for path in asked {
            self.uses(&row.step(&path), Use::Value);
        }
        self.bind(search.row, &row);
        search.each_code(&mut |code| self.sees(code));
        row
    }

    /// An expression whose value matters.
    fn sees(&mut self, code: &Code) {
        let stands = self.code(code);
        self.uses(&stands, Use::Presence);
    }

    /// An expression that is kept or compared as it is.
    fn whole(&mut self, code: &Code) {
        let stands = self.code(code);
        self.uses(&stands, Use::Whole);
    }

    /// What an expression may stand for, its own looks noted.
    fn code(&mut self, code: &Code) -> Stands {
        match code {
            Code::Slot(var) => self.var(*var),
            Code::Field(of, field) => {
                let stands = self.code(of).step(field.name());
                if matches!(field.holds, Holds::Value | Holds::Values) {
                    self.uses(&stands, Use::Value);
                    return Stands::default();
                }
                stands
            }
            Code::Must(of, ..) | Code::Fits(of, _) => {
                let stands = self.code(of);
                self.uses(&stands, Use::Presence);
                stands
            }
            Code::Default(pair) => {
                let mut stands = self.code(&pair.0);
                self.uses(&stands, Use::Presence);
                stands.join(&self.code(&pair.1));
                stands
            }
            Code::Choose(arms, last, _) => {
                let mut stands = Stands::default();
                for (when, value) in arms {
                    self.sees(when);
                    stands.join(&self.code(value));
                }
                if let Some(last) = last {
                    stands.join(&self.code(last));
                }
                stands
            }
            Code::List(items) => {
                let mut stands = Stands::default();
                for item in items {
                    stands.join(&self.code(item));
                }
                stands
            }
            Code::Loop(each) => {
                let list = self.code(&each.list);
                self.uses(&list, Use::Presence);
                self.bind(each.var, &list);
                each.when.iter().for_each(|when| self.sees(when));
                self.code(&each.item)
            }
            Code::Record(record) => {
                let fields = record.shape.names.iter().zip(&record.values);
                let made = fields.map(|(name, value)| (name.clone(), self.code(value))).collect();
                Stands { places: BTreeSet::new(), made }
            }
            Code::Is(pair) | Code::Matches(pair) | Code::In(pair) => {
                let blank = [&pair.0, &pair.1].iter().any(|side| side.constant().is_some());
                for side in [&pair.0, &pair.1] {
                    let stands = self.code(side);
                    self.uses(&stands, if blank { Use::Presence } else { Use::Whole });
                }
                Stands::default()
            }
            Code::Function(call) => {
                let mut stands = Stands::default();
                for arg in &call.args {
                    if let Arg::Value(code, _) = arg {
                        stands.join(&self.code(code));
                    }
                }
                for arg in &call.args {
                    if let Arg::Columns(columns) = arg {
                        for column in columns {
                            self.uses(&stands.step(column), Use::Value);
                        }
                    }
                }
                // Equal elements are told by everything in them.
                let all = if call.function.name == "distinct" { Use::Whole } else { Use::Presence };
                self.uses(&stands, all);
                stands
            }
            Code::Define(define, args) => {
                let args: Vec<Stands> = args.iter().map(|arg| self.code(arg)).collect();
                let lowered = self.lowered;
                let Some(Some(code)) = lowered.defines.get(define.0 as usize) else { return Stands::default() };
                for (param, arg) in code.params.iter().zip(&args) {
                    self.bind(*param, arg);
                }
                if let Some(known) = self.seen_defines.get(define) {
                    return known.clone();
                }
                let result = self.code(&code.body);
                self.seen_defines.insert(*define, result.clone());
                result
            }
            Code::Exists(search) => {
                self.search(search);
                Stands::default()
            }
            Code::Table(call) => {
                call.args.iter().for_each(|arg| self.sees(arg));
                Stands::default()
            }
            _ => {
                let mut children = Vec::new();
                code.each_child(&mut |child| children.push(child));
                for child in children {
                    self.sees(child);
                }
                Stands::default()
            }
        }
    }

    fn var(&mut self, var: VarId) -> Stands {
        let lowered = self.lowered;
        if self.seen_vars.insert(var) {
            match lowered.definition(var) {
                Definition::Bound => {}
                Definition::Let(code) => {
                    let stands = self.code(code);
                    self.bind(var, &stands);
                }
                Definition::Find(find) => {
                    let row = self.search(&find.search);
                    self.bind(var, &row);
                }
                Definition::Ensure(number) => {
                    if let Some(ensure) = lowered.ensures.get(*number) {
                        self.ensure(ensure);
                    }
                }
            }
        }
        self.vars.get(&var).cloned().unwrap_or_default()
    }

    fn bind(&mut self, var: VarId, stands: &Stands) {
        let own = self.vars.entry(var).or_default();
        let before = own.clone();
        own.join(stands);
        self.changed |= *own != before;
    }

    fn uses(&mut self, stands: &Stands, how: Use) {
        for (origin, path) in &stands.places {
            // That a row is there is known without a field of it.
            if !(path.is_empty() && how == Use::Presence) {
                self.changed |= self.uses.insert((*origin, path.clone(), how));
            }
        }
        if how == Use::Whole {
            for made in stands.made.values() {
                self.uses(made, how);
            }
        }
    }

    /// The paths of an origin, sorted, none within another.
    fn paths(&self, origin: Origin, entity: &Entity, always: &[Arc<str>]) -> Fields {
        let Some(object) = entity.read.as_ref().map(|read| &read.object) else { return Arc::from([]) };
        let mut paths: BTreeSet<String> = always.iter().map(ToString::to_string).collect();
        let own = || self.uses.iter().filter(|(own, path, _)| *own == origin && is_path(object, path));
        paths.extend(own().filter(|(.., how)| *how != Use::Presence).map(|(_, path, _)| path.clone()));
        // A conflict is an edit with something to write.
        if paths.contains("conflict") && object.field("edited").is_some() {
            paths.insert("edited".to_owned());
        }
        if paths.remove("") {
            paths.extend(object.fields.keys().map(ToString::to_string));
        }
        for (_, path, _) in own().filter(|(.., how)| *how == Use::Presence) {
            let within = format!("{path}.");
            if !paths.iter().any(|other| other.starts_with(&within)) {
                paths.insert(path.clone());
            }
        }
        let all: Vec<Arc<str>> =
            paths.iter().filter(|path| !within_another(path, &paths)).map(|path| path.as_str().into()).collect();
        all.into()
    }
}

/// Is something that an update of these lines sends shown one step further only?
pub(super) fn shown_through(entity: &Entity, lines: &[LineCode]) -> bool {
    let Some(through) = entity.write.as_ref().and_then(|facts| facts.through.as_ref()) else { return false };
    let mut paths = Vec::new();
    updated(lines, "", &mut paths);
    paths.iter().any(|path| through.shows.contains_key(path.as_str()))
}

/// The paths that lines write in an update, line objects left out.
fn updated(lines: &[LineCode], above: &str, into: &mut Vec<String>) {
    let path = |name: &str| if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
    for line in lines {
        match line {
            LineCode::Field(name, _, policy) if stands(*policy, Action::Update) => into.push(path(name)),
            LineCode::Object { name, lines, repeats: false, policy, .. } if stands(*policy, Action::Update) => {
                updated(lines, &path(name), into);
            }
            LineCode::Field(..)
            | LineCode::Object { .. }
            | LineCode::Each(..)
            | LineCode::Guard(_)
            | LineCode::Ensure(_) => {}
        }
    }
}

/// Is a path to an object around it in the list too? That means all of it.
fn within_another(path: &str, paths: &BTreeSet<String>) -> bool {
    path.match_indices('.').any(|(end, _)| path.get(..end).is_some_and(|around| paths.contains(around)))
}

/// Does the object have this path? Functions give records with fields that nothing was read for.
fn is_path(object: &Object, path: &str) -> bool {
    if path.is_empty() {
        return true;
    }
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    match (object.field(first), rest) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(field), Some(rest)) => inner(&field.ty).is_some_and(|inner| is_path(inner, rest)),
    }
}

fn inner(ty: &Ty) -> Option<&Object> {
    match &ty.kind {
        Kind::Record(object) => Some(object),
        Kind::List(of) => inner(of),
        _ => None,
    }
}

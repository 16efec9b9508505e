//! Lays the facts over the schemas: texts of `stdlib/<system>/` become a [`System`].
//!
//! Takes schema texts and `facts.toml`, gives entities with types, forms and write facts. Promises that no fact is
//! without effect: a rule for an object or a field that does not exist is an error, so facts cannot rot.

mod correct;

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use indexmap::IndexMap;

use super::{
    Answer, Balance, ChangeClass, Code, CodeTable, Derived, Entity, Field, Form, Kind, ListWord, Object, OwnNumber,
    Privacy, ReadFacts, Recognise, SchemaError, Stamp, System, Test, Through, Ty, WriteClass, WriteFacts,
    compact::{self, Presence, RawField},
    facts::{Class, CodesForm, DerivedRule, Facts, FieldRule, ReadRule, TestRule, WriteRule},
};

/// A system from its parts: file names (`FbSales.schema`) with their texts, and the facts.
pub(super) fn system(name: &str, schemas: &[(&str, &str)], facts: &str) -> Result<System, SchemaError> {
    let file = format!("stdlib/{name}/facts.toml");
    let facts = Facts::parse(&file, facts)?;
    let loader = Loader {
        system: name,
        facts: &facts,
        rules: facts.by_object(),
        used: RefCell::default(),
        codes: RefCell::default(),
    };
    let mut raws = BTreeMap::new();
    for (file, text) in schemas {
        raws.insert(file.trim_end_matches(".schema"), compact::parse(&format!("stdlib/{name}/schema/{file}"), text)?);
    }
    if let Some(surplus) = facts.entities.keys().find(|entity| !raws.contains_key(entity.as_str())) {
        return Err(SchemaError(format!("{file}: there is no schema of {surplus}")));
    }
    let writes = loader.writes(&raws)?;
    let shown = loader.shown(&writes)?;
    let mut entities = BTreeMap::new();
    for (entity, raw) in &raws {
        let rule = loader.entity(entity)?;
        let read = match (&raw.read, &rule.read) {
            (Some(fields), Some(rule)) => Some(loader.read(entity, fields, rule, &writes, &shown)?),
            (None, None) => None,
            _ => return Err(SchemaError(format!("{file}: `read` of {entity} disagrees with its schema"))),
        };
        let name: Arc<str> = (*entity).into();
        entities.insert(name.clone(), (read, rule.label.as_str(), name));
    }
    let mut writes = writes;
    let entities: BTreeMap<_, _> = entities
        .into_iter()
        .map(|(key, (read, label, name))| {
            let write = writes.remove(&*name);
            (key, Arc::new(Entity { system: loader.system.into(), name, label: label.into(), read, write }))
        })
        .collect();
    let objects = loader.objects(&entities)?;
    loader.all_used(&file)?;
    Ok(System { name: name.into(), title: facts.title.as_str().into(), entities, objects })
}

/// A body is made, or changed; rows are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Read,
    Create,
    Update,
}

struct Loader<'a> {
    system: &'a str,
    facts: &'a Facts,
    rules: HashMap<&'a str, HashMap<&'a str, Vec<usize>>>,
    used: RefCell<HashSet<(&'a str, &'a str)>>,
    /// Code tables stand in many places with the same codes: kept once.
    codes: RefCell<HashMap<Codes, Arc<CodeTable>>>,
}

/// Codes with their labels, and whether the table is open.
type Codes = (Vec<(String, String)>, bool);

/// Written fields, by read entity and the field of it that shows them.
type Shown = HashMap<String, HashMap<Arc<str>, Arc<Field>>>;

impl<'a> Loader<'a> {
    fn wrong(&self, text: impl std::fmt::Display) -> SchemaError {
        SchemaError(format!("stdlib/{}/facts.toml: {text}", self.system))
    }

    fn entity(&self, name: &str) -> Result<&'a super::facts::EntityFacts, SchemaError> {
        self.facts.entities.get(name).ok_or_else(|| self.wrong(format!("nothing is said of {name}")))
    }

    /// The bodies of all written entities.
    fn writes(&self, raws: &BTreeMap<&str, compact::Raw<'_>>) -> Result<BTreeMap<String, WriteFacts>, SchemaError> {
        let mut out = BTreeMap::new();
        for (entity, raw) in raws {
            let (fields, rule) = match (&raw.write, &self.entity(entity)?.write) {
                (Some(fields), Some(rule)) => (fields, rule),
                (None, None) => continue,
                _ => return Err(self.wrong(format!("`write` of {entity} disagrees with its schema"))),
            };
            out.insert((*entity).to_owned(), self.write(entity, raw.root.unwrap_or(entity), fields, rule)?);
        }
        Ok(out)
    }

    fn write(
        &self,
        entity: &str,
        root: &str,
        fields: &[RawField<'_>],
        rule: &WriteRule,
    ) -> Result<WriteFacts, SchemaError> {
        let label = &self.entity(entity)?.label;
        let body = |mode: Mode| {
            let there = fields.iter().any(|field| presence(field, mode) != Presence::Absent);
            there.then(|| self.object(entity, entity, label, fields, mode)).transpose()
        };
        let (mut create, mut update) = (body(Mode::Create)?, body(Mode::Update)?);
        if let (Some(key), Some(object)) = (&rule.address_key, update.as_mut().or(create.as_mut())) {
            let mut fields = with_key(key);
            fields.extend(object.fields.iter().map(|(name, field)| (name.clone(), field.clone())));
            *object = Arc::new(Object { path: object.path.clone(), label: object.label.clone(), fields });
        }
        let answered = rule.answer.iter().filter(|key| update.as_ref().is_some_and(|object| object.at(key).is_some()));
        let stated = if rule.update_key.is_empty() { rule.address_key.as_slice() } else { &rule.update_key };
        let update_key: Vec<Arc<str>> = match answered.map(|key| key.as_str().into()).next() {
            Some(key) => vec![key],
            None => arcs(stated),
        };
        if let Some(object) = &update {
            let mut fields = object.fields.clone();
            for key in &update_key {
                let field = fields
                    .get_mut(key)
                    .ok_or_else(|| self.wrong(format!("{entity} has no field {key} to update by")))?;
                Arc::make_mut(field).required = true;
            }
            if update_key.is_empty() {
                return Err(self.wrong(format!("an update of {entity} does not say which one it changes")));
            }
            update = Some(Arc::new(Object { path: object.path.clone(), label: object.label.clone(), fields }));
        }
        let known = |path: &str| {
            let found = [&create, &update].into_iter().flatten().any(|object| object.at(path).is_some());
            if found { Ok(()) } else { Err(self.wrong(format!("{entity} has no field {path} to write"))) }
        };
        let pairs = rule.compare.iter().chain(&rule.also).map(|(written, _)| written);
        let through = rule.through.iter().flat_map(|through| through.shows.keys());
        let shown = rule.shows.keys().chain(through);
        for path in [&rule.own_number, &rule.reference].into_iter().flatten().chain(pairs).chain(shown) {
            known(path)?;
        }
        for side in
            rule.balance.iter().flat_map(|balance| [&balance.debit, &balance.credit].map(|side| (balance, side)))
        {
            known(&format!("{}.{}", side.0.lines, side.1))?;
        }
        Ok(WriteFacts {
            root: root.into(),
            create,
            update,
            update_key,
            answer: rule.answer.as_deref().map_or(Answer::None, |key| Answer::Key(key.into())),
            class: match rule.class {
                Class::Document => WriteClass::Document,
                Class::Master => WriteClass::Master,
            },
            family: rule.family.as_deref().map(|family| (family.into(), arcs(&rule.family_key))),
            recognise: Recognise {
                own_number: rule.own_number.as_deref().map(|field| OwnNumber {
                    field: field.into(),
                    read: rule.own_number_read.as_deref().map(Into::into),
                }),
                entity: rule.ask.as_deref().map(Into::into),
                compare: pair_arcs(&rule.compare),
                also: pair_arcs(&rule.also),
                sign: rule.sign.as_ref().map(|sign| (sign.field.as_str().into(), sign.is.as_str().into())),
                key: rule.key.as_deref().map(Into::into),
                reference: rule.reference.as_deref().map(Into::into),
                exists_text: rule.exists_text.as_deref().map(Into::into),
                nothing: rule.nothing_recognises,
            },
            shown_by: rule.shown_by.as_deref().map(Into::into),
            shows: map_arcs(&rule.shows),
            through: rule.through.as_ref().map(|through| Through {
                read: through.read.as_str().into(),
                by: through.by.0.as_str().into(),
                key: through.by.1.as_str().into(),
                shows: map_arcs(&through.shows),
            }),
            replaces_lists: rule.replaces_lists,
            balance: rule.balance.as_ref().map(|balance| Balance {
                lines: balance.lines.as_str().into(),
                debit: balance.debit.as_str().into(),
                credit: balance.credit.as_str().into(),
            }),
        })
    }

    /// For each read entity the written fields that its fields show.
    fn shown(&self, writes: &BTreeMap<String, WriteFacts>) -> Result<Shown, SchemaError> {
        let mut out: Shown = HashMap::new();
        for (entity, write) in writes {
            let own = write.shown_by.iter().map(|by| (by, &write.shows));
            let further = write.through.iter().map(|through| (&through.read, &through.shows));
            for (by, shows) in own.chain(further) {
                if self.facts.entities.get(&**by).is_none_or(|facts| facts.read.is_none()) {
                    return Err(self.wrong(format!("{entity} is shown by {by}, which cannot be read")));
                }
                let fields = out.entry(by.to_string()).or_default();
                for (written, read) in shows {
                    let body = write.create.as_ref().or(write.update.as_ref());
                    if let Some(field) = body.and_then(|body| body.at(written)) {
                        fields.entry(read.clone()).or_insert_with(|| field.clone());
                    }
                }
            }
        }
        Ok(out)
    }

    fn read(
        &self,
        entity: &str,
        raw: &[RawField<'_>],
        rule: &ReadRule,
        writes: &BTreeMap<String, WriteFacts>,
        shown: &Shown,
    ) -> Result<ReadFacts, SchemaError> {
        let base = self.object(entity, entity, &self.entity(entity)?.label, raw, Mode::Read)?;
        let mut fields = rule.address_key.as_deref().map(with_key).unwrap_or_default();
        fields.extend(base.fields.iter().map(|(name, field)| (name.clone(), field.clone())));
        let written = shown.get(entity);
        for (name, field) in written.into_iter().flatten() {
            let own =
                fields.get_mut(name).ok_or_else(|| self.wrong(format!("{entity} has no field {name} to show")))?;
            *own = Arc::new(as_written(own, field));
        }
        for (object, rules) in &self.rules {
            if *object != entity {
                continue;
            }
            for (name, places) in rules {
                let like = places.iter().filter_map(|place| self.facts.fields.get(*place)?.like.as_deref()).next_back();
                let Some(like) = like else { continue };
                let (other, path) = like.split_once('.').unwrap_or((like, ""));
                let body = writes.get(other).and_then(|write| write.create.as_ref().or(write.update.as_ref()));
                let Some(field) = body.and_then(|body| body.at(path)) else {
                    return Err(self.wrong(format!("{entity}.{name} is like {like}, which does not exist")));
                };
                if let Some(own) = fields.values_mut().find(|own| &*own.wire == *name) {
                    *own = Arc::new(as_written(own, field));
                }
            }
        }
        for derived in &rule.derived {
            let field = self.derived(derived, &fields)?;
            fields.insert(field.name.clone(), Arc::new(field));
        }
        if written.is_some() || writes.contains_key(entity) {
            for (name, label) in [
                ("edited", "changed at the target since koppel wrote it"),
                ("conflict", "changed at the target while koppel has something to write"),
            ] {
                let derived = Some(Derived { words: Vec::new(), parameter: None });
                let field = Field::plain(name.into(), Ty::new(Kind::Bool).or_blank());
                fields.insert(name.into(), Arc::new(Field { label: label.into(), derived, ..field }));
            }
        }
        let named = rule.keys.iter().flatten().chain(&rule.blocked).chain(rule.filters.iter().flatten());
        let steps = writes.values().filter_map(|write| {
            let through = write.through.as_ref()?;
            let from = (write.shown_by.as_deref() == Some(entity)).then_some(&through.by);
            from.or((*through.read == *entity).then_some(&through.key))
        });
        for name in steps {
            if !fields.contains_key(name) {
                return Err(self.wrong(format!("{entity} has no field {name} to step through")));
            }
        }
        for name in named.chain(rule.stamp.iter().flat_map(|stamp| stamp.misses.iter().chain([&stamp.field]))) {
            if !fields.contains_key(name.as_str()) {
                return Err(self.wrong(format!("{entity} has no field {name} to read")));
            }
        }
        let stamp = rule.stamp.as_ref().map(|stamp| Stamp {
            field: stamp.field.as_str().into(),
            moves: stamp.moves,
            misses: if stamp.moves {
                arcs(&stamp.misses)
            } else {
                fields
                    .values()
                    .filter(|field| field.change != ChangeClass::Once)
                    .map(|field| field.name.clone())
                    .collect()
            },
        });
        let filters = match &rule.filters {
            Some(filters) => arcs(filters),
            None => fields.values().filter(|field| field.derived.is_none()).map(|field| field.name.clone()).collect(),
        };
        Ok(ReadFacts {
            object: Arc::new(Object { path: base.path.clone(), label: base.label.clone(), fields }),
            keys: rule.keys.iter().map(|key| arcs(key)).collect(),
            single: rule.single,
            stamp,
            blocked: rule.blocked.as_deref().map(Into::into),
            filters,
        })
    }

    fn derived(&self, rule: &DerivedRule, fields: &IndexMap<Arc<str>, Arc<Field>>) -> Result<Field, SchemaError> {
        let known = |name: &str| match fields.get(name) {
            Some(field) => Ok(field.name.clone()),
            None => Err(self.wrong(format!("{} tests {name}, which is no field", rule.name))),
        };
        let mut words = Vec::new();
        for word in &rule.words {
            let tests = word.when.iter().map(|test| {
                Ok(match test {
                    TestRule::Is(field, text) => Test::Is(known(field)?, text.as_str().into()),
                    TestRule::Zero(field) => Test::Zero(known(field)?),
                    TestRule::NotZero(field) => Test::NotZero(known(field)?),
                    TestRule::Past(field) => Test::Past(known(field)?),
                    TestRule::Empty(field) => Test::Empty(known(field)?),
                })
            });
            let when = tests.collect::<Result<_, SchemaError>>()?;
            words.push(ListWord { word: word.word.as_str().into(), when, left: word.left });
        }
        let names: Arc<[Arc<str>]> = words.iter().map(|word| word.word.clone()).collect();
        Ok(Field {
            label: rule.label.as_str().into(),
            derived: Some(Derived { words, parameter: rule.parameter.as_deref().map(Into::into) }),
            ..Field::plain(rule.name.as_str().into(), Ty::new(Kind::Words(names)))
        })
    }

    /// Sub-objects with a name of their own.
    fn objects(
        &self,
        entities: &BTreeMap<Arc<str>, Arc<Entity>>,
    ) -> Result<BTreeMap<Arc<str>, Arc<Object>>, SchemaError> {
        let mut out = BTreeMap::new();
        for (name, place) in &self.facts.objects {
            let (entity, path) = place.split_once('.').unwrap_or((place, ""));
            let body = entities.get(entity).and_then(|entity| entity.write.as_ref()?.create.as_ref());
            let object = body.and_then(|body| body.at(path)?.ty.object().cloned());
            let object = object.ok_or_else(|| self.wrong(format!("object {name} is not at {place}")))?;
            let path = format!("{}.{name}", self.system).into();
            let named = Object { path, label: object.label.clone(), fields: object.fields.clone() };
            out.insert(name.as_str().into(), Arc::new(named));
        }
        Ok(out)
    }

    /// Every rule must have met each object and field that it names.
    fn all_used(&self, file: &str) -> Result<(), SchemaError> {
        let used = self.used.borrow();
        let mut idle: Vec<_> = self
            .rules
            .iter()
            .flat_map(|(object, names)| names.keys().map(move |name| (*object, *name)))
            .filter(|rule| !used.contains(rule))
            .map(|(object, name)| format!("{object}.{name}"))
            .collect();
        idle.sort();
        if idle.is_empty() { Ok(()) } else { Err(SchemaError(format!("{file}: no such field: {}", idle.join(", ")))) }
    }

    /// `flow` and `wire` are the object's path in the two spellings, without the system.
    fn object(
        &self,
        flow: &str,
        wire: &str,
        label: &str,
        raw: &[RawField<'_>],
        mode: Mode,
    ) -> Result<Arc<Object>, SchemaError> {
        let mut fields = IndexMap::with_capacity(raw.len());
        for raw in raw.iter().filter(|raw| presence(raw, mode) != Presence::Absent) {
            let field = self.field(flow, wire, raw, mode)?;
            fields.insert(field.name.clone(), Arc::new(field));
        }
        for field in fields.values() {
            if let Some(other) = field.needed.iter().find(|condition| !fields.contains_key(&condition.field)) {
                return Err(self.wrong(format!("{wire}.{} hangs on {}, which is no field", field.name, other.field)));
            }
        }
        let needed = fields.values().flat_map(|field| &field.needed);
        let deciding: Vec<Arc<str>> = needed.map(|condition| condition.field.clone()).collect();
        for name in deciding {
            if let Some(field) = fields.get_mut(&name) {
                Arc::make_mut(field).decides = true;
            }
        }
        Ok(Arc::new(Object { path: format!("{}.{flow}", self.system).into(), label: label.into(), fields }))
    }

    fn field(&self, flow: &str, wire: &str, raw: &RawField<'_>, mode: Mode) -> Result<Field, SchemaError> {
        let rules = self.rules_of(wire, raw.name);
        let name: Arc<str> = rules.iter().rev().find_map(|rule| rule.name.as_deref()).unwrap_or(raw.name).into();
        let wire_name = if *name == *raw.name { name.clone() } else { raw.name.into() };
        let privacy = match raw.ty {
            "email" | "phone" | "url" => Privacy::Personal,
            "memo" => Privacy::FreeText,
            _ => Privacy::Plain,
        };
        let (kind, form) = self.plain(raw, flow, &name, wire, mode)?;
        let mut field = Field {
            wire: wire_name,
            label: raw.label.into(),
            form,
            privacy,
            required: presence(raw, mode) == Presence::Required && mode != Mode::Read,
            ..Field::plain(name, Ty::new(kind))
        };
        match raw.ty {
            "number" => field.decimals = raw.size,
            _ => field.ty.max = raw.size,
        }
        for rule in &rules {
            self.correct(&mut field, rule, mode);
        }
        if !raw.codes.is_empty() {
            let open = rules.iter().any(|rule| rule.open);
            match self.facts.wire.codes {
                CodesForm::Table => field.ty.codes = Some(self.code_table(raw, open)),
                CodesForm::Words => {
                    field.ty.kind = Kind::OneOf(raw.codes.iter().map(|(code, _)| Arc::from(*code)).collect());
                }
            }
        }
        if mode == Mode::Read && !rules.iter().any(|rule| rule.always) {
            field.ty = field.ty.or_blank();
        }
        Ok(field)
    }

    /// Kind and form as the vendor has them.
    fn plain(
        &self,
        raw: &RawField<'_>,
        flow: &str,
        name: &str,
        wire: &str,
        mode: Mode,
    ) -> Result<(Kind, Form), SchemaError> {
        let object = || {
            let (flow, wire) = (format!("{flow}.{name}"), format!("{wire}.{}", raw.name));
            let label = if raw.label.is_empty() { raw.name } else { raw.label };
            Ok(Kind::Record(self.object(&flow, &wire, label, &raw.fields, mode)?))
        };
        Ok(match raw.ty {
            "text" | "phone" | "url" | "guid" | "memo" => (Kind::Text, Form::Plain),
            "email" => (Kind::Email, Form::Plain),
            "int" => (Kind::Int, Form::Plain),
            "number" => (Kind::Decimal, self.number(None)),
            "bool" => (Kind::Bool, Form::Plain),
            "date" => (Kind::Date, Form::Plain),
            "datetime" => (Kind::DateTime, self.time()),
            "money" => (Kind::Money, self.money(None)),
            "texts" => (Kind::List(Box::new(Ty::new(Kind::Text))), Form::Plain),
            "object" => (object()?, Form::Plain),
            "objects" => (Kind::List(Box::new(Ty::new(object()?))), Form::Plain),
            other => return Err(SchemaError(format!("{}.{flow}.{name}: no such type: {other}", self.system))),
        })
    }

    /// The rules for a field, those for the shorter path first.
    fn rules_of(&self, wire: &str, name: &str) -> Vec<&'a FieldRule> {
        let ends = wire.rmatch_indices('.').map(|(place, _)| wire.get(place + 1..).unwrap_or_default()).chain([wire]);
        let mut out = Vec::new();
        for end in ends {
            let Some((object, names)) = self.rules.get_key_value(end) else { continue };
            for name in ["*", name] {
                let Some((name, places)) = names.get_key_value(name) else { continue };
                self.used.borrow_mut().insert((object, name));
                out.extend(places.iter().filter_map(|place| self.facts.fields.get(*place)));
            }
        }
        out
    }

    fn code_table(&self, raw: &RawField<'_>, open: bool) -> Arc<CodeTable> {
        let codes: Vec<_> = raw.codes.iter().map(|(code, label)| ((*code).to_owned(), (*label).to_owned())).collect();
        let mut kept = self.codes.borrow_mut();
        let table = kept.entry((codes, open)).or_insert_with_key(|(codes, open)| {
            let codes =
                codes.iter().map(|(code, label)| Code { code: code.as_str().into(), label: label.as_str().into() });
            Arc::new(CodeTable { codes: codes.collect(), open: *open })
        });
        table.clone()
    }
}

/// A read field with the length and the codes of the written field that it shows.
fn as_written(own: &Field, written: &Field) -> Field {
    let mut ty = own.ty.clone();
    if ty.is_texty() {
        ty.max = ty.max.or(written.ty.max);
        ty.codes = ty.codes.or_else(|| written.ty.codes.clone());
    }
    Field { ty, ..own.clone() }
}

fn presence(field: &RawField<'_>, mode: Mode) -> Presence {
    match mode {
        Mode::Read | Mode::Create => field.create,
        Mode::Update => field.update,
    }
}

fn arcs(texts: &[String]) -> Vec<Arc<str>> {
    texts.iter().map(|text| text.as_str().into()).collect()
}

/// Fields that begin with the one that stands in the address.
fn with_key(key: &str) -> IndexMap<Arc<str>, Arc<Field>> {
    let key: Arc<str> = key.into();
    let field = Field { required: true, ..Field::plain(key.clone(), Ty::new(Kind::Text)) };
    [(key, Arc::new(field))].into_iter().collect()
}

fn map_arcs(pairs: &BTreeMap<String, String>) -> BTreeMap<Arc<str>, Arc<str>> {
    pairs.iter().map(|(a, b)| (a.as_str().into(), b.as_str().into())).collect()
}

fn pair_arcs(pairs: &[(String, String)]) -> Vec<(Arc<str>, Arc<str>)> {
    pairs.iter().map(|(a, b)| (a.as_str().into(), b.as_str().into())).collect()
}

//! Rows in memory for both sides, and records that are a little different each time.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;
use koppel::{
    check::typed::{Expr, Given, GivenField, GivenFields, Program},
    eval::{Left, Remembered},
    schema::{Catalog, Kind, Object, Projection, Ty, decode_sample},
    value::{Ask, Currency, Decimal, EntityName, Money, Node, Record, Shape, Value},
};

/// Whole rows by entity, and what koppel left in the fields of targets.
#[derive(Debug, Clone, Default)]
pub(super) struct World(pub(super) BTreeMap<EntityName, Vec<Record>>, BTreeMap<(EntityName, String, String), Node>);

impl Left for World {
    fn compare(&self, entity: &EntityName, key: &Value, path: &str, node: &Node) -> Remembered {
        match self.left(entity, key, path) {
            None => Remembered::Never,
            Some(left) if left == node => Remembered::Same,
            Some(_) => Remembered::Different,
        }
    }
}

impl World {
    /// What koppel last left in a field.
    pub(super) fn left(&self, entity: &EntityName, key: &Value, path: &str) -> Option<&Node> {
        self.1.get(&(entity.clone(), key.to_string(), path.to_owned()))
    }

    /// As if koppel had written some of the items, debtors and customers: what they show, or something else.
    pub(super) fn remember(&mut self, texts: &[Value], picks: &mut Picks<'_>) {
        for (role, written) in [("afas", "FbItemArticle"), ("afas", "KnSalesRelationOrg"), ("jortt", "customers")] {
            let entity = Catalog::standard().unwrap().entity(role, written).unwrap();
            let facts = entity.write.as_ref().unwrap();
            let name = |entity: &str| EntityName { role: role.into(), entity: entity.into() };
            let (shown, key) = (name(facts.shown_by.as_ref().unwrap()), facts.shown_key().unwrap());
            for row in self.0.get(&shown).into_iter().flatten() {
                let behind = facts.through.iter().flat_map(|through| {
                    let rows = self.0.get(&name(&through.read)).into_iter().flatten();
                    let behind = rows.filter(|behind| behind.path(&through.key) == row.path(&through.by));
                    behind.flat_map(|behind| through.shows.iter().map(move |shown| (behind, shown)))
                });
                for (row_of, (path, read)) in facts.shows.iter().map(|shown| (row, shown)).chain(behind) {
                    let value = match picks.of(4) {
                        0 => continue,
                        1 => picks.one(texts).clone(),
                        _ => row_of.path(read).clone(),
                    };
                    let place = (name(written), row.path(key).to_string(), path.to_string());
                    self.1.insert(place, Node::Value(value));
                }
            }
        }
    }

    /// The rows of an entity.
    pub(super) fn rows(&self, entity: &EntityName) -> &[Record] {
        self.0.get(entity).map_or(&[], Vec::as_slice)
    }

    /// The rows that an ask finds, with nothing but the fields that it names.
    pub(super) fn answer(&self, ask: &Ask) -> Arc<[Record]> {
        let projection = Projection::new(&object(&ask.entity), &ask.fields);
        self.rows(&ask.entity)
            .iter()
            .filter(|row| ask.filter.matches(row))
            .map(|row| project(row, &projection))
            .collect()
    }
}

/// The read object of an entity; a role is the system of the same name.
pub(crate) fn object(entity: &EntityName) -> Arc<Object> {
    let entity = Catalog::standard().unwrap().entity(&entity.role, &entity.entity).unwrap();
    entity.read.as_ref().unwrap().object.clone()
}

/// The record as a real read would have decoded it.
pub(crate) fn project(record: &Record, projection: &Projection) -> Record {
    let below = |value: &Value, child: &Projection| match value {
        Value::Record(record) => Value::Record(project(record, child)),
        other => other.clone(),
    };
    let values = projection.shape().names.iter().map(|name| match (projection.child(name), record.get(name)) {
        (Some(child), Value::List(items)) => Value::List(items.iter().map(|item| below(item, child)).collect()),
        (Some(child), value) => below(value, child),
        (None, value) => value.clone(),
    });
    Record::new(projection.shape().clone(), values.collect())
}

/// What a test gives: the record, and the rows of the systems.
pub(super) fn given(
    program: &Program,
    givens: &[Given],
    today: Date,
    constant: &dyn Fn(&Expr) -> Value,
) -> (Option<Record>, World) {
    let mut world = World::default();
    let mut record = None;
    let rows = |name: &EntityName, json: serde_json::Value| {
        let rows = match json {
            serde_json::Value::Array(rows) => rows,
            row => vec![row],
        };
        rows.iter().map(|row| decode_sample(&object(name), row, today).unwrap()).collect::<Vec<_>>()
    };
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    for given in givens {
        match given {
            // What is given behind the writes is not for the first stage, and the twin decides no other.
            Given::Setting(..) | Given::Today(_) | Given::After { .. } => {}
            Given::Record { sample, fields, .. } => {
                let name = &program.source.as_ref().unwrap().name;
                let base = rows(name, sample.as_ref().map_or_else(|| serde_json::json!({}), |text| parse(text)));
                let made = replaced(&base[0], &object(name), fields, constant);
                record = Some(with_words(&made, &object(name), today, fields));
            }
            Given::System { role, sample, .. } => {
                for (entity, json) in parse(sample).as_object().unwrap() {
                    let name = EntityName { role: role.clone(), entity: entity.as_str().into() };
                    world.0.insert(name.clone(), rows(&name, json.clone()));
                }
            }
            Given::Entity { name, sample, .. } => {
                let rows = sample.as_ref().map_or_else(Vec::new, |text| rows(name, parse(text)));
                world.0.insert(name.clone(), rows);
            }
            Given::Row { name, fields, .. } => {
                let base = rows(name, serde_json::json!({}));
                let row = replaced(&base[0], &object(name), fields, constant);
                world.0.entry(name.clone()).or_default().push(with_words(&row, &object(name), today, fields));
            }
        }
    }
    (record, world)
}

fn replaced(record: &Record, object: &Object, fields: &GivenFields, constant: &dyn Fn(&Expr) -> Value) -> Record {
    let mut values: Vec<(Arc<str>, Value)> = record.iter().map(|(name, value)| (name.into(), value.clone())).collect();
    let mut begun = Vec::new();
    let mut put = |name: &Arc<str>, change: &mut dyn FnMut(&Value) -> Value| {
        let at = values.iter().position(|(own, _)| own == name).unwrap_or_else(|| {
            values.push((name.clone(), Value::Blank));
            values.len() - 1
        });
        values[at].1 = change(&values[at].1);
    };
    for field in &fields.0 {
        match field {
            GivenField::Value(path, expr) => {
                let (first, rest) = path.split_first().unwrap();
                put(first, &mut |old| set(old, rest, &constant(expr)));
            }
            GivenField::Object(name, inner) => {
                let field = object.field(name).unwrap();
                let element = field.ty.object().unwrap();
                let is_list = matches!(field.ty.kind, Kind::List(_));
                let first = !begun.contains(&name);
                begun.push(name);
                put(name, &mut |old| {
                    let base = match old {
                        Value::Record(record) if !is_list => record.clone(),
                        _ => decode_sample(element, &serde_json::json!({}), Date::MIN).unwrap(),
                    };
                    let made = Value::Record(replaced(&base, element, inner, constant));
                    let kept = if first { &[] } else { old.as_list() };
                    if is_list { Value::List(kept.iter().cloned().chain([made]).collect()) } else { made }
                });
            }
        }
    }
    let (names, values) = values.into_iter().unzip();
    Record::new(Shape { names }.into(), values)
}

fn set(old: &Value, path: &[Arc<str>], value: &Value) -> Value {
    let Some((first, rest)) = path.split_first() else { return value.clone() };
    let mut fields: Vec<(Arc<str>, Value)> = old
        .as_record()
        .map_or_else(Vec::new, |record| record.iter().map(|(name, value)| (name.into(), value.clone())).collect());
    if !fields.iter().any(|(name, _)| name == first) {
        fields.push((first.clone(), Value::Blank));
    }
    for (name, own) in &mut fields {
        if name == first {
            *own = set(own, rest, value);
        }
    }
    let (names, values) = fields.into_iter().unzip();
    Value::Record(Record::new(Shape { names }.into(), values))
}

/// Derived fields follow from what was replaced, unless they are given themselves.
fn with_words(record: &Record, object: &Object, today: Date, fields: &GivenFields) -> Record {
    let is_given = |name: &str| {
        fields.0.iter().any(|field| matches!(field, GivenField::Value(path, _) if path.len() == 1 && &*path[0] == name))
    };
    let value = |(name, value): (&str, &Value)| match object.field(name).and_then(|field| field.derived.as_ref()) {
        Some(derived) if !derived.words.is_empty() && !is_given(name) => {
            derived.words(today, |other| record.get(other).clone())
        }
        _ => value.clone(),
    };
    Record::new(record.shape().clone(), record.iter().map(value).collect())
}

/// Numbers that decide what is changed and how: they come from proptest, so that a failure gets small.
pub(super) struct Picks<'a>(pub(super) std::slice::Iter<'a, u16>);

impl Picks<'_> {
    /// One of so many; the first when there are no numbers left.
    pub(super) fn of(&mut self, count: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % count.max(1)
    }

    fn one<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.of(all.len())]
    }
}

/// The record with one thing changed at a path: a value blank, odd, of another row; a list longer, shorter, empty.
pub(super) fn change(record: &Record, object: &Object, path: &str, texts: &[Value], picks: &mut Picks<'_>) -> Record {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Some(field) = object.field(first) else { return record.clone() };
    let changed = match (record.get(first), field.ty.object()) {
        (Value::List(items), Some(element)) => {
            let mut items = items.to_vec();
            match picks.of(6) {
                0 => items.clear(),
                1 => items.extend(items.first().cloned()),
                2 => items.reverse(),
                _ if items.is_empty() => {}
                _ => {
                    let at = picks.of(items.len());
                    if let Value::Record(item) = &items[at] {
                        items[at] = Value::Record(within(item, element, rest, texts, picks));
                    }
                }
            }
            Value::List(items.into())
        }
        (Value::Record(inner), Some(element)) if picks.of(5) > 0 => {
            Value::Record(within(inner, element, rest, texts, picks))
        }
        (_, Some(_)) => Value::Blank,
        (_, None) => picks.one(&candidates(&field.ty, texts)).clone(),
    };
    let values = record.iter().map(|(name, value)| if name == first { changed.clone() } else { value.clone() });
    Record::new(record.shape().clone(), values.collect())
}

fn within(record: &Record, object: &Object, path: Option<&str>, texts: &[Value], picks: &mut Picks<'_>) -> Record {
    let name = match path {
        Some(path) => path.to_owned(),
        None => object
            .fields
            .get_index(picks.of(object.fields.len()))
            .map_or_else(String::new, |(name, _)| name.to_string()),
    };
    change(record, object, &name, texts, picks)
}

/// Values that a field of this type may have and that flows have to cope with.
fn candidates(ty: &Ty, texts: &[Value]) -> Vec<Value> {
    let number = |text: &str| text.parse::<Decimal>().unwrap();
    let decimals = |all: &[&str]| all.iter().map(|text| Value::Decimal(number(text))).collect::<Vec<_>>();
    let mut all = match &ty.kind {
        Kind::Bool => vec![Value::Bool(true), Value::Bool(false)],
        Kind::Int => [0, 1, -1, 14, 31, 61, 1_000_000].map(Value::Int).to_vec(),
        Kind::Decimal => decimals(&["0", "-1", "2.00", "1.333", "1000000"]),
        Kind::Percent => decimals(&["0.21", "0.09", "0.06", "0", "0.19", "0.12", "-0.21"]),
        Kind::Money => {
            let usd = Currency::parse("USD").unwrap();
            let mut all: Vec<_> = ["0.00", "-90.00", "0.005", "123456.78"].map(|n| Value::eur(number(n))).to_vec();
            all.push(Value::Money(Money { amount: number("5.5"), currency: usd }));
            all
        }
        Kind::Date => ["2026-01-15", "2018-12-31", "2019-01-01", "2012-09-30", "2030-02-28"]
            .map(|day| Value::Date(day.parse().unwrap()))
            .to_vec(),
        Kind::DateTime => vec![Value::DateTime("2026-03-14T22:30:00Z".parse().unwrap())],
        Kind::Country => ["NL", "DE", "BE", "GB", "US", "XX"].map(Value::text).to_vec(),
        Kind::OneOf(words) => words.iter().map(|word| Value::text(word)).collect(),
        Kind::Words(words) => {
            let words: Vec<Value> = words.iter().map(|word| Value::text(word)).collect();
            (0..=words.len()).map(|count| Value::List(words[..count].into())).collect()
        }
        Kind::List(of) => {
            let inner = candidates(of, texts);
            vec![Value::List([].into()), Value::List(inner.into())]
        }
        _ => {
            let mut all =
                ["x", "Plein 1945 12-2", "12 rue Cler", "Postbus 12", "[ADV] Advies", "é😀", "anna@x.example"]
                    .map(Value::text)
                    .to_vec();
            all.push(Value::text(&"lang ".repeat(80)));
            all.extend(texts.iter().cloned());
            all
        }
    };
    if !matches!(ty.kind, Kind::List(_) | Kind::Words(_)) {
        all.push(Value::Blank);
    }
    all
}

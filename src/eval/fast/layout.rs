//! Where each field of a record stands: registers instead of names.
//!
//! Takes the projection by which records of a source are decoded, gives the objects that a reader walks through and the
//! places that expressions name. None where a field is of a kind that only the plain decoder knows.

use std::sync::Arc;

use super::value::Quick;
use crate::schema::{Field, Form, Kind, Object, Projection, Test};

/// How a record is laid out.
#[derive(Debug)]
pub(super) struct Layout {
    /// The objects of the wire; the first is the record.
    pub(super) nodes: Vec<Node>,
    /// The registers of a record, without those of its rows: nothing stands in them yet.
    pub(super) unset: Vec<Quick>,
    /// The fields of the record.
    pub(super) fields: Fields,
    /// Fields that are worked out of others.
    pub(super) derived: Vec<DerivedWords>,
}

/// What is wanted of an object of the wire.
#[derive(Debug, Default)]
pub(super) struct Node {
    wanted: Vec<(Arc<str>, Want)>,
    /// The object that it is a member of; itself for the record, and for a row.
    pub(super) around: u16,
    /// The register of the amount that it is.
    pub(super) amount: Option<u16>,
}

/// What is done with the value of a key. Small, since it is looked at for each: nodes and registers by number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Want {
    /// It is looked at only as JSON.
    Skip,
    /// Into the register.
    Leaf(u16, Leaf),
    /// An object with its own node; the register is marked.
    Object(u16, u16),
    /// An object with amount and currency, in the two registers behind this one until they are one amount in it.
    Money(u16, u16),
    /// Texts, of which only how many there are counts; a list of them goes into the register.
    Texts(u16),
    /// Rows of so many registers; the list goes into the register.
    Rows { node: u16, register: u16, width: u16 },
}

/// A number that fits [`Want`]; records are not that large.
fn small(number: usize) -> Option<u16> {
    u16::try_from(number).ok()
}

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaf {
    Text(Spelling),
    Bool,
    Int,
    Decimal,
    PercentPoints,
    /// An amount in euro.
    Euro,
    /// The amount of an amount with its currency: never blank.
    Amount,
    Currency,
    Date,
}

/// The normal form of a text, see [`crate::schema::normalise`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    AsItStands,
    Email,
    Upper,
    Number,
}

/// Fields by the names that flows use.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(Arc<str>, Place)>);

/// Where a field stands.
#[derive(Debug)]
pub(super) enum Place {
    /// Always blank.
    Nowhere,
    /// In a register of its frame.
    Register(usize),
    /// In registers of the same frame.
    Object(Fields),
    /// Rows with registers of their own.
    Rows(Rows),
    /// A field that is worked out: the place in [`Layout::derived`].
    Words(usize),
}

/// Rows of a record.
#[derive(Debug)]
pub(super) struct Rows {
    /// The register that tells where they are.
    pub(super) register: usize,
    /// The fields of one.
    pub(super) fields: Fields,
}

/// A field whose words follow from others.
#[derive(Debug)]
pub(super) struct DerivedWords {
    /// Where they are put.
    pub(super) register: usize,
    /// In order.
    pub(super) words: Vec<Word>,
}

/// A word, and what must hold of which registers.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) word: Arc<str>,
    pub(super) when: Vec<(usize, Condition)>,
}

/// What must hold of a register, see [`Test`].
#[derive(Debug)]
pub(super) enum Condition {
    Is(Arc<str>),
    Zero,
    NotZero,
    Past,
    Empty,
}

impl Fields {
    /// Where a field stands.
    pub(super) fn get(&self, name: &str) -> Option<&Place> {
        self.0.iter().find(|(own, _)| &**own == name).map(|(_, place)| place)
    }
}

impl Node {
    /// What is wanted of a key.
    pub(super) fn want(&self, key: &str) -> Want {
        self.wanted.iter().find(|(own, _)| &**own == key).map_or(Want::Skip, |(_, want)| *want)
    }

    /// None: the key is wanted twice.
    fn add(&mut self, key: &Arc<str>, want: Want) -> Option<()> {
        if self.wanted.iter().any(|(own, _)| own == key) {
            return None;
        }
        self.wanted.push((key.clone(), want));
        Some(())
    }
}

impl Layout {
    /// The layout of a projection.
    pub(super) fn new(projection: &Projection) -> Option<Self> {
        let mut layout =
            Self { nodes: vec![Node::default()], unset: Vec::new(), fields: Fields::default(), derived: Vec::new() };
        let (mut width, mut derived) = (0, Vec::new());
        layout.fields = layout.fields(0, projection, &mut width, Some(&mut derived))?;
        for (register, field) in derived {
            let words = layout.words(projection.object(), register, &field, &mut width)?;
            layout.derived.push(words);
        }
        layout.unset = vec![Quick::UNSET; width];
        Some(layout)
    }

    /// `derived` takes the fields that are worked out; none within other objects, which know no day.
    fn fields(
        &mut self,
        node: usize,
        projection: &Projection,
        width: &mut usize,
        mut derived: Option<&mut Vec<(usize, Arc<Field>)>>,
    ) -> Option<Fields> {
        let mut fields = Fields::default();
        for (name, field, inner) in projection.slots() {
            let place = match field {
                None => Place::Nowhere,
                Some(field) if field.derived.is_some() => {
                    let derived = derived.as_mut()?;
                    let register = take(width, 1);
                    derived.push((register, field.clone()));
                    Place::Words(derived.len() - 1)
                }
                Some(field) => match (&field.ty.kind, inner) {
                    (Kind::Record(_), Some(inner)) => {
                        let (own, register) = (self.node(Some(node))?, take(width, 1));
                        self.want(node, &field.wire, Want::Object(small(own)?, small(register)?))?;
                        Place::Object(self.fields(own, inner, width, None)?)
                    }
                    (Kind::List(_), Some(inner)) => {
                        let (own, register) = (self.node(None)?, take(width, 1));
                        let mut row = 0;
                        let fields = self.fields(own, inner, &mut row, None)?;
                        if fields.0.iter().any(|(_, place)| has_rows(place)) {
                            return None;
                        }
                        self.want(
                            node,
                            &field.wire,
                            Want::Rows { node: small(own)?, register: small(register)?, width: small(row)? },
                        )?;
                        Place::Rows(Rows { register, fields })
                    }
                    _ => Place::Register(self.leaf(node, field, width)?),
                },
            };
            fields.0.push((name.clone(), place));
        }
        Some(fields)
    }

    /// A register for a field that is no record and no list.
    fn leaf(&mut self, node: usize, field: &Field, width: &mut usize) -> Option<usize> {
        let leaf = match (&field.ty.kind, &field.form) {
            (Kind::Money, Form::MoneyObject(amount)) => {
                let (own, register) = (self.node(Some(node))?, take(width, 3));
                self.nodes.last_mut()?.amount = small(register);
                self.want(own, amount, Want::Leaf(small(register + 1)?, Leaf::Amount))?;
                self.want(own, &"currency".into(), Want::Leaf(small(register + 2)?, Leaf::Currency))?;
                self.want(node, &field.wire, Want::Money(small(own)?, small(register)?))?;
                return Some(register);
            }
            (Kind::Money, Form::MoneyNumber(Some(_))) => return None,
            (Kind::Money, _) => Leaf::Euro,
            (Kind::Bool, _) => Leaf::Bool,
            (Kind::Int, _) => Leaf::Int,
            (Kind::Percent, Form::PercentPoints) => Leaf::PercentPoints,
            (Kind::Decimal | Kind::Percent, _) => Leaf::Decimal,
            (Kind::Date, _) => Leaf::Date,
            (Kind::Email, _) => Leaf::Text(Spelling::Email),
            (Kind::Country | Kind::Currency, _) => Leaf::Text(Spelling::Upper),
            (Kind::Iban | Kind::VatNumber, _) => Leaf::Text(Spelling::Number),
            (Kind::Text | Kind::OneOf(_), _) => Leaf::Text(Spelling::AsItStands),
            _ => return None,
        };
        let register = take(width, 1);
        self.want(node, &field.wire, Want::Leaf(small(register)?, leaf))?;
        Some(register)
    }

    /// What a derived field tests may be wanted by nobody else.
    fn words(&mut self, object: &Object, register: usize, field: &Field, width: &mut usize) -> Option<DerivedWords> {
        let derived = field.derived.as_ref().filter(|derived| (1..=60).contains(&derived.words.len()))?;
        let mut words = Vec::new();
        for word in &derived.words {
            let mut conditions = Vec::new();
            for test in &word.when {
                let (name, condition) = match test {
                    Test::Is(name, text) => (name, Condition::Is(text.clone())),
                    Test::Zero(name) => (name, Condition::Zero),
                    Test::NotZero(name) => (name, Condition::NotZero),
                    Test::Past(name) => (name, Condition::Past),
                    Test::Empty(name) => (name, Condition::Empty),
                };
                let register = match (self.fields.get(name), object.field(name)) {
                    (Some(Place::Register(register) | Place::Rows(Rows { register, .. })), _) => *register,
                    (None, Some(tested)) if is_texts(tested) && matches!(condition, Condition::Empty) => {
                        let register = take(width, 1);
                        self.want(0, &tested.wire, Want::Texts(small(register)?))?;
                        register
                    }
                    (None, Some(tested)) => {
                        let register = self.leaf(0, tested, width)?;
                        self.fields.0.push((name.clone(), Place::Register(register)));
                        register
                    }
                    _ => return None,
                };
                conditions.push((register, condition));
            }
            words.push(Word { word: word.word.clone(), when: conditions });
        }
        Some(DerivedWords { register, words })
    }

    /// An object within another one, or one that stands by itself.
    fn node(&mut self, around: Option<usize>) -> Option<usize> {
        let own = self.nodes.len();
        self.nodes.push(Node { around: small(around.unwrap_or(own))?, ..Node::default() });
        Some(own)
    }

    fn want(&mut self, node: usize, key: &Arc<str>, want: Want) -> Option<()> {
        self.nodes.get_mut(node)?.add(key, want)
    }
}

fn take(width: &mut usize, count: usize) -> usize {
    let first = *width;
    *width += count;
    first
}

fn is_texts(field: &Field) -> bool {
    matches!(&field.ty.kind, Kind::List(of) if of.kind == Kind::Text)
}

fn has_rows(place: &Place) -> bool {
    match place {
        Place::Rows(_) => true,
        Place::Object(fields) => fields.0.iter().any(|(_, place)| has_rows(place)),
        Place::Nowhere | Place::Register(_) | Place::Words(_) => false,
    }
}

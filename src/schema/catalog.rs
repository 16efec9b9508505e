//! The shape of what is known about the systems: plain data, filled by the loader from `stdlib/`.

use std::{collections::BTreeMap, fmt, sync::Arc};

use indexmap::IndexMap;

use super::Ty;
use crate::value::Value;

/// All systems, by name (`jortt`, `afas`).
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// By name.
    pub systems: BTreeMap<Arc<str>, Arc<System>>,
}

/// One system.
#[derive(Debug)]
pub struct System {
    /// `afas`.
    pub name: Arc<str>,
    /// As messages call it: `AFAS`.
    pub title: Arc<str>,
    /// By name, as flows write it after the dot.
    pub entities: BTreeMap<Arc<str>, Arc<Entity>>,
    /// Sub-objects that `fields … for` and types may name without an entity around them (`KnBasicAddressAdr`).
    pub objects: BTreeMap<Arc<str>, Arc<Object>>,
}

/// Something that can be read, written, or both.
#[derive(Debug)]
pub struct Entity {
    /// The system's name.
    pub system: Arc<str>,
    /// `FbSales`, `invoices`.
    pub name: Arc<str>,
    /// In the vendor's words: "sales order"; for messages.
    pub label: Arc<str>,
    /// What reading gives.
    pub read: Option<ReadFacts>,
    /// What can be written.
    pub write: Option<WriteFacts>,
}

/// How an entity is read.
#[derive(Debug)]
pub struct ReadFacts {
    /// Its fields, derived ones included.
    pub object: Arc<Object>,
    /// Sets of fields that are unique; the first one is the identity that rows are told apart by.
    pub keys: Vec<Vec<Arc<str>>>,
    /// One record only, no `where` needed (`jortt.organization`).
    pub single: bool,
    /// The change stamp and what it covers.
    pub stamp: Option<Stamp>,
    /// The field that marks a row as blocked.
    pub blocked: Option<Arc<str>>,
    /// Fields whose values a source can filter by (any other condition is checked by koppel itself).
    pub filters: Vec<Arc<str>>,
}

/// A date field that says when a record was last touched.
#[derive(Debug)]
pub struct Stamp {
    /// The field.
    pub field: Arc<str>,
    /// Does it move when the record changes (else only when it is made)?
    pub moves: bool,
    /// Fields whose change it does not show; everything else it covers.
    pub misses: Vec<Arc<str>>,
}

/// How an entity is written.
#[derive(Debug)]
pub struct WriteFacts {
    /// The name of the body's root on the wire (`FiEntryPar` of `FiEntries`); mostly the entity's own.
    pub root: Arc<str>,
    /// Body of a create.
    pub create: Option<Arc<Object>>,
    /// Body of an update.
    pub update: Option<Arc<Object>>,
    /// The fields of an update that together say which record is changed; empty where there is no update.
    pub update_key: Vec<Arc<str>>,
    /// The answer of a create.
    pub answer: Answer,
    /// A document is written once; a master record is kept up to date.
    pub class: WriteClass,
    /// Entities of one family are one thing to be ensured (`debtor`), and the field that recognises it
    /// (`KnOrganisation.EmAd`); several are tried in turn, the first that is filled.
    pub family: Option<(Arc<str>, Vec<Arc<str>>)>,
    /// How a create is found again.
    pub recognise: Recognise,
    /// The entity that shows what was written (`Profit_Debtor`).
    pub shown_by: Option<Arc<str>>,
    /// Read field (of `shown_by`) that shows a written field, by written path (`PaCd` → `PayCon`).
    pub shows: BTreeMap<Arc<str>, Arc<str>>,
    /// A second entity that shows what `shown_by` does not.
    pub through: Option<Through>,
    /// Does an update that holds a list put it in place of the old one (else its elements are added)?
    pub replaces_lists: bool,
    /// Its line objects have two sides that must come to the same amount.
    pub balance: Option<Balance>,
}

/// A read that is one step further: its row is the one with the key that a row of [`WriteFacts::shown_by`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Through {
    /// The entity (`Profit_OrgPer`).
    pub read: Arc<str>,
    /// The field of the first row that holds the key (`Profit_Debtor.BcCo`).
    pub by: Arc<str>,
    /// The field of this entity that is the key (`Profit_OrgPer.BcCo`).
    pub key: Arc<str>,
    /// Its field that shows a written field, by written path (`KnOrganisation.HoPa` → `Homepage`).
    pub shows: BTreeMap<Arc<str>, Arc<str>>,
}

/// The two sides of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// The line objects (`Lines`).
    pub lines: Arc<str>,
    /// Their debit amount (`AmDe`).
    pub debit: Arc<str>,
    /// Their credit amount (`AmCr`).
    pub credit: Arc<str>,
}

impl WriteFacts {
    /// The key of what an update changes, from the values of its fields; blank where one of them is not given.
    pub fn key_of(&self, value: impl Fn(&Arc<str>) -> Value) -> Value {
        let values: Vec<Value> = self.update_key.iter().map(value).collect();
        match &values[..] {
            [own] => own.clone(),
            several if several.iter().all(|own| !own.is_blank()) && !several.is_empty() => {
                let promised = several.iter().find(|own| matches!(own, Value::Key(_)));
                let joined = || several.iter().map(ToString::to_string).collect::<Vec<_>>().join("/");
                promised.cloned().unwrap_or_else(|| Value::text(&joined()))
            }
            _ => Value::Blank,
        }
    }

    /// The entities that show what was written.
    pub fn readers(&self) -> impl Iterator<Item = &Arc<str>> {
        self.shown_by.iter().chain(self.through.iter().map(|through| &through.read))
    }

    /// The written paths that a read shows.
    pub fn shown_paths(&self) -> impl Iterator<Item = &Arc<str>> {
        self.shows.keys().chain(self.through.iter().flat_map(|through| through.shows.keys()))
    }

    /// The read field (of `shown_by`) that holds the key of a written record; none where several fields are the key.
    #[must_use]
    pub fn shown_key(&self) -> Option<&Arc<str>> {
        match &self.update_key[..] {
            [] => self.recognise.key.as_ref(),
            [key] => self.shows.get(key).or(self.recognise.key.as_ref()).or(Some(key)),
            _ => None,
        }
    }
}

/// What the answer of a create holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A key under this name, at any depth.
    Key(Arc<str>),
    /// Nothing: a success confirms with an empty key.
    None,
}

/// Two ways of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteClass {
    /// Orders, invoices, entries.
    Document,
    /// Debtors, customers, items.
    Master,
}

/// How a create is found again after an unclear answer (`protocol.md` section 5 in data).
#[derive(Debug, Clone, Default)]
pub struct Recognise {
    /// A number that the target refuses twice.
    pub own_number: Option<OwnNumber>,
    /// Where to look: an entity to read …
    pub entity: Option<Arc<str>>,
    /// … and pairs (written path, read field) that must be equal there. Any one of them finds a candidate.
    pub compare: Vec<(Arc<str>, Arc<str>)>,
    /// Pairs that must be equal besides, and are too common to search by (journal, administration).
    pub also: Vec<(Arc<str>, Arc<str>)>,
    /// The record that is looked at was there before: the read field and the word that it shows once the write
    /// happened. That it does not show it proves nothing, so the write is never sent a second time.
    pub sign: Option<(Arc<str>, Arc<str>)>,
    /// The read field whose value is the key of the write (`OrderNumber`).
    pub key: Option<Arc<str>>,
    /// The written path that is the reference (`RfCs`), kept in plain.
    pub reference: Option<Arc<str>>,
    /// The answer text that says that the own number exists already (part of it, ignoring case).
    pub exists_text: Option<Arc<str>>,
    /// Nothing recognises it: an unclear answer is for a person.
    pub nothing: bool,
}

impl Recognise {
    /// Where what was made shows, and the field of its key there; none where nothing is made that could be read.
    #[must_use]
    pub fn made(&self) -> Option<(&Arc<str>, &Arc<str>)> {
        self.entity.as_ref().zip(self.key.as_ref()).filter(|_| self.sign.is_none())
    }
}

/// A number of our own.
#[derive(Debug, Clone)]
pub struct OwnNumber {
    /// The written path (`OrNu`).
    pub field: Arc<str>,
    /// Its place in the read entity, if any read shows it (`OrderNumber`).
    pub read: Option<Arc<str>>,
}

/// A set of fields with a name.
#[derive(Debug, PartialEq)]
pub struct Object {
    /// `afas.FbSales`, `afas.FbSales.Lines`, `jortt.invoices.line_items`; empty for records made by `each`.
    pub path: Arc<str>,
    /// In the vendor's words.
    pub label: Arc<str>,
    /// In the vendor's order.
    pub fields: IndexMap<Arc<str>, Arc<Field>>,
}

/// One field. A line object or sub-object is a field whose type is a record or a list of records.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// As flows write it (`Lines`).
    pub name: Arc<str>,
    /// As the vendor writes it on the wire (`FbSalesLines`).
    pub wire: Arc<str>,
    /// The vendor's label.
    pub label: Arc<str>,
    /// Its type; for a read field `optional` unless it is always there, for a written field never.
    pub ty: Ty,
    /// Must a create have it (corrected by the facts)? In an update object: must an update have it?
    pub required: bool,
    /// Where it hangs on another field of the object whether it is needed.
    pub needed: Vec<Condition>,
    /// Does it hang on this field whether another one is needed?
    pub decides: bool,
    /// How its value looks on the wire.
    pub form: Form,
    /// Decimals that the field keeps.
    pub decimals: Option<u32>,
    /// Who may see it.
    pub privacy: Privacy,
    /// When it changes.
    pub change: ChangeClass,
    /// A field that no record holds and the API knows all the same.
    pub derived: Option<Derived>,
    /// Not written although the vendor's body has it: what a flow writes in its place.
    pub instead: Option<Arc<str>>,
    /// An object that always goes whole (an address).
    pub unit: bool,
    /// A field that only accompanies others and never counts as a difference (`BeginDate`).
    pub accompanies: bool,
}

/// When a field is needed: only when another field of the object has a value, or only when it has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The other field.
    pub field: Arc<str>,
    /// Its value: a code, a word, `yes` or `no`; none = any value, so it is enough that it is given.
    pub is: Option<Arc<str>>,
    /// Needed when the other field has that value (else: unless it has).
    pub holds: bool,
}

impl fmt::Display for Condition {
    /// "unless `is_private` is yes"
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.holds { "when" } else { "unless" };
        match self.is.as_deref() {
            None => write!(f, "{word} `{}` is given", self.field),
            Some(is @ ("yes" | "no")) => write!(f, "{word} `{}` is {is}", self.field),
            Some(is) => write!(f, "{word} `{}` is \"{is}\"", self.field),
        }
    }
}

/// The wire form of a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Form {
    /// Text, whole number, truth value or day as JSON has it.
    #[default]
    Plain,
    /// A text whose key always goes: `null` where it has no value (`vat.category`).
    NullText,
    /// A number as JSON number.
    Number,
    /// A number as text.
    NumberText,
    /// `{"amount": "1.00", "currency": "EUR"}`, with the name of the amount's key.
    MoneyObject(Arc<str>),
    /// An amount as a bare number; its currency stands in the field of this name of the same record, else EUR.
    MoneyNumber(Option<Arc<str>>),
    /// 21% is `"0.21"`.
    PercentFraction,
    /// 21% is `21`.
    PercentPoints,
    /// A local Amsterdam time although it is marked Z (AFAS).
    AmsterdamTime,
}

/// Who may see a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Privacy {
    /// Numbers, codes, dates of documents.
    #[default]
    Plain,
    /// Names, addresses, e-mail, phone: masked at rest, never in a key.
    Personal,
    /// Text that a person typed: may hold anything, masked at rest.
    FreeText,
}

/// When a field of a record changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChangeClass {
    /// At any time.
    #[default]
    Any,
    /// Set when the record is made.
    Once,
    /// Set when the record is sent, frozen after.
    WhenSent,
}

/// A field that is computed from others (`jortt.invoices.list`).
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// The words, from wide to narrow, with the condition for each.
    pub words: Vec<ListWord>,
    /// The filter parameter of the source that lists one word.
    pub parameter: Option<Arc<str>>,
}

/// A word of a derived field: it applies when all its tests hold.
#[derive(Debug, Clone, PartialEq)]
pub struct ListWord {
    /// `late`.
    pub word: Arc<str>,
    /// All must hold.
    pub when: Vec<Test>,
    /// Do records leave this list (drafts, unpaid)?
    pub left: bool,
}

/// One test of a derived field on the raw record.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// The field's text equals this.
    Is(Arc<str>, Arc<str>),
    /// The field's amount is zero.
    Zero(Arc<str>),
    /// The field's amount is not zero.
    NotZero(Arc<str>),
    /// The field's day lies before today.
    Past(Arc<str>),
    /// The field is empty.
    Empty(Arc<str>),
}

/// The values of a code field.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeTable {
    /// In the vendor's order.
    pub codes: Vec<Code>,
    /// May the environment hold others (then a foreign code is no error)?
    pub open: bool,
}

/// One value with its label.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// What goes over the wire.
    pub code: Arc<str>,
    /// What people read.
    pub label: Arc<str>,
}

impl CodeTable {
    /// The code of a code or a label (ignoring case).
    #[must_use]
    pub fn code_of(&self, text: &str) -> Option<&Arc<str>> {
        let exact = self.codes.iter().find(|code| &*code.code == text);
        let label = || self.codes.iter().find(|code| code.label.eq_ignore_ascii_case(text));
        exact.or_else(label).map(|code| &code.code)
    }
}

impl Catalog {
    /// The entity of a system.
    #[must_use]
    pub fn entity(&self, system: &str, name: &str) -> Option<&Arc<Entity>> {
        self.systems.get(system)?.entities.get(name)
    }
}

impl Object {
    /// A field by the name that flows use.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Arc<Field>> {
        self.fields.get(name)
    }

    /// The field at a dotted path, through sub-objects and line objects.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Arc<Field>> {
        let Some((first, rest)) = path.split_once('.') else { return self.field(path) };
        self.field(first)?.ty.object()?.at(rest)
    }

    /// The name of the system, with which the path begins; empty for records made by `each`.
    #[must_use]
    pub fn system(&self) -> &str {
        self.path.split('.').next().unwrap_or_default()
    }
}

impl Field {
    /// A field that looks the same in a flow and on the wire, plain in every respect: as `each` and `define` make them.
    #[must_use]
    pub fn plain(name: Arc<str>, ty: Ty) -> Self {
        Self {
            wire: name.clone(),
            name,
            label: "".into(),
            ty,
            required: false,
            needed: Vec::new(),
            decides: false,
            form: Form::Plain,
            decimals: None,
            privacy: Privacy::Plain,
            change: ChangeClass::Any,
            derived: None,
            unit: false,
            accompanies: false,
            instead: None,
        }
    }
}

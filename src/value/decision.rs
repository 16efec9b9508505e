//! What is to be done with one record: pure data that is shown, tested, compared and applied.

use std::sync::Arc;

use serde::Serialize;

use super::{Ask, EntityName, Value};

/// The outcome of one record, with what was told on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What happens.
    pub outcome: Outcome,
    /// What `warn` said before the end; empty with skip.
    pub warnings: Vec<Reason>,
    /// The things that must exist before the writes, in order.
    pub ensured: Vec<Ensured>,
}

/// What happens with a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// Nothing, until the record or the flow changes.
    Skip(Reason),
    /// Nothing yet: it waits for a person or another state.
    Hold(Reason),
    /// Nothing: the data is wrong.
    Fail(Reason),
    /// These writes, in this order (may be none).
    Writes(Vec<Write>),
}

impl From<Outcome> for Decision {
    /// Without warnings, and with nothing that must exist before.
    fn from(outcome: Outcome) -> Self {
        Self { outcome, warnings: Vec::new(), ensured: Vec::new() }
    }
}

/// The words of a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing to do.
    Skip,
    /// Waits.
    Hold,
    /// Wrong data.
    Fail,
    /// Only told.
    Warn,
}

impl Verdict {
    /// The word of the language.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Hold => "hold",
            Self::Fail => "fail",
            Self::Warn => "warn",
        }
    }
}

/// Why, and where in the flow it says so.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Reason {
    /// `orders.flow:75`, as a person would look it up.
    pub place: Arc<str>,
    /// The filled-in text, shown live only: it may hold personal data.
    #[serde(skip)]
    pub text: Arc<str>,
    /// The same with `•••` in place of personal data and free text: what logs and ledger keep.
    pub masked: Arc<str>,
}

/// One effect on a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Write {
    /// Unique within its stage: the given name or the entity; `name#n` within an `each`.
    pub name: Arc<str>,
    /// The target.
    pub entity: EntityName,
    /// Made or changed.
    pub action: Action,
    /// The body; keys of an update are among the fields.
    pub fields: Fields,
    /// The field whose value the answer gives.
    pub gives: Option<Arc<str>>,
    /// Our own number, stored in plain so that it can be asked about without record or plan.
    pub own_number: Option<Arc<str>>,
    /// A reference that can be looked up, stored in plain likewise.
    pub reference: Option<Arc<str>>,
    /// Names of the writes whose keys this one uses.
    pub needs: Vec<Arc<str>>,
    /// The ensure that this create belongs to.
    pub ensure: Option<Arc<str>>,
}

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Makes a new record.
    Create,
    /// Changes an existing one.
    Update,
}

impl Action {
    /// The word of the language.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
        }
    }
}

/// Fields in the order of the flow. A name stands once; several line objects of one name are one list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields(pub Vec<(Arc<str>, Node)>);

/// What stands at a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Node {
    /// A value, never blank (a blank field is left out).
    Value(Value),
    /// A sub-object.
    Object(Fields),
    /// Line objects.
    List(Vec<Fields>),
}

impl Serialize for Fields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, node)| (name, node)))
    }
}

impl Fields {
    /// What stands at a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.0.iter().find(|(own, _)| &**own == name).map(|(_, node)| node)
    }

    /// What stands at a path `A.b`.
    #[must_use]
    pub fn node(&self, path: &str) -> Option<&Node> {
        match path.split_once('.') {
            None => self.get(path),
            Some((first, rest)) => match self.get(first)? {
                Node::Object(fields) => fields.node(rest),
                Node::Value(_) | Node::List(_) => None,
            },
        }
    }

    /// The value at a path `A.b`.
    #[must_use]
    pub fn value(&self, path: &str) -> Option<&Value> {
        match self.node(path)? {
            Node::Value(value) => Some(value),
            Node::Object(_) | Node::List(_) => None,
        }
    }
}

impl Fields {
    /// Every value and every list of line objects with its path; a list is one whole.
    #[must_use]
    pub fn leaves(&self) -> Vec<(String, &Node)> {
        fn walk<'a>(fields: &'a Fields, above: &str, into: &mut Vec<(String, &'a Node)>) {
            for (name, node) in &fields.0 {
                let path = if above.is_empty() { name.to_string() } else { format!("{above}.{name}") };
                match node {
                    Node::Object(inner) => walk(inner, &path, into),
                    Node::Value(_) | Node::List(_) => into.push((path, node)),
                }
            }
        }
        let mut leaves = Vec::new();
        walk(self, "", &mut leaves);
        leaves
    }
}

/// A thing that must exist: how it was come by, and what must be asked again under its lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ensured {
    /// Name of the `ensure` (with `#n` within an `each`).
    pub name: Arc<str>,
    /// What gave the value.
    pub chosen: Chosen,
    /// Role of the connection whose family the lock belongs to.
    pub role: Arc<str>,
    /// Family of the create's entity (`debtor`): with the key it is the lock.
    pub family: Arc<str>,
    /// The recognition key of the create, as its fields give it (an e-mail: personal, never stored in plain).
    #[serde(skip)]
    pub key: Value,
    /// All values that its finds compared: with the key it is the identity. Personal, stored as a keyed hash.
    #[serde(skip)]
    pub compared: Vec<Value>,
    /// The reads that this choice hangs on; made again under the lock.
    #[serde(skip)]
    pub asks: Vec<Ask>,
}

/// What gave the value of an ensure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Chosen {
    /// A `take` line.
    Taken,
    /// A row that was found, with its key.
    Found(Value),
    /// The create of this name.
    Create(Arc<str>),
}

//! The shape of `stdlib/<system>/facts.toml`: what the vendors' files leave out or have wrong, kept by hand.
//!
//! Takes the text, gives it as data; every rule names its source, a section of the `README.md` beside it. Rules are laid
//! over the schemas by `schema::load`, which refuses one that fits nothing.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::SchemaError;

/// A whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Facts {
    /// How messages call the system.
    pub(super) title: String,
    /// Forms of values on the wire, where a field has no other.
    pub(super) wire: Wire,
    /// Sub-objects that may be named without an entity around them, with the path of the one that is meant.
    #[serde(default)]
    pub(super) objects: BTreeMap<String, String>,
    /// One for each entity.
    pub(super) entities: BTreeMap<String, EntityFacts>,
    /// Rules for fields; a later one wins.
    #[serde(default)]
    pub(super) fields: Vec<FieldRule>,
}

/// How a system writes values.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    pub(super) number: NumberForm,
    pub(super) money: MoneyForm,
    pub(super) percent: PercentForm,
    pub(super) time: TimeForm,
    pub(super) codes: CodesForm,
    #[expect(dead_code, reason = "every rule names its source; a test reads it")]
    source: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NumberForm {
    Number,
    Text,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum MoneyForm {
    Number,
    Object,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PercentForm {
    Points,
    Fraction,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TimeForm {
    Amsterdam,
    Offset,
}

/// Are codes shown with a label (a code table), or are they words of their own?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CodesForm {
    Table,
    Words,
}

/// What is known of an entity.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntityFacts {
    pub(super) label: String,
    pub(super) read: Option<ReadRule>,
    pub(super) write: Option<WriteRule>,
    #[expect(dead_code, reason = "every rule names its source; a test reads it")]
    source: String,
}

/// What is known of its reading.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadRule {
    pub(super) keys: Vec<Vec<String>>,
    /// A key that the record itself lacks because it stands in the address.
    pub(super) address_key: Option<String>,
    #[serde(default)]
    pub(super) single: bool,
    pub(super) stamp: Option<StampRule>,
    pub(super) blocked: Option<String>,
    /// Fields that the source filters by; none given = all of them.
    pub(super) filters: Option<Vec<String>>,
    #[serde(default)]
    pub(super) derived: Vec<DerivedRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StampRule {
    pub(super) field: String,
    pub(super) moves: bool,
    /// For a stamp that moves; one that does not misses all that can change.
    #[serde(default)]
    pub(super) misses: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DerivedRule {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) parameter: Option<String>,
    pub(super) words: Vec<WordRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WordRule {
    pub(super) word: String,
    pub(super) left: bool,
    pub(super) when: Vec<TestRule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TestRule {
    Is(String, String),
    Zero(String),
    NotZero(String),
    Past(String),
    Empty(String),
}

/// What is known of its writing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WriteRule {
    pub(super) class: Class,
    /// The key in the answer of a create; none = the answer holds none.
    pub(super) answer: Option<String>,
    /// The fields of an update that together say which record is changed, where that is not the key of the answer.
    #[serde(default)]
    pub(super) update_key: Vec<String>,
    /// A field of the update, else of the create, that the body of the vendor lacks because it stands in the address.
    pub(super) address_key: Option<String>,
    pub(super) family: Option<String>,
    #[serde(default)]
    pub(super) family_key: Vec<String>,
    pub(super) own_number: Option<String>,
    pub(super) own_number_read: Option<String>,
    pub(super) ask: Option<String>,
    #[serde(default)]
    pub(super) compare: Vec<(String, String)>,
    #[serde(default)]
    pub(super) also: Vec<(String, String)>,
    /// What the record that is looked at shows once it happened.
    pub(super) sign: Option<SignRule>,
    pub(super) key: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) exists_text: Option<String>,
    #[serde(default)]
    pub(super) nothing_recognises: bool,
    pub(super) shown_by: Option<String>,
    #[serde(default)]
    pub(super) shows: BTreeMap<String, String>,
    pub(super) through: Option<ThroughRule>,
    pub(super) balance: Option<BalanceRule>,
    #[serde(default)]
    pub(super) replaces_lists: bool,
}

/// The read field and its word.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignRule {
    pub(super) field: String,
    pub(super) is: String,
}

/// A second read that shows more: `by` is the field of `shown_by` with its key, and the key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ThroughRule {
    pub(super) read: String,
    pub(super) by: (String, String),
    pub(super) shows: BTreeMap<String, String>,
}

/// The line objects of an entry, and the fields of its two sides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BalanceRule {
    pub(super) lines: String,
    pub(super) debit: String,
    pub(super) credit: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Class {
    Document,
    Master,
}

/// What is known of some fields of some objects.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldRule {
    /// Objects by the end of their path on the wire: `KnPerson`, `line_items.vat`.
    pub(super) of: Vec<String>,
    /// Names on the wire; `*` = all of that object.
    pub(super) names: Vec<String>,
    #[expect(dead_code, reason = "every rule names its source; a test reads it")]
    source: String,
    /// As flows write it.
    pub(super) name: Option<String>,
    #[serde(rename = "type")]
    pub(super) ty: Option<TypeRule>,
    pub(super) max: Option<u32>,
    pub(super) decimals: Option<u32>,
    pub(super) words: Option<Vec<String>>,
    /// May the environment hold codes beside those of the vendor's file?
    #[serde(default)]
    pub(super) open: bool,
    pub(super) percent: Option<PercentForm>,
    pub(super) number: Option<NumberForm>,
    /// The field that holds the currency of an amount.
    pub(super) currency: Option<String>,
    /// The key always goes, as `null` where there is no value.
    #[serde(default)]
    pub(super) null: bool,
    /// One object, although the vendor's file has a list of them.
    #[serde(default)]
    pub(super) single: bool,
    /// A list, although the vendor's file has one.
    #[serde(default)]
    pub(super) list: bool,
    #[serde(default)]
    pub(super) always: bool,
    pub(super) required: Option<RequiredRule>,
    /// Required only when another field of the object has this value …
    pub(super) when: Option<ConditionRule>,
    /// … or unless it has.
    pub(super) unless: Option<ConditionRule>,
    pub(super) privacy: Option<PrivacyRule>,
    pub(super) change: Option<ChangeRule>,
    pub(super) reference: Option<String>,
    /// Length and codes are those of this written field.
    pub(super) like: Option<String>,
    /// The vendor's body has it and koppel does not write it: what is written in its place.
    pub(super) instead: Option<String>,
    #[serde(default)]
    pub(super) unit: bool,
    #[serde(default)]
    pub(super) accompanies: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TypeRule {
    Text,
    Int,
    Decimal,
    Money,
    Percent,
    Bool,
    Date,
    Datetime,
    Country,
    Currency,
    Email,
    Iban,
    VatNumber,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RequiredRule {
    Never,
    /// When it is made, not when it is changed.
    Create,
    Both,
}

/// The value of another field, as a flow writes it; without one it is enough that the field is given.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionRule {
    pub(super) field: String,
    pub(super) is: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PrivacyRule {
    Plain,
    Personal,
    FreeText,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChangeRule {
    Any,
    Once,
    WhenSent,
}

impl Facts {
    /// Reads `facts.toml`.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, SchemaError> {
        toml::from_str(text).map_err(|error| SchemaError(format!("{file}: {error}")))
    }

    /// The rules of each object, by the end of its path and the field's name, each with its place in the file.
    pub(super) fn by_object(&self) -> HashMap<&str, HashMap<&str, Vec<usize>>> {
        let mut out: HashMap<&str, HashMap<&str, Vec<usize>>> = HashMap::new();
        for (place, rule) in self.fields.iter().enumerate() {
            for object in &rule.of {
                let names = out.entry(object).or_default();
                for name in &rule.names {
                    names.entry(name).or_default().push(place);
                }
            }
        }
        out
    }
}

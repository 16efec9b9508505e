//! The types of the language. A type says what a value is, whether it may be blank, and how long it can get.

use std::sync::Arc;

use super::{CodeTable, Object};

/// A type: a kind, perhaps blank, perhaps bounded, perhaps a reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Ty {
    /// What it is.
    pub kind: Kind,
    /// `T?`: may be blank.
    pub optional: bool,
    /// At most so many characters (texts only); none = not known.
    pub max: Option<u32>,
    /// The code table that its values come from.
    pub codes: Option<Arc<CodeTable>>,
    /// The column whose values these are.
    pub reference: Option<ColumnRef>,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Characters.
    Text,
    /// Whole number.
    Int,
    /// Exact number.
    Decimal,
    /// Amount with currency.
    Money,
    /// Fraction that is written `21%`.
    Percent,
    /// `yes` or `no`.
    Bool,
    /// Day.
    Date,
    /// Moment.
    DateTime,
    /// `2 hours`.
    Duration,
    /// ISO 3166-1 alpha-2, upper case.
    Country,
    /// ISO 4217.
    Currency,
    /// Trimmed, lower case.
    Email,
    /// Without spaces and dots.
    Iban,
    /// Without spaces and dots.
    VatNumber,
    /// A literal `/…/`.
    Pattern,
    /// One of these words.
    OneOf(Arc<[Arc<str>]>),
    /// A set of these words, as `.list` of a Jortt invoice; `is` asks membership.
    Words(Arc<[Arc<str>]>),
    /// A list; never blank.
    List(Box<Ty>),
    /// A record of an entity, of a sub-object, or made by `each`.
    Record(Arc<Object>),
    /// Nothing is known: a mistake was told already, or `todo`, or the literal `blank`. Fits everywhere, stays silent.
    Any,
}

/// A column that values refer to: of an entity (`afas.Profit_Journals.JournalId`) or of a table (`vat_duty.duty`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ColumnRef {
    /// `afas.Profit_Journals` or `vat_duty`.
    pub of: Arc<str>,
    /// `JournalId` or `duty`.
    pub column: Arc<str>,
}

impl Ty {
    /// A type that is never blank.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self { kind, optional: false, max: None, codes: None, reference: None }
    }

    /// The poisoned type: fits everywhere and stays silent.
    #[must_use]
    pub const fn any() -> Self {
        Self { kind: Kind::Any, optional: true, max: None, codes: None, reference: None }
    }

    /// A list of these.
    #[must_use]
    pub fn list(of: Self) -> Self {
        Self::new(Kind::List(Box::new(of)))
    }

    /// The same, perhaps blank. A list stays as it is: it is never blank.
    #[must_use]
    pub fn or_blank(mut self) -> Self {
        self.optional = !matches!(self.kind, Kind::List(_) | Kind::Words(_));
        self
    }

    /// The same, known to be there.
    #[must_use]
    pub fn filled(mut self) -> Self {
        self.optional = false;
        self
    }

    /// Texts and what is made of characters.
    #[must_use]
    pub fn is_texty(&self) -> bool {
        matches!(
            self.kind,
            Kind::Text | Kind::Country | Kind::Currency | Kind::Email | Kind::Iban | Kind::VatNumber | Kind::OneOf(_)
        )
    }

    /// The fields of a record, or of the records of a list.
    #[must_use]
    pub fn object(&self) -> Option<&Arc<Object>> {
        match &self.kind {
            Kind::Record(object) => Some(object),
            Kind::List(of) => of.object(),
            _ => None,
        }
    }

    /// Numbers of any kind.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Int | Kind::Decimal | Kind::Money | Kind::Percent)
    }
}

/// The type as a flow writes it: `text(11)?`, `list of percent`, `one of "a", "b"`.
impl std::fmt::Display for Ty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kind {
            Kind::Text => f.write_str("text")?,
            Kind::Int => f.write_str("int")?,
            Kind::Decimal => f.write_str("decimal")?,
            Kind::Money => f.write_str("money")?,
            Kind::Percent => f.write_str("percent")?,
            Kind::Bool => f.write_str("bool")?,
            Kind::Date => f.write_str("date")?,
            Kind::DateTime => f.write_str("datetime")?,
            Kind::Duration => f.write_str("duration")?,
            Kind::Country => f.write_str("country")?,
            Kind::Currency => f.write_str("currency")?,
            Kind::Email => f.write_str("email")?,
            Kind::Iban => f.write_str("iban")?,
            Kind::VatNumber => f.write_str("vat_number")?,
            Kind::Pattern => f.write_str("pattern")?,
            Kind::OneOf(words) | Kind::Words(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                write!(f, "one of {}", words.join(", "))?;
            }
            Kind::List(of) => write!(f, "list of {of}")?,
            Kind::Record(object) => f.write_str(&object.path)?,
            Kind::Any => f.write_str("anything")?,
        }
        if let (Kind::Text, Some(max)) = (&self.kind, self.max) {
            write!(f, "({max})")?;
        }
        if self.optional && self.kind != Kind::Any { f.write_str("?") } else { Ok(()) }
    }
}

//! How a write is asked for again: a question that needs neither the record nor the plan nor what was sent.
//!
//! Takes marks (read field and value), gives a [`Filter`] and judges the rows that come back. Promises that values
//! marked private are never stored, so that a question with nothing else cannot be asked from its row alone.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::state::Finding;
use crate::value::{Decimal, Filter, Record, Value, same};

/// Where to look, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The entity that shows the write (`Profit_Salesorders`).
    pub entity: Arc<str>,
    /// Its field whose value is the key of the write (`OrderNumber`).
    pub key: Option<Arc<str>>,
    /// What must be equal there.
    pub marks: Vec<Mark>,
}

/// A field of the read entity and the value that shows the write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The read field.
    pub field: Arc<str>,
    /// Its value, of the field's own kind.
    pub value: Value,
    /// What it is to the write.
    pub part: Part,
    /// Personal: never stored.
    pub private: bool,
}

/// What a mark is to its write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Our own number: finds the write by itself.
    Number,
    /// A reference: finds the write by itself.
    Reference,
    /// Must be equal as well.
    Other,
}

/// What an ask brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What was found.
    pub finding: Finding,
    /// The key of what was found, where there is one such thing.
    pub key: Option<Arc<str>>,
    /// Did the known key come back?
    pub control: bool,
}

impl Question {
    /// The condition: own number or reference, each by itself; without either all marks together. The known key is
    /// asked for in the same question, so that an answer without it is known to be blind.
    #[must_use]
    pub fn filter(&self, control: Option<&str>) -> Filter {
        let is = |mark: &Mark| Filter::Is(Arc::clone(&mark.field), mark.value.clone());
        let mut any: Vec<Filter> = self.marks.iter().filter(|mark| mark.part != Part::Other).map(is).collect();
        if any.is_empty() {
            any.push(match self.marks.as_slice() {
                [] => Filter::Never,
                [mark] => is(mark),
                marks => Filter::And(marks.iter().map(is).collect()),
            });
        }
        if let (Some(control), Some(key)) = (control, &self.key) {
            any.push(Filter::Is(Arc::clone(key), Value::text(control)));
        }
        match any.len() {
            1 => any.remove(0),
            _ => Filter::Or(any),
        }
    }

    /// The fields that judging needs, sorted.
    #[must_use]
    pub fn fields(&self) -> Arc<[Arc<str>]> {
        let mut fields: Vec<_> =
            self.marks.iter().map(|mark| Arc::clone(&mark.field)).chain(self.key.clone()).collect();
        fields.sort();
        fields.dedup();
        fields.into()
    }

    /// What the rows say. Rows of one key are one thing (an entry has a row for each of its lines).
    #[must_use]
    pub fn judge(&self, rows: &[Record], control: Option<&str>) -> Judged {
        let key_of = |row: &Record| self.key.as_ref().map(|key| row.path(key).to_string());
        let control = control.is_some_and(|known| rows.iter().any(|row| key_of(row).is_some_and(|key| key == *known)));
        let equal = |row: &Record, mark: &Mark| !mark.value.is_blank() && same(row.path(&mark.field), &mark.value);
        let number = self.marks.iter().find(|mark| mark.part == Part::Number);
        let besides = || self.marks.iter().filter(|mark| mark.part != Part::Number);
        let ours = |row: &&Record| !self.marks.is_empty() && self.marks.iter().all(|mark| equal(row, mark));
        let by_reference =
            |row: &&Record| number.is_some() && besides().count() > 0 && besides().all(|mark| equal(row, mark));
        let judged = |finding, key: Option<String>| Judged { finding, key: key.map(Into::into), control };
        for (finding, rows) in [
            (Finding::Ours, rows.iter().filter(ours).collect::<Vec<_>>()),
            (Finding::Foreign, rows.iter().filter(|row| number.is_some_and(|mark| equal(row, mark))).collect()),
            (Finding::ByReference, rows.iter().filter(by_reference).collect()),
        ] {
            let Some(first) = rows.first() else { continue };
            let key = key_of(first);
            if rows.iter().any(|row| key_of(row) != key) {
                return judged(Finding::Several, None);
            }
            return judged(finding, key);
        }
        judged(Finding::Absent, None)
    }

    /// The question as it is stored; none where it would need a private value to be asked.
    pub(super) fn stored(&self) -> Option<String> {
        let marks: Vec<_> = self.marks.iter().filter(|mark| !mark.private).map(StoredMark::of).collect();
        let whole = marks.len() == self.marks.len() || marks.iter().any(|mark| mark.part != Part::Other);
        let stored = Stored { entity: self.entity.to_string(), key: self.key.as_deref().map(str::to_owned), marks };
        (whole && !stored.marks.is_empty()).then(|| serde_json::to_string(&stored).ok()).flatten()
    }

    /// Reads a stored question.
    pub(super) fn read(text: &str) -> Option<Self> {
        let stored: Stored = serde_json::from_str(text).ok()?;
        Some(Self {
            entity: stored.entity.into(),
            key: stored.key.map(Into::into),
            marks: stored.marks.into_iter().map(StoredMark::mark).collect(),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    entity: String,
    key: Option<String>,
    marks: Vec<StoredMark>,
}

#[derive(Serialize, Deserialize)]
struct StoredMark {
    field: String,
    part: Part,
    kind: Kind,
    value: String,
}

/// Numbers are told from texts, because a filter compares by kind.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Text,
    Int,
    Decimal,
}

impl StoredMark {
    fn of(mark: &Mark) -> Self {
        let kind = match &mark.value {
            Value::Int(_) => Kind::Int,
            Value::Decimal(_) | Value::Money(_) => Kind::Decimal,
            _ => Kind::Text,
        };
        Self { field: mark.field.to_string(), part: mark.part, kind, value: mark.value.to_string() }
    }

    fn mark(self) -> Mark {
        let value = match self.kind {
            Kind::Text => Value::text(&self.value),
            Kind::Int => self.value.parse().map_or(Value::Blank, Value::Int),
            Kind::Decimal => self.value.parse::<Decimal>().map_or(Value::Blank, Value::Decimal),
        };
        Mark { field: self.field.into(), value, part: self.part, private: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Shape;

    fn order() -> Question {
        Question {
            entity: "Profit_Salesorders".into(),
            key: Some("OrderNumber".into()),
            marks: vec![
                Mark { field: "OrderNumber".into(), value: Value::text("J1"), part: Part::Number, private: false },
                Mark {
                    field: "CustomerReference".into(),
                    value: Value::text("1"),
                    part: Part::Reference,
                    private: false,
                },
            ],
        }
    }

    fn row(number: &str, reference: &str) -> Record {
        let shape = Arc::new(Shape { names: vec!["OrderNumber".into(), "CustomerReference".into()] });
        Record::new(shape, vec![Value::text(number), Value::text(reference)])
    }

    #[test]
    fn number_and_reference_each_find_and_both_make_it_ours() {
        let found = order().judge(&[row("J1", "1")], None);
        assert_eq!((found.finding, found.key.as_deref()), (Finding::Ours, Some("J1")));
        assert_eq!(order().judge(&[row("J1", "other")], None).finding, Finding::Foreign);
        let by_person = order().judge(&[row("500", "1")], None);
        assert_eq!((by_person.finding, by_person.key.as_deref()), (Finding::ByReference, Some("500")));
        assert_eq!(order().judge(&[row("500", "1"), row("501", "1")], None).finding, Finding::Several);
        assert_eq!(order().judge(&[row("J2", "2")], None).finding, Finding::Absent);
    }

    #[test]
    fn a_known_key_is_asked_for_and_recognised_in_the_same_answer() {
        let Filter::Or(any) = order().filter(Some("J0")) else { panic!("three ways") };
        assert_eq!(any.len(), 3);
        assert!(order().judge(&[row("J0", "0")], Some("J0")).control);
        assert!(!order().judge(&[], Some("J0")).control);
    }

    #[test]
    fn a_stored_question_asks_the_same_and_keeps_numbers_as_numbers() {
        let mut asked = order();
        asked.marks.push(Mark { field: "Unit".into(), value: Value::Int(1), part: Part::Other, private: false });
        assert_eq!(Question::read(&asked.stored().unwrap()).unwrap(), asked);
    }

    #[test]
    fn private_marks_are_not_stored() {
        let mark = Mark { field: "Email".into(), value: Value::text("a@b.example"), part: Part::Other, private: true };
        let by_mail =
            Question { entity: "Profit_Debtor".into(), key: Some("DebtorId".into()), marks: vec![mark.clone()] };
        assert_eq!(by_mail.stored(), None);
        let mut with_number = order();
        with_number.marks.push(mark);
        assert!(!with_number.stored().unwrap().contains("a@b.example"));
    }
}

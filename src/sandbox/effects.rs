//! What was created, changed and refused over the API since the start, and what was created twice.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::{Value, json};

/// A key by which two creations are the same thing: the family of things, what the key is, and its value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Mark {
    pub(super) family: &'static str,
    pub(super) by: &'static str,
    pub(super) value: String,
}

/// Who refused a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The vendor's own description of the body: whoever reads that file can know it before.
    Schema,
    /// The books: what is in them decides.
    Books,
}

#[derive(Debug, Default)]
struct Count {
    created: usize,
    updated: usize,
    duplicates: Vec<Value>,
    refused: Vec<Value>,
}

/// The counters of one system.
#[derive(Debug, Default)]
pub(super) struct Effects {
    counts: IndexMap<String, Count>,
    seen: HashMap<Mark, String>,
}

impl Effects {
    /// Effects that show these names from the start, with zero.
    pub(super) fn of(names: impl IntoIterator<Item = String>) -> Self {
        Self { counts: names.into_iter().map(|name| (name, Count::default())).collect(), seen: HashMap::new() }
    }

    /// Something was there before the start: a second one is a duplicate, itself it isn't counted.
    pub(super) fn known(&mut self, mark: Mark, key: &str) {
        self.seen.entry(mark).or_insert_with(|| key.to_owned());
    }

    /// Something was created; each mark that was there already makes it a duplicate.
    pub(super) fn created(&mut self, name: &str, key: &str, marks: Vec<Mark>) {
        let count = self.counts.entry(name.to_owned()).or_default();
        count.created += 1;
        for mark in marks {
            if let Some(first) = self.seen.get(&mark) {
                count.duplicates.push(json!({
                    "by": mark.by, "value": mark.value, "key": key, "first": first
                }));
            } else {
                self.seen.insert(mark, key.to_owned());
            }
        }
    }

    /// Something was changed.
    pub(super) fn updated(&mut self, name: &str) {
        self.counts.entry(name.to_owned()).or_default().updated += 1;
    }

    /// A body was refused, with the vendor's words.
    pub(super) fn refused(&mut self, name: &str, by: By, message: &str) {
        let by = match by {
            By::Schema => "schema",
            By::Books => "books",
        };
        self.counts.entry(name.to_owned()).or_default().refused.push(json!({"by": by, "message": message}));
    }

    /// `{"FbSales": {"count": 2, "updated": 0, "duplicates": [], "refused": []}, …}`
    pub(super) fn shown(&self) -> Value {
        self.counts
            .iter()
            .map(|(name, count)| {
                let Count { created, updated, duplicates, refused } = count;
                let shown = json!({"count": created, "updated": updated, "duplicates": duplicates, "refused": refused});
                (name.clone(), shown)
            })
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

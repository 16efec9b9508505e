//! The nearest right word: by edit distance, and for fields also by the vendor's label.

use std::sync::Arc;

use strsim::damerau_levenshtein;

use crate::schema::{Field, Object};

/// How far a word may be away and still be meant.
fn reach(word: &str) -> usize {
    word.chars().count().div_ceil(3).max(1)
}

/// The nearest of some words, if one is near enough.
pub(super) fn nearest<'n>(word: &str, among: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = word.to_lowercase();
    let near = among.into_iter().map(|other| (damerau_levenshtein(&lower, &other.to_lowercase()), other));
    near.filter(|(distance, _)| *distance <= reach(word)).min_by_key(|(distance, _)| *distance).map(|(_, other)| other)
}

/// "`x`", or nothing: for a help line.
pub(super) fn quoted<'n>(word: &str, among: impl IntoIterator<Item = &'n str>) -> Option<String> {
    nearest(word, among).map(|near| format!("`{near}`"))
}

/// Only letters and digits, lower case: how labels are compared.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What was meant by an unknown field.
pub(super) enum Near<'o> {
    /// A field with a similar name.
    Name(&'o Arc<Field>),
    /// Fields whose labels say this, the nearest first; one at least.
    Labels(Vec<&'o Arc<Field>>),
}

/// The field that a name differs from by one letter or by case only.
pub(super) fn misspelt<'o>(word: &str, object: &'o Object) -> Option<&'o Arc<Field>> {
    let lower = word.to_lowercase();
    object.fields.values().find(|field| damerau_levenshtein(&lower, &field.name.to_lowercase()) <= 1)
}

/// The field that was meant: a similar name, else one whose label is or holds the word.
pub(super) fn nearest_field<'o>(word: &str, object: &'o Object) -> Option<Near<'o>> {
    let lower = word.to_lowercase();
    let by_name = object
        .fields
        .values()
        .map(|field| (damerau_levenshtein(&lower, &field.name.to_lowercase()), field))
        .filter(|(distance, _)| *distance <= reach(word))
        .min_by_key(|(distance, _)| *distance);
    if let Some((distance, field)) = by_name
        && distance <= 1
    {
        return Some(Near::Name(field));
    }
    let asked = plain(word);
    let by_label = object.fields.values().filter(|field| !field.label.is_empty()).filter_map(|field| {
        let label = plain(&field.label);
        let far = damerau_levenshtein(&asked, &label);
        // a word within the label counts as near, but less than the label itself
        let score = if label == asked {
            0
        } else if asked.len() >= 4 && label.contains(&asked) {
            2 + (label.len() - asked.len()) / 8
        } else if far * 3 < label.len().min(asked.len()) {
            1 + far
        } else {
            return None;
        };
        Some((score, field))
    });
    let mut by_label: Vec<_> = by_label.collect();
    by_label.sort_by_key(|(score, _)| *score);
    match (by_name, by_label.first()) {
        (Some((distance, near)), Some((score, _))) if distance <= *score => Some(Near::Name(near)),
        (_, Some((0, field))) => Some(Near::Labels(vec![field])),
        (_, Some(_)) => Some(Near::Labels(by_label.into_iter().take(3).map(|(_, field)| field).collect())),
        (Some((_, near)), None) => Some(Near::Name(near)),
        (None, None) => kindred(&lower, object).map(Near::Name),
    }
}

/// The shortest field that begins with the word, give or take its plural: `line_items` for `lines`.
fn kindred<'o>(word: &str, object: &'o Object) -> Option<&'o Arc<Field>> {
    let stem = word.trim_end_matches('s');
    let begins = |field: &&Arc<Field>| field.name.to_lowercase().starts_with(stem);
    object.fields.values().filter(begins).min_by_key(|field| field.name.len()).filter(|_| stem.len() >= 4)
}

/// "a sales order", "an invoice", "line items".
pub(super) fn with_article(noun: &str) -> String {
    let head = noun.split(" of ").next().unwrap_or(noun);
    if head.ends_with('s') && !head.ends_with("ss") && !head.ends_with("us") && head.starts_with(char::is_lowercase) {
        return noun.to_owned();
    }
    let vowel = noun.chars().next().is_some_and(|c| "aeiouAEIOU".contains(c));
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

/// A vendor's label without what stands in brackets or behind the first sentence.
pub(super) fn label(label: &str) -> String {
    let cut = label.split([';', ',']).next().unwrap_or(label);
    // a sentence, not "P.O. Box"
    let sentence = cut.match_indices(". ").map(|(at, _)| at).find(|at| *at > 12).and_then(|at| cut.get(..at));
    let cut = sentence.unwrap_or(cut).split(" (").next().unwrap_or(cut).trim_end_matches('.');
    if cut.chars().count() <= 48 {
        cut.to_owned()
    } else {
        format!("{}…", cut.chars().take(47).collect::<String>().trim_end())
    }
}

/// "`a`, `b` or `c`"; cut after `most`.
pub(super) fn words<'n>(among: impl IntoIterator<Item = &'n str>, mark: char, most: usize) -> String {
    let all: Vec<String> = among.into_iter().map(|word| format!("{mark}{word}{mark}")).collect();
    let more = all.len() > most;
    let mut text = all.into_iter().take(most).collect::<Vec<_>>().join(", ");
    if more {
        text.push_str(", …");
    }
    text
}

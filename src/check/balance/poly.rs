//! Amounts as sums of products: `2 * price * units + 0.21 * total when incl`.
//!
//! Takes numbers and names of amounts, gives [`Poly`]s in a normal form: two that are equal as formulas are equal as
//! values. A condition is a factor that is one or zero, so what is counted "when not paid" is the whole less what is
//! counted "when paid". A blank amount counts as zero, as a field that is left out does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::value::Decimal;

/// More terms than a person writes; what gets larger is not added up any further.
const LIMIT: usize = 400;

/// A condition: a yes-or-no, or "this is that word".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cond {
    pub(super) subject: Arc<str>,
    /// The word; none = the subject is a yes-or-no by itself.
    pub(super) word: Option<Arc<str>>,
}

/// A product of conditions and amounts, without its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Term {
    pub(super) conds: BTreeSet<Cond>,
    /// In order; one that stands twice is squared.
    pub(super) factors: Vec<Arc<str>>,
}

/// A sum of terms, each with its number; none is zero.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Poly(pub(super) BTreeMap<Term, Decimal>);

impl Term {
    /// Both; none where two conditions exclude each other.
    fn times(&self, other: &Self) -> Option<Self> {
        let conds: BTreeSet<Cond> = self.conds.union(&other.conds).cloned().collect();
        let excludes =
            |(a, b): (&Cond, &Cond)| a.subject == b.subject && a.word != b.word && a.word.is_some() && b.word.is_some();
        if conds.iter().zip(conds.iter().skip(1)).any(excludes) {
            return None;
        }
        let mut factors = [self.factors.as_slice(), other.factors.as_slice()].concat();
        factors.sort();
        Some(Self { conds, factors })
    }
}

impl Poly {
    pub(super) fn number(number: Decimal) -> Self {
        let mut sum = Self::default();
        sum.add(Term::default(), number);
        sum
    }

    /// An amount of which only its name is known.
    pub(super) fn atom(key: Arc<str>) -> Self {
        let mut sum = Self::default();
        sum.add(Term { factors: vec![key], ..Term::default() }, Decimal::ONE);
        sum
    }

    /// One where the condition holds, else zero.
    pub(super) fn cond(cond: Cond) -> Self {
        let mut sum = Self::default();
        sum.add(Term { conds: [cond].into(), ..Term::default() }, Decimal::ONE);
        sum
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// Its number, when it is nothing but a number.
    pub(super) fn as_number(&self) -> Option<Decimal> {
        match self.0.iter().next() {
            None => Some(Decimal::ZERO),
            Some((term, number)) => (self.0.len() == 1 && *term == Term::default()).then_some(*number),
        }
    }

    pub(super) fn add(&mut self, term: Term, number: Decimal) {
        let sum = self.0.get(&term).copied().unwrap_or_default().saturating_add(number);
        if sum.is_zero() {
            self.0.remove(&term);
        } else {
            self.0.insert(term, sum.normalize());
        }
    }

    /// `self + times · other`
    pub(super) fn plus(mut self, other: &Self, times: Decimal) -> Self {
        for (term, number) in &other.0 {
            self.add(term.clone(), number.saturating_mul(times));
        }
        self
    }

    pub(super) fn minus(self, other: &Self) -> Self {
        self.plus(other, Decimal::NEGATIVE_ONE)
    }

    pub(super) fn scaled(&self, times: Decimal) -> Self {
        Self::default().plus(self, times)
    }

    /// The product; none when it gets too large.
    pub(super) fn times(&self, other: &Self) -> Option<Self> {
        let mut product = Self::default();
        for (a, x) in &self.0 {
            for (b, y) in &other.0 {
                if let Some(term) = a.times(b) {
                    product.add(term, x.saturating_mul(*y));
                }
            }
        }
        (product.0.len() <= LIMIT).then_some(product)
    }

    /// The number k of `self = k · other`, if there is one.
    pub(super) fn share_of(&self, other: &Self) -> Option<Decimal> {
        let Some((term, number)) = other.0.first_key_value() else { return self.is_zero().then_some(Decimal::ZERO) };
        let share = self.0.get(term).copied().unwrap_or_default().checked_div(*number)?;
        self.clone().plus(other, -share).is_zero().then_some(share)
    }

    /// The same with 1 before its first term, and the number that was there.
    pub(super) fn unit(&self) -> (Self, Decimal) {
        let first = self.0.values().next().copied().unwrap_or(Decimal::ONE);
        let mut unit = Self::default();
        for (term, number) in &self.0 {
            unit.add(term.clone(), number.checked_div(first).unwrap_or_default());
        }
        (unit, first)
    }

    /// As a name of itself within a greater formula.
    pub(super) fn key(&self) -> String {
        if self.is_zero() {
            return "0".to_owned();
        }
        added(self.0.iter().map(|(term, number)| (term, *number)))
    }

    /// As people read it: what is added first, and what holds under one condition together.
    pub(super) fn words(&self) -> String {
        if self.is_zero() {
            return "nothing".to_owned();
        }
        let mut groups: BTreeMap<&BTreeSet<Cond>, Vec<(Term, Decimal)>> = BTreeMap::new();
        for (term, number) in &self.0 {
            let plain = Term { factors: term.factors.clone(), ..Term::default() };
            groups.entry(&term.conds).or_default().push((plain, *number));
        }
        let mut parts = Vec::new();
        for (conds, mut terms) in groups {
            terms.sort_by_key(|(_, number)| number.is_sign_negative());
            let sum = added(terms.iter().map(|(term, number)| (term, *number)));
            let sum = if terms.len() > 1 && !conds.is_empty() { format!("({sum})") } else { sum };
            let conds: Vec<String> = conds.iter().map(Cond::key).collect();
            parts.push(if conds.is_empty() { sum } else { format!("{sum} when {}", conds.join(" and ")) });
        }
        shown(&parts.join(" + "))
    }

    /// What is left when this amount is known to be zero.
    pub(super) fn given_zero(self, zero: &Self) -> Self {
        let Some((term, number)) = zero.0.first_key_value() else { return self };
        let share = self.0.get(term).and_then(|own| own.checked_div(*number));
        match share {
            Some(share) => self.plus(zero, -share),
            None => self,
        }
    }
}

/// A sum of terms that are not zero.
fn added<'t>(terms: impl Iterator<Item = (&'t Term, Decimal)>) -> String {
    let mut text = String::new();
    for (term, number) in terms {
        let (sign, number) = if number.is_sign_negative() { ("-", -number) } else { ("+", number) };
        match (text.is_empty(), sign) {
            (true, "-") => text.push('-'),
            (true, _) => {}
            (false, sign) => text.extend([" ", sign, " "]),
        }
        text.push_str(&term.key(number));
    }
    text
}

impl Term {
    fn key(&self, number: Decimal) -> String {
        let mut parts: Vec<String> = Vec::new();
        if number != Decimal::ONE || self.factors.is_empty() {
            parts.push(number.normalize().to_string());
        }
        parts.extend(self.factors.iter().map(|factor| (**factor).to_owned()));
        let conds: Vec<String> = self.conds.iter().map(Cond::key).collect();
        let product = parts.join(" * ");
        if conds.is_empty() { product } else { format!("{product} when {}", conds.join(" and ")) }
    }
}

impl Cond {
    fn key(&self) -> String {
        match &self.word {
            Some(word) => format!("{} is {word}", self.subject),
            None => (*self.subject).to_owned(),
        }
    }
}

/// A formula as people read it: without what only tells one name from another of the same letters.
///
/// `\u{1}` and digits tell places of one name apart, `\u{2}…\u{3}` stands for the element of a list, `\u{4}…\u{5}`
/// holds which list it is.
fn shown(key: &str) -> String {
    let mut text = String::new();
    let (mut hidden, mut letters) = (0_u32, key.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '\u{4}' => hidden += 1,
            '\u{5}' => hidden = hidden.saturating_sub(1),
            _ if hidden > 0 => {}
            '\u{1}' => while letters.next_if(char::is_ascii_digit).is_some() {},
            '\u{2}' => {
                while letters.next().is_some_and(|letter| letter != '\u{3}') {}
                if letters.next_if_eq(&'.').is_none() {
                    text.push_str("each");
                }
            }
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(name: &str) -> Poly {
        Poly::atom(name.into())
    }

    fn is(subject: &str, word: &str) -> Poly {
        Poly::cond(Cond { subject: subject.into(), word: Some(word.into()) })
    }

    #[test]
    fn equal_formulas_are_equal_values() {
        let one = atom("a").plus(&atom("b"), Decimal::TWO);
        let other = atom("b").plus(&atom("a"), Decimal::ONE).plus(&atom("b"), Decimal::ONE);
        assert_eq!(one, other);
        assert!(one.minus(&other).is_zero());
        let product = atom("a").plus(&atom("b"), Decimal::ONE).times(&atom("a")).unwrap();
        assert_eq!(product.key(), "a * a + a * b");
    }

    #[test]
    fn conditions_count_once_and_two_words_of_one_thing_exclude_each_other() {
        let order = is("document", "order");
        assert_eq!(order.times(&order).unwrap(), order);
        assert!(order.times(&is("document", "entry")).unwrap().is_zero());
        assert!(!order.times(&is("other", "entry")).unwrap().is_zero());
    }

    #[test]
    fn a_share_of_another_formula_is_seen() {
        let sum = atom("a").minus(&atom("b"));
        assert_eq!(sum.scaled(Decimal::TWO).share_of(&sum), Some(Decimal::TWO));
        assert_eq!(atom("a").share_of(&sum), None);
        assert_eq!(sum.clone().given_zero(&sum), Poly::default());
    }

    #[test]
    fn a_formula_is_shown_without_the_marks_of_its_names() {
        assert_eq!(
            shown("total\u{1}12 + the sum of \u{4}over\u{4}x\u{5}y\u{5}round(\u{2}3\u{3}.net, 2) + \u{2}@1\u{3}"),
            "total + the sum of round(net, 2) + each"
        );
    }
}

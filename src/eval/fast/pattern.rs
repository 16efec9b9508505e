//! Patterns that are a row of repeated classes from the beginning of a text to its end, `^\D+\s(\d+\D*)$`: what cuts
//! streets, postal codes and numbers.
//!
//! Takes a pattern, gives its first group in a text as the `regex` crate does, for what that one costs to begin with.
//! None for other patterns and for long texts. Patterns that differ in their group alone have one [`Shape`], so that a
//! text is taken apart once for all of them.

use std::ops::Range;

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// What stands behind each other from the beginning of a text to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape(Vec<Item>);

/// The parts of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    /// The text is too long for it to say.
    Unknown,
    /// The text has another shape.
    None,
    /// Where each begins, and the last one ends.
    Begin([usize; ITEMS + 1]),
}

/// A class that is repeated.
#[derive(Debug, PartialEq, Eq)]
struct Item {
    /// Which characters of ASCII are in it, by their byte.
    ascii: [bool; 256],
    /// All others.
    ranges: Vec<(char, char)>,
    min: usize,
    max: usize,
}

/// More are left to the `regex` crate.
const ITEMS: usize = 8;
/// Longer texts, too: a place in a text is a bit.
const LONGEST: usize = 127;

impl Shape {
    /// The shape of a pattern, and which of its parts are the first group; all of them where there is none. None: it is
    /// not one of these patterns.
    pub(super) fn new(pattern: &str) -> Option<(Self, Range<usize>)> {
        let hir = regex_syntax::parse(pattern).ok()?;
        let HirKind::Concat(parts) = hir.kind() else { return None };
        let [begin, inner @ .., end] = &parts[..] else { return None };
        if *begin.kind() != HirKind::Look(Look::Start) || *end.kind() != HirKind::Look(Look::End) {
            return None;
        }
        let (mut items, mut group) = (Vec::new(), None);
        for part in inner {
            match part.kind() {
                HirKind::Capture(capture) => {
                    let first = items.len();
                    match capture.sub.kind() {
                        HirKind::Concat(parts) => parts.iter().try_for_each(|part| Item::add(part, &mut items))?,
                        _ => Item::add(&capture.sub, &mut items)?,
                    }
                    if capture.index == 1 {
                        group = Some(first..items.len());
                    }
                }
                _ => Item::add(part, &mut items)?,
            }
        }
        let all = 0..items.len();
        (items.len() <= ITEMS).then(|| (Self(items), group.unwrap_or(all)))
    }

    /// The parts of a text.
    pub(super) fn parts(&self, text: &str) -> Parts {
        if text.len() > LONGEST {
            return Parts::Unknown;
        }
        if text.is_ascii() {
            return self.fits(text.as_bytes(), |item, byte| item.takes_byte(*byte)).map_or(Parts::None, Parts::Begin);
        }
        let letters: Vec<char> = text.chars().collect();
        let Some(begins) = self.fits(&letters, |item, letter| item.takes(*letter)) else { return Parts::None };
        let before = |place: usize| letters.iter().take(place).map(|letter| letter.len_utf8()).sum();
        Parts::Begin(begins.map(before))
    }

    /// Where each item begins among these letters, if they are taken to their end: each as many as it can, the first
    /// ones first; where one does not fit, the last one that can do with one less gives it back.
    fn fits<L>(&self, letters: &[L], takes: impl Fn(&Item, &L) -> bool) -> Option<[usize; ITEMS + 1]> {
        let mut begins = [0; ITEMS + 1];
        // By item, the places from which it does not fit.
        let mut dead = [0_u128; ITEMS + 1];
        // So many items have taken their part.
        let mut item = 0;
        loop {
            let at = *begins.get(item)?;
            if dead.get(item)? >> at & 1 == 0 {
                let rest = letters.get(at..)?;
                match self.0.get(item) {
                    None if rest.is_empty() => return Some(begins),
                    None => {}
                    Some(own) => {
                        let most = rest.get(..own.max).unwrap_or(rest);
                        let count = most.iter().position(|letter| !takes(own, letter)).unwrap_or(most.len());
                        if count >= own.min {
                            item += 1;
                            *begins.get_mut(item)? = at + count;
                            continue;
                        }
                    }
                }
            }
            loop {
                let end = *begins.get(item)?;
                *dead.get_mut(item)? |= 1 << end;
                let before = item.checked_sub(1)?;
                if end > begins.get(before)? + self.0.get(before)?.min {
                    *begins.get_mut(item)? = end - 1;
                    break;
                }
                item = before;
            }
        }
    }
}

impl Parts {
    /// From where to where some of the parts go; the inner none: the text has another shape. None: it is not known.
    #[expect(clippy::option_option, reason = "whether it can say, and what it says")]
    pub(super) fn group(&self, group: &Range<usize>) -> Option<Option<(usize, usize)>> {
        match self {
            Self::Unknown => None,
            Self::None => Some(None),
            Self::Begin(begins) => Some(begins.get(group.start).copied().zip(begins.get(group.end).copied())),
        }
    }
}

impl Item {
    /// None: it is no repeated class.
    fn add(hir: &Hir, items: &mut Vec<Self>) -> Option<()> {
        match hir.kind() {
            HirKind::Repetition(repetition) if repetition.greedy => {
                let HirKind::Class(Class::Unicode(class)) = repetition.sub.kind() else { return None };
                let max = repetition.max.map_or(usize::MAX, |max| max as usize);
                items.push(Self::new(
                    class.ranges().iter().map(|range| (range.start(), range.end())),
                    repetition.min as usize,
                    max,
                ));
            }
            HirKind::Class(Class::Unicode(class)) => {
                items.push(Self::new(class.ranges().iter().map(|range| (range.start(), range.end())), 1, 1));
            }
            HirKind::Literal(literal) => {
                for letter in std::str::from_utf8(&literal.0).ok()?.chars() {
                    items.push(Self::new([(letter, letter)].into_iter(), 1, 1));
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn new(ranges: impl Iterator<Item = (char, char)>, min: usize, max: usize) -> Self {
        let mut item = Self { ascii: [false; 256], ranges: Vec::new(), min, max };
        for (from, to) in ranges {
            for letter in from..=to.min('\u{7f}') {
                if let Some(place) = item.ascii.get_mut(letter as usize) {
                    *place = true;
                }
            }
            if to > '\u{7f}' {
                item.ranges.push((from, to));
            }
        }
        item
    }

    /// Of ASCII.
    fn takes_byte(&self, byte: u8) -> bool {
        self.ascii.get(usize::from(byte)).is_some_and(|takes| *takes)
    }

    fn takes(&self, letter: char) -> bool {
        if letter.is_ascii() {
            return u8::try_from(letter).is_ok_and(|byte| self.takes_byte(byte));
        }
        let above = self.ranges.partition_point(|(_, to)| *to < letter);
        self.ranges.get(above).is_some_and(|(from, _)| *from <= letter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    fn patterns() -> impl Strategy<Value = String> {
        let class = prop_oneof![
            Just(r"\d"),
            Just(r"\D"),
            Just(r"\s"),
            Just(r"\w"),
            Just("[a-cé]"),
            Just("[^ ]"),
            Just("."),
            Just("a")
        ];
        let times = prop_oneof![Just(""), Just("*"), Just("+"), Just("?"), Just("{2}"), Just("{1,3}")];
        let item = || (class.clone(), times.clone()).prop_map(|(class, times)| format!("{class}{times}"));
        let items = || proptest::collection::vec(item(), 0..3).prop_map(|items| items.concat());
        (items(), items(), items(), any::<bool>())
            .prop_map(|(a, b, c, group)| if group { format!("^{a}({b}){c}$") } else { format!("^{a}{b}{c}$") })
    }

    proptest! {
        #[test]
        fn it_finds_what_the_regex_crate_finds(pattern in patterns(), text in "[a-d0-3 é\n]{0,12}") {
            let regex = Regex::new(&pattern).unwrap();
            if let Some((shape, group)) = Shape::new(&pattern) {
                let groups = regex.captures(&text);
                let part = groups.as_ref().and_then(|groups| groups.get(usize::from(groups.len() > 1)));
                prop_assert_eq!(shape.parts(&text).group(&group), Some(part.map(|part| (part.start(), part.end()))), "{}", pattern);
            }
        }
    }

    #[test]
    fn the_patterns_of_streets_are_simple() {
        let (street, house) = Shape::new(r"^\D+\s(\d+\D*)$").unwrap();
        assert_eq!(street.parts("Rozengracht 75 a").group(&house), Some(Some((12, 16))));
        assert_eq!(street.parts("Königsallee 7").group(&house), Some(Some((13, 14))));
        assert_eq!(street.parts("Königsallee").group(&house), Some(None));
        assert_eq!(street.parts(&"x".repeat(200)).group(&house), None);
        let (same, name) = Shape::new(r"^(\D+)\s\d+\D*$").unwrap();
        assert_eq!((same == street, name), (true, 0..1));
        assert!(Shape::new(r"\[([^\]]+)\]").is_none());
    }
}

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
        let mut tried = Tried { dead: [0; ITEMS + 1], begins: [0; ITEMS + 1] };
        let fits = if text.is_ascii() {
            self.fits_ascii(text.as_bytes(), &mut tried)
        } else {
            Some(self.fits(text, 0, 0, &mut tried))
        };
        match fits {
            None => Parts::Unknown,
            Some(false) => Parts::None,
            Some(true) => Parts::Begin(tried.begins),
        }
    }

    /// As [`Shape::fits`], where each character is a byte: from item to item, and back where one does not fit. None
    /// cannot be.
    fn fits_ascii(&self, text: &[u8], tried: &mut Tried) -> Option<bool> {
        // So many items have taken their part.
        let mut item = 0;
        loop {
            let at = *tried.begins.get(item)?;
            if tried.dead.get(item)? >> at & 1 == 0 {
                let rest = text.get(at..)?;
                match self.0.get(item) {
                    None if rest.is_empty() => return Some(true),
                    None => {}
                    Some(own) => {
                        let most = rest.get(..own.max).unwrap_or(rest);
                        let count = most.iter().position(|byte| !own.takes_byte(*byte)).unwrap_or(most.len());
                        if count >= own.min {
                            item += 1;
                            *tried.begins.get_mut(item)? = at + count;
                            continue;
                        }
                    }
                }
            }
            // The last one that can do with one less gives it back.
            loop {
                let end = *tried.begins.get(item)?;
                *tried.dead.get_mut(item)? |= 1 << end;
                let Some(before) = item.checked_sub(1) else { return Some(false) };
                if end > tried.begins.get(before)? + self.0.get(before)?.min {
                    *tried.begins.get_mut(item)? = end - 1;
                    break;
                }
                item = before;
            }
        }
    }

    /// Do the items from this one on take the text from this place on? As much as they can, the first ones first.
    fn fits(&self, text: &str, item: usize, at: usize, tried: &mut Tried) -> bool {
        if let Some(begin) = tried.begins.get_mut(item) {
            *begin = at;
        }
        let Some(own) = self.0.get(item) else { return at == text.len() };
        let (mut count, mut end) = (0, at);
        while count < own.max {
            let length = match text.as_bytes().get(end) {
                Some(byte) if byte.is_ascii() => usize::from(own.takes(char::from(*byte))),
                Some(_) => {
                    let letter = text.get(end..).and_then(|rest| rest.chars().next());
                    letter.filter(|letter| own.takes(*letter)).map_or(0, char::len_utf8)
                }
                None => 0,
            };
            if length == 0 {
                break;
            }
            count += 1;
            end += length;
        }
        while count >= own.min {
            let dead = tried.dead.get(item + 1).is_some_and(|dead| dead >> end & 1 == 1);
            if !dead {
                if self.fits(text, item + 1, end, tried) {
                    return true;
                }
                if let Some(dead) = tried.dead.get_mut(item + 1) {
                    *dead |= 1 << end;
                }
            }
            let Some(last) = text.get(at..end).and_then(|taken| taken.chars().next_back()) else { return false };
            count -= 1;
            end -= last.len_utf8();
        }
        false
    }
}

struct Tried {
    /// By item, the places from which it does not fit.
    dead: [u128; ITEMS + 1],
    /// Where each item begins.
    begins: [usize; ITEMS + 1],
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

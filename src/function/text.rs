//! Functions on texts. Characters are counted as Unicode scalar values, as AFAS and Jortt count lengths.

use unicode_normalization::UnicodeNormalization as _;

use super::{Argument, Function, Takes, Trouble, at, needed, type_at};
use crate::{
    schema::{Kind, Ty},
    value::Value,
};

fn text(_: &[Ty]) -> Ty {
    Ty::new(Kind::Text)
}

fn maybe_text(_: &[Ty]) -> Ty {
    Ty::new(Kind::Text).or_blank()
}

/// A text that is never longer than its first argument; it can become blank.
fn no_longer(types: &[Ty]) -> Ty {
    Ty { max: type_at(types, 0).max, ..Ty::new(Kind::Text) }
}

/// A text of at most as many characters as the second argument says, if that is a literal.
fn bounded_by_second(types: &[Ty]) -> Ty {
    Ty { max: type_at(types, 1).max, ..Ty::new(Kind::Text) }
}

fn bool(_: &[Ty]) -> Ty {
    Ty::new(Kind::Bool)
}

/// Takes white space off both ends.
pub(super) const TRIM: Function = Function {
    name: "trim",
    params: &[needed("text", Takes::Text)],
    gives: |types| no_longer(types).or_blank(),
    doc: "the text without white space at its ends; blank when nothing is left",
    example: ("trim(\" a b \")", "a b"),
    call: |args| Ok(Value::text(at(args, 0).text().trim())),
};

/// Lower case.
pub(super) const LOWER: Function = Function {
    name: "lower",
    params: &[needed("text", Takes::Text)],
    gives: text,
    doc: "the text in lower case",
    example: ("lower(\"Info@Bakkerij\")", "info@bakkerij"),
    call: |args| Ok(Value::text(&at(args, 0).text().to_lowercase())),
};

/// Upper case.
pub(super) const UPPER: Function = Function {
    name: "upper",
    params: &[needed("text", Takes::Text)],
    gives: text,
    doc: "the text in upper case",
    example: ("upper(\"visser\")", "VISSER"),
    call: |args| Ok(Value::text(&at(args, 0).text().to_uppercase())),
};

/// The first characters.
pub(super) const FIRST_CHARS: Function = Function {
    name: "first_chars",
    params: &[needed("text", Takes::Text), needed("count", Takes::Int)],
    gives: bounded_by_second,
    doc: "the first `count` characters of the text",
    example: ("first_chars(\"Bakkerij\", 3)", "Bak"),
    call: |args| Ok(Value::text(&at(args, 0).text().chars().take(count(&at(args, 1))).collect::<String>())),
};

/// The last characters.
pub(super) const LAST_CHARS: Function = Function {
    name: "last_chars",
    params: &[needed("text", Takes::Text), needed("count", Takes::Int)],
    gives: bounded_by_second,
    doc: "the last `count` characters of the text",
    example: ("last_chars(\"2026-0042\", 4)", "0042"),
    call: |args| {
        let text = at(args, 0).text();
        let skip = text.chars().count().saturating_sub(count(&at(args, 1)));
        Ok(Value::text(&text.chars().skip(skip).collect::<String>()))
    },
};

/// Replaces every occurrence.
pub(super) const REPLACE: Function = Function {
    name: "replace",
    params: &[needed("text", Takes::Text), needed("old", Takes::Anything), needed("new", Takes::Anything)],
    gives: text,
    doc: "the text with every `old` replaced by `new`",
    example: ("replace(\"a-b-c\", \"-\", \"\")", "abc"),
    call: |args| {
        let (text, old) = (at(args, 0).text(), at(args, 1).text());
        let new = text.replace(old, at(args, 2).text());
        Ok(Value::text(if old.is_empty() { text } else { &new }))
    },
};

/// What a pattern finds.
pub(super) const PART: Function = Function {
    name: "part",
    params: &[needed("text", Takes::Text), needed("pattern", Takes::Pattern)],
    gives: |types| no_longer(types).or_blank(),
    doc: "the first group of the first match, or the whole match when the pattern has no group; blank without a match",
    example: ("part(\"[ABC-1] bread\", /^\\[([^\\]]+)\\]/)", "ABC-1"),
    call: |args| {
        let Argument::Pattern(pattern) = at(args, 1) else { return Ok(Value::Blank) };
        let found = pattern.captures(at(args, 0).text());
        let part = found.as_ref().and_then(|groups| if groups.len() > 1 { groups.get(1) } else { groups.get(0) });
        Ok(part.map_or(Value::Blank, |part| Value::text(part.as_str())))
    },
};

/// Does a pattern match?
pub(super) const MATCHES: Function = Function {
    name: "matches",
    params: &[needed("text", Takes::Text), needed("pattern", Takes::Pattern)],
    gives: bool,
    doc: "does the pattern match somewhere in the text?",
    example: ("matches(\"Postbus 12\", /(?i)^postbus\\s/)", "yes"),
    call: |args| {
        let Argument::Pattern(pattern) = at(args, 1) else { return Ok(Value::Bool(false)) };
        Ok(Value::Bool(pattern.is_match(at(args, 0).text())))
    },
};

/// Does it begin so?
pub(super) const STARTS_WITH: Function = Function {
    name: "starts_with",
    params: &[needed("text", Takes::Text), needed("start", Takes::Text)],
    gives: bool,
    doc: "does the text begin with `start`?",
    example: ("starts_with(\"NL0012\", \"NL\")", "yes"),
    call: |args| Ok(Value::Bool(at(args, 0).text().starts_with(at(args, 1).text()))),
};

/// Is it in there?
pub(super) const CONTAINS: Function = Function {
    name: "contains",
    params: &[needed("text", Takes::Text), needed("part", Takes::Text)],
    gives: bool,
    doc: "does the text contain `part`, ignoring case?",
    example: ("contains(\"PostNL pakket\", \"postnl\")", "yes"),
    call: |args| {
        let (text, part) = (at(args, 0).text().to_lowercase(), at(args, 1).text().to_lowercase());
        Ok(Value::Bool(text.contains(&part)))
    },
};

/// Cuts into pieces.
pub(super) const SPLIT: Function = Function {
    name: "split",
    params: &[needed("text", Takes::Text), needed("by", Takes::Anything)],
    gives: |_| Ty::list(Ty::new(Kind::Text).or_blank()),
    doc: "the pieces of the text between the separators, without white space at their ends",
    example: ("count(split(\"a, b, c\", \",\"))", "3"),
    call: |args| {
        let (text, by) = (at(args, 0).text(), at(args, 1).text());
        let pieces = if by.is_empty() { vec![text] } else { text.split(by).collect() };
        Ok(Value::List(pieces.into_iter().map(|piece| Value::text(piece.trim())).collect()))
    },
};

/// Puts together.
pub(super) const JOIN: Function = Function {
    name: "join",
    params: &[needed("list", Takes::Texts), needed("by", Takes::Anything)],
    gives: maybe_text,
    doc: "the elements with the separator between them, blank ones left out; blank when nothing is left",
    example: ("join([\"1016 LV\", blank, \"Amsterdam\"], \", \")", "1016 LV, Amsterdam"),
    call: |args| {
        let filled = at(args, 0).list().iter().filter(|value| !value.is_blank());
        let texts: Vec<String> = filled.map(ToString::to_string).collect();
        Ok(Value::text(&texts.join(at(args, 1).text())))
    },
};

/// Fills up on the left.
pub(super) const PAD_LEFT: Function = Function {
    name: "pad_left",
    params: &[needed("text", Takes::Text), needed("count", Takes::Int), needed("with", Takes::Text)],
    gives: text,
    doc: "the text filled up on the left to `count` characters; a longer one stays as it is",
    example: ("pad_left(\"42\", 5, \"0\")", "00042"),
    call: |args| {
        let (text, wanted) = (at(args, 0).text(), count(&at(args, 1)));
        if wanted > 10_000 {
            return Err(Trouble(format!("{wanted} characters are too many to fill up to")));
        }
        let missing = wanted.saturating_sub(text.chars().count());
        let padding: String = at(args, 2).text().chars().cycle().take(missing).collect();
        Ok(Value::text(&(padding + text)))
    },
};

/// Digits only.
pub(super) const DIGITS_ONLY: Function = Function {
    name: "digits_only",
    params: &[needed("text", Takes::Text)],
    gives: |types| no_longer(types).or_blank(),
    doc: "the digits of the text; blank when there are none",
    example: ("digits_only(\"020-555 01\")", "02055501"),
    call: |args| Ok(Value::text(&at(args, 0).text().chars().filter(char::is_ascii_digit).collect::<String>())),
};

/// Capitals.
pub(super) const TITLE_CASE: Function = Function {
    name: "title_case",
    params: &[needed("text", Takes::Text)],
    gives: text,
    doc: "each word with a capital and the rest in lower case, in Dutch: IJmuiden, 's-Gravenhage; also behind a hyphen",
    example: ("title_case(\"JAN-PIETER DE BOER\")", "Jan-Pieter De Boer"),
    call: |args| Ok(Value::text(&title_case(at(args, 0).text()))),
};

/// Without accents.
pub(super) const WITHOUT_ACCENTS: Function = Function {
    name: "without_accents",
    params: &[needed("text", Takes::Text)],
    gives: text,
    doc: "the text with plain Latin letters: é is e, ß is ss, ø is o; other scripts stay as they are",
    example: ("without_accents(\"Café Søren Müller\")", "Cafe Soren Muller"),
    call: |args| Ok(Value::text(&without_accents(at(args, 0).text()))),
};

/// Words begin behind everything that is no letter, digit or apostrophe. The letter behind an apostrophe that begins a
/// word stays small ('t Hof), and the Dutch ij is one letter.
fn title_case(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut letters = text.chars().flat_map(char::to_lowercase).peekable();
    let mut begins = true;
    while let Some(letter) = letters.next() {
        if begins && letter == 'i' && letters.peek() == Some(&'j') {
            letters.next();
            result.push_str("IJ");
        } else if begins && letter.is_alphabetic() {
            result.extend(letter.to_uppercase());
        } else {
            result.push(letter);
        }
        begins = !letter.is_alphanumeric() && !matches!(letter, '\'' | '’' | '‘');
    }
    result
}

/// Decomposes, drops the marks that stand on a Latin letter, and composes the rest again.
fn without_accents(text: &str) -> String {
    let mut on_latin = false;
    let marks_gone = text.nfd().filter(|letter| {
        let mark = matches!(letter, '\u{300}'..='\u{36f}');
        if !mark {
            on_latin = letter.is_alphabetic() && *letter < '\u{250}';
        }
        !(mark && on_latin)
    });
    let mut result = String::with_capacity(text.len());
    for letter in marks_gone.nfc() {
        match PLAIN.iter().find(|(own, _)| *own == letter) {
            Some((_, plain)) => result.push_str(plain),
            None => result.push(letter),
        }
    }
    result
}

/// Latin letters that are no letter with a mark.
const PLAIN: &[(char, &str)] = &[
    ('ß', "ss"),
    ('ẞ', "SS"),
    ('æ', "ae"),
    ('Æ', "AE"),
    ('œ', "oe"),
    ('Œ', "OE"),
    ('ĳ', "ij"),
    ('Ĳ', "IJ"),
    ('ø', "o"),
    ('Ø', "O"),
    ('ł', "l"),
    ('Ł', "L"),
    ('đ', "d"),
    ('Đ', "D"),
    ('ð', "d"),
    ('Ð', "D"),
    ('þ', "th"),
    ('Þ', "Th"),
    ('ħ', "h"),
    ('Ħ', "H"),
    ('ı', "i"),
];

/// A number of characters: negative ones count as none.
fn count(argument: &Argument<'_>) -> usize {
    usize::try_from(argument.int().unwrap_or(0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_case_knows_dutch_words() {
        assert_eq!(title_case("IJMUIDEN"), "IJmuiden");
        assert_eq!(title_case("'s-gravenhage"), "'s-Gravenhage");
        assert_eq!(title_case("'T HOF VAN ÉÉN"), "'t Hof Van Één");
        assert_eq!(title_case("bakkerij de 2e molen"), "Bakkerij De 2e Molen");
    }

    #[test]
    fn accents_go_from_latin_letters_only() {
        assert_eq!(without_accents("crème brûlée, coöperatie Łódź"), "creme brulee, cooperatie Lodz");
        assert_eq!(without_accents("e\u{301}e\u{301}n"), "een");
        assert_eq!(without_accents("Straße ǿ ǽ"), "Strasse o ae");
        assert_eq!(without_accents("Андрей 한국 Ώ"), "Андрей 한국 Ώ");
    }
}

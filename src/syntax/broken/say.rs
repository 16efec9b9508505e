//! What is said about a line that could not be parsed.
//!
//! Takes its tokens, gives the message: first the literals that are broken, then what can be told from its words, at
//! last the place where the grammar stops.

use pest::{
    Parser,
    error::{ErrorVariant, InputLocation},
};

use super::{Group, indent, path_length};
use crate::{
    diagnostic::{Diagnostic, Span},
    syntax::{
        grammar::{Grammar, Rule},
        scan::{Kind, Token},
        words::{self, Place},
    },
};

/// Texts, patterns and numbers that cannot be read: each is a mistake of its own.
pub(super) fn literals(text: &str, tokens: &[Token], place: &impl Fn(usize, usize) -> Span) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let written = token.text(text);
        let whole = place(token.start, token.start + written.trim_end().len());
        let bad = |title: &str, span: Span| Diagnostic::new("F008", title.to_owned(), span);
        match token.kind {
            Kind::OpenText => {
                said.push(bad("this text has no closing quote", whole).help("end it with \" on the same line"));
            }
            Kind::OpenPattern => {
                said.push(bad("this pattern has no closing `/`", whole).help("end it with / on the same line"));
            }
            Kind::OpenHole => {
                let brace = token.start + written.rfind('{').unwrap_or(0);
                said.push(
                    bad("this `{` has no `}`", place(brace, brace + 1))
                        .says("a `{` in a text holds a value")
                        .help("write \\{ for the character itself")
                        .fix(place(brace, brace + 1), "\\{"),
                );
            }
            Kind::Text => said.extend(inside_text(token, written, place)),
            Kind::Number if decimal_comma(text, tokens, at) => {
                let last = tokens.get(at + 2).map_or(token.end, |last| last.end);
                let number = text.get(token.start..last).unwrap_or("").replace('.', "").replace(',', ".");
                let span = place(token.start, last);
                said.push(
                    bad("the decimals of a number stand behind a point", span).help(number.clone()).fix(span, number),
                );
            }
            _ => {}
        }
    }
    said
}

/// Escapes that do not exist, and empty holes.
fn inside_text(token: &Token, written: &str, place: &impl Fn(usize, usize) -> Span) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    let mut letters = written.char_indices().peekable();
    let mut depth = 0_usize;
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                let Some((_, next)) = letters.next() else { continue };
                if depth > 0 || matches!(next, '"' | '\\' | '{' | '}' | 'n' | 't') {
                    continue;
                }
                let span = place(token.start + at, token.start + at + 1 + next.len_utf8());
                said.push(
                    Diagnostic::new("F008", format!("`\\{next}` means nothing in a text"), span)
                        .says("known are \\\" \\\\ \\{ \\} \\n \\t")
                        .help(format!("\\\\{next} for a backslash and {next}"))
                        .fix(span, format!("\\\\{next}")),
                );
            }
            '{' => {
                depth += 1;
                if let Some((_, '}')) = letters.peek() {
                    let span = place(token.start + at, token.start + at + 2);
                    said.push(
                        Diagnostic::new("F008", "there is no value between these braces", span)
                            .help("a value in a text: \"{name}\"; the characters themselves: \\{\\}"),
                    );
                }
            }
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    said
}

/// `1,5` and `1.000,50` outside brackets.
fn decimal_comma(text: &str, tokens: &[Token], at: usize) -> bool {
    let number = |at: usize| tokens.get(at).filter(|token| token.kind == Kind::Number);
    let (Some(first), Some(comma), Some(last)) = (number(at), tokens.get(at + 1), number(at + 2)) else { return false };
    let outside = tokens.first().is_some_and(|line| line.depth >= first.depth);
    outside && comma.text(text) == "," && first.end == comma.start && comma.end == last.start
}

/// The message for a line.
pub(super) fn line(text: &str, tokens: &[Token], group: &Group, place: &impl Fn(usize, usize) -> Span) -> Diagnostic {
    let code: Vec<Token> = tokens.iter().filter(|token| token.kind != Kind::Comment).copied().collect();
    let whole = place(group.start, group.start + first_line(text, group).len());
    let Some(first) = code.first() else { return Diagnostic::new("F002", "this line cannot be read", whole) };
    let word = first.text(text);
    let behind = code.get(1).map_or("", |token| token.text(text));
    let named = matches!(behind, "=" | "." | ":") || first.kind != Kind::Word;
    one_line_block(text, &code, place)
        .or_else(|| if named { None } else { misplaced(word, group.place, place(first.start, first.end)) })
        .or_else(|| open_bracket(text, &code, place))
        .or_else(
            || if named { None } else { unknown_word(word, text, &code, group.place, place(first.start, first.end)) },
        )
        .unwrap_or_else(|| stopped(text, &code, group, place))
}

fn first_line<'t>(text: &'t str, group: &Group) -> &'t str {
    let code = text.get(group.start..group.end).unwrap_or("");
    code.split(['\n', '\r']).next().unwrap_or("").trim_end()
}

/// `Lines { A = 1 }` on one line.
fn one_line_block(text: &str, code: &[Token], place: &impl Fn(usize, usize) -> Span) -> Option<Diagnostic> {
    let brace = code.iter().position(|token| token.text(text) == "{" && !token.hole)?;
    let (open, last) = (code.get(brace)?, code.last()?);
    if last.text(text) != "}" || last.hole {
        return None;
    }
    let head = text.get(code.first()?.start..open.end)?;
    let body = text.get(open.end..last.start)?.trim();
    let help = format!("{head}\n  {body}\n}}");
    Some(Diagnostic::new("F001", "the lines of a block stand below its `{`", place(open.start, last.end)).help(help))
}

/// A statement that exists, in a block where it cannot stand.
fn misplaced(word: &str, here: Place, span: Span) -> Option<Diagnostic> {
    let row = words::statement(word).filter(|row| !row.places.contains(&here))?;
    let places: Vec<&str> = row.places.iter().map(|place| place.name()).collect();
    let said = Diagnostic::new("F006", format!("`{word}` cannot stand {}", here.name()), span);
    Some(said.help(format!("it stands {}:  {}", places.join(" or "), row.shape)))
}

/// A bracket without its other half.
fn open_bracket(text: &str, code: &[Token], place: &impl Fn(usize, usize) -> Span) -> Option<Diagnostic> {
    let mut open: Vec<&Token> = Vec::new();
    for token in code.iter().filter(|token| token.kind == Kind::Symbol && !token.hole) {
        let other = match token.text(text) {
            "(" | "[" => {
                open.push(token);
                continue;
            }
            ")" => "(",
            "]" => "[",
            _ => continue,
        };
        if open.last().is_some_and(|last| last.text(text) == other) {
            open.pop();
        } else {
            let title = format!("this `{}` closes nothing", token.text(text));
            let said = Diagnostic::new("F003", title, place(token.start, token.end));
            return Some(said.help(format!("take it away, or put the `{other}` where it begins")));
        }
    }
    let token = open.last()?;
    let (this, other) = if token.text(text) == "(" { ("(", ")") } else { ("[", "]") };
    let said = Diagnostic::new("F003", format!("this `{this}` is not closed"), place(token.start, token.end));
    Some(said.help(format!("put `{other}` behind the last thing that belongs to it")))
}

/// A first word that begins nothing here.
fn unknown_word(word: &str, text: &str, code: &[Token], here: Place, span: Span) -> Option<Diagnostic> {
    let in_column_zero = code.first().is_none_or(|first| indent(text, first.start) == 0);
    let known = || words::STATEMENTS.iter().filter(|row| row.places.contains(&here));
    if known().any(|row| row.word == word) || here == Place::Table && code.iter().any(|token| token.text(text) == "=>")
    {
        return None;
    }
    if let Some(ours) = words::nearest(word, here) {
        let rest = code.first().and_then(|first| text.get(first.end..)).unwrap_or("");
        let line = format!("{ours}{}", rest.split(['\n', '\r']).next().unwrap_or("").trim_end());
        let said = Diagnostic::new("F002", format!("no line begins with `{word}` {}", here.name()), span);
        return Some(said.says(format!("`{ours}` does")).help(line).fix(span, ours));
    }
    if here == Place::Fields {
        let length = path_length(text, code);
        let behind = code.get(length).map_or("", |token| token.text(text));
        if matches!(behind, "=" | "{" | "when" | "on" | "unless") {
            return None;
        }
        let last = code.get(length.checked_sub(1)?)?;
        let field = text.get(code.first()?.start..last.end)?;
        let rest = code.get(length).and_then(|next| text.get(next.start..code.last()?.end)).unwrap_or("value");
        let said = Diagnostic::new("F002", format!("no `=` behind the field `{field}`"), span);
        return Some(said.help(format!("{field} = {rest}")));
    }
    if here == Place::File && !in_column_zero {
        return Some(loose(word, span));
    }
    let words: Vec<&str> = known().map(|row| row.word).collect();
    let said = Diagnostic::new("F002", format!("no line begins with `{word}` {}", here.name()), span);
    Some(said.help(format!("one of: {}", words.join(", "))))
}

/// An indented line behind a statement that is complete.
fn loose(word: &str, span: Span) -> Diagnostic {
    let lower = word.to_lowercase();
    let far = |joiner: &&&str| strsim::damerau_levenshtein(joiner, &lower);
    if let Some(near) = words::JOINERS.iter().min_by_key(far).filter(|near| far(near) <= 1) {
        let said = Diagnostic::new("F002", format!("no line goes on with `{word}`"), span);
        return said.says(format!("`{near}` does")).help(*near).fix(span, *near);
    }
    Diagnostic::new("F002", format!("this line, with `{word}`, belongs to no statement"), span)
        .says("the line above is complete")
        .help("a statement begins in column 0; a line goes on with and, or, else, when, because, gives, where, by, for")
}

/// What the grammar expects at a place, as a reader would say it; the first that fits is said.
const EXPECTED: &[(&[Rule], &str)] = &[
    (&[Rule::because_part, Rule::kw_because], "`because \"reason\"`"),
    (&[Rule::type_ref, Rule::type_name, Rule::one_of, Rule::list_of], "a type"),
    (&[Rule::entity, Rule::one_target], "an entity such as `afas.FbSales`"),
    (&[Rule::expr, Rule::source, Rule::op_neg, Rule::list, Rule::paren, Rule::number, Rule::results], "a value"),
    (&[Rule::t_header, Rule::param], "`name: type`"),
    (&[Rule::cell, Rule::cell_item], "a cell"),
    (&[Rule::string], "a text in quotes"),
    (&[Rule::kw_for], "`for`"),
    (&[Rule::kw_from], "`from`"),
    (&[Rule::kw_in], "`in`"),
    (&[Rule::colon], "`:` and a type"),
    (&[Rule::equals], "`=`"),
    (&[Rule::arrow], "`=>`"),
    (&[Rule::name], "a name"),
    (&[Rule::dot_path, Rule::sort_key], "a field such as `.id`"),
    (&[Rule::map_block, Rule::steps, Rule::open], "`{`"),
    (&[Rule::where_part, Rule::kw_where], "`where`"),
    (&[Rule::gives_part, Rule::kw_gives], "`gives .Key`"),
];

/// Where the grammar stops, and what it would have liked there.
fn stopped(text: &str, code: &[Token], group: &Group, place: &impl Fn(usize, usize) -> Span) -> Diagnostic {
    let rule = match group.place {
        Place::File => Rule::only_item,
        Place::Read => Rule::only_read,
        Place::Table if is_header(text, code) => Rule::only_header,
        Place::Table => Rule::only_table,
        Place::Steps => Rule::only_step,
        Place::Ensure => Rule::only_alternative,
        Place::Fields => Rule::only_map,
        Place::Test => Rule::only_test,
    };
    let lines = text.get(group.start..group.end).unwrap_or("");
    let (at, expected) = match Grammar::parse(rule, lines) {
        Ok(_) => (0, Vec::new()),
        Err(error) => {
            let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
            match error.variant {
                ErrorVariant::ParsingError { positives, .. } => (at, positives),
                ErrorVariant::CustomError { .. } => (at, Vec::new()),
            }
        }
    };
    let at = group.start + at;
    let expected = EXPECTED.iter().find(|(rules, _)| rules.iter().any(|rule| expected.contains(rule)));
    let shape = code.first().and_then(|first| words::statement(first.text(text))).map(|row| row.shape);
    let token = code.iter().find(|token| token.end > at);
    let said = match (token, expected) {
        (Some(token), _) => {
            let word = token.text(text);
            let said = Diagnostic::new("F002", format!("`{word}` cannot stand here"), place(token.start, token.end));
            match expected {
                Some((_, expected)) => said.says(format!("here comes {expected}")),
                None => said,
            }
        }
        (None, Some((_, expected))) => {
            let last = code.last().map_or(place(group.start, group.end), |last| place(last.start, last.end));
            Diagnostic::new("F002", format!("{expected} is missing at the end of this line"), last).says("after this")
        }
        (None, None) => {
            let end = group.start + first_line(text, group).len();
            Diagnostic::new("F002", "this line cannot be read", place(group.start, end))
        }
    };
    if let Some(token) = token.filter(|token| token.kind == Kind::Word)
        && expected.is_some_and(|(rules, _)| rules.contains(&Rule::dot_path))
    {
        let dotted = format!(".{}", token.text(text));
        let span = place(token.start, token.end);
        let said = Diagnostic::new("F001", format!("a field of the record is written `{dotted}`"), span);
        return said.help(dotted.clone()).fix(span, dotted);
    }
    match shape {
        Some(shape) => said.help(shape),
        None if token.is_none() && group.place == Place::Fields => {
            let last = code.last().map_or(group.start, |last| last.end);
            said.help(format!("{} …", text.get(group.start..last).unwrap_or("Name =").trim()))
        }
        None if group.place == Place::Fields => said.help("Name = value"),
        None if rule == Rule::only_header => said.help("country: country | on: date => code: text"),
        None if group.place == Place::Table => said.help("\"cell\" | * => \"result\""),
        None => said,
    }
}

/// Is it the line that names the columns?
fn is_header(text: &str, code: &[Token]) -> bool {
    code.first().is_some_and(|token| token.kind == Kind::Word)
        && code.get(1).is_some_and(|token| token.text(text) == ":")
}

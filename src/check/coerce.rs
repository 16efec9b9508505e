//! A value where one of a certain type is needed: kind, blank-ness, words, codes and lengths.
//!
//! Takes a typed value and the wanted type, gives the value with literals, labels and whole numbers turned into what is
//! wanted. Tells F103 (kind), F107 (word), F110 (bare percentage), F203 (length), F204 (code table), F301 (blank), each
//! at the part of the value that is wrong: the arm of a `when`, the side of a `??`, the element of a list.

use std::sync::Arc;

use super::{
    checker::{Checker, expr},
    join::{is_blank_literal, is_literal, same_object},
    suggest,
    typed::{Convert, Expr, ExprKind, TextPart},
    types::say,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{CodeTable, Kind, Ty},
    syntax::tree::BinaryOp,
    value::{Currency, Value},
};

/// Who needs the value.
#[derive(Clone, Copy)]
pub(super) struct Need<'n> {
    /// "`DbId` (Sales contact)", "`days` of table `payment_condition`".
    pub(super) what: &'n str,
    /// May it be blank?
    pub(super) blank: bool,
    /// Who calls it so: a label for code tables ("account feature"), the system.
    pub(super) code: Option<(&'n str, &'n str)>,
}

impl<'n> Need<'n> {
    /// A place where a blank is fine.
    pub(super) fn fine(what: &'n str) -> Self {
        Self { what, blank: true, code: None }
    }

    /// A place that needs a value.
    pub(super) fn filled(what: &'n str) -> Self {
        Self { what, blank: false, code: None }
    }
}

impl Checker<'_> {
    /// The value as one of the wanted type.
    pub(super) fn coerce(&mut self, value: Expr, want: &Ty, need: &Need<'_>) -> Expr {
        if want.kind == Kind::Any || (value.ty.kind == Kind::Any && !is_blank_literal(&value)) {
            return value;
        }
        if value.ty.optional && !need.blank && !want.optional {
            let (place, before) = (culprit(&value), self.diagnostics.len());
            let open = matches!(value.kind, ExprKind::Choose(_, None)) && place == value.span;
            // told or not, from here it counts as filled
            let filled = expr(value.kind, value.ty.filled(), value.span);
            let value = self.coerce(filled, want, &Need { blank: true, ..*need });
            // one mistake is one message: of another kind, or blank
            if self.diagnostics.len() == before {
                self.blank(place, open, need.what);
            }
            return value;
        }
        let (span, optional) = (value.span, value.ty.optional);
        let whole = |kind: ExprKind| expr(kind, Ty { optional, ..want.clone() }, span);
        let fine = Need { blank: true, ..*need };
        match value.kind {
            ExprKind::Choose(arms, last) => {
                let arms = arms.into_iter().map(|(value, when)| (self.coerce(value, want, &fine), when)).collect();
                let last = last.map(|last| Box::new(self.coerce(*last, want, &fine)));
                whole(ExprKind::Choose(arms, last))
            }
            ExprKind::Binary(BinaryOp::Default, a, b) => {
                let a = self.coerce(*a, want, &fine);
                let b = self.coerce(*b, want, &fine);
                whole(ExprKind::Binary(BinaryOp::Default, Box::new(a), Box::new(b)))
            }
            ExprKind::List(items) if matches!(want.kind, Kind::List(_)) => {
                let Kind::List(of) = &want.kind else { return whole(ExprKind::List(items)) };
                let each = Need { blank: of.optional, ..*need };
                let items = items.into_iter().map(|item| self.coerce(item, of, &each)).collect();
                whole(ExprKind::List(items))
            }
            ExprKind::Convert(inner, Convert::ToMoney | Convert::ToDecimal) if is_literal(&inner) => {
                self.coerce(*inner, want, &fine)
            }
            ExprKind::Const(Value::Blank | Value::Clear) | ExprKind::Outcome(..) | ExprKind::Todo => value,
            ExprKind::Const(_) | ExprKind::Negate(_) if is_literal(&value) => self.literal(value, want, &fine),
            _ => self.kind(value, want, &fine),
        }
    }

    /// Tells F301 at the part that may be blank, with the ways out. `open`: it is a `when` without `else`.
    pub(super) fn blank(&mut self, span: Span, open: bool, what: &str) {
        if self.broken_here() && (open || self.seems_guarded(span)) {
            return;
        }
        let named = self.named(span, "this");
        let title = if open {
            format!("{what} gets no value when none of the conditions holds")
        } else if named == "`blank`" {
            format!("{what} is never blank")
        } else {
            format!("{named} may be blank, and {what} needs a value")
        };
        let mut told = Diagnostic::new("F301", title, span);
        told.help = Some(match self.text_of(span) {
            Some("blank") => "give it a value, or a type that may be blank:  …?".to_owned(),
            Some(text) if text.chars().all(|c| c.is_alphanumeric() || "._`".contains(c)) => format!(
                "before this line:  skip when {text} is blank because \"…\"\n\
                 or a substitute:   {text} ?? …\n\
                 or stop here:      {text}!"
            ),
            _ if open => "say what it is otherwise:  … else hold \"…\"".to_owned(),
            _ => "a substitute:  … ?? …\nor stop here:  (…)!".to_owned(),
        });
        self.say(told);
    }

    /// In a file with unreadable lines: does a line above look at this for blank? Then it may be such a line.
    pub(super) fn seems_guarded(&self, span: Span) -> bool {
        let (Some(text), Some(source)) = (self.text_of(span), self.loaded.sources.get(span.file)) else { return false };
        let above = source.text.get(..span.start as usize).unwrap_or("");
        above.lines().any(|line| {
            let words = line.trim_start();
            ["skip", "hold", "fail"].iter().any(|word| words.starts_with(word)) && words.contains(text)
        })
    }

    /// A literal as one of the wanted type.
    fn literal(&mut self, value: Expr, want: &Ty, need: &Need<'_>) -> Expr {
        let span = value.span;
        match (&value.ty.kind, &want.kind) {
            (Kind::Int | Kind::Decimal, Kind::Money) => {
                expr(ExprKind::Convert(Box::new(value), Convert::ToMoney), Ty { ..want.clone().filled() }, span)
            }
            (Kind::Int, Kind::Decimal) => {
                expr(ExprKind::Convert(Box::new(value), Convert::ToDecimal), want.clone().filled(), span)
            }
            (Kind::OneOf(words), _) => match words.first().cloned() {
                Some(text) => self.text_literal(&text, value, want, need),
                None => value,
            },
            _ => self.kind(value, want, need),
        }
    }

    fn text_literal(&mut self, text: &Arc<str>, value: Expr, want: &Ty, need: &Need<'_>) -> Expr {
        let span = value.span;
        let done = |text: Arc<str>| expr(ExprKind::Const(Value::Text(text)), want.clone().filled(), span);
        if let Some(codes) = &want.codes {
            return match codes.code_of(text) {
                Some(code) => done(code.clone()),
                None if codes.open => {
                    self.fits(&value, want, need);
                    done(text.clone())
                }
                None => {
                    self.not_a_code(text, codes, span, need);
                    Self::poison(span)
                }
            };
        }
        match &want.kind {
            Kind::OneOf(words) | Kind::Words(words) => {
                if words.contains(text) {
                    return done(text.clone());
                }
                self.not_a_word(text, words, span, need.what);
                Self::poison(span)
            }
            Kind::Country if text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()) => done(text.clone()),
            Kind::Currency if Currency::parse(text).is_some_and(|own| own.as_str() == &**text) => done(text.clone()),
            Kind::Country | Kind::Currency => {
                let (what, example) = if want.kind == Kind::Country { ("country", "NL") } else { ("currency", "EUR") };
                let title = format!("\"{text}\" is no {what} code");
                let upper = text.to_uppercase();
                let help = if upper.len() == example.len() { upper } else { example.to_owned() };
                let told = Diagnostic::new("F103", title, span)
                    .says(format!("{} capital letters", example.len()))
                    .help(format!("\"{help}\""));
                self.say(told);
                Self::poison(span)
            }
            Kind::Email if !text.contains('@') => {
                self.say(Diagnostic::new("F103", format!("\"{text}\" is no e-mail address"), span));
                Self::poison(span)
            }
            Kind::Email => done(text.trim().to_lowercase().into()),
            Kind::Iban | Kind::VatNumber => done(text.replace([' ', '.'], "").into()),
            _ => self.kind(value, want, need),
        }
    }

    /// Tells a word that is none of a `one of` (F107).
    pub(super) fn not_a_word(&mut self, text: &str, words: &[Arc<str>], span: Span, what: &str) {
        let all = || words.iter().map(|word| &**word);
        let told = Diagnostic::new("F107", format!("\"{text}\" is no value of {what}"), span)
            .says(format!("one of {}", suggest::words(all(), '"', 8)));
        let near = suggest::nearest(text, all()).map(|near| format!("\"{near}\""));
        self.say(Diagnostic { help: near, ..told });
    }

    /// Tells a word that is not in a code table (F204).
    pub(super) fn not_a_code(&mut self, text: &str, codes: &CodeTable, span: Span, need: &Need<'_>) {
        let title = match need.code {
            Some((label, system)) => format!("\"{text}\" is no {label} of {system}"),
            None => format!("\"{text}\" is no value of {}", need.what),
        };
        let labels = || codes.codes.iter().map(|code| if code.label.is_empty() { &*code.code } else { &*code.label });
        let both = || codes.codes.iter().map(|code| &*code.code).chain(labels());
        let near = suggest::nearest(text, labels()).or_else(|| suggest::nearest(text, both()));
        let help = near.map(|near| format!("\"{near}\""));
        let told = Diagnostic::new("F204", title, span).says(format!("one of {}", suggest::words(labels(), '"', 6)));
        self.say(Diagnostic { help, ..told });
    }

    /// Anything else: the kinds must fit.
    fn kind(&mut self, value: Expr, want: &Ty, need: &Need<'_>) -> Expr {
        let span = value.span;
        let ty = Ty { optional: value.ty.optional, ..want.clone() };
        match (&value.ty.kind, &want.kind) {
            (Kind::OneOf(words), _) if want.codes.is_some() && value.ty.codes.is_none() => {
                let words = words.clone();
                return self.words_as_codes(value, &words, want, need);
            }
            (Kind::OneOf(own), Kind::OneOf(wanted)) => {
                if let Some(other) = own.iter().find(|word| !wanted.contains(word)) {
                    let named = self.named(span, "this");
                    let title = format!("{named} can be \"{other}\", which is no value of {}", need.what);
                    let all = suggest::words(wanted.iter().map(|word| &**word), '"', 8);
                    let told = Diagnostic::new("F107", title, span).says(format!("it takes one of {all}"));
                    let near = suggest::nearest(other, wanted.iter().map(|word| &**word));
                    self.say(Diagnostic { help: near.map(|near| format!("\"{near}\"")), ..told });
                    return Self::poison(span);
                }
                return value;
            }
            (Kind::Int, Kind::Decimal) => {
                return expr(ExprKind::Convert(Box::new(value), Convert::ToDecimal), ty, span);
            }
            (Kind::Text | Kind::OneOf(_), Kind::Email | Kind::Iban | Kind::VatNumber) => {
                return expr(ExprKind::Convert(Box::new(value), Convert::Normalise), ty, span);
            }
            (Kind::Record(own), Kind::Record(wanted)) if same_object(own, wanted) => return value,
            (Kind::List(own), Kind::List(wanted)) if would_fit(own, wanted) => return value,
            // a set of words given as one word or a list of them, in tests
            (Kind::OneOf(own), Kind::Words(wanted)) if own.iter().all(|word| wanted.contains(word)) => return value,
            (own, wanted) if own == wanted => {
                self.fits(&value, want, need);
                return value;
            }
            _ if value.ty.is_texty() && want.kind == Kind::Text => {
                self.fits(&value, want, need);
                return value;
            }
            _ => {}
        }
        let told = self.wrong_kind(&value, want, need);
        self.say(told);
        Self::poison(span)
    }

    /// The diagnostic about a value of another kind, with the function or spelling that makes it fit.
    fn wrong_kind(&self, value: &Expr, want: &Ty, need: &Need<'_>) -> Diagnostic {
        let span = value.span;
        let written = self.text_of(span).unwrap_or("…");
        let title = format!("{} takes {}, and this is {}", need.what, say(want), say(&value.ty));
        let told = Diagnostic::new("F103", title, span);
        let literal = is_literal(value);
        let help = match (&value.ty.kind, &want.kind) {
            (Kind::Int | Kind::Decimal, Kind::Percent) => {
                let help = if literal { format!("`{written}%`") } else { format!("`to_percent({written})`") };
                return Diagnostic { code: "F110", help: Some(help), ..told };
            }
            (Kind::Int | Kind::Decimal, Kind::Money) => {
                "give the name a type where it is declared:  : money".to_owned()
            }
            (Kind::Int | Kind::Decimal, _) if literal && want.is_texty() => format!("\"{written}\""),
            (Kind::Int | Kind::Decimal | Kind::Money | Kind::Percent | Kind::Date | Kind::DateTime, _)
                if want.is_texty() =>
            {
                format!("`to_text({written})`")
            }
            (Kind::Text | Kind::OneOf(_), Kind::Date) if literal => {
                format!("a date has no quotes:  {}", written.trim_matches('"'))
            }
            (Kind::Text | Kind::OneOf(_), Kind::Bool) if literal => "`yes` or `no`, without quotes".to_owned(),
            (Kind::Text | Kind::OneOf(_), Kind::Int | Kind::Decimal | Kind::Money) if literal => {
                format!("without quotes:  {}", written.trim_matches('"'))
            }
            (Kind::Text | Kind::OneOf(_), Kind::Int) => format!("`to_int({written})`"),
            (Kind::Text | Kind::OneOf(_), Kind::Decimal | Kind::Money) => format!("`to_decimal({written})`"),
            (Kind::Text | Kind::OneOf(_), Kind::Date) => format!("`to_date({written})`"),
            (Kind::Decimal, Kind::Int) => format!("`to_int(round({written}, 0))`"),
            (Kind::DateTime, Kind::Date) => format!("`date({written})`"),
            (_, Kind::Bool) if value.ty.optional => format!("`{written} is not blank`"),
            (_, Kind::List(_)) => format!("`[{written}]`"),
            _ => return told,
        };
        told.help(help)
    }

    /// Words that a name can have, as codes of the field: a choice between the codes where labels are used.
    fn words_as_codes(&mut self, value: Expr, words: &[Arc<str>], want: &Ty, need: &Need<'_>) -> Expr {
        let (span, Some(codes)) = (value.span, want.codes.clone()) else { return value };
        let mut arms = Vec::new();
        let mut same = true;
        for word in words {
            match codes.code_of(word) {
                Some(code) => {
                    same &= code == word;
                    let text =
                        |text: &Arc<str>| expr(ExprKind::Const(Value::Text(text.clone())), Ty::new(Kind::Text), span);
                    let is = ExprKind::Binary(BinaryOp::Is, Box::new(value.clone()), Box::new(text(word)));
                    arms.push((text(code), expr(is, Ty::new(Kind::Bool), span)));
                }
                None if codes.open => {}
                None => {
                    self.not_a_code(word, &codes, span, need);
                    return Self::poison(span);
                }
            }
        }
        if same {
            return value;
        }
        let ty = Ty { optional: value.ty.optional, ..want.clone() };
        let last = (!value.ty.optional || codes.open).then(|| Box::new(value));
        expr(ExprKind::Choose(arms, last), ty, span)
    }

    /// Tells a text that can never fit (F203).
    fn fits(&mut self, value: &Expr, want: &Ty, need: &Need<'_>) {
        let Some(limit) = want.max else { return };
        let least = least_chars(value);
        if least > limit {
            let title = format!("{} holds {limit} characters, this text has {}{least}", need.what, at_least(value));
            let written = self.text_of(value.span);
            let help = match written {
                Some(text) if !is_literal(value) => format!("first_chars({text}, {limit})"),
                _ => format!("leave {} out, or cut it:  first_chars(…, {limit})", characters(least - limit)),
            };
            let told =
                Diagnostic::new("F203", title, value.span).says(format!("{} too many", characters(least - limit)));
            self.say(told.help(help));
        }
    }
}

/// Does every value of a type fit another?
pub(super) fn would_fit(own: &Ty, want: &Ty) -> bool {
    if own.kind == Kind::Any || want.kind == Kind::Any {
        return true;
    }
    if own.optional && !want.optional {
        return false;
    }
    match (&own.kind, &want.kind) {
        (Kind::OneOf(own), Kind::OneOf(wanted)) => own.iter().all(|word| wanted.contains(word)),
        (Kind::Record(own), Kind::Record(wanted)) => same_object(own, wanted),
        // `[]` is a list of whatever is wanted
        (Kind::List(own), Kind::List(_)) if own.kind == Kind::Any => true,
        (kind, wanted) => kind == wanted || (own.is_texty() && want.kind == Kind::Text),
    }
}

fn characters(n: u32) -> String {
    if n == 1 { "one character".to_owned() } else { format!("{n} characters") }
}

fn at_least(value: &Expr) -> &'static str {
    if is_literal(value) { "" } else { "at least " }
}

/// How many characters it has whatever the data is.
fn least_chars(value: &Expr) -> u32 {
    let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    match &value.kind {
        ExprKind::Const(Value::Text(text)) => count(text),
        ExprKind::Text(parts) => parts
            .iter()
            .map(|part| match part {
                TextPart::Chars(text) => count(text),
                TextPart::Hole(hole) => least_chars(hole),
            })
            .fold(0, u32::saturating_add),
        _ => match &value.ty.kind {
            Kind::OneOf(words) => words.iter().map(|word| count(word)).min().unwrap_or(0),
            _ => 0,
        },
    }
}

/// The part of a value that may be blank.
pub(super) fn culprit(value: &Expr) -> Span {
    match &value.kind {
        ExprKind::Choose(arms, last) => {
            let values = arms.iter().map(|(value, _)| value).chain(last.as_deref());
            values.filter(|value| value.ty.optional).map(culprit).next().unwrap_or(value.span)
        }
        ExprKind::Binary(BinaryOp::Default, _, b) => culprit(b),
        ExprKind::Convert(inner, _) => culprit(inner),
        ExprKind::Binary(op, a, b) if !matches!(op, BinaryOp::And | BinaryOp::Or) => {
            if a.ty.optional {
                culprit(a)
            } else if b.ty.optional {
                culprit(b)
            } else {
                value.span
            }
        }
        _ => value.span,
    }
}

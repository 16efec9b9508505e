//! Can a create be found again, and by what? F305 (its searches may all ask for a blank), F601 (nothing tells whether
//! it was made), F605 (personal data in what is kept in plain).
//!
//! Takes the checked stage with its ensures and writes; a write with a mistake of another kind is not looked at.

use super::{
    checker::Checker,
    expr::row_path,
    facts::{self, Place},
    typed::{After, Alternative, Expr, ExprKind, FieldLine, Line, Search, Stmt, Target, TextPart, VarId, Write},
    walk::{Names, Walk},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    schema::{Kind, Privacy, WriteClass, WriteFacts},
    syntax::tree::BinaryOp,
    value::{Action, Value},
};

impl Checker<'_> {
    /// A create of an `ensure` behind its searches: when all of them ask for something that may be blank, nothing is
    /// found, and every record makes the thing again.
    pub(super) fn hangs_on_blank(&mut self, name: &str, before: &[Alternative], write: &Write) {
        let searches: Vec<&Search> = before
            .iter()
            .filter_map(|one| if let Alternative::Find { search, .. } = one { Some(search) } else { None })
            .collect();
        let known: Vec<Place> = write
            .targets
            .iter()
            .flat_map(|target| target.when.iter().flat_map(facts::when_true))
            .chain(self.scope.known.iter().cloned())
            .filter(|fact| fact.not.is_none() && fact.unless.is_none())
            .map(|fact| fact.place)
            .collect();
        let there = |value: &Expr| facts::place(value).is_some_and(|place| known.contains(&place));
        let keys: Option<Vec<&Expr>> = searches
            .iter()
            .map(|search| search.condition.as_ref().and_then(|condition| blank_key(condition, search.row, &there)))
            .collect();
        let Some(first) = keys.as_ref().and_then(|keys| keys.first()) else { return };
        let key = self.named(first.span, "what it searches by");
        let title = format!("when {key} is blank nothing is found, and `{name}` is made anew each time");
        let told = Diagnostic::new("F305", title, write.span).also(first.span, "may be blank, and blank finds nothing");
        self.say(told.help(format!("before it:  hold when {} is blank because \"…\"", key.trim_matches('`'))));
    }

    /// Looks at all writes of a flow.
    pub(super) fn recognisable(&mut self, body: &[Stmt], afters: &[After]) {
        let mut seen = Seen { checker: self, names: Names::of(&self.constants), told: Vec::new() };
        seen.stages(body, afters);
        let told = seen.told;
        for told in told {
            self.say(told);
        }
    }

    /// From a place to the end of the statement of column 0 that it stands in.
    fn block_from(&self, place: Span) -> Span {
        let text = self.loaded.sources.get(place.file).map_or("", |source| &source.text);
        let start = place.start as usize;
        let rest = text.get(start..).unwrap_or_default();
        let next = rest.match_indices('\n').find(|(at, _)| {
            rest.as_bytes().get(at + 1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'#')
        });
        Span::new(place.file, start, next.map_or(text.len(), |(at, _)| start + at))
    }
}

/// A key that may be blank, when the condition finds nothing without it.
fn blank_key<'e>(condition: &'e Expr, row: VarId, there: &dyn Fn(&Expr) -> bool) -> Option<&'e Expr> {
    match &condition.kind {
        ExprKind::Binary(BinaryOp::And, a, b) => blank_key(a, row, there).or_else(|| blank_key(b, row, there)),
        ExprKind::Binary(BinaryOp::Or, a, b) => {
            let first = blank_key(a, row, there)?;
            blank_key(b, row, there).map(|_| first)
        }
        ExprKind::Binary(BinaryOp::Is, a, b) => [(a, b), (b, a)].into_iter().find_map(|(field, key)| {
            let blank = key.ty.optional && key.ty.kind != Kind::Any && !there(key);
            let literal = matches!(key.kind, ExprKind::Const(Value::Blank));
            (row_path(field, row).is_some() && row_path(key, row).is_none() && blank && !literal).then_some(&**key)
        }),
        _ => None,
    }
}

/// What was seen of the writes.
struct Seen<'c, 'e> {
    checker: &'e Checker<'c>,
    names: Names<'e>,
    told: Vec<Diagnostic>,
}

impl<'e> Walk<'e> for Seen<'_, 'e> {
    fn names(&mut self) -> &mut Names<'e> {
        &mut self.names
    }

    fn target(&mut self, write: &'e Write, target: &'e Target, searched: bool) {
        // a circle of blocks leaves out lines that the write was meant to have
        let circle = || self.checker.diagnostics.iter().any(|told| told.code == "F108");
        let troubled = || self.checker.troubled(self.checker.block_from(write.span), None);
        if write.action == Action::Create && !circle() && !troubled() {
            self.create(write, target, searched);
        }
    }
}

impl<'e> Seen<'_, 'e> {
    fn create(&mut self, write: &'e Write, target: &'e Target, searched: bool) {
        let Some(facts) = &target.entity.write else { return };
        let system = self.checker.title_of(&target.entity.system);
        let label = &target.entity.label;
        if facts.recognise.nothing {
            let title = format!("after a crash nobody could tell whether this {label} was made");
            let told = Diagnostic::new("F601", title, write.span).says(format!("{system} gives nothing to find it by"));
            self.told.push(told.help(
                "such writes are sent one by one, and an unclear one waits for a person; if that is right, above it:\n\
                 # allow F601: a person looks after a lost answer",
            ));
            return;
        }
        self.personal_keys(target, facts);
        let own = facts.recognise.own_number.as_ref().and_then(|own| filled(&target.lines, &own.field));
        if let Some(own) = own
            && own.value.ty.kind != Kind::Any
            && !self.starts_with_letter(&own.value)
        {
            let title = "a number of our own begins with letters, so that nobody else makes the same one";
            let told = Diagnostic::new("F601", title, own.value.span).says("has no fixed letter in front");
            let formula = self.checker.text_of(own.value.span).unwrap_or("number").trim_matches('"').to_owned();
            let hole =
                if own.value.ty.is_texty() && formula.contains('{') { formula } else { format!("{{{formula}}}") };
            self.told.push(told.help(format!("{} = \"J{hole}\"", own.field.name)));
            return;
        }
        if let Some((family, keys)) = &facts.family
            && searched
            && !keys.iter().any(|key| filled(&target.lines, key).is_some())
        {
            let key = keys.first().map_or("", |key| key);
            let title = format!("this {label} may have no `{key}`, and by it koppel knows a new {family} again");
            let told = Diagnostic::new("F601", title, write.span).says("two records could make it twice");
            self.told.push(told.help(format!("give `{key}` a value on every way, or stop:  hold \"…\"")));
            return;
        }
        let asked = facts.recognise.entity.is_some();
        let compared = asked
            && facts.recognise.compare.iter().any(|(path, _)| {
                facts.recognise.own_number.as_ref().is_none_or(|own| own.field != *path)
                    && filled(&target.lines, path).is_some()
            });
        if own.is_some() || searched || compared {
            return;
        }
        let title = format!("after a crash nobody could tell whether this {label} was made");
        let mut told = Diagnostic::new("F601", title, write.span);
        told = match (&facts.recognise.own_number, facts.recognise.compare.first()) {
            (Some(own), _) => {
                if !asked {
                    told = told.says(format!("{system} shows it to nobody"));
                }
                told.help(format!(
                    "give it a number of your own; {system} refuses the same number twice:\n  {} = \"J{{number}}\"",
                    own.field
                ))
            }
            (None, Some((path, _))) => told.help(format!("give it something to find it by:  {path} = …")),
            (None, None) => told.help("make it in an `ensure` that looks for it first:  find … gives …"),
        };
        self.told.push(told);
    }

    /// What is kept in plain to find a write again may hold no personal data; keys of masters are kept hashed.
    fn personal_keys(&mut self, target: &'e Target, facts: &WriteFacts) {
        let recognise = &facts.recognise;
        let mut paths: Vec<&str> = Vec::new();
        paths.extend(recognise.own_number.as_ref().map(|own| &*own.field));
        paths.extend(recognise.reference.as_deref());
        if facts.class == WriteClass::Document {
            paths.extend(recognise.compare.iter().map(|(path, _)| &**path));
        }
        for path in paths {
            for field in fields(&target.lines, path) {
                let Some(part) = self.personal(&field.value) else { continue };
                let name = self.checker.named(part.span, "this");
                let title = format!(
                    "`{}` would hold personal data: koppel keeps it readable to find the write again",
                    field.field.name
                );
                let mut told = Diagnostic::new("F605", title, field.value.span);
                if part.span == field.value.span {
                    told = told.says("is personal");
                } else {
                    told = told.also(part.span, format!("{name} is personal"));
                }
                self.told.push(told.help("take a number or a code, for example the record's id"));
            }
        }
    }

    /// The part of a value that is personal.
    fn personal<'x>(&self, value: &'x Expr) -> Option<&'x Expr>
    where
        'e: 'x,
    {
        match &value.kind {
            ExprKind::Var(var) => {
                let own: &'x Expr = self.names.lets.get(var).copied()?;
                self.personal(own).map(|_| value)
            }
            ExprKind::Field(base, name) => {
                let field = base.ty.object().and_then(|object| object.field(name));
                field.is_some_and(|field| field.privacy == Privacy::Personal).then_some(value)
            }
            ExprKind::Text(parts) => parts.iter().find_map(|part| match part {
                TextPart::Hole(hole) => self.personal(hole),
                TextPart::Chars(_) => None,
            }),
            ExprKind::List(items) | ExprKind::Function(_, items) | ExprKind::Define(_, items)
                if value.ty.kind != Kind::Bool =>
            {
                items.iter().find_map(|item| self.personal(item))
            }
            ExprKind::Comprehension { item, .. } => self.personal(item),
            ExprKind::Must(inner, _) | ExprKind::Convert(inner, _) | ExprKind::Negate(inner) => self.personal(inner),
            ExprKind::Binary(_, a, b) if value.ty.kind != Kind::Bool => self.personal(a).or_else(|| self.personal(b)),
            ExprKind::Choose(arms, last) => {
                let arms = arms.iter().map(|(value, _)| value);
                arms.chain(last.as_deref()).find_map(|value| self.personal(value))
            }
            _ => None,
        }
    }

    /// Does a formula begin with a text that stands in it and holds a letter?
    fn starts_with_letter(&self, value: &Expr) -> bool {
        let letter = |text: &str| text.chars().any(char::is_alphabetic);
        match &value.kind {
            ExprKind::Const(Value::Text(text)) => letter(text),
            ExprKind::Text(parts) => match parts.first() {
                Some(TextPart::Chars(chars)) => letter(chars),
                Some(TextPart::Hole(hole)) => self.starts_with_letter(hole),
                None => false,
            },
            ExprKind::Var(var) => self.names.lets.get(var).is_some_and(|value| self.starts_with_letter(value)),
            ExprKind::Must(inner, _) => self.starts_with_letter(inner),
            ExprKind::Binary(BinaryOp::Default, a, b) => self.starts_with_letter(a) && self.starts_with_letter(b),
            ExprKind::Choose(arms, last) => {
                arms.iter().all(|(value, _)| self.starts_with_letter(value))
                    && last.as_deref().is_some_and(|last| self.starts_with_letter(last))
            }
            ExprKind::Function(function, items) => {
                matches!(function.name, "first_chars" | "upper" | "lower" | "trim")
                    && items.first().is_some_and(|first| self.starts_with_letter(first))
            }
            ExprKind::Define(id, _) => {
                let define = self.checker.defines.get(id.0 as usize);
                define.is_some_and(|define| self.starts_with_letter(&define.body))
            }
            ExprKind::Outcome(..) => true,
            _ => false,
        }
    }
}

/// The lines that give a field, at a path through objects.
fn fields<'e>(lines: &'e [Line], path: &str) -> Vec<&'e FieldLine> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let mut found = Vec::new();
    for line in lines {
        match (line, rest) {
            (Line::Field(own), None) if *own.field.name == *first => found.push(own),
            (Line::Object { field, lines, .. } | Line::Each { field, lines, .. }, Some(rest))
                if *field.name == *first =>
            {
                found.extend(fields(lines, rest));
            }
            _ => {}
        }
    }
    found
}

/// The line that gives a field a value on every way: one that is never blank, in objects that are always there.
fn filled<'e>(lines: &'e [Line], path: &str) -> Option<&'e FieldLine> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    lines.iter().find_map(|line| match (line, rest) {
        (Line::Field(own), None) if *own.field.name == *first => {
            (!own.value.ty.optional || own.value.ty.kind == Kind::Any).then_some(own)
        }
        (Line::Object { field, when: None, lines, .. } | Line::Each { field, lines, .. }, Some(rest))
            if *field.name == *first =>
        {
            filled(lines, rest)
        }
        _ => None,
    })
}

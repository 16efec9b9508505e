//! What was kept against what is there today.

use regex::Regex;

use super::{
    Fields, Lock, Number,
    uses::{Uses, ty},
};
use crate::{
    diagnostic::{Diagnostic, Sources, Span},
    schema::{Catalog, Entity, Field},
};

/// So many lines of one field are shown.
const SHOWN: usize = 5;

/// A changed field, where flows name it.
struct Drift {
    text: String,
    lines: Vec<Named>,
}

/// A line of a flow that names it.
#[derive(Clone, Copy)]
struct Named {
    /// The name.
    name: Span,
    /// From the name to the end of the line.
    rest: Span,
}

/// What the systems changed under the flows since it was kept (F901). A line with a mistake of its own keeps that
/// one message, which then says what it comes of.
#[must_use]
pub fn drifted(old: &Lock, catalog: &Catalog, sources: &Sources, told: &mut [Diagnostic]) -> Vec<Diagnostic> {
    let texts = Texts::new(sources);
    let mut drifts = Vec::new();
    fields(&old.write, catalog, &texts, true, &mut drifts);
    fields(&old.read, catalog, &texts, false, &mut drifts);
    let mut found = Vec::new();
    for drift in drifts {
        let on_line = |own: &Diagnostic| own.is_error() && drift.lines.iter().any(|line| within(own.span(), line.rest));
        if let Some(own) = told.iter_mut().find(|own| on_line(own)) {
            let comes = format!("this comes of a change since flow.lock was written: {}", drift.text);
            own.help = Some(own.help.take().map_or_else(|| comes.clone(), |help| format!("{help}\n{comes}")));
            continue;
        }
        let Some((first, others)) = drift.lines.split_first() else { continue };
        let help = "look at what is done with it, then take the change over:\nkoppel check --accept";
        let told = Diagnostic::new("F901", drift.text, first.name).says("used here").help(help);
        found.push(others.iter().take(SHOWN - 1).fold(told, |told, line| told.also(line.name, "and here")));
    }
    found
}

/// Own numbers that are made in another way than was kept (F902). A flow that has another name now is still the one
/// that made the documents.
#[must_use]
pub fn renumbered(old: &Lock, uses: &Uses) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (flow, entity, span) in &uses.numbers {
        let (Some(was), Some(is)) =
            (kept(old, uses, flow, entity), uses.lock.number.get(&**flow).and_then(|own| own.get(entity)))
        else {
            continue;
        };
        if was == is {
            continue;
        }
        let title = format!("`{flow}` numbers documents of {entity} in another way than before");
        let help = format!(
            "it was  {}\nit is   {}\nwith a lost ledger, documents would be made twice: what was made is looked for \
             by its number\nwrite it as it was, or say that this is meant:  koppel check --accept",
            was.formula, is.formula,
        );
        found.push(Diagnostic::new("F902", title, *span).says("makes other numbers").help(help));
    }
    found.sort_by_key(Diagnostic::span);
    found.dedup_by_key(|told| told.span());
    found
}

/// The number that was kept for a flow, else for one that is there no more.
fn kept<'a>(old: &'a Lock, uses: &Uses, flow: &str, entity: &str) -> Option<&'a Number> {
    let own = old.number.get(flow);
    let gone = || {
        let mut gone = old.number.iter().filter(|(name, _)| !uses.lock.number.contains_key(*name));
        gone.find_map(|(_, numbers)| numbers.get(entity))
    };
    match own {
        Some(numbers) => numbers.get(entity),
        None => gone(),
    }
}

fn fields(old: &Fields, catalog: &Catalog, texts: &Texts<'_>, write: bool, into: &mut Vec<Drift>) {
    for (name, paths) in old {
        let (system, own) = name.split_once('.').unwrap_or((name, ""));
        let Some(entity) = catalog.entity(system, own) else {
            let lines = texts.naming(&format!(r"\b({})\b", regex::escape(own)));
            into.push(Drift { text: format!("{system} has no {own} any more"), lines });
            continue;
        };
        for (path, used) in paths {
            let last = path.rsplit('.').next().unwrap_or(path);
            let last = regex::escape(last);
            let lines = || {
                texts.naming(&if write {
                    format!(r"(?:^|[\s.])({last})\s*(?:=|\{{)")
                } else {
                    format!(r"\.({last})\b")
                })
            };
            let Some(field) = field(entity, path, write) else {
                into.push(Drift {
                    text: format!("{name} has no `{path}` any more; it was {}", words(&used.ty)),
                    lines: lines(),
                });
                continue;
            };
            let is = ty(field);
            if is != used.ty {
                let text = format!("`{path}` of {name} was {}, and is {} now", words(&used.ty), words(&is));
                into.push(Drift { text, lines: lines() });
            }
            let gone = used
                .codes
                .iter()
                .filter(|code| field.ty.codes.as_ref().is_none_or(|codes| codes.code_of(code).is_none()));
            for code in gone {
                let text = format!("`{path}` of {name} does not take the code \"{code}\" any more");
                into.push(Drift { text, lines: lines() });
            }
        }
    }
}

/// A type as a reader says it: `money?` may be blank.
fn words(ty: &str) -> String {
    ty.replace('?', " or blank")
}

fn field<'a>(entity: &'a Entity, path: &str, write: bool) -> Option<&'a Field> {
    if write {
        let facts = entity.write.as_ref()?;
        let found = [&facts.create, &facts.update].into_iter().flatten().find_map(|object| object.at(path));
        return found.map(|field| &**field);
    }
    entity.read.as_ref()?.object.at(path).map(|field| &**field)
}

fn within(inner: Span, outer: Span) -> bool {
    inner.file == outer.file && inner.start >= outer.start && inner.start < outer.end
}

/// The flows and libraries of the project.
struct Texts<'a>(&'a Sources);

impl<'a> Texts<'a> {
    fn new(sources: &'a Sources) -> Self {
        Self(sources)
    }

    /// The lines on which a name stands outside remarks; the pattern has it in its first group.
    fn naming(&self, pattern: &str) -> Vec<Named> {
        let Ok(pattern) = Regex::new(pattern) else { return Vec::new() };
        // What a test gives is no use of its own.
        let is_flow = |path: &str| path.strip_suffix(".flow").is_some_and(|stem| stem.strip_suffix(".test").is_none());
        let mut lines = Vec::new();
        for (file, source) in self.0.iter().filter(|(_, source)| is_flow(&source.path)) {
            let mut start = 0;
            for line in source.text.split_inclusive('\n') {
                let told = line.split(" #").next().unwrap_or(line).trim_end();
                if let Some(found) = pattern
                    .captures(told)
                    .and_then(|found| found.get(1))
                    .filter(|_| !told.trim_start().starts_with('#'))
                {
                    lines.push(Named {
                        name: Span::new(file, start + found.start(), start + found.end()),
                        rest: Span::new(file, start + found.start(), start + told.len()),
                    });
                }
                start += line.len();
            }
        }
        lines
    }
}

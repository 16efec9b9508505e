//! Reading a section of `koppel.toml` key by key; what nobody asked for is an unknown key.
//!
//! Takes [`Entry`]s, gives typed values with their places, and diagnostics. Promises that the list of known keys is
//! the list of keys that are read: it cannot be forgotten, and every misspelling is told its nearest.

use std::{net::IpAddr, time::Duration};

use super::{
    config::{At, Name, SecretPlace},
    table::{Entry, Node},
};
use crate::diagnostic::{Diagnostic, Span};

/// Collects the mistakes of a file.
#[derive(Default)]
pub(super) struct Reader {
    /// So far.
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Reader {
    /// F854 at a place.
    pub(super) fn wrong(&mut self, span: Span, title: impl Into<String>, help: impl Into<String>) {
        self.diagnostics.push(Diagnostic::new("F854", title, span).help(help));
    }

    /// F854 for a name that refers to nothing.
    pub(super) fn unknown(&mut self, span: Span, title: String, name: &str, known: &[&str]) {
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => near.to_owned(),
            None => format!("there are: {}", listed(known)),
        };
        self.wrong(span, title, help);
    }

    /// The keys of a section; `what` is what a message calls it.
    pub(super) fn section<'a>(&mut self, what: &'static str, entry: &'a Entry) -> Option<Section<'a>> {
        match &entry.item.node {
            Node::Table(entries) => Some(Section::new(what, entries)),
            other => {
                let title = format!("`{}` is {}, and {what} has keys of its own", entry.key, other.kind());
                self.wrong(entry.span, title, format!("{} = {{ … }}", entry.key));
                None
            }
        }
    }
}

/// A section while it is read.
pub(super) struct Section<'a> {
    what: &'static str,
    entries: &'a [Entry],
    asked: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn new(what: &'static str, entries: &'a [Entry]) -> Self {
        Self { what, entries, asked: Vec::new() }
    }

    /// The entry of a key.
    pub(super) fn get(&mut self, key: &'static str) -> Option<&'a Entry> {
        self.asked.push(key);
        self.entries.iter().find(|entry| &*entry.key == key)
    }

    /// Is the key there, whatever it holds?
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| &*entry.key == key)
    }

    /// The entries below a key: names that a person chose.
    pub(super) fn tables(&mut self, reader: &mut Reader, key: &'static str) -> &'a [Entry] {
        let Some(entry) = self.get(key) else { return &[] };
        match &entry.item.node {
            Node::Table(entries) => entries,
            other => {
                let title = format!("`{key}` holds sections, not {}", other.kind());
                reader.wrong(entry.span, title, format!("[{key}.NAME]"));
                &[]
            }
        }
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, reader: &mut Reader, key: &'static str) -> Option<Name> {
        let entry = self.get(key)?;
        match &entry.item.node {
            Node::Text(text) if !text.trim().is_empty() => Some(At { value: text.clone(), span: entry.item.span }),
            Node::Text(_) => {
                reader.wrong(entry.item.span, format!("`{key}` is empty"), format!("{key} = \"…\", or leave it out"));
                None
            }
            other => {
                let title = format!("`{key}` is a text, not {}", other.kind());
                let text = if let Node::Int(n) = other { n.to_string() } else { "…".to_owned() };
                reader.wrong(entry.item.span, title, format!("{key} = \"{text}\""));
                None
            }
        }
    }

    /// `"5m"`
    pub(super) fn duration(&mut self, reader: &mut Reader, key: &'static str) -> Option<At<Duration>> {
        let text = self.text(reader, key)?;
        let value = duration(&text.value);
        if value.is_none() {
            let title = format!("`{}` is no length of time", text.value);
            reader.wrong(text.span, title, "a number with s, m, h or d behind it:  \"30s\"  \"5m\"  \"2h\"  \"14d\"");
        }
        Some(At { value: value?, span: text.span })
    }

    /// An address; plain http only to this machine.
    pub(super) fn address(&mut self, reader: &mut Reader, key: &'static str) -> Option<Name> {
        let text = self.text(reader, key)?;
        let Some(url) = reqwest::Url::parse(&text.value).ok().filter(reqwest::Url::has_host) else {
            reader.wrong(text.span, format!("`{key}` is no web address"), format!("{key} = \"https://…\""));
            return None;
        };
        if !url.username().is_empty() || url.password().is_some() {
            let title = format!("`{key}` holds a name and password, which everybody who sees the file sees");
            let help = format!("{key} = \"https://…\", and client_id and client_secret beside it");
            reader.diagnostics.push(Diagnostic::new("F851", title, text.span).help(help));
            return None;
        }
        if url.scheme() == "https" || (url.scheme() == "http" && loopback(&url)) {
            return Some(text);
        }
        let title = "over plain http everybody on the way can read and change what is sent";
        let found = Diagnostic::new("F853", title, text.span);
        let help = format!("{key} = \"{}\"", text.value.replacen("http://", "https://", 1));
        reader.diagnostics.push(found.says("allowed to this machine only (127.0.0.1, localhost)").help(help));
        None
    }

    /// Where a secret is found; one that stands here itself is refused and never repeated.
    pub(super) fn secret(&mut self, reader: &mut Reader, key: &'static str) -> Option<At<SecretPlace>> {
        let entry = self.get(key)?;
        let ways = format!("{key} = {{ env = \"{}\" }}\n{key} = {{ file = \"…\" }}", variable(key));
        let Node::Table(places) = &entry.item.node else {
            let title = format!("`{key}` stands in `koppel.toml` itself, where everybody who sees the file sees it");
            let found = Diagnostic::new("F851", title, entry.span);
            reader.diagnostics.push(found.says("only where it is found may stand here").help(ways));
            return None;
        };
        let mut section = Section::new("the place of a secret", places);
        let (env, file) = (section.text(reader, "env"), section.text(reader, "file"));
        let before = reader.diagnostics.len();
        section.finish(reader);
        match (env, file) {
            (Some(env), None) if is_variable(&env.value) => {
                Some(At { value: SecretPlace::Env(env.value), span: entry.item.span })
            }
            (Some(env), None) => {
                let title = "this is no name of an environment variable (letters, digits and `_`)";
                reader.wrong(env.span, title, ways);
                None
            }
            (None, Some(file)) => Some(At { value: SecretPlace::File(file.value), span: entry.item.span }),
            (Some(_), Some(file)) => {
                reader.wrong(file.span, format!("`{key}` is found in two places"), ways);
                None
            }
            (None, None) => {
                if reader.diagnostics.len() == before && places.is_empty() {
                    reader.wrong(entry.item.span, format!("`{key}` is found nowhere"), ways);
                }
                None
            }
        }
    }

    /// F852 for every key that nobody asked for.
    pub(super) fn finish(self, reader: &mut Reader) {
        for entry in self.entries {
            if self.asked.contains(&&*entry.key) {
                continue;
            }
            let title = format!("{} has no key `{}`", self.what, entry.key);
            let help = match nearest(&entry.key, self.asked.iter().copied()) {
                Some(near) => near.to_owned(),
                None => format!("it has: {}", listed(&self.asked)),
            };
            reader.diagnostics.push(Diagnostic::new("F852", title, entry.span).help(help));
        }
    }
}

/// `client_secret` → `KOPPEL_CLIENT_SECRET`
fn variable(key: &str) -> String {
    format!("KOPPEL_{}", key.to_uppercase())
}

fn is_variable(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

fn loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or("").trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// `200ms`, `30s`, `5m`, `2h`, `14d`, `2w`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = match text.get(digits..)?.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    };
    Some(Duration::from_millis(text.get(..digits)?.parse::<u64>().ok()?.checked_mul(unit)?))
}

/// The nearest of some names, if one is near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |other: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    let best = known.into_iter().map(|other| (distance(other), other)).min_by_key(|(distance, _)| *distance);
    best.filter(|(distance, other)| *distance <= 1 + other.chars().count() / 4).map(|(_, other)| other)
}

/// `a, b or c`
#[must_use]
pub fn listed(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

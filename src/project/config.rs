//! What stands in `koppel.toml`: connections, environments, settings, runs, and where things are kept.
//!
//! Takes its text, gives a [`Config`] with the place of everything and diagnostics (F851 to F854). Promises that no
//! secret is read here: only where it is found. What the settings mean is judged against the flows, in `settings`.

use std::{sync::Arc, time::Duration};

use super::{
    section::{Reader, Section, nearest},
    table::{Entry, Item, Node},
};
use crate::diagnostic::{Diagnostic, FileId, Span};

/// A value with its place in `koppel.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// A name or text with its place.
pub type Name = At<Arc<str>>;

/// The whole file.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[connections.NAME]`
    pub connections: Vec<ConnectionLines>,
    /// `[settings.OWNER]`
    pub settings: Vec<SettingLine>,
    /// `[env.NAME]`
    pub environments: Vec<Environment>,
    /// `[test.settings.OWNER]`
    pub test_settings: Vec<SettingLine>,
    /// `[runs.NAME]`, in the order of the file.
    pub runs: Vec<RunLines>,
    /// Where the ledger is, relative to the project, `{env}` still in it.
    pub ledger: String,
    /// Where the key of its hashes is, relative to the project.
    pub ledger_key: String,
    /// How long the log is kept.
    pub keep: Duration,
    /// What the file was before anything in it was wrong: with mistakes in it, nothing is concluded from what lacks.
    pub readable: bool,
}

/// A connection as far as one section tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLines {
    /// Its name.
    pub name: Name,
    /// `jortt` or `afas`.
    pub system: Option<Name>,
    /// Base address.
    pub base: Option<Name>,
    /// Log-in address.
    pub login: Option<Name>,
    /// AFAS participant.
    pub participant: Option<Name>,
    /// OAuth 2 client.
    pub client_id: Option<At<SecretPlace>>,
    /// OAuth 2 client.
    pub client_secret: Option<At<SecretPlace>>,
    /// The classic AFAS token.
    pub token: Option<At<SecretPlace>>,
    /// How long an unclear write may still take effect.
    pub settle: Option<At<Duration>>,
}

impl ConnectionLines {
    /// What the lines say, wherever they stand.
    fn placeless(&self) -> Self {
        fn at<T: Clone>(at: &At<T>) -> At<T> {
            At { value: at.value.clone(), span: Span::NONE }
        }
        let Self { name, system, base, login, participant, client_id, client_secret, token, settle } = self;
        Self {
            name: at(name),
            system: system.as_ref().map(at),
            base: base.as_ref().map(at),
            login: login.as_ref().map(at),
            participant: participant.as_ref().map(at),
            client_id: client_id.as_ref().map(at),
            client_secret: client_secret.as_ref().map(at),
            token: token.as_ref().map(at),
            settle: settle.as_ref().map(at),
        }
    }
}

/// Where a secret is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// In an environment variable.
    Env(Arc<str>),
    /// In a file.
    File(Arc<str>),
}

/// One setting.
#[derive(Debug, Clone)]
pub struct SettingLine {
    /// The flow, or the stem of the library file, that declares it.
    pub owner: Name,
    /// Its name.
    pub name: Name,
    /// Its value, not judged yet.
    pub item: Item,
}

/// `[env.NAME]`: what stands here wins.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: Name,
    /// Keys of connections that differ.
    pub connections: Vec<ConnectionLines>,
    /// Settings that differ.
    pub settings: Vec<SettingLine>,
}

/// `[runs.NAME]`
#[derive(Debug, Clone)]
pub struct RunLines {
    /// The name of the run, which is its name in the ledger.
    pub name: Name,
    /// The file of the flow, relative to the project.
    pub flow: Name,
    /// How often; none = only when asked.
    pub every: Option<At<Duration>>,
    /// Role and connection.
    pub connections: Vec<(Name, Name)>,
    /// Settings that differ.
    pub settings: Vec<SettingLine>,
}

/// 14 days.
const KEEP: Duration = Duration::from_hours(336);
/// What the two systems are called.
const SYSTEMS: [&str; 2] = ["jortt", "afas"];

impl Config {
    /// What holds without a `koppel.toml`.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            connections: Vec::new(),
            settings: Vec::new(),
            environments: Vec::new(),
            test_settings: Vec::new(),
            runs: Vec::new(),
            ledger: ".koppel/{env}.sqlite".to_owned(),
            ledger_key: ".koppel/key".to_owned(),
            keep: KEEP,
            readable: true,
        }
    }

    /// Reads the file.
    #[must_use]
    pub fn parse(file: FileId, text: &str) -> (Self, Vec<Diagnostic>) {
        let mut config = Self::empty();
        let (entries, mistakes) = super::table::parse(file, text);
        if !mistakes.is_empty() {
            config.readable = false;
            return (config, mistakes);
        }
        let mut reader = Reader::default();
        let mut top = Section::new("koppel.toml", &entries);
        config.connections = connections(&mut reader, &mut top);
        config.settings = settings(&mut reader, &mut top);
        for entry in top.tables(&mut reader, "env") {
            let Some(mut section) = reader.section("an environment", entry) else { continue };
            config.environments.push(Environment {
                name: key(entry),
                connections: connections(&mut reader, &mut section),
                settings: settings(&mut reader, &mut section),
            });
            section.finish(&mut reader);
        }
        if let Some(mut test) = top.get("test").and_then(|entry| reader.section("[test]", entry)) {
            config.test_settings = settings(&mut reader, &mut test);
            test.finish(&mut reader);
        }
        for entry in top.tables(&mut reader, "runs") {
            config.runs.extend(run(&mut reader, entry));
        }
        if let Some(mut ledger) = top.get("ledger").and_then(|entry| reader.section("[ledger]", entry)) {
            config.read_ledger(&mut reader, &mut ledger);
            ledger.finish(&mut reader);
        }
        if let Some(mut log) = top.get("log").and_then(|entry| reader.section("[log]", entry)) {
            if let Some(keep) = log.duration(&mut reader, "keep") {
                config.keep = keep.value;
            }
            log.finish(&mut reader);
        }
        notices(&mut reader, &mut top);
        page(&mut reader, &mut top);
        top.finish(&mut reader);
        config.check_names(&mut reader);
        reader.diagnostics.sort_by_key(|diagnostic| diagnostic.span().start);
        config.readable = reader.diagnostics.is_empty();
        (config, reader.diagnostics)
    }

    /// What differs from another version of the file and is looked at when a program starts only.
    #[must_use]
    pub fn needs_restart(&self, other: &Self) -> Vec<&'static str> {
        let connections = |config: &Self| -> Vec<_> {
            let environments = config.environments.iter();
            let special =
                environments.flat_map(|own| own.connections.iter().map(|lines| (Some(&own.name.value), lines)));
            let all = config.connections.iter().map(|lines| (None, lines)).chain(special);
            all.map(|(environment, lines)| (environment.cloned(), lines.placeless())).collect()
        };
        let mut changed = Vec::new();
        if connections(self) != connections(other) {
            changed.push("a connection");
        }
        if (&self.ledger, &self.ledger_key) != (&other.ledger, &other.ledger_key) {
            changed.push("the ledger");
        }
        changed
    }

    fn read_ledger(&mut self, reader: &mut Reader, ledger: &mut Section<'_>) {
        if let Some(path) = ledger.text(reader, "path") {
            self.ledger = path.value.to_string();
        }
        match ledger.secret(reader, "key") {
            Some(At { value: SecretPlace::File(path), .. }) => self.ledger_key = path.to_string(),
            Some(At { span, .. }) => {
                let text = "the key of the ledger is kept in a file";
                reader.wrong(span, text, "key = { file = \".koppel/key\" }");
            }
            None => {}
        }
        if let Some(url) = ledger.secret(reader, "url") {
            let text = "a ledger in PostgreSQL is not built yet";
            reader.wrong(url.span, text, "path = \".koppel/{env}.sqlite\"");
        }
    }

    /// Names that refer to other sections of the file.
    fn check_names(&self, reader: &mut Reader) {
        let mut known: Vec<_> = self.connections.iter().map(|lines| &*lines.name.value).collect();
        for lines in self.environments.iter().flat_map(|environment| &environment.connections) {
            if !known.contains(&&*lines.name.value) && lines.system.is_none() && !SYSTEMS.contains(&&*lines.name.value)
            {
                let title = format!("there is no connection `{}` that this could be about", lines.name.value);
                reader.unknown(lines.name.span, title, &lines.name.value, &known);
            }
        }
        known.extend(self.environments.iter().flat_map(|env| &env.connections).map(|lines| &*lines.name.value));
        known.extend(SYSTEMS);
        known.sort_unstable();
        known.dedup();
        for (_, connection) in self.runs.iter().flat_map(|run| &run.connections) {
            if !known.contains(&&*connection.value) {
                let title = format!("there is no connection `{}`", connection.value);
                reader.unknown(connection.span, title, &connection.value, &known);
            }
        }
    }
}

fn key(entry: &Entry) -> Name {
    At { value: entry.key.clone(), span: entry.span }
}

fn connections(reader: &mut Reader, above: &mut Section<'_>) -> Vec<ConnectionLines> {
    let mut all = Vec::new();
    for entry in above.tables(reader, "connections") {
        let Some(mut section) = reader.section("a connection", entry) else { continue };
        let lines = ConnectionLines {
            name: key(entry),
            system: section.text(reader, "system"),
            base: section.address(reader, "base"),
            login: section.address(reader, "login"),
            participant: section.text(reader, "participant"),
            client_id: section.secret(reader, "client_id"),
            client_secret: section.secret(reader, "client_secret"),
            token: section.secret(reader, "token"),
            settle: section.duration(reader, "settle"),
        };
        section.finish(reader);
        if let Some(system) = &lines.system
            && !SYSTEMS.contains(&&*system.value)
        {
            let title = format!("koppel does not know a system `{}`", system.value);
            let help = nearest(&system.value, SYSTEMS).unwrap_or("jortt\" or \"afas");
            reader.wrong(system.span, title, format!("system = \"{help}\""));
        }
        if let Some(participant) = &lines.participant
            && !(participant.value.len() == 5 && participant.value.bytes().all(|byte| byte.is_ascii_digit()))
        {
            let text = "an AFAS participant is five digits";
            reader.wrong(participant.span, text, "the five digits of your AFAS address: 12345.rest.afas.online");
        }
        all.push(lines);
    }
    all
}

fn settings(reader: &mut Reader, above: &mut Section<'_>) -> Vec<SettingLine> {
    let mut all = Vec::new();
    for owner in above.tables(reader, "settings") {
        let Node::Table(lines) = &owner.item.node else {
            let title = format!("`{}` stands under no flow or library", owner.key);
            let help = format!("[settings.NAME]    # the name of the flow, or of its library file\n{} = …", owner.key);
            reader.wrong(owner.span, title, help);
            continue;
        };
        let lines =
            lines.iter().map(|line| SettingLine { owner: key(owner), name: key(line), item: line.item.clone() });
        all.extend(lines);
    }
    all
}

fn run(reader: &mut Reader, entry: &Entry) -> Option<RunLines> {
    let mut section = reader.section("a run", entry)?;
    let flow = section.text(reader, "flow");
    let every = section.duration(reader, "every");
    let mut roles = Vec::new();
    for role in section.tables(reader, "connections") {
        match &role.item.node {
            Node::Text(name) => roles.push((key(role), At { value: name.clone(), span: role.item.span })),
            other => {
                let title = format!("the connection of a role is a name, not {}", other.kind());
                reader.wrong(role.item.span, title, format!("connections = {{ {} = \"{}\" }}", role.key, role.key));
            }
        }
    }
    let settings = settings(reader, &mut section);
    let had_flow = section.has("flow");
    section.finish(reader);
    if let Some(every) = &every
        && every.value < Duration::from_secs(1)
    {
        reader.wrong(every.span, "a run cannot begin again at once", "every = \"5m\"");
    }
    let Some(flow) = flow else {
        if !had_flow {
            let title = format!("the run `{}` does not say which flow it runs", entry.key);
            reader.wrong(entry.span, title, "flow = \"orders.flow\"");
        }
        return None;
    };
    Some(RunLines { name: key(entry), flow, every, connections: roles, settings })
}

/// `[notices]`: read and judged, not sent by this version.
fn notices(reader: &mut Reader, top: &mut Section<'_>) {
    let Some(mut notices) = top.get("notices").and_then(|entry| reader.section("[notices]", entry)) else { return };
    if let Some(mut mail) = notices.get("mail").and_then(|entry| reader.section("mail", entry)) {
        if let Some(to) = mail.get("to")
            && !matches!(&to.item.node, Node::List(all) if all.iter().all(|one| matches!(one.node, Node::Text(_))))
        {
            reader.wrong(to.item.span, "`to` is a list of addresses", "to = [\"boekhouding@bedrijf.example\"]");
        }
        mail.text(reader, "from");
        mail.text(reader, "server");
        mail.text(reader, "user");
        mail.secret(reader, "password");
        mail.finish(reader);
    }
    if let Some(mut webhook) = notices.get("webhook").and_then(|entry| reader.section("webhook", entry)) {
        webhook.secret(reader, "url");
        webhook.finish(reader);
    }
    notices.finish(reader);
}

/// `[page]`: read and judged, not served by this version.
fn page(reader: &mut Reader, top: &mut Section<'_>) {
    let Some(mut page) = top.get("page").and_then(|entry| reader.section("[page]", entry)) else { return };
    if let Some(listen) = page.text(reader, "listen")
        && listen.value.parse::<std::net::SocketAddr>().is_err()
    {
        reader.wrong(listen.span, "this is no address to listen on", "listen = \"127.0.0.1:8420\"");
    }
    page.secret(reader, "token");
    page.finish(reader);
}

#[cfg(test)]
mod tests;

//! A project: the folder with `koppel.toml` and its flows, read and judged as one.
//!
//! Takes a folder and an environment, gives the checked flows with their settings, the runs with their plans, and all
//! mistakes. Promises that nothing outside the folder is read, that a run's plan exists only when nothing in its flow
//! and settings is wrong, and that a secret is looked up only when a connection is opened.

mod config;
mod connect;
mod files;
mod keep;
mod numbers;
mod section;
mod settings;
mod table;

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use jiff::civil::Date;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

pub use config::{At, Config, ConnectionLines, Environment, Name, RunLines, SecretPlace, SettingLine};
pub use connect::Variables;
pub use files::Folder;
pub use section::{duration, listed, nearest};
pub use table::{Entry, Item, Node, without_secrets};

use crate::{
    check::{self, typed::Program},
    connector::Connection,
    diagnostic::{Diagnostic, FileId, Files as _, Source, Sources},
    lock,
    plan::{self, Plan, PlanError, SettingValues},
    schema::Catalog,
    value::Action,
};

/// The file that makes a folder a project.
pub const CONFIG: &str = "koppel.toml";

/// How often a flow without a line in `koppel.toml` runs under `koppel serve`.
const EVERY: Duration = Duration::from_mins(5);

/// A project as it stands on disk, judged.
#[derive(Debug)]
pub struct Project {
    /// Its folder.
    pub folder: Folder,
    /// The environment that was asked for.
    pub environment: Arc<str>,
    /// What `koppel.toml` says.
    pub config: Config,
    /// All texts, `koppel.toml` last; secrets in it are hidden.
    pub sources: Sources,
    /// All mistakes and warnings, in the order of the texts.
    pub diagnostics: Vec<Diagnostic>,
    /// The flows and libraries.
    pub programs: Vec<Arc<Program>>,
    /// What runs, in the order of `koppel.toml`; empty when there is an error.
    pub runs: Vec<Run>,
}

/// A flow with settings, connections and a name in the ledger.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its name.
    pub name: Arc<str>,
    /// What it does.
    pub plan: Arc<Plan>,
    /// Differs when flow, libraries, tables or settings differ.
    pub version: Arc<str>,
    /// How often it runs.
    pub every: Duration,
    /// Role → connection, for every role that the flow needs.
    pub connections: BTreeMap<Arc<str>, Arc<str>>,
}

impl Run {
    /// What it does over a connection: with which entity; none = read.
    pub fn uses_of<'r>(&'r self, connection: &'r str) -> impl Iterator<Item = (Arc<str>, Option<Action>)> + 'r {
        let roles = self.connections.iter().filter(move |(_, own)| ***own == *connection).map(|(role, _)| role);
        roles.flat_map(|role| {
            let uses = self.plan.uses.iter().filter(move |(name, _)| name.role == *role);
            uses.map(|(name, action)| (Arc::clone(&name.entity), *action))
        })
    }
}

/// A run before it has a plan.
struct Meant<'a> {
    name: Arc<str>,
    lines: Vec<&'a SettingLine>,
    program: &'a Arc<Program>,
    every: Duration,
    roles: BTreeMap<Arc<str>, Arc<str>>,
}

impl Project {
    /// Reads and judges the project in a folder.
    ///
    /// # Errors
    /// A sentence for the reader: no such folder, `koppel.toml` unreadable, no such environment. Mistakes in the files
    /// are no error but [`Project::diagnostics`].
    pub fn open(path: &Path, environment: &str, catalog: &Catalog, today: Date) -> Result<Self, String> {
        let folder = Folder::open(path)?;
        let there = folder.root().join(CONFIG).exists();
        let text = if there { folder.read(CONFIG).map_err(|error| format!("{CONFIG}: {error}"))? } else { "".into() };
        // Read twice: the roles are needed for the check, and only after it `koppel.toml` has its place among the texts.
        let roles = roles(&Config::parse(crate::diagnostic::Span::NONE.file, &text).0);
        let flows = folder.list("flow");
        let checked = check::check(&check::Project { files: &folder, catalog, roles: &roles, flows: &flows, today });
        let mut sources = checked.sources;
        let file = sources.add(CONFIG, without_secrets(&text));
        let (config, mistakes) = Config::parse(file, &text);
        known_environment(&config, environment)?;
        let mut project = Self {
            folder,
            environment: environment.into(),
            config,
            sources,
            diagnostics: checked.diagnostics,
            programs: checked.programs,
            runs: Vec::new(),
        };
        project.diagnostics.extend(mistakes);
        project.judge_settings();
        let uses = lock::writes(&project.programs, &project.numbering());
        project.judge_numbers(&uses);
        project.judge_lock(catalog, &uses);
        Ok(project)
    }

    /// Is there an error among the diagnostics?
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The settings that tests see, whatever the environment.
    #[must_use]
    pub fn test_settings(&self) -> SettingValues {
        settings::Declared::new(&self.programs).values(self.config.test_settings.iter())
    }

    /// The connection of a name, secrets looked up.
    ///
    /// # Errors
    /// A sentence that names what lacks, its key and its line.
    pub fn connection(&self, name: &str, variables: Variables<'_>) -> Result<Connection, String> {
        self.resolver(variables).resolve(name)
    }

    /// The system of a connection.
    #[must_use]
    pub fn system(&self, connection: &str) -> Arc<str> {
        self.resolver(&|_| None).system(connection)
    }

    /// How long an unclear write on a connection may still take effect; none where `koppel.toml` does not say.
    #[must_use]
    pub fn settle(&self, connection: &str) -> Option<Duration> {
        self.resolver(&|_| None).settle(connection).map(|settle| settle.value)
    }

    fn resolver<'a>(&'a self, variables: Variables<'a>) -> connect::Resolver<'a> {
        let Self { config, sources, folder, environment, .. } = self;
        connect::Resolver { config, sources, folder, environment, variables }
    }

    /// Settings against declarations, runs against flows; then the plans, when all is right.
    fn judge_settings(&mut self) {
        if !self.config.readable {
            return;
        }
        let declared = settings::Declared::new(&self.programs);
        let mut found = declared.judge(&self.config);
        found.extend(self.unknown_flows());
        let meant = self.meant(&self.environment);
        let mut unset: Vec<Diagnostic> =
            meant.iter().flat_map(|run| settings::unset(run.program, &run.lines, &self.prefix())).collect();
        unset.sort_by_key(Diagnostic::span);
        unset.dedup_by_key(|diagnostic| diagnostic.span());
        // A default that is wrong was told at its own characters.
        let line = |told: &Diagnostic| {
            let place = told.span();
            (place.file, self.sources.get(place.file).map(|source| source.line_column(place.start).0))
        };
        unset.retain(|open| !self.diagnostics.iter().any(|told| told.is_error() && line(told) == line(open)));
        found.extend(unset);
        let wrong = self.has_errors() || found.iter().any(Diagnostic::is_error);
        let mut runs = Vec::new();
        if !wrong {
            let planned: Vec<_> = meant
                .into_par_iter()
                .map(|run| {
                    let values = declared.values(run.lines.iter().copied());
                    let plan = plan::build(run.program.clone(), &self.sources, &values);
                    (run, values, plan)
                })
                .collect();
            for (run, values, plan) in planned {
                match plan {
                    Ok(plan) => runs.push(Run {
                        name: run.name,
                        plan: Arc::new(plan),
                        version: self.version(&values),
                        every: run.every,
                        connections: run.roles,
                    }),
                    Err(errors) => found.extend(errors.iter().map(PlanError::diagnostic)),
                }
            }
            found.extend(self.failing_elsewhere(&declared, &found));
        }
        self.diagnostics.extend(found);
        self.diagnostics.sort_by_key(|diagnostic| (diagnostic.span().file, diagnostic.span().start));
        self.runs = if self.has_errors() { Vec::new() } else { runs };
    }

    /// F116 for the other environments: guards of settings only that would fail there. Each guard is told once.
    fn failing_elsewhere(&self, declared: &settings::Declared<'_>, told: &[Diagnostic]) -> Vec<Diagnostic> {
        let mut found: Vec<Diagnostic> = Vec::new();
        let names = self.config.environments.iter().map(|own| &*own.name.value).chain([LIVE]);
        for name in names.filter(|name| *name != &*self.environment) {
            for run in self.meant(name) {
                let values = declared.values(run.lines.iter().copied());
                let errors = plan::build(run.program.clone(), &self.sources, &values).err().unwrap_or_default();
                for error in errors.iter().filter(|error| matches!(error, PlanError::SettingFails { .. })) {
                    let failing = error.diagnostic();
                    if !told.iter().chain(&found).any(|other| other.span() == failing.span()) {
                        found.push(failing.says(format!("with the settings of environment `{name}`")));
                    }
                }
            }
        }
        found
    }

    /// Where an unset setting of the environment is best set.
    fn prefix(&self) -> String {
        let named = self.config.environments.iter().any(|own| own.name.value == self.environment);
        if named { format!("env.{}.", self.environment) } else { String::new() }
    }

    /// F854 for runs whose flow is not there; one that is there and cannot be understood has its own messages.
    fn unknown_flows(&self) -> Vec<Diagnostic> {
        let flows: Vec<&str> = self.flows().map(|program| self.path(program)).collect();
        let wrong = |file: FileId| self.diagnostics.iter().any(|told| told.is_error() && told.span().file == file);
        let unclear = |path: &str| self.sources.iter().any(|(file, source)| source.path == path && wrong(file));
        let known = |path: &str| flows.contains(&path) || unclear(path);
        let unknown = self.config.runs.iter().filter(|run| !known(&run.flow.value));
        unknown
            .map(|run| {
                let title = format!("there is no flow `{}` in this project", run.flow.value);
                let help = nearest(&run.flow.value, flows.iter().copied())
                    .map_or_else(|| format!("there are: {}", listed(&flows)), |near| format!("flow = \"{near}\""));
                Diagnostic::new("F854", title, run.flow.span).help(help)
            })
            .collect()
    }

    /// The roles that a flow may need, each with the connection that plays it: those that its text or a library names.
    fn roles_of(&self, program: &Program, lines: Option<&RunLines>) -> BTreeMap<Arc<str>, Arc<str>> {
        let flows: Vec<_> = self.flows().map(|flow| flow.file).filter(|file| *file != program.file).collect();
        let own = |file: FileId, source: &Source| !flows.contains(&file) && source.path != CONFIG;
        let texts: Vec<_> = self.sources.iter().filter(|(file, source)| own(*file, source)).collect();
        let named = |role: &str| {
            let role = format!("{role}.");
            texts.iter().any(|(_, source)| names(&source.text, &role))
        };
        let given = |role: &str| {
            let found = lines.and_then(|lines| lines.connections.iter().find(|(own, _)| &*own.value == role));
            found.map(|(_, connection)| connection.value.clone())
        };
        let roles = roles(&self.config).into_keys().filter(|role| named(role));
        roles.map(|role| (role.clone(), given(&role).unwrap_or(role))).collect()
    }

    fn flows(&self) -> impl Iterator<Item = &Arc<Program>> {
        self.programs.iter().filter(|program| program.source.is_some())
    }

    fn path(&self, program: &Program) -> &str {
        self.sources.get(program.file).map_or("", |source| &source.path)
    }

    /// The runs of `koppel.toml`, then each flow that has none under its own name.
    fn meant<'a>(&'a self, environment: &'a str) -> Vec<Meant<'a>> {
        let environments = move || self.config.environments.iter().filter(move |own| &*own.name.value == environment);
        let lines = || self.config.settings.iter().chain(environments().flat_map(|own| &own.settings));
        let mut runs = Vec::new();
        for run in &self.config.runs {
            let Some(program) = self.flows().find(|program| self.path(program) == &*run.flow.value) else { continue };
            runs.push(Meant {
                name: run.name.value.clone(),
                lines: lines().chain(&run.settings).collect(),
                program,
                every: run.every.as_ref().map_or(EVERY, |every| every.value),
                roles: self.roles_of(program, Some(run)),
            });
        }
        for program in self.flows() {
            if !runs.iter().any(|run| Arc::ptr_eq(run.program, program)) {
                let (name, lines) = (program.name.clone(), lines().collect());
                runs.push(Meant { name, lines, program, every: EVERY, roles: self.roles_of(program, None) });
            }
        }
        runs
    }

    /// A hash of all texts but `koppel.toml`, and of the settings: an edit of any flow is a new version of all of
    /// them, which costs some decisions and never misses one.
    fn version(&self, values: &SettingValues) -> Arc<str> {
        let mut hash = Sha256::new();
        for (_, source) in self.sources.iter().filter(|(_, source)| source.path != CONFIG) {
            hash.update(source.path.as_bytes());
            hash.update([0]);
            hash.update(source.text.as_bytes());
            hash.update([0]);
        }
        hash.update(format!("{values:?}"));
        let short: [u8; 8] = hash.finalize().first_chunk().copied().unwrap_or_default();
        format!("{:016x}", u64::from_be_bytes(short)).into()
    }
}

/// Does the text hold the word, not as the end of another one?
fn names(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '.')
    })
}

/// Which system plays each role that a flow may name.
fn roles(config: &Config) -> BTreeMap<Arc<str>, Arc<str>> {
    let mut systems: BTreeMap<Arc<str>, Arc<str>> =
        ["jortt", "afas"].into_iter().map(|name| (name.into(), name.into())).collect();
    let environments = config.environments.iter().flat_map(|environment| &environment.connections);
    for lines in config.connections.iter().chain(environments) {
        if let Some(system) = &lines.system {
            systems.insert(lines.name.value.clone(), system.value.clone());
        }
    }
    let mut roles = systems.clone();
    for (role, connection) in config.runs.iter().flat_map(|run| &run.connections) {
        if let Some(system) = systems.get(&connection.value) {
            roles.entry(role.value.clone()).or_insert_with(|| system.clone());
        }
    }
    roles
}

/// The environment `live` always exists; others are named in `koppel.toml`.
fn known_environment(config: &Config, environment: &str) -> Result<(), String> {
    let names: Vec<&str> = config.environments.iter().map(|own| &*own.name.value).collect();
    if environment == LIVE || names.contains(&environment) || !config.readable {
        return Ok(());
    }
    let near = nearest(environment, names.iter().copied().chain([LIVE]));
    let help = near.map_or_else(|| format!("there are: {LIVE}, {}", listed(&names)), |near| format!("--env {near}"));
    Err(format!("{CONFIG} has no environment `{environment}`\n      {help}"))
}

/// The environment without a section of its own.
pub const LIVE: &str = "live";

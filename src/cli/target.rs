//! Whom a run talks to and where its ledger and log are: the real accounts, or a sandbox.
//!
//! Takes a project and what was typed, gives connections, places and, with a sandbox, what was made in it. Promises
//! that a run against a sandbox needs no secret, and never shares a ledger with a run against real accounts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use secrecy::SecretString;
use serde_json::Value;

use super::{args::InSandbox, place, say::Stop};
use crate::{
    connector::{self, Connection, Connector, Credentials, Manifest},
    ledger::Places,
    project::{Project, Run},
    sandbox::{self, Sandbox},
    schema::Catalog,
};

/// The sandbox works on no request for longer than this after its client hung up; a connection may say less, to be
/// quicker done with what is in doubt.
const SANDBOX_SETTLE: Duration = Duration::from_secs(5);

/// What a connection is given that is in `koppel.toml` no more: as long as the slowest system.
const LONGEST_SETTLE: Duration = Duration::from_mins(18);

/// Whom, and where.
pub(super) struct Target {
    /// Where the ledger is.
    pub(super) places: Places,
    /// Where the log is, and the name that its files begin with.
    pub(super) log: (PathBuf, String),
    /// The sandbox, if it is one.
    pub(super) sandbox: Option<InReach>,
    /// Goes when the run has ended.
    _temporary: Option<Temporary>,
}

/// A sandbox that answers.
pub(super) struct InReach {
    /// `http://127.0.0.1:PORT`
    pub(super) url: String,
    /// Does it live in this process?
    pub(super) own: bool,
    _running: Option<Sandbox>,
}

impl Target {
    /// Starts or finds what is asked for.
    pub(super) async fn new(project: &Project, asked: &InSandbox) -> Result<Self, Stop> {
        let folder = project.folder.root();
        match asked.sandbox.as_deref() {
            None => Ok(Self::real(project)),
            Some("") => {
                let usual = sandbox::Options::default();
                let options = sandbox::Options {
                    size: asked.size.unwrap_or(usual.size),
                    seed: asked.seed.unwrap_or(usual.seed),
                    awkward: asked.awkward,
                    ..usual
                };
                let running = sandbox::start(options).await.map_err(|error| Stop::Setup(error.to_string()))?;
                let temporary = Temporary::new()?;
                let places = Places {
                    ledger: temporary.0.join("sandbox.sqlite"),
                    key: temporary.0.join("key"),
                    birth: None,
                    settle: longest(project, true),
                };
                Ok(Self {
                    places,
                    log: (temporary.0.join("log"), "sandbox".to_owned()),
                    sandbox: Some(InReach { url: running.url(), own: true, _running: Some(running) }),
                    _temporary: Some(temporary),
                })
            }
            Some(url) => {
                let typed = [asked.size.is_some(), asked.seed.is_some(), asked.awkward];
                if typed.contains(&true) {
                    let text = "--size, --seed and --awkward are for a sandbox that begins now, not for one that runs";
                    return Err(Stop::Usage(text.to_owned()));
                }
                let (url, name) = reach(url).await?;
                Ok(Self {
                    places: sandbox_places(folder, &name, project),
                    log: (place::log_folder(folder), name),
                    sandbox: Some(InReach { url, own: false, _running: None }),
                    _temporary: None,
                })
            }
        }
    }

    fn real(project: &Project) -> Self {
        let folder = project.folder.root();
        let places = Places {
            ledger: folder.join(project.config.ledger.replace("{env}", &project.environment)),
            key: folder.join(&project.config.ledger_key),
            // Outside the ledger's folder, so that it is not lost with it.
            birth: Some(folder.join(format!(".koppel-{}.mark", project.environment))),
            settle: longest(project, false),
        };
        let log = (place::log_folder(folder), project.environment.to_string());
        Self { places, log, sandbox: None, _temporary: None }
    }

    /// The connections that these runs need, by name, secrets looked up.
    pub(super) fn connections(
        &self,
        project: &Project,
        runs: &[Run],
        catalog: &Arc<Catalog>,
    ) -> Result<BTreeMap<Arc<str>, Arc<dyn Connector>>, Stop> {
        let mut connections = BTreeMap::new();
        let mut lacks = Vec::new();
        let names: BTreeSet<_> = runs.iter().flat_map(|run| run.connections.values()).collect();
        for name in names {
            let variable = |name: &str| std::env::var(name).ok();
            let connection = match &self.sandbox {
                Some(sandbox) => Ok(sandbox.connection(name, project)),
                None => project.connection(name, &variable),
            };
            let uses = runs.iter().flat_map(|run| run.uses_of(name)).collect();
            let opened = connection.and_then(|connection| {
                let connection = Connection { uses: Some(uses), ..connection };
                connector::open(&connection, Arc::clone(catalog)).map_err(|error| error.to_string())
            });
            match opened {
                Ok(opened) => {
                    connections.insert(Arc::clone(name), opened);
                }
                Err(text) => lacks.push(text),
            }
        }
        if lacks.is_empty() { Ok(connections) } else { Err(Stop::Setup(lacks.join("\n"))) }
    }
}

impl InReach {
    /// The connection of a name: the sandbox in place of what `koppel.toml` says.
    fn connection(&self, name: &Arc<str>, project: &Project) -> Connection {
        let system = project.system(name);
        let secret = || SecretString::from("sandbox".to_owned());
        let (base, login, credentials) = if &*system == "jortt" {
            let login = format!("{}/jortt/oauth-provider/oauth", self.url);
            (format!("{}/jortt", self.url), Some(login.into()), Credentials::Client { id: secret(), secret: secret() })
        } else {
            let token = Credentials::Token(SecretString::from("5A".repeat(32)));
            (format!("{}/afas/ProfitRestServices", self.url), None, token)
        };
        Connection {
            name: Arc::clone(name),
            system,
            base: Some(base.into()),
            login,
            participant: None,
            credentials,
            uses: None,
            settle: Some(settle(project, name, true)),
        }
    }

    /// What was made so far: `38 FbSales, 12 KnSalesRelationOrg in AFAS`, with a word on duplicates.
    pub(super) async fn effects(&self) -> Result<String, Stop> {
        let effects = get(&format!("{}/_control/effects", self.url)).await?;
        let mut text = String::new();
        let mut duplicates = 0;
        for (system, title) in [("afas", "AFAS"), ("jortt", "Jortt")] {
            let Some(entities) = effects.get(system).and_then(Value::as_object) else { continue };
            let mut made = Vec::new();
            for (entity, facts) in entities {
                let number = |name: &str| facts.get(name).and_then(Value::as_u64).unwrap_or(0);
                let (count, updated) = (number("count"), number("updated"));
                duplicates += facts.get("duplicates").and_then(Value::as_array).map_or(0, Vec::len);
                if count > 0 {
                    made.push(format!("{count} {entity}"));
                }
                if updated > 0 {
                    let changes = if updated == 1 { "change" } else { "changes" };
                    made.push(format!("{updated} {changes} of {entity}"));
                }
            }
            if !made.is_empty() {
                let _ = write!(text, "{}{} in {title}", if text.is_empty() { "" } else { ", " }, made.join(", "));
            }
        }
        let nothing = if text.is_empty() { "nothing" } else { "" };
        let twice = if duplicates == 0 { "nothing twice".to_owned() } else { format!("{duplicates} of them TWICE") };
        Ok(format!("made in the sandbox: {nothing}{text}; {twice}"))
    }
}

/// The ledger of a sandbox that runs already: kept for as long as somebody wants to go on with it. Its mark goes with
/// its folder: who deletes that begins anew.
fn sandbox_places(folder: &Path, name: &str, project: &Project) -> Places {
    let own = |ending: &str| folder.join(".koppel").join(format!("{name}.{ending}"));
    Places {
        ledger: own("sqlite"),
        key: folder.join(&project.config.ledger_key),
        birth: Some(own("mark")),
        settle: longest(project, true),
    }
}

/// The places of a running sandbox, for verbs that only look.
pub(super) async fn places_of(project: &Project, url: Option<&str>) -> Result<(Places, (PathBuf, String)), Stop> {
    let Some(url) = url else {
        let target = Target::real(project);
        return Ok((target.places, target.log));
    };
    let (_, name) = reach(url).await?;
    let folder = project.folder.root();
    Ok((sandbox_places(folder, &name, project), (place::log_folder(folder), name)))
}

/// How long an attempt on a connection may still take effect after its answer was lost.
pub(super) fn settle(project: &Project, connection: &str, sandbox: bool) -> Duration {
    let said = project.settle(connection);
    if sandbox {
        return said.map_or(SANDBOX_SETTLE, |settle| settle.min(SANDBOX_SETTLE));
    }
    let needed = || Manifest::standard(&project.system(connection)).ok().map(|own| own.settle_seconds);
    said.or_else(|| needed().map(Duration::from_secs)).unwrap_or(LONGEST_SETTLE)
}

/// The longest of these times.
fn longest(project: &Project, sandbox: bool) -> Duration {
    let names = project.config.connections.iter().map(|lines| &*lines.name.value);
    let longest = names.map(|name| settle(project, name, sandbox)).max();
    longest.unwrap_or(if sandbox { SANDBOX_SETTLE } else { LONGEST_SETTLE })
}

/// Address and name (`sandbox-8080-…`) of a sandbox that runs.
async fn reach(url: &str) -> Result<(String, String), Stop> {
    let parsed = reqwest::Url::parse(url).ok().filter(|url| url.scheme() == "http" && url.host_str().is_some());
    let parsed = parsed
        .ok_or_else(|| Stop::Usage(format!("`{url}` is no address of a sandbox: --sandbox=http://127.0.0.1:8080")))?;
    let url = parsed.as_str().trim_end_matches('/').to_owned();
    let facts = get(&format!("{url}/_control")).await?;
    let id: String = facts.get("id").and_then(Value::as_str).unwrap_or("").to_owned();
    let id: String = id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(60).collect();
    let port = parsed.port_or_known_default().unwrap_or(80);
    Ok((url, format!("sandbox-{port}-{id}")))
}

/// What a sandbox answers.
async fn get(url: &str) -> Result<Value, Stop> {
    // Another room may have chosen the provider already; it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = async {
        let client = reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_secs(10)).build()?;
        client.get(url).send().await?.error_for_status()?.json::<Value>().await
    };
    answer.await.map_err(|error| {
        let why = if error.is_connect() { "nothing answers there".to_owned() } else { error.without_url().to_string() };
        Stop::Setup(format!("{url} is no running sandbox: {why}\n      start one:  koppel sandbox --port 8080"))
    })
}

/// A folder that goes with the run.
pub(super) struct Temporary(PathBuf);

impl Temporary {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn new() -> Result<Self, Stop> {
        let folder = std::env::temp_dir().join(format!("koppel-{}", uuid::Uuid::new_v4()));
        let made = std::fs::create_dir_all(&folder);
        made.map_err(|error| Stop::Setup(format!("{} cannot be made: {error}", folder.display())))?;
        Ok(Self(folder))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What stays behind in the system's temporary folder holds no names and is cleared by the system.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

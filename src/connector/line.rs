//! The line to one system: HTTP with log-in, retries of reads and the meaning of every answer.
//!
//! Takes addresses and bodies, gives JSON or a classified failure. Promises that only reads are sent again, that a
//! write is sent at most once per call, and that what it says of a write holds: not arrived, refused, or unclear.

use std::{
    fmt::{self, Display},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use reqwest::{Method, Url, header::AUTHORIZATION};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Answered, Connection, ConnectorError,
    address::address,
    answer::{Unreadable, json},
    faults::{Fault, clean},
    http::{Counted, Http, Loss, Reply, Within, is_local},
    login::{Login, Pass},
    manifest::{Class, Manifest},
};

/// No list has more pages: ten million records of Jortt.
const LAST_PAGE: usize = 100_000;
/// Somebody else's lock on a record may be gone after this.
const UNLOCKED: Duration = Duration::from_secs(5);
/// When to come back after a 429 or 503 that names no time.
const BUSY: Duration = Duration::from_secs(5);

/// The line to one system.
pub(super) struct Line {
    /// What the system is like.
    pub(super) manifest: Manifest,
    /// Its name in `koppel.toml`.
    pub(super) name: Arc<str>,
    /// From no open socket until a write can no longer take effect.
    pub(super) settle: Duration,
    /// From the end of a write until reads show it; a part of the time above.
    pub(super) read_lag: Duration,
    base: String,
    http: Http,
    login: Login,
}

/// Why a read gave nothing.
#[derive(Debug)]
pub(super) enum ReadFailure {
    /// There is no such record.
    Gone,
    /// Too many rows at once.
    TooMuch(ConnectorError),
    /// Anything else.
    Error(ConnectorError),
}

impl From<ReadFailure> for ConnectorError {
    fn from(failure: ReadFailure) -> Self {
        match failure {
            ReadFailure::Gone => Self::Refused("there is no such record".to_owned()),
            ReadFailure::TooMuch(error) | ReadFailure::Error(error) => error,
        }
    }
}

/// What came of one try of a read.
enum Tried<T> {
    Done(T),
    Failed(ReadFailure),
    /// May be tried again, after at least this long.
    Again(ConnectorError, Option<Duration>),
}

impl Line {
    /// Opens the line; nothing is sent yet.
    pub(super) fn new(manifest: Manifest, connection: &Connection) -> Result<Self, ConnectorError> {
        let setup = |text: String| ConnectorError::Setup(format!("connection {}: {text}", connection.name));
        let base = match &connection.base {
            Some(base) => base.trim_end_matches('/').to_owned(),
            None if manifest.base.contains("{participant}") => {
                let number = connection.participant.as_deref().unwrap_or("").trim();
                if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    return Err(setup(
                        "it needs `participant = \"12345\"`, the digits of your AFAS address".to_owned(),
                    ));
                }
                manifest.base.replace("{participant}", number)
            }
            None => manifest.base.clone(),
        };
        let base_url = address(&base).map_err(|text| setup(format!("`base`: {text}")))?;
        if base_url.query().is_some() || base_url.fragment().is_some() {
            return Err(setup("`base` is an address without `?` or `#`".to_owned()));
        }
        let form = match &connection.login {
            Some(login) => login.trim_end_matches('/').to_owned(),
            None if is_local(&base_url) => manifest.login.local.replace("{base}", &base),
            None => manifest.login.address.replace("{base}", &base),
        };
        let login_url = address(&format!("{form}/token")).map_err(|text| setup(format!("`login`: {text}")))?;
        let http = Http::new(&manifest, &base_url)?;
        let login = Login::new(&manifest, connection, login_url)?;
        let settle = connection.settle.unwrap_or(Duration::from_secs(manifest.settle_seconds));
        let read_lag = Duration::from_secs(manifest.read_lag_seconds).min(settle);
        Ok(Self { manifest, name: connection.name.clone(), settle, read_lag, base, http, login })
    }

    /// How many requests were sent, log-ins not counted.
    pub(super) fn requests(&self) -> u64 {
        self.http.requests()
    }

    /// The address of a path below the base; `query` is percent-encoded already.
    pub(super) fn url(&self, path: &str, query: &str) -> Result<Url, ConnectorError> {
        let mark = if query.is_empty() { "" } else { "?" };
        Url::parse(&format!("{}{path}{mark}{query}", self.base))
            .map_err(|error| self.unexpected(&format!("`{path}` makes no address: {error}")))
    }

    /// An answer that is not what the specification says.
    pub(super) fn unexpected(&self, text: &str) -> ConnectorError {
        ConnectorError::Unexpected(format!("connection {}: {}", self.name, clean(text)))
    }

    /// Rows of an entity that are not as the schema has them.
    pub(super) fn wrong_rows(&self, entity: &str, text: &str) -> ConnectorError {
        self.unexpected(&format!("{entity}, {text}"))
    }

    /// Is this page another one than the one before? A list that never ends would be read for ever.
    pub(super) fn moved_on(
        &self,
        before: &mut Option<u64>,
        page: usize,
        rows: &[impl Display],
    ) -> Result<(), ConnectorError> {
        let mut print = DefaultHasher::new();
        rows.len().hash(&mut print);
        for row in rows.first().into_iter().chain(rows.last()) {
            row.to_string().hash(&mut print);
        }
        let now = Some(print.finish()).filter(|_| !rows.is_empty());
        let again = now.is_some() && *before == now;
        *before = now;
        if again || page > LAST_PAGE {
            let how = if again { "gives the same page again" } else { "gives a list that does not end" };
            return Err(self.unexpected(&format!("{} {how}", self.manifest.title)));
        }
        Ok(())
    }

    /// Who is on the other side.
    pub(super) async fn identity(&self) -> Result<String, ConnectorError> {
        let spot = &self.manifest.identity;
        let json = self.read(&spot.path, "").await?;
        let title = &self.manifest.title;
        spot.at.text(&json).ok_or_else(|| self.unexpected(&format!("{title} does not say who it is ({})", spot.path)))
    }

    /// Reads JSON; tries again after faults and pauses. Dropped half-way, nothing is changed anywhere.
    pub(super) async fn read(&self, path: &str, query: &str) -> Result<Value, ReadFailure> {
        self.read_as(path, query).await
    }

    /// The same, of another form.
    pub(super) async fn read_as<T: DeserializeOwned>(&self, path: &str, query: &str) -> Result<T, ReadFailure> {
        let url = self.url(path, query).map_err(ReadFailure::Error)?;
        let retries = &self.manifest.retries;
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(retries.first_ms))
            .with_max_times(retries.times)
            .with_jitter()
            .build();
        let longest = Duration::from_secs(retries.longest_wait_seconds);
        let mut renewed = false;
        loop {
            let (error, after) = match self.try_read(&url, &mut renewed).await {
                Tried::Done(json) => return Ok(json),
                Tried::Failed(failure) => return Err(failure),
                Tried::Again(error, after) => (error, after),
            };
            let Some(pause) = pauses.next().filter(|_| after.is_none_or(|after| after <= longest)) else {
                return Err(ReadFailure::Error(error));
            };
            let pause = after.map_or(pause, |after| pause.max(after));
            if matches!(error, ConnectorError::Busy { .. }) {
                self.http.pause(pause);
            } else {
                tokio::time::sleep(pause).await;
            }
        }
    }

    async fn try_read<T: DeserializeOwned>(&self, url: &Url, renewed: &mut bool) -> Tried<T> {
        if let Some(busy) = self.busy() {
            return Tried::Failed(ReadFailure::Error(busy));
        }
        let pass = match self.login.pass(&self.http).await {
            Ok(pass) => pass,
            Err(error @ ConnectorError::Unreachable(_)) => return Tried::Again(error, None),
            Err(error) => return Tried::Failed(ReadFailure::Error(error)),
        };
        let title = &self.manifest.title;
        let request = self.http.request(Method::GET, url.clone(), Within::Read).header(AUTHORIZATION, pass.header);
        let reply = match self.http.send(request, Counted::Yes).await {
            Ok(reply) => reply,
            Err(Loss::TooLarge(_, text)) => {
                return Tried::Failed(ReadFailure::TooMuch(self.unexpected(&format!("{title}: {text}"))));
            }
            Err(loss) => {
                let text = format!("connection {}: {title} cannot be read: {loss}", self.name);
                return Tried::Again(ConnectorError::Unreachable(text), None);
            }
        };
        if (200..300).contains(&reply.status) {
            return match json(&reply.body) {
                Ok(json) => Tried::Done(json),
                Err(why @ Unreadable::TooMany) => {
                    Tried::Failed(ReadFailure::TooMuch(self.unexpected(&format!("{title} {why}"))))
                }
                Err(why @ Unreadable::NoJson) => Tried::Again(self.unexpected(&format!("{title} {why}")), None),
            };
        }
        if let Some(error) = self.redirected(&reply) {
            return Tried::Failed(ReadFailure::Error(error));
        }
        let fault = Fault::read(&self.manifest, reply.status, reply.after, &reply.body);
        match fault.class {
            Class::Expired if !*renewed && self.login.expired(pass.number).await => {
                *renewed = true;
                Tried::Again(ConnectorError::Unreachable(self.told(&fault)), Some(Duration::ZERO))
            }
            Class::Setup | Class::Expired => Tried::Failed(ReadFailure::Error(self.setup(&fault))),
            Class::Record | Class::NotBegun => {
                Tried::Failed(ReadFailure::Error(ConnectorError::Refused(self.told(&fault))))
            }
            Class::Gone => Tried::Failed(ReadFailure::Gone),
            Class::TooMuch => Tried::Failed(ReadFailure::TooMuch(ConnectorError::Refused(self.told(&fault)))),
            Class::Busy => {
                if let Some(after) = fault.after {
                    self.http.pause(after);
                }
                let error = ConnectorError::Busy { after: fault.after.unwrap_or(BUSY), text: self.told(&fault) };
                Tried::Again(error, fault.after)
            }
            Class::Locked => Tried::Again(ConnectorError::Refused(self.told(&fault)), None),
            Class::Fault => Tried::Again(ConnectorError::Unreachable(self.told(&fault)), None),
        }
    }

    /// Sends one write, once: the JSON of a success (none = its body is not to be had), or what else came of it.
    /// Dropped half-way, nobody knows whether it happened.
    pub(super) async fn write(&self, method: &str, path: &str, body: &Value) -> Result<Option<Value>, Answered> {
        let url = self.url(path, "").map_err(Answered::NotArrived)?;
        let Ok(method) = Method::from_bytes(method.as_bytes()) else {
            return Err(Answered::NotArrived(ConnectorError::Setup(format!(
                "connector.toml: `{method}` is no method"
            ))));
        };
        if let Some(busy) = self.busy() {
            return Err(Answered::NotArrived(busy));
        }
        let pass = self.login.pass(&self.http).await.map_err(Answered::NotArrived)?;
        let request = self.http.request(method, url, Within::Write).header(AUTHORIZATION, &pass.header).json(body);
        match self.http.send(request, Counted::Yes).await {
            Ok(reply) if (200..300).contains(&reply.status) => Ok(json(&reply.body).ok()),
            Ok(reply) => Err(self.failed_write(&reply, &pass).await),
            Err(Loss::NotSent(text)) => Err(Answered::NotArrived(ConnectorError::Unreachable(format!(
                "connection {}: {} cannot be reached: {text}",
                self.name, self.manifest.title
            )))),
            Err(Loss::NoAnswer(text)) => Err(Answered::Unclear(text)),
            Err(Loss::NoBody(status, _) | Loss::TooLarge(status, _)) if (200..300).contains(&status) => Ok(None),
            Err(Loss::NoBody(status, _) | Loss::TooLarge(status, _)) => {
                let reply = Reply { status, location: None, after: None, body: Vec::new() };
                Err(self.failed_write(&reply, &pass).await)
            }
        }
    }

    async fn failed_write(&self, reply: &Reply, pass: &Pass) -> Answered {
        if let Some(error) = self.redirected(reply) {
            // Whether anything was done before the redirect is not known.
            return Answered::Unclear(error.to_string());
        }
        let fault = Fault::read(&self.manifest, reply.status, reply.after, &reply.body);
        match fault.class {
            // Never straight to a second sending: the way back leads through the ledger.
            Class::Expired if self.login.expired(pass.number).await => {
                Answered::NotArrived(ConnectorError::Busy { after: Duration::ZERO, text: self.told(&fault) })
            }
            Class::Setup | Class::Expired => Answered::NotArrived(self.setup(&fault)),
            Class::Busy => {
                let after = fault.after.unwrap_or(BUSY);
                self.http.pause(after);
                Answered::NotArrived(ConnectorError::Busy { after, text: self.told(&fault) })
            }
            Class::Locked => Answered::NotArrived(ConnectorError::Locked { after: UNLOCKED, text: fault.text }),
            Class::NotBegun => Answered::NotArrived(ConnectorError::Refused(self.told(&fault))),
            Class::Record | Class::Gone | Class::TooMuch => Answered::Refused(fault.text),
            Class::Fault => Answered::Unclear(fault.text),
        }
    }

    /// Paused for longer than anybody waits here.
    fn busy(&self) -> Option<ConnectorError> {
        self.http.long_pause().map(|after| ConnectorError::Busy {
            after,
            text: format!(
                "connection {}: {} asked to wait for another {} minutes",
                self.name,
                self.manifest.title,
                after.as_secs().div_ceil(60)
            ),
        })
    }

    fn redirected(&self, reply: &Reply) -> Option<ConnectorError> {
        (300..400).contains(&reply.status).then(|| {
            let to = reply.location.as_deref().map(host_only).map(|host| format!(" to {host}")).unwrap_or_default();
            ConnectorError::Setup(format!(
                "connection {}: {} sends on{to} (HTTP {}), and koppel never follows: set `base` in koppel.toml to the \
                 right address",
                self.name, self.manifest.title, reply.status
            ))
        })
    }

    fn setup(&self, fault: &Fault) -> ConnectorError {
        ConnectorError::Setup(format!("{} refused connection {}: {}", self.manifest.title, self.name, fault.text))
    }

    fn told(&self, fault: &Fault) -> String {
        format!("connection {}: {}", self.name, fault.text)
    }
}

/// A redirect's address may hold anything; its host is enough.
fn host_only(location: &str) -> String {
    Url::parse(location)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| "another path".to_owned())
}

impl Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(text) | Self::NoAnswer(text) | Self::NoBody(_, text) | Self::TooLarge(_, text) => {
                f.write_str(text)
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! HTTP itself: one client per connection with its time-outs, limits and pauses; no retries.
//!
//! Takes a finished request, gives status and body, or how it was lost. Promises that a request is sent at most once,
//! that no redirect is followed, that a body never grows without bound, and that errors tell whether anything can
//! have reached the other side. Errors never hold an address: its query may hold personal values.

use std::{
    error::Error as _,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::{
    Client, Method, Url,
    header::{HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
    redirect::Policy,
};
use tokio::{sync::Semaphore, time::Instant};

use super::{ConnectorError, faults::clean, manifest::Manifest};
use crate::clock;

const CONNECT: Duration = Duration::from_secs(10);
/// Shorter than servers keep an idle connection, so that a write seldom meets one that is being closed.
const IDLE: Duration = Duration::from_secs(15);
/// A token has some thousand; what it is sent in has to fit into the head of a request.
const LOG_IN_BYTES: usize = 50_000;
const PROBE: Duration = Duration::from_secs(30);

/// The client of one connection.
pub(super) struct Http {
    client: Client,
    slots: Semaphore,
    rate: Option<DefaultDirectRateLimiter>,
    paused: Mutex<Option<Instant>>,
    longest_wait: Duration,
    answer_bytes: usize,
    read: Duration,
    write: Duration,
    requests: AtomicU64,
}

/// How long a request may take, from its first byte to the last one of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// As long as a read may.
    Read,
    /// As long as a write may.
    Write,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Where a redirect points to.
    pub(super) location: Option<String>,
    /// `Retry-After`.
    pub(super) after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// How a request came to nothing.
#[derive(Debug)]
pub(super) enum Loss {
    /// Nothing of it can have arrived: no name, no connection, no TLS.
    NotSent(String),
    /// It may have arrived; there is no answer.
    NoAnswer(String),
    /// It was answered with this status, and the body was lost.
    NoBody(u16, String),
    /// It was answered with this status, and the body is larger than is taken.
    TooLarge(u16, String),
}

/// Takes its calls and leaves them out of the count and the limits, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// A call on the API.
    Yes,
    /// A log-in.
    No,
}

impl Http {
    /// A client for this base address.
    pub(super) fn new(manifest: &Manifest, base: &Url) -> Result<Self, ConnectorError> {
        static PROVIDER: Once = Once::new();
        // Another part of the process may have chosen a provider already; any will do.
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let mut headers = HeaderMap::new();
        for (name, value) in &manifest.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| wrong_header(name))?;
            headers
                .insert(name.clone(), HeaderValue::try_from(value.as_str()).map_err(|_| wrong_header(name.as_str()))?);
        }
        let mut builder = Client::builder()
            .user_agent(concat!("koppel/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(CONNECT)
            .tcp_keepalive(PROBE)
            .pool_idle_timeout(IDLE)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .gzip(true);
        if is_local(base) {
            // No proxy for this machine, and no certificates either: it is plain http or it fails.
            builder = builder.no_proxy();
            if base.scheme() == "http" {
                builder = builder.tls_certs_only([]);
            }
        }
        let client = builder.build().map_err(|error| {
            ConnectorError::Setup(format!("no secure connections on this machine: {}", innermost(&error)))
        })?;
        let rate = manifest.limits.requests_per_second.and_then(NonZeroU32::new).and_then(|each_second| {
            // One at a time at an even pace: a burst at the start of a second would meet the rest of that second.
            let quota = Quota::with_period(Duration::from_secs(1) / each_second.get())?.allow_burst(NonZeroU32::MIN);
            Some(RateLimiter::direct(quota))
        });
        Ok(Self {
            client,
            slots: Semaphore::new(manifest.limits.parallel.max(1)),
            rate,
            paused: Mutex::new(None),
            longest_wait: Duration::from_secs(manifest.retries.longest_wait_seconds),
            answer_bytes: manifest.limits.answer_bytes,
            read: Duration::from_secs(manifest.limits.read_seconds),
            write: Duration::from_secs(manifest.limits.write_seconds),
            requests: AtomicU64::new(0),
        })
    }

    /// A request to be filled in.
    pub(super) fn request(&self, method: Method, url: Url, within: Within) -> reqwest::RequestBuilder {
        let within = match within {
            Within::Read => self.read,
            Within::Write => self.write,
        };
        self.client.request(method, url).timeout(within)
    }

    /// How many counted requests were sent.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// No request of this connection leaves before this time has passed.
    pub(super) fn pause(&self, time: Duration) {
        let Some(until) = Instant::now().checked_add(time) else { return };
        let mut paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        *paused = Some(paused.map_or(until, |old| old.max(until)));
    }

    /// Waits for a slot, the end of a pause and the rate, then sends once. Dropped half-way, the request may have been
    /// sent: what that means is the caller's to say.
    pub(super) async fn send(&self, request: reqwest::RequestBuilder, counted: Counted) -> Result<Reply, Loss> {
        let most = match counted {
            Counted::Yes => self.answer_bytes,
            Counted::No => LOG_IN_BYTES.min(self.answer_bytes),
        };
        let _slot = match counted {
            Counted::Yes => {
                let slot =
                    self.slots.acquire().await.map_err(|_| Loss::NotSent("the connection is closed".to_owned()))?;
                self.admitted()
                    .await
                    .map_err(|left| Loss::NotSent(format!("paused for another {} s", left.as_secs())))?;
                self.requests.fetch_add(1, Ordering::Relaxed);
                Some(slot)
            }
            Counted::No => None,
        };
        let mut response = request.send().await.map_err(|error| {
            if error.is_connect() || error.is_builder() {
                Loss::NotSent(innermost(&error))
            } else {
                Loss::NoAnswer(innermost(&error))
            }
        })?;
        let status = response.status().as_u16();
        let header = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok()).map(clean);
        let location = header(LOCATION);
        let after = header(RETRY_AFTER).as_deref().and_then(retry_after);
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => return Ok(Reply { status, location, after, body }),
                Ok(Some(piece)) if body.len().saturating_add(piece.len()) > most => {
                    let text = format!("the answer is larger than {most} bytes");
                    return Err(Loss::TooLarge(status, text));
                }
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Err(error) => return Err(Loss::NoBody(status, innermost(&error))),
            }
        }
    }

    /// How long the pause lasts that is longer than anybody waits here.
    pub(super) fn long_pause(&self) -> Option<Duration> {
        self.left().filter(|left| *left > self.longest_wait)
    }

    fn left(&self) -> Option<Duration> {
        let until = (*self.paused.lock().unwrap_or_else(PoisonError::into_inner))?;
        until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// Waits until a request may leave; the time that is left when that is too long to wait.
    async fn admitted(&self) -> Result<(), Duration> {
        loop {
            while let Some(left) = self.left() {
                if left > self.longest_wait {
                    return Err(left);
                }
                tokio::time::sleep(left).await;
            }
            if let Some(rate) = &self.rate {
                rate.until_ready().await;
            }
            // A pause may have begun meanwhile.
            if self.left().is_none() {
                return Ok(());
            }
        }
    }
}

fn wrong_header(name: &str) -> ConnectorError {
    ConnectorError::Setup(format!("connector.toml: `{name}` cannot be a header"))
}

/// Is this address on this machine?
pub(super) fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or("").trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The deepest cause: "Connection refused (os error 111)" and not the three layers around it.
fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = match error.source() {
        Some(source) => source,
        None => return "the request could not be made".to_owned(),
    };
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    clean(&cause.to_string())
}

/// Seconds, or a date.
fn retry_after(header: &str) -> Option<Duration> {
    if let Ok(seconds) = header.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTimeParser::new().parse_timestamp(header.trim()).ok()?;
    let seconds = at.as_second().saturating_sub(clock::now().as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("120"), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(retry_after("soon"), None);
    }

    #[test]
    fn only_this_machine_is_local() {
        for local in ["http://127.0.0.1:80/x", "http://localhost/", "http://[::1]:9/", "http://127.9.9.9"] {
            assert!(is_local(&Url::parse(local).unwrap()), "{local}");
        }
        for other in ["http://10.0.0.1", "http://localhost.example", "https://api.jortt.nl", "http://127.0.0.1.example"]
        {
            assert!(!is_local(&Url::parse(other).unwrap()), "{other}");
        }
    }
}

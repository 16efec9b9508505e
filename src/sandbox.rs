//! A Jortt and an AFAS Profit on this machine, over real HTTP, that behave as the vendors document and as users report.
//!
//! Takes `Options` and gives a running `Sandbox` on one loopback port:
//! `/jortt` is the Jortt API with `/jortt/oauth-provider/oauth/token`, `/afas/ProfitRestServices` is AFAS, and
//! `/_control` tells what was created (`effects`) with which bodies (`written`) and how often each path was called
//! (`calls`), makes calls fail on purpose (`faults`) and adds `records`.
//! It promises: the same seed gives the same data, nothing outlives the process, no payload is logged, and bodies are
//! judged by the vendors' own files and not by our schemas, so that a mistake in an import shows.
//!
//! Log-in: Jortt takes every client id with every secret but the word `wrong`. AFAS takes every well-formed token but
//! one of zeros, and every OAuth client but one with the secret `wrong`.

mod afas;
mod calls;
mod clock;
mod connection;
mod control;
mod effects;
mod fault;
mod jortt;
mod json;
mod limits;
mod message;
mod seed;
mod server;
mod totals;
mod written;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use base64::Engine as _;

/// What a sandbox is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// The loopback port; 0 takes a free one.
    pub port: u16,
    /// How many invoices Jortt starts with.
    pub size: usize,
    /// How many customers; none = one for every ten invoices, and one more.
    pub customers: Option<usize>,
    /// Every customer is a debtor in AFAS already, and not two of five.
    pub known: bool,
    /// The same seed gives the same data.
    pub seed: u64,
    /// Adds the hard cases: what is held, skipped or refused.
    pub awkward: bool,
    /// Refuses too many calls in a second (Jortt) or at once (AFAS).
    pub limits: bool,
    /// From Jortt's answer that an invoice will be sent until it is.
    pub sending: Duration,
    /// How far away the systems are.
    pub latency: Latency,
}

/// How long every call to a system takes, besides its work.
#[derive(Debug, Clone, Copy, Default)]
pub struct Latency {
    /// To Jortt.
    pub jortt: Duration,
    /// To AFAS.
    pub afas: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            size: 40,
            customers: None,
            known: false,
            seed: 1,
            awkward: false,
            limits: true,
            sending: Duration::from_millis(300),
            latency: Latency::default(),
        }
    }
}

/// Names and secrets that a sandbox accepts; it accepts nearly all others too.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// A Jortt client id.
    pub jortt_client_id: String,
    /// Its secret.
    pub jortt_client_secret: String,
    /// A classic AFAS token: the base64 text after `AfasToken`.
    pub afas_token: String,
    /// An AFAS OAuth client id.
    pub afas_client_id: String,
    /// Its secret.
    pub afas_client_secret: String,
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The port is taken or not allowed.
    #[error("the sandbox cannot listen on 127.0.0.1:{port}: {source}; choose another port, or 0 for any free one")]
    Port {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A running sandbox; dropping it stops it.
#[derive(Debug)]
pub struct Sandbox {
    /// Where it listens.
    pub address: SocketAddr,
    id: String,
    running: tokio::task::JoinHandle<()>,
    stopped: connection::Stopped,
}

/// Starts a sandbox; it is ready when this returns.
pub async fn start(options: Options) -> Result<Sandbox, SandboxError> {
    let port = options.port;
    let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|source| SandboxError::Port { port, source })?;
    let address = listener.local_addr().map_err(|source| SandboxError::Port { port, source })?;
    let house = Arc::new(server::House::new(&options, &format!("http://{address}")));
    let id = house.id.clone();
    let stopped = connection::Stopped::default();
    let lines = connection::Lines { listener, stopped: stopped.clone() };
    let running = tokio::spawn(server::serve(lines, house));
    Ok(Sandbox { address, id, running, stopped })
}

impl Sandbox {
    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base address of the Jortt API.
    pub fn jortt_url(&self) -> String {
        format!("http://{}/jortt", self.address)
    }

    /// The base address of the Jortt log-in; the token endpoint is `/token` below it.
    pub fn jortt_login_url(&self) -> String {
        format!("http://{}/jortt/oauth-provider/oauth", self.address)
    }

    /// The base address of AFAS.
    pub fn afas_url(&self) -> String {
        format!("http://{}/afas/ProfitRestServices", self.address)
    }

    /// Differs for each start: AFAS shows it as `envid`, Jortt as the id of the organisation.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Names and secrets that it accepts.
    pub fn credentials(&self) -> Credentials {
        let token = format!("<token><version>1</version><data>{}</data></token>", "5A".repeat(32));
        Credentials {
            jortt_client_id: "sandbox".to_owned(),
            jortt_client_secret: "sandbox".to_owned(),
            afas_token: base64::engine::general_purpose::STANDARD.encode(token),
            afas_client_id: "sandbox".to_owned(),
            afas_client_secret: "sandbox".to_owned(),
        }
    }

    /// Stops listening and closes what is open.
    pub async fn stop(mut self) {
        self.stopped.set();
        self.running.abort();
        // An aborted task answers with "cancelled": that is what was asked for.
        let _ = (&mut self.running).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stopped.set();
        self.running.abort();
    }
}

//! A small server that answers as it is told, for the tests of this room.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{Response, StatusCode},
};
use secrecy::SecretString;
use tokio::net::TcpListener;

use super::{Connection, Credentials, Manifest, line::Line};

/// The secret of every connection here.
pub(super) const SECRET: &str = "very-secret-indeed";

/// Status, headers, body.
pub(super) type Answer = (u16, Vec<(&'static str, String)>, String);

/// An answer without headers.
pub(super) fn answer(status: u16, body: &str) -> Answer {
    (status, Vec::new(), body.to_owned())
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// `GET /jortt/v1/labels?page=1`.
    pub(super) line: String,
    /// The `Authorization` header.
    pub(super) login: String,
    /// The body.
    pub(super) body: String,
}

/// Answers every request with what it is told, and log-ins with a token.
pub(super) struct Served {
    /// The base address.
    pub(super) base: String,
    tokens: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Served {
    /// Starts one; `respond` gets the number of the request, from 0, and the request.
    pub(super) async fn new(respond: impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static) -> Self {
        let (tokens, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (own_tokens, own_seen, respond) = (tokens.clone(), seen.clone(), Arc::new(respond));
        let app = Router::new().fallback(move |request: Request| {
            let (tokens, seen, respond) = (own_tokens.clone(), own_seen.clone(), respond.clone());
            async move {
                let (status, headers, body) = if request.uri().path().ends_with("/token") {
                    let number = tokens.fetch_add(1, Ordering::SeqCst);
                    answer(200, &format!(r#"{{"access_token":"t{number}","token_type":"Bearer","expires_in":7200}}"#))
                } else {
                    let login = request.headers().get("authorization").and_then(|value| value.to_str().ok());
                    let login = login.unwrap_or_default().to_owned();
                    let line = format!("{} {}", request.method(), request.uri());
                    let body = to_bytes(request.into_body(), 1_000_000).await.unwrap();
                    let own = Seen { line, login, body: String::from_utf8_lossy(&body).into_owned() };
                    let mut seen = seen.lock().unwrap();
                    let number = seen.len();
                    seen.push(own.clone());
                    drop(seen);
                    respond(number, &own)
                };
                let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                response.body(Body::from(body)).unwrap()
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/base", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { base, tokens, seen }
    }

    /// How many requests came in, log-ins not counted.
    pub(super) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// How many log-ins.
    pub(super) fn tokens(&self) -> usize {
        self.tokens.load(Ordering::SeqCst)
    }

    /// The requests.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Their first lines, without the base.
    pub(super) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(|seen| seen.line.replacen("/base", "", 1)).collect()
    }
}

/// A connection with client credentials.
pub(super) fn connection(system: &str, base: &str) -> Connection {
    Connection {
        name: "books".into(),
        system: system.into(),
        base: Some(base.into()),
        login: None,
        participant: None,
        credentials: Credentials::Client { id: SecretString::from("id"), secret: SecretString::from(SECRET) },
        uses: None,
        settle: None,
    }
}

/// A line that does not wait, with its manifest changed.
pub(super) fn line_of(system: &str, base: &str, change: impl Fn(&mut Manifest)) -> Line {
    let mut manifest = Manifest::standard(system).unwrap();
    manifest.retries.first_ms = 1;
    manifest.limits.requests_per_second = None;
    change(&mut manifest);
    Line::new(manifest, &connection(system, base)).unwrap()
}

//! The HTTP side: one port, one handler, three houses behind it.
//!
//! Takes connections and gives each call to Jortt, AFAS or the control paths; limits and faults come in between.
//! Nothing is logged.

use std::{sync::Arc, time::Duration};

use super::{
    Latency, Options,
    afas::Afas,
    calls::Calls,
    connection::{Line, Lines},
    control,
    fault::{Faults, Kind, System},
    jortt::{self, Jortt},
    limits::{AtOnce, PerSecond},
    message::{Call, Content, Reply},
    seed,
    written::Written,
};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};

/// AFAS takes no more in one call.
const LARGEST_BODY: usize = 75 * 1024 * 1024;

/// All that a sandbox holds.
pub(super) struct House {
    pub(super) id: String,
    pub(super) jortt: Jortt,
    pub(super) afas: Afas,
    pub(super) faults: Faults,
    pub(super) written: Written,
    pub(super) calls: Calls,
    latency: Latency,
    per_second: Option<PerSecond>,
    at_once: Option<AtOnce>,
}

impl House {
    /// A house with its seeded data.
    pub(super) fn new(options: &Options, url: &str) -> Self {
        let id = uuid::Uuid::new_v4().to_string();
        let mut seeded = seed::data(options, &id);
        seeded.books.sending = options.sending;
        Self {
            jortt: Jortt::new(seeded.books, format!("{url}/jortt")),
            afas: Afas::new(seeded.profit, &id),
            faults: Faults::default(),
            written: Written::default(),
            calls: Calls::default(),
            latency: options.latency,
            per_second: options.limits.then(|| PerSecond::new(10)),
            at_once: options.limits.then(|| AtOnce::new(8)),
            id,
        }
    }

    async fn jortt(self: &Arc<Self>, call: Call, line: &Line) -> Reply {
        self.calls.note(System::Jortt, &call);
        let free = jortt::is_login(&call);
        if !free && self.per_second.as_ref().is_some_and(|limit| !limit.allows()) {
            return jortt::throttled();
        }
        pause(self.latency.jortt).await;
        self.with_faults(System::Jortt, call, line).await
    }

    async fn afas(self: &Arc<Self>, call: Call, line: &Line) -> Reply {
        self.calls.note(System::Afas, &call);
        let under_way = self.at_once.as_ref().map(AtOnce::enter);
        if let Some(None) = under_way {
            return super::afas::unavailable(1);
        }
        pause(self.latency.afas).await;
        self.with_faults(System::Afas, call, line).await
    }

    fn work(&self, system: System, call: &Call) -> Reply {
        let reply = match system {
            System::Jortt => self.jortt.answer(call),
            System::Afas => self.afas.answer(call),
        };
        self.written.note(system, call, &reply);
        reply
    }

    /// Does the work of a call, or what a waiting fault makes of it.
    async fn with_faults(self: &Arc<Self>, system: System, call: Call, line: &Line) -> Reply {
        let Some(fault) = self.faults.take(system, &call) else { return self.work(system, &call) };
        if fault.kind == Kind::RunsOn {
            line.cut();
            let house = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep(fault.before().unwrap_or_default()).await;
                house.work(system, &call);
            });
            return Reply::empty(500);
        }
        if let Some(pause) = fault.before() {
            tokio::time::sleep(pause).await;
        }
        if fault.kind == Kind::Reset {
            line.cut();
            return Reply::empty(500);
        }
        if !fault.records.is_null() {
            // They were judged when the fault was added.
            let _ = control::put(self, &fault.records);
        }
        if fault.kind == Kind::DoneBefore || fault.done {
            self.work(system, &call);
        }
        if let Some(reply) = fault.reply() {
            return reply;
        }
        let reply = self.work(system, &call);
        if fault.kind == Kind::LostAnswer {
            line.cut();
        }
        if let Some(pause) = fault.after() {
            tokio::time::sleep(pause).await;
        }
        fault.sent(reply)
    }
}

/// Even the shortest sleep takes a millisecond.
async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// Serves until the task is aborted.
pub(super) async fn serve(lines: Lines, house: Arc<House>) {
    let router = Router::new().fallback(answer).with_state(house);
    // Its only failure is the end of the listener, and that is the end of the sandbox.
    let _ = axum::serve(lines, router.into_make_service_with_connect_info::<Line>()).await;
}

async fn answer(State(house): State<Arc<House>>, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut path: Vec<String> = parts
        .uri
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return respond(Reply::empty(413));
    };
    let system = if path.is_empty() { String::new() } else { path.remove(0).to_lowercase() };
    let call = Call {
        method: parts.method.as_str().to_owned(),
        path,
        query: parts.uri.query().unwrap_or("").to_owned(),
        headers: parts.headers,
        body: body.into(),
    };
    // A task of its own: as at the vendors, what has begun goes on when its caller hangs up.
    let work = tokio::spawn(async move {
        match system.as_str() {
            "jortt" => house.jortt(call, &line).await,
            "afas" => house.afas(call, &line).await,
            "_control" => control::answer(&house, &call),
            _ => Reply::text(
                404,
                "text/plain; charset=utf-8",
                "The sandbox has /jortt, /afas/ProfitRestServices and /_control.\n",
            ),
        }
    });
    respond(work.await.unwrap_or_else(|_| Reply::empty(500)))
}

fn respond(reply: Reply) -> Response {
    let (kind, bytes) = match reply.content {
        Content::Empty => (None, Vec::new()),
        Content::Json(value) => (Some("application/json; charset=utf-8"), value.to_string().into_bytes()),
        Content::Text(kind, text) => (Some(kind), text.into_bytes()),
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(kind) = kind {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

//! A Jortt: its API below `/jortt`, its log-in below `/jortt/oauth-provider/oauth`.
//!
//! Takes calls and gives Jortt's envelope: `data` or `error`. The state is in memory behind one lock.

mod account;
mod books;
mod check;
mod customer;
mod draft;
mod estimate;
mod invoice;
mod list;
mod login;
mod records;
mod version_one;

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

pub(super) use books::Books;
pub(super) use customer::{EU, made as made_customer};
pub(super) use invoice::{blank as blank_invoice, credit_note, reckon, snapshot};
pub(super) use records::check as check_records;

use super::{
    effects::By,
    json::Fields,
    message::{Call, Content, Reply},
};

/// Jortt's state with what is needed to answer.
pub(super) struct Jortt {
    books: Mutex<Books>,
    logins: login::Logins,
    /// The address that links in answers begin with.
    url: String,
}

/// One detail of a refusal: which parameter, what about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Detail {
    key: &'static str,
    param: String,
    message: String,
}

impl Detail {
    fn missing(param: impl Into<String>) -> Self {
        Self { key: "is_missing", param: param.into(), message: "is missing".to_owned() }
    }

    fn invalid(param: impl Into<String>) -> Self {
        Self { key: "is_invalid", param: param.into(), message: "is invalid".to_owned() }
    }
}

/// Jortt's error envelope.
pub(super) fn trouble(status: u16, key: &str, message: &str) -> Reply {
    with_details(status, key, message, &[])
}

fn with_details(status: u16, key: &str, message: &str, details: &[Detail]) -> Reply {
    let details: Vec<Value> = details
        .iter()
        .map(|detail| json!({"key": detail.key, "param": detail.param, "message": detail.message}))
        .collect();
    Reply::json(status, json!({"error": {"code": status, "key": key, "message": message, "details": details}}))
}

/// The 429 of too many calls in a second; it says nothing of when to try again.
pub(super) fn throttled() -> Reply {
    trouble(429, "request.throttled", "The request was throttled, too many requests were made")
}

fn invalid(details: &[Detail]) -> Reply {
    with_details(422, "params.invalid", "The parameters are invalid", details)
}

/// Who refused a body, and in which words.
fn refused(reply: &Reply) -> (By, String) {
    let Content::Json(body) = &reply.content else { return (By::Books, String::new()) };
    let part = |name: &str| body.pointer(&format!("/error/{name}")).and_then(Value::as_str).unwrap_or("");
    let by = if part("key").starts_with("params.") { By::Schema } else { By::Books };
    let details = body.pointer("/error/details").and_then(Value::as_array);
    let named = details.into_iter().flatten().filter_map(|detail| detail.get("param").and_then(Value::as_str));
    (by, named.fold(part("message").to_owned(), |words, param| format!("{words}, {param}")))
}

fn not_possible(message: &str) -> Reply {
    trouble(422, "operation.invalid", message)
}

fn not_found() -> Reply {
    trouble(404, "resource.not_found", "The resource was not found")
}

fn no_endpoint() -> Reply {
    trouble(404, "endpoint.not_found", "The endpoint was not found")
}

fn created(id: &str) -> Reply {
    Reply::json(201, json!({"data": {"id": id}}))
}

fn data(value: impl Into<Value>) -> Reply {
    Reply::json(200, json!({"data": value.into()}))
}

/// Is this the log-in? It does not count as a call of the API.
pub(super) fn is_login(call: &Call) -> bool {
    call.path.first().is_some_and(|part| part == "oauth-provider")
}

/// What is done with the books; both sides are answers.
type Work<'a> = Box<dyn FnOnce(&mut Books) -> Result<Reply, Reply> + 'a>;

/// What a route needs and does.
struct Route<'a> {
    scope: &'static str,
    work: Work<'a>,
}

impl Jortt {
    pub(super) fn new(books: Books, url: String) -> Self {
        Self { books: Mutex::new(books), logins: login::Logins::default(), url }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was created over the API.
    pub(super) fn effects(&self) -> Value {
        self.books().effects.shown()
    }

    /// Adds or changes records that were checked.
    pub(super) fn put_records(&self, lists: Fields) {
        records::put(&mut self.books(), lists);
    }

    /// Answers one call.
    pub(super) fn answer(&self, call: &Call) -> Reply {
        if is_login(call) {
            return self.logins.answer(call);
        }
        let segments = call.segments();
        let (version, rest) = match segments.split_first() {
            Some((version @ (&"v1" | &"v2" | &"v3"), rest)) => (*version, rest),
            _ => ("v1", segments.as_slice()),
        };
        let route = match self.route(version, rest, call) {
            Ok(route) => route,
            Err(reply) => return reply,
        };
        if let Err(reply) = self.logins.allows(call, route.scope) {
            return reply;
        }
        let mut books = self.books();
        books.send_scheduled();
        let reply = (route.work)(&mut books).unwrap_or_else(|reply| reply);
        if call.method != "GET" && reply.status == 422 {
            let (by, message) = refused(&reply);
            books.effects.refused(rest.first().copied().unwrap_or(""), by, &message);
        }
        reply
    }

    /// The route of a call, or the 404 or 405 that takes its place.
    fn route<'a>(&'a self, version: &str, rest: &[&'a str], call: &'a Call) -> Result<Route<'a>, Reply> {
        let old = version == "v1";
        let url = &self.url;
        macro_rules! route {
            ($scope:literal, $work:expr) => {
                Ok(Route { scope: $scope, work: Box::new($work) })
            };
        }
        let method = call.method.as_str();
        let wrong_method = || trouble(405, "resource.method_not_allowed", "The method is not allowed");
        match (version, rest) {
            ("v1" | "v2" | "v3", ["invoices"]) => match (version, method) {
                ("v1" | "v2", "GET") => route!("invoices:read", move |books| invoice::list(books, call, url, old)),
                ("v3", "POST") => route!("invoices:write", |books| draft::create(books, call, "CreateInvoiceV3")),
                ("v2", "POST") => route!("invoices:write", |books| draft::create(books, call, "CreateInvoiceV2")),
                ("v1", "POST") => route!("invoices:write", |books| draft::create(books, call, "CreateInvoice")),
                ("v3", "GET") => Err(no_endpoint()),
                _ => Err(wrong_method()),
            },
            ("v1" | "v2", &["invoices", id]) => match (version, method) {
                (_, "GET") => route!("invoices:read", move |books| invoice::read(books, id, old)),
                (_, "PUT") => route!("invoices:write", move |books| draft::edit(books, id, call, old)),
                ("v1", "DELETE") => route!("invoices:write", move |books| draft::delete(books, id)),
                _ => Err(wrong_method()),
            },
            ("v1", &["invoices", id, action]) => match (action, method) {
                ("send", "POST") => route!("invoices:write", move |books| invoice::send(books, id, call)),
                ("credit", "POST") => route!("invoices:write", move |books| invoice::credit(books, id, call)),
                ("copy", "POST") => route!("invoices:write", move |books| invoice::copy(books, id)),
                ("set_labels", "PUT") => route!("invoices:write", move |books| invoice::label(books, id, call)),
                ("download", "GET") => route!("invoices:read", move |books| invoice::download(books, id, url)),
                ("next_possible_invoice_number", "GET") => {
                    route!("invoices:read", move |books| invoice::next_number(books, id))
                }
                ("send_settings", "GET") => route!("invoices:read", move |books| invoice::send_settings(books, id)),
                (
                    "send"
                    | "credit"
                    | "copy"
                    | "set_labels"
                    | "download"
                    | "next_possible_invoice_number"
                    | "send_settings",
                    _,
                ) => Err(wrong_method()),
                _ => Err(no_endpoint()),
            },
            ("v1", ["customers"]) => match method {
                "GET" => route!("customers:read", |books| customer::list(books, call, url)),
                "POST" => route!("customers:write", |books| customer::create(books, call)),
                _ => Err(wrong_method()),
            },
            ("v1", &["customers", id]) => match method {
                "GET" => route!("customers:read", move |books| customer::read(books, id, url)),
                "PUT" => route!("customers:write", move |books| customer::edit(books, id, call)),
                "DELETE" => route!("customers:write", move |books| customer::delete(books, id)),
                _ => Err(wrong_method()),
            },
            ("v1", &["customers", id, action]) => match (action, method) {
                ("set_archived", "PUT") => route!("customers:write", move |books| customer::archive(books, id, call)),
                ("extra_details", "GET") => route!("customers:read", move |books| customer::details(books, id)),
                ("vat-percentages", "GET") => route!("customers:read", move |books| customer::vat(books, id, true)),
                ("direct_debit_mandate", "POST") => {
                    route!("customers:write", move |books| customer::mandate(books, id))
                }
                ("set_archived" | "extra_details" | "vat-percentages" | "direct_debit_mandate", _) => {
                    Err(wrong_method())
                }
                _ => Err(no_endpoint()),
            },
            ("v2", &["customers", id, "vat-percentages"]) => match method {
                "GET" => route!("customers:read", move |books| customer::vat(books, id, false)),
                _ => Err(wrong_method()),
            },
            ("v2", ["estimates"]) => match method {
                "GET" => route!("estimates:read", |books| estimate::list(books, call, url)),
                _ => Err(wrong_method()),
            },
            ("v2", &["estimates", id]) => match method {
                "GET" => route!("estimates:read", move |books| estimate::read(books, id)),
                _ => Err(wrong_method()),
            },
            ("v1", ["labels"]) => match method {
                "GET" => route!("organizations:read", |books| Ok(account::labels(books))),
                "POST" => route!("organizations:write", |books| account::create_label(books, call)),
                _ => Err(wrong_method()),
            },
            ("v1", ["tradenames"]) => match method {
                "GET" => route!("organizations:read", |books| Ok(data(books.tradenames.clone()))),
                _ => Err(wrong_method()),
            },
            ("v1", ["organizations", "me"]) => match method {
                "GET" => route!("organizations:read", |books| Ok(data(books.organisation.clone()))),
                _ => Err(wrong_method()),
            },
            ("v1", ["ledger_accounts", "invoices"]) => match method {
                "GET" => route!("invoices:write", |books| Ok(data(books.ledger_accounts.clone()))),
                _ => Err(wrong_method()),
            },
            ("v1", ["ledger_accounts", "invoices", "default"]) => match method {
                "GET" => route!("invoices:write", |books| Ok(account::default_ledger_account(books))),
                _ => Err(wrong_method()),
            },
            _ => Err(no_endpoint()),
        }
    }
}

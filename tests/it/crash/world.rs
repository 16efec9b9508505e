//! One sandbox in which cells are tried one after another, each with a ledger and an invoice of its own.
//!
//! A record that was done before stands in every ledger, so that there is something that certainly exists.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use koppel::{
    ledger::{Status, status},
    sandbox::{self, Options, Sandbox},
};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::cell::{Cell, Change, WORD, WRITES, When, Write};
use crate::{cli::copy, sandbox::client};

const FLOW: &str = include_str!("cell.flow");

/// So long the target keeps a request, until the process that sent it is dead; in milliseconds.
const HELD: u64 = 150;
/// A process that has not ended by then hangs.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(3);

/// How a cell came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// Each effect once, the record is done.
    Done,
    /// The record waits for a person, with a reason.
    Held,
    /// The target's refusal, with its words.
    Failed,
    Lost,
    Doubled,
    /// Not tried: a point was not passed, the target did not do what it was to do, a process failed.
    Broken,
}

/// How a cell came out, and what there is to say about it.
pub(super) struct Tried {
    pub(super) came: Came,
    pub(super) text: String,
    /// Did the second process die at its point?
    pub(super) second: bool,
}

pub(super) struct World {
    handle: Handle,
    sandbox: Sandbox,
    http: reqwest::Client,
    /// What each ledger begins with.
    base: tempfile::TempDir,
    invoices: u32,
}

impl World {
    pub(super) fn new(handle: Handle) -> Self {
        let options = Options { size: 0, limits: false, ..Options::default() };
        let sandbox = handle.block_on(sandbox::start(options)).unwrap();
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("cell.flow"), FLOW).unwrap();
        fs::write(base.path().join("koppel.toml"), settle(200)).unwrap();
        let mut world = Self { handle, sandbox, http: client(), base, invoices: 0 };
        let (number, records) = world.invoice(None);
        world.control("records", &records);
        let ended = ended(world.koppel(world.base.path(), None)).unwrap();
        assert!(ended.status.success(), "{}", said(&ended));
        world.leave(&number);
        world
    }

    /// Tries a cell.
    pub(super) fn cell(&mut self, cell: &Cell) -> Tried {
        let (number, records) = self.invoice(None);
        let (another, more) = self.invoice(Some(&number));
        let mut second = false;
        let came = self.came(cell, &number, [&records, &more], &mut second);
        self.leave(&number);
        if cell.change == Change::Another {
            self.leave(&another);
        }
        let (came, text) = came.unwrap_or_else(|text| (Came::Broken, text));
        Tried { came, text: format!("{cell}: {text}"), second }
    }

    fn came(
        &self,
        cell: &Cell,
        number: &str,
        [records, more]: [&Value; 2],
        second: &mut bool,
    ) -> Result<(Came, String), String> {
        let folder = tempfile::tempdir().unwrap();
        copy(self.base.path(), folder.path());
        copy(&self.base.path().join(".koppel"), &folder.path().join(".koppel"));
        let sent = cell.point.when == When::Sent;
        // What is late must come before its time is over, also on a slow machine.
        let late = sent || cell.target.name == "runs-on";
        fs::write(folder.path().join("koppel.toml"), settle(if late { 1000 } else { 200 })).unwrap();
        self.control("records", records);
        let before = self.effects();
        if let Some(fault) = cell.target.fault(cell.write, number, if sent { HELD } else { 0 }) {
            self.control("faults", &json!([fault]));
        }
        if sent {
            self.killed_when_sent(folder.path())?;
        } else {
            let point = format!("{}:{}", cell.point.name, cell.nth());
            let ended = ended(self.koppel(folder.path(), Some(&point)))?;
            killed(&ended).map_err(|text| format!("{point}: {text}"))?;
        }
        self.change(cell, folder.path(), number, more);
        if let Some(next) = &cell.second {
            if *next.point == WORD && next.certain {
                self.said_to_have_happened(folder.path(), cell.write, number)?;
            }
            let point = format!("{}:{}", next.point.name, next.nth);
            let ended = ended(self.koppel(folder.path(), Some(&point)))?;
            *second = killed(&ended).is_ok();
            if next.certain {
                killed(&ended).map_err(|text| format!("{point}: {text}"))?;
            }
        }
        let ended = ended(self.koppel(folder.path(), None))?;
        if !matches!(ended.status.code(), Some(0 | 2)) {
            return Err(said(&ended));
        }
        if self.get("faults") != json!([]) {
            return Err(format!("the target was never asked: {}", said(&ended)));
        }
        let records = if cell.change == Change::Another { 2 } else { 1 };
        let (came, text) = judged(records, &before, &self.effects(), &ledger(folder.path()));
        Ok((came, format!("{text}\n{}", said(&ended))))
    }

    fn change(&self, cell: &Cell, folder: &Path, number: &str, more: &Value) {
        match cell.change {
            Change::Nothing => {}
            Change::Another => self.control("records", more),
            Change::Flow => {
                // Another number for what a read shows, and for what none shows, and other words.
                let edits = [("\"J{", "\"K{"), ("\"Q{", "\"R{"), ("= invoice.remarks", "= \"edited\"")];
                let edited = edits.iter().fold(FLOW.to_owned(), |text, (old, new)| text.replace(old, new));
                fs::write(folder.join("cell.flow"), edited).unwrap();
            }
            Change::Record => {
                let line = json!({"description": "Advies", "quantity": "3.0", "amount": {"amount": "10.00",
                    "currency": "EUR"}, "vat": {"value": "0.21", "category": null}});
                let invoice = json!({"id": id(number), "remarks": "changed", "line_items": [line]});
                self.control("records", &json!({"jortt": {"invoices": [invoice]}}));
            }
        }
    }

    /// The next invoice, for the customer of that one, or for one whom AFAS does not know.
    fn invoice(&mut self, like: Option<&str>) -> (String, Value) {
        self.invoices += 1;
        let number = format!("{:05}", self.invoices);
        let customer = like.unwrap_or(&number);
        let line = json!({"description": "Advies", "quantity": "2.0", "amount": {"amount": "10.00", "currency": "EUR"},
            "vat": {"value": "0.21", "category": null}});
        let invoice = json!({"id": id(&number), "invoice_status": "sent", "invoice_number": number,
            "invoice_date": "2026-03-14", "customer_company_name": format!("Klant {customer}"),
            "customer_mail_to": format!("klant{customer}@voorbeeld.example"), "remarks": "as it was", "line_items": [line]});
        (number, json!({"jortt": {"invoices": [invoice]}}))
    }

    /// The cell is over: nobody reads its invoice any more, and nothing waits for it.
    fn leave(&self, number: &str) {
        let invoice = json!({"id": id(number), "invoice_status": "draft"});
        self.control("records", &json!({"jortt": {"invoices": [invoice]}}));
        let answer = self.http.delete(format!("{}/_control/faults", self.sandbox.url())).send();
        assert!(self.handle.block_on(answer).unwrap().status().is_success());
    }

    /// A person has looked in the target.
    fn said_to_have_happened(&self, folder: &Path, write: Write, number: &str) -> Result<(), String> {
        let record = format!("cell/{}", id(number));
        let ended = command(folder)
            .args(["settle", &record, "--happened", "--write", write.name(), "--yes", &self.at()])
            .output()
            .map_err(|error| error.to_string())?;
        if ended.status.success() { Ok(()) } else { Err(format!("settle: {}", said(&ended))) }
    }

    fn koppel(&self, folder: &Path, crash: Option<&str>) -> Child {
        let mut command = command(folder);
        command.args(["run", "--wait", &self.at()]);
        if let Some(point) = crash {
            command.env("KOPPEL_CRASH", point);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Kills a run as soon as the target has its request.
    fn killed_when_sent(&self, folder: &Path) -> Result<(), String> {
        let mut child = self.koppel(folder, None);
        let end = Instant::now() + PATIENCE;
        while self.get("faults") != json!([]) {
            if Instant::now() > end || child.try_wait().unwrap().is_some() {
                let _ = child.kill();
                return Err(format!("sent: nothing came; {}", said(&child.wait_with_output().unwrap())));
            }
            thread::sleep(LOOK_AGAIN);
        }
        child.kill().unwrap();
        killed(&child.wait_with_output().unwrap())
    }

    fn at(&self) -> String {
        format!("--sandbox={}", self.sandbox.url())
    }

    fn control(&self, path: &str, body: &Value) {
        let sent = self.http.post(format!("{}/_control/{path}", self.sandbox.url())).body(body.to_string()).send();
        let answer = self.handle.block_on(sent).unwrap();
        assert!(answer.status().is_success(), "{:?}", self.handle.block_on(answer.text()));
    }

    fn get(&self, path: &str) -> Value {
        let answer = async {
            let sent = self.http.get(format!("{}/_control/{path}", self.sandbox.url())).send();
            sent.await.unwrap().json().await.unwrap()
        };
        self.handle.block_on(answer)
    }

    fn effects(&self) -> Value {
        self.get("effects")
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_koppel"));
    command.current_dir(folder).env_clear();
    command
}

fn id(number: &str) -> String {
    format!("e508ba44-f8a9-4aa9-b4e8-8d07000{number}")
}

fn settle(ms: u64) -> String {
    format!("[connections.jortt]\nsettle = \"{ms}ms\"\n\n[connections.afas]\nsettle = \"{ms}ms\"\n")
}

fn said(ended: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}: {}{}", ended.status, text(&ended.stdout), text(&ended.stderr))
}

/// What a process came to, if it ends.
fn ended(mut child: Child) -> Result<Output, String> {
    let end = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            return Err(format!("hangs: {}", said(&child.wait_with_output().unwrap())));
        }
        thread::sleep(LOOK_AGAIN);
    }
    Ok(child.wait_with_output().unwrap())
}

/// Did it die by SIGKILL?
fn killed(ended: &Output) -> Result<(), String> {
    if ended.status.signal() == Some(9) { Ok(()) } else { Err(format!("not passed; {}", said(ended))) }
}

/// What the only ledger of a folder tells.
fn ledger(folder: &Path) -> Status {
    let files = fs::read_dir(folder.join(".koppel")).unwrap().map(|file| file.unwrap().path());
    let mut ledgers = files.filter(|path| path.extension().is_some_and(|ending| ending == "sqlite"));
    status(&ledgers.next().unwrap()).unwrap()
}

/// Compares what was made with how the record ended.
fn judged(records: u64, before: &Value, after: &Value, told: &Status) -> (Came, String) {
    let of = |effects: &Value, entity: &str| {
        let own = &effects["afas"][entity];
        let duplicates = own["duplicates"].as_array().map_or(0, Vec::len);
        (own["count"].as_u64().unwrap_or(0), duplicates)
    };
    let made = WRITES.map(|write| {
        let ((was, doubles), (is, now)) = (of(before, write.entity()), of(after, write.entity()));
        (is - was, now - doubles)
    });
    let each = WRITES.map(|write| if write == Write::Debtor { 1 } else { records });
    let text = format!("{made:?}, {:?}, {:?}, {:?}", told.records, told.waiting, told.doubts);
    if made.iter().zip(each).any(|((count, doubles), most)| *count > most || *doubles > 0) {
        return (Came::Doubled, text);
    }
    if !told.doubts.iter().all(|doubt| doubt.state == "unclear" || doubt.state == "keyless") {
        return (Came::Broken, text);
    }
    let mut outcomes = told.records["cell"].clone();
    // The one that was done before.
    outcomes.entry("done".into()).and_modify(|count| *count -= 1);
    outcomes.retain(|_, count| *count > 0);
    let of = |outcome: &str| outcomes.get(outcome).copied().unwrap_or(0);
    let reasons = told.waiting.iter().filter(|waiting| waiting.reason.is_some()).count() as u64;
    let came = match (of("done"), of("held"), of("failed")) {
        (done, 0, 0) if done == records && made.iter().zip(each).all(|((count, _), all)| *count == all) => Came::Done,
        (done, 0, 0) if done == records => Came::Lost,
        (done, 0, failed) if done + failed == records && reasons == failed => Came::Failed,
        (done, held, failed) if done + held + failed == records && reasons == held + failed => Came::Held,
        _ => Came::Broken,
    };
    (came, text)
}

//! One sandbox in which cells are tried one after another, each with a ledger and an invoice of its own.
//!
//! A record that was done before stands in every ledger, so that there is something that certainly exists.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use koppel::{
    ledger::{Status, status},
    sandbox::{self, Options, Sandbox},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{
    cell::{Cell, Change, QUARANTINE, SOME_DECIDED, Under, WORD, WRITES, When, Write},
    wire::{Where, Wire},
};
use crate::{cli::copy, sandbox::client};

const FLOW: &str = include_str!("cell.flow");

/// With this every address of AFAS begins.
const AFAS: &str = "/afas/ProfitRestServices/connectors";
/// What a record says that waits because the ledger was lost.
const LOST: &str = "the ledger was lost or put back";
/// Where what a program says goes that serves: no file that it watches.
const SAID: &str = ".koppel/said";
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
    wire: Wire,
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
        let wire = Wire::new(&handle, sandbox.address);
        let mut world = Self { handle, sandbox, wire, http: client(), base, invoices: 0 };
        let (number, records) = world.invoice(None);
        world.control("records", &records);
        let ended = ended(world.koppel(world.base.path(), None)).unwrap();
        assert!(ended.status.success(), "{}", said(&ended));
        // Each copy is a ledger of its own, and none of them was put back.
        fs::remove_file(world.ledger(world.base.path()).with_extension("mark")).unwrap();
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
        let folder = folder.path();
        fs::write(folder.join("koppel.toml"), settle(cell.settle())).unwrap();
        self.control("records", records);
        if *cell.point == SOME_DECIDED {
            self.control("records", more);
        }
        let before = self.effects();
        if let Some(fault) = cell.fault(number) {
            self.control("faults", &json!([fault]));
        }
        if let When::UnderWay(under) = cell.point.when {
            self.killed_under_way(folder, cell.write, under)?;
        } else {
            let point = format!("{}:{}", cell.point.name, cell.nth());
            let ended = ended(self.koppel(folder, Some(&point)))?;
            killed(&ended).map_err(|text| format!("{point}: {text}"))?;
        }
        let lost = *cell.about() == QUARANTINE;
        if lost {
            self.put_back(folder);
        }
        self.change(cell, folder, number, more);
        let jump = cell.second.and_then(|second| second.jump());
        if let Some(next) = &cell.second {
            if *next.point == WORD && next.certain {
                self.said_to_have_happened(folder, cell.write, number)?;
            }
            let point = format!("{}:{}", next.point.name, next.nth);
            // `--wait` would wait a loss out before anything is wanted of the target.
            let verb: &[&str] = if lost { &["run"] } else { &["run", "--wait"] };
            let ended = ended(self.start(verb, folder, Some(&point), jump.as_deref()))?;
            *second = killed(&ended).is_ok();
            if next.certain {
                killed(&ended).map_err(|text| format!("{point}: {text}"))?;
            }
        }
        let records = if cell.change == Change::Another { 2 } else { 1 };
        let ended =
            if lost { self.waited_out(folder, records)? } else { ended(self.next(folder, None, jump.as_deref()))? };
        if !matches!(ended.status.code(), Some(0 | 2)) {
            return Err(said(&ended));
        }
        if self.get("faults") != json!([]) {
            return Err(format!("the target was never asked: {}", said(&ended)));
        }
        let (came, text) = judged(records, &before, &self.effects(), &self.told(folder));
        Ok((came, format!("{text}\n{}", said(&ended))))
    }

    fn change(&self, cell: &Cell, folder: &Path, number: &str, more: &Value) {
        match cell.change {
            Change::Nothing => {}
            Change::Another => self.control("records", more),
            Change::Flow => edit(folder),
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
        self.wire.forget();
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
        self.next(folder, crash, None)
    }

    /// A process whose clock may jump.
    fn next(&self, folder: &Path, crash: Option<&str>, jump: Option<&str>) -> Child {
        self.start(&["run", "--wait"], folder, crash, jump)
    }

    fn start(&self, verb: &[&str], folder: &Path, crash: Option<&str>, jump: Option<&str>) -> Child {
        let mut command = command(folder);
        command.args(verb).arg(self.at());
        let armed = [("KOPPEL_CRASH", crash), ("KOPPEL_CLOCK", jump)];
        command.envs(armed.into_iter().filter_map(|(name, armed)| Some((name, armed?))));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Serves; what it says goes to [`SAID`].
    fn serve(&self, folder: &Path) -> Child {
        let said = fs::File::create(folder.join(SAID)).unwrap();
        let mut command = command(folder);
        command.args(["serve", &self.at()]).stdin(Stdio::null());
        command.stdout(said.try_clone().unwrap()).stderr(said).spawn().unwrap()
    }

    /// Kills the program while a request of this write is under way.
    fn killed_under_way(&self, folder: &Path, write: Write, under: Under) -> Result<(), String> {
        let posted = format!("POST {AFAS}/{} ", write.entity());
        let has_it = || self.get("faults") == json!([]);
        let mut child = match under {
            Under::Sent => self.koppel(folder, None),
            Under::Stopping => self.koppel(folder, Some("stop-at-20s:1")),
            Under::HalfSent => {
                self.wire.stop(Where::HalfSent, posted);
                self.koppel(folder, None)
            }
            Under::AnswerBegun => {
                self.wire.stop(Where::HalfAnswered, posted);
                self.koppel(folder, None)
            }
            Under::Swapped => {
                // Asked once all is decided, and before anything is written.
                self.wire.stop(Where::Before, format!("GET {AFAS}/Profit_Salesorders?"));
                let mut serve = self.serve(folder);
                until(&mut serve, "decided", || self.wire.reached())?;
                edit(folder);
                let taken_over = || fs::read_to_string(folder.join(SAID)).unwrap().contains("the edit is taken over");
                until(&mut serve, "swapped", taken_over)?;
                self.wire.go_on();
                serve
            }
        };
        match under {
            Under::HalfSent | Under::AnswerBegun => until(&mut child, "half", || self.wire.reached())?,
            _ => until(&mut child, "sent", has_it)?,
        }
        if under == Under::Stopping {
            kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
            return killed(&ended(child)?);
        }
        child.kill().unwrap();
        killed(&child.wait_with_output().unwrap())
    }

    /// Puts the ledger back as it was when the cell began.
    fn put_back(&self, folder: &Path) {
        let ledger = self.ledger(folder);
        for beside in ["sqlite-wal", "sqlite-shm"] {
            // There is none where all of it was taken in.
            let _ = fs::remove_file(ledger.with_extension(beside));
        }
        copy(&self.base.path().join(".koppel"), &folder.join(".koppel"));
    }

    /// Serves until the time after a loss is over and the records have come to an end, while a person has what was
    /// held tried again.
    fn waited_out(&self, folder: &Path, records: u64) -> Result<Output, String> {
        let mut serve = self.serve(folder);
        let mut tried = Instant::now();
        until(&mut serve, "waited out", || {
            thread::sleep(Duration::from_millis(100));
            let told = self.told(folder);
            let lost = |reason: &std::sync::Arc<str>| reason.contains(LOST);
            if told.waiting.iter().filter_map(|waiting| waiting.reason.as_ref()).any(lost) {
                if tried.elapsed() > Duration::from_secs(1) {
                    let typed = command(folder).args(["retry", "cell", &self.at()]).output().unwrap();
                    assert!(typed.status.success(), "{}", said(&typed));
                    tried = Instant::now();
                }
                return false;
            }
            let ended = told.records["cell"].iter().filter(|(outcome, _)| &***outcome != "open");
            // With the one that was done before.
            ended.map(|(_, count)| count).sum::<u64>() == records + 1
        })?;
        kill_process(Pid::from_child(&serve), Signal::TERM).unwrap();
        ended(serve)
    }

    /// The ledger of a folder.
    fn ledger(&self, folder: &Path) -> PathBuf {
        let port = self.wire.url().rsplit_once(':').unwrap().1.to_owned();
        folder.join(format!(".koppel/sandbox-{port}-{}.sqlite", self.sandbox.id()))
    }

    /// What it tells.
    fn told(&self, folder: &Path) -> Status {
        status(&self.ledger(folder)).unwrap()
    }

    fn at(&self) -> String {
        format!("--sandbox={}", self.wire.url())
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

/// Another number for what a read shows, and for what none shows, and other words.
fn edit(folder: &Path) {
    let edits = [("\"J{", "\"K{"), ("\"Q{", "\"R{"), ("= invoice.remarks", "= \"edited\"")];
    let edited = edits.iter().fold(FLOW.to_owned(), |text, (old, new)| text.replace(old, new));
    fs::write(folder.join("cell.flow"), edited).unwrap();
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

/// Waits until it came to that; a process that does not get there is ended.
fn until(child: &mut Child, what: &str, mut came: impl FnMut() -> bool) -> Result<(), String> {
    let end = Instant::now() + PATIENCE;
    while !came() {
        if Instant::now() > end || child.try_wait().unwrap().is_some() {
            let _ = child.kill();
            return Err(format!("{what}: it never came to that; {}", child.wait().unwrap()));
        }
        thread::sleep(LOOK_AGAIN);
    }
    Ok(())
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

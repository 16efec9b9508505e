//! The flows of the product against a running sandbox: what is made, what a second run does, what goes wrong outside.

use std::{
    io::{BufRead, BufReader, Read as _},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::Place;

/// So long a condition is awaited before a test gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// A `koppel` that goes on; its lines can be awaited. It ends with the test.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(place: &Place, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_koppel"));
        command.current_dir(place.path()).env_clear().args(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (send, lines) = channel();
        let sources: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for source in sources {
            let send = send.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(source).lines().map_while(Result::ok) {
                    if send.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Self { child, lines }
    }

    /// The next line with this in it.
    #[track_caller]
    pub(crate) fn line(&self, part: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.contains(part) {
                return line;
            }
            seen.push(line);
        }
        panic!("no line with {part:?} in:\n{}", seen.join("\n"));
    }

    /// Asks it to stop, as a system does, and gives its exit code.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The product's flows in a folder of their own.
fn flows() -> Place {
    let place = Place::new(&[]);
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("flows");
    copy(&from, &place.path().join("flows"));
    place
}

pub(crate) fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            if entry.file_name() != ".koppel" {
                copy(&entry.path(), &target);
            }
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn sandbox(place: &Place, more: &[&str]) -> (Running, String) {
    let running = Running::start(place, &[&["sandbox"], more].concat());
    let line = running.line("_control/effects");
    let url = line.split_whitespace().last().unwrap().trim_end_matches("/_control/effects").to_owned();
    (running, url)
}

/// What a sandbox says, over a connection of our own.
pub(crate) fn get(url: &str, path: &str) -> Value {
    call(url, &format!("GET {path}"), "")
}

/// Tells a sandbox something.
pub(crate) fn post(url: &str, path: &str, body: &Value) {
    let said = call(url, &format!("POST {path}"), &body.to_string());
    assert!(said.get("error").is_none(), "{said}");
}

fn call(url: &str, what: &str, body: &str) -> Value {
    let address = url.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!("{what} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n");
    std::io::Write::write_all(&mut stream, (head + body).as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Exit code and the summaries of a `run --json`, by flow.
pub(super) fn run_json(place: &Place, args: &[&str]) -> (i32, std::collections::BTreeMap<String, Value>) {
    let output = place.command(args).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("no JSON: {line}")));
    let summaries = lines.filter_map(|line| line.get("summary").cloned());
    let summaries = summaries.map(|summary| (summary["flow"].as_str().unwrap().to_owned(), summary)).collect();
    let code = output.status.code().unwrap();
    if code != 0 {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
    (code, summaries)
}

fn duplicates(effects: &Value) -> usize {
    let systems = effects.as_object().unwrap().values();
    let entities = systems.flat_map(|system| system.as_object().unwrap().values());
    entities.map(|facts| facts["duplicates"].as_array().map_or(0, Vec::len)).sum()
}

#[test]
fn the_first_run_of_a_fresh_clone_needs_no_secret_and_shows_what_was_made() {
    let place = flows();
    let shown = place.koppel(&["run", "--sandbox", "--size", "20"]);
    assert!(shown.contains("jortt_orders") && shown.contains("FbSales"), "{shown}");
    assert!(shown.contains("made in the sandbox:") && shown.contains("nothing twice"), "{shown}");
    assert!(shown.ends_with("exit 0"), "{shown}");
    assert!(!place.path().join("flows/.koppel").exists(), "a run in a sandbox of its own leaves nothing behind");
}

#[test]
fn a_second_run_makes_nothing_again() {
    let place = flows();
    let (_sandbox, url) = sandbox(&place, &["--size", "30", "--limits", "off"]);
    let against = format!("--sandbox={url}");
    let (code, first) = run_json(&place, &["run", &against, "--json"]);
    assert_eq!(code, 0, "{first:?}");
    let orders = first["jortt_orders"]["created"]["FbSales"].as_u64().unwrap();
    let effects = get(&url, "/_control/effects");
    assert!(orders > 0);
    assert_eq!(effects["afas"]["FbSales"]["count"].as_u64(), Some(orders));
    assert_eq!(duplicates(&effects), 0, "{effects}");

    let (code, second) = run_json(&place, &["run", &against, "--json"]);
    assert_eq!(code, 0);
    for summary in second.values() {
        assert_eq!((&summary["created"], &summary["updated"]), (&serde_json::json!({}), &serde_json::json!({})));
    }
    assert_eq!(get(&url, "/_control/effects"), effects);

    let logs = std::fs::read_dir(place.path().join("flows/.koppel/log")).unwrap();
    let log: String = logs.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(log.contains("\"confirmed\"") && !log.contains('@'), "a log tells what happened and shows no e-mail");

    let status = place.koppel(&["status", &against]);
    assert!(status.contains("jortt_orders") && status.ends_with("exit 0"), "{status}");
}

#[test]
fn hard_cases_are_held_with_their_reasons() {
    let place = flows();
    let (code, summaries) = run_json(&place, &["run", "--sandbox", "--awkward", "--size", "10", "--json"]);
    assert_eq!(code, 2);
    let orders = &summaries["jortt_orders"];
    assert!(orders["held"].as_u64().unwrap() > 0, "{orders}");
    assert!(orders["reasons"].as_array().unwrap().iter().all(|kind| !kind["reason"].as_str().unwrap().is_empty()));
}

#[test]
fn a_plan_shows_every_decision_and_sends_nothing() {
    let place = flows();
    let (_sandbox, url) = sandbox(&place, &["--size", "10"]);
    let before = get(&url, "/_control/effects");
    let output = place.command(&["plan", "jortt_orders", &format!("--sandbox={url}"), "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().count() >= 10, "{text}");
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["run"] == "jortt_orders" && line["key"].is_string() && line["decision"].is_object(), "{line}");
    }
    assert_eq!(get(&url, "/_control/effects"), before);
}

#[test]
fn a_plan_after_a_run_shows_what_is_new_and_leaves_the_ledger_as_it_is() {
    let place = flows();
    let (_sandbox, url) = sandbox(&place, &["--size", "10"]);
    let of = format!("--sandbox={url}");
    assert!(place.koppel(&["run", "jortt_orders", &of]).ends_with("exit 0"));
    let before = place.koppel(&["status", &of]);
    let shown = place.koppel(&["plan", "jortt_orders", &of]);
    assert_eq!(shown, "jortt_orders: 10 records: 10 unchanged; nothing was sent\n\nexit 0");
    assert_eq!(place.koppel(&["status", &of]), before);
}

#[test]
fn an_unset_variable_is_named_with_its_key_and_line() {
    let place = flows();
    assert!(place.koppel(&["check"]).ends_with("exit 0"), "a check needs no secret");
    insta::assert_snapshot!(place.koppel(&["run"]), @r#"
    --- stderr
    the environment variable AFAS_CLIENT_ID is not set: `client_id`, koppel.toml:17
          export AFAS_CLIENT_ID=…    or try the flows with --sandbox
    the environment variable JORTT_CLIENT_ID is not set: `client_id`, koppel.toml:10
          export JORTT_CLIENT_ID=…    or try the flows with --sandbox
    exit 3
    "#);
}

#[test]
fn a_settle_that_is_too_short_for_the_real_system_is_refused_before_anything_is_sent() {
    let place = flows();
    let config = std::fs::read_to_string(place.path().join("flows/koppel.toml")).unwrap();
    place.write("flows/koppel.toml", &config.replace("[connections.afas]\n", "[connections.afas]\nsettle = \"17m\"\n"));
    let mut run = place.command(&["run"]);
    for variable in ["JORTT_CLIENT_ID", "JORTT_CLIENT_SECRET", "AFAS_CLIENT_ID", "AFAS_CLIENT_SECRET"] {
        run.env(variable, "x");
    }
    let output = run.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @r#"
    `settle` of the connection `afas` is too short (koppel.toml:14): AFAS may carry out a request until 18 minutes after the line was lost, and what was sent again before that would be there twice
          settle = "18m" or more, or leave it out; a shorter one counts for --sandbox only
    "#);
    let (code, _) = run_json(&place, &["run", "jortt_orders", "--sandbox", "--size", "1", "--json"]);
    assert_eq!(code, 0, "the sandbox is as quick as one likes");
}

#[test]
fn a_sandbox_that_is_not_there_is_told_and_nothing_is_written() {
    let place = flows();
    let shown = place.koppel(&["run", "--sandbox=http://127.0.0.1:1"]);
    insta::assert_snapshot!(shown, @r#"
    --- stderr
    http://127.0.0.1:1/_control is no running sandbox: nothing answers there
          start one:  koppel sandbox --port 8080
    exit 3
    "#);
    assert!(place.koppel(&["run", "--sandbox=https://api.jortt.nl"]).ends_with("exit 64"));
}

#[test]
fn a_wrong_log_in_is_told_with_its_connection() {
    let place = flows();
    let (_sandbox, url) = sandbox(&place, &["--size", "5"]);
    let config = format!(
        "[connections.jortt]\nbase = \"{url}/jortt\"\nlogin = \"{url}/jortt/oauth-provider/oauth\"\nclient_id = {{ env = \"ID\" }}\nclient_secret = {{ env = \"SECRET\" }}\n\
         [connections.afas]\nbase = \"{url}/afas/ProfitRestServices\"\ntoken = {{ file = \"token\" }}\n\
         [settings.settings]\nadministration = 1\ncontrol_account = \"1300\"\n[settings.jortt_orders]\nstart_date = 2026-01-01\n\
         [settings.jortt_estimates]\nstart_date = 2026-01-01\nquoted_item = \"ADV\"\n[settings.jortt_paid]\nstart_date = 2026-01-01\n\
         suspense_account = \"1990\"\n[settings.afas_orders]\nstart_date = 2026-01-01\n"
    );
    place.write("flows/koppel.toml", &config);
    place.write("flows/token", &"5A".repeat(32));
    let output = place.command(&["run"]).env("ID", "me").env("SECRET", "wrong").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("refused the log-in") && text.contains("koppel.toml:1") && !text.contains("wrong"), "{text}");
    // The same ledger works when the secret is right.
    let output = place.command(&["run"]).env("ID", "me").env("SECRET", "right").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

#[cfg(unix)]
#[test]
fn serve_takes_over_a_good_edit_and_keeps_the_old_version_at_a_bad_one() {
    let place = flows();
    let (_sandbox, url) = sandbox(&place, &["--size", "5", "--limits", "off"]);
    let config = std::fs::read_to_string(place.path().join("flows/koppel.toml")).unwrap();
    place.write("flows/koppel.toml", &config.replace("\"5m\"", "\"1s\"").replace("\"15m\"", "\"1s\""));
    let serve = Running::start(&place, &["serve", &format!("--sandbox={url}")]);
    serve.line("jortt_orders");

    let path = "flows/orders.flow";
    let text = std::fs::read_to_string(place.path().join(path)).unwrap();
    place.write(path, &text.replace("RfCs", "RfCz"));
    assert!(serve.line("F202").contains("RfCz"));
    serve.line("goes on");
    // An editor writes a new file and renames it.
    place.write("flows/orders.flow.new", &format!("{text}\n# edited\n"));
    std::fs::rename(place.path().join("flows/orders.flow.new"), place.path().join(path)).unwrap();
    serve.line("taken over");
    assert_eq!(serve.stop(), Some(0));
}

#[cfg(unix)]
#[test]
fn check_watches_and_tells_again_after_a_save() {
    let place = flows();
    let watch = Running::start(&place, &["check", "--watch"]);
    watch.line("watching");
    let path = "flows/orders.flow";
    let text = std::fs::read_to_string(place.path().join(path)).unwrap();
    place.write(path, &text.replace("RfCs", "RfCz"));
    assert!(watch.line("F202").contains("RfCz"));
    watch.line("watching");
    place.write(path, &text);
    watch.line("no mistakes");
}

/// How many orders the sandbox has made.
#[cfg(unix)]
fn orders(url: &str) -> u64 {
    get(url, "/_control/effects").pointer("/afas/FbSales/count").and_then(Value::as_u64).unwrap()
}

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_again_and_again_ends_with_each_invoice_exactly_once() {
    let place = flows();
    let (_sandbox, url) = sandbox(&place, &["--size", "120", "--limits", "off"]);
    let at_sandbox = format!("--sandbox={url}");
    let mut made = 0;
    while made < 90 {
        // Killed without warning as soon as it has made some more.
        let mut run = Running::start(&place, &["run", "jortt_orders", &at_sandbox]);
        let end = Instant::now() + PATIENCE;
        while orders(&url) < made + 25 && run.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "no order was made in time");
        }
        run.child.kill().unwrap();
        run.child.wait().unwrap();
        made = orders(&url);
    }
    let output = place.command(&["run", "--wait", &at_sandbox]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let effects = get(&url, "/_control/effects");
    assert_eq!(
        effects.pointer("/afas/FbSales"),
        Some(&serde_json::json!({"count": 120, "updated": 0, "duplicates": [], "refused": []}))
    );
}

#[test]
fn a_table_that_is_no_text_is_told_and_never_suggested_in_its_own_place() {
    let place = flows();
    std::fs::write(place.path().join("flows/tables/items.csv"), b"\xff\xfe").unwrap();
    let shown = place.koppel(&["check"]);
    assert!(shown.contains("\"../tables/items.csv\" cannot be read: it is not UTF-8 text"), "{shown}");
    assert!(!shown.contains("help:") && shown.ends_with("exit 1"), "{shown}");
}

#[test]
fn a_run_of_a_flow_that_cannot_be_understood_is_no_second_mistake() {
    let place = flows();
    let path = place.path().join("flows/orders.flow");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("from jortt.invoices {", "from jort.invoices {")).unwrap();
    let shown = place.koppel(&["check"]);
    assert!(shown.contains("F211  there is no connection `jort`"), "{shown}");
    assert!(shown.contains("7 flows checked: 1 mistake"), "{shown}");
}

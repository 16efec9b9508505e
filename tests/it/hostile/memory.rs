//! How much memory the program takes for an answer that would fill all of it.

#![cfg(target_os = "linux")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use flate2::{Compression, write::DeflateEncoder};

use crate::cli::Place;

const FLOW: &str = r#"flow notes "A note"

read invoice from jortt.invoices {
  where .list is "sent"
  since change
  key   .id
}

update jortt.customers {
  id   = invoice.customer_id!
  attn = "seen"
}
"#;

fn config(base: &str) -> String {
    format!(
        "[connections.jortt]\nbase = \"{base}\"\nlogin = \"{base}/oauth\"\nclient_id = {{ env = \"ID\" }}\n\
         client_secret = {{ env = \"SECRET\" }}\n\n[runs.notes]\nflow = \"notes.flow\"\nevery = \"1h\"\n"
    )
}

/// Answers each request but a log-in with a head and then with a piece, so many times.
fn server(head: &'static str, piece: Arc<[u8]>, times: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/jortt", listener.local_addr().unwrap());
    let answer = move |mut stream: TcpStream| -> std::io::Result<()> {
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes)?;
        if String::from_utf8_lossy(&bytes[..read]).contains("/token") {
            let body = r#"{"access_token":"t","expires_in":7200}"#;
            let length = body.len();
            return write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        }
        stream.write_all(head.as_bytes())?;
        (0..times).try_for_each(|_| stream.write_all(&piece))
    };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            // Who hung up hears nothing more.
            std::thread::spawn(move || answer(stream.unwrap()));
        }
    });
    base
}

/// Runs the program against it: what it says, and its most memory in MB.
fn run(head: &'static str, piece: Vec<u8>, times: usize) -> (String, u64) {
    let base = server(head, piece.into(), times);
    let place = Place::new(&[("koppel.toml", &config(&base)), ("notes.flow", FLOW)]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_koppel"));
    command.current_dir(place.path()).env_clear().env("ID", "me").env("SECRET", "right").arg("run");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + Duration::from_mins(2);
    let (mut most, status) = (0, format!("/proc/{}/status", child.id()));
    let code = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        most = most.max(peak.unwrap_or(0) / 1024);
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("it hangs, with {most} MB");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(code, Some(3), "{said}");
    (said, most)
}

#[expect(clippy::print_stdout, reason = "the figure is what a reader of the tests looks for")]
fn report(what: &str, most: u64) {
    println!("{what}: {most} MB at most");
}

/// The largest answer that is taken in has 75 MB.
const BOUND: u64 = 400;

#[test]
fn a_body_without_end_takes_a_bounded_memory_and_is_told() {
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    let (said, most) = run(head, vec![b' '; 1_000_000], 100_000);
    report("a body without end", most);
    assert!((1..BOUND).contains(&most), "{most} MB");
    insta::assert_snapshot!(said);
}

#[test]
fn a_gigabyte_that_was_packed_into_one_megabyte_takes_a_bounded_memory_and_is_told() {
    // Ten megabytes that end at a byte, so that they may follow each other.
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&vec![0; 10_000_000]).unwrap();
    packed.flush().unwrap();
    let packed = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec(), packed.get_ref().repeat(100)].concat();
    assert!(packed.len() < 1_100_000, "{}", packed.len());
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\n\r\n";
    let (said, most) = run(head, packed, 1);
    report("a packed gigabyte", most);
    assert!((1..BOUND).contains(&most), "{most} MB");
    insta::assert_snapshot!(said);
}

#[test]
fn seventy_megabytes_of_nothing_but_brackets_take_a_bounded_memory_and_are_told() {
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 70000001\r\n\r\n[";
    let (said, most) = run(head, b"[],".repeat(1_000_000 / 3 + 1)[..1_000_000].to_vec(), 70);
    report("very many values", most);
    assert!((1..BOUND).contains(&most), "{most} MB");
    insta::assert_snapshot!(said);
}

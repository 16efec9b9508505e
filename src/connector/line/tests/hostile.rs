//! What comes of answers that no honest system gives, over real sockets: of a read, and of a write.

use std::{io::Write as _, time::Instant};

use flate2::{Compression, write::GzEncoder};
use tokio::net::TcpStream;

use super::*;

/// What is done with a connection after its request was read; then it is closed.
#[derive(Clone)]
enum Does {
    /// This is sent.
    Says(Vec<u8>),
    /// First this, then that without end.
    Never(Vec<u8>, Vec<u8>),
    /// The same, a piece now and then.
    Drips(Vec<u8>, Vec<u8>),
}

impl Does {
    async fn to(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        match self {
            Self::Says(all) => stream.write_all(all).await,
            Self::Never(first, piece) => {
                stream.write_all(first).await?;
                loop {
                    stream.write_all(piece).await?;
                }
            }
            Self::Drips(first, piece) => {
                stream.write_all(first).await?;
                loop {
                    stream.write_all(piece).await?;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn server(does: Does) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/jortt", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let does = does.clone();
            tokio::spawn(async move {
                let mut bytes = vec![0; 4096];
                let read = stream.read(&mut bytes).await.unwrap_or(0);
                let does = if String::from_utf8_lossy(&bytes[..read]).contains("/token") {
                    answered("200 OK", &[], br#"{"access_token":"t","expires_in":7200}"#)
                } else {
                    does
                };
                // Who hung up hears nothing more.
                let _ = does.to(&mut stream).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    base
}

fn head(status: &str, headers: &[&str]) -> Vec<u8> {
    let lines: Vec<&str> = [status, "Connection: close"].into_iter().chain(headers.iter().copied()).collect();
    format!("HTTP/1.1 {}\r\n\r\n", lines.join("\r\n")).into_bytes()
}

/// An answer with its length.
fn answered(status: &str, headers: &[&str], body: &[u8]) -> Does {
    let length = format!("Content-Length: {}", body.len());
    let headers: Vec<&str> = headers.iter().copied().chain([&*length]).collect();
    Does::Says([&head(status, &headers), body].concat())
}

fn json(body: &[u8]) -> Does {
    answered("200 OK", &[], body)
}

fn packed(bytes: usize) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&vec![0; bytes]).unwrap();
    packed.finish().unwrap()
}

/// What each answer is, and how it is given.
fn answers() -> Vec<(&'static str, Does)> {
    let ok = |headers: &[&str]| head("200 OK", headers);
    let bomb = packed(50_000_000);
    assert!(bomb.len() < 100_000, "it passes for a short answer: {}", bomb.len());
    let digits = [br#"{"data":"#.as_slice(), &b"7".repeat(50_000), b"}"].concat();
    vec![
        ("a body over the limit, with its length", json(&b" ".repeat(200_000))),
        ("a body over the limit, without its length", Does::Says([ok(&[]), b" ".repeat(200_000)].concat())),
        (
            "a length of 18 exabytes",
            Does::Says([ok(&["Content-Length: 18446744073709551615"]), b"{".to_vec()].concat()),
        ),
        ("a body without end", Does::Never(ok(&[]), b" ".repeat(1000))),
        (
            "chunks without end",
            Does::Never(
                ok(&["Transfer-Encoding: chunked"]),
                b"3e8\r\n".iter().copied().chain([b' '; 1000]).chain(*b"\r\n").collect(),
            ),
        ),
        (
            "a chunk of 16 exabytes",
            Does::Never(
                [ok(&["Transfer-Encoding: chunked"]), b"ffffffffffffffff\r\n".to_vec()].concat(),
                b" ".repeat(1000),
            ),
        ),
        (
            "the name of a chunk without end",
            Does::Never([ok(&["Transfer-Encoding: chunked"]), b"1;".to_vec()].concat(), b"x".repeat(1000)),
        ),
        ("a body, a byte now and then", Does::Drips(ok(&["Content-Length: 100000"]), b" ".to_vec())),
        ("a head, a byte now and then", Does::Drips(b"HTTP/1.1 200 OK\r\nX: ".to_vec(), b"x".to_vec())),
        ("no answer at all", Does::Drips(Vec::new(), Vec::new())),
        ("a head without end", Does::Never(b"HTTP/1.1 200 OK\r\n".to_vec(), b"X: y\r\n".repeat(100))),
        ("a line of the head without end", Does::Never(b"HTTP/1.1 200 OK\r\nX: ".to_vec(), b"x".repeat(1000))),
        ("go on, without end", Does::Drips(Vec::new(), b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100))),
        ("50 MB packed into 50 kB", answered("200 OK", &["Content-Encoding: gzip"], &bomb)),
        ("a packed body that is cut off", answered("200 OK", &["Content-Encoding: gzip"], &bomb[..30])),
        ("a packed body that is none", answered("200 OK", &["Content-Encoding: gzip"], b"{}")),
        ("a body packed twice", answered("200 OK", &["Content-Encoding: gzip, gzip"], &bomb)),
        ("less than its length", Does::Says([ok(&["Content-Length: 100"]), br#"{"data""#.to_vec()].concat())),
        ("more than its length", Does::Says([ok(&["Content-Length: 2"]), br#"{"data":1}"#.to_vec()].concat())),
        (
            "two lengths",
            Does::Says([ok(&["Content-Length: 2", "Content-Length: 10"]), br#"{"data":1}"#.to_vec()].concat()),
        ),
        ("a length below nothing", Does::Says([ok(&["Content-Length: -1"]), b"{}".to_vec()].concat())),
        ("no HTTP", Does::Says(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())),
        ("nothing, and the line is cut", Does::Says(Vec::new())),
        ("on to another host", answered("307 Temporary Redirect", &["Location: https://evil.example/x"], b"")),
        ("an empty body", json(b"")),
        ("no text", json(b"\"\xff\xfe\"")),
        ("half of a character", json(br#""\ud800""#)),
        ("a hundred thousand brackets", json(&b"[".repeat(90_000))),
        ("a page of HTML", answered("200 OK", &["Content-Type: text/html"], b"<html>\x1b[2J</html>")),
        ("something behind the end", json(br#"{"data":1} {"data":2}"#)),
        ("no number", json(br#"{"data":NaN}"#)),
        ("a number of fifty thousand digits", json(&digits)),
        ("one name twice", json(br#"{"data":1,"data":2}"#)),
        ("a zero byte in a text", json(br#"{"data":"a\u0000b"}"#)),
        (
            "words that turn the line",
            answered(
                "422 No",
                &[],
                "{\"error\":{\"key\":\"params.invalid\",\"message\":\"\u{202e}\\u001b[2J no\"}}".as_bytes(),
            ),
        ),
        (
            "words without end",
            answered(
                "422 No",
                &[],
                format!("{{\"error\":{{\"key\":\"params.invalid\",\"message\":\"{}\"}}}}", "no ".repeat(20_000))
                    .as_bytes(),
            ),
        ),
        ("a pause for ever", answered("503 No", &["Retry-After: 18446744073709551615"], b"")),
        (
            "a failure whose body is cut off",
            Does::Says([head("500 No", &["Content-Length: 100"]), b"{".to_vec()].concat()),
        ),
    ]
}

/// What came of a write, in a word.
fn came(answer: Result<Option<Value>, Answered>) -> String {
    let json = |json: &Value| if json.to_string().len() > 60 { "long".to_owned() } else { json.to_string() };
    match answer {
        Ok(Some(body)) => format!("made: {}", json(&body)),
        Ok(None) => "made, its number is to be read back".to_owned(),
        Err(Answered::Unclear(text)) => format!("unclear: {text}"),
        Err(Answered::Refused(text)) => format!("REFUSED: {text}"),
        Err(Answered::NotArrived(error)) => format!("not arrived: {error}"),
        Err(other) => format!("{other:?}"),
    }
}

fn read(answer: Result<Value, ReadFailure>) -> String {
    match answer {
        Ok(json) => came(Ok(Some(json))).replacen("made", "read", 1),
        Err(failure) => ConnectorError::from(failure).to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_is_waited_for_without_end_or_taken_in_without_bound_and_no_success_counts_as_refused() {
    let tried = answers().into_iter().map(|(name, does)| async move {
        // Only what never ends by its size is to run out of time, however busy the machine is.
        let seconds = if matches!(does, Does::Drips(..)) { 2 } else { 120 };
        let base = server(does).await;
        let line = line_of("jortt", &base, |manifest| {
            manifest.limits.answer_bytes = 100_000;
            manifest.limits.read_seconds = seconds;
            manifest.limits.write_seconds = seconds;
            manifest.retries.times = 1;
        });
        let begun = Instant::now();
        let read = read(line.read("/v1/labels", "").await);
        let written = came(line.write("POST", "/v1/labels", &serde_json::json!({})).await);
        // A read is tried twice.
        assert!(begun.elapsed() < Duration::from_secs(100), "{name}: {:?}", begun.elapsed());
        format!("{name}\n  read:  {read}\n  write: {written}\n")
    });
    let told = join_all(tried).await.concat();
    assert!(!told.chars().any(|c| c != '\n' && crate::value::is_hidden(c)), "{told}");
    insta::with_settings!({ filters => vec![(r"127\.0\.0\.1:\d+", "HOST")] }, { insta::assert_snapshot!(told) });
}

#[tokio::test]
async fn a_log_in_that_answers_without_end_is_left() {
    let endless = Does::Never(head("200 OK", &[]), b" ".repeat(1000));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/jortt", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let endless = endless.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                endless.to(&mut stream).await
            });
        }
    });
    let line = line_of("jortt", &base, |manifest| manifest.retries.times = 0);
    let error = ConnectorError::from(line.read("/v1/labels", "").await.unwrap_err()).to_string();
    assert!(error.contains("cannot log in") && error.contains("larger than 50000 bytes"), "{error}");
    let written = line.write("POST", "/v1/labels", &serde_json::json!({})).await;
    assert!(matches!(written, Err(Answered::NotArrived(_))), "nothing left: {written:?}");
}

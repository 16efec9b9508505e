//! How the line behaves against a small server that does as it is told.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{
    Router,
    http::{StatusCode, header::LOCATION},
};
use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

mod hostile;

use super::*;
use crate::connector::testing::{SECRET, Served, answer, connection, line_of};

fn line(base: &str) -> Line {
    line_of("jortt", base, |_| {})
}

/// Takes one connection after another; reads a request and does with the stream as it is told.
async fn raw_server(reply: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/jortt", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4096];
            let read = stream.read(&mut bytes).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&bytes[..read]).into_owned();
            let text = if request.contains("/token") {
                let body = r#"{"access_token":"t","expires_in":7200}"#;
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            } else {
                reply.to_owned()
            };
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    base
}

async fn refused_base() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/jortt", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_read_is_tried_again_after_faults_and_pauses() {
    let server = Served::new(|number, _| match number {
        0 => (503, vec![("Retry-After", "0".to_owned())], String::new()),
        1 => answer(502, "<html>Bad Gateway</html>"),
        2 => answer(429, r#"{"error":{"code":429,"key":"request.throttled","message":"Slow","details":[]}}"#),
        _ => answer(200, r#"{"data":[1]}"#),
    })
    .await;
    let line = line(&server.base);
    assert_eq!(line.read("/v1/labels", "a=b").await.unwrap(), serde_json::json!({"data": [1]}));
    assert_eq!((server.count(), line.requests()), (4, 4));
    assert_eq!(server.lines()[0], "GET /v1/labels?a=b");
}

#[tokio::test]
async fn a_read_that_keeps_failing_ends() {
    let server = Served::new(|_, _| answer(500, "")).await;
    let line = line(&server.base);
    assert!(matches!(line.read("/x", "").await, Err(ReadFailure::Error(ConnectorError::Unreachable(_)))));
    assert_eq!(server.count(), 1 + line.manifest.retries.times);
}

#[tokio::test]
async fn many_calls_at_once_share_one_token_that_is_not_counted() {
    let server = Served::new(|_, seen| {
        assert_eq!(seen.login, "Bearer t0");
        answer(200, "{}")
    })
    .await;
    let line = line(&server.base);
    let all = join_all((0..30).map(|_| line.read("/x", ""))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!((server.tokens(), line.requests()), (1, 30));
}

#[tokio::test]
async fn a_spent_token_is_renewed_once_for_all_who_used_it() {
    let spent = r#"{"error":{"code":401,"key":"access_token.expired","message":"Expired","details":[]}}"#;
    let server =
        Served::new(move |_, seen| if seen.login == "Bearer t0" { answer(401, spent) } else { answer(200, "{}") })
            .await;
    let line = line(&server.base);
    let all = join_all((0..6).map(|_| line.read("/x", ""))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn a_write_with_a_spent_token_has_not_arrived_and_is_not_sent_again_here() {
    let server = Served::new(|_, seen| {
        if seen.login == "Bearer t0" {
            answer(401, r#"{"error":{"key":"access_token.expired"}}"#)
        } else {
            answer(201, "{}")
        }
    })
    .await;
    let line = line(&server.base);
    let body = serde_json::json!({});
    let first = line.write("POST", "/x", &body).await.unwrap_err();
    assert!(matches!(first, Answered::NotArrived(ConnectorError::Busy { after: Duration::ZERO, .. })), "{first:?}");
    assert_eq!(server.count(), 1);
    assert!(line.write("POST", "/x", &body).await.is_ok());
}

#[tokio::test]
async fn tokens_that_are_all_refused_are_a_matter_for_a_person() {
    let server = Served::new(|_, _| answer(401, "")).await;
    let line = line_of("afas", &server.base, |_| {});
    let error = ConnectorError::from(line.read("/connectors/X", "").await.unwrap_err());
    assert!(matches!(&error, ConnectorError::Setup(text) if text.contains("connection books")), "{error:?}");
    assert_eq!(server.count(), 2);
    let write = line.write("POST", "/x", &serde_json::json!({})).await.unwrap_err();
    assert!(matches!(write, Answered::NotArrived(ConnectorError::Setup(_))), "{write:?}");
}

#[tokio::test]
async fn a_refused_log_in_is_told_in_plain_words_without_the_secret_and_not_repeated() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let app = Router::new().fallback(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async {
            (
                StatusCode::UNAUTHORIZED,
                r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#,
            )
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let line = line(&base);
    for error in join_all((0..5).map(|_| line.read("/x", ""))).await {
        let error = ConnectorError::from(error.unwrap_err());
        assert_eq!(
            error,
            ConnectorError::Setup(
                "connection books: Jortt refused the log-in: it does not know this `client_id` with this \
                 `client_secret` (invalid_client: Client authentication failed)"
                    .to_owned()
            )
        );
        assert!(!format!("{error:?}").contains(SECRET));
    }
    assert_eq!((asked.load(Ordering::SeqCst), line.requests()), (1, 0));
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_taken_in() {
    let server = Served::new(|_, _| answer(200, &format!("\"{}\"", "x".repeat(5000)))).await;
    let line = line_of("jortt", &server.base, |manifest| manifest.limits.answer_bytes = 1000);
    let failure = line.read("/x", "").await.unwrap_err();
    assert!(matches!(&failure, ReadFailure::TooMuch(error) if error.to_string().contains("1000 bytes")), "{failure:?}");
    assert_eq!(server.count(), 1);
    // A write was done all the same: only its answer is lost.
    assert_eq!(line.write("POST", "/x", &serde_json::json!({})).await, Ok(None));
}

#[tokio::test]
async fn a_redirect_is_refused_and_its_target_never_called() {
    let other = Served::new(|_, _| answer(200, "{}")).await;
    let target = format!("{}/secret?email=a@b.nl", other.base);
    let server = Served::new(move |_, _| (302, vec![(LOCATION.as_str(), target.clone())], String::new())).await;
    let line = line(&server.base);
    let error = ConnectorError::from(line.read("/x", "").await.unwrap_err());
    assert!(
        matches!(&error, ConnectorError::Setup(text) if text.contains("never follows") && !text.contains('@')),
        "{error:?}"
    );
    let write = line.write("POST", "/x", &serde_json::json!({})).await.unwrap_err();
    assert!(matches!(write, Answered::Unclear(_)), "{write:?}");
    assert_eq!((server.count(), other.count()), (2, 0));
}

#[tokio::test]
async fn a_refused_connection_has_not_arrived() {
    let base = refused_base().await;
    let line = line_of("afas", &base, |manifest| manifest.retries.times = 1);
    let error = ConnectorError::from(line.read("/x", "").await.unwrap_err());
    assert!(matches!(&error, ConnectorError::Unreachable(text) if text.contains("refused")), "{error:?}");
    let write = line.write("POST", "/x", &serde_json::json!({})).await.unwrap_err();
    assert!(matches!(write, Answered::NotArrived(ConnectorError::Unreachable(_))), "{write:?}");
    assert_eq!(line.requests(), 0);
}

#[tokio::test]
async fn a_connection_that_breaks_after_sending_is_unclear() {
    let line = line(&raw_server("").await);
    let write = line.write("POST", "/x", &serde_json::json!({"a": 1})).await.unwrap_err();
    assert!(matches!(write, Answered::Unclear(_)), "{write:?}");
    assert_eq!(line.requests(), 1);
}

#[tokio::test]
async fn a_success_whose_body_breaks_off_is_a_success() {
    let line = line(&raw_server("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"data\"").await);
    assert_eq!(line.write("POST", "/x", &serde_json::json!({})).await, Ok(None));
}

#[tokio::test]
async fn a_long_pause_stops_the_whole_connection_without_another_request() {
    let maintenance = r#"{"error":{"code":"503","message":"Maintenance"},"retry_after":7200}"#;
    let server = Served::new(move |_, _| answer(503, maintenance)).await;
    let line = line_of("afas", &server.base, |_| {});
    let write = line.write("POST", "/x", &serde_json::json!({})).await.unwrap_err();
    let Answered::NotArrived(ConnectorError::Busy { after, text }) = write else { panic!("{write:?}") };
    assert_eq!(after, Duration::from_hours(2));
    assert!(text.contains("Maintenance"), "{text}");
    assert!(matches!(line.read("/x", "").await, Err(ReadFailure::Error(ConnectorError::Busy { .. }))));
    assert!(matches!(
        line.write("POST", "/x", &serde_json::json!({})).await,
        Err(Answered::NotArrived(ConnectorError::Busy { .. }))
    ));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn what_became_of_a_write_follows_from_its_answer() {
    type Case = (u16, &'static str, fn(&Answered) -> bool);
    let cases: [Case; 9] = [
        (400, "", |answer| matches!(answer, Answered::Refused(_))),
        (403, "", |answer| matches!(answer, Answered::NotArrived(ConnectorError::Setup(_)))),
        (404, "", |answer| matches!(answer, Answered::NotArrived(ConnectorError::Setup(_)))),
        (413, "", |answer| matches!(answer, Answered::NotArrived(ConnectorError::Refused(_)))),
        (429, "", |answer| matches!(answer, Answered::NotArrived(ConnectorError::Busy { .. }))),
        (
            500,
            r#"{"externalMessage":"The value for 'Item' does not exist."}"#,
            |answer| matches!(answer, Answered::Refused(text) if text == "The value for 'Item' does not exist."),
        ),
        (500, r#"{"externalMessage":"Command time-out"}"#, |answer| matches!(answer, Answered::Unclear(_))),
        (500, "", |answer| matches!(answer, Answered::Unclear(_))),
        (502, "<html>", |answer| matches!(answer, Answered::Unclear(_))),
    ];
    for (status, body, fits) in cases {
        let server = Served::new(move |_, _| answer(status, body)).await;
        let line = line_of("afas", &server.base, |_| {});
        let write = line.write("POST", "/connectors/FbSales", &serde_json::json!({})).await.unwrap_err();
        assert!(fits(&write), "{status} {body}: {write:?}");
        assert_eq!(server.count(), 1, "a write is sent once");
    }
}

#[test]
fn addresses_that_cannot_be_are_told_before_anything_is_sent() {
    let opened = |change: fn(&mut Connection)| {
        let mut connection = connection("afas", "https://example.nl");
        change(&mut connection);
        Line::new(Manifest::standard("afas").unwrap(), &connection).err().map(|error| error.to_string())
    };
    assert_eq!(opened(|_| {}), None);
    assert!(opened(|own| own.base = Some("http://10.0.0.1/afas".into())).unwrap().contains("https://"));
    assert!(opened(|own| own.login = Some("http://10.0.0.1/afas".into())).unwrap().contains("`login`"));
    assert!(opened(|own| own.base = None).unwrap().contains("participant"));
    assert!(opened(|own| own.base = Some("https://x.nl/?a".into())).unwrap().contains('?'));
    assert_eq!(
        opened(|own| {
            own.base = None;
            own.participant = Some("12345".into());
        }),
        None
    );
    let wrong = opened(|own| {
        own.base = None;
        own.participant = Some("evil.example/".into());
    });
    assert!(wrong.unwrap().contains("participant"));
}

#[test]
fn a_redirect_is_named_by_its_host() {
    assert_eq!(host_only("https://evil.example/x?email=a@b.nl"), "evil.example");
    assert_eq!(host_only("/other?email=a@b.nl"), "another path");
}

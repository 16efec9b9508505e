//! The wire between the program and the sandbox, which a cell can stop in the middle of a request.
//!
//! Carries one message after another, unchanged. Promises that a request is stopped once, where it was asked for, and
//! that its lines end when the program dies: the sandbox has seen half of it, or the program half of its answer.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::Notify,
};

/// Where a request is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// Before any of it leaves, until it is told to go on.
    Before,
    /// When half of its body has left.
    HalfSent,
    /// When half of the body of its answer has come.
    HalfAnswered,
}

#[derive(Default)]
struct Stop {
    /// With what the request begins.
    wanted: Mutex<Option<(Where, String)>>,
    reached: AtomicBool,
    go_on: Notify,
}

impl Stop {
    fn of(&self, request: &[u8]) -> Option<Where> {
        let is_it = |(_, begins): &mut (Where, String)| request.starts_with(begins.as_bytes());
        self.wanted.lock().unwrap().take_if(is_it).map(|(at, _)| at)
    }
}

/// A wire to a sandbox.
pub(super) struct Wire {
    address: SocketAddr,
    stop: Arc<Stop>,
}

impl Wire {
    pub(super) fn new(handle: &Handle, far: SocketAddr) -> Self {
        let listener = handle.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(Stop::default());
        let own = Arc::clone(&stop);
        handle.spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let stop = Arc::clone(&own);
                tokio::spawn(async move {
                    if carry(&mut near, far, &stop).await.is_err() {
                        // The program sees the reset that the sandbox made.
                        let _ = near.set_zero_linger();
                    }
                });
            }
        });
        Self { address, stop }
    }

    /// Where the program finds the sandbox.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request that begins so is stopped.
    pub(super) fn stop(&self, at: Where, begins: String) {
        self.stop.reached.store(false, Ordering::SeqCst);
        *self.stop.wanted.lock().unwrap() = Some((at, begins));
    }

    /// Has a request been stopped?
    pub(super) fn reached(&self) -> bool {
        self.stop.reached.load(Ordering::SeqCst)
    }

    /// What was stopped before it left goes on.
    pub(super) fn go_on(&self) {
        self.stop.go_on.notify_one();
    }

    /// Nothing more is to be stopped.
    pub(super) fn forget(&self) {
        *self.stop.wanted.lock().unwrap() = None;
    }
}

/// Carries requests and their answers until one side hangs up.
async fn carry(near: &mut TcpStream, far: SocketAddr, stop: &Stop) -> io::Result<()> {
    let mut far = TcpStream::connect(far).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    while let Some(request) = message(near).await? {
        let at = stop.of(&request);
        if at == Some(Where::Before) {
            stop.reached.store(true, Ordering::SeqCst);
            stop.go_on.notified().await;
        }
        if at == Some(Where::HalfSent) {
            far.write_all(half(&request)).await?;
            stop.reached.store(true, Ordering::SeqCst);
            return gone(near).await;
        }
        far.write_all(&request).await?;
        let answer = message(&mut far).await?.ok_or(io::ErrorKind::ConnectionReset)?;
        if at == Some(Where::HalfAnswered) {
            near.write_all(half(&answer)).await?;
            stop.reached.store(true, Ordering::SeqCst);
            return gone(near).await;
        }
        near.write_all(&answer).await?;
    }
    Ok(())
}

/// Until the program hangs up, as its death does.
async fn gone(near: &mut TcpStream) -> io::Result<()> {
    while near.read(&mut [0; 64]).await? > 0 {}
    Ok(())
}

/// A whole request or answer; none at the end of the line.
async fn message(from: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut all = Vec::new();
    let head = loop {
        if let Some(head) = head(&all) {
            break head;
        }
        if from.read_buf(&mut all).await? == 0 {
            return Ok(None);
        }
    };
    let text = String::from_utf8_lossy(&all[..head]).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let whole = head + length.map_or(0, |length| length.trim().parse().unwrap());
    while all.len() < whole {
        if from.read_buf(&mut all).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Some(all))
}

/// So long is the head of a message, if it is whole.
fn head(message: &[u8]) -> Option<usize> {
    message.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// A message up to the middle of its body.
fn half(message: &[u8]) -> &[u8] {
    let head = head(message).unwrap();
    &message[..head + (message.len() - head) / 2]
}

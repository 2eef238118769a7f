//! A server that answers by the path it is asked for, mostly badly. Answers are written by hand.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: crumb=1\r\n";
/// After this much of an endless body, nobody is going to stop reading.
const ENOUGH: usize = 64 * 1024 * 1024;
const DRIP: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    open: AtomicUsize,
    sent: AtomicUsize,
    heads: Mutex<String>,
    location: Mutex<String>,
}

impl Server {
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Ok(Self { address, seen, task })
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sets where `/elsewhere` leads.
    pub(super) fn lead_to(&self, url: &str) {
        url.clone_into(&mut lock(&self.seen.location));
    }

    pub(super) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// How many bytes of bodies were written.
    pub(super) fn sent(&self) -> usize {
        self.seen.sent.load(Ordering::SeqCst)
    }

    /// Every request head so far.
    pub(super) fn heads(&self) -> String {
        lock(&self.seen.heads).clone()
    }

    /// Whether the other side gives up all connections, given a second.
    pub(super) async fn all_closed(&self) -> bool {
        for _ in 0..50 {
            if self.seen.open.load(Ordering::SeqCst) == 0 {
                return true;
            }
            sleep(DRIP).await;
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(text: &Mutex<String>) -> MutexGuard<'_, String> {
    text.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(mut stream: TcpStream, seen: Arc<Seen>) {
    seen.connections.fetch_add(1, Ordering::SeqCst);
    seen.open.fetch_add(1, Ordering::SeqCst);
    // An error is the other side's end of the connection, which is what is waited for.
    let _ = answer(&mut stream, &seen).await;
    seen.open.fetch_sub(1, Ordering::SeqCst);
}

async fn answer(stream: &mut TcpStream, seen: &Seen) -> io::Result<()> {
    let head = read_head(stream).await?;
    lock(&seen.heads).push_str(&head);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let location = lock(&seen.location).clone();
    let whole = |head: &str, body: &str| {
        format!(
            "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    match path {
        "/fine" => stream.write_all(whole(HEAD, "{}").as_bytes()).await,
        "/html" => {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";
            stream.write_all(whole(head, "{}").as_bytes()).await
        }
        "/coded" => {
            let head = format!("{HEAD}Content-Encoding: gzip\r\n");
            stream.write_all(whole(&head, "{}").as_bytes()).await
        }
        "/redirect" => {
            let head = "HTTP/1.1 302 Found\r\nLocation: /fine\r\n";
            stream.write_all(whole(head, "").as_bytes()).await
        }
        "/elsewhere" => {
            let head = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\n");
            stream.write_all(whole(&head, "").as_bytes()).await
        }
        "/declared" => {
            let head = format!("{HEAD}Content-Length: {ENOUGH}\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            pour(stream, seen, false).await
        }
        "/endless" => {
            let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            pour(stream, seen, true).await
        }
        "/slow-head" => drip(stream, HEAD, "X-Filler: x\r\n").await,
        "/slow-body" => {
            let head = format!("{HEAD}Content-Length: 10000\r\n\r\n");
            drip(stream, &head, " ").await
        }
        _ => until_closed(stream).await,
    }
}

async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < 16 * 1024 {
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend(piece.iter().take(read));
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

async fn pour(stream: &mut TcpStream, seen: &Seen, chunked: bool) -> io::Result<()> {
    let body = [b' '; 4096];
    while seen.sent.load(Ordering::SeqCst) < ENOUGH {
        if chunked {
            stream.write_all(b"1000\r\n").await?;
        }
        stream.write_all(&body).await?;
        if chunked {
            stream.write_all(b"\r\n").await?;
        }
        seen.sent.fetch_add(body.len(), Ordering::SeqCst);
    }
    until_closed(stream).await
}

/// Sends a little, again and again, so that no timeout between two reads ever fires.
async fn drip(stream: &mut TcpStream, first: &str, again: &str) -> io::Result<()> {
    stream.write_all(first.as_bytes()).await?;
    loop {
        sleep(DRIP).await;
        stream.write_all(again.as_bytes()).await?;
    }
}

async fn until_closed(stream: &mut TcpStream) -> io::Result<()> {
    let mut rest = [0; 64];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

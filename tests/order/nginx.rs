//! A real nginx with a cache in front of a real server. The server is on loopback; nginx listens on a socket in its own
//! folder, so that no two of them ever want the same port.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use axum::Router;
use tokio::sync::oneshot;

/// An answer as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head
            .split(' ')
            .nth(1)
            .expect("a status")
            .parse()
            .expect("a number");
        Self {
            status,
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }

    /// The values of a field, joined.
    pub(crate) fn header(&self, name: &str) -> String {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let values: Vec<_> = lines
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value)
            .collect();
        values.join(", ")
    }

    /// Whether the cache answered by itself.
    pub(crate) fn is_hit(&self) -> bool {
        self.header("x-cache-status") == "hit"
    }
}

/// An application behind nginx. Dropping it ends both.
pub(crate) struct Cached {
    nginx: Child,
    folder: PathBuf,
    /// Dropping it ends the server.
    _stop: oneshot::Sender<()>,
}

impl Cached {
    /// Nothing where nginx is not installed.
    pub(crate) fn start(application: Router) -> Option<Self> {
        if Command::new("nginx")
            .arg("-v")
            .stderr(Stdio::null())
            .status()
            .is_err()
        {
            skipped();
            return None;
        }
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        let upstream = server.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        thread::spawn(move || serve(server, application, stopped));
        let folder = folder();
        fs::write(folder.join("nginx.conf"), configuration(&folder, upstream)).expect("a file");
        let nginx = Command::new("nginx")
            .arg("-p")
            .arg(&folder)
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let cached = Self {
            nginx,
            folder,
            _stop: stop,
        };
        cached.wait();
        Some(cached)
    }

    fn wait(&self) {
        let start = Instant::now();
        while self.connect().is_err() {
            if start.elapsed() > Duration::from_secs(10) {
                let log = fs::read_to_string(self.folder.join("error.log")).unwrap_or_default();
                panic!("nginx does not listen: {log}");
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn connect(&self) -> io::Result<UnixStream> {
        UnixStream::connect(self.folder.join("front.sock"))
    }

    /// Asks through the cache.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.0\r\nHost: app.test\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        let mut stream = self.connect().expect("nginx listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a socket");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        Answer::parse(&text)
    }
}

impl Drop for Cached {
    fn drop(&mut self) {
        // One process only: `master_process off`.
        let _ = self.nginx.kill();
        let _ = self.nginx.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[allow(clippy::print_stdout)] // Whoever reads the output of the run is told.
fn skipped() {
    let required = env::var_os("PORTCULLIS_TOOLS").is_some_and(|value| value == "required");
    assert!(!required, "nginx is not installed");
    println!("skipped: nginx is not installed");
}

fn serve(listener: TcpListener, application: Router, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    listener.set_nonblocking(true).expect("a socket");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        tokio::select! {
            served = async { axum::serve(listener, application).await } => served.expect("served"),
            _ = stopped => {}
        }
    });
}

fn folder() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("portcullis-order-{}-{number}", process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A cache that keeps whatever it is not forbidden to keep, errors included.
fn configuration(folder: &Path, upstream: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
master_process off;
pid nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    proxy_cache_path cache keys_zone=all:1m;
    server {{
        listen unix:{folder}/front.sock;
        location / {{
            proxy_pass http://{upstream};
            proxy_cache all;
            proxy_cache_valid any 60s;
            add_header X-Cache-Status $upstream_cache_status always;
        }}
    }}
}}
"
    )
}

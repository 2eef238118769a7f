//! A Redis server of the test's own: in a temporary folder, on a free loopback port, ended by its pid.

#![allow(dead_code)] // Each test file uses its part.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

use portcullis_core::Timestamp;

static SERVERS: AtomicU32 = AtomicU32::new(0);

#[derive(Debug)]
pub(crate) struct Server {
    folder: PathBuf,
    pub(crate) port: u16,
    settings: Vec<String>,
    running: Option<Child>,
}

impl Server {
    /// A server that answers and writes each change to the disk, or `None` with a word why.
    pub(crate) fn start(settings: &[&str]) -> Option<Self> {
        let found = Command::new("redis-server")
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        if found.is_err() {
            let required = env::var_os("PORTCULLIS_TOOLS").is_some_and(|value| value == "required");
            assert!(!required, "redis-server is required and not installed");
            eprintln!("skipped: redis-server is not installed");
            return None;
        }
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("portcullis-redis-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mut server = Self {
            folder,
            port: free_port(),
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            running: None,
        };
        server.run();
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Starts it again, on the same port, and waits until it answers.
    pub(crate) fn run(&mut self) {
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--appendonly", "yes", "--appendfsync", "always"]);
        command.arg("--dir").arg(&self.folder).args(&self.settings);
        let log = fs::File::create(self.folder.join("log")).expect("a log");
        command.stdin(Stdio::null()).stdout(log).stderr(Stdio::null());
        self.running = Some(command.spawn().expect("a server"));
        let until = Instant::now() + Duration::from_secs(30);
        while self.try_ask(&["PING"]).is_none() {
            assert!(Instant::now() < until, "the server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills it, and waits for its end.
    pub(crate) fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.kill();
            let _ = running.wait();
        }
    }

    fn try_ask(&self, words: &[&str]) -> Option<redis::Value> {
        TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let client = redis::Client::open(self.url()).ok()?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(2)).ok()?;
        let mut command = redis::cmd(words.first()?);
        for word in words.iter().skip(1) {
            command.arg(*word);
        }
        command.query(&mut connection).ok()
    }

    /// What the server answers to an administrator.
    pub(crate) fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let value = self.try_ask(words).expect("an answer");
        redis::from_redis_value(value).expect("as expected")
    }

    pub(crate) fn now(&self) -> Timestamp {
        let (seconds, micros): (u64, u64) = self.ask(&["TIME"]);
        Timestamp::from_unix(Duration::from_micros(seconds * 1_000_000 + micros))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Below the ports of outgoing connections, and so that a cluster's second port, 10000 higher, is one as well.
fn free_port() -> u16 {
    let number = u16::try_from(std::process::id() % 10_000).expect("small");
    let free = |port: &u16| {
        let both = (
            TcpListener::bind(("127.0.0.1", *port)),
            TcpListener::bind(("127.0.0.1", *port + 10_000)),
        );
        both.0.is_ok() && both.1.is_ok()
    };
    let mine = SERVERS.fetch_add(1, Ordering::Relaxed);
    let offset = u16::try_from(mine % 100).expect("small") * 37;
    let ports = (0..10_000).map(|step| 11_000 + (number + offset + step) % 10_000);
    ports.into_iter().find(free).expect("a port")
}

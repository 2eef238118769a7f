//! A PostgreSQL server of the test's own: in a temporary folder, on a free loopback port, ended by its pid.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

static SERVERS: AtomicU32 = AtomicU32::new(0);

#[derive(Debug)]
pub(crate) struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    running: Option<Child>,
}

impl Server {
    /// A server that answers, or `None` with a word why.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let required = env::var_os("PORTCULLIS_TOOLS").is_some_and(|value| value == "required");
            assert!(!required, "PostgreSQL is required and not installed");
            eprintln!("skipped: PostgreSQL is not installed under /usr/lib/postgresql");
            return None;
        };
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("portcullis-pg-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mut server = Self {
            programs,
            folder,
            port: free_port(),
            running: None,
        };
        server.make();
        server.run();
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable",
            self.port
        )
    }

    /// Starts it again, on the same port, and waits until it answers.
    pub(crate) fn run(&mut self) {
        let port = self.port.to_string();
        let mut server = self.program("postgres");
        server.arg("-D").arg(self.folder.join("data")).args(["-p", &port]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=on",
        ] {
            server.args(["-c", setting]);
        }
        let log = fs::File::create(self.folder.join("log")).expect("a log");
        server.stdout(Stdio::null()).stderr(log);
        self.running = Some(server.spawn().expect("a server"));
        let until = Instant::now() + Duration::from_secs(60);
        while !self.answers() {
            assert!(Instant::now() < until, "the server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as an administrator does who does not wait for clients, and waits for its end.
    pub(crate) fn stop(&mut self) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        let pid = running.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = running.wait();
    }

    /// Makes it one that follows another server, or none, from its next start on.
    #[allow(dead_code)] // Each test file uses its part.
    pub(crate) fn follow(&self, follows: bool) {
        let signal = self.folder.join("data/standby.signal");
        if follows {
            fs::write(signal, "").expect("a file");
        } else {
            fs::remove_file(signal).expect("it is there");
        }
    }

    fn answers(&self) -> bool {
        let port = self.port.to_string();
        let mut ask = self.program("pg_isready");
        ask.args(["-q", "-h", "127.0.0.1", "-p", &port]);
        ask.status().is_ok_and(|status| status.success())
    }

    fn make(&self) {
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(&self.folder).status();
            assert!(owned.is_ok_and(|status| status.success()), "no user postgres");
        }
        let mut make = self.program("initdb");
        make.args([
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]);
        make.arg("-D").arg(self.folder.join("data")).stdout(Stdio::null());
        assert!(make.status().is_ok_and(|status| status.success()), "no cluster");
    }

    /// A program of the server, as a user that it accepts. The pid is the program's own.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(&self.folder).stdin(Stdio::null());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The newest version's.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions
        .map(|entry| entry.path())
        .max_by_key(|path| version(path))?;
    let programs = newest.join("bin");
    programs.join("initdb").exists().then_some(programs)
}

fn is_root() -> bool {
    let owner = Command::new("id").arg("-u").output();
    owner.is_ok_and(|output| output.stdout == b"0\n")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

//! Real servers for one test: on a free loopback port, in a folder of their own, stopped by their process id.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs, or ran.
pub(crate) struct Server {
    child: Option<Child>,
    start: Box<dyn Fn() -> Command + Send>,
    pub(crate) port: u16,
    folder: TempDir,
}

impl Server {
    /// Starts what `start` says and waits until its port answers.
    fn new(folder: TempDir, port: u16, start: impl Fn() -> Command + Send + 'static) -> Self {
        let mut server = Self {
            child: None,
            start: Box::new(start),
            port,
            folder,
        };
        server.start();
        server
    }

    /// Starts it, or starts it again over the same data.
    pub(crate) fn start(&mut self) {
        let quiet = |command: &mut Command| {
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
        };
        self.child = Some(quiet(&mut (self.start)()).expect("the server starts"));
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                begun.elapsed() < PATIENCE,
                "the server does not listen: {}",
                self.log()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // PostgreSQL's children go with it only when it is asked to stop.
        if let Some(child) = &self.child {
            let id = child.id().to_string();
            let _ = Command::new("kill").args(["-INT", &id]).status();
            let begun = Instant::now();
            while let Some(child) = &mut self.child {
                if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) || begun.elapsed() > PATIENCE {
                    break;
                }
                thread::sleep(Duration::from_millis(10));
            }
        }
        self.kill();
    }
}

/// Whether a program is there. Where it has to be and is not, the test fails.
pub(crate) fn installed(program: &str) -> bool {
    let found = path_of(program).is_some();
    let required = env::var_os("PORTCULLIS_TOOLS").is_some_and(|value| value == "required");
    assert!(found || !required, "{program} is not installed");
    if !found {
        skipped(program);
    }
    found
}

#[allow(clippy::print_stdout)] // Whoever reads the output of the run is told.
fn skipped(program: &str) {
    println!("skipped: {program} is not installed");
}

/// Debian keeps PostgreSQL's programs in a folder for each version.
fn path_of(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let folders = env::split_paths(&path).chain(versions.map(|version| version.path().join("bin")));
    folders
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Redis that keeps what it was told, also over a crash. Nothing where it is not installed.
pub(crate) fn redis() -> Option<Server> {
    if !installed("redis-server") {
        return None;
    }
    let (folder, port) = (TempDir::new().expect("a folder"), free_port());
    let data = folder.path().to_owned();
    Some(Server::new(folder, port, move || {
        let mut command = Command::new(path_of("redis-server").expect("it is installed"));
        let port = port.to_string();
        command.args([
            "--port",
            &port,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "yes",
        ]);
        command
            .args([
                "--appendfsync",
                "always",
                "--maxmemory-policy",
                "noeviction",
                "--dir",
            ])
            .arg(&data);
        command
    }))
}

/// PostgreSQL with one database, `postgres`, for everybody on this machine. Nothing where it is not installed.
pub(crate) fn postgres() -> Option<Server> {
    if !installed("postgres") || !installed("initdb") {
        return None;
    }
    let (folder, port) = (TempDir::new().expect("a folder"), free_port());
    let data = folder.path().join("data");
    let user = give_to_postgres(folder.path());
    let mut init = as_user(&path_of("initdb").expect("it is installed"), user);
    init.args([
        "--auth=trust",
        "--username=postgres",
        "--encoding=UTF8",
        "--pgdata",
    ])
    .arg(&data);
    let output = init.output().expect("initdb runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(Server::new(folder, port, move || {
        let mut command = as_user(&path_of("postgres").expect("it is installed"), user);
        command
            .arg("-D")
            .arg(&data)
            .args(["-h", "127.0.0.1", "-p", &port.to_string()])
            .arg("-k")
            .arg(&data);
        command
    }))
}

/// It refuses to run as root: then as the user that Debian made for it.
fn give_to_postgres(folder: &Path) -> Option<(u32, u32)> {
    let numbers = |program: &str| -> Option<u32> {
        let output = Command::new("id").args([program, "postgres"]).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout == b"0\n");
    let user = root.then(|| numbers("-u").zip(numbers("-g"))).flatten()?;
    chown(folder, Some(user.0), Some(user.1)).expect("the folder is ours");
    Some(user)
}

fn as_user(program: &Path, user: Option<(u32, u32)>) -> Command {
    use std::os::unix::process::CommandExt;

    let mut command = Command::new(program);
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    // Whatever folder this runs in may be closed to that user.
    command.current_dir("/");
    command
}

/// nginx in front of some instances, each asked in turn. Nothing where it is not installed.
pub(crate) fn nginx(upstreams: &[&str]) -> Option<Server> {
    if !installed("nginx") {
        return None;
    }
    let (folder, port) = (TempDir::new().expect("a folder"), free_port());
    let servers: String = upstreams
        .iter()
        .map(|origin| format!("server {} max_fails=0;", origin.trim_start_matches("http://")))
        .collect();
    let here = folder.path().display();
    let configuration = format!(
        "daemon off; master_process off; pid {here}/pid; error_log {here}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {here}/body; proxy_temp_path {here}/proxy;
    fastcgi_temp_path {here}/fastcgi; uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;
    upstream instances {{ {servers} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://instances;
            proxy_set_header Host $http_host;
            proxy_next_upstream off;
        }}
    }}
}}
"
    );
    let file = folder.path().join("nginx.conf");
    fs::write(&file, configuration).expect("a file");
    let prefix = folder.path().to_owned();
    Some(Server::new(folder, port, move || {
        let mut command = Command::new(path_of("nginx").expect("it is installed"));
        command
            .arg("-p")
            .arg(&prefix)
            .arg("-c")
            .arg(&file)
            .args(["-e", "error.log"]);
        command
    }))
}

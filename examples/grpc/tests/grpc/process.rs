//! The real binary, started and stopped.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A running example. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    /// Where it listens: `127.0.0.1:…`.
    pub(crate) address: String,
    /// What it printed, up to the last line to paste.
    pub(crate) printed: String,
}

impl Process {
    /// Starts the binary on a free port and waits until it says that it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_grpc-example"))
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let last = match arguments {
            [] => "ends that stream",
            _ => "issuer",
        };
        let mut printed = String::new();
        let mut lines = BufReader::new(stdout).lines();
        for line in lines.by_ref() {
            let line = line.expect("stdout is text");
            printed.push_str(&line);
            printed.push('\n');
            if line.trim_start_matches("# ").starts_with(last) {
                break;
            }
        }
        if arguments.is_empty() {
            printed.push_str(&lines.next().expect("a line").expect("stdout is text"));
        }
        let address = printed
            .lines()
            .find_map(|line| line.strip_prefix("listening on "))
            .expect("it says where it listens")
            .to_owned();
        Self {
            child,
            address,
            printed,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

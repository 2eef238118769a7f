//! The real binary, started and stopped.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A running quickstart. Killed when dropped, unless it was stopped.
pub(crate) struct Quickstart {
    pub(crate) child: Child,
    /// Where it listens: `http://127.0.0.1:…`.
    pub(crate) origin: String,
    /// What it printed, up to the last curl line.
    printed: String,
}

/// A quickstart that is not running yet.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    command.args(arguments).stdin(Stdio::null());
    command
}

impl Quickstart {
    /// Starts the binary on a free port and waits until it says that it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::listening(command(arguments), !arguments.contains(&"--issuer"))
    }

    /// The same, as it is configured; and the key that it printed.
    #[cfg(unix)]
    pub(crate) fn start_as(started: Command) -> (Self, String) {
        let quickstart = Self::listening(started, true);
        let mut words = quickstart.printed.split_whitespace();
        let key = words.find(|word| word.starts_with("sk_demo_"));
        let key = key.expect("it prints a key").to_owned();
        (quickstart, key)
    }

    fn listening(mut started: Command, embedded: bool) -> Self {
        let mut child = started
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut printed = String::new();
        for line in BufReader::new(stdout).lines() {
            let line = line.expect("stdout is text");
            printed.push_str(&line);
            printed.push('\n');
            let last = if embedded {
                printed.matches("curl -i").count() == 6
            } else {
                line.starts_with("issuer")
            };
            if last {
                break;
            }
        }
        let origin = printed
            .lines()
            .find_map(|line| line.strip_prefix("listening on "))
            .expect("it says where it listens")
            .to_owned();
        Self {
            child,
            origin,
            printed,
        }
    }

    /// The curl lines: title, token, address.
    pub(crate) fn invitations(&self) -> Vec<(String, Option<String>, String)> {
        let mut lines = self.printed.lines().peekable();
        let mut found = Vec::new();
        while let Some(line) = lines.next() {
            let (Some(title), Some(curl)) = (line.strip_prefix("# "), lines.peek()) else {
                continue;
            };
            let token = curl
                .split_once("Bearer ")
                .and_then(|(_, rest)| rest.split_once('\''))
                .map(|(token, _)| token.to_owned());
            let address = curl.rsplit(' ').next().expect("an address").to_owned();
            found.push((title.to_owned(), token, address));
        }
        found
    }

    /// Asks it to stop by a signal, and says whether it went in peace.
    #[cfg(unix)]
    pub(crate) fn stop(mut self, signal: &str) -> bool {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([signal, &id])
            .status()
            .expect("kill runs");
        assert!(sent.success());
        self.child.wait().expect("it ends").success()
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

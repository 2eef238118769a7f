//! Mistakes on the command line are one clear line and exit code 2; a signal ends the program in peace.

use crate::support::{Quickstart, command};

/// The exit code and what was written to standard error.
fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = command(arguments).output().expect("the binary runs");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    (
        output.status.code(),
        String::from_utf8(output.stderr).expect("text"),
    )
}

#[test]
fn a_mistake_is_one_line_and_exit_code_2() {
    for (arguments, names) in [
        (&["--listen", "nowhere"][..], "--listen"),
        (&["--no-such-option"], "--no-such-option"),
        (&["--profile", "saml"], "--profile"),
        (&["--listen", "0.0.0.0:0"], "--issuer"),
        (&["--jwks-file", "keys.json"], "--issuer"),
        (
            &["--listen", "127.0.0.1:0", "--issuer", "http://127.0.0.1:9"],
            "https",
        ),
        (&["--listen", "127.0.0.1:0", "--issuer", "not a url"], "issuer"),
        (
            &[
                "--listen",
                "127.0.0.1:0",
                "--issuer",
                "https://i.example",
                "--jwks-file",
                "/nonexistent",
            ],
            "/nonexistent",
        ),
    ] {
        let (code, complaint) = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {complaint}");
        assert_eq!(complaint.lines().count(), 1, "{arguments:?}: {complaint}");
        assert!(complaint.contains(names), "{arguments:?}: {complaint}");
    }
}

/// A password in an address is nobody's business.
#[test]
fn a_store_that_cannot_be_used_is_one_line_and_exit_code_2() {
    for (store, names) in [
        ("ftp://hunter2@host", "memory, sqlite:PATH"),
        ("sqlite:", "memory, sqlite:PATH"),
        ("sqlite:/nonexistent/quickstart.db", "sqlite"),
        ("redis://:hunter2@127.0.0.1:9/", "redis"),
        ("postgres://user:hunter2@127.0.0.1:9/database", "postgresql"),
    ] {
        let (code, complaint) = run(&["--listen", "127.0.0.1:0", "--store", store]);
        assert_eq!(code, Some(2), "{store}: {complaint}");
        assert_eq!(complaint.lines().count(), 1, "{store}: {complaint}");
        assert!(
            complaint.contains(names) && !complaint.contains("hunter2"),
            "{complaint}"
        );
    }
}

#[test]
fn a_busy_port_is_one_line_and_exit_code_2() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let (code, complaint) = run(&["--listen", &address]);
    assert_eq!(code, Some(2));
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.contains(&address), "{complaint}");
}

#[test]
fn help_is_no_mistake() {
    let output = command(&["--help"]).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("--allow-http-loopback"));
}

#[cfg(unix)]
#[test]
fn sigterm_and_ctrl_c_end_it_in_peace() {
    for signal in ["-TERM", "-INT"] {
        assert!(Quickstart::start(&[]).stop(signal), "{signal}");
    }
}

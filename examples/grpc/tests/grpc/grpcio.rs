//! The official Python client (grpcio) against the running binary: a client that shares no code with the
//! server. Its virtual environment lives under the target folder and is made once; where that cannot be done,
//! the test says so and passes.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use portcullis_test::{HttpIssuer, Mode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::process::Process;
use crate::support::EVERY_SCOPE;

/// Long enough for a slow mirror, short enough to notice that there is no network.
const PATIENCE: Duration = Duration::from_secs(180);

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/grpcio")
        .join(name)
}

/// Runs a program to its end, or says in one line why not.
async fn run(program: impl AsRef<OsStr>, arguments: &[&OsStr], input: &str) -> Result<Output, String> {
    let name = program.as_ref().to_string_lossy().into_owned();
    let complain = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    let mut child = Command::new(program)
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| complain(&error))?;
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // An error means that the program ended without reading; its own output says why.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    match timeout(PATIENCE, child.wait_with_output()).await {
        Ok(output) => output.map_err(|error| complain(&error)),
        Err(_) => Err(complain(&"it takes too long")),
    }
}

/// As [`run`], and anything but success is a reason as well.
async fn prepare(program: impl AsRef<OsStr>, arguments: &[&OsStr]) -> Result<(), String> {
    let output = run(program, arguments, "").await?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let mut lines = said.lines().filter(|line| !line.is_empty());
    let error = lines.clone().find(|line| line.starts_with("ERROR"));
    Err(error
        .or_else(|| lines.next())
        .unwrap_or("no reason given")
        .to_owned())
}

/// A Python that has grpcio in the version of `requirements.txt`.
async fn python() -> Result<PathBuf, String> {
    let requirements = std::fs::read_to_string(script("requirements.txt")).expect("the requirements");
    let name = requirements.lines().next().expect("a requirement");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let environment = folder.join(name);
    if !environment.exists() {
        // Made under another name: one that was left half made is not taken for a finished one.
        let making = folder.join(format!("{name}-{}", std::process::id()));
        let made = make(&making).await;
        if made.is_err() || std::fs::rename(&making, &environment).is_err() {
            let _ = std::fs::remove_dir_all(&making);
        }
        made?;
    }
    Ok(environment.join("bin/python"))
}

async fn make(environment: &Path) -> Result<(), String> {
    let venv = ["-m", "venv"].map(OsStr::new);
    prepare("python3", &[&venv[..], &[environment.as_os_str()]].concat())
        .await
        .map_err(|why| format!("no virtual environment ({why})"))?;
    // Wheels only: grpcio takes a quarter of an hour to compile.
    #[rustfmt::skip]
    let install = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--retries", "1",
        "--timeout", "20", "--only-binary", ":all:", "--no-deps", "--requirement"].map(OsStr::new);
    let requirements = script("requirements.txt");
    let arguments = [&install[..], &[requirements.as_os_str()]].concat();
    prepare(environment.join("bin/python"), &arguments)
        .await
        .map_err(|why| format!("no grpcio ({why})"))
}

fn tokens(issuer: &HttpIssuer, other: &HttpIssuer) -> Value {
    let alice = || issuer.issuer().token().scope(EVERY_SCOPE);
    json!({
        "all": alice().build(),
        "scopeless": issuer.issuer().token().scope("profile").build(),
        "expired": alice().lifetime(-60).build(),
        "forged": alice().tampered_payload().build(),
        // Expired by the issuer's clock; the tolerance for clocks that differ leaves it ten seconds.
        "short": alice().lifetime(-20).build(),
        "of_the_other_issuer": other.issuer().token().scope(EVERY_SCOPE).build(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_python_client_sees_the_same_codes() {
    let python = match python().await {
        Ok(python) => python,
        Err(why) => {
            let required = std::env::var_os("PORTCULLIS_TOOLS").is_some_and(|value| value == "required");
            assert!(!required, "the official Python client: {why}");
            // Past the harness, which shows what a test prints only when it fails.
            let _ = writeln!(
                std::io::stderr(),
                "skipped: the official Python client: {why}; it needs python3, python3-venv (Debian names) and PyPI"
            );
            return;
        }
    };
    let (issuer, other) = (HttpIssuer::start().await, HttpIssuer::start().await);
    other.set_mode(Mode::Refused).await;
    let start =
        |issuer: &HttpIssuer| Process::start(&["--allow-http-loopback", "--issuer", &issuer.issuer_url()]);
    let (process, without_issuer) = (start(&issuer), start(&other));
    let given = json!({
        "address": process.address,
        "address_without_issuer": without_issuer.address,
        "tokens": tokens(&issuer, &other),
    });
    let output = run(python, &[script("check.py").as_os_str()], &given.to_string())
        .await
        .expect("the script runs");
    assert!(
        output.status.success() && output.stdout.ends_with(b"every check passed\n"),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

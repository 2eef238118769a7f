//! Mistakes that do not compile, and what the compiler says about them.
//!
//! Each file in `compile_fail/` makes one mistake; beside it stands the compiler's first error, reduced to
//! what the caller wrote and what they are told: `PORTCULLIS_BLESS=1 cargo test -p portcullis-tests --test
//! compile_fail` writes it.
//!
//! Cargo builds the files one at a time as the example `mistake`, from what this run has built already.
//! trybuild would build everything again in a folder of its own, aws-lc included: minutes instead of seconds.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("compile_fail")
}

/// What the compiler says about one file; nothing when it compiles.
fn first_error(file: &str) -> io::Result<Option<String>> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["rustc", "--quiet", "--message-format=json"])
        .args([
            "--package=portcullis-tests",
            "--example=mistake",
            "--",
            "--cfg=mistake",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("PORTCULLIS_MISTAKE", file)
        .output()?;
    if output.status.success() {
        return Ok(None);
    }
    let error = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| text(line, "/target/name") == "mistake" && text(line, "/message/level") == "error")
        .ok_or_else(|| io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))?;
    Ok(error.get("message").map(|message| reduced(message, file)))
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The message, the places in the mistaken file, and advice; nothing that moves when the crates change.
fn reduced(message: &Value, file: &str) -> String {
    let code = text(message, "/code/code");
    let mut said = format!("error[{code}]: {}\n", text(message, "/message"));
    let here = |span: &Value| text(span, "/file_name").ends_with(file);
    for span in list(message, "spans").iter().filter(|span| here(span)) {
        let line = span.get("line_start").and_then(Value::as_u64).unwrap_or_default();
        let _ = writeln!(said, "  {line}: {}", text(span, "/text/0/text").trim());
        match text(span, "/label") {
            "" => {}
            label => {
                let _ = writeln!(said, "     {label}");
            }
        }
    }
    for advice in list(message, "children") {
        let words = text(advice, "/message");
        // Where a long name was written down is somewhere else each time.
        let listing = [
            "the following other types",
            "the full name for the type",
            "consider using `--verbose`",
        ];
        let is_listing = listing.iter().any(|words_of| words.starts_with(words_of));
        if !is_listing && list(advice, "spans").iter().all(here) {
            let _ = writeln!(said, "{}: {words}", text(advice, "/level"));
        }
    }
    said
}

/// Whose words the kept messages are. Another compiler says them otherwise; the cure it must name too.
const BLESSED_BY: &str = "rustc 1.95.";

fn compiler() -> io::Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The cure that each trait's `on_unimplemented` promises, or what makes the mistake impossible.
const CURES: [(&str, &str); 36] = [
    (
        "a_follower_reads_a_log",
        "use the store of `portcullis-redis` or `portcullis-sqlx`",
    ),
    ("a_key_finder_must_find_keys", "FindApiKey"),
    ("a_new_key_is_shown_once", "moved"),
    ("a_new_key_is_not_displayed", "ShowOnce"),
    ("a_store_must_keep_records", "use `MemoryStore`"),
    ("a_guarded_object_is_not_read", "no field `title` on type"),
    ("a_guarded_object_is_not_serialized", "Guarded"),
    ("a_grant_is_not_made_up", "private"),
    ("a_grant_is_for_one_action", "CanDelete"),
    ("a_grant_is_used_once", "moved"),
    (
        "a_guarded_route_is_decided_about",
        "add `.needs::<R>()`, `.policy(name, policy)` or `.public()` after it",
    ),
    (
        "a_key_set_is_not_a_text",
        "use `StaticKeySet` for configured keys",
    ),
    ("a_fetch_must_send_requests", "or implement `Fetch`"),
    (
        "a_method_must_authenticate_requests",
        "pass a method such as `JwtBearer`",
    ),
    (
        "a_policy_must_decide",
        "write a closure `|caller: &Authentication<Principal>, resource: &()| -> Decision`",
    ),
    (
        "a_public_route_has_no_needs",
        "`.guarded(path, get(handler).public().post(…).needs::<R>())`",
    ),
    (
        "a_requirement_is_not_optional",
        "Option<Authorized<portcullis_core::SignedIn>>",
    ),
    (
        "a_requirement_must_decide",
        "use `SignedIn`, `SignedInUser`, `HasScope<S>` or `HasRole<R>`",
    ),
    ("a_revocation_list_must_know", "use `MemoryRevocations`"),
    ("a_ring_store_must_compare", "use `FileRingStore`"),
    (
        "a_route_needs_a_requirement",
        "use `SignedIn`, `SignedInUser`, `HasScope<S>` or `HasRole<R>`",
    ),
    (
        "a_route_says_who_may_call_it",
        "a method of this route says nothing about who may call it",
    ),
    ("a_role_must_have_a_name", "write `impl Role for Admin"),
    ("a_scope_must_have_a_name", "write `impl Scope for DocumentsRead"),
    (
        "a_scope_must_have_a_valid_name",
        "Scope::NAME is not a scope token",
    ),
    (
        "a_secret_is_not_displayed",
        "doesn't implement `std::fmt::Display`",
    ),
    (
        "a_signing_key_alone_does_not_sign",
        "use `MemorySigningKeys` for one process, `SharedSigningKeys` for several",
    ),
    ("a_style_must_render", "use `SignInRedirect` or `Grpc`"),
    (
        "a_token_place_is_not_a_header_name",
        "write a function `fn(&http::request::Parts)",
    ),
    ("a_time_is_not_a_clock", "use `SystemClock`"),
    ("an_authentication_is_not_written_down", "private"),
    (
        "any_is_not_declared_public",
        "`any` is public by `Gate::any_public(path, handler)` alone",
    ),
    (
        "any_is_not_public_by_accident",
        "`any` is public by `.any_public(path, handler)`",
    ),
    (
        "any_of_takes_a_tuple_of_methods",
        "not a tuple of two to eight authentication methods",
    ),
    ("claims_are_asserted_by_the_verifier_only", "is private"),
    (
        "secrets_are_not_compared_with_equals",
        "binary operation `==` cannot be applied",
    ),
];

/// T-ERR-2: evidence cannot be made up, secrets cannot be shown, and every refusal to compile says what to do.
#[test]
fn mistakes_do_not_compile_and_the_message_names_the_cure() -> io::Result<()> {
    let bless = env::var_os("PORTCULLIS_BLESS").is_some();
    let exact = compiler()?.starts_with(BLESSED_BY);
    let mut wrong = Vec::new();
    for (name, cure) in CURES {
        let Some(said) = first_error(&format!("{name}.rs"))? else {
            wrong.push(format!("{name}.rs compiles"));
            continue;
        };
        let path = folder().join(format!("{name}.stderr"));
        if bless {
            fs::write(&path, &said)?;
        }
        if !said.contains(cure) {
            wrong.push(format!("{name}.rs: `{cure}` is not said:\n{said}"));
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if said != expected && exact {
            wrong.push(format!(
                "{name}.rs: expected\n{expected}but the compiler says\n{said}"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn every_mistake_has_a_cure() -> io::Result<()> {
    let files = fs::read_dir(folder())?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    let stems: BTreeSet<_> = files
        .iter()
        .filter_map(|path| path.file_stem()?.to_str())
        .collect();
    assert_eq!(stems, CURES.map(|(name, _)| name).into_iter().collect());
    Ok(())
}

//! The kept fuzz corpus, replayed where nothing can be fuzzed: every parser, every kept input, the
//! same properties as the fuzz targets.

use std::path::Path;
use std::{fs, io};

#[allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::must_use_candidate
)] // A library to the fuzz package; meant to panic.
#[path = "fuzz/properties.rs"]
mod properties;

/// Feeds every kept input of `target` to `property`, which panics when it does not hold. Some must be
/// accepted and some refused, or the property would say nothing.
fn replay(target: &str, property: fn(&[u8]) -> bool) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let (mut accepted, mut refused) = (0, 0);
    for entry in fs::read_dir(&folder)? {
        let input = entry?.path();
        if property(&fs::read(&input)?) {
            accepted += 1;
        } else {
            refused += 1;
        }
    }
    assert!(
        accepted >= 3 && refused >= 5,
        "{target}: {accepted} accepted, {refused} refused"
    );
    Ok(())
}

/// T-DOS-4: `Bearer %`, bytes outside ASCII, nothing at all.
#[test]
fn authorization_holds_for_every_kept_input() -> io::Result<()> {
    replay("authorization", properties::authorization)
}

#[test]
fn challenge_holds_for_every_kept_input() -> io::Result<()> {
    replay("challenge", properties::challenge)
}

/// T-DOS-4: deep nesting, numbers that overflow, repeated members, broken text.
#[test]
fn tokens_hold_for_every_kept_input() -> io::Result<()> {
    replay("jws", properties::jws)
}

#[test]
fn keys_hold_for_every_kept_input() -> io::Result<()> {
    replay("jwk", properties::jwk)
}

#[test]
fn api_keys_hold_for_every_kept_input() -> io::Result<()> {
    replay("api_key", properties::api_key)
}

#[test]
fn cookies_hold_for_every_kept_input() -> io::Result<()> {
    replay("cookie", properties::cookie)
}

/// T-COOKIE-1
#[test]
fn sealed_values_hold_for_every_kept_input() -> io::Result<()> {
    replay("sealed", properties::sealed)
}

#[test]
fn digests_hold_for_every_kept_input() -> io::Result<()> {
    replay("digest", properties::digest)
}

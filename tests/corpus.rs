//! The kept fuzz corpus, replayed where nothing can be fuzzed: every parser, every kept input, the
//! same properties as the fuzz targets.

use std::path::Path;
use std::{fs, io};

#[allow(unreachable_pub, clippy::expect_used)] // A library to the fuzz package; meant to panic.
#[path = "fuzz/properties.rs"]
mod properties;

/// Feeds every kept input of `target` to `property`, which panics when it does not hold.
fn replay(target: &str, property: fn(&[u8])) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder)? {
        let input = entry?.path();
        property(&fs::read(&input)?);
        inputs += 1;
    }
    assert!(inputs >= 10, "{target} keeps only {inputs} inputs");
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

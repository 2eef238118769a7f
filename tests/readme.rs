//! The README says what is so: its example builds, its tables agree with the code, its links lead
//! somewhere.
//!
//! The example as a whole is compiled and run with the documentation of the facade, and the transcript is
//! compared with the quick start's own output by its tests.

use std::error::Error;
use std::path::Path;
use std::{fs, io};

use portcullis::{
    Algorithm, AuthErrorKind, AuthenticateLayer, ConfigError, JwtBearer, RemoteKeySet, ReqwestFetch,
    TrustedIssuer, Verifier,
};
use portcullis_tests::graph::root;
use portcullis_tests::{prose, sources};

const README: &str = include_str!("../README.md");

#[rustfmt::skip] // As it stands in the README.
fn configured() -> Result<AuthenticateLayer<JwtBearer>, ConfigError> {
    let issuer = "https://login.example.com";
    let keys = RemoteKeySet::discover(issuer).fetch(ReqwestFetch::new()?).build()?;
    let verifier = Verifier::builder()
        .issuer(TrustedIssuer::new(issuer, keys).algorithms(Algorithm::RECOMMENDED))
        .audience("https://api.example.com")
        .build()?; // fails without an audience, an issuer or algorithms
    let layer = AuthenticateLayer::required(JwtBearer::new(verifier)?);
    Ok(layer)
}

/// R2: what the README configures is accepted by the builders, not only by the compiler.
#[tokio::test]
async fn the_configuration_in_the_readme_is_accepted() -> Result<(), Box<dyn Error>> {
    let source = include_str!("readme.rs");
    let lines = source
        .split_once(
            "ConfigError> {
",
        )
        .and_then(|(_, rest)| {
            rest.split_once(
                "    Ok(layer)
",
            )
        })
        .map(|(lines, _)| lines)
        .ok_or("the configuration is gone from this file")?;
    assert!(
        README.contains(lines),
        "the README no longer configures
{lines}"
    );
    let _layer = configured()?;
    Ok(())
}

#[test]
fn the_wire_table_of_the_readme_is_the_one_of_the_code() {
    let kinds = [
        ("no credentials", AuthErrorKind::MissingCredentials),
        ("credentials that cannot be read", AuthErrorKind::InvalidRequest),
        ("credentials that do not hold", AuthErrorKind::InvalidCredentials),
        ("stronger or fresher", AuthErrorKind::StepUpRequired),
        ("more scope would grant", AuthErrorKind::InsufficientScope),
        ("denied", AuthErrorKind::Denied),
        ("too many attempts", AuthErrorKind::Throttled),
        ("cannot be decided", AuthErrorKind::Unavailable),
        ("wired wrongly", AuthErrorKind::Misconfigured),
    ];
    for (what, kind) in kinds {
        let wire = kind.wire();
        let row = README
            .lines()
            .find(|line| line.starts_with(&format!("| {what}")))
            .unwrap_or_default();
        assert!(
            row.contains(&format!("| {} |", wire.status.as_u16())),
            "{what}: {row}"
        );
        assert_eq!(row.contains("`Retry-After`"), wire.retry_after, "{what}: {row}");
        if let Some(error) = wire.error {
            assert!(row.contains(error), "{what}: {row}");
        }
    }
}

#[test]
fn the_map_of_the_readme_shows_every_crate() -> io::Result<()> {
    for entry in fs::read_dir(root().join("crates"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        assert!(
            README.contains(&format!("`{name}`")),
            "{name} is missing from the map"
        );
    }
    Ok(())
}

#[test]
fn a_link_that_leads_nowhere_is_noticed() {
    let links = prose::links("see [a](b/c.md#d), [e](https://f.test) and `[g](h)`\n```\n[i](j)\n```\n[k](l)");
    assert_eq!(links, ["b/c.md", "l"]);
}

#[test]
fn every_link_in_the_prose_leads_somewhere() -> io::Result<()> {
    let mut gone = Vec::new();
    for (path, content) in sources::pages(&root())? {
        let folder = root().join(&path);
        let folder = folder.parent().unwrap_or_else(|| Path::new("."));
        for link in prose::links(&content) {
            if !folder.join(&link).exists() {
                gone.push(format!("{path}: {link}"));
            }
        }
    }
    assert!(gone.is_empty(), "\n  {}\n", gone.join("\n  "));
    Ok(())
}

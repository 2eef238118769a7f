//! The floors: dependencies point down, evidence is asserted and statuses are named only where
//! listed, files stay short, and prose names no version that no manifest states.
//!
//! Every rule is a pure function in `support/`; below, each is first shown to refuse a bad picture
//! and then asked about the real one.

use std::io;

use portcullis_tests::floors;
use portcullis_tests::graph::{Kind, Member, Package, Workspace, root};
use portcullis_tests::prose::{self, Stated};
use portcullis_tests::sources::{self, Allowed, Source};

/// Who may state "this was checked". Each entry is a place to review.
const ASSERTIONS: &[Allowed] = &[
    Allowed::new(
        "crates/portcullis-apikey/src/known.rs",
        "the owner of a key, after its secret was compared and every rule held",
    ),
    Allowed::new(
        "crates/portcullis-jwt/src/claims/caller.rs",
        "a verified token's caller",
    ),
    Allowed::new(
        "crates/portcullis-jwt/src/verifier/judge.rs",
        "the claims, after every rule held",
    ),
    Allowed::new(
        "crates/portcullis-session/src/layer/service.rs",
        "a request's token, after it was compared with the session's",
    ),
    Allowed::new(
        "crates/portcullis-session/src/method.rs",
        "whoever signed in, as the record of a session that was found says",
    ),
    Allowed::new(
        "crates/portcullis-test/src/caller.rs",
        "a caller of a test, who is never checked: only the kit's own method believes it",
    ),
];

/// Who may name a status code. Refusals get theirs in the first place only.
const STATUSES: &[Allowed] = &[
    Allowed::new("crates/portcullis-core/src/error.rs", "the wire table"),
    Allowed::new(
        "crates/portcullis-tower/src/ledger/judge.rs",
        "101 is read there, and given by nobody",
    ),
    Allowed::new(
        "crates/portcullis-axum/src/jwks.rs",
        "304 and 405 are HTTP's own and no verdict about a caller",
    ),
    Allowed::new(
        "crates/portcullis-test/",
        "the kit plays the other side: it answers",
    ),
];

/// Pages with a date: they tell what was, and may name the versions it was about. ASVS numbers its requirements like
/// versions.
const DATED: &[&str] = &[
    "CHANGELOG.md",
    "docs/ASVS.md",
    "docs/COMPARE.md",
    "docs/PERFORMANCE.md",
];

fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n  {}\n", violations.join("\n  "));
}

fn crate_of(name: &str) -> Member {
    Member::new(name, &format!("crates/{name}"))
}

fn house(members: impl IntoIterator<Item = Member>) -> Workspace {
    let mut all: Vec<Member> = members.into_iter().collect();
    for name in [
        "portcullis",
        "portcullis-axum",
        "portcullis-core",
        "portcullis-fetch",
        "portcullis-jwks",
        "portcullis-jwt",
        "portcullis-oidc",
        "portcullis-redis",
        "portcullis-session",
        "portcullis-test",
        "portcullis-tower",
    ] {
        if !all.iter().any(|member| member.name == name) {
            all.push(crate_of(name));
        }
    }
    Workspace::new(all)
}

fn refuses(member: Member, sentence: &str) {
    let violations = floors::all(&house([member]));
    assert_eq!(violations, [sentence]);
}

fn accepts(member: Member) {
    assert_none(&floors::all(&house([member])));
}

#[test]
fn an_edge_that_points_down_is_accepted() {
    accepts(crate_of("portcullis-jwks").on("portcullis-jwt", Kind::Normal));
    accepts(crate_of("portcullis-axum").on("portcullis-core", Kind::Build));
    accepts(crate_of("portcullis-redis").on("portcullis-core", Kind::Normal));
    accepts(crate_of("portcullis-test").on("portcullis-axum", Kind::Normal));
}

#[test]
fn an_edge_that_points_up_or_sideways_is_refused() {
    for (from, to) in [
        ("portcullis-core", "portcullis-jwt"),
        ("portcullis-jwt", "portcullis-jwks"),
        ("portcullis-jwt", "portcullis-tower"),
        ("portcullis-jwks", "portcullis-session"),
        ("portcullis-session", "portcullis-oidc"),
        ("portcullis-tower", "portcullis-axum"),
        ("portcullis-axum", "portcullis"),
        ("portcullis-redis", "portcullis-session"),
        ("portcullis-session", "portcullis-redis"),
        ("portcullis", "portcullis-redis"),
        ("portcullis-test", "portcullis"),
    ] {
        for kind in [Kind::Normal, Kind::Build] {
            let sentence = format!("{from} -> {to} points up or sideways");
            refuses(crate_of(from).on(to, kind), &sentence);
        }
        if to != "portcullis-axum" {
            accepts(crate_of(from).on(to, Kind::Dev));
        }
    }
}

#[test]
fn only_login_may_look_sideways() {
    accepts(crate_of("portcullis-oidc").on("portcullis-jwks", Kind::Normal));
    accepts(crate_of("portcullis-oidc").on("portcullis-session", Kind::Normal));
    refuses(
        crate_of("portcullis-jwks").on("portcullis-oidc", Kind::Normal),
        "portcullis-jwks -> portcullis-oidc points up or sideways",
    );
}

#[test]
fn the_facade_takes_an_adapter_only_behind_a_feature() {
    let mut facade = crate_of("portcullis").on("portcullis-redis", Kind::Normal);
    for edge in &mut facade.edges {
        edge.optional = true;
    }
    accepts(facade);
}

#[test]
fn nobody_stands_on_an_example_or_on_these_tests() {
    for (name, folder) in [
        ("quickstart", "examples/quickstart"),
        ("portcullis-tests", "tests"),
    ] {
        let workspace = house([
            Member::new(name, folder).on("portcullis", Kind::Normal),
            crate_of("portcullis-jwt").on(name, Kind::Normal),
        ]);
        assert_eq!(
            floors::all(&workspace),
            [format!("portcullis-jwt -> {name} points up or sideways")]
        );
    }
}

#[test]
fn a_crate_without_a_floor_is_refused() {
    for member in [
        crate_of("portcullis-novelty"),
        crate_of("portcullis-"),
        crate_of("stranger"),
        Member::new("portcullis-jwt", "elsewhere/portcullis-jwt"),
    ] {
        let violations = floors::all(&house([member]));
        assert!(violations.concat().contains("has no floor"), "{violations:?}");
    }
}

#[test]
fn axum_below_floor_three_is_refused() {
    for name in ["axum", "axum-core", "axum-extra"] {
        accepts(crate_of("portcullis-axum").on(name, Kind::Normal));
        accepts(crate_of("portcullis-tower").on(name, Kind::Dev));
        for below in ["portcullis-tower", "portcullis-jwks", "portcullis-redis"] {
            refuses(
                crate_of(below).on(name, Kind::Normal),
                &format!("{below} names {name}, only floor 3 may"),
            );
        }
    }
}

#[test]
fn a_runtime_or_cryptography_within_reach_of_the_vocabulary_is_refused() {
    for name in ["tower", "tower-service", "tokio", "aws-lc-rs", "ring"] {
        let sentence = format!("portcullis-core reaches {name}");
        refuses(crate_of("portcullis-core").on(name, Kind::Normal), &sentence);
        refuses(crate_of("portcullis-core").reaching(&["http", name]), &sentence);
        accepts(crate_of("portcullis-core").on(name, Kind::Dev));
    }
    accepts(crate_of("portcullis-core").reaching(&["http", "towering", "ringbuffer"]));
}

#[test]
fn a_runtime_or_network_within_reach_of_verification_is_refused() {
    for name in ["tokio", "tokio-util", "reqwest", "hyper", "hyper-util"] {
        let sentence = format!("portcullis-jwt reaches {name}");
        refuses(crate_of("portcullis-jwt").on(name, Kind::Build), &sentence);
        refuses(crate_of("portcullis-jwt").reaching(&[name]), &sentence);
    }
    accepts(crate_of("portcullis-jwt").reaching(&["aws-lc-rs", "aws-lc-sys"]));
}

/// R14: no crate of ours takes part in the choice of jsonwebtoken's process-wide cryptography.
#[test]
fn a_cryptographic_backend_of_jsonwebtoken_is_refused() {
    let with = |features: &[&str], default_features: bool, kind: Kind| {
        let mut member = crate_of("portcullis-jwt").on("jsonwebtoken", kind);
        for edge in &mut member.edges {
            edge.default_features = default_features;
            edge.features = features.iter().map(|feature| (*feature).to_owned()).collect();
        }
        member
    };
    accepts(with(&[], false, Kind::Normal));
    for kind in [Kind::Normal, Kind::Build, Kind::Dev] {
        for feature in ["aws_lc_rs", "rust_crypto"] {
            let sentence = format!("portcullis-jwt enables jsonwebtoken/{feature}");
            refuses(with(&[feature], false, kind), &sentence);
        }
        refuses(
            with(&[], true, kind),
            "portcullis-jwt takes jsonwebtoken's default features",
        );
    }
    let mut forwarding = crate_of("portcullis-jwt");
    let on = vec!["jsonwebtoken?/rust_crypto".to_owned()];
    forwarding.features.insert("pure".to_owned(), on);
    refuses(
        forwarding,
        "portcullis-jwt's feature pure enables jsonwebtoken?/rust_crypto",
    );
}

#[test]
fn the_test_kit_is_for_tests_and_examples() {
    accepts(crate_of("portcullis-axum").on("portcullis-test", Kind::Dev));
    accepts(Member::new("quickstart", "examples/quickstart").on("portcullis-test", Kind::Normal));
    for member in [
        crate_of("portcullis-axum"),
        crate_of("portcullis-redis"),
        Member::new("portcullis-tests", "tests"),
    ] {
        let sentence = format!("{} ships portcullis-test to its users", member.name);
        refuses(member.on("portcullis-test", Kind::Normal), &sentence);
    }
    let unit_test = Source::new("crates/portcullis-jwt/src/a.rs", "use portcullis_test::Issuer;");
    assert_eq!(
        sources::test_kit(&[unit_test]),
        ["crates/portcullis-jwt/src/a.rs names the test kit"]
    );
}

#[test]
fn what_is_banned_or_comes_from_elsewhere_is_refused() {
    let crates_io = "registry+https://github.com/rust-lang/crates.io-index";
    let with = |name: &str, source: Option<&str>| {
        let mut workspace = house([]);
        workspace.packages.push(Package::new(name, source));
        floors::all(&workspace)
    };
    assert_none(&with("serde", Some(crates_io)));
    assert_none(&with("portcullis-core", None));
    for name in ["rsa", "openssl-sys", "jsonwebtoken"] {
        assert_eq!(with(name, Some(crates_io)), [format!("{name} is banned")]);
    }
    let elsewhere = "git+https://github.com/serde-rs/serde";
    assert_eq!(
        with("serde", Some(elsewhere)),
        [format!("serde comes from {elsewhere}")]
    );
}

#[test]
fn the_house_stands() -> Result<(), String> {
    let workspace = Workspace::load()?;
    // The picture is the real one: its oldest member, a declared edge, and one two steps away.
    let core = workspace
        .members
        .iter()
        .find(|member| member.name == "portcullis-core")
        .ok_or("portcullis-core is missing from the picture")?;
    assert_eq!(core.folder, "crates/portcullis-core");
    assert!(core.shipped().any(|edge| edge.to == "http"));
    assert!(core.reaches.contains("bytes"), "{:?}", core.reaches);
    assert!(!core.reaches.contains("proptest"), "dev-dependencies do not ship");
    assert!(workspace.packages.iter().any(|package| package.source.is_some()));
    assert_none(&floors::all(&workspace));
    Ok(())
}

#[test]
fn an_assertion_in_an_unlisted_place_is_refused() {
    let listed = [Allowed::new("crates/a/src/listed.rs", "it checks")];
    let calls = "fn f() { Authentication::<P>\n    ::assertion(p, m) }";
    let ok = || Source::new("crates/a/src/listed.rs", calls);
    assert_none(&sources::assertions(&[ok()], &listed));
    for bad in [
        calls,
        "VerifiedClaims::assertion(c)",
        "x.map(Authentication::assertion)",
    ] {
        let bad = Source::new("crates/a/src/other.rs", bad);
        assert_eq!(
            sources::assertions(&[ok(), bad], &listed),
            ["crates/a/src/other.rs asserts that something was checked"]
        );
    }
    for good in [
        "/// [`Authentication::assertion`]\nfn f() {}",
        "#[cfg(test)]\nmod tests { fn f() { Authentication::assertion(p, m); } }",
        "pub fn assertion(p: P) -> Self {}",
        "Client::assertion_type()",
    ] {
        let good = Source::new("crates/a/src/other.rs", good);
        assert_none(&sources::assertions(&[ok(), good], &listed));
    }
    assert_eq!(
        sources::assertions(&[], &listed),
        ["crates/a/src/listed.rs no longer asserts that something was checked; strike it off the list"]
    );
}

#[test]
fn a_status_named_outside_the_wire_table_is_refused() {
    let listed = [Allowed::new("crates/a/src/error.rs", "the table")];
    let table = || Source::new("crates/a/src/error.rs", "StatusCode::UNAUTHORIZED");
    for bad in [
        "*response.status_mut() = http::StatusCode::FORBIDDEN;",
        "StatusCode :: from_u16(401)",
        "Response::builder().status(401)",
    ] {
        let bad = Source::new("crates/a/src/layer.rs", bad);
        assert_eq!(
            sources::statuses(&[table(), bad], &listed),
            ["crates/a/src/layer.rs names a status code"]
        );
    }
    let good = Source::new(
        "crates/a/src/layer.rs",
        "builder.status(error.status()) // StatusCode::OK",
    );
    assert_none(&sources::statuses(&[table(), good], &listed));
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let long = "x\n".repeat(sources::MOST_LINES + 1);
    assert_eq!(sources::lengths(&[Source::new("a.rs", &long)]).len(), 1);
    let long_tests = format!("x\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
    assert_none(&sources::lengths(&[Source::new("a.rs", &long_tests)]));
}

#[test]
fn the_sources_keep_the_rules() -> io::Result<()> {
    let sources = sources::shipped(&root())?;
    let names = |path: &str| sources.iter().any(|source| source.path == path);
    assert!(names("crates/portcullis-core/src/error.rs"));
    assert!(!names("crates/portcullis-core/src/error/tests.rs"));
    for allowed in ASSERTIONS.iter().chain(STATUSES) {
        assert!(!allowed.because.is_empty(), "{} needs a reason", allowed.path);
    }
    assert_none(&sources::assertions(&sources, ASSERTIONS));
    assert_none(&sources::statuses(&sources, STATUSES));
    assert_none(&sources::test_kit(&sources));
    assert_none(&sources::lengths(&sources));
    Ok(())
}

#[test]
fn a_version_that_no_manifest_states_is_refused() {
    let mut stated = Stated::default();
    stated.family = "0.1.0".to_owned();
    stated.rust = "1.88".to_owned();
    stated.requirements = vec![("axum".to_owned(), "0.8".to_owned())];
    let check = |text: &str| prose::versions("README.md", text, &stated);
    for good in [
        "axum 0.8, Rust 1.88 and portcullis = \"0.1\"",
        "RFC 9110 §11.6.1, OAuth 2.1, TLS 1.3, HTTP/1.1",
        "listens on 127.0.0.1:3000",
        "version 0.1.0.",
        "took 1.5 s",
    ] {
        assert_none(&check(good));
    }
    for bad in [
        "axum 0.7",
        "Rust 1.85",
        "portcullis = \"0.2\"",
        "since v1.2",
        "tokio-rs 1.2.3",
        "`axum` 0.9.",
        "axum 0.80",
    ] {
        assert_eq!(check(bad).len(), 1, "{bad}");
    }
}

#[test]
fn prose_names_no_version_that_no_manifest_states() -> Result<(), String> {
    let stated = Stated::of(&Workspace::load()?);
    let pages = sources::pages(&root()).map_err(|error| error.to_string())?;
    let mut violations = Vec::new();
    for (path, content) in pages.iter().filter(|(path, _)| !DATED.contains(&path.as_str())) {
        violations.extend(prose::versions(path, content, &stated));
    }
    assert!(
        pages
            .iter()
            .any(|(path, _)| path == "crates/portcullis-core/README.md")
    );
    assert_none(&violations);
    Ok(())
}

//! Keys that stand elsewhere than in a store of the service: constants, a table of the application, another system.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // In a test.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use portcullis_apikey::{
    ApiKey, ApiKeys, Expiry, FindApiKey, FindError, FixedKey, ForeignKey, ForeignKeys, KeyId, KeysError,
    Rotation, StoredKey,
};
use portcullis_core::{AuthErrorKind, Principal, Secret, Timestamp};
use portcullis_seal::{Pepper, Peppers, SecretDigest, SystemRandomness};

use self::support::*;

fn generated() -> String {
    format()
        .generate(&SystemRandomness::new())
        .unwrap()
        .reveal()
        .expose()
        .clone()
}

/// As `sha256sum` prints it.
fn sha256sum(text: &str) -> String {
    let digest = SecretDigest::sha256(&Secret::new(text.to_owned())).to_text();
    let digest = digest.strip_prefix("sha256:").unwrap();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, digest).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_digest_of_a_test_is_that_of_sha256sum() {
    assert_eq!(
        sha256sum("test"),
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    );
}

#[tokio::test]
async fn a_constant_set_knows_its_keys_and_no_others() {
    let (deploy, other) = (generated(), generated());
    let fixed = |key: FixedKey| {
        let builder = ApiKeys::fixed(format(), [key])
            .unwrap()
            .clock(portcullis_test::ManualClock::default());
        builder.build().unwrap()
    };
    let key = || {
        FixedKey::new("deploy", &sha256sum(&deploy))
            .unwrap()
            .scopes(scopes("a"))
    };
    let keys = fixed(key());
    let caller = decide(&keys, &with_key(&deploy)).await.unwrap();
    assert_eq!(
        (caller.principal().subject(), caller.scopes()),
        ("deploy", &scopes("a"))
    );
    assert_eq!(caller.details::<ApiKey>().unwrap().name(), "deploy");
    assert_eq!(refusal(&keys, &with_key(&other)).await, (INVALID, "unknown_key"));
    assert_eq!(
        refusal(&keys, &with_key("anything-at-all-that-is-long")).await,
        (INVALID, "malformed_key")
    );

    let ended = fixed(key().expires_at(Timestamp::from_unix_seconds(1_800_000_000)));
    assert_eq!(refusal(&ended, &with_key(&deploy)).await, (INVALID, "expired"));
    let office = fixed(key().networks(["10.0.0.0/8".parse().unwrap()]));
    assert_eq!(
        refusal(&office, &with_key(&deploy)).await,
        (INVALID, "wrong_network")
    );
    let alices = fixed(key().owned_by(alice().principal().clone()));
    assert_eq!(
        decide(&alices, &with_key(&deploy)).await.unwrap().principal(),
        alice().principal()
    );
}

#[test]
fn a_constant_set_is_written_down_correctly() {
    let digest = sha256sum("x");
    assert!(FixedKey::new("deploy", &digest.to_uppercase()).is_ok());
    for bad in [
        "",
        "x",
        &digest[1..],
        &digest.replace(|c: char| c.is_ascii_digit(), "g"),
        &format!("{digest}0"),
    ] {
        assert!(FixedKey::new("deploy", bad).is_err(), "{bad}");
    }
    let key = || FixedKey::new("deploy", &digest).unwrap();
    assert!(ApiKeys::fixed(format(), [key()]).is_ok());
    assert!(ApiKeys::fixed(format(), [key(), key()]).is_err() && ApiKeys::fixed(format(), []).is_err());
}

fn id_of(key: &str) -> KeyId {
    key[8..24].parse().unwrap()
}

fn stored(key: &str, peppers: &Peppers) -> StoredKey {
    let digest = peppers.digest(&Secret::new(key.to_owned()));
    StoredKey::new(id_of(key), digest, Principal::new("https://issuer.test", "alice")).scopes(scopes("a"))
}

#[tokio::test]
async fn a_closure_looks_keys_up() {
    let key = generated();
    let row = stored(&key, &Peppers::none());
    let asked = Arc::new(AtomicUsize::new(0));
    let find = {
        let asked = Arc::clone(&asked);
        move |id: KeyId| {
            asked.fetch_add(1, Ordering::SeqCst);
            let found = (id == row.key().id()).then(|| row.clone());
            async move { Ok::<_, std::io::Error>(found) }
        }
    };
    let keys = ApiKeys::find(format(), find)
        .dangerous_without_owners()
        .build()
        .unwrap();
    assert!(passes(&keys, &key).await && passes(&keys, &key).await);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(
        refusal(&keys, &with_key(&generated())).await,
        (INVALID, "unknown_key")
    );
    assert_eq!(
        refusal(&keys, &with_key(&with_another_secret(&key))).await,
        (INVALID, "wrong_secret")
    );
}

struct Down;

#[async_trait]
impl FindApiKey for Down {
    async fn find_api_key(&self, _: KeyId) -> Result<Option<StoredKey>, FindError> {
        Err("the table cannot be reached".into())
    }
}

/// A table that answers with another key than was asked for.
struct Confused(StoredKey);

#[async_trait]
impl FindApiKey for Confused {
    async fn find_api_key(&self, _: KeyId) -> Result<Option<StoredKey>, FindError> {
        Ok(Some(self.0.clone()))
    }
}

#[tokio::test]
async fn a_table_that_cannot_say_is_503_and_one_that_says_something_else_is_not_believed() {
    let key = generated();
    let down = ApiKeys::find(format(), Down)
        .dangerous_without_owners()
        .build()
        .unwrap();
    assert_eq!(
        refusal(&down, &with_key(&key)).await,
        (AuthErrorKind::Unavailable, "api_keys_unavailable")
    );
    let right = ApiKeys::find(format(), Confused(stored(&key, &Peppers::none())));
    assert!(passes(&right.dangerous_without_owners().build().unwrap(), &key).await);
    let wrong = ApiKeys::find(format(), Confused(stored(&generated(), &Peppers::none())));
    let wrong = wrong.dangerous_without_owners().build().unwrap();
    assert_eq!(refusal(&wrong, &with_key(&key)).await, (INVALID, "unknown_key"));
}

fn peppers() -> Peppers {
    let secret = std::array::from_fn(|index| u8::try_from(index).unwrap());
    Peppers::builder()
        .current(Pepper::new(1, &Secret::new(secret)).unwrap())
        .build()
        .unwrap()
}

#[tokio::test]
async fn with_peppers_a_digest_without_one_opens_nothing() {
    let key = generated();
    let find = |row: StoredKey| {
        ApiKeys::find(format(), Confused(row))
            .dangerous_without_owners()
            .peppers(peppers())
    };
    assert!(passes(&find(stored(&key, &peppers())).build().unwrap(), &key).await);
    assert!(!passes(&find(stored(&key, &Peppers::none())).build().unwrap(), &key).await);
    let app = App::with(|builder| builder.peppers(peppers()));
    let (_, key) = app.key().await;
    assert!(passes(&app.keys(), &key).await);
    assert!(!passes(&app.keys(), &with_another_secret(&key)).await);
}

const OLD: &str = "acme-5b1d0c7a9f3e48d2b6a1c0e7f4d39a82";

fn foreign(key: &str) -> ForeignKey {
    let owner = alice().principal().clone();
    ForeignKey::new(&sha256sum(key), owner, "old", scopes("a"), Expiry::in_days(30)).known_as("acme-", "9a82")
}

fn looking_for(app: &App, keys: ForeignKeys) -> ApiKeys {
    app.service
        .method()
        .dangerous_without_owners()
        .foreign(keys)
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_imported_key_is_accepted_where_such_keys_are_looked_for() {
    let app = App::with(|builder| builder.peppers(peppers()));
    let imported = app.service.import(foreign(OLD)).await.unwrap();
    assert!(imported.id().is_foreign());
    let by_prefix = looking_for(&app, ForeignKeys::with_prefixes(["acme-"]).unwrap());
    let by_place = looking_for(&app, ForeignKeys::by_place());
    let caller = decide(&by_prefix, &with_key(OLD)).await.unwrap();
    assert_eq!(
        (caller.principal(), caller.scopes()),
        (alice().principal(), &scopes("a"))
    );
    assert!(passes(&by_place, OLD).await);
    for other in ["acme-5b1d0c7a9f3e48d2b6a1c0e7f4d39a83", "acme-"] {
        assert_eq!(
            refusal(&by_prefix, &with_key(other)).await,
            (INVALID, "unknown_key")
        );
    }
    let before = app.store.calls();
    assert_eq!(
        refusal(&app.keys(), &with_key(OLD)).await,
        (INVALID, "malformed_key")
    );
    assert_eq!(
        refusal(&by_prefix, &with_key("other-5b1d0c7a9f3e48d2")).await,
        (INVALID, "malformed_key")
    );
    assert_eq!(
        refusal(&by_place, &with_key(&"x".repeat(513))).await,
        (INVALID, "malformed_key")
    );
    assert_eq!(app.store.calls(), before);
    // Keys that are issued here go on beside them.
    let (_, key) = app.key().await;
    assert!(passes(&by_prefix, &key).await);
}

#[tokio::test]
async fn behind_bearer_an_imported_key_needs_a_prefix() {
    let app = App::new();
    app.service.import(foreign(OLD)).await.unwrap();
    let bearer = request(&[("authorization", &format!("Bearer {OLD}"))]);
    let by_prefix = looking_for(&app, ForeignKeys::with_prefixes(["acme-"]).unwrap())
        .as_bearer()
        .unwrap();
    assert!(decide(&by_prefix, &bearer).await.is_ok());
    let by_place = looking_for(&app, ForeignKeys::by_place()).as_bearer().unwrap();
    assert_eq!(
        refusal(&by_place, &bearer).await,
        (INVALID, "unrecognised_credentials")
    );
    for bad in [vec![], vec!["a"], vec!["acme ", "acme-"], vec!["äcme-"]] {
        assert!(
            ForeignKeys::with_prefixes(bad.iter().copied()).is_err(),
            "{bad:?}"
        );
    }
}

#[tokio::test]
async fn an_imported_key_is_listed_switched_and_revoked_but_not_rotated() {
    let app = App::new();
    let id = app.service.import(foreign(OLD)).await.unwrap().id();
    let keys = looking_for(&app, ForeignKeys::by_place());
    let listed = app.service.list(&alice()).await.unwrap();
    assert_eq!(
        (listed.len(), listed[0].id(), listed[0].last_four()),
        (1, id, "9a82")
    );
    assert!(passes(&keys, OLD).await);
    app.service.disable(&alice(), &id).await.unwrap();
    assert!(!passes(&keys, OLD).await);
    app.service.enable(&alice(), &id).await.unwrap();
    assert!(passes(&keys, OLD).await);
    let rotated = app.service.rotate(&alice(), &id, Rotation::default()).await;
    assert!(matches!(rotated, Err(KeysError::Invalid(_))));
    assert!(matches!(
        app.service.revoke(&person("bob"), &id).await,
        Err(KeysError::NotFound)
    ));
    app.service
        .revoke(&alice(), &id.to_string().parse().unwrap())
        .await
        .unwrap();
    assert!(!passes(&keys, OLD).await);
}

#[tokio::test]
async fn what_is_no_digest_or_was_imported_already_is_not_imported() {
    let app = App::new();
    app.service.import(foreign(OLD)).await.unwrap();
    assert!(matches!(
        app.service.import(foreign(OLD)).await,
        Err(KeysError::Invalid(_))
    ));
    let owner = alice().principal().clone();
    let no_digest = ForeignKey::new(OLD, owner, "old", scopes("a"), Expiry::in_days(30));
    assert!(matches!(
        app.service.import(no_digest).await,
        Err(KeysError::Invalid(_))
    ));
}

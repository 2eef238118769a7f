//! A ring in a directory: the contract, crashes, permissions.

// Helpers of tests panic as tests do.
#![allow(clippy::expect_used)]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_core::Secret;
use portcullis_jwks::{FileRingStore, Replaced, RingStore, RingVersion, SharedSigningKeys};
use portcullis_jwt::{Algorithm, SigningKeys};
use portcullis_test::ManualClock;

/// A directory of its own for each test, gone when the test is over.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let path = std::env::temp_dir().join(format!("portcullis-ring-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        let directory = Self(path);
        directory.set_mode(0o700);
        directory
    }

    fn set_mode(&self, mode: u32) {
        fs::set_permissions(&self.0, fs::Permissions::from_mode(mode)).expect("ours");
    }

    fn store(&self) -> FileRingStore {
        FileRingStore::in_directory(&self.0).expect("a private directory")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("readable");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("readable").file_name().into_string().expect("ASCII"))
            .collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn name(version: u64) -> String {
    format!("ring-{version:020}.json")
}

fn secret(text: &str) -> Secret<Vec<u8>> {
    Secret::new(text.as_bytes().to_vec())
}

async fn write(store: &FileRingStore, expected: Option<u64>, text: &str) -> Replaced {
    let expected = expected.map(RingVersion::new);
    store
        .replace(expected, secret(text))
        .await
        .expect("a private directory")
}

async fn found(store: &FileRingStore) -> Option<(u64, String)> {
    let stored = store.load().await.expect("a private directory")?;
    let text = String::from_utf8(stored.bytes().expose().clone()).expect("text");
    Some((stored.version().number(), text))
}

fn done(version: u64) -> Replaced {
    Replaced::Done(RingVersion::new(version))
}

/// T-SIGN-7
#[tokio::test]
async fn what_a_crash_leaves_behind_is_never_read_and_removed_by_the_next_writer() {
    let directory = Directory::new();
    let store = directory.store();
    assert_eq!(write(&store, None, "one").await, done(1));
    let left_behind = [
        "draft-00000000000000000002-00000000deadbeef".to_owned(),
        "ring-2.json".to_owned(),
        "ring-0000000000000000000x.json".to_owned(),
        "ring-00000000000000000002.json.tmp".to_owned(),
        "unrelated".to_owned(),
    ];
    for name in &left_behind {
        fs::write(directory.0.join(name), "ha").expect("ours");
    }
    assert_eq!(found(&store).await, Some((1, "one".to_owned())));
    assert_eq!(write(&store, Some(1), "two").await, done(2));
    assert_eq!(found(&store).await, Some((2, "two".to_owned())));
    let names = directory.names();
    assert!(!names.contains(&left_behind[0]), "{names:?}");
    assert!(names.contains(&"unrelated".to_owned()), "what is not ours stays");
}

/// T-SIGN-7
#[tokio::test]
async fn a_crash_between_naming_and_tidying_up_leaves_a_readable_ring() {
    let directory = Directory::new();
    let store = directory.store();
    assert_eq!(write(&store, None, "one").await, done(1));
    // The draft has its second name and still its first, and nothing was removed.
    let draft = directory.0.join("draft-00000000000000000002-0000000000000001");
    fs::write(&draft, "two").expect("ours");
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o600)).expect("ours");
    fs::hard_link(&draft, directory.0.join(name(2))).expect("ours");
    assert_eq!(found(&store).await, Some((2, "two".to_owned())));
    assert_eq!(write(&store, Some(1), "else").await, Replaced::Conflict);
    assert_eq!(write(&store, Some(2), "three").await, done(3));
    assert_eq!(directory.names(), [name(1), name(2), name(3)]);
}

#[tokio::test]
async fn the_last_three_versions_are_kept_and_files_are_their_owners_alone() {
    let directory = Directory::new();
    let store = directory.store();
    let mut last = None;
    for version in 1..=7 {
        assert_eq!(write(&store, last, "x").await, done(version));
        last = Some(version);
    }
    assert_eq!(directory.names(), [name(5), name(6), name(7)]);
    for name in directory.names() {
        let mode = fs::metadata(directory.0.join(name))
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

/// A writer that slept while others wrote so much that the name it wants is free again.
#[tokio::test]
async fn a_version_that_was_removed_is_not_made_again() {
    let directory = Directory::new();
    let store = directory.store();
    let mut last = None;
    for version in 1..=7 {
        assert_eq!(write(&store, last, "x").await, done(version));
        last = Some(version);
    }
    assert_eq!(write(&store, Some(1), "late").await, Replaced::Conflict);
    assert_eq!(write(&store, None, "late").await, Replaced::Conflict);
    assert_eq!(found(&store).await, Some((7, "x".to_owned())));
    assert_eq!(directory.names(), [name(5), name(6), name(7)]);
}

/// T-SIGN-7
#[tokio::test]
async fn a_directory_or_a_file_that_others_can_reach_is_refused() {
    let directory = Directory::new();
    let store = directory.store();
    assert_eq!(write(&store, None, "one").await, done(1));
    for mode in [0o750, 0o710, 0o705, 0o777] {
        directory.set_mode(mode);
        assert!(FileRingStore::in_directory(&directory.0).is_err(), "{mode:o}");
        assert!(store.load().await.is_err(), "{mode:o}");
        let refused = store.replace(Some(RingVersion::new(1)), secret("two")).await;
        assert!(refused.is_err(), "{mode:o}");
    }
    directory.set_mode(0o700);
    assert_eq!(found(&store).await, Some((1, "one".to_owned())));
    let file = directory.0.join(name(1));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("ours");
    assert!(store.load().await.is_err());
}

/// T-SIGN-7
/// Nothing that lies in the way of the last version stops the process, or is taken for a ring.
#[tokio::test]
async fn what_is_no_file_or_too_long_or_reached_by_a_dead_link_is_an_error() {
    let directory = Directory::new();
    let store = directory.store();
    assert_eq!(write(&store, None, "one").await, done(1));
    let next = directory.0.join(name(2));
    fs::create_dir(&next).expect("ours");
    fs::set_permissions(&next, fs::Permissions::from_mode(0o700)).expect("ours");
    assert!(store.load().await.is_err(), "a directory");
    fs::remove_dir(&next).expect("ours");
    let long = fs::File::create(&next).expect("ours");
    long.set_permissions(fs::Permissions::from_mode(0o600))
        .expect("ours");
    long.set_len(1 << 20).expect("sparse");
    assert_eq!(found(&store).await.map(|(version, _)| version), Some(2));
    long.set_len(1 << 40).expect("sparse");
    assert!(store.load().await.is_err(), "a terabyte");
    fs::remove_file(&next).expect("ours");
    std::os::unix::fs::symlink(directory.0.join("nothing"), &next).expect("ours");
    assert!(
        store.load().await.is_err(),
        "a link to nothing, and not an older ring"
    );
    fs::remove_file(&next).expect("ours");
    let socket = std::os::unix::net::UnixListener::bind(&next).expect("ours");
    fs::set_permissions(&next, fs::Permissions::from_mode(0o600)).expect("ours");
    assert!(store.load().await.is_err(), "a socket");
    drop(socket);
    fs::remove_file(&next).expect("ours");
    assert_eq!(found(&store).await, Some((1, "one".to_owned())));
}

/// T-SIGN-7
#[tokio::test]
async fn the_last_versions_that_can_be_counted_are_written_like_any_other() {
    let directory = Directory::new();
    let store = directory.store();
    let first = u64::MAX - 2;
    fs::write(directory.0.join(name(first)), "one").expect("ours");
    fs::set_permissions(directory.0.join(name(first)), fs::Permissions::from_mode(0o600)).expect("ours");
    assert_eq!(write(&store, Some(first), "two").await, done(first + 1));
    assert_eq!(write(&store, Some(first + 1), "three").await, done(first + 2));
    let over = store
        .replace(Some(RingVersion::new(u64::MAX)), secret("four"))
        .await;
    assert!(over.is_err(), "and then there are none left");
    assert_eq!(found(&store).await, Some((u64::MAX, "three".to_owned())));
}

/// T-SIGN-2
/// The directory is emptied while one instance runs, and another one starts.
#[tokio::test]
async fn an_emptied_directory_makes_no_second_issuer() {
    let directory = Directory::new();
    let clock = ManualClock::default();
    let open = || {
        SharedSigningKeys::builder(directory.store(), Algorithm::Es256)
            .clock(clock.clone())
            .open()
    };
    let published = |keys: &SharedSigningKeys| keys.current().expect("in touch").jwks();
    let a = open().await.expect("a ring");
    let before = published(&a);
    fs::remove_file(directory.0.join(name(1))).expect("ours");
    assert!(a.maintain().await.is_err());
    assert_eq!(published(&a), before);
    assert!(directory.names().is_empty(), "nothing was written");
    let b = open().await.expect("nobody told it of another ring");
    clock.advance(std::time::Duration::from_secs(1));
    a.maintain().await.expect("there is one");
    assert_eq!(published(&a), published(&b), "both are version 1, and differ");
    assert_ne!(published(&a), before);
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_an_error_and_not_an_empty_store() {
    let directory = Directory::new();
    let store = directory.store();
    assert_eq!(found(&store).await, None);
    let missing = directory.0.join("missing");
    assert!(FileRingStore::in_directory(&missing).is_err());
    let file = directory.0.join("file");
    fs::write(&file, "").expect("ours");
    assert!(FileRingStore::in_directory(&file).is_err());
    fs::remove_dir_all(Path::new(&directory.0)).expect("ours");
    assert!(store.load().await.is_err());
}

#[tokio::test]
async fn two_processes_share_one_directory() {
    let directory = Directory::new();
    let clock = ManualClock::default();
    let open = || {
        SharedSigningKeys::builder(directory.store(), Algorithm::Es256)
            .clock(clock.clone())
            .open()
    };
    let (a, b) = tokio::join!(open(), open());
    let (a, b) = (a.expect("a ring"), b.expect("a ring"));
    let published = |keys: &SharedSigningKeys| keys.current().expect("just opened").jwks();
    assert_eq!(published(&a), published(&b));
    a.rotate().await.expect("none waits");
    assert_ne!(published(&a), published(&b));
    b.maintain().await.expect("it is there");
    assert_eq!(published(&a), published(&b));
}

/// T-SIGN-2, T-SIGN-7
#[cfg(feature = "contract")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_in_files_keeps_the_contract() {
    let directory = Directory::new();
    let kept = portcullis_jwks::contract::check(|| directory.store()).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
    let names = directory.names();
    assert_eq!(names.len(), 3, "{names:?}");
}

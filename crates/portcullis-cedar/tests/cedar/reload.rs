//! Policies that are exchanged while they are asked.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, process};

use portcullis_cedar::{
    CedarEntity, CedarErrorKind, CedarFile, CedarPolicies, EntityRef, FileCheck, MOST_BYTES, Record,
};
use portcullis_core::{Decision, Policy};

use crate::support::{PERMIT, SCHEMA, Thing, denied, person, policies};

const FORBID: &str = "forbid (principal, action, resource);";

fn ask(policies: &CedarPolicies) -> Decision {
    let action = policies.action("use").expect("an action");
    action.decide(&person("alice"), &Thing)
}

#[test]
fn valid_policies_take_the_place_of_the_old_ones_for_every_clone_and_action() {
    let policies = policies(PERMIT).expect("valid");
    let (clone, action) = (policies.clone(), policies.action("use").expect("an action"));
    assert_eq!((policies.generation(), ask(&clone)), (1, Decision::Granted));
    assert_eq!(policies.reload(FORBID).expect("valid"), 2);
    assert_eq!((clone.generation(), ask(&clone)), (2, denied("cedar_forbidden")));
    assert_eq!(action.decide(&person("alice"), &Thing), denied("cedar_forbidden"));
}

#[test]
fn policies_that_are_not_valid_leave_everything_as_it_was() {
    for bad in [
        "",
        "forbid",
        "forbid (principal is Nobody, action, resource);",
        "forbid (principal == ?principal, action, resource);",
    ] {
        let policies = policies(PERMIT).expect("valid");
        assert!(policies.reload(bad).is_err(), "{bad}");
        assert_eq!((policies.generation(), ask(&policies)), (1, Decision::Granted));
        assert_eq!(policies.reload(FORBID).expect("valid"), 2);
    }
    let policies = policies(PERMIT).expect("valid");
    let large = format!("{FORBID}{}", " ".repeat(MOST_BYTES));
    let error = policies.reload(&large).expect_err("large");
    assert_eq!(
        (error.kind(), ask(&policies)),
        (CedarErrorKind::TooLarge, Decision::Granted)
    );
}

/// Reloads while it is being described, which is in the middle of a decision.
struct Reloading(CedarPolicies);

impl CedarEntity for Reloading {
    fn uid(&self) -> EntityRef {
        EntityRef::new("Thing", "1")
    }

    fn attributes(&self) -> Record {
        self.0.reload(FORBID).expect("valid");
        Thing::record()
    }
}

#[test]
fn a_decision_under_way_is_made_by_the_set_it_began_with() {
    let policies = policies(PERMIT).expect("valid");
    let action = policies.action("use").expect("an action");
    let alice = person("alice");
    assert_eq!(
        action.decide(&alice, &Reloading(policies.clone())),
        Decision::Granted
    );
    assert_eq!(policies.generation(), 2);
    assert_eq!(action.decide(&alice, &Thing), denied("cedar_forbidden"));
}

#[test]
fn reloads_at_the_same_time_count_one_after_the_other() {
    let policies = policies(PERMIT).expect("valid");
    let mut generations: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| policies.reload(FORBID).expect("valid")))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    generations.sort_unstable();
    assert_eq!(generations, (2..10).collect::<Vec<_>>());
    assert_eq!(policies.generation(), 9);
}

/// A folder of one test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("portcullis-cedar-{}-{count}", process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn followed(folder: &Folder) -> (CedarPolicies, CedarFile, PathBuf) {
    let schema = folder.write("app.cedarschema", SCHEMA);
    let path = folder.write("app.cedar", PERMIT);
    let policies = CedarPolicies::from_files(schema, &path).expect("valid files");
    let file = CedarFile::new(policies.clone(), &path);
    (policies, file, path)
}

fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::write(path, text).expect("written");
}

#[test]
fn a_change_is_taken_over_once_it_was_seen_twice() {
    let folder = Folder::new();
    let (policies, file, path) = followed(&folder);
    assert_eq!(file.check().expect("readable"), FileCheck::Unchanged);
    write(&path, FORBID);
    assert_eq!(file.check().expect("readable"), FileCheck::Settling);
    assert_eq!(ask(&policies), Decision::Granted);
    assert_eq!(file.check().expect("valid"), FileCheck::Reloaded(2));
    assert_eq!(ask(&policies), denied("cedar_forbidden"));
    assert_eq!(file.check().expect("readable"), FileCheck::Unchanged);
}

/// The first half of the file is valid, and lets everybody in: its `forbid` is still to come.
#[test]
fn a_half_written_file_keeps_the_old_policies() {
    let folder = Folder::new();
    let (policies, file, path) = followed(&folder);
    let (half, whole) = (format!("// new\n{PERMIT}"), format!("// new\n{PERMIT}{FORBID}"));
    for text in ["", "// n", half.as_str(), whole.as_str()] {
        write(&path, text);
        assert_eq!(file.check().expect("readable"), FileCheck::Settling, "{text}");
        assert_eq!(policies.generation(), 1);
    }
    assert_eq!(file.check().expect("valid"), FileCheck::Reloaded(2));
    assert_eq!(ask(&policies), denied("cedar_forbidden"));
}

#[test]
fn a_bad_file_keeps_the_old_policies_and_says_so_until_it_is_mended() {
    let folder = Folder::new();
    let (policies, file, path) = followed(&folder);
    write(&path, "permit (principal is Nobody, action, resource);");
    assert_eq!(file.check().expect("readable"), FileCheck::Settling);
    for _ in 0..3 {
        assert_eq!(file.check().expect_err("bad").kind(), CedarErrorKind::Validation);
        assert_eq!((policies.generation(), ask(&policies)), (1, Decision::Granted));
    }
    write(&path, PERMIT);
    assert_eq!(file.check().expect("as before"), FileCheck::Unchanged);
    write(&path, FORBID);
    assert_eq!(file.check().expect("readable"), FileCheck::Settling);
    assert_eq!(file.check().expect("valid"), FileCheck::Reloaded(2));
}

#[test]
fn a_file_that_cannot_be_read_keeps_the_old_policies() {
    let folder = Folder::new();
    let (policies, file, path) = followed(&folder);
    fs::remove_file(&path).expect("removed");
    assert_eq!(file.check().expect_err("gone").kind(), CedarErrorKind::Unreadable);
    fs::create_dir(&path).expect("a folder");
    assert_eq!(
        file.check().expect_err("a folder").kind(),
        CedarErrorKind::Unreadable
    );
    fs::remove_dir(&path).expect("removed");
    write(&path, [0xff, 0xfe]);
    assert_eq!(
        file.check().expect_err("not UTF-8").kind(),
        CedarErrorKind::Unreadable
    );
    write(&path, " ".repeat(MOST_BYTES + 1));
    assert_eq!(file.check().expect_err("large").kind(), CedarErrorKind::TooLarge);
    assert_eq!((policies.generation(), ask(&policies)), (1, Decision::Granted));
    write(&path, FORBID);
    assert_eq!(file.check().expect("readable"), FileCheck::Settling);
    assert_eq!(file.check().expect("valid"), FileCheck::Reloaded(2));
}

#[test]
fn a_signal_takes_the_file_over_at_once_if_it_is_valid() {
    let folder = Folder::new();
    let (policies, file, path) = followed(&folder);
    assert_eq!(file.reload().expect("readable"), FileCheck::Unchanged);
    write(&path, "forbid");
    assert_eq!(file.reload().expect_err("bad").kind(), CedarErrorKind::Syntax);
    assert_eq!(ask(&policies), Decision::Granted);
    write(&path, FORBID);
    assert_eq!(file.reload().expect("valid"), FileCheck::Reloaded(2));
    assert_eq!(ask(&policies), denied("cedar_forbidden"));
}

#[test]
fn files_that_are_missing_at_the_start_are_an_error() {
    let folder = Folder::new();
    let schema = folder.write("app.cedarschema", SCHEMA);
    let path = folder.write("app.cedar", PERMIT);
    assert!(CedarPolicies::from_files(&schema, &path).is_ok());
    for (schema, path) in [(&schema, &folder.0.join("no")), (&folder.0.join("no"), &path)] {
        let error = CedarPolicies::from_files(schema, path)
            .map(drop)
            .expect_err("missing");
        assert_eq!(error.kind(), CedarErrorKind::Unreadable, "{error}");
    }
}

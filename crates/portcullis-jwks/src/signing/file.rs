//! A ring in a directory that several processes have in common.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use portcullis_core::Secret;

use super::{Replaced, RingStore, RingStoreError, RingVersion, StoredRing};

/// How many versions are kept, the last one included: a reader that has just listed them still finds the
/// one it chose.
const KEPT: u64 = 3;

/// Longer than any ring is.
const LONGEST: u64 = 1 << 20;

/// How often a reader that was overtaken looks again.
const LOOKS: usize = 16;

/// A [`RingStore`] in a directory: one file for each version, of which the greatest counts.
///
/// For instances on one machine, or on one volume that has hard links and creates them atomically: local
/// file systems, NFS. Not for object stores that look like file systems.
///
/// A version is written to a file of another name, synced, and then given its own name with a hard link,
/// which fails where that name exists. So a version is there whole or not at all, only one writer makes it,
/// and a crash at any point leaves the last one in place. What a crash leaves behind is never read, and
/// removed by the next writer. All but the last three versions are removed.
///
/// # What this trusts
///
/// The directory and everybody who can read it: the keys are in the clear. On Unix, files are readable by
/// their owner only, and a directory or a file that group or others can reach is refused. Who the owner is
/// is not checked: a service that runs as root takes a directory of anybody.
#[derive(Clone, Debug)]
pub struct FileRingStore {
    directory: PathBuf,
}

impl FileRingStore {
    /// Keeps the ring in `directory`, which exists and, on Unix, has the mode 0700. Nothing else should be
    /// in it.
    ///
    /// # Errors
    ///
    /// When it does not exist, is no directory, or can be reached by group or others.
    pub fn in_directory(directory: impl Into<PathBuf>) -> Result<Self, RingStoreError> {
        let store = Self {
            directory: directory.into(),
        };
        store.check_directory()?;
        Ok(store)
    }

    fn check_directory(&self) -> Result<(), RingStoreError> {
        let metadata = fs::metadata(&self.directory)
            .map_err(|error| self.failed("the directory of the ring cannot be looked at", error))?;
        if !metadata.is_dir() {
            return Err(RingStoreError::new("the place of the ring is no directory"));
        }
        check_private(&metadata, "the directory of the ring")
    }

    fn failed(&self, what: &str, error: io::Error) -> RingStoreError {
        let place = self.directory.display();
        RingStoreError::new(format!("{what}: {place}")).with_source(error)
    }

    fn path(&self, version: u64) -> PathBuf {
        self.directory.join(format!("ring-{version:020}.json"))
    }

    /// The versions that are there, and the files that writers left behind.
    fn list(&self) -> io::Result<Listed> {
        let (mut versions, mut drafts) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if let Some(version) = version_of(name) {
                versions.push(version);
            } else if let Some(version) = draft_of(name) {
                drafts.push((version, entry.path()));
            }
        }
        versions.sort_unstable();
        Ok(Listed { versions, drafts })
    }

    fn last(&self) -> Result<Option<u64>, RingStoreError> {
        let listed = self
            .list()
            .map_err(|error| self.failed("the ring cannot be listed", error))?;
        Ok(listed.versions.last().copied())
    }

    fn load_now(&self) -> Result<Option<StoredRing>, RingStoreError> {
        self.check_directory()?;
        for _ in 0..LOOKS {
            let Some(version) = self.last()? else {
                return Ok(None);
            };
            match read(&self.path(version)) {
                Ok(bytes) => return Ok(Some(StoredRing::new(RingVersion::new(version), bytes))),
                // Others wrote so many since it was listed that it is gone.
                Err(Unread::Gone) => {}
                Err(Unread::Store(error)) => return Err(error),
                Err(Unread::Io(error)) => return Err(self.failed("the ring cannot be read", error)),
            }
        }
        Err(RingStoreError::new("the ring changes faster than it can be read"))
    }

    fn replace_now(
        &self,
        expected: Option<RingVersion>,
        bytes: &Secret<Vec<u8>>,
    ) -> Result<Replaced, RingStoreError> {
        self.check_directory()?;
        let expected = expected.map(RingVersion::number);
        if self.last()? != expected {
            return Ok(Replaced::Conflict);
        }
        match expected.unwrap_or(0).checked_add(1) {
            Some(next) => self.create(next, bytes),
            None => Err(RingStoreError::new("there are no versions left")),
        }
    }

    /// Creates the version `next`, whose predecessor was the last one when somebody looked.
    fn create(&self, next: u64, bytes: &Secret<Vec<u8>>) -> Result<Replaced, RingStoreError> {
        let failed = |error| self.failed("the ring cannot be written", error);
        let draft = self.draft(next)?;
        let linked = write_draft(&draft, bytes).and_then(|()| fs::hard_link(&draft, self.path(next)));
        // What cannot be removed now is removed by the next writer.
        let _ = fs::remove_file(&draft);
        match linked {
            Ok(()) => {}
            // The draft is gone when a later version was there before: others tidied up.
            Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => {
                return Ok(Replaced::Conflict);
            }
            Err(error) => return Err(failed(error)),
        }
        sync_directory(&self.directory).map_err(failed)?;
        let listed = self.list().map_err(failed)?;
        // So many others in the meantime that the name was free again because it had been removed.
        let overtaken = listed.versions.last().is_some_and(|last| is_old(next, *last));
        tidy(&listed, |version| self.path(version));
        Ok(if overtaken {
            Replaced::Conflict
        } else {
            Replaced::Done(RingVersion::new(next))
        })
    }

    fn draft(&self, version: u64) -> Result<PathBuf, RingStoreError> {
        let random = getrandom::u64()
            .map_err(|error| RingStoreError::new("there is no randomness").with_source(error.to_string()))?;
        Ok(self.directory.join(format!("draft-{version:020}-{random:016x}")))
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, RingStoreError> + Send + 'static,
    ) -> Result<T, RingStoreError> {
        let store = self.clone();
        let work = tokio::task::spawn_blocking(move || work(&store));
        work.await
            .unwrap_or_else(|error| Err(RingStoreError::new("the work was given up").with_source(error)))
    }
}

#[async_trait]
impl RingStore for FileRingStore {
    async fn load(&self) -> Result<Option<StoredRing>, RingStoreError> {
        self.off_thread(Self::load_now).await
    }

    async fn replace(
        &self,
        expected: Option<RingVersion>,
        bytes: Secret<Vec<u8>>,
    ) -> Result<Replaced, RingStoreError> {
        self.off_thread(move |store| store.replace_now(expected, &bytes))
            .await
    }
}

/// The version a file holds, by its name alone: exactly `ring-<20 digits>.json`.
fn version_of(name: &str) -> Option<u64> {
    digits(name.strip_prefix("ring-")?.strip_suffix(".json")?)
}

/// The version a draft was meant to become: `draft-<20 digits>-<anything>`.
fn draft_of(name: &str) -> Option<u64> {
    let (version, _) = name.strip_prefix("draft-")?.split_once('-')?;
    digits(version)
}

fn digits(text: &str) -> Option<u64> {
    let all = text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

enum Unread {
    Gone,
    Store(RingStoreError),
    Io(io::Error),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::Gone,
            _ => Self::Io(error),
        }
    }
}

fn read(path: &Path) -> Result<Secret<Vec<u8>>, Unread> {
    // Before it is opened, which would wait for whoever writes to a pipe; and again when it is open.
    check_file(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    check_file(&metadata)?;
    // As long as it can get, so that no shorter copy is left behind when it grows.
    let capacity = usize::try_from(metadata.len()).unwrap_or(0).saturating_add(1);
    let mut bytes = Vec::with_capacity(capacity);
    let done = file.take(LONGEST).read_to_end(&mut bytes);
    let bytes = Secret::new(bytes);
    done?;
    Ok(bytes)
}

fn check_file(metadata: &fs::Metadata) -> Result<(), Unread> {
    if !metadata.is_file() || metadata.len() > LONGEST {
        let error = RingStoreError::new("the file of the ring is no file, or longer than a megabyte");
        return Err(Unread::Store(error));
    }
    check_private(metadata, "the file of the ring").map_err(Unread::Store)
}

fn write_draft(path: &Path, bytes: &Secret<Vec<u8>>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes.expose())?;
    file.sync_all()
}

/// What is in the directory.
struct Listed {
    /// In ascending order.
    versions: Vec<u64>,
    /// What writers left behind, or are about to name, with the version it was to become.
    drafts: Vec<(u64, PathBuf)>,
}

fn is_old(version: u64, last: u64) -> bool {
    last.saturating_sub(version) >= KEPT
}

/// Removes old versions, and drafts that can no longer become one.
fn tidy(listed: &Listed, path: impl Fn(u64) -> PathBuf) {
    let last = listed.versions.last().copied().unwrap_or_default();
    let old = listed.versions.iter().filter(|version| is_old(**version, last));
    let dead = listed.drafts.iter().filter(|(version, _)| *version <= last);
    let paths = old.map(|version| path(*version));
    for path in paths.chain(dead.map(|(_, path)| path.clone())) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(%error, path = %path.display(), "an old version of the ring cannot be removed");
            }
            _ => {}
        }
    }
}

#[cfg(unix)]
fn check_private(metadata: &fs::Metadata, what: &str) -> Result<(), RingStoreError> {
    use std::os::unix::fs::PermissionsExt;
    if metadata.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(RingStoreError::new(format!(
        "{what} holds private keys and can be reached by group or others: take their permissions away"
    )))
}

#[cfg(not(unix))]
fn check_private(_: &fs::Metadata, _: &str) -> Result<(), RingStoreError> {
    Ok(())
}

/// Makes the new name survive a crash.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// T-SIGN-7: a writer that slept between its look and its writing, while others wrote so much that the
    /// name it wants is free again.
    #[test]
    fn a_version_whose_time_is_over_is_not_created() {
        let directory = std::env::temp_dir().join(format!("portcullis-late-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).expect("ours");
        let store = FileRingStore::in_directory(&directory).expect("private");
        let bytes = Secret::new(b"x".to_vec());
        for version in 1..=7 {
            let created = store.create(version, &bytes).expect("writable");
            assert_eq!(created, Replaced::Done(RingVersion::new(version)));
        }
        let late = store.create(2, &bytes).expect("writable");
        assert_eq!(late, Replaced::Conflict);
        let listed = store.list().expect("readable");
        assert_eq!((listed.versions, listed.drafts.len()), (vec![5, 6, 7], 0));
        fs::remove_dir_all(&directory).expect("ours");
    }
}

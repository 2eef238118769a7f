//! A file that policies follow.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::builder::{MOST_BYTES, too_large};
use crate::{CedarError, CedarErrorKind, CedarPolicies};

/// A file whose policies are taken over when it changes.
///
/// Nothing here has a thread or a timer: the application looks, at intervals or when it is told to.
///
/// - [`check`](Self::check) is for intervals. What it sees for the first time it leaves alone until it has seen the same
///   once more, so that a file somebody is just writing is not taken before they are through. Half a file can be perfectly
///   good Cedar, with its last `forbid` missing.
/// - [`reload`](Self::reload) is for a signal from somebody who knows that the file is complete.
///
/// Best is a writer that leaves no half file to be seen: write beside it, then rename.
///
/// Both read on the calling thread. Use a blocking task where the file does not lie on a local disk.
///
/// ```no_run
/// use std::time::Duration;
/// use portcullis_cedar::{CedarError, CedarFile, CedarPolicies};
/// use tokio::signal::unix::{SignalKind, signal};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let policies = CedarPolicies::from_files("app.cedarschema", "app.cedar")?;
/// let file = CedarFile::new(policies, "app.cedar");
/// let mut every = tokio::time::interval(Duration::from_secs(10));
/// let mut hangup = signal(SignalKind::hangup())?;
/// tokio::spawn(async move {
///     loop {
///         // What goes wrong is in the log already, and the policies stay as they were.
///         let _ = tokio::select! {
///             _ = every.tick() => file.check().map(drop),
///             _ = hangup.recv() => file.reload().map(drop),
///         };
///     }
/// });
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct CedarFile {
    policies: CedarPolicies,
    path: PathBuf,
    seen: Mutex<Seen>,
}

/// What the last look at the file saw, if it is not what is in force.
#[derive(Debug, Default)]
enum Seen {
    #[default]
    Nothing,
    /// Not yet taken.
    New(String),
    /// Not taken, for this reason.
    Bad(String, CedarError),
    /// It could not be read.
    Unreadable,
}

/// What a look at the file came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileCheck {
    /// It says what is in force.
    Unchanged,
    /// It says something else, and is taken over by the next look if it still says the same then.
    Settling,
    /// Its policies are in force from now on, in this [generation](CedarPolicies::generation).
    Reloaded(u64),
}

impl CedarFile {
    /// Lets `policies` follow the file. It is compared with what is in force, so a change since the start is noticed by
    /// the first looks.
    #[must_use]
    pub fn new(policies: CedarPolicies, path: impl Into<PathBuf>) -> Self {
        Self {
            policies,
            path: path.into(),
            seen: Mutex::default(),
        }
    }

    /// Looks at the file, and takes its policies over if they are others, valid, and the same as at the last look.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is larger than [`MOST_BYTES`] or is not UTF-8; when its policies are not taken, as
    /// with [`CedarPolicies::reload`]. The policies stay as they were. The same error comes with each look until the file
    /// is another; the log has it once.
    pub fn check(&self) -> Result<FileCheck, CedarError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let text = self.look(&mut seen)?;
        if text == self.policies.shared.current.load().text {
            *seen = Seen::Nothing;
            return Ok(FileCheck::Unchanged);
        }
        match std::mem::take(&mut *seen) {
            Seen::New(before) if before == text => self.take_over(&mut seen, text),
            Seen::Bad(before, error) if before == text => {
                *seen = Seen::Bad(before, error.clone());
                Err(error)
            }
            _ => {
                *seen = Seen::New(text);
                Ok(FileCheck::Settling)
            }
        }
    }

    /// Takes the file's policies over now, if they are valid. A file that says what is in force changes nothing.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn reload(&self) -> Result<FileCheck, CedarError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let text = self.look(&mut seen)?;
        *seen = Seen::Nothing;
        if text == self.policies.shared.current.load().text {
            return Ok(FileCheck::Unchanged);
        }
        self.take_over(&mut seen, text)
    }

    fn look(&self, seen: &mut Seen) -> Result<String, CedarError> {
        read(&self.path).inspect_err(|error| {
            if !matches!(seen, Seen::Unreadable) {
                tracing::error!(%error, "the file of Cedar policies cannot be read; the ones before stay in force");
            }
            *seen = Seen::Unreadable;
        })
    }

    fn take_over(&self, seen: &mut Seen, text: String) -> Result<FileCheck, CedarError> {
        match self.policies.reload(&text) {
            Ok(generation) => Ok(FileCheck::Reloaded(generation)),
            Err(error) => {
                *seen = Seen::Bad(text, error.clone());
                Err(error)
            }
        }
    }
}

/// A whole text file, unless it is too large.
pub(crate) fn read(path: &Path) -> Result<String, CedarError> {
    let name = path.display().to_string();
    let unreadable = |what: &str| CedarError::new(CedarErrorKind::Unreadable, format!("{name}: {what}"));
    let failed = |error: std::io::Error| unreadable("cannot be read").with_source(error);
    // A pipe would be waited for.
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(unreadable("is not a file"));
    }
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() > MOST_BYTES {
        return Err(too_large(&name));
    }
    String::from_utf8(bytes).map_err(|error| unreadable("is not UTF-8").with_source(error))
}

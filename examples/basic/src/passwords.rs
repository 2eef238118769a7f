//! Passwords, hashed with Argon2id (RFC 9106).
//!
//! A check takes tens of milliseconds of a processor and 19 MiB, on purpose. So it runs beside the requests, on
//! tokio's blocking pool, [at most so many at once](Limits), whatever arrives: that bounds the memory as well.
//! A few more wait. Everybody else gets **503** and not 429: too many attempts by *somebody* say nothing about
//! the one who is turned away, and a client that did nothing wrong keeps its password and comes back.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::Error;
use argon2::{Argon2, PasswordHash, PasswordVerifier};
use portcullis::{AuthError, ConfigError, Secret};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

/// What an unknown user's password is compared with. Nobody's: of 32 random bytes that were thrown away.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$WIirI7D5Jz484+DKS51vDA$i1pQ3oHx0wPy+Tqg4KxWCSFCkPJGV98HYGc86bWfvBQ";

/// When it is worth trying again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How much is hashed at once.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs)] // Two numbers, by name.
pub struct Limits {
    /// So many checks run, with 19 MiB each.
    pub running: usize,
    /// So many more wait.
    pub waiting: usize,
}

impl Default for Limits {
    /// One for each processor, and sixteen times as many wait: less than a second.
    fn default() -> Self {
        let running = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            running,
            waiting: 16 * running,
        }
    }
}

/// The users' password hashes, and the means to check them.
pub struct Passwords {
    hashes: HashMap<String, PasswordHash>,
    nobody: PasswordHash,
    /// For those that run or wait.
    places: Arc<Semaphore>,
    /// For those that run.
    turns: Arc<Semaphore>,
}

impl Passwords {
    /// The users with their hashes in PHC form, `$argon2id$v=19$m=19456,t=2,p=1$…`.
    ///
    /// # Errors
    ///
    /// When a hash cannot be read, or is made with other parameters than these: its user could be told from
    /// unknown ones by the time that a check takes. When no check may run.
    pub fn new<'u>(
        users: impl IntoIterator<Item = (&'u str, &'u str)>,
        limits: Limits,
    ) -> Result<Self, ConfigError> {
        if limits.running == 0 {
            return Err(ConfigError::new("at least one password is checked at once"));
        }
        let nobody = parse(NOBODY)?;
        let mut hashes = HashMap::new();
        for (name, hash) in users {
            let hash = parse(hash)?;
            if cost(&hash) != cost(&nobody) {
                return Err(ConfigError::new("a password hash is made with other parameters"));
            }
            hashes.insert(name.to_owned(), hash);
        }
        Ok(Self {
            hashes,
            nobody,
            places: semaphore(limits.running.saturating_add(limits.waiting)),
            turns: semaphore(limits.running),
        })
    }

    /// Whether this is the user's password. An unknown user costs what a known one does.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](portcullis::AuthErrorKind::Unavailable) when too many are waiting already, or the check
    /// could not be made, for want of memory for one.
    pub async fn verify(&self, name: &str, password: Secret<String>) -> Result<bool, AuthError> {
        let permits = self.permits().await?;
        let known = self.hashes.get(name);
        let hash = known.unwrap_or(&self.nobody).clone();
        let work = spawn_blocking(move || {
            let verdict = Argon2::default().verify_password(password.expose().as_bytes(), &hash);
            // With the work, not with the request: whoever hangs up makes no room for another.
            drop(permits);
            verdict
        });
        let failed = AuthError::unavailable("hashing_failed");
        match work.await {
            Ok(Ok(())) => Ok(known.is_some()),
            Ok(Err(Error::PasswordInvalid)) => Ok(false),
            Ok(Err(error)) => Err(failed.with_source(error)),
            Err(panicked) => Err(failed.with_source(panicked)),
        }
    }

    /// A place, now or never; then a turn.
    async fn permits(&self) -> Result<[OwnedSemaphorePermit; 2], AuthError> {
        let busy = || AuthError::unavailable("too_many_checks").with_retry_after(RETRY_AFTER);
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|full| busy().with_source(full))?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|closed| busy().with_source(closed))?;
        Ok([place, turn])
    }
}

/// Hashes are nobody's business.
impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("users", &self.hashes.len())
            .finish_non_exhaustive()
    }
}

fn semaphore(permits: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)))
}

fn parse(hash: &str) -> Result<PasswordHash, ConfigError> {
    PasswordHash::new(hash)
        .map_err(|error| ConfigError::new("a password hash cannot be read").with_source(error))
}

/// What decides how long a check takes, and that there is something to check.
fn cost(hash: &PasswordHash) -> impl PartialEq {
    let complete = hash.salt.is_some() && hash.hash.is_some();
    (hash.algorithm, hash.version, hash.params.clone(), complete)
}

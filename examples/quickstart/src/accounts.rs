//! The demo's own accounts: three people with passwords.

use std::error::Error;
use std::fmt::Write as _;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use password_auth::VerifyError;
use portcullis::core::{Roles, Scopes};
use portcullis::seal::{Randomness, SystemRandomness};
use portcullis::{AuthError, Principal, Role, Secret};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::rules::Admin;

/// Who says who these people are: this program. The same on every instance, so that a session that one began is
/// good on all.
pub(crate) const ISSUER: &str = "https://accounts.quickstart.test";
/// Longer passwords are nobody's, and cost nothing.
const LONGEST: usize = 1_024;
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// One account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: &'static str,
    roles: &'static [&'static str],
}

/// What everybody here may do.
const SCOPES: &str = "documents:read documents:delete";

pub(crate) static ACCOUNTS: [Account; 3] = [
    Account {
        name: "alice",
        roles: &[],
    },
    Account {
        name: "bob",
        roles: &[],
    },
    Account {
        name: "root",
        roles: &[Admin::NAME],
    },
];

impl Account {
    pub(crate) fn principal(&self) -> Principal {
        Principal::new(ISSUER, self.name)
    }

    pub(crate) fn scopes(&self) -> Scopes {
        Scopes::parse(SCOPES).unwrap_or_default()
    }

    pub(crate) fn roles(&self) -> Roles {
        self.roles.iter().copied().collect()
    }

    /// The account behind a session or a key, as it is now.
    pub(crate) fn of(principal: &Principal) -> Option<&'static Self> {
        let ours = principal.issuer() == ISSUER;
        ACCOUNTS
            .iter()
            .find(|account| ours && account.name == principal.subject())
    }
}

/// Their password hashes, and the means to check them: as many at once as there are processors, four times as many
/// wait, and everybody else is told to come back (503).
pub(crate) struct Passwords {
    hashes: Vec<(&'static Account, String)>,
    /// Of a password that nobody knows, for names that are nobody's: they cost the same.
    nobody: String,
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Passwords {
    /// The accounts with `given` as everybody's password, or one of their own each; and the list to be printed.
    pub(crate) fn new(given: Option<&str>) -> Result<(Self, String), Box<dyn Error>> {
        let mut hashes = Vec::new();
        let mut list = String::new();
        for account in &ACCOUNTS {
            let password = given.map_or_else(random, |given| Ok(given.to_owned()))?;
            let _ = writeln!(list, "  {:<6} {password}", account.name);
            hashes.push((account, password_auth::generate_hash(password)));
        }
        let running = std::thread::available_parallelism().map_or(1, NonZero::get);
        let passwords = Self {
            hashes,
            nobody: password_auth::generate_hash(random()?),
            turns: Arc::new(Semaphore::new(running)),
            places: Arc::new(Semaphore::new(running * 5)),
        };
        Ok((passwords, list))
    }

    /// Whose name and password these are.
    ///
    /// # Errors
    ///
    /// `Unavailable` when too many are waiting already.
    pub(crate) async fn verify(
        &self,
        name: &str,
        password: Secret<String>,
    ) -> Result<Option<&'static Account>, AuthError> {
        if password.expose().len() > LONGEST {
            return Ok(None);
        }
        let busy = || AuthError::unavailable("too_many_sign_ins").with_retry_after(RETRY_AFTER);
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|_| busy())?;
        let known = self.hashes.iter().find(|(account, _)| account.name == name);
        let hash = known.map_or(&self.nobody, |(_, hash)| hash).clone();
        let work = spawn_blocking(move || {
            let verdict = password_auth::verify_password(password.expose(), &hash);
            drop((turn, place));
            verdict
        });
        match work.await {
            Ok(Ok(())) => Ok(known.map(|(account, _)| *account)),
            Ok(Err(VerifyError::PasswordInvalid)) => Ok(None),
            Ok(Err(error)) => Err(AuthError::unavailable("hashing_failed").with_source(error)),
            Err(panicked) => Err(AuthError::unavailable("hashing_failed").with_source(panicked)),
        }
    }
}

/// 96 bits in hexadecimal digits.
fn random() -> Result<String, Box<dyn Error>> {
    let mut bytes = [0; 12];
    SystemRandomness::new().fill(&mut bytes)?;
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

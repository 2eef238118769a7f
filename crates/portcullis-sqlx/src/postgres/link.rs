//! Connections, how long they may take, and what becomes of those that failed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use portcullis_store::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres};
use tokio::time::error::Elapsed;

use super::PostgresStore;
use crate::shared::{Database, Fault, Place};

/// The server's time in whole milliseconds, rounded down, while the statement runs: asked anew for a row that was
/// waited for.
macro_rules! now {
    () => {
        "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    };
}
pub(super) use now;

pub(super) const fn place(verb: &'static str) -> Place {
    Place {
        database: Database::Postgres,
        verb,
    }
}

/// How long connections are asked whether they are there after one was found dead.
const DOUBT: Duration = Duration::from_secs(10);
/// Deadlocks and the like are over soon.
pub(super) const ATTEMPTS: u32 = 3;
/// What an answer may take longer than the server allows a statement.
const GRACE: Duration = Duration::from_millis(500);

/// Whether a connection was found dead lately: then the others may be as well.
#[derive(Debug, Default)]
pub(super) struct Doubt(Mutex<Option<Instant>>);

impl Doubt {
    pub(super) fn is_open(&self) -> bool {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() < DOUBT)
    }

    fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// Whether a call may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// When the server undid it for the sake of others.
    IfUndone,
    /// Also when the connection was lost: it only reads.
    IfLost,
}

impl Again {
    fn allows(self, fault: &Fault) -> bool {
        let undone = matches!(fault.code().as_deref(), Some("40001" | "40P01"));
        undone || (self == Self::IfLost && is_lost(fault))
    }
}

fn is_lost(fault: &Fault) -> bool {
    match fault {
        Fault::Failed(sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) => true,
        fault => matches!(fault.code().as_deref(), Some("57P01" | "57P02" | "57P03")),
    }
}

/// What became of one attempt.
pub(super) enum Settled<T> {
    Done(T),
    Again,
    Failed(StoreError),
}

impl PostgresStore {
    pub(super) async fn acquire(&self, verb: &'static str) -> Result<PoolConnection<Postgres>, StoreError> {
        // An application's pool may have more patience than this store.
        let acquired = tokio::time::timeout(self.limit(), self.0.pool.acquire()).await;
        let acquired = acquired.map_or(Err(Fault::Late), |acquired| acquired.map_err(Fault::Failed));
        acquired.map_err(|fault| fault.at(place(verb)))
    }

    /// How long the statements of a call may take together.
    pub(super) fn limit(&self) -> Duration {
        self.0.wait_at_most.saturating_add(GRACE)
    }

    /// Judges an attempt. Whoever did not answer in time does not come back into the pool.
    pub(super) fn settle<T>(
        &self,
        verb: &'static str,
        mut link: PoolConnection<Postgres>,
        answer: Result<Result<T, Fault>, Elapsed>,
        again: Option<Again>,
    ) -> Settled<T> {
        let fault = match answer {
            Ok(Ok(done)) => return Settled::Done(done),
            Ok(Err(fault)) => fault,
            Err(_) => {
                link.close_on_drop();
                Fault::Late
            }
        };
        if is_lost(&fault) {
            link.close_on_drop();
            self.0.doubt.raise();
        }
        if again.is_some_and(|again| again.allows(&fault)) {
            return Settled::Again;
        }
        Settled::Failed(fault.at(place(verb)))
    }
}

/// Makes a call with a connection, within the time, up to three times where that is safe.
macro_rules! call {
    ($store:expr, $verb:literal, $again:expr, |$link:ident| $work:expr) => {{
        let mut attempts = 0;
        loop {
            attempts += 1;
            let mut link = $store.acquire($verb).await?;
            let answer = {
                let $link: &mut sqlx::PgConnection = &mut link;
                tokio::time::timeout($store.limit(), $work).await
            };
            let again = (attempts < $crate::postgres::link::ATTEMPTS).then_some($again);
            match $store.settle($verb, link, answer, again) {
                $crate::postgres::link::Settled::Done(done) => break Ok(done),
                $crate::postgres::link::Settled::Again => {}
                $crate::postgres::link::Settled::Failed(error) => break Err(error),
            }
        }
    }};
}
pub(super) use call;

/// A name for the server's advisory locks, the same on each instance. Two names that meet only wait for each other.
pub(super) fn lock_of(what: &str, kind: &str, name: &[u8]) -> i64 {
    // FNV-1a.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in [what.as_bytes(), b"\0", kind.as_bytes(), b"\0", name] {
        for byte in part {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    i64::from_ne_bytes(hash.to_ne_bytes())
}

/// Each statement has to see what was committed while the one before it waited for a lock, whatever the pool's own
/// default is.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Waits for a lock, exclusive and until the transaction ends. What others did meanwhile is seen by the next statement.
pub(super) const LOCK: &str = "SELECT pg_advisory_xact_lock($1)";

/// The server's time.
pub(super) async fn server_now(link: &mut PgConnection) -> Result<i64, Fault> {
    let query = sqlx::query_as(concat!("SELECT ", now!()));
    let (now,) = query.fetch_one(link).await?;
    Ok(now)
}

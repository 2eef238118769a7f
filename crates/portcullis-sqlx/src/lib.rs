#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! | to | look at |
//! |---|---|
//! | keep records in a file | `SqliteStore`, feature `sqlite` |
//! | keep records on a server that instances share | `PostgresStore`, feature `postgres` |
//! | see what other instances changed | both are a [`ChangeLog`](portcullis_store::changes::ChangeLog) |
//!
//! # Decision rules
//!
//! 1. Each verb is one statement or one transaction, and what is done is on the disk when it returns.
//! 2. A record is dead from its expiry on, by the clock of the process for SQLite and by the server's for PostgreSQL.
//!    Whoever waited for the write lock (SQLite), or for a row that was changed meanwhile (PostgreSQL), looks at the
//!    clock after the wait and brings no dead record back.
//! 3. A creation and a revocation of one owner never overlap.
//! 4. Versions come from one counter of the database and are never used again.
//! 5. Waiting is bounded: for a connection, for a lock, for a statement, and altogether.
//! 6. What the database says in its errors is not repeated, because it quotes rows. Its code is.
//!
//! # What a refused caller receives
//!
//! | what happened | kind |
//! |---|---|
//! | locked, read-only, damaged; no connection, connection lost, no answer in time; tables missing | [`Unavailable`](portcullis_store::StoreErrorKind::Unavailable) |
//! | deadlock, serialization failure (PostgreSQL): tried again up to three times, then | [`Unavailable`](portcullis_store::StoreErrorKind::Unavailable) |
//! | disk full, in a verb that may say so: `create`, `replace`, `revoke_before` | [`Full`](portcullis_store::StoreErrorKind::Full) |
//! | disk full in another verb | [`Unavailable`](portcullis_store::StoreErrorKind::Unavailable) |
//!
//! A database that reports a full disk has undone the statement, so `Full` is known to have changed nothing.
//!
//! # What this trusts
//!
//! Whoever can reach the database. The clock. That nobody else writes to tables whose names begin with
//! `portcullis_`. That a SQLite file is on a local disk and not put back from a backup while processes have it open.
//!
//! # What this does not check
//!
//! The clock again, in PostgreSQL, after waiting for a row whose other writer was rolled back: a touch or a save that
//! found the record alive then extends it, though it may have ended during the wait, which
//! `wait_at_most` bounds.
//!
//! How full a table is: neither store has a bound of its own. Nobody sweeps by himself: call
//! [`sweep`](portcullis_store::RecordStore::sweep) now and then, every minute say; it trims the log as well.
//!
//! # Features
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `postgres` | `PostgresStore`, with TLS by rustls and aws-lc-rs | no |
//! | `sqlite` | `SqliteStore`, with SQLite compiled in | no |

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod shared;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "postgres")]
pub use self::postgres::{PostgresStore, PostgresStoreBuilder};
#[cfg(feature = "sqlite")]
pub use self::sqlite::{SqliteStore, SqliteStoreBuilder};

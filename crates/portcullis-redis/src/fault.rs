//! What went wrong, in words that hold nothing of what is stored.

use portcullis_store::{StoreError, StoreErrorKind};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why a script came to nothing.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The driver's or the server's. Never handed out as it is: a server quotes commands in its errors.
    Failed(RedisError),
    /// It took too long.
    Late,
    /// No connection in time.
    NotConnected,
    /// An answer that no script gives.
    Garbled,
    /// The data were written with another number of buckets.
    Buckets,
}

impl From<RedisError> for Fault {
    fn from(error: RedisError) -> Self {
        Self::Failed(error)
    }
}

impl Fault {
    /// The answer of the port. `Full` is for the verbs that may say it.
    pub(crate) fn at(&self, verb: &'static str) -> StoreError {
        let may_be_full = matches!(verb, "create" | "replace" | "revoke_before");
        let kind = if may_be_full && self.is_full() {
            StoreErrorKind::Full
        } else {
            StoreErrorKind::Unavailable
        };
        StoreError::new(kind, format!("redis, {verb}: {}", self.words()))
    }

    /// The same in the middle of several steps, when something was changed already.
    pub(crate) fn half_way(&self, verb: &'static str) -> StoreError {
        let words = self.words();
        StoreError::new(
            StoreErrorKind::Unavailable,
            format!("redis, {verb}: {words}, after a part was done"),
        )
    }

    /// Whether the server refused because its memory is full. Scripts write nothing before that is known.
    fn is_full(&self) -> bool {
        let Self::Failed(error) = self else {
            return false;
        };
        // Before version 7 the code is in the text of the script's error.
        error.code() == Some("OOM")
            || error
                .detail()
                .is_some_and(|detail| detail.contains("OOM command not allowed"))
    }

    fn words(&self) -> &'static str {
        match self {
            Self::Late => "no answer in time",
            Self::NotConnected => "no connection in time",
            Self::Garbled => "an answer that cannot be read",
            Self::Buckets => "the data of this prefix have another number of buckets",
            Self::Failed(_) if self.is_full() => "the server's memory is full",
            Self::Failed(error) => words(error),
        }
    }
}

fn words(error: &RedisError) -> &'static str {
    match error.kind() {
        ErrorKind::Io if error.is_timeout() => "no answer in time",
        ErrorKind::Io if error.is_connection_refusal() => "the connection was refused",
        ErrorKind::Io => "the connection failed",
        ErrorKind::AuthenticationFailed => "the server refused the credentials",
        ErrorKind::InvalidClientConfig => "the URL or its options are wrong",
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => "an answer that cannot be read",
        ErrorKind::RESP3NotSupported => "the server is older than version 6",
        ErrorKind::ClusterConnectionNotFound => "no node of the cluster is reachable for this bucket",
        ErrorKind::Server(kind) => server(kind),
        _ => match error.code() {
            Some("NOAUTH" | "WRONGPASS") => "the server refused the credentials",
            Some("MISCONF") => "the server cannot write to its disk",
            Some("BUSY") => "the server is busy with a script",
            Some("NOREPLICAS") => "the server has too few replicas",
            _ => "the server refused",
        },
    }
}

fn server(kind: ServerErrorKind) -> &'static str {
    match kind {
        ServerErrorKind::BusyLoading => "the server is loading its data (LOADING)",
        ServerErrorKind::ReadOnly => "the server is a replica (READONLY)",
        ServerErrorKind::Moved | ServerErrorKind::Ask => "another node of a cluster has this bucket (MOVED)",
        ServerErrorKind::TryAgain => "the bucket is being moved (TRYAGAIN)",
        ServerErrorKind::ClusterDown => "the cluster is down (CLUSTERDOWN)",
        ServerErrorKind::MasterDown => "the replica has lost its primary (MASTERDOWN)",
        ServerErrorKind::NoPerm => "the user may not do this (NOPERM)",
        ServerErrorKind::NoScript => "the server forgets scripts (NOSCRIPT)",
        _ => "the server refused",
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn said(kind: ErrorKind) -> Fault {
        Fault::Failed(RedisError::from((kind, "hunter1", "hunter2".to_owned())))
    }

    fn full() -> Fault {
        let text = "-OOM command not allowed when used memory > 'maxmemory'.".to_owned();
        Fault::Failed(RedisError::from((ErrorKind::Extension, "hunter1", text)))
    }

    #[test]
    fn full_memory_is_full_where_that_may_be_said_and_an_outage_elsewhere() {
        assert_eq!(full().at("create").kind(), StoreErrorKind::Full);
        assert_eq!(full().at("take").kind(), StoreErrorKind::Unavailable);
        assert_eq!(
            full().half_way("revoke_before").kind(),
            StoreErrorKind::Unavailable
        );
        let loading = said(ErrorKind::Server(ServerErrorKind::BusyLoading));
        assert_eq!(loading.at("create").kind(), StoreErrorKind::Unavailable);
    }

    #[test]
    fn what_a_server_quotes_is_not_repeated() {
        for kind in [
            ErrorKind::Io,
            ErrorKind::Extension,
            ErrorKind::Client,
            ErrorKind::Parse,
        ] {
            let error = said(kind).at("load");
            assert!(error.source().is_none());
            assert!(!format!("{error} {error:?}").contains("hunter"));
        }
    }
}

use portcullis_jwt::SkippedKeys;

use crate::JwksFetchError;

/// What is recorded of an attempt, once nothing is locked any more.
pub(super) struct Report {
    outcome: &'static str,
    /// How many usable keys there are now.
    pub(super) keys: usize,
    skipped: Option<SkippedKeys>,
    failure: Option<(JwksFetchError, u32)>,
}

impl Report {
    const fn new(outcome: &'static str) -> Self {
        Self {
            outcome,
            keys: 0,
            skipped: None,
            failure: None,
        }
    }

    /// One line when the keys left out change, not one per fetch.
    pub(super) fn replaced(skipped: SkippedKeys, changed: bool) -> Self {
        Self {
            skipped: (changed && skipped.total() > 0).then_some(skipped),
            ..Self::new("replaced")
        }
    }

    pub(super) const fn not_modified() -> Self {
        Self::new("not_modified")
    }

    /// Nobody is interested in the failures of a set whose last handle is gone.
    pub(super) fn failed(error: JwksFetchError, failures: u32, closed: bool) -> Self {
        Self {
            failure: (!closed).then_some((error, failures)),
            ..Self::new("failed")
        }
    }

    pub(super) fn record(self, issuer: &str) {
        if let Some(skipped) = self.skipped {
            tracing::warn!(issuer, ?skipped, "keys of the published set are not used");
        }
        if let Some((error, failures)) = self.failure {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(
                issuer,
                error = error.kind().as_str(),
                cause,
                failures,
                "{error}: keys could not be fetched"
            );
        }
        let keys = u32::try_from(self.keys).unwrap_or(u32::MAX);
        metrics::gauge!("portcullis_jwks_keys", "issuer" => issuer.to_owned()).set(keys);
        metrics::counter!("portcullis_jwks_fetches_total", "issuer" => issuer.to_owned(), "outcome" => self.outcome)
            .increment(1);
    }
}

/// What became of an imported snapshot.
#[derive(Clone, Copy, Debug)]
pub(super) enum Import {
    Taken,
    Dead,
    Future,
}

impl Import {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Dead => "dead",
            Self::Future => "future",
        }
    }
}

pub(super) fn record_import(issuer: &str, import: Import, keys: usize, skipped: SkippedKeys) {
    match import {
        Import::Taken => {
            tracing::info!(
                issuer,
                keys,
                ?skipped,
                "the keys of a snapshot are used until a fetch succeeds"
            );
            let keys = u32::try_from(keys).unwrap_or(u32::MAX);
            metrics::gauge!("portcullis_jwks_keys", "issuer" => issuer.to_owned()).set(keys);
        }
        Import::Dead => tracing::warn!(issuer, "the imported snapshot of keys is too old and not used"),
        Import::Future => tracing::warn!(
            issuer,
            "the imported snapshot of keys is from the future and not used: is the clock right?"
        ),
    }
    metrics::counter!("portcullis_jwks_imports_total", "issuer" => issuer.to_owned(), "outcome" => import.as_str())
        .increment(1);
}

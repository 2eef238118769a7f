//! What went wrong, in words that hold nothing of what is stored.

use std::fmt;

use portcullis_store::{StoreError, StoreErrorKind};

/// Which database speaks: the codes of the two look alike.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Database {
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

/// Where something went wrong, for the message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) database: Database,
    pub(crate) verb: &'static str,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = match self.database {
            #[cfg(feature = "sqlite")]
            Database::Sqlite => "sqlite",
            #[cfg(feature = "postgres")]
            Database::Postgres => "postgresql",
        };
        write!(f, "{database}, {}", self.verb)
    }
}

/// Why a step came to nothing.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The port's own answer.
    Refused(StoreError),
    /// The driver's. Never handed out as it is: a database quotes keys in its details, and a URL has a password.
    Failed(sqlx::Error),
    /// It took too long.
    Late,
}

impl From<StoreErrorKind> for Fault {
    fn from(kind: StoreErrorKind) -> Self {
        Self::Refused(kind.into())
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

impl Fault {
    /// The database's own code, if the database spoke.
    pub(crate) fn code(&self) -> Option<String> {
        let Self::Failed(sqlx::Error::Database(error)) = self else {
            return None;
        };
        error.code().map(|code| code.into_owned())
    }

    /// The answer of the port. `Full` is kept for the verbs that may say it.
    pub(crate) fn at(self, place: Place) -> StoreError {
        let code = self.code();
        let what = match self {
            Self::Refused(error) => return error,
            Self::Late => "no answer in time".to_owned(),
            Self::Failed(error) => words(place.database, &error, code.as_deref()),
        };
        let full =
            matches!(place.verb, "create" | "replace" | "revoke_before") && is_full(place, code.as_deref());
        let kind = if full {
            StoreErrorKind::Full
        } else {
            StoreErrorKind::Unavailable
        };
        StoreError::new(kind, format!("{place}: {what}"))
    }
}

/// Whether there was no room. The statement was undone then, and nothing was changed.
fn is_full(place: Place, code: Option<&str>) -> bool {
    match place.database {
        #[cfg(feature = "sqlite")]
        Database::Sqlite => primary(code) == Some(13),
        #[cfg(feature = "postgres")]
        Database::Postgres => code == Some("53100"),
    }
}

fn words(database: Database, error: &sqlx::Error, code: Option<&str>) -> String {
    match error {
        sqlx::Error::Database(_) => {
            let meaning = match database {
                #[cfg(feature = "sqlite")]
                Database::Sqlite => sqlite(primary(code)),
                #[cfg(feature = "postgres")]
                Database::Postgres => postgres(code.unwrap_or_default()),
            };
            format!("{meaning} (code {})", code.unwrap_or("none"))
        }
        sqlx::Error::Io(error) => format!("the connection failed ({})", error.kind()),
        sqlx::Error::PoolTimedOut => "no connection in time".to_owned(),
        sqlx::Error::PoolClosed => "the pool is closed".to_owned(),
        sqlx::Error::Tls(_) => "no TLS connection could be made".to_owned(),
        sqlx::Error::Protocol(_) => "the connection was lost, or speaks another protocol".to_owned(),
        sqlx::Error::Configuration(_) => "the URL or its options are wrong".to_owned(),
        sqlx::Error::WorkerCrashed => "the worker is gone".to_owned(),
        _ => "an answer that cannot be read".to_owned(),
    }
}

/// SQLite's result code without its extension.
#[cfg(feature = "sqlite")]
pub(crate) fn primary(code: Option<&str>) -> Option<u32> {
    code?.parse::<u32>().ok().map(|code| code & 0xff)
}

#[cfg(feature = "sqlite")]
const fn sqlite(code: Option<u32>) -> &'static str {
    match code {
        Some(5 | 6) => "the database is locked",
        Some(8) => "the database can only be read",
        Some(10) => "the disk failed",
        Some(11 | 26) => "the file is damaged, or no database",
        Some(13) => "the disk is full",
        Some(14) => "the file cannot be opened",
        _ => "the database refused",
    }
}

#[cfg(feature = "postgres")]
fn postgres(code: &str) -> &'static str {
    match code {
        "53100" => "the disk is full",
        "53300" => "the server has too many connections",
        "57014" => "a statement took too long",
        "57P01" | "57P02" | "57P03" => "the server is starting or stopping",
        "40001" | "40P01" => "the transaction gave way to others",
        "25006" => "the server can only be read",
        "42P01" | "42703" => "the tables are missing: migrate",
        "42501" => "the role may not do this",
        code if code.starts_with("28") => "the server refused the role",
        _ => "the server refused",
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error;

    use sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    /// A database's error whose text quotes what is stored.
    #[derive(Debug)]
    struct Said(&'static str);

    impl fmt::Display for Said {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Key (id)=(hunter2) exists")
        }
    }

    impl Error for Said {}

    impl DatabaseError for Said {
        fn message(&self) -> &str {
            "Key (id)=(hunter2) exists"
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    fn told(database: Database, verb: &'static str, code: &'static str) -> StoreError {
        Fault::Failed(sqlx::Error::Database(Box::new(Said(code)))).at(Place { database, verb })
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn a_full_disk_of_the_server_is_full_where_that_may_be_said_and_an_outage_elsewhere() {
        assert_eq!(
            told(Database::Postgres, "create", "53100").kind(),
            StoreErrorKind::Full
        );
        assert_eq!(
            told(Database::Postgres, "create", "53300").kind(),
            StoreErrorKind::Unavailable
        );
        assert_eq!(
            told(Database::Postgres, "take", "53100").kind(),
            StoreErrorKind::Unavailable
        );
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_full_disk_of_the_file_is_full_where_that_may_be_said_and_an_outage_elsewhere() {
        assert_eq!(
            told(Database::Sqlite, "create", "13").kind(),
            StoreErrorKind::Full
        );
        assert_eq!(
            told(Database::Sqlite, "create", "5").kind(),
            StoreErrorKind::Unavailable
        );
        assert_eq!(
            told(Database::Sqlite, "take", "13").kind(),
            StoreErrorKind::Unavailable
        );
        // An extended code: busy, because a snapshot is old.
        assert!(
            told(Database::Sqlite, "take", "517")
                .to_string()
                .contains("locked")
        );
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn what_a_database_quotes_is_not_repeated() {
        let error = told(Database::Postgres, "create", "23505");
        assert_eq!(
            error.to_string(),
            "postgresql, create: the server refused (code 23505)"
        );
        assert!(error.source().is_none());
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

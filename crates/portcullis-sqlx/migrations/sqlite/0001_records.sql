-- Times are milliseconds since the Unix epoch.
CREATE TABLE portcullis_records (
    kind       TEXT    NOT NULL,
    id         BLOB    NOT NULL,
    owner      BLOB,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    limit_at   INTEGER NOT NULL,
    payload    BLOB    NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;

CREATE INDEX portcullis_records_owner ON portcullis_records (kind, owner) WHERE owner IS NOT NULL;
CREATE INDEX portcullis_records_expiry ON portcullis_records (expires_at);

-- Up to when an owner's records are revoked.
CREATE TABLE portcullis_cutoffs (
    kind   TEXT    NOT NULL,
    owner  BLOB    NOT NULL,
    cutoff INTEGER NOT NULL,
    PRIMARY KEY (kind, owner)
) STRICT, WITHOUT ROWID;

CREATE INDEX portcullis_cutoffs_age ON portcullis_cutoffs (cutoff);

-- What was changed, in the order of the commits: there is one writer at a time, and no number is used again.
CREATE TABLE portcullis_changes (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL,
    id         BLOB,
    owner      BLOB,
    changed_at INTEGER NOT NULL,
    CHECK ((id IS NULL) <> (owner IS NULL))
) STRICT;

CREATE INDEX portcullis_changes_age ON portcullis_changes (changed_at);

-- One row: which database this is, how far its log was trimmed, and the last version given out.
CREATE TABLE portcullis_log (
    one        INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    epoch      TEXT    NOT NULL,
    trimmed_to INTEGER NOT NULL,
    version    INTEGER NOT NULL
) STRICT;

INSERT INTO portcullis_log VALUES (1, lower(hex(randomblob(16))), 0, 0);

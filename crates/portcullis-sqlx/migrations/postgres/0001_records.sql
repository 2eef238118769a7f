-- Times are milliseconds since the Unix epoch, on this server's clock.
CREATE TABLE portcullis_records (
    kind       TEXT COLLATE "C" NOT NULL,
    id         BYTEA  NOT NULL,
    owner      BYTEA,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    limit_at   BIGINT NOT NULL,
    payload    BYTEA  NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE INDEX portcullis_records_owner ON portcullis_records (kind, owner) WHERE owner IS NOT NULL;
CREATE INDEX portcullis_records_expiry ON portcullis_records (expires_at);

-- No version is ever given out twice, whatever is deleted and created again.
CREATE SEQUENCE portcullis_versions AS BIGINT;

-- Up to when an owner's records are revoked.
CREATE TABLE portcullis_cutoffs (
    kind   TEXT COLLATE "C" NOT NULL,
    owner  BYTEA  NOT NULL,
    cutoff BIGINT NOT NULL,
    PRIMARY KEY (kind, owner)
);

CREATE INDEX portcullis_cutoffs_age ON portcullis_cutoffs (cutoff);

-- What was changed. Numbers are given out before the commit, so a reader compares `tx` with snapshots.
CREATE TABLE portcullis_changes (
    number     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tx         XID8   NOT NULL DEFAULT pg_current_xact_id(),
    kind       TEXT COLLATE "C" NOT NULL,
    id         BYTEA,
    owner      BYTEA,
    changed_at BIGINT NOT NULL DEFAULT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint,
    CHECK ((id IS NULL) <> (owner IS NULL))
);

CREATE INDEX portcullis_changes_tx ON portcullis_changes (tx);
CREATE INDEX portcullis_changes_age ON portcullis_changes (changed_at);

-- One row: which database this is, the greatest transaction whose changes were trimmed, and what the last trimmer saw.
CREATE TABLE portcullis_log (
    one        INTEGER     NOT NULL PRIMARY KEY CHECK (one = 1),
    epoch      TEXT        NOT NULL,
    trimmed_tx XID8        NOT NULL,
    trimmed_by PG_SNAPSHOT NOT NULL
);

INSERT INTO portcullis_log VALUES (1, gen_random_uuid()::text, '0', pg_current_snapshot());

-- What operators revoked: the sessions of `name` that began at `at` (seconds since 1970) or before.
CREATE TABLE revocation (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT;

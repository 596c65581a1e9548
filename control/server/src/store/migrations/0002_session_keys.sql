-- Keys that proxies seal session ids with. `hash` covers all other columns.
CREATE TABLE session_key (
    id INTEGER PRIMARY KEY,
    secret BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    seals_since INTEGER,
    hash BLOB NOT NULL
) STRICT;

-- Who we are: one row.
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    intent BLOB,
    next_event INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;

-- One row per replica. `hash` covers all other columns: SQLite itself does not notice a changed byte.
CREATE TABLE replica (
    id TEXT PRIMARY KEY,
    node TEXT NOT NULL,
    agent TEXT NOT NULL,
    state TEXT NOT NULL,
    trouble TEXT NOT NULL,
    facts TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;

-- Rows that did not match their hash, for people to look at; never read by control.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    found_at_ms INTEGER NOT NULL,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    why TEXT NOT NULL,
    content TEXT NOT NULL
) STRICT;

CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

CREATE TABLE snapshot (
    serial INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    digest BLOB NOT NULL,
    made_at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;

-- When each view, and each resource in it, last changed.
CREATE TABLE view (
    view TEXT PRIMARY KEY,
    serial INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    view TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    serial INTEGER NOT NULL,
    PRIMARY KEY (view, kind, name)
) STRICT, WITHOUT ROWID;

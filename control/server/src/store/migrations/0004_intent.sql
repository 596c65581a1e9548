-- What operators declared: added row by row, never changed, never dropped. `hash` covers all other columns.
CREATE TABLE intent (
    number INTEGER PRIMARY KEY CHECK (number > 0),
    at_ms INTEGER NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    parent INTEGER,
    undoes INTEGER,
    source TEXT NOT NULL,
    document TEXT NOT NULL,
    digest BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

-- The newest of one source is asked for at every start.
CREATE INDEX intent_source ON intent (source, number);

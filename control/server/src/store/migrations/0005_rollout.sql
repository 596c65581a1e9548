-- The newest rollout, whether it lasts or has ended: one row. `hash` covers `body`.
CREATE TABLE rollout (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;

-- Who we are: one row. `hash` covers epoch, serial, intent and next_event. `term` fences: a leader writes only while it is its own.
CREATE TABLE meta (
    id SMALLINT PRIMARY KEY CHECK (id = 1),
    epoch BIGINT NOT NULL,
    serial BIGINT NOT NULL,
    intent BYTEA,
    next_event BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    term BIGINT NOT NULL DEFAULT 0
);

-- Who leads, where it is reached, and a number that it counts up while it lives.
CREATE TABLE seat (
    id SMALLINT PRIMARY KEY CHECK (id = 1),
    term BIGINT NOT NULL,
    address TEXT NOT NULL,
    beat BIGINT NOT NULL
);

-- One row per replica of an agent. `hash` covers all other columns.
CREATE TABLE replica (
    id TEXT COLLATE "C" PRIMARY KEY,
    node TEXT NOT NULL,
    agent TEXT NOT NULL,
    state TEXT NOT NULL,
    trouble TEXT NOT NULL,
    facts TEXT NOT NULL,
    hash BYTEA NOT NULL
);

-- Rows that did not match their hash, for people to look at; never read by control.
CREATE TABLE quarantine (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    found_at_ms BIGINT NOT NULL,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    why TEXT NOT NULL,
    content TEXT NOT NULL
);

CREATE TABLE event (
    id BIGINT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
);

CREATE TABLE snapshot (
    serial BIGINT PRIMARY KEY,
    epoch BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    made_at_ms BIGINT NOT NULL,
    reason TEXT NOT NULL
);

-- When each view, and each resource in it, last changed; and what is sent of it: the manifest here, bodies in `blob`.
CREATE TABLE view (
    view TEXT COLLATE "C" PRIMARY KEY,
    serial BIGINT NOT NULL,
    manifest BYTEA
);

CREATE TABLE ledger (
    view TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    serial BIGINT NOT NULL,
    PRIMARY KEY (view, kind, name)
);
CREATE INDEX ledger_digest ON ledger (digest);
CREATE INDEX ledger_serial ON ledger (view, serial);

-- Bodies of resources, each once, under the SHA-256 of its bytes.
CREATE TABLE blob (
    digest BYTEA PRIMARY KEY,
    bytes BYTEA NOT NULL
);

-- Views that replicas of control are asked for. One that nobody renews is dropped.
CREATE TABLE wanted (
    view TEXT COLLATE "C" PRIMARY KEY,
    audience TEXT NOT NULL,
    namespace TEXT NOT NULL,
    needs TEXT[] NOT NULL,
    until TIMESTAMPTZ NOT NULL
);

-- Keys that proxies seal session ids with. `hash` covers all other columns.
CREATE TABLE session_key (
    id BIGINT PRIMARY KEY,
    secret BYTEA NOT NULL,
    made_at BIGINT NOT NULL,
    seals_since BIGINT,
    hash BYTEA NOT NULL
);

-- What operators revoked: the sessions of `name` that began at `at` (seconds since 1970) or before.
CREATE TABLE revocation (
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (kind, name)
);
CREATE INDEX revocation_at ON revocation (at);

-- What operators declared: added row by row, never changed, never dropped. `hash` covers all other columns.
CREATE TABLE intent (
    number BIGINT PRIMARY KEY CHECK (number > 0),
    at_ms BIGINT NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    parent BIGINT,
    undoes BIGINT,
    source TEXT NOT NULL,
    document TEXT NOT NULL,
    digest BYTEA NOT NULL,
    hash BYTEA NOT NULL
);

-- The newest of one source is asked for whenever a replica begins to lead.
CREATE INDEX intent_source ON intent (source, number);

-- The newest rollout, whether it lasts or has ended: one row. `hash` covers `body`.
CREATE TABLE rollout (
    id SMALLINT PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL,
    hash BYTEA NOT NULL
);

"""The tables of the journal, and how an older journal becomes a newer one.

``row`` is a record's number inside the journal: it grows, and is never used twice. ``seq`` counts
changes over the whole journal; a reader that has seen all changes up to some ``seq`` asks only for
what came after it. Ids are unique per user, so that no caller can learn another's ids. Times are
microseconds since 1970, UTC.
"""

from __future__ import annotations

import sqlite3

from ulid import ULID

from ..errors import StoreCorrupt

FACETS = (
    "task_id",
    "task_type",
    "split",
    "outcome",
    "stream",
    "title",
    "subject",
    "attribute",
    "speaker",
)
"""Scalar payload fields that can be filtered on."""

_FIRST = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE counter(one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL);
INSERT INTO counter VALUES (1, 0);
CREATE TABLE owners(
    owner INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE);
CREATE TABLE records(
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    owner INTEGER NOT NULL REFERENCES owners,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    agent TEXT,
    session TEXT,
    seq INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    event_us INTEGER NOT NULL,
    ingest_us INTEGER NOT NULL,
    changed_us INTEGER NOT NULL,
    trust REAL NOT NULL,
    length INTEGER NOT NULL,
    terms BLOB NOT NULL,
    digest BLOB NOT NULL,
    text TEXT NOT NULL,
    payload TEXT NOT NULL,
    origin TEXT NOT NULL,
    sources TEXT NOT NULL,
    counters TEXT NOT NULL,
    action TEXT NOT NULL DEFAULT 'add',
    note TEXT NOT NULL DEFAULT '');
CREATE UNIQUE INDEX records_id ON records(owner, id);
CREATE INDEX records_kind ON records(owner, kind);
CREATE INDEX records_seq ON records(owner, kind, seq);
CREATE INDEX records_tail ON records(kind, seq);
CREATE TABLE vectors(row INTEGER PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE versions(
    row INTEGER NOT NULL,
    version INTEGER NOT NULL,
    changed_us INTEGER NOT NULL,
    action TEXT NOT NULL,
    note TEXT NOT NULL,
    record TEXT NOT NULL,
    length INTEGER NOT NULL,
    terms BLOB NOT NULL,
    vector BLOB,
    PRIMARY KEY (row, version));
CREATE TABLE facets(
    owner INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, row INTEGER NOT NULL,
    PRIMARY KEY (owner, name, value, row)) WITHOUT ROWID;
CREATE TABLE links(
    owner INTEGER NOT NULL, source TEXT NOT NULL, row INTEGER NOT NULL,
    PRIMARY KEY (owner, source, row)) WITHOUT ROWID;
CREATE TABLE heads(
    owner INTEGER NOT NULL, kind TEXT NOT NULL,
    seq INTEGER NOT NULL, count INTEGER NOT NULL,
    changed_us INTEGER NOT NULL, purges INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (owner, kind)) WITHOUT ROWID;
CREATE TABLE recalls(
    recall INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner INTEGER NOT NULL,
    agent TEXT,
    session TEXT,
    at_us INTEGER NOT NULL,
    query TEXT NOT NULL,
    policy TEXT NOT NULL,
    context TEXT NOT NULL,
    candidates TEXT NOT NULL,
    chosen TEXT NOT NULL,
    probabilities TEXT NOT NULL,
    reward REAL,
    rewarded_us INTEGER);
CREATE INDEX recalls_owner ON recalls(owner);
CREATE TABLE recall_rows(
    row INTEGER NOT NULL, recall INTEGER NOT NULL,
    PRIMARY KEY (row, recall)) WITHOUT ROWID;
CREATE TABLE utility(
    row INTEGER PRIMARY KEY,
    recalled INTEGER NOT NULL DEFAULT 0,
    chosen INTEGER NOT NULL DEFAULT 0,
    rewarded INTEGER NOT NULL DEFAULT 0,
    reward_sum REAL NOT NULL DEFAULT 0);
CREATE TABLE indexed(kind TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
"""

_SECOND = """
ALTER TABLE recalls ADD COLUMN vector BLOB;
ALTER TABLE recalls ADD COLUMN dropped TEXT NOT NULL DEFAULT '[]';
ALTER TABLE recalls ADD COLUMN dropout REAL NOT NULL DEFAULT 0;
CREATE TABLE learned(
    owner INTEGER NOT NULL, agent TEXT NOT NULL, name TEXT NOT NULL,
    data BLOB NOT NULL, changed_us INTEGER NOT NULL,
    PRIMARY KEY (owner, agent, name)) WITHOUT ROWID;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _SECOND)
"""What brings a journal of version i to version i + 1."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the journal to the newest version, in one transaction per step.

    Raises StoreCorrupt for a journal of a later Reverie.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise StoreCorrupt(
            f"the journal has version {version}, this Reverie reads up to {len(MIGRATIONS)}: "
            "install a newer Reverie to open it"
        )
    while version < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            if version < len(MIGRATIONS):
                _step(connection, version)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])


def _step(connection: sqlite3.Connection, version: int) -> None:
    for statement in MIGRATIONS[version].split(";\n"):
        if statement.strip():
            connection.execute(statement)
    if version == 0:
        connection.execute("INSERT INTO meta VALUES ('store', ?)", (str(ULID()),))
        connection.execute("INSERT INTO meta VALUES ('generation', '1')")
    connection.execute(f"PRAGMA user_version = {version + 1}")

"""The writes: each is one function over an open transaction, so a batch is all or nothing."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..errors import DuplicateRecord, RecordNotFound
from .records import Record, Scope, Status
from .rows import COLUMNS, JOINED, Draft, facets_in, facets_of, from_us, record_of, to_us


@dataclass(frozen=True, slots=True)
class Version:
    """A record as it was from ``changed`` on, and what made it so."""

    number: int
    changed: datetime
    action: str
    note: str
    record: Record


def owner_of(connection: sqlite3.Connection, user: str) -> int | None:
    """The number of a user; None for one who never wrote."""
    found = connection.execute("SELECT owner FROM owners WHERE name = ?", (user,)).fetchone()
    return None if found is None else int(found[0])


def ensure_owner(connection: sqlite3.Connection, user: str) -> int:
    """The number of a user, given now to one who never wrote."""
    known = owner_of(connection, user)
    if known is not None:
        return known
    return int(
        connection.execute(
            "INSERT INTO owners(name) VALUES (?) RETURNING owner", (user,)
        ).fetchone()[0]
    )


def next_seq(connection: sqlite3.Connection, count: int = 1) -> int:
    """Take ``count`` numbers of the change sequence; the first of them."""
    last = connection.execute(
        "UPDATE counter SET seq = seq + ? RETURNING seq", (count,)
    ).fetchone()[0]
    return int(last) - count + 1


def insert(connection: sqlite3.Connection, drafts: Sequence[Draft], at: datetime) -> list[str]:
    """Write new records; those already there with equal content are left alone. The ids, in order.

    Raises DuplicateRecord for an id that is there with other content.
    """
    owners: dict[str, int] = {}
    fresh: list[tuple[int, Draft]] = []
    seen: dict[tuple[int, str], Draft] = {}
    for draft in drafts:
        user = draft.record.scope.user
        if user not in owners:
            owners[user] = ensure_owner(connection, user)
        owner = owners[user]
        twin = seen.get((owner, draft.record.id))
        if twin is not None:
            if twin.digest != draft.digest:
                raise _duplicate(draft.record)
        elif not _already(connection, owner, draft):
            fresh.append((owner, draft))
        seen[owner, draft.record.id] = draft
    if fresh:
        _insert_new(connection, fresh, to_us(at))
    return [draft.record.id for draft in drafts]


def _already(connection: sqlite3.Connection, owner: int, draft: Draft) -> bool:
    record = draft.record
    found = connection.execute(
        "SELECT digest, event_us FROM records WHERE owner = ? AND id = ?", (owner, record.id)
    ).fetchone()
    if found is None:
        return False
    timed = "event_time" in record.model_fields_set
    if found[0] != draft.digest or (timed and found[1] != to_us(record.event_time)):
        raise _duplicate(record)
    return True


def _duplicate(record: Record) -> DuplicateRecord:
    return DuplicateRecord(
        f"{record.id!r} is already there with other content: update or supersede it, "
        "or write under another id"
    )


def _insert_new(
    connection: sqlite3.Connection, fresh: Sequence[tuple[int, Draft]], at_us: int
) -> None:
    seq = next_seq(connection, len(fresh))
    first = int(
        connection.execute(
            "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'records'), 0) + 1"
        ).fetchone()[0]
    )
    numbered = [(first + i, owner, draft) for i, (owner, draft) in enumerate(fresh)]
    connection.executemany(
        "INSERT INTO records(row, owner, id, kind, status, agent, session, seq, event_us, "
        "ingest_us, changed_us, trust, length, terms, digest, text, payload, origin, sources, "
        "counters) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        [
            _columns(row, owner, draft, seq + i, at_us)
            for i, (row, owner, draft) in enumerate(numbered)
        ],
    )
    connection.executemany(
        "INSERT INTO vectors VALUES (?, ?)", [(row, draft.vector) for row, _, draft in numbered]
    )
    connection.executemany(
        "INSERT OR IGNORE INTO facets VALUES (?, ?, ?, ?)",
        [
            (owner, name, value, row)
            for row, owner, draft in numbered
            for name, value in facets_in(draft.record.payload)
        ],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO links VALUES (?, ?, ?)",
        [(owner, one, row) for row, owner, draft in numbered for one in draft.record.sources],
    )
    counts = Counter((owner, draft.record.payload.kind) for _, owner, draft in numbered)
    for (owner, kind), count in counts.items():
        bump(connection, owner, kind, seq + len(fresh) - 1, at_us, count)


def _columns(row: int, owner: int, draft: Draft, seq: int, at_us: int) -> tuple[object, ...]:
    record = draft.record
    given = "ingest_time" in record.model_fields_set
    ingest_us = to_us(record.ingest_time) if given else at_us
    return (
        row,
        owner,
        record.id,
        record.payload.kind,
        record.status.value,
        record.scope.agent,
        record.scope.session,
        seq,
        to_us(record.event_time),
        ingest_us,
        ingest_us,
        record.trust,
        draft.length,
        draft.terms,
        draft.digest,
        record.text,
        draft.payload,
        draft.origin,
        json.dumps(record.sources) if record.sources else "[]",
        json.dumps(record.counters) if record.counters else "{}",
    )


def _add_facets(connection: sqlite3.Connection, owner: int, row: int, payload: str) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO facets VALUES (?, ?, ?, ?)",
        [(owner, name, value, row) for name, value in facets_of(payload)],
    )


def drop_facets(connection: sqlite3.Connection, owner: int, row: int, payload: str) -> None:
    """Take a record's filterable fields away."""
    connection.executemany(
        "DELETE FROM facets WHERE owner = ? AND name = ? AND value = ? AND row = ?",
        [(owner, name, value, row) for name, value in facets_of(payload)],
    )


def _add_links(
    connection: sqlite3.Connection, owner: int, row: int, sources: Sequence[str]
) -> None:
    if sources:
        connection.executemany(
            "INSERT OR IGNORE INTO links VALUES (?, ?, ?)",
            [(owner, source, row) for source in sources],
        )


def bump(
    connection: sqlite3.Connection, owner: int, kind: str, seq: int, at_us: int, count: int = 0
) -> None:
    """Tell readers that this user and kind changed, and how its number of records did."""
    connection.execute(
        "INSERT INTO heads(owner, kind, seq, count, changed_us) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT(owner, kind) DO UPDATE SET seq = excluded.seq, count = count + excluded.count,"
        " changed_us = max(changed_us, excluded.changed_us)",
        (owner, kind, seq, count, at_us),
    )


def find(connection: sqlite3.Connection, scope: Scope, id: str) -> tuple[int, int, Record]:
    """(owner, row, record) of an id. Raises RecordNotFound if this scope does not have it."""
    owner = owner_of(connection, scope.user)
    values = None
    if owner is not None:
        values = connection.execute(
            f"SELECT {COLUMNS} FROM {JOINED} WHERE r.owner = ? AND r.id = ?", (owner, id)
        ).fetchone()
    if owner is not None and values is not None:
        record = record_of(values)
        if scope.covers(record.scope):
            return owner, int(values[17]), record
    raise RecordNotFound(f"no record {id!r} in the scope of {scope.user!r}")


def rewrite(
    connection: sqlite3.Connection,
    row: int,
    draft: Draft,
    *,
    action: str,
    note: str,
    at: datetime,
) -> None:
    """Make a record what ``draft`` says, and keep what it was as a version."""
    owner, kind, payload = connection.execute(
        "SELECT owner, kind, payload FROM records WHERE row = ?", (row,)
    ).fetchone()
    text_changed = _keep_version(connection, row, draft)
    record, seq, at_us = draft.record, next_seq(connection), to_us(at)
    connection.execute(
        "UPDATE records SET status = ?, seq = ?, version = version + 1, event_us = ?, "
        "changed_us = max(changed_us, ?), trust = ?, length = ?, terms = ?, text = ?, payload = ?,"
        " origin = ?, sources = ?, action = ?, note = ? WHERE row = ?",
        (
            record.status.value,
            seq,
            to_us(record.event_time),
            at_us,
            record.trust,
            draft.length,
            draft.terms,
            record.text,
            draft.payload,
            draft.origin,
            json.dumps(record.sources),
            action,
            note,
            row,
        ),
    )
    if text_changed:
        connection.execute("UPDATE vectors SET vector = ? WHERE row = ?", (draft.vector, row))
    if payload != draft.payload:
        drop_facets(connection, owner, row, payload)
        _add_facets(connection, owner, row, draft.payload)
    connection.execute("DELETE FROM links WHERE owner = ? AND row = ?", (owner, row))
    _add_links(connection, owner, row, record.sources)
    bump(connection, owner, kind, seq, at_us)


def set_status(
    connection: sqlite3.Connection,
    row: int,
    status: Status,
    *,
    action: str,
    note: str,
    at: datetime,
) -> None:
    """Change only a record's status, and keep what it was as a version."""
    owner, kind, before = connection.execute(
        "SELECT owner, kind, status FROM records WHERE row = ?", (row,)
    ).fetchone()
    if before == status.value:
        return
    _keep_version(connection, row, None)
    seq, at_us = next_seq(connection), to_us(at)
    connection.execute(
        "UPDATE records SET status = ?, seq = ?, version = version + 1, action = ?, note = ?, "
        "changed_us = max(changed_us, ?) WHERE row = ?",
        (status.value, seq, action, note, at_us, row),
    )
    bump(connection, owner, kind, seq, at_us)


def _keep_version(connection: sqlite3.Connection, row: int, draft: Draft | None) -> bool:
    """Copy the present state into the versions; True if ``draft`` brings another text.

    The vector is copied only then: a version without one has its successor's.
    """
    values = connection.execute(
        f"SELECT {COLUMNS}, r.version, r.changed_us, r.action, r.note, r.length, r.terms "
        f"FROM {JOINED} WHERE r.row = ?",
        (row,),
    ).fetchone()
    record = record_of(values)
    text_changed = draft is not None and draft.record.text != record.text
    vector = None
    if text_changed:
        vector = connection.execute("SELECT vector FROM vectors WHERE row = ?", (row,)).fetchone()
    connection.execute(
        "INSERT INTO versions VALUES (?,?,?,?,?,?,?,?,?)",
        (row, *values[18:22], record.model_dump_json(), *values[22:], vector and vector[0]),
    )
    return text_changed


def read_history(connection: sqlite3.Connection, row: int, record: Record) -> list[Version]:
    """Every version of a record, oldest first; the last is the present one."""
    versions = [
        Version(number, from_us(changed_us), action, note, Record.model_validate_json(text))
        for number, changed_us, action, note, text in connection.execute(
            "SELECT version, changed_us, action, note, record FROM versions WHERE row = ? "
            "ORDER BY version",
            (row,),
        )
    ]
    number, changed_us, action, note = connection.execute(
        "SELECT version, changed_us, action, note FROM records WHERE row = ?", (row,)
    ).fetchone()
    return [*versions, Version(number, from_us(changed_us), action, note, record)]


def rows_of(connection: sqlite3.Connection, owner: int, ids: Sequence[str]) -> dict[str, int]:
    """The row of each id this user has; unknown ids are left out."""
    found: dict[str, int] = {}
    for start in range(0, len(ids), 500):
        page = list(ids[start : start + 500])
        marks = ",".join("?" * len(page))
        found.update(
            connection.execute(
                f"SELECT id, row FROM records WHERE owner = ? AND id IN ({marks})", [owner, *page]
            )
        )
    return {one: found[one] for one in ids if one in found}


def rows_in_scope(
    connection: sqlite3.Connection, owner: int, scope: Scope, ids: Sequence[str]
) -> dict[str, int]:
    """`rows_of`, without what this scope does not cover."""
    rows = rows_of(connection, owner, ids)
    if scope.agent is None and scope.session is None:
        return rows
    return {
        one: row
        for one, row in rows.items()
        if connection.execute(
            "SELECT 1 FROM records WHERE row = ? AND (? IS NULL OR agent = ?) "
            "AND (? IS NULL OR session = ?)",
            (row, scope.agent, scope.agent, scope.session, scope.session),
        ).fetchone()
    }

"""A past moment: the shelf and the records as they were then."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

import numpy as np

from .records import Record
from .rows import fetch_records, to_us
from .shelf import Shelf

_VECTOR_THEN = (
    "coalesce(w.vector, (SELECT x.vector FROM versions x WHERE x.row = w.row "
    "AND x.version > w.version AND x.vector IS NOT NULL ORDER BY x.version LIMIT 1), "
    "(SELECT c.vector FROM vectors c WHERE c.row = w.row))"
)
_VERSION_THEN = (
    "w.version = (SELECT max(y.version) FROM versions y WHERE y.row = w.row AND y.changed_us <= ?)"
)


def shelf_as_of(
    connection: sqlite3.Connection, owner: int, kind: str, dim: int, at_us: int
) -> Shelf:
    """What this user had of this kind at ``at_us``, with vectors, as a shelf of its own."""
    changes = connection.execute(
        "SELECT r.row, r.event_us, r.status, r.agent, r.session, r.length, r.terms, r.payload, "
        "r.seq, v.vector FROM records r JOIN vectors v ON v.row = r.row "
        "WHERE r.owner = ? AND r.kind = ? AND r.changed_us <= ?",
        (owner, kind, at_us),
    ).fetchall()
    for row, agent, session, seq, text, length, terms, vector in connection.execute(
        "SELECT r.row, r.agent, r.session, r.seq, w.record, w.length, w.terms, "
        f"{_VECTOR_THEN} FROM records r JOIN versions w ON w.row = r.row "
        f"WHERE r.owner = ? AND r.kind = ? AND r.changed_us > ? AND {_VERSION_THEN}",
        (owner, kind, at_us, at_us),
    ):
        record = Record.model_validate_json(text)
        event_us = to_us(record.event_time)
        payload = json.dumps(json.loads(text)["payload"])
        changes.append(
            (
                row,
                event_us,
                record.status.value,
                agent,
                session,
                length,
                terms,
                payload,
                seq,
                vector,
            )
        )
    changes.sort()
    matrix = np.frombuffer(b"".join([c[9] for c in changes]), np.float32).reshape(-1, dim)
    return Shelf.of_changes(owner, kind, dim, [change[:9] for change in changes], matrix)


def records_as_of(
    connection: sqlite3.Connection, rows: Iterable[int], at_us: int
) -> dict[int, Record]:
    """These rows' records as they were at ``at_us``, by row."""
    found = fetch_records(connection, rows)
    for row in found:
        then = connection.execute(
            "SELECT w.record FROM versions w JOIN records r ON r.row = w.row "
            f"WHERE w.row = ? AND r.changed_us > ? AND {_VERSION_THEN}",
            (row, at_us, at_us),
        ).fetchone()
        if then is not None:
            found[row] = Record.model_validate_json(then[0])
    return found

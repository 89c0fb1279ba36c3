"""Listing: records in the order they were written, a page at a time."""

from __future__ import annotations

import sqlite3

from ..errors import RecordNotFound
from .records import Record
from .rows import COLUMNS, JOINED, record_of
from .search import Filters
from .shelf import STATUSES
from .writing import owner_of


def list_records(
    connection: sqlite3.Connection, filters: Filters, limit: int, after: str | None
) -> list[Record]:
    """Up to ``limit`` records that pass, from the one after the id ``after``."""
    owner = owner_of(connection, filters.scope.user)
    if owner is None or limit <= 0:
        return []
    conditions, values = select_where(filters, owner)
    if after is not None:
        found = connection.execute(
            "SELECT row FROM records WHERE owner = ? AND id = ?", (owner, after)
        ).fetchone()
        if found is None:
            raise RecordNotFound(f"no record {after!r} in this scope to list from")
        conditions += " AND r.row > ?"
        values.append(found[0])
    return [
        record_of(row)
        for row in connection.execute(
            f"SELECT {COLUMNS} FROM {JOINED} WHERE {conditions} ORDER BY r.row LIMIT ?",
            [*values, limit],
        )
    ]


def select_where(filters: Filters, owner: int) -> tuple[str, list[object]]:
    """The filters as an SQL condition on ``records r``, and its parameters."""
    conditions, values = ["r.owner = ?"], list[object]([owner])
    kinds = [kind.value for kind in filters.kinds]
    conditions.append(f"r.kind IN ({','.join('?' * len(kinds))})")
    values += kinds
    if set(filters.status) != set(STATUSES):
        conditions.append(f"r.status IN ({','.join('?' * len(filters.status))})")
        values += [status.value for status in filters.status]
    for column, wanted in (("agent", filters.scope.agent), ("session", filters.scope.session)):
        if wanted is not None:
            conditions.append(f"r.{column} = ?")
            values.append(wanted)
    for sign, moment in ((">=", filters.since_us), ("<=", filters.until_us)):
        if moment is not None:
            conditions.append(f"r.event_us {sign} ?")
            values.append(moment)
    for facets, word in ((filters.where, "IN"), (filters.exclude, "NOT IN")):
        for name, options in facets.items():
            marks = ",".join("?" * len(options))
            conditions.append(
                f"r.row {word} (SELECT row FROM facets WHERE owner = ? AND name = ? "
                f"AND value IN ({marks}))"
            )
            values += [owner, name, *options]
    return " AND ".join(conditions), values

"""Forgetting: a record gone from every table, with what was derived from it alone.

Deleted bytes are overwritten (``secure_delete``), the write-ahead log is cut, and the index moves
to a new generation, whose folder starts empty. If a page still shows a trace, the journal is
written anew.
"""

from __future__ import annotations

import json
import mmap
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .indexer import next_generation
from .records import Scope
from .writing import bump, drop_facets, next_seq


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a forget removed, or would remove (``dry_run``).

    ``derived`` were made from forgotten records alone and went with them; ``kept`` have other
    sources too and lost only the mention. ``recalls`` is the number of log entries scrubbed.
    """

    forgotten: tuple[str, ...]
    derived: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    recalls: int = 0
    dry_run: bool = False
    traces: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which rows go, by id, and which survive without a source."""

    asked: dict[str, int]
    derived: dict[str, int]
    kept: dict[str, int]


def plan(connection: sqlite3.Connection, owner: int, asked: dict[str, int]) -> Plan:
    """Follow the links from what was asked to everything that rests on it alone."""
    gone, derived, kept = dict(asked), dict[str, int](), dict[str, int]()
    frontier = list(asked)
    while frontier:
        touched: dict[str, int] = {}
        for source in frontier:
            touched.update(
                connection.execute(
                    "SELECT r.id, r.row FROM links l JOIN records r ON r.row = l.row "
                    "WHERE l.owner = ? AND l.source = ?",
                    (owner, source),
                )
            )
        frontier = list[str]()
        for name, row in touched.items():
            if name in gone:
                continue
            sources = connection.execute(
                "SELECT source FROM links WHERE owner = ? AND row = ?", (owner, row)
            )
            if all(source in gone for (source,) in sources):
                gone[name] = derived[name] = row
                kept.pop(name, None)
                frontier.append(name)
            else:
                kept[name] = row
    return Plan(asked, derived, kept)


def carry_out(connection: sqlite3.Connection, owner: int, todo: Plan, at_us: int) -> Receipt:
    """Remove the rows of a plan, inside a transaction."""
    gone = {**todo.asked, **todo.derived}
    traces = list[bytes]()
    kinds: dict[str, int] = {}
    recalls: set[int] = set()
    for row in gone.values():
        kind, payload, text = connection.execute(
            "SELECT kind, payload, text FROM records WHERE row = ?", (row,)
        ).fetchone()
        kinds[kind] = kinds.get(kind, 0) + 1
        traces += snippets(str(text).encode())
        for (vector,) in connection.execute("SELECT vector FROM vectors WHERE row = ?", (row,)):
            traces += snippets(bytes(vector), 48)
        recalls.update(_recalls_of(connection, owner, row, text))
        drop_facets(connection, owner, row, payload)
        for statement in _REMOVALS:
            connection.execute(statement, (row,))
    for name in gone:
        connection.execute("DELETE FROM links WHERE owner = ? AND source = ?", (owner, name))
        _drop_notes(connection, owner, name)
    _scrub_recalls(connection, recalls, gone)
    connection.execute("DELETE FROM learned WHERE owner = ?", (owner,))
    _unmention(connection, todo.kept.values(), gone, at_us)
    for kind, count in kinds.items():
        bump(connection, owner, kind, next_seq(connection), at_us, -count)
        connection.execute(
            "UPDATE heads SET purges = purges + 1 WHERE owner = ? AND kind = ?", (owner, kind)
        )
    if connection.execute(
        f"SELECT 1 FROM indexed WHERE kind IN ({','.join('?' * len(kinds))})", list(kinds)
    ).fetchone():
        next_generation(connection)
    return Receipt(
        tuple(todo.asked), tuple(todo.derived), tuple(todo.kept), len(recalls), False, tuple(traces)
    )


_REMOVALS = (
    "DELETE FROM recall_rows WHERE row = ?",
    "DELETE FROM utility WHERE row = ?",
    "DELETE FROM versions WHERE row = ?",
    "DELETE FROM links WHERE owner = (SELECT owner FROM records WHERE row = ?1) AND row = ?1",
    "DELETE FROM vectors WHERE row = ?",
    "DELETE FROM records WHERE row = ?",
)


def _recalls_of(connection: sqlite3.Connection, owner: int, row: int, text: str) -> Iterable[int]:
    """Log entries that offered this record, or whose query repeats its text."""
    for (recall,) in connection.execute("SELECT recall FROM recall_rows WHERE row = ?", (row,)):
        yield recall
    for (recall,) in connection.execute(
        "SELECT recall FROM recalls WHERE owner = ? AND instr(query, ?) > 0", (owner, text)
    ):
        yield recall


def _scrub_recalls(
    connection: sqlite3.Connection, recalls: Iterable[int], gone: Collection[str]
) -> None:
    """Take the forgotten out of the log: their ids, and the queries that led to them."""
    for recall in recalls:
        candidates, chosen, dropped, chances = connection.execute(
            "SELECT candidates, chosen, dropped, probabilities FROM recalls WHERE recall = ?",
            (recall,),
        ).fetchone()
        kept_chances = {n: p for n, p in json.loads(chances).items() if n not in gone}
        connection.execute(
            "UPDATE recalls SET query = '', context = '{}', vector = NULL, candidates = ?, "
            "chosen = ?, dropped = ?, probabilities = ? WHERE recall = ?",
            (
                json.dumps([one for one in json.loads(candidates) if one[0] not in gone]),
                json.dumps([name for name in json.loads(chosen) if name not in gone]),
                json.dumps([name for name in json.loads(dropped) if name not in gone]),
                json.dumps(kept_chances),
                recall,
            ),
        )


def _unmention(
    connection: sqlite3.Connection, rows: Iterable[int], gone: Collection[str], at_us: int
) -> None:
    """Take forgotten ids out of the sources of records that stay, and of their versions."""
    for row in rows:
        owner, kind, sources = connection.execute(
            "SELECT owner, kind, sources FROM records WHERE row = ?", (row,)
        ).fetchone()
        seq = next_seq(connection)
        left = [name for name in json.loads(sources) if name not in gone]
        connection.execute(
            "UPDATE records SET sources = ?, seq = ? WHERE row = ?", (json.dumps(left), seq, row)
        )
        for version, text in connection.execute(
            "SELECT version, record FROM versions WHERE row = ?", (row,)
        ).fetchall():
            record = json.loads(text)
            record["sources"] = [name for name in record["sources"] if name not in gone]
            connection.execute(
                "UPDATE versions SET record = ? WHERE row = ? AND version = ?",
                (json.dumps(record), row, version),
            )
        bump(connection, owner, kind, seq, at_us)


def _drop_notes(connection: sqlite3.Connection, owner: int, name: str) -> None:
    notes = (f"by {name}", f"into {name}")
    connection.execute(
        "UPDATE records SET note = '' WHERE owner = ? AND note IN (?, ?)", (owner, *notes)
    )
    connection.execute(
        "UPDATE versions SET note = '' WHERE note IN (?, ?) "
        "AND row IN (SELECT row FROM records WHERE owner = ?)",
        (*notes, owner),
    )


def drop_recalls(connection: sqlite3.Connection, owner: int, scope: Scope) -> None:
    """Delete the log of recalls of a scope, with its queries."""
    condition = "owner = ? AND (? IS NULL OR agent = ?) AND (? IS NULL OR session = ?)"
    values = (owner, scope.agent, scope.agent, scope.session, scope.session)
    connection.execute(
        f"DELETE FROM recall_rows WHERE recall IN (SELECT recall FROM recalls WHERE {condition})",
        values,
    )
    connection.execute(f"DELETE FROM recalls WHERE {condition}", values)
    connection.execute("DELETE FROM learned WHERE owner = ?", (owner,))


def drop_empty_owner(connection: sqlite3.Connection, owner: int) -> None:
    """Forget a user's name once nothing of theirs is left."""
    for table in ("records", "recalls"):
        if connection.execute(f"SELECT 1 FROM {table} WHERE owner = ?", (owner,)).fetchone():
            return
    connection.execute("DELETE FROM heads WHERE owner = ?", (owner,))
    connection.execute("DELETE FROM learned WHERE owner = ?", (owner,))
    connection.execute("DELETE FROM owners WHERE owner = ?", (owner,))


def snippets(data: bytes, size: int = 40) -> list[bytes]:
    """A few short pieces by which a text would be recognised on a page that holds part of it."""
    if len(data) <= size:
        return [data] if len(data) >= 8 else []
    places = {0, len(data) // 2, len(data) - size}
    return [data[place : place + size] for place in sorted(places) if place + size <= len(data)]


def shows(path: Path, traces: Sequence[bytes]) -> bool:
    """True if a file holds any of these byte strings."""
    try:
        with path.open("rb") as file:
            if not file.seek(0, 2):
                return False
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return any(data.find(trace) >= 0 for trace in traces)
    except FileNotFoundError:
        return False

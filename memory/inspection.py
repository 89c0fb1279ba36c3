"""Looking a store over: what it holds, whether it is whole, and where a text can be found."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .binding import read_written
from .indexer import Indexer


@dataclass(frozen=True, slots=True)
class Stats:
    """What a store holds. ``pending`` counts, by kind, what the vector index has yet to take in."""

    records: int
    users: int
    kinds: dict[str, int]
    statuses: dict[str, int]
    versions: int
    recalls: int
    rewards: int
    embedder: str | None
    dim: int | None
    indexed: dict[str, int]
    pending: dict[str, int]
    bytes_on_disk: int


@dataclass(frozen=True, slots=True)
class Report:
    """What `verify` found. ``problems`` is empty for a store that is whole.

    ``found`` names the places that hold the text that should be absent; None if none was asked for.
    """

    checked: dict[str, int]
    problems: tuple[str, ...]
    found: tuple[str, ...] | None = None

    @property
    def ok(self) -> bool:
        """True if nothing is wrong, and what should be absent is."""
        return not self.problems and not self.found


def read_stats(connection: sqlite3.Connection, folder: Path | None) -> Stats:
    """Count a store's contents."""

    def one(sql: str) -> int:
        return int(connection.execute(sql).fetchone()[0])

    def by(sql: str) -> dict[str, int]:
        return {str(name): int(count) for name, count in connection.execute(sql)}

    written = read_written(connection)
    return Stats(
        records=one("SELECT count(*) FROM records"),
        users=one("SELECT count(DISTINCT owner) FROM heads WHERE count > 0"),
        kinds=by("SELECT kind, sum(count) FROM heads GROUP BY kind HAVING sum(count) > 0"),
        statuses=by("SELECT status, count(*) FROM records GROUP BY status"),
        versions=one("SELECT count(*) FROM versions"),
        recalls=one("SELECT count(*) FROM recalls"),
        rewards=one("SELECT count(*) FROM recalls WHERE reward IS NOT NULL"),
        embedder=written.id if written else None,
        dim=written.dim if written else None,
        indexed=by(
            "SELECT i.kind, count(r.row) FROM indexed i LEFT JOIN records r "
            "ON r.kind = i.kind AND r.seq <= i.seq GROUP BY i.kind"
        ),
        pending=by(
            "SELECT i.kind, count(*) FROM indexed i JOIN records r "
            "ON r.kind = i.kind AND r.seq > i.seq GROUP BY i.kind"
        ),
        bytes_on_disk=sum(path.stat().st_size for path in files_of(folder)),
    )


def files_of(folder: Path | None) -> Iterator[Path]:
    """Every file of a store, the index's and set-aside ones included."""
    if folder is not None:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


_NO_RECORD = (
    "SELECT count(*) FROM {0} x WHERE NOT EXISTS (SELECT 1 FROM records r WHERE r.row = x.row)"
)
_OF_HEAD = "FROM records r WHERE r.owner = h.owner AND r.kind = h.kind"
_LAWS = {
    "records without a vector": (
        "SELECT count(*) FROM records r "
        "WHERE NOT EXISTS (SELECT 1 FROM vectors v WHERE v.row = r.row)"
    ),
    "vectors without a record": _NO_RECORD.format("vectors"),
    "versions without a record": _NO_RECORD.format("versions"),
    "filter fields without a record": _NO_RECORD.format("facets"),
    "links without a record": _NO_RECORD.format("links"),
    "use counts without a record": _NO_RECORD.format("utility"),
    "records whose history has gaps": (
        "SELECT count(*) FROM records r WHERE r.version - 1 != "
        "(SELECT count(*) FROM versions v WHERE v.row = r.row)"
    ),
    "scopes whose count is wrong": (
        f"SELECT count(*) FROM heads h WHERE h.count != (SELECT count(*) {_OF_HEAD})"
    ),
    "scopes whose readers would miss a change": (
        f"SELECT count(*) FROM heads h WHERE h.seq < (SELECT coalesce(max(seq), 0) {_OF_HEAD})"
    ),
}


def check_journal(connection: sqlite3.Connection) -> tuple[dict[str, int], list[str]]:
    """Counts, and what is wrong with the journal by SQLite's judgement and by our own laws."""
    problems = [
        f"journal: {line}"
        for (line,) in connection.execute("PRAGMA integrity_check(20)")
        if line != "ok"
    ]
    for name, sql in _LAWS.items():
        count = int(connection.execute(sql).fetchone()[0])
        if count:
            problems.append(f"journal: {count} {name}")
    written = read_written(connection)
    size = 4 * written.dim if written else 0
    wrong = connection.execute(
        "SELECT count(*) FROM vectors WHERE length(vector) != ?", (size,)
    ).fetchone()[0]
    if wrong:
        problems.append(f"journal: {wrong} vectors of a wrong length")
    checked = {
        table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        for table in ("records", "vectors", "versions", "recalls")
    }
    return checked, problems


def sample_rows(connection: sqlite3.Connection, count: int, seed: int = 0) -> list[int]:
    """Some rows, evenly drawn, the same for the same store and seed."""
    rows = [row for (row,) in connection.execute("SELECT row FROM records WHERE status = 'active'")]
    return sorted(random.Random(seed).sample(rows, min(count, len(rows))))


def check_index(connection: sqlite3.Connection, indexer: Indexer, sample: int) -> list[str]:
    """What the index lacks of the kinds it holds."""
    problems: list[str] = []
    for kind, seq in connection.execute("SELECT kind, seq FROM indexed").fetchall():
        given = connection.execute(
            "SELECT count(*) FROM records WHERE kind = ? AND seq <= ?", (kind, seq)
        ).fetchone()[0]
        held = indexer.count(kind)
        if held is None:
            problems.append(f"index: the collection of {kind} cannot be read; reindex rebuilds it")
            continue
        if held < given:
            problems.append(f"index: {held} vectors of {kind} where {given} were put; reindex")
        found = connection.execute(
            "SELECT v.row, v.vector FROM records r JOIN vectors v ON v.row = r.row "
            "WHERE r.kind = ? AND r.seq <= ? ORDER BY r.digest LIMIT ?",
            (kind, seq, sample),
        ).fetchall()
        lost = 0
        for row, packed in found:
            vector = np.frombuffer(packed, np.float32)
            rows = indexer.nearest(kind, vector, 20)
            lost += rows is not None and row not in rows and not _twin(connection, rows, packed)
        if lost:
            problems.append(
                f"index: {lost} of {len(found)} vectors of {kind} do not find themselves"
            )
    return problems


def _twin(connection: sqlite3.Connection, rows: list[int], packed: bytes) -> bool:
    """True if one of the rows has the very same vector."""
    marks = ",".join("?" * len(rows))
    found = connection.execute(
        f"SELECT 1 FROM vectors WHERE row IN ({marks}) AND vector = ?", [*rows, packed]
    )
    return found.fetchone() is not None


def places_of(text: str, connection: sqlite3.Connection, folder: Path | None) -> list[str]:
    """Every file and table in which a text can be found, as it is, escaped or in UTF-16."""
    places: list[str] = []
    columns = (
        ("records", "text"), ("records", "payload"), ("records", "note"), ("records", "id"),
        ("versions", "record"), ("versions", "note"), ("recalls", "query"),
        ("recalls", "context"), ("recalls", "candidates"), ("facets", "value"),
        ("links", "source"), ("owners", "name"),
    )  # fmt: skip
    escaped = json.dumps(text)[1:-1]
    for table, column in columns:
        count = connection.execute(
            f"SELECT count(*) FROM {table} WHERE instr({column}, ?) > 0 OR instr({column}, ?) > 0",
            (text, escaped),
        ).fetchone()[0]
        if count:
            places.append(f"{count} rows of {table}.{column}")
    forms = {text.encode("utf-8", "replace"), escaped.encode(), text.encode("utf-16-le", "replace")}
    forms |= {json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "replace")}
    for path in files_of(folder):
        if _holds(path, forms):
            places.append(str(path))
    return places


def _holds(path: Path, forms: set[bytes]) -> bool:
    """True if a file holds one of the byte strings; read in pieces that overlap."""
    overlap = max(len(form) for form in forms)
    try:
        with path.open("rb") as file:
            tail = b""
            while piece := file.read(1 << 22):
                data = tail + piece
                if any(form in data for form in forms):
                    return True
                tail = data[-overlap:]
    except OSError:
        return False
    return False

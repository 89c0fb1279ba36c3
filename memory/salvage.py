"""Saving what can be read of a damaged journal into a new one.

Rows are read one by one, so a damaged page costs the rows on it and no others. What can be computed
(search terms, filter fields, links, counts) is made anew. The damaged journal is kept beside it.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import MemoryFault
from .journal import Journal
from .lock import StoreLock
from .rows import facets_of

_FAR = 200_000
_TABLES = ("owners", "records", "vectors", "versions", "recalls", "utility")


@dataclass(frozen=True, slots=True)
class Saved:
    """How many records were saved and lost, and where the damaged journal is now."""

    records: int
    lost: int
    damaged: Path


def salvage(folder: Path) -> Saved:
    """Replace the journal in ``folder`` by one of everything that can be read of it.

    Raises StoreLocked if the store is open, MemoryFault if there is none.
    """
    journal = folder / "journal.db"
    if not journal.exists():
        raise MemoryFault(f"there is no journal in {folder}")
    lock = StoreLock(folder)
    lock.acquire()
    try:
        fresh = folder / "journal.saved.db"
        for suffix in ("", "-wal", "-shm"):
            fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as damaged:
            saved, expected = _copy(damaged, fresh)
        kept = folder / f"journal.damaged-{int(time.time())}.db"
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                journal.with_name(journal.name + suffix).rename(kept.with_name(kept.name + suffix))
        fresh.rename(journal)
        return Saved(saved, max(0, expected - saved), kept)
    finally:
        lock.release()


def _copy(damaged: sqlite3.Connection, fresh: Path) -> tuple[int, int]:
    journal = Journal(fresh)
    try:
        with journal.writing() as connection:
            connection.execute("DELETE FROM meta")
            expected = 0
            for name, value in _readable(damaged, "SELECT key, value FROM meta"):
                connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
            connection.execute("INSERT OR IGNORE INTO meta VALUES ('store', 'salvaged')")
            connection.execute("INSERT OR IGNORE INTO meta VALUES ('generation', '1')")
            connection.execute(
                "UPDATE meta SET value = CAST(value + 1 AS TEXT) WHERE key = 'generation'"
            )
            for table in _TABLES:
                last = _last(damaged, table)
                expected = max(expected, last) if table == "records" else expected
                _copy_table(damaged, connection, table, last)
            _mend(connection)
            saved = int(connection.execute("SELECT count(*) FROM records").fetchone()[0])
            return saved, _count(damaged, expected)
    finally:
        journal.close()


def _copy_table(
    damaged: sqlite3.Connection, connection: sqlite3.Connection, table: str, last: int
) -> None:
    """Copy a table row by row; where a stretch is whole, in one read."""
    names = _columns(damaged, table)
    start, step = 0, 256
    while start <= last:
        rows = _rows(damaged, table, start, start + step)
        if rows is None:
            for row in range(start, start + step):
                _put(connection, table, names, _rows(damaged, table, row, row + 1) or ())
        else:
            _put(connection, table, names, rows)
        start += step


def _rows(
    damaged: sqlite3.Connection, table: str, start: int, end: int
) -> list[tuple[object, ...]] | None:
    names = ", ".join(_columns(damaged, table))
    try:
        return damaged.execute(
            f"SELECT {names} FROM {table} NOT INDEXED WHERE rowid >= ? AND rowid < ?", (start, end)
        ).fetchall()
    except sqlite3.Error:
        return None


def _columns(damaged: sqlite3.Connection, table: str) -> list[str]:
    """A table's columns: an older journal has fewer of them than ours."""
    return [str(name) for _, name, *_ in _readable(damaged, f"PRAGMA table_info({table})")]


def _put(
    connection: sqlite3.Connection,
    table: str,
    names: Sequence[str],
    rows: Sequence[tuple[object, ...]],
) -> None:
    marks = ",".join("?" * len(names))
    for row in rows:
        with suppress(sqlite3.IntegrityError):
            connection.execute(
                f"INSERT OR IGNORE INTO {table}({','.join(names)}) VALUES ({marks})", row
            )


def _readable(damaged: sqlite3.Connection, sql: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    try:
        rows.extend(damaged.execute(sql))
    except sqlite3.Error:
        return rows
    return rows


def _last(damaged: sqlite3.Connection, table: str) -> int:
    """The highest row to try: what the table says, or far enough if it cannot say."""
    counted = "records" if table in ("vectors", "utility") else table
    for sql in (
        f"SELECT seq FROM sqlite_sequence WHERE name = '{counted}'",
        f"SELECT max(rowid) FROM {table}",
    ):
        found = _readable(damaged, sql)
        if found and found[0][0] is not None:
            return int(str(found[0][0]))
    return _FAR


def _count(damaged: sqlite3.Connection, fallback: int) -> int:
    found = _readable(damaged, "SELECT sum(count) FROM heads")
    return int(str(found[0][0])) if found and found[0][0] is not None else fallback


def _mend(connection: sqlite3.Connection) -> None:
    """Drop what lost its other half, and compute again what can be computed."""
    connection.execute("DELETE FROM records WHERE row NOT IN (SELECT row FROM vectors)")
    connection.execute("DELETE FROM records WHERE owner NOT IN (SELECT owner FROM owners)")
    for table in ("vectors", "versions", "utility"):
        connection.execute(f"DELETE FROM {table} WHERE row NOT IN (SELECT row FROM records)")
    connection.execute(
        "UPDATE records SET version = 1 + (SELECT count(*) FROM versions v "
        "WHERE v.row = records.row)"
    )
    _number_versions(connection)
    for owner, row, payload, sources in connection.execute(
        "SELECT owner, row, payload, sources FROM records"
    ).fetchall():
        connection.executemany(
            "INSERT OR IGNORE INTO facets VALUES (?, ?, ?, ?)",
            [(owner, name, value, row) for name, value in facets_of(payload)],
        )
        connection.executemany(
            "INSERT OR IGNORE INTO links VALUES (?, ?, ?)",
            [(owner, source, row) for source in json.loads(sources)],
        )
    connection.execute("UPDATE counter SET seq = (SELECT coalesce(max(seq), 0) FROM records)")
    connection.execute(
        "INSERT INTO heads(owner, kind, seq, count, changed_us) SELECT owner, kind, max(seq), "
        "count(*), max(changed_us) FROM records GROUP BY owner, kind"
    )
    rows = {
        (owner, name): row
        for owner, name, row in connection.execute("SELECT owner, id, row FROM records")
    }
    for recall, owner, candidates in connection.execute(
        "SELECT recall, owner, candidates FROM recalls"
    ).fetchall():
        known = [rows.get((owner, one[0])) for one in json.loads(candidates)]
        connection.executemany(
            "INSERT OR IGNORE INTO recall_rows VALUES (?, ?)",
            [(row, recall) for row in known if row is not None],
        )


def _number_versions(connection: sqlite3.Connection) -> None:
    """Close the gaps that lost versions left; the present version comes after the last."""
    numbers: dict[int, int] = {}
    for rowid, row, version in connection.execute(
        "SELECT rowid, row, version FROM versions ORDER BY row, version"
    ).fetchall():
        numbers[row] = numbers.get(row, 0) + 1
        if numbers[row] != version:
            connection.execute(
                "UPDATE versions SET version = ? WHERE rowid = ?", (numbers[row], rowid)
            )

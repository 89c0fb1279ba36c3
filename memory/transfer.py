"""Taking memories along: one JSON object a line, readable without Reverie.

The first line says ``{"reverie": "memory", "format": 1, "embedder": …, "dim": …}``. Then, for each
record, ``{"record": {…}, "vector": BASE64, "history": [{…}], "utility": [recalled, chosen,
rewarded, reward_sum]}``: the record as `Record` writes it, its vector as little-endian float32, its
earlier versions oldest first, its use counts.
"""

from __future__ import annotations

import base64
import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from ..errors import InvalidRecord, MemoryFault
from .binding import read_written
from .listing import select_where
from .records import Record
from .rows import COLUMNS, JOINED, Draft, from_us, record_of, to_us
from .search import Filters
from .terms import pack_terms
from .writing import insert, owner_of, rows_of

FORMAT = 1


class PastVersion(BaseModel):
    """An earlier version in an export; no vector means its successor's."""

    number: int
    changed: datetime
    action: str
    note: str = ""
    record: Record
    vector: str | None = None


class Present(BaseModel):
    """Which version a record has reached, and how."""

    number: int = 1
    changed: datetime
    action: str = "add"
    note: str = ""


class Line(BaseModel):
    """One record of an export."""

    record: Record
    vector: str
    present: Present
    history: list[PastVersion] = []
    utility: tuple[int, int, int, float] = (0, 0, 0, 0.0)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: ``written`` are new, ``known`` were there already."""

    written: int
    known: int


def write_export(connection: sqlite3.Connection, filters: Filters, path: Path) -> int:
    """Write a scope to ``path``, whole or not at all; how many records."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with scratch.open("w", encoding="utf-8") as file:
            count = _write(connection, filters, file)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    return count


def _write(connection: sqlite3.Connection, filters: Filters, file: TextIO) -> int:
    written = read_written(connection)
    head = {
        "reverie": "memory",
        "format": FORMAT,
        "embedder": written.id if written else None,
        "dim": written.dim if written else None,
    }
    file.write(json.dumps(head) + "\n")
    owner = owner_of(connection, filters.scope.user)
    if owner is None:
        return 0
    condition, values = select_where(filters, owner)
    count = 0
    for row in connection.execute(
        f"SELECT {COLUMNS}, r.version, r.changed_us, r.action, r.note, v.vector FROM {JOINED} "
        f"JOIN vectors v ON v.row = r.row WHERE {condition} ORDER BY r.row",
        values,
    ):
        line = Line(
            record=_without_uses(record_of(row)),
            vector=base64.b64encode(row[22]).decode(),
            present=Present(number=row[18], changed=from_us(row[19]), action=row[20], note=row[21]),
            history=_history(connection, row[17]),
            utility=(row[13] or 0, row[14] or 0, row[15] or 0, row[16] or 0.0),
        )
        file.write(line.model_dump_json() + "\n")
        count += 1
    return count


def _without_uses(record: Record) -> Record:
    uses = ("recalled", "chosen", "rewarded", "reward_sum")
    kept = {name: value for name, value in record.counters.items() if name not in uses}
    return record.model_copy(update={"counters": kept})


def _history(connection: sqlite3.Connection, row: int) -> list[PastVersion]:
    return [
        PastVersion(
            number=number,
            changed=from_us(changed_us),
            action=action,
            note=note,
            record=Record.model_validate_json(text),
            vector=None if vector is None else base64.b64encode(vector).decode(),
        )
        for number, changed_us, action, note, text, vector in connection.execute(
            "SELECT version, changed_us, action, note, record, vector FROM versions "
            "WHERE row = ? ORDER BY version",
            (row,),
        )
    ]


def read_head(path: Path) -> tuple[str | None, int | None]:
    """The embedder and dimension an export was written with. Raises MemoryFault if it is none."""
    with path.open(encoding="utf-8") as file:
        first = file.readline()
    try:
        head: dict[str, object] = json.loads(first)
        if head["reverie"] != "memory" or head["format"] != FORMAT:
            raise ValueError
        embedder, dim = head["embedder"], head["dim"]
    except (ValueError, KeyError, TypeError) as error:
        raise MemoryFault(
            f"{path} is no memory export of format {FORMAT}: its first line says {first[:80]!r}. "
            "`reverie memory import-cases` reads files of cases"
        ) from error
    return (
        None if embedder is None else str(embedder),
        None if dim is None else int(str(dim)),
    )


def read_lines(path: Path) -> Iterator[tuple[int, Line]]:
    """The records of an export, with their place counted from 0. Raises InvalidRecord."""
    with path.open(encoding="utf-8") as file:
        file.readline()
        for place, text in enumerate(file):
            try:
                yield place, Line.model_validate_json(text)
            except ValidationError as error:
                raise InvalidRecord(
                    f"line {place + 2} of {path} cannot be read: {error}", place
                ) from error


def unpacked(vector: str) -> NDArray[np.float32]:
    """A vector of an export."""
    return np.frombuffer(base64.b64decode(vector), "<f4")


def restore(
    connection: sqlite3.Connection,
    entries: list[tuple[Draft, Line]],
    *,
    keep_vectors: bool,
    at: datetime,
) -> Imported:
    """Write the records of an export with their past, inside a transaction."""
    user = entries[0][1].record.scope.user
    owner = owner_of(connection, user)
    names = [line.record.id for _, line in entries]
    known = set(rows_of(connection, owner, names)) if owner is not None else set[str]()
    insert(connection, [drafted for drafted, _ in entries], at)
    owner = owner_of(connection, user)
    assert owner is not None
    rows = rows_of(connection, owner, names)
    for drafted, line in entries:
        if drafted.record.id not in known:
            _restore_past(connection, owner, rows[drafted.record.id], line, keep_vectors)
    return Imported(len(entries) - len(known & set(names)), len(known & set(names)))


def _restore_past(
    connection: sqlite3.Connection, owner: int, row: int, line: Line, keep_vectors: bool
) -> None:
    changed_us = to_us(line.present.changed)
    connection.execute(
        "UPDATE records SET version = ?, changed_us = ?, action = ?, note = ? WHERE row = ?",
        (line.present.number, changed_us, line.present.action, line.present.note, row),
    )
    connection.execute(
        "UPDATE heads SET changed_us = max(changed_us, ?) WHERE owner = ? AND kind = ?",
        (changed_us, owner, line.record.payload.kind),
    )
    for version in line.history:
        terms, length = pack_terms(version.record.text)
        vector = None
        if keep_vectors and version.vector is not None:
            vector = unpacked(version.vector).tobytes()
        connection.execute(
            "INSERT INTO versions VALUES (?,?,?,?,?,?,?,?,?)",
            (
                row,
                version.number,
                to_us(version.changed),
                version.action,
                version.note,
                version.record.model_dump_json(),
                length,
                terms,
                vector,
            ),
        )
    if any(line.utility):
        connection.execute("INSERT INTO utility VALUES (?,?,?,?,?)", (row, *line.utility))

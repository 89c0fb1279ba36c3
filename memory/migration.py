"""Moving a store to another embedder: all texts are embedded, then all vectors change at once.

New vectors wait in a staging table, so a crash half-way leaves the store as it was.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .binding import write_embedder
from .indexer import next_generation
from .journal import Journal
from .rows import unit_rows
from .writing import next_seq

if TYPE_CHECKING:
    from .embed import Embedder

_BATCH = 256
_STAGE = (
    "CREATE TABLE IF NOT EXISTS staged(row INTEGER, version INTEGER, text_is TEXT, vector BLOB, "
    "PRIMARY KEY (row, version))"
)


def embed_again(
    journal: Journal,
    embedder: Embedder,
    name: str,
) -> int:
    """Give every record and version a vector of ``embedder``; how many texts were embedded.

    ``name`` opens the embedder again, where it has a name.
    """
    with journal.writing() as connection:
        connection.execute("DROP TABLE IF EXISTS staged")
        connection.execute(_STAGE)
    done = 0
    while True:
        with journal.reading() as connection:
            batch = _missing(connection)
        if not batch:
            with journal.writing() as connection:
                if _missing(connection):
                    continue  # someone wrote meanwhile
                _swap(connection)
                write_embedder(connection, embedder, name)
                return done
        vectors = _embedded(embedder, [text for *_, text in batch])
        with journal.writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO staged VALUES (?, ?, ?, ?)",
                [
                    (row, version, mark, vector.tobytes())
                    for (row, version, mark, _), vector in zip(batch, vectors, strict=True)
                ],
            )
        done += len(batch)


def _missing(connection: sqlite3.Connection) -> list[tuple[int, int, str, str]]:
    """(row, version, mark, text) of some that wait; the mark changes when the record does.

    Version 0 stands for the present one.
    """
    present = connection.execute(
        "SELECT r.row, 0, CAST(r.version AS TEXT), r.text FROM records r LEFT JOIN staged s "
        "ON s.row = r.row AND s.version = 0 "
        "WHERE s.row IS NULL OR s.text_is != CAST(r.version AS TEXT) LIMIT ?",
        (_BATCH,),
    ).fetchall()
    if present:
        return present
    return [
        (row, version, "", json.loads(record)["text"])
        for row, version, record in connection.execute(
            "SELECT v.row, v.version, v.record FROM versions v LEFT JOIN staged s "
            "ON s.row = v.row AND s.version = v.version "
            "WHERE v.vector IS NOT NULL AND s.row IS NULL LIMIT ?",
            (_BATCH,),
        )
    ]


def _embedded(embedder: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
    return unit_rows(embedder.embed(texts), len(texts), embedder.dim)


def _swap(connection: sqlite3.Connection) -> None:
    connection.execute(
        "UPDATE vectors SET vector = (SELECT s.vector FROM staged s "
        "WHERE s.row = vectors.row AND s.version = 0)"
    )
    connection.execute(
        "UPDATE versions SET vector = (SELECT s.vector FROM staged s WHERE s.row = versions.row "
        "AND s.version = versions.version) WHERE vector IS NOT NULL"
    )
    connection.execute("DROP TABLE staged")
    connection.execute("UPDATE recalls SET vector = NULL")  # the old embedder's, like all learnt
    connection.execute("DELETE FROM learned")
    seq = next_seq(connection)
    connection.execute("UPDATE heads SET purges = purges + 1, seq = ?", (seq,))
    next_generation(connection)

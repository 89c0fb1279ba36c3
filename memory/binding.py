"""A store and its embedder: which one wrote the vectors, and that no other is mixed in."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import EmbedderMismatch
from .journal import Journal

if TYPE_CHECKING:
    from .embed import Embedder


@dataclass(frozen=True, slots=True)
class Written:
    """The embedder that a store's vectors come from. ``name`` opens it, where it has a name."""

    id: str
    dim: int
    name: str


class Binding:
    """The embedder of one store: opened when first needed, checked against what was written."""

    def __init__(self, journal: Journal, embedder: Embedder | str | None) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._given = embedder
        self._open: Embedder | None = None
        if embedder is not None and self.written() is not None:
            self.embedder()

    def written(self) -> Written | None:
        """What the journal says; None while no vector was written."""
        with self._journal.reading() as connection:
            return read_written(connection)

    def embedder(self, written: Written | None = None) -> Embedder:
        """The embedder. Raises EmbedderMismatch if the store was written with another.

        ``written`` is what the journal says now, where the caller has just asked it.
        """
        with self._lock:
            if self._open is None:
                self._open = self._opened()
            if written is not None:
                _check(written, self._open)
            return self._open

    def bind(self, connection: sqlite3.Connection) -> None:
        """Note the embedder with the first vectors; raise EmbedderMismatch if it is another's."""
        embedder = self.embedder()
        written = read_written(connection)
        if written is None:
            write_embedder(connection, embedder, self._name())
        else:
            _check(written, embedder)

    def rebind(self, embedder: Embedder, name: str) -> None:
        """Use ``embedder`` from now on, which the journal names already."""
        with self._lock:
            self._open, self._given = embedder, name or embedder

    def _name(self) -> str:
        return self._given if isinstance(self._given, str) else ""

    def _opened(self) -> Embedder:
        written = self.written()
        if self._given is not None and not isinstance(self._given, str):
            embedder = self._given
        else:
            from .embed import open_embedder

            name = self._given if self._given is not None else written.name if written else None
            embedder = open_embedder(name or None)
        if written is not None:
            _check(written, embedder)
        return embedder


def read_written(connection: sqlite3.Connection) -> Written | None:
    """The embedder that the journal names."""
    meta = dict(
        connection.execute(
            "SELECT key, value FROM meta WHERE key IN ('embedder', 'dim', 'embedder_name')"
        ).fetchall()
    )
    if "embedder" not in meta:
        return None
    return Written(meta["embedder"], int(meta["dim"]), meta.get("embedder_name", ""))


def write_embedder(connection: sqlite3.Connection, embedder: Embedder, name: str) -> None:
    """Name the embedder in the journal."""
    connection.executemany(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)",
        [("embedder", embedder.id), ("dim", str(embedder.dim)), ("embedder_name", name)],
    )


def _check(written: Written, embedder: Embedder) -> None:
    if (written.id, written.dim) != (embedder.id, embedder.dim):
        raise EmbedderMismatch(
            f"the store was written with the embedder {written.id!r} ({written.dim} numbers a "
            f"vector), and was opened with {embedder.id!r} ({embedder.dim}). Open it with the "
            "first, or move every record to the second: "
            f"reverie memory reindex --embedder {embedder.id}"
        )

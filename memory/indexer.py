"""Catching up: what carries vectors from the journal to the index, off the path of every write.

The outbox is the journal's own tail: for each kind, every change after the sequence number up to
which the index has come. A batch goes to the index first and the number moves after, so a crash in
between repeats the batch and loses nothing. Kinds are indexed once one user has `INDEX_FROM` of
them; smaller scopes are scored exactly, which is both complete and quicker.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import MemoryFault
from .address import Address
from .binding import read_written
from .index import PAGE, IndexBroken, VectorIndex, remove_folder
from .journal import Journal
from .shelf import read_vectors

INDEX_FROM = 20_000
"""A kind is indexed once one user has so many records of it."""

PATIENCE_S = 2.0
"""How long a page of the index waits for searches to end."""

log = logging.getLogger("reverie.memory")


class Indexer:
    """The index of one store and the thread that keeps it in step. Only for the lock's holder."""

    def __init__(self, journal: Journal, address: Address, *, index_from: int = INDEX_FROM) -> None:
        self._journal = journal
        self._folder = address.folder
        self._server = address.server
        self.index_from = 1 if address.server else index_from
        self._index: VectorIndex | None = None
        self._ready: dict[str, int] = {}
        self._turn = threading.RLock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._searches = 0
        self._searched = threading.Condition()
        self.sweep()

    # -- asking ----------------------------------------------------------------------------------

    def reached(self, kind: str) -> int | None:
        """The sequence number up to which a kind is in the index; None while it is of no use."""
        return self._ready.get(kind)

    def nearest(self, kind: str, vector: NDArray[np.float32], count: int) -> list[int] | None:
        """Rows near ``vector`` (dim,); None if the index cannot say, and is being rebuilt."""
        index = self._index
        if index is None or kind not in self._ready:
            return None
        try:
            return index.nearest(kind, vector, count)
        except IndexBroken as error:
            self.set_aside(str(error), index)
            self.wake()
            return None

    def count(self, kind: str) -> int | None:
        """How many vectors of a kind the index holds; None if it is damaged."""
        try:
            index = self._current()
            return index.count(kind) if index is not None else 0
        except IndexBroken:
            return None

    @contextmanager
    def undisturbed(self) -> Generator[None]:
        """Keep the catching up from beginning another page: Chroma takes one in one breath.

        It holds the interpreter for as long as half a second, each time a search lets it go.
        """
        with self._searched:
            self._searches += 1
        try:
            yield
        finally:
            with self._searched:
                self._searches -= 1
                self._searched.notify_all()

    # -- catching up -----------------------------------------------------------------------------

    def wake(self) -> None:
        """Let the background thread look whether the index is behind; returns at once."""
        self._wake.set()
        if self._thread is None and not self._stop.is_set():
            self._thread = threading.Thread(target=self._run, name="reverie-indexer", daemon=True)
            self._thread.start()

    def catch_up(self, *, everything: bool = False) -> int:
        """Bring the index up to the journal now; how many vectors went over.

        ``everything`` takes in the kinds that are too small to need it.
        """
        moved = 0
        for kind in self._due(everything):
            for attempt in range(2):
                try:
                    moved += self._catch_up(kind)
                    break
                except IndexBroken as error:
                    if attempt or self._server:
                        raise MemoryFault(f"the vector index failed: {error}") from error
                    self.set_aside(str(error))
        return moved

    def _due(self, everything: bool) -> list[str]:
        with self._journal.reading() as connection:
            found = connection.execute(
                "SELECT h.kind FROM heads h LEFT JOIN indexed i ON i.kind = h.kind "
                "GROUP BY h.kind HAVING max(h.count) >= ? OR count(i.kind) > 0 "
                "ORDER BY h.kind",
                (1 if everything else self.index_from,),
            )
            return [kind for (kind,) in found]

    def _catch_up(self, kind: str) -> int:
        moved = 0
        self._check(kind)
        while not self._stop.is_set():
            with self._searched:  # searches first, but not for ever
                self._searched.wait_for(lambda: not self._searches, timeout=PATIENCE_S)
            with self._turn:
                index = self._current()
                if index is None:
                    return moved
                with self._journal.reading() as connection:
                    since = _watermark(connection, kind)
                    tail = connection.execute(
                        "SELECT row, seq FROM records WHERE kind = ? AND seq > ? ORDER BY seq "
                        "LIMIT ?",
                        (kind, since, PAGE),
                    ).fetchall()
                    rows = [row for row, _ in tail]
                    vectors = read_vectors(connection, rows, index.dim)
                if not tail:
                    self._ready[kind] = since
                    return moved
                index.upsert(kind, rows, vectors)
                with self._journal.writing() as connection:
                    if read_generation(connection) == index.generation:
                        connection.execute(
                            "INSERT OR REPLACE INTO indexed VALUES (?, ?)", (kind, tail[-1][1])
                        )
                        if kind in self._ready:
                            self._ready[kind] = tail[-1][1]
                moved += len(rows)
            time.sleep(0)  # let a search that waits for the turn have it
        return moved

    def _check(self, kind: str) -> None:
        """Start a kind again if the index has fewer of its vectors than it was given."""
        if kind in self._ready:
            return
        index = self._current()
        if index is None:
            return
        index.destroy_others()
        with self._journal.reading() as connection:
            since = _watermark(connection, kind)
            given = connection.execute(
                "SELECT count(*) FROM records WHERE kind = ? AND seq <= ?", (kind, since)
            ).fetchone()[0]
        if given and index.count(kind) < given:
            log.warning("the index has lost vectors of %s: rebuilding them", kind)
            with self._journal.writing() as connection:
                connection.execute("DELETE FROM indexed WHERE kind = ?", (kind,))

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                self.catch_up()
            except Exception as error:
                if not self._stop.is_set():
                    log.warning("the vector index is behind (search goes on without it): %s", error)
                    self._stop.wait(5.0)

    # -- beginning and ending --------------------------------------------------------------------

    def sweep(self) -> list[Path]:
        """Delete what earlier generations left in the folder; the folders that could not be."""
        if self._folder is None:
            return []
        with self._journal.reading() as connection:
            generation = read_generation(connection)
        old = [
            folder
            for folder in self._folder.glob("index-*")
            if (number := folder.name.removeprefix("index-")).isdecimal()
            and int(number) != generation
        ]
        return [folder for folder in old if not remove_folder(folder)]

    def begin_again(self) -> None:
        """Delete every index but the journal's present one, which fills up when woken.

        Raises MemoryFault if a server does not let its old collections be deleted, or the system
        a folder; they are when the store is opened or catches up next.
        """
        with self._turn:
            with self._journal.reading() as connection:
                generation = read_generation(connection)
            if self._index is not None and self._index.generation != generation:
                self._ready.clear()
                self._index.destroy()
                self._index = None
            damaged = list(self._folder.glob("quarantine-*")) if self._folder else []
            left = [*self.sweep(), *(folder for folder in damaged if not remove_folder(folder))]
            if left:
                raise MemoryFault(
                    f"the journal is done, but old vectors in {left[0]} could not be deleted: "
                    "delete the folder, or open this memory again"
                )
            index = self._current() if self._server else None
            if index is None:
                return
            try:
                index.destroy_others()
            except IndexBroken as error:
                raise MemoryFault(
                    f"the journal is done, but old vectors on {self._server} could not be deleted "
                    f"({error}): open this memory again when the server is there"
                ) from error

    def set_aside(self, why: str, damaged: VectorIndex | None = None) -> None:
        """Move a damaged embedded index out of the way; it is rebuilt from the journal.

        Does nothing if ``damaged`` is no longer the index in use.
        """
        with self._turn:
            if damaged is not None and damaged is not self._index:
                return
            self._ready.clear()
            index, self._index = self._index, None
            if index is not None:
                index.close()
            with self._journal.writing() as connection:
                generation = next_generation(connection)
            log.warning("the vector index was damaged (%s) and is rebuilt from the journal", why)
            if self._folder is not None:
                broken = self._folder / f"index-{generation - 1}"
                if broken.exists():
                    broken.rename(self._folder / f"quarantine-{generation - 1}")

    def close(self) -> None:
        """Stop the thread and let Chroma go."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=30)
        if self._index is not None:
            self._index.close()

    def _current(self) -> VectorIndex | None:
        """The index of the journal's generation; None while the store holds no vector."""
        with self._turn:
            if self._index is None and self._folder is not None:
                with self._journal.reading() as connection:
                    generation = read_generation(connection)
                    written = read_written(connection)
                    store = connection.execute(
                        "SELECT value FROM meta WHERE key = 'store'"
                    ).fetchone()[0]
                if written is not None:
                    place: Path | str = self._server or self._folder / f"index-{generation}"
                    self._index = VectorIndex(
                        place,
                        store=store,
                        generation=generation,
                        embedder=written.id,
                        dim=written.dim,
                    )
            return self._index


def read_generation(connection: sqlite3.Connection) -> int:
    """Which index belongs to the journal: an older one may hold what was forgotten."""
    found = connection.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
    return int(found[0])


def next_generation(connection: sqlite3.Connection) -> int:
    """Leave the present index behind, inside a transaction; the new number."""
    generation = read_generation(connection) + 1
    connection.execute("UPDATE meta SET value = ? WHERE key = 'generation'", (str(generation),))
    connection.execute("DELETE FROM indexed")
    return generation


def _watermark(connection: sqlite3.Connection, kind: str) -> int:
    found = connection.execute("SELECT seq FROM indexed WHERE kind = ?", (kind,)).fetchone()
    return 0 if found is None else int(found[0])

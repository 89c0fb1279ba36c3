"""The journal: one SQLite file that is the truth about what is remembered.

Write-ahead logging lets several processes read while one writes. A write is acknowledged after its
commit, and a commit is flushed to the disk (``synchronous=FULL``), so an acknowledged record
survives kill -9 and a power cut. Only the log of recalls is committed without the flush: it
survives kill -9, and a power cut may take its last entries.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import MemoryFault, StoreCorrupt, StoreFull, StoreLocked
from .schema import migrate

PAGE = 8192
"""Bytes a page: it holds five vectors of 384 float32; 4096 would hold two and waste a quarter."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SHORT_READ = 522
_CANNOT_GROW = {778, 1546, 4874}
"""SQLITE_IOERR_WRITE, _TRUNCATE and _SHMSIZE: the file could not take the bytes."""


class Journal:
    """Connections to one journal, and transactions on them. Safe to share between threads.

    ``path`` None keeps everything in memory. ``timeout`` is how many seconds a writer waits for
    another process's transaction.
    """

    def __init__(self, path: Path | None, *, timeout: float = 60.0) -> None:
        self.path = path
        self._timeout = timeout
        self._lock = threading.RLock()
        self._pool: list[sqlite3.Connection] = []
        self._pid = os.getpid()
        self._closed = False
        with self.translated():
            if path is not None:
                _reject_truncated(path)
            self._writer = self._connect()
            migrate(self._writer)

    def _connect(self) -> sqlite3.Connection:
        target = ":memory:" if self.path is None else str(self.path)
        connection = sqlite3.connect(
            target,
            timeout=self._timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            connection.execute(f"PRAGMA page_size = {PAGE}")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA cache_size = -65536")
            connection.execute("PRAGMA temp_store = MEMORY")
            if self.path is not None:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA journal_size_limit = 67108864")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def writing(self, *, flush: bool = True) -> Generator[sqlite3.Connection, None, None]:
        """One transaction: all of it is committed, or none. Waits for other writers.

        ``flush=False`` skips the flush to disk (see the module docstring).
        """
        with self._lock, self.translated():
            connection = self._usable_writer()
            if self.path is not None:
                connection.execute(f"PRAGMA synchronous = {'FULL' if flush else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self, *, snapshot: bool = True) -> Generator[sqlite3.Connection, None, None]:
        """A view of the journal; writers go on meanwhile.

        ``snapshot`` keeps the view as it was when reading began; without it each statement sees
        the newest commit.
        """
        if self.path is None:
            with self._lock, self.translated():
                yield self._usable_writer()
            return
        with self.translated():
            connection = self._borrow()
            try:
                if snapshot:
                    connection.execute("BEGIN")
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")
                self._give(connection)

    def checkpoint(self) -> bool:
        """Fold the write-ahead log into the journal and empty it; False if readers keep it."""
        if self.path is None:
            return True
        with self._lock, self.translated():
            row = self._usable_writer().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return int(row[0]) == 0

    def vacuum(self) -> None:
        """Write the journal anew, without a byte of what was deleted; seconds per gigabyte."""
        with self._lock, self.translated():
            writer = self._usable_writer()
            writer.execute("PRAGMA temp_store = FILE")  # the copy may not fit into memory
            writer.execute("VACUUM")
            writer.execute("PRAGMA temp_store = MEMORY")
        self.checkpoint()

    def close(self) -> None:
        """Close every connection; the last process to close folds the log away."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._pid == os.getpid():
                for connection in [*self._pool, self._writer]:
                    connection.close()
            self._pool.clear()

    def _usable_writer(self) -> sqlite3.Connection:
        self._check_open()
        return self._writer

    def _check_open(self) -> None:
        if self._closed:
            raise MemoryFault("this memory is closed: open it again with Memory.open")
        if self._pid != os.getpid():
            raise MemoryFault(
                "this memory was opened before a fork: open it again in the child with "
                "Memory.open(path, shared=True)"
            )

    def _borrow(self) -> sqlite3.Connection:
        self._check_open()
        try:
            return self._pool.pop()
        except IndexError:
            return self._connect()

    def _give(self, connection: sqlite3.Connection) -> None:
        if self._closed or len(self._pool) >= 16:
            connection.close()
        else:
            self._pool.append(connection)

    @contextmanager
    def translated(self) -> Generator[None, None, None]:
        """Turn SQLite's errors into the store's."""
        try:
            yield
        except sqlite3.Error as error:
            raise _translation(error, self.path) from error


def _translation(error: sqlite3.Error, path: Path | None) -> Exception:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    where = path or "the memory"
    if primary == sqlite3.SQLITE_FULL or code in _CANNOT_GROW:
        return StoreFull(
            f"no space left for {where}: the write was rolled back and nothing was changed. "
            "Free some space and write again"
        )
    if primary in _DAMAGED or code == _SHORT_READ:
        return StoreCorrupt(
            f"{where} is damaged ({error}). `reverie memory verify` says how far, "
            "`reverie memory salvage` saves what can be read into a new journal"
        )
    if primary in _BUSY:
        return StoreLocked(f"{where} was kept busy by another process for too long: try again")
    if primary == sqlite3.SQLITE_CANTOPEN:
        return MemoryFault(f"{where} cannot be opened: is its folder there, and may you write it?")
    if primary == sqlite3.SQLITE_READONLY:
        return MemoryFault(f"{where} is read-only: give this user the right to write it")
    return MemoryFault(f"{where}: {error}")


def _reject_truncated(path: Path) -> None:
    """Raise StoreCorrupt if the file is shorter than its header says, which SQLite finds out late.

    With a write-ahead log beside it the file may lag behind, so only a folded journal is judged.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return
    log = path.with_name(path.name + "-wal")
    if size == 0 or (log.exists() and log.stat().st_size > 0):
        return
    with path.open("rb") as file:
        header = file.read(100)
    page = int.from_bytes(header[16:18], "big") or 0
    pages = int.from_bytes(header[28:32], "big")
    if len(header) < 100 or size < (65536 if page == 1 else page) * pages:
        raise StoreCorrupt(
            f"{path} is cut short: {size} bytes where its header promises {page * pages}. "
            "`reverie memory salvage` saves what can be read into a new journal"
        )

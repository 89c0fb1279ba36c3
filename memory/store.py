"""The store itself: opening, closing, and what every verb needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import MemoryFault, ScopeError
from .address import Address, parse_address
from .binding import Binding
from .finder import Finder
from .indexer import Indexer
from .journal import Journal
from .lock import StoreLock
from .records import Scope, now

if TYPE_CHECKING:
    from .embed import Embedder

Values = Mapping[str, str | Sequence[str]]
"""Payload fields and the value, or values, that pass."""

Vectors = Sequence[Sequence[float]] | NDArray[np.float32]
"""One row a record."""

LEAST_CACHE_BYTES = 1 << 30
"""How much memory the scopes in use may always take."""


EXACT_LIMIT = 50_000
"""The largest scope of one kind that is scored exactly: 8 ms for 384 numbers a vector, 2 cores."""


class Store:
    """A journal with its embedder, lock and searcher."""

    def __init__(
        self,
        address: Address,
        journal: Journal,
        lock: StoreLock | None,
        binding: Binding,
        clock: Callable[[], datetime],
        exact_limit: int,
    ) -> None:
        self.address = address
        self._journal = journal
        self._lock = lock
        self._binding = binding
        self._clock = clock
        self._indexer = None
        if lock is not None:
            self._indexer = Indexer(journal, address, index_from=max(1, exact_limit * 2 // 5))
        self._finder = Finder(
            journal, self._indexer, cache_bytes=cache_bytes(), exact_limit=exact_limit
        )

    @classmethod
    def open(
        cls,
        url: str | Path = "ephemeral:",
        *,
        embedder: Embedder | str | None = None,
        clock: Callable[[], datetime] = now,
        shared: bool = False,
        exact_limit: int = EXACT_LIMIT,
    ) -> Self:
        """Open or create the store at ``url``: ``ephemeral:``, a folder, or a Chroma server's URL.

        ``embedder`` None takes the one the store was written with, or the default. ``shared``
        opens it beside another process that has it open. Scopes of more than ``exact_limit``
        records of a kind are searched through the vector index. Raises StoreLocked if another
        process has it and ``shared`` is not set, EmbedderMismatch if it was written with another
        embedder, StoreCorrupt if the journal is damaged.
        """
        address = parse_address(url)
        lock = None
        if address.folder is not None:
            try:
                address.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise MemoryFault(f"{address.folder} cannot be a store: {error}") from error
            if not shared:
                lock = StoreLock(address.folder)
                lock.acquire()
        journal = None
        try:
            journal = Journal(address.folder / "journal.db" if address.folder else None)
            return cls(address, journal, lock, Binding(journal, embedder), clock, exact_limit)
        except BaseException:
            if journal is not None:
                journal.close()
            if lock is not None:
                lock.release()
            raise

    def close(self) -> None:
        """Close the store and give its lock back. Closing twice does nothing."""
        if self._indexer is not None:
            self._indexer.close()
        self._finder.shelves.clear()
        self._journal.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()

    @property
    def embedder(self) -> Embedder:
        """What turns this store's texts into vectors."""
        return self._binding.embedder()


def cache_bytes() -> int:
    """How much memory the scopes in use may take before the least recently used are dropped.

    An eighth of the machine's, so that a million records of a hundred users fit on one of 24 GiB.
    """
    try:
        installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not every system says
        return LEAST_CACHE_BYTES
    return max(LEAST_CACHE_BYTES, installed // 8)


def checked(scope: Scope | None) -> Scope:
    """The scope, or ScopeError if there is none: nothing is read or written without one."""
    if isinstance(scope, Scope):
        return scope
    raise ScopeError("no scope: say whose memory it is, as in scope=Scope(user='ann')")

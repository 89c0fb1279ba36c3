"""The records of one kind in a scope, held in memory and kept up with every writer."""

from __future__ import annotations

import threading

from .memory import Memory
from .records import Kind, Record, Scope


class Mirror:
    """Reads what changed since it was last asked, so that asking costs little. Thread-safe."""

    def __init__(self, memory: Memory, scope: Scope, kind: Kind) -> None:
        self._memory, self._scope, self._kind = memory, scope, kind
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        self._seq, self._era = -1, (0, 0)

    def records(self) -> list[Record]:
        """Every record, of any status, in the order they were first written."""
        with self._lock:
            news = self._memory.changes(scope=self._scope, kind=self._kind, after=self._seq)
            if news.era != self._era:  # something was forgotten: it must leave here, too
                self._records = {}
                news = self._memory.changes(scope=self._scope, kind=self._kind)
            self._records.update((record.id, record) for record in news.records)
            self._seq, self._era = news.seq, news.era
            return list(self._records.values())

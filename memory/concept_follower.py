"""Concepts held in step with the journal, whoever writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock

from ..errors import RecordNotFound
from .concept_batch import payload_of
from .concept_usage import Tally
from .concept_view import Concept, ConceptView
from .memory import Memory
from .records import Kind, Record, Scope, Status

PAGE = 1_000
"""Log entries read at a time."""


@dataclass
class _Held:
    """What this object has read of the journal so far."""

    records: dict[str, Record] = field(default_factory=dict[str, Record])
    seq: int = -1
    era: tuple[int, int] = (0, 0)
    tally: Tally = field(default_factory=Tally)
    last_use: str | None = None
    view: ConceptView | None = None


class Follower:
    """Keeps up with the concepts of a scope and their use, by what changed. Safe between threads.

    The lock is held only to read what is new; a view, once made, is never changed.
    """

    def __init__(self, memory: Memory, scope: Scope, clock: Callable[[], datetime]) -> None:
        self._memory, self._scope, self._clock = memory, scope, clock
        self._lock = RLock()
        self._held = _Held()

    def newest(self) -> tuple[ConceptView, Mapping[str, Record]]:
        """The newest view, and the records of every status that it was made from."""
        with self._lock:
            fresh = self._read_concepts()
            used = self._read_uses()
            held = self._held
            if held.view is None or fresh:
                active = {
                    name: Concept(name, payload_of(record), record.trust)
                    for name, record in held.records.items()
                    if record.status is Status.ACTIVE
                }
                held.view = ConceptView(active, held.tally.all(), self._clock(), held.seq)
            elif used:
                held.view = held.view.with_uses(held.tally.all(), self._clock())
            return held.view, held.records

    def _read_concepts(self) -> bool:
        held = self._held
        found = self._memory.changes(scope=self._scope, kind=Kind.CONCEPT, after=held.seq)
        if found.era != held.era and held.seq >= 0:
            self._held = held = _Held()
            found = self._memory.changes(scope=self._scope, kind=Kind.CONCEPT)
        changed = found.seq != held.seq
        if found.records:
            held.records = held.records | {record.id: record for record in found.records}
        held.seq, held.era = found.seq, found.era
        return changed

    def _read_uses(self) -> bool:
        held, changed = self._held, False
        while True:
            try:
                logs = self._memory.recalls(scope=self._scope, limit=PAGE, after=held.last_use)
            except RecordNotFound:  # the log was forgotten
                held.tally, held.last_use, changed = Tally(), None, True
                continue
            if not logs:
                return changed
            held.tally.add(logs)
            held.last_use, changed = logs[-1].id, True

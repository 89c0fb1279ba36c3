"""Concepts held in step with the journal, whoever writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
            if held.view is None:
                concepts = {
                    name: _concept(record)
                    for name, record in held.records.items()
                    if record.status is Status.ACTIVE
                }
                held.view = ConceptView(concepts, held.tally.all(), self._clock(), held.seq)
            elif fresh is not None:
                concepts = _with(held.view.concepts, fresh, held.records)
                held.view = held.view.followed(
                    concepts,
                    [record.id for record in fresh],
                    uses=held.tally.all(),
                    at=self._clock(),
                    seq=held.seq,
                )
            elif used:
                held.view = held.view.with_uses(held.tally.all(), self._clock())
            return held.view, held.records

    def _read_concepts(self) -> Sequence[Record] | None:
        """What has changed since the last call; None if nothing has."""
        held = self._held
        found = self._memory.changes(scope=self._scope, kind=Kind.CONCEPT, after=held.seq)
        if found.era != held.era and held.seq >= 0:
            self._held = held = _Held()
            found = self._memory.changes(scope=self._scope, kind=Kind.CONCEPT)
        changed = found.seq != held.seq
        if found.records:
            held.records = held.records | {record.id: record for record in found.records}
        held.seq, held.era = found.seq, found.era
        return found.records if changed else None

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


def _concept(record: Record) -> Concept:
    return Concept(record.id, payload_of(record), record.trust)


def _with(
    concepts: Mapping[str, Concept], fresh: Sequence[Record], records: Mapping[str, Record]
) -> Mapping[str, Concept]:
    """The concepts after a change, in the order of ``records``: that of the first writing."""
    found = {**concepts}
    for record in fresh:
        if record.status is Status.ACTIVE:
            found[record.id] = _concept(record)
        else:
            found.pop(record.id, None)
    if found.keys() - concepts.keys():  # what is new comes last, what is revived does not
        return {name: found[name] for name in records if name in found}
    return found

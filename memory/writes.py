"""The verbs that write records."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidRecord, RecordNotFound
from .records import Payload, Record, Scope, Status
from .rows import Draft, check_texts, draft, unit_rows
from .shelf import read_vectors
from .store import Store, Vectors, checked
from .writing import find, insert, rewrite, set_status


@dataclass(frozen=True, slots=True)
class Change:
    """A record to be written in place of ``before``; None if there should be none of its id."""

    before: Record | None
    after: Record


class WriteVerbs(Store):
    """add, update, delete, retract, supersede, merge, swap."""

    def add(
        self, records: Record | Sequence[Record], *, vectors: Vectors | None = None
    ) -> list[str]:
        """Write records; the ids, in order. All are written, or none.

        A record whose id is there with equal content is left as it is, so an add can be repeated.
        ``vectors`` (one row of ``embedder.dim`` floats a record) saves embedding the texts. Raises
        InvalidRecord, DuplicateRecord or StoreFull.
        """
        batch = [records] if isinstance(records, Record) else list(records)
        if not batch:
            return []
        drafts = self._drafts(batch, vectors)
        with self._journal.writing() as connection:
            self._binding.bind(connection)
            ids = insert(connection, drafts, self._clock())
        if self._indexer is not None and self.address.server is not None:
            self._indexer.wake()
        return ids

    def update(
        self,
        id: str,
        *,
        scope: Scope,
        text: str | None = None,
        payload: Payload | None = None,
        trust: float | None = None,
        event_time: datetime | None = None,
        status: Status | None = None,
        note: str = "",
    ) -> Record:
        """Change parts of a record; the new record. What it was stays in its history."""
        given = {
            "text": text,
            "payload": payload,
            "trust": trust,
            "event_time": event_time,
            "status": status,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        vector = None
        if text is not None:
            vector = self._embed([text])[0]
        with self._journal.writing() as connection:
            _, row, before = find(connection, checked(scope), id)
            if payload is not None and payload.kind != before.payload.kind:
                raise InvalidRecord(f"{id!r} cannot become a {payload.kind}: write a new record")
            after = Record.model_validate(
                {name: changes.get(name, getattr(before, name)) for name in Record.model_fields}
            )
            check_texts([after])
            if vector is None:
                vector = read_vectors(connection, [row], self.embedder.dim)[0]
            drafted = draft(after, vector)
            rewrite(connection, row, drafted, action="update", note=note, at=self._clock())
        return after

    def update_payload(self, id: str, *, scope: Scope, payload: Payload) -> Record:
        """Change what a record means and not its text: a duplicate becomes a count."""
        return self.update(id, scope=scope, payload=payload)

    def delete(self, id: str, *, scope: Scope, note: str = "") -> None:
        """Archive a record: it is no longer found, and can still be listed. See `forget`."""
        self._mark([id], scope, Status.ARCHIVED, "delete", note)

    def retract(self, id: str, reason: str, *, scope: Scope) -> None:
        """Say that a record was wrong, and why: it is no longer found."""
        self._mark([id], scope, Status.RETRACTED, "retract", reason)

    def supersede(self, old: str, new: Record, *, vectors: Vectors | None = None) -> str:
        """Write ``new`` in place of ``old``, which is no longer found; the new id."""
        drafts = self._drafts([new], vectors)
        with self._journal.writing() as connection:
            self._binding.bind(connection)
            _, row, _ = find(connection, new.scope, old)
            if old == new.id:
                raise InvalidRecord("a record cannot supersede itself: update it")
            at = self._clock()
            insert(connection, drafts, at)
            set_status(
                connection, row, Status.SUPERSEDED, action="supersede", note=f"by {new.id}", at=at
            )
        return new.id

    def merge(self, ids: Sequence[str], into: Record, *, vectors: Vectors | None = None) -> str:
        """Write ``into``, made from the records ``ids``, which are no longer found; its id.

        The ids join its sources. Merging the same again changes nothing.
        """
        merged = [one for one in dict.fromkeys(ids) if one != into.id]
        sources = tuple(dict.fromkeys((*into.sources, *merged)))
        drafts = self._drafts([into.model_copy(update={"sources": sources})], vectors)
        with self._journal.writing() as connection:
            self._binding.bind(connection)
            found = [find(connection, into.scope, one) for one in merged]
            at = self._clock()
            insert(connection, drafts, at)
            for _, row, _ in found:
                set_status(
                    connection, row, Status.MERGED, action="merge", note=f"into {into.id}", at=at
                )
        return into.id

    def swap(self, changes: Sequence[Change], *, note: str = "") -> bool:
        """Write every change, or none where one's ``before`` is no longer what is kept.

        False says that somebody else wrote meanwhile: read again, decide again, swap again. What
        the records were stays in their histories. Use counts are not compared.
        """
        after = [change.after for change in changes]
        check_texts(after)
        reworded = [
            place
            for place, one in enumerate(changes)
            if one.before is None or one.before.text != one.after.text
        ]
        made = dict(zip(reworded, self._embed([after[i].text for i in reworded]), strict=True))
        with self._journal.writing() as connection:
            self._binding.bind(connection)
            rows = [_row_if_unchanged(connection, change) for change in changes]
            if None in rows:
                return False
            at = self._clock()
            fresh: list[Draft] = []
            for place, (row, record) in enumerate(zip(rows, after, strict=True)):
                assert row is not None
                vector = made.get(place)
                if row == _NO_ROW:
                    fresh.append(draft(record, made[place], place))
                    continue
                if vector is None:
                    vector = read_vectors(connection, [row], self.embedder.dim)[0]
                drafted = draft(record, vector, place)
                rewrite(connection, row, drafted, action="update", note=note, at=at)
            insert(connection, fresh, at)
        return True

    def _mark(
        self, ids: Sequence[str], scope: Scope, status: Status, action: str, note: str
    ) -> None:
        with self._journal.writing() as connection:
            for one in ids:
                _, row, _ = find(connection, checked(scope), one)
                set_status(connection, row, status, action=action, note=note, at=self._clock())

    def _drafts(self, records: Sequence[Record], vectors: Vectors | None) -> list[Draft]:
        check_texts(records)
        if vectors is None:
            vectors = self.embedder.embed([record.text for record in records])
        matrix = unit_rows(vectors, len(records), self.embedder.dim)
        return [draft(record, matrix[i], i) for i, record in enumerate(records)]

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not texts:
            return np.empty((0, self.embedder.dim), np.float32)
        return unit_rows(self.embedder.embed(texts), len(texts), self.embedder.dim)


_NO_ROW = -1


def _row_if_unchanged(connection: sqlite3.Connection, change: Change) -> int | None:
    """The row of a record that is what the change says it is; `_NO_ROW` if there should be none."""
    try:
        _, row, kept = find(connection, change.after.scope, change.after.id)
    except RecordNotFound:
        return _NO_ROW if change.before is None else None
    if change.before is None or _identity(kept) != _identity(change.before):
        return None
    return row


def _identity(record: Record) -> Record:
    return record.model_copy(update={"counters": {}})

"""A shelf: what one user has of one kind, in memory, ready to be scored.

It is filled from the journal and follows it by sequence number, so it sees this process's writes
and every other's. Vectors are loaded only when they are to be scored exactly.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from .lexical import Postings
from .order import Order
from .records import Status
from .rows import facets_of
from .schema import FACETS

STATUSES: Final = tuple(Status)
_CODE: Final = {status.value: code for code, status in enumerate(STATUSES)}
DEAD: Final = 127
"""Status code of a slot whose record was rewritten into a later slot."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far the journal has come for one user and kind."""

    owner: int
    kind: str
    seq: int
    count: int
    changed_us: int
    purges: int


class Shelf:
    """The records of one user and kind as columns. Hold `lock` while reading the columns."""

    def __init__(self, owner: int, kind: str, dim: int) -> None:
        self.owner, self.kind, self.dim = owner, kind, dim
        self.lock = threading.RLock()
        self.seq, self.purges, self.size = -1, 0, 0
        self.rows = np.empty(0, np.int64)
        self.event_us = np.empty(0, np.int64)
        self.status = np.empty(0, np.int8)
        self.agent = np.empty(0, np.int32)
        self.session = np.empty(0, np.int32)
        self.lengths = np.empty(0, np.int32)
        self.seqs = np.empty(0, np.int64)
        self.matrix: NDArray[np.float32] | None = None
        self.postings = Postings()
        self.order = Order()
        self.inactive = 0
        self._packed: list[bytes] = []
        self._slots: dict[int, int] = {}
        self._codes: dict[str, int] = {}
        self._facets: dict[str, NDArray[np.int32]] = {}

    @classmethod
    def of_changes(
        cls,
        owner: int,
        kind: str,
        dim: int,
        changes: Sequence[tuple[object, ...]],
        matrix: NDArray[np.float32],
    ) -> Shelf:
        """A shelf that follows no journal: these rows with these vectors, shape (n, dim)."""
        shelf = cls(owner, kind, dim)
        shelf.matrix = np.empty((0, dim), np.float32)
        shelf._facets = {name: np.empty(0, np.int32) for name in FACETS}
        shelf._append(changes, matrix)
        shelf.inactive = int((shelf.status[: shelf.size] != _CODE["active"]).sum())
        return shelf

    @property
    def nbytes(self) -> int:
        """Bytes held, about."""
        vectors = 0 if self.matrix is None else self.matrix.nbytes
        return vectors + self.postings.nbytes + 300 * self.size

    def sync(self, connection: sqlite3.Connection, head: Head) -> None:
        """Take in every change up to ``head``."""
        if self.purges != head.purges:
            self._clear()
        if self.seq >= head.seq:
            return
        first = self.seq < 0
        changes = connection.execute(
            "SELECT row, event_us, status, agent, session, length, terms, "
            f"{'NULL' if first else 'payload'}, seq FROM records "
            "WHERE owner = ? AND kind = ? AND seq > ? ORDER BY row",
            (self.owner, self.kind, self.seq),
        ).fetchall()
        self.purges = head.purges
        if not changes:
            self.seq = head.seq
            return
        fresh = changes if first else [change for change in changes if not self._update(change)]
        if self.matrix is not None and len(fresh) < len(changes):
            moved = {change[0] for change in fresh}
            kept = [int(change[0]) for change in changes if change[0] not in moved]
            self.matrix[self.slots_of(kept)] = read_vectors(connection, kept, self.dim)
        vectors = None
        if self.matrix is not None:
            vectors = read_vectors(connection, [int(change[0]) for change in fresh], self.dim)
        self._append(fresh, vectors)
        self.seq = max(head.seq, max(int(change[8]) for change in changes))
        self.inactive = int((self.status[: self.size] != _CODE["active"]).sum())

    def load_vectors(self, connection: sqlite3.Connection) -> NDArray[np.float32]:
        """The vectors of every slot, shape (size, dim); zero where the record was rewritten."""
        if self.matrix is None:
            matrix = np.empty((self.size + self.size // 8 + 64, self.dim), np.float32)
            held = np.zeros(self.size, np.bool_)
            cursor = self._vector_rows(connection)
            while page := cursor.fetchmany(2048):
                kept = [(self._slots[row], v) for row, v in page if row in self._slots]
                slots = np.array([slot for slot, _ in kept], np.int64)
                packed = np.frombuffer(b"".join([vector for _, vector in kept]), np.float32)
                if len(slots) and slots[-1] - slots[0] + 1 == len(slots):  # a plain copy: quicker
                    matrix[slots[0] : slots[-1] + 1] = packed.reshape(-1, self.dim)
                else:
                    matrix[slots] = packed.reshape(-1, self.dim)
                held[slots] = True
            matrix[: self.size][~held] = 0
            self.matrix = matrix
        return self.matrix[: self.size]

    def _vector_rows(self, connection: sqlite3.Connection) -> sqlite3.Cursor:
        """Row and vector of at least every slot's row that has one, in order of the rows."""
        rows = self.rows[: self.size]
        first, last = (int(rows.min()), int(rows.max())) if self.size else (0, -1)
        if last - first < 2 * self.size:  # mostly ours: reading past the others is quicker
            return connection.execute(
                "SELECT row, vector FROM vectors WHERE row BETWEEN ? AND ? ORDER BY row",
                (first, last),
            )
        return connection.execute(
            "SELECT v.row, v.vector FROM records r JOIN vectors v ON v.row = r.row "
            "WHERE r.owner = ? AND r.kind = ? ORDER BY r.row",
            (self.owner, self.kind),
        )

    def alive(self) -> NDArray[np.bool_]:
        """Which slots are still those of their records, shape (size,)."""
        return self.status[: self.size] != DEAD

    def slots_of(self, rows: Sequence[int]) -> NDArray[np.int32]:
        """The slots of those of the rows that lie here."""
        slots = [self._slots[row] for row in rows if row in self._slots]
        return np.array(slots, np.int32)

    def code(self, value: str | None) -> int:
        """The number that stands for an agent, session or facet value; -1 for one never seen."""
        return -2 if value is None else self._codes.get(value, -1)

    def facet(self, connection: sqlite3.Connection, name: str) -> NDArray[np.int32]:
        """The code of each slot's value of a payload field; -2 where it has none."""
        if name not in self._facets:
            column = np.full(self.size, -2, np.int32)
            for row, value in connection.execute(
                "SELECT row, value FROM facets WHERE owner = ? AND name = ?", (self.owner, name)
            ):
                slot = self._slots.get(row)
                if slot is not None:
                    column[slot] = self._coded(value)
            self._facets[name] = column
        return self._facets[name][: self.size]

    def _clear(self) -> None:
        keep_vectors = self.matrix is not None
        self.seq, self.size, self.inactive = -1, 0, 0
        self.rows = np.empty(0, np.int64)
        self.matrix = np.empty((0, self.dim), np.float32) if keep_vectors else None
        self.postings = Postings()
        self.order = Order()
        self._packed.clear()
        self._slots.clear()
        self._facets.clear()
        self._codes.clear()

    def _update(self, change: tuple[object, ...]) -> bool:
        """Apply a change to a slot in place; False if the record needs a new slot."""
        slot = self._slots.get(int(str(change[0])))
        if slot is None:
            return False
        terms = change[6]
        assert isinstance(terms, bytes)
        if terms != self._packed[slot]:
            self.postings.drop(self._packed[slot], int(self.lengths[slot]))
            self.status[slot] = DEAD
            if self.matrix is not None:
                self.matrix[slot] = 0
            return False
        self.status[slot] = _CODE[str(change[2])]
        self.event_us[slot] = int(str(change[1]))
        self.seqs[slot] = int(str(change[8]))
        self._set_facets(slot, change[7])
        return True

    def _set_facets(self, slot: int, payload: object) -> None:
        if not self._facets or payload is None:
            return
        values = dict(facets_of(str(payload)))
        for name, column in self._facets.items():
            column[slot] = self._coded(values[name]) if name in values else -2

    def _append(
        self, changes: Sequence[tuple[object, ...]], vectors: NDArray[np.float32] | None
    ) -> None:
        if not changes:
            return
        start, count = self.size, len(changes)
        columns = list(zip(*changes, strict=True))
        self._grow(start + count)
        span = slice(start, start + count)
        self.rows[span] = columns[0]
        self.event_us[span] = columns[1]
        self.status[span] = [_CODE[str(s)] for s in columns[2]]
        self.agent[span] = [self._coded(a) for a in columns[3]]
        self.session[span] = [self._coded(s) for s in columns[4]]
        self.lengths[span] = columns[5]
        self.seqs[span] = columns[8]
        packed = [terms for terms in columns[6] if isinstance(terms, bytes)]
        self._packed.extend(packed)
        self.postings.extend(packed, self.lengths[span].tolist(), start)
        self._slots.update(zip(self.rows[span].tolist(), range(start, start + count), strict=True))
        self.size = start + count
        if vectors is not None and self.matrix is not None:
            self.matrix[span] = vectors
        for slot, payload in enumerate(columns[7], start):
            self._set_facets(slot, payload)

    def _grow(self, size: int) -> None:
        """Make room for ``size`` slots, by half as much again so that growing stays cheap."""
        if size > len(self.rows):
            room = max(size + size // 8, len(self.rows) * 3 // 2, 64)
            for name in ("rows", "event_us", "status", "agent", "session", "lengths", "seqs"):
                setattr(self, name, _grown(getattr(self, name), room))
        if self.matrix is not None and size > len(self.matrix):
            self.matrix = _grown(self.matrix, max(size, len(self.matrix) * 3 // 2, 256))
        for name, column in self._facets.items():
            if size > len(column):
                self._facets[name] = _grown(column, max(size, len(column) * 3 // 2), fill=-2)

    def _coded(self, value: object) -> int:
        return -2 if value is None else self._codes.setdefault(str(value), len(self._codes))


def read_vectors(
    connection: sqlite3.Connection, rows: Sequence[int], dim: int
) -> NDArray[np.float32]:
    """The vectors of these rows in their order, shape (n, dim); zeros for a row that is gone."""
    matrix = np.zeros((len(rows), dim), np.float32)
    places = {row: place for place, row in enumerate(rows)}
    for start in range(0, len(rows), 500):
        page = rows[start : start + 500]
        marks = ",".join("?" * len(page))
        for row, vector in connection.execute(
            f"SELECT row, vector FROM vectors WHERE row IN ({marks})", list(page)
        ):
            matrix[places[row]] = np.frombuffer(vector, np.float32)
    return matrix


_Number = TypeVar("_Number", bound=np.generic)


def _grown(column: NDArray[_Number], room: int, fill: int = 0) -> NDArray[_Number]:
    larger = np.empty((room, *column.shape[1:]), column.dtype)
    larger[: len(column)] = column
    if fill:
        larger[len(column) :] = fill
    return larger


class Shelves:
    """The shelves in use, the least recently used dropped when they exceed ``budget`` bytes."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[int, str, int], Shelf] = OrderedDict()
        self._asked = 0

    def get(self, owner: int, kind: str, dim: int) -> Shelf:
        """The shelf of a user and kind, empty at first; sync it before use."""
        with self._lock:
            shelf = self._held.get((owner, kind, dim))
            if shelf is None:
                shelf = self._held[owner, kind, dim] = Shelf(owner, kind, dim)
            self._held.move_to_end((owner, kind, dim))
            self._asked += 1
            if self._asked % 64 == 0:  # a shelf grows after it is handed out: look now and then
                self._shrink()
            return shelf

    def _shrink(self) -> None:
        held = sum(shelf.nbytes for shelf in self._held.values())
        while held > self._budget and len(self._held) > 1:
            _, dropped = self._held.popitem(last=False)
            held -= dropped.nbytes

    def clear(self) -> None:
        """Drop every shelf."""
        with self._lock:
            self._held.clear()

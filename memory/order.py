"""The order of what was said: which turn comes before and after which, in each session.

Turns are ordered by their number within their session, whatever the order they arrived in.
"""

from __future__ import annotations

import sqlite3
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

NOBODY = -1
"""In place of a slot: there is no turn before, or after."""
REACH = 2
"""How many turns to either side a window takes in."""
FOLLOWED = 32
"""So many new turns are placed one by one; more are placed by sorting all."""


class Slots(Protocol):
    """What an order needs to know of a shelf; columns have at least ``size`` entries."""

    owner: int
    kind: str
    size: int
    rows: NDArray[np.int64]
    session: NDArray[np.int32]

    def alive(self) -> NDArray[np.bool_]:
        """Which slots are still those of their records, shape (size,)."""
        ...


class Order:
    """Where every slot of a shelf of utterances stands in its session. Hold the shelf's lock.

    The sessions lie one after the other in one row of places, `REACH` empty ones around each, so
    that a window is a run of neighbouring places and never reaches into another session. Place 0
    is that of rewritten slots, which nobody asks for.
    """

    def __init__(self) -> None:
        self._places = np.empty(0, np.int32)
        self._slots = np.full(1 + REACH, NOBODY, np.int32)
        self._turns = np.empty(0, np.int64)
        self._dead = 0
        self._last: dict[int, int] = {}

    def window(self, slots: NDArray[np.int32]) -> NDArray[np.int32]:
        """Each of ``slots`` (n,), in the middle, with those up to `REACH` before and after it.

        Shape (2 REACH + 1, n); `NOBODY` beyond either end of a session.
        """
        reach = np.arange(-REACH, REACH + 1, dtype=np.int32)
        return self._slots[self._places[slots] + reach[:, None]]

    def summed(self, slots: NDArray[np.int32], values: NDArray[np.float32]) -> NDArray[np.float32]:
        """At each place, the sum of ``values`` (n,) over the ``slots`` (n,) in the window there."""
        column = np.zeros(len(self._slots), np.float32)
        column[self._places[slots]] = values
        total = column.copy()
        for step in range(1, REACH + 1):
            total[step:] += column[:-step]
            total[:-step] += column[step:]
        return total

    def at_slots(self, column: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of a value at each place, those of the slots, shape (slots,)."""
        return column[self._places]

    def sync(self, shelf: Slots, connection: sqlite3.Connection) -> None:
        """Take in what the shelf has taken in since; all of it anew where a turn was rewritten."""
        size, known = shelf.size, len(self._turns)
        alive = shelf.alive()
        dead = size - int(alive.sum())
        if size == known and dead == self._dead:
            return
        if size < known or dead != self._dead:
            known = 0
        fresh = _turns(shelf, connection, known)
        self._turns = np.concatenate([self._turns[:known], fresh])
        self._dead = dead
        if not (known and size - known <= FOLLOWED and self._follow(shelf, known)):
            self._arrange(shelf, np.flatnonzero(alive))

    def _follow(self, shelf: Slots, known: int) -> bool:
        """Place new turns that come last in their session; False if one does not."""
        for slot in range(known, shelf.size):
            session = int(shelf.session[slot])
            previous = self._last.get(session, NOBODY)
            if previous == NOBODY:
                place = len(self._slots)
                end = np.full(REACH, NOBODY, np.int32)
                self._slots = np.concatenate([self._slots, [np.int32(slot)], end])
            elif self._turns[previous] > self._turns[slot]:
                return False
            else:
                place = int(self._places[previous]) + 1
                self._slots = np.insert(self._slots, place, slot)
                self._places[self._places >= place] += 1
            self._places = np.append(self._places, np.int32(place))
            self._last[session] = slot
        return True

    def _arrange(self, shelf: Slots, alive: NDArray[np.intp]) -> None:
        sessions = shelf.session[alive]
        order = alive[np.lexsort((alive, self._turns[alive], sessions))].astype(np.int32)
        starts = shelf.session[order[1:]] != shelf.session[order[:-1]]
        place = np.arange(len(order)) + 1 + REACH
        place[1:] += REACH * np.cumsum(starts)
        self._places = np.zeros(shelf.size, np.int32)
        self._places[order] = place
        self._slots = np.full(int(place.max(initial=0)) + 1 + REACH, NOBODY, np.int32)
        self._slots[place] = order
        ends = order[np.append(starts, True)] if len(order) else order
        self._last = {int(shelf.session[slot]): int(slot) for slot in ends}


def _turns(shelf: Slots, connection: sqlite3.Connection, known: int) -> NDArray[np.int64]:
    """The number of each turn from slot ``known`` on."""
    rows = shelf.rows[known : shelf.size]
    if not len(rows):
        return np.empty(0, np.int64)
    numbers = dict(
        connection.execute(
            "SELECT row, json_extract(payload, '$.turn') FROM records "
            "WHERE owner = ? AND kind = ? AND row BETWEEN ? AND ?",
            (shelf.owner, shelf.kind, int(rows.min()), int(rows.max())),
        ).fetchall()
    )
    return np.array([numbers.get(row) or 0 for row in rows.tolist()], np.int64)

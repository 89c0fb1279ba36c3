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
    """Neighbours of every slot of a shelf of utterances. Hold the shelf's lock.

    ``before`` and ``after`` have shape (slots,) and name slots, or `NOBODY`.
    """

    def __init__(self) -> None:
        self.before = np.empty(0, np.int32)
        self.after = np.empty(0, np.int32)
        self._turns = np.empty(0, np.int64)
        self._dead = 0
        self._last: dict[int, int] = {}
        self._window_lengths = np.empty(0, np.float32)

    def window(self, slots: NDArray[np.int32]) -> list[NDArray[np.int32]]:
        """The slots and their neighbours up to `REACH` away, one array a distance; NOBODY at ends.

        Each array has the shape of ``slots``.
        """
        found = [slots]
        for step in (self.before, self.after):
            here = slots
            for _ in range(REACH):
                here = np.where(here == NOBODY, NOBODY, step[here]).astype(np.int32)
                found.append(here)
        return found

    def window_lengths(self, lengths: NDArray[np.int32]) -> NDArray[np.float32]:
        """The sum of ``lengths`` (slots,) over each slot's window; only what is new is summed."""
        known, size = len(self._window_lengths), len(lengths)
        if known < size:
            fresh = np.arange(known, size, dtype=np.int32)
            near = np.unique(np.concatenate(self.window(fresh)))
            near = near[near != NOBODY]
            padded = np.append(lengths, 0)
            sums = np.sum([padded[places] for places in self.window(near)], axis=0)
            room = np.zeros(size - known, np.float32)
            self._window_lengths = np.concatenate([self._window_lengths, room])
            self._window_lengths[near] = sums
        return self._window_lengths

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
        if known and self._follow(shelf, known):
            return
        self._arrange(shelf, np.flatnonzero(alive))

    def _follow(self, shelf: Slots, known: int) -> bool:
        """Append new turns that come last in their session; False if one does not."""
        pairs: list[tuple[int, int]] = []
        last = dict[int, int]()
        for slot in range(known, shelf.size):
            session = int(shelf.session[slot])
            previous = last.get(session, self._last.get(session, NOBODY))
            if previous != NOBODY and self._turns[previous] > self._turns[slot]:
                return False
            pairs.append((previous, slot))
            last[session] = slot
        room = np.full(shelf.size - known, NOBODY, np.int32)
        self.before = np.concatenate([self.before, room])
        self.after = np.concatenate([self.after, room])
        for previous, slot in pairs:
            self.before[slot] = previous
            if previous != NOBODY:
                self.after[previous] = slot
        self._last.update(last)
        return True

    def _arrange(self, shelf: Slots, alive: NDArray[np.intp]) -> None:
        self._window_lengths = np.empty(0, np.float32)
        sessions = shelf.session[alive]
        order = alive[np.lexsort((alive, self._turns[alive], sessions))].astype(np.int32)
        self.before = np.full(shelf.size, NOBODY, np.int32)
        self.after = np.full(shelf.size, NOBODY, np.int32)
        together = shelf.session[order[1:]] == shelf.session[order[:-1]]
        self.before[order[1:][together]] = order[:-1][together]
        self.after[order[:-1][together]] = order[1:][together]
        ends = order[np.append(~together, True)] if len(order) else order
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

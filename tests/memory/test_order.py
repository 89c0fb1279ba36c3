"""Turns stand in the order of their numbers, however they come in."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reverie.memory.order import FOLLOWED, NOBODY, REACH, Order


@dataclass
class Arrivals:
    """A shelf of nothing but places."""

    owner: int = 1
    kind: str = "utterance"
    size: int = 0
    rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    session: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    dead: set[int] = field(default_factory=set[int])

    def alive(self) -> NDArray[np.bool_]:
        return np.array([slot not in self.dead for slot in range(self.size)], np.bool_)

    def take(self, connection: sqlite3.Connection, said: list[tuple[int, int]]) -> None:
        """Take in turns (session, number)."""
        rows = range(self.size, self.size + len(said))
        connection.executemany(
            "INSERT INTO records VALUES (1, 'utterance', ?, ?)",
            [(row, json.dumps({"turn": turn})) for row, (_, turn) in zip(rows, said, strict=True)],
        )
        self.rows = np.append(self.rows, rows).astype(np.int64)
        self.session = np.append(self.session, [one for one, _ in said]).astype(np.int32)
        self.size += len(said)


def journal() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE records (owner, kind, row, payload)")
    return connection


def windows(turns: list[tuple[int, int]], dead: set[int]) -> dict[int, list[int]]:
    """The window of every slot that lives, the plain way."""
    found: dict[int, list[int]] = {}
    for session in {session for session, _ in turns}:
        mine = [(turn, slot) for slot, (one, turn) in enumerate(turns) if one == session]
        row = [slot for _, slot in sorted(mine) if slot not in dead]
        padded = [*[NOBODY] * REACH, *row, *[NOBODY] * REACH]
        for place, slot in enumerate(row):
            found[slot] = padded[place : place + 2 * REACH + 1]
    return found


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), max_size=FOLLOWED + 8),
        max_size=6,
    ),
    st.sets(st.integers(0, 20)),
    st.booleans(),
)
def test_windows_are_those_of_the_sorted_sessions(
    batches: list[list[tuple[int, int]]], rewritten: set[int], in_turn: bool
) -> None:
    shelf, order, turns = Arrivals(), Order(), list[tuple[int, int]]()
    connection = journal()
    for batch in [sorted(batch) for batch in batches] if in_turn else batches:
        turns += batch
        shelf.take(connection, batch)
        order.sync(shelf, connection)
    shelf.dead = {slot for slot in rewritten if slot < shelf.size}
    order.sync(shelf, connection)

    expected = windows(turns, shelf.dead)
    slots = np.array(sorted(expected), np.int32)
    assert order.window(slots).T.tolist() == [expected[slot] for slot in slots.tolist()]
    values = np.arange(1, len(slots) + 1, dtype=np.float32)
    of_slot = dict(zip(slots.tolist(), values.tolist(), strict=True)) | {NOBODY: 0.0}
    summed = order.at_slots(order.summed(slots, values))[slots]
    assert summed.tolist() == [
        sum(of_slot[near] for near in expected[slot]) for slot in slots.tolist()
    ]

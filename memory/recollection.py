"""Recalls: what was offered, what was chosen with which probability, and what it led to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MemoryFault, RecordNotFound
from .records import Scope
from .rows import from_us
from .search import Hit
from .writing import rows_of


@dataclass(frozen=True, slots=True)
class Choice:
    """Which candidates were chosen, in order, and each candidate's probability of being chosen.

    ``chosen`` are shown. ``dropped`` were chosen too, and left out by chance, each slot with
    probability ``dropout``: what they would have changed can be told from those that were not.
    ``probabilities`` are by record id, of being drawn at its turn; a policy may add one for ``""``,
    to choose nothing (more). ``policy`` names who chose.
    """

    chosen: tuple[str, ...]
    probabilities: Mapping[str, float] = field(default_factory=dict[str, float])
    policy: str = "similarity"
    dropped: tuple[str, ...] = ()
    dropout: float = 0.0


@dataclass(frozen=True, slots=True)
class Recollection:
    """What a recall brought back: ``hits`` the chosen, in order, among ``candidates``.

    ``vector`` is the embedded query, shape (dim,), if it was embedded.
    """

    id: str
    query: str
    hits: list[Hit]
    candidates: list[Hit]
    choice: Choice
    vector: NDArray[np.float32] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Utility:
    """How a record has served: times offered, times chosen, and the rewards that followed."""

    recalled: int = 0
    chosen: int = 0
    rewarded: int = 0
    reward_sum: float = 0.0

    @property
    def reward_mean(self) -> float:
        """Mean reward of the recalls it was chosen in; 0 before the first."""
        return self.reward_sum / self.rewarded if self.rewarded else 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate as the log keeps it."""

    id: str
    score: float
    dense: float | None
    lexical: float | None
    probability: float


@dataclass(frozen=True, slots=True)
class RecallLog:
    """One logged recall: enough to estimate offline what another policy would have earned.

    ``vector`` is the embedded query, shape (dim,); None if it was not embedded, or by an embedder
    that the store no longer uses.
    """

    id: str
    at: datetime
    scope: Scope
    query: str
    policy: str
    context: dict[str, str]
    candidates: tuple[Candidate, ...]
    chosen: tuple[str, ...]
    reward: float | None
    probabilities: Mapping[str, float] = field(default_factory=dict[str, float])
    dropped: tuple[str, ...] = ()
    dropout: float = 0.0
    vector: NDArray[np.float32] | None = field(default=None, compare=False)


def log_recall(
    connection: sqlite3.Connection,
    *,
    owner: int,
    scope: Scope,
    recollection: Recollection,
    context: Mapping[str, str],
    at_us: int,
) -> None:
    """Write a recall, and count its candidates as recalled and its choice as chosen."""
    choice = recollection.choice
    candidates = [
        [hit.record.id, hit.score, hit.dense, hit.lexical] for hit in recollection.candidates
    ]
    number = connection.execute(
        "INSERT INTO recalls(id, owner, agent, session, at_us, query, policy, context, candidates,"
        " chosen, probabilities, dropped, dropout, vector) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            recollection.id,
            owner,
            scope.agent,
            scope.session,
            at_us,
            recollection.query.encode("utf-8", "replace").decode(),
            choice.policy,
            json.dumps(dict(context)),
            json.dumps(candidates),
            json.dumps(list(choice.chosen)),
            json.dumps(dict(choice.probabilities)),
            json.dumps(list(choice.dropped)),
            choice.dropout,
            None if recollection.vector is None else recollection.vector.tobytes(),
        ),
    ).lastrowid
    ids = [hit.record.id for hit in recollection.candidates]
    rows = rows_of(connection, owner, ids)
    chosen = set(choice.chosen)
    connection.executemany(
        "INSERT OR IGNORE INTO recall_rows VALUES (?, ?)", [(row, number) for row in rows.values()]
    )
    connection.executemany(
        "INSERT INTO utility(row, recalled, chosen) VALUES (?, 1, ?) ON CONFLICT(row) DO UPDATE "
        "SET recalled = recalled + 1, chosen = chosen + excluded.chosen",
        [(row, int(name in chosen)) for name, row in rows.items()],
    )


def log_reward(connection: sqlite3.Connection, recall_id: str, value: float, at_us: int) -> None:
    """Write what a recall led to. A second reward for one recall replaces the first."""
    found = connection.execute(
        "SELECT recall, owner, chosen, reward FROM recalls WHERE id = ?", (recall_id,)
    ).fetchone()
    if found is None:
        raise RecordNotFound(f"no recall {recall_id!r} was logged here, so it cannot be rewarded")
    recall, owner, chosen, before = found
    connection.execute(
        "UPDATE recalls SET reward = ?, rewarded_us = ? WHERE recall = ?", (value, at_us, recall)
    )
    rows = rows_of(connection, owner, json.loads(chosen))
    connection.executemany(
        "UPDATE utility SET rewarded = rewarded + ?, reward_sum = reward_sum + ? WHERE row = ?",
        [(int(before is None), value - (before or 0.0), row) for row in rows.values()],
    )


def read_utility(connection: sqlite3.Connection, rows: Mapping[str, int]) -> dict[str, Utility]:
    """Use counts by id; an id that was never recalled has zeros."""
    result: dict[str, Utility] = {}
    for name, row in rows.items():
        counts = connection.execute(
            "SELECT recalled, chosen, rewarded, reward_sum FROM utility WHERE row = ?", (row,)
        ).fetchone()
        result[name] = Utility(*counts) if counts else Utility()
    return result


def read_recalls(
    connection: sqlite3.Connection, owner: int, scope: Scope, limit: int, after: str | None
) -> list[RecallLog]:
    """Logged recalls of a scope, oldest first, from the one after ``after``."""
    start = 0
    if after is not None:
        found = connection.execute(
            "SELECT recall FROM recalls WHERE id = ? AND owner = ?", (after, owner)
        ).fetchone()
        if found is None:
            raise RecordNotFound(f"no recall {after!r} in this scope")
        start = found[0]
    return [
        _logged(values, scope.user)
        for values in connection.execute(
            f"SELECT {_LOGGED} FROM recalls WHERE owner = ? AND recall > ? "
            "AND (? IS NULL OR agent = ?) AND (? IS NULL OR session = ?) ORDER BY recall LIMIT ?",
            (owner, start, scope.agent, scope.agent, scope.session, scope.session, limit),
        )
    ]


def read_recall(
    connection: sqlite3.Connection, owner: int, scope: Scope, recall_id: str
) -> RecallLog:
    """One logged recall of a scope. Raises RecordNotFound."""
    found = connection.execute(
        f"SELECT {_LOGGED} FROM recalls WHERE owner = ? AND id = ? "
        "AND (? IS NULL OR agent = ?) AND (? IS NULL OR session = ?)",
        (owner, recall_id, scope.agent, scope.agent, scope.session, scope.session),
    ).fetchone()
    if found is None:
        raise RecordNotFound(f"no recall {recall_id!r} was logged in this scope")
    return _logged(found, scope.user)


def read_offers(
    connection: sqlite3.Connection, owner: int, scope: Scope, rows: Sequence[int]
) -> list[RecallLog]:
    """The logged recalls of a scope that offered any of these rows, oldest first, each once."""
    numbers: set[int] = set()
    for page in _pages(rows):
        marks = ",".join("?" * len(page))
        numbers.update(
            number
            for (number,) in connection.execute(
                f"SELECT recall FROM recall_rows WHERE row IN ({marks})", page
            )
        )
    return [
        _logged(values, scope.user)
        for page in _pages(sorted(numbers))
        for values in connection.execute(
            f"SELECT {_LOGGED} FROM recalls WHERE recall IN ({','.join('?' * len(page))}) "
            "AND owner = ? AND (? IS NULL OR agent = ?) AND (? IS NULL OR session = ?) "
            "ORDER BY recall",
            [*page, owner, scope.agent, scope.agent, scope.session, scope.session],
        )
    ]


def _pages(numbers: Sequence[int], size: int = 500) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


_LOGGED = (
    "id, at_us, agent, session, query, policy, context, candidates, chosen, probabilities, reward, "
    "dropped, dropout, vector"
)


def _logged(values: Sequence[Any], user: str) -> RecallLog:
    name, at_us, agent, session, query, policy, context, candidates, chosen, chances = values[:10]
    reward, dropped, dropout, vector = values[10:]
    probabilities: dict[str, float] = json.loads(chances)
    return RecallLog(
        id=str(name),
        at=from_us(int(str(at_us))),
        scope=Scope(
            user=user,
            agent=None if agent is None else str(agent),
            session=None if session is None else str(session),
        ),
        query=str(query),
        policy=str(policy),
        context=json.loads(str(context)),
        candidates=tuple(
            Candidate(one[0], one[1], one[2], one[3], probabilities.get(one[0], 0.0))
            for one in json.loads(str(candidates))
        ),
        chosen=tuple(json.loads(str(chosen))),
        reward=None if reward is None else float(str(reward)),
        probabilities=probabilities,
        dropped=tuple(json.loads(dropped)),
        dropout=dropout,
        vector=None if vector is None else np.frombuffer(vector, np.float32),
    )


def check_choice(choice: Choice, candidates: Sequence[Hit]) -> None:
    """Raise MemoryFault for a choice of something that was not offered, or of one thing twice."""
    offered = {hit.record.id for hit in candidates}
    named = [*choice.chosen, *choice.dropped]
    unknown = [one for one in named if one not in offered]
    if unknown:
        raise MemoryFault(
            f"policy {choice.policy!r} chose {unknown[0]!r}, which was not among its candidates"
        )
    if len(set(named)) < len(named):
        raise MemoryFault(f"policy {choice.policy!r} chose one candidate twice")

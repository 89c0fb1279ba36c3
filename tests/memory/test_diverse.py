"""Beyond the first sessions, what says something else comes earlier, and nothing is lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reverie.memory.diverse import KEPT_SESSIONS, LAMBDA, diversified
from reverie.memory.records import Origin, Record, Scope, UtterancePayload
from reverie.memory.turn_search import TurnHit


def hit(session: int, score: float, number: int = 0) -> TurnHit:
    record = Record(
        id=f"{session}/{number}",
        scope=Scope(user="ann", session=f"s{session}"),
        text="so",
        payload=UtterancePayload(speaker="ann"),
        origin=Origin(source="user"),
    )
    return TurnHit(record, score, {}, 0.0, 0.0)


def units(rows: list[list[float]]) -> NDArray[np.float32]:
    matrix = np.array(rows, np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def test_a_repetition_goes_behind_something_new_of_nearly_the_same_score() -> None:
    hits = [hit(session, 1.0 - session / 100) for session in range(KEPT_SESSIONS + 2)]
    repeats, tells_more = [1.0, 0.0], [0.0, 1.0]
    order = diversified(hits, units([*[repeats] * (KEPT_SESSIONS + 1), tells_more]))
    assert order[:KEPT_SESSIONS] == hits[:KEPT_SESSIONS]
    assert order[KEPT_SESSIONS:] == hits[: KEPT_SESSIONS - 1 : -1]


@given(
    st.lists(st.tuples(st.integers(0, 8), st.floats(-2, 9)), max_size=24),
    st.integers(0, 1000),
)
def test_it_is_mmr_after_the_first_sessions(found: list[tuple[int, float]], seed: int) -> None:
    found.sort(key=lambda one: -one[1])
    hits = [hit(session, score, place) for place, (session, score) in enumerate(found)]
    vectors = units(np.random.default_rng(seed).normal(size=(len(hits), 4)).tolist() or [[1.0]])
    order = diversified(hits, vectors[: len(hits)])

    sessions = [session for session, _ in found]
    kept = next(
        (n for n in range(len(hits)) if len({*sessions[: n + 1]}) > KEPT_SESSIONS), len(hits)
    )
    expected, left = list(range(kept)), list(range(kept, len(hits)))
    while left:
        worth = {
            one: LAMBDA * hits[one].score / max(hits[0].score, 1e-9)
            - (1 - LAMBDA) * max(0.0, *(float(vectors[one] @ vectors[o]) for o in expected))
            for one in left
        }
        best = max(left, key=lambda one: worth[one])
        chosen = hits.index(order[len(expected)])
        assert worth[chosen] >= worth[best] - 1e-4 * max(1.0, abs(worth[best]))
        left.remove(chosen)
        expected.append(chosen)
    assert [hits[place] for place in expected] == order

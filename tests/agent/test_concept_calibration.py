"""How sure a choice was becomes how often such choices were right."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.agent.concept_calibration import Calibration

SEEN = st.lists(st.tuples(st.floats(-1, 2), st.booleans()), max_size=40)


def test_without_anything_seen_it_is_the_identity_within_bounds() -> None:
    none = Calibration.fit([])
    assert none == Calibration()
    assert [none.probability(x) for x in (-1.0, 0.3, 2.0)] == [0.0, 0.3, 1.0]


def test_an_overconfident_model_is_brought_down() -> None:
    seen = [(0.9, n % 5 == 0) for n in range(200)]
    made = Calibration.fit(seen)
    assert made.probability(0.9) == pytest.approx(0.2, abs=0.03) and made.observed == 200


def test_a_few_observations_move_it_a_little() -> None:
    assert Calibration.fit([(0.8, False)]).probability(0.8) == pytest.approx(0.64)


@given(SEEN, st.lists(st.floats(-2, 3), min_size=2, max_size=10))
def test_it_never_decreases_and_stays_a_probability(
    seen: list[tuple[float, bool]], scores: list[float]
) -> None:
    made = Calibration.fit(seen)
    found = [made.probability(score) for score in sorted(scores)]
    assert all(0.0 <= one <= 1.0 for one in found)
    assert all(b - a >= -1e-12 for a, b in pairwise(found))


@given(SEEN)
def test_the_order_of_what_was_seen_is_of_no_account_and_it_can_be_kept(
    seen: list[tuple[float, bool]],
) -> None:
    made = Calibration.fit(seen)
    assert Calibration.fit(reversed(seen)) == made
    assert Calibration.model_validate_json(made.model_dump_json()) == made

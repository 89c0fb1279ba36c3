"""Scores equal their definitions, written here in another way."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.envs.arc.lines import ArcLine, KeptAnswer, KeptProgram
from reverie.envs.arc.scoring import oracle, score, strict
from reverie.envs.arc.summary import arc_arm, ratio, summarise_arc
from reverie.envs.runs import Arm
from reverie.envs.statistics import Progress

VERDICTS = st.lists(st.lists(st.booleans(), max_size=5), min_size=1, max_size=4)


def _first(row: Sequence[bool]) -> int:
    """The place of the first right guess, from 1; a thousand without one."""
    return next((place for place, right in enumerate(row, start=1) if right), 1_000)


@given(VERDICTS)
def test_scores_equal_their_definition_by_brute_force(verdicts: list[list[bool]]) -> None:
    ranks = [_first(row) for row in verdicts]
    assert score(verdicts) == sum(rank <= 2 for rank in ranks) / len(ranks)
    assert strict(verdicts) == (max(ranks) <= 2)
    assert oracle(verdicts) == sum(rank < 1_000 for rank in ranks) / len(ranks)


@given(VERDICTS)
def test_more_guesses_never_score_less_and_strict_is_a_full_score(
    verdicts: list[list[bool]],
) -> None:
    assert oracle(verdicts) >= score(verdicts)
    assert strict(verdicts) == (score(verdicts) == 1.0)


def test_every_small_set_of_verdicts_is_scored_by_its_first_two_guesses_alone() -> None:
    for rows in itertools.product(itertools.product([False, True], repeat=3), repeat=2):
        assert score(rows) == score([row[:2] for row in rows])
        assert strict(rows) == all(row[0] or row[1] for row in rows)


def line(arm: Arm, task: str, verdicts: Sequence[Sequence[bool]], **more: object) -> ArcLine:
    """A line with what its verdicts are worth."""
    given: dict[str, object] = {
        "run": "r", "arm": arm, "seed": 0, "index": 0, "task_id": task, "success": strict(verdicts),
        "reward": score(verdicts), "oracle": oracle(verdicts), "steps": 100, "usd": 0.5,
        "phase": "exam", "batch": 0, "verdicts": verdicts, "fits": True, "tokens": 7,
        "answer": KeptAnswer(guesses=()),
    }  # fmt: skip
    return ArcLine.model_validate(given | more)


def test_points_are_summed_over_puzzles_and_the_oracle_stands_apart() -> None:
    lines = [
        line(Arm.OFF, "a", [[True], [False, False, True]]),
        line(Arm.OFF, "b", [[False, True]]),
        line(Arm.OFF, "c", [[False]]),
    ]
    arm = arc_arm(lines, 3)
    assert (arm.points, arm.strict, arm.k) == (1.5, 1, 3)
    assert arm.oracle.mean == pytest.approx(2 / 3)
    assert (arm.nodes, arm.tokens, arm.usd, arm.usd_per_solve) == (300, 21, 1.5, 1.5)
    progress = Progress(id="r", status="complete", done=3, planned=3)
    summary = summarise_arc(lines, (Arm.OFF,), progress)
    assert summary.arms["off"].success.mean == pytest.approx(1 / 3)
    assert summary.arms["off"].reward.mean == pytest.approx(0.5)


def test_a_ratio_is_paired_and_its_interval_is_that_of_resampled_puzzles() -> None:
    won = [[True]], [[False]]
    a = [line(Arm.FROZEN, f"t{i}", won[i % 2], steps=10) for i in range(20)]
    b = [line(Arm.OFF, f"t{i}", won[0 if i in (0, 2, 4, 6, 8) else 1], steps=40) for i in range(25)]
    found = ratio(a, b)
    assert (found.mean, found.better, found.worse, found.both) == (2.0, 5, 0, 5)
    assert found.nodes == 0.25
    assert found.ci is not None
    generator = np.random.default_rng(1)
    ratios: list[float] = []
    for _ in range(4_000):
        drawn: list[int] = generator.integers(0, 20, 20).tolist()
        below = sum(b[i].success for i in drawn)
        ratios.append(sum(a[i].success for i in drawn) / below if below else np.inf)
    low, high = np.percentile(ratios, [2.5, 97.5], method="nearest")
    assert found.ci[0] == pytest.approx(low, rel=0.1)
    assert found.ci[1] == pytest.approx(high, rel=0.25)


def test_nothing_to_compare_with_is_no_ratio() -> None:
    found = ratio([line(Arm.FROZEN, "a", [[True]])], [line(Arm.OFF, "a", [[False]])])
    assert found.mean is None and found.ci is None and found.better == 1


def test_nodes_until_solved_are_those_of_the_first_program_that_fits() -> None:
    programs = (
        KeptProgram(text="a", language="grids", fits=False, found=3),
        KeptProgram(text="b", language="grids", fits=True, found=8),
    )
    answer = KeptAnswer(guesses=(), programs=programs, nodes=100)
    assert line(Arm.OFF, "a", [[True]], answer=answer).nodes_to_solve() == 8
    assert line(Arm.OFF, "a", [[True]]).nodes_to_solve() == 100


def test_what_was_studied_is_in_no_column_of_what_was_scored() -> None:
    lines = [
        line(Arm.ONLINE, "a", [[True]], phase="study"),
        line(Arm.ONLINE, "b", [[False]]),
    ]
    progress = Progress(id="r", status="complete", done=2, planned=2)
    summary = summarise_arc(lines, (Arm.ONLINE,), progress)
    assert summary.arms["online"].success.n == 1
    assert (summary.puzzles["online"].strict, summary.studied["online"].strict) == (0, 1)
    assert summary.orders == {"0": {"online": 0}}

"""Programs are judged by the worked examples, told what was wrong, and vote on the tests."""

from __future__ import annotations

import pytest

from reverie.agent.program_reply import Code
from reverie.agent.program_run import grid_of, ran_of
from reverie.agent.program_trial import Ran, Trial, feedback, summary
from reverie.agent.program_vote import guesses
from reverie.errors import BadGrid
from reverie.tools.confine.results import Json, Outcome
from reverie.tools.grids.puzzle import Pair, Puzzle, grid

PUZZLE = Puzzle(
    "p",
    (
        Pair(grid([[1, 0], [0, 0]]), grid([[2, 0], [0, 0]])),
        Pair(grid([[1, 1]]), grid([[2, 2]])),
    ),
    (grid([[1]]), grid([[0]])),
)
RIGHT = (Ran(PUZZLE.train[0].output), Ran(PUZZLE.train[1].output))
HALF = (RIGHT[0], Ran(grid([[2, 0]])))
NONE = (Ran(grid([[0]])), Ran(error="Traceback\nZeroDivisionError: division by zero"))


def trial(train: tuple[Ran, ...], first: int | None, second: int | None = 0) -> Trial:
    made = [Ran() if cell is None else Ran(grid([[cell]])) for cell in (first, second)]
    return Trial("code", train, tuple(made))


def cells(found: tuple[tuple[object, ...], ...]) -> list[list[int]]:
    return [[int(one[0, 0]) for one in each] for each in found]  # type: ignore[index]


def test_programs_that_fit_vote_and_near_misses_follow_by_closeness() -> None:
    trials = [
        trial(NONE, 9),
        trial(HALF, 7),
        trial(RIGHT, 3),
        trial(RIGHT, 4),
        trial(RIGHT, 4),
        trial(HALF, 4),
    ]
    assert cells(guesses(trials, PUZZLE))[0] == [4, 3, 7, 9]


def test_among_equals_the_first_found_comes_first_and_each_test_is_voted_on_alone() -> None:
    trials = [trial(RIGHT, 5, 1), trial(RIGHT, 6, 1), trial(RIGHT, None, 2)]
    assert cells(guesses(trials, PUZZLE)) == [[5, 6], [1, 2]]


def test_a_near_miss_has_no_voice_against_a_program_that_fits() -> None:
    trials = [trial(HALF, 8), trial(HALF, 8), trial(HALF, 8), trial(RIGHT, 1)]
    assert cells(guesses(trials, PUZZLE))[0] == [1, 8]


def test_without_any_program_there_is_no_guess() -> None:
    assert guesses([], PUZZLE) == ((), ())
    assert guesses([Trial("", fault="no code")], PUZZLE) == ((), ())


def test_a_puzzle_without_examples_is_fitted_by_nothing() -> None:
    bare = Puzzle("q", (), (grid([[1]]),))
    assert not Trial("code", (), (Ran(grid([[1]])),)).fits(bare)


def test_feedback_tells_sizes_cells_and_errors_but_nothing_of_the_tests() -> None:
    said = feedback(trial(HALF, 9), PUZZLE)
    assert "Example 1: right." in said
    assert "Example 2: wrong, has 1 of 2 cells wrong" in said and "[0,1] is 0, should be 2" in said
    assert "9" not in said
    said = feedback(trial(NONE, 1), PUZZLE)
    assert "has size 1x1 and not 2x2" in said and "ZeroDivisionError" in said
    assert summary(trial(NONE, 1), PUZZLE) == (
        "example 1 has size 1x1 and not 2x2; example 2 failed: ZeroDivisionError: division by zero"
    )
    assert feedback(Trial("", fault="there was no code block"), PUZZLE).endswith("code block")


@pytest.mark.parametrize(
    "value",
    [None, 3, "grid", [], [[]], [1, 2], [[1], [1, 2]], [[10]], [[-1]], [[0.5]], [["a"]],
     [[None]], [[[1]]], {"a": 1}, [[float("nan")]], [[2**70]], [[1] * 31]],
    ids=str,
)  # fmt: skip
def test_what_is_no_grid_is_refused_in_words(value: Json) -> None:
    with pytest.raises(BadGrid):
        grid_of(value)
    ran = ran_of(Outcome(value, None))
    assert ran.output is None and ran.error.startswith("transform returned no grid")


def test_whole_floats_and_truth_values_are_colours() -> None:
    assert grid_of([[1.0, True], [0, False]]).tolist() == [[1, 1], [0, 0]]
    assert Code("x").uses == ()

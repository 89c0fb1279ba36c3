"""A puzzle in words: what holds of every example is said, and nothing else."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reverie.agent.puzzle_description import background, describe, objects
from reverie.agent.puzzle_text import puzzle_text
from reverie.tools.grids.puzzle import Grid, Pair, Puzzle, grid

SQUARES = st.integers(1, 6).flatmap(
    lambda rows: st.integers(1, 6).flatmap(
        lambda columns: st.lists(
            st.lists(st.integers(0, 9), min_size=columns, max_size=columns),
            min_size=rows,
            max_size=rows,
        )
    )
)


def puzzle(*pairs: tuple[list[list[int]], list[list[int]]]) -> Puzzle:
    return Puzzle("p", tuple(Pair(grid(a), grid(b)) for a, b in pairs), (grid([[7]]),))


def test_a_filled_hole_is_told_as_one() -> None:
    ring = [[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    filled = [row[:] for row in ring]
    filled[1][1] = 4
    said = describe(puzzle((ring, filled)))
    assert "same size" in said and "Only the output has yellow (4)" in said
    assert "enclosed regions" in said and "Only background cells change" in said


def test_growing_cropping_recolouring_and_mirroring_are_told() -> None:
    cell = [[0, 3], [0, 0]]
    tiled = [[0, 3, 0, 3], [0, 0, 0, 0], [0, 3, 0, 3], [0, 0, 0, 0]]
    assert "2 times the rows, 2 times the columns" in describe(puzzle((cell, tiled)))
    assert "contains the input whole" in describe(puzzle((cell, tiled)))
    assert "cut out of the input" in describe(puzzle((tiled, [[3, 0]])))
    assert "recoloured" in describe(puzzle((cell, [[0, 5], [0, 0]])))
    assert "move, rotate, flip" in describe(puzzle((cell, [[3, 0], [0, 0]])))
    divided = [[0, 1, 5, 0, 0], [0, 0, 5, 1, 0]]
    assert "Separator lines" in describe(puzzle((divided, [[1, 0]])))


def test_what_holds_of_one_example_alone_is_not_said() -> None:
    one = ([[0, 3], [0, 0]], [[0, 5], [0, 0]])
    other = ([[0, 3], [0, 0]], [[0, 3, 0]])
    said = describe(puzzle(one, other))
    assert "recoloured" not in said and "changes from example to example" in said


def test_objects_touch_at_corners_and_have_one_colour() -> None:
    cells = grid([[1, 0, 2], [0, 1, 2], [0, 0, 0]])
    assert background(cells) == 0
    assert sorted(int(mask.sum()) for mask in objects(cells)) == [2, 2]


def test_the_grids_are_text_and_the_tests_have_inputs_alone() -> None:
    text = puzzle_text(puzzle(([[1, 2]], [[2], [1]])))
    assert "Input (1x2):\n1 2\nOutput (2x1):\n2\n1" in text
    assert text.endswith("Test 1\nInput (1x1):\n7")
    assert "Test" not in puzzle_text(puzzle(([[1]], [[1]])), tests=False)


@given(SQUARES, SQUARES)
def test_every_puzzle_has_a_description_that_is_always_the_same(
    one: list[list[int]], other: list[list[int]]
) -> None:
    made = puzzle((one, other))
    assert describe(made) and describe(made) == describe(made)


@given(SQUARES)
def test_objects_cover_what_is_not_background_once(cells: list[list[int]]) -> None:
    found: Grid = grid(cells)
    total = sum((mask.astype(int) for mask in objects(found)), np.zeros(found.shape, int))
    assert ((total == 1) == (found != background(found))).all()


def test_without_an_example_there_is_nothing_to_say() -> None:
    assert describe(Puzzle("p", (), ())) == ""

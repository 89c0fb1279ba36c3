"""The language as a whole: every routine is documented and total on the grids it is typed for."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from reverie.errors import Inapplicable
from reverie.tools.grids.library import Primitive, Type, colour, library
from reverie.tools.grids.puzzle import SIDE, Grid
from reverie.tools.grids.values import Scene

WORDS = list(library().values())


def samples() -> dict[Type, list[object]]:
    """Values of every type, made by the language itself."""
    rng = np.random.default_rng(1)
    grids = [
        (rng.random(shape) < share).astype(np.int8) * rng.integers(1, 4, shape, dtype=np.int8)
        for shape in ((1, 1), (3, 3), (5, 7), (9, 9), (12, 12))
        for share in (0.0, 0.3, 1.0)
    ]
    found: dict[Type, list[object]] = {kind: [] for kind in Type}
    found[Type.GRID] = list(grids)
    found[Type.COLOUR] = [0, 1, 3]
    for word in WORDS:
        if word.kind == "constant":
            found[word.output].append(word.value)
        elif word.inputs == (Type.GRID,) and word.output in (Type.OBJECTS, Type.PLANE):
            for grid in grids:
                try:
                    found[word.output].append(word.value(grid))  # type: ignore[operator]
                except Inapplicable:
                    continue
    return found


SAMPLES = samples()


def is_of(value: object, kind: Type) -> bool:
    """Whether a value is of a type of the language."""
    if kind in (Type.GRID, Type.PLANE):
        cells = cast("NDArray[np.integer]", value)
        return cells.ndim == 2 and (kind is Type.GRID or cells.dtype == np.int16)
    if kind is Type.OBJECTS:
        return isinstance(value, Scene) and len(value.objects) > 0
    return isinstance(value, int)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.name)
def test_every_word_has_a_one_line_doc(word: Primitive) -> None:
    assert word.doc.endswith((".", "…"))


@pytest.mark.parametrize("word", [w for w in WORDS if w.kind == "function"], ids=lambda w: w.name)
def test_a_routine_gives_its_type_or_says_that_it_does_not_apply(word: Primitive) -> None:
    rng = random.Random(2)
    run: Callable[..., object] = word.value  # type: ignore[assignment]
    for _ in range(40):
        arguments = [rng.choice(SAMPLES[kind]) for kind in word.inputs]
        before = pickle.dumps([a for a in arguments if isinstance(a, np.ndarray)])
        try:
            made = run(*arguments)
        except Inapplicable:
            continue
        assert is_of(made, word.output), (word.name, type(made))
        after = pickle.dumps([a for a in arguments if isinstance(a, np.ndarray)])
        assert before == after, f"{word.name} changed its argument"
        if word.output is Type.GRID:
            cells = cast("Grid", made)
            assert cells.size == 0 or 0 <= cells.min() <= cells.max() <= 9


def test_a_colour_is_a_constant_word() -> None:
    assert colour(3).value == 3
    assert colour(3).output is Type.COLOUR


def test_the_language_has_between_120_and_300_words() -> None:
    assert 120 <= len([w for w in WORDS if w.kind != "constant"]) <= 300


def test_no_sample_grid_is_larger_than_a_puzzle_allows() -> None:
    grids: list[Grid] = [g for g in SAMPLES[Type.GRID] if isinstance(g, np.ndarray)]
    assert all(max(grid.shape) <= SIDE for grid in grids)

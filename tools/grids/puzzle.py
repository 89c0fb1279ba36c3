"""A puzzle of coloured grids, as a solver sees it: worked examples, and inputs without outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...errors import BadGrid

Grid: TypeAlias = NDArray[np.int8]
"""Shape (rows, columns), 1 to 30 each; colours 0 to 9."""

SIDE = 30
COLOURS = 10


@dataclass(frozen=True, eq=False)
class Pair:
    """A worked example."""

    input: Grid
    output: Grid


@dataclass(frozen=True, eq=False)
class Puzzle:
    """Worked examples and the inputs to answer. The hidden outputs are nowhere in it."""

    id: str
    train: tuple[Pair, ...]
    tests: tuple[Grid, ...]


def grid(cells: Sequence[Sequence[int]] | NDArray[np.integer]) -> Grid:
    """The cells as a read-only grid. Raises ``BadGrid`` for another shape, size or colour."""
    try:
        found = np.asarray(cells)
    except ValueError as error:
        raise BadGrid(f"rows of different lengths are no grid: {error}") from None
    if found.ndim != 2 or not np.issubdtype(found.dtype, np.integer):
        raise BadGrid(f"a grid is a 2-D array of integers, not {found.ndim}-D {found.dtype}")
    if not (1 <= found.shape[0] <= SIDE and 1 <= found.shape[1] <= SIDE):
        raise BadGrid(f"a grid has 1 to {SIDE} rows and columns, not {found.shape}")
    if found.min() < 0 or found.max() >= COLOURS:
        raise BadGrid(f"colours go from 0 to {COLOURS - 1}, not {found.min()} to {found.max()}")
    made = np.array(found, dtype=np.int8)
    made.setflags(write=False)
    return made

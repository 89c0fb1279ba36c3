"""Last steps that read a layout off the worked examples: blocks, stamps, a window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...errors import Inapplicable
from .fitting import same_shape
from .geometry import TURNS
from .puzzle import Grid
from .values import CLEAR, background

MOST_STAMPS = 40
"""More cells than this are a figure, not marks to be stamped."""


def _blocks(grid: Grid) -> list[Grid]:
    """What a block of an output may hold: the grid as it is, turned, or blank."""
    blank = np.full_like(grid, background(grid))
    kinds = [grid, *(turn(grid) for turn in TURNS), blank, np.zeros_like(grid)]
    return [kind if kind.shape == grid.shape else np.full_like(grid, CLEAR) for kind in kinds]


def _kind(cells: Grid, kinds: list[Grid], allowed: set[int]) -> set[int]:
    return {n for n in allowed if np.array_equal(cells, kinds[n])}


def block_layout(outputs: Sequence[Grid], grids: Sequence[Grid]) -> Callable[[Grid], Grid]:
    """The output is laid out of the grid's turns and blanks, the same way in every example."""
    ratios = {
        (o.shape[0] / g.shape[0], o.shape[1] / g.shape[1])
        for g, o in zip(grids, outputs, strict=True)
    }
    tall, wide = ratios.pop()
    if ratios or tall % 1 or wide % 1 or not 2 <= tall * wide <= 36:
        raise Inapplicable("the outputs are no multiple of the grids")
    places = [(r, c) for r in range(int(tall)) for c in range(int(wide))]
    layout = {place: set(range(10)) for place in places}
    for grid, output in zip(grids, outputs, strict=True):
        kinds = _blocks(grid)
        rows, cols = grid.shape
        for r, c in places:
            cells = output[r * rows : (r + 1) * rows, c * cols : (c + 1) * cols]
            layout[r, c] = _kind(cells, kinds, layout[r, c])
            if not layout[r, c]:
                raise Inapplicable("the outputs are laid out in different ways")
    chosen = {place: min(kinds) for place, kinds in layout.items()}

    def laid(grid: Grid) -> Grid:
        kinds = _blocks(grid)
        rows = [
            np.concatenate([kinds[chosen[r, c]] for c in range(int(wide))], axis=1)
            for r in range(int(tall))
        ]
        made = np.concatenate(rows)
        if (made == CLEAR).any():
            raise Inapplicable("the grid cannot be turned into itself")
        return made

    return laid


def block_of_cell(outputs: Sequence[Grid], grids: Sequence[Grid]) -> Callable[[Grid], Grid]:
    """Each cell becomes a fixed block that depends on its colour."""
    shapes = {
        (o.shape[0] / g.shape[0], o.shape[1] / g.shape[1])
        for g, o in zip(grids, outputs, strict=True)
    }
    tall, wide = (int(side) for side in shapes.pop())
    if shapes or tall * wide < 2 or tall * wide > 36:
        raise Inapplicable("the outputs are no multiple of the grids")
    table: dict[int, Grid] = {}
    for grid, output in zip(grids, outputs, strict=True):
        if output.shape != (grid.shape[0] * tall, grid.shape[1] * wide):
            raise Inapplicable("the outputs are no multiple of the grids")
        cut = output.reshape(grid.shape[0], tall, grid.shape[1], wide).swapaxes(1, 2)
        for place in np.ndindex(*grid.shape):
            if not np.array_equal(table.setdefault(int(grid[place]), cut[place]), cut[place]):
                raise Inapplicable("the examples contradict each other")

    def built(grid: Grid) -> Grid:
        if any(int(colour) not in table for colour in np.unique(grid)):
            raise Inapplicable("a colour the examples do not show")
        return np.block([[table[int(colour)] for colour in row] for row in grid])

    return built


def stamps(outputs: Sequence[Grid], grids: Sequence[Grid]) -> Callable[[Grid], Grid]:
    """Each coloured cell is surrounded by a fixed pattern that depends on its colour."""
    same_shape(grids, outputs)
    reach = 2
    seen: dict[int, NDArray[np.int8]] = {}
    for grid, output in zip(grids, outputs, strict=True):
        wide = np.pad(output, reach, constant_values=CLEAR)
        ground = background(grid)
        cells = np.argwhere(grid != ground)
        if len(cells) > MOST_STAMPS:
            raise Inapplicable("too many cells to be stamped")
        for row, col in cells:
            around = wide[row : row + 2 * reach + 1, col : col + 2 * reach + 1]
            old = seen.setdefault(int(grid[row, col]), np.where(around == CLEAR, 127, around))
            clash = (around != CLEAR) & (old != 127) & (around != old)
            old[(around != CLEAR) & (old == 127)] = around[(around != CLEAR) & (old == 127)]
            old[clash] = ground

    def stamped(grid: Grid) -> Grid:
        ground = background(grid)
        wide = np.pad(grid, reach, constant_values=ground)
        cells = np.argwhere(grid != ground)
        if len(cells) > MOST_STAMPS:
            raise Inapplicable("too many cells to be stamped")
        for row, col in cells:
            if int(grid[row, col]) not in seen:
                raise Inapplicable("a colour the examples do not show")
            stamp = seen[int(grid[row, col])]
            there = wide[row : row + 2 * reach + 1, col : col + 2 * reach + 1]
            np.copyto(there, stamp, where=(stamp != 127) & (stamp != ground))
        return wide[reach:-reach, reach:-reach].copy()

    return stamped


def window(outputs: Sequence[Grid], grids: Sequence[Grid]) -> Callable[[Grid], Grid]:
    """The part of a grid that lies at one place in every example."""
    tall, wide = outputs[0].shape
    if any(
        o.shape != (tall, wide) or g.size <= o.size for g, o in zip(grids, outputs, strict=True)
    ):
        raise Inapplicable("the outputs have different shapes")
    rows = min(g.shape[0] for g in grids) - tall
    cols = min(g.shape[1] for g in grids) - wide
    for r in range(rows + 1):
        for c in range(cols + 1):
            if all(
                np.array_equal(g[r : r + tall, c : c + wide], o)
                for g, o in zip(grids, outputs, strict=True)
            ):
                return partial(_window, row=r, col=c, tall=tall, wide=wide)
    raise Inapplicable("no one place shows the outputs")


def _window(grid: Grid, row: int, col: int, tall: int, wide: int) -> Grid:
    if row + tall > grid.shape[0] or col + wide > grid.shape[1]:
        raise Inapplicable("the grid is too small")
    return grid[row : row + tall, col : col + wide]


LAYOUTS = (block_layout, block_of_cell, stamps, window)

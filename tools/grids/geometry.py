"""Turning, moving and sorting whole grids."""

from __future__ import annotations

import numpy as np

from ...errors import Inapplicable
from .puzzle import Grid
from .values import Direction, Turn, background, shifted


def rot90(grid: Grid) -> Grid:
    """Turned a quarter clockwise."""
    return np.rot90(grid, 3)


def rot180(grid: Grid) -> Grid:
    """Turned by half."""
    return grid[::-1, ::-1]


def rot270(grid: Grid) -> Grid:
    """Turned a quarter counter-clockwise."""
    return np.rot90(grid)


def flip_across(grid: Grid) -> Grid:
    """Left and right exchanged."""
    return grid[:, ::-1]


def flip_down(grid: Grid) -> Grid:
    """Top and bottom exchanged."""
    return grid[::-1]


def transpose(grid: Grid) -> Grid:
    """Mirrored in the main diagonal."""
    return grid.T


def antitranspose(grid: Grid) -> Grid:
    """Mirrored in the other diagonal."""
    return grid[::-1, ::-1].T


TURNS: tuple[Turn, ...] = (
    rot90,
    rot180,
    rot270,
    flip_across,
    flip_down,
    transpose,
    antitranspose,
)


def shift(grid: Grid, way: Direction) -> Grid:
    """Moved one cell; background enters."""
    return shifted(grid, way, background(grid))


def roll(grid: Grid, way: Direction) -> Grid:
    """Moved one cell; what leaves enters on the other side."""
    return np.roll(grid, way, axis=(0, 1))


def gravity(grid: Grid, way: Direction) -> Grid:
    """Every cell that is not background falls as far as it can."""
    down, right = way
    if down and right:
        raise Inapplicable("cells fall along rows or columns")
    lines = grid if right else grid.T
    full = lines != background(grid)
    order = np.argsort(full if down + right > 0 else ~full, axis=1, kind="stable")
    fallen = np.take_along_axis(lines, order, axis=1)
    return fallen if right else fallen.T


def sort_rows(grid: Grid) -> Grid:
    """Rows ordered by how many cells are not background, fewest first."""
    full = (grid != background(grid)).sum(axis=1)
    return grid[np.argsort(full, kind="stable")]


def sort_columns(grid: Grid) -> Grid:
    """Columns ordered by how many cells are not background, fewest first."""
    return sort_rows(grid.T).T


def unwind_rows(grid: Grid) -> Grid:
    """Every second row mirrored."""
    made = grid.copy()
    made[1::2] = made[1::2, ::-1]
    return made


PRIMITIVES = (*TURNS, shift, roll, gravity, sort_rows, sort_columns, unwind_rows)

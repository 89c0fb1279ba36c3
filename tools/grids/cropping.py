"""Cutting a part out of a grid."""

from __future__ import annotations

import numpy as np

from ...errors import Inapplicable
from .puzzle import Grid
from .values import Colour, Direction, Plane, background, box, counts


def trim(grid: Grid) -> Grid:
    """The bounding box of what is not background."""
    return grid[box(grid != background(grid))]


def trim_common(grid: Grid) -> Grid:
    """The bounding box of what is not the most common colour."""
    return grid[box(grid != counts(grid).argmax())]


def inside(grid: Grid) -> Grid:
    """Without the outermost ring."""
    if min(grid.shape) < 3:
        raise Inapplicable("nothing is inside so thin a grid")
    return grid[1:-1, 1:-1]


def _part(grid: Grid, way: Direction, share: int) -> Grid:
    """The last ``rows // share`` lines in a direction (both ways for a diagonal)."""
    down, right = way
    rows, cols = grid.shape
    tall, wide = rows // share if down else rows, cols // share if right else cols
    if not tall or not wide:
        raise Inapplicable(f"a grid of {rows} x {cols} has no such part")
    top = rows - tall if down > 0 else 0
    left = cols - wide if right > 0 else 0
    return grid[top : top + tall, left : left + wide]


def half(grid: Grid, way: Direction) -> Grid:
    """The half on one side; without the middle line where the side is odd."""
    return _part(grid, way, 2)


def third(grid: Grid, way: Direction) -> Grid:
    """The third on one side."""
    return _part(grid, way, 3)


def edge(grid: Grid, way: Direction) -> Grid:
    """The outermost line on one side."""
    return take(grid, way, 1)


def take(grid: Grid, way: Direction, size: int) -> Grid:
    """The outermost lines on one side."""
    down, right = way
    rows, cols = grid.shape
    if size < 1 or (down and size >= rows) or (right and size >= cols):
        raise Inapplicable(f"a grid of {rows} x {cols} has no {size} lines to take")
    top = rows - size if down > 0 else 0
    left = cols - size if right > 0 else 0
    return grid[top : top + size if down else rows, left : left + size if right else cols]


def drop(grid: Grid, way: Direction, size: int) -> Grid:
    """Without the outermost lines on one side."""
    down, right = way
    rows, cols = grid.shape
    if size < 1 or (down and size >= rows) or (right and size >= cols):
        raise Inapplicable(f"a grid of {rows} x {cols} cannot lose {size} lines")
    top, low = (size if down < 0 else 0), (rows - size if down > 0 else rows)
    left, far = (size if right < 0 else 0), (cols - size if right > 0 else cols)
    return grid[top:low, left:far]


def drop_blank_lines(grid: Grid) -> Grid:
    """Without the rows and columns that are all background."""
    full = grid != background(grid)
    rows, cols = full.any(axis=1), full.any(axis=0)
    if not rows.any():
        raise Inapplicable("every line is blank")
    return grid[rows][:, cols]


def drop_even_lines(grid: Grid) -> Grid:
    """Without the rows and columns of a single colour."""
    rows = (grid != grid[:, :1]).any(axis=1)
    cols = (grid != grid[:1]).any(axis=0)
    if not rows.any() or not cols.any():
        raise Inapplicable("every line has a single colour")
    return grid[rows][:, cols]


def merge_equal_lines(grid: Grid) -> Grid:
    """Equal neighbouring rows made one, and columns."""
    rows = np.append(True, (grid[1:] != grid[:-1]).any(axis=1))
    cols = np.append(True, (grid[:, 1:] != grid[:, :-1]).any(axis=0))
    return grid[rows][:, cols]


def crop_colour(grid: Grid, colour: Colour) -> Grid:
    """The bounding box of a colour."""
    return grid[box(grid == colour)]


def crop_within_colour(grid: Grid, colour: Colour) -> Grid:
    """The bounding box of a colour, without its outermost ring."""
    return inside(crop_colour(grid, colour))


def crop_where(grid: Grid, mask: Plane) -> Grid:
    """The bounding box of a mask."""
    if mask.shape != grid.shape:
        raise Inapplicable("grid and mask differ in shape")
    return grid[box(mask > 0)]


def cut_rarest(grid: Grid) -> Grid:
    """The bounding box of the least common colour."""
    found = counts(grid)
    return grid[box(grid == np.where(found > 0, found, 10_000).argmin())]


def smallest_tile(grid: Grid) -> Grid:
    """The smallest part that, repeated, makes the grid."""
    rows, cols = grid.shape
    tall = next(n for n in range(1, rows + 1) if np.array_equal(grid[n:], grid[: rows - n]))
    wide = next(n for n in range(1, cols + 1) if np.array_equal(grid[:, n:], grid[:, : cols - n]))
    return grid[:tall, :wide]


PRIMITIVES = (
    trim,
    trim_common,
    inside,
    half,
    third,
    edge,
    take,
    drop,
    drop_blank_lines,
    drop_even_lines,
    merge_equal_lines,
    crop_colour,
    crop_within_colour,
    crop_where,
    cut_rarest,
    smallest_tile,
)

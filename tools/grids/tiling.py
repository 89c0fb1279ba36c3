"""Repeating, scaling and mirroring into larger grids, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import Inapplicable
from .puzzle import Grid
from .values import Colour, Direction, background, fitting_side


def upscale(grid: Grid, factor: int) -> Grid:
    """Each cell becomes a square block."""
    fitting_side(grid.shape[0] * factor, grid.shape[1] * factor)
    return grid.repeat(factor, axis=0).repeat(factor, axis=1)


def stretch_across(grid: Grid, factor: int) -> Grid:
    """Each cell becomes a flat block."""
    fitting_side(grid.shape[0], grid.shape[1] * factor)
    return grid.repeat(factor, axis=1)


def stretch_down(grid: Grid, factor: int) -> Grid:
    """Each cell becomes a tall block."""
    return stretch_across(grid.T, factor).T


def downscale(grid: Grid, factor: int) -> Grid:
    """Every n-th cell of every n-th row."""
    if factor < 2:
        raise Inapplicable("a factor of one changes nothing")
    return grid[::factor, ::factor]


def shrink_blocks(grid: Grid) -> Grid:
    """The grid of which this is an enlargement by the largest factor."""
    for factor in range(min(grid.shape), 1, -1):
        if grid.shape[0] % factor or grid.shape[1] % factor:
            continue
        small = grid[::factor, ::factor]
        if np.array_equal(small.repeat(factor, axis=0).repeat(factor, axis=1), grid):
            return small
    raise Inapplicable("the grid is no enlargement")


def repeat_across(grid: Grid, times: int) -> Grid:
    """Copies beside each other."""
    fitting_side(grid.shape[0], grid.shape[1] * times)
    return np.tile(grid, (1, times))


def repeat_down(grid: Grid, times: int) -> Grid:
    """Copies below each other."""
    fitting_side(grid.shape[0] * times, grid.shape[1])
    return np.tile(grid, (times, 1))


def tile(grid: Grid, times: int) -> Grid:
    """Copies in both directions."""
    fitting_side(grid.shape[0] * times, grid.shape[1] * times)
    return np.tile(grid, (times, times))


def mirror_beside(grid: Grid, way: Direction) -> Grid:
    """The grid and its mirror image on one side (on three, for a diagonal)."""
    made = grid
    for axis, step in enumerate(way):
        if step:
            image = np.flip(made, axis)
            made = np.concatenate([made, image] if step > 0 else [image, made], axis=axis)
    fitting_side(*made.shape)
    return made


def mirror_tiles(grid: Grid, times: int) -> Grid:
    """Copies in both directions, every second one mirrored."""
    rows, cols = grid.shape
    fitting_side(rows * times, cols * times)
    pair = np.concatenate([grid, grid[:, ::-1]], axis=1)
    four = np.concatenate([pair, pair[::-1]], axis=0)
    return np.tile(four, ((times + 1) // 2,) * 2)[: rows * times, : cols * times]


def rotate_tiles(grid: Grid) -> Grid:
    """Two by two: the grid and its three turns, going round clockwise."""
    if grid.shape[0] != grid.shape[1]:
        raise Inapplicable("only a square can be turned into itself")
    fitting_side(grid.shape[0] * 2, grid.shape[1] * 2)
    upper = np.concatenate([grid, np.rot90(grid, 3)], axis=1)
    lower = np.concatenate([np.rot90(grid), np.rot90(grid, 2)], axis=1)
    return np.concatenate([upper, lower])


def _kron(mask: NDArray[np.bool_], pattern: Grid) -> Grid:
    """The pattern where a mask is set, zeros elsewhere (Kronecker product)."""
    (rows, cols), (tall, wide) = mask.shape, pattern.shape
    whole = mask[:, None, :, None] * pattern[None, :, None, :]
    return whole.reshape(rows * tall, cols * wide).astype(np.int8)


def stamp_at_cells(pattern: Grid, layout: Grid) -> Grid:
    """The pattern at each cell of the layout that is not background, blank elsewhere."""
    fitting_side(pattern.shape[0] * layout.shape[0], pattern.shape[1] * layout.shape[1])
    ground = background(pattern)
    return _kron(layout != background(layout), pattern - np.int8(ground)) + np.int8(ground)


def stamp_at_blanks(pattern: Grid, layout: Grid) -> Grid:
    """The pattern at each background cell of the layout, blank elsewhere."""
    fitting_side(pattern.shape[0] * layout.shape[0], pattern.shape[1] * layout.shape[1])
    return _kron(layout == background(layout), pattern)


def stamp_at_colour(pattern: Grid, layout: Grid, colour: Colour) -> Grid:
    """The pattern at each cell of a colour in the layout, blank elsewhere."""
    fitting_side(pattern.shape[0] * layout.shape[0], pattern.shape[1] * layout.shape[1])
    return _kron(layout == colour, pattern)


def frame(grid: Grid, colour: Colour) -> Grid:
    """A ring of a colour put around it."""
    fitting_side(grid.shape[0] + 2, grid.shape[1] + 2)
    return np.pad(grid, 1, constant_values=colour)


def widen_edge(grid: Grid) -> Grid:
    """A ring put around it that repeats the outermost cells, blank at the corners."""
    fitting_side(grid.shape[0] + 2, grid.shape[1] + 2)
    made = np.pad(grid, 1, mode="edge")
    made[[0, 0, -1, -1], [0, -1, 0, -1]] = 0
    return made


def space_out(grid: Grid) -> Grid:
    """A background line put between all neighbouring rows and columns."""
    rows, cols = grid.shape
    fitting_side(rows * 2 - 1, cols * 2 - 1)
    made = np.full((rows * 2 - 1, cols * 2 - 1), background(grid), dtype=np.int8)
    made[::2, ::2] = grid
    return made


def double_canvas(grid: Grid) -> Grid:
    """The grid in the upper left quarter of a blank one twice as large."""
    rows, cols = grid.shape
    fitting_side(rows * 2, cols * 2)
    return np.pad(grid, ((0, rows), (0, cols)), constant_values=background(grid))


PRIMITIVES = (
    upscale,
    stretch_across,
    stretch_down,
    downscale,
    shrink_blocks,
    repeat_across,
    repeat_down,
    tile,
    mirror_beside,
    mirror_tiles,
    rotate_tiles,
    stamp_at_cells,
    stamp_at_blanks,
    stamp_at_colour,
    frame,
    widen_edge,
    space_out,
    double_canvas,
)

"""Completing patterns: symmetric ones, and periodic ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import Inapplicable
from .puzzle import Grid
from .values import Colour, Turn, background, box

NEAR = 4
"""How far from the middle, in cells, an axis is looked for."""


def symmetrise(grid: Grid, turn: Turn) -> Grid:
    """Background filled from the turned or mirrored grid."""
    image = turn(grid)
    if image.shape != grid.shape:
        raise Inapplicable("the turned grid has another shape")
    return np.where(grid == background(grid), image, grid)


def kaleidoscope(grid: Grid) -> Grid:
    """Background filled from the mirror images across, down and both."""
    ground = background(grid)
    for image in (grid[:, ::-1], grid[::-1], grid[::-1, ::-1]):
        grid = np.where(grid == ground, image, grid)
    return grid


def pinwheel(grid: Grid) -> Grid:
    """Background filled from the three turned grids."""
    if grid.shape[0] != grid.shape[1]:
        raise Inapplicable("only a square can be turned into itself")
    ground = background(grid)
    for image in (np.rot90(grid), np.rot90(grid, 2), np.rot90(grid, 3)):
        grid = np.where(grid == ground, image, grid)
    return grid


def _mirrored(grid: Grid, hole: int, centre: int) -> tuple[Grid, int]:
    """The grid mirrored left to right about ``centre / 2`` (``hole`` beyond), and the misfits."""
    cols = grid.shape[1]
    source: NDArray[np.int64] = centre - np.arange(cols, dtype=np.int64)
    inside = (source >= 0) & (source < cols)
    image = np.full_like(grid, hole)
    image[:, inside] = grid[:, source[inside]]
    known = (grid != hole) & (image != hole)
    return image, int(np.count_nonzero(known & (grid != image)))


def _axis(grid: Grid, hole: int) -> Grid:
    """The mirror image about the axis near the middle that contradicts nothing."""
    middle = grid.shape[1] - 1
    for off in sorted(range(-NEAR, NEAR + 1), key=abs):
        image, misfits = _mirrored(grid, hole, middle + off)
        if not misfits:
            return image
    raise Inapplicable("the grid has no axis")


def repair_symmetry(grid: Grid, hole: Colour) -> Grid:
    """Cells of a colour filled so that the grid is symmetric about its axes near the middle."""
    if not (grid == hole).any():
        raise Inapplicable("nothing has to be repaired")
    made = grid
    found = 0
    for upright in (True, False):
        turned = made if upright else made.T
        try:
            image = _axis(turned, hole)
        except Inapplicable:
            continue
        found += 1
        image = image if upright else image.T
        made = np.where(made == hole, image, made)
    if grid.shape[0] == grid.shape[1]:
        known = (made != hole) & np.not_equal(made.T, hole)
        if np.array_equal(made[known], made.T[known]):
            found += 1
            made = np.where(made == hole, made.T, made)
    if not found:
        raise Inapplicable("the grid has no axis")
    return made


def _period(grid: Grid, known: NDArray[np.bool_]) -> int:
    """The smallest shift down under which the known cells agree."""
    rows = grid.shape[0]
    for size in range(1, rows // 2 + 1):
        both = known[size:] & known[: rows - size]
        if both.any() and np.array_equal(grid[size:][both], grid[: rows - size][both]):
            return size
    raise Inapplicable("the grid has no period")


def _folded(grid: Grid, known: NDArray[np.bool_], tall: int, wide: int) -> Grid:
    """Each unknown cell gets a known one that lies whole periods away."""
    rows, cols = np.mgrid[: grid.shape[0], : grid.shape[1]]
    place = (rows % tall) * wide + cols % wide
    table = np.full(tall * wide, -1, dtype=np.int8)
    table[place[known]] = grid[known]
    if (table < 0).any():
        raise Inapplicable("part of the period is nowhere shown")
    return np.where(known, grid, table[place])


def repair_tiles(grid: Grid, hole: Colour) -> Grid:
    """Cells of a colour filled so that the grid repeats itself in both directions."""
    known = grid != hole
    if known.all():
        raise Inapplicable("nothing has to be repaired")
    rows, cols = grid.shape
    for tall in range(1, rows + 1):
        if not _agrees(grid, known, tall, down=True):
            continue
        for wide in range(1, cols + 1):
            if tall * wide > rows * cols // 2 or not _agrees(grid, known, wide, down=False):
                continue
            return _folded(grid, known, tall, wide)
    raise Inapplicable("the grid has no period")


def _agrees(grid: Grid, known: NDArray[np.bool_], size: int, *, down: bool) -> bool:
    """Whether known cells ``size`` apart are equal."""
    cells, seen = (grid, known) if down else (grid.T, known.T)
    rows = cells.shape[0]
    both = seen[size:] & seen[: rows - size]
    return np.array_equal(cells[size:][both], cells[: rows - size][both])


def repair_rows(grid: Grid, hole: Colour) -> Grid:
    """Cells of a colour filled so that the rows repeat themselves downwards."""
    known = grid != hole
    if known.all():
        raise Inapplicable("nothing has to be repaired")
    return _folded(grid, known, _period(grid, known), grid.shape[1])


def repair_slanted(grid: Grid, hole: Colour) -> Grid:
    """Cells of a colour filled so that diagonals repeat with the fewest colours."""
    known = grid != hole
    if known.all():
        raise Inapplicable("nothing has to be repaired")
    rows, cols = np.mgrid[: grid.shape[0], : grid.shape[1]]
    for size in range(2, 10):
        for sign in (1, -1):
            place = (rows + sign * cols) % size
            table = np.full(size, -1, dtype=np.int8)
            table[place[known]] = grid[known]
            if (table >= 0).all() and np.array_equal(table[place][known], grid[known]):
                return table[place]
    raise Inapplicable("no diagonal pattern")


def repair(grid: Grid, hole: Colour) -> Grid:
    """Cells of a colour filled by symmetry, or else by period."""
    for way in (repair_symmetry, repair_tiles):
        try:
            made = way(grid, hole)
        except Inapplicable:
            continue
        if not (made == hole).any():
            return made
    raise Inapplicable("neither symmetric nor periodic")


def missing_patch(grid: Grid, hole: Colour) -> Grid:
    """What a repaired grid shows in the bounding box of the repaired colour."""
    return repair(grid, hole)[box(grid == hole)]


def continue_down(grid: Grid) -> Grid:
    """A pattern of rows continued over the blank rows below it, or above it."""
    ground = background(grid)
    blank = (grid == ground).all(axis=1)
    if not blank.any() or blank.all():
        raise Inapplicable("no rows to continue")
    known = np.broadcast_to(~blank[:, None], grid.shape)
    full = np.flatnonzero(~blank)
    shown = grid[full[0] : full[-1] + 1]
    try:
        size = _period(shown, np.ones(shown.shape, dtype=np.bool_))
    except Inapplicable:
        size = len(shown)
    return _folded(grid, known, size, grid.shape[1])


def continue_across(grid: Grid) -> Grid:
    """A pattern of columns continued over the blank columns beside it."""
    return continue_down(grid.T).T


PRIMITIVES = (
    symmetrise,
    kaleidoscope,
    pinwheel,
    repair_symmetry,
    repair_tiles,
    repair_rows,
    repair_slanted,
    repair,
    missing_patch,
    continue_down,
    continue_across,
)

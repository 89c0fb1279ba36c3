"""Drawing lines, rays and outlines on a grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import Inapplicable
from .puzzle import Grid
from .values import Colour, Direction, background, shifted

STRAIGHT: tuple[tuple[int, int], ...] = ((-1, 0), (1, 0), (0, -1), (0, 1))
SLANTED: tuple[tuple[int, int], ...] = ((-1, -1), (-1, 1), (1, -1), (1, 1))


def _carry(source: Grid, way: tuple[int, int], ground: int) -> Grid:
    """Each cell: the first colour met when looking back against a direction, itself included."""
    seen = source.copy()
    reach = 1
    while reach < max(seen.shape):
        behind = shifted(seen, (way[0] * reach, way[1] * reach), ground)
        seen = np.where(seen == ground, behind, seen)
        reach *= 2
    return seen


def seen_from(grid: Grid, way: tuple[int, int]) -> Grid:
    """Each cell: the nearest colour behind it, not its own; background where there is none."""
    ground = background(grid)
    return shifted(_carry(grid, way, ground), way, ground)


def shoot(grid: Grid, way: Direction) -> Grid:
    """Every coloured cell sends a ray over the background up to the next coloured cell."""
    return _carry(grid, way, background(grid))


def shoot_colour(grid: Grid, colour: Colour, way: Direction) -> Grid:
    """Cells of one colour send rays over the background, through other colours too."""
    ground = background(grid)
    rays = _carry(np.where(grid == colour, grid, np.int8(ground)), way, ground)
    return np.where(grid == ground, rays, grid)


def _all_rays(grid: Grid, ways: tuple[tuple[int, int], ...]) -> Grid:
    ground = background(grid)
    made = grid
    for way in ways:
        made = np.where(made == ground, _carry(grid, way, ground), made)
    return made


def cross(grid: Grid) -> Grid:
    """Rays from every coloured cell in the four straight directions."""
    return _all_rays(grid, STRAIGHT)


def slanted_cross(grid: Grid) -> Grid:
    """Rays from every coloured cell in the four diagonal directions."""
    return _all_rays(grid, SLANTED)


def shoot_down_slanted(grid: Grid) -> Grid:
    """Rays from every coloured cell along both diagonals that go down."""
    return _all_rays(grid, SLANTED[2:])


def fill_rows(grid: Grid) -> Grid:
    """Background in a row gets the row's colour, from the left first."""
    return _all_rays(grid, ((0, 1), (0, -1)))


def fill_columns(grid: Grid) -> Grid:
    """Background in a column gets the column's colour, from above first."""
    return _all_rays(grid, ((1, 0), (-1, 0)))


def _between(grid: Grid, way: tuple[int, int]) -> tuple[NDArray[np.bool_], Grid]:
    """Background cells between two cells of one colour along a line, and that colour."""
    ground = background(grid)
    ahead = seen_from(grid, way)
    behind = seen_from(grid, (-way[0], -way[1]))
    return (grid == ground) & (ahead != ground) & (ahead == behind), ahead


def _connect(grid: Grid, ways: tuple[tuple[int, int], ...]) -> Grid:
    made = grid
    for way in ways:
        where, ahead = _between(grid, way)
        made = np.where(where & (made == grid), ahead, made)
    return made


def connect_rows(grid: Grid) -> Grid:
    """Equal colours in a row joined by a line over background."""
    return _connect(grid, ((0, 1),))


def connect_columns(grid: Grid) -> Grid:
    """Equal colours in a column joined by a line over background."""
    return _connect(grid, ((1, 0),))


def connect(grid: Grid) -> Grid:
    """Equal colours in a row or column joined, columns above."""
    return _connect(grid, ((1, 0), (0, 1)))


def connect_slanted(grid: Grid) -> Grid:
    """Equal colours on a diagonal joined."""
    return _connect(grid, ((1, 1), (1, -1)))


def connect_with(grid: Grid, colour: Colour) -> Grid:
    """Equal colours in a row or column joined by lines of another colour."""
    where = _between(grid, (0, 1))[0] | _between(grid, (1, 0))[0]
    return np.where(where, np.int8(colour), grid)


def _near(grid: Grid, ways: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    full = (grid != background(grid)).astype(np.int8)
    return np.any([shifted(full, way, 0) for way in ways], axis=0) & (full == 0)


def outline(grid: Grid, colour: Colour) -> Grid:
    """Background next to anything, diagonally too, gets a colour."""
    return np.where(_near(grid, STRAIGHT + SLANTED), np.int8(colour), grid)


def outline_straight(grid: Grid, colour: Colour) -> Grid:
    """Background right beside, above or below anything gets a colour."""
    return np.where(_near(grid, STRAIGHT), np.int8(colour), grid)


def outline_slanted(grid: Grid, colour: Colour) -> Grid:
    """Background diagonal to anything gets a colour."""
    return np.where(_near(grid, SLANTED), np.int8(colour), grid)


def ring(grid: Grid, colour: Colour) -> Grid:
    """The outermost cells get a colour."""
    made = np.full_like(grid, colour)
    made[1:-1, 1:-1] = grid[1:-1, 1:-1]
    return made


def rings(grid: Grid) -> Grid:
    """The rings of a grid in opposite order, from outside in."""
    depth = (min(grid.shape) + 1) // 2
    tones = [int(grid[n, n]) for n in range(depth)]
    if len(set(tones)) < 2:
        raise Inapplicable("the rings have one colour")
    rows, cols = np.mgrid[: grid.shape[0], : grid.shape[1]]
    far = np.minimum(np.minimum(rows, cols), np.minimum(rows[::-1], cols[:, ::-1]))
    distinct = list(dict.fromkeys(tones))
    table = dict(zip(distinct, reversed(distinct), strict=True))
    return np.array([table[tone] for tone in tones], dtype=np.int8)[far]


def spiral(grid: Grid, colour: Colour) -> Grid:
    """A spiral from the upper left corner inwards with a gap of one cell."""
    made = np.full_like(grid, background(grid))
    rows, cols = grid.shape
    if rows != cols or rows < 4:
        raise Inapplicable("a spiral needs a square")
    row, col, down, right = 0, 0, 0, 1
    made[0, 0] = colour
    turns = 0
    while turns < 2:
        ahead = (row + down, col + right)
        beyond = (row + 2 * down, col + 2 * right)
        free = 0 <= ahead[0] < rows and 0 <= ahead[1] < cols and made[ahead] != colour
        clear = not (0 <= beyond[0] < rows and 0 <= beyond[1] < cols and made[beyond] == colour)
        if free and clear:
            row, col = ahead
            made[row, col] = colour
            turns = 0
        else:
            down, right = right, -down
            turns += 1
    return made


def shift_onto_grid(grid: Grid, way: Direction) -> Grid:
    """The grid with its content repeated in a direction with the content's own extent."""
    ground = background(grid)
    rows, cols = np.nonzero(grid != ground)
    if not rows.size:
        raise Inapplicable("the grid is all background")
    step = (int(np.ptp(rows)) + 1) * way[0], (int(np.ptp(cols)) + 1) * way[1]
    made = grid
    for times in range(1, max(grid.shape)):
        copy = shifted(grid, (step[0] * times, step[1] * times), ground)
        made = np.where(made == ground, copy, made)
    return made


PRIMITIVES = (
    shoot,
    shoot_colour,
    cross,
    slanted_cross,
    shoot_down_slanted,
    fill_rows,
    fill_columns,
    connect_rows,
    connect_columns,
    connect,
    connect_slanted,
    connect_with,
    outline,
    outline_straight,
    outline_slanted,
    ring,
    rings,
    spiral,
    shift_onto_grid,
)

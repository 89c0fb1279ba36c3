"""Finding objects, regions and panels in a grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import Inapplicable
from .puzzle import Grid
from .values import CLEAR, Object, Scene, background, components, counts

MOST = 60
"""A grid in more pieces than this is noise to a search."""


def _cut(grid: Grid, label: NDArray[np.int32], member: NDArray[np.bool_], ground: int) -> Scene:
    """The members' components as objects, in the order of their labels."""
    flat = np.flatnonzero(member)
    names = label.ravel()[flat]
    order = np.argsort(names, kind="stable")
    names, flat = names[order], flat[order]
    first = np.ones(len(names), dtype=np.bool_)
    first[1:] = names[1:] != names[:-1]
    starts = np.flatnonzero(first)
    if not 1 <= len(starts) <= MOST:
        raise Inapplicable(f"{len(starts)} objects")
    rows, cols = np.divmod(flat, grid.shape[1])
    colour = grid.ravel()[flat]
    tops, lows = np.minimum.reduceat(rows, starts), np.maximum.reduceat(rows, starts)
    lefts, fars = np.minimum.reduceat(cols, starts), np.maximum.reduceat(cols, starts)
    bounds = zip(tops.tolist(), lows.tolist(), lefts.tolist(), fars.tolist(), strict=True)
    ends = [*starts[1:].tolist(), len(flat)]
    found: list[Object] = []
    for (top, low, left, far), a, b in zip(bounds, starts.tolist(), ends, strict=True):
        cells = np.empty((low - top + 1, far - left + 1), dtype=np.int8)
        cells.fill(CLEAR)
        cells[rows[a:b] - top, cols[a:b] - left] = colour[a:b]
        found.append(Object(cells, top, left))
    return Scene(tuple(found), (grid.shape[0], grid.shape[1]), ground)


def objects4(grid: Grid) -> Scene:
    """Connected cells of one colour."""
    ground = background(grid)
    return _cut(grid, components(grid, diagonal=False), grid != ground, ground)


def objects8(grid: Grid) -> Scene:
    """Cells of one colour, connected also diagonally."""
    ground = background(grid)
    return _cut(grid, components(grid, diagonal=True), grid != ground, ground)


def clusters4(grid: Grid) -> Scene:
    """Connected cells of any colour but the background's."""
    ground = background(grid)
    full = grid != ground
    return _cut(grid, components(full.astype(np.int8), diagonal=False), full, ground)


def clusters8(grid: Grid) -> Scene:
    """Cells of any colour but the background's, connected also diagonally."""
    ground = background(grid)
    full = grid != ground
    return _cut(grid, components(full.astype(np.int8), diagonal=True), full, ground)


def clusters_on_common(grid: Grid) -> Scene:
    """Connected cells, diagonally too, of any colour but the most common one."""
    ground = int(counts(grid).argmax())
    full = grid != ground
    return _cut(grid, components(full.astype(np.int8), diagonal=True), full, ground)


def objects_on_common(grid: Grid) -> Scene:
    """Connected cells of one colour, the most common colour being the background."""
    ground = int(counts(grid).argmax())
    return _cut(grid, components(grid, diagonal=False), grid != ground, ground)


def layers(grid: Grid) -> Scene:
    """All cells of a colour as one object, for each colour but the background's."""
    ground = background(grid)
    return _cut(grid, grid.astype(np.int32), grid != ground, ground)


def regions(grid: Grid) -> Scene:
    """Connected background cells."""
    ground = background(grid)
    return _cut(grid, components(grid, diagonal=False), grid == ground, ground)


def patches(grid: Grid) -> Scene:
    """Connected cells of one colour, background included."""
    whole = np.ones(grid.shape, dtype=np.bool_)
    return _cut(grid, components(grid, diagonal=False), whole, background(grid))


def boxes(grid: Grid) -> Scene:
    """All the grid shows within the bounding box of each connected object of one colour."""
    scene = objects8(grid)
    found = [
        Object(
            grid[o.row : o.row + o.cells.shape[0], o.col : o.col + o.cells.shape[1]], o.row, o.col
        )
        for o in scene.objects
    ]
    return scene.having(tuple(found))


def _panels(grid: Grid, rows: list[tuple[int, int]], cols: list[tuple[int, int]]) -> Scene:
    if not 2 <= len(rows) * len(cols) <= MOST:
        raise Inapplicable("the grid is not divided")
    found = tuple(Object(grid[a:b, c:d], a, c) for a, b in rows for c, d in cols)
    return Scene(found, (grid.shape[0], grid.shape[1]), background(grid))


def _spans(line: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The runs between separator lines."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], line, [True]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def panels(grid: Grid) -> Scene:
    """The parts between full lines of one colour."""
    found: list[tuple[int, int, int]] = []
    full_rows, full_cols = (grid == grid[:, :1]).all(axis=1), (grid == grid[:1]).all(axis=0)
    for colour in set(grid[full_rows, 0].tolist()) | set(grid[0, full_cols].tolist()):
        same = grid == colour
        rows, cols = same.all(axis=1), same.all(axis=0)
        if not rows.all() and (rows.any() or cols.any()):
            found.append(
                (int(colour != background(grid)), int(rows.sum() + cols.sum()), int(colour))
            )
    if not found:
        raise Inapplicable("no line divides the grid")
    same = grid == max(found)[2]
    return _panels(grid, _spans(same.all(axis=1)), _spans(same.all(axis=0)))


def halves_across(grid: Grid) -> Scene:
    """The left and the right half."""
    size = grid.shape[1] // 2
    if not size:
        raise Inapplicable("the grid is one column")
    return _panels(grid, [(0, grid.shape[0])], [(0, size), (grid.shape[1] - size, grid.shape[1])])


def halves_down(grid: Grid) -> Scene:
    """The upper and the lower half."""
    size = grid.shape[0] // 2
    if not size:
        raise Inapplicable("the grid is one row")
    return _panels(grid, [(0, size), (grid.shape[0] - size, grid.shape[0])], [(0, grid.shape[1])])


def squares(grid: Grid) -> Scene:
    """The long side divided into squares."""
    rows, cols = grid.shape
    short = min(rows, cols)
    if max(rows, cols) % short:
        raise Inapplicable("no whole number of squares")
    spans = [[(n, n + short) for n in range(0, side, short)] for side in (rows, cols)]
    return _panels(grid, spans[0], spans[1])


def blocks(grid: Grid, size: int) -> Scene:
    """Square blocks of a size."""
    rows, cols = grid.shape
    if size < 2 or rows % size or cols % size:
        raise Inapplicable(f"no whole number of blocks of {size}")
    spans = [[(n, n + size) for n in range(0, side, size)] for side in (rows, cols)]
    return _panels(grid, spans[0], spans[1])


def divided(grid: Grid, parts: int) -> Scene:
    """As many parts by as many parts, where the sides divide."""
    rows, cols = grid.shape
    if parts < 2 or rows % parts or cols % parts:
        raise Inapplicable(f"the sides do not divide by {parts}")
    tall, wide = rows // parts, cols // parts
    return _panels(
        grid,
        [(n, n + tall) for n in range(0, rows, tall)],
        [(n, n + wide) for n in range(0, cols, wide)],
    )


def row_objects(grid: Grid) -> Scene:
    """Each row an object."""
    return _panels(grid, [(n, n + 1) for n in range(grid.shape[0])], [(0, grid.shape[1])])


def column_objects(grid: Grid) -> Scene:
    """Each column an object."""
    return _panels(grid, [(0, grid.shape[0])], [(n, n + 1) for n in range(grid.shape[1])])


PRIMITIVES = (
    objects4,
    objects8,
    clusters4,
    clusters8,
    clusters_on_common,
    objects_on_common,
    layers,
    regions,
    patches,
    boxes,
    panels,
    halves_across,
    halves_down,
    squares,
    blocks,
    divided,
    row_objects,
    column_objects,
)

"""The values grid routines work on besides grids: objects, scenes, planes, keys, directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, NewType, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...errors import Inapplicable
from .puzzle import COLOURS, SIDE, Grid

Colour = NewType("Colour", int)
"""0 to 9."""
Direction = NewType("Direction", tuple[int, int])
"""A step (rows, columns), each -1, 0 or 1."""
Plane: TypeAlias = NDArray[np.int16]
"""An integer for each cell of a grid; a mask is a plane of 0 and 1."""
Turn: TypeAlias = Callable[[Grid], Grid]
"""One of the symmetries of the square, as a function."""

CLEAR = -1
"""In an object's cells: not part of the object."""


class Object(NamedTuple):
    """Part of a grid: the cells of its bounding box (CLEAR where it has none), and its place."""

    cells: Grid
    row: int
    col: int


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """Objects on an empty canvas. Panels of a divided grid are objects too."""

    objects: tuple[Object, ...]
    shape: tuple[int, int]
    background: int
    measured: dict[str, NDArray[np.int64]] = field(
        default_factory=dict[str, NDArray[np.int64]], init=False, repr=False
    )
    """What its objects were measured by so far."""

    def having(self, objects: tuple[Object, ...]) -> Scene:
        """The same canvas with other objects. Raises ``Inapplicable`` for none."""
        if not objects:
            raise Inapplicable("no object is left")
        return Scene(objects, self.shape, self.background)


Key: TypeAlias = Callable[[Scene], NDArray[np.int64]]
"""A number for each object of a scene, to choose by; a predicate is a key of 0 and 1."""


def background(grid: Grid) -> int:
    """0 where the grid has any, else its most common colour."""
    return 0 if not grid.all() else int(np.bincount(grid.ravel(), minlength=COLOURS).argmax())


def counts(grid: Grid) -> NDArray[np.int64]:
    """How many cells each colour has: shape (10,)."""
    return np.bincount(grid.ravel(), minlength=COLOURS)


def box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The bounding box of what is set. Raises ``Inapplicable`` for an empty mask."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        raise Inapplicable("an empty mask has no bounding box")
    cols = np.flatnonzero(mask.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1)


def fitting_side(rows: int, cols: int) -> None:
    """Raise ``Inapplicable`` if a grid of this shape would be too large or empty."""
    if not (1 <= rows <= SIDE and 1 <= cols <= SIDE):
        raise Inapplicable(f"{rows} x {cols} is no shape of a grid")


def solid(cells: Grid, ground: int) -> Grid:
    """An object's cells with the canvas colour where it is clear."""
    return np.where(cells == CLEAR, np.int8(ground), cells)


def shifted(cells: NDArray[np.int8], step: tuple[int, int], fill: int) -> NDArray[np.int8]:
    """The array moved by a step of (rows, columns); what enters is ``fill``."""
    rows, cols = cells.shape
    down, right = step
    moved = np.empty(cells.shape, dtype=cells.dtype)
    moved.fill(fill)
    if abs(down) < rows and abs(right) < cols:
        moved[max(down, 0) : rows + min(down, 0), max(right, 0) : cols + min(right, 0)] = cells[
            max(-down, 0) : rows + min(-down, 0), max(-right, 0) : cols + min(-right, 0)
        ]
    return moved


@lru_cache(maxsize=4096)
def _labels(raw: bytes, rows: int, cols: int, diagonal: bool) -> NDArray[np.int32]:
    cells = np.frombuffer(raw, dtype=np.int8).reshape(rows, cols)
    label = np.arange(rows * cols, dtype=np.int32).reshape(rows, cols)
    pairs = [(label[1:], label[:-1], cells[1:] == cells[:-1])]
    pairs.append((label[:, 1:], label[:, :-1], cells[:, 1:] == cells[:, :-1]))
    if diagonal:
        pairs.append((label[1:, 1:], label[:-1, :-1], cells[1:, 1:] == cells[:-1, :-1]))
        pairs.append((label[1:, :-1], label[:-1, 1:], cells[1:, :-1] == cells[:-1, 1:]))
    flat = label.ravel()
    while True:
        before = flat.copy()
        for here, there, same in pairs:
            np.copyto(here, np.minimum(here, there), where=same)
            np.copyto(there, np.minimum(here, there), where=same)
        flat[:] = flat[flat]
        if np.array_equal(before, flat):
            break
    label.setflags(write=False)
    return label


def components(cells: Grid, *, diagonal: bool) -> NDArray[np.int32]:
    """Equal neighbouring cells share a label, the flat place of the component's first cell.

    Minimum labels spread to neighbours with pointer jumping until nothing changes.
    """
    rows, cols = cells.shape
    return _labels(cells.tobytes(), rows, cols, diagonal)


def enclosed(grid: Grid, *, diagonal: bool = False) -> NDArray[np.bool_]:
    """Background cells that no path of background cells joins to the edge."""
    empty = grid == background(grid)
    label = components(empty.astype(np.int8), diagonal=diagonal)
    edge = np.concatenate([label[0], label[-1], label[:, 0], label[:, -1]])
    outside = np.zeros(label.size, dtype=np.bool_)
    outside[edge] = True
    return empty & ~outside[label]

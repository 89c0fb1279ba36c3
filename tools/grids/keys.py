"""What objects are chosen by: a number for each object of a scene."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .puzzle import Grid
from .values import CLEAR, Key, Object, Scene, components


def _once(measure: Key, name: str, doc: str | None) -> Key:
    """A key that is worked out once a scene: many routines choose by the same."""

    def key(scene: Scene) -> NDArray[np.int64]:
        found = scene.measured.get(name)
        if found is None:
            found = measure(scene)
            found.setflags(write=False)
            scene.measured[name] = found
        return found

    key.__name__ = name
    key.__doc__ = doc
    return key


def _each(measure: Callable[[Object, Scene], int], name: str, doc: str) -> Key:
    """A key from a measure of one object."""

    def measured(scene: Scene) -> NDArray[np.int64]:
        return np.array([measure(one, scene) for one in scene.objects], dtype=np.int64)

    return _once(measured, name, doc)


def _size(one: Object, scene: Scene) -> int:
    return int(np.count_nonzero((one.cells != CLEAR) & (one.cells != scene.background)))


def _palette(one: Object, scene: Scene) -> NDArray[np.int64]:
    cells = one.cells[one.cells != CLEAR]
    found = np.bincount(cells, minlength=10)
    found[scene.background] = 0
    return found


def _colour(one: Object, scene: Scene) -> int:
    found = _palette(one, scene)
    return int(found.argmax()) if found.any() else scene.background


def _colours(one: Object, scene: Scene) -> int:
    return int(np.count_nonzero(_palette(one, scene)))


def _odd_cells(one: Object, scene: Scene) -> int:
    found = _palette(one, scene)
    return int(found.sum() - found.max())


def _bounds(one: Object) -> tuple[int, int, int, int]:
    rows, cols = one.cells.shape
    return one.row, one.col, one.row + rows, one.col + cols


def _touches(one: Object, scene: Scene) -> int:
    top, left, low, far = _bounds(one)
    return int(top == 0 or left == 0 or low == scene.shape[0] or far == scene.shape[1])


def _middle(one: Object, scene: Scene) -> int:
    top, left, low, far = _bounds(one)
    return abs(top + low - scene.shape[0]) + abs(left + far - scene.shape[1])


def _holes(one: Object, scene: Scene) -> int:
    empty = (one.cells == CLEAR) | (one.cells == scene.background)
    padded = np.pad(empty, 1, constant_values=True).astype(np.int8)
    label = components(padded, diagonal=False)
    return len(np.unique(label[padded == 1])) - 1


def _across(cells: Grid) -> int:
    return int(np.array_equal(cells, cells[:, ::-1]))


def _down(cells: Grid) -> int:
    return int(np.array_equal(cells, cells[::-1]))


def _slanted(cells: Grid) -> int:
    square = cells.shape[0] == cells.shape[1]
    return int(
        square and (np.array_equal(cells, cells.T) or np.array_equal(cells, cells[::-1, ::-1].T))
    )


def _shape(one: Object) -> tuple[tuple[int, ...], bytes]:
    return one.cells.shape, (one.cells != CLEAR).tobytes()


def _looks(one: Object) -> tuple[tuple[int, ...], bytes]:
    return one.cells.shape, one.cells.tobytes()


def _any_turn(one: Object) -> tuple[tuple[int, ...], bytes]:
    mask = one.cells != CLEAR
    return _least_turn(mask.tobytes(), *mask.shape)


@lru_cache(maxsize=4096)
def _least_turn(raw: bytes, rows: int, cols: int) -> tuple[tuple[int, ...], bytes]:
    mask = np.frombuffer(raw, dtype=np.bool_).reshape(rows, cols)
    turned = [np.rot90(side, n) for side in (mask, mask.T) for n in range(4)]
    return min((side.shape, side.tobytes()) for side in turned)


def _shared(feature: Callable[[Object], object], name: str, doc: str) -> Key:
    """A key that counts how many objects share a feature."""

    def measured(scene: Scene) -> NDArray[np.int64]:
        found = [feature(one) for one in scene.objects]
        tally = Counter(found)
        return np.array([tally[one] for one in found], dtype=np.int64)

    return _once(measured, name, doc)


def same_colour(scene: Scene) -> NDArray[np.int64]:
    """How many objects have its main colour."""
    found = [_colour(one, scene) for one in scene.objects]
    tally = Counter(found)
    return np.array([tally[one] for one in found], dtype=np.int64)


def reading_order(scene: Scene) -> NDArray[np.int64]:
    """Its place among the objects."""
    return np.arange(len(scene.objects))


def colour_cells(scene: Scene) -> NDArray[np.int64]:
    """How many cells of its main colour all objects have together."""
    total = np.sum([_palette(one, scene) for one in scene.objects], axis=0)
    return np.array([total[_colour(one, scene)] for one in scene.objects], dtype=np.int64)


KEYS: tuple[Key, ...] = (
    _each(_size, "size", "Cells that are not background."),
    _each(lambda o, s: o.cells.shape[0], "tall", "Rows of its bounding box."),
    _each(lambda o, s: o.cells.shape[1], "wide", "Columns of its bounding box."),
    _each(lambda o, s: o.cells.size, "area", "Cells of its bounding box."),
    _each(lambda o, s: o.row, "topmost", "Its first row."),
    _each(lambda o, s: o.col, "leftmost", "Its first column."),
    _each(lambda o, s: o.row + o.cells.shape[0], "lowest", "Where it ends, in rows."),
    _each(lambda o, s: o.col + o.cells.shape[1], "rightmost", "Where it ends, in columns."),
    _each(_colour, "colour", "Its most common colour."),
    _each(_colours, "colours", "How many colours it has."),
    _each(_odd_cells, "odd_cells", "Cells not of its most common colour."),
    _each(_touches, "at_edge", "1 if it touches the edge of the canvas."),
    _each(_middle, "off_centre", "Twice its distance from the middle of the canvas."),
    _each(_holes, "holes", "Regions it encloses."),
    _each(lambda o, s: _across(o.cells), "even_across", "1 if left and right are mirror images."),
    _each(lambda o, s: _down(o.cells), "even_down", "1 if top and bottom are mirror images."),
    _each(lambda o, s: _slanted(o.cells), "even_slanted", "1 if a diagonal is an axis."),
    _each(
        lambda o, s: _across(o.cells) + _down(o.cells) + _slanted(o.cells),
        "symmetry",
        "How many kinds of axis it has.",
    ),
    _each(
        lambda o, s: int(o.cells.shape[0] == o.cells.shape[1]), "is_square", "1 for a square box."
    ),
    _each(lambda o, s: int((o.cells != CLEAR).all()), "full", "1 if it fills its bounding box."),
    _each(lambda o, s: o.cells.size - _size(o, s), "gaps", "Cells of its bounding box it leaves."),
    _each(lambda o, s: int(o.cells.shape[0] > o.cells.shape[1]), "upright", "1 if it is tall."),
    _shared(_shape, "same_shape", "How many objects have its shape."),
    _shared(_looks, "same_looks", "How many objects look like it."),
    _shared(_any_turn, "same_turned", "How many objects have its shape, turned or mirrored."),
    *(_once(one, one.__name__, one.__doc__) for one in (same_colour, colour_cells, reading_order)),
)

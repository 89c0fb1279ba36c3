"""Counting, and showing counts."""

from __future__ import annotations

import numpy as np

from ...errors import Inapplicable
from .keys import KEYS
from .puzzle import Grid
from .values import Colour, Key, Scene, background, counts, fitting_side


def count_objects(scene: Scene) -> int:
    """How many objects there are."""
    return len(scene.objects)


def count_colours(grid: Grid) -> int:
    """How many colours there are besides the background."""
    found = counts(grid)
    found[background(grid)] = 0
    return int(np.count_nonzero(found))


def count_cells(grid: Grid, colour: Colour) -> int:
    """How many cells have a colour."""
    return int(np.count_nonzero(grid == colour))


def count_full(grid: Grid) -> int:
    """How many cells are not background."""
    return int(np.count_nonzero(grid != background(grid)))


def rows_of(grid: Grid) -> int:
    """How many rows there are."""
    return grid.shape[0]


def columns_of(grid: Grid) -> int:
    """How many columns there are."""
    return grid.shape[1]


def value_of(scene: Scene, key: Key) -> int:
    """The key of the first object."""
    return int(key(scene)[0])


def bar(length: int, colour: Colour) -> Grid:
    """One row of a colour."""
    fitting_side(1, length)
    return np.full((1, length), colour, dtype=np.int8)


def square(side: int, colour: Colour) -> Grid:
    """A square of a colour."""
    fitting_side(side, side)
    return np.full((side, side), colour, dtype=np.int8)


def diagonal(side: int, colour: Colour) -> Grid:
    """A diagonal of a colour on a blank square."""
    fitting_side(side, side)
    return (np.eye(side, dtype=np.int8) * np.int8(colour)).astype(np.int8)


def cell(colour: Colour) -> Grid:
    """A single cell of a colour."""
    return np.full((1, 1), colour, dtype=np.int8)


def _ranking(grid: Grid) -> list[tuple[int, int]]:
    """Pairs (cells, colour) without the background, most cells first."""
    found = counts(grid)
    found[background(grid)] = 0
    ranked = sorted(((int(found[c]), -int(c)) for c in np.flatnonzero(found)), reverse=True)
    if not ranked:
        raise Inapplicable("the grid is all background")
    return [(size, -colour) for size, colour in ranked]


def colour_list(grid: Grid) -> Grid:
    """A column of its colours, most cells first."""
    return np.array([[colour] for _, colour in _ranking(grid)], dtype=np.int8)


def colour_bars(grid: Grid) -> Grid:
    """A row for each colour as long as its count of cells, most cells first."""
    ranked = _ranking(grid)
    fitting_side(len(ranked), ranked[0][0])
    made = np.zeros((len(ranked), ranked[0][0]), dtype=np.int8)
    for place, (size, colour) in enumerate(ranked):
        made[place, :size] = colour
    return made


def object_list(scene: Scene) -> Grid:
    """A column with the main colour of each object, in their order."""
    fitting_side(len(scene.objects), 1)
    tones = next(key for key in KEYS if key.__name__ == "colour")(scene)
    return tones[:, None].astype(np.int8)


def object_bars(scene: Scene, key: Key) -> Grid:
    """For each object a row of its main colour as long as its key, in their order."""
    sizes = key(scene)
    longest = int(sizes.max())
    fitting_side(len(sizes), longest)
    return np.where(np.arange(longest) < sizes[:, None], object_list(scene), np.int8(0))


def object_map(scene: Scene) -> Grid:
    """One cell for each object, its main colour, arranged as the objects are."""
    tones = object_list(scene)[:, 0]
    rows = sorted({one.row for one in scene.objects})
    cols = sorted({one.col for one in scene.objects})
    fitting_side(len(rows), len(cols))
    made = np.full((len(rows), len(cols)), scene.background, dtype=np.int8)
    for one, tone in zip(scene.objects, tones, strict=True):
        made[rows.index(one.row), cols.index(one.col)] = tone
    return made


def key_map(scene: Scene, key: Key, colour: Colour) -> Grid:
    """One cell for each object, arranged as they are: a colour where the key is largest."""
    made = object_map(scene)
    values = key(scene)
    rows = sorted({one.row for one in scene.objects})
    cols = sorted({one.col for one in scene.objects})
    made[:] = scene.background
    for one, value in zip(scene.objects, values, strict=True):
        if value == values.max():
            made[rows.index(one.row), cols.index(one.col)] = colour
    return made


def majority(scene: Scene) -> Grid:
    """The look most objects have."""
    looks: dict[tuple[tuple[int, ...], bytes], tuple[int, Grid]] = {}
    for one in scene.objects:
        name = (one.cells.shape, one.cells.tobytes())
        looks[name] = (looks.get(name, (0, one.cells))[0] + 1, one.cells)
    best = max(looks.values(), key=lambda look: look[0])[1]
    return np.where(best < 0, np.int8(scene.background), best)


PRIMITIVES = (
    count_objects,
    count_colours,
    count_cells,
    count_full,
    rows_of,
    columns_of,
    value_of,
    bar,
    square,
    diagonal,
    cell,
    colour_list,
    colour_bars,
    object_list,
    object_bars,
    object_map,
    key_map,
    majority,
)

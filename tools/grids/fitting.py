"""Last steps whose constants are read off the worked examples.

Each takes the training outputs and, argument by argument, the values a program has made of the
training inputs. It gives the function that maps every one to its output, or raises
``Inapplicable``; the function raises it too for arguments the examples say nothing about.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ...errors import Inapplicable
from .puzzle import Grid
from .values import CLEAR, Key, Object, Plane, Scene, background

Named = TypeVar("Named", bound=Hashable)
Map = Callable[[Grid], Grid]
CODES = 1 << 16
MOST_CODES = 40
"""More different kinds of cells than this are noise, not a rule."""


def _table(pairs: Iterable[tuple[Named, int]]) -> dict[Named, int]:
    """A dictionary from pairs that never contradict each other."""
    table: dict[Named, int] = {}
    for name, value in pairs:
        if table.setdefault(name, value) != value:
            raise Inapplicable("the examples contradict each other")
    return table


def same_shape(grids: Sequence[NDArray[np.integer]], outputs: Sequence[Grid]) -> None:
    if any(a.shape != b.shape for a, b in zip(grids, outputs, strict=True)):
        raise Inapplicable("the outputs have another shape")


def _learn_codes(codes: Sequence[NDArray[np.int64]], outputs: Sequence[Grid]) -> NDArray[np.int8]:
    """A colour for each code seen; CLEAR for the others."""
    code = np.concatenate([c.ravel() for c in codes])
    colour = np.concatenate([o.ravel() for o in outputs])
    table = np.full(CODES, CLEAR, dtype=np.int8)
    table[code] = colour
    if not np.array_equal(table[code], colour):
        raise Inapplicable("the examples contradict each other")
    if np.count_nonzero(table != CLEAR) > MOST_CODES:
        raise Inapplicable("too many kinds of cells")
    return table


def _read_codes(table: NDArray[np.int8], code: NDArray[np.int64]) -> Grid:
    made = table[code]
    if (made == CLEAR).any():
        raise Inapplicable("a kind of cell the examples do not show")
    return made


def _code(grid: Grid, *planes: Plane | Grid) -> NDArray[np.int64]:
    """One number for a cell's colour and its values in up to two planes."""
    code = grid.astype(np.int64)
    for plane in planes:
        if plane.shape != grid.shape:
            raise Inapplicable("grid and plane differ in shape")
        code = code * 64 + np.clip(plane, -1, 62) + 1
    return code


def colour_map(outputs: Sequence[Grid], grids: Sequence[Grid]) -> Map:
    """Each colour becomes another; colours not shown stay."""
    same_shape(grids, outputs)
    learnt = _learn_codes([_code(grid) for grid in grids], outputs)[:10]
    table = np.where(learnt == CLEAR, np.arange(10, dtype=np.int8), learnt)
    if np.array_equal(table, np.arange(10)):
        raise Inapplicable("no colour changes")

    def mapped(grid: Grid) -> Grid:
        return table[grid]

    return mapped


def by_plane(
    outputs: Sequence[Grid], grids: Sequence[Grid], planes: Sequence[Plane]
) -> Callable[[Grid, Plane], Grid]:
    """Each cell's new colour from its colour and its value in a plane."""
    same_shape(grids, outputs)
    table = _learn_codes([_code(*one) for one in zip(grids, planes, strict=True)], outputs)

    def coloured(grid: Grid, plane: Plane) -> Grid:
        return _read_codes(table, _code(grid, plane))

    return coloured


def by_planes(
    outputs: Sequence[Grid], grids: Sequence[Grid], ones: Sequence[Plane], twos: Sequence[Plane]
) -> Callable[[Grid, Plane, Plane], Grid]:
    """Each cell's new colour from its colour and its values in two planes."""
    same_shape(grids, outputs)
    table = _learn_codes([_code(*one) for one in zip(grids, ones, twos, strict=True)], outputs)

    def coloured(grid: Grid, one: Plane, two: Plane) -> Grid:
        return _read_codes(table, _code(grid, one, two))

    return coloured


def by_grids(
    outputs: Sequence[Grid], grids: Sequence[Grid], others: Sequence[Grid]
) -> Callable[[Grid, Grid], Grid]:
    """Each cell's new colour from the colours of two grids there."""
    same_shape(grids, outputs)
    table = _learn_codes([_code(*one) for one in zip(grids, others, strict=True)], outputs)

    def coloured(grid: Grid, other: Grid) -> Grid:
        return _read_codes(table, _code(grid, other))

    return coloured


def _stack(scene: Scene) -> NDArray[np.int64]:
    """One number for the colours the panels have at each place."""
    if not 2 <= len(scene.objects) <= 4:
        raise Inapplicable("two to four panels can be laid over each other")
    code = np.zeros(scene.objects[0].cells.shape, dtype=np.int64)
    for one in scene.objects:
        if one.cells.shape != code.shape:
            raise Inapplicable("panels of different shape")
        code = code * 11 + one.cells + 1
    return code


def by_panels(outputs: Sequence[Grid], scenes: Sequence[Scene]) -> Callable[[Scene], Grid]:
    """Each cell's colour from the colours the panels have there: and, or, xor and the like."""
    codes = [_stack(scene) for scene in scenes]
    same_shape(codes, outputs)
    table = _learn_codes(codes, outputs)

    def joined(scene: Scene) -> Grid:
        return _read_codes(table, _stack(scene))

    return joined


def by_key(
    outputs: Sequence[Grid], grids: Sequence[Grid], scenes: Sequence[Scene], keys: Sequence[Key]
) -> Callable[[Grid, Scene, Key], Grid]:
    """Objects over a grid get colours by a key: the same value, the same colour."""
    same_shape(grids, outputs)
    found: list[tuple[int, int]] = []
    for scene, key, output in zip(scenes, keys, outputs, strict=True):
        for one, value in zip(scene.objects, key(scene).tolist(), strict=True):
            shown = _shown(output, one)
            if not shown.size or (shown != shown[0]).any():
                raise Inapplicable("an object has not one colour")
            found.append((value, int(shown[0])))
    table = _table(found)

    def recoloured(grid: Grid, scene: Scene, key: Key) -> Grid:
        return _recoloured(grid, scene, key, table)

    return recoloured


def _shown(output: Grid, one: Object) -> NDArray[np.int8]:
    rows, cols = one.cells.shape
    there = output[one.row : one.row + rows, one.col : one.col + cols]
    if min(one.row, one.col) < 0 or there.shape != one.cells.shape:
        raise Inapplicable("an object lies outside the grid")
    return there[one.cells != CLEAR]


def _recoloured(grid: Grid, scene: Scene, key: Key, table: dict[int, int]) -> Grid:
    made = grid.copy()
    for one, value in zip(scene.objects, key(scene).tolist(), strict=True):
        if value not in table:
            raise Inapplicable("a value the examples do not show")
        rows, cols = one.cells.shape
        there = made[one.row : one.row + rows, one.col : one.col + cols]
        np.copyto(there, np.int8(table[value]), where=one.cells != CLEAR)
    return made


def tally(outputs: Sequence[Grid], numbers: Sequence[int]) -> Callable[[int], Grid]:
    """An output of one shape in which a number of cells has a colour, always in one order."""
    shape = outputs[0].shape
    if any(output.shape != shape for output in outputs) or len(set(numbers)) < 2:
        raise Inapplicable("the outputs have different shapes")
    grounds = [background(output) for output in outputs]
    tones = {int(c) for o, g in zip(outputs, grounds, strict=True) for c in np.unique(o) if c != g}
    if len(tones) != 1 or len(set(grounds)) != 1:
        raise Inapplicable("the outputs have different colours")
    tone = tones.pop()
    most = max(range(len(numbers)), key=lambda n: numbers[n])
    for number, output in zip(numbers, outputs, strict=True):
        lit = output == tone
        if np.count_nonzero(lit) != number or (lit & (outputs[most] != tone)).any():
            raise Inapplicable("the outputs do not count")
    order = np.sum([output == tone for output in outputs], axis=0).ravel()
    ranked = np.argsort(-order, kind="stable")

    def counted(number: int) -> Grid:
        if not 0 <= number <= len(ranked):
            raise Inapplicable("the number is too large to show")
        made = np.full(len(ranked), grounds[0], dtype=np.int8)
        made[ranked[:number]] = tone
        return made.reshape(shape)

    return counted


def lookup(outputs: Sequence[Grid], numbers: Sequence[int]) -> Callable[[int], Grid]:
    """The whole output by a number: each number seen in the examples has its own output."""
    table: dict[int, Grid] = {}
    for number, output in zip(numbers, outputs, strict=True):
        if not np.array_equal(table.setdefault(number, output), output):
            raise Inapplicable("the examples contradict each other")
    if len(table) == len(outputs) or len(table) < 2:
        raise Inapplicable("no number is seen twice")

    def looked_up(number: int) -> Grid:
        if number not in table:
            raise Inapplicable("a number the examples do not show")
        return table[number]

    return looked_up


def around(outputs: Sequence[Grid], grids: Sequence[Grid]) -> Callable[[Grid], Grid]:
    """Each cell's new colour from its own and its four neighbours' colours."""
    same_shape(grids, outputs)
    table = _table(
        pair
        for grid, output in zip(grids, outputs, strict=True)
        for pair in zip(_crosses(grid), output.ravel().tolist(), strict=True)
    )
    if len(table) > 2 * MOST_CODES:
        raise Inapplicable("too many kinds of cells")

    def applied(grid: Grid) -> Grid:
        try:
            cells = [table[code] for code in _crosses(grid)]
        except KeyError:
            raise Inapplicable("a kind of cell the examples do not show") from None
        return np.array(cells, dtype=np.int8).reshape(grid.shape)

    return applied


def _crosses(grid: Grid) -> list[int]:
    wide = np.pad(grid.astype(np.int64), 1, constant_values=10)
    code = wide[1:-1, 1:-1]
    for part in (wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]):
        code = code * 11 + part
    return code.ravel().tolist()


FITS: tuple[Callable[..., Callable[..., Grid]], ...] = (
    colour_map,
    by_plane,
    by_planes,
    by_grids,
    by_panels,
    by_key,
    tally,
    lookup,
    around,
)

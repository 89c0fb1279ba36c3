"""Doing the same to each object of a scene."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...errors import Inapplicable
from .puzzle import Grid
from .values import CLEAR, Colour, Direction, Object, Scene, Turn, shifted, solid


def _each(scene: Scene, change: Callable[[Grid], Grid]) -> Scene:
    """New cells for each object, at its place."""
    return scene.having(tuple(Object(change(o.cells), o.row, o.col) for o in scene.objects))


def recolour(scene: Scene, colour: Colour) -> Scene:
    """Each object gets a colour."""
    return _each(scene, lambda cells: np.where(cells != CLEAR, np.int8(colour), cells))


def _tone(cells: Grid, *, rare: bool) -> int:
    found = np.bincount(cells.ravel() + 1, minlength=11)[1:]
    return int(np.where(found > 0, found, 10_000).argmin() if rare else found.argmax())


def recolour_to_main(scene: Scene) -> Scene:
    """Each object gets its most common colour."""
    return _each(scene, lambda c: np.where(c != CLEAR, np.int8(_tone(c, rare=False)), c))


def recolour_to_rare(scene: Scene) -> Scene:
    """Each object gets its least common colour."""
    return _each(scene, lambda c: np.where(c != CLEAR, np.int8(_tone(c, rare=True)), c))


def turn_each(scene: Scene, turn: Turn) -> Scene:
    """Each object turned or mirrored within its bounding box."""
    return _each(scene, turn)


def fill_box(scene: Scene, colour: Colour) -> Scene:
    """The gaps in each bounding box get a colour."""
    return _each(
        scene,
        lambda c: np.where((c == CLEAR) | (c == scene.background), np.int8(colour), c),
    )


def box_of_own(scene: Scene) -> Scene:
    """Each bounding box filled with the object's most common colour."""
    return _each(scene, lambda c: np.full_like(c, _tone(c, rare=False)))


def box_frames(scene: Scene) -> Scene:
    """The outermost ring of each bounding box, in the object's most common colour."""

    def ring(cells: Grid) -> Grid:
        made = np.full_like(cells, _tone(cells, rare=False))
        made[1:-1, 1:-1] = CLEAR
        return made

    return _each(scene, ring)


def hollow(scene: Scene) -> Scene:
    """Each object without the cells that have all four neighbours in it."""

    return _each(scene, lambda cells: np.where(_inner(cells), np.int8(CLEAR), cells))


def _inner(cells: Grid) -> NDArray[np.bool_]:
    """Where a cell and its four neighbours are part of the object."""
    inner = np.zeros(cells.shape, dtype=np.bool_)
    if min(cells.shape) > 2:
        full = cells != CLEAR
        inner[1:-1, 1:-1] = full[1:-1, 1:-1] & full[:-2, 1:-1] & full[2:, 1:-1]
        inner[1:-1, 1:-1] &= full[1:-1, :-2] & full[1:-1, 2:]
    return inner


def core(scene: Scene) -> Scene:
    """The cells of each object that have all four neighbours in it."""

    kept = [
        Object(np.where(_inner(o.cells), o.cells, np.int8(CLEAR)), o.row, o.col)
        for o in scene.objects
    ]
    return scene.having(tuple(o for o in kept if (o.cells != CLEAR).any()))


def grow_ring(scene: Scene, colour: Colour) -> Scene:
    """A rectangle of a colour around each object, one cell away from its bounding box."""

    def ringed(one: Object) -> Object:
        return Object(
            np.pad(one.cells, 1, constant_values=colour).astype(np.int8), one.row - 1, one.col - 1
        )

    return scene.having(tuple(ringed(one) for one in scene.objects))


def move(scene: Scene, way: Direction) -> Scene:
    """Each object one cell on."""
    return scene.having(
        tuple(Object(o.cells, o.row + way[0], o.col + way[1]) for o in scene.objects)
    )


def move_own_size(scene: Scene, way: Direction) -> Scene:
    """Each object on by its own extent."""
    return scene.having(
        tuple(
            Object(o.cells, o.row + way[0] * o.cells.shape[0], o.col + way[1] * o.cells.shape[1])
            for o in scene.objects
        )
    )


def slide(scene: Scene, way: Direction) -> Scene:
    """Each object as far as the edge or another object lets it, the foremost first."""
    down, right = way
    taken = np.zeros(scene.shape, dtype=np.bool_)
    done: list[Object] = []
    order = sorted(scene.objects, key=lambda o: -(_front(o, 0) * down + _front(o, 1) * right))
    for one in order:
        rows, cols = np.nonzero(one.cells != CLEAR)
        row, col = one.row, one.col
        while _free(taken, rows + row + down, cols + col + right):
            row, col = row + down, col + right
        inside = (rows + row >= 0) & (cols + col >= 0)
        inside &= (rows + row < scene.shape[0]) & (cols + col < scene.shape[1])
        taken[rows[inside] + row, cols[inside] + col] = True
        done.append(Object(one.cells, row, col))
    return scene.having(tuple(done))


def _front(one: Object, axis: int) -> int:
    return (one.row, one.col)[axis] * 2 + one.cells.shape[axis]


def _free(taken: NDArray[np.bool_], rows: NDArray[np.int64], cols: NDArray[np.int64]) -> bool:
    if rows.min() < 0 or cols.min() < 0:
        return False
    if rows.max() >= taken.shape[0] or cols.max() >= taken.shape[1]:
        return False
    return not taken[rows, cols].any()


def shadow(scene: Scene, way: Direction) -> Scene:
    """Each object smeared over the canvas in a direction."""
    made: list[Object] = []
    for one in scene.objects:
        sheet = on_canvas(one, scene.shape)
        step = sheet
        for _ in range(max(scene.shape)):
            step = shifted(step, way, CLEAR)
            if (step == CLEAR).all():
                break
            sheet = np.where(sheet == CLEAR, step, sheet)
        made.append(Object(sheet, 0, 0))
    return scene.having(tuple(made))


def on_canvas(one: Object, shape: tuple[int, int]) -> Grid:
    """The object on a clear canvas; what lies outside is lost."""
    sheet = np.full(shape, CLEAR, dtype=np.int8)
    top, left = max(one.row, 0), max(one.col, 0)
    seen = one.cells[top - one.row : shape[0] - one.row, left - one.col : shape[1] - one.col]
    sheet[top : top + seen.shape[0], left : left + seen.shape[1]] = seen
    return sheet


def swap_tones(scene: Scene) -> Scene:
    """The two colours of each object of two colours exchanged."""

    def swapped(cells: Grid) -> Grid:
        tones = np.unique(cells[cells != CLEAR])
        if len(tones) != 2:
            raise Inapplicable("an object has not two colours")
        return np.where(cells == CLEAR, cells, np.int8(tones.sum()) - cells)

    return _each(scene, swapped)


def mirror_whole(scene: Scene) -> Scene:
    """Gaps of each object filled from its mirror images."""

    def whole(cells: Grid) -> Grid:
        for image in (cells[:, ::-1], cells[::-1], cells[::-1, ::-1]):
            cells = np.where(cells == CLEAR, image, cells)
        return cells

    return _each(scene, whole)


def enlarge(scene: Scene, factor: int) -> Scene:
    """Each object scaled about its upper left corner."""
    return _each(scene, lambda c: np.kron(c, np.ones((factor, factor), dtype=np.int8)))


def shrink(scene: Scene) -> Scene:
    """Each object without the outermost ring of its bounding box."""
    kept = [
        Object(o.cells[1:-1, 1:-1], o.row + 1, o.col + 1)
        for o in scene.objects
        if min(o.cells.shape) > 2
    ]
    return scene.having(tuple(kept))


def patch(one: Object, scene: Scene) -> Grid:
    """An object's cells on the canvas colour."""
    return solid(one.cells, scene.background)


PRIMITIVES = (
    recolour,
    recolour_to_main,
    recolour_to_rare,
    turn_each,
    fill_box,
    box_of_own,
    box_frames,
    hollow,
    core,
    grow_ring,
    move,
    move_own_size,
    slide,
    shadow,
    swap_tones,
    mirror_whole,
    enlarge,
    shrink,
)

"""Putting objects and grids together."""

from __future__ import annotations

import numpy as np

from ...errors import Inapplicable
from .mapping import patch
from .puzzle import Grid
from .values import CLEAR, Direction, Object, Plane, Scene, background, fitting_side


def _put(canvas: Grid, one: Object) -> None:
    """Paint an object in place; what lies outside is lost."""
    top, left = max(one.row, 0), max(one.col, 0)
    rows, cols = canvas.shape
    seen = one.cells[top - one.row : rows - one.row, left - one.col : cols - one.col]
    there = canvas[top : top + seen.shape[0], left : left + seen.shape[1]]
    np.copyto(there, seen, where=seen != CLEAR)


def paint(scene: Scene) -> Grid:
    """The objects on the empty canvas."""
    made = np.full(scene.shape, scene.background, dtype=np.int8)
    for one in scene.objects:
        _put(made, one)
    return made


def paint_on(grid: Grid, scene: Scene) -> Grid:
    """The objects over a grid."""
    if grid.shape != scene.shape:
        raise Inapplicable("grid and canvas differ in shape")
    made = grid.copy()
    for one in scene.objects:
        _put(made, one)
    return made


def paint_under(grid: Grid, scene: Scene) -> Grid:
    """The objects where a grid has background."""
    if grid.shape != scene.shape:
        raise Inapplicable("grid and canvas differ in shape")
    return np.where(grid == background(grid), paint(scene), grid)


def erase(grid: Grid, scene: Scene) -> Grid:
    """A grid without the objects."""
    if grid.shape != scene.shape:
        raise Inapplicable("grid and canvas differ in shape")
    made = grid.copy()
    for one in scene.objects:
        ground = np.where(one.cells == CLEAR, one.cells, np.int8(scene.background))
        _put(made, Object(ground, one.row, one.col))
    return made


def crop_first(scene: Scene) -> Grid:
    """The first object by itself."""
    return patch(scene.objects[0], scene)


def crop_around(grid: Grid, scene: Scene) -> Grid:
    """What a grid shows within the bounding box of all objects."""
    top = min(o.row for o in scene.objects)
    left = min(o.col for o in scene.objects)
    low = max(o.row + o.cells.shape[0] for o in scene.objects)
    far = max(o.col + o.cells.shape[1] for o in scene.objects)
    if grid.shape != scene.shape or top < 0 or left < 0:
        raise Inapplicable("the objects lie outside the grid")
    return grid[top:low, left:far]


def _patches(scene: Scene, axis: int) -> list[Grid]:
    made = [patch(one, scene) for one in scene.objects]
    if len({one.shape[1 - axis] for one in made}) != 1:
        raise Inapplicable("objects of different sides cannot be joined")
    fitting_side(*(sum(p.shape[n] if n == axis else 0 for p in made) or 1 for n in (0, 1)))
    return made


def join_across(scene: Scene) -> Grid:
    """The objects beside each other."""
    return np.concatenate(_patches(scene, 1), axis=1)


def join_down(scene: Scene) -> Grid:
    """The objects below each other."""
    return np.concatenate(_patches(scene, 0), axis=0)


def pile(scene: Scene) -> Grid:
    """The objects on top of each other, later ones above."""
    made = [patch(one, scene) for one in scene.objects]
    if len({one.shape for one in made}) != 1:
        raise Inapplicable("objects of different shape cannot be piled")
    whole = made[0].copy()
    for sheet in made[1:]:
        np.copyto(whole, sheet, where=sheet != scene.background)
    return whole


def overlay(below: Grid, above: Grid) -> Grid:
    """The second grid over the first; its background is clear."""
    if below.shape != above.shape:
        raise Inapplicable("grids of different shape")
    return np.where(above != background(above), above, below)


def beside(left: Grid, right: Grid) -> Grid:
    """Two grids beside each other."""
    if left.shape[0] != right.shape[0]:
        raise Inapplicable("grids of different height")
    fitting_side(left.shape[0], left.shape[1] + right.shape[1])
    return np.concatenate([left, right], axis=1)


def below(upper: Grid, lower: Grid) -> Grid:
    """Two grids below each other."""
    return beside(upper.T, lower.T).T


def keep_where(grid: Grid, mask: Plane) -> Grid:
    """Background outside a mask."""
    if grid.shape != mask.shape:
        raise Inapplicable("grid and mask differ in shape")
    return np.where(mask > 0, grid, np.int8(background(grid)))


def differs(first: Grid, second: Grid) -> Plane:
    """Where two grids differ."""
    if first.shape != second.shape:
        raise Inapplicable("grids of different shape")
    return (first != second).astype(np.int16)


def objects_mask(scene: Scene) -> Plane:
    """Where the objects are."""
    mask = np.full(scene.shape, CLEAR, dtype=np.int8)
    for one in scene.objects:
        _put(mask, one)
    return (mask != CLEAR).astype(np.int16)


def boxes_mask(scene: Scene) -> Plane:
    """The bounding boxes of the objects."""
    mask = np.zeros(scene.shape, dtype=np.int8)
    for one in scene.objects:
        _put(mask, Object(np.ones_like(one.cells), one.row, one.col))
    return mask.astype(np.int16)


def trail(scene: Scene, way: Direction) -> Plane:
    """The cells next to the objects on one side, in a straight line to the edge."""
    mask = objects_mask(scene)
    made = mask.copy()
    step = made
    for _ in range(max(scene.shape)):
        moved = np.zeros_like(step)
        down, right = way
        rows, cols = step.shape
        moved[max(down, 0) : rows + min(down, 0), max(right, 0) : cols + min(right, 0)] = step[
            max(-down, 0) : rows + min(-down, 0), max(-right, 0) : cols + min(-right, 0)
        ]
        step = moved
        made |= step
    return made & ~mask & 1


PRIMITIVES = (
    paint,
    paint_on,
    paint_under,
    erase,
    crop_first,
    crop_around,
    join_across,
    join_down,
    pile,
    overlay,
    beside,
    below,
    keep_where,
    differs,
    objects_mask,
    boxes_mask,
    trail,
)

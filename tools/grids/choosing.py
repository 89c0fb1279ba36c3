"""Last steps that find out from the worked examples which objects matter, and by what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...errors import Inapplicable
from .composition import erase, paint
from .drawing import SLANTED, STRAIGHT
from .keys import KEYS
from .mapping import patch
from .puzzle import Grid
from .values import Key, Object, Scene, background, shifted

Choice = Callable[[Scene], NDArray[np.bool_]]
"""Which objects of a scene are meant."""


def _choices() -> Iterator[Choice]:
    """Every way of choosing by a key: the most, the least, the odd one, a value or not."""
    for rule in (_most, _least, _odd, _some, _none):
        for key in KEYS:
            yield lambda scene, rule=rule, key=key: rule(key(scene))


def _most(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    return values == values.max()


def _least(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    return values == values.min()


def _odd(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (values[:, None] == values[None, :]).sum(axis=1) == 1


def _some(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    return values > 0


def _none(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    return values == 0


def _chosen(scene: Scene, choice: Choice) -> list[Object]:
    return [one for one, yes in zip(scene.objects, choice(scene), strict=True) if yes]


def _the_one(scene: Scene, choice: Choice, show: Callable[[Object], Grid]) -> Grid:
    """What the chosen objects show, if it is the same."""
    shown = [show(one) for one in _chosen(scene, choice)]
    if not shown or any(not np.array_equal(one, shown[0]) for one in shown):
        raise Inapplicable("the choice is not of one object")
    return shown[0]


def _pick(
    scenes: Sequence[Scene], outputs: Sequence[Grid], show: Callable[[int, Object], Grid]
) -> Choice:
    """The first choice that shows the output in every example."""
    right: list[NDArray[np.bool_]] = []
    for place, (scene, output) in enumerate(zip(scenes, outputs, strict=True)):
        same = [np.array_equal(show(place, one), output) for one in scene.objects]
        if not any(same) or len(same) < 2:
            raise Inapplicable("no object looks like the output")
        right.append(np.array(same))
    for choice in _choices():
        picked = [choice(scene) for scene in scenes]
        if all(p.any() and not (p & ~r).any() for p, r in zip(picked, right, strict=True)):
            return choice
    raise Inapplicable("no key tells the object from the others")


def pick(outputs: Sequence[Grid], scenes: Sequence[Scene]) -> Callable[[Scene], Grid]:
    """The object by itself that one key tells from the others in every example."""
    choice = _pick(scenes, outputs, lambda n, one: patch(one, scenes[n]))

    def picked(scene: Scene) -> Grid:
        return _the_one(scene, choice, lambda one: patch(one, scene))

    return picked


def _under(grid: Grid, one: Object) -> Grid:
    rows, cols = one.cells.shape
    if min(one.row, one.col) < 0:
        raise Inapplicable("the object lies outside the grid")
    return grid[one.row : one.row + rows, one.col : one.col + cols]


def pick_under(
    outputs: Sequence[Grid], grids: Sequence[Grid], scenes: Sequence[Scene]
) -> Callable[[Grid, Scene], Grid]:
    """What a grid shows under the object that one key tells from the others."""
    choice = _pick(scenes, outputs, lambda n, one: _under(grids[n], one))

    def picked(grid: Grid, scene: Scene) -> Grid:
        return _the_one(scene, choice, lambda one: _under(grid, one))

    return picked


def keep(
    outputs: Sequence[Grid], grids: Sequence[Grid], scenes: Sequence[Scene]
) -> Callable[[Grid, Scene], Grid]:
    """A grid without the objects that a key tells from those kept in every example."""
    gone: list[NDArray[np.bool_]] = []
    for grid, scene, output in zip(grids, scenes, outputs, strict=True):
        if output.shape != grid.shape or scene.shape != grid.shape:
            raise Inapplicable("the outputs have another shape")
        gone.append(
            np.array(
                [not np.array_equal(_under(output, o), _under(grid, o)) for o in scene.objects]
            )
        )
        if gone[-1].all() or not gone[-1].any():
            raise Inapplicable("all objects are treated alike")
    for choice in _choices():
        if all(np.array_equal(choice(s), g) for s, g in zip(scenes, gone, strict=True)):
            return partial(_without, choice=choice)
        if all(np.array_equal(choice(s), ~g) for s, g in zip(scenes, gone, strict=True)):
            return partial(_with_only, choice=choice)
    raise Inapplicable("no key tells the objects apart")


def _without(grid: Grid, scene: Scene, choice: Choice) -> Grid:
    return erase(grid, scene.having(tuple(_chosen(scene, choice))))


def _with_only(grid: Grid, scene: Scene, choice: Choice) -> Grid:
    if grid.shape != scene.shape:
        raise Inapplicable("grid and canvas differ in shape")
    return paint(scene.having(tuple(_chosen(scene, choice))))


def mark(
    outputs: Sequence[Grid], grids: Sequence[Grid], scenes: Sequence[Scene]
) -> Callable[[Grid, Scene], Grid]:
    """Objects get one colour that a key tells from those left as they are."""
    marked: list[NDArray[np.bool_]] = []
    tones: set[int] = set()
    for grid, scene, output in zip(grids, scenes, outputs, strict=True):
        if output.shape != grid.shape or scene.shape != grid.shape:
            raise Inapplicable("the outputs have another shape")
        changed = [_tones(grid, output, one) for one in scene.objects]
        marked.append(np.array([bool(one) for one in changed]))
        tones |= {tone for one in changed for tone in one}
    if len(tones) != 1:
        raise Inapplicable("objects get several colours")
    tone = tones.pop()
    for choice in _choices():
        if all(np.array_equal(choice(s), m) for s, m in zip(scenes, marked, strict=True)):
            return partial(_marked, choice=choice, tone=tone)
    raise Inapplicable("no key tells the objects apart")


def _tones(before: Grid, after: Grid, one: Object) -> set[int]:
    """The colours an object gets; none if it stays as it is."""
    part = one.cells >= 0
    old, new = _under(before, one), _under(after, one)
    if old.shape != part.shape or np.array_equal(old[part], new[part]):
        return set()
    return set(np.unique(new[part]).tolist())


def _marked(grid: Grid, scene: Scene, choice: Choice, tone: int) -> Grid:
    made = grid.copy()
    for one in _chosen(scene, choice):
        np.copyto(_under(made, one), np.int8(tone), where=one.cells >= 0)
    return made


def shade(
    outputs: Sequence[Grid], grids: Sequence[Grid], scenes: Sequence[Scene]
) -> Callable[[Grid, Scene], Grid]:
    """Objects get colours by the first key under which equal values get equal colours."""
    got: list[int] = []
    for grid, scene, output in zip(grids, scenes, outputs, strict=True):
        if output.shape != grid.shape or scene.shape != grid.shape:
            raise Inapplicable("the outputs have another shape")
        for one in scene.objects:
            shown = set(np.unique(_under(output, one)[one.cells >= 0]).tolist())
            if len(shown) != 1:
                raise Inapplicable("an object has not one colour")
            got += shown
    if len(set(got)) < 2:
        raise Inapplicable("objects get one colour")
    for key in _ranked_keys():
        table: dict[int, int] = {}
        values = [int(v) for scene in scenes for v in key(scene)]
        if all(table.setdefault(v, c) == c for v, c in zip(values, got, strict=True)):
            return partial(_shaded, key=key, table=table)
    raise Inapplicable("no key tells the colours")


def _ranked_keys() -> Iterator[Key]:
    """The keys, then each key's rank from the largest value."""
    yield from KEYS
    for key in KEYS:

        def rank(scene: Scene, key: Key = key) -> NDArray[np.int64]:
            found = key(scene)
            return np.searchsorted(-np.unique(found)[::-1], -found)

        yield rank


def _shaded(grid: Grid, scene: Scene, key: Key, table: dict[int, int]) -> Grid:
    made = grid.copy()
    for one, value in zip(scene.objects, key(scene).tolist(), strict=True):
        if value not in table:
            raise Inapplicable("a value the examples do not show")
        np.copyto(_under(made, one), np.int8(table[value]), where=one.cells >= 0)
    return made


def displace(outputs: Sequence[Grid], grids: Sequence[Grid]) -> Callable[[Grid], Grid]:
    """Objects of a colour move by a step that is the same in every example."""
    steps: dict[int, tuple[int, int]] = {}
    for grid, output in zip(grids, outputs, strict=True):
        if grid.shape != output.shape:
            raise Inapplicable("the outputs have another shape")
        for tone in np.unique(grid[grid != background(grid)]).tolist():
            before, after = np.argwhere(grid == tone), np.argwhere(output == tone)
            if not len(before) or len(before) != len(after):
                raise Inapplicable("cells come or go")
            step = (int(after[0][0] - before[0][0]), int(after[0][1] - before[0][1]))
            if not np.array_equal(before + step, after) or steps.setdefault(tone, step) != step:
                raise Inapplicable("the steps differ")
    if not any(any(step) for step in steps.values()):
        raise Inapplicable("nothing moves")

    def displaced(grid: Grid) -> Grid:
        ground = background(grid)
        made = np.full_like(grid, ground)
        for tone in np.unique(grid[grid != ground]).tolist():
            if tone not in steps:
                raise Inapplicable("a colour the examples do not show")
            layer = shifted(np.where(grid == tone, grid, np.int8(ground)), steps[tone], ground)
            made = np.where(layer != ground, layer, made)
        return made

    return displaced


def rays(outputs: Sequence[Grid], grids: Sequence[Grid]) -> Callable[[Grid], Grid]:
    """Cells of a colour send rays to the edge in the directions they do in every example."""
    sent: dict[int, set[tuple[int, int]]] = {}
    for grid, output in zip(grids, outputs, strict=True):
        if grid.shape != output.shape:
            raise Inapplicable("the outputs have another shape")
        for tone in np.unique(grid[grid != background(grid)]).tolist():
            ways = {way for way in (*STRAIGHT, *SLANTED) if _lit(grid, output, tone, way)}
            sent[tone] = sent.get(tone, ways) & ways
    if not any(sent.values()):
        raise Inapplicable("no rays are sent")

    def shot(grid: Grid) -> Grid:
        made = grid.copy()
        for tone, ways in sent.items():
            for way in ways:
                made = np.where(_ray(grid, tone, way), np.int8(tone), made)
        return made

    return shot


def _ray(grid: Grid, tone: int, way: tuple[int, int]) -> NDArray[np.bool_]:
    """Background cells behind which, against a direction, a cell of the colour lies."""
    reached = (grid == tone).astype(np.int8)
    step = 1
    while step < max(grid.shape):
        reached |= shifted(reached, (way[0] * step, way[1] * step), 0)
        step *= 2
    return (reached > 0) & (grid == background(grid))


def _lit(grid: Grid, output: Grid, tone: int, way: tuple[int, int]) -> bool:
    lit = _ray(grid, tone, way)
    shown = output[lit]
    # where rays of two colours cross, either may be above
    return not lit.any() or bool((shown == tone).mean() > 0.6 and (shown != background(grid)).all())


CHOOSERS = (pick, pick_under, keep, mark, shade, displace, rays)

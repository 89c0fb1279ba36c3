"""What can be seen of a puzzle before it is solved: the cues under which a program was of use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from ...errors import Inapplicable
from ..grids.extraction import objects8, panels
from ..grids.puzzle import Grid, Pair, Puzzle
from ..grids.repair import repair_symmetry, repair_tiles
from ..grids.values import Colour, background, components, counts, enclosed

FEW, MANY = 4, 12
"""Up to FEW objects are few, above MANY are many."""


@lru_cache(maxsize=1024)
def cues(puzzle: Puzzle) -> frozenset[str]:
    """Words for what holds of every worked example; a puzzle is looked at once."""
    held = set(_of_pair(puzzle.train[0]))
    for pair in puzzle.train[1:]:
        held &= set(_of_pair(pair))
    return frozenset(held) | frozenset(_of_all(puzzle))


def _of_pair(pair: Pair) -> Iterator[str]:
    yield from _shape(pair)
    yield from _palette(pair)
    yield from _grid_cues("in", pair.input)
    yield from _grid_cues("out", pair.output)
    if pair.input.shape == pair.output.shape:
        yield from _changes(pair.input, pair.output)
    elif pair.output.size < pair.input.size:
        yield from _contained(pair.input, pair.output)


def _shape(pair: Pair) -> Iterator[str]:
    (rows, cols), (tall, wide) = pair.input.shape, pair.output.shape
    if (rows, cols) == (tall, wide):
        yield "shape: same"
        return
    yield "shape: smaller" if tall * wide < rows * cols else "shape: larger"
    if (rows, cols) == (wide, tall):
        yield "shape: transposed"
    if tall % rows == 0 and wide % cols == 0:
        yield "shape: multiple"
        yield f"shape: times {tall // rows} by {wide // cols}"
        if tall == rows * rows and wide == cols * cols:
            yield "shape: squared"
    if rows % tall == 0 and cols % wide == 0:
        yield "shape: divides"
        yield f"shape: over {rows // tall} by {cols // wide}"
    for name, side, other in (("rows", rows, tall), ("columns", cols, wide)):
        if side == other:
            yield f"shape: same {name}"
        if side == other * 2 + 1:
            yield f"shape: half the {name} beside a line"
        if side % 2 == 0 and side == other * 2:
            yield f"shape: half the {name}"
    if tall * wide == 1:
        yield "out: one cell"
    elif min(tall, wide) == 1:
        yield "out: one line"
    elif tall == wide:
        yield "out: square"
    if tall <= 3 and wide <= 3:
        yield "out: tiny"


def _palette(pair: Pair) -> Iterator[str]:
    before, after = counts(pair.input), counts(pair.output)
    old, new = set(np.flatnonzero(before).tolist()), set(np.flatnonzero(after).tolist())
    if old == new:
        yield "colours: same"
    if new - old:
        yield "colours: new"
    else:
        yield "colours: none new"
    if old - new:
        yield "colours: lost"
    if np.array_equal(before, after):
        yield "colours: same counts"
    elif sorted(before.tolist()) == sorted(after.tolist()):
        yield "colours: exchanged"
    yield f"out: {min(len(new), 4)} colours"
    yield f"in: {min(len(old), 5)} colours"
    if 0 not in new:
        yield "out: no black"


def _grid_cues(side: str, grid: Grid) -> Iterator[str]:
    if np.array_equal(grid, grid[:, ::-1]):
        yield f"{side}: even across"
    if np.array_equal(grid, grid[::-1]):
        yield f"{side}: even down"
    if side == "out":
        return
    found = counts(grid)
    if 0 not in grid:
        yield "in: no black"
    elif found.argmax() != 0:
        yield "in: black is not the ground"
    if found.max() * 2 > grid.size * 1.5:
        yield "in: mostly ground"
    if enclosed(grid).any():
        yield "in: holes"
    yield from _objects(grid)
    if _works(lambda: panels(grid)):
        yield "in: panels"
    for colour in np.flatnonzero(found):
        if _works(lambda tone=colour: repair_symmetry(grid, Colour(int(tone)))):
            yield "in: symmetric but for a colour"
        if found[colour] * 2 < grid.size and _works(
            lambda tone=colour: repair_tiles(grid, Colour(int(tone)))
        ):
            yield "in: periodic but for a colour"
    if max(grid.shape) <= 4:
        yield "in: tiny"
    elif max(grid.shape) >= 16:
        yield "in: large"


def _objects(grid: Grid) -> Iterator[str]:
    try:
        scene = objects8(grid)
    except Inapplicable:
        yield "in: noise"
        return
    number = len(scene.objects)
    yield (
        "in: one object"
        if number == 1
        else (
            "in: few objects"
            if number <= FEW
            else "in: objects"
            if number <= MANY
            else "in: many objects"
        )
    )
    sizes = [one.cells.size for one in scene.objects]
    if min(sizes) == 1:
        yield "in: dots"
    if max(sizes) == 1:
        yield "in: dots alone"
    if all((one.cells >= 0).all() for one in scene.objects):
        yield "in: full boxes"
    full = grid != background(grid)
    clusters = np.unique(components(full.astype(np.int8), diagonal=True)[full]).size
    if clusters < number:
        yield "in: objects of several colours"


def _changes(before: Grid, after: Grid) -> Iterator[str]:
    changed = before != after
    if not changed.any():
        yield "change: none"
        return
    ground = background(before)
    if (before[changed] == ground).all():
        yield "change: ground alone"
    if (before[changed] != ground).all():
        yield "change: figures alone"
    if (after[changed] == ground).all():
        yield "change: erased"
    if len(np.unique(after[changed])) == 1:
        yield "change: to one colour"
    if len(np.unique(before[changed])) == 1:
        yield "change: from one colour"
    if changed.sum() * 5 < before.size:
        yield "change: little"
    if changed.sum() * 2 > before.size:
        yield "change: much"
    if (enclosed(before) | ~changed).all():
        yield "change: in holes"
    if np.array_equal(before == ground, after == ground):
        yield "change: recoloured"


def _contained(before: Grid, after: Grid) -> Iterator[str]:
    tall, wide = after.shape
    if tall > before.shape[0] or wide > before.shape[1]:
        return
    windows = np.lib.stride_tricks.sliding_window_view(before, (tall, wide))
    if (windows == after).all(axis=(2, 3)).any():
        yield "out: a part of the input"


def _of_all(puzzle: Puzzle) -> Iterator[str]:
    shapes = {pair.output.shape for pair in puzzle.train}
    if len(shapes) == 1 and len(puzzle.train) > 1:
        yield "shape: the same in all outputs"
    if len({pair.input.shape for pair in puzzle.train}) > 1:
        yield "shape: inputs differ"
    outputs = [frozenset(np.unique(pair.output).tolist()) for pair in puzzle.train]
    yield "colours: same in all outputs" if len(set(outputs)) == 1 else "colours: outputs differ"


def _works(routine: Callable[[], object]) -> bool:
    try:
        routine()
    except Inapplicable:
        return False
    return True

"""A puzzle in words: what plainly holds of every worked example.

It is deterministic and needs no model. Concepts are searched by it, so it speaks the language
their cues are written in: sizes, colours, objects, lines, symmetry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..tools.grids.puzzle import Grid, Pair, Puzzle
from .puzzle_text import size_text

COLOUR_NAMES = (
    "black", "blue", "red", "green", "yellow", "grey", "magenta", "orange", "light blue", "maroon",
)  # fmt: skip


def describe(puzzle: Puzzle) -> str:
    """What holds of every worked example, in a few sentences; empty if there is no example."""
    if not puzzle.train:
        return ""
    pairs = puzzle.train
    return " ".join([*_sizes(pairs), *_colours(pairs), *_counts(pairs), *_shared(pairs)])


# -- what is told of all examples together -------------------------------------------------------


def _sizes(pairs: Sequence[Pair]) -> Iterator[str]:
    ratios = {
        (p.output.shape[0] / p.input.shape[0], p.output.shape[1] / p.input.shape[1]) for p in pairs
    }
    if ratios == {(1.0, 1.0)}:
        yield "The output has the same size as the input."
    elif len(ratios) == 1 and all(r == int(r) for r in next(iter(ratios))):
        rows, columns = next(iter(ratios))
        yield f"The output is larger: {int(rows)} times the rows, {int(columns)} times the columns."
    elif all(p.output.size > p.input.size for p in pairs):
        yield "The output is larger than the input."
    elif all(p.output.size < p.input.size for p in pairs):
        yield "The output is smaller than the input."
    else:
        yield "The size of the output changes from example to example."
    outputs = {p.output.shape for p in pairs}
    if len(outputs) == 1 and ratios != {(1.0, 1.0)}:
        yield f"Every output is {size_text(pairs[0].output)}."


def _colours(pairs: Sequence[Pair]) -> Iterator[str]:
    both = [(_palette(p.input), _palette(p.output)) for p in pairs]
    yield f"Colours in all inputs: {_named(_in_all([given for given, _ in both]))}."
    appear = _in_all([out - given for given, out in both])
    vanish = _in_all([given - out for given, out in both])
    if appear:
        yield f"Only the output has {_named(appear)}: something is marked or coloured."
    if vanish:
        yield f"{_named(vanish).capitalize()} vanishes from the output."
    if not appear and all(out <= given for given, out in both):
        yield "The output has no new colour."


def _palette(cells: Grid) -> set[int]:
    return {int(colour) for colour in np.unique(cells)}


def _in_all(sets: Sequence[set[int]]) -> set[int]:
    return {one for one in sets[0] if all(one in other for other in sets)}


def _named(colours: set[int]) -> str:
    return ", ".join(f"{COLOUR_NAMES[c]} ({c})" for c in sorted(colours)) or "none"


def _counts(pairs: Sequence[Pair]) -> Iterator[str]:
    before = [len(objects(p.input)) for p in pairs]
    after = [len(objects(p.output)) for p in pairs]
    yield f"Objects in the input: {_span(before)}; in the output: {_span(after)}."
    if all(a < b for a, b in zip(after, before, strict=True)):
        yield "There are fewer objects in the output: some are removed, chosen or joined."
    if all(a > b for a, b in zip(after, before, strict=True)):
        yield "There are more objects in the output: some are drawn, copied or split."


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


# -- what is told of one example, and kept if it holds of all ------------------------------------


def _shared(pairs: Sequence[Pair]) -> Iterator[str]:
    for phrase, holds in _PHRASES:
        if all(holds(pair) for pair in pairs):
            yield phrase


def background(cells: Grid) -> int:
    """The colour of most cells, black among equals."""
    counts = Counter(cells.ravel().tolist())
    return min(counts, key=lambda colour: (-counts[colour], colour))


def objects(cells: Grid) -> list[NDArray[np.bool_]]:
    """Masks of the connected cells (diagonals count) of one colour that is not the background."""
    ground = background(cells)
    todo = cells != ground
    found: list[NDArray[np.bool_]] = []
    for start in zip(*np.nonzero(todo), strict=True):
        if not todo[start]:
            continue
        mask = np.zeros(cells.shape, dtype=bool)
        stack = [(int(start[0]), int(start[1]))]
        todo[start] = False
        while stack:
            row, column = stack.pop()
            mask[row, column] = True
            for r in range(max(row - 1, 0), min(row + 2, cells.shape[0])):
                for c in range(max(column - 1, 0), min(column + 2, cells.shape[1])):
                    if todo[r, c] and cells[r, c] == cells[row, column]:
                        todo[r, c] = False
                        stack.append((r, c))
        found.append(mask)
    return found


def _same_size(pair: Pair) -> bool:
    return pair.input.shape == pair.output.shape


def _only_ground_changes(pair: Pair) -> bool:
    if not _same_size(pair):
        return False
    changed = pair.input != pair.output
    return bool(changed.any() and (pair.input[changed] == background(pair.input)).all())


def _recoloured(pair: Pair) -> bool:
    if not _same_size(pair) or background(pair.input) != background(pair.output):
        return False
    ground = background(pair.input)
    same_shape = ((pair.input != ground) == (pair.output != ground)).all()
    return bool(same_shape and (pair.input != pair.output).any())


def _moved(pair: Pair) -> bool:
    if not _same_size(pair) or (pair.input == pair.output).all():
        return False
    return Counter(pair.input.ravel().tolist()) == Counter(pair.output.ravel().tolist())


def _cut_out(pair: Pair) -> bool:
    return _within(pair.output, pair.input)


def _pasted(pair: Pair) -> bool:
    return _within(pair.input, pair.output)


def _within(part: Grid, whole: Grid) -> bool:
    """A smaller grid stands somewhere in the larger one."""
    rows, columns = part.shape
    if part.size >= whole.size or rows > whole.shape[0] or columns > whole.shape[1]:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(whole, (rows, columns))
    return bool((windows == part).all(axis=(2, 3)).any())


def _divided(cells: Grid) -> bool:
    """Full lines of one colour cut the grid into cells."""
    ground = background(cells)

    def lines(grid: Grid) -> int:
        return sum(bool((row == row[0]).all() and row[0] != ground) for row in grid[1:-1])

    return min(cells.shape) > 1 and lines(cells) + lines(cells.T) > 0


def _mirrored(cells: Grid) -> bool:
    left_right = cells.shape[1] > 1 and bool((cells == cells[:, ::-1]).all())
    up_down = cells.shape[0] > 1 and bool((cells == cells[::-1]).all())
    return left_right or up_down


def _enclosing(cells: Grid) -> bool:
    """Some background cannot be reached from the border."""
    ground = cells == background(cells)
    seen = np.zeros(cells.shape, dtype=bool)
    seen[[0, -1], :] = ground[[0, -1], :]
    seen[:, [0, -1]] = ground[:, [0, -1]]
    while True:
        grown = seen.copy()
        grown[1:] |= seen[:-1]
        grown[:-1] |= seen[1:]
        grown[:, 1:] |= seen[:, :-1]
        grown[:, :-1] |= seen[:, 1:]
        grown &= ground
        if (grown == seen).all():
            return bool((ground & ~seen).any())
        seen = grown


def _dots(cells: Grid) -> bool:
    found = objects(cells)
    return bool(found) and all(mask.sum() == 1 for mask in found)


def _boxes(cells: Grid) -> bool:
    """Every object is a full rectangle of at least four cells."""

    def full(mask: NDArray[np.bool_]) -> bool:
        rows, columns = np.nonzero(mask)
        area = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        return bool(mask.sum() == area >= 4)

    found = objects(cells)
    return bool(found) and all(full(mask) for mask in found)


def _lines(cells: Grid) -> bool:
    """Some object is a straight line, one cell wide."""

    def straight(mask: NDArray[np.bool_]) -> bool:
        rows, columns = np.nonzero(mask)
        return bool(mask.sum() > 2 and min(np.ptp(rows), np.ptp(columns)) == 0)

    return any(straight(mask) for mask in objects(cells))


_PHRASES: tuple[tuple[str, Callable[[Pair], bool]], ...] = (
    ("Only background cells change: something is drawn, filled or extended.", _only_ground_changes),
    ("Shapes stay where they are and are recoloured.", _recoloured),
    ("Colours keep their counts: cells or objects move, rotate, flip or fall.", _moved),
    ("The output is a part cut out of the input: crop or select an object.", _cut_out),
    ("The output contains the input whole: tile, copy or frame a pattern.", _pasted),
    (
        "Separator lines divide the input into a grid of cells or panels.",
        lambda pair: _divided(pair.input),
    ),
    ("The input is symmetric.", lambda pair: _mirrored(pair.input)),
    (
        "The output is symmetric and the input is not: a symmetric pattern is completed.",
        lambda pair: _mirrored(pair.output) and not _mirrored(pair.input),
    ),
    (
        "The input has enclosed regions or holes, surrounded by a closed outline.",
        lambda pair: _enclosing(pair.input),
    ),
    ("All objects of the input are single cells, dots or pixels.", lambda pair: _dots(pair.input)),
    ("All objects of the input are filled rectangles.", lambda pair: _boxes(pair.input)),
    ("The input has straight lines.", lambda pair: _lines(pair.input)),
    (
        "The output has straight lines that the input has not.",
        lambda pair: _lines(pair.output) and not _lines(pair.input),
    ),
    ("The output is of one colour.", lambda pair: len(np.unique(pair.output)) == 1),
)

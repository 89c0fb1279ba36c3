"""A puzzle's grids as a model reads them."""

from __future__ import annotations

from ..tools.grids.puzzle import Grid, Pair, Puzzle


def grid_text(cells: Grid) -> str:
    """One row a line, digits with a space between them."""
    return "\n".join(" ".join(map(str, row)) for row in cells.tolist())


def pair_text(pair: Pair, number: int) -> str:
    """A worked example under its number."""
    return (
        f"Example {number}\nInput ({size_text(pair.input)}):\n{grid_text(pair.input)}\n"
        f"Output ({size_text(pair.output)}):\n{grid_text(pair.output)}"
    )


def input_text(cells: Grid, number: int) -> str:
    """An input without output under its number."""
    return f"Test {number}\nInput ({size_text(cells)}):\n{grid_text(cells)}"


def puzzle_text(puzzle: Puzzle, tests: bool = True) -> str:
    """All worked examples, and with ``tests`` the inputs to answer."""
    parts = [pair_text(pair, i) for i, pair in enumerate(puzzle.train, 1)]
    if tests:
        parts += [input_text(cells, i) for i, cells in enumerate(puzzle.tests, 1)]
    return "\n\n".join(parts)


def size_text(cells: Grid) -> str:
    """Rows by columns: ``3x5``."""
    return f"{cells.shape[0]}x{cells.shape[1]}"

"""What a program made of a puzzle: its outputs beside the worked examples, and what to say of them.

The expected outputs stay here; the process that runs a program never sees them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..tools.grids.puzzle import Grid, Pair, Puzzle
from .puzzle_text import grid_text, size_text

SHOWN_CELLS = 12
"""Wrong cells that are listed one by one; where there are more, the output is shown whole."""
ERROR_LENGTH = 600
"""Characters of an error that are told; the end of a traceback says most."""


@dataclass(frozen=True, eq=False)
class Ran:
    """What came of one grid: an output, or why there is none."""

    output: Grid | None = None
    error: str = ""


@dataclass(frozen=True, eq=False)
class Trial:
    """A program that was run on every input of a puzzle, worked examples first.

    ``fault`` says why nothing ran at all: no code in the reply, or the sandbox ended it.
    """

    text: str
    train: tuple[Ran, ...] = ()
    tests: tuple[Ran, ...] = ()
    uses: tuple[int, ...] = ()
    fault: str = ""

    def right(self, puzzle: Puzzle) -> int:
        """Worked examples whose output it gives exactly."""
        return sum(same(ran.output, pair.output) for ran, pair in self._beside(puzzle))

    def fits(self, puzzle: Puzzle) -> bool:
        """It maps every training input to its output."""
        return bool(puzzle.train) and self.right(puzzle) == len(puzzle.train)

    def closeness(self, puzzle: Puzzle) -> tuple[int, float]:
        """Examples that are right, then the mean share of cells that are; more is closer."""
        shares = [agreement(ran.output, pair.output) for ran, pair in self._beside(puzzle)]
        return self.right(puzzle), sum(shares) / max(len(puzzle.train), 1)

    def _beside(self, puzzle: Puzzle) -> Sequence[tuple[Ran, Pair]]:
        if not self.train:
            return []
        return list(zip(self.train, puzzle.train, strict=True))


def same(one: Grid | None, other: Grid) -> bool:
    """Equal in size and in every cell."""
    return one is not None and np.array_equal(one, other)


def agreement(one: Grid | None, other: Grid) -> float:
    """The share of equal cells; 0 for another size."""
    if one is None or one.shape != other.shape:
        return 0.0
    return float((one == other).mean())


def feedback(trial: Trial, puzzle: Puzzle) -> str:
    """What an attempt got right and wrong, example by example, for the next one."""
    if trial.fault:
        return f"It could not be run: {trial.fault[-ERROR_LENGTH:]}"
    pairs = zip(trial.train, puzzle.train, strict=True)
    return "\n".join(
        f"Example {i}: {_verdict(ran, pair)}" for i, (ran, pair) in enumerate(pairs, 1)
    )


def summary(trial: Trial, puzzle: Puzzle) -> str:
    """The outcome in one line, for logs and for what is remembered of a failure."""
    if trial.fault:
        return trial.fault.strip().splitlines()[-1][:200]
    wrong = [
        f"example {i} {_brief(ran, pair)}"
        for i, (ran, pair) in enumerate(zip(trial.train, puzzle.train, strict=True), 1)
        if not same(ran.output, pair.output)
    ]
    return "; ".join(wrong) or "fits every example"


def _verdict(ran: Ran, pair: Pair) -> str:
    if ran.output is None:
        return f"no output. {ran.error[-ERROR_LENGTH:]}"
    if same(ran.output, pair.output):
        return "right."
    said = f"wrong, {_brief(ran, pair)}."
    if ran.output.shape != pair.output.shape:
        return f"{said} It gave:\n{grid_text(ran.output)}"
    rows, columns = np.nonzero(ran.output != pair.output)
    if len(rows) > SHOWN_CELLS:
        return f"{said} It gave:\n{grid_text(ran.output)}"
    cells = [
        f"[{r},{c}] is {ran.output[r, c]}, should be {pair.output[r, c]}"
        for r, c in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
    return f"{said} By row and column from 0: " + "; ".join(cells)


def _brief(ran: Ran, pair: Pair) -> str:
    if ran.output is None:
        return f"failed: {ran.error.strip().splitlines()[-1][:200] if ran.error else 'no output'}"
    if ran.output.shape != pair.output.shape:
        return f"has size {size_text(ran.output)} and not {size_text(pair.output)}"
    wrong = int((ran.output != pair.output).sum())
    return f"has {wrong} of {pair.output.size} cells wrong"

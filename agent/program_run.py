"""Runs a model's program on every input of a puzzle, in the sandbox, once."""

from __future__ import annotations

import re
from typing import cast

import numpy as np

from ..errors import BadGrid, NoSandbox, ToolFault
from ..tools.confine.results import Json, Outcome, Sandbox
from ..tools.grids.puzzle import Grid, Puzzle, grid
from .program_reply import Code
from .program_trial import Ran, Trial

FUNCTION = "transform"
_NUMPY = "import numpy as np\n"
_MENTIONS = re.compile(r"\bnp\.")
_IMPORTS = re.compile(r"^[ \t]*(?:import|from)[ \t]+numpy\b|^from[ \t]+__future__", re.MULTILINE)


def run_program(code: Code, puzzle: Puzzle, sandbox: Sandbox, seconds: float = 2.0) -> Trial:
    """The outputs for all worked examples and test inputs; ``seconds`` limits each of them.

    The sandbox gets inputs alone: what an output should have been is compared here. Raises
    ``NoSandbox``; code that cannot be sent is the trial's fault.
    """
    inputs = [*(pair.input for pair in puzzle.train), *puzzle.tests]
    wide = [cells.astype(np.int64) for cells in inputs]  # int8 would overflow in plain arithmetic
    try:
        outcomes = sandbox.run_each(runnable(code.text), wide, FUNCTION, timeout_each=seconds)
    except NoSandbox:
        raise
    except ToolFault as fault:
        return Trial(code.text, uses=code.uses, fault=str(fault))
    ran = [ran_of(outcome) for outcome in outcomes]
    split = len(puzzle.train)
    return Trial(code.text, tuple(ran[:split]), tuple(ran[split:]), code.uses)


def runnable(text: str) -> str:
    """The program with numpy as ``np``, which models often forget to import."""
    forgotten = _MENTIONS.search(text) and not _IMPORTS.search(text)
    return _NUMPY + text if forgotten else text


def ran_of(outcome: Outcome) -> Ran:
    """The grid an outcome holds, or why it holds none."""
    if outcome.error is not None:
        return Ran(error=outcome.error.strip() or "it ended without a word")
    try:
        return Ran(output=grid_of(outcome.value))
    except BadGrid as fault:
        return Ran(error=f"transform returned no grid: {fault}")


def grid_of(value: Json) -> Grid:
    """A returned value as a grid: rows of whole numbers, also as floats or truth values.

    Raises ``BadGrid`` for anything else.
    """
    if not isinstance(value, list) or not value or not all(isinstance(row, list) for row in value):
        raise BadGrid(f"it is {_kind(value)}, and not a 2-D array")
    rows = [[_colour(cell) for cell in row] for row in cast("list[list[Json]]", value)]
    if len({len(row) for row in rows}) != 1:
        raise BadGrid("its rows have different lengths")
    return grid(rows)


def _colour(cell: Json) -> int:
    if isinstance(cell, bool | int):
        return int(cell)
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    raise BadGrid(f"a cell holds {_kind(cell)} where a colour from 0 to 9 should be")


def _kind(value: Json) -> str:
    if value is None:
        return "None"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, dict):
        return "a dict"
    return f"the {type(value).__name__} {str(value)[:40]}"

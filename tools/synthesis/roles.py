"""Colours by the part they play, so that what was learnt with red holds for blue."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..grids.puzzle import COLOURS, Puzzle
from .terms import Term

ROLES = ("black", "new", "lost", "kept", "rare")
"""0; in all outputs and no input; in all inputs and no output; in all of both; any other."""


def roles(puzzle: Puzzle) -> dict[str, str]:
    """The role of each colour's word: ``{"c0": "black", "c3": "new", …}``."""
    ins = [set(np.unique(pair.input).tolist()) for pair in puzzle.train]
    outs = [set(np.unique(pair.output).tolist()) for pair in puzzle.train]
    return {f"c{tone}": _role(tone, ins, outs) for tone in range(COLOURS)}


def _role(tone: int, ins: list[set[int]], outs: list[set[int]]) -> str:
    if tone == 0:
        return "black"
    always_in, always_out = all(tone in s for s in ins), all(tone in s for s in outs)
    if always_out and not any(tone in s for s in ins):
        return "new"
    if always_in and not any(tone in s for s in outs):
        return "lost"
    return "kept" if always_in and always_out else "rare"


def by_role(term: Term, played: Mapping[str, str]) -> Term:
    """The term with roles for colours."""
    return term.filled({word: Term(role) for word, role in played.items()})

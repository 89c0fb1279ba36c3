"""Self-consistency: which outputs many programs agree on, for every test input."""

from __future__ import annotations

from collections.abc import Sequence

from ..tools.grids.puzzle import Grid, Puzzle
from .program_trial import Trial


def guesses(trials: Sequence[Trial], puzzle: Puzzle) -> tuple[tuple[Grid, ...], ...]:
    """For each test input the distinct outputs, best first.

    Programs that fit every worked example vote, each with one voice; the output with more votes
    comes first, among equals the one found first. Behind them come the outputs of the others, the
    closest program's first. What gave no grid says nothing.
    """
    fitting = [trial for trial in trials if trial.fits(puzzle)]
    others = [trial for trial in trials if not trial.fits(puzzle)]
    others.sort(
        key=lambda trial: trial.closeness(puzzle), reverse=True
    )  # stable: first found first
    return tuple(_ranked(fitting, others, place) for place in range(len(puzzle.tests)))


def _ranked(fitting: Sequence[Trial], others: Sequence[Trial], place: int) -> tuple[Grid, ...]:
    votes: dict[tuple[tuple[int, ...], bytes], int] = {}
    grids: dict[tuple[tuple[int, ...], bytes], Grid] = {}
    for trial in [*fitting, *others]:
        output = trial.tests[place].output if trial.tests else None
        if output is None:
            continue
        key = (output.shape, output.tobytes())
        grids.setdefault(key, output)
        votes[key] = votes.get(key, 0) + (trial in fitting)
    return tuple(grids[key] for key in sorted(grids, key=lambda key: -votes[key]))

"""What a puzzle is worth: two attempts per test input, and what more guesses would have found.

``verdicts[i][j]`` says whether guess j for test input i is right, in the solver's order. With
A = 2 attempts (the rule of the ARC Prize):

    score   = mean over i of  any(verdicts[i][:A])      summed over tasks: the official points
    strict  = all over i of   any(verdicts[i][:A])
    oracle  = mean over i of  any(verdicts[i])          as if all k guesses were allowed

The oracle answers another question (was the right output among the guesses?) and never stands in a
column with the others.
"""

from __future__ import annotations

from collections.abc import Sequence

ATTEMPTS = 2

Verdicts = Sequence[Sequence[bool]]


def solved(verdicts: Verdicts, attempts: int | None = ATTEMPTS) -> list[bool]:
    """For each test input, whether one of the first ``attempts`` guesses is right; None: of all."""
    return [any(guesses[:attempts]) for guesses in verdicts]


def score(verdicts: Verdicts) -> float:
    """The share of the test inputs solved in two attempts."""
    found = solved(verdicts)
    return sum(found) / len(found)


def strict(verdicts: Verdicts) -> bool:
    """Every test input is solved in two attempts."""
    return all(solved(verdicts))


def oracle(verdicts: Verdicts) -> float:
    """The share of the test inputs whose output is among all the guesses."""
    found = solved(verdicts, None)
    return sum(found) / len(found)

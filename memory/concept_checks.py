"""Code that a concept may carry, and the check that admits it. Memory runs no code itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from .concept_merge import union
from .records import ConceptPayload


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found: the puzzles the code passed on, and why it is refused, if it is."""

    passed: tuple[str, ...] = ()
    reason: str = ""


@runtime_checkable
class Checker(Protocol):
    """Runs a concept's code again on the puzzles it came from, where it can do no harm."""

    def check(self, code: str, language: str, puzzles: Sequence[str]) -> Verdict:
        """The verdict on ``code``; ``puzzles`` are ids. Look at worked examples only."""
        ...


def admitted(concept: ConceptPayload, checker: Checker | None) -> ConceptPayload:
    """The concept with its code if the check passes on every puzzle, else without and why.

    What the concept says beside its code is kept either way. What the checker raises is raised.
    """
    if not concept.code.strip():
        return concept.model_copy(update={"code": "", "passed": ()})
    reason, passed = "", tuple[str, ...]()
    if checker is None:
        reason = "nothing was given to check it with"
    elif not concept.used_in:
        reason = "it names no puzzle to be checked on"
    else:
        verdict = checker.check(concept.code, concept.language, concept.used_in)
        missed = [one for one in concept.used_in if one not in verdict.passed]
        reason = verdict.reason or (f"it does not pass on {', '.join(missed)}" if missed else "")
        passed = verdict.passed
    if not reason:
        return concept.model_copy(update={"passed": passed})
    refused = union(concept.refused, (reason,))
    return concept.model_copy(update={"code": "", "language": "", "passed": (), "refused": refused})

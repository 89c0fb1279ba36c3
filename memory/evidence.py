"""Whether what was found is evidence at all, and why not.

Two ways a question has no answer in a memory: nothing there speaks of it; or what it asks of one
person is told of another (a premise that does not hold). The second is what most unanswerable
questions about real conversations are. benchmarks/dialogue_fit.py fits how likely it is; how little
is nothing was set by looking at LoCoMo and LongMemEval with and without their evidence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from .records import Frozen, UtterancePayload
from .turn_features import TurnWeights
from .turn_search import TurnHit

Reason = Literal["", "nothing", "other speaker"]

LEAST_COVERED = 0.2
LEAST_COSINE = 0.3
"""Below both, the first three turns are about something else."""

OTHER_SLOPE = 1.18
OTHER_SHIFT = 0.48
"""P(the premise holds) = logistic(slope · (named − others) + shift), the means of the three best
turns by whom the question names and by the others, without the feature ``speaker``."""


class Verdict(Frozen):
    """Whether the turns found can answer the question.

    ``confidence`` is the chance that they do; ``reason`` says why not: ``nothing`` speaks of it, or
    it is told of an ``other speaker``, whom ``speaker`` names.
    """

    found: bool
    confidence: float
    reason: Reason = ""
    speaker: str = ""

    def __str__(self) -> str:
        if self.reason == "nothing":
            return "nothing that was said speaks of this"
        if self.reason:
            return f"this was said by or of {self.speaker}, not of whom the question names"
        return "found"


def judge(hits: Sequence[TurnHit], weights: TurnWeights | None = None) -> Verdict:
    """What the hits of a question, best first, are worth as evidence."""
    if not hits:
        return Verdict(found=False, confidence=0.0, reason="nothing")
    best = hits[:3]
    cosine, covered = max(hit.cosine for hit in best), max(hit.covered for hit in best)
    if covered < LEAST_COVERED and cosine < LEAST_COSINE:
        return Verdict(found=False, confidence=0.1, reason="nothing")
    margin = premise_margin(hits, weights or TurnWeights())
    if margin is None:
        return Verdict(found=True, confidence=min(1.0, 0.5 + 0.5 * covered))
    holds = 1.0 / (1.0 + math.exp(-(OTHER_SLOPE * margin + OTHER_SHIFT)))
    if holds >= 0.5:
        return Verdict(found=True, confidence=holds)
    other = next(hit for hit in hits if not hit.features["speaker"]).record.payload
    assert isinstance(other, UtterancePayload)
    return Verdict(found=False, confidence=holds, reason="other speaker", speaker=other.speaker)


def premise_margin(hits: Sequence[TurnHit], weights: TurnWeights) -> float | None:
    """By how much the three best turns of whom the question names beat the others' three best.

    Who spoke is left out of the scores. None if the question names nobody, or all or nobody of
    those who spoke.
    """
    scores: dict[bool, list[float]] = {True: [], False: []}
    for hit in hits:
        named = hit.features["speaker"] > 0
        scores[named].append(hit.score - weights.speaker * hit.features["speaker"])
    if not scores[True] or not scores[False]:
        return None
    means = {named: _mean_of_best(values) for named, values in scores.items()}
    return means[True] - means[False]


def _mean_of_best(values: Sequence[float]) -> float:
    best = sorted(values, reverse=True)[:3]
    return sum(best) / len(best)

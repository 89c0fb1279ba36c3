"""From how sure a selection was to how often it was right.

A model that says 0.9 of everything knows nothing; search scores are no probabilities at all. A
`Calibration` maps either to the share of choices that proved useful, never decreasing, so that a
threshold on it means the same for every model: below it, memory says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import Field

from ..memory.records import Frozen

PRIOR = 4.0
"""How many observations the stated score itself counts as."""


class Calibration(Frozen):
    """A monotone, piecewise linear map of scores to probabilities; without knots the identity."""

    scores: tuple[float, ...] = Field(default=(), description="strictly ascending")
    shares: tuple[float, ...] = Field(default=(), description="how often what had it was useful")
    observed: int = 0

    def probability(self, score: float) -> float:
        """How probably a choice with this score is useful, in [0, 1]."""
        if not self.scores:
            return min(max(score, 0.0), 1.0)
        if score <= self.scores[0]:
            return self.shares[0]
        knots = list(zip(self.scores, self.shares, strict=True))
        for (low, start), (high, end) in pairwise(knots):
            if score <= high:
                return start + (end - start) * (score - low) / (high - low)
        return self.shares[-1]

    @classmethod
    def fit(cls, seen: Iterable[tuple[float, bool]], prior: float = PRIOR) -> Calibration:
        """From (score, useful) pairs, by isotonic regression (pool adjacent violators).

        Each score's share is shrunk towards the score itself, clipped to [0, 1], by ``prior``
        observations. Without pairs it is the identity.
        """
        by_score: dict[float, _Block] = {}
        for score, useful in seen:
            block = by_score.setdefault(score, _Block([score], 0, 0.0))
            block.count += 1
            block.useful += useful
        if not by_score:
            return cls()
        pools = _pooled([by_score[score] for score in sorted(by_score)], prior)
        scores: list[float] = []
        shares: list[float] = []
        for pool in pools:
            for edge in dict.fromkeys((pool.scores[0], pool.scores[-1])):
                scores.append(edge)
                shares.append(pool.share(prior))
        observed = sum(block.count for block in by_score.values())
        return cls(scores=tuple(scores), shares=tuple(shares), observed=observed)


@dataclass
class _Block:
    """Neighbouring scores that share a probability."""

    scores: list[float]
    count: int
    useful: float

    def share(self, prior: float) -> float:
        """The useful among those seen, shrunk towards the mean score."""
        stated = sum(min(max(score, 0.0), 1.0) for score in self.scores) / len(self.scores)
        return (self.useful + prior * stated) / (self.count + prior)


def _pooled(blocks: Sequence[_Block], prior: float) -> list[_Block]:
    """Neighbours joined until the shares never decrease."""
    pools: list[_Block] = []
    for block in blocks:
        pools.append(_Block(list(block.scores), block.count, block.useful))
        while len(pools) > 1 and pools[-2].share(prior) >= pools[-1].share(prior):
            last = pools.pop()
            before = pools[-1]
            before.scores += last.scores
            before.count += last.count
            before.useful += last.useful
    return pools

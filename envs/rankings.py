"""How good a ranking is: everything follows from the ranks at which the gold items stand.

A rank counts from 1; None is an item that was not ranked. ``Ranks`` hold one for each gold item.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..memory.records import Frozen

Ranks: TypeAlias = tuple[int | None, ...]
Floats = NDArray[np.float64]

SESSION_CUTS = (1, 3, 5, 10, 25)
TURN_CUTS = (1, 3, 5, 10, 25, 50)
DRAWS = 2_000


class GoldRanks(Frozen):
    """Where a ranker put a question's gold items; None for what is not measured of it.

    ``near`` has for each gold turn the best rank of it and its two neighbours. ``newest`` and
    ``stale`` are of evidence that tells a newer and an older state, ``of_now`` says which of them
    the question wants. ``context`` has 1 for each gold turn that fits the token budget, else None.
    """

    session: Ranks | None = None
    turn: Ranks | None = None
    near: Ranks | None = None
    pool: Ranks | None = None
    newest: Ranks | None = None
    stale: Ranks | None = None
    of_now: bool = True
    context: Ranks | None = None


def ranks_of(ranking: Sequence[str], gold: Collection[str]) -> Ranks:
    """The rank of each gold item, the items in sorted order."""
    places = places_of(ranking)
    return tuple(places.get(item) for item in sorted(gold))


def places_of(ranking: Sequence[str]) -> dict[str, int]:
    """The rank of each item, the better one if it stands there twice."""
    return {item: rank for rank, item in reversed(list(enumerate(ranking, 1)))}


def recall_all(ranks: Ranks, k: int) -> float:
    """1 if every gold item is among the first ``k``; so it is where there is none."""
    return float(all(_within(rank, k) for rank in ranks))


def recall_any(ranks: Ranks, k: int) -> float:
    """1 if any gold item is among the first ``k``."""
    return float(any(_within(rank, k) for rank in ranks))


def recall(ranks: Ranks, k: int) -> float:
    """The share of the gold items among the first ``k``; there must be one."""
    return sum(_within(rank, k) for rank in ranks) / len(ranks)


def ndcg(ranks: Ranks, k: int, *, memgas: bool = False) -> float:
    """Discounted gain over the best possible; a hit at rank i counts 1 / log2(i + 1).

    With ``memgas`` the older form of LongMemEval and MemGAS: 1 at rank 1, 1 / log2(i) after.
    """
    best = sum(_gain(rank, memgas) for rank in range(1, min(k, len(ranks)) + 1))
    got = sum(_gain(rank, memgas) for rank in ranks if rank is not None and rank <= k)
    return got / best if best else 0.0


def above(wanted: Ranks, others: Ranks) -> float:
    """1 if one of ``wanted`` stands above every one of ``others``."""
    return float(_best(wanted) < _best(others))


def measured(ranks: GoldRanks, budget: int) -> dict[str, float]:
    """Every metric of a question that its ranks allow; ``budget`` names that of its context."""
    found: dict[str, float] = {}
    if (session := ranks.session) is not None:
        for k in SESSION_CUTS:
            found[f"session.recall_all@{k}"] = recall_all(session, k)
            found[f"session.recall_any@{k}"] = recall_any(session, k)
            found[f"session.ndcg@{k}"] = ndcg(session, k)
            found[f"session.ndcg_memgas@{k}"] = ndcg(session, k, memgas=True)
    for k in TURN_CUTS:
        if ranks.turn:
            found[f"turn.recall@{k}"] = recall(ranks.turn, k)
            found[f"turn.recall_all@{k}"] = recall_all(ranks.turn, k)
            found[f"turn.hit@{k}"] = recall_any(ranks.turn, k)
            found[f"turn.ndcg@{k}"] = ndcg(ranks.turn, k)
        if ranks.near:
            found[f"turn.recall_near@{k}"] = recall(ranks.near, k)
        if ranks.pool:
            found[f"pool.recall_all@{k}"] = recall_all(ranks.pool, k)
            found[f"pool.ndcg@{k}"] = ndcg(ranks.pool, k)
    if ranks.newest and ranks.stale:
        if ranks.of_now:
            found["update.newest_first"] = above(ranks.newest, ranks.stale)
        else:
            found["update.past_first"] = above(ranks.stale, ranks.newest)
    if ranks.context:
        found[f"context.recall@{budget}"] = recall(ranks.context, 1)
        found[f"context.recall_all@{budget}"] = recall_all(ranks.context, 1)
    return found


@dataclass(frozen=True)
class Measured:
    """Metrics of n questions as columns: ``values`` (n, metrics), NaN where not measured."""

    metrics: tuple[str, ...]
    values: Floats

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, float]]) -> Measured:
        """One row a question; metrics in the order they are first met."""
        metrics = tuple(dict.fromkeys(name for row in rows for name in row))
        values = [[row.get(name, math.nan) for name in metrics] for row in rows]
        return cls(metrics, np.array(values, np.float64).reshape(len(rows), len(metrics)))

    def means(self) -> dict[str, float]:
        """The mean of each metric over the questions that have it."""
        known = ~np.isnan(self.values)
        totals = np.where(known, self.values, 0.0).sum(axis=0)
        means = totals / np.maximum(known.sum(axis=0), 1)
        return dict(zip(self.metrics, means.tolist(), strict=True))

    def counts(self) -> dict[str, int]:
        """How many questions have each metric."""
        counts: list[int] = (~np.isnan(self.values)).sum(axis=0).tolist()
        return dict(zip(self.metrics, counts, strict=True))

    def minus(self, other: Measured) -> Measured:
        """The difference on each question, by the metrics both have."""
        names = tuple(name for name in self.metrics if name in other.metrics)
        ours = self.values[:, [self.metrics.index(name) for name in names]]
        theirs = other.values[:, [other.metrics.index(name) for name in names]]
        return Measured(names, ours - theirs)


class Difference(Frozen):
    """A mean over questions, or of differences between two rankers on them, with its 95 % interval.

    ``better`` and ``worse`` count the questions above and below 0.
    """

    mean: float
    ci: tuple[float, float]
    n: int
    better: int
    worse: int


def bootstrapped(
    measured: Measured, clusters: Sequence[str], *, seed: int = 0, draws: int = DRAWS
) -> dict[str, Difference]:
    """Each metric's mean with the percentile interval of a bootstrap over whole clusters.

    A question is drawn with its whole conversation: questions about one talk are not independent.
    """
    known = ~np.isnan(measured.values)
    if not known.any():
        return {}
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.zeros((len(names), len(measured.metrics)))
    counts = np.zeros_like(sums)
    np.add.at(sums, member, np.where(known, measured.values, 0.0))
    np.add.at(counts, member, known)
    even = np.full(len(names), 1 / len(names))
    weights = np.random.default_rng(seed).multinomial(len(names), even, size=draws)
    drawn, filled = weights @ sums, weights @ counts
    mean = measured.means()
    spans = [_middle(drawn[:, i], filled[:, i]) for i in range(len(measured.metrics))]
    return {
        name: Difference(
            mean=mean[name],
            ci=spans[i],
            n=int(known[:, i].sum()),
            better=int((measured.values[:, i] > 0).sum()),
            worse=int((measured.values[:, i] < 0).sum()),
        )
        for i, name in enumerate(measured.metrics)
        if known[:, i].any()
    }


def _middle(sums: Floats, counts: Floats) -> tuple[float, float]:
    """The middle 95 % of the means sums / counts, of draws that hold anything."""
    filled = counts > 0
    if not filled.any():
        return math.nan, math.nan
    low, high = np.percentile(sums[filled] / counts[filled], [2.5, 97.5])
    return float(low), float(high)


def _within(rank: int | None, k: int) -> bool:
    return rank is not None and rank <= k


def _best(ranks: Ranks) -> float:
    return min((rank for rank in ranks if rank is not None), default=math.inf)


def _gain(rank: int, memgas: bool) -> float:
    if memgas:
        return 1.0 if rank == 1 else 1.0 / math.log2(rank)
    return 1.0 / math.log2(rank + 1)

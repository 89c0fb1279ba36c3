"""What the episodes of ARC say: ``statistics``' summary of what was scored, and what is ARC's own.

In ``arms`` success is strict and reward the official score, both of two attempts; the oracle
stands apart. What was studied is summed up apart from what was scored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ...memory.records import Frozen
from ..runs import Arm, EpisodeLine
from ..statistics import (
    RESAMPLES,
    Delta,
    Estimate,
    Floats,
    Progress,
    Summary,
    mean,
    paired,
    summarise,
)
from .lines import ArcLine, Phase

PAIRS = (
    (Arm.ONLINE, Arm.OFF),
    (Arm.FROZEN, Arm.OFF),
    (Arm.ONLINE, Arm.FROZEN),
    (Arm.FROZEN, Arm.SHUFFLED),
    (Arm.SHUFFLED, Arm.OFF),
)


class ArcArm(Frozen):
    """One arm on the puzzles of a phase, all orders together."""

    puzzles: int
    points: float = Field(description="the official score, summed over puzzles")
    strict: int = Field(description="puzzles with every test input solved in two attempts")
    fits: int = Field(description="puzzles with a program that maps every worked example")
    oracle: Estimate = Field(description="the score if every guess counted")
    k: int = Field(description="the most guesses for a test input: the oracle is oracle@k")
    nodes: int = Field(description="programs evaluated, in all")
    tokens: int
    usd: float | None = Field(description="in all; None if a price is unknown")
    seconds: float = Field(description="of choosing and solving, in all")
    nodes_when_solved: float | None = Field(description="median over the puzzles solved strictly")
    usd_per_solve: float | None


class Ratio(Frozen):
    """How many times as many puzzles one arm solves, over the puzzles that both have played."""

    mean: float | None = Field(description="None if the other arm solves nothing")
    ci: tuple[float, float] | None = Field(description="a bootstrap over puzzles, 95 %")
    better: int = Field(description="played pairs that only the first arm solved")
    worse: int = Field(description="played pairs that only the other solved")
    nodes: float | None = Field(
        description="median of (nodes until solved) over the other arm's, where both solve"
    )
    nodes_ci: tuple[float, float] | None
    both: int = Field(description="pairs that both solve")


class ArcSummary(Summary):
    """``summary.json`` of a run of ARC."""

    puzzles: dict[str, ArcArm] = Field(default_factory=dict, description="scored, by arm")
    studied: dict[str, ArcArm] = Field(default_factory=dict, description="studied, by arm")
    score_deltas: dict[str, Delta] = Field(
        default_factory=dict, description="paired differences of the official score"
    )
    ratios: dict[str, Ratio] = Field(default_factory=dict, description="solved strictly")
    orders: dict[str, dict[str, int]] = Field(
        default_factory=dict, description="solved strictly by order and arm"
    )


def summarise_arc(lines: Sequence[ArcLine], arms: Sequence[Arm], run: Progress) -> ArcSummary:
    """The summary of a run from its lines."""
    by: dict[Phase, dict[Arm, list[ArcLine]]] = {"study": {}, "exam": {}}
    for line in lines:
        by[line.phase].setdefault(line.arm, []).append(line)
    scored = by["exam"]
    k = max((line.k for line in lines), default=0)
    base = summarise([line for found in scored.values() for line in found], arms, run)
    deltas: dict[str, Delta] = {}
    ratios: dict[str, Ratio] = {}
    for a, b in PAIRS:
        delta = paired(scored.get(a, []), scored.get(b, []), _score)
        if delta is not None:
            deltas[f"{a}-{b}"] = delta
            ratios[f"{a}/{b}"] = ratio(scored[a], scored[b])
    orders: dict[str, dict[str, int]] = defaultdict(dict)
    for arm in arms:
        for order in sorted({line.seed for line in scored.get(arm, [])}):
            won = sum(line.success for line in scored[arm] if line.seed == order)
            orders[str(order)][arm] = won
    return ArcSummary(
        **base.model_dump(),
        puzzles={arm: arc_arm(scored[arm], k) for arm in arms if arm in scored},
        studied={arm: arc_arm(found, k) for arm, found in by["study"].items()},
        score_deltas=deltas,
        ratios=ratios,
        orders=dict(orders),
    )


def arc_arm(lines: Sequence[ArcLine], k: int) -> ArcArm:
    """One arm's totals; ``k`` is the most guesses that any arm made at a test input."""
    won = [line for line in lines if line.success]
    prices = [line.usd for line in lines]
    usd = None if None in prices else sum(price or 0.0 for price in prices)
    return ArcArm(
        puzzles=len(lines),
        points=sum(line.reward for line in lines),
        strict=len(won),
        fits=sum(line.fits for line in lines),
        oracle=mean([line.oracle for line in lines], [line.task_id for line in lines]),
        k=k,
        nodes=sum(line.steps for line in lines),
        tokens=sum(line.tokens for line in lines),
        usd=usd,
        seconds=round(sum(line.seconds for line in lines), 3),
        nodes_when_solved=float(np.median([x.nodes_to_solve() for x in won])) if won else None,
        usd_per_solve=None if usd is None or not won else usd / len(won),
    )


def ratio(a: Sequence[ArcLine], b: Sequence[ArcLine]) -> Ratio:
    """Solves of ``a`` over those of ``b``, paired by puzzle and order."""
    other = {(line.seed, line.task_id): line for line in b}
    pairs = [(x, other[x.seed, x.task_id]) for x in a if (x.seed, x.task_id) in other]
    tasks = [x.task_id for x, _ in pairs]
    first, second = ([float(line.success) for line in side] for side in zip(*pairs, strict=True))
    both = [(x, y) for x, y in pairs if x.success and y.success and y.nodes_to_solve()]
    shares = [x.nodes_to_solve() / y.nodes_to_solve() for x, y in both]
    return Ratio(
        mean=sum(first) / sum(second) if any(second) else None,
        ci=_ratio_ci(first, second, tasks),
        better=sum(x > y for x, y in zip(first, second, strict=True)),
        worse=sum(x < y for x, y in zip(first, second, strict=True)),
        nodes=float(np.median(shares)) if shares else None,
        nodes_ci=_median_ci(shares, [x.task_id for x, _ in both]),
        both=sum(x.success and y.success for x, y in pairs),
    )


def _ratio_ci(
    first: Sequence[float], second: Sequence[float], tasks: Sequence[str]
) -> tuple[float, float] | None:
    """Percentiles of sum(first) / sum(second) over resampled puzzles."""
    names, member = np.unique(np.asarray(tasks), return_inverse=True)
    above: Floats = np.bincount(member, weights=first, minlength=len(names)).astype(np.float64)
    below: Floats = np.bincount(member, weights=second, minlength=len(names)).astype(np.float64)
    if not below.any():
        return None
    weights = _draws(len(names))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (weights @ above) / (weights @ below)
    found[np.isnan(found)] = np.inf
    low, high = np.percentile(found, [2.5, 97.5], method="nearest")
    return (float(low), float(min(high, 1e9)))


def _median_ci(values: Sequence[float], tasks: Sequence[str]) -> tuple[float, float] | None:
    """Percentiles of the (lower) median over resampled puzzles."""
    if not values:
        return None
    names, member = np.unique(np.asarray(tasks), return_inverse=True)
    every: Floats = np.asarray(values, dtype=np.float64)
    rising = np.argsort(every)
    count = np.cumsum(_draws(len(names), 2_000)[:, member[rising]], axis=1)
    medians = every[rising][np.argmax(count >= count[:, -1:] / 2, axis=1)]
    low, high = np.percentile(medians, [2.5, 97.5])
    return (float(low), float(high))


def _draws(groups: int, resamples: int = RESAMPLES) -> Floats:
    """How often each cluster is drawn in each resample; the draws of ``statistics.bootstrap``."""
    generator = np.random.default_rng(0)
    even = np.full(groups, 1 / groups)
    return generator.multinomial(groups, even, size=resamples).astype(np.float64)


def _score(line: EpisodeLine) -> float:
    return line.reward

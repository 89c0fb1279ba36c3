"""How concepts have served, told from the journal's log of recalls.

Each use is one entry of that log: which concepts a puzzle was given, which of them the answer
cites, whether it was solved. A matched run without memory is an entry that chose none. So use is as
durable as every other recall, forgetting scrubs it, and `Memory.credit` reads it too.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from .recollection import RecallLog

POLICY = "concepts"
"""The policy under which uses stand in the log."""

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Lift:
    """What a concept adds to the chance of solving, by matched runs with it and without.

    ``mean`` and its 95 % interval are of P(solved only with it) - P(solved only without it), in
    [-1, 1]; ``positive`` is the probability that this is above 0. ``pairs`` counts puzzles that
    were tried both ways; without any the mean is 0 and ``positive`` one half.
    """

    pairs: int = 0
    gained: float = 0.0
    lost: float = 0.0

    @property
    def mean(self) -> float:
        """Posterior mean, under a Dirichlet prior of (1/2, 1/2, 1) on (gained, lost, same)."""
        return (self.gained - self.lost) / (self.pairs + 2)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval by the posterior's variance."""
        total = self.pairs + 2
        gain, loss = (self.gained + 0.5) / total, (self.lost + 0.5) / total
        variance = (gain + loss - (gain - loss) ** 2) / (total + 1)
        half = Z95 * math.sqrt(variance)
        return max(-1.0, self.mean - half), min(1.0, self.mean + half)

    @property
    def positive(self) -> float:
        """P(lift > 0): of those that differ the share gained is Beta(gained + ½, lost + ½)."""
        return beta_above_half(self.gained + 0.5, self.lost + 0.5)


def beta_above_half(a: float, b: float) -> float:
    """P(X > 1/2) for X ~ Beta(a, b), both at least 1/2.

    With x = sin² θ the density is proportional to sin^(2a-1) θ · cos^(2b-1) θ, which is bounded.
    """
    angles = (np.arange(4096) + 0.5) * (math.pi / 2 / 4096)
    log_density = (2 * a - 1) * np.log(np.sin(angles)) + (2 * b - 1) * np.log(np.cos(angles))
    density = np.exp(log_density - log_density.max())
    return float(density[2048:].sum() / density.sum())


@dataclass(frozen=True, slots=True)
class Usage:
    """How often a concept was selected and cited, and how those runs ended."""

    selected: int = 0
    cited: int = 0
    solved: int = 0
    failed: int = 0
    cited_solved: int = 0
    lift: Lift = field(default_factory=Lift)

    @property
    def solve_rate(self) -> float:
        """Posterior mean of solving when it was selected, under Beta(1, 1)."""
        return (self.solved + 1) / (self.solved + self.failed + 2)


@dataclass
class _Runs:
    """The outcomes of one puzzle."""

    with_: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    without: list[float] = field(default_factory=list[float])
    dropped: dict[str, list[float]] = field(default_factory=dict[str, list[float]])


class Tally:
    """Uses counted from the log, entry by entry."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = defaultdict(lambda: [0] * 5)
        self._runs: dict[str, _Runs] = defaultdict(_Runs)
        self._puzzles: dict[str, set[str]] = defaultdict(set)
        self._known: dict[str, Usage] = {}
        self._stale: set[str] = set()

    def add(self, logs: Iterable[RecallLog]) -> None:
        """Count these entries; those of other policies are passed over."""
        for log in logs:
            if log.policy == POLICY and log.reward is not None:
                self._count(log, log.reward)

    def all(self) -> Mapping[str, Usage]:
        """The use of every concept that has any."""
        for name in self._stale:
            self._known[name] = Usage(*self._counts[name], lift=self._lift(name))
        self._stale.clear()
        return dict(self._known)

    def _count(self, log: RecallLog, reward: float) -> None:
        puzzle = log.context.get("puzzle", "")
        runs = self._runs[puzzle]
        cited = set(json.loads(log.context.get("cited", "[]")))
        for name in log.chosen:
            counts = self._counts[name]
            counts[0] += 1
            counts[1] += name in cited
            counts[2] += reward > 0
            counts[3] += reward <= 0
            counts[4] += name in cited and reward > 0
            runs.with_.setdefault(name, []).append(reward)
            self._puzzles[name].add(puzzle)
        for name in log.dropped:
            runs.dropped.setdefault(name, []).append(reward)
            self._puzzles[name].add(puzzle)
        self._stale.update(log.chosen, log.dropped)
        if not log.chosen and not log.dropped:
            runs.without.append(reward)
            self._stale.update(runs.with_)

    def _lift(self, id: str) -> Lift:
        """Each puzzle counts once, by the mean of its runs with the concept and without."""
        pairs, gained, lost = 0, 0.0, 0.0
        for puzzle in self._puzzles[id] - {""}:
            runs = self._runs[puzzle]
            with_ = runs.with_.get(id, [])
            without = runs.without + runs.dropped.get(id, [])
            if with_ and without:
                a, b = math.fsum(with_) / len(with_), math.fsum(without) / len(without)
                pairs += 1
                gained += a * (1 - b)
                lost += (1 - a) * b
        return Lift(pairs, gained, lost)

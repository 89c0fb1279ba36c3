"""How probably a policy would have made a choice that was logged, and what it would show instead.

A policy is asked by letting it choose with a draw that only watches: it gives its values, and
nothing is drawn. From them follow the probability of any sequence of draws (Plackett-Luce over
softmax(value/α)) and of each memory being among those drawn.
"""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from ..errors import MemoryFault
from .policy import NOTHING, Candidate, Draw, Floats, Selection, State


@runtime_checkable
class Evaluable(Protocol):
    """A policy that can be judged: it turns candidates into values and gives them to its draw."""

    name: str
    draw: Draw

    def select(
        self, state: State, candidates: Sequence[Candidate], k: int, rng: random.Random
    ) -> Selection:
        """Call ``draw`` once, with the values of the candidates to draw from."""
        ...


@dataclass(slots=True)
class Counts:
    """How a memory has served: what the journal would know of it."""

    rewarded: int = 0
    reward_sum: float = 0.0

    def candidate(self, name: str, similarity: float) -> Candidate:
        """The memory as a candidate."""
        return Candidate(
            id=name,
            similarity=similarity,
            chosen=self.rewarded,
            rewarded=self.rewarded,
            reward_mean=self.reward_sum / self.rewarded if self.rewarded else 0.0,
        )


def offer(
    policy: Evaluable, state: State, candidates: Sequence[Candidate], k: int
) -> dict[str, float]:
    """What a policy would draw from: the value of each id, best first, and of ``NOTHING`` last.

    Raises MemoryFault for a policy that doesn't choose by calling its ``draw`` once.
    """
    watched = copy.copy(policy)
    watch = Watch(policy.draw.temperature)
    watched.draw = watch
    watched.select(state, candidates, k, random.Random(0))
    if len(watch.seen) != 1:
        raise MemoryFault(
            f"policy {policy.name!r} drew {len(watch.seen)} times for one choice, so its "
            "probabilities are not known: let its select call self.draw once"
        )
    return watch.seen[0]


def probability(draw: Draw, logits: Mapping[str, float], drawn: Sequence[str], k: int) -> float:
    """That ``draw`` takes exactly these, in this order, when it may take ``k``."""
    more = len(drawn) < k and any(name and name not in drawn for name in logits)
    if len(drawn) > k or (more and NOTHING not in drawn):
        return 0.0
    return math.prod(draw.chances(logits, drawn))


def inclusion(
    draw: Draw, logits: Mapping[str, float], k: int, samples: int, generator: np.random.Generator
) -> dict[str, float]:
    """How probably each name is among the ``k`` drawn: exact where it is cheap, else sampled.

    A slate is the ``k`` greatest of value/α plus Gumbel noise, up to the stop (Kool, van Hoof and
    Welling 2019), which is the draw one after the other.
    """
    names = [*logits]
    values = np.array([*logits.values()], np.float64)
    if draw.temperature == 0 or not names:
        ranked = sorted(names, key=lambda name: -logits[name])
        end = ranked.index(NOTHING) if NOTHING in ranked else len(ranked)
        return dict.fromkeys(ranked[: min(end, k)], 1.0)
    values = (values - values.max()) / draw.temperature
    if k == 1:
        chances = np.exp(values)
        return dict(zip(names, (chances / chances.sum()).tolist(), strict=True))
    noisy = values + generator.gumbel(size=(samples, len(names)))
    order = np.argsort(-noisy, axis=1)[:, :k]
    if NOTHING in logits:
        stopped = np.logical_or.accumulate(order == names.index(NOTHING), axis=1)
        order = order[~stopped]
    shares = np.bincount(order.ravel(), minlength=len(names)) / samples
    return dict(zip(names, shares.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Watch(Draw):
    """Draws nothing, and keeps what was to be drawn from."""

    seen: list[dict[str, float]] = field(default_factory=list[dict[str, float]], compare=False)

    def __call__(
        self,
        state: State,
        candidates: Sequence[Candidate],
        values: Floats,
        k: int,
        rng: random.Random,
        *,
        policy: str,
        nothing: float | None = None,
    ) -> Selection:
        self.seen.append(self.logits(candidates, values, nothing))
        return Selection(state, offered={}, chosen=(), probabilities={}, policy=policy)


class Target:
    """The policy to be judged, as it would face the logged choices."""

    def __init__(
        self,
        policy: Evaluable,
        counts: Mapping[str, Counts],
        k: int,
        dropout: float | None,
        samples: int,
    ) -> None:
        self.policy = policy
        self.dropout = policy.draw.dropout if dropout is None else dropout
        self._k = k
        self._samples = samples
        self._counts = counts

    def offer(self, selection: Selection) -> dict[str, float]:
        """What it would draw from."""
        candidates = [
            self._counts.get(name, Counts()).candidate(name, similarity)
            for name, similarity in selection.offered.items()
        ]
        return offer(self.policy, selection.state, candidates, self._k)

    def weight(self, selection: Selection, logits: Mapping[str, float]) -> float:
        """π/μ of a logged choice."""
        ours = probability(self.policy.draw, logits, selection.drawn, self._k)
        weight = ours / math.prod(selection.probabilities.values())
        kept = (1 - self.dropout) / (1 - selection.dropout)
        dropped = self.dropout / selection.dropout if selection.dropped else 1.0
        return weight * kept ** len(selection.chosen) * dropped ** len(selection.dropped)

    def expectation(
        self,
        logits: Mapping[str, float],
        effects: Mapping[str, float],
        generator: np.random.Generator,
    ) -> float:
        """The expected sum of the effects of what it would show."""
        drawn = inclusion(self.policy.draw, logits, self._k, self._samples, generator)
        shown = math.fsum(chance * effects[name] for name, chance in drawn.items() if name)
        return (1 - self.dropout) * shown

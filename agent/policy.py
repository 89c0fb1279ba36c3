"""Which memories to take: the contract of a case-selection policy, how it draws, and similarity.

A policy gives each candidate a value for the state at hand and draws from the values; what it drew
and with which probability is logged, so that another policy can be judged from the log
(``policy_eval``). Rewards come back with the selection they belong to.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..errors import MemoryFault
from ..memory.recollection import RecallLog
from ..memory.records import Frozen

Floats = NDArray[np.float64]

NOTHING = ""
"""Stands among the candidates for choosing none (or no more) of them."""


@dataclass(frozen=True, slots=True)
class State:
    """What memories are chosen for: its text, and its unit vector (dim,), if it was embedded."""

    text: str
    vector: NDArray[np.float32] | None = field(default=None, compare=False)


class Candidate(Frozen):
    """A memory that could be chosen: its similarity and what the journal knows of its use.

    ``similarity`` lies in [0, 1]. ``reward_mean`` is the mean reward of the ``rewarded`` recalls
    that chose it, 0 before the first.
    """

    id: str
    similarity: float
    chosen: int = 0
    rewarded: int = 0
    reward_mean: float = 0.0


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice, for which state and among what, and how likely it was.

    ``chosen`` are shown, best first. ``dropped`` were drawn too, and then left out by chance, each
    slot with probability ``dropout``. ``probabilities`` holds the probability of each that was
    drawn at its turn, given those drawn before; under ``NOTHING`` that of stopping, if it stopped.
    A deterministic choice has 1. ``offered`` are the candidates' similarities by id. ``value`` is
    what the policy expected of the best of them, 0 if there was none; it is not logged.
    """

    state: State
    offered: Mapping[str, float]
    chosen: tuple[str, ...]
    probabilities: Mapping[str, float]
    policy: str
    dropped: tuple[str, ...] = ()
    dropout: float = 0.0
    id: str = ""
    value: float = field(default=0.0, compare=False)

    @property
    def drawn(self) -> tuple[str, ...]:
        """What was drawn, shown or not, in the order of the draws, with the stop if there was."""
        return tuple(self.probabilities)


class Policy(Protocol):
    """Chooses at most ``k`` of the candidates and learns from what the choice earned."""

    name: str

    def select(
        self, state: State, candidates: Sequence[Candidate], k: int, rng: random.Random
    ) -> Selection:
        """Choose at most ``k`` candidates for ``state``, best first."""
        ...

    def update(self, selection: Selection, reward: float) -> None:
        """Learn from the reward that followed a selection.

        A second reward for one selection (of the same id) replaces the first.
        """
        ...


@runtime_checkable
class SequentialPolicy(Policy, Protocol):
    """A policy that carries value back from an episode's later choices to its earlier ones."""

    def learn_episode(self, selections: Sequence[Selection], reward: float) -> None:
        """Learn from an episode's choices in order, the reward coming at its end."""
        ...


def learn_episode(policy: Policy, selections: Sequence[Selection], reward: float) -> None:
    """Give a policy an episode's choices, in order, with the reward that came at its end."""
    if isinstance(policy, SequentialPolicy):
        policy.learn_episode(selections, reward)
        return
    for selection in selections:
        policy.update(selection, reward)


@dataclass(frozen=True, slots=True)
class Draw:
    """How a policy turns values into a choice.

    ``temperature`` α draws from softmax(value / α), one slot after the other without replacement
    (Plackett-Luce), so that each propensity is exact for its turn; 0 takes the best. ``dropout``
    leaves a drawn slot out by chance: the randomised holdout that tells what a memory changed.
    """

    temperature: float = 0.0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.temperature < 0 or not 0 <= self.dropout < 1:
            raise ValueError("a temperature is at least 0, a dropout in [0, 1)")

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
        """Draw at most ``k`` by ``values`` (n,); ``nothing`` is the value of taking no more."""
        logits = self.logits(candidates, values, nothing)
        probabilities: dict[str, float] = {}
        while len(probabilities) < k and any(logits) and NOTHING not in probabilities:
            name, chance = self._one(logits, rng)
            probabilities[name] = chance
            del logits[name]
        drawn = [name for name in probabilities if name != NOTHING]
        dropped = [name for name in drawn if self.dropout and rng.random() < self.dropout]
        return Selection(
            state=state,
            offered={one.id: one.similarity for one in candidates},
            chosen=tuple(name for name in drawn if name not in dropped),
            probabilities=probabilities,
            policy=policy,
            dropped=tuple(dropped),
            dropout=self.dropout,
            value=float(values.max()) if len(values) else 0.0,
        )

    def logits(
        self, candidates: Sequence[Candidate], values: Floats, nothing: float | None = None
    ) -> dict[str, float]:
        """What is drawn from: the value of each id, best first, and that of ``NOTHING`` last."""
        ids = [one.id for one in candidates]
        left = sorted(range(len(ids)), key=lambda place: (-values[place], ids[place]))
        logits = {ids[place]: float(values[place]) for place in left}
        if nothing is not None:
            logits[NOTHING] = nothing
        return logits

    def chances(self, logits: Mapping[str, float], drawn: Sequence[str]) -> list[float]:
        """The probability of each of ``drawn`` at its turn; 0 for what was not there to draw."""
        left = dict(logits)
        chances: list[float] = []
        for name in drawn:
            chances.append(self._chance(left, name))
            left.pop(name, None)
        return chances

    def _chance(self, logits: Mapping[str, float], name: str) -> float:
        if name not in logits:
            return 0.0
        best = max(logits.values())
        if self.temperature == 0:
            return float(next(one for one, value in logits.items() if value == best) == name)
        total = math.fsum(math.exp((value - best) / self.temperature) for value in logits.values())
        return math.exp((logits[name] - best) / self.temperature) / total

    def _one(self, logits: Mapping[str, float], rng: random.Random) -> tuple[str, float]:
        best = max(logits.values())
        if self.temperature == 0:
            return next(name for name, value in logits.items() if value == best), 1.0
        chances = [math.exp((value - best) / self.temperature) for value in logits.values()]
        place = rng.choices(range(len(chances)), chances)[0]
        return list(logits)[place], chances[place] / math.fsum(chances)


class SimilarityPolicy:
    """The most similar first; with a temperature, drawn from softmax(similarity / temperature)."""

    name = "similarity"

    def __init__(self, temperature: float = 0.0, *, dropout: float = 0.0) -> None:
        self.draw = Draw(temperature, dropout)

    def select(
        self, state: State, candidates: Sequence[Candidate], k: int, rng: random.Random
    ) -> Selection:
        """Choose by similarity; ties fall to the smaller id."""
        values = np.array([one.similarity for one in candidates], np.float64)
        return self.draw(state, candidates, values, k, rng, policy=self.name)

    def update(self, selection: Selection, reward: float) -> None:
        """Similarity does not learn; the journal keeps the rewards for policies that do."""


class UtilityPolicy:
    """Two phases, as MemRL has it: a gate by similarity, then the learnt value of each case.

    Of the ``gate`` most similar, the best by their mean reward, which is shrunk towards the mean
    of all ``gate`` as if each had earned that ``strength`` times. It knows cases, not states, and
    keeps nothing itself: the journal's counts are all it needs.
    """

    name = "utility"

    def __init__(
        self,
        temperature: float = 0.02,
        *,
        gate: int = 8,
        strength: float = 4.0,
        dropout: float = 0.0,
    ) -> None:
        self.draw = Draw(temperature, dropout)
        self.gate = gate
        self.strength = strength

    def select(
        self, state: State, candidates: Sequence[Candidate], k: int, rng: random.Random
    ) -> Selection:
        """Choose by value among the most similar."""
        near = sorted(candidates, key=lambda one: (-one.similarity, one.id))[: max(k, self.gate)]
        counts = np.array([one.rewarded for one in near], np.float64)
        sums = counts * np.array([one.reward_mean for one in near], np.float64)
        total = counts.sum()
        mean = sums.sum() / total if total else 0.0
        values = (self.strength * mean + sums) / (self.strength + counts)
        values += 1e-6 * np.array([one.similarity for one in near])  # what is alike by likeness
        return self.draw(state, near, values, k, rng, policy=self.name)

    def update(self, selection: Selection, reward: float) -> None:
        """Nothing to do: the journal counts."""


def selection_of(log: RecallLog) -> Selection:
    """The selection that a logged recall recorded."""
    return Selection(
        state=State(log.query, log.vector),
        offered={one.id: one.score for one in log.candidates},
        chosen=log.chosen,
        probabilities=log.probabilities,
        policy=log.policy,
        dropped=log.dropped,
        dropout=log.dropout,
        id=log.id,
    )


def checked_reward(reward: float) -> float:
    """The reward, or ``MemoryFault`` for one that is no finite number."""
    if not math.isfinite(reward):
        raise MemoryFault(f"a reward of {reward} has no meaning: give a finite number")
    return reward

"""Which memories to take: the contract of a case-selection policy, and similarity."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Protocol

from pydantic import Field

from ..memory.records import Frozen


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


class Selection(Frozen):
    """A choice and how likely it was.

    ``probabilities`` holds, for each chosen id, the probability with which it was drawn at its
    turn, given those drawn before it; a deterministic choice has 1.
    """

    chosen: tuple[str, ...]
    probabilities: dict[str, float] = Field(default_factory=dict)
    policy: str


class Policy(Protocol):
    """Chooses ``k`` of the candidates and learns from what the choice earned."""

    name: str

    def select(
        self, state: str, candidates: Sequence[Candidate], k: int, rng: random.Random
    ) -> Selection:
        """Choose at most ``k`` candidates for ``state``, best first."""
        ...

    def update(self, selection: Selection, reward: float) -> None:
        """Learn from the reward that followed a selection."""
        ...


class SimilarityPolicy:
    """The most similar first; with a temperature, drawn from softmax(similarity / temperature).

    Draws are without replacement (Plackett-Luce), so each propensity is exact for its turn.
    """

    name = "similarity"

    def __init__(self, temperature: float = 0.0) -> None:
        self.temperature = temperature

    def select(
        self, state: str, candidates: Sequence[Candidate], k: int, rng: random.Random
    ) -> Selection:
        """Choose by similarity; ties fall to the smaller id."""
        left = sorted(candidates, key=lambda one: (-one.similarity, one.id))
        if self.temperature <= 0:
            chosen = tuple(one.id for one in left[:k])
            return Selection(
                chosen=chosen, probabilities=dict.fromkeys(chosen, 1.0), policy=self.name
            )
        probabilities: dict[str, float] = {}
        while left and len(probabilities) < k:
            best = left[0].similarity
            weights = [math.exp((one.similarity - best) / self.temperature) for one in left]
            place = rng.choices(range(len(left)), weights)[0]
            probabilities[left[place].id] = weights[place] / sum(weights)
            del left[place]
        return Selection(chosen=tuple(probabilities), probabilities=probabilities, policy=self.name)

    def update(self, selection: Selection, reward: float) -> None:
        """Similarity does not learn; the journal keeps the rewards for policies that do."""

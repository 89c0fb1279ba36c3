"""A trigger that learns when recalling is worth the tokens it costs.

What is learnt is the advantage of recalling over not recalling in a situation x, before the price
of this recall: A(x) = θ·x. A decision z ∈ {0, 1} was taken with a known probability p, so

    ψ = (z - p) / (p·(1 - p)) · (G - b(x))

has A(x) as its mean, whatever the baseline b(x) (Horvitz-Thompson weights with a control variate):
G is the episode's reward less the price of what was recalled later in it. θ and b are ridge
regressions, that of ψ weighted by p·(1 - p), so that decisions that were almost certain, and are
almost without information, hardly count.

Before any reward the trigger is a rule: recall in proportion to how new the state is. The price of
the recall itself is known, and so it is not learnt but subtracted.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from ..errors import PolicyFault
from ..memory.records import Frozen
from .policy import Floats, checked_reward
from .state import Decision, View
from .trigger import WhenStuck

FEATURES = (
    "always",
    "first",
    "progress",
    "novelty",
    "repeated",
    "invalid",
    "uncertainty",
    "value",
)
COARSE = ("always", "novelty")
FORMAT = 1


class TriggerOptions(Frozen):
    """What a recall costs, how the trigger explores and what it believes before any reward."""

    price: float = Field(default=0.01, ge=0, description="reward per 1,000 recalled tokens")
    temperature: float = Field(default=0.01, gt=0, description="of the decision, in reward")
    explore: float = Field(default=0.02, gt=0, lt=0.5, description="least chance of either")
    novelty: float = Field(default=0.1, description="advantage of recalling in a new state")
    weight: float = Field(default=20.0, gt=0, description="of that, in Σ p·(1 - p)")
    others: float = Field(
        default=5.0, gt=0, description="weight of 0 for the finer features, in it"
    )
    horizon: float = Field(default=30.0, gt=0, description="steps that count as a whole episode")


class LearnedTrigger:
    """Recalls where its estimate says that it pays, and now and then where it does not."""

    name = "learned"

    def __init__(self, options: TriggerOptions | None = None) -> None:
        self.options = options or TriggerOptions()
        # Few rewards must not be spread over many coefficients: the finer features begin stiffer.
        stiffness = np.array([1.0 if one in COARSE else self.options.others for one in FEATURES])
        believed = np.array([float(one == "novelty") for one in FEATURES])
        weight = self.options.weight
        self._advantage = Ridge(
            np.diag(weight * stiffness), weight * self.options.novelty * believed
        )
        self._baseline = Ridge(np.eye(len(FEATURES)), np.zeros(len(FEATURES)))
        self._tokens = 0.0
        self._recalls = 0.0
        self._predicted = 0.0
        self._realised = 0.0

    @property
    def weights(self) -> dict[str, float]:
        """θ by feature, in reward."""
        return dict(zip(FEATURES, self._advantage.weights().tolist(), strict=True))

    @property
    def cost(self) -> float:
        """The price of a recall of the usual size, in reward; 0 before the first."""
        return self.options.price * self._tokens / max(self._recalls, 1.0) / 1000

    @property
    def calibration(self) -> float:
        """The slope of what recalling changed on what was predicted before; 1 is calibrated.

        Only predictions made before the reward count. NaN before there were any.
        """
        return self._realised / self._predicted if self._predicted else math.nan

    def advantage(self, features: Sequence[float]) -> float:
        """A(x): the estimated gain in reward of recalling, before its price."""
        return float(self._advantage.weights() @ np.array(features, np.float64))

    def decide(self, view: View) -> Decision:
        """Decide, and say how likely recalling was."""
        rule = WhenStuck().decide(view)
        features = features_of(view, rule, self.options.horizon)
        odds = (self.advantage(features) - self.cost) / self.options.temperature
        least = self.options.explore
        chance = 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
        chance = min(1 - least, max(least, chance))
        rng = random.Random(f"{view.seed}/{view.task.id}/{len(view.steps)}/trigger")
        fired = rng.random() < chance
        return Decision(
            reason=(rule.reason or "pays") if fired else "",
            probability=chance,
            features=tuple(features),
        )

    def learn(self, decisions: Sequence[Decision], tokens: Sequence[int], reward: float) -> None:
        """Learn from an episode: its decisions, the tokens each recalled, and the final reward.

        Raises MemoryFault for a reward that is no finite number; nothing is learnt then.
        """
        gain = checked_reward(reward)
        lived: list[tuple[Floats, Decision, float]] = []
        for decision, read in reversed([*zip(decisions, tokens, strict=True)]):
            if 0 < decision.probability < 1 and len(decision.features) == len(FEATURES):
                lived.append((np.array(decision.features, np.float64), decision, gain))
            if decision.reason:
                self._tokens += read
                self._recalls += 1
            gain -= self.options.price * read / 1000
        # All are judged by what was known before the episode: they share its one reward.
        theta, usual = self._advantage.weights(), self._baseline.weights()
        for features, decision, gain in lived:
            chance = decision.probability
            spread = chance * (1 - chance)
            psi = (bool(decision.reason) - chance) / spread * (gain - float(usual @ features))
            predicted = float(theta @ features)
            self._predicted += spread * predicted * predicted
            self._realised += spread * predicted * psi
            self._advantage.add(features, psi, spread)
            self._baseline.add(features, gain, 1.0)

    def dump(self) -> bytes:
        """All that was learnt, for the memory to keep."""
        return json.dumps(
            {
                "format": FORMAT,
                "features": FEATURES,
                "advantage": self._advantage.plain(),
                "baseline": self._baseline.plain(),
                "scalars": [self._tokens, self._recalls, self._predicted, self._realised],
            }
        ).encode()

    def restore(self, data: bytes) -> None:
        """The inverse of ``dump``. Raises PolicyFault for what it did not write."""
        try:
            kept: dict[str, Any] = json.loads(data)
            if kept["format"] != FORMAT or tuple(kept["features"]) != FEATURES:
                raise ValueError("it was written by another version")
            advantage, baseline = Ridge.parse(kept["advantage"]), Ridge.parse(kept["baseline"])
            scalars = [float(one) for one in kept["scalars"]]
            if len(scalars) != 4 or not np.isfinite(scalars).all():
                raise ValueError("its sums are no numbers")
        except (ValueError, KeyError, TypeError) as error:
            raise PolicyFault(
                f"what the trigger learnt cannot be read: {error}. To start anew, put "
                "LearnedTrigger().dump() in its place with memory.keep_learned, or choose a rule"
            ) from error
        self._advantage, self._baseline = advantage, baseline
        self._tokens, self._recalls, self._predicted, self._realised = scalars


class Ridge:
    """A weighted ridge regression on the features, one observation after the other."""

    def __init__(self, precision: Floats, moment: Floats) -> None:
        self.precision = precision
        self.moment = moment
        self._solved: Floats | None = None

    def weights(self) -> Floats:
        """The coefficients, shape (n,)."""
        if self._solved is None:
            self._solved = np.linalg.solve(self.precision, self.moment).astype(np.float64)
        return self._solved

    def add(self, features: Floats, target: float, weight: float) -> None:
        """One more observation."""
        self.precision += weight * np.outer(features, features)
        self.moment += weight * target * features
        self._solved = None

    def plain(self) -> list[list[float]]:
        """As plain lists: the precision's rows, then the moment."""
        return [*self.precision.tolist(), self.moment.tolist()]

    @classmethod
    def parse(cls, plain: list[list[float]]) -> Ridge:
        """The inverse of ``plain``. Raises ValueError for another shape or what is not finite."""
        size = len(FEATURES)
        rows = np.array(plain, np.float64)
        if rows.shape != (size + 1, size) or not np.isfinite(rows).all():
            raise ValueError("its arrays are not what they should be")
        return cls(rows[:size], rows[size])


def features_of(view: View, rule: Decision, horizon: float) -> list[float]:
    """The situation in numbers, in the order of ``FEATURES``; ``rule`` is what the rule says."""
    return [
        1.0,
        float(not view.steps),
        min(1.0, len(view.steps) / horizon),
        view.glance.novelty,
        float(rule.reason == "stuck"),
        float(rule.reason == "invalid"),
        view.glance.uncertainty,
        view.glance.value,
    ]

"""Kernel Q: the value of a memory in a state, from what it earned in similar states.

Episodic control as in Memento (arXiv 2508.16153, eq. 9), with what that equation lacks: a memory
that was never recalled has a value. The estimate is a posterior mean,

    Q(s, c) = (n₀·p(s, c) + Σᵢ κ(s, sᵢ)·yᵢ) / (n₀ + Σᵢ κ(s, sᵢ)),   κ(s, s') = exp((s·s' − 1)/h),

over the rewards yᵢ of the recalls that showed c in states sᵢ. The prior p is the mean of c, itself
shrunk towards the mean of the whole bank, plus a slope times how much more similar c is to s than
the other candidates, in tenths of their spread; the slope is learnt, for where the similar harms.
To show nothing has a value too, learnt in the same way. When rewards fall short of what was
expected for long (a CUSUM chart, Page 1954), what was learnt is trusted less, since the world has
changed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..memory.records import Frozen
from .earnings import Earnings
from .policy import NOTHING, Candidate, Draw, Floats, Selection, State, checked_reward
from .policy_file import PolicyState, read_policy, write_policy
from .soft_q import soft_target


class KernelOptions(Frozen):
    """The constants of the estimate; the defaults were chosen in ``benchmarks/policy.py``.

    ``half_life`` is how many later rewards of the same memory halve the weight of one, so that a
    memory whose use changes is noticed. ``discount`` γ > 0 carries value back from later choices
    of an episode (see ``learn_episode``).
    """

    temperature: float = Field(default=0.02, ge=0)
    bandwidth: float = Field(default=0.15, gt=0)
    prior_weight: float = Field(default=1.0, gt=0, description="n₀, in rewards")
    case_weight: float = Field(default=4.0, gt=0, description="of the bank's mean, in rewards")
    slope: float = Field(default=0.5, description="reward per unit of likeness, at first")
    slope_weight: float = Field(default=0.8, gt=0, description="of that, in Σ likeness²")
    start: float = Field(default=0.5, description="the bank's mean before the first reward")
    half_life: float = Field(default=200.0, gt=0)
    discount: float = Field(default=0.0, ge=0, lt=1)
    kept: int = Field(default=512, ge=1, description="rewards kept for each memory")
    slack: float = Field(default=0.15, ge=0, description="reward missed that is no sign of change")
    alarm: float = Field(default=14.0, gt=0, description="reward missed beyond it that is")
    distrust: float = Field(default=0.1, gt=0, le=1, description="weight of the past after that")


def likeness(similarities: Floats) -> Floats:
    """How far each candidate lies above the mean of all, in tenths of their spread, shape (n,).

    The spread of cosines is about a tenth, so there it is the difference itself; scores of other
    searches come to the same scale. What is all alike is not told apart.
    """
    spread = max(float(similarities.std()), 0.02)
    return 0.1 * (similarities - similarities.mean()) / spread


class KernelQ:
    """The estimate. It holds no candidate's text: states, ids and rewards only."""

    def __init__(self, options: KernelOptions) -> None:
        self.options = options
        self._earnings: dict[str, Earnings] = {}
        self._sum = 0.0
        self._count = 0.0
        self._slope_sum = 0.0
        self._slope_mass = 0.0
        self._missed = 0.0

    @property
    def slope(self) -> float:
        """Reward per unit of likeness: its start and a least-squares fit, by their weights."""
        start = self.options.slope_weight
        return (start * self.options.slope + self._slope_sum) / (start + self._slope_mass)

    @property
    def bank_mean(self) -> float:
        """The mean reward of all memories, shrunk towards the start by two rewards."""
        return (2.0 * self.options.start + self._sum) / (2.0 + self._count)

    def knows(self, name: str, key: str) -> bool:
        """Whether a memory's reward under this key was entered."""
        return name in self._earnings and self._earnings[name].knows(key)

    def count(self, name: str) -> int:
        """How many rewards of a memory are kept."""
        return len(self._earnings.get(name, ()))

    def values(self, state: State, ids: Sequence[str], similarities: Floats) -> Floats:
        """Q of each id, shape (n,)."""
        options = self.options
        case_weight, prior_weight = options.case_weight, options.prior_weight
        bank = self.bank_mean
        values = np.full(len(ids), bank)
        if len(ids):
            values += self.slope * likeness(similarities)
        for place, name in enumerate(ids):
            own = self._earnings.get(name)
            if own is None:
                continue
            prior = values[place] + (own.sum - own.count * bank) / (case_weight + own.count)
            mass = earned = 0.0
            if state.vector is not None:
                mass, earned = own.near(state.vector, options.bandwidth)
            values[place] = (prior_weight * prior + earned) / (prior_weight + mass)
        return values

    def value_of_nothing(self, state: State) -> float:
        """Q of showing no memory."""
        return float(self.values(state, [NOTHING], np.zeros(1))[0])

    def watch(self, expected: float, above: float, reward: float, weight: float = 1.0) -> None:
        """Compare a reward with what was expected of a memory, ``above`` its rivals in likeness.

        Moves the slope, and fades all that was learnt if rewards fall short for long. ``weight`` is
        the memory's share of the slate that earned the reward.
        """
        start = self.slope * above
        self._slope_sum += weight * above * (reward - (expected - start))
        self._slope_mass += weight * above**2
        self._missed += weight * (expected - reward - self.options.slack)
        self._missed = max(0.0, self._missed)
        if self._missed > self.options.alarm:
            self._missed = 0.0
            self._fade(self.options.distrust)

    def _fade(self, factor: float) -> None:
        for own in self._earnings.values():
            own.fade(factor)
        self._sum = sum(own.sum for own in self._earnings.values())
        self._count = sum(own.count for own in self._earnings.values())
        self._slope_sum *= factor
        self._slope_mass *= factor

    def add(self, name: str, state: State, reward: float, key: str = "") -> None:
        """A memory earned ``reward`` in ``state``; with a known ``key``, instead of before."""
        own = self._earnings.get(name)
        if own is None:
            own = self._earnings[name] = Earnings(self.options.kept, self.options.half_life)
        self._sum -= own.sum
        self._count -= own.count
        own.add(state, reward, key)
        self._sum += own.sum
        self._count += own.count

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that was learnt, as named arrays; the memories' ledgers one after the other."""
        parts = [own.arrays() for own in self._earnings.values()]
        dim = max((part[0].shape[1] for part in parts), default=0)
        states = [np.pad(part[0], ((0, 0), (0, dim - part[0].shape[1]))) for part in parts]
        return {
            "names": np.array([*self._earnings], dtype=np.str_),
            "sizes": np.array([len(part[1]) for part in parts], np.int64),
            "states": np.concatenate([np.empty((0, dim), np.float32), *states]),
            "rewards": np.concatenate([np.empty(0), *(part[1] for part in parts)]),
            "weights": np.concatenate([np.empty(0), *(part[2] for part in parts)]),
            "keys": np.array([key for part in parts for key in part[3]], dtype=np.str_),
            "scalars": np.array([self._slope_sum, self._slope_mass, self._missed]),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """The inverse of ``arrays``; what was learnt before is gone."""
        self._earnings.clear()
        start = 0
        for name, size in zip(arrays["names"].tolist(), arrays["sizes"].tolist(), strict=True):
            part = slice(start, start + size)
            start += size
            own = self._earnings[name] = Earnings(self.options.kept, self.options.half_life)
            own.restore(
                arrays["states"][part].copy(),
                arrays["rewards"][part].copy(),
                arrays["weights"][part].copy(),
                arrays["keys"][part].tolist(),
            )
        self._slope_sum, self._slope_mass, self._missed = arrays["scalars"].tolist()
        self._fade(1.0)


class KernelQPolicy:
    """Chooses by kernel Q, softly, and learns from each reward at once.

    A slate's reward is not broadcast: a slate is taken to be worth the mean of its members, and
    each is credited with what the others do not explain, Q(s, c) + r − mean_j Q(s, c_j). The slots
    that ``dropout`` leaves out by chance keep these shares apart. With ``abstain`` showing nothing
    competes, and what it is worth is learnt from the times when nothing was shown.
    """

    name = "kernel-q"

    def __init__(
        self,
        options: KernelOptions | None = None,
        *,
        dropout: float = 0.0,
        abstain: bool = True,
    ) -> None:
        self.options = options or KernelOptions()
        self.draw = Draw(self.options.temperature, dropout)
        self.abstain = abstain
        self.q = KernelQ(self.options)

    def select(
        self, state: State, candidates: Sequence[Candidate], k: int, rng: random.Random
    ) -> Selection:
        """Draw at most ``k`` from softmax(Q/α), one after the other."""
        similar = np.array([one.similarity for one in candidates], np.float64)
        values = self.q.values(state, [one.id for one in candidates], similar)
        nothing = self.q.value_of_nothing(state) if self.abstain else None
        return self.draw(state, candidates, values, k, rng, policy=self.name, nothing=nothing)

    def update(self, selection: Selection, reward: float) -> None:
        """Credit what was shown. Raises MemoryFault for a reward that is no finite number."""
        checked_reward(reward)
        state, shown = selection.state, selection.chosen
        if not shown:
            self.q.add(NOTHING, state, reward, selection.id)
            return
        values = dict(zip(selection.offered, self.values(selection).tolist(), strict=True))
        alike = likeness(np.array([*selection.offered.values()], np.float64)).tolist()
        above = dict(zip(selection.offered, alike, strict=True))
        unexplained = reward - float(np.mean([values[name] for name in shown]))
        for name in shown:
            earned = values[name] + unexplained
            if not self.q.knows(name, selection.id):
                self.q.watch(values[name], above[name], earned, 1.0 / len(shown))
            self.q.add(name, state, earned, selection.id)

    def learn_episode(self, selections: Sequence[Selection], reward: float) -> None:
        """Learn from an episode's choices in order, the reward coming at the end.

        With γ = 0 every choice is credited with the reward itself; else the last one, and each
        earlier one with γ·α·log Σ exp(Q/α) of the choice after it.
        """
        discount, temperature = self.options.discount, self.options.temperature
        following = np.empty(0)
        for selection in reversed(selections):
            own = reward if discount == 0 or not len(following) else 0.0
            self.update(selection, soft_target(own, following, temperature, discount))
            following = self.values(selection)

    def values(self, selection: Selection) -> Floats:
        """The present values of all that a selection was offered, shape (n,)."""
        similar = np.array([*selection.offered.values()], np.float64)
        return self.q.values(selection.state, [*selection.offered], similar)

    def save(self, path: Path, *, embedder: str) -> None:
        """Write what was learnt to a file; ``embedder`` is the memory's."""
        state = PolicyState(self.name, self.options.model_dump(), self.q.arrays())
        write_policy(path, state, embedder=embedder)

    def load(self, path: Path, *, embedder: str) -> None:
        """Take what a file holds in place of what was learnt here.

        Raises PolicyFault for a file that is damaged or of another policy, EmbedderMismatch for
        one of another embedder than the memory's; nothing changes then.
        """
        state = read_policy(path, policy=self.name, embedder=embedder)
        learnt = KernelQ(self.options)
        learnt.restore(state.arrays)
        self.q = learnt

"""Kernel Q: the value of a memory in a state, from what it earned in similar states.

Episodic control as in Memento (arXiv 2508.16153, eq. 9), with what that equation lacks: a memory
that was never recalled has a value. The estimate is a posterior mean,

    Q(s, c) = (n₀·p(s, c) + Σᵢ κ(s, sᵢ)·yᵢ) / (n₀ + Σᵢ κ(s, sᵢ)),   κ(s, s') = exp((s·s' − 1)/h),

over the rewards yᵢ of the recalls that showed c in states sᵢ. The prior p is the mean of c, itself
shrunk towards the mean of the whole bank, plus a weight times how much more similar c is to s than
the other candidates. To show nothing has a value too, learnt in the same way.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..errors import MemoryFault
from ..memory.records import Frozen
from .policy import NOTHING, Candidate, Draw, Floats, Selection, State, checked_reward
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
    similarity_weight: float = Field(default=0.5, description="reward per unit of similarity")
    start: float = Field(default=0.5, description="the bank's mean before the first reward")
    half_life: float = Field(default=200.0, gt=0)
    discount: float = Field(default=0.0, ge=0, lt=1)
    kept: int = Field(default=512, ge=1, description="rewards kept for each memory")


class Ledger:
    """What one memory earned, newest last: in which states, and how much.

    An older reward weighs half as much after ``half_life`` newer ones; beyond ``kept`` it goes.
    """

    def __init__(self, options: KernelOptions) -> None:
        self._kept = options.kept
        self._decay = 0.5 ** (1.0 / options.half_life)
        self._states = np.empty((0, 0), np.float32)
        self._rewards = np.empty(0, np.float64)
        self._places: dict[str, int] = {}
        self._keys: list[str] = []
        self.sum = 0.0
        self.count = 0.0

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, state: State, reward: float, key: str) -> None:
        """Enter a reward; one with a known ``key`` takes the place of that one."""
        place = self._places.get(key) if key else None
        if place is None:
            place = self._next(state, key)
        self._rewards[place] = reward
        weights = self._weights()
        self.sum = float(weights @ self._rewards[: len(self)])
        self.count = float(weights.sum())

    def near(self, vector: NDArray[np.float32], bandwidth: float) -> tuple[float, float]:
        """The kernel mass around ``vector`` (dim,), and what it earned."""
        size = len(self)
        if self._states.shape[1] != len(vector):
            return 0.0, 0.0  # only states that were never embedded
        weights = self._weights() * np.exp((self._states[:size] @ vector - 1.0) / bandwidth)
        return float(weights.sum()), float(weights @ self._rewards[:size])

    def _weights(self) -> Floats:
        return self._decay ** np.arange(len(self) - 1, -1, -1, dtype=np.float64)

    def _next(self, state: State, key: str) -> int:
        size = len(self)
        if size == 2 * self._kept:
            self._states[: self._kept] = self._states[self._kept : size]
            self._rewards[: self._kept] = self._rewards[self._kept : size]
            self._keys = self._keys[self._kept :]
            self._places = {name: place for place, name in enumerate(self._keys) if name}
            size = self._kept
        held = self._states.shape[1]
        dim = held if state.vector is None else len(state.vector)
        if held and dim != held:
            raise MemoryFault(
                f"a state of {dim} numbers among states of {held}: the memory has another embedder "
                "now; make the policy anew, it learns again from the log"
            )
        if size == len(self._rewards) or dim != held:
            room = min(max(4, 2 * size), 2 * self._kept)
            states, rewards = np.zeros((room, dim), np.float32), np.zeros(room, np.float64)
            states[:size, :held], rewards[:size] = self._states[:size], self._rewards[:size]
            self._states, self._rewards = states, rewards
        self._states[size] = 0.0 if state.vector is None else state.vector
        self._keys.append(key)
        if key:
            self._places[key] = size
        return size


class KernelQ:
    """The estimate. It holds no candidate's text: states, ids and rewards only."""

    def __init__(self, options: KernelOptions) -> None:
        self.options = options
        self._ledgers: dict[str, Ledger] = {}
        self._sum = 0.0
        self._count = 0.0

    @property
    def bank_mean(self) -> float:
        """The mean reward of all memories, shrunk towards the start by two rewards."""
        return (2.0 * self.options.start + self._sum) / (2.0 + self._count)

    def count(self, name: str) -> int:
        """How many rewards of a memory are kept."""
        return len(self._ledgers.get(name, ()))

    def values(self, state: State, ids: Sequence[str], similarities: Floats) -> Floats:
        """Q of each id, shape (n,)."""
        options = self.options
        case_weight, prior_weight = options.case_weight, options.prior_weight
        bank = self.bank_mean
        values = np.full(len(ids), bank)
        if len(ids):
            values += options.similarity_weight * (similarities - similarities.mean())
        for place, name in enumerate(ids):
            ledger = self._ledgers.get(name)
            if ledger is None:
                continue
            prior = values[place] + (ledger.sum - ledger.count * bank) / (
                case_weight + ledger.count
            )
            mass = earned = 0.0
            if state.vector is not None:
                mass, earned = ledger.near(state.vector, options.bandwidth)
            values[place] = (prior_weight * prior + earned) / (prior_weight + mass)
        return values

    def value_of_nothing(self, state: State) -> float:
        """Q of showing no memory."""
        return float(self.values(state, [NOTHING], np.zeros(1))[0])

    def add(self, name: str, state: State, reward: float, key: str = "") -> None:
        """A memory earned ``reward`` in ``state``; with a known ``key``, instead of before."""
        ledger = self._ledgers.get(name)
        if ledger is None:
            ledger = self._ledgers[name] = Ledger(self.options)
        self._sum -= ledger.sum
        self._count -= ledger.count
        ledger.add(state, reward, key)
        self._sum += ledger.sum
        self._count += ledger.count


class KernelQPolicy:
    """Chooses by kernel Q, softly, and learns from each reward at once.

    A slate's reward is not broadcast: each shown memory is credited with what the estimate for the
    others does not explain, r − Σ_{j≠c} (Q(s, c_j) − Q(s, ∅)), and the slots that ``dropout``
    leaves out by chance keep these shares apart. With ``abstain`` showing nothing competes, and
    what it is worth is learnt from the times when nothing was shown.
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
        gains = dict.fromkeys(shown, 0.0)
        if len(shown) > 1:
            nothing = self.q.value_of_nothing(state)
            values = dict(zip(selection.offered, self.values(selection), strict=True))
            gains = {name: values[name] - nothing for name in shown}
        for name in shown:
            others = sum(gains.values()) - gains[name]
            self.q.add(name, state, reward - others, selection.id)

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

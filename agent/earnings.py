"""What one memory earned, and in which states: what kernel Q rests on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import MemoryFault
from .policy import Floats, State


class Earnings:
    """What one memory earned, newest last: in which states, and how much.

    An older reward weighs half as much after ``half_life`` newer ones; beyond ``kept`` it goes.
    """

    def __init__(self, kept: int, half_life: float) -> None:
        self._kept = kept
        self._decay = 0.5 ** (1.0 / half_life)
        self._states = np.empty((0, 0), np.float32)
        self._rewards = np.empty(0, np.float64)
        self._weights = np.empty(0, np.float64)
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
        self._sum_up()

    def knows(self, key: str) -> bool:
        """Whether a reward was entered under this key."""
        return key in self._places

    def fade(self, factor: float) -> None:
        """Trust all that was entered so far less."""
        self._weights *= factor
        self._sum_up()

    def near(self, vector: NDArray[np.float32], bandwidth: float) -> tuple[float, float]:
        """The kernel mass around ``vector`` (dim,), and what it earned."""
        size = len(self)
        if self._states.shape[1] != len(vector):
            return 0.0, 0.0  # only states that were never embedded
        mass = self._weights[:size] * np.exp((self._states[:size] @ vector - 1.0) / bandwidth)
        return float(mass.sum()), float(mass @ self._rewards[:size])

    def arrays(self) -> tuple[NDArray[np.float32], Floats, Floats, list[str]]:
        """States (n, dim), rewards (n,), weights (n,) and keys."""
        size = len(self)
        return self._states[:size], self._rewards[:size], self._weights[:size], self._keys

    def restore(
        self, states: NDArray[np.float32], rewards: Floats, weights: Floats, keys: list[str]
    ) -> None:
        """The inverse of ``arrays``."""
        self._states, self._rewards, self._weights = states, rewards, weights
        self._keys = keys
        self._places = {name: place for place, name in enumerate(keys) if name}
        self._sum_up()

    def _sum_up(self) -> None:
        size = len(self)
        self.sum = float(self._weights[:size] @ self._rewards[:size])
        self.count = float(self._weights[:size].sum())

    def _next(self, state: State, key: str) -> int:
        size = len(self)
        if size == 2 * self._kept:
            self._states[: self._kept] = self._states[self._kept : size]
            self._rewards[: self._kept] = self._rewards[self._kept : size]
            self._weights[: self._kept] = self._weights[self._kept : size]
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
            states = np.zeros((room, dim), np.float32)
            states[:size, :held] = self._states[:size]
            self._states = states
            self._rewards = np.append(self._rewards[:size], np.zeros(room - size))
            self._weights = np.append(self._weights[:size], np.zeros(room - size))
        self._states[size] = 0.0 if state.vector is None else state.vector
        self._weights[:size] *= self._decay
        self._weights[size] = 1.0
        self._keys.append(key)
        if key:
            self._places[key] = size
        return size

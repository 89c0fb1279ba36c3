"""What a choice of memories would have earned: the reward model of the doubly robust estimate.

Kernel ridge regression (Gaussian process regression, Rasmussen and Williams 2006, eq. 2.25) of the
reward on the state s and the set A of memories shown in it, additive over the memories:

    r(s, A) = b + g(s) + Σ_{c∈A} h_c(s),
    k((s, A), (s', A')) = κ(s, s') + |A∩A'|·(1 + κ(s, s'))/2 + z_A·z_A',

with κ as in ``kernel_q`` and z_A the sum over A of (1, how much more similar c is than the others).
So a memory never shown has the mean effect of those that were, by its similarity. Being additive,
its expectation needs only each memory's probability of being shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .policy import Floats, Selection

BANDWIDTH = 0.15
"""h of κ(s, s') = exp((s·s' − 1)/h), as in ``kernel_q``."""

SIGNALS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Variances of the reward's parts, in units of the noise's, among which the evidence chooses."""


class RewardModel:
    """Fitted to ``selections`` and their ``rewards`` (n,); costs n³.

    Of more than ``most`` it takes that many, evenly spread over them.
    """

    def __init__(self, selections: Sequence[Selection], rewards: Floats, most: int = 1500) -> None:
        size = len(rewards)
        spots: list[float] = np.linspace(0, size - 1, min(most, size)).tolist()
        kept = sorted({round(spot) for spot in spots})
        self._seen = [selections[place] for place in kept]
        y = rewards[kept]
        self.mean = float(y.mean())
        names = dict.fromkeys(name for one in self._seen for name in one.chosen)
        self._columns = {name: place for place, name in enumerate(names)}
        spread = [value for one in self._seen for value in _centred(one)]
        self._scale = float(np.std(spread)) or 1.0
        shown = np.zeros((len(y), len(names)))
        for row, one in enumerate(self._seen):
            shown[row, [self._columns[name] for name in one.chosen]] = 1.0
        summed = np.array([self._features(one, one.chosen).sum(axis=0) for one in self._seen])
        alike = _kernel(self._seen, self._seen)
        gram = alike + (shown @ shown.T) * (1 + alike) / 2 + summed @ summed.T
        self._alpha = _ridge(gram, y - self.mean)
        self._shown = shown
        self._weights = summed.T @ self._alpha

    def effects(self, selections: Sequence[Selection]) -> tuple[Floats, list[dict[str, float]]]:
        """b + g(s) for each selection's state, (t,), and h_c(s) of each memory it was offered."""
        alike = _kernel(selections, self._seen)
        base = self.mean + alike @ self._alpha
        own = ((1 + alike) / 2 * self._alpha) @ self._shown
        effects: list[dict[str, float]] = []
        for row, one in enumerate(selections):
            shared = self._features(one, [*one.offered]) @ self._weights
            effects.append(
                {
                    name: float(effect) + self._own(own[row], name)
                    for name, effect in zip(one.offered, shared, strict=True)
                }
            )
        return base, effects

    def _own(self, row: Floats, name: str) -> float:
        place = self._columns.get(name)
        return 0.0 if place is None else float(row[place])

    def _features(self, selection: Selection, names: Sequence[str]) -> Floats:
        """(1, similarity beyond the mean of those offered) of each name, (names, 2)."""
        mean = float(np.mean([*selection.offered.values()])) if selection.offered else 0.0
        rows = [[1.0, (selection.offered[name] - mean) / self._scale] for name in names]
        return np.array(rows, np.float64).reshape(-1, 2)


def _centred(selection: Selection) -> Floats:
    values = np.array([*selection.offered.values()], np.float64)
    return values - values.mean() if len(values) else values


def _kernel(some: Sequence[Selection], others: Sequence[Selection]) -> Floats:
    """κ between the states of two lists, (some, others); equality of texts without vectors."""
    left, right = _vectors(some), _vectors(others)
    if left is None or right is None or left.shape[1] != right.shape[1]:
        codes = {one.state.text: place for place, one in enumerate((*some, *others))}
        rows = np.array([codes[one.state.text] for one in some])
        columns = np.array([codes[one.state.text] for one in others])
        return (rows[:, None] == columns[None, :]).astype(np.float64)
    return np.exp((left @ right.T - 1.0) / BANDWIDTH)


def _vectors(selections: Sequence[Selection]) -> Floats | None:
    vectors = [one.state.vector for one in selections if one.state.vector is not None]
    if len(vectors) < len(selections) or len({len(vector) for vector in vectors}) != 1:
        return None
    return np.array(vectors, np.float64)


def _ridge(gram: Floats, y: Floats) -> Floats:
    """α of the prediction k·α, by the signal ρ of most evidence: y ~ N(0, σ²(ρK + I)), σ² free.

    ``gram`` K is (n, n), ``y`` (n,) has mean 0.
    """
    eigenvalues, vectors = np.linalg.eigh(gram)
    turned = vectors.T @ y
    best, alpha = -np.inf, np.zeros(len(y))
    for signal in SIGNALS:
        spread = signal * np.maximum(eigenvalues, 0.0) + 1.0
        noise = float((turned**2 / spread).mean())
        if noise == 0:
            break
        evidence = -0.5 * (len(y) * np.log(noise) + float(np.log(spread).sum()))
        if evidence > best:
            best, alpha = evidence, signal * (vectors @ (turned / spread))
    return alpha

"""A mixture of two Gaussians over numbers on a line, fitted by expectation maximisation.

Dempster, Laird and Rubin, Maximum Likelihood from Incomplete Data via the EM Algorithm, 1977. It
starts from the best split of the sorted numbers in two (what 2-means looks for; on a line it can be
found exactly), so the same numbers always give the same mixture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_VARIANCE = 1e-6
"""No component gets narrower: one that held a single number would be infinitely likely."""
MOST_ROUNDS = 100
ENOUGH = 1e-6
"""A round that gains less mean log-likelihood is the last."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """Two components: ``weights``, ``means`` and ``variances``, each of shape (2,)."""

    weights: Floats
    means: Floats
    variances: Floats

    def log_joint(self, values: Floats) -> Floats:
        """log(weight · N(x; mean, variance)) of each value and component, shape (n, 2)."""
        spread = (values[:, None] - self.means) ** 2 / self.variances
        return np.log(self.weights) - 0.5 * (spread + np.log(2 * np.pi * self.variances))

    def log_likelihood(self, values: Floats) -> float:
        """The mean log-likelihood of the values."""
        return float(np.logaddexp.reduce(self.log_joint(values), axis=1).mean())

    def upper(self, values: Floats) -> NDArray[np.bool_]:
        """Which values belong to the component with the larger mean, shape (n,)."""
        joint = self.log_joint(values)
        high = int(np.argmax(self.means))
        return joint[:, high] > joint[:, 1 - high]


def fit(values: Floats) -> Mixture | None:
    """The mixture of ``values`` (n,); None where all are equal, or there are fewer than two."""
    steps = trace(values)
    return steps[-1] if steps else None


def trace(values: Floats) -> list[Mixture]:
    """Every mixture on the way, the first from the best split; no step lowers the likelihood."""
    if len(values) < 2 or values.max() - values.min() < 1e-12:
        return []
    upper = values > _split(values)
    steps = [_maximised(values, np.stack([~upper, upper], axis=1).astype(np.float64))]
    reached = steps[0].log_likelihood(values)
    for _ in range(MOST_ROUNDS):
        joint = steps[-1].log_joint(values)
        shares = np.exp(joint - np.logaddexp.reduce(joint, axis=1)[:, None])
        steps.append(_maximised(values, shares))
        gained = steps[-1].log_likelihood(values) - reached
        reached += gained
        if gained < ENOUGH:
            break
    return steps


def _split(values: Floats) -> float:
    """The last value of the lower part, where the squared distances to the parts' means are least.

    With n values in order that is where lower² / i + upper² / (n - i) of the sums is greatest.
    """
    ordered = np.sort(values - values.mean())
    lower = np.cumsum(ordered)[:-1]
    count = np.arange(1, len(values))
    between = lower**2 / count + (ordered.sum() - lower) ** 2 / (len(values) - count)
    return float(np.sort(values)[int(np.argmax(between))])


def _maximised(values: Floats, shares: Floats) -> Mixture:
    """The M step: the likeliest mixture if value i belongs to component j by ``shares`` (n, 2)."""
    held = np.maximum(shares.sum(axis=0), 1e-12)
    means = (shares * values[:, None]).sum(axis=0) / held
    variances = (shares * (values[:, None] - means) ** 2).sum(axis=0) / held
    return Mixture(held / held.sum(), means, np.maximum(variances, LEAST_VARIANCE))

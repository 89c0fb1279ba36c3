"""A ratio of sums over episodes, with an interval that skewed weights don't fool.

Recalls of one episode share its reward, so an episode is one draw, whatever it recalled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import Field

from ..memory.records import Frozen
from .policy import Floats

RESAMPLES = 2000
Z95 = 1.959963984540054


class Estimate(Frozen):
    """A value with its 95 % interval, from ``n`` recalls."""

    mean: float
    ci: tuple[float, float]
    n: int = Field(ge=1)


def by_episode(values: Floats, episodes: Sequence[str]) -> Floats:
    """The sums of ``values`` (n,) over each episode, episodes in sorted order, (c,)."""
    names, member = np.unique(np.asarray(episodes), return_inverse=True)
    return np.bincount(member, weights=values, minlength=len(names)).astype(np.float64)


def ratio(
    top: Floats, bottom: Floats, episodes: Sequence[str], bounds: tuple[float, float], *, seed: int
) -> Estimate:
    """Σ top / Σ bottom, both (n,), with a bootstrap-t interval over episodes.

    Efron and Tibshirani (1993), chapter 12.5, with the linearised standard error of a ratio. In
    a skewed sample the mean and its error move together; studentising takes that in, where the
    normal interval misses on the long side. Where the sample shows no spread, the interval is
    Wilson's between ``bounds``, the least and greatest value a recall can have.
    """
    a, b = by_episode(top, episodes), by_episode(bottom, episodes)
    estimate = float(a.sum() / b.sum())
    error = float(_error(a, b, np.ones((1, len(a))))[0])
    if error <= 1e-12 * max(1.0, abs(estimate)) or len(a) < 2:
        ci = _unseen(estimate, effective(b), bounds)
    else:
        ci = _studentised(a, b, estimate, error, seed)
    return Estimate(mean=estimate, ci=ci, n=len(top))


def effective(weights: Floats) -> float:
    """Kish's effective sample size, (Σw)² / Σw²."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def _studentised(
    a: Floats, b: Floats, estimate: float, error: float, seed: int
) -> tuple[float, float]:
    pivots: list[Floats] = []
    for drawn in _resamples(len(a), seed):
        drawn = drawn[drawn @ b > 0]
        means = (drawn @ a) / (drawn @ b)
        # A resample that lost all spread says nothing of the error: it is held at a tenth of it.
        errors = np.maximum(_error(a, b, drawn), 0.1 * error)
        pivots.append((means - estimate) / errors)
    low, high = np.percentile(np.concatenate(pivots), [2.5, 97.5])
    return (estimate - float(high) * error, estimate - float(low) * error)


def _resamples(groups: int, seed: int) -> Iterator[Floats]:
    """How often each group is in each resample, (part, groups), a part of them at a time."""
    generator = np.random.default_rng(seed)
    part = min(RESAMPLES, max(1, 2_000_000 // groups))
    for begin in range(0, RESAMPLES, part):
        size = min(part, RESAMPLES - begin)
        drawn = generator.integers(0, groups, (size, groups)) + groups * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * groups)
        yield counts.reshape(size, groups).astype(np.float64)


def _error(a: Floats, b: Floats, drawn: Floats) -> Floats:
    """The standard error of Σa/Σb in each resample ``drawn`` (resamples, c), (resamples,)."""
    groups = len(a)
    total = drawn @ b
    estimate = (drawn @ a) / total
    squares = drawn @ (a * a) - 2 * estimate * (drawn @ (a * b)) + estimate**2 * (drawn @ (b * b))
    return np.sqrt(np.maximum(squares, 0.0) * groups / max(groups - 1, 1)) / total


def _unseen(estimate: float, size: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """Wilson's score interval (1927) of a value between ``bounds`` after ``size`` equal draws."""
    low, high = bounds
    if high <= low:
        return (estimate, estimate)
    p = min(max((estimate - low) / (high - low), 0.0), 1.0)
    centre = (p + Z95**2 / (2 * size)) / (1 + Z95**2 / size)
    half = Z95 / (1 + Z95**2 / size) * np.sqrt(p * (1 - p) / size + Z95**2 / (4 * size * size))
    span = high - low
    return (low + span * float(max(centre - half, 0)), low + span * float(min(centre + half, 1)))

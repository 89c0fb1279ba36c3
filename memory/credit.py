"""What showing a memory changed, told from the recalls that drew it and then left it out by chance.

A recall draws memories and leaves each drawn one out with probability ``dropout``. Whether a drawn
memory was shown is therefore a coin's choice and nothing else's: the mean reward with it minus the
mean reward without it is what showing it changed. Recalls without dropout can say nothing here.

Several recalls of one episode share its reward. An episode counts once, by its first recall that
drew the memory, whatever later ones did. Where recalls had different dropouts, the difference is
taken within each and averaged by their sizes, because a difference across them would not be chance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .recollection import RecallLog

Z95 = 1.959963984540054
Floats = NDArray[np.float64]
Method = Literal["Welch", "Agresti-Caffo"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One recall as credit sees it. ``episode`` names what its reward belongs to."""

    episode: str
    offered: tuple[str, ...]
    chosen: tuple[str, ...]
    dropped: tuple[str, ...]
    dropout: float
    reward: float | None


@dataclass(frozen=True, slots=True)
class Contrast:
    """Mean reward of the episodes that a memory was shown in, against those it was left out of.

    ``shown`` and ``left_out`` count episodes in which chance decided and a reward is known.
    ``change`` is the difference, None if one of them is empty; ``ci`` its 95 % interval, None if
    they are too few or too alike to tell, ``method`` how it was computed. ``missing`` says why
    there is no change or no interval, and is empty otherwise.
    """

    shown: int
    left_out: int
    reward_shown: float | None = None
    reward_left_out: float | None = None
    change: float | None = None
    ci: tuple[float, float] | None = None
    method: Method | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Credit:
    """How often recalls offered a memory, showed it, left it out by chance; what showing changed.

    The counts are of recalls in the log, rewarded or not.
    """

    recalled: int
    chosen: int
    dropped: int
    contrast: Contrast


def trial_of(log: RecallLog) -> Trial:
    """A logged recall as a trial; without an episode in its context it stands alone."""
    return Trial(
        episode=log.context.get("episode", log.id),
        offered=tuple(one.id for one in log.candidates),
        chosen=log.chosen,
        dropped=log.dropped,
        dropout=log.dropout,
        reward=log.reward,
    )


def credit(ids: Iterable[str], trials: Sequence[Trial]) -> dict[str, Credit]:
    """The credit of each memory over trials in the order they happened."""
    offers: dict[str, list[Trial]] = {name: [] for name in ids}
    for trial in trials:
        for name in trial.offered:
            if name in offers:
                offers[name].append(trial)
    return {
        name: Credit(
            recalled=len(found),
            chosen=sum(name in trial.chosen for trial in found),
            dropped=sum(name in trial.dropped for trial in found),
            contrast=contrast(name, found),
        )
        for name, found in offers.items()
    }


def contrast(name: str, trials: Iterable[Trial]) -> Contrast:
    """What showing the memory ``name`` changed, over trials in the order they happened."""
    first: dict[str, Trial] = {}
    for trial in trials:
        if name in trial.chosen or name in trial.dropped:
            first.setdefault(trial.episode, trial)
    strata: dict[float, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    unrewarded = False
    for trial in first.values():
        if trial.dropout > 0 and trial.reward is not None:
            strata[trial.dropout][name in trial.dropped].append(trial.reward)
        unrewarded |= trial.dropout > 0 and trial.reward is None
    shown = sum(len(with_it) for with_it, _ in strata.values())
    left_out = sum(len(without) for _, without in strata.values())
    pairs = [
        (np.array(with_it), np.array(without))
        for _, (with_it, without) in sorted(strata.items())
        if with_it and without
    ]
    if not pairs:
        missing = _why_unmeasurable(first, shown, left_out, unrewarded)
        return Contrast(shown, left_out, missing=missing)
    weights = _weights(pairs)
    change = _difference(pairs, weights)
    ci, method = interval(pairs)
    return Contrast(
        shown=sum(len(with_it) for with_it, _ in pairs),
        left_out=sum(len(without) for _, without in pairs),
        reward_shown=float(sum(w * x.mean() for w, (x, _) in zip(weights, pairs, strict=True))),
        reward_left_out=float(sum(w * y.mean() for w, (_, y) in zip(weights, pairs, strict=True))),
        change=change,
        ci=ci,
        method=method,
        missing="" if ci else "too few or too alike for an interval",
    )


def interval(
    pairs: Sequence[tuple[Floats, Floats]],
) -> tuple[tuple[float, float] | None, Method | None]:
    """The 95 % interval of the difference (shown, left out), stratified, and how it was computed.

    Rewards that are all 0 or 1 get Agresti and Caffo's (2000): one success and one failure are
    added to each side, so that few or equal outcomes do not look certain. Others get Welch's
    (1947) with t quantiles; None if a side has fewer than two rewards or nothing varies.
    """
    if all(((side == 0) | (side == 1)).all() for pair in pairs for side in pair):
        padded = [(_with_two(x), _with_two(y)) for x, y in pairs]
        weights = _weights(pairs)
        variance = math.fsum(
            w**2 * float(side.var()) / len(side)
            for w, pair in zip(weights, padded, strict=True)
            for side in pair
        )
        middle, half = _difference(padded, weights), Z95 * math.sqrt(variance)
        return (max(-1.0, middle - half), min(1.0, middle + half)), "Agresti-Caffo"
    if min(len(side) for pair in pairs for side in pair) < 2:
        return None, None
    parts = [
        (w**2 * side.var(ddof=1) / len(side), len(side) - 1)
        for w, pair in zip(_weights(pairs), pairs, strict=True)
        for side in pair
    ]
    variance = float(sum(part for part, _ in parts))
    if variance == 0:
        return None, None
    freedom = variance**2 / float(sum(part**2 / df for part, df in parts))
    middle, half = _difference(pairs, _weights(pairs)), t95(freedom) * math.sqrt(variance)
    return (middle - half, middle + half), "Welch"


def t95(freedom: float) -> float:
    """The t that |T| stays below with probability 0.95, for ``freedom`` degrees, at least 1.

    With t = √ν tan θ the density of Student's t is proportional to cos^(ν-1) θ.
    """
    freedom = min(freedom, 10_000.0)
    angle: Floats = np.linspace(0.0, math.pi / 2, 8192)
    density: Floats = np.cos(angle) ** (freedom - 1)
    mass: Floats = np.append(0.0, np.cumsum((density[1:] + density[:-1]) / 2))
    reached = float(np.interp(0.95, mass / mass[-1], angle))
    return math.sqrt(freedom) * math.tan(reached)


def _weights(pairs: Sequence[tuple[Floats, Floats]]) -> list[float]:
    """The share of each stratum in the episodes."""
    sizes = [len(x) + len(y) for x, y in pairs]
    return [size / sum(sizes) for size in sizes]


def _difference(pairs: Sequence[tuple[Floats, Floats]], weights: Sequence[float]) -> float:
    return float(sum(w * (x.mean() - y.mean()) for w, (x, y) in zip(weights, pairs, strict=True)))


def _with_two(side: Floats) -> Floats:
    return np.append(side, (0.0, 1.0))


def _why_unmeasurable(first: dict[str, Trial], shown: int, left_out: int, unrewarded: bool) -> str:
    if not first:
        return "not measurable: never drawn"
    if shown and left_out:
        return "not measurable: shown and left out only under different dropouts"
    if unrewarded:
        return "not measurable: no reward yet"
    if left_out:
        return "not measurable: never shown where it could have been left out"
    return "not measurable: never left out"

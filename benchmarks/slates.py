"""Who of a slate earned the reward: three ways to credit memories that are shown together.

A slate of four is drawn from forty memories, a few of which go along with a question of a type that
is easy or hard; success depends on the type and on the sum of what the shown memories add. The
credit of a memory is compared with what it truly adds, by Spearman's rank correlation.
``broadcast`` gives every memory of a slate the reward; ``slot dropout`` leaves each slot out with
probability 0.15 and compares; ``leave one out`` always shows three of the four.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

MEMORIES, SLATE, TYPES = 40, 4, 5
DROPOUT = 0.15

Floats = NDArray[np.float64]


def slate_credit(seeds: Iterable[int], rounds: int) -> dict[str, float]:
    """Rank correlation of each way's credit with the truth, mean and 95 % interval over seeds."""
    found: dict[str, list[float]] = {"broadcast": [], "slot_dropout": [], "leave_one_out": []}
    for seed in seeds:
        for way, values in found.items():
            values.append(_correlation(np.random.default_rng(seed), rounds, way))
    figures: dict[str, float] = {}
    for way, values in found.items():
        half = 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5
        mean = float(np.mean(values))
        name = f"slate_credit_rank_correlation_{way}"
        figures |= {name: mean, f"{name}_low": mean - half, f"{name}_high": mean + half}
    return figures


def _correlation(rng: np.random.Generator, rounds: int, way: str) -> float:
    """One world: memories of a type are recalled for it, and hard types have memories as good."""
    adds = rng.normal(0.0, 0.12, MEMORIES)
    kind = rng.integers(0, TYPES, MEMORIES)
    ease = rng.uniform(0.15, 0.75, TYPES)
    shown, left = np.zeros((2, MEMORIES)), np.zeros((2, MEMORIES))
    for _ in range(rounds):
        asked = int(rng.integers(0, TYPES))
        weights = np.where(kind == asked, 6.0, 1.0)
        slate = rng.choice(MEMORIES, SLATE, replace=False, p=weights / weights.sum())
        out = rng.random(SLATE) < DROPOUT if way == "slot_dropout" else np.zeros(SLATE, np.bool_)
        if way == "leave_one_out":
            out[rng.integers(0, SLATE)] = True
        chance = np.clip(ease[asked] + adds[slate[~out]].sum(), 0.02, 0.98)
        reward = float(rng.random() < chance)
        shown[:, slate[~out]] += [[1.0], [reward]]
        left[:, slate[out]] += [[1.0], [reward]]
    credit = _mean(shown) - (_mean(left) if way != "broadcast" else 0.0)
    return float(np.corrcoef(_ranks(credit), _ranks(adds))[0, 1])


def _mean(counted: Floats) -> Floats:
    """Rewards over counts, shape (memories,)."""
    return counted[1] / np.maximum(counted[0], 1.0)


def _ranks(values: Floats) -> Floats:
    return values.argsort().argsort().astype(np.float64)

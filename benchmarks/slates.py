"""Who of a slate earned the reward: three ways to credit memories that are shown together.

A slate of four is drawn from forty memories, a few of which go along with a question of a type that
is easy or hard; success depends on the type and on the sum of what the shown memories add. The
credit of a memory is compared with what it truly adds, by Spearman's rank correlation.
``broadcast`` gives every memory of a slate the reward. The other two are Reverie's credit
(``memory.credit``): ``slot dropout`` leaves each slot out with probability 0.15, ``leave one out``
always one of the four.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from reverie.memory.credit import Trial, credit

MEMORIES, SLATE, TYPES = 40, 4, 5
DROPOUT = {"broadcast": 0.0, "slot_dropout": 0.15, "leave_one_out": 1 / SLATE}
IDS = [f"m{number:02d}" for number in range(MEMORIES)]

Floats = NDArray[np.float64]


def slate_credit(seeds: Iterable[int], rounds: int) -> dict[str, float]:
    """Rank correlation of each way's credit with the truth, mean and 95 % interval over seeds."""
    found: dict[str, list[float]] = {way: [] for way in DROPOUT}
    for seed in seeds:
        for way, values in found.items():
            adds, trials = live(np.random.default_rng(seed), rounds, way)
            got = broadcast(trials) if way == "broadcast" else contrasts(trials)
            values.append(float(np.corrcoef(_ranks(got), _ranks(adds))[0, 1]))
    figures: dict[str, float] = {}
    for way, values in found.items():
        half = 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5
        mean = float(np.mean(values))
        name = f"slate_credit_rank_correlation_{way}"
        figures |= {name: mean, f"{name}_low": mean - half, f"{name}_high": mean + half}
    return figures


def live(rng: np.random.Generator, rounds: int, way: str) -> tuple[Floats, list[Trial]]:
    """One world: what each memory adds, and the slates that were shown and what they earned.

    Memories of a type are recalled for it, and hard types have memories as good as easy ones.
    """
    adds = rng.normal(0.0, 0.12, MEMORIES)
    kind = rng.integers(0, TYPES, MEMORIES)
    ease = rng.uniform(0.15, 0.75, TYPES)
    trials: list[Trial] = []
    for turn in range(rounds):
        asked = int(rng.integers(0, TYPES))
        weights = np.where(kind == asked, 6.0, 1.0)
        slate = rng.choice(MEMORIES, SLATE, replace=False, p=weights / weights.sum())
        out = rng.random(SLATE) < (DROPOUT[way] if way == "slot_dropout" else 0.0)
        if way == "leave_one_out":
            out[rng.integers(0, SLATE)] = True
        chance = np.clip(ease[asked] + adds[slate[~out]].sum(), 0.02, 0.98)
        drawn: list[int] = slate.tolist()
        trials.append(
            Trial(
                episode=str(turn),
                offered=tuple(IDS[one] for one in drawn),
                chosen=tuple(IDS[one] for one, left in zip(drawn, out, strict=True) if not left),
                dropped=tuple(IDS[one] for one, left in zip(drawn, out, strict=True) if left),
                dropout=DROPOUT[way],
                reward=float(rng.random() < chance),
            )
        )
    return adds, trials


def contrasts(trials: list[Trial]) -> Floats:
    """What showing each memory changed, shape (memories,)."""
    found = credit(IDS, trials)
    return np.array([found[name].contrast.change or 0.0 for name in IDS])


def broadcast(trials: list[Trial]) -> Floats:
    """The mean reward of the slates that showed each memory, shape (memories,)."""
    earned: dict[str, list[float]] = {name: [0.0] for name in IDS}
    for trial in trials:
        for name in trial.chosen:
            earned[name].append(trial.reward or 0.0)
    return np.array([sum(earned[name]) / max(1, len(earned[name]) - 1) for name in IDS])


def _ranks(values: Floats) -> Floats:
    return values.argsort().argsort().astype(np.float64)

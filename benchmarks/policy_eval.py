"""Do the intervals of off-policy evaluation hold the true value? A world whose truth is known.

    python benchmarks/policy_eval.py
    python benchmarks/policy_eval.py --json
    python benchmarks/policy_eval.py --quick

States are unit vectors of a few sorts; memories help in some sorts, harm in others, and help each
other less the more there are (which the additive reward model can't say). A similarity policy logs
by chance; kernel Q, taught beforehand on another log, is judged from it. Its true value is
computed over every state and every slate it can draw.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from machine import print_json, print_table

from reverie.agent.kernel_q import KernelOptions, KernelQPolicy
from reverie.agent.policy import Candidate, Selection, SimilarityPolicy, State
from reverie.agent.policy_eval import Example, evaluate
from reverie.agent.propensities import offer, probability
from reverie.errors import MemoryFault

STATES = 200
SORTS = 4
MEMORIES = 24
OFFERED = 8
DIM = 16


@dataclass(frozen=True)
class Setting:
    """A log and a target: ``logs`` examples of at most ``k`` memories."""

    name: str
    k: int
    logs: int
    dropout: float
    logging: float
    target: float
    recalls: int = 1


SETTINGS = (
    Setting("k1", k=1, logs=400, dropout=0.0, logging=0.3, target=0.1),
    Setting("k1_episodes", k=1, logs=400, dropout=0.0, logging=0.3, target=0.1, recalls=2),
    Setting("k1_far", k=1, logs=150, dropout=0.0, logging=0.2, target=0.06),
    Setting("k3_dropout", k=3, logs=500, dropout=0.1, logging=0.4, target=0.3),
)


class World:
    """States with their candidates, and what every set of them earns with which probability."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        centres = rng.standard_normal((SORTS, DIM))
        self.sort = rng.integers(0, SORTS, STATES)
        vectors = centres[self.sort] + 0.4 * rng.standard_normal((STATES, DIM))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        self.states = [
            State(f"state {place}", vector.astype(np.float32))
            for place, vector in enumerate(vectors)
        ]
        self.base = rng.uniform(0.1, 0.4, SORTS)
        self.help = rng.uniform(-0.2, 0.6, (SORTS, MEMORIES))
        self.candidates = [self._candidates(sort, rng) for sort in self.sort]

    def _candidates(self, sort: int, rng: np.random.Generator) -> list[Candidate]:
        offered = rng.choice(MEMORIES, OFFERED, replace=False)
        likeness = 0.4 + 0.3 * self.help[sort, offered] + 0.15 * rng.standard_normal(OFFERED)
        return [
            Candidate(id=f"m{name:02d}", similarity=float(similarity))
            for name, similarity in zip(offered, np.clip(likeness, 0, 1), strict=True)
        ]

    def chance(self, place: int, shown: Sequence[str]) -> float:
        """The probability of reward 1 in a state, by what is shown."""
        sort = self.sort[place]
        missed = 1.0 - self.base[sort]
        for name in shown:
            missed *= 1.0 - self.help[sort, int(name[1:])]
        return float(np.clip(1.0 - missed, 0.02, 0.98))


def taught(world: World, seed: int, temperature: float) -> KernelQPolicy:
    """A policy that has learnt on a log of its own."""
    rng = random.Random(seed)
    policy = KernelQPolicy(KernelOptions(temperature=temperature), abstain=False)
    teacher = SimilarityPolicy(0.5)
    for _ in range(300):
        place = rng.randrange(STATES)
        chosen = teacher.select(world.states[place], world.candidates[place], 1, rng)
        policy.update(chosen, float(rng.random() < world.chance(place, chosen.chosen)))
    return policy


def truth(world: World, policy: KernelQPolicy, k: int) -> float:
    """What the policy earns, over every state and every sequence of ``k``."""
    total = 0.0
    for place, state in enumerate(world.states):
        candidates = world.candidates[place]
        logits = offer(policy, state, candidates, k)
        for drawn in permutations([one.id for one in candidates], k):
            likely = probability(policy.draw, logits, drawn, k)
            total += likely * world.chance(place, drawn)
    return total / STATES


def logged(world: World, setting: Setting, seed: int) -> list[Example]:
    """A log; an episode's ``recalls`` share a reward, which each of them earns in its turn."""
    rng = random.Random(seed)
    policy = SimilarityPolicy(setting.logging, dropout=setting.dropout)
    examples: list[Example] = []
    for episode in range(setting.logs // setting.recalls):
        place = rng.randrange(STATES)
        luck = rng.random()  # shared by the recalls of an episode, which makes them alike
        for _ in range(setting.recalls):
            chosen: Selection = policy.select(
                world.states[place], world.candidates[place], setting.k, rng
            )
            reward = float(luck < world.chance(place, chosen.chosen))
            examples.append(Example(chosen, reward, str(episode)))
    return examples


def measure(setting: Setting, repeats: int) -> dict[str, float]:
    """How often each interval holds the truth, how wide it is, and how far the estimate is off.

    Logs with too little overlap are refused, and only counted.
    """
    world = World(1)
    policy = taught(world, 2, setting.target)
    true = truth(world, policy, setting.k)
    hit: dict[str, list[float]] = {"ips": [], "snips": [], "dr": []}
    wide: dict[str, list[float]] = {name: [] for name in hit}
    off: dict[str, list[float]] = {name: [] for name in hit}
    sizes: list[float] = []
    values: list[float] = []
    for repeat in range(repeats):
        examples = logged(world, setting, 1000 + repeat)
        try:
            found = evaluate(examples, policy, k=setting.k, dropout=0.0)
        except MemoryFault:
            continue
        sizes.append(found.overlap.effective)
        values.append(found.logged.mean)
        for name, one in (("ips", found.ips), ("snips", found.snips), ("dr", found.dr)):
            hit[name].append(float(one.ci[0] <= true <= one.ci[1]))
            wide[name].append(one.ci[1] - one.ci[0])
            off[name].append(one.mean - true)
    figures = {"refused": 1 - len(sizes) / repeats, "true": true}
    if not sizes:
        return figures
    figures |= {"logged": mean(values), "effective": mean(sizes)}
    for name in hit:
        figures[f"{name}_coverage"] = mean(hit[name])
        figures[f"{name}_width"] = mean(wide[name])
        figures[f"{name}_bias"] = mean(off[name])
        figures[f"{name}_rmse"] = mean([error**2 for error in off[name]]) ** 0.5
    return figures


def mean(values: Sequence[float]) -> float:
    """Their mean."""
    return sum(values) / len(values)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--only", default="", help="settings by comma, of those in the table")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="20 repeats")
    options = parser.parse_args(arguments)
    wanted = options.only.split(",") if options.only else [one.name for one in SETTINGS]
    repeats = 20 if options.quick else options.repeats
    found = {one.name: measure(one, repeats) for one in SETTINGS if one.name in wanted}
    if options.json:
        figures = {f"{name}.{key}": v for name, one in found.items() for key, v in one.items()}
        print_json("policy_eval", figures | {"repeats": repeats})
        return
    keys = list(dict.fromkeys(key for one in found.values() for key in one))
    rows = [
        [key, *(f"{one[key]:.3f}" if key in one else "" for one in found.values())] for key in keys
    ]
    print_table(f"Off-policy evaluation, {repeats} repeats", ["figure", *found], rows)


if __name__ == "__main__":
    main()

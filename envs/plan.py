"""Which tasks a run plays, and in what order: the same for every arm, so that arms are paired."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..agent.environment import Task
from ..errors import DataMissing
from .runs import Arm, RunSpec


@dataclass(frozen=True)
class Job:
    """One episode to play.

    ``index`` is its place in the order of its arm and seed; ``seed`` the run's seed that made the
    order; ``episode_seed`` what the agent draws from, the same in every arm.
    """

    arm: Arm
    seed: int
    index: int
    attempt: int
    task: Task
    episode_seed: int

    @property
    def stream(self) -> tuple[Arm, int]:
        """The arm and seed this job belongs to."""
        return (self.arm, self.seed)


def sample(tasks: Sequence[Task], n: int, salt: str = "") -> list[Task]:
    """``n`` tasks with the types in proportion and every type early; all, if there are fewer.

    The i-th task of a type that has c, in an order drawn by ``salt``, gets the key (i + 1/2) / c;
    the n smallest keys are taken (systematic sampling). The tasks that are played are drawn with
    no salt, so that seeds replicate a run over the same tasks.
    """
    by_type: dict[str, list[Task]] = defaultdict(list)
    for task in sorted(tasks, key=lambda task: _hash(salt + task.id)):
        by_type[task.type].append(task)
    keyed = [
        ((i + 0.5) / len(members), kind, task)
        for kind, members in by_type.items()
        for i, task in enumerate(members)
    ]
    keyed.sort(key=lambda item: item[:2])
    return [task for _, _, task in keyed[:n]]


def order(tasks: Sequence[Task], n: int, seed: int) -> list[tuple[int, Task]]:
    """``n`` pairs (attempt, task) in the order that ``seed`` shuffles.

    Beyond the number of tasks a further pass begins, shuffled anew, and the attempt counts up.
    """
    out: list[tuple[int, Task]] = []
    attempt = 0
    while len(out) < n:
        attempt += 1
        chosen = sample(tasks, min(n - len(out), len(tasks)))
        random.Random(f"{seed}/{attempt}").shuffle(chosen)
        out += [(attempt, task) for task in chosen]
    return out


def plan(spec: RunSpec, tasks: Sequence[Task]) -> list[Job]:
    """Every episode of a run. Arms and seeds take turns, so a run cut short is still paired.

    Raises ``DataMissing`` if the split has no tasks.
    """
    if not tasks:
        raise DataMissing(f"the split {spec.split} of {spec.env} has no tasks")
    n = spec.episodes or len(tasks)
    orders = {seed: order(tasks, n, seed) for seed in spec.seeds}
    return [
        Job(
            arm=arm,
            seed=seed,
            index=index,
            attempt=orders[seed][index][0],
            task=orders[seed][index][1],
            episode_seed=episode_seed(seed, orders[seed][index][1].id, orders[seed][index][0]),
        )
        for index in range(n)
        for seed in spec.seeds
        for arm in spec.arms
    ]


def episode_seed(seed: int, task_id: str, attempt: int) -> int:
    """The seed of one episode, in [0, 2**31): equal in every arm, so that arms are paired."""
    return int(_hash(f"{seed}/{task_id}/{attempt}")[:8], 16) & 0x7FFFFFFF


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

"""A world small enough to hold in the head: doors, and keys whose colour depends on the wood.

A task shows a door of some wood; one of three keys opens it, the same for all doors of that wood.
Who remembers which key opened the last oak door opens the next one. ``stage`` plays it with a
scripted agent over a memory in a JSON file, so that the runner can be tested on its own.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import JsonValue

from reverie.agent.environment import Observation, Outcome, StepResult, Task
from reverie.agent.state import Episode, TraceStep
from reverie.envs.runner import run
from reverie.envs.runs import Arm, Budget, Drawn, Recalled, RunSpec
from reverie.errors import EnvironmentFault, StoreLocked

WOODS = {"oak": "red", "elm": "blue", "ash": "green"}
KEYS = ("red", "green", "blue")
SIZE = {"train": 9, "valid": 12}


class Doors:
    """An environment of doors."""

    name = "doors"

    def __init__(self, faulty: str = "") -> None:
        self.faulty = faulty
        self._task: Task | None = None
        self._held = ""
        self._open = self._done = False

    def tasks(self, split: str) -> Sequence[Task]:
        woods = list(WOODS)
        return [
            Task(id=f"{split}/{i}", split=split, type=woods[i % len(woods)])
            for i in range(SIZE.get(split, 0))
        ]

    def reset(self, task: Task) -> Observation:
        if task.id == self.faulty:
            raise EnvironmentFault(f"the door of {task.id} is stuck in the wall")
        self._task, self._held, self._open, self._done = task, "", False, False
        return self._see(f"You face a door of {task.type}.")

    def step(self, action: str) -> StepResult:
        assert self._task is not None
        verb, _, key = action.partition(" ")
        if verb == "take" and key in KEYS:
            self._held = key
            return StepResult(observation=self._see(f"You hold the {key} key."))
        if action == "open door":
            self._open = WOODS[self._task.type] == self._held
            self._done = True
            text = "The door is open." if self._open else "The key does not fit, and breaks."
            return StepResult(observation=self._see(text), reward=float(self._open), done=True)
        return StepResult(observation=self._see("Nothing happens."), valid=False)

    def score(self) -> Outcome:
        return Outcome(success=self._open, reward=float(self._open))

    def instructions(self) -> str:
        return "Take a key and open the door."

    def describe(self) -> dict[str, str | int | bool]:
        return {"protocol": "doors", "keys": len(KEYS)}

    def demonstration(self, task: Task) -> tuple[str, ...] | None:
        if task.split != "train":
            return None
        return (f"take {WOODS[task.type]}", "open door")

    def close(self) -> None:
        self._task = None

    def _see(self, text: str) -> Observation:
        actions = (*(f"take {key}" for key in KEYS), "open door")
        return Observation(text=text, goal="open the door", actions=actions)


class Notebook:
    """A memory in one JSON file. Writing is not idempotent, so a replay without care would show."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.notes: list[dict[str, str]] = []
        self.recalls = 0
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            lock = folder / "lock"
            if lock.exists() and _alive(int(lock.read_text())):
                raise StoreLocked(f"{folder} is open in process {lock.read_text()}")
            lock.write_text(str(os.getpid()))
            if (folder / "notes.json").exists():
                kept = json.loads((folder / "notes.json").read_text())
                self.notes, self.recalls = kept["notes"], kept["recalls"]

    def write(self, note: dict[str, str]) -> None:
        self.notes.append(note)
        self.flush()
        _maybe_die()

    def flush(self) -> None:
        if self.folder is not None:
            text = json.dumps({"notes": self.notes, "recalls": self.recalls})
            (self.folder / "notes.json").write_text(text)


class Chair:
    """A seat of the doors' stage: tries the key it remembers for the wood, else any."""

    def __init__(self, world: Doors, notebook: Notebook | None) -> None:
        self.world = world
        self.notebook = notebook

    def play(self, task: Task, *, run: str, seed: int, write: bool) -> Episode:
        began = time.perf_counter()
        seen = self.world.reset(task)
        known = self._recall(task)
        key = known["key"] if known else random.Random(seed).choice(KEYS)
        steps: list[TraceStep] = []
        for action in (f"take {key}", "open door"):
            result = self.world.step(action)
            steps.append(
                TraceStep(
                    observation=seen.text,
                    action=action,
                    reward=result.reward,
                    valid=result.valid,
                    trigger="first",
                    recalled=(known["id"],) if known else (),
                )
            )
            seen = result.observation
        _dawdle()
        outcome = self.world.score()
        written: list[str] = []
        if write and self.notebook is not None:
            for part in ("draft", task.type if outcome.success else "failure"):
                note = {"id": f"{run}/{part}", "wood": part, "key": key}
                self.notebook.write(note)
                written.append(note["id"])
        return Episode(
            task_id=task.id,
            task_type=task.type,
            split=task.split,
            seed=seed,
            goal=seen.goal,
            success=outcome.success,
            reward=outcome.reward,
            steps=2,
            invalid_actions=0,
            stop_reason="done",
            tokens=10,
            usd=0.001,
            seconds=time.perf_counter() - began,
            model_seconds=0.0,
            env_seconds=0.0,
            trajectory=tuple(steps),
            recalled=(known["id"],) if known else (),
            recall_ids=(),
            written=tuple(written),
        )

    def seed(self, tasks: Sequence[Task]) -> int:
        assert self.notebook is not None
        for task in tasks:
            plan = self.world.demonstration(task)
            assert plan is not None
            key = plan[0].removeprefix("take ")
            self.notebook.write({"id": f"seed/{task.id}", "wood": task.type, "key": key})
        return len(tasks)

    def briefs(self, ids: Sequence[str]) -> Sequence[Recalled]:
        notes = self.notebook.notes if self.notebook else []
        return [
            Recalled(id=note["id"], kind="case", task_type=note["wood"], outcome="success",
                     text=f"the {note['key']} key opens {note['wood']}")
            for note in notes
            if note["id"] in ids
        ]  # fmt: skip

    def draws(self, recalls: Sequence[str]) -> Sequence[Drawn]:
        return ()

    def state(self) -> dict[str, int]:
        if self.notebook is None:
            return {}
        return {"records": len(self.notebook.notes), "recalls": self.notebook.recalls}

    def save(self, folder: Path) -> None:
        assert self.notebook is not None and self.notebook.folder is not None
        shutil.copytree(self.notebook.folder, folder, ignore=shutil.ignore_patterns("lock"))

    def close(self) -> None:
        if self.notebook is not None and self.notebook.folder is not None:
            (self.notebook.folder / "lock").unlink(missing_ok=True)

    def _recall(self, task: Task) -> dict[str, str] | None:
        if self.notebook is None:
            return None
        self.notebook.recalls += 1
        self.notebook.flush()
        found = [note for note in self.notebook.notes if note["wood"] == task.type]
        return found[-1] if found else None


class Hall:
    """The stage: one world, and chairs over notebooks."""

    def __init__(self, spec: RunSpec) -> None:
        self.environment = Doors(str(spec.options.get("faulty", "")))

    def prepare(self, tell: Callable[[str], None]) -> None:
        tell("hanging the doors")

    def seat(self, arm: Arm, seed: int, folder: Path | None) -> Chair:
        return Chair(self.environment, None if arm == Arm.OFF else Notebook(folder))

    def model_id(self) -> str:
        return "scripted"

    def agent(self) -> dict[str, JsonValue]:
        return {"embedder": "none"}

    def close(self) -> None:
        self.environment.close()


def stage(spec: RunSpec) -> Hall:
    """Build the doors' stage."""
    return Hall(spec)


def spec_for(
    out: Path,
    *,
    arms: tuple[Arm, ...] = (Arm.OFF, Arm.FROZEN, Arm.ONLINE),
    seeds: tuple[int, ...] = (1, 2),
    episodes: int | None = None,
    seed_cases: int = 2,
    workers: int = 1,
    limits: Budget | None = None,
    faulty: str = "",
) -> RunSpec:
    """A run over the doors."""
    return RunSpec(
        env="doors",
        out=out,
        arms=arms,
        model="scripted",
        episodes=episodes,
        seeds=seeds,
        split="valid",
        seed_cases=seed_cases,
        options={"faulty": faulty} if faulty else {},
        workers=workers,
        limits=limits or Budget(),
    )


def main() -> None:
    """Play a run in this process: ``python -m reverie.tests.envs.world OUT WORKERS``."""
    run(spec_for(Path(sys.argv[1]), workers=int(sys.argv[2])), stage=stage)


def _maybe_die() -> None:
    """Die as by kill -9 at the n-th write, where DOORS_DIE says n."""
    global _writes
    _writes += 1
    if os.environ.get("DOORS_DIE") == str(_writes):
        os.kill(os.getpid(), signal.SIGKILL)


def _dawdle() -> None:
    """Take DOORS_PAUSE seconds over an episode."""
    time.sleep(float(os.environ.get("DOORS_PAUSE", "0")))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return process != os.getpid()


_writes = 0

if __name__ == "__main__":
    main()

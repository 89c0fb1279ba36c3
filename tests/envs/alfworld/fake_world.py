"""A world of one task for the worker's tests; it loads in no time and fails on demand."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from reverie.agent.environment import Observation, Outcome, StepResult, Task
from reverie.errors import DataMissing, MissingExtra


class FakeWorld:
    """Echoes its actions; "boom", "die", "hang", "print" and "lack" do what they say."""

    name = "fake"

    def __init__(self, greeting: str = "hello") -> None:
        if greeting == "refuse":
            raise DataMissing("no data for the fake world")
        self._greeting = greeting
        self._steps = 0

    def tasks(self, split: str) -> Sequence[Task]:
        return [Task(id=f"{split}/1", split=split, type="echo")]

    def reset(self, task: Task) -> Observation:
        self._steps = 0
        return Observation(text=f"{self._greeting} {os.getpid()}", goal=task.id, actions=("a",))

    def step(self, action: str) -> StepResult:
        self._steps += 1
        match action:
            case "boom":
                raise ValueError("boom")
            case "die":
                os._exit(3)
            case "hang":
                time.sleep(60)
            case "print":
                print("noise on stdout", flush=True)
            case "lack":
                raise MissingExtra("textworld", "alfworld")
            case _:
                pass
        return StepResult(observation=Observation(text=action, goal=""), reward=0.5)

    def score(self) -> Outcome:
        return Outcome(success=True, reward=1.0, metrics={"steps": self._steps})

    def instructions(self) -> str:
        return "echo"

    def describe(self) -> dict[str, str | int | bool]:
        return {"greeting": self._greeting, "fake": True}

    def demonstration(self, task: Task) -> tuple[str, ...] | None:
        return ("a",) if task.split == "train" else None

    def close(self) -> None:
        """Nothing to free."""

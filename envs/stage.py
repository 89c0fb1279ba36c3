"""What a run plays on: an environment, and for each arm and seed a seat with agent and memory.

The runner asks for a ``Stage`` and knows nothing else of models, memories and worlds. Give it your
own and it will run that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from pydantic import JsonValue

from ..agent.environment import Environment, Task
from ..agent.state import Episode
from .runs import Arm, Drawn, Recalled, RunSpec


class Seat(Protocol):
    """One arm at one seed: an agent, and its memory if the arm has one."""

    def play(self, task: Task, *, run: str, seed: int, write: bool) -> Episode:
        """Play one episode. With ``write`` the memory learns from it before this returns.

        ``run`` names run, arm, seed and index: record ids derived from it make a replay's writes
        equal to the first play's.
        """
        ...

    def seed(self, tasks: Sequence[Task]) -> int:
        """Put the demonstrations of training tasks into memory; how many there were."""
        ...

    def briefs(self, ids: Sequence[str]) -> Sequence[Recalled]:
        """What the run's record says of recalled records; those that are gone are left out."""
        ...

    def draws(self, recalls: Sequence[str]) -> Sequence[Drawn]:
        """What these logged recalls drew, in order; those that are gone are left out."""
        ...

    def state(self) -> dict[str, int]:
        """What the memory holds now, in counts; empty without a memory."""
        ...

    def save(self, folder: Path) -> None:
        """Write a copy of the memory, as of now, to a folder that does not exist yet."""
        ...

    def close(self) -> None:
        """Let go of the memory's folder."""
        ...


class Stage(Protocol):
    """Where a run plays. One stage lives in each process and plays one episode at a time."""

    def prepare(self, tell: Callable[[str], None]) -> None:
        """Make what is made once and takes long, saying so; called once, before anything else."""
        ...

    @property
    def environment(self) -> Environment:
        """The world, built when it is first asked for."""
        ...

    def seat(self, arm: Arm, seed: int, folder: Path | None) -> Seat:
        """An agent of this arm over the memory in ``folder`` (made if need be; None: none)."""
        ...

    def model_id(self) -> str:
        """The model's stable id, for the run's record."""
        ...

    def agent(self) -> dict[str, JsonValue]:
        """The agent's options with their defaults and the embedder, for the run's record."""
        ...

    def close(self) -> None:
        """Free the environment and the model."""
        ...


@runtime_checkable
class StageFactory(Protocol):
    """Builds a stage from a spec. It must be picklable (a module's function) for workers > 1."""

    def __call__(self, spec: RunSpec) -> Stage: ...


def describe(environment: Environment) -> dict[str, JsonValue]:
    """An environment's own description, as ``run.json`` keeps it."""
    facts: Mapping[str, str | int | bool] = environment.describe()
    return {"name": environment.name, **facts}

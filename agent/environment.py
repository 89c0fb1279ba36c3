"""Where tasks come from: the contract between the loop and a world it acts in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from pydantic import Field

from ..memory.records import Frozen


class Task(Frozen):
    """One thing to do. It carries no gold answer."""

    id: str
    split: str
    type: str = ""
    seed: int = 0


class Observation(Frozen):
    """What the agent perceives. ``goal`` stays the same through an episode."""

    text: str
    goal: str
    actions: tuple[str, ...] = Field(
        default=(), description="the admissible actions; empty means any text may be an action"
    )
    images: tuple[str, ...] = Field(default=(), description="data URLs")


class StepResult(Frozen):
    """What one action led to. ``reward`` is the reward of this step alone."""

    observation: Observation
    reward: float = 0.0
    done: bool = False
    valid: bool = Field(default=True, description="False if the world did not understand it")


class Outcome(Frozen):
    """How an episode is scored. ``metrics`` go to the report beside ``reward``."""

    success: bool
    reward: float
    metrics: dict[str, float] = Field(default_factory=dict)


@runtime_checkable
class Environment(Protocol):
    """A world with tasks. One instance plays one episode at a time.

    The scorer may read what the agent must not: only ``score`` sees the gold.
    """

    name: str

    def tasks(self, split: str) -> Sequence[Task]:
        """All tasks of a split, in a fixed order. Raises ``DataMissing`` when there are none."""
        ...

    def reset(self, task: Task) -> Observation:
        """Begin ``task`` and return its first observation."""
        ...

    def step(self, action: str) -> StepResult:
        """Take one action. An action the world does not know is not an error."""
        ...

    def score(self) -> Outcome:
        """Score the episode played so far; an unfinished one has failed."""
        ...

    def instructions(self) -> str:
        """The system text that tells a model how to act in this world."""
        ...

    def describe(self) -> dict[str, str | int | bool]:
        """Protocol, limits and data hash, for the run's record."""
        ...

    def demonstration(self, task: Task) -> tuple[str, ...] | None:
        """A known solution of a *training* task, else None (never for an evaluation split)."""
        ...

    def close(self) -> None:
        """Free processes and files."""
        ...

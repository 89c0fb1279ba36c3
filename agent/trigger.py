"""When to recall: the rules, and the contract of what learns. A trigger sees the episode so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from .state import Decision, View

KEPT_TRIGGER = "trigger"
"""Under this name the memory keeps what a trigger learnt."""

HOLD = Decision()
"""The decision not to recall."""


class Trigger(Protocol):
    """Decides at each step whether recalling is worth it."""

    name: str

    def decide(self, view: View) -> Decision:
        """Whether to recall now, and why."""
        ...


@runtime_checkable
class LearningTrigger(Trigger, Protocol):
    """A trigger that learns from reward; the agent keeps what it learnt in the memory."""

    def learn(self, decisions: Sequence[Decision], tokens: Sequence[int], reward: float) -> None:
        """Learn from an episode: its decisions, the tokens each recalled, and the final reward."""
        ...

    def dump(self) -> bytes:
        """All that was learnt."""
        ...

    def restore(self, data: bytes) -> None:
        """The inverse of ``dump``. Raises ``PolicyFault`` for what it did not write."""
        ...


class Always:
    """Recall at every step."""

    name = "always"

    def decide(self, view: View) -> Decision:
        """Fire always."""
        return Decision(reason="always")


class Never:
    """Never recall: the agent without memory."""

    name = "never"

    def decide(self, view: View) -> Decision:
        """Fire never."""
        return HOLD


class FirstStep:
    """Recall once, before the first action."""

    name = "first"

    def decide(self, view: View) -> Decision:
        """Fire when nothing has been done yet."""
        return HOLD if view.steps else Decision(reason="first")


class WhenStuck:
    """Recall at the first step and whenever the agent is stuck.

    Stuck means: the last action was not understood, or one of the last ``window`` actions
    was taken before in a place that looked the same.
    """

    name = "stuck"

    def __init__(self, window: int = 3) -> None:
        self.window = window

    def decide(self, view: View) -> Decision:
        """Fire at the start, after an invalid action and on a repetition."""
        if not view.steps:
            return Decision(reason="first")
        if not view.steps[-1].valid:
            return Decision(reason="invalid")
        lived = [(step.observation, step.action) for step in view.steps]
        recent = lived[-self.window :]
        earlier = lived[: -len(recent)]
        repeated = any(moment in earlier for moment in recent) or len(set(recent)) < len(recent)
        return Decision(reason="stuck") if repeated else HOLD


RULES: dict[str, type[Always] | type[Never] | type[FirstStep] | type[WhenStuck]] = {
    kind.name: kind for kind in (Always, Never, FirstStep, WhenStuck)
}

"""When to recall: the rules. A trigger sees the episode so far and says why it fires."""

from __future__ import annotations

from typing import Protocol

from .state import View


class Trigger(Protocol):
    """Decides at each step whether recalling is worth it."""

    name: str

    def decide(self, view: View) -> str:
        """The reason to recall now; the empty string means no."""
        ...


class Always:
    """Recall at every step."""

    name = "always"

    def decide(self, view: View) -> str:
        """Fire always."""
        return "always"


class Never:
    """Never recall: the agent without memory."""

    name = "never"

    def decide(self, view: View) -> str:
        """Fire never."""
        return ""


class FirstStep:
    """Recall once, before the first action."""

    name = "first"

    def decide(self, view: View) -> str:
        """Fire when nothing has been done yet."""
        return "" if view.steps else "first"


class WhenStuck:
    """Recall at the first step and whenever the agent is stuck.

    Stuck means: the last action was not understood, or one of the last ``window`` actions
    was taken before in a place that looked the same.
    """

    name = "stuck"

    def __init__(self, window: int = 3) -> None:
        self.window = window

    def decide(self, view: View) -> str:
        """Fire at the start, after an invalid action and on a repetition."""
        if not view.steps:
            return "first"
        if not view.steps[-1].valid:
            return "invalid"
        lived = [(step.observation, step.action) for step in view.steps]
        recent = lived[-self.window :]
        earlier = lived[: -len(recent)]
        repeated = any(moment in earlier for moment in recent) or len(set(recent)) < len(recent)
        return "stuck" if repeated else ""


TRIGGERS: dict[str, type[Always] | type[Never] | type[FirstStep] | type[WhenStuck]] = {
    kind.name: kind for kind in (Always, Never, FirstStep, WhenStuck)
}

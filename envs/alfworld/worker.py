"""An environment in a process of its own, replaced after a number of games.

TextWorld keeps a few megabytes of most things it makes, and a crash in the planner's C++ would
take the run with it. ``RemoteEnvironment`` is an ``Environment`` whose work is done by a child.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, cast

from ... import errors
from ...agent.environment import Environment, Observation, Outcome, StepResult, Task
from ...errors import EnvironmentFault, ReverieError
from .. import child

ALFWORLD = "reverie.envs.alfworld.environment:AlfWorld"
_START = "from reverie.envs.alfworld.worker import serve; serve()"
_LOSS = "The episode is lost; the next reset starts another process."


class RemoteEnvironment:
    """An environment made and run in a child process.

    ``factory`` is "module:callable", called there with ``options`` (plain JSON values), for
    example ``RemoteEnvironment(ALFWORLD, {"protocol": "react"})``. After ``games`` resets the
    child is replaced by a fresh one. A call that takes longer than ``timeout_s`` seconds, or a
    child that dies, raises ``EnvironmentFault``; the next reset starts a new child.
    """

    def __init__(
        self,
        factory: str = ALFWORLD,
        options: Mapping[str, str | int | float | bool | None] | None = None,
        *,
        games: int = 100,
        timeout_s: float = 600.0,
    ) -> None:
        if games < 1:
            raise errors.SettingsError(f"games is {games}; a process plays at least 1.")
        self._factory = factory
        self._options = dict(options or {})
        self._games = games
        self.timeout_s = timeout_s
        self._played = 0
        self._child: child.Child | None = None
        self._lock = threading.Lock()
        self.name = str(self._call("name"))

    def tasks(self, split: str) -> Sequence[Task]:
        """All tasks of a split."""
        return [Task.model_validate(task) for task in self._call("tasks", split)]

    def reset(self, task: Task) -> Observation:
        """Begin ``task``, in a fresh process when the present one has played enough."""
        with self._lock:
            if self._played >= self._games:
                self._stop()
            self._played += 1
        return Observation.model_validate(self._call("reset", task.model_dump()))

    def step(self, action: str) -> StepResult:
        """Take one action."""
        return StepResult.model_validate(self._call("step", action))

    def score(self) -> Outcome:
        """Score the episode played so far."""
        return Outcome.model_validate(self._call("score"))

    def instructions(self) -> str:
        """The system text for a model."""
        return str(self._call("instructions"))

    def describe(self) -> dict[str, str | int | bool]:
        """Protocol, limits and data hash."""
        return dict(self._call("describe"))

    def demonstration(self, task: Task) -> tuple[str, ...] | None:
        """A known solution of a training task."""
        found = self._call("demonstration", task.model_dump())
        return None if found is None else tuple(found)

    def close(self) -> None:
        """End the child. The environment can be used again; it starts another."""
        with self._lock:
            self._stop()

    @property
    def pid(self) -> int | None:
        """The child's process id, None before the first call and after ``close``."""
        return None if self._child is None else self._child.pid

    def _call(self, method: str, *arguments: Any) -> Any:
        with self._lock:
            if self._child is None:
                if method in ("step", "score"):
                    raise EnvironmentFault("No game has begun: call reset before step.")
                self._child = child.Child(_START, whose="the environment's", loss=_LOSS)
                self._ask("make", self._factory, self._options)
            return self._ask(method, *arguments)

    def _ask(self, method: str, *arguments: Any) -> Any:
        assert self._child is not None
        try:
            return self._child.call(method, arguments, self.timeout_s)
        except child.Lost:
            self._stop(kill=True)
            raise
        except ReverieError:
            if method == "make":
                self._stop()
            raise

    def _stop(self, *, kill: bool = False) -> None:
        old, self._child, self._played = self._child, None, 0
        if old is not None:
            old.stop(kill=kill)


def serve() -> None:
    """The child: make an environment, then answer calls on it."""
    environment: Environment | None = None

    def answer(method: str, arguments: Sequence[Any]) -> Any:
        nonlocal environment
        if method == "make":
            environment = _make(*arguments)
            return None
        assert environment is not None
        return _do(environment, method, arguments)

    child.serve(answer)


def _make(factory: str, options: Mapping[str, Any]) -> Environment:
    module, _, name = factory.partition(":")
    return cast("Environment", getattr(import_module(module), name)(**options))


def _do(environment: Environment, method: str, arguments: Sequence[Any]) -> Any:
    """One call on the environment, its values as plain JSON."""
    match method, *arguments:
        case "name", *_:
            return environment.name
        case "tasks", split:
            return [task.model_dump() for task in environment.tasks(split)]
        case "reset", task:
            return environment.reset(Task.model_validate(task)).model_dump()
        case "step", action:
            return environment.step(action).model_dump()
        case "score", *_:
            return environment.score().model_dump()
        case "instructions", *_:
            return environment.instructions()
        case "describe", *_:
            return environment.describe()
        case "demonstration", task:
            return environment.demonstration(Task.model_validate(task))
        case _:
            raise EnvironmentFault(f"An environment has no call {method!r}.")

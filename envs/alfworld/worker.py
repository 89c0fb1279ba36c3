"""An environment in a process of its own, replaced after a number of games.

TextWorld keeps a few megabytes of most things it makes, and a crash in the planner's C++ would
take the run with it. ``RemoteEnvironment`` is an ``Environment`` whose work is done by a child.
One JSON object a line goes each way through a pipe; when the pipe closes, for whatever reason
(the parent was killed too), the child ends.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, cast

from ... import errors
from ...agent.environment import Environment, Observation, Outcome, StepResult, Task
from ...errors import EnvironmentFault, MissingExtra, ReverieError

ALFWORLD = "reverie.envs.alfworld.environment:AlfWorld"
_START = "from reverie.envs.alfworld.worker import serve; serve()"
_PATIENCE_S = 5.0


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
        self._child: _Child | None = None
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
                self._child = _Child()
                self._ask("make", self._factory, self._options)
            return self._ask(method, *arguments)

    def _ask(self, method: str, *arguments: Any) -> Any:
        assert self._child is not None
        try:
            answer = self._child.ask({"call": method, "with": arguments}, self.timeout_s)
        except EnvironmentFault:
            self._stop(kill=True)
            raise
        if "error" in answer:
            if method == "make":
                self._stop()
            raise _error(answer["error"])
        return answer["result"]

    def _stop(self, *, kill: bool = False) -> None:
        child, self._child, self._played = self._child, None, 0
        if child is not None:
            child.stop(kill=kill)


class _Child:
    """The process and the two ends of its pipe."""

    def __init__(self) -> None:
        # Its own session: Ctrl-C goes to the parent alone, which then closes the pipe.
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        self._read = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, question: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """Send one line and wait for one. Raises ``EnvironmentFault`` if none comes."""
        assert self._process.stdin is not None
        try:
            _write(self._process.stdin.fileno(), question)
        except OSError as error:
            raise self._died() from error
        return json.loads(self._line(time.monotonic() + timeout_s, timeout_s))

    def _line(self, deadline: float, timeout_s: float) -> bytes:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._read:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise EnvironmentFault(
                    f"The environment's process {self.pid} gave no answer in {timeout_s:g} s and "
                    "was ended. The next reset starts another."
                )
            chunk = os.read(pipe, 1 << 16)
            if not chunk:
                raise self._died()
            self._read += chunk
        line, _, self._read = self._read.partition(b"\n")
        return line

    def _died(self) -> EnvironmentFault:
        try:
            code = self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            code = None
        return EnvironmentFault(
            f"The environment's process {self.pid} ended in mid-game (exit status {code}). "
            "The episode is lost; the next reset starts another process."
        )

    def stop(self, *, kill: bool) -> None:
        """Close the pipe and wait; kill a child that does not end."""
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        try:
            if kill:
                process.kill()
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _write(pipe: int, message: Mapping[str, Any]) -> None:
    data = memoryview(json.dumps(message).encode() + b"\n")
    while data:
        data = data[os.write(pipe, data) :]


def _error(said: Mapping[str, Any]) -> ReverieError:
    """The child's error as the same class here; one not of ours becomes ``EnvironmentFault``."""
    name, message, extra = said["type"], str(said["message"]), said["extra"]
    if extra is not None:
        return MissingExtra(*extra)
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, EnvironmentFault | errors.SettingsError):
        return kind(message)
    return EnvironmentFault(f"{name} in the environment's process: {message}")


def serve() -> None:
    """The child: answer calls until the pipe closes. What others print goes to stderr."""
    answers = os.dup(1)
    os.dup2(2, 1)
    environment: Environment | None = None
    for line in sys.stdin.buffer:
        question = json.loads(line)
        method, arguments = str(question["call"]), question["with"]
        try:
            if method == "make":
                environment, result = _make(*arguments), None
            else:
                assert environment is not None
                result = _do(environment, method, arguments)
            answer: dict[str, Any] = {"result": result}
        except Exception as error:  # every fault belongs to the parent, which raises it again
            extra = [error.package, error.extra] if isinstance(error, MissingExtra) else None
            said = {"type": type(error).__name__, "message": str(error), "extra": extra}
            answer = {"error": said}
        try:
            _write(answers, answer)
        except OSError:
            return


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

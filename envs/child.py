"""A child process that answers questions: one JSON object a line goes each way through a pipe.

When the pipe closes, for whatever reason (the parent was killed too), the child ends. It is a
fresh interpreter that is told what to run, so it knows nothing of the parent's program.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import errors
from ..errors import EnvironmentFault, MissingExtra, ReverieError

_PATIENCE_S = 5.0


class Child:
    """The process and the two ends of its pipe.

    ``start`` is the Python code it runs, which comes to ``serve``. ``whose`` ("the environment's")
    and ``loss`` (what is lost with it, and what to do next) stand in its errors.
    """

    def __init__(self, start: str, *, whose: str, loss: str) -> None:
        # Its own session: Ctrl-C goes to the parent alone, which then closes the pipe.
        self._process = subprocess.Popen(
            [sys.executable, "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        self._whose = whose
        self._loss = loss
        self._read = b""

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def call(self, method: str, arguments: Sequence[Any], timeout_s: float) -> Any:
        """The result of one call, as plain JSON.

        Raises ``EnvironmentFault`` if none comes in time, and what the child raised.
        """
        assert self._process.stdin is not None
        try:
            _write(self._process.stdin.fileno(), {"call": method, "with": list(arguments)})
        except OSError as error:
            raise self._died() from error
        answer = json.loads(self._line(time.monotonic() + timeout_s, timeout_s))
        if "error" in answer:
            raise _error(answer["error"], self._whose)
        return answer["result"]

    def _line(self, deadline: float, timeout_s: float) -> bytes:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        chunks = [self._read]
        while b"\n" not in chunks[-1]:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise Lost(
                    f"{self._whose.capitalize()} process {self.pid} gave no answer in "
                    f"{timeout_s:g} s and was ended. {self._loss}"
                )
            chunk = os.read(pipe, 1 << 16)
            if not chunk:
                raise self._died()
            chunks.append(chunk)
        line, _, self._read = b"".join(chunks).partition(b"\n")
        return line

    def _died(self) -> Lost:
        try:
            code = self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            code = None
        return Lost(
            f"{self._whose.capitalize()} process {self.pid} ended in the middle of its work "
            f"(exit status {code}). {self._loss}"
        )

    def stop(self, *, kill: bool = False) -> None:
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


class Lost(EnvironmentFault):
    """The child is gone, or does not answer."""


def serve(answer: Callable[[str, Sequence[Any]], Any]) -> None:
    """The child: answer calls until the pipe closes. What others print goes to stderr."""
    answers = os.dup(1)
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        question = json.loads(line)
        try:
            said: dict[str, Any] = {"result": answer(str(question["call"]), question["with"])}
        except Exception as error:  # every fault belongs to the parent, which raises it again
            extra = [error.package, error.extra] if isinstance(error, MissingExtra) else None
            fault = {"type": type(error).__name__, "message": str(error), "extra": extra}
            said = {"error": fault}
        try:
            _write(answers, said)
        except OSError:
            return


def _write(pipe: int, message: Mapping[str, Any]) -> None:
    data = memoryview(json.dumps(message).encode() + b"\n")
    while data:
        data = data[os.write(pipe, data) :]


def _error(said: Mapping[str, Any], whose: str) -> ReverieError:
    """The child's error as the same class here; one not of ours becomes ``EnvironmentFault``."""
    name, message, extra = said["type"], str(said["message"]), said["extra"]
    if extra is not None:
        return MissingExtra(*extra)
    kind = getattr(errors, name, None)
    ours = (EnvironmentFault, errors.SettingsError, errors.ToolFault)
    if isinstance(kind, type) and issubclass(kind, ours):
        return kind(message)
    return EnvironmentFault(f"{name} in {whose} process: {message}")

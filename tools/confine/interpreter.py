"""The level of a pure Python of its own: Monty, an interpreter that has no way out to begin with.

It has no numpy, no files, no network and only part of the standard library, but it runs where the
kernel offers nothing: on macOS, on Windows, in a container without Landlock and namespaces.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from ...errors import MissingExtra, NoSandbox, ToolFault
from . import messages
from .harness import ARRAY, PROGRAM, TOLD, VALUE, plain
from .pool import LATE, Asking, check
from .results import MEMORY, OUTPUT, TIMEOUT, TIMEOUT_EACH, Json, Level, Limit, Outcome, Result

if TYPE_CHECKING:
    from pydantic_monty import Monty, MontyError, MontySession

INPUT = "input_of_this_call"


class Interpreter(Asking):
    """Runs pure Python in Monty's worker processes, one process a program."""

    def __init__(self, workers: int = 1) -> None:
        """``workers`` programs run at once. Raises ``MissingExtra`` or ``NoSandbox``."""
        try:
            from pydantic_monty import Monty, MontyError
        except ImportError:
            raise MissingExtra("pydantic-monty", "monty") from None
        self._pool: Monty = Monty(
            max_processes=workers,
            feed_duration_limit_grace=LATE,
            max_checkouts_per_worker=1,
        )
        try:
            self._pool.__enter__()
        except (OSError, RuntimeError, MontyError) as error:
            raise NoSandbox(f"the isolated interpreter does not start: {error}") from None
        self._open = True

    @property
    def level(self) -> Level:
        """``interpreter``."""
        return "interpreter"

    def run(
        self,
        code: str,
        inputs: Mapping[str, object] | None = None,
        files: Mapping[str, bytes] | None = None,
        timeout: float = TIMEOUT,
        memory: int = MEMORY,
        net: bool = False,
    ) -> Result:
        """See ``Sandbox.run``. Raises ``ToolFault`` for files and for the network: it has none."""
        check(timeout, memory)
        if files or net:
            raise ToolFault(
                "the isolated interpreter has neither files nor a network: use Linux with "
                "bubblewrap or Landlock for such a program"
            )
        names = cast("dict[str, object]", _inward(messages.outgoing(dict(inputs or {}))))
        started = time.monotonic()
        with self._session(timeout, memory) as session:
            found = _feed(session, code, names)
        return Result(
            found.stdout,
            found.value,
            found.error,
            {},
            found.limits,
            self.level,
            time.monotonic() - started,
        )

    def run_each(
        self,
        code: str,
        inputs: Sequence[object],
        function: str = "transform",
        timeout_each: float = TIMEOUT_EACH,
        memory: int = MEMORY,
    ) -> list[Outcome]:
        """See ``Sandbox.run_each``; arrays arrive as lists."""
        check(timeout_each, memory)
        if not function.isidentifier():
            raise ToolFault(f"{function!r} is no name of a function")
        values = [_inward(messages.outgoing(value)) for value in inputs]
        made: list[Outcome] = []
        while len(made) < len(values):
            with self._session(timeout_each, memory) as session:
                ready = _feed(session, code, {})
                if ready.error is not None:
                    return [*made, *([ready] * (len(values) - len(made)))]
                for value in values[len(made) :]:
                    made.append(_feed(session, f"{function}({INPUT})", {INPUT: value}))
                    if made[-1].limits:
                        break  # what a limit interrupted is in no state to go on
        return made

    def close(self) -> None:
        """End the interpreter's processes; idempotent."""
        if self._open:
            self._open = False
            self._pool.__exit__(None, None, None)

    def _session(self, seconds: float, memory: int) -> MontySession:
        if not self._open:
            raise ToolFault("this sandbox is closed; open another")
        return self._pool.checkout(
            script_name=PROGRAM,
            limits={
                "max_feed_duration_secs": seconds,
                "max_total_sleep_secs": seconds,
                "max_memory": memory,
            },
        )


def _feed(session: MontySession, code: str, names: dict[str, object]) -> Outcome:
    """Run a piece of code in a session; whatever goes wrong in it is in the outcome."""
    from pydantic_monty import MontyCrashedError, MontyError

    started = time.monotonic()
    printed = _Printed()
    value: Json = None
    error: str | None = None
    limits: list[Limit] = []
    try:
        made = plain(session.feed_run(code, inputs=names, print_callback=printed.take))
        size = len(json.dumps(made))
        if size > VALUE:
            error = f"the value takes {size} bytes as JSON; at most {VALUE} may leave"
            limits.append("value")
        else:
            value = cast("Json", made)
    except MontyCrashedError as fault:
        error = f"the interpreter was lost with the program: {fault}"
        limits.append("seconds")
    except MontyError as fault:
        error, limit = _told(fault)
        if limit is not None:
            limits.append(limit)
    except (TypeError, ValueError, RecursionError) as fault:
        error = str(fault)
    if printed.over:
        limits.append("output")
    return Outcome(value, error, printed.text, tuple(limits), time.monotonic() - started)


class _Printed:
    """Keeps the first 64 KiB that a program prints."""

    def __init__(self) -> None:
        self.text = ""
        self.over = False

    def take(self, _: str, text: str) -> None:
        """Take a piece; what there is no room for is forgotten."""
        room = OUTPUT - len(self.text)
        self.text += text[:room]
        self.over = self.over or len(text) > room


def _told(fault: MontyError) -> tuple[str, Limit | None]:
    """The traceback of a program's error, and the limit that it comes from."""
    from pydantic_monty import MontyRuntimeError, MontySyntaxError

    cause = fault.exception()
    shown = isinstance(fault, MontyRuntimeError | MontySyntaxError)
    text = fault.display() if shown else str(fault)
    if isinstance(cause, MemoryError):
        return text, "memory"
    if isinstance(cause, TimeoutError) and "limit exceeded" in str(cause):
        return f"it was ended at its limit of time ({cause})", "seconds"
    return text[:TOLD], None


def _inward(value: object) -> object:
    """Arrays as the lists they hold."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        if ARRAY in members:
            return members[ARRAY]
        return {key: _inward(inner) for key, inner in members.items()}
    if isinstance(value, list):
        return [_inward(inner) for inner in cast("list[object]", value)]
    return value

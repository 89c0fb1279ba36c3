"""Worker processes: one question at a time each, and nothing that outlives who asks.

A process leaves when its asker does, however that ends: a thread of it waits on a pipe that only
the asker holds open. One that dies is replaced and asked again; a question that kills its process
twice is given up.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Generic, Protocol, TypeVar

from .. import errors
from ..errors import EnvironmentFault, ReverieError

Q = TypeVar("Q")
A = TypeVar("A")
Asked = TypeVar("Asked", contravariant=True)
Answered = TypeVar("Answered", covariant=True)


class Handler(Protocol[Asked, Answered]):
    """What answers in a process."""

    def __call__(self, question: Asked, /) -> Answered:
        """Answer one question; what it raises is raised where it was asked."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


class WorkerDied(EnvironmentFault):
    """A question killed its process twice. A fresh process waits for the next question."""


class Slot(Generic[Q, A]):
    """One place for a process, and the process that has it now.

    ``make`` builds the handler there, at the first question; it must be picklable.
    """

    def __init__(self, make: Callable[[], Handler[Q, A]]) -> None:
        self._make = make
        self._deaths = 0
        self._busy = False
        self._start()

    @property
    def busy(self) -> bool:
        """True while a question is out."""
        return self._busy

    @property
    def question(self) -> Q:
        """The last question that was sent."""
        return self._question

    def fileno(self) -> int:
        """The file that is readable when the process has answered or died."""
        return self._conn.fileno()

    def send(self, question: Q) -> None:
        """Ask."""
        self._deaths = 0
        self._hand(question)

    def _hand(self, question: Q) -> None:
        self._question = question
        self._busy = True
        # If the process is dead already, ``receive`` finds that out.
        with suppress(OSError):
            self._conn.send((question,))

    def receive(self) -> tuple[A] | None:
        """The answer, alone in a tuple; None if the process died and another was asked.

        Raises what the handler raised, and ``WorkerDied``.
        """
        try:
            answer: tuple[A] | _Failure = self._conn.recv()
        except (EOFError, ConnectionError) as error:
            self._died(error)
            return None
        self._busy = False
        if isinstance(answer, _Failure):
            raise answer.revive()
        self.answered += 1
        return answer

    def renew(self) -> None:
        """Put a fresh process in place of this one, which has nothing to do."""
        self.end(patience=20.0)
        self._start()

    def end(self, patience: float = 0.0) -> None:
        """Stop the process, letting an idle one ``patience`` seconds to close what it holds."""
        if not self._busy:
            with suppress(OSError):
                self._conn.send(None)
                self._process.join(max(patience, 5.0))
        self._lifeline.close()
        self._process.join(1.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._conn.close()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._conn, theirs = context.Pipe()
        watched, self._lifeline = context.Pipe(duplex=False)
        self._process: SpawnProcess = context.Process(
            target=_serve, args=(self._make, theirs, watched), daemon=True
        )
        self._process.start()
        theirs.close()
        watched.close()
        self.answered = 0

    def _died(self, error: Exception) -> None:
        self._process.join()
        code = self._process.exitcode
        self._conn.close()
        self._lifeline.close()
        self._start()
        deaths = self._deaths + 1
        if deaths > 1:
            self._busy = False
            raise WorkerDied(
                f"a worker process died twice (exit code {code}) at {str(self._question)[:200]}: "
                "give --workers 1 to see why, or more memory"
            ) from error
        self._hand(self._question)
        self._deaths = deaths


class _Failure:
    """An error on its way from a worker: its class by name, since some cannot be pickled."""

    def __init__(self, error: Exception) -> None:
        self.kind = type(error).__name__
        self.message = str(error)
        self.trace = traceback.format_exc()

    def revive(self) -> Exception:
        """The error of Reverie's own that it was, or a RuntimeError with the worker's traceback."""
        kind = getattr(errors, self.kind, None)
        if isinstance(kind, type) and issubclass(kind, ReverieError):
            error = kind.__new__(kind)
            error.args = (self.message,)
            return error
        return RuntimeError(f"a worker failed:\n{self.trace}")


def answered(slots: Sequence[Slot[Q, A]]) -> list[Slot[Q, A]]:
    """Those of ``slots`` whose process has answered or died; waits for the first."""
    found = wait([slot.fileno() for slot in slots])
    return [slot for slot in slots if slot.fileno() in found]


def _serve(
    make: Callable[[], Handler[Q, A]],
    conn: Connection[tuple[A] | _Failure, tuple[Q] | None],
    lifeline: Connection[None, None],
) -> None:
    """A worker process: answer each question until there is none, or the asker is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(lifeline,), daemon=True).start()
    handler: Handler[Q, A] | None = None
    while (asked := conn.recv()) is not None:
        try:
            handler = handler or make()
            conn.send((handler(asked[0]),))
        except Exception as error:
            conn.send(_Failure(error))
    if handler is not None:
        handler.close()


def _leave_with(lifeline: Connection[None, None]) -> None:
    """Exit at once when the other end of ``lifeline`` closes."""
    with suppress(EOFError, OSError):
        lifeline.recv()
    os._exit(1)

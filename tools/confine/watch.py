"""One program's run as the caller sees it: what goes in, what comes out, and the clock."""

from __future__ import annotations

import contextlib
import math
import os
import selectors
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from . import folder
from .harness import VALUE
from .results import OUTPUT, Limit

GRACE = 5.0
"""Seconds a keeper may take to say that the program it was told to end has ended."""
LINGER = 0.5
"""Seconds that pipes are read after the end; only processes that nothing holds keep them open."""
LOOK = 0.1
"""Seconds between two looks at the work folder."""
DRAINED = 32 << 20
"""Bytes of output that are read and thrown away before the program is ended."""
CHUNK = 1 << 16

Told = Callable[[bytes], float | None]
"""Called with every line a program tells; the seconds it may take from now on, None: no change."""


class Keeper(Protocol):
    """The process that keeps the program, as far as a watch needs it."""

    folder: Path

    def stop(self) -> None:
        """End the program."""
        ...

    def answer(self) -> Mapping[str, float] | None:
        """How it ended; None if the keeper was lost."""
        ...

    def fileno(self) -> int:
        """Readable once there is an answer."""
        ...


class Pipes(NamedTuple):
    """Our ends: into the program, its output, its answer."""

    sink: int
    output: int
    answer: int


@dataclass
class Ended:
    """How a program ended, as seen from outside."""

    output: bytes = b""
    status: int | None = None
    """As of ``wait``; None if the keeper was lost with it."""
    limits: set[Limit] = field(default_factory=set[Limit])
    seconds: float = 0.0
    cpu: float = 0.0
    """Seconds of processor time, all threads together."""


class Watch:
    """Feeds a program, reads what it says, and ends it when it has had its share."""

    def __init__(
        self, keeper: Keeper, pipes: Pipes, request: bytes, told: Told, seconds: float
    ) -> None:
        self._keeper = keeper
        self._rest = memoryview(request)
        self._told = told
        self._started = self._looked = time.monotonic()
        self._deadline = self._started + seconds
        self._ended = Ended()
        self._kept, self._line = bytearray(), bytearray()
        self._printed = self._answered = 0
        self._stopped = self._over = math.inf
        self._selector = selectors.DefaultSelector()
        self._reading = {pipes.output, pipes.answer}
        self._open = set(pipes)
        self._register(pipes.sink, selectors.EVENT_WRITE, self._feed)
        self._register(pipes.output, selectors.EVENT_READ, self._hear)
        self._register(pipes.answer, selectors.EVENT_READ, self._take)
        self._selector.register(keeper, selectors.EVENT_READ, (self._finish, keeper.fileno()))

    def watch(self) -> Ended:
        """Until the program has ended and what it said is read."""
        try:
            while self._goes_on():
                for key, _ in self._selector.select(self._patience()):
                    react, descriptor = key.data
                    react(descriptor)
                self._look()
        finally:
            self._selector.close()
            for descriptor in self._open:
                os.close(descriptor)
        self._ended.output = bytes(self._kept)
        self._ended.seconds = min(self._over, time.monotonic()) - self._started
        return self._ended

    def _goes_on(self) -> bool:
        now = time.monotonic()
        if self._over < math.inf:
            return bool(self._reading) and now < self._over + LINGER
        return now < self._stopped + GRACE

    def _patience(self) -> float:
        return max(0.0, min(LOOK, self._deadline - time.monotonic()))

    def _look(self) -> None:
        now = time.monotonic()
        if now >= self._deadline:
            self._stop("seconds")
        if now >= self._looked + LOOK:
            self._looked = now
            try:
                folder.measure(self._keeper.folder)
            except folder.OverQuota:
                self._stop("files")

    def _stop(self, limit: Limit) -> None:
        """End the program for running into a limit; only the first one counts."""
        if self._stopped < math.inf or self._over < math.inf:
            return
        self._ended.limits.add(limit)
        self._stopped = time.monotonic()
        self._deadline = math.inf
        self._keeper.stop()

    def _finish(self, _: int) -> None:
        """The keeper says that it is over, or is gone."""
        self._selector.unregister(self._keeper)
        self._over = time.monotonic()
        said = self._keeper.answer()
        if said is not None:
            self._ended.status = int(said["status"])
            self._ended.cpu = said["cpu"]
            if said["threads"]:
                self._ended.limits.add("threads")

    def _feed(self, sink: int) -> None:
        try:
            self._rest = self._rest[os.write(sink, self._rest[:CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._rest = self._rest[:0]  # it ended before it had read everything
        if not self._rest:
            self._drop(sink)

    def _hear(self, output: int) -> None:
        said = self._read(output)
        self._printed += len(said)
        self._kept += said[: max(0, OUTPUT - len(self._kept))]
        if self._printed > OUTPUT:
            self._ended.limits.add("output")
        if self._printed > DRAINED:
            self._stop("output")

    def _take(self, answer: int) -> None:
        said = self._read(answer)
        self._answered += len(said)
        if self._answered > VALUE + CHUNK:
            self._stop("value")
            return
        self._line += said
        if b"\n" not in said:
            return
        *lines, self._line = self._line.split(b"\n")
        for line in lines:
            more = self._told(bytes(line))
            if more is not None and self._stopped == math.inf:
                self._deadline = time.monotonic() + more

    def _read(self, descriptor: int) -> bytes:
        try:
            said = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return b""
        if not said:
            self._drop(descriptor)
        return said

    def _register(self, descriptor: int, event: int, react: Callable[[int], None]) -> None:
        os.set_blocking(descriptor, False)
        self._selector.register(descriptor, event, (react, descriptor))

    def _drop(self, descriptor: int) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(descriptor)
        self._reading.discard(descriptor)
        self._open.discard(descriptor)
        os.close(descriptor)

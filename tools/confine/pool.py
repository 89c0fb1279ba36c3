"""Several keepers and the programs they get: the sandbox of the levels that run real Python."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.util import Finalize
from types import TracebackType
from typing import Self

from ...errors import ToolFault
from . import folder, messages
from .results import MEMORY, MIB, TIMEOUT, TIMEOUT_EACH, Level, Outcome, Result
from .watch import Ended
from .worker import Worker

PACKAGES = ("numpy",)
LATE = 0.75
"""Seconds beyond its time after which a call that hangs in native code is ended from outside."""


class Asking(ABC):
    """The asynchronous twins of ``run`` and ``run_each``, for any sandbox."""

    async def arun(
        self,
        code: str,
        inputs: Mapping[str, object] | None = None,
        files: Mapping[str, bytes] | None = None,
        timeout: float = TIMEOUT,
        memory: int = MEMORY,
        net: bool = False,
    ) -> Result:
        """``run`` in a thread. Cancelled, the program still runs to its end or its limit."""
        return await asyncio.to_thread(self.run, code, inputs, files, timeout, memory, net)

    async def arun_each(
        self,
        code: str,
        inputs: Sequence[object],
        function: str = "transform",
        timeout_each: float = TIMEOUT_EACH,
        memory: int = MEMORY,
    ) -> list[Outcome]:
        """``run_each`` in a thread."""
        return await asyncio.to_thread(self.run_each, code, inputs, function, timeout_each, memory)

    @abstractmethod
    def run(
        self,
        code: str,
        inputs: Mapping[str, object] | None = None,
        files: Mapping[str, bytes] | None = None,
        timeout: float = TIMEOUT,
        memory: int = MEMORY,
        net: bool = False,
    ) -> Result:
        """See ``Sandbox.run``."""
        ...

    @abstractmethod
    def run_each(
        self,
        code: str,
        inputs: Sequence[object],
        function: str = "transform",
        timeout_each: float = TIMEOUT_EACH,
        memory: int = MEMORY,
    ) -> list[Outcome]:
        """See ``Sandbox.run_each``."""
        ...

    @abstractmethod
    def close(self) -> None:
        """See ``Sandbox.close``."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Workers(Asking):
    """A pool of keepers, each with its packages loaded, each running one program at a time.

    Keepers start when they are first needed and stay; one that a program has damaged is replaced.
    A process forked from the owner starts its own. ``packages`` are what programs may import
    beside the standard library, with whatever these load themselves; nothing else that is
    installed can be read.
    """

    def __init__(self, level: Level, workers: int = 1, packages: Sequence[str] = PACKAGES) -> None:
        """``workers`` programs run at once; further callers wait."""
        if level == "interpreter":
            raise ToolFault("Workers run real Python; open the level interpreter by open_sandbox")
        if workers < 1:
            raise ToolFault(f"a pool has at least one worker, not {workers}")
        self._level: Level = level
        self._packages = tuple(packages)
        self._free = threading.BoundedSemaphore(workers)
        self._idle: list[Worker] = []
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._closed = False
        # Not weakref's: the processes that multiprocessing forks end without running those.
        Finalize(self, _end, (self._idle, self._lock), exitpriority=1)

    @property
    def level(self) -> Level:
        """How programs are held."""
        return self._level

    def run(
        self,
        code: str,
        inputs: Mapping[str, object] | None = None,
        files: Mapping[str, bytes] | None = None,
        timeout: float = TIMEOUT,
        memory: int = MEMORY,
        net: bool = False,
    ) -> Result:
        """See ``Sandbox.run``."""
        check(timeout, memory)
        request = messages.once(code, inputs or {})
        given = files or {}
        cpu = math.ceil(timeout) + 1
        said: list[messages.Said | None] = []

        def told(line: bytes) -> None:
            if not said:  # whatever it may add is its own concern
                said.append(messages.heard(line))

        with self._worker(net=net) as worker:
            ended = worker.run(request, given, told, seconds=timeout, cpu=cpu, memory=memory)
            try:
                artifacts = folder.collect(worker.folder, given)
            except (folder.OverQuota, OSError):
                artifacts = {}
                ended.limits.add("files")
        found = messages.verdict(said[0]) if said and said[0] is not None else None
        if found is None and said and ended.status == 0:
            found = messages.Verdict(None, "what it told in place of a value cannot be read")
        if found is None:
            found = messages.Verdict(None, messages.ending(ended, timeout, memory, cpu))
        elif found.error is None and "files" in ended.limits:
            found = messages.Verdict(found.value, messages.LOST)
        return Result(
            ended.output.decode("utf-8", "replace"),
            found.value,
            found.error,
            artifacts,
            messages.limits(ended, found.limits, cpu),
            self._level,
            ended.seconds,
        )

    def run_each(
        self,
        code: str,
        inputs: Sequence[object],
        function: str = "transform",
        timeout_each: float = TIMEOUT_EACH,
        memory: int = MEMORY,
    ) -> list[Outcome]:
        """See ``Sandbox.run_each``."""
        check(timeout_each, memory)
        made: dict[int, Outcome] = {}
        while len(made) < len(inputs):
            places = [place for place in range(len(inputs)) if place not in made]
            request = messages.each(code, function, places, inputs, timeout_each)
            cpu = math.ceil((timeout_each + LATE) * (len(places) + 1)) + 1
            batch = _Batch(places, timeout_each)
            with self._worker(net=False) as worker:
                ended = worker.run(
                    request, {}, batch.told, seconds=batch.allowance, cpu=cpu, memory=memory
                )
            made |= batch.made
            made |= batch.unmade(ended, memory, cpu)
        return [made[place] for place in range(len(inputs))]

    def close(self) -> None:
        """End every keeper that is not at work and remove its folder; those at work end after."""
        self._closed = True
        _end(self._idle, self._lock)

    @contextmanager
    def _worker(self, *, net: bool) -> Generator[Worker]:
        """A worker for one program; it goes back only if it is as it was before."""
        if self._closed:
            raise ToolFault("this sandbox is closed; open another")
        with self._free:
            worker = self._take(net=net)
            fit = False
            try:
                yield worker
                fit = worker.tidy()
            finally:
                if fit and not self._closed:
                    with self._lock:
                        self._idle.append(worker)
                else:
                    worker.close()

    def _take(self, *, net: bool) -> Worker:
        with self._lock:
            if self._owner != os.getpid():
                self._owner = os.getpid()
                for foreign in self._idle:
                    foreign.close()  # forgets it: it is the other process's
                self._idle.clear()
            gone = [worker for worker in self._idle if not worker.waits()]
            there = [one for one in self._idle if one.net == net and one not in gone][:1]
            self._idle[:] = [one for one in self._idle if one not in (*gone, *there)]
        for worker in gone:
            worker.close()
        return there[0] if there else Worker(self._level, self._packages, net=net)


class _Batch:
    """What is known of the inputs that one program was given, as it works through them."""

    def __init__(self, places: Sequence[int], seconds: float) -> None:
        self._places = places
        self._seconds = seconds
        self._ready = False
        self._failed: messages.Verdict | None = None
        self._at = time.monotonic()
        self.made: dict[int, Outcome] = {}

    @property
    def allowance(self) -> float:
        """Seconds until the program must say something."""
        return self._seconds + LATE

    def told(self, line: bytes) -> float | None:
        """Take a line in; anything out of order is passed over."""
        said = messages.heard(line)
        if said is None or self._failed is not None or len(self.made) == len(self._places):
            return None
        if not self._ready:
            self._ready = said.get("ready") is True
            self._failed = None if self._ready else messages.verdict(said)
            self._at = time.monotonic()
            return self.allowance
        place = self._places[len(self.made)]
        now = time.monotonic()
        found = messages.outcome(said, now - self._at) if said.get("case") == place else None
        if found is None:
            return None
        self._at = now
        self.made[place] = found
        return self.allowance

    def unmade(self, ended: Ended, memory: int, cpu: int) -> dict[int, Outcome]:
        """Why there is no outcome where the program stopped: for the next input if it had begun
        to call its function, else for all of them.
        """
        if len(self.made) == len(self._places):
            return {}
        stopped = self._places[len(self.made)]
        places = [stopped] if self._ready else self._places
        failed = self._failed or messages.Verdict(
            None, messages.ending(ended, self._seconds, memory, cpu)
        )
        met = messages.limits(ended, failed.limits, cpu)
        printed = "" if self._ready else ended.output.decode("utf-8", "replace")[: 4 << 10]
        seconds = max(0.0, time.monotonic() - self._at)
        return {place: Outcome(None, failed.error, printed, met, seconds) for place in places}


def check(seconds: float, memory: int) -> None:
    """Raise ``ToolFault`` for limits that no program can run in."""
    if not 0 < seconds <= 24 * 3600:
        raise ToolFault(f"a program may take up to 86400 seconds, and more than 0: not {seconds}")
    if not MIB <= memory <= 1 << 40:
        raise ToolFault(f"a program may take from 1 MiB to 1 TiB of memory: not {memory} bytes")


def _end(idle: list[Worker], lock: threading.Lock) -> None:
    with lock:
        waiting, idle[:] = list(idle), []
    for worker in waiting:
        worker.close()

"""Worker processes: one slot each, a job at a time, and nothing that outlives the runner.

A worker process leaves when the runner does, however the runner ends: a thread of it waits on a
pipe that only the runner holds open. A process is replaced after ``RECYCLE`` jobs, since text
worlds leak, and when it dies; a job that kills its process twice ends the run.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Protocol

from .. import errors
from ..errors import EnvironmentFault, ReverieError
from .plan import Job
from .runs import Arm, EpisodeLine, RunSpec
from .stage import Stage, StageFactory
from .worker import Worker

RECYCLE = 60
Stream = tuple[Arm, int]


class Players(Protocol):
    """Where jobs are played: in this process, or in several."""

    def prepare(self, seeds: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Build the memory of each seed that has none; yields (seed, demonstrations)."""
        ...

    def results(self, jobs: Sequence[Job], may: Callable[[Job], bool]) -> Iterator[EpisodeLine]:
        """Play the jobs; an online stream in its order, one at a time.

        Only those begin that ``may`` allows; those begun are finished.

        A job of an online stream starts only after the line before it was taken from here and the
        next was asked for: by then the runner has made it durable.
        """
        ...

    def close(self) -> None:
        """End whatever is running."""
        ...


class Here:
    """Plays in this process, in the order of the jobs."""

    def __init__(self, spec: RunSpec, stage: Stage) -> None:
        self._worker = Worker(spec, stage)

    def prepare(self, seeds: Sequence[int]) -> Iterator[tuple[int, int]]:
        """See ``Players.prepare``."""
        for seed in seeds:
            yield seed, self._worker.prepare(seed)

    def results(self, jobs: Sequence[Job], may: Callable[[Job], bool]) -> Iterator[EpisodeLine]:
        """See ``Players.results``."""
        for job in jobs:
            if not may(job):
                return
            yield self._worker.play(job)

    def close(self) -> None:
        """See ``Players.close``."""
        self._worker.close()


class Pool:
    """Plays in ``spec.workers`` processes."""

    def __init__(self, spec: RunSpec, factory: StageFactory, recycle: int = RECYCLE) -> None:
        self._recycle = recycle
        self._slots = [_Slot(spec, factory, number) for number in range(spec.workers)]
        self._pinned: dict[Stream, _Slot] = {}
        self._share = -(-len(spec.seeds) // spec.workers)

    def prepare(self, seeds: Sequence[int]) -> Iterator[tuple[int, int]]:
        """See ``Players.prepare``."""
        waiting = list(seeds)
        for slot in self._slots:
            if waiting:
                slot.send(waiting.pop(0))
        while busy := [slot for slot in self._slots if slot.busy]:
            for slot in _ready(busy):
                work = slot.work
                answer = slot.receive()
                if isinstance(work, int) and isinstance(answer, int):
                    yield work, answer
                if waiting:
                    slot.send(waiting.pop(0))

    def results(self, jobs: Sequence[Job], may: Callable[[Job], bool]) -> Iterator[EpisodeLine]:
        """See ``Players.results``."""
        waiting = list(jobs)
        while True:
            for slot in self._slots:
                if slot.busy:
                    continue
                if (job := self._next(waiting, slot)) is not None and may(job):
                    waiting.remove(job)
                    slot.send(job)
            busy = [slot for slot in self._slots if slot.busy]
            if not busy:
                return
            for slot in _ready(busy):
                answer = slot.receive()
                if isinstance(answer, EpisodeLine):
                    yield answer
                if slot.jobs >= self._recycle:
                    slot.renew()

    def close(self) -> None:
        """See ``Players.close``."""
        for slot in self._slots:
            slot.end()

    def _next(self, waiting: Sequence[Job], slot: _Slot) -> Job | None:
        """The first job this slot may play: an online stream stays with the slot that began it."""
        held: set[Stream] = set()
        for job in waiting:
            if job.arm != Arm.ONLINE:
                return job
            if job.stream not in held and self._owns(slot, job.stream):
                return job
            held.add(job.stream)
        return None

    def _owns(self, slot: _Slot, stream: Stream) -> bool:
        """Whether a stream is this slot's; one that is nobody's becomes so, in fair shares."""
        if stream not in self._pinned and self._share > list(self._pinned.values()).count(slot):
            self._pinned[stream] = slot
        return self._pinned.get(stream) is slot


class _Slot:
    """One place for a process, and the process that has it now."""

    def __init__(self, spec: RunSpec, factory: StageFactory, number: int) -> None:
        self._spec = spec
        self._factory = factory
        self._number = number
        self._deaths = 0
        self.work: Job | int | None = None
        self._start()

    @property
    def busy(self) -> bool:
        """True while a job is out."""
        return self.work is not None

    def fileno(self) -> int:
        """The file that is readable when the process has answered or died."""
        return self._conn.fileno()

    def send(self, work: Job | int) -> None:
        """Hand out a job, or a seed whose memory is to be prepared."""
        self._deaths = 0
        self._hand(work)

    def _hand(self, work: Job | int) -> None:
        self.work = work
        # If the process is dead already, ``receive`` finds that out.
        with suppress(OSError):
            self._conn.send(work)

    def receive(self) -> EpisodeLine | int | None:
        """The answer; None if the process died and the work was handed to a new one.

        Raises what the worker raised.
        """
        try:
            answer: EpisodeLine | int | _Failure = self._conn.recv()
        except (EOFError, ConnectionError) as error:
            self._died(error)
            return None
        if isinstance(answer, _Failure):
            self.work = None
            raise answer.revive()
        self.work = None
        self.jobs += 1
        return answer

    def renew(self) -> None:
        """Put a fresh process in place of this one, which has nothing to do."""
        self.end(patience=20.0)
        self._start()

    def end(self, patience: float = 0.0) -> None:
        """Stop the process, letting an idle one ``patience`` seconds to close its stores."""
        if not self.busy:
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
            target=_serve,
            args=(self._spec, self._factory, self._number, theirs, watched),
            daemon=True,
        )
        self._process.start()
        theirs.close()
        watched.close()
        self.jobs = 0

    def _died(self, error: Exception) -> None:
        self._process.join()
        code = self._process.exitcode
        self._conn.close()
        self._lifeline.close()
        work, deaths = self.work, self._deaths + 1
        if work is None or deaths > 1:
            raise EnvironmentFault(
                f"a worker process died twice (exit code {code}) at {work}: "
                "give --workers 1 to see why, or more memory"
            ) from error
        self._start()
        self._hand(work)
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


def _ready(slots: Sequence[_Slot]) -> list[_Slot]:
    """Those of ``slots`` that have answered or died; waits for the first."""
    found = wait([slot.fileno() for slot in slots])
    return [slot for slot in slots if slot.fileno() in found]


def _serve(
    spec: RunSpec,
    factory: StageFactory,
    number: int,
    conn: Connection[EpisodeLine | int | _Failure, Job | int | None],
    lifeline: Connection[None, None],
) -> None:
    """A worker process: answer each job until there is none, or the runner is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(lifeline,), daemon=True).start()
    worker: Worker | None = None
    while (work := conn.recv()) is not None:
        try:
            worker = worker or Worker(spec, factory(spec), number)
            conn.send(worker.prepare(work) if isinstance(work, int) else worker.play(work))
        except Exception as error:
            conn.send(_Failure(error))
    if worker is not None:
        worker.close()


def _leave_with(lifeline: Connection[None, None]) -> None:
    """Exit at once when the other end of ``lifeline`` closes."""
    with suppress(EOFError, OSError):
        lifeline.recv()
    os._exit(1)

"""Where a run's jobs are played: in this process, or in several.

A process is replaced after ``RECYCLE`` jobs, since text worlds leak, and when it dies; a job that
kills its process twice ends the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol, TypeAlias

from .plan import Job
from .processes import Slot, answered
from .runs import Arm, EpisodeLine, RunSpec
from .stage import Stage, StageFactory
from .worker import Worker

RECYCLE = 60
Stream = tuple[Arm, int]
_Slot: TypeAlias = "Slot[Job | int, EpisodeLine | int]"


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
        self._slots: list[_Slot] = [
            Slot(partial(_Player, spec, factory, number)) for number in range(spec.workers)
        ]
        self._pinned: dict[Stream, _Slot] = {}
        self._share = -(-len(spec.seeds) // spec.workers)

    def prepare(self, seeds: Sequence[int]) -> Iterator[tuple[int, int]]:
        """See ``Players.prepare``."""
        waiting = list(seeds)
        for slot in self._slots:
            if waiting:
                slot.send(waiting.pop(0))
        while busy := [slot for slot in self._slots if slot.busy]:
            for slot in answered(busy):
                work = slot.question
                match slot.receive():
                    case (int() as count,) if isinstance(work, int):
                        yield work, count
                        if waiting:
                            slot.send(waiting.pop(0))
                    case _:
                        continue

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
            for slot in answered(busy):
                match slot.receive():
                    case (EpisodeLine() as line,):
                        yield line
                    case _:
                        continue
                if slot.answered >= self._recycle:
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


class _Player:
    """A worker in a process of its own."""

    def __init__(self, spec: RunSpec, factory: StageFactory, number: int) -> None:
        self._worker = Worker(spec, factory(spec), number)

    def __call__(self, work: Job | int) -> EpisodeLine | int:
        """Prepare the memory of a seed, or play a job."""
        return self._worker.prepare(work) if isinstance(work, int) else self._worker.play(work)

    def close(self) -> None:
        """Close every memory and the stage."""
        self._worker.close()

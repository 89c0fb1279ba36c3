"""One process's share of a run: it opens memories, plays jobs, and keeps play and record in step.

An online arm learns as it goes, so an episode that a crash cut in half has left half its writes
behind. Before each of its episodes the store is therefore copied to ``<arm>-s<seed>.before-<n>``,
where n is the episode's index; the copy is dropped when the next one is made. When episode n is
played again and its copy exists, the store is put back to it first. So a killed run goes on from
exactly the memory it had, whatever the agent writes.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from pathlib import Path

from ..agent.state import Episode
from ..errors import (
    ContextOverflow,
    DataMissing,
    EnvironmentFault,
    MalformedReply,
    StoreCorrupt,
    StoreLocked,
)
from .plan import Job, sample
from .runs import Arm, EpisodeLine, RunSpec
from .stage import Seat, Stage

BRIEFS = 40
"""How many of the memories an episode recalled stand in its line."""

LOCK_PATIENCE = 10.0
"""Seconds to wait for a killed predecessor to let go of a store."""


class Worker:
    """Plays jobs. ``number`` tells apart the processes of one run, from 0."""

    def __init__(self, spec: RunSpec, stage: Stage, number: int = 0) -> None:
        self.spec = spec
        self.stage = stage
        self.number = number
        self._seats: dict[tuple[Arm, int], Seat] = {}
        self._run = spec.run_id()
        self._memory = spec.out / "memory"

    def prepare(self, seed: int) -> int:
        """Build the memory that the arms of ``seed`` start from, once; its demonstrations."""
        base = seeded(self.spec, seed)
        if base.exists():
            return 0
        fresh = self._memory / f"seed-s{seed}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.parent.mkdir(parents=True, exist_ok=True)
        tasks = self.stage.environment.tasks(self.spec.seed_split)
        chosen = sample(tasks, self.spec.seed_cases, salt=f"{seed}/")
        seat = self._open(Arm.ONLINE, seed, fresh)
        try:
            count = seat.seed(chosen)
        finally:
            seat.close()
        if count == 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise DataMissing(
                f"no demonstration of {self.spec.env}'s split {self.spec.seed_split} could be "
                "played to a success: give seed_cases=0, data that has some, or more max_steps"
            )
        fresh.rename(base)
        return count

    def play(self, job: Job) -> EpisodeLine:
        """Play one job and return its line.

        What goes wrong within an episode (the world fails, the prompt does not fit, the reply does
        not parse) makes it a failed episode. Any other error ends the run and is raised.
        """
        seat = self._seat(job)
        run = f"{self._run}/{job.arm}/s{job.seed}/e{job.index}"
        began = time.perf_counter()
        try:
            episode = seat.play(
                job.task, run=run, seed=job.episode_seed, write=job.arm == Arm.ONLINE
            )
        except DataMissing:
            raise
        except (EnvironmentFault, ContextOverflow, MalformedReply) as error:
            return self._failed(job, seat, error, time.perf_counter() - began)
        return self._line(job, seat, episode)

    def close(self) -> None:
        """Close every memory and the stage."""
        for seat in self._seats.values():
            seat.close()
        self._seats.clear()
        self.stage.close()

    def _seat(self, job: Job) -> Seat:
        """The seat of a job's stream, its memory as it was before the job's episode."""
        seat = self._seats.get(job.stream)
        if job.arm == Arm.ONLINE:
            if seat is None:
                seat = self._open(job.arm, job.seed, self._online(job))
            self._guard(job, seat)
        elif seat is None:
            folder = self._frozen(job.seed) if job.arm == Arm.FROZEN else None
            seat = self._open(job.arm, job.seed, folder)
        self._seats[job.stream] = seat
        return seat

    def _online(self, job: Job) -> Path:
        """The store of an online stream, put back to what it was before ``job``."""
        store = self._memory / f"{job.arm}-s{job.seed}"
        before = self._before(job)
        if before.exists():
            _replace(store, before)
        elif job.index == 0:
            base = seeded(self.spec, job.seed)
            if base.exists():
                _replace(store, base)
            else:
                shutil.rmtree(store, ignore_errors=True)
        elif not store.exists():
            raise StoreCorrupt(
                f"{store} is gone, and {job.index} episodes that wrote it are recorded: "
                "restore the folder, or run into another --out"
            )
        return store

    def _frozen(self, seed: int) -> Path:
        """This process's own copy of the frozen memory: a store has one owner."""
        name = f"frozen-s{seed}" + (f"-w{self.number}" if self.number else "")
        store = self._memory / name
        _replace(store, seeded(self.spec, seed))
        return store

    def _guard(self, job: Job, seat: Seat) -> None:
        """Copy the memory as it is before ``job``, then drop the copies of earlier episodes."""
        before = self._before(job)
        if not before.exists():
            fresh = before.with_name(before.name + ".new")
            shutil.rmtree(fresh, ignore_errors=True)
            seat.save(fresh)
            fresh.rename(before)
        for old in before.parent.glob(f"{job.arm}-s{job.seed}.before-*"):
            if old != before:
                shutil.rmtree(old, ignore_errors=True)

    def _before(self, job: Job) -> Path:
        return self._memory / f"{job.arm}-s{job.seed}.before-{job.index}"

    def _open(self, arm: Arm, seed: int, folder: Path | None) -> Seat:
        """A seat, waiting out the lock of a process that is just dying."""
        deadline = time.monotonic() + LOCK_PATIENCE
        while True:
            try:
                return self.stage.seat(arm, seed, folder)
            except StoreLocked:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _line(self, job: Job, seat: Seat, episode: Episode) -> EpisodeLine:
        shared = set(EpisodeLine.model_fields) & set(Episode.model_fields)
        facts = episode.model_dump(mode="json", include=shared)
        counts = Counter(name for step in episode.trajectory for name in step.recalled)
        often = [name for name, _ in counts.most_common(BRIEFS)]
        own = {
            "recalled": seat.briefs(often) if often else (),
            "draws": seat.draws(episode.recall_ids) if episode.recall_ids else (),
            "recalled_count": len(episode.recalled),
            "trajectory": [
                step.model_dump(mode="json") | {"recalled": len(step.recalled)}
                for step in episode.trajectory
            ],
            "memory": _held(job, seat),
        }
        return EpisodeLine.model_validate(facts | self._place(job) | own)

    def _failed(self, job: Job, seat: Seat, error: Exception, seconds: float) -> EpisodeLine:
        return EpisodeLine.model_validate(
            self._place(job)
            | {
                "success": False,
                "reward": 0.0,
                "steps": 0,
                "seconds": seconds,
                "stop_reason": "error",
                "error": f"{type(error).__name__}: {error}",
                "memory": _held(job, seat),
            }
        )

    def _place(self, job: Job) -> dict[str, object]:
        """The part of a line that says which episode it is."""
        return {
            "run": self._run,
            "arm": job.arm,
            "seed": job.seed,
            "index": job.index,
            "attempt": job.attempt,
            "task_id": job.task.id,
            "task_type": job.task.type,
            "split": job.task.split,
        }


def _held(job: Job, seat: Seat) -> dict[str, int]:
    """What the memory holds. How often a frozen one was read is known to its copy only."""
    state = seat.state()
    return {"records": state["records"]} if job.arm == Arm.FROZEN else state


def seeded(spec: RunSpec, seed: int) -> Path:
    """The store that the arms of a seed start from."""
    return spec.out / "memory" / f"seed-s{seed}"


def tidy(spec: RunSpec) -> None:
    """Drop the copies that only a resume needs, once a run is complete."""
    memory = spec.out / "memory"
    if not memory.exists():
        return
    for pattern in ("*.before-*", "*.new", "frozen-s*-w*"):
        for folder in memory.glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)


def _replace(store: Path, source: Path) -> None:
    """Make ``store`` a copy of ``source``; a crash leaves the old, none, or the whole new one."""
    fresh = store.with_name(store.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(source, fresh)
    shutil.rmtree(store, ignore_errors=True)
    fresh.rename(store)

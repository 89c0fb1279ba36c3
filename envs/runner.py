"""Plays a run: every arm over the same tasks and seeds, each episode recorded as it ends.

    summary = run(RunSpec(out=Path("runs/mine"), episodes=20, seed_cases=50))

Give the same spec again after a crash and it goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from pydantic import JsonValue

from .folder import RunFolder, write_atomic
from .machine import machine, versions
from .meter import Meter
from .plan import Job, plan
from .pool import Here, Players, Pool
from .report import write_report
from .runs import (
    Arm,
    EpisodeLine,
    Header,
    RunSpec,
    open_run,
    read_header,
    read_lines,
    tasks_digest,
)
from .stage import Stage, StageFactory, describe
from .stages import stage_for
from .statistics import Progress, Summary, summarise
from .worker import seeded, tidy


@dataclass(frozen=True)
class Event:
    """Something a watcher of the run may show.

    ``line`` is the episode that just ended, if one did; ``done`` counts those of earlier calls too.
    """

    done: int
    planned: int
    line: EpisodeLine | None = None
    note: str = ""


Watcher = Callable[[Event], None]


def run(
    spec: RunSpec, *, stage: StageFactory | None = None, watch: Watcher | None = None
) -> Summary:
    """Play ``spec`` to its end or its budget's, and write the run folder.

    ``stage`` says what to play on; without it that is the environment ``spec.env`` names. The
    summary's ``run.status`` says how the run ended. Raises ``SettingsError`` if the folder holds
    another run, ``DataMissing`` without tasks, and what the model or the memory raises when they
    cannot go on; the episodes played so far stay. On Ctrl-C the summary is written and
    ``KeyboardInterrupt`` raised.
    """
    tell = watch or _silent
    factory = stage or stage_for
    meter = Meter(spec.limits, len(spec.arms) * len(spec.seeds), spec.model)
    tell(Event(0, 0, note="setting up"))
    here = factory(spec)
    players: Players | None = None
    try:
        here.prepare(lambda note: tell(Event(0, 0, note=note)))
        header, jobs = _survey(spec, here)
        with open_run(spec.out, header) as folder:
            if spec.workers == 1:
                players = Here(spec, here)
            else:
                here.close()
                players = Pool(spec, factory)
            return _drive(spec, header, folder, jobs, players, meter, tell)
    finally:
        if players is not None:
            players.close()
        else:
            here.close()


def _drive(
    spec: RunSpec,
    header: Header,
    folder: RunFolder[Header, EpisodeLine],
    jobs: Sequence[Job],
    players: Players,
    meter: Meter,
    tell: Watcher,
) -> Summary:
    """Play what the folder lacks, then write its summary and report, however the play ended."""
    seen = {(line.arm, line.seed, line.index) for line in folder.lines}
    waiting = [job for job in jobs if (job.arm, job.seed, job.index) not in seen]
    for line in folder.lines:
        meter.count(line)
    resumed = f"going on after {len(seen)} episodes" if seen and waiting else ""
    tell(Event(len(seen), len(jobs), note=resumed))
    stopped: BaseException | None = None
    try:
        if waiting and not meter.spent():
            _play(spec, folder, waiting, len(jobs), players, meter, tell)
    except BaseException as error:
        stopped = error
    summary = conclude(spec, folder.lines, len(jobs), meter.reason, stopped)
    write_files(spec.out, header, folder.lines, summary)
    if stopped is not None:
        raise stopped
    if summary.run.done == summary.run.planned:
        players.close()
        tidy(spec)
    return summary


def _play(
    spec: RunSpec,
    folder: RunFolder[Header, EpisodeLine],
    waiting: Sequence[Job],
    planned: int,
    players: Players,
    meter: Meter,
    tell: Watcher,
) -> None:
    """Fill the memories, then play; each line is durable before the next job of its stream."""
    seeds = [seed for seed in spec.seeds if not seeded(spec, seed).exists()]
    if seeds and spec.seed_cases and any(job.arm != Arm.OFF for job in waiting):
        tell(Event(len(folder.lines), planned, note="filling memory with demonstrations"))
        for seed, count in players.prepare(seeds):
            note = f"memory of seed {seed} starts with {count} demonstrations"
            tell(Event(len(folder.lines), planned, note=note))
    for line in players.results(waiting, lambda job: meter.begin(job.index)):
        folder.append(line)
        meter.ended(line)
        tell(Event(len(folder.lines), planned, line=line))


def conclude(
    spec: RunSpec,
    lines: Sequence[EpisodeLine],
    planned: int,
    spent: str,
    stopped: BaseException | None,
) -> Summary:
    """The summary of a run that ended this way."""
    return summarise(lines, spec.arms, ended(spec.run_id(), lines, planned, spent, stopped))


def ended(
    run: str,
    lines: Sequence[EpisodeLine],
    planned: int,
    spent: str,
    stopped: BaseException | None,
) -> Progress:
    """How a run ended: ``spent`` is why its budget stopped it, ``stopped`` what interrupted it."""
    errors = sum(line.error is not None for line in lines)
    if isinstance(stopped, KeyboardInterrupt):
        status, reason = "interrupted", "interrupted from the keyboard"
    elif stopped is not None:
        status, reason = "partial", f"{type(stopped).__name__}: {stopped}"
    elif len(lines) < planned:
        status, reason = "budget", spent
    elif errors:
        status, reason = "partial", f"{errors} episodes ended in an error and count as failures"
    else:
        status, reason = "complete", ""
    return Progress(id=run, status=status, reason=reason, done=len(lines), planned=planned)


def known_progress(out: Path, run: str, done: int, planned: int) -> Progress:
    """How far the run in ``out`` has come: as its summary says, if that is of all its episodes."""
    known = out / "summary.json"
    if known.exists():
        before = Progress.model_validate(json.loads(known.read_text())["run"])
        if before.done == done:
            return before
    return Progress(
        id=run,
        status="complete" if done == planned else "interrupted",
        reason="" if done == planned else "it has not come to its end",
        done=done,
        planned=planned,
    )


def rebuild(out: Path) -> Summary:
    """Write the summary and the report of the run in ``out`` again from its episodes.

    Raises ``SettingsError`` if it is no run folder.
    """
    header, lines = read_header(out), read_lines(out)
    arms = [Arm(str(arm)) for arm in as_list(header.settings["arms"])]
    each = header.settings["episodes"] or header.tasks["n"]
    assert isinstance(each, int)
    planned = each * len(arms) * len(as_list(header.settings["seeds"]))
    progress = known_progress(out, header.run, len(lines), planned)
    summary = summarise(lines, arms, progress)
    write_files(out, header, lines, summary)
    return summary


def as_list(value: JsonValue) -> list[JsonValue]:
    """A JSON value that is a list."""
    assert isinstance(value, list)
    return value


def write_files(out: Path, header: Header, lines: Sequence[EpisodeLine], summary: Summary) -> None:
    """Write ``summary.json`` and ``report.html`` of a run folder."""
    write_atomic(out / "summary.json", summary.model_dump_json(indent=2))
    write_report(out / "report.html", header, lines, summary)


def _survey(spec: RunSpec, stage: Stage) -> tuple[Header, list[Job]]:
    """What is to be played, and the record of what it is played with."""
    environment = stage.environment
    tasks = environment.tasks(spec.split)
    jobs = plan(spec, tasks)
    header = Header(
        run=spec.run_id(),
        settings=spec.settings(),
        environment=describe(environment),
        agent=stage.agent(),
        tasks=tasks_digest([task.id for task in tasks]),
        memory={arm: memory_of(spec, arm) for arm in spec.arms},
        attempts=max(job.attempt for job in jobs),
        model=stage.model_id(),
        versions=versions(),
        machine=machine(),
    )
    return header, jobs


def memory_of(spec: RunSpec, arm: Arm) -> str:
    """What an arm remembers, for the run's record."""
    seeded = f"{spec.seed_cases} demonstrations of {spec.seed_split}"
    return memory_words(arm, seeded if spec.seed_cases else "empty")


def memory_words(arm: Arm, start: str) -> str:
    """What an arm remembers whose memory holds ``start`` at first."""
    match arm:
        case Arm.OFF:
            return "none"
        case Arm.FROZEN:
            return f"{start}, read only"
        case Arm.ONLINE:
            return f"{start} at first, and every episode before in the order of the seed"
        case Arm.SHUFFLED:
            return f"{start}, read only, its worth and cues shuffled among its concepts"
        case _:
            assert_never(arm)


def _silent(event: Event) -> None:
    """Watch nothing."""

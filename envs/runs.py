"""The run folder: what a run was asked to do, and one durable line for each episode it played.

    OUT/run.json        settings, environment, versions, machine
    OUT/episodes.jsonl  one line an episode, fsynced as the episode ends
    OUT/summary.json    what ``statistics`` makes of the lines
    OUT/report.html     what ``report`` makes of both
    OUT/memory/         the store of each arm that has one

The lines are the truth of a run: what is not in ``episodes.jsonl`` was not played. A line torn by
a crash is dropped when the folder is opened, and its episode is played again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from pydantic import Field, JsonValue, ValidationError, model_validator

from ..errors import ReverieError, SettingsError
from ..memory.records import Frozen, now


class Arm(StrEnum):
    """How an agent may use memory. The arms of a run share model, tasks and seeds."""

    OFF = "off"
    FROZEN = "frozen"
    ONLINE = "online"


class Budget(Frozen):
    """What a run may spend before it starts no further episode; None means no limit.

    Tokens, dollars and steps count every episode of the run folder; seconds are the wall time of
    this call, so that the same command can be given again for another stretch.
    """

    tokens: int | None = Field(default=None, gt=0)
    usd: float | None = Field(default=None, gt=0)
    steps: int | None = Field(default=None, gt=0)
    seconds: float | None = Field(default=None, gt=0)


class RunSpec(Frozen):
    """Everything that decides what a run does. Equal specs play equal episodes."""

    env: str = Field(default="alfworld", description="the environment, by name")
    out: Path = Field(description="the run folder")
    arms: tuple[Arm, ...] = (Arm.OFF, Arm.FROZEN, Arm.ONLINE)
    model: str = Field(default="local", description="as open_model reads it")
    episodes: int | None = Field(
        default=None, gt=0, description="episodes per arm and seed; None plays each task once"
    )
    seeds: tuple[int, ...] = (0,)
    split: str = "valid_unseen"
    seed_cases: int = Field(
        default=0, ge=0, description="demonstrations of training tasks that memory starts with"
    )
    seed_split: str = Field(default="train", description="where those demonstrations come from")
    options: dict[str, JsonValue] = Field(
        default_factory=dict, description="the environment's own: protocol, max_steps, data..."
    )
    agent: dict[str, JsonValue] = Field(
        default_factory=dict, description="the agent's own: trigger, policy, weaver..."
    )
    embedder: str | None = Field(default=None, description="the memory's; None is the bundled one")
    workers: int = Field(default=1, ge=1, description="processes that play; 1 plays in this one")
    limits: Budget = Budget()

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self.arms or len(set(self.arms)) != len(self.arms):
            raise SettingsError(f"arms: name each arm once, of {', '.join(Arm)}")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise SettingsError("seeds: name at least one, and each once")
        if "@" in urlsplit(self.model).netloc:
            raise SettingsError(
                "the model's URL holds a key, and a run folder keeps the URL: "
                "set REVERIE_API_KEY instead"
            )
        if Arm.FROZEN in self.arms and self.seed_cases == 0:
            raise SettingsError(
                "the frozen arm reads a memory that nothing fills: "
                "give seed_cases (--seed-cases N), or leave frozen out of the arms"
            )
        if self.split == self.seed_split and self.seed_cases and set(self.arms) != {Arm.OFF}:
            raise SettingsError(
                f"memory would be seeded with demonstrations of the split it is scored on "
                f"({self.split}): choose another split, or seed_cases=0"
            )
        return self

    def settings(self) -> dict[str, JsonValue]:
        """What must stay the same when a run is resumed: all but where, how fast, how long."""
        data: dict[str, JsonValue] = self.model_dump(
            mode="json", exclude={"out", "workers", "limits"}
        )
        return data

    def run_id(self) -> str:
        """Twelve hex digits of the settings' hash; record ids are derived from it."""
        text = json.dumps(self.settings(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


class Recalled(Frozen):
    """A record an episode recalled, short enough to stand in its line."""

    id: str
    kind: str = ""
    task_type: str = ""
    outcome: str = ""
    text: str = Field(default="", description="its first 160 characters")


class Drawn(Frozen):
    """What one recall offered, showed, and drew but left out by chance, by record id."""

    offered: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    dropout: float = Field(default=0.0, description="the chance of each drawn one to be left out")


class EpisodeLine(Frozen):
    """One episode, as ``episodes.jsonl`` keeps it.

    ``index`` is its place in the order of its arm and seed, from 0; ``attempt`` counts how often
    this arm and seed has met the task, from 1. ``usd`` is None when a price is unknown.
    ``memory`` is what the store held when the episode ended.
    """

    run: str
    arm: Arm
    seed: int
    index: int
    attempt: int = 1
    task_id: str
    task_type: str = ""
    split: str = ""
    goal: str = ""
    success: bool
    reward: float
    steps: int
    tokens: int = 0
    usd: float | None = None
    seconds: float = 0.0
    model_seconds: float = 0.0
    env_seconds: float = 0.0
    invalid_actions: int = 0
    stop_reason: str = ""
    error: str | None = None
    recalled: tuple[Recalled, ...] = Field(
        default=(), description="the most recalled of what was recalled"
    )
    recalled_count: int = Field(default=0, description="how many memories were used")
    recalled_tokens: int = Field(default=0, description="read from memory, shown or not")
    recall_ids: tuple[str, ...] = ()
    draws: tuple[Drawn, ...] = Field(default=(), description="what those recalls drew, in order")
    written: tuple[str, ...] = ()
    memory: dict[str, int] = Field(default_factory=dict)
    metrics: dict[str, float] = Field(default_factory=dict)
    cached_tokens: int = 0
    trajectory: tuple[dict[str, JsonValue], ...] = Field(
        default=(), description="the steps; of what each recalled, only how much"
    )
    started: datetime = Field(default_factory=now)

    @property
    def stream(self) -> tuple[Arm, int]:
        """The arm and seed whose order this episode belongs to."""
        return (self.arm, self.seed)


class Header(Frozen):
    """``run.json``: enough to know what was run, on what, and to run it again."""

    run: str
    created: datetime = Field(default_factory=now)
    settings: dict[str, JsonValue]
    environment: dict[str, JsonValue]
    agent: dict[str, JsonValue] = Field(description="its options, defaults included")
    tasks: dict[str, JsonValue] = Field(description="how many, and the hash of their ids")
    memory: dict[str, str] = Field(description="what each arm remembers, in words")
    attempts: int = Field(description="how often a task is met at most; 1 is a first pass")
    model: str = Field(description="the model's own id, with what changes its answers")
    versions: dict[str, str]
    machine: dict[str, JsonValue]


class RunFolder:
    """An open run folder: one writer at a time, lines durable once ``append`` returns."""

    def __init__(self, path: Path, lock: FileLock, lines: list[EpisodeLine]) -> None:
        self.path = path
        self.lines = lines
        self._lock = lock
        self._fd = os.open(path / "episodes.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    @classmethod
    def open(cls, path: Path, header: Header) -> RunFolder:
        """Begin a run in ``path``, or go on with the one that is there.

        Raises ``SettingsError`` if ``path`` holds a run with other settings (naming each that
        differs) or another process is writing it.
        """
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise SettingsError(
                f"another process is running in {path}: wait for it, or choose another --out"
            ) from error
        try:
            known = path / "run.json"
            if known.exists():
                _require_same(read_header(path), header, path)
            elif (path / "episodes.jsonl").exists():
                raise SettingsError(f"{path} holds episodes but no run.json: choose another --out")
            else:
                write_atomic(known, header.model_dump_json(indent=2))
            drop_torn_line(path / "episodes.jsonl")
            return cls(path, lock, read_lines(path))
        except BaseException:
            lock.release()
            raise

    def append(self, line: EpisodeLine) -> None:
        """Add one episode; it is on the disk when this returns."""
        data = line.model_dump_json().encode() + b"\n"
        while data:
            data = data[os.write(self._fd, data) :]
        os.fsync(self._fd)
        self.lines.append(line)

    def close(self) -> None:
        """Let another process write the folder."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def read_header(path: Path) -> Header:
    """The ``run.json`` of a run folder. Raises ``SettingsError`` if it is no run folder."""
    file = path / "run.json"
    try:
        return Header.model_validate_json(file.read_text())
    except FileNotFoundError as error:
        raise SettingsError(
            f"{path} is no run folder: it has no run.json. `reverie run` makes one"
        ) from error
    except ValidationError as error:
        raise SettingsError(f"{file} was not written by this version of reverie") from error


def read_lines(path: Path) -> list[EpisodeLine]:
    """The episodes of a run folder, in the order they ended; a torn last line is passed over."""
    file = path / "episodes.jsonl"
    if not file.exists():
        return []
    raw = file.read_bytes().split(b"\n")[:-1]
    lines: list[EpisodeLine] = []
    for number, text in enumerate(raw, start=1):
        try:
            lines.append(EpisodeLine.model_validate_json(text))
        except ValidationError as error:
            if number == len(raw):
                break
            raise ReverieError(
                f"line {number} of {file} cannot be read, and {len(raw) - number} follow it: "
                "restore the file, or run into another --out"
            ) from error
    return lines


def drop_torn_line(file: Path) -> bool:
    """Cut what a crash left behind the last whole line of ``file``; True if there was any."""
    if not file.exists():
        return False
    data = file.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole:
        last = whole[whole.rfind(b"\n", 0, -1) + 1 :]
        try:
            EpisodeLine.model_validate_json(last)
        except ValidationError:
            whole = whole[: -len(last)]
    if len(whole) == len(data):
        return False
    with file.open("r+b") as handle:
        handle.truncate(len(whole))
        os.fsync(handle.fileno())
    return True


def write_atomic(file: Path, text: str) -> None:
    """Write ``file`` so that a reader, or a crash, sees the old text or the new one."""
    fresh = file.with_name(file.name + ".new")
    with fresh.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(file)


def tasks_digest(ids: Sequence[str]) -> dict[str, JsonValue]:
    """How many tasks a run draws from, and a hash of their ids in order."""
    text = "\n".join(ids)
    return {"n": len(ids), "sha256": hashlib.sha256(text.encode()).hexdigest()[:16]}


def _require_same(old: Header, new: Header, path: Path) -> None:
    """Raise ``SettingsError`` naming each setting in which ``new`` differs from ``old``."""
    found = _differences("", old.settings, new.settings)
    found += _differences("environment ", old.environment, new.environment)
    found += _differences("agent ", old.agent, new.agent)
    found += _differences("tasks ", old.tasks, new.tasks)
    if old.model != new.model:
        found.append(f"model id: {old.model} there, {new.model} now")
    if found:
        raise SettingsError(
            f"{path} holds a run with other settings ({'; '.join(found)}): "
            "give the same command to resume it, or choose another --out"
        )


def _differences(
    what: str, old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]
) -> list[str]:
    """One phrase for each key in which two mappings differ."""
    return [
        f"{what}{key}: {json.dumps(old.get(key))} there, {json.dumps(new.get(key))} now"
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]

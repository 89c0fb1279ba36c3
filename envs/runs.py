"""The run folder: what a run was asked to do, and one durable line for each episode it played.

    OUT/run.json        settings, environment, versions, machine
    OUT/episodes.jsonl  one line an episode, fsynced as the episode ends
    OUT/summary.json    what ``statistics`` makes of the lines
    OUT/report.html     what ``report`` makes of both
    OUT/memory/         the store of each arm that has one

``folder`` says how these files are written and read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, JsonValue, model_validator

from ..errors import SettingsError
from ..memory.records import Frozen, now
from .folder import RunFolder, differing, read_head, read_whole_lines

EPISODES = "episodes.jsonl"


class Arm(StrEnum):
    """How an agent may use memory. The arms of a run share model, tasks and seeds."""

    OFF = "off"
    FROZEN = "frozen"
    ONLINE = "online"
    SHUFFLED = "shuffled"
    """A control: the frozen memory with its worth and cues dealt out anew among its concepts."""


PLAYED = (Arm.OFF, Arm.FROZEN, Arm.ONLINE)
"""The arms of an agent that acts in a world; only a memory of concepts can be shuffled."""


class Budget(Frozen):
    """What a run may spend before it starts no further episode; None means no limit.

    Tokens, dollars and steps count every episode of the run folder; seconds are the wall time of
    this call, so that the same command can be given again for another stretch.
    """

    tokens: int | None = Field(default=None, gt=0)
    usd: float | None = Field(default=None, gt=0)
    steps: int | None = Field(default=None, gt=0)
    seconds: float | None = Field(default=None, gt=0)


class Spec(Frozen):
    """What a run is asked to do: where, how fast and how long. What it does, a subclass adds."""

    out: Path = Field(description="the run folder")
    workers: int = Field(default=1, ge=1, description="processes that work; 1 works in this one")
    limits: Budget = Budget()

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


class RunSpec(Spec):
    """Everything that decides what a run does. Equal specs play equal episodes."""

    env: str = Field(default="alfworld", description="the environment, by name")
    arms: tuple[Arm, ...] = PLAYED
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

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self.arms or len(set(self.arms)) != len(self.arms):
            raise SettingsError(f"arms: name each arm once, of {', '.join(PLAYED)}")
        if not set(self.arms) <= set(PLAYED):
            raise SettingsError(
                f"arms: {self.env} has no shuffled arm; there are {', '.join(PLAYED)}"
            )
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

    def differences(self, now: Header) -> list[str]:
        """One phrase for each thing in which ``now`` is another run than this one."""
        found = differing("", self.settings, now.settings)
        found += differing("environment ", self.environment, now.environment)
        found += differing("agent ", self.agent, now.agent)
        found += differing("tasks ", self.tasks, now.tasks)
        if self.model != now.model:
            found.append(f"model id: {self.model} there, {now.model} now")
        return found


def open_run(path: Path, header: Header) -> RunFolder[Header, EpisodeLine]:
    """See ``RunFolder.open``: a run whose lines are episodes."""
    return RunFolder[Header, EpisodeLine].open(path, header, EPISODES, EpisodeLine)


def read_header(path: Path) -> Header:
    """The ``run.json`` of a run folder. Raises ``SettingsError`` if it is no run folder."""
    return read_head(path, Header)


def read_lines(path: Path) -> list[EpisodeLine]:
    """The episodes of a run folder, in the order they ended; a torn last line is passed over."""
    return read_whole_lines(path / EPISODES, EpisodeLine)


def tasks_digest(ids: Sequence[str]) -> dict[str, JsonValue]:
    """How many tasks a run draws from, and a hash of their ids in order."""
    text = "\n".join(ids)
    return {"n": len(ids), "sha256": hashlib.sha256(text.encode()).hexdigest()[:16]}

"""The run folder of a dialogue benchmark: what was asked for, and one durable line a question.

    OUT/run.json         settings, the data's hash, protocol, versions, machine
    OUT/questions.jsonl  one line a question, fsynced as it is done
    OUT/summary.json     what ``dialogue_summary`` makes of the lines
    OUT/report.html      what ``dialogue_report`` makes of both

A line torn by a crash is dropped when the folder is opened, and its question is asked again.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from filelock import FileLock, Timeout
from pydantic import Field, JsonValue, ValidationError

from ..errors import ReverieError, SettingsError
from ..memory.evidence import Verdict
from ..memory.records import Frozen, now
from .answering import Answer
from .rankings import GoldRanks
from .runs import write_atomic

Benchmark = Literal["locomo", "longmemeval"]


class DialogueSettings(Frozen):
    """What must stay the same when a run is resumed."""

    benchmark: Benchmark
    model: str = Field(default="none", description="what answers, as open_model reads it")
    judge: str | None = Field(default=None, description="what judges the answers, if anything")
    embedder: str | None = Field(default=None, description="the memory's; None is the bundled one")
    limit: int | None = Field(default=None, gt=0, description="questions a conversation")
    budget: int = Field(default=1_500, gt=0, description="tokens of memory that are read")
    ablations: bool = Field(default=False, description="also without each part of ours")
    seed: int = 0


class DialogueSpec(DialogueSettings):
    """Everything that decides what a run of a dialogue benchmark does."""

    data: Path = Field(description="the benchmark's file")
    out: Path = Field(description="the run folder")
    memory: str = Field(default="ephemeral:", description="where the conversations are written")

    def settings(self) -> DialogueSettings:
        """Without where things lie."""
        return DialogueSettings(**self.model_dump(exclude={"data", "out", "memory"}))

    def run_id(self, digest: str) -> str:
        """Twelve hex digits of the hash of the settings and of the data's."""
        text = self.settings().model_dump_json() + digest
        return hashlib.sha256(text.encode()).hexdigest()[:12]


class DataFacts(Frozen):
    """What a run was asked of: the file, its hash, how much is in it, and evidence repaired."""

    file: str
    sha256: str
    conversations: int
    questions: int
    turns: int
    categories: dict[str, str]
    cluster: Literal["conversation", "question"]
    repairs: tuple[str, ...] = ()


class DialogueHeader(Frozen):
    """``run.json``: what was run, on what, by which protocol."""

    run: str
    created: datetime = Field(default_factory=now)
    settings: DialogueSettings
    data: DataFacts
    protocol: dict[str, str]
    embedder: str = Field(description="the embedder's own id")
    model: str = Field(description="the answering model's own id; none without one")
    versions: dict[str, str]
    machine: dict[str, JsonValue]


class Top(Frozen):
    """The first of what a ranker found, by the benchmark's ids; ``scores`` are the turns'."""

    sessions: tuple[str, ...]
    turns: tuple[str, ...]
    scores: tuple[float, ...] = ()


class QuestionLine(Frozen):
    """One question, as ``questions.jsonl`` keeps it, each dict by the ranker's name."""

    run: str
    id: str
    conversation: str
    category: str
    question: str
    answerable: bool
    ranks: dict[str, GoldRanks]
    top: dict[str, Top] = Field(default_factory=dict)
    verdict: Verdict
    answers: dict[str, Answer] = Field(default_factory=dict)
    seconds: float = Field(default=0.0, description="of the recall by ours")


class DialogueFolder:
    """An open run folder: one writer at a time, lines durable once ``append`` returns."""

    def __init__(self, path: Path, lock: FileLock, lines: list[QuestionLine]) -> None:
        self.path = path
        self.lines = lines
        self._lock = lock
        self._handle = (path / "questions.jsonl").open("ab")

    @classmethod
    def open(cls, path: Path, header: DialogueHeader) -> DialogueFolder:
        """Begin a run in ``path``, or go on with the one that is there.

        Raises ``SettingsError`` if it holds another run or another process is writing it.
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
                _require_same(known, header)
            else:
                write_atomic(known, header.model_dump_json(indent=2))
            return cls(path, lock, _whole_lines(path / "questions.jsonl"))
        except BaseException:
            lock.release()
            raise

    def append(self, line: QuestionLine) -> None:
        """Add one question; it is on the disk when this returns."""
        self._handle.write(line.model_dump_json(exclude_none=True).encode() + b"\n")
        self._handle.flush()
        os.fsync(self._handle.fileno())
        self.lines.append(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._handle.close()
        self._lock.release()


def _whole_lines(file: Path) -> list[QuestionLine]:
    """The lines of a file; what a crash left of the last one is cut off."""
    if not file.exists():
        return []
    data = file.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    lines: list[QuestionLine] = []
    for number, text in enumerate(whole.splitlines(), start=1):
        try:
            lines.append(QuestionLine.model_validate_json(text))
        except ValidationError as error:
            raise ReverieError(
                f"line {number} of {file} cannot be read: restore the file, or run into another "
                "--out"
            ) from error
    if len(whole) < len(data):
        with file.open("r+b") as handle:
            handle.truncate(len(whole))
    return lines


def read_run(path: Path) -> tuple[DialogueHeader, list[QuestionLine]]:
    """The header and the lines of a run folder. Raises ``SettingsError`` if it is none."""
    return _header(path / "run.json"), _whole_lines(path / "questions.jsonl")


def _header(file: Path) -> DialogueHeader:
    try:
        return DialogueHeader.model_validate_json(file.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"{file.parent} is no run folder: it has no run.json") from error
    except ValidationError as error:
        raise SettingsError(f"{file} is of another kind of run: choose another --out") from error


def _require_same(file: Path, header: DialogueHeader) -> None:
    """Raise ``SettingsError`` naming what differs from the run that is there."""
    there = _header(file)
    old, new = there.settings.model_dump(), header.settings.model_dump()
    pairs = [(key, old[key], new[key]) for key in new]
    pairs.append(("data", there.data.sha256, header.data.sha256))
    pairs.append(("embedder", there.embedder, header.embedder))
    pairs.append(("model id", there.model, header.model))
    found = [f"{key}: {was} there, {is_} now" for key, was, is_ in pairs if was != is_]
    if found:
        raise SettingsError(
            f"{file.parent} holds a run with other settings ({'; '.join(found)}): "
            "give the same command to resume it, or choose another --out"
        )

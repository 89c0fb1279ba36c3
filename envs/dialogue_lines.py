"""The run folder of a dialogue benchmark: what was asked for, and one durable line a question.

    OUT/run.json         settings, the data's hash, protocol, versions, machine
    OUT/questions.jsonl  one line a question, fsynced as it is done
    OUT/summary.json     what ``dialogue_summary`` makes of the lines
    OUT/report.html      what ``dialogue_report`` makes of both

``folder`` says how these files are written and read.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field, JsonValue

from ..memory.evidence import Verdict
from ..memory.records import Frozen, now
from .answering import Answer
from .folder import RunFolder, differing, read_head, read_whole_lines
from .rankings import GoldRanks

QUESTIONS = "questions.jsonl"
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

    def differences(self, now: DialogueHeader) -> list[str]:
        """One phrase for each thing in which ``now`` is another run than this one."""
        old, new = (one.settings.model_dump(mode="json") for one in (self, now))
        facts: list[dict[str, JsonValue]] = [
            {"data": one.data.sha256, "embedder": one.embedder, "model id": one.model}
            for one in (self, now)
        ]
        return differing("", old | facts[0], new | facts[1])


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


DialogueFolder: TypeAlias = RunFolder[DialogueHeader, QuestionLine]


def open_dialogue(path: Path, header: DialogueHeader) -> DialogueFolder:
    """See ``RunFolder.open``: a run whose lines are questions."""
    return RunFolder[DialogueHeader, QuestionLine].open(path, header, QUESTIONS, QuestionLine)


def read_run(path: Path) -> tuple[DialogueHeader, list[QuestionLine]]:
    """The header and the lines of a run folder. Raises ``SettingsError`` if it is none."""
    return read_head(path, DialogueHeader), read_whole_lines(path / QUESTIONS, QuestionLine)

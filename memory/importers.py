"""Cases that others lived: Memento's case files and plain trajectories, read into case memory.

One JSON object a line, of three forms. A file is read whole before anything is written, and a row
that says too little is set aside with its line and the reason:

    {"case": …, "plan": …, "case_label": "positive" | "negative"}     Memento's bank
    {"question": …, "plan": …, "reward": 0 | 1}                       Memento's running memory
    {"task": …, "steps" | "plan": […], "reward": …, "success": …}     trajectories

Observations are read over: the steps of an episode are written in a lifted form, which is made
where an agent plays, so an import brings episode-level cases only.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from ..errors import MemoryFault
from .cases import CaseMemory, Kept, Lived
from .records import CasePayload, Origin

BATCH = 64
"""Cases embedded and written together."""

NOT_CASES = (
    "a training row of Memento's retriever: it repeats a case of the case file and says how "
    "recalling it for another query went, so it holds no case of its own; import the case file"
)


class Format(StrEnum):
    """What the rows of a file are; AUTO tells by the fields of each row."""

    AUTO = "auto"
    MEMENTO = "memento"
    TRAJECTORIES = "trajectories"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that holds no case: its line, counted from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What a file of cases holds: the episodes of its good rows, and its bad rows."""

    name: str
    episodes: tuple[Lived, ...]
    bad: tuple[BadRow, ...]


@dataclass(frozen=True, slots=True)
class CasesImported:
    """What an import did with the good rows.

    ``written`` became new cases, ``counted`` joined the case of an equal outcome, ``known`` had
    been imported before. ``successes`` and ``failures`` are of all three.
    """

    written: int
    counted: int
    known: int
    successes: int
    failures: int


def read_cases(
    path: str | Path,
    *,
    format: Format = Format.AUTO,
    split: str = "",
    success_from: float | None = None,
) -> CaseFile:
    """Read a file of cases; nothing is written.

    ``split`` is given to rows that name none. A trajectory that does not say whether it succeeded
    did so if its reward is at least ``success_from`` (None: if it is above 0). Raises MemoryFault
    for a file that cannot be read or is an export of a memory.
    """
    file = Path(path)
    try:
        lines = file.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise MemoryFault(f"{file} cannot be read: {error}") from error
    if _is_export(lines[0]):
        raise MemoryFault(
            f"{file} is an export of a memory: take it in with `reverie memory import`"
        )
    rules = _Rules(format, split, success_from)
    episodes: list[Lived] = []
    bad: list[BadRow] = []
    seen: Counter[str] = Counter()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            case, said = _case(line, rules)
        except ValidationError as error:
            bad.append(BadRow(number, _reason(error)))
        except _NoCaseError as error:
            bad.append(BadRow(number, str(error)))
        else:
            seen[said] += 1
            episodes.append(Lived(f"import/{said}/{seen[said]}", case))
    return CaseFile(file.name, tuple(episodes), tuple(bad))


def import_cases(
    bank: CaseMemory, file: CaseFile, *, watch: Callable[[int, int], None] | None = None
) -> CasesImported:
    """Write the good rows of a file; importing it again, or a longer one, counts each row once.

    A row is known by what it says and, among equal rows, by its number, under whichever file name.
    ``watch`` is told how many of how many rows are done. An interrupted import is simply repeated.
    """
    origin = Origin(source="import", detail=file.name)
    done: list[Kept] = []
    for start in range(0, len(file.episodes), BATCH):
        done += bank.keep(file.episodes[start : start + BATCH], origin=origin)
        if watch is not None:
            watch(len(done), len(file.episodes))
    fates = Counter(kept.case for kept in done)
    outcomes = Counter(one.case.outcome for one in file.episodes)
    return CasesImported(
        written=fates["new"],
        counted=fates["counted"],
        known=fates["known"],
        successes=outcomes["success"],
        failures=outcomes["failure"],
    )


def task_id_of(task: str) -> str:
    """The task id of rows that give none: equal for texts that differ in case and spaces only.

    With it an evaluation can keep a task's own imported cases from being recalled.
    """
    plain = " ".join(unicodedata.normalize("NFKC", task).casefold().split())
    return f"task/{hashlib.sha256(plain.encode()).hexdigest()[:12]}"


# -- rows ----------------------------------------------------------------------------------------


class _NoCaseError(Exception):
    """A row that holds no case; the message says why."""


@dataclass(frozen=True, slots=True)
class _Rules:
    format: Format
    split: str
    success_from: float | None

    def succeeded(self, reward: float) -> bool:
        return reward > 0 if self.success_from is None else reward >= self.success_from


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Reward = Annotated[float, Field(allow_inf_nan=False)]


class _Row(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


def _actions(value: JsonValue, name: str) -> list[str]:
    """Steps as plain text; ``name`` is the field of a step that is an object. Raises ValueError."""
    if not isinstance(value, list):
        raise ValueError("not a list of steps")
    if not value:
        raise ValueError("it has no step")
    actions: list[str] = []
    for place, step in enumerate(value, start=1):
        action = step.get(name) if isinstance(step, dict) else step
        if not isinstance(action, str) or not action.strip():
            raise ValueError(f"step {place} is neither a text nor an object with a text {name!r}")
        actions.append(action.strip())
    return actions


def _planned(value: JsonValue) -> list[str]:
    """The steps of a plan, which Memento keeps as JSON in a string, under the key ``plan``."""
    if isinstance(value, str):
        try:
            value = _ANY.validate_json(value)
        except ValidationError:
            raise ValueError("it is no JSON") from None
    return _actions(value.get("plan") if isinstance(value, dict) else value, "description")


def _taken(value: JsonValue) -> list[str]:
    """The steps of a trajectory."""
    return _actions(value, "action")


Plan = Annotated[list[str], BeforeValidator(_planned)]
Steps = Annotated[list[str], BeforeValidator(_taken)]


class _Banked(_Row):
    case: Text
    plan: Plan
    case_label: Literal["positive", "negative"]


class _Remembered(_Row):
    question: Text
    plan: Plan
    reward: Annotated[Reward, Field(ge=0, le=1)]


class _Trajectory(_Row):
    task: Text
    steps: Steps = Field(default_factory=list[str])
    plan: Steps = Field(default_factory=list[str])
    reward: Reward
    success: bool | None = None
    task_id: Text | None = None
    task_type: str = ""
    split: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _one_list(self) -> _Trajectory:
        if bool(self.steps) == bool(self.plan):
            raise ValueError("it needs either steps or plan")
        return self


_ANY: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


def _case(line: bytes, rules: _Rules) -> tuple[CasePayload, str]:
    """The case of a row, and a digest of what the row says."""
    try:
        row = _ANY.validate_json(line)
    except ValidationError as error:
        raise _NoCaseError(f"no JSON: {_reason(error).removeprefix('Invalid JSON: ')}") from None
    if not isinstance(row, dict):
        raise _NoCaseError("no JSON object")
    said = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:16]
    match _form(row, rules.format):
        case "banked":
            banked = _Banked.model_validate_json(line)
            won = banked.case_label == "positive"
            case = _memento(banked.case, banked.plan, float(won), won, rules)
        case "remembered":
            kept = _Remembered.model_validate_json(line)
            won = rules.succeeded(kept.reward)
            case = _memento(kept.question, kept.plan, kept.reward, won, rules)
        case "trajectory":
            case = _trajectory(_Trajectory.model_validate_json(line), rules)
    return case, said


def _form(
    row: Mapping[str, JsonValue], format: Format
) -> Literal["banked", "remembered", "trajectory"]:
    """Which form a row has, by its fields. Raises _NoCaseError for none that the format allows."""
    if "truth_label" in row:
        raise _NoCaseError(NOT_CASES)
    if format != Format.TRAJECTORIES and "case" in row:
        return "banked"
    if format != Format.TRAJECTORIES and "question" in row:
        return "remembered"
    if format != Format.MEMENTO and "task" in row:
        return "trajectory"
    wanted = {
        Format.AUTO: "case, question or task",
        Format.MEMENTO: "case or question",
        Format.TRAJECTORIES: "task",
    }
    raise _NoCaseError(f"it has none of the fields {wanted[format]}")


def _memento(
    task: str, plan: Sequence[str], reward: float, won: bool, rules: _Rules
) -> CasePayload:
    return CasePayload(
        task=task,
        task_id=task_id_of(task),
        split=rules.split,
        plan=tuple(plan),
        outcome="success" if won else "failure",
        reward=reward,
    )


def _trajectory(row: _Trajectory, rules: _Rules) -> CasePayload:
    won = rules.succeeded(row.reward) if row.success is None else row.success
    return CasePayload(
        task=row.task,
        task_id=row.task_id or task_id_of(row.task),
        task_type=row.task_type,
        split=row.split or rules.split,
        plan=tuple(row.steps or row.plan),
        outcome="success" if won else "failure",
        reward=row.reward,
        reason="" if won else row.reason,
    )


def _reason(error: ValidationError) -> str:
    """The first thing wrong with a row, with the field it is wrong in."""
    first = error.errors()[0]
    what = first["msg"].removeprefix("Value error, ")
    return ": ".join([*(str(part) for part in first["loc"][:1]), what])


def _is_export(line: bytes) -> bool:
    try:
        head = _ANY.validate_json(line)
    except ValidationError:
        return False
    return isinstance(head, dict) and head.get("reverie") == "memory"

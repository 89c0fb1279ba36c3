"""What is remembered: the record, its scope, and the typed payload of each kind."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
    model_validator,
)
from ulid import ULID

from ..errors import ScopeError


def new_id() -> str:
    """A fresh ULID: 26 characters that sort by time of creation."""
    return str(ULID())


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


class Kind(StrEnum):
    """The kinds of memory; each has its own payload and its own vector collection."""

    CASE = "case"
    STEP = "step"
    CONCEPT = "concept"
    ERROR = "error"
    UTTERANCE = "utterance"
    SESSION = "session"
    SUMMARY = "summary"
    KEYWORDS = "keywords"
    FACT = "fact"


class Status(StrEnum):
    """Where a record is in its life. Only ACTIVE records are recalled by default."""

    ACTIVE = "active"
    SUPERSEDED = "superseded"
    MERGED = "merged"
    ARCHIVED = "archived"
    RETRACTED = "retracted"


class Frozen(BaseModel):
    """A small immutable value that rejects unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Scope(Frozen):
    """Whose memory it is. ``user`` is required; a query sees only records whose scope it covers.

    A scope covers another if each of its set fields is equal there: ``Scope(user="ann")`` covers
    everything of ann's, ``Scope(user="ann", agent="cook")`` only what that agent wrote.
    """

    user: str
    agent: str | None = None
    session: str | None = None

    @field_validator("user", "agent", "session")
    @classmethod
    def _named(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and not value.strip():
            raise ScopeError(f"scope.{info.field_name} is empty: name whose memory this is")
        return value

    def covers(self, other: Scope) -> bool:
        """True if a query in this scope may see a record of ``other``."""
        return (
            self.user == other.user
            and self.agent in (None, other.agent)
            and self.session in (None, other.session)
        )


class Origin(Frozen):
    """Who said it: the trust of a memory starts from here."""

    source: Literal["user", "assistant", "tool", "environment", "reflection", "import"]
    model: str | None = None
    detail: str | None = None


class LivedTurn(Frozen):
    """One turn of an episode, word for word."""

    saw: str = Field(description="what was observed")
    did: str = Field(description="the action taken upon it")
    good: bool = Field(
        default=True, description="False by hindsight: not understood, undone later, or repeated"
    )


class CasePayload(Frozen):
    """One lived episode: what was tried and what it earned (Memento's case)."""

    kind: Literal["case"] = "case"
    task: str = Field(description="the goal as the agent read it")
    task_id: str = Field(description="the environment's id; used by the exclude-self filter")
    task_type: str = ""
    split: str = Field(default="", description="used by the exclude-split filter")
    plan: tuple[str, ...] = Field(description="the actions in order")
    outcome: Literal["success", "failure"]
    reward: float
    reason: str = Field(default="", description="why it failed; empty for a success")
    instructions: str = Field(default="", description="what the agent was told to begin with")
    lived: tuple[LivedTurn, ...] = Field(
        default=(), description="all turns of it, the search included; empty if they were not kept"
    )
    episodes: tuple[str, ...] = Field(
        default=(), description="the episodes that ended so; a duplicate adds its id here"
    )

    @model_validator(mode="before")
    @classmethod
    def _with_turns_for_seen(cls, given: Any) -> object:
        """Journals of November 2026 may tell what was ``seen`` before each action of the plan."""
        if not isinstance(given, dict) or "seen" not in given:
            return cast("object", given)
        told = cast("dict[str, Any]", given)
        rest = {name: value for name, value in told.items() if name != "seen"}
        pairs = zip(told["seen"], told.get("plan", ()), strict=False)
        return {"lived": [{"saw": saw, "did": did} for saw, did in pairs], **rest}

    @property
    def attempts(self) -> int:
        """How many equal outcomes this record counts."""
        return max(1, len(self.episodes))


class StepPayload(Frozen):
    """One step of an episode, in the abstract form that carries over to other episodes."""

    kind: Literal["step"] = "step"
    task_id: str
    task_type: str = ""
    split: str = ""
    state: dict[str, str] = Field(description="the lifted features of the state, by name")
    action: str = Field(description="the lifted action: goal words as slots, no instance numbers")
    outcome: Literal["success", "failure"]
    reward: float = Field(description="the episode's return")
    episodes: tuple[str, ...] = Field(default=(), description="the episodes in which it was taken")

    @property
    def attempts(self) -> int:
        """How many equal steps this record counts."""
        return max(1, len(self.episodes))


class ConceptParameter(Frozen):
    """A parameter of a routine: its name, its type as it was written, and what it is."""

    name: str
    typing: str = ""
    description: str = ""


class NegativeCue(Frozen):
    """What looked like a concept's cue and was not: believed less, and not for ever."""

    text: str
    evidence: tuple[str, ...] = Field(default=(), description="the puzzles in which it misled")
    trust: float = Field(default=0.3, ge=0.0, le=1.0)
    expires: datetime | None = None


class Said(Frozen):
    """Where a value of a concept's field came from: who said it first."""

    field: str
    value: str
    puzzle: str = ""
    run: str = ""
    at: datetime | None = None


class ConceptPayload(Frozen):
    """An abstract, typed, composable idea, in either of ArcMemo's two formats.

    Of form ``open`` it is a ``situation`` and a ``suggestion``; of form ``program`` a structure
    that is seen in grids or a routine with typed parameters, of which some may be routines.
    """

    kind: Literal["concept"] = "concept"
    title: str
    form: Literal["program", "open"] = "program"
    body: str = Field(default="", description="what it is, where its name does not say")
    situation: str = ""
    suggestion: str = ""
    role: Literal["", "structure", "routine"] = ""
    subtype: str = Field(
        default="", description="of a routine: what it is for, or the type of routine it is"
    )
    parameters: tuple[ConceptParameter, ...] = Field(default=(), description="in their order")
    output_type: str = ""
    types: dict[str, str] = Field(
        default_factory=dict, description="type aliases defined with it, name → annotation"
    )
    cues: tuple[str, ...] = ()
    negative_cues: tuple[NegativeCue, ...] = ()
    notes: tuple[str, ...] = Field(default=(), description="how it is implemented")
    used_in: tuple[str, ...] = Field(default=(), description="ids of puzzles")
    aliases: tuple[str, ...] = ()
    code: str = Field(default="", description="a function that passed its check, or nothing")
    language: str = Field(default="", description="what the code is written in")
    passed: tuple[str, ...] = Field(default=(), description="the puzzles the code passed on")
    refused: tuple[str, ...] = Field(default=(), description="why code was not taken")
    evidence: tuple[str, ...] = Field(
        default=(), description="what admitted it, as 'train pairs'; never a hidden output"
    )
    said: tuple[Said, ...] = Field(default=(), description="where each value came from")
    extra: dict[str, JsonValue] = Field(
        default_factory=dict, description="fields of an import that mean nothing here, kept"
    )

    @field_validator("parameters", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Journals of before 0.2 hold a mapping of names to annotations."""
        if isinstance(value, dict):
            given = cast("dict[str, str]", value)
            return [{"name": name, "typing": typing} for name, typing in given.items()]
        return value


class ErrorPayload(Frozen):
    """A mistake and the guideline that avoids it (ViLoMem's two streams)."""

    kind: Literal["error"] = "error"
    stream: Literal["visual", "logical"]
    guideline: str
    evidence: str = ""
    image_keys: tuple[str, ...] = ()


class UtterancePayload(Frozen):
    """One message, verbatim. ``turn`` is its place in its session, by number or by time."""

    kind: Literal["utterance"] = "utterance"
    speaker: str
    turn: int = 0
    repeats: tuple[int, ...] = Field(
        default=(), description="later places where the same was said in the same words"
    )


class DerivedPayload(Frozen):
    """A coarser grain of dialogue, made from the records in ``Record.sources``."""

    kind: Literal["session", "summary", "keywords"]
    title: str = ""


class FactPayload(Frozen):
    """A statement with its interval of validity, from ``valid_from`` up to ``valid_to``.

    ``ends`` says that the value, or whatever there was, is over. ``confirmed`` is False for what
    an assistant claimed of its user and the user did not confirm.
    """

    kind: Literal["fact"] = "fact"
    subject: str
    attribute: str
    value: str
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    ends: bool = False
    many: bool = Field(default=False, description="the subject may have several values at once")
    confirmed: bool = True


Payload = Annotated[
    CasePayload
    | StepPayload
    | ConceptPayload
    | ErrorPayload
    | UtterancePayload
    | DerivedPayload
    | FactPayload,
    Field(discriminator="kind"),
]


class Record(Frozen):
    """One memory, as the journal keeps it.

    ``text`` is what is searched; ``payload`` what it means. ``event_time`` is when it happened,
    ``ingest_time`` when it was written. ``trust`` lies in [0, 1]. ``sources`` are the ids it was
    derived from. ``counters`` hold use statistics (recalled, chosen, helped…).
    """

    id: str = Field(default_factory=new_id, min_length=1, max_length=128)
    scope: Scope
    text: str
    payload: Payload
    origin: Origin
    event_time: datetime = Field(default_factory=now)
    ingest_time: datetime = Field(default_factory=now)
    sources: tuple[str, ...] = ()
    status: Status = Status.ACTIVE
    trust: float = Field(default=1.0, ge=0.0, le=1.0)
    counters: dict[str, float] = Field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """The kind its payload names."""
        return Kind(self.payload.kind)

"""What flows through the loop: the state of one episode, its limits, and what comes out.

The graph's state holds plain JSON values only, so that any checkpointer can write it and another
process can go on. ``View`` is the typed window on it that triggers, weavers and actors see.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NotRequired, TypedDict

from pydantic import Field, JsonValue, TypeAdapter

from ..memory.records import Frozen
from .environment import Observation, Task
from .models.base import Usage

StopReason = Literal["done", "steps", "tokens", "usd", "seconds"]


class Limits(Frozen):
    """When an episode stops by itself. ``None`` is no limit; ``seconds`` is wall time."""

    steps: int = Field(default=50, ge=1)
    tokens: int | None = Field(default=None, ge=1)
    usd: float | None = Field(default=None, gt=0)
    seconds: float | None = Field(default=None, gt=0)


class Spent(TypedDict):
    """What an episode has consumed. ``usd`` is None once a call of unknown price was made."""

    tokens: int
    cached_tokens: int
    usd: float | None
    seconds: float
    model_seconds: float
    env_seconds: float


def nothing_spent() -> Spent:
    """The ledger at the start of an episode."""
    return Spent(
        tokens=0, cached_tokens=0, usd=0.0, seconds=0.0, model_seconds=0.0, env_seconds=0.0
    )


def add_usage(spent: Spent, usage: Usage) -> Spent:
    """``spent`` with one more model call; an unknown price makes the sum unknown."""
    unknown = spent["usd"] is None or (usage.usd is None and usage.tokens > 0)
    return Spent(
        tokens=spent["tokens"] + usage.tokens,
        cached_tokens=spent["cached_tokens"] + usage.cached_tokens,
        usd=None if unknown else (spent["usd"] or 0.0) + (usage.usd or 0.0),
        seconds=spent["seconds"],
        model_seconds=spent["model_seconds"] + usage.seconds,
        env_seconds=spent["env_seconds"],
    )


class TraceStep(Frozen):
    """One step as it was lived: what was seen, what was done, and what memory was shown.

    ``trigger`` is why memory was asked, empty if it was not; ``read`` how many tokens it then gave,
    as text or as votes; ``recalled`` the ids of what was used, also of what is held since earlier.
    """

    observation: str
    action: str
    reward: float = 0.0
    valid: bool = True
    trigger: str = ""
    read: int = 0
    recalled: tuple[str, ...] = ()


_TRACE = TypeAdapter(list[TraceStep])


class Decision(Frozen):
    """What a trigger decided, and how likely it was to decide on recalling.

    ``reason`` is why to recall; the empty string means not to. A rule is certain. ``features`` are
    what a trigger that learns decided on.
    """

    reason: str = ""
    probability: float = Field(default=1.0, ge=0, le=1)
    features: tuple[float, ...] = ()


class RecalledCase(TypedDict):
    """An episode that came back from memory, as far as the weaver needs it."""

    id: str
    score: float
    task: str
    plan: list[str]
    outcome: str
    reason: str
    origin: str
    date: str


class RecalledStep(TypedDict):
    """A step that came back from memory."""

    id: str
    score: float
    state: dict[str, str]
    action: str
    attempts: int


class LoggedSelection(TypedDict):
    """A choice among memories and the id under which the journal logged it.

    ``value`` is what the policy expected of the best that it was offered.
    """

    recall_id: str
    chosen: list[str]
    probabilities: dict[str, float]
    policy: str
    value: float


class Woven(TypedDict):
    """What memory gives the model: a text to read, and log-weights over the admissible actions.

    ``prior`` maps an action to a log-probability; an empty one says nothing. ``sources`` are the
    ids behind both. ``latent`` is a text that the model does not read, but weaves into vectors.
    """

    text: str
    latent: NotRequired[str]
    prior: dict[str, float]
    sources: list[str]


class EpisodeState(TypedDict, total=False):
    """The LangGraph state of one episode; every value is plain JSON."""

    task: dict[str, JsonValue]
    run: str
    seed: int
    goal: str
    observation: dict[str, JsonValue]
    steps: Annotated[list[dict[str, JsonValue]], operator.add]
    decisions: Annotated[list[dict[str, JsonValue]], operator.add]
    trigger: str
    read: int
    uncertainty: float
    cases: list[RecalledCase]
    neighbours: list[RecalledStep]
    selections: Annotated[list[LoggedSelection], operator.add]
    woven: Woven
    action: str
    spent: Spent
    done: bool
    stop: str
    outcome: dict[str, JsonValue]
    lesson: dict[str, JsonValue]
    written: list[str]


@dataclass(frozen=True)
class Glance:
    """What a trigger may know before it decides, at no cost; each in [0, 1] but ``value``.

    ``novelty`` is how unlike the state is to all that is held from earlier recalls, 1 when nothing
    is held. ``uncertainty`` is the entropy of the last choice of action over its maximum, 0 where
    the model gives no probabilities. ``value`` is what the policy expected of the best case when
    it was last asked, 0 before.
    """

    novelty: float = 1.0
    uncertainty: float = 0.0
    value: float = 0.0


@dataclass(frozen=True)
class View:
    """The episode as the parts of the loop see it: no scores, no gold."""

    task: Task
    goal: str
    observation: Observation
    steps: Sequence[TraceStep]
    seed: int = 0
    glance: Glance = Glance()
    instructions: str = ""

    @property
    def actions(self) -> list[str]:
        """The actions so far, oldest first."""
        return [step.action for step in self.steps]


def task_of(state: EpisodeState) -> Task:
    """The task of an episode, also of one that has not begun."""
    return Task.model_validate(state.get("task"))


def episode_id(state: EpisodeState) -> str:
    """Names an episode by what it is, so that a repeated write is recognised."""
    return f"{state.get('run', '')}/{task_of(state).id}/{state.get('seed', 0)}"


def steps_of(state: EpisodeState) -> list[TraceStep]:
    """The steps of a state, typed."""
    return _TRACE.validate_python(state.get("steps", []))


def view_of(state: EpisodeState, instructions: str = "") -> View:
    """The typed window on a state, with the environment's ``instructions`` if they are wanted."""
    return View(
        task=Task.model_validate(state.get("task")),
        goal=state.get("goal", ""),
        observation=Observation.model_validate(state.get("observation")),
        steps=steps_of(state),
        seed=state.get("seed", 0),
        instructions=instructions,
    )


class Event(Frozen):
    """Something that happened in the loop, for whoever watches."""

    node: str
    step: int
    data: dict[str, JsonValue] = Field(default_factory=dict)


class Episode(Frozen):
    """One finished episode: what the runner writes and the reports read."""

    task_id: str
    task_type: str
    split: str
    seed: int
    goal: str
    success: bool
    reward: float
    metrics: dict[str, float] = Field(default_factory=dict)
    steps: int
    invalid_actions: int
    stop_reason: StopReason
    tokens: int
    cached_tokens: int = 0
    usd: float | None
    seconds: float
    model_seconds: float
    env_seconds: float
    trajectory: tuple[TraceStep, ...]
    recalled: tuple[str, ...] = Field(description="ids of all memories that were used")
    recalled_tokens: int = Field(default=0, description="read from memory, shown or not")
    recall_ids: tuple[str, ...] = Field(description="the logged recalls, to be credited")
    written: tuple[str, ...] = Field(description="ids of the memories this episode wrote")

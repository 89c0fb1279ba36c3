"""The stages that ship: ALFWorld's games, played by Reverie's agent over its memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue, ValidationError

from ..agent.environment import Environment, Task
from ..errors import RecordNotFound, ReverieError, SettingsError
from ..memory.records import CasePayload, Record, Scope, StepPayload
from .machine import cores
from .runs import Arm, Drawn, Recalled, RunSpec
from .snapshots import copy_store

if TYPE_CHECKING:
    from ..agent.arms import AgentOptions
    from ..agent.models.base import ChatModel
    from ..agent.state import Episode, Limits
    from ..memory.memory import Memory
    from ..memory.recollection import RecallLog
    from .alfworld import AlfWorld
    from .alfworld.environment import Protocol
    from .alfworld.games import Games
    from .stage import Seat, Stage

SCOPE = Scope(user="run", agent="reverie")
"""Whose memory a run's stores are: each holds nothing else."""

BRIEF = 160
"""Characters of a recalled record that stand in an episode's line."""

GENERATED = "generated"
"""As ``data``: the generated games, though the official ones may be there."""


def stage_for(spec: RunSpec) -> Stage:
    """The stage of the environment ``spec.env`` names. Raises ``SettingsError`` for no such one."""
    if spec.env != "alfworld":
        raise SettingsError(f"there is no environment {spec.env!r}; there is alfworld")
    return AlfWorldStage(spec)


class AlfWorldStage:
    """ALFWorld in a process of its own, with one model for all seats."""

    def __init__(self, spec: RunSpec) -> None:
        self._spec = spec
        self._options = agent_options(spec)
        self._environment: Environment | None = None

    def prepare(self, tell: Callable[[str], None]) -> None:
        """See ``Stage.prepare``: makes the games that are to be generated."""
        games = open_source(*self._source(), tell)
        splits = [self._spec.split]
        if self._spec.seed_cases and set(self._spec.arms) != {Arm.OFF}:
            splits.append(self._spec.seed_split)
        for split in splits:
            games.split(split)

    @property
    def environment(self) -> Environment:
        """See ``Stage.environment``."""
        if self._environment is None:
            from .alfworld.worker import RemoteEnvironment

            options = self._spec.options
            data, sizes = self._source()
            self._environment = RemoteEnvironment(
                f"{__name__}:{make_alfworld.__name__}",
                {
                    "data": data,
                    "sizes": sizes,
                    "protocol": str(options.get("protocol", "rl")),
                    "admissible": bool(options.get("admissible", True)),
                    "max_steps": max_steps(self._spec),
                },
            )
        return self._environment

    @cached_property
    def model(self) -> ChatModel:
        """The model, loaded when it is first asked for."""
        return named_model(self._spec)

    def model_id(self) -> str:
        """See ``Stage.model_id``."""
        return self.model.id

    def agent(self) -> dict[str, JsonValue]:
        """See ``Stage.agent``."""
        options: dict[str, JsonValue] = self._options.model_dump(mode="json")
        return options | {"embedder": self._spec.embedder or "bundled"}

    def seat(self, arm: Arm, seed: int, folder: Path | None) -> Seat:
        """See ``Stage.seat``."""
        from ..memory.memory import Memory

        memory = None
        if folder is not None:
            memory = Memory.open(folder, embedder=self._spec.embedder)
        return AgentSeat(
            arm,
            memory,
            environment=self.environment,
            model=lambda: self.model,
            options=self._options,
            limits=episode_limits(self._spec),
        )

    def close(self) -> None:
        """See ``Stage.close``."""
        if self._environment is not None:
            self._environment.close()
            self._environment = None
        self.__dict__.pop("model", None)

    def _source(self) -> tuple[str | None, str]:
        """Where the games come from, as plain values for another process."""
        data, sizes = self._spec.options.get("data"), self._spec.options.get("games")
        return (None if data is None else str(data), json.dumps(sizes or {}))


def open_source(data: str | None, sizes: str, tell: Callable[[str], None] | None = None) -> Games:
    """The games of a folder, of ALFWORLD_DATA or generated ones; ``sizes`` is a JSON object of
    how many to generate for each split."""
    from .alfworld.environment import open_games
    from .alfworld.generate import SIZES

    def progress(done: int, wanted: int) -> None:
        if tell is not None and (done == wanted or done % 20 == 0):
            tell(f"made {done} of {wanted} games")

    wanted = {**SIZES, **json.loads(sizes)}
    if data == GENERATED:
        return open_games(None, sizes=wanted, progress=progress, environ={})
    return open_games(data, sizes=wanted, progress=progress)


def make_alfworld(
    data: str | None, sizes: str, protocol: Protocol, admissible: bool, max_steps: int
) -> AlfWorld:
    """The environment, made where it is played: in its own process."""
    from .alfworld import AlfWorld

    games = open_source(data, sizes)
    return AlfWorld(games=games, protocol=protocol, admissible=admissible, max_steps=max_steps)


class AgentSeat:
    """Reverie's agent, over a memory if the arm has one.

    The agent is built anew for each episode: what it knows lies in the memory and nowhere else, so
    the order of episodes changes nothing in a frozen arm, and a resumed run is the run that was
    interrupted.
    """

    def __init__(
        self,
        arm: Arm,
        memory: Memory | None,
        *,
        environment: Environment,
        model: Callable[[], ChatModel],
        options: AgentOptions,
        limits: Limits,
    ) -> None:
        self._arm = arm
        self._memory = memory
        self._environment = environment
        self._model = model
        self._options = options
        self._limits = limits

    def play(self, task: Task, *, run: str, seed: int, write: bool) -> Episode:
        """See ``Seat.play``."""
        from ..agent.arms import build_agent

        arm = self._arm
        assert arm is not Arm.SHUFFLED, "RunSpec lets no such arm through"
        agent = build_agent(
            arm.value,
            self._model(),
            self._memory,
            scope=SCOPE,
            options=self._options,
            limits=self._limits,
        )
        assert agent.write == write
        return agent.play(self._environment, task, run=run, seed=seed)

    def seed(self, tasks: Sequence[Task]) -> int:
        """See ``Seat.seed``."""
        from ..agent.arms import seed_memory

        assert self._memory is not None
        return sum(1 for _ in seed_memory(self._memory, SCOPE, self._environment, tasks))

    def briefs(self, ids: Sequence[str]) -> Sequence[Recalled]:
        """See ``Seat.briefs``."""
        assert self._memory is not None
        found: list[Recalled] = []
        for name in ids:
            try:
                found.append(brief(self._memory.get(name, scope=SCOPE)))
            except ReverieError:
                continue
        return found

    def draws(self, recalls: Sequence[str]) -> Sequence[Drawn]:
        """See ``Seat.draws``."""
        assert self._memory is not None
        found: list[Drawn] = []
        for name in recalls:
            try:
                found.append(drawn(self._memory.logged(name, scope=SCOPE)))
            except RecordNotFound:
                continue
        return found

    def state(self) -> dict[str, int]:
        """See ``Seat.state``."""
        if self._memory is None:
            return {}
        held = self._memory.stats()
        return {"records": held.records, "recalls": held.recalls, "rewards": held.rewards}

    def save(self, folder: Path) -> None:
        """See ``Seat.save``."""
        assert self._memory is not None and self._memory.address.folder is not None
        copy_store(self._memory.address.folder, folder)

    def close(self) -> None:
        """See ``Seat.close``."""
        if self._memory is not None:
            self._memory.close()


def brief(record: Record) -> Recalled:
    """A record in a line's length."""
    payload = record.payload
    lived = isinstance(payload, CasePayload | StepPayload)
    text = record.text
    if isinstance(payload, CasePayload):
        text = f"{payload.task}: {', '.join(payload.plan)}"
    elif isinstance(payload, StepPayload):
        text = f"{record.text} → {payload.action}"
    return Recalled(
        id=record.id,
        kind=record.kind.value,
        task_type=payload.task_type if lived else "",
        outcome=payload.outcome if lived else "",
        text=text if len(text) <= BRIEF else text[: BRIEF - 1] + "…",
    )


def drawn(log: RecallLog) -> Drawn:
    """What a logged recall drew, as a line keeps it."""
    return Drawn(
        offered=tuple(one.id for one in log.candidates),
        chosen=log.chosen,
        dropped=log.dropped,
        dropout=log.dropout,
    )


def named_model(spec: RunSpec) -> ChatModel:
    """The model of a run: a local one shares the cores among the workers, one behind an API gets
    the key of the settings, if they have one (else it looks for its provider's variable)."""
    from ..agent.models import open_model
    from ..settings import load_settings

    options = agent_options(spec)
    threads = max(1, cores() // spec.workers) if spec.workers > 1 else None
    if options.weaver.startswith("latent"):
        from ..agent.latent.loop_weaver import woven_name

        name = woven_name(spec.model, options.weaver_path)
        if name.startswith("woven:"):
            return open_model(name, weave="told", threads=threads)
    kind = spec.model.partition(":")[0]
    if kind == "local":
        return open_model(spec.model, threads=threads)
    key = load_settings().api_key
    if kind in ("local", "scripted", "none") or key is None:
        return open_model(spec.model)
    return open_model(spec.model, api_key=key.get_secret_value())


def agent_options(spec: RunSpec) -> AgentOptions:
    """The agent's options of a run. Raises ``SettingsError`` naming one that has no meaning."""
    from ..agent.arms import AgentOptions

    try:
        return AgentOptions.model_validate(spec.agent)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        known = ", ".join(AgentOptions.model_fields)
        raise SettingsError(
            f"agent option {name}: {first['msg']}. The options are {known}"
        ) from error


def episode_limits(spec: RunSpec) -> Limits:
    """As many turns as the game allows; under ``react`` as many thoughts besides."""
    from ..agent.state import Limits

    steps = max_steps(spec)
    return Limits(steps=2 * steps if spec.options.get("protocol") == "react" else steps)


def max_steps(spec: RunSpec) -> int:
    """The actions until a game is lost, 50 if the run does not say."""
    given = spec.options.get("max_steps", 50)
    if not isinstance(given, int):
        raise SettingsError(f"max_steps is {given!r}: give a whole number")
    return given

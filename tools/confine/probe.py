"""Which levels hold on this machine, found by letting a program try to break out of each."""

from __future__ import annotations

import platform
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from ...errors import MissingExtra, NoSandbox
from .pool import Workers
from .results import Level

LEVELS: tuple[Level, ...] = ("bubblewrap", "landlock", "interpreter")
"""The levels that contain, strongest first."""

_BREAKOUT = """
import os, socket
broke = []
def attempt(name, deed):
    try:
        deed()
    except (OSError, ImportError):
        return
    broke.append(name)
attempt("read a file outside", lambda: open(outside).read())
attempt("write a file outside", lambda: open(outside + ".new", "w"))
attempt("list a folder outside", lambda: os.listdir(os.path.dirname(outside)))
attempt("open a socket", lambda: socket.socket().close())
attempt("start a process", lambda: os.fork() or os._exit(0))
attempt("run a program", lambda: os.execv("/bin/true", ["true"]))
attempt("signal its keeper", lambda: os.kill(os.getppid() or 1, 0))
attempt("read the memory of its keeper", lambda: open(f"/proc/{os.getppid() or 1}/mem"))
broke
"""


@dataclass(frozen=True)
class Probe:
    """Whether a level works here; ``reason`` says why not, empty if it does."""

    level: Level
    works: bool
    reason: str = ""


def probe(level: Level) -> Probe:
    """Try a level by running a program in it. The answer is kept for this process's life."""
    return _probe(level)


@cache
def _probe(level: Level) -> Probe:
    try:
        if level == "interpreter":
            reason = _try_interpreter()
        elif platform.system() != "Linux":
            reason = f"it needs Linux, this is {platform.system()}"
        elif level == "unsafe":
            reason = ""
        else:
            reason = _try_workers(level)
    except (NoSandbox, MissingExtra) as error:
        reason = str(error)
    return Probe(level, not reason, reason)


def _try_workers(level: Level) -> str:
    """Empty, or what a program in this level could do that it must not."""
    with (
        tempfile.TemporaryDirectory(prefix="reverie-probe-") as place,
        Workers(level, packages=()) as workers,
    ):
        outside = Path(place) / "outside"
        outside.write_text("must not be read")
        result = workers.run(_BREAKOUT, {"outside": str(outside)}, timeout=20)
    if result.error is not None:
        return f"a program in it failed: {result.error.splitlines()[-1]}"
    broke = cast("list[str]", result.value)
    return f"a program in it could {', '.join(broke)}" if broke else ""


def _try_interpreter() -> str:
    from .interpreter import Interpreter

    with Interpreter() as interpreter:
        result = interpreter.run("1 + 1")
    return "" if result.value == 2 else f"a program in it failed: {result.error}"

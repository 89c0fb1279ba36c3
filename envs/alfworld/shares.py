"""Making a split's games in several processes.

Each game depends on its number alone, so process k of m makes the games k, k + m, k + 2m, ...
The children are started with a command of their own, not by ``multiprocessing``, which would
run the user's main module again in each.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from ...errors import EnvironmentFault

Progress = Callable[[int, int], None]
"""Called with (games done, games wanted)."""

_START = "from reverie.envs.alfworld.shares import work; work()"
_LOOK_S = 0.2


def share_out(split: str, n: int, seed: int, draft: Path, progress: Progress, jobs: int) -> None:
    """Have ``jobs`` processes write games 0 to n - 1 into ``draft``; one job is done here."""
    from .generate import write

    if jobs == 1:
        for count, _ in enumerate(write(split, range(n), seed, draft), start=1):
            progress(count, n)
        return
    with tempfile.TemporaryFile() as said:
        children = [_start(split, range(job, n, jobs), seed, draft, said) for job in range(jobs)]
        try:
            _watch(children, draft, n, progress)
        finally:
            for child in children:
                child.kill()
                child.wait()
        if any(child.returncode for child in children):
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise EnvironmentFault(
                f"A process that made games failed: {lines[-1] if lines else 'it was killed'}"
            )


def _start(
    split: str, indices: range, seed: int, draft: Path, said: IO[bytes]
) -> subprocess.Popen[bytes]:
    numbers = (indices.start, indices.stop, indices.step, seed, os.getpid())
    arguments = [split, *map(str, numbers), str(draft)]
    return subprocess.Popen(
        [sys.executable, "-c", _START, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=said,
        start_new_session=True,
    )


def _watch(
    children: Sequence[subprocess.Popen[bytes]], draft: Path, n: int, progress: Progress
) -> None:
    """Wait for all children, or for the first that fails, and tell how many games there are."""
    told = 0
    while told < n:
        codes = [child.poll() for child in children]
        done = sum(1 for _ in draft.glob("*/*/*.tw-pddl"))
        if done > told:
            told = done
            progress(told, n)
        if any(codes) or all(code is not None for code in codes):
            break
        time.sleep(_LOOK_S)
    if all(not child.poll() for child in children):
        for child in children:
            child.wait()


def work() -> None:
    """A child: make its share; stop early if the parent is gone."""
    from .generate import write

    split, *numbers, draft = sys.argv[1:]
    start, stop, step, seed, parent = map(int, numbers)
    for _ in write(split, range(start, stop, step), seed, Path(draft)):
        if os.getppid() != parent:
            return

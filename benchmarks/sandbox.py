"""What it costs to run a foreign program, by level, beside a plain subprocess in the same run.

    python benchmarks/sandbox.py [--quick] [--json]

The program turns a 12x12 grid with numpy; the isolated interpreter, which has no numpy, turns it
with lists. Levels and subprocess take turns, so that a busy machine slows all of them alike.
``_ms`` is the median over programs of the time by the clock, ``_p95_ms`` its 95th percentile,
``_cpu_ms`` processor time of caller, keeper and program together, ``_per_core_s`` the programs a
second that one core can run by it, ``_faster`` how many times a subprocess that loads numpy takes,
``_call_ms`` one of 100 calls of a function in one program, ``_start_s`` a pool's first program.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from reverie.benchmarks.machine import print_json, print_table
from reverie.tools.sandbox import (
    LEVELS,
    Interpreter,
    Level,
    Sandbox,
    Workers,
    open_sandbox,
    probe,
)

GRID = np.arange(144).reshape(12, 12) % 10
WITH_NUMPY = "import numpy as np\nnp.rot90(np.array(grid)).tolist()"
PURE = "[list(row) for row in list(zip(*grid))[::-1]]"
FUNCTION = {
    WITH_NUMPY: "import numpy as np\ndef transform(grid):\n    return np.rot90(grid)",
    PURE: "def transform(grid):\n    return [list(row) for row in list(zip(*grid))[::-1]]",
}
SUBPROCESS = f"grid = {GRID.tolist()}\n{WITH_NUMPY.replace('np.rot90', 'value = np.rot90')}"
CALLS = 100


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer programs")
    options = parser.parse_args(arguments)
    programs, plain = (100, 5) if options.quick else (1000, 30)
    metrics = measure(programs, plain)
    if options.json:
        print_json("sandbox", metrics)
        return
    tried = [probe(level) for level in LEVELS]
    show(metrics, [found.level for found in tried if found.works])
    for found in tried:
        if not found.works:
            print(f"{found.level} was not run: {found.reason}")


def measure(programs: int, plain: int) -> dict[str, float]:
    """Every figure of the levels that work here, and of a plain subprocess."""
    levels: list[Level] = [level for level in (*LEVELS, "unsafe") if probe(level).works]
    metrics: dict[str, float] = {}
    times: dict[str, list[float]] = {level: [] for level in levels} | {"subprocess": []}
    with ExitStack() as stack:
        opened: dict[Level, Sandbox] = {}
        for level in levels:
            started = time.perf_counter()
            opened[level] = stack.enter_context(_open(level))
            _run(opened[level])
            metrics[f"{level}_start_s"] = time.perf_counter() - started
        console = Console(stderr=True)
        for number in track(range(programs), "programs", console=console, transient=True):
            for level, sandbox in opened.items():
                times[level].append(_timed(lambda sandbox=sandbox: _run(sandbox)))
            if number % (programs // plain) == 0:
                times["subprocess"].append(_timed(_subprocess))
        for level, sandbox in opened.items():
            metrics[f"{level}_call_ms"] = 1000 * _timed(lambda one=sandbox: _each(one)) / CALLS
    whole = statistics.median(times["subprocess"])
    metrics["subprocess_ms"] = 1000 * whole
    for level in levels:
        median = statistics.median(times[level])
        metrics[f"{level}_ms"] = 1000 * median
        metrics[f"{level}_p95_ms"] = 1000 * float(np.quantile(times[level], 0.95))
        metrics[f"{level}_faster"] = whole / median
        spent = processor_seconds(level, programs // 4)
        metrics[f"{level}_cpu_ms"] = 1000 * spent
        metrics[f"{level}_per_core_s"] = 1 / spent
    return metrics


def processor_seconds(level: Level, programs: int) -> float:
    """Processor time of one program, the caller's share included, the pool's start not."""
    with _open(level) as sandbox:
        _run(sandbox)
        before = _processor()
        for _ in range(programs):
            _run(sandbox)
        return (_processor() - before) / programs


def _processor() -> float:
    """Seconds of this process, of those it has seen end, and of those below that still live."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own = sum(one.ru_utime + one.ru_stime for one in used)
    return own + sum(_living(pid) for pid in _below(os.getpid()))


def _living(pid: int) -> float:
    """Seconds of a process and of those it has seen end."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _below(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    children = [child for one in threads for child in (one / "children").read_text().split()]
    return [one for child in children for one in (int(child), *_below(int(child)))]


def _open(level: Level) -> Workers | Interpreter:
    return open_sandbox(level, allow_unsafe_exec=level == "unsafe")


def _code(sandbox: Sandbox) -> str:
    return PURE if sandbox.level == "interpreter" else WITH_NUMPY


def _run(sandbox: Sandbox) -> None:
    result = sandbox.run(_code(sandbox), {"grid": GRID.tolist()})
    if result.value != np.rot90(GRID).tolist():
        raise SystemExit(f"{sandbox.level}: {result.error or result.value}")


def _each(sandbox: Sandbox) -> None:
    made = sandbox.run_each(FUNCTION[_code(sandbox)], [GRID] * CALLS)
    if not all(outcome.ok for outcome in made):
        raise SystemExit(f"{sandbox.level}: {made[0].error}")


def _subprocess() -> None:
    subprocess.run([sys.executable, "-I", "-c", SUBPROCESS], check=True, stdin=subprocess.DEVNULL)


def _timed(deed: Callable[[], None]) -> float:
    started = time.perf_counter()
    deed()
    return time.perf_counter() - started


def show(metrics: dict[str, float], levels: Sequence[Level]) -> None:
    """A row a level."""
    names = ["ms", "p95_ms", "cpu_ms", "per_core_s", "faster", "call_ms", "start_s"]
    rows = [
        [level, *(f"{metrics[f'{level}_{name}']:.2f}" for name in names)]
        for level in (*levels, "unsafe")
    ]
    rows.append(["subprocess", f"{metrics['subprocess_ms']:.2f}", *[""] * (len(names) - 1)])
    print_table("One program", ["level", *(name.replace("_", " ") for name in names)], rows)


if __name__ == "__main__":
    main()

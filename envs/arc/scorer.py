"""The scorer: a process of its own, which alone opens the hidden outputs.

The run asks it for puzzles (which hold none), hands in guesses and gets verdicts back; at the end
it lets it draw the report. So nothing that solves, remembers or chooses ever shares memory with an
output, whatever a solver or a memory does.

    with Scorer("arc-agi-1") as scorer:
        puzzles = scorer.puzzles("training")
        scorer.judge("training", puzzles[0].id, guesses)
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from ...errors import DataMissing, EnvironmentFault, SettingsError
from ...memory.records import Frozen
from ...tools.grids.puzzle import Grid, Pair, Puzzle
from ..child import Child, serve
from .data import Split, Task, TaskSet, grid_of, open_tasks, rows

_START = "from reverie.envs.arc.scorer import main; main()"
_LOSS = "Give the same command again to go on."
TIMEOUT_S = 300.0


class DataFacts(Frozen):
    """What a split is, for a run's record."""

    source: str
    tasks: int
    test_inputs: int
    puzzles_sha256: str
    outputs_sha256: str


class Scorer:
    """The scorer's process, as the run sees it. ``data`` is what ``open_tasks`` reads."""

    def __init__(self, data: str) -> None:
        self.data = data
        self._child = Child(_START, whose="the scorer's", loss=_LOSS)

    @property
    def pid(self) -> int:
        """The scorer's process id."""
        return self._child.pid

    def facts(self, split: Split) -> DataFacts:
        """How much there is in a split, and its hashes. Raises ``DataMissing``."""
        return DataFacts.model_validate(self._call("facts", split))

    def puzzles(self, split: Split) -> tuple[Puzzle, ...]:
        """The puzzles of a split, ordered by id. Raises ``DataMissing``."""
        return tuple(
            Puzzle(
                id=name,
                train=tuple(Pair(grid_of(a), grid_of(b)) for a, b in train),
                tests=tuple(grid_of(test) for test in tests),
            )
            for name, train, tests in self._call("puzzles", split)
        )

    def judge(
        self, split: Split, puzzle: str, guesses: Sequence[Sequence[Grid]]
    ) -> tuple[tuple[bool, ...], ...]:
        """Which guesses are right: one row a test input, one verdict a guess."""
        given = [[rows(guess) for guess in row] for row in guesses]
        return tuple(tuple(row) for row in self._call("judge", split, puzzle, given))

    def show(
        self,
        puzzle: str,
        *,
        out: Path | None = None,
        answers: bool = False,
        colour: bool = True,
        width: int = 100,
    ) -> str:
        """A puzzle as text for a terminal, with the attempts of the run in ``out``.

        ``answers`` shows the hidden outputs too, and where the attempts differ from them.
        """
        return self._call("show", puzzle, str(out) if out else None, answers, colour, width)

    def png(self, puzzle: str, *, answers: bool = False) -> bytes:
        """A puzzle as a PNG picture."""
        return base64.b64decode(self._call("png", puzzle, answers))

    def report(self, out: Path) -> None:
        """Write the report of the run in ``out`` from its files."""
        self._call("report", str(out))

    def close(self) -> None:
        """End the process."""
        self._child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _call(self, method: str, *arguments: Any) -> Any:
        return self._child.call(method, [self.data, *arguments], TIMEOUT_S)


def load_puzzles(data: str, split: Split) -> tuple[Puzzle, ...]:
    """The puzzles of a split, by a scorer that is closed again. Raises ``DataMissing``."""
    with Scorer(data) as scorer:
        return scorer.puzzles(split)


def main() -> None:
    """The scorer's process: answer until the pipe closes."""
    serve(_answer)


@cache
def _tasks(data: str, split: Split) -> TaskSet:
    return open_tasks(data, split)


def _answer(method: str, arguments: Sequence[Any]) -> Any:
    match method, *arguments:
        case "facts", data, split:
            return _facts(_tasks(data, split))
        case "puzzles", data, split:
            return [
                (
                    one.puzzle.id,
                    [(rows(pair.input), rows(pair.output)) for pair in one.puzzle.train],
                    [rows(test) for test in one.puzzle.tests],
                )
                for one in _tasks(data, split).tasks
            ]
        case "judge", data, split, puzzle, guesses:
            return _judge(_tasks(data, split), puzzle, guesses)
        case "show", data, puzzle, out, answers, colour, width:
            from .showing import show_text

            path = None if out is None else Path(out)
            return show_text(_find(data, puzzle), path, answers=answers, colour=colour, width=width)
        case "png", data, puzzle, answers:
            from .pictures import task_png

            picture = task_png(_find(data, puzzle), answers=answers)
            return base64.b64encode(picture).decode()
        case "report", data, out:
            from .report import write_report

            return write_report(Path(out), lambda split: _tasks(data, split))
        case _:
            raise EnvironmentFault(f"the scorer has no call {method!r}")


def _facts(tasks: TaskSet) -> dict[str, Any]:
    return DataFacts(
        source=tasks.source,
        tasks=len(tasks.tasks),
        test_inputs=sum(len(one.puzzle.tests) for one in tasks.tasks),
        puzzles_sha256=tasks.puzzles_sha256(),
        outputs_sha256=tasks.outputs_sha256(),
    ).model_dump()


def _judge(tasks: TaskSet, puzzle: str, guesses: Sequence[Sequence[str]]) -> list[list[bool]]:
    found = [one for one in tasks.tasks if one.puzzle.id == puzzle]
    if not found:
        raise DataMissing(f"{tasks.source} has no task {puzzle}")
    outputs = found[0].outputs
    if len(guesses) != len(outputs):
        raise EnvironmentFault(
            f"{puzzle} has {len(outputs)} test inputs, and {len(guesses)} were answered"
        )
    verdicts: list[list[bool]] = []
    for output, row in zip(outputs, guesses, strict=True):
        if output is None:
            raise DataMissing(
                f"the outputs of {puzzle} are not in {tasks.source}, so nothing can be scored: put "
                "its file of solutions beside it, or choose a split that has outputs"
            )
        verdicts.append([np.array_equal(grid_of(guess), output) for guess in row])
    return verdicts


def _find(data: str, puzzle: str) -> Task:
    for split in ("training", "evaluation"):
        try:
            tasks = _tasks(data, split).tasks
        except DataMissing:
            continue
        for one in tasks:
            if one.puzzle.id == puzzle:
                return one
    raise SettingsError(f"{data} has no task {puzzle}: ids look like 007bbfb7")

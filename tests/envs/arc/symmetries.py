"""A small real solver of puzzles, and puzzles for it: a symmetry of the square, then new colours.

It tries the eight symmetries in an order drawn for each puzzle and reads a map of colours off the
worked examples. Its budget of nodes is below eight, so the order decides what it can solve; a
concept memory holds which symmetry helped how often, and those go first. All that it is given can
be written to a file, so that a test can compare all that a solver ever sees.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from reverie.agent.puzzles import Aid, Answer, Lesson, Program
from reverie.envs.arc.data import rows
from reverie.envs.arc.lines import ArcSpec
from reverie.envs.arc.run import run_arc
from reverie.errors import MalformedReply
from reverie.memory.concepts import ConceptMemory, Draft
from reverie.memory.records import ConceptPayload
from reverie.tools.grids.puzzle import Grid, Pair, Puzzle, grid

SYMMETRIES = {
    f"{'mirror and ' if mirror else ''}turn {turns * 90}": (turns, mirror)
    for mirror in (False, True)
    for turns in range(4)
}
USEFUL = ("turn 270", "mirror and turn 180")
"""What most puzzles of ``write_data`` are about."""


def applied(name: str, cells: Grid) -> Grid:
    """The grid under a symmetry."""
    turns, mirror = SYMMETRIES[name]
    return grid(np.rot90(np.fliplr(cells) if mirror else cells, turns))


def colour_map(name: str, pairs: Sequence[Pair]) -> dict[int, int] | None:
    """Which colour becomes which, if a symmetry and a map of colours explain the pairs."""
    found: dict[int, int] = {}
    for pair in pairs:
        turned = applied(name, pair.input)
        if turned.shape != pair.output.shape:
            return None
        for old, new in zip(turned.flat, pair.output.flat, strict=True):
            if found.setdefault(int(old), int(new)) != int(new):
                return None
    return found


@dataclass
class Symmetries:
    """The solver. ``seen`` is a file that all it is given goes to; ``faulty`` a puzzle it fails."""

    nodes: int
    seen: Path | None = None
    faulty: str = ""
    deal: int | None = None
    name: str = "symmetries"

    def describe(self) -> dict[str, Any]:
        return {"symmetries": len(SYMMETRIES)}

    def aid(self, puzzle: Puzzle, concepts: ConceptMemory | None) -> Aid:
        if concepts is None:
            return Aid()
        held = sorted(concepts.all(), key=lambda one: (-len(one.payload.used_in), one.title))
        names = [one.title for one in held]
        if self.deal is not None:
            others = [name for name in SYMMETRIES if name not in names[:2]]
            names = random.Random(self.deal).sample(others, len(others))
        self._log("aid", puzzle, names)
        return Aid(tuple(one.id for one in held), prior=tuple(names))

    def solve(self, puzzle: Puzzle, aid: Aid) -> Answer:
        if puzzle.id == self.faulty:
            raise MalformedReply("nothing comes to mind", reply="")
        self._log("solve", puzzle, aid.prior)
        blind = random.Random(puzzle.id).sample(list(SYMMETRIES), len(SYMMETRIES))
        known = cast("tuple[str, ...]", aid.prior or ())
        order = list(dict.fromkeys([*known, *blind]))[: self.nodes]
        programs: list[Program] = []
        guesses: list[list[Grid]] = [[] for _ in puzzle.tests]
        for node, name in enumerate(order, start=1):
            colours = colour_map(name, puzzle.train)
            if colours is None:
                continue
            programs.append(Program(name, "grids", fits=True, cited=aid.concepts[:1], found=node))
            for place, test in enumerate(puzzle.tests):
                turned = applied(name, test)
                guess = [[colours.get(int(cell), 0) for cell in row] for row in turned]
                guesses[place].append(grid(guess))
        return Answer(tuple(map(tuple, guesses)), tuple(programs), nodes=len(order), tokens=10)

    def learn(self, lessons: Sequence[Lesson], concepts: ConceptMemory) -> Sequence[str]:
        drafts = [
            Draft(ConceptPayload(title=program.text), lesson.puzzle.id, evidence="train pairs")
            for lesson in lessons
            for program in lesson.answer.programs[:1]
        ]
        self._log("learn", *(lesson.puzzle for lesson in lessons), [one.puzzle for one in drafts])
        return [one.id for one in concepts.write(drafts)] if drafts else []

    def shuffled(self, seed: int) -> Symmetries:
        return replace(self, deal=seed)

    def _log(self, what: str, *facts: object) -> None:
        if self.seen is not None:
            with self.seen.open("a") as handle:
                handle.write(json.dumps([what, [told(fact) for fact in facts]]) + "\n")


def told(fact: object) -> object:
    """All of a puzzle, or a plain value."""
    if isinstance(fact, Puzzle):
        pairs = [[rows(pair.input), rows(pair.output)] for pair in fact.train]
        return [fact.id, pairs, [rows(test) for test in fact.tests]]
    return fact


def write_data(
    folder: Path, sizes: dict[str, int] | None = None, *, seed: int = 0, poison: bool = False
) -> Path:
    """A folder in the public format; with ``poison`` every hidden output is a random grid."""
    generator = np.random.default_rng(seed)
    for split, size in (sizes or {"training": 24, "evaluation": 10}).items():
        (folder / split).mkdir(parents=True)
        for number in range(size):
            task = _task(generator, number)
            if poison:
                for test in task["test"]:
                    test["output"] = np.random.default_rng(number).integers(0, 10, (2, 5)).tolist()
            name = f"{split[0]}{number:03d}"
            (folder / split / f"{name}.json").write_text(json.dumps(task))
    return folder


def _task(generator: np.random.Generator, number: int) -> dict[str, list[dict[str, Any]]]:
    names = list(SYMMETRIES)
    name = USEFUL[number % 2] if number % 6 else names[number // 6 % len(names)]
    colours = generator.permutation(10)
    pairs: list[dict[str, Any]] = []
    for _ in range(4 + number % 2):
        cells = generator.integers(0, 10, (4, 6))
        made = colours[applied(name, grid(cells))]
        pairs.append({"input": cells.tolist(), "output": made.tolist()})
    return {"train": pairs[:3], "test": pairs[3:]}


def solver(spec: ArcSpec) -> Symmetries:
    """The solver of a spec; picklable."""
    seen = spec.options.get("seen")
    faulty = str(spec.options.get("faulty", ""))
    return Symmetries(spec.nodes, Path(str(seen)) if seen else None, faulty)


class Slow(Symmetries):
    """Takes its time, so that a run can be killed in the middle of anything."""

    def solve(self, puzzle: Puzzle, aid: Aid) -> Answer:
        time.sleep(0.01)
        return super().solve(puzzle, aid)

    def learn(self, lessons: Sequence[Lesson], concepts: ConceptMemory) -> Sequence[str]:
        found: list[str] = []
        for lesson in lessons:  # one after the other, so that a kill may fall between two
            found += super().learn([lesson], concepts)
            time.sleep(0.01)
        return found


class Deadly(Symmetries):
    """Dies with its process at one puzzle."""

    def solve(self, puzzle: Puzzle, aid: Aid) -> Answer:
        if puzzle.id == self.faulty:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().solve(puzzle, aid)


def slow(spec: ArcSpec) -> Slow:
    return Slow(spec.nodes)


def deadly(spec: ArcSpec) -> Deadly:
    return Deadly(spec.nodes, faulty=str(spec.options["faulty"]))


def spec_for(data: Path, out: Path, **more: Any) -> ArcSpec:
    """A small run."""
    given: dict[str, Any] = {
        "data": str(data), "out": out, "nodes": 3, "embedder": "hashing", "batch": 4,
        "solver": "symmetries", "study": "half",
    }  # fmt: skip
    return ArcSpec.model_validate(given | more)


if __name__ == "__main__":  # a run in a process of its own, to be killed
    run_arc(spec_for(Path(sys.argv[1]), Path(sys.argv[2]), batch=int(sys.argv[3])), solver=slow)

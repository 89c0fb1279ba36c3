"""The contract between a puzzle solver and its memory: what it is given, what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from pydantic import JsonValue

from ..tools.grids.puzzle import Grid, Puzzle

if TYPE_CHECKING:
    from ..memory.concepts import ConceptMemory


@dataclass(frozen=True)
class Aid:
    """What memory gives a solver for one puzzle; plain data that travels to another process."""

    concepts: tuple[str, ...] = ()
    """Ids of the concepts chosen."""
    text: str = ""
    """What a model reads of them."""
    prior: object | None = None
    """What a search reads of them: the solver's own picklable value."""
    tokens: int = 0
    """What choosing cost."""
    cost: float | None = 0.0
    """Dollars; None if the price of a call is unknown."""
    errors: tuple[str, ...] = ()
    """What went wrong while choosing; memory then gave what it could."""


@dataclass(frozen=True)
class Program:
    """A program that was tried: what it says, and how far it explains the worked examples."""

    text: str
    language: Literal["python", "grids"]
    fits: bool
    """It maps every training input to its output."""
    cited: tuple[str, ...] = ()
    """Ids of the concepts it uses."""
    found: int = 0
    """Programs a search had evaluated when it came to this one."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a solver says to one puzzle.

    ``guesses[i]`` are the outputs proposed for test input ``i``, best first; the first two count
    as the attempts, all of them for oracle@k.
    """

    guesses: tuple[tuple[Grid, ...], ...]
    programs: tuple[Program, ...] = ()
    nodes: int = 0
    """Programs a search evaluated."""
    tokens: int = 0
    """Those of replies from a cache, too: what the answer takes, whatever was paid for it."""
    cost: float | None = 0.0
    """Dollars; None if the price of a call is unknown."""
    seconds: float = 0.0
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Lesson:
    """A puzzle, what memory gave for it, and what came out: all that ``learn`` may read."""

    puzzle: Puzzle
    aid: Aid
    answer: Answer


@runtime_checkable
class Solver(Protocol):
    """Solves grid puzzles, with a concept memory or without."""

    name: str

    def aid(self, puzzle: Puzzle, concepts: ConceptMemory | None) -> Aid:
        """What memory has for this puzzle. Runs where the memory is.

        It changes nothing there that the aid of another puzzle depends on: within a batch all see
        the memory as it was when the batch began.
        """
        ...

    def solve(self, puzzle: Puzzle, aid: Aid) -> Answer:
        """Answer every test input. Runs in any process: it sees its arguments alone."""
        ...

    def learn(self, lessons: Sequence[Lesson], concepts: ConceptMemory) -> Sequence[str]:
        """Write what a batch taught, from worked examples alone; ids of the records touched.

        Interrupted, it is called again with the same lessons on the memory as it was before.
        """
        ...


@runtime_checkable
class Shuffling(Protocol):
    """A solver that can read its memory shuffled: a control for what memory says."""

    def shuffled(self, seed: int) -> Solver:
        """This solver, to whose ``aid`` all that makes a concept be chosen is dealt out anew.

        Statistics and cues change hands among the concepts of a memory, names and programs stay:
        as much memory, of no sense. ``seed`` decides the deal; the memory itself is only read.
        """
        ...


@runtime_checkable
class Described(Protocol):
    """A solver that says what it is, for a run's record."""

    def describe(self) -> Mapping[str, JsonValue]:
        """Its settings; of one that runs code, ``sandbox``: the level that contains it."""
        ...

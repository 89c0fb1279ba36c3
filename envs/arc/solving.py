"""Where puzzles are solved: in this process, or in several; a failed attempt is an answer, too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias, TypeVar

from ...agent.puzzles import Aid, Answer, Solver
from ...errors import (
    BadGrid,
    BudgetExceeded,
    ContextOverflow,
    EnvironmentFault,
    MalformedReply,
    NoSandbox,
    ToolFault,
)
from ...tools.grids.puzzle import Puzzle, grid
from ..processes import Slot, WorkerDied, answered
from .lines import ArcSpec
from .solvers import close

SolverFactory: TypeAlias = Callable[[ArcSpec], Solver]
"""Builds a solver; it must be picklable (a module's function) for workers > 1."""

FAILED = (BadGrid, BudgetExceeded, ContextOverflow, EnvironmentFault, MalformedReply, ToolFault)
"""What goes wrong with one puzzle and leaves the others alone; any other error ends the run."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """An answer as it came, or what went wrong instead; ``seconds`` of wall time."""

    answer: Answer
    seconds: float
    error: str | None = None


class Work(Protocol):
    """A puzzle to solve with what memory gave for it."""

    @property
    def puzzle(self) -> Puzzle: ...

    @property
    def aid(self) -> Aid: ...


W = TypeVar("W", bound=Work)


class Solving(Protocol):
    """Solves what it is given."""

    def attempts(self, works: Iterator[W]) -> Iterator[tuple[W, Attempt]]:
        """Each work with its attempt, as it ends. A work is taken when there is room for it."""
        ...

    def close(self) -> None:
        """End whatever is running."""
        ...


def attempt(solver: Solver, puzzle: Puzzle, aid: Aid) -> Attempt:
    """Solve one puzzle. Raises what is no fault of the puzzle: no model, no sandbox, a bug."""
    began = time.perf_counter()
    try:
        answer = checked(solver.solve(puzzle, aid), puzzle, solver)
    except NoSandbox:
        raise
    except FAILED as error:
        return failed(puzzle, error, time.perf_counter() - began)
    return Attempt(answer, time.perf_counter() - began)


def failed(puzzle: Puzzle, error: Exception, seconds: float) -> Attempt:
    """The attempt of a puzzle that could not be answered."""
    told = f"{type(error).__name__}: {error}"
    empty = Answer(guesses=tuple(() for _ in puzzle.tests), errors=(told,))
    return Attempt(empty, seconds, told)


def checked(answer: Answer, puzzle: Puzzle, solver: Solver) -> Answer:
    """The answer itself. Raises ``EnvironmentFault`` if it is none to this puzzle, ``BadGrid``."""
    if len(answer.guesses) != len(puzzle.tests):
        raise EnvironmentFault(
            f"the {solver.name} solver answered {len(answer.guesses)} test inputs of {puzzle.id}, "
            f"which has {len(puzzle.tests)}"
        )
    for row in answer.guesses:
        for guess in row:
            grid(guess)
    return answer


class Here:
    """Solves in this process, one puzzle after the other."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver

    def attempts(self, works: Iterator[W]) -> Iterator[tuple[W, Attempt]]:
        """See ``Solving.attempts``."""
        for work in works:
            yield work, attempt(self._solver, work.puzzle, work.aid)

    def close(self) -> None:
        """See ``Solving.close``."""


class Pool:
    """Solves in ``spec.workers`` processes, which know neither memories nor outputs."""

    def __init__(self, spec: ArcSpec, factory: SolverFactory) -> None:
        self._slots = [
            Slot[tuple[Puzzle, Aid], Attempt](partial(_Worker, spec, factory))
            for _ in range(spec.workers)
        ]

    def attempts(self, works: Iterator[W]) -> Iterator[tuple[W, Attempt]]:
        """See ``Solving.attempts``."""
        out: dict[int, W] = {}
        more = True
        while True:
            for place, slot in enumerate(self._slots):
                if more and not slot.busy:
                    work = next(works, None)
                    more = work is not None
                    if work is not None:
                        slot.send((work.puzzle, work.aid))
                        out[place] = work
            busy = [slot for slot in self._slots if slot.busy]
            if not busy:
                return
            for slot in answered(busy):
                place = self._slots.index(slot)
                try:
                    found = slot.receive()
                except WorkerDied as error:
                    found = (failed(out[place].puzzle, error, 0.0),)
                if found is not None:
                    yield out.pop(place), found[0]

    def close(self) -> None:
        """See ``Solving.close``."""
        for slot in self._slots:
            slot.end()


class _Worker:
    """A solver in a process of its own."""

    def __init__(self, spec: ArcSpec, factory: SolverFactory) -> None:
        self._solver = factory(spec)

    def __call__(self, work: tuple[Puzzle, Aid]) -> Attempt:
        """Solve one puzzle."""
        return attempt(self._solver, *work)

    def close(self) -> None:
        """Let go of what the solver holds open."""
        close(self._solver)

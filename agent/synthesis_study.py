"""Study in several visits: puzzles that stay unsolved are tried again once memory has learnt more.

Every visit has the solver's whole budget, and evaluates no program that an earlier visit evaluated
for the same puzzle: under the prior and the routines of the moment it goes on with what is new. So
the easy puzzles of a set teach how to search for the hard ones (wake and sleep, as in DreamCoder,
Ellis et al. 2021).

    study = Study(SearchSolver(250), puzzles, concepts)
    for number in range(4):
        for visit in study.visit():
            print(number, visit.puzzle.id, visit.node)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..memory.concepts import ConceptMemory
from ..tools.grids.puzzle import Puzzle
from ..tools.synthesis.search import Evaluated
from .puzzles import Answer, Lesson
from .search_solver import SearchSolver


@dataclass(frozen=True, eq=False)
class Visit:
    """One puzzle tried once."""

    puzzle: Puzzle
    answer: Answer
    node: int | None
    """When the first program that explains the examples came, in nodes of all visits to it."""
    nodes: int
    """Programs evaluated for the puzzle in all visits so far."""


@dataclass(eq=False)
class _Left:
    """A puzzle that is unsolved as yet, and what was tried for it."""

    puzzle: Puzzle
    evaluated: Evaluated
    nodes: int = 0


class Study:
    """Puzzles to learn from, and what has been tried for those that are unsolved.

    Memory is written after every ``batch`` puzzles, from worked examples alone; what a visit that
    was left in the middle of a batch has solved is written when the next one begins. Without
    ``learn``, or without ``concepts``, nothing is, and a further visit only searches on. The
    programs tried for unsolved puzzles are held in this process: some 4 MB for each thousand nodes
    of a puzzle.
    """

    def __init__(
        self,
        solver: SearchSolver,
        puzzles: Sequence[Puzzle],
        concepts: ConceptMemory | None,
        *,
        learn: bool = True,
        batch: int = 10,
    ) -> None:
        self.solver = solver
        self.concepts = concepts
        self.learn = learn
        self.batch = batch
        self._left = [_Left(puzzle, {}) for puzzle in puzzles]
        self._lessons: list[Lesson] = []  # not written yet

    @property
    def unsolved(self) -> tuple[Puzzle, ...]:
        """The puzzles that no program explains as yet, in their order."""
        return tuple(one.puzzle for one in self._left)

    def visit(self, *, last: bool = False) -> Iterator[Visit]:
        """Try every unsolved puzzle once more, one after another as they are asked for.

        After the ``last`` visit nothing evaluated is held; another one would begin from scratch.
        """
        self._write()
        left = list(self._left)
        for start in range(0, len(left), self.batch):
            for one in left[start : start + self.batch]:
                visit, lesson = self._try(one)
                self._lessons.append(lesson)
                if visit.node is not None:
                    self._left.remove(one)
                if last:
                    one.evaluated.clear()
                yield visit
            self._write()

    def _write(self) -> None:
        if self.learn and self.concepts is not None:
            self.solver.learn(self._lessons, self.concepts)
        self._lessons.clear()

    def _try(self, one: _Left) -> tuple[Visit, Lesson]:
        aid = self.solver.aid(one.puzzle, self.concepts)
        answer, node = self.solver.solve_with_node(one.puzzle, aid, one.evaluated)
        before, one.nodes = one.nodes, one.nodes + answer.nodes
        visit = Visit(one.puzzle, answer, None if node is None else before + node, one.nodes)
        return visit, Lesson(one.puzzle, aid, answer)

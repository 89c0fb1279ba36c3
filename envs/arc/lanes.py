"""One arm in one course: what it remembers there, and what it learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ...agent.puzzles import Aid, Lesson, Shuffling, Solver
from ...errors import SettingsError
from ...memory.concepts import ConceptMemory
from ...tools.grids.puzzle import Puzzle
from ..runs import Arm
from .lines import ArcSpec, Phase
from .memories import Ledger, Memories, Stream
from .plan import Course


class Lane:
    """An arm that does not learn; ``concepts`` opens what it reads, if it reads anything."""

    learns = False

    def __init__(
        self, course: Course, arm: Arm, solver: Solver, concepts: Callable[[], ConceptMemory] | None
    ) -> None:
        self.arm = arm
        self.course = course
        self._solver = solver
        self._concepts = concepts

    @property
    def key(self) -> tuple[Phase, Arm, int]:
        """The phase, arm and order: what its lines have in common."""
        return (self.course.phase, self.arm, self.course.order)

    def aid(self, batch: int, puzzle: Puzzle) -> Aid:
        """What memory gives for a puzzle of a batch."""
        return self._solver.aid(puzzle, self._concepts() if self._concepts else None)

    def records(self) -> dict[str, int]:
        """What its memory holds, in counts; empty without one."""
        return {"records": self._concepts().memory.stats().records} if self._concepts else {}

    def learnt(self, batch: int) -> bool:
        """Whether there is nothing left to learn from a batch."""
        return True

    def learn(self, batch: int, lessons: Sequence[Lesson]) -> tuple[int, float | None]:
        """Learn from a batch; the tokens and dollars it cost."""
        return 0, 0.0


class LearningLane(Lane):
    """The arm that learns as it goes."""

    learns = True

    def __init__(self, course: Course, solver: Solver, stream: Stream) -> None:
        super().__init__(course, Arm.ONLINE, solver, stream.concepts)
        self._stream = stream

    def aid(self, batch: int, puzzle: Puzzle) -> Aid:
        """What memory, as it was before the batch, gives for one of its puzzles."""
        return self._stream.aid(batch, self._solver, puzzle)

    def learnt(self, batch: int) -> bool:
        """Whether the ledger has the batch."""
        return self._stream.learnt(batch)

    def learn(self, batch: int, lessons: Sequence[Lesson]) -> tuple[int, float | None]:
        """Learn from a batch, exactly once; the tokens and dollars it cost."""
        return self._stream.learn(batch, self._solver, lessons)


class Lanes:
    """Makes the lanes of each course, with the memory each begins with."""

    def __init__(self, spec: ArcSpec, memories: Memories, ledger: Ledger, solver: Solver) -> None:
        self._spec = spec
        self._memories = memories
        self._ledger = ledger
        self._solver = solver
        self._studied: set[int] = set()
        if Arm.SHUFFLED in spec.arms and not isinstance(solver, Shuffling):
            raise SettingsError(
                f"the {solver.name} solver cannot shuffle its memory: leave shuffled out of --arms"
            )

    def of(self, course: Course) -> list[Lane]:
        """The lanes of a course. A frozen memory is a copy, made when the study is over."""
        base = self._base(course)
        return [self._lane(course, arm, base) for arm in course.arms]

    def _base(self, course: Course) -> Path | None:
        """The memory that a course begins with; None is an empty one."""
        if course.phase == "study":
            self._studied.add(course.order)
        elif course.order in self._studied and self._spec.remembers:
            return self._memories.folder / study(course.order)
        given = self._spec.memory
        return self._memories.keep(given) if given is not None and self._spec.remembers else None

    def _lane(self, course: Course, arm: Arm, base: Path | None) -> Lane:
        if arm == Arm.OFF:
            return Lane(course, arm, self._solver, None)
        if arm == Arm.ONLINE:
            name = study(course.order) if course.phase == "study" else f"online-s{course.order}"
            stream = Stream(self._memories, self._ledger, name, base)
            return LearningLane(course, self._solver, stream)
        assert base is not None, "ArcSpec lets no frozen arm through without a memory"
        name = f"frozen-s{course.order}"
        if not (self._memories.folder / name).exists():
            self._memories.copy(base, name)
        solver = self._solver
        if arm == Arm.SHUFFLED:
            assert isinstance(solver, Shuffling), "checked before anything was played"
            solver = solver.shuffled(course.order)
        return Lane(course, arm, solver, lambda: self._memories.concepts(name))


def study(order: int) -> str:
    """The folder of the memory that an order's study fills."""
    return f"study-s{order}"

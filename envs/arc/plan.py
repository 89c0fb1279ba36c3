"""Which puzzles an order studies and is scored on, in which batches: the same for every arm."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ...errors import DataMissing, SettingsError
from ...tools.grids.puzzle import Puzzle
from ..runs import Arm
from .data import Split
from .lines import ArcSpec, Phase


@dataclass(frozen=True, eq=False)
class Course:
    """One phase of one order: puzzles in their total order."""

    phase: Phase
    order: int
    split: Split
    puzzles: tuple[Puzzle, ...]
    arms: tuple[Arm, ...]
    batch: int

    def batches(self) -> list[range]:
        """The places of each batch; memory is the same for all puzzles of one."""
        size = self.batch or max(1, len(self.puzzles))
        ends = range(0, len(self.puzzles), size)
        return [range(begin, min(begin + size, len(self.puzzles))) for begin in ends]

    @property
    def episodes(self) -> int:
        """How many lines it makes."""
        return len(self.puzzles) * len(self.arms)


def courses(spec: ArcSpec, puzzles: Callable[[Split], Sequence[Puzzle]]) -> list[Course]:
    """Every phase of every order, in the order they are played.

    ``puzzles`` gives those of a split. An order shuffles the whole split by its seed; with
    ``study="half"`` the first half is studied and the second scored. Raises ``DataMissing`` if
    nothing is left to score, ``SettingsError`` if a puzzle would be both studied and scored.
    """
    found: list[Course] = []
    for order in spec.orders:
        scored = shuffled(puzzles(spec.split), order)
        studied: list[Puzzle] = []
        split: Split = spec.split
        if spec.study == "half":
            middle = len(scored) // 2
            studied, scored = scored[:middle], scored[middle:]
        elif spec.study == "training":
            split = "training"
            studied = shuffled(puzzles(split), order)
        studied, scored = studied[: spec.study_limit], scored[: spec.limit]
        _check(studied, scored, spec)
        arms = ((Arm.OFF,) if spec.study_off and Arm.OFF in spec.arms else ()) + (
            (Arm.ONLINE,) if spec.remembers else ()
        )
        if studied and arms:
            found.append(Course("study", order, split, tuple(studied), arms, spec.batch))
        found.append(Course("exam", order, spec.split, tuple(scored), spec.arms, spec.batch))
    return found


def shuffled(puzzles: Sequence[Puzzle], order: int) -> list[Puzzle]:
    """A total order of the puzzles, decided by their ids and the order's seed alone."""
    by_id = sorted(puzzles, key=lambda puzzle: puzzle.id)
    random.Random(f"order/{order}").shuffle(by_id)
    return by_id


def _check(studied: Sequence[Puzzle], scored: Sequence[Puzzle], spec: ArcSpec) -> None:
    if not scored:
        raise DataMissing(f"{spec.data} leaves no puzzle of {spec.split} to score")
    both = {puzzle.id for puzzle in studied} & {puzzle.id for puzzle in scored}
    if both:
        raise SettingsError(
            f"{len(both)} puzzles would be both studied and scored, {min(both)} among them: give "
            "data with a training and an evaluation split, or --study half"
        )


def planned(found: Sequence[Course]) -> int:
    """How many lines a run has in the end."""
    return sum(course.episodes for course in found)


def tasks_of(found: Sequence[Course]) -> Mapping[Phase, list[str]]:
    """The ids each phase plays, in order, all orders one after the other."""
    return {
        phase: [puzzle.id for course in found if course.phase == phase for puzzle in course.puzzles]
        for phase in ("study", "exam")
    }

"""Plays ARC: every arm over the same puzzles in the same orders, each line durable as it ends.

    summary = run_arc(ArcSpec(out=Path("runs/arc"), nodes=5_000, orders=(0, 1, 2)))

Give the same spec again after a crash and it goes on where it stopped.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import JsonValue

from ...agent.puzzles import Aid, Lesson, Solver
from ...memory.embed import open_embedder
from ...memory.records import Scope
from ...tools.grids.puzzle import Puzzle
from ..folder import RunFolder, read_head, write_atomic
from ..machine import machine, versions
from ..meter import Meter
from ..runner import Event, Watcher, ended, known_progress, memory_words
from ..runs import EPISODES, Header, tasks_digest
from . import scoring
from .lanes import Lane, Lanes
from .lines import ArcLine, ArcSpec, KeptAnswer, read_arc_lines
from .memories import Ledger, Memories
from .plan import Course, courses, planned, tasks_of
from .scorer import Scorer
from .solvers import about, close, solver_for
from .solving import Attempt, Here, Pool, SolverFactory, Solving
from .summary import ArcSummary, summarise_arc


def run_arc(
    spec: ArcSpec, *, solver: SolverFactory = solver_for, watch: Watcher | None = None
) -> ArcSummary:
    """Play ``spec`` to its end or its budget's, and write the run folder.

    ``solver`` builds what solves, in place of what ``spec.solver`` names. Raises ``DataMissing``
    without the data, ``SettingsError`` if the folder holds another run, and what the solver raises
    when it cannot go on; the puzzles played so far stay. On Ctrl-C the summary is written and
    ``KeyboardInterrupt`` raised.
    """
    tell = watch or _silent
    tell(Event(0, 0, note="setting up"))
    with ExitStack() as stack:
        scorer = stack.enter_context(Scorer(spec.data))
        found = courses(spec, cache(scorer.puzzles))
        main = solver(spec)
        stack.callback(close, main)
        header = _header(spec, found, scorer, main)
        folder = stack.enter_context(
            RunFolder[Header, ArcLine].open(spec.out, header, EPISODES, ArcLine)
        )
        ledger = stack.enter_context(Ledger(spec.out))
        memories = Memories(spec.out, Scope(user=spec.user), open_embedder(spec.embedder))
        stack.callback(memories.close)

        @cache
        def solving(nodes: int) -> Solving:
            if nodes == spec.nodes:
                return _solving(spec, solver, stack, main)
            return _solving(spec.model_copy(update={"nodes": nodes}), solver, stack)

        lanes = Lanes(spec, memories, ledger, main)
        play = _Play(spec, folder, scorer, solving, planned(found), tell)
        for entry in ledger.entries():
            play.meter.charge(entry.tokens, entry.usd)
        stopped: BaseException | None = None
        try:
            for course in found:
                if not play.course(course, lanes.of(course)):
                    break
                memories.close()
        except BaseException as error:
            stopped = error
        memories.close()
        progress = ended(spec.run_id(), folder.lines, play.planned, play.meter.reason, stopped)
        summary = summarise_arc(folder.lines, spec.arms, progress)
        write_atomic(spec.out / "summary.json", summary.model_dump_json(indent=2))
        scorer.report(spec.out)
        if stopped is not None:
            raise stopped
        if progress.done == progress.planned:
            memories.tidy()
        return summary


def _solving(
    spec: ArcSpec, make: SolverFactory, stack: ExitStack, main: Solver | None = None
) -> Solving:
    """Where puzzles are solved: in other processes, or here, by ``main`` or one like it."""
    if spec.workers > 1:
        pool = Pool(spec, make)
        stack.callback(pool.close)
        return pool
    if main is None:
        main = make(spec)
        stack.callback(close, main)
    return Here(main)


def rebuild_arc(out: Path) -> ArcSummary:
    """Write the summary and the report of the run in ``out`` again from its episodes.

    Raises ``SettingsError`` if it is no run folder, ``DataMissing`` if its data is gone.
    """
    header, lines = read_head(out, Header), read_arc_lines(out)
    spec = ArcSpec.model_validate(header.settings | {"out": out})
    count = header.tasks["planned"]
    assert isinstance(count, int)
    progress = known_progress(out, header.run, len(lines), count)
    summary = summarise_arc(lines, spec.arms, progress)
    write_atomic(out / "summary.json", summary.model_dump_json(indent=2))
    with Scorer(spec.data) as scorer:
        scorer.report(out)
    return summary


@dataclass(frozen=True, eq=False)
class _Work:
    """A puzzle for one lane, with what memory gave for it."""

    lane: Lane
    place: int
    batch: int
    puzzle: Puzzle
    aid: Aid
    aid_seconds: float


class _Play:
    """Plays course after course, batch by batch."""

    def __init__(
        self,
        spec: ArcSpec,
        folder: RunFolder[Header, ArcLine],
        scorer: Scorer,
        solving: Callable[[int], Solving],
        planned: int,
        tell: Watcher,
    ) -> None:
        self.planned = planned
        self.meter = Meter(spec.limits, len(spec.arms), spec.model)
        self._run = spec.run_id()
        self._folder = folder
        self._scorer = scorer
        self._solving = solving
        self._nodes_in = spec.nodes_in
        self._tell = tell
        self._rounds = 0
        self._lines: dict[tuple[object, ...], dict[int, ArcLine]] = defaultdict(dict)
        for line in folder.lines:
            self._lines[line.lane][line.index] = line
            self.meter.count(line)
        going_on = bool(folder.lines) and len(folder.lines) < planned
        note = f"going on after {len(folder.lines)} episodes" if going_on else ""
        tell(Event(len(folder.lines), planned, note=note))

    def course(self, course: Course, lanes: Sequence[Lane]) -> bool:
        """Play what is missing of a course; False if the budget ended it."""
        done = all(
            self._played(course, lanes, places) and all(lane.learnt(batch) for lane in lanes)
            for batch, places in enumerate(course.batches())
        )
        if not done:
            self._note(
                f"order {course.order}: {_WORDS[course.phase]} {len(course.puzzles)} puzzles"
            )
            for batch, places in enumerate(course.batches()):
                if not self._round(course, lanes, batch, places):
                    return False
        self._rounds += len(course.puzzles)
        return True

    def _round(self, course: Course, lanes: Sequence[Lane], batch: int, places: range) -> bool:
        """Play a batch in every lane, then learn from it; False if the budget ended it."""
        works = self._works(course, lanes, batch, places)
        solving = self._solving(self._nodes_in(course.phase))
        for work, attempt in solving.attempts(works):
            line = self._line(course, work, attempt)
            self._folder.append(line)
            self._lines[line.lane][line.index] = line
            self.meter.ended(line)
            self._tell(Event(len(self._folder.lines), self.planned, line=line))
        if not self._played(course, lanes, places):
            return False
        for lane in lanes:
            if not lane.learnt(batch):
                lessons = [self._lesson(lane, batch, course, place) for place in places]
                self.meter.charge(*lane.learn(batch, lessons))
        return True

    def _works(
        self, course: Course, lanes: Sequence[Lane], batch: int, places: range
    ) -> Iterator[_Work]:
        """What is missing of a batch, puzzle by puzzle in every lane, while the budget lasts."""
        for place in places:
            for lane in lanes:
                if place in self._lines[lane.key]:
                    continue
                if not self.meter.begin(self._rounds + place):
                    return
                puzzle = course.puzzles[place]
                began = time.perf_counter()
                aid = lane.aid(batch, puzzle)
                yield _Work(lane, place, batch, puzzle, aid, time.perf_counter() - began)

    def _played(self, course: Course, lanes: Sequence[Lane], places: range) -> bool:
        return all(place in self._lines[lane.key] for lane in lanes for place in places)

    def _lesson(self, lane: Lane, batch: int, course: Course, place: int) -> Lesson:
        puzzle = course.puzzles[place]
        answer = self._lines[lane.key][place].answer.answer()
        return Lesson(puzzle, lane.aid(batch, puzzle), answer)

    def _line(self, course: Course, work: _Work, attempt: Attempt) -> ArcLine:
        answer, aid = attempt.answer, work.aid
        verdicts = self._scorer.judge(course.split, work.puzzle.id, answer.guesses)
        fits = any(program.fits for program in answer.programs)
        won = scoring.strict(verdicts)
        unknown = answer.cost is None or aid.cost is None
        return ArcLine(
            run=self._run,
            arm=work.lane.arm,
            seed=course.order,
            index=work.place,
            phase=course.phase,
            batch=work.batch,
            task_id=work.puzzle.id,
            split=course.split,
            success=won,
            reward=scoring.score(verdicts),
            oracle=scoring.oracle(verdicts),
            verdicts=verdicts,
            fits=fits,
            steps=answer.nodes,
            tokens=answer.tokens + aid.tokens,
            usd=None if unknown else (answer.cost or 0.0) + (aid.cost or 0.0),
            seconds=round(attempt.seconds + work.aid_seconds, 4),
            aid_seconds=round(work.aid_seconds, 4),
            aid_tokens=aid.tokens,
            concepts=aid.concepts,
            recalled_count=len(aid.concepts),
            stop_reason="solved" if won else "fits, yet wrong" if fits else "nothing fits",
            error=attempt.error,
            answer=KeptAnswer.of(answer),
            memory=work.lane.records(),
        )

    def _note(self, text: str) -> None:
        self._tell(Event(len(self._folder.lines), self.planned, note=text))


_WORDS = {"study": "studying", "exam": "scored on"}


def _header(spec: ArcSpec, found: Sequence[Course], scorer: Scorer, solver: Solver) -> Header:
    """What is to be played, and the record of what it is played with."""
    facts: dict[str, JsonValue] = {}
    for course in found:
        if course.split not in facts:
            facts[course.split] = scorer.facts(course.split).model_dump(mode="json")
    told = about(solver)
    ids = tasks_of(found)
    start = "the given memory" if spec.memory else "empty"
    if ids["study"]:
        each = max(len(course.puzzles) for course in found if course.phase == "study")
        start += f", then what {each} studied puzzles taught"
    return Header(
        run=spec.run_id(),
        settings=spec.settings(),
        environment={"name": "arc", "attempts": scoring.ATTEMPTS, **facts},
        agent={"solver": solver.name, **told},
        tasks={**tasks_digest([*ids["study"], "/", *ids["exam"]]), "n": len(ids["exam"]),
               "studied": len(ids["study"]), "planned": planned(found)},
        memory={arm: memory_words(arm, start) for arm in spec.arms},
        attempts=1,
        model=str(told.get("model", spec.model)),
        versions=versions(),
        machine=machine(),
    )  # fmt: skip


def _silent(event: Event) -> None:
    """Watch nothing."""

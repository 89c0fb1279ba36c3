"""The solver that lets a language model write a Python program for each puzzle.

``transform(grid)`` is asked for several times in parallel, run on the worked examples in the
sandbox, and asked for again with what came of it. Programs that fit all examples vote on the test
outputs. With a concept memory the model is shown the concepts chosen for the puzzle, and writes new
ones from what it solved.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import fields, replace
from typing import Self

from pydantic import JsonValue

from ..memory.concepts import ConceptMemory
from ..tools.confine.results import Sandbox
from ..tools.grids.puzzle import Puzzle
from ..tools.sandbox import open_sandbox
from .concept_selection import ConceptSelector, Selection, SelectionRules, reselect
from .concept_writer import Admitted, ConceptWriter, Failed, Report, WriterRules
from .model_spec import ModelSpec
from .models.base import ChatModel
from .models.scripted import NoModel
from .program_attempts import Attempts, Effort, Found, Notes
from .program_reply import Code
from .program_run import run_program
from .program_trial import Trial, summary
from .program_vote import guesses
from .puzzles import Aid, Answer, Lesson, Program

TOLD_FAILURES = 3
"""Failed programs of one puzzle that a model is shown when it learns."""


class ProgramSolver:
    """Implements `Solver` over any chat model.

    ``model`` is a name or a `ModelSpec`, opened anew in every process that needs it, so that the
    solver can be pickled; or an open model, for threads. Raises ``NoSandbox`` where nothing can
    contain the programs, unless ``allow_unsafe_exec`` says to run them all the same. ``reports``
    tell what each ``learn`` wrote and cost.
    """

    name = "llm"

    def __init__(
        self,
        model: str | ModelSpec | ChatModel,
        *,
        effort: Effort | None = None,
        selection: SelectionRules | None = None,
        writing: WriterRules | None = None,
        run: str = "",
        allow_unsafe_exec: bool = False,
    ) -> None:
        self.effort = effort or Effort()
        self.reports: list[Report] = []
        self._given = ModelSpec(model) if isinstance(model, str) else model
        self._selection = selection or SelectionRules()
        self._writing = writing or WriterRules()
        self._run = run
        self._unsafe = allow_unsafe_exec
        self._model: ChatModel | None = None
        self._sandbox: Sandbox | None = None

    def __getstate__(self) -> dict[str, object]:
        """Without what is open: another process opens its own."""
        state: dict[str, object] = dict(self.__dict__)
        return state | {"_model": None, "_sandbox": None, "reports": list[Report]()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the sandbox, and the model if it was opened here; idempotent."""
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None
        close = getattr(self._model, "close", None)
        if isinstance(self._given, ModelSpec) and close is not None:
            close()
        self._model = None

    @property
    def model(self) -> ChatModel:
        """The model, opened if it is not yet."""
        if self._model is None:
            given = self._given
            self._model = given.open() if isinstance(given, ModelSpec) else given
        return self._model

    @property
    def sandbox(self) -> Sandbox:
        """Where programs run. Raises ``NoSandbox``; every run log says its ``level``."""
        if self._sandbox is None:
            self._sandbox = open_sandbox(allow_unsafe_exec=self._unsafe)
        return self._sandbox

    # -- the contract ----------------------------------------------------------------------------

    def aid(self, puzzle: Puzzle, concepts: ConceptMemory | None) -> Aid:
        """Concepts for this puzzle, chosen by the model; nothing without a memory."""
        if concepts is None:
            return Aid()
        model = None if isinstance(self.model, NoModel) else self.model
        return ConceptSelector(model, self._selection).select(puzzle, concepts).aid()

    def solve(self, puzzle: Puzzle, aid: Aid) -> Answer:
        """Answer every test input; what goes wrong is in the answer's errors.

        Raises ``NoSandbox`` before anything is asked or run, and ``ModelUnavailable`` where there
        is no such model.
        """
        began = time.perf_counter()
        sandbox, model = self.sandbox, self.model
        if isinstance(model, NoModel):
            model.chat(())  # says what to do instead
        again = aid.prior if self._selection.again else None
        attempts = Attempts(
            puzzle,
            _notes(aid),
            model,
            sandbox,
            self.effort,
            _Reselection(puzzle, again) if isinstance(again, Selection) else None,
        )
        found = attempts.run()
        spent = attempts.ledger.snapshot()
        return Answer(
            guesses=guesses(found.trials, puzzle),
            programs=_programs(found, puzzle),
            tokens=spent.tokens + spent.saved_tokens,
            cost=spent.usd,
            seconds=time.perf_counter() - began,
            errors=tuple(found.errors),
        )

    def learn(self, lessons: Sequence[Lesson], concepts: ConceptMemory) -> Sequence[str]:
        """Write concepts from what fits the training pairs when it is run again, and how the
        concepts served; ids of the records touched. `reports` tells the rest.
        """
        solved: list[Admitted] = []
        failed: list[tuple[Puzzle, list[Failed]]] = []
        for lesson in lessons:
            bare = replace(lesson.puzzle, tests=())
            one, others = self._judged(bare, lesson.answer.programs)
            if one is not None:
                solved.append(one)
            failed.append((bare, others))
        writer = ConceptWriter(self.model, concepts, self._writing, run=self._run)
        report = writer.learn(solved, failed)
        self.reports.append(report)
        self._record_use(lessons, {one.puzzle.id: one for one in solved}, concepts)
        return report.ids

    def shuffled(self, seed: int) -> ProgramSolver:
        """See `Shuffling`; `concept_shuffle` says what changes hands. It shares the model."""
        other = copy(self)
        other._model, other._selection = self.model, replace(self._selection, shuffle=seed)
        return other

    def describe(self) -> Mapping[str, JsonValue]:
        """Its settings, and the level of its sandbox."""
        effort = {one.name: getattr(self.effort, one.name) for one in fields(self.effort)}
        budget = self.effort.budget
        return {
            **effort,
            "budget": None if budget is None else dict(vars(budget)),
            "model": self.model.id,
            "form": self._writing.form,
            "sandbox": self.sandbox.level,
        }

    # -- parts -----------------------------------------------------------------------------------

    def _judged(
        self, puzzle: Puzzle, programs: Sequence[Program]
    ) -> tuple[Admitted | None, list[Failed]]:
        """The gate: every program is run on the training pairs again, whatever is claimed of it."""
        admitted: Admitted | None = None
        failed: list[Failed] = []
        for program in programs:
            if program.language != "python":
                continue
            if admitted is not None and (program.fits or len(failed) >= TOLD_FAILURES):
                continue
            trial = self._run_again(program, puzzle)
            if not trial.fits(puzzle):
                if len(failed) < TOLD_FAILURES:
                    failed.append(Failed(program.text, summary(trial, puzzle), program.cited))
            elif admitted is None:
                evidence = f"{len(puzzle.train)} of {len(puzzle.train)} training pairs, run again"
                admitted = Admitted(puzzle, program.text, evidence, program.cited)
        return admitted, failed

    def _run_again(self, program: Program, puzzle: Puzzle) -> Trial:
        """A program on the training pairs; twice if it is said to fit and did not: on a machine
        that is busy it may have been late.
        """
        code, seconds = Code(program.text), self.effort.seconds
        trial = run_program(code, puzzle, self.sandbox, seconds)
        if program.fits and not trial.fits(puzzle):
            trial = run_program(code, puzzle, self.sandbox, seconds)
        return trial

    def _record_use(
        self,
        lessons: Sequence[Lesson],
        solved: dict[str, Admitted],
        concepts: ConceptMemory,
    ) -> None:
        """Log which concepts were given, and whether a program fits the training pairs."""
        known = concepts.snapshot().concepts
        for lesson in lessons:
            one = solved.get(lesson.puzzle.id)
            cited = one.cited if one is not None else ()
            given = dict.fromkeys((*lesson.aid.concepts, *cited))
            concepts.record_use(
                lesson.puzzle.id,
                solved=one is not None,
                selected=[name for name in given if name in known],
                cited=cited,
                run=self._run,
            )


class _Reselection:
    """Other notes from the shortlist that came with the aid, after an attempt failed."""

    def __init__(self, puzzle: Puzzle, selection: Selection) -> None:
        self._puzzle = puzzle
        self._selection = selection

    def __call__(self, model: ChatModel, given: Notes, outcome: str) -> tuple[Notes, str]:
        shown = list(given.numbers.values())
        made = reselect(model, self._puzzle, self._selection, shown, outcome)
        if made.choice.fault:
            return given, made.choice.fault
        return Notes(made.shown.text, made.shown.numbers), ""


def _notes(aid: Aid) -> Notes:
    """The aid's text with the id behind each number in it."""
    if isinstance(aid.prior, Selection) and aid.prior.shown.text == aid.text:
        return Notes(aid.text, aid.prior.shown.numbers)
    return Notes(aid.text, dict(enumerate(aid.concepts, 1)))


def _programs(found: Found, puzzle: Puzzle) -> tuple[Program, ...]:
    """Every distinct program, those that fit first, in the order in which they were found."""
    made: dict[str, Program] = {}
    for trial, cited in zip(found.trials, found.cited, strict=True):
        if trial.text and trial.text not in made:
            made[trial.text] = Program(trial.text, "python", trial.fits(puzzle), cited)
    return tuple(sorted(made.values(), key=lambda program: not program.fits))

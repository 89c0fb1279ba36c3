"""Concepts from solved puzzles: solution → pseudocode and summary → what other puzzles can use.

A model writes them, in either of ArcMemo's formats, by schema and with one repair. It is shown the
concepts that are known already, so that names are used again. Only what was admitted is read: a
program that gives every worked example's output when it is run again. Hidden outputs are nowhere
near. What goes wrong is told in the report, never raised.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeVar

from pydantic import BaseModel

from ..errors import BudgetExceeded, InvalidRecord, ModelError, ModelUnavailable, RecordNotFound
from ..memory.concepts import Concept, ConceptMemory, ConceptView, Draft
from ..memory.records import ConceptPayload, Origin
from ..tools.grids.puzzle import Puzzle
from .concept_prompt import Candidate, listing
from .concept_replies import Abstraction, Contrast, Lessons, Sketch, WrittenConcept, WrittenLesson
from .concept_selection import candidate, fits_among, shortlisted
from .models.base import ChatModel, Message
from .models.ledger import Budget, Ledger, Totals, metered
from .models.structured import ask
from .prompt_files import render
from .puzzle_description import describe
from .puzzle_text import pair_text

T = TypeVar("T", bound=BaseModel)
Form = Literal["program", "open"]

CONTRAST_TRUST = 0.3
"""Of a negative cue from a puzzle that was solved in the end."""
GUESS_TRUST = 0.15
"""Of one from a puzzle that nobody solved: what misled is a guess."""
TITLE = 60
"""Characters of a lesson's situation that become its title."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Admitted:
    """A solution that may be learnt from: its program was run on the training pairs again.

    Made by a gate that ran it, as `ProgramSolver.learn` does; ``evidence`` says what that was.
    """

    puzzle: Puzzle
    program: str
    evidence: str
    cited: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failed:
    """A program that does not fit the training pairs, what came of it, the concepts it followed."""

    program: str
    outcome: str
    cited: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failure:
    """A puzzle that was not learnt from, or not wholly, and why."""

    puzzle: str
    reason: str


@dataclass
class Report:
    """What was written. ``stopped`` says why it ended before all was read, if it did."""

    ids: list[str] = field(default_factory=list[str])
    written: int = 0
    known: int = 0
    """Puzzles that had been learnt from before."""
    negative: int = 0
    failures: list[Failure] = field(default_factory=list[Failure])
    problems: list[str] = field(default_factory=list[str])
    """Types that were kept although they do not read well."""
    usage: Totals = field(default_factory=Totals)
    stopped: str = ""


@dataclass(frozen=True)
class WriterRules:
    """How much a model reads and writes; in its tokens."""

    form: Form = "program"
    known: int = 30
    """Known concepts that are shown at most."""
    known_tokens: int = 3_000
    puzzle_tokens: int = 4_000
    program_tokens: int = 3_000
    reply_tokens: int = 3_000
    budget: Budget | None = None
    """For everything this writer does."""


class ConceptWriter:
    """Writes concepts into one memory. ``run`` names the run in every value's signature."""

    def __init__(
        self,
        model: ChatModel,
        concepts: ConceptMemory,
        rules: WriterRules | None = None,
        *,
        run: str = "",
    ) -> None:
        self.rules = rules or WriterRules()
        self._concepts = concepts
        self._ledger = Ledger()
        self._model = metered(model, self._ledger, self.rules.budget)
        self._run = "/".join(part for part in (run, model.id) if part)
        self._origin = Origin(source="reflection", model=model.id)

    def learn(
        self,
        solved: Sequence[Admitted],
        failed: Sequence[tuple[Puzzle, Sequence[Failed]]] = (),
    ) -> Report:
        """Learn from a batch: concepts from what was solved, negative cues from what failed.

        Every puzzle sees the concepts as they stood before the batch. One that this model and run
        learnt from before is passed over, so an interrupted batch can be given again.
        """
        before, report = self._ledger.snapshot(), Report()
        view = self._concepts.snapshot()
        learnt = self._learnt(view)
        sketches: dict[str, Sketch] = {}
        jobs = [
            (one.puzzle.id, partial(self._abstract, one, view, learnt, sketches, report))
            for one in solved
        ]
        jobs += [
            (puzzle.id, partial(self._contrast, puzzle, attempts, view, sketches, report))
            for puzzle, attempts in failed
        ]
        for name, job in jobs:
            try:
                job()
            except (BudgetExceeded, ModelUnavailable) as fault:
                report.stopped = str(fault)
                break
            except (ModelError, InvalidRecord, RecordNotFound) as fault:
                _log.warning("puzzle %s was not learnt from: %s", name, fault)
                report.failures.append(Failure(name, str(fault)))
        report.ids = list(dict.fromkeys(report.ids))
        report.usage = self._ledger.snapshot().minus(before)
        _log.info(
            "%d written, %d known, %d negative cues, %d failures, %d tokens%s",
            report.written, report.known, report.negative, len(report.failures),
            report.usage.tokens, f"; stopped: {report.stopped}" if report.stopped else "",
        )  # fmt: skip
        return report

    # -- from what was solved --------------------------------------------------------------------

    def _abstract(
        self,
        one: Admitted,
        view: ConceptView,
        learnt: Collection[str],
        sketches: dict[str, Sketch],
        report: Report,
    ) -> None:
        if one.puzzle.id in learnt:
            report.known += 1
            return
        said = describe(one.puzzle)
        around = self._known(view, said)
        program = self._cut(one.program, self.rules.program_tokens)
        sketch = self._ask(
            render(
                "program_sketch",
                examples="\n\n".join(self._examples(one.puzzle)),
                program=program,
                known=_quoted(around[0]),
            ),
            Sketch,
        )
        sketches[one.puzzle.id] = sketch
        query = f"{said} {sketch.summary} {sketch.pseudocode}"
        text, near = self._known(view, query)
        slots = {
            "description": said,
            "summary": sketch.summary,
            "pseudocode": sketch.pseudocode,
            "program": program,
            "known": _quoted(text),
        }
        drafts: list[Draft] = []
        if self.rules.form == "open":
            for lesson in self._ask(render("concept_lessons", **slots), Lessons).lessons:
                drafts.append(self._draft(self._lesson(lesson, near, one), one))
        else:
            for concept in self._ask(render("concept_abstract", **slots), Abstraction).concepts:
                drafts.append(self._draft(self._concept(concept, near, one, report), one))
        self._keep(drafts, report)

    def _learnt(self, view: ConceptView) -> set[str]:
        """Puzzles for which some concept of this form carries this run's signature."""
        return {
            said.puzzle
            for concept in view.all()
            if concept.payload.form == self.rules.form
            for said in concept.payload.said
            if said.run == self._run and said.puzzle
        }

    def _concept(
        self,
        written: WrittenConcept,
        near: Sequence[Candidate],
        one: Admitted,
        report: Report,
    ) -> ConceptPayload:
        payload = written.payload(one.puzzle.id, one.evidence)
        if not written.known:
            return payload
        if written.known > len(near):
            reason = f"{written.name!r} is said to be number {written.known}, which was not shown"
            report.failures.append(Failure(one.puzzle.id, reason))
            return payload
        held = near[written.known - 1].payload
        if held.role and held.role != payload.role:
            return payload  # a structure is no routine, whatever its number
        return payload.model_copy(update={"title": held.title})

    def _lesson(
        self, written: WrittenLesson, near: Sequence[Candidate], one: Admitted
    ) -> ConceptPayload:
        payload = written.payload(_title(written.situation), one.puzzle.id, one.evidence)
        if not 1 <= written.known <= len(near):
            return payload
        held = near[written.known - 1].payload
        same = {"title": held.title, "situation": held.situation, "suggestion": held.suggestion}
        return payload.model_copy(update=same)

    def _draft(self, payload: ConceptPayload, one: Admitted) -> Draft:
        return Draft(payload, puzzle=one.puzzle.id, run=self._run, evidence=one.evidence)

    def _keep(self, drafts: Sequence[Draft], report: Report) -> None:
        """All concepts of a puzzle at once: either it was learnt from or it was not."""
        for written in self._concepts.write(drafts, origin=self._origin):
            report.ids.append(written.id)
            report.written += written.fate != "known"
            report.problems += [f"{written.title}: {problem}" for problem in written.problems]

    # -- from what failed ------------------------------------------------------------------------

    def _contrast(
        self,
        puzzle: Puzzle,
        attempts: Sequence[Failed],
        view: ConceptView,
        sketches: Mapping[str, Sketch],
        report: Report,
    ) -> None:
        followed = dict.fromkeys(name for one in attempts for name in one.cited)
        concepts = [view.concepts[name] for name in followed if name in view.concepts]
        ideas = [candidate(one, view) for one in concepts if not _misled(one, puzzle.id)]
        if not ideas:
            return
        sketch = sketches.get(puzzle.id)
        count = self._model.count_tokens
        shown = listing(ideas, (), count=count, budget=self.rules.known_tokens)
        told = [
            f"Attempt {number}:\n{self._cut(one.program, self.rules.program_tokens // 3)}\n"
            f"Outcome: {one.outcome}"
            for number, one in enumerate(attempts, 1)
        ]
        solved = f"This is what solved it: {sketch.summary}\n\n" if sketch is not None else ""
        prompt = render(
            "concept_contrast",
            description=describe(puzzle),
            examples="\n\n".join(self._examples(puzzle)),
            known=shown.text,
            failed="\n\n".join(told),
            solved=solved,
        )
        for one in self._ask(prompt, Contrast).misled:
            name = shown.numbers.get(one.known)
            if name is None:
                reason = f"idea {one.known} is said to have misled, but was not shown"
                report.failures.append(Failure(puzzle.id, reason))
                continue
            trust = CONTRAST_TRUST if sketch is not None else GUESS_TRUST
            written = self._concepts.misled(
                name, one.cue, puzzle=puzzle.id, run=self._run, trust=trust
            )
            report.ids.append(written.id)
            report.negative += written.fate != "known"

    # -- parts -----------------------------------------------------------------------------------

    def _ask(self, prompt: str, kind: type[T]) -> T:
        tokens = min(self.rules.reply_tokens, self._model.context_tokens // 4)
        asked = [Message(role="user", content=prompt)]
        return ask(self._model, asked, kind, max_tokens=tokens).value

    def _known(self, view: ConceptView, query: str) -> tuple[str, list[Candidate]]:
        """The concepts of this form that are nearest, as a numbered list, and themselves."""
        found = shortlisted(self._concepts, view, query, self.rules.known)
        near = [one for one in found if one.payload.form == self.rules.form]
        if not near:
            return "", []
        budget = min(self.rules.known_tokens, self._model.context_tokens // 6)
        shown = listing(near, fits_among(view, near), count=self._model.count_tokens, budget=budget)
        return shown.text, near[: max(shown.numbers)]

    def _examples(self, puzzle: Puzzle) -> list[str]:
        """The worked examples that fit, never a test."""
        left = min(self.rules.puzzle_tokens, self._model.context_tokens // 4)
        kept: list[str] = []
        for number, pair in enumerate(puzzle.train, 1):
            text = pair_text(pair, number)
            if self._model.count_tokens(text) <= left:
                kept.append(text)
                left -= self._model.count_tokens(text)
        return kept

    def _cut(self, text: str, tokens: int) -> str:
        """The text, or its beginning if it is too long for the model's context."""
        most = min(tokens, self._model.context_tokens // 6)
        kept = text
        while kept and self._model.count_tokens(kept) > most:
            kept = kept[: len(kept) * 4 // 5]
        return kept if kept == text else f"{kept.rstrip()}…"


def _misled(concept: Concept, puzzle: str) -> bool:
    """It carries a negative cue from this puzzle."""
    return any(puzzle in cue.evidence for cue in concept.payload.negative_cues)


def _quoted(known: str) -> str:
    return render("concept_known", known=known) + "\n" if known else ""


def _title(situation: str) -> str:
    line = " ".join(situation.split())
    return line if len(line) <= TITLE else line[: TITLE - 1].rstrip() + "…"

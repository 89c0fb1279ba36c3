"""Concepts as a search reads and writes them: programs found and routines compressed out of them.

A program that solved a puzzle is kept as a concept whose code names colours by their role and
whose cues are, a line for each puzzle, what could be seen of it. A routine is a pattern of such
programs with typed holes. Nothing else of what was learnt is kept anywhere: a prior is worked out
from the concepts each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import Inapplicable
from ..memory.concept_checks import Verdict
from ..memory.concept_view import Concept, ConceptView
from ..memory.concepts import ConceptPayload, Draft
from ..memory.records import ConceptParameter
from ..tools.grids.puzzle import Puzzle
from ..tools.synthesis.compression import compress
from ..tools.synthesis.cues import cues
from ..tools.synthesis.learning import Use
from ..tools.synthesis.roles import ROLES, by_role, roles
from ..tools.synthesis.routines import Routine, is_hole, rewritten, routine, type_of
from ..tools.synthesis.search import explains
from ..tools.synthesis.terms import INPUT, Term, parse

LANGUAGE = "grids"
PROGRAM, ROUTINE = "program", "routine"
"""Subtypes of a routine concept: a whole program, and a part that several programs share."""
_JOIN = "; "


@dataclass(frozen=True)
class Learnt:
    """What the concepts of one moment say to a search."""

    uses: tuple[Use, ...] = ()
    routines: tuple[Routine, ...] = ()
    ids: Mapping[str, str] | None = None
    """Concept ids by the text of a program or the name of a routine."""


def read(view: ConceptView) -> Learnt:
    """Programs and routines among the concepts; others are passed over."""
    uses: list[Use] = []
    routines: list[Routine] = []
    ids: dict[str, str] = {}
    for concept in view.all():
        payload = concept.payload
        if payload.language != LANGUAGE or not payload.code:
            continue
        body = parse(payload.code)
        if payload.subtype == PROGRAM:
            uses += [Use(body, frozenset(line.split(_JOIN))) for line in payload.cues]
            ids[payload.code] = concept.id
        else:
            made = routine(f"#{payload.code}", body)
            routines.append(made)
            ids[made.name] = concept.id
    return Learnt(
        tuple(part for use in uses for part in _both(use, routines)), tuple(routines), ids
    )


def _both(use: Use, routines: Sequence[Routine]) -> list[Use]:
    """A use in words of the library and, where routines shorten it, half of it in those."""
    short = use.term
    for made in routines:
        short = rewritten(short, made)
    if short == use.term:
        return [use]
    return [replace(use, weight=0.5), Use(short, use.cues, weight=0.5)]


def program_draft(puzzle: Puzzle, program: Term) -> Draft:
    """The concept of a program that explains a puzzle's worked examples."""
    body = by_role(program, roles(puzzle))
    leaves = dict.fromkeys(one.head for one in body.walk() if not one.arguments)
    named = [word for word in leaves if word == INPUT or word in ROLES]
    payload = ConceptPayload(
        title=str(body),
        role="routine",
        subtype=PROGRAM,
        parameters=tuple(
            ConceptParameter(name=word, typing=type_of(Term(word)).value) for word in named
        ),
        output_type=type_of(body).value,
        cues=(_JOIN.join(sorted(cues(puzzle))),),
        code=str(body),
        language=LANGUAGE,
        used_in=(puzzle.id,),
    )
    return Draft(payload, puzzle=puzzle.id, evidence="train pairs")


def routine_drafts(view: ConceptView, *, most: int) -> list[Draft]:
    """The routines that shorten the programs among the concepts most."""
    programs = [
        (concept, parse(concept.payload.code))
        for concept in view.all()
        if concept.payload.language == LANGUAGE and concept.payload.subtype == PROGRAM
    ]
    made = compress([program for _, program in programs], most=most)
    return [
        _routine_draft(one, [programs[n][0] for n in places])
        for one, places in zip(made.routines, made.programs, strict=True)
    ]


def _routine_draft(made: Routine, users: Sequence[Concept]) -> Draft:
    lines = [line.split(_JOIN) for one in users for line in one.payload.cues]
    shared = [cue for cue in lines[0] if all(cue in line for line in lines)] if lines else []
    payload = ConceptPayload(
        title=str(made.body),
        role="routine",
        subtype=ROUTINE,
        parameters=tuple(
            ConceptParameter(name=f"?{n}", typing=kind.value) for n, kind in enumerate(made.inputs)
        ),
        output_type=made.output.value,
        cues=tuple(sorted(shared)),
        code=str(made.body),
        language=LANGUAGE,
        used_in=tuple(dict.fromkeys(p for one in users for p in one.payload.used_in)),
    )
    return Draft(payload, evidence="train pairs")


class WorkedExamples:
    """Admits code that was re-run on the worked examples of the puzzles it came from."""

    def __init__(self, puzzles: Iterable[Puzzle], known: Iterable[Concept] = ()) -> None:
        self.puzzles = {puzzle.id: puzzle for puzzle in puzzles}
        self.passed = {puzzle for one in known for puzzle in one.payload.passed}

    def check(self, code: str, language: str, puzzles: Sequence[str]) -> Verdict:
        """Programs are run again. A routine passes on puzzles whose programs contain it."""
        if language != LANGUAGE:
            return Verdict(reason=f"it is written in {language}, not in {LANGUAGE}")
        try:
            body = parse(code)
            if any(is_hole(one.head) for one in body.walk()):
                routine("#checked", body)
                passed = [one for one in puzzles if one in self.passed]
            else:
                passed = [
                    one
                    for one in puzzles
                    if one in self.puzzles and explains(body, self.puzzles[one])
                ]
        except Inapplicable as fault:
            return Verdict(reason=str(fault))
        return Verdict(tuple(passed))

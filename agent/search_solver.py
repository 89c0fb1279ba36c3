"""The solver that needs no language model: typed program search, guided by concept memory.

solver = SearchSolver(nodes=3000)
aid = solver.aid(puzzle, concepts)          # the prior that the concepts give this puzzle
answer = solver.solve(puzzle, aid)          # anywhere: it sees the puzzle and the aid alone
solver.learn([Lesson(puzzle, aid, answer)], concepts)
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from pydantic import JsonValue

from ..memory.concepts import ConceptMemory
from ..tools.grids.library import library
from ..tools.grids.puzzle import Puzzle
from ..tools.synthesis.cues import cues
from ..tools.synthesis.learning import Strength, learnt, scrambled, weights
from ..tools.synthesis.prior import UNIFORM, Prior, sensible
from ..tools.synthesis.roles import by_role, roles
from ..tools.synthesis.routines import Routine, expanded, word_of
from ..tools.synthesis.search import Evaluated, Found, Search, Solution
from ..tools.synthesis.terms import Term, parse
from .puzzles import Aid, Answer, Lesson, Program
from .synthesis_concepts import Learnt, WorkedExamples, program_draft, read, routine_drafts

SHOWN = 5
"""How many concepts an aid names: those that count most for the puzzle."""


@dataclass(frozen=True)
class SearchAid:
    """What memory gives a search: a prior, and routines as further words."""

    prior: Prior
    routines: tuple[Routine, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict[str, str])
    """Concept ids by the text of a program or the name of a routine."""


class SearchSolver:
    """Typed enumeration of grid programs with a budget of ``nodes`` programs a puzzle.

    ``base`` is the prior of a search without memory, and what memory starts from;
    left out, it is one set by hand (`prior.sensible`). ``scramble`` is a control: a seed under
    which all that memory has learnt is given to wrong words and wrong cues.
    """

    name = "search"

    def __init__(
        self,
        nodes: int = 3000,
        *,
        base: Prior | None = None,
        strength: Strength | None = None,
        routines: int = 12,
        seed: int = 0,
        scramble: int | None = None,
    ) -> None:
        self.nodes = nodes
        self.base = sensible(library().values()) if base is None else base
        self.strength = strength or Strength()
        self.routines = routines
        self.seed = seed
        self.scramble = scramble
        self._held: tuple[int, Learnt] | None = None

    def describe(self) -> dict[str, JsonValue]:
        """Its settings, for a run's record."""
        return {
            "nodes": self.nodes,
            "base": "even" if self.base == UNIFORM else "weighted",
            "strength": dict(asdict(self.strength)),
            "routines": self.routines,
            "seed": self.seed,
            "scramble": self.scramble,
        }

    def aid(self, puzzle: Puzzle, concepts: ConceptMemory | None) -> Aid:
        """The prior that the concepts give this puzzle; an empty aid where they say nothing."""
        if concepts is None:
            return Aid()
        known = self._read(concepts)
        if not known.uses:
            return Aid()
        seen = cues(puzzle)
        words = [word_of(one) for one in known.routines]
        prior = learnt(
            seen,
            known.uses,
            roles(puzzle),
            extra=words,
            strength=self.strength,
            base=self.base,
        )
        near = weights(seen, known.uses, self.strength)
        ranked = sorted(zip(near, known.uses, strict=True), key=lambda pair: -pair[0])
        texts = list(dict.fromkeys(str(use.term) for _, use in ranked))
        ids = dict(known.ids or {})
        chosen = [ids[text] for text in texts if text in ids][:SHOWN]
        return Aid(
            concepts=tuple(chosen),
            text="\n".join(texts[:SHOWN]),
            prior=SearchAid(prior, known.routines, ids),
        )

    def shuffled(self, seed: int) -> SearchSolver:
        """See ``Shuffling``: the control that ``scramble`` is."""
        return SearchSolver(
            self.nodes,
            base=self.base,
            strength=self.strength,
            routines=self.routines,
            seed=self.seed,
            scramble=seed,
        )

    def _read(self, concepts: ConceptMemory) -> Learnt:
        view = concepts.snapshot()
        if self._held is None or self._held[0] != view.seq:
            known = read(view)
            if self.scramble is not None:
                plain = [use for use in known.uses if not _shortened(use.term)]
                known = Learnt(scrambled(plain, self.scramble))
            self._held = (view.seq, known)
        return self._held[1]

    def search(self, puzzle: Puzzle, aid: Aid, evaluated: Evaluated | None = None) -> Found:
        """The search itself, with the node at which each solution was found.

        ``evaluated`` is what earlier searches for this puzzle have evaluated: it costs nothing
        more, and what this one evaluates joins it.
        """
        given = _given(aid, self.base)
        routines = given.routines
        search = Search(puzzle, given.prior, routines=routines, seed=self.seed, evaluated=evaluated)
        return search.run(self.nodes)

    def solve(self, puzzle: Puzzle, aid: Aid) -> Answer:
        """Answer every test input, best guess first; none where no program was found."""
        return self.solve_with_node(puzzle, aid)[0]

    def solve_with_node(
        self, puzzle: Puzzle, aid: Aid, evaluated: Evaluated | None = None
    ) -> tuple[Answer, int | None]:
        """The answer, and the node at which the first program that explains the examples came.

        See `search` for ``evaluated``.
        """
        started = time.monotonic()
        found = self.search(puzzle, aid, evaluated)
        given = _given(aid, self.base)
        guesses = found.guesses() or tuple(() for _ in puzzle.tests)
        programs = tuple(_program(puzzle, one, given) for one in found.solutions)
        seconds = time.monotonic() - started
        answer = Answer(guesses, programs, nodes=found.nodes, seconds=seconds)
        return answer, found.solutions[0].node if found.solutions else None

    def learn(self, lessons: Sequence[Lesson], concepts: ConceptMemory) -> Sequence[str]:
        """Write the first program that explained each puzzle, and compress routines anew."""
        solved = [
            (lesson.puzzle, parse(lesson.answer.programs[0].text))
            for lesson in lessons
            if lesson.answer.programs and lesson.answer.programs[0].fits
        ]
        if not solved:
            return ()
        checker = WorkedExamples([puzzle for puzzle, _ in solved])
        drafts = [program_draft(puzzle, program) for puzzle, program in solved]
        written = [one.id for one in concepts.write(drafts, checker=checker)]
        view = concepts.snapshot()
        further = routine_drafts(view, most=self.routines)
        if further:
            checker = WorkedExamples((), view.all())
            written += [one.id for one in concepts.write(further, checker=checker)]
        return tuple(dict.fromkeys(written))


def _shortened(term: Term) -> bool:
    """Whether a term is written with routines."""
    return any(one.head.startswith("#") for one in term.walk())


def _given(aid: Aid, base: Prior) -> SearchAid:
    """What memory gives; the base prior where it gives nothing."""
    return aid.prior if isinstance(aid.prior, SearchAid) else SearchAid(base)


def _program(puzzle: Puzzle, one: Solution, given: SearchAid) -> Program:
    """A solution in words of the library, with the concepts it is or uses."""
    term = one.term
    whole = expanded(term, {one.name: one for one in given.routines})
    names = [str(by_role(whole, roles(puzzle))), *(part.head for part in term.walk())]
    cited = [given.ids[name] for name in names if name in given.ids]
    return Program(str(whole), "grids", True, tuple(dict.fromkeys(cited)), found=one.node)

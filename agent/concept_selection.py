"""Which concepts a puzzle is given: a shortlist from memory, then a choice, rendered for a prompt.

The shortlist is what the memory finds by meaning, words and types. It travels with the aid, so that
after a failure another choice can be made where the memory is out of reach.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..errors import BudgetExceeded, ModelError
from ..memory.concept_graph import special
from ..memory.concept_shortlist import shortlist
from ..memory.concepts import Concept, ConceptMemory, ConceptView
from ..memory.types.parsing import parse
from ..tools.grids.puzzle import Puzzle
from .concept_choice import MOST_CANDIDATES, Attempt, Choice, ChoiceRules, choose
from .concept_prompt import Candidate, Fit, Rendered, notes
from .concept_replies import Sight
from .concept_shuffle import dealt
from .models.base import ChatModel, Message
from .models.ledger import Ledger, Totals, metered
from .models.structured import ask
from .models.wire import estimate_tokens
from .prompt_files import render, template
from .puzzle_description import describe
from .puzzle_text import pair_text
from .puzzles import Aid, Lesson

TOO_MANY = 6

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SelectionRules:
    """How concepts are found, chosen and shown."""

    shortlist: int = MOST_CANDIDATES
    """Candidates that memory offers, at most 40."""
    choice: ChoiceRules = field(default_factory=ChoiceRules)
    notes_tokens: int = 2_500
    """What is shown of the chosen ones takes at most this much."""
    least_uses: int = 0
    """A chosen concept known from fewer puzzles is told by its name alone."""
    names: int = 0
    """How many of the candidates that were not chosen are told by their names."""
    observe: bool = False
    """Let the model look at the puzzle first and search by what it sees, too."""
    observe_tokens: int = 800
    again: bool = True
    """After an attempt failed, let the model choose again for the next one."""
    shuffle: int | None = None
    """A seed under which cues lead to the wrong concepts: a control (see `concept_shuffle`)."""


@dataclass(frozen=True)
class Selection:
    """What was found, chosen and shown for one puzzle, and what it cost; plain data."""

    description: str
    candidates: tuple[Candidate, ...]
    fits: tuple[Fit, ...]
    choice: Choice
    shown: Rendered
    rules: SelectionRules
    usage: Totals = field(default_factory=Totals)
    errors: tuple[str, ...] = ()

    def aid(self) -> Aid:
        """What a solver is given; the selection itself travels as its prior."""
        return Aid(
            concepts=tuple(pick.id for pick in self.choice.picks),
            text=self.shown.text,
            prior=self,
            tokens=self.usage.tokens + self.usage.saved_tokens,
            cost=self.usage.usd,
            errors=self.errors,
        )


class ConceptSelector:
    """Selects concepts, with a model that reasons or by search scores without one."""

    def __init__(self, model: ChatModel | None = None, rules: SelectionRules | None = None) -> None:
        self.model = model
        self.rules = rules or SelectionRules()

    def select(
        self, puzzle: Puzzle, concepts: ConceptMemory, view: ConceptView | None = None
    ) -> Selection:
        """Select for a puzzle, from its worked examples alone; with a ``view`` as of then.

        What goes wrong with the model is told in ``errors``; the scores then choose.
        """
        ledger = Ledger()
        model = None if self.model is None else metered(self.model, ledger)
        said, errors = describe(puzzle), list[str]()
        if model is not None and self.rules.observe:
            try:
                said = f"{said} {observed(model, puzzle, said, self.rules.observe_tokens)}"
            except (ModelError, BudgetExceeded) as fault:
                errors.append(f"observing: {fault}")
        shown = concepts.snapshot() if view is None else view
        candidates = shortlisted(concepts, shown, said, self.rules.shortlist)
        if self.rules.shuffle is not None:
            candidates = dealt(shown, candidates, self.rules.shuffle)
        fits = fits_among(shown, candidates)
        choice = choose(model, said, _examples(puzzle), candidates, fits, self.rules.choice)
        if choice.fault:
            errors.append(f"choosing: {choice.fault}")
        made = Selection(
            description=said,
            candidates=candidates,
            fits=fits,
            choice=choice,
            shown=_shown(choice, candidates, fits, self.rules, _counter(model)),
            rules=self.rules,
            usage=ledger.snapshot(),
            errors=tuple(errors),
        )
        _note(puzzle, made)
        return made


def reselect(
    model: ChatModel, puzzle: Puzzle, selection: Selection, given: Sequence[str], outcome: str
) -> Selection:
    """Another choice from the same shortlist, after an attempt with ``given`` failed.

    If the model cannot choose, the selection stays as it was, with the reason as its fault.
    """
    ledger = Ledger()
    counted = metered(model, ledger)
    choice = choose(
        counted,
        selection.description,
        _examples(puzzle),
        selection.candidates,
        selection.fits,
        selection.rules.choice,
        Attempt(tuple(given), outcome),
    )
    if choice.fault:
        held = replace(selection.choice, fault=f"choosing again: {choice.fault}")
        return replace(selection, choice=held, usage=ledger.snapshot())
    shown = _shown(
        choice, selection.candidates, selection.fits, selection.rules, model.count_tokens
    )
    made = replace(selection, choice=choice, shown=shown, usage=ledger.snapshot())
    _note(puzzle, made)
    return made


def outcomes(lessons: Sequence[Lesson]) -> list[tuple[float, bool]]:
    """How sure each choice was, and whether a program that fits the examples cites it.

    It is what a `Calibration` is fitted to: of the model's confidences where a model chose, else of
    search scores. Give it the lessons of one kind. Puzzles that nobody solved tell nothing.
    """
    seen: list[tuple[float, bool]] = []
    for lesson in lessons:
        chosen = lesson.aid.prior
        fitting = [program for program in lesson.answer.programs if program.fits]
        if isinstance(chosen, Selection) and fitting:
            cited = {name for program in fitting for name in program.cited}
            picks = (*chosen.choice.picks, *chosen.choice.dropped)
            seen += [(pick.stated, pick.id in cited) for pick in picks]
    return seen


def observed(model: ChatModel, puzzle: Puzzle, description: str, tokens: int) -> str:
    """What a model sees in the worked examples: its summary and speculation.

    Its observations in detail make it look, and are left out of the query: they are of this puzzle
    alone. Raises ``ModelError``.
    """
    reply = min(tokens, model.context_tokens // 4)
    left = model.context_tokens - 2 * reply
    left -= model.count_tokens(template("puzzle_observe")) + model.count_tokens(description)
    shown: list[str] = []
    for example in _examples(puzzle):
        if model.count_tokens(example) + 2 <= left:
            shown.append(example)
            left -= model.count_tokens(example) + 2
    prompt = render("puzzle_observe", examples="\n\n".join(shown), description=description)
    sight = ask(model, [Message(role="user", content=prompt)], Sight, max_tokens=reply).value
    return " ".join(f"{sight.summary} {sight.speculation}".split())


def shortlisted(
    concepts: ConceptMemory, view: ConceptView, query: str, most: int
) -> tuple[Candidate, ...]:
    """The candidates that memory offers for a query, best first; none from an empty view."""
    if not len(view):
        return ()
    found = shortlist(concepts, query, k=min(most, MOST_CANDIDATES), view=view)
    return tuple(candidate(one.concept, view, one.score) for one in found)


def candidate(concept: Concept, view: ConceptView, score: float = 0.0) -> Candidate:
    """A concept as plain data, with where it comes from."""
    payload = concept.payload
    count = len(payload.used_in)
    learnt = f"learnt from {count} puzzle{'' if count == 1 else 's'}" if count else "imported"
    evidence = f", admitted by {', '.join(payload.evidence[:2])}" if payload.evidence else ""
    return Candidate(
        id=concept.id,
        payload=payload,
        score=score,
        origin=f"{learnt}{evidence}, trust {concept.trust:g}",
        uses=count + view.usage(concept.id).cited,
    )


def fits_among(view: ConceptView, candidates: Sequence[Candidate]) -> tuple[Fit, ...]:
    """Which candidate gives what which parameter of another takes, by the type graph.

    A parameter that more than ``TOO_MANY`` would fill, such as a grid, tells nothing and is passed
    over.
    """
    ids = {one.id for one in candidates}
    found: list[Fit] = []
    for taker in candidates:
        for parameter in taker.payload.parameters:
            needed = parse(parameter.typing).type if parameter.typing.strip() else None
            if needed is None or not special(needed):
                continue
            givers = dict.fromkeys(offer.id for offer in view.types.providers(needed))
            near = [giver for giver in givers if giver in ids and giver != taker.id]
            if len(near) <= TOO_MANY:
                found += [Fit(giver, taker.id, parameter.name) for giver in near]
    return tuple(dict.fromkeys(found))


def _examples(puzzle: Puzzle) -> list[str]:
    return [pair_text(pair, number) for number, pair in enumerate(puzzle.train, 1)]


def _counter(model: ChatModel | None) -> Callable[[str], int]:
    return estimate_tokens if model is None else model.count_tokens


def _shown(
    choice: Choice,
    candidates: Sequence[Candidate],
    fits: Sequence[Fit],
    rules: SelectionRules,
    count: Callable[[str], int],
) -> Rendered:
    by_id = {one.id: one for one in candidates}
    chosen = [by_id[pick.id] for pick in choice.picks]
    rest = [one.name for one in candidates if one not in chosen]
    return notes(
        chosen,
        fits,
        count=count,
        budget=rules.notes_tokens,
        least_uses=rules.least_uses,
        others=rest[: rules.names],
    )


def _note(puzzle: Puzzle, made: Selection) -> None:
    _log.info(
        "puzzle %s: %d candidates, %d chosen by %s (%s), %d tokens",
        puzzle.id,
        len(made.candidates),
        len(made.choice.picks),
        made.choice.by,
        ", ".join(f"{pick.id[:8]}={pick.probability:.2f}" for pick in made.choice.picks) or "none",
        made.usage.tokens,
    )

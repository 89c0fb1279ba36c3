"""The choice among candidates: a model reasons over a numbered list, and may choose nothing.

Where there is no model, or it fails, the scores of the search choose. Either way a choice is kept
only if it is probable enough by its calibration, so "none" means the same for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, Field

from ..errors import BudgetExceeded, ModelError
from .concept_calibration import Calibration
from .concept_prompt import Candidate, Fit, listing
from .models.base import ChatModel, Message
from .models.ledger import Ledger, Totals, metered
from .models.structured import ask
from .prompt_files import render, template

MOST_CANDIDATES = 40
"""The longest list a model is given to choose from."""
REPAIR_TOKENS = 400
"""About what a request to mend a reply takes, with the schema in it."""
IDENTITY = Calibration()
NOTHING = Totals()


@dataclass(frozen=True)
class ChoiceRules:
    """How concepts are chosen; all in tokens of the model that chooses."""

    most: int = 6
    """Concepts chosen at most."""
    threshold: float = 0.4
    """Calibrated probability below which a model's choice is dropped."""
    least_score: float = 0.5
    """Calibrated search score below which a candidate is dropped when no model chooses."""
    list_tokens: int = 6_000
    reply_tokens: int = 1_000
    puzzle_tokens: int = 6_000
    """The grids in the prompt; those that do not fit are left to the description."""
    stated: Calibration = IDENTITY
    """Of a model's own confidence."""
    scored: Calibration = IDENTITY
    """Of search scores."""


@dataclass(frozen=True)
class Pick:
    """A chosen concept; ``stated`` as the model or the search gave it, ``probability`` as kept."""

    id: str
    stated: float
    probability: float


@dataclass(frozen=True)
class Choice:
    """What was chosen, best first, and what it cost. ``by`` says who chose."""

    picks: tuple[Pick, ...] = ()
    dropped: tuple[Pick, ...] = ()
    """Chosen, but not probable enough."""
    by: str = "score"
    reasoning: str = ""
    usage: Totals = NOTHING
    fault: str = ""
    """Why the model did not choose although it was asked."""


@dataclass(frozen=True)
class Attempt:
    """What failed: the numbers of the ideas it was given, and what came of it."""

    given: tuple[str, ...]
    outcome: str


# A model reads the docstrings of these: they are part of the schema it is given.


class Chosen(BaseModel, frozen=True):
    """An idea by its number in the list."""

    number: int = Field(ge=1)
    confidence: float = Field(ge=0.0, le=1.0)


class Chosens(BaseModel, frozen=True):
    """Ideas that the solution probably uses; none is an answer, too."""

    reasoning: str = Field(default="", max_length=4_000)
    chosen: Sequence[Chosen] = Field(default=(), max_length=MOST_CANDIDATES)


def choice_among(count: int) -> type[Chosens]:
    """The schema of a reply that chooses among the numbers 1 to ``count``."""

    class Numbered(Chosen, frozen=True):
        """An idea by its number in the list."""

        number: int = Field(ge=1, le=count)

    class Listed(Chosens, frozen=True):
        """Ideas that the solution probably uses; none is an answer, too."""

        chosen: Sequence[Numbered] = Field(max_length=MOST_CANDIDATES)

    return Listed


def choose(
    model: ChatModel | None,
    description: str,
    examples: Sequence[str],
    candidates: Sequence[Candidate],
    fits: Sequence[Fit] = (),
    rules: ChoiceRules = ChoiceRules(),
    failed: Attempt | None = None,
) -> Choice:
    """Choose among the best 40 ``candidates``; the model's faults are told and never raised.

    ``examples`` are the worked examples as text, ``failed`` an attempt that calls for others.
    """
    some = candidates[:MOST_CANDIDATES]
    if not some:
        return Choice()
    if model is None:
        return by_score(some, rules)
    ledger = Ledger()
    try:
        chosen = _by_model(metered(model, ledger), description, examples, some, fits, rules, failed)
    except (ModelError, BudgetExceeded) as fault:
        chosen = replace(by_score(some, rules), fault=str(fault))
    return replace(chosen, usage=ledger.snapshot())


def by_score(candidates: Sequence[Candidate], rules: ChoiceRules) -> Choice:
    """The best by search score, as far as that is high enough."""
    picks = [
        Pick(one.id, one.score, rules.scored.probability(one.score))
        for one in sorted(candidates, key=lambda one: -one.score)
    ]
    kept = [pick for pick in picks if pick.probability >= rules.least_score]
    return Choice(picks=tuple(kept[: rules.most]))


def _by_model(
    model: ChatModel,
    description: str,
    examples: Sequence[str],
    candidates: Sequence[Candidate],
    fits: Sequence[Fit],
    rules: ChoiceRules,
    failed: Attempt | None,
) -> Choice:
    prompt, numbers = render_choice(model, description, examples, candidates, fits, rules, failed)
    asked = [Message(role="user", content=prompt)]
    tokens = min(rules.reply_tokens, model.context_tokens // 4)
    answer = ask(model, asked, choice_among(max(numbers)), max_tokens=tokens)
    best: dict[str, float] = {}
    for one in answer.value.chosen:
        if one.number in numbers:
            name = numbers[one.number]
            best[name] = max(one.confidence, best.get(name, 0.0))
    picks = [Pick(name, stated, rules.stated.probability(stated)) for name, stated in best.items()]
    picks.sort(key=lambda pick: -pick.probability)  # stable: among equals the model's order
    kept = [pick for pick in picks if pick.probability >= rules.threshold]
    return Choice(
        picks=tuple(kept[: rules.most]),
        dropped=tuple(pick for pick in picks if pick not in kept[: rules.most]),
        by=model.id,
        reasoning=" ".join(answer.value.reasoning.split()),
    )


def render_choice(
    model: ChatModel,
    description: str,
    examples: Sequence[str],
    candidates: Sequence[Candidate],
    fits: Sequence[Fit],
    rules: ChoiceRules,
    failed: Attempt | None,
) -> tuple[str, dict[int, str]]:
    """The prompt, and which number in it stands for which concept.

    In a context that is too short for all, examples give way first, then candidates.
    """
    count = model.count_tokens
    told = _failed(failed, candidates)
    reply = min(rules.reply_tokens, model.context_tokens // 4)
    around = count(template("concept_select")) + count(description) + count(told)
    room = model.context_tokens - 2 * reply - around - REPAIR_TOKENS
    listed = listing(candidates, fits, count=count, budget=min(rules.list_tokens, room))
    left = min(rules.puzzle_tokens, room - count(listed.text))
    shown: list[str] = []
    for example in examples:
        if count(example) + 2 <= left:
            shown.append(example)
            left -= count(example) + 2
    prompt = render(
        "concept_select",
        description=description,
        examples="\n\n".join(shown),
        failed=told,
        candidates=listed.text,
        most=str(rules.most),
    )
    return prompt, dict(listed.numbers)


def _failed(failed: Attempt | None, candidates: Sequence[Candidate]) -> str:
    if failed is None:
        return ""
    places = {one.id: number for number, one in enumerate(candidates, 1)}
    numbers = ", ".join(str(places[one]) for one in failed.given if one in places) or "(none)"
    return render("concept_failed", numbers=numbers, failed=failed.outcome) + "\n"

"""Says what happens in a life: picks phrases and fills their slots.

The slots: ``{value}`` and ``{old}``, with a capital as ``{Value}``, with an article as
``{a_value}``; of relatives ``{who}`` ("my sister Ana"), ``{name}``, and the pronouns ``{they}``,
``{their}``, ``{them}``, ``{theirs}``; ``{other}`` is a stranger, ``{clause}`` what a question asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Literal

from . import life_chatter, life_endings, life_phrases, life_smalltalk
from .life_plot import USER, Kind, Step
from .life_words import ATTRIBUTES, STRANGERS, Person

Phrases = Literal["dev", "held", "all"]
"""Which phrases are drawn: the first three of each list, the others, or all."""

DEV = 3

_OWN: Mapping[Kind, Mapping[str, str]] = {
    "set": life_phrases.SET,
    "change": life_phrases.CHANGE,
    "revert": life_endings.REVERT,
    "negate": life_endings.NEGATE,
    "false_claim": life_chatter.CLAIM,
    "correct": life_chatter.CORRECT,
    "chatter": life_smalltalk.CHATTER,
}
_OF: Mapping[Kind, Mapping[str, str]] = {
    "set": life_phrases.SET_OF,
    "change": life_phrases.CHANGE_OF,
    "revert": life_endings.REVERT_OF,
    "negate": life_endings.NEGATE_OF,
}
_PRONOUNS = {
    "she": {"they": "she", "their": "her", "them": "her", "theirs": "hers"},
    "he": {"they": "he", "their": "his", "them": "him", "theirs": "his"},
}


def templates(kind: Kind, attribute: str, *, relative: bool = False) -> tuple[str, ...]:
    """Every phrase for an act on an attribute, told of the user or of a relative."""
    if kind == "confirm":
        return lines(life_smalltalk.CONFIRM)
    if kind == "question_only":
        return lines(life_smalltalk.QUESTION)
    return lines((_OF if relative else _OWN)[kind][attribute])


@cache
def lines(text: str) -> tuple[str, ...]:
    """The phrases of a block, one a line."""
    return tuple(line.strip() for line in text.strip().splitlines())


def part(phrases: tuple[str, ...], wanted: Phrases) -> tuple[str, ...]:
    """Those of a list's phrases that ``wanted`` names."""
    if wanted == "all":
        return phrases
    return phrases[:DEV] if wanted == "dev" else phrases[DEV:]


class Speech:
    """Draws phrases with ``rng`` for a life with these relatives."""

    def __init__(self, rng: Random, relatives: tuple[Person, ...], phrases: Phrases) -> None:
        self._rng = rng
        self._people = {person.phrase: person for person in relatives}
        self._phrases: Phrases = phrases

    def told(self, steps: tuple[Step, ...]) -> tuple[str, tuple[Step, ...]]:
        """A message of the user with these steps, and the steps as they came to be said.

        Small talk may turn out to be about somebody else, who is then the subject.
        """
        if not steps:
            return self._one(life_smalltalk.FILLER), ()
        said = [self._say(step) for step in steps]
        text = said[0][0]
        for sentence, _ in said[1:]:
            text += " " + _after(self._one(life_smalltalk.JOIN), sentence)
        fact = steps[0].kind in ("set", "change", "revert", "negate")
        if fact and self._rng.random() < 0.25:
            text = _after(self._one(life_smalltalk.LEAD), text)
        if fact and not text.endswith("?") and self._rng.random() < 0.3:
            text += " " + self._one(life_smalltalk.ASIDE)
        return text, tuple(step for _, step in said)

    def replied(self, steps: tuple[Step, ...]) -> str:
        """What the assistant answers: nothing that was not just said."""
        if not steps or steps[0].kind in ("chatter", "question_only"):
            return self._one(life_smalltalk.HELP)
        first = steps[0]
        if first.kind in ("set", "change", "revert") and self._rng.random() < 0.25:
            return self._one(life_smalltalk.ECHO).format_map(self._slots(first))
        return self._one(life_smalltalk.REPLY)

    def claimed(self, step: Step) -> str:
        """What the assistant asserts of the user."""
        return self._pick(templates("false_claim", step.attribute)).format_map(self._slots(step))

    def _say(self, step: Step) -> tuple[str, Step]:
        template = self._pick(
            templates(step.kind, step.attribute, relative=step.subject != USER),
        )
        slots = self._slots(step)
        if "{other}" in template.lower():
            other = self._rng.choice(STRANGERS).phrase
            slots |= {"other": other, "Other": _capital(other)}
            step = Step(step.kind, other, step.attribute, step.value, step.old)
        return template.format_map(slots), step

    def _slots(self, step: Step) -> dict[str, str]:
        slots = {"clause": ATTRIBUTES[step.attribute].clause}
        for slot, word in (("value", step.value), ("old", step.old)):
            slots |= {slot: word, f"a_{slot}": _with_article(word)}
        if step.subject != USER:
            person = self._people[step.subject]
            slots |= {"who": person.phrase, "name": person.name, **_PRONOUNS[person.pronoun]}
        return slots | {_capital(slot): _capital(word) for slot, word in slots.items()}

    def _one(self, block: str) -> str:
        return self._pick(lines(block))

    def _pick(self, phrases: tuple[str, ...]) -> str:
        return self._rng.choice(part(phrases, self._phrases))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _with_article(word: str) -> str:
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}" if word else ""


_LOWERED = {
    *"""A After Back Been Being Currently Ever Every Everybody Finally First For Found
    Good Got Had Having In It It's Meet My New No Our Please Quick Said Since Sold
    Somebody Started That The There There's They Things Trying Turns Two We We're We've
    Weekends When You You'd You'll Your""".split(),
    *(
        _capital(value.split()[0])
        for attribute in ATTRIBUTES.values()
        for value in attribute.values
        if value[0].islower()
    ),
}
"""First words that may lose their capital when something is put before them."""


def _after(lead: str, sentence: str) -> str:
    """``sentence`` behind ``lead``, unless it has a beginning of the kind itself."""
    first, _, rest = sentence.partition(" ")
    if first in ("So", "So,", "Also,", "By"):
        return sentence
    if lead.endswith((",", ":", "and")) and first in _LOWERED:
        first = first.lower()
    return f"{lead} {first} {rest}"

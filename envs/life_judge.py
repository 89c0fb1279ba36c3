"""Whether a text names a value, and whether an answer is right.

Texts are compared in plain words: lower case, without articles, "and", punctuation, leading zeros
and the plural s. A value is named where its words stand together.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from .life_plot import USER
from .life_words import ATTRIBUTES, Person

Outcome = Literal["correct", "hallucination", "omission"]
"""Right; says what is not so; or leaves out what is so."""

_DROPPED = frozenset("a an the and".split())
_DENIALS = frozenset(
    """no not none never nothing nobody unknown unsure without dont doesnt isnt arent didnt havent
    hasnt cant""".split()
)


@dataclass(frozen=True)
class Tally:
    """How many of ``n`` cases went which way."""

    correct: int = 0
    hallucination: int = 0
    omission: int = 0

    @property
    def n(self) -> int:
        """All cases."""
        return self.correct + self.hallucination + self.omission

    def share(self, outcome: Outcome) -> float | None:
        """The part of the cases with this outcome; None where there is no case."""
        counts: dict[Outcome, int] = {
            "correct": self.correct,
            "hallucination": self.hallucination,
            "omission": self.omission,
        }
        return counts[outcome] / self.n if self.n else None


def tally(outcomes: Sequence[Outcome]) -> Tally:
    """Counts outcomes."""
    return Tally(*(outcomes.count(kind) for kind in ("correct", "hallucination", "omission")))


@lru_cache(maxsize=65_536)
def plain(text: str) -> str:
    """The text in plain words, one blank around each."""
    found = re.findall(r"[^\W_]+", re.sub(r"['’]", "", text.lower()))
    kept = [_stem(word) for word in found if word not in _DROPPED]
    return f" {' '.join(kept)} "


def _stem(word: str) -> str:
    if word.isdigit():
        return word.lstrip("0") or "0"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def names(text: str | None, value: str) -> bool:
    """True if the words of ``value`` stand together in ``text``."""
    return text is not None and bool(plain(value).strip()) and plain(value) in plain(text)


def named(text: str | None, attribute: str) -> set[str]:
    """Every value of the attribute that the text names."""
    return {value for value in ATTRIBUTES[attribute].values if names(text, value)}


def denies(text: str | None) -> bool:
    """True if nothing is told: None, no words, or a word like "not" or "unknown"."""
    return text is None or not (words := plain(text).split()) or not _DENIALS.isdisjoint(words)


def judge(
    answer: str | None, gold: Sequence[str], attribute: str, *, needed: Sequence[str] | None = None
) -> Outcome:
    """An answer against what is so. A wrong value weighs more than a missing one.

    It must name all of ``needed`` (all of ``gold`` unless told) and nothing outside ``gold``.
    """
    told = named(answer, attribute)
    needed = gold if needed is None else needed
    if told - set(gold) or not (told or denies(answer)):
        return "hallucination"
    return "correct" if told.issuperset(needed) else "omission"


def judge_values(values: Sequence[str], gold: Sequence[str], attribute: str) -> Outcome:
    """Current values against what is so: each must name one of ``gold``, and all must be there."""
    if any(not any(names(value, wanted) for wanted in gold) for value in values):
        return "hallucination"
    return judge(" / ".join(values) or None, gold, attribute)


def about(spoken: str, subject: str, people: Collection[Person]) -> bool:
    """True if a system's name for a subject means ``subject``.

    A relative is meant by name or by relation; the user by whatever names none of ``people``, so
    that "user", "I" and "my dog" will all do.
    """
    heard = set(plain(spoken).split())
    if subject == USER:
        return all(heard.isdisjoint(_identity(person.phrase)) for person in people)
    return not heard.isdisjoint(_identity(subject))


def _identity(phrase: str) -> set[str]:
    return set(plain(phrase).split()) - {"my"}

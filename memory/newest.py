"""Of turns that speak of the same thing, the newest first.

Words and meaning carry no sense of time: what a person said of their bikes in February fits the
question as well as what they said in October. Two turns that hold the same words of the question,
most of them by idf, are taken to speak of the same thing, and where a question asks how things are,
the newer goes first. Only the first few places are reordered, among themselves, so nothing that was
found is lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set

from .terms import terms_of
from .turn_search import TurnHit

PLACES = 5
"""So many of the first places may change."""
ALIKE = 0.5
"""The share of the question's words in either turn, by idf, that both must hold."""

_THEN = re.compile(
    r"\b(?:previous(?:ly)?|before|earlier|former(?:ly)?|original(?:ly)?|initial(?:ly)?|first"
    r"|used to|back then|just started|in the beginning|at first|old|when|since when)\b",
    re.IGNORECASE,
)


def asks_of_now(question: str) -> bool:
    """True unless a question asks how things were, or when something happened."""
    return _THEN.search(question) is None


def newest_first(hits: Sequence[TurnHit], idfs: Mapping[int, float]) -> list[TurnHit]:
    """The hits with the first `PLACES` in order; ``idfs`` are those of the question's terms."""
    top = list(hits[:PLACES])
    held = [idfs.keys() & terms_of(hit.record.text).keys() for hit in top]
    group = list(range(len(top)))
    for one in range(len(top)):
        for other in range(one + 1, len(top)):
            if _alike(held[one], held[other], idfs) >= ALIKE:
                old, new = group[other], group[one]
                group = [new if number == old else number for number in group]
    ordered = list(top)
    for number in set(group):
        places = [place for place, one in enumerate(group) if one == number]
        members = sorted(
            (top[p] for p in places), key=lambda hit: -hit.record.event_time.timestamp()
        )
        for place, hit in zip(places, members, strict=True):
            ordered[place] = hit
    return [*ordered, *hits[len(top) :]]


def _alike(one: Set[int], other: Set[int], idfs: Mapping[int, float]) -> float:
    either = sum(idfs[term] for term in one | other)
    return sum(idfs[term] for term in one & other) / either if either else 0.0

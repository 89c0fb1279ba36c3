"""When two concepts are one under two names, surely enough to unite them unasked.

Vectors alone do not tell: with MiniLM "slide object left" and "slide object right" are closer
(cosine 0.98) than "shift object" and "slide object" of one description (0.90). So beside the cosine
their types must agree, and their names may not contradict each other: one name holds the other's
words, and what it adds stands in the other's description.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..memory.concept_names import canonical
from ..memory.types.normal import same

if TYPE_CHECKING:
    from ..memory.concept_proposals import Proposal
    from ..memory.records import ConceptPayload

ALIKE = 0.97
"""The least cosine."""

_ORDERED = frozenset(
    "after before by from into not of onto over than to under with without".split()
)
"""Words about which order matters: "grid to object" is not "object to grid"."""

_EMPTY = frozenset("a an and the".split())


def apart(pair: Proposal, *, alike: float = ALIKE) -> str:
    """Why the pair should not be united unasked; empty if it may be."""
    one, other = pair.keep.payload, pair.other.payload
    differ = _types_differ(one, other)
    if differ:
        return differ
    if pair.score < alike:
        return f"uniting unasked takes {alike:.2f}"
    if one.form == "open":
        said = [(_words(p.situation or p.title), _words(p.suggestion)) for p in (one, other)]
        return "" if said[0] == said[1] else "they say it in other words"
    if one.code.strip() and one.code == other.code:
        return ""
    return "" if _names_agree(one, other) else "their names may mean two things"


def _types_differ(one: ConceptPayload, other: ConceptPayload) -> str:
    """What is said by both and not the same: form, role, output or parameters."""
    if one.form != other.form:
        return "they are of two forms"
    if one.role and other.role and one.role != other.role:
        return "one is a structure, the other a routine"
    if not _agree(one.output_type, other.output_type):
        return "their output types differ"
    mine, theirs = _parameters(one), _parameters(other)
    if mine and theirs and mine.keys() != theirs.keys():
        return "their parameters differ"
    if any(not _agree(mine[name], theirs[name]) for name in mine.keys() & theirs.keys()):
        return "the types of their parameters differ"
    return ""


def _agree(a: str, b: str) -> bool:
    """True unless both say a type, and not the same."""
    return not a.strip() or not b.strip() or same(a, b)


def _parameters(payload: ConceptPayload) -> dict[str, str]:
    return {canonical(one.name): one.typing for one in payload.parameters}


def _names_agree(one: ConceptPayload, other: ConceptPayload) -> bool:
    first, second = _words(one.title), _words(other.title)
    short, long = sorted((first, second), key=len)
    if not set(short) <= set(long):
        return False
    if _ORDERED & {*long} and not _in_order(short, long):
        return False
    told = other if long is first else one
    added = {*long} - {*short}
    return added <= {*_words(told.body), *(word for cue in told.cues for word in _words(cue))}


def _in_order(short: Sequence[str], long: Sequence[str]) -> bool:
    """True if ``short`` is what is left of ``long`` when words are struck out."""
    rest = iter(long)
    return all(word in rest for word in short)


def _words(text: str) -> list[str]:
    plain = " ".join(re.findall(r"\w+", text))
    return [word for word in canonical(plain).split() if word not in _EMPTY]

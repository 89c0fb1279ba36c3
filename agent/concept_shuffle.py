"""A memory of as much and no sense: what makes a concept be chosen leads to another one.

It controls an experiment: if a solver does as well with shuffled concepts, their content was of no
account. The memory itself is only read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..memory.concepts import ConceptView
from .concept_prompt import Candidate

_DEALT: Mapping[str, tuple[str, ...]] = {
    "program": ("cues", "negative_cues", "used_in"),
    "open": ("situation", "negative_cues", "used_in"),
}
"""What makes a concept be chosen, by form. Names, types, hints and suggestions stay with it."""


def dealt(view: ConceptView, candidates: Sequence[Candidate], seed: int) -> tuple[Candidate, ...]:
    """Behind each candidate's cues and score another concept of its form; ``seed`` says which.

    Every concept takes part, in a ring in which nobody keeps their own; one that is alone of its
    form does.
    """
    follower: dict[str, str] = {}
    for form in _DEALT:
        ring = [name for name, one in view.concepts.items() if one.payload.form == form]
        ring.sort(key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
        follower |= dict(zip(ring, [*ring[1:], *ring[:1]], strict=True))
    return tuple(_behind(view, one, follower[one.id]) for one in candidates)


def _behind(view: ConceptView, seen: Candidate, name: str) -> Candidate:
    other = view.concepts[name].payload
    kept = {field: getattr(seen.payload, field) for field in _DEALT[other.form]}
    return replace(seen, id=name, payload=other.model_copy(update=kept))

"""Pairs of concepts that may be one under two names. They are proposed, never merged unasked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .concept_names import canonical
from .concept_view import Concept, ConceptView
from .types.fitting import fits
from .types.parsing import parse

_BLOCK = 1_024


@dataclass(frozen=True, slots=True)
class Proposal:
    """``keep`` and ``other`` may be one concept. ``score`` lies in [0, 1]; ``why`` says it."""

    keep: Concept
    other: Concept
    score: float
    why: str


def alike(
    view: ConceptView, vectors: Mapping[str, NDArray[np.float32]], *, least: float, limit: int
) -> list[Proposal]:
    """The likeliest pairs: equal words in another order, or vectors of cosine ``least`` or more.

    ``vectors`` are unit vectors (dim,) by id. Only concepts of one form and role with outputs that
    fit are paired, and the one used in more puzzles is kept.
    """
    found: dict[tuple[str, str], Proposal] = {}
    words: dict[tuple[str, ...], list[Concept]] = defaultdict(list)
    for one in view.all():
        words[tuple(sorted(canonical(one.title).split()))].append(one)
    for group in words.values():
        for a, b in combinations(group, 2):
            _propose(found, view, a, b, 1.0, "the same words in another order")
    ids = [name for name in view.concepts if name in vectors]
    if ids:
        matrix = np.stack([vectors[name] for name in ids])
        for start in range(0, len(ids), _BLOCK):
            cosines = matrix[start : start + _BLOCK] @ matrix.T
            for i, j in np.argwhere(cosines >= least).tolist():
                if start + i < j:
                    a, b = view.concepts[ids[start + i]], view.concepts[ids[j]]
                    score = min(1.0, float(cosines[i, j]))
                    _propose(found, view, a, b, score, f"they mean the same (cosine {score:.2f})")
    return sorted(found.values(), key=lambda one: (-one.score, one.keep.title))[:limit]


def _propose(
    found: dict[tuple[str, str], Proposal],
    view: ConceptView,
    a: Concept,
    b: Concept,
    score: float,
    why: str,
) -> None:
    if (a.id, b.id) in found or not _compatible(view, a, b):
        return
    used = [len(one.payload.used_in) + view.usage(one.id).selected for one in (a, b)]
    keep, other = (a, b) if used[0] >= used[1] else (b, a)
    found[a.id, b.id] = Proposal(keep, other, score, why)


def _compatible(view: ConceptView, a: Concept, b: Concept) -> bool:
    one, other = a.payload, b.payload
    if one.form != other.form or (one.role and other.role and one.role != other.role):
        return False
    if not one.output_type.strip() or not other.output_type.strip():
        return True
    first, second = parse(one.output_type).type, parse(other.output_type).type
    return fits(first, second, view.aliases) or fits(second, first, view.aliases)

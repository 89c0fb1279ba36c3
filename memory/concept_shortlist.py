"""Which of many concepts may help with a puzzle: search by its description, then by types.

A description names what can be seen, hardly ever the helpers that a solution calls. Those are found
through the types: what fills a parameter of a concept that the search found is a candidate too. No
model is asked. The cost is that of one search, and of the few parameters of its best hits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .concept_graph import special
from .concept_view import Concept, ConceptView
from .concepts import ConceptMemory
from .search import FusionWeights
from .types.parsing import parse

SENTENCES = 8
"""Sentences of a description that are searched by themselves; each costs a search."""

_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A concept that may help. ``why`` says how it came in; ``score`` orders the list.

    ``through`` is the parameter it fills, as "slide object: stopping criteria", if that is why.
    """

    concept: Concept
    score: float
    through: str = ""

    @property
    def why(self) -> str:
        """How it came in."""
        return f"fills {self.through}" if self.through else "fits the description"


@dataclass(frozen=True, slots=True)
class Expansion:
    """How far the types lead.

    The parameters of the ``seeds`` best hits are filled, each by at most ``each`` concepts: those
    that were used in the same puzzles before others. What fills a parameter gets ``weight`` of the
    score of the concept it belongs to, divided among all that would fill it, and summed over the
    parameters it fills. A type that more than ``most`` concepts give tells nothing.
    """

    seeds: int = 4
    each: int = 8
    weight: float = 3.0
    most: int = 50


def shortlist(
    concepts: ConceptMemory,
    query: str,
    *,
    k: int = 40,
    view: ConceptView | None = None,
    expansion: Expansion | None = Expansion(),
    weights: FusionWeights | None = None,
) -> list[Candidate]:
    """At most ``k`` candidates for a described puzzle, best first; none for an empty query.

    The description is searched whole and sentence by sentence, for each may speak of another
    concept. ``expansion`` None takes what the search finds and nothing else. With a ``view`` it
    answers as the memory stood at that snapshot.
    """
    shown = concepts.snapshot() if view is None else view
    scores = by_sentence(concepts, query, k=2 * k, view=shown, weights=weights)
    found = {name: Candidate(shown.concepts[name], score) for name, score in scores.items()}
    ordered = _ordered(found)
    if expansion is not None:
        for one in _fillings(shown, ordered[: expansion.seeds], expansion):
            held = found.get(one.concept.id)
            if held is None or held.score < one.score:
                found[one.concept.id] = one
    return _ordered(found)[:k]


def by_sentence(
    concepts: ConceptMemory,
    query: str,
    *,
    k: int,
    view: ConceptView | None = None,
    weights: FusionWeights | None = None,
) -> dict[str, float]:
    """Scores by id: the mean of the concept's score for the whole and its best for a sentence."""
    parts = [part.strip() for part in _SENTENCE.split(query) if part.strip()][:SENTENCES]
    whole = {
        hit.concept.id: hit.score for hit in concepts.search(query, k=k, view=view, weights=weights)
    }
    if len(parts) < 2:
        return whole
    best: dict[str, float] = {}
    for part in parts:
        for hit in concepts.search(part, k=k, view=view, weights=weights):
            best[hit.concept.id] = max(best.get(hit.concept.id, 0.0), hit.score)
    return {
        name: (whole.get(name, 0.0) + best.get(name, 0.0)) / 2
        for name in dict.fromkeys((*whole, *best))
    }


def _ordered(found: dict[str, Candidate]) -> list[Candidate]:
    return sorted(found.values(), key=lambda one: (-one.score, one.concept.title))


def _fillings(view: ConceptView, seeds: list[Candidate], expansion: Expansion) -> list[Candidate]:
    """What fills the parameters of the seeds (best first), each with all that speaks for it."""
    sums: dict[str, float] = {}
    most: dict[str, float] = {}
    through: dict[str, tuple[float, str]] = {}
    for seed in seeds:
        for parameter in seed.concept.payload.parameters:
            for name, share in fitting(view, seed.concept, parameter.typing, expansion):
                worth = expansion.weight * seed.score * share
                label = f"{seed.concept.title}: {parameter.name}"
                sums[name] = sums.get(name, 0.0) + worth
                through[name] = max(through.get(name, (0.0, "")), (worth, label))
                # It stands behind the best concept that needs it.
                most.setdefault(name, 0.99 * seed.score)
    return [
        Candidate(view.concepts[name], min(worth, most[name]), through[name][1])
        for name, worth in sums.items()
    ]


def fitting(
    view: ConceptView, concept: Concept, typing: str, expansion: Expansion
) -> list[tuple[str, float]]:
    """The concepts that fill a parameter, by id, each with its share; all shares sum to 1 at most.

    A share is (uses together + 1/2) over the same of all that fit, so that before anything is known
    of their use all are alike.
    """
    needed = parse(typing).type if typing.strip() else None
    if needed is None or not special(needed):
        return []
    names = {one.id for one in view.types.providers(needed)} - {concept.id}
    if not names or len(names) > expansion.most:
        return []
    used = set(concept.payload.used_in)
    together = {
        name: len(used.intersection(view.concepts[name].payload.used_in)) + 0.5 for name in names
    }
    total = sum(together.values())
    ranked = sorted(names, key=lambda name: (-together[name], -view.usage(name).lift.mean, name))
    return [(name, together[name] / total) for name in ranked[: expansion.each]]

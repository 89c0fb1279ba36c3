"""Dreaming, for concepts: those that did harm are archived, those that are one are united.

No language model is asked, and nothing is destroyed: what each concept was stays in its history. It
is done by the memory's own rules: `ConceptMemory.prune`, then `ConceptMemory.unite` on the pairs of
`ConceptMemory.proposals` that `concept_sameness` takes for one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from ..memory.concept_merge import merged
from ..memory.concepts import Concept, ConceptMemory, Proposal
from ..memory.memory import Memory
from ..memory.records import Frozen, Scope
from .concept_sameness import ALIKE, apart

if TYPE_CHECKING:
    from ..memory.writes import Change

LOOKED_AT = 0.9
"""The least cosine of pairs that are reported, united or not."""

MOST_PAIRS = 1_000


class Named(Frozen):
    """A concept by its id and its name."""

    id: str
    title: str


class Archived(Frozen):
    """A concept that did harm. ``lift`` is what it added to the chance of solving, in [-1, 1]."""

    concept: Named
    lift: float
    pairs: int = Field(description="puzzles tried with it and without")


class Pair(Frozen):
    """Two concepts that look like one. ``score`` lies in [0, 1]; ``why`` says it."""

    keep: Named
    other: Named
    score: float
    why: str


class Consolidated(Frozen):
    """What became of the concepts, or would in a rehearsal.

    ``expired`` counts negative cues that were dropped. ``apart`` are pairs that look like one and
    were left: ``why`` says what speaks against it.
    """

    concepts: int = Field(default=0, description="how many there were")
    archived: tuple[Archived, ...] = ()
    expired: int = 0
    united: tuple[Pair, ...] = ()
    apart: tuple[Pair, ...] = ()


class Rehearsal(Memory):
    """A memory in which concepts change by word only: it says that it wrote, and did not."""

    def swap(self, changes: Sequence[Change], *, note: str = "") -> bool:
        """True, and nothing is written."""
        return True


def consolidate(
    memory: Memory,
    scope: Scope,
    *,
    alike: float = ALIKE,
    watch: Callable[[int, int], None] | None = None,
) -> Consolidated:
    """Archive what did harm and unite what is one; with a `Rehearsal` only find out.

    ``alike`` is the least cosine of concepts to unite. Only concepts that belong to the same agent
    and session are: what one agent abstracted is not moved to another.
    """
    concepts = ConceptMemory(memory, scope)
    before = concepts.snapshot()
    pruned = concepts.prune()
    gone = {one.id for one in pruned.archived}
    pairs = [
        one
        for one in concepts.proposals(least=min(LOOKED_AT, alike), limit=MOST_PAIRS)
        if gone.isdisjoint((one.keep.id, one.other.id))
    ]
    united, left = _unite(concepts, pairs, alike, watch)
    archived = [
        Archived(concept=_named(one), lift=lift.mean, pairs=lift.pairs)
        for one in pruned.archived
        for lift in [before.usage(one.id).lift]
    ]
    return Consolidated(
        concepts=len(before),
        archived=tuple(archived),
        expired=pruned.expired,
        united=united,
        apart=left,
    )


def _unite(
    concepts: ConceptMemory,
    pairs: Sequence[Proposal],
    alike: float,
    watch: Callable[[int, int], None] | None,
) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """The pairs that are united, and those that are left.

    What a pair became by then is judged, so that no two are united through a third that they
    contradict.
    """
    owners = _owners(concepts.memory, concepts.scope, pairs)
    united: list[Pair] = []
    left: dict[tuple[str, str], Pair] = {}
    heir: dict[str, Concept] = {}
    for place, one in enumerate(pairs, 1):
        keep, other = _root(heir, one.keep), _root(heir, one.other)
        if keep.id != other.id:
            why = apart(replace(one, keep=keep, other=other), alike=alike)
            if not why and owners[keep.id] != owners[other.id]:
                why = "they belong to two agents or sessions"
            if why:
                left.setdefault((keep.id, other.id), _pair(keep, other, one.score, why))
            else:
                concepts.unite(keep.id, other.id)
                both = replace(keep, payload=merged(keep.payload, other.payload))
                heir |= {keep.id: both, other.id: both}
                united.append(_pair(keep, other, one.score, one.why))
        if watch is not None:
            watch(place, len(pairs))
    return tuple(united), tuple(left.values())


def _owners(memory: Memory, scope: Scope, pairs: Sequence[Proposal]) -> dict[str, Scope]:
    ids = dict.fromkeys(name for one in pairs for name in (one.keep.id, one.other.id))
    return {record.id: record.scope for record in memory.get_many(list(ids), scope=scope)}


def _root(heir: dict[str, Concept], one: Concept) -> Concept:
    """The concept that holds what ``one`` said, as it stands: itself, or what it went into."""
    while one.id in heir and heir[one.id] is not one:
        one = heir[one.id]
    return one


def _named(one: Concept) -> Named:
    return Named(id=one.id, title=one.title)


def _pair(keep: Concept, other: Concept, score: float, why: str) -> Pair:
    return Pair(keep=_named(keep), other=_named(other), score=round(score, 4), why=why)

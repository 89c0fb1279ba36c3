"""What a search believes before it starts: how likely each word is in each place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ..grids.library import Primitive, Type

Place: TypeAlias = tuple[str, int]
"""A word and the number of its argument."""
ROOT: Place = ("", 0)
"""Where a whole program stands."""
NEVER = 10_000
"""A cost beyond every search."""
STEPS = 5
"""Costs are whole numbers of 1/5 nat."""


@dataclass(frozen=True)
class Prior:
    """Weights of words: by type, and in single places where more is known.

    A weight is relative to the others of its type (or place); a word without one gets ``other``.
    """

    by_type: Mapping[str, float] = field(default_factory=dict[str, float])
    by_place: Mapping[Place, Mapping[str, float]] = field(
        default_factory=dict[Place, Mapping[str, float]]
    )
    other: float = 1.0


UNIFORM = Prior()
"""Every word of a type is as likely as any other: programs are searched by size."""


def sensible(words: Iterable[Primitive]) -> Prior:
    """A prior set by hand: half of all grids are the input, fits are thrice as likely as others.

    What a careful author would write without having seen a puzzle solved.
    """
    listed = [word for word in words if word.output is Type.GRID]
    weights = {word.name: 3.0 if word.kind == "fit" else 1.0 for word in listed}
    return Prior({**weights, "input": sum(weights.values())})


def costs(weights: Mapping[str, float], words: Iterable[str], other: float) -> dict[str, int]:
    """-log P of each word in steps, at least 1."""
    found = {word: weights.get(word, other) for word in words}
    total = sum(found.values())
    return {
        word: max(1, round(-STEPS * math.log(weight / total))) if weight > 0 else NEVER
        for word, weight in found.items()
    }


class Costs:
    """A prior's costs for the words of one search.

    ``offset`` is the order of the search: what the cheapest whole program around a word costs
    besides what stands below it (an A* with the exact outside cost, less one step for each level
    of nesting, so that a program always comes after its arguments).
    """

    def __init__(self, prior: Prior, words: Iterable[Primitive]) -> None:
        listed = list(words)
        by_type: dict[Type, list[str]] = {}
        for word in listed:
            by_type.setdefault(word.output, []).append(word.name)
        shared = {kind: costs(prior.by_type, names, prior.other) for kind, names in by_type.items()}
        self.places: dict[Place, dict[str, int]] = {}
        places = [(ROOT, Type.GRID)] + [
            ((word.name, slot), kind) for word in listed for slot, kind in enumerate(word.inputs)
        ]
        for place, kind in places:
            special = prior.by_place.get(place)
            self.places[place] = (
                shared.get(kind, {})
                if special is None
                else costs(special, by_type.get(kind, []), prior.other)
            )
        self._slots = {
            word.name: [self.places[word.name, slot] for slot in range(len(word.inputs))]
            for word in listed
        }
        self._tables = list({id(table): table for table in self.places.values()}.values())
        self.offset = self._offsets()

    def _offsets(self) -> dict[str, int]:
        inside = self._insides()
        outside = {id(table): NEVER for table in self._tables}
        outside[id(self.places[ROOT])] = 0
        changed = True
        while changed:
            changed = False
            for table in self._tables:
                around = outside[id(table)]
                if around >= NEVER:
                    continue
                for word, cost in table.items():
                    slots = self._slots[word]
                    whole = around + cost - 1 + sum(inside[id(one)] for one in slots)
                    for one in slots:
                        rest = max(0, whole - inside[id(one)])
                        if rest < outside[id(one)]:
                            outside[id(one)] = rest
                            changed = True
        offset: dict[str, int] = {}
        for table in self._tables:
            for word, cost in table.items():
                offset[word] = min(offset.get(word, NEVER), cost + outside[id(table)])
        return offset

    def _insides(self) -> dict[int, int]:
        """The cost of the cheapest program in each place."""
        inside = {id(table): NEVER for table in self._tables}
        changed = True
        while changed:
            changed = False
            for table in self._tables:
                best = min(
                    (
                        cost + sum(inside[id(one)] for one in self._slots[word])
                        for word, cost in table.items()
                    ),
                    default=NEVER,
                )
                if best < inside[id(table)]:
                    inside[id(table)] = best
                    changed = True
        return inside

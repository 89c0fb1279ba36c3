"""What a search believes before it starts: how likely each word is in each place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

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
        tables = list({id(table): table for table in self.places.values()}.values())
        slots = {
            word.name: [self.places[word.name, slot] for slot in range(len(word.inputs))]
            for word in listed
        }
        self.offset = _offsets(tables, slots, self.places[ROOT])


def _offsets(
    tables: Sequence[dict[str, int]],
    slots: Mapping[str, list[dict[str, int]]],
    root: dict[str, int],
) -> dict[str, int]:
    """What the cheapest whole program around each word costs, its place there included.

    Shortest paths by rounds over all places at once: first from the leaves up (``inside``: the
    cheapest program in a place), then from the root down (``outside``).
    """
    place = {id(table): n for n, table in enumerate(tables)}
    groups: dict[tuple[str, ...], list[int]] = {}
    for n, table in enumerate(tables):
        groups.setdefault(tuple(table), []).append(n)  # places of one type have the same words
    words = list(dict.fromkeys(word for names in groups for word in names))
    number = {word: n for n, word in enumerate(words)}
    most = max((len(slots[word]) for word in words), default=0)
    nowhere = len(tables)  # pads the slots of words that take fewer
    below = np.full((len(words), most), nowhere)
    for n, word in enumerate(words):
        below[n, : len(slots[word])] = [place[id(table)] for table in slots[word]]
    parts = [
        (
            np.array(rows),
            np.array([number[word] for word in names]),
            np.array([list(tables[row].values()) for row in rows]),
        )
        for names, rows in groups.items()
        if names
    ]
    inside = np.full(len(tables) + 1, NEVER)
    inside[nowhere] = 0
    body = inside[below].sum(axis=1)
    while True:
        before = inside.copy()
        for rows, columns, cost in parts:
            inside[rows] = np.minimum((cost + body[columns]).min(axis=1), inside[rows])
        if np.array_equal(before, inside):
            break
        body = inside[below].sum(axis=1)
    outside = np.full(len(tables) + 1, NEVER)
    outside[place[id(root)]] = 0
    around = np.full(len(words), NEVER)
    while True:
        before = outside.copy()
        for rows, columns, cost in parts:
            around[columns] = np.minimum(around[columns], (cost + outside[rows, None]).min(axis=0))
        rest = np.maximum(0, (around - 1 + body)[:, None] - inside[below])
        np.minimum.at(outside, below, rest)
        if np.array_equal(before[:nowhere], outside[:nowhere]):
            break
    return dict(zip(words, around.tolist(), strict=True))

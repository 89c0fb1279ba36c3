"""A prior learnt from programs that solved other puzzles.

Each program found is a ``Use``: the term, with roles for colours, and the cues of its puzzle.
For a new puzzle a use counts the more, the more cues the two puzzles share:

    w_j = (1 - λ) + λ J k(x, x_j) / Σ k          k = exp(-d(x, x_j) / τ)

with d the weighted share of cues that only one of the two shows; a cue weighs -log of its share
among the uses. Words are counted with these weights, by type and by place (parent word and
argument), and smoothed: the root and each type towards a base prior (even weights, if no other is
given), an argument towards its type:

    P(word | root)     ∝  κ D base(word) + Σ_j w_j n_j(word at the root)
    P(word | type)     ∝  κ D base(word) + Σ_j w_j n_j(word as an argument)
    P(word | argument) ∝  κ D P(word | type) + Σ_j w_j n_j(word there)

D, the number of different words seen there, says how much is still unseen (Witten and Bell 1991).
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..grids.library import Primitive, Type, library
from .prior import ROOT, UNIFORM, Place, Prior
from .roles import ROLES
from .terms import INPUT, Term


@dataclass(frozen=True)
class Use:
    """A program that solved a puzzle (roles for colours), and the puzzle's cues."""

    term: Term
    cues: frozenset[str]
    weight: float = 1.0


@dataclass(frozen=True)
class Strength:
    """How far counts are trusted; chosen on one split of the training puzzles."""

    nearness: float = 0.8
    """λ: 0 counts all uses alike, 1 those of similar puzzles alone."""
    reach: float = 0.12
    """τ: the distance over which a use loses its weight."""
    doubt: float = 3.0
    """κ: how much is left to words that were not seen in a place."""


def weights(cues: frozenset[str], uses: Sequence[Use], strength: Strength) -> list[float]:
    """w_j: what each use counts for a puzzle of these cues."""
    if not uses:
        return []
    shown = Counter(cue for use in uses for cue in use.cues)
    worth = {cue: math.log((len(uses) + 2) / (n + 0.5)) for cue, n in shown.items()}
    rare = math.log((len(uses) + 2) / 0.5)
    near = [math.exp(-_distance(cues, u.cues, worth, rare) / strength.reach) for u in uses]
    scale = len(uses) / max(sum(near), 1e-300)
    mix = strength.nearness
    return [use.weight * (1 - mix + mix * scale * one) for use, one in zip(uses, near, strict=True)]


def _distance(
    one: frozenset[str], other: frozenset[str], worth: Mapping[str, float], rare: float
) -> float:
    """The share of the cues' worth that only one of two puzzles shows, 0 to 1."""
    apart = sum(worth.get(cue, rare) for cue in one ^ other)
    both = sum(worth.get(cue, rare) for cue in one & other)
    return apart / (apart + 2 * both) if apart else 0.0


def words_by_type(extra: Iterable[Primitive] = ()) -> dict[Type, list[str]]:
    """The names of each type: the library's, roles for colours, the input, and what is added."""
    names: dict[Type, list[str]] = defaultdict(list)
    for word in (*library().values(), *extra):
        names[word.output].append(word.name)
    names[Type.GRID].append(INPUT)
    names[Type.COLOUR].extend(ROLES)
    return names


def places_of(term: Term) -> list[tuple[Place, str]]:
    """Each word of a program with the place where it stands."""
    found: list[tuple[Place, str]] = [(ROOT, term.head)]
    for one in term.walk():
        found += [((one.head, slot), a.head) for slot, a in enumerate(one.arguments)]
    return found


def learnt(
    cues: frozenset[str],
    uses: Sequence[Use],
    played: Mapping[str, str],
    *,
    extra: Sequence[Primitive] = (),
    strength: Strength | None = None,
    base: Prior = UNIFORM,
) -> Prior:
    """The prior for a puzzle with these cues, whose colours play these roles."""
    strength = strength or Strength()
    counted: dict[str, float] = defaultdict(float)
    placed: dict[Place, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for use, weight in zip(uses, weights(cues, uses, strength), strict=True):
        for place, word in places_of(use.term):
            placed[place][word] += weight
            if place != ROOT:
                counted[word] += weight
    names = words_by_type(extra)
    kinds = {name: kind for kind, listed in names.items() for name in listed}
    start = _shares(names, base)
    by_type: dict[str, float] = {}
    for listed in names.values():
        seen = {name: counted[name] for name in listed if name in counted}
        by_type.update(_smoothed(seen, start, listed, strength.doubt))
    by_place = {
        place: _smoothed(
            found,
            start if place == ROOT else by_type,
            names[kinds[next(iter(found))]],
            strength.doubt,
        )
        for place, found in placed.items()
    }
    return Prior(
        _with_colours(by_type, played),
        {place: _with_colours(found, played) for place, found in by_place.items()},
        other=1e-6,
    )


def _shares(names: Mapping[Type, Sequence[str]], base: Prior) -> dict[str, float]:
    """The base prior's share of each word among those of its type."""
    made: dict[str, float] = {}
    for listed in names.values():
        found = {name: base.by_type.get(name, base.other) for name in listed}
        total = sum(found.values())
        made.update({name: weight / total for name, weight in found.items()})
    return made


def _smoothed(
    found: Mapping[str, float], back: Mapping[str, float], names: Sequence[str], doubt: float
) -> dict[str, float]:
    """Shares of counted words, smoothed towards others by how many different ones were seen."""
    unseen = doubt * max(1.0, sum(min(1.0, count) for count in found.values()))
    total = unseen + sum(found.values())
    return {name: (unseen * back[name] + found.get(name, 0.0)) / total for name in names}


def _with_colours(found: Mapping[str, float], played: Mapping[str, str]) -> dict[str, float]:
    """A role's weight shared among the colours that play it."""
    if not any(role in found for role in ROLES):
        return dict(found)
    players = Counter(played.values())
    made = {name: weight for name, weight in found.items() if name not in ROLES}
    for word, role in played.items():
        made[word] = found.get(role, 0.0) / players[role]
    return made


def scrambled(uses: Sequence[Use], seed: int) -> tuple[Use, ...]:
    """A control: the same statistics of wrong words under wrong cues.

    Words change places with others of the same types, so that programs stay programs; cues change
    places between programs.
    """
    rng = random.Random(seed)
    groups: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for word in library().values():
        groups[(word.kind, word.inputs, word.output)].append(word.name)
    swapped: dict[str, str] = {}
    for listed in groups.values():
        swapped.update(zip(listed, rng.sample(listed, len(listed)), strict=True))
    cues = [use.cues for use in uses]
    rng.shuffle(cues)
    return tuple(
        Use(_renamed(use.term, swapped), shown, use.weight)
        for use, shown in zip(uses, cues, strict=True)
    )


def _renamed(term: Term, names: Mapping[str, str]) -> Term:
    arguments = tuple(_renamed(one, names) for one in term.arguments)
    return Term(names.get(term.head, term.head), arguments)

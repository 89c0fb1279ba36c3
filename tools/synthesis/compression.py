"""Routines compressed out of programs: the patterns that shorten them most.

The description length of a set of programs is the number of their words and of those that define
the routines. A pattern of s words and h holes that occurs in n programs saves

    n (s - 1) - (s + h)

words when it becomes a routine. The best pattern is taken, the programs are written with it, and
so on, as Stitch does by search; the programs of a puzzle memory are few and short, so that all
patterns can be listed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import Inapplicable
from .routines import Routine, fragments, is_hole, rewritten, routine
from .terms import Term


@dataclass(frozen=True)
class Compressed:
    """Routines, best first, each with its saving in words and the programs it occurs in."""

    routines: tuple[Routine, ...]
    savings: tuple[int, ...]
    programs: tuple[tuple[int, ...], ...]
    """For each routine, the places of its programs."""


def saving(pattern: Term, uses: int) -> int:
    """By how many words a pattern that occurs so often shortens the programs."""
    words = [one.head for one in pattern.walk()]
    holes = {word for word in words if is_hole(word)}
    size = sum(not is_hole(word) for word in words)
    return uses * (size - 1) - (size + len(holes))


def compress(programs: Sequence[Term], *, most: int = 20, holes: int = 3) -> Compressed:
    """Up to ``most`` routines of up to ``holes`` parameters that shorten the programs."""
    left = list(programs)
    found: list[tuple[Routine, int, tuple[int, ...]]] = []
    while len(found) < most:
        places: dict[Term, set[int]] = defaultdict(set)
        for place, program in enumerate(left):
            for pattern in fragments(program):
                places[pattern].add(place)
        best = max(
            ((saving(p, len(uses)), str(p), p) for p, uses in places.items() if len(uses) > 1),
            default=(0, "", Term("")),
        )
        gain, text, pattern = best
        if gain <= 0:
            break
        try:
            made = routine(f"#{text}", pattern)
        except Inapplicable:
            made = None
        uses = tuple(sorted(places[pattern]))
        if made is not None and len(made.inputs) <= holes:
            found.append((made, gain, uses))
            left = [rewritten(program, made) for program in left]
        else:  # set aside: no routine of the language
            left = [Term("") if n in uses and _has(p, pattern) else p for n, p in enumerate(left)]
    return Compressed(
        tuple(one for one, _, _ in found),
        tuple(gain for _, gain, _ in found),
        tuple(uses for _, _, uses in found),
    )


def _has(program: Term, pattern: Term) -> bool:
    return any(pattern == one for one in fragments(program))

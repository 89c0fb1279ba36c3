"""Hops: turns that share a rare name or word with the best turns, for answers in several places.

What a question names leads to one turn; a name in that turn that hardly occurs elsewhere leads to
the next. It is a further list of scores beside `Memory.turns`, which does not use it: measured, it
moves a handful of questions in a thousand (benchmarks/dialogue_lists.py).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .keywords import stems_of
from .records import Record

MOST_HOLDERS = 8
"""A word that more turns hold tells too little of what they speak of."""
NAME_BONUS = 2.0
"""How much more a shared name counts than another shared word."""

_NAME = re.compile(r"(?<![.!?\s])[ ,;:]+([A-Z][\w'-]{2,})")


@dataclass(frozen=True, slots=True)
class Hops:
    """Which turns hold which rare words: ``words`` of each turn, ``holders`` of each word."""

    words: Mapping[str, Mapping[str, float]]
    holders: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, turns: Sequence[Record], *, most: int = MOST_HOLDERS) -> Hops:
        """Read the turns of a scope. Words in 2 to ``most`` of them link; rarer ones link more."""
        holders: dict[str, list[str]] = defaultdict(list)
        for turn in turns:
            for stem in stems_of(turn.text):
                holders[stem].append(turn.id)
        named = {stem for turn in turns for stem in stems_of(" ".join(names_in(turn.text)))}
        rare = {stem: tuple(ids) for stem, ids in holders.items() if 2 <= len(ids) <= most}
        words: dict[str, dict[str, float]] = defaultdict(dict)
        for stem, ids in rare.items():
            worth = math.log(len(turns) / len(ids)) * (NAME_BONUS if stem in named else 1.0)
            for one in ids:
                words[one][stem] = worth
        return cls(dict(words), rare)

    def scores(self, best: Sequence[str]) -> dict[str, float]:
        """How strongly each turn is tied to the ``best`` ones, of which the first counts most.

        A turn's score is the sum, over the best turns b at rank i and the rare words they share,
        of worth(word) / i; no turn is tied to itself. Turns tied to none are left out.
        """
        found: dict[str, float] = defaultdict(float)
        for rank, one in enumerate(best, 1):
            for stem, worth in self.words.get(one, {}).items():
                for other in self.holders[stem]:
                    if other != one:
                        found[other] += worth / rank
        return dict(found)


def names_in(text: str) -> list[str]:
    """Words with a capital letter that do not begin a sentence."""
    return _NAME.findall(text)

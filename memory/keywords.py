"""Keywords and summaries without a language model: the words and sentences that stand out.

A word stands out where it is frequent here and rare elsewhere (TF-IDF). A sentence stands out where
it is like many others (LexRank's degree centrality, Erkan and Radev 2004, on TF-IDF vectors).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from .stems import stem
from .terms import STOP_WORDS

_WORD = re.compile(r"[^\W\d_][\w'-]{2,}")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_EMPTY = frozenset(
    """yes yeah yep okay thanks thank please hello hey hi bye well really great good nice cool wow
    sure lot lots thing things something anything everything way day today time got get getting go
    going went come make made know think want need like love feel look looking see say said tell
    told one two also even still much many maybe actually pretty let's i'm i've it's that's don't
    can't didn't doesn't you're what's there's i'll""".split()
)


def keywords(
    texts: Sequence[str], *, most: int = 15, held: Mapping[str, int] | None = None, of: int = 0
) -> list[str]:
    """The words that stand out in ``texts``, best first, as they are mostly written.

    ``held`` says how many of ``of`` other texts have each stem; without it a word counts by how
    many of these texts have it.
    """
    forms: dict[str, Counter[str]] = {}
    counted: Counter[str] = Counter()
    spread: Counter[str] = Counter()
    for text in texts:
        words = [word for word in _WORD.findall(text) if _tells(word)]
        stems = [stem(word.lower()) for word in words]
        counted.update(stems)
        spread.update(set(stems))
        for word, root in zip(words, stems, strict=True):
            forms.setdefault(root, Counter())[word] += 1
    weigh = _idf(held, of) if held is not None else {root: spread[root] for root in spread}
    rare = math.log(of + 1) + 1
    score = {root: counted[root] * weigh.get(root, rare) for root in counted}
    ranked = sorted(score, key=lambda root: (-score[root], root))
    return [forms[root].most_common(1)[0][0] for root in ranked[:most]]


def stems_of(text: str) -> set[str]:
    """The stems of the words of a text that may be keywords."""
    return {stem(word.lower()) for word in _WORD.findall(text) if _tells(word)}


def summary(texts: Sequence[str], *, sentences: int = 3, most_read: int = 400) -> str:
    """The sentences of ``texts`` most like the others, in their order.

    Of more than ``most_read`` sentences the longest are compared.
    """
    found = [one.strip() for text in texts for one in _SENTENCE.findall(text)]
    found = [one for one in found if len(one.split()) >= 4 and not one.endswith("?")]
    if len(found) > most_read:
        longest = sorted(range(len(found)), key=lambda place: -len(found[place]))[:most_read]
        found = [found[place] for place in sorted(longest)]
    bags = [stems_of(one) for one in found]
    held = Counter(root for bag in bags for root in bag)
    idf = _idf(held, len(bags))
    norms = [math.sqrt(sum(idf[root] ** 2 for root in bag)) or 1.0 for bag in bags]
    degree = [
        sum(
            sum(idf[root] ** 2 for root in bag & other) / (norms[place] * norms[beside]) > 0.1
            for beside, other in enumerate(bags)
            if beside != place
        )
        for place, bag in enumerate(bags)
    ]
    ranked = sorted(range(len(found)), key=lambda place: (-degree[place], place))[:sentences]
    return " ".join(found[place] for place in sorted(ranked))


def _tells(word: str) -> bool:
    lower = word.lower()
    return lower not in STOP_WORDS and lower not in _EMPTY


def _idf(held: Mapping[str, int], of: int) -> dict[str, float]:
    return {root: math.log((of + 1) / (count + 1)) + 1 for root, count in held.items()}

"""How right an answer is: LoCoMo's token F1 by category, and whether it holds the gold answer.

LoCoMo's rules (task_eval/evaluation.py of its repository): commas go, then case, punctuation and
the words a, an, the, and; what is left is stemmed and compared as a bag of tokens. Stems are
Porter's as published in 1980.
"""

from __future__ import annotations

import re
import string
from collections import Counter

from ..memory.stems import stem

MULTI_HOP, OPEN_DOMAIN, ADVERSARIAL = "1", "3", "5"
UNKNOWN = ("no information available", "not mentioned")
"""An answer that holds one of these says that it cannot be answered."""

_ARTICLES = re.compile(r"\b(?:a|an|the|and)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def tokens(text: str) -> list[str]:
    """The stems of a text as it is compared."""
    plain = text.replace(",", "").lower().translate(_PUNCTUATION)
    return [stem(word) for word in _ARTICLES.sub(" ", plain).split()]


def f1(answer: str, gold: str) -> float:
    """The harmonic mean of the shares of tokens that the two have in common."""
    ours, theirs = tokens(answer), tokens(gold)
    common = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * common / (len(ours) + len(theirs)) if common else 0.0


def f1_of_parts(answer: str, gold: str) -> float:
    """For an answer in several parts: the mean over gold parts of the best F1 with any part."""
    ours, theirs = answer.split(","), gold.split(",")
    best = [max(f1(one.strip(), part.strip()) for one in ours) for part in theirs]
    return sum(best) / len(best)


def declines(answer: str) -> bool:
    """True if an answer says that the question cannot be answered."""
    return any(words in answer.lower() for words in UNKNOWN)


def locomo_f1(answer: str, gold: str, category: str) -> float:
    """The official score of an answer to a question of LoCoMo's ``category``."""
    if category == ADVERSARIAL:
        return float(declines(answer))
    if category == MULTI_HOP:
        return f1_of_parts(answer, gold)
    if category == OPEN_DOMAIN:
        gold = gold.split(";")[0].strip()
    return f1(answer, gold)


def contains(answer: str, gold: str) -> bool:
    """True if the gold answer's tokens stand in the answer, in order and together."""
    ours, theirs = tokens(answer), tokens(gold)
    spans = range(len(ours) - len(theirs) + 1)
    return bool(theirs) and any(ours[at : at + len(theirs)] == theirs for at in spans)

"""The Porter stemmer: "connected", "connecting" and "connections" all become "connect".

M. F. Porter, An algorithm for suffix stripping, Program 14(3), 1980. The step numbers are the
paper's. Words that are not plain a-z are left as they are.
"""

from __future__ import annotations

import re
from functools import lru_cache

_PLAIN = re.compile(r"[a-z]{3,}\Z")
_VOWEL = "aeiou"

_STEP_2 = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"),
    ("abli", "able"), ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"),
    ("ization", "ize"), ("ation", "ate"), ("ator", "ate"), ("alism", "al"), ("iveness", "ive"),
    ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"),
)  # fmt: skip
_STEP_3 = (
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""),
    ("ness", ""),
)  # fmt: skip
_STEP_4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou",
    "ism", "ate", "iti", "ous", "ive", "ize",
)  # fmt: skip


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The stem of a lower-case word."""
    if not _PLAIN.match(word):
        return word
    word = _step_1(word)
    word = _replace(word, _STEP_2)
    word = _replace(word, _STEP_3)
    return _step_5(_step_4(word))


def _consonant(word: str, i: int) -> bool:
    if word[i] in _VOWEL:
        return False
    return word[i] != "y" or i == 0 or not _consonant(word, i - 1)


def _measure(root: str) -> int:
    """m of [C](VC)^m[V]: how many times a vowel run is followed by a consonant run."""
    pattern = "".join("c" if _consonant(root, i) else "v" for i in range(len(root)))
    return pattern.count("vc")


def _has_vowel(root: str) -> bool:
    return any(not _consonant(root, i) for i in range(len(root)))


def _double(word: str) -> bool:
    return len(word) > 1 and word[-1] == word[-2] and _consonant(word, len(word) - 1)


def _short(word: str) -> bool:
    """*o: consonant, vowel, consonant, where the last is not w, x or y."""
    n = len(word)
    return (
        n > 2
        and _consonant(word, n - 1)
        and not _consonant(word, n - 2)
        and _consonant(word, n - 3)
        and word[-1] not in "wxy"
    )


def _step_1(word: str) -> str:
    if word.endswith(("sses", "ies")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if word.endswith("eed"):
        word = word[:-1] if _measure(word[:-3]) > 0 else word
    else:
        for suffix in ("ed", "ing"):
            if word.endswith(suffix) and _has_vowel(word[: -len(suffix)]):
                word = _tidy(word[: -len(suffix)])
                break
    if word.endswith("y") and _has_vowel(word[:-1]):
        word = word[:-1] + "i"
    return word


def _tidy(root: str) -> str:
    if root.endswith(("at", "bl", "iz")):
        return root + "e"
    if _double(root) and root[-1] not in "lsz":
        return root[:-1]
    return root + "e" if _measure(root) == 1 and _short(root) else root


def _replace(word: str, table: tuple[tuple[str, str], ...]) -> str:
    fitting = [(old, new) for old, new in table if word.endswith(old)]
    if not fitting:
        return word
    old, new = max(fitting, key=lambda pair: len(pair[0]))
    root = word[: len(word) - len(old)]
    return root + new if _measure(root) > 0 else word


def _step_4(word: str) -> str:
    fitting = [suffix for suffix in _STEP_4 if word.endswith(suffix)]
    if not fitting:
        return word
    suffix = max(fitting, key=len)
    root = word[: len(word) - len(suffix)]
    if _measure(root) <= 1 or (suffix == "ion" and not root.endswith(("s", "t"))):
        return word
    return root


def _step_5(word: str) -> str:
    if word.endswith("e"):
        root = word[:-1]
        measure = _measure(root)
        if measure > 1 or (measure == 1 and not _short(root)):
            word = root
    if word.endswith("ll") and _measure(word) > 1:
        word = word[:-1]
    return word

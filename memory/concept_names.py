"""Names of concepts as they are compared: "Slide Objects", "slide  object" and "slide_object"."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_SEPARATORS = re.compile(r"[\s_\-]+")
_SINGULAR = (
    ("ies", "y", 5),
    ("sses", "ss", 5),
    ("shes", "sh", 5),
    ("ches", "ch", 5),
    ("xes", "x", 4),
)
_NOT_PLURAL = ("ss", "us", "is", "as", "os")


@lru_cache(maxsize=200_000)
def canonical(name: str) -> str:
    """The form in which equal names are equal: case, width, separators and plurals folded."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    words = [word for word in _SEPARATORS.split(plain.strip()) if word]
    return " ".join(_singular(word) for word in words) or plain.strip()


def _singular(word: str) -> str:
    for ending, single, least in _SINGULAR:
        if word.endswith(ending) and len(word) >= least:
            return word[: -len(ending)] + single
    if len(word) > 3 and word.endswith("s") and not word.endswith(_NOT_PLURAL):
        return word[:-1]
    return word


def squeezed(text: str) -> str:
    """A text as doubles of it are told: one space between words, no case."""
    return " ".join(text.split()).casefold()

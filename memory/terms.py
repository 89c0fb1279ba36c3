"""Words as the lexical search sees them: lower case, no accents, no stop words, Porter stems.

A record's terms are kept in the journal as packed pairs of a 32-bit hash and a count, so that the
postings of a scope are built without reading a text again. Runs of Chinese, Japanese, Thai and the
like, which put no space between words, become overlapping pairs of characters.
"""

from __future__ import annotations

import re
import struct
import unicodedata
import zlib
from functools import lru_cache

import numpy as np

from .stems import stem

TERM = np.dtype([("term", "<u4"), ("count", "<u2")])
"""One packed term: CRC-32 of the stem, and how often it occurs (at most 65,535)."""

_PAIR = struct.Struct("<IH")
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)

STOP_WORDS = frozenset(
    """a about above after again all also am an and any are aren as at be because been before being
    below between both but by can could couldn d did didn do does doesn doing don down during each
    few for from further had hadn has hasn have haven having he her here hers herself him himself
    his how i if in into is isn it its itself just ll m me more most my myself no nor not now o of
    off on once only or other our ours ourselves out over own re s same shall she should shouldn so
    some such t than that the their theirs them themselves then there these they this those through
    to too under until up ve very was wasn we were weren what when where which while who whom why
    will with won would wouldn you your yours yourself yourselves""".split()
)


def terms_of(text: str) -> dict[int, int]:
    """Each term's hash and count. Stop words count only in a text made of nothing else."""
    words = words_of(text)
    counted: dict[int, int] = {}
    for word in [word for word in words if word not in STOP_WORDS] or words:
        term = _hashed(word)
        counted[term] = counted.get(term, 0) + 1
    return counted


def pack_terms(text: str) -> tuple[bytes, int]:
    """The terms of a text as the journal keeps them, and the text's length in terms."""
    counted = terms_of(text)
    packed = b"".join([_PAIR.pack(term, min(n, 65535)) for term, n in counted.items()])
    return packed, sum(counted.values())


def words_of(text: str) -> list[str]:
    """The words of a text, lower case, without accents; not yet stemmed."""
    text = text.lower()
    if text.isascii():
        return _WORD.findall(text)
    folded = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    folded = unicodedata.normalize("NFC", folded)
    words: list[str] = []
    for word in _WORD.findall(folded):
        start = 0
        for run in _UNSPACED.finditer(word):
            if word[start : run.start()]:
                words.append(word[start : run.start()])
            words.extend(_pairs(run.group()))
            start = run.end()
        if word[start:]:
            words.append(word[start:])
    return words


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


@lru_cache(maxsize=200_000)
def _hashed(word: str) -> int:
    return zlib.crc32(stem(word).encode("utf-8", "replace"))

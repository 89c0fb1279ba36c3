"""A tiny embedder without weights: signed feature hashing of words and letter trigrams.

It knows spelling, not meaning. It serves tests and installations without a model, and it starts at
once.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .text import clean_text, unit_rows

_WORD = re.compile(r"\w+")
_WORD_WEIGHT = 1.0
_TRIGRAM_WEIGHT = 0.35


class HashingEmbedder:
    """Hashes the words of a text, and the letter trigrams of each word, into ``dim`` buckets.

    Feature hashing with signs (Weinberger et al., 2009, arXiv 0902.2206, eq. 1): feature ``f``
    adds ``xi(f) * weight`` to bucket ``h(f)``, with h and xi taken from a CRC, so that the same
    text has the same vector in every process. Repeated words count by the square root.
    """

    def __init__(self, dim: int = 256, *, max_chars: int = 4_000) -> None:
        if dim < 8:
            raise ValueError(f"dim is {dim}: a hashing embedder needs at least 8 buckets")
        self.id = f"hashing:{dim}"
        self.dim = dim
        self._max_chars = max_chars

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit rows (len(texts), dim)."""
        rows = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            self._fill(row, clean_text(text, self._max_chars).lower())
        return unit_rows(rows) if len(texts) else rows

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """One unit row (dim,)."""
        return self.embed([text])[0]

    def _fill(self, row: NDArray[np.float32], text: str) -> None:
        counts: dict[str, int] = {}
        for word in _WORD.findall(text):
            counts[word] = counts.get(word, 0) + 1
        for word, count in counts.items():
            for code, weight in _features(word):
                sign = 1.0 if code & 0x80000000 else -1.0
                row[code % self.dim] += sign * weight * count**0.5


@lru_cache(maxsize=8_192)
def _features(word: str) -> tuple[tuple[int, float], ...]:
    return tuple(_hashed(word))


def _hashed(word: str) -> Iterator[tuple[int, float]]:
    yield zlib.crc32(word.encode()), _WORD_WEIGHT
    padded = f"^{word}$"
    for start in range(len(padded) - 2):
        yield zlib.crc32(b"#" + padded[start : start + 3].encode()), _TRIGRAM_WEIGHT

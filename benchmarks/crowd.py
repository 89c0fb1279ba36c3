"""A made-up crowd whose memories the benchmarks store: the same records and vectors for every seed.

Texts have about 24 words drawn by Zipf's law from a made-up vocabulary; vectors are unit vectors
around cluster centres, as embeddings of related texts are; every person has some of each cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from reverie.memory.records import Kind, Origin, Record, Scope, UtterancePayload

DIM = 384
_CLUSTERS = 500
_SPREAD = 1.2
"""Length of the noise around a centre; neighbours in a cluster then have cosines around 0.4."""
_VOCABULARY = 30_000
_WORDS = 24
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split()
_START = datetime(2024, 1, 1, tzinfo=UTC)

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some memories, in the form each store takes them."""

    records: list[Record]
    vectors: Vectors

    @property
    def ids(self) -> list[str]:
        """Their ids."""
        return [record.id for record in self.records]

    @property
    def texts(self) -> list[str]:
        """Their texts."""
        return [record.text for record in self.records]


def speaker_of(record: Record) -> str:
    """Who said it."""
    assert isinstance(record.payload, UtterancePayload)
    return record.payload.speaker


class Crowd:
    """``people`` persons with memories; all of it follows from ``seed``."""

    def __init__(self, people: int = 100, *, seed: int = 0) -> None:
        self.people = people
        self._seed = seed
        rng = np.random.default_rng(seed)
        self._words = _vocabulary(rng)
        ranks = np.arange(1, _VOCABULARY + 1)
        self._cumulative = np.cumsum(1.0 / ranks) / np.sum(1.0 / ranks)
        self._centres = rng.normal(size=(_CLUSTERS, DIM)).astype(np.float32)
        self._centres /= np.linalg.norm(self._centres, axis=1, keepdims=True)

    def user(self, person: int) -> str:
        """The name of a person."""
        return f"user-{person:05d}"

    def batches(self, count: int, size: int = 1_000, *, offset: int = 0) -> Iterator[Batch]:
        """``count`` memories from number ``offset`` on, in batches of ``size``."""
        for start in range(offset, offset + count, size):
            yield self.batch(start, min(size, offset + count - start))

    def batch(self, start: int, count: int) -> Batch:
        """Memories ``start`` to ``start + count``, spread over the people in turn."""
        rng = np.random.default_rng([self._seed, start, count])
        texts = self.texts(rng, count)
        records = [
            Record(
                id=f"m{number:09d}",
                scope=Scope(user=self.user(number % self.people)),
                text=text,
                payload=UtterancePayload(speaker=f"speaker-{number % 7}", turn=number),
                origin=Origin(source="user"),
                event_time=_START + timedelta(seconds=number),
                ingest_time=_START + timedelta(seconds=number),
            )
            for number, text in enumerate(texts, start)
        ]
        return Batch(records, self.vectors(rng, count))

    def texts(self, rng: np.random.Generator, count: int) -> list[str]:
        """``count`` texts of 16 to 32 words."""
        lengths = rng.integers(_WORDS - 8, _WORDS + 9, count)
        drawn = np.searchsorted(self._cumulative, rng.random(int(lengths.sum())))
        places: list[int] = drawn.tolist()
        words = iter(self._words[place] for place in places)
        sizes: list[int] = lengths.tolist()
        return [" ".join(next(words) for _ in range(size)) for size in sizes]

    def vectors(self, rng: np.random.Generator, count: int) -> Vectors:
        """``count`` unit vectors, each near a random centre."""
        noise = rng.normal(size=(count, DIM)).astype(np.float32) * np.float32(_SPREAD / DIM**0.5)
        rows = self._centres[rng.integers(0, _CLUSTERS, count)] + noise
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Questions:
    """Questions and their vectors. It is the embedder of the benchmark's memory, at no cost.

    Its id is the default embedder's, so that a store written with it opens with the default.
    """

    id = "minilm"
    dim = DIM
    kinds: Sequence[Kind] = (Kind.UTTERANCE,)

    def __init__(self, crowd: Crowd, count: int, *, seed: int) -> None:
        rng = np.random.default_rng([seed, 1])
        # Shorter than the memories: about eight words, as people ask.
        self.texts = [" ".join(text.split()[:8]) for text in crowd.texts(rng, count)]
        self.vectors = crowd.vectors(rng, count)
        self.people = rng.integers(0, crowd.people, count).tolist()
        self._by_text = dict(zip(self.texts, self.vectors, strict=True))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of known questions."""
        return np.stack([self._by_text[text] for text in texts])

    def embed_query(self, text: str) -> Vectors:
        """The vector of a known question."""
        return self._by_text[text]


def _vocabulary(rng: np.random.Generator) -> list[str]:
    words: dict[str, None] = {}
    while len(words) < _VOCABULARY:
        picks: list[int] = rng.integers(0, len(_SYLLABLES), int(rng.integers(2, 5))).tolist()
        words["".join([str(_SYLLABLES[pick]) for pick in picks])] = None
    return list(words)

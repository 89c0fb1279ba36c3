"""BM25 over what one user has of one kind, held in memory.

Postings are kept per user, so a score never depends on what another user wrote, and a query never
walks another user's postings. (SQLite's FTS5 was measured for this: its bm25() counts every posting
of every user, see docs/memory.md.) They are built from the packed terms in the journal, without
reading or splitting a text again.

S. Robertson and H. Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009,
eq. 3.15; the idf is Lucene's ln(1 + (N - df + 0.5) / (df + 0.5)), which is never negative.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .terms import TERM, terms_of

K1 = 1.2
"""How fast repeated terms stop adding to the score."""
B = 0.75
"""How much a long text is discounted, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Held:
    """A term's postings: the slots that hold it, how often each does, and its idf."""

    term: int
    slots: NDArray[np.int32]
    counts: NDArray[np.uint16]
    idf: float


def idf(n: int, held: int) -> float:
    """Lucene's inverse document frequency of a term that ``held`` of ``n`` texts hold."""
    return math.log1p((max(n - held, 0) + 0.5) / (held + 0.5))


class Postings:
    """Which slots hold which term, and how often. A slot is a record's place on its shelf."""

    def __init__(self) -> None:
        self._vocabulary = np.empty(0, np.uint32)
        self._starts = np.zeros(1, np.int64)
        self._slots = np.empty(0, np.int32)
        self._counts = np.empty(0, np.uint16)
        self._fresh: dict[int, tuple[list[int], list[int]]] = {}
        self._fresh_slots = 0
        self._dropped: dict[int, int] = {}
        self._alive = 0
        self._total = 0
        self._base_slots = 0

    @property
    def nbytes(self) -> int:
        """Bytes held, about."""
        return 8 * len(self._vocabulary) * 2 + 6 * len(self._slots)

    def extend(self, packed: Sequence[bytes], lengths: Sequence[int], first_slot: int) -> None:
        """Take in the packed terms of new slots ``first_slot, first_slot + 1, …``."""
        self._alive += len(packed)
        self._total += sum(lengths)
        if len(packed) > max(512, self._base_slots // 8):
            slots = np.arange(first_slot, first_slot + len(packed), dtype=np.int32)
            sizes = np.fromiter((len(p) for p in packed), np.int64, len(packed)) // TERM.itemsize
            pairs = np.frombuffer(b"".join(packed), dtype=TERM)
            self._rebuild(pairs["term"], np.repeat(slots, sizes), pairs["count"])
            return
        for slot, terms in enumerate(packed, first_slot):
            for term, count in np.frombuffer(terms, dtype=TERM).tolist():
                slots_, counts = self._fresh.setdefault(term, ([], []))
                slots_.append(slot)
                counts.append(count)
        self._fresh_slots += len(packed)
        if self._fresh_slots > max(512, self._base_slots // 8):
            self._rebuild()

    def drop(self, packed: bytes, length: int) -> None:
        """Forget that a slot with these terms counts; its postings stay, masked by the shelf."""
        self._alive -= 1
        self._total -= length
        for term in np.frombuffer(packed, dtype=TERM)["term"].tolist():
            self._dropped[term] = self._dropped.get(term, 0) + 1

    def _rebuild(
        self,
        terms: NDArray[np.uint32] | None = None,
        slots: NDArray[np.int32] | None = None,
        counts: NDArray[np.uint16] | None = None,
    ) -> None:
        """Sort the old postings, the fresh ones and those given into one block."""
        sizes = np.diff(self._starts)
        all_terms = [np.repeat(self._vocabulary, sizes)]
        all_slots, all_counts = [self._slots], [self._counts]
        for term, (fresh_slots, fresh_counts) in self._fresh.items():
            all_terms.append(np.full(len(fresh_slots), term, np.uint32))
            all_slots.append(np.array(fresh_slots, np.int32))
            all_counts.append(np.array(fresh_counts, np.uint16))
        if terms is not None and slots is not None and counts is not None:
            all_terms.append(terms)
            all_slots.append(slots)
            all_counts.append(counts)
        joined = np.concatenate(all_terms)
        order = np.argsort(joined)
        joined = joined[order]
        self._slots = np.concatenate(all_slots)[order]
        self._counts = np.concatenate(all_counts)[order]
        starts = np.flatnonzero(np.append(True, joined[1:] != joined[:-1]))[: len(joined)]
        self._vocabulary = joined[starts]
        self._starts = np.append(starts, len(joined)).astype(np.int64)
        self._fresh.clear()
        self._fresh_slots = 0
        self._base_slots = self._alive

    def held(self, terms: Iterable[int]) -> list[Held]:
        """Where each of these terms is, and how much it tells; terms that nothing holds left out.

        Slots that were rewritten may still be among them.
        """
        n = max(self._alive, 1)
        return [
            Held(term, where, counts, idf(n, max(1, len(where) - self._dropped.get(term, 0))))
            for term, where, counts in self._matching(terms)
            if len(where)
        ]

    def scores(self, query: str, lengths: NDArray[np.int32]) -> NDArray[np.float32]:
        """BM25 of every slot, shape (slots,); 0 where no term is shared with the query.

        ``lengths`` holds each slot's length in terms, shape (slots,).
        """
        found = [posting for posting in self._matching(terms_of(query).keys()) if len(posting[1])]
        if not found:
            return np.zeros(len(lengths), np.float32)
        slots = np.concatenate([posting[1] for posting in found])
        counts = np.concatenate([posting[2] for posting in found]).astype(np.float32)
        held = np.array(
            [max(1, len(where) - self._dropped.get(term, 0)) for term, where, _ in found],
            np.float32,
        )
        n = max(self._alive, 1)
        idf = np.log1p((np.maximum(n - held, 0) + 0.5) / (held + 0.5)) * (K1 + 1)
        slope = np.float32(K1 * B * n / max(self._total, 1))
        norm = np.float32(K1 * (1 - B)) + slope * lengths[slots]
        gains = np.repeat(idf, [len(where) for _, where, _ in found]) * counts / (counts + norm)
        return np.bincount(slots, weights=gains, minlength=len(lengths)).astype(np.float32)

    def _matching(
        self, terms: Iterable[int]
    ) -> Iterable[tuple[int, NDArray[np.int32], NDArray[np.uint16]]]:
        wanted = np.fromiter(terms, np.uint32)
        places = np.searchsorted(self._vocabulary, wanted)
        for term, place in zip(wanted.tolist(), places.tolist(), strict=True):
            slots, counts = np.empty(0, np.int32), np.empty(0, np.uint16)
            if place < len(self._vocabulary) and self._vocabulary[place] == term:
                span = slice(int(self._starts[place]), int(self._starts[place + 1]))
                slots, counts = self._slots[span], self._counts[span]
            if term in self._fresh:
                fresh_slots, fresh_counts = self._fresh[term]
                slots = np.concatenate([slots, np.array(fresh_slots, np.int32)])
                counts = np.concatenate([counts, np.array(fresh_counts, np.uint16)])
            yield term, slots, counts

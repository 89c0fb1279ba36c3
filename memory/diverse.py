"""Beyond the first few sessions, turns that say something else come earlier.

An answer in several parts lies in several sessions, and what resembles the turns already found
seldom adds a part. The first sessions stay as they are, because most answers lie in one.

J. Carbonell and J. Goldstein, The Use of MMR, Diversity-Based Reranking for Reordering Documents
and Producing Summaries, SIGIR 1998.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .turn_search import TurnHit

KEPT_SESSIONS = 5
"""The turns before the first one of a further session stay where they are."""
LAMBDA = 0.75
"""What a score counts, against likeness to what is before."""


def diversified(hits: Sequence[TurnHit], vectors: NDArray[np.float32]) -> list[TurnHit]:
    """The hits, after those of the first sessions by maximal marginal relevance (MMR).

    ``vectors`` (n, dim) are those of the hits, of unit length. The relevance of a hit is its score
    over the best, dealt out in the order given, so that hits all unlike each other keep it.
    """
    kept = _kept(hits)
    if kept == len(hits):
        return list(hits)
    scores = np.sort(np.array([hit.score for hit in hits], np.float32))[::-1]
    worth = LAMBDA * scores[kept:] / max(float(scores[0]), 1e-9)
    left = vectors[kept:]
    alike = np.maximum((left @ vectors[:kept].T).max(axis=1), 0.0)
    order: list[int] = []
    for _ in range(len(left)):
        best = int(np.argmax(worth - (1 - LAMBDA) * alike))
        order.append(kept + best)
        worth[best] = -np.inf
        alike = np.maximum(alike, left @ left[best])
    return [*hits[:kept], *(hits[place] for place in order)]


def _kept(hits: Sequence[TurnHit]) -> int:
    """How many hits come before the first of a session after the first `KEPT_SESSIONS`."""
    seen: set[str | None] = set()
    for place, hit in enumerate(hits):
        seen.add(hit.record.scope.session)
        if len(seen) > KEPT_SESSIONS:
            return place
    return len(hits)

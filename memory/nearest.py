"""Scoring a scope that is too large to be scored whole: candidates from three places, then exactly.

The candidates are the index's nearest vectors, the best by words, and whatever the index has not
taken in yet. Their cosines are computed from the journal's vectors, so an approximate index decides
who is looked at and never how they score.
"""

from __future__ import annotations

import sqlite3

import numpy as np
from numpy.typing import NDArray

from .indexer import Indexer
from .search import Filters, Found, best, dots, mask_of
from .shelf import Shelf, read_vectors

_MOST_ASKED = 2000
_MOST_PENDING = 20_000


def score_with_index(
    shelf: Shelf,
    filters: Filters,
    connection: sqlite3.Connection,
    vector: NDArray[np.float32],
    query: str,
    indexer: Indexer,
    wanted: int,
) -> Found | None:
    """Scores of about ``wanted`` candidates from each place; None if only exact scoring will do.

    That is so while the index is not there, where others own most of it, and where the filters
    leave too few of its candidates.
    """
    reached = indexer.reached(shelf.kind)
    if reached is None:
        return None
    n = shelf.size
    pending = np.flatnonzero(shelf.seqs[:n] > reached)
    if len(pending) > _MOST_PENDING:
        return None
    everyone = connection.execute(
        "SELECT sum(count) FROM heads WHERE kind = ?", (shelf.kind,)
    ).fetchone()[0]
    mask = mask_of(shelf, filters, connection)
    passing = n if mask is None else int(mask.sum())
    asked = int(np.ceil(wanted * everyone / max(passing, 1)))
    if asked > _MOST_ASKED:
        return None
    rows = indexer.nearest(shelf.kind, vector, min(asked, everyone))
    if rows is None:
        return None
    near = shelf.slots_of(rows)
    lexical = shelf.postings.scores(query, shelf.lengths[:n])
    if mask is not None:
        lexical = np.where(mask, lexical, np.float32(0))
        near, pending = near[mask[near]], pending[mask[pending]]
    if len(near) < wanted // 4:
        return None
    wordy = best(lexical, wanted)[:wanted]
    slots = np.unique(np.concatenate([near, pending, wordy[lexical[wordy] > 0]]).astype(np.int64))
    chosen = shelf.rows[slots]
    vectors = read_vectors(connection, chosen.tolist(), shelf.dim)
    return Found(shelf, chosen.copy(), dots(vectors, vector), lexical[slots])

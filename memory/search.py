"""Hybrid search: dense and lexical scores of what a scope holds, filtered, fused and ordered.

Every filter is a mask over the columns of a shelf, applied before anything is ranked, so a narrow
filter never costs a result. Scores are fused, not ranks: a weak list weighs no more than its
weight.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import MemoryFault
from .records import Kind, Record, Scope, Status
from .rows import to_us
from .schema import FACETS
from .shelf import DEAD, STATUSES, Shelf, read_vectors

Floats = NDArray[np.float32]

_FEW = 5_000
"""So many vectors are read one by one where the whole shelf's are not in memory."""


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """How much each list counts, and how their scores are made comparable.

    ``scale`` says how: ``"max"`` divides by the best in scope (dense scores below 0 count as 0),
    ``"minmax"`` stretches the scope's worst to best over 0 to 1, ``"zscore"`` measures in standard
    deviations above the scope's mean and squashes the sum into 0 to 1 with a logistic.
    """

    dense: float = 0.4
    lexical: float = 0.6
    scale: Literal["max", "minmax", "zscore"] = "max"

    def __post_init__(self) -> None:
        if self.dense < 0 or self.lexical < 0 or self.dense + self.lexical <= 0:
            raise MemoryFault("fusion weights must be at least 0, and not both 0")


@dataclass(frozen=True, slots=True)
class Hit:
    """A record found, and why. ``score`` lies in [0, 1].

    ``dense`` is the cosine of its vector and the query's, ``lexical`` its BM25 score; None where
    that list did not see the record.
    """

    record: Record
    score: float
    dense: float | None = None
    lexical: float | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a record must be to be found. Empty filters let everything of the scope through."""

    scope: Scope
    kinds: tuple[Kind, ...] = tuple(Kind)
    status: tuple[Status, ...] = (Status.ACTIVE,)
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    exclude: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    since_us: int | None = None
    until_us: int | None = None

    @classmethod
    def of(
        cls,
        scope: Scope,
        kinds: Sequence[Kind],
        *,
        status: Sequence[Status] | Status | None,
        where: Mapping[str, str | Sequence[str]] | None,
        exclude: Mapping[str, str | Sequence[str]] | None,
        since: datetime | None,
        until: datetime | None,
    ) -> Filters:
        """From what a caller writes. Raises MemoryFault for a field that cannot be filtered on."""
        if status is None:
            status = STATUSES
        return cls(
            scope,
            tuple(dict.fromkeys(Kind(kind) for kind in kinds)),
            (status,) if isinstance(status, Status) else tuple(status),
            _facet_values(where),
            _facet_values(exclude),
            None if since is None else to_us(since),
            None if until is None else to_us(until),
        )


def _facet_values(
    given: Mapping[str, str | Sequence[str]] | None,
) -> dict[str, tuple[str, ...]]:
    values: dict[str, tuple[str, ...]] = {}
    for name, value in (given or {}).items():
        if name not in FACETS:
            raise MemoryFault(f"cannot filter on {name!r}: only on {', '.join(FACETS)}")
        values[name] = (value,) if isinstance(value, str) else tuple(value)
    return values


@dataclass(frozen=True, slots=True)
class Found:
    """Scores of one shelf's slots that passed the filters; NaN where a list saw nothing."""

    shelf: Shelf
    rows: NDArray[np.int64]
    dense: Floats
    lexical: Floats


def mask_of(
    shelf: Shelf, filters: Filters, connection: sqlite3.Connection
) -> NDArray[np.bool_] | None:
    """Which slots pass, shape (slots,); None if all do. Hold the shelf's lock."""
    n = shelf.size
    masks: list[NDArray[np.bool_]] = []
    if set(filters.status) != set(STATUSES):
        if filters.status != (Status.ACTIVE,) or shelf.inactive:
            codes = [STATUSES.index(status) for status in filters.status]
            masks.append(np.isin(shelf.status[:n], codes))
    elif shelf.inactive:
        masks.append(shelf.status[:n] != DEAD)
    if filters.scope.agent is not None:
        masks.append(shelf.agent[:n] == shelf.code(filters.scope.agent))
    if filters.scope.session is not None:
        masks.append(shelf.session[:n] == shelf.code(filters.scope.session))
    if filters.since_us is not None:
        masks.append(shelf.event_us[:n] >= filters.since_us)
    if filters.until_us is not None:
        masks.append(shelf.event_us[:n] <= filters.until_us)
    for wanted, keep in ((filters.where, True), (filters.exclude, False)):
        for name, values in wanted.items():
            column = shelf.facet(connection, name)
            inside = np.isin(column, [shelf.code(value) for value in values])
            masks.append(inside if keep else ~inside)
    return np.logical_and.reduce(masks) if masks else None


def score_exactly(
    shelf: Shelf,
    filters: Filters,
    connection: sqlite3.Connection,
    vector: Floats | None,
    query: str,
) -> Found:
    """Score every slot that passes: cosine with ``vector`` (dim,), BM25 with ``query``."""
    mask = mask_of(shelf, filters, connection)
    n = shelf.size
    lexical = shelf.postings.scores(query, shelf.lengths[:n])
    chosen = None if mask is None else np.flatnonzero(mask)
    if vector is None:
        dense = np.full(n if chosen is None else len(chosen), np.nan, np.float32)
    else:
        dense = _cosines(shelf, chosen, connection, vector)
    rows = shelf.rows[:n]
    if chosen is not None:
        rows, lexical = rows[chosen], lexical[chosen]
    return Found(shelf, rows.copy(), dense.astype(np.float32), lexical)


def _cosines(
    shelf: Shelf, chosen: NDArray[np.intp] | None, connection: sqlite3.Connection, vector: Floats
) -> Floats:
    """Cosine of each chosen slot (all, if None) with ``vector``."""
    few = chosen is not None and len(chosen) * 3 < shelf.size
    if chosen is not None and few and shelf.matrix is None and len(chosen) <= _FEW:
        return dots(read_vectors(connection, shelf.rows[chosen].tolist(), shelf.dim), vector)
    matrix = shelf.load_vectors(connection)
    if chosen is not None and few:
        return dots(matrix[chosen], vector)
    dense = dots(matrix, vector)
    return dense if chosen is None else dense[chosen]


def dots(matrix: Floats, vector: Floats) -> Floats:
    """Product of each row of ``matrix`` (n, dim) with ``vector`` (dim,), on this thread alone.

    ``matrix @ vector`` spreads over all cores; for 10,000 rows on two busy cores that was measured
    to take eight times the processor time and forty times the wall time.
    """
    return np.vecdot(matrix, vector)


def fuse(dense: Floats, lexical: Floats, weights: FusionWeights) -> Floats:
    """One score in [0, 1] for each candidate, from two lists of shape (n,).

    ``dense`` may be NaN throughout (no embedder was asked); the lexical list then counts alone.
    """
    if not len(dense):
        return dense
    have_dense = not bool(np.isnan(dense).all())
    total = weights.lexical + (weights.dense if have_dense else 0.0)
    if total <= 0:
        return np.zeros_like(lexical)
    parts = [(lexical, weights.lexical / total)]
    if have_dense:
        parts.append((np.nan_to_num(dense, nan=0.0), weights.dense / total))
    if weights.scale == "zscore":
        summed = sum(weight * _standard(scores) for scores, weight in parts)
        return (1.0 / (1.0 + np.exp(-np.asarray(summed)))).astype(np.float32)
    scaled = _stretched if weights.scale == "minmax" else _of_best
    summed = sum(weight * scaled(scores) for scores, weight in parts)
    return np.clip(np.asarray(summed), 0.0, 1.0).astype(np.float32)


def _of_best(scores: Floats) -> Floats:
    top = float(scores.max())
    return (np.maximum(scores, 0.0) / max(top, 1e-12)).astype(np.float32)


def _stretched(scores: Floats) -> Floats:
    low, high = float(scores.min()), float(scores.max())
    return (
        (scores - np.float32(low)) / np.float32(high - low) if high > low else np.zeros_like(scores)
    )


def _standard(scores: Floats) -> Floats:
    spread = float(scores.std())
    return (scores - scores.mean()) / np.float32(spread) if spread > 0 else np.zeros_like(scores)


def best(scores: Floats, k: int) -> NDArray[np.intp]:
    """The places of the ``k`` highest scores and of ties with the last, highest first."""
    if k >= len(scores):
        return np.argsort(-scores, kind="stable")
    threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
    places = np.flatnonzero(scores >= threshold)
    if len(places) > k + 1000:
        places = places[np.argsort(-scores[places], kind="stable")][: k + 1000]
    return places[np.argsort(-scores[places], kind="stable")]

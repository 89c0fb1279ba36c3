"""Finding turns of conversations: every turn in scope at sight, then the best by how they look."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .records import Record
from .search import Filters, best, mask_of
from .shelf import Shelf
from .terms import terms_of
from .turn_features import (
    FEATURES,
    Talk,
    TurnWeights,
    asks_when,
    at_sight,
    coverage,
    only_asks,
    tells_time,
    weighed,
)
from .when import TimeSpan, resolve

LOOKED_AT = 120
"""So many turns, the best at sight, are looked at."""
NEAREST = 32
"""Of a scope too large to be scored whole, eight times so many of the nearest vectors are known."""
SPREAD = 0.2
"""What a turn loses for each better one of its session: an answer in several parts lies in several
sessions, and one session's turns speak for each other anyway."""
SESSIONS = 30
"""The best turn of so many sessions is looked at too."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TurnQuery:
    """A question about what was said.

    ``content`` is its text without the names of those who speak, ``vector`` (dim,) that text
    embedded, ``named`` those it names, ``span`` the time it restricts itself to, ``newest`` says
    that of turns that speak of the same thing the newest goes first.
    """

    text: str
    content: str
    vector: Floats | None
    named: tuple[str, ...]
    span: TimeSpan | None
    filters: Filters
    weights: TurnWeights
    newest: bool = False


@dataclass(frozen=True, slots=True)
class TurnHit:
    """A turn found; ``features`` are what its ``score`` is made of, ``cosine`` and ``covered`` (the
    share of the question's words that it or its neighbours hold, by idf) what it is worth alone.
    """

    record: Record
    score: float
    features: Mapping[str, float]
    cosine: float
    covered: float


@dataclass(frozen=True, slots=True)
class Seen:
    """The turns worth a look: rows (n,), features at sight (n, 7), cosines and coverage (n,).

    ``idfs`` are those of the question's terms that any turn holds.
    """

    rows: NDArray[np.int64]
    features: Floats
    cosines: Floats
    covered: Floats
    idfs: Mapping[int, float]


def see(shelf: Shelf, connection: sqlite3.Connection, query: TurnQuery, cosines: Floats) -> Seen:
    """Weigh every turn of a shelf; ``cosines`` (slots,) are NaN where unknown. Hold the lock."""
    n = shelf.size
    shelf.order.sync(shelf, connection)
    mask = mask_of(shelf, query.filters, connection)
    talk = Talk(shelf.order, shelf.session[:n], shelf.lengths[:n], mask)
    terms = terms_of(query.content)
    held = shelf.postings.held(terms)
    named = np.zeros(n, np.bool_)
    if len(query.named) == 1:
        named = shelf.facet(connection, "speaker") == shelf.code(query.named[0])
    known = np.nan_to_num(cosines, nan=0.0)
    columns = at_sight(talk, held, known, named)
    scores = weighed(columns, query.weights)
    slots = np.arange(n) if mask is None else np.flatnonzero(mask)
    slots = slots[_worth_a_look(scores[slots], talk.session[slots])]
    covered = coverage(talk, held, len(terms), slots)
    idfs = {one.term: one.idf for one in held}
    features = np.stack([column[slots] for column in columns], axis=1)
    return Seen(shelf.rows[slots], features, known[slots], covered, idfs)


def _worth_a_look(scores: Floats, sessions: NDArray[np.int32]) -> NDArray[np.intp]:
    """The places of the best by score, and of the best of each of the best sessions."""
    if not len(scores):
        return np.empty(0, np.intp)
    codes = sessions - sessions.min()
    of_session = np.full(int(codes.max()) + 1, -np.inf, np.float32)
    np.maximum.at(of_session, codes, scores)
    leading = np.flatnonzero(scores == of_session[codes])
    leading = leading[np.unique(codes[leading], return_index=True)[1]]
    return np.union1d(best(scores, LOOKED_AT), leading[best(scores[leading], SESSIONS)])


def look(seen: Seen, records: Mapping[int, Record], query: TurnQuery) -> list[TurnHit]:
    """The turns seen, scored in full, best first, sessions a little spread; equal ones by id."""
    when = asks_when(query.text)
    rows: list[int] = seen.rows.tolist()
    places = [place for place, row in enumerate(rows) if row in records]
    kept = [records[rows[place]] for place in places]
    looks = [
        [
            float(when and tells_time(record.text)),
            float(query.span is not None and speaks_of(record, query.span)),
            float(only_asks(record.text)),
        ]
        for record in kept
    ]
    values = np.column_stack([seen.features[places], np.array(looks, np.float32).reshape(-1, 3)])
    scores = _spread(kept, weighed(values.T, query.weights))
    columns = zip(
        kept,
        scores,
        values.tolist(),
        seen.cosines[places].tolist(),
        seen.covered[places].tolist(),
        strict=True,
    )
    hits = [
        TurnHit(record, score, dict(zip(FEATURES, row, strict=True)), cosine, covered)
        for record, score, row, cosine, covered in columns
    ]
    return sorted(hits, key=_best_first)


def _spread(records: Sequence[Record], scores: Floats) -> list[float]:
    """The scores, each less `SPREAD` for every better turn of its session."""
    rounded = [round(score, 6) for score in scores.tolist()]
    better: Counter[str | None] = Counter()
    spread = list(rounded)
    for place in sorted(range(len(records)), key=lambda at: (-rounded[at], records[at].id)):
        session = records[place].scope.session
        spread[place] = round(rounded[place] - SPREAD * better[session], 6)
        better[session] += 1
    return spread


def _best_first(hit: TurnHit) -> tuple[float, str]:
    return -hit.score, hit.record.id


def speaks_of(record: Record, span: TimeSpan) -> bool:
    """True if a turn was said in a span of time, or speaks of one that meets it."""
    if span.start <= record.event_time < span.end:
        return True
    spans = resolve(record.text, record.event_time)
    return any(one.start < span.end and span.start < one.end for one in spans)

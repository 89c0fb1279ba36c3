"""What speaks for a turn of a conversation as the answer to a question.

A turn seldom says all by itself: the words of a question stand in the turns around it and all over
its session. So each turn is looked at alone, in a window, and with its session, by words (BM25) and
by meaning (cosine); then who said it, and what it looks like. Every feature is scaled over the
turns in scope, so that one set of weights (`TurnWeights`) fits any conversation.
"""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from .lexical import K1, B, Held, idf
from .order import NOBODY, Order

Floats = NDArray[np.float32]
Slots = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class TurnWeights:
    """How much each feature counts. Fitted by benchmarks/dialogue_fit.py, see docs/dialogue.md.

    ``words``, ``window`` and ``session`` are BM25 of the turn, of it with two turns to either side
    and of its session, each over the best in scope; ``meaning`` the cosine over the best,
    ``session_meaning`` that of the session's best turn. ``speaker`` counts where the question names
    one of those who speak and the turn is theirs; ``length`` by the logarithm of the turn's terms;
    ``time`` where the question asks when and the turn tells a time; ``date`` where it names a time
    and the turn is of it or speaks of it; ``asking`` where the turn ends in a question.
    """

    words: float = 0.7
    window: float = 3.6
    session: float = 1.3
    meaning: float = 3.15
    session_meaning: float = 2.1
    speaker: float = 1.0
    length: float = 0.65
    time: float = 2.2
    date: float = 5.0
    asking: float = -1.1


FEATURES = tuple(field.name for field in fields(TurnWeights))
AT_SIGHT = FEATURES[:7]
"""Features known of every turn at once; the others need its text."""


@dataclass(frozen=True, slots=True)
class Talk:
    """The turns in scope, as columns of shape (slots,)."""

    order: Order
    session: Slots
    lengths: Slots
    passing: NDArray[np.bool_] | None

    @property
    def size(self) -> int:
        """How many slots there are."""
        return len(self.session)


def at_sight(talk: Talk, held: list[Held], cosines: Floats, named: NDArray[np.bool_]) -> Floats:
    """The features `AT_SIGHT` of every slot, shape (slots, 7); 0 for those that do not pass.

    ``cosines`` has shape (slots,), 0 where unknown; ``named`` says who spoke is whom the question
    names.
    """
    meaning = np.maximum(cosines, 0.0)
    session_best = np.zeros(int(talk.session.max(initial=0)) + 1, np.float32)
    codes = np.maximum(talk.session, 0)
    np.maximum.at(session_best, codes, meaning)
    columns = [
        _of_best(_turn_bm25(talk, held)),
        _of_best(_window_bm25(talk, held)),
        _of_best(_session_bm25(talk, held)),
        _of_best(meaning),
        _of_best(session_best[codes]),
        named.astype(np.float32),
        np.log1p(talk.lengths),
    ]
    found = np.stack(columns, axis=1).astype(np.float32)
    if talk.passing is not None:
        found[~talk.passing] = 0.0
    return found


def coverage(talk: Talk, held: list[Held], asked: int, slots: NDArray[np.int64]) -> Floats:
    """The share of a question's terms that each of ``slots`` or its window holds, shape (n,).

    Terms count by their idf; of the ``asked`` those that nothing holds count as the rarest do.
    """
    windows = talk.order.window(slots.astype(np.int32))
    total = (asked - len(held)) * idf(max(talk.size, 1), 0)
    covered = np.zeros(len(slots), np.float32)
    for one in held:
        has = np.zeros(talk.size + 1, np.bool_)  # the last place answers for NOBODY
        has[_passing(talk, one)[0]] = True
        covered += np.float32(one.idf) * np.logical_or.reduce([has[w] for w in windows])
        total += one.idf
    return covered / np.float32(max(total, 1e-9))


def weighed(features: Floats, weights: TurnWeights) -> Floats:
    """The score of each row of features (n, f), of which the first f weights are taken."""
    return np.vecdot(features, np.array(astuple(weights)[: features.shape[1]], np.float32))


def _turn_bm25(talk: Talk, held: list[Held]) -> Floats:
    score = np.zeros(talk.size, np.float32)
    norm = _norm(talk.lengths.astype(np.float32), talk.passing)
    for one in held:
        slots, counts = _passing(talk, one)
        score[slots] += one.idf * _saturated(counts, norm[slots])
    return score


def _window_bm25(talk: Talk, held: list[Held]) -> Floats:
    """BM25 of each turn with `REACH` turns to either side, by the idf of turns."""
    norm = _norm(talk.order.window_lengths(talk.lengths), talk.passing)
    score = np.zeros(talk.size, np.float32)
    for one in held:
        slots, counts = _spread(talk, *_passing(talk, one))
        score[slots] += one.idf * _saturated(counts, norm[slots])
    return score


def _session_bm25(talk: Talk, held: list[Held]) -> Floats:
    codes = np.maximum(talk.session, 0)
    alive = np.ones(talk.size, np.bool_) if talk.passing is None else talk.passing
    lengths = np.bincount(codes, weights=np.where(alive, talk.lengths, 0)).astype(np.float32)
    norm = _norm(lengths, lengths > 0)
    sessions = int((lengths > 0).sum())
    score = np.zeros(len(lengths), np.float32)
    for one in held:
        slots, counts = _passing(talk, one)
        among = np.bincount(codes[slots], weights=counts, minlength=len(lengths))
        having = np.flatnonzero(among)
        gain = _saturated(among[having].astype(np.float32), norm[having])
        score[having] += idf(max(sessions, 1), max(len(having), 1)) * gain
    return score[codes]


def _passing(talk: Talk, held: Held) -> tuple[Slots, Floats]:
    slots, counts = held.slots, held.counts.astype(np.float32)
    if talk.passing is None:
        return slots, counts
    keep = talk.passing[slots]
    return slots[keep], counts[keep]


def _spread(talk: Talk, slots: Slots, values: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The slots that have any of ``slots`` in their window, and the sum of those's ``values``."""
    windows = talk.order.window(slots)
    places = np.concatenate(windows)
    carried = np.tile(values, len(windows))[places != NOBODY]
    places = places[places != NOBODY]
    if 16 * len(places) < talk.size:  # few: sorting them is quicker than a column of all
        near, inverse = np.unique(places, return_inverse=True)
        return near.astype(np.int64), np.bincount(inverse, weights=carried).astype(np.float32)
    total = np.bincount(places, weights=carried, minlength=talk.size)
    near = np.flatnonzero(total)
    return near, total[near].astype(np.float32)


def _norm(lengths: Floats, passing: NDArray[np.bool_] | None) -> Floats:
    kept = lengths if passing is None else lengths[passing]
    mean = float(kept.mean()) if len(kept) else 1.0
    return (K1 * (1 - B + B * lengths / max(mean, 1e-9))).astype(np.float32)


def _saturated(counts: Floats, norm: Floats) -> Floats:
    return (counts * (K1 + 1) / (counts + norm)).astype(np.float32)


def _of_best(scores: Floats) -> Floats:
    return (scores / max(float(scores.max(initial=0.0)), 1e-9)).astype(np.float32)


# -- what a turn looks like ---------------------------------------------------------------------

_TELLS_TIME = re.compile(
    r"\b(?:yesterday|today|tomorrow|tonight|last|next|ago|since|recently|just|weeks?|months?|years?"
    r"|weekends?|days?|nights?|mornings?|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january"
    r"|february|march|april|may|june|july|august|september|october|november|december|20\d\d)\b",
    re.IGNORECASE,
)
_ASKS_WHEN = re.compile(
    r"^\W*when\b|\b(?:what|which) (?:date|day|month|year|time)\b|\bhow long\b", re.IGNORECASE
)
_SENTENCE = re.compile(r"[^.!?]+[.!?]*")


def asks_when(question: str) -> bool:
    """True if a question wants a time."""
    return _ASKS_WHEN.search(question) is not None


def tells_time(text: str) -> bool:
    """True if a text has a word of time."""
    return _TELLS_TIME.search(text) is not None


def only_asks(text: str) -> bool:
    """True if the last thing that a turn says is a question."""
    return text.rstrip().endswith("?")

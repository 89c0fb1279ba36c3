"""What speaks for a turn of a conversation as the answer to a question.

A turn seldom says all by itself: the words of a question stand in the turns around it and all over
its session. So each turn is looked at alone, in a window, and with its session, by words (BM25) and
by meaning (cosine); then who said it, and what it looks like. Every feature is scaled over the
turns in scope, so that one set of weights (`TurnWeights`) fits any conversation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from .lexical import K1, B, Held, idf
from .order import Order

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


def at_sight(
    talk: Talk, held: list[Held], cosines: Floats, named: NDArray[np.bool_]
) -> list[Floats]:
    """The features `AT_SIGHT` of every slot, each of shape (slots,).

    ``cosines`` has shape (slots,), 0 where unknown; ``named`` says who spoke is whom the question
    names. Those of slots that do not pass mean nothing.
    """
    meaning = np.maximum(cosines, 0.0)
    session_best = np.zeros(int(talk.session.max(initial=0)) + 1, np.float32)
    codes = np.maximum(talk.session, 0)
    meant = np.flatnonzero(meaning)
    longest = int(talk.lengths.max(initial=0))
    np.maximum.at(session_best, codes[meant], meaning[meant])
    return [
        _of_best(_turn_bm25(talk, held)),
        _of_best(_window_bm25(talk, held)),
        _of_best(_session_bm25(talk, held)),
        _of_best(meaning),
        _of_best(session_best[codes]),
        named.astype(np.float32),
        np.log1p(np.arange(longest + 1, dtype=np.float32))[talk.lengths],
    ]


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
        covered += np.float32(one.idf) * has[windows].any(axis=0)
        total += one.idf
    return covered / np.float32(max(total, 1e-9))


def weighed(features: Iterable[Floats], weights: TurnWeights) -> Floats:
    """The score of each turn by its first features, one column (n,) each."""
    pairs = zip(features, astuple(weights), strict=False)
    return np.sum([np.float32(weight) * column for column, weight in pairs], axis=0)


def _turn_bm25(talk: Talk, held: list[Held]) -> Floats:
    score = np.zeros(talk.size, np.float32)
    lengths = talk.lengths.astype(np.float32)
    norm = _norm(lengths, _mean(lengths, talk.passing))
    for one in held:
        slots, counts = _passing(talk, one)
        score[slots] += one.idf * _saturated(counts, norm[slots])
    return score


def _window_bm25(talk: Talk, held: list[Held]) -> Floats:
    """BM25 of each turn with `REACH` turns to either side, by the idf of turns."""
    order = talk.order
    every = np.arange(talk.size, dtype=np.int32)
    lengths = order.summed(every, talk.lengths.astype(np.float32))
    norm = _norm(lengths, _mean(order.at_slots(lengths), talk.passing))
    score = np.zeros_like(lengths)
    for one in held:
        score += np.float32(one.idf) * _saturated(order.summed(*_passing(talk, one)), norm)
    return order.at_slots(score)


def _session_bm25(talk: Talk, held: list[Held]) -> Floats:
    codes = np.maximum(talk.session, 0)
    counted = talk.lengths if talk.passing is None else np.where(talk.passing, talk.lengths, 0)
    lengths = np.bincount(codes, weights=counted).astype(np.float32)
    norm = _norm(lengths, _mean(lengths, lengths > 0))
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


def _norm(lengths: Floats, mean: float) -> Floats:
    """What a count is weighed against in texts of these lengths, which have this mean length."""
    return (K1 * (1 - B + B * lengths / max(mean, 1e-9))).astype(np.float32)


def _mean(lengths: Floats, among: NDArray[np.bool_] | None) -> float:
    kept = lengths if among is None else lengths[among]
    return float(kept.mean()) if len(kept) else 1.0


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

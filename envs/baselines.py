"""What ours is always shown beside: BM25, and everything in the order it was said."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..memory.terms import terms_of
from .dialogues import Conversation, Question

K1, B = 1.2, 0.75


@dataclass(frozen=True, slots=True)
class Ranking:
    """Sessions and turns by id, best first; ``scores`` are those of the turns, as far as known."""

    sessions: tuple[str, ...]
    turns: tuple[str, ...]
    scores: tuple[float, ...] = ()


class Ranker(Protocol):
    """What ranks the sessions and turns of one conversation for a question about it."""

    def rank(self, question: Question) -> Ranking:
        """The ranking; it may read the question's text and moment, never its gold."""
        ...


class BM25:
    """BM25 (Robertson and others, TREC-3, 1994) over some texts, written out for the comparison."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._postings: dict[int, list[tuple[int, int]]] = defaultdict(list)
        lengths: list[int] = []
        for place, text in enumerate(texts):
            counts = terms_of(text)
            lengths.append(sum(counts.values()))
            for term, count in counts.items():
                self._postings[term].append((place, count))
        mean = sum(lengths) / max(len(texts), 1)
        self._norms = [K1 * (1 - B + B * length / max(mean, 1e-9)) for length in lengths]

    def scores(self, question: str) -> list[float]:
        """One for each text: sum over terms of idf · tf (k1 + 1) / (tf + norm)."""
        n = len(self._norms)
        scores = [0.0] * n
        for term in terms_of(question):
            held = self._postings.get(term, [])
            idf = math.log1p((n - len(held) + 0.5) / (len(held) + 0.5))
            for place, count in held:
                scores[place] += idf * count * (K1 + 1) / (count + self._norms[place])
        return scores


class BM25Ranker:
    """BM25 over whole sessions, and BM25 over turns. Equal ones keep the order they were said in.

    With ``named`` the text of a turn begins with who said it.
    """

    def __init__(self, talk: Conversation, *, named: bool) -> None:
        lines = [
            [f"{turn.message.speaker}: {turn.message.text}" if named else turn.message.text
             for turn in session.turns]
            for session in talk.sessions
        ]  # fmt: skip
        self._sessions = [session.id for session in talk.sessions]
        self._turns = [turn.id for _, turn in talk.turns]
        self._by_session = BM25(["\n".join(one) for one in lines])
        self._by_turn = BM25([text for one in lines for text in one])

    def rank(self, question: Question) -> Ranking:
        """Best first."""
        sessions, _ = _sorted(self._sessions, self._by_session.scores(question.text))
        turns, scores = _sorted(self._turns, self._by_turn.scores(question.text))
        return Ranking(sessions, turns, scores)


class OldestFirst:
    """Everything in the order it was said: what a model reads that is given no memory but all."""

    def __init__(self, talk: Conversation) -> None:
        sessions = tuple(session.id for session in talk.sessions)
        self._all = Ranking(sessions, tuple(turn.id for _, turn in talk.turns))

    def rank(self, question: Question) -> Ranking:
        """The same for every question."""
        return self._all


def _sorted(
    names: Sequence[str], scores: Sequence[float]
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    return tuple(names[place] for place in order), tuple(scores[place] for place in order)

"""One conversation ready to be asked: every ranker over it, and what each would show a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..memory.dialogue import Recalled
from ..memory.newest import asks_of_now
from ..memory.packing import CLOSE, HEADER, OPEN, line, pack
from .answering import Row
from .baselines import BM25Ranker, OldestFirst, Ranking
from .dialogue_lines import Top
from .dialogues import Conversation, DialogueData, Question
from .rankings import GoldRanks, Ranks, places_of, ranks_of
from .recalling import OURS, Remembered, Variant, fitting, neighbours

SHOWN_SESSIONS, SHOWN_TURNS = 5, 10
LEAST_TOKENS = 25
"""A line of memory seldom takes fewer: so many fewer turns are offered for packing."""


class Exam:
    """A remembered conversation beside its baselines; ``count`` tells tokens of a text."""

    def __init__(
        self,
        remembered: Remembered,
        talk: Conversation,
        data: DialogueData,
        *,
        count: Callable[[str], int],
        budget: int,
    ) -> None:
        self.remembered = remembered
        self.talk = talk
        self._data = data
        self._count = count
        self._budget = budget
        self._baselines = {"bm25": BM25Ranker(talk, named=data.named), "full": OldestFirst(talk)}
        self._near = neighbours(talk)
        self._records = remembered.records(talk)
        self._lines = {turn: line(record) for turn, record in self._records.items()}
        self._costs = {turn: count(text) + 1 for turn, text in self._lines.items()}
        self._frame = count("\n".join([OPEN, HEADER, CLOSE]))

    def found(
        self, question: Question, recalled: Recalled, variants: Sequence[Variant]
    ) -> dict[str, Ranking]:
        """The ranking of ours, given as ``recalled``, of each variant, and of each baseline."""
        found = {"ours": self.remembered.ranking(recalled)}
        found |= {name: one.rank(question) for name, one in self._baselines.items()}
        for variant in variants:
            if variant != OURS:
                again = self.remembered.recall(question, variant)
                found[variant.name] = self.remembered.ranking(again)
        return found

    def gold_ranks(self, question: Question, ranking: Ranking, name: str) -> GoldRanks:
        """Where a ranking has the question's gold."""
        gold = question.gold
        if not question.answerable and gold.sessions is None and not gold.turns:
            return GoldRanks()
        turns = ranks_of(ranking.turns, gold.turns)
        pooled = self._data.unit == "pool"
        updated = bool(gold.newest and gold.stale)
        return GoldRanks(
            session=None if gold.sessions is None else ranks_of(ranking.sessions, gold.sessions),
            turn=None if pooled else turns,
            near=None if pooled else self._near_ranks(ranking, sorted(gold.turns)),
            pool=turns if pooled else None,
            newest=ranks_of(ranking.turns, gold.newest) if updated else None,
            stale=ranks_of(ranking.turns, gold.stale) if updated else None,
            of_now=asks_of_now(question.text),
            context=self._context(ranking, sorted(gold.turns), name),
        )

    def top(self, ranking: Ranking) -> Top:
        """The first few, for the run folder."""
        return Top(
            sessions=ranking.sessions[:SHOWN_SESSIONS],
            turns=ranking.turns[:SHOWN_TURNS],
            scores=tuple(round(score, 4) for score in ranking.scores[:SHOWN_TURNS]),
        )

    def blocks(self, recalled: Recalled, found: Mapping[str, Ranking], room: int) -> dict[Row, str]:
        """What a model with ``room`` tokens for memory reads in each row."""
        budget = min(self._budget, room)
        offered = max(10, budget // LEAST_TOKENS)
        ranked = [self._records[turn] for turn in found["bm25"].turns if turn in self._records]
        ours = recalled.model_copy(update={"hits": recalled.hits[:offered]})
        return {
            "none": "",
            "full": self._everything(room),
            "bm25": pack(ranked[:offered], self._count, budget).text,
            "ours": ours.pack(self._count, budget).text,
        }

    def _everything(self, room: int) -> str:
        """All that was said, oldest first; where that is too much, the newest that fits."""
        left = room - self._frame
        kept: list[str] = []
        for _, turn in reversed(self.talk.turns):
            if turn.id not in self._costs:
                continue
            left -= self._costs[turn.id]
            if left < 0:
                break
            kept.append(self._lines[turn.id])
        return "\n".join([OPEN, HEADER, *reversed(kept), CLOSE]) if kept else ""

    def _context(self, ranking: Ranking, gold: Sequence[str], name: str) -> Ranks:
        """1 for each gold turn that is among what fits the budget of tokens, else None."""
        order = reversed(ranking.turns) if name == "full" else ranking.turns
        kept = fitting(order, self._costs, self._budget - self._frame)
        return tuple(1 if turn in kept else None for turn in gold)

    def _near_ranks(self, ranking: Ranking, gold: Sequence[str]) -> Ranks:
        places = places_of(ranking.turns)
        near = [[places[one] for one in self._near[turn] if one in places] for turn in gold]
        return tuple(min(found, default=None) for found in near)

"""The dialogue memory as a benchmark asks it: conversations written in, questions recalled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..memory.dialogue import DialogueMemory, Recalled
from ..memory.memory import Memory
from ..memory.records import Record, Scope
from ..memory.turn_features import FEATURES, TurnWeights
from .baselines import Ranking
from .dialogues import Conversation, Question

EVERY = 1_000_000
"""So many turns are asked for: all that were looked at."""

DENSE = ("meaning", "session_meaning")
LEXICAL = ("words", "window", "session")


@dataclass(frozen=True, slots=True)
class Variant:
    """A way of recalling: the memory's own, or one without some part of it."""

    name: str = "ours"
    weights: TurnWeights | None = None
    newest: bool | None = None


OURS = Variant()


def ablations() -> list[Variant]:
    """Ours without each feature, without all that is dense or lexical, and without newest first."""
    found = [Variant(f"no_{name}", _without(name)) for name in FEATURES]
    found.append(Variant("no_dense", _without(*DENSE)))
    found.append(Variant("no_bm25", _without(*LEXICAL)))
    found.append(Variant("no_newest_first", newest=False))
    return found


def _without(*names: str) -> TurnWeights:
    return replace(TurnWeights(), **dict.fromkeys(names, 0.0))


class Remembered:
    """A conversation in a memory, under a user of its own, whose name begins with ``owner``.

    A message that was said twice in the same words is one record; it stands for both turns.
    """

    def __init__(self, memory: Memory, talk: Conversation, *, owner: str) -> None:
        self.dialogue = DialogueMemory(memory, Scope(user=f"{owner}/{talk.id}"))
        self._turns: dict[str, list[str]] = {}
        self._records: dict[str, str] = {}
        for session in talk.sessions:
            added = self.dialogue.add([turn.message for turn in session.turns], session=session.id)
            for turn, record in zip(session.turns, added.ids, strict=True):
                if record:
                    self._turns.setdefault(record, []).append(turn.id)
                    self._records[turn.id] = record

    def recall(self, question: Question, variant: Variant = OURS) -> Recalled:
        """Every turn looked at for a question, and the verdict on it."""
        return self.dialogue.recall(
            question.text,
            k=EVERY,
            asked=question.asked,
            newest=variant.newest,
            weights=variant.weights,
        )

    def ranking(self, recalled: Recalled) -> Ranking:
        """The recalled as ids of the benchmark's sessions and turns."""
        turns: list[str] = []
        scores: list[float] = []
        for hit in recalled.hits:
            for turn in self.turns_of(hit.record.id):
                turns.append(turn)
                scores.append(hit.score)
        return Ranking(tuple(recalled.sessions()), tuple(turns), tuple(scores))

    def turns_of(self, record: str) -> Sequence[str]:
        """The turns that a record stands for, by the benchmark's ids."""
        return self._turns.get(record, [])

    def records(self, talk: Conversation) -> dict[str, Record]:
        """The record of each turn that was taken in, by the turn's id."""
        found = {
            record.id: record
            for session in talk.sessions
            for record in self.dialogue.transcript(session.id)
        }
        return {turn: found[record] for turn, record in self._records.items() if record in found}


def neighbours(talk: Conversation) -> dict[str, tuple[str, ...]]:
    """Each turn with the one before and the one after it in its session."""
    found: dict[str, tuple[str, ...]] = {}
    for session in talk.sessions:
        ids = [turn.id for turn in session.turns]
        for place, turn in enumerate(ids):
            found[turn] = tuple(ids[max(0, place - 1) : place + 2])
    return found


def fitting(turns: Iterable[str], costs: Mapping[str, int], budget: int) -> set[str]:
    """The turns, best first, that fit a budget of tokens; what does not is passed over."""
    kept: set[str] = set()
    left = budget
    for turn in turns:
        if turn in costs and turn not in kept and costs[turn] <= left:
            kept.add(turn)
            left -= costs[turn]
    return kept

"""LoCoMo: its conversations as records, its gold evidence, and the scores of a ranking.

Maharana et al., Evaluating Very Long-Term Conversational Memory of LLM Agents, ACL 2024. The data
is CC BY-NC 4.0 and is not part of this project: point ``--data`` at your own copy.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from reverie.memory.records import DerivedPayload, Origin, Record, Scope, UtterancePayload

DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared/data/locomo/locomo-dev5.json"
_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")
_DATE = "%I:%M %p on %d %B, %Y"


@dataclass(frozen=True, slots=True)
class Turn:
    """One message; ``id`` is LoCoMo's, as in D3:14."""

    id: str
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Session:
    """One sitting: its number, when it began as the data has it, and its turns."""

    number: int
    began: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its category (1 multi-hop, 2 temporal, 3 open, 4 single-hop, 5 adversarial),
    and its gold sessions (as MemGAS reads them) and turns (cleaned).
    """

    text: str
    category: int
    gold_sessions: frozenset[str]
    gold_turns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One of LoCoMo's long conversations."""

    id: str
    sessions: tuple[Session, ...]
    questions: tuple[Question, ...]

    @property
    def scope(self) -> Scope:
        """Each conversation is a user of its own: a question is asked within it."""
        return Scope(user=self.id)

    def session_records(self) -> list[Record]:
        """One record a session: a line with its date, then its turns."""
        return [
            Record(
                id=f"{self.id}/{session.number}",
                scope=self.scope,
                text="\n".join([session.began, *(line(turn) for turn in session.turns)]),
                payload=DerivedPayload(kind="session", title=f"session_{session.number}"),
                origin=Origin(source="import"),
                event_time=_moment(session.began),
                sources=tuple(f"{self.id}/{turn.id}" for turn in session.turns),
            )
            for session in self.sessions
        ]

    def turn_records(self) -> list[Record]:
        """One record a turn: who said it, the words, and the caption of a photo."""
        return [
            Record(
                id=f"{self.id}/{turn.id}",
                scope=self.scope,
                text=line(turn),
                payload=UtterancePayload(speaker=turn.speaker, turn=number),
                origin=Origin(source="import"),
                event_time=_moment(session.began),
            )
            for session in self.sessions
            for number, turn in enumerate(session.turns)
        ]


def line(turn: Turn) -> str:
    """A turn as one line of text."""
    return f"{turn.speaker}: {turn.text}"


def read(path: Path) -> list[Conversation]:
    """The conversations of a file in LoCoMo's own format."""
    return [_conversation(sample) for sample in json.loads(path.read_text())]


def _conversation(sample: Mapping[str, Any]) -> Conversation:
    talk = sample["conversation"]
    numbers = sorted(int(key[8:]) for key in talk if re.fullmatch(r"session_\d+", key))
    sessions = tuple(
        Session(
            number,
            str(talk[f"session_{number}_date_time"]),
            tuple(_turn(turn) for turn in talk[f"session_{number}"]),
        )
        for number in numbers
    )
    turns = {turn.id for session in sessions for turn in session.turns}
    questions = tuple(
        Question(
            str(item["question"]),
            int(item["category"]),
            frozenset(_gold_sessions(item.get("evidence", []))),
            frozenset(_gold_turns(item.get("evidence", [])) & turns),
        )
        for item in sample["qa"]
    )
    return Conversation(str(sample["sample_id"]), sessions, questions)


def _turn(turn: Mapping[str, Any]) -> Turn:
    caption = turn.get("blip_caption")
    words = str(turn["text"]) + (f" [shares a photo: {caption}]" if caption else "")
    return Turn(str(turn["dia_id"]), str(turn["speaker"]), words)


def _gold_sessions(evidence: Sequence[str]) -> Iterator[str]:
    """As MemGAS counts: ``D<session>:<turn>``; what follows the last colon must be a number.

    Eight of the 1,986 questions have no gold then, and count as found by everybody.
    """
    for one in evidence:
        head, _, tail = one.rpartition(":")
        if tail.strip().isdecimal() and ";" not in head and " " not in head:
            yield f"session_{head.split(':')[0].removeprefix('D')}"


def _gold_turns(evidence: Sequence[str]) -> set[str]:
    found = (_EVIDENCE.findall(one) for one in evidence)
    return {f"D{int(session)}:{int(turn)}" for pairs in found for session, turn in pairs}


def _moment(began: str) -> datetime:
    return datetime.strptime(began, _DATE).replace(tzinfo=UTC)


def recall_all(ranking: Sequence[str], gold: frozenset[str], k: int) -> float:
    """1 if every gold item is among the first ``k``."""
    return float(gold <= set(ranking[:k]))


def recall(ranking: Sequence[str], gold: frozenset[str], k: int) -> float:
    """The share of the gold items among the first ``k``."""
    return len(gold & set(ranking[:k])) / len(gold)


def ndcg(ranking: Sequence[str], gold: frozenset[str], k: int, *, memgas: bool = False) -> float:
    """Discounted gain over the best possible; a hit at rank i counts 1 / log2(i + 1).

    With ``memgas`` the older form of LongMemEval and MemGAS: 1 at rank 1, 1 / log2(i) after.
    """
    best = sum(_gain(rank, memgas) for rank in range(1, min(k, len(gold)) + 1))
    got = sum(_gain(rank, memgas) for rank, one in enumerate(ranking[:k], 1) if one in gold)
    return got / best if best else 0.0


def _gain(rank: int, memgas: bool) -> float:
    if memgas:
        return 1.0 if rank == 1 else 1.0 / math.log2(rank)
    return 1.0 / math.log2(rank + 1)


def paired_interval(
    difference: Sequence[float], groups: Sequence[str], *, draws: int = 2_000, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of the mean difference, by a bootstrap that draws whole conversations."""
    rng = np.random.default_rng(seed)
    names = sorted(set(groups))
    sums: dict[str, tuple[float, int]] = dict.fromkeys(names, (0.0, 0))
    for value, name in zip(difference, groups, strict=True):
        total, count = sums[name]
        sums[name] = (total + value, count + 1)
    totals = np.array([sums[name][0] for name in names])
    counts = np.array([sums[name][1] for name in names])
    drawn = rng.integers(0, len(names), size=(draws, len(names)))
    means = totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)

"""Conversations with questions about them, as the benchmarks of dialogue memory have them.

What a question's gold is stands apart from the question, so that what answers it need not be shown
it. Ids of sessions and turns are the data's own, cleaned of what gives an answer away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from ..memory.dialogue import Message


@dataclass(frozen=True, slots=True)
class Turn:
    """One message and its id."""

    id: str
    message: Message


@dataclass(frozen=True, slots=True)
class Session:
    """One sitting."""

    id: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Gold:
    """What is right. ``sessions`` None means that they are not measured, empty that none are named.

    Of a question about something that changed, ``newest`` are the turns that tell how it is last,
    ``stale`` those that tell how it was.
    """

    answer: str = ""
    sessions: frozenset[str] | None = None
    turns: frozenset[str] = frozenset()
    newest: frozenset[str] = frozenset()
    stale: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Question:
    """A question put to a conversation at a moment; some cannot be answered from it."""

    id: str
    text: str
    category: str
    asked: datetime | None
    answerable: bool
    gold: Gold


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said, oldest session first, and what is asked of it."""

    id: str
    sessions: tuple[Session, ...]
    questions: tuple[Question, ...]

    @property
    def turns(self) -> list[tuple[Session, Turn]]:
        """Every turn with its session, in order."""
        return [(session, turn) for session in self.sessions for turn in session.turns]


@dataclass(frozen=True, slots=True)
class DialogueData:
    """A benchmark as read from a file.

    ``unit`` says as what gold turns are measured, ``cluster`` what a bootstrap draws, ``named`` if
    messages carry people's names; ``protocol`` tells in words how gold was read, ``repairs`` which
    evidence was not as it should be.
    """

    name: str
    sha256: str
    conversations: tuple[Conversation, ...]
    categories: Mapping[str, str]
    unit: Literal["turn", "pool"] = "turn"
    cluster: Literal["conversation", "question"] = "conversation"
    named: bool = False
    protocol: Mapping[str, str] = field(default_factory=dict[str, str])
    repairs: tuple[str, ...] = ()

    def limited(self, limit: int | None) -> DialogueData:
        """The same with the first ``limit`` questions of each conversation.

        Where every conversation has its own question, the first ``limit`` conversations.
        """
        if limit is None:
            return self
        talks = self.conversations
        if self.cluster == "question" and len(talks) > 1:
            return replace(self, conversations=talks[:limit])
        fewer = tuple(replace(talk, questions=talk.questions[:limit]) for talk in talks)
        return replace(self, conversations=fewer)

    @property
    def questions(self) -> int:
        """How many there are."""
        return sum(len(talk.questions) for talk in self.conversations)

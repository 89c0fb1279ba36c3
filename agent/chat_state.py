"""What flows through one exchange of a chat: plain JSON, as in the loop of an episode."""

from __future__ import annotations

from typing import TypedDict

from pydantic import Field

from ..memory.records import Frozen


class Shares(Frozen):
    """How the tokens of a prompt are shared out, so that it never grows with the conversation.

    ``prompt`` is all of it; ``gist`` and ``recalled`` are the most that these two take of it,
    ``message`` the most of the user's own words. The rest is what was said last.
    """

    prompt: int = Field(default=1500, ge=200)
    gist: float = Field(default=0.1, ge=0, le=1)
    recalled: float = Field(default=0.35, ge=0, le=1)
    message: float = Field(default=0.3, gt=0, le=1)
    reply: int = Field(default=400, ge=1, description="tokens of a reply at most")


class Line(TypedDict):
    """A message of the conversation so far, OpenAI-shaped."""

    role: str
    content: str


class Source(TypedDict):
    """A memory behind a reply, and why it was found."""

    id: str
    date: str
    session: str
    speaker: str
    text: str
    score: float


class ChatState(TypedDict, total=False):
    """The LangGraph state of one exchange."""

    user: str
    session: str
    text: str
    at: str
    incognito: bool
    history: list[Line]
    turn: int
    trigger: str
    sources: list[Source]
    verdict: str
    recalled: str
    prompt: list[Line]
    heard: str
    reply: str
    prompt_tokens: int
    reply_tokens: int
    seconds: float
    said: str

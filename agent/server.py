"""What `reverie serve` stands on: the contract of a chat service that remembers its users.

Nothing of HTTP is here, so that a service can be written without the extra ``serve``. The routes
are in `server_app`, the OpenAI format in `server_wire`, who is served when in `server_turns`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from pydantic import Field

from ..memory.records import Frozen
from .models.base import Usage


class ReplyOptions(Frozen):
    """How to reply. None leaves it to the service."""

    temperature: float | None = None
    max_tokens: int | None = Field(default=None, description="of the reply's text")
    seed: int | None = None
    incognito: bool = Field(default=False, description="remember nothing of this exchange")


class Reply(Protocol):
    """A reply as it is made: iterate for its pieces of text, once.

    All of it runs in one worker thread: the call of `ChatService.reply`, the iteration, and the
    reading of ``usage`` and ``sources``. When the client leaves, no further piece is asked for and
    the iterator's ``close()`` is called, if it has one; ``usage`` and ``sources`` are not read.
    """

    def __iter__(self) -> Iterator[str]:
        """The text in pieces as they come."""
        ...

    @property
    def usage(self) -> Usage:
        """What the reply consumed; known when the iteration has ended."""
        ...

    @property
    def sources(self) -> Sequence[str]:
        """Ids of the memories the model read; known when the iteration has ended."""
        ...


class ChatService(Protocol):
    """An assistant with a memory for each of its users.

    The server calls ``reply`` from several threads, never for one user at the same time. One that
    has a ``close()`` is closed when the server has stopped.
    """

    @property
    def model_id(self) -> str:
        """The name clients ask for."""
        ...

    def reply(
        self,
        user: str,
        messages: Sequence[Mapping[str, str]],
        *,
        session: str,
        options: ReplyOptions,
    ) -> Reply:
        """Answer the conversation.

        ``user`` is whose memory it is. ``messages`` are all that the client sent, each with
        ``role`` (system, user, assistant or tool) and ``content``; clients send the whole
        conversation every time. ``session`` is the same for every turn of one conversation.
        """
        ...


@runtime_checkable
class Closable(Protocol):
    """What holds something open."""

    def close(self) -> None:
        """Let go of it."""
        ...

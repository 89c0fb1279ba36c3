"""The contract every language model meets: chat, tools, JSON by schema, scoring of candidates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol, runtime_checkable

from pydantic import Field, JsonValue

from ...memory.records import Frozen


class ToolCall(Frozen):
    """A model's wish to call a tool."""

    id: str
    name: str
    arguments: dict[str, JsonValue]


class Message(Frozen):
    """One chat message, OpenAI-shaped. ``images`` are data URLs or http(s) URLs."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    images: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    latent: bool = Field(
        default=False,
        description="memory for the weaver of a model that has one (see `weaves`); others read it",
        exclude_if=lambda latent: not latent,
    )


class ToolSpec(Frozen):
    """A tool as a model sees it; ``parameters`` is a JSON schema of an object."""

    name: str
    description: str
    parameters: dict[str, JsonValue]


class Usage(Frozen):
    """What a call consumed. ``usd`` is None when the price is unknown, never 0 for that.

    ``cached_tokens`` counts prompt tokens that were not computed again.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    usd: float | None = None
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens


class Reply(Frozen):
    """A model's answer. ``logprob`` is the mean log-probability per token where it is known."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    finish: Literal["stop", "length", "tool_calls", "error"] = "stop"
    logprob: float | None = None
    cached: bool = Field(default=False, description="True if it came from the response cache")


class Scores(Frozen):
    """Log-probability of each candidate as the assistant's whole next message.

    ``logprobs[i]`` is the sum over candidate i's tokens, ``lengths[i]`` their number.
    """

    logprobs: tuple[float, ...]
    lengths: tuple[int, ...]
    usage: Usage = Usage()
    cached: bool = Field(default=False, description="True if they came from the response cache")


@runtime_checkable
class ChatModel(Protocol):
    """A frozen language model. Implementations are thread-safe or lock inside."""

    @property
    def id(self) -> str:
        """A stable name with everything that changes its answers (file hash, quantisation)."""
        ...

    @property
    def context_tokens(self) -> int:
        """The longest prompt plus completion, in tokens."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text``; an estimate where the provider has no tokenizer here."""
        ...

    def chat(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, JsonValue] | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Reply:
        """Answer the conversation; with ``schema`` the text is JSON meant to satisfy it."""
        ...

    async def achat(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, JsonValue] | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Reply:
        """``chat`` without blocking the event loop."""
        ...

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Iterator[str]:
        """The answer in pieces as they come."""
        ...


@runtime_checkable
class ScoringModel(ChatModel, Protocol):
    """A model that can also tell how likely it is to say each of N given answers."""

    def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Scores:
        """Score candidates as continuations; their shared prefix is computed once."""
        ...


def weaves(model: object) -> bool:
    """Whether a model turns ``latent`` messages into vectors. Wrappers pass the answer on."""
    return bool(getattr(model, "weaves", False))

"""Models without a model: one that says what a test tells it to, and one that is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from ...errors import ModelUnavailable
from . import wire
from .base import Message, Reply, Scores, ToolSpec, Usage

Say = Callable[[Sequence[Message]], str | Reply]
Judge = Callable[[Sequence[Message], str], float]


@dataclass(frozen=True)
class Call:
    """What a scripted model was asked."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    schema: dict[str, JsonValue] | None = None
    candidates: tuple[str, ...] = ()
    max_tokens: int = 0
    temperature: float = 0.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass
class ScriptedModel:
    """Gives ``replies`` in their order, or what a function makes of the messages; for tests.

    ``calls`` records what was asked. When the replies run out it raises ``AssertionError``, which
    no code that handles a ``ModelError`` swallows. With ``loop`` it begins again instead.
    """

    replies: Sequence[str | Reply] | Say = ()
    name: str = "test"
    context_tokens: int = 4096
    loop: bool = False
    free: bool = True
    calls: list[Call] = field(default_factory=list[Call])
    _said: int = 0

    @property
    def id(self) -> str:
        """``scripted:NAME``."""
        return f"scripted:{self.name}"

    def count_tokens(self, text: str) -> int:
        """One a word."""
        return len(text.split())

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
        """The next reply, word for word; limits and stop strings are only recorded."""
        self.calls.append(
            Call(
                tuple(messages),
                tools=tuple(tools),
                schema=schema,
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                stop=tuple(stop),
            )
        )
        said = self._next(messages)
        if isinstance(said, Reply):
            return said
        prompt = sum(self.count_tokens(m.content) for m in messages)
        usage = Usage(prompt_tokens=prompt, completion_tokens=self.count_tokens(said), usd=0.0)
        return Reply(text=said, usage=usage)

    def _next(self, messages: Sequence[Message]) -> str | Reply:
        if callable(self.replies):
            return self.replies(messages)
        if self._said >= len(self.replies):
            if not self.loop or not self.replies:
                raise AssertionError(
                    f"{self.id} has said all of its {len(self.replies)} replies, and is asked once"
                    f" more: {messages[-1].content[:200] if messages else 'nothing'!r}"
                )
            self._said = 0
        self._said += 1
        return self.replies[self._said - 1]

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
        """`chat`."""
        return self.chat(
            messages,
            tools=tools,
            schema=schema,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            stop=stop,
        )

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Iterator[str]:
        """The next reply, a word at a time."""
        reply = self.chat(
            messages, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop
        )
        for i, word in enumerate(reply.text.split(" ")):
            yield word if i == 0 else f" {word}"


@dataclass
class ScriptedScorer(ScriptedModel):
    """A scripted model that also scores: ``judge(messages, candidate)`` is the log-probability."""

    judge: Judge = field(default=lambda messages, candidate: -float(len(candidate)))

    def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Scores:
        """What the judge says of each candidate."""
        self.calls.append(Call(tuple(messages), candidates=tuple(candidates)))
        lengths = tuple(max(self.count_tokens(c), 1) for c in candidates)
        prompt = sum(self.count_tokens(m.content) for m in messages)
        return Scores(
            logprobs=tuple(self.judge(messages, c) for c in candidates),
            lengths=lengths,
            usage=Usage(prompt_tokens=prompt + sum(lengths), usd=0.0),
        )


class NoModel:
    """``--model none``: for what needs no language model. Whoever asks it anyway is told so."""

    id = "none"
    context_tokens = 0

    def count_tokens(self, text: str) -> int:
        """An estimate."""
        return wire.estimate_tokens(text)

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
        """Raise ``ModelUnavailable``."""
        raise ModelUnavailable(
            "This needs a language model, and the model is `none`. Name one, such as --model local"
        )

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
        """Raise ``ModelUnavailable``."""
        return self.chat(messages)

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Iterator[str]:
        """Raise ``ModelUnavailable``."""
        yield self.chat(messages).text

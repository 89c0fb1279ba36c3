"""A model behind an API: one driver over two back ends, the openai SDK and litellm."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import JsonValue

from ...errors import ContextOverflow, ModelUnavailable
from . import wire
from .base import Message, Reply, ToolSpec
from .retry import RetryPolicy, status, translate

_log = logging.getLogger(__name__)

CONTEXT_TOKENS = 32_768
FORBID = "REVERIE_FORBID_MODEL_CALLS"


def forbid_check(model: str) -> None:
    """Raise if the environment variable ``REVERIE_FORBID_MODEL_CALLS`` is set, as in tests.

    It stops calls that leave this machine; the back ends exempt loopback servers and mocks.
    """
    if os.environ.get(FORBID):
        raise ModelUnavailable(
            f"{model} was asked, but {FORBID} is set. Use a scripted model in tests."
        )


@dataclass(frozen=True)
class Answer:
    """A chat completion as JSON, and what it cost; None if that is unknown."""

    raw: Mapping[str, JsonValue]
    usd: float | None = None


class Backend(Protocol):
    """How requests travel. Exceptions are the ``openai`` package's or subclasses of them."""

    @property
    def id(self) -> str:
        """A stable name of the model and where it is served."""
        ...

    @property
    def name(self) -> str:
        """The model's name on the wire."""
        ...

    def create(self, body: wire.Body) -> Answer:
        """Send a chat completion request, without retrying."""
        ...

    async def acreate(self, body: wire.Body) -> Answer:
        """`create` without blocking."""
        ...

    def stream(self, body: wire.Body) -> Iterator[str]:
        """Send a streaming request and yield the pieces of text."""
        ...

    def context_tokens(self) -> int | None:
        """The model's context, None if that is unknown."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...


@dataclass
class _Habits:
    """What a server was found not to take; learnt from its complaints, once a parameter."""

    dropped: set[str] = field(default_factory=set[str])
    renamed: dict[str, str] = field(default_factory=dict[str, str])


# What may be given up when a server refuses it, each with the words it is refused by.
_OPTIONAL = {
    "response_format": ("response_format", "json_schema", "guided", "structured output"),
    "max_tokens": ("max_completion_tokens",),
    "temperature": ("temperature",),
    "seed": ("seed",),
    "logprobs": ("logprobs",),
    "stop": ("'stop'", '"stop"', "stop sequences"),
}


class ApiModel:
    """A ``ChatModel`` over a `Backend`.

    JSON is asked for by the provider's own schema support; where a server refuses that, by words,
    and from then on. Every reply with a schema is cut down to the JSON in it.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        context_tokens: int | None = None,
        retry: RetryPolicy | None = None,
        logprobs: bool = False,
    ) -> None:
        self._backend = backend
        self._context_tokens = context_tokens
        self._retry = retry or RetryPolicy()
        self._logprobs = logprobs
        self._habits = _Habits()

    @property
    def id(self) -> str:
        """Provider, model and server."""
        return self._backend.id

    @property
    def context_tokens(self) -> int:
        """The longest prompt plus completion, in tokens: as told, as known, or a modest guess."""
        if self._context_tokens is None:
            self._context_tokens = self._backend.context_tokens() or CONTEXT_TOKENS
        return self._context_tokens

    def count_tokens(self, text: str) -> int:
        """An estimate: the provider's tokenizer is not here."""
        return wire.estimate_tokens(text)

    def close(self) -> None:
        """Close connections."""
        self._backend.close()

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
        """Answer the conversation."""
        started = time.perf_counter()
        body = self._body(messages, tools, schema, max_tokens, temperature, seed, stop)
        while True:
            request = self._fitted(body, messages, schema)
            try:
                answer = self._retry.call(lambda sent=request: self._send(sent), self.id)
                break
            except _Refused as refused:
                self._adapt(refused, body)
        return self._read(answer, messages, schema, started)

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
        """`chat` without blocking the event loop."""
        started = time.perf_counter()
        body = self._body(messages, tools, schema, max_tokens, temperature, seed, stop)
        while True:
            request = self._fitted(body, messages, schema)
            try:
                answer = await self._retry.acall(lambda sent=request: self._asend(sent), self.id)
                break
            except _Refused as refused:
                self._adapt(refused, body)
        return self._read(answer, messages, schema, started)

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Iterator[str]:
        """The answer in pieces. The beginning is retried; what breaks off later is an error."""
        body = self._body(messages, (), None, max_tokens, temperature, seed, stop)
        body.pop("logprobs", None)

        def begin(sent: wire.Body) -> tuple[str, Iterator[str]]:
            pieces = self._guarded_stream(sent)
            return next(pieces, ""), pieces

        while True:
            request = self._fitted(body, messages, None)
            try:
                first, rest = self._retry.call(lambda sent=request: begin(sent), self.id)
                break
            except _Refused as refused:
                self._adapt(refused, body)
        yield first
        try:
            yield from rest
        except _Refused as refused:
            raise translate(refused.error, self.id) from refused.error
        except Exception as error:
            raise translate(error, self.id) from error

    def _body(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        schema: dict[str, JsonValue] | None,
        max_tokens: int,
        temperature: float,
        seed: int | None,
        stop: Sequence[str],
    ) -> wire.Body:
        return wire.body(
            self._backend.name,
            messages,
            tools=tools,
            schema=schema,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            stop=stop,
            logprobs=self._logprobs,
        )

    def _fitted(
        self, body: wire.Body, messages: Sequence[Message], schema: dict[str, JsonValue] | None
    ) -> wire.Body:
        """The request as this server is known to take it."""
        if schema is not None and "response_format" in self._habits.dropped:
            body = wire.schema_in_text(body, messages, schema)
        renamed = self._habits.renamed
        return {renamed.get(k, k): v for k, v in body.items() if k not in self._habits.dropped}

    def _adapt(self, refused: _Refused, body: wire.Body) -> None:
        """Note what the server will not take; raise its complaint if that cannot be given up."""
        fault = translate(refused.error, self.id)
        if isinstance(fault, ContextOverflow):
            raise fault from refused.error
        text = str(refused.error).lower()
        for name, signs in _OPTIONAL.items():
            known = name in self._habits.dropped or name in self._habits.renamed
            if name not in body or known or not any(sign in text for sign in signs):
                continue
            _log.warning("%s refuses %s; going on without it: %s", self.id, name, refused.error)
            if name == "max_tokens":
                self._habits.renamed[name] = "max_completion_tokens"
            else:
                self._habits.dropped.add(name)
            return
        raise fault from refused.error

    def _send(self, body: wire.Body) -> Answer:
        try:
            return self._backend.create(body)
        except Exception as error:
            raise _sorted(error) from error

    async def _asend(self, body: wire.Body) -> Answer:
        try:
            return await self._backend.acreate(body)
        except Exception as error:
            raise _sorted(error) from error

    def _guarded_stream(self, body: wire.Body) -> Iterator[str]:
        try:
            yield from self._backend.stream(body)
        except Exception as error:
            raise _sorted(error) from error

    def _read(
        self,
        answer: Answer,
        messages: Sequence[Message],
        schema: dict[str, JsonValue] | None,
        started: float,
    ) -> Reply:
        return wire.read(
            answer.raw,
            schema=schema is not None,
            usd=answer.usd,
            seconds=time.perf_counter() - started,
            prompt=wire.estimate_prompt(messages),
        )


class _Refused(Exception):
    """A request the server would not take as it stands; perhaps it takes a plainer one."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def _sorted(error: Exception) -> Exception:
    return _Refused(error) if status(error) in (400, 422) else error

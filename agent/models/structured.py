"""Asks for a value of a type: JSON by its schema, checked by pydantic, mended once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, JsonValue, ValidationError

from ...errors import MalformedReply
from .base import ChatModel, Message, Reply, Usage
from .prompt_files import as_json, render
from .wire import json_in

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Structured(Generic[T]):
    """The value, what asking for it consumed, and whether it took the second try."""

    value: T
    usage: Usage
    repaired: bool = False


@runtime_checkable
class Recorder(Protocol):
    """A model that counts replies which did not parse; a metered one does."""

    def record_malformed(self, *, repaired: bool) -> None:
        """Count one."""
        ...


def ask(
    model: ChatModel,
    messages: Sequence[Message],
    kind: type[T],
    *,
    max_tokens: int = 512,
    temperature: float = 0.0,
    seed: int | None = None,
) -> Structured[T]:
    """A value of ``kind``. A reply that does not parse is shown its fault and asked for once more.

    Raises ``MalformedReply`` if that fails too.
    """
    schema = kind.model_json_schema()

    def say(conversation: Sequence[Message]) -> Reply:
        return model.chat(
            conversation, schema=schema, max_tokens=max_tokens, temperature=temperature, seed=seed
        )

    first = say(messages)
    parsed = parse(first.text, kind)
    if not isinstance(parsed, _Fault):
        return Structured(parsed, first.usage)
    second = say(_repair(messages, first.text, parsed, schema))
    return _settle(model, kind, first, second)


async def aask(
    model: ChatModel,
    messages: Sequence[Message],
    kind: type[T],
    *,
    max_tokens: int = 512,
    temperature: float = 0.0,
    seed: int | None = None,
) -> Structured[T]:
    """`ask` without blocking the event loop."""
    schema = kind.model_json_schema()

    async def say(conversation: Sequence[Message]) -> Reply:
        return await model.achat(
            conversation, schema=schema, max_tokens=max_tokens, temperature=temperature, seed=seed
        )

    first = await say(messages)
    parsed = parse(first.text, kind)
    if not isinstance(parsed, _Fault):
        return Structured(parsed, first.usage)
    second = await say(_repair(messages, first.text, parsed, schema))
    return _settle(model, kind, first, second)


@dataclass(frozen=True)
class _Fault:
    text: str


def parse(text: str, kind: type[T]) -> T | _Fault:
    """The value in a reply, or what is wrong with it in words a model can use."""
    found = json_in(text)
    try:
        return kind.model_validate(json.loads(found))
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, e['loc'])) or 'the value'}: {e['msg']}" for e in error.errors()[:5]
        ]
        return _Fault("; ".join(lines))
    except ValueError as error:
        return _Fault(f"it is no JSON ({error})")


def _repair(
    messages: Sequence[Message], said: str, fault: _Fault, schema: dict[str, JsonValue]
) -> list[Message]:
    asked = render("repair", fault=fault.text, schema=as_json(schema))
    return [
        *messages,
        Message(role="assistant", content=said),
        Message(role="user", content=asked),
    ]


def _settle(model: ChatModel, kind: type[T], first: Reply, second: Reply) -> Structured[T]:
    parsed = parse(second.text, kind)
    failed = isinstance(parsed, _Fault)
    if isinstance(model, Recorder):
        model.record_malformed(repaired=not failed)
    if isinstance(parsed, _Fault):
        cut = " It was cut off: allow more max_tokens." if second.finish == "length" else ""
        raise MalformedReply(
            f"{model.id} gave no valid {kind.__name__}, even when asked again: {parsed.text}.{cut}",
            second.text,
        )
    return Structured(parsed, add(first.usage, second.usage), repaired=True)


def add(one: Usage, other: Usage) -> Usage:
    """Two calls' consumption together; the cost is unknown if either is."""
    known = one.usd is not None and other.usd is not None
    return Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        usd=(one.usd or 0.0) + (other.usd or 0.0) if known else None,
        seconds=one.seconds + other.seconds,
    )

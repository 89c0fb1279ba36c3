"""The OpenAI chat protocol: our messages as its JSON, its JSON as our replies. No I/O here."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from ...errors import MalformedReply, ModelError
from .base import Message, Reply, ToolCall, ToolSpec, Usage
from .prompt_files import as_json, render
from .tool_text import with_system

Body = dict[str, JsonValue]


def body(
    model: str,
    messages: Sequence[Message],
    *,
    tools: Sequence[ToolSpec] = (),
    schema: dict[str, JsonValue] | None = None,
    max_tokens: int = 256,
    temperature: float = 0.0,
    seed: int | None = None,
    stop: Sequence[str] = (),
    logprobs: bool = False,
) -> Body:
    """The body of a request. Parameters with no meaning for the call are left out."""
    asked: Body = {
        "model": model,
        "messages": [_message(m) for m in messages],
        "max_tokens": max_tokens,
        "temperature": temperature,
    }
    if tools:
        asked["tools"] = [_tool(t) for t in tools]
    if schema is not None:
        asked["response_format"] = _response_format(schema)
    if seed is not None:
        asked["seed"] = seed
    if stop:
        asked["stop"] = list(stop)
    if logprobs:
        asked["logprobs"] = True
    return asked


def _message(message: Message) -> dict[str, JsonValue]:
    content: JsonValue = message.content
    if message.images:
        images: list[JsonValue] = [
            {"type": "image_url", "image_url": {"url": url}} for url in message.images
        ]
        content = [{"type": "text", "text": message.content}, *images]
    said: dict[str, JsonValue] = {"role": message.role, "content": content}
    if message.tool_calls:
        said["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": as_json(call.arguments)},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        said["tool_call_id"] = message.tool_call_id
    return said


def _tool(tool: ToolSpec) -> dict[str, JsonValue]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    }


def _response_format(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    title = re.sub(r"[^a-zA-Z0-9_-]", "_", str(schema.get("title", "reply")))[:64] or "reply"
    wanted: dict[str, JsonValue] = {"name": title, "schema": schema}
    if is_strict(schema):
        wanted["strict"] = True
    return {"type": "json_schema", "json_schema": wanted}


def is_strict(schema: JsonValue) -> bool:
    """Whether providers that enforce schemas take this one: every object closed, all required."""
    if isinstance(schema, list):
        return all(is_strict(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    fields = schema.get("properties")
    if schema.get("type") == "object" or isinstance(fields, dict):
        needed = schema.get("required")
        required = needed if isinstance(needed, list) else []
        if schema.get("additionalProperties") is not False:
            return False
        if not isinstance(fields, dict) or any(name not in required for name in fields):
            return False
    return all(is_strict(value) for value in schema.values())


def schema_in_text(asked: Body, messages: Sequence[Message], schema: JsonValue) -> Body:
    """The same request for a server that takes no schema: it stands in the system message."""
    told = with_system(messages, render("schema", schema=as_json(schema)))
    rest = {key: value for key, value in asked.items() if key != "response_format"}
    return {**rest, "messages": [_message(m) for m in told]}


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Function(_Lenient):
    name: str
    arguments: str | dict[str, JsonValue] | None = None


class _Call(_Lenient):
    id: str | None = None
    function: _Function


class _Said(_Lenient):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _TokenLogprob(_Lenient):
    logprob: float


class _Logprobs(_Lenient):
    content: list[_TokenLogprob] | None = None


class _Choice(_Lenient):
    message: _Said
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _PromptDetails(_Lenient):
    cached_tokens: int | None = None


class _Tokens(_Lenient):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _PromptDetails | None = None


class _Completion(_Lenient):
    choices: list[_Choice]
    usage: _Tokens | None = None


def read(
    raw: Mapping[str, JsonValue], *, schema: bool, usd: float | None, seconds: float, prompt: int
) -> Reply:
    """The reply in a chat completion. ``prompt`` estimates its tokens if the server counts none."""
    try:
        answer = _Completion.model_validate(raw)
    except ValidationError as error:
        raise ModelError(f"The server's answer is no chat completion: {error}") from error
    if not answer.choices:
        raise ModelError("The server answered with no choice at all")
    choice = answer.choices[0]
    text = whole(choice.message.content or choice.message.refusal or "")
    calls = tuple(_read_call(c, i) for i, c in enumerate(choice.message.tool_calls or []))
    tokens = answer.usage or _Tokens(prompt_tokens=prompt, completion_tokens=estimate_tokens(text))
    details = tokens.prompt_tokens_details
    return Reply(
        text=json_in(text) if schema and not calls else text,
        tool_calls=calls,
        usage=Usage(
            prompt_tokens=tokens.prompt_tokens,
            completion_tokens=tokens.completion_tokens,
            cached_tokens=(details.cached_tokens or 0) if details else 0,
            usd=usd,
            seconds=seconds,
        ),
        finish="tool_calls" if calls else _finish(choice.finish_reason),
        logprob=_mean_logprob(choice.logprobs),
    )


def _finish(reason: str | None) -> Literal["stop", "length", "error"]:
    if reason == "length":
        return "length"
    return "error" if reason in ("content_filter", "error") else "stop"


def _mean_logprob(given: _Logprobs | None) -> float | None:
    tokens = (given.content if given else None) or []
    return math.fsum(t.logprob for t in tokens) / len(tokens) if tokens else None


def _read_call(call: _Call, position: int) -> ToolCall:
    arguments: object = call.function.arguments or {}
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError as error:
            raise MalformedReply(
                f"The model called {call.function.name} with arguments that are no JSON", arguments
            ) from error
    if not isinstance(arguments, dict):
        raise MalformedReply(
            f"The model called {call.function.name} with something else than an object",
            json.dumps(arguments),
        )
    return ToolCall(
        id=call.id or f"call_{position}",
        name=call.function.name,
        arguments=cast(dict[str, JsonValue], arguments),
    )


def whole(text: str) -> str:
    """The text with a question mark for each half of a character, which no request could send."""
    return text.encode("utf-8", "replace").decode("utf-8")


def json_in(text: str) -> str:
    """The JSON value in a reply that may wrap it in prose or a code fence; else the text itself."""
    stripped = text.strip()
    decoder = json.JSONDecoder()
    for start in (m.start() for m in re.finditer(r"[\[{]", stripped)):
        try:
            _, end = decoder.raw_decode(stripped, start)
        except ValueError:
            continue
        return stripped[start:end]
    return stripped


def estimate_tokens(text: str) -> int:
    """About one token for four bytes, where there is no tokenizer."""
    return math.ceil(len(text.encode("utf-8", "replace")) / 4)


def estimate_prompt(messages: Sequence[Message]) -> int:
    """`estimate_tokens` for a conversation, with four tokens around each message."""
    return sum(estimate_tokens(m.content) + 4 for m in messages)

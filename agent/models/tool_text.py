"""Tools for models that know none: described in the prompt, called by JSON under a grammar."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import JsonValue

from ...errors import MalformedReply
from .base import Message, ToolCall, ToolSpec
from .json_grammar import union
from .prompt_files import as_json, render


def with_system(messages: Sequence[Message], text: str) -> list[Message]:
    """``messages`` with ``text`` at the end of the system message, which is made if missing."""
    if messages and messages[0].role == "system":
        first = messages[0].model_copy(update={"content": f"{messages[0].content}\n\n{text}"})
        return [first, *messages[1:]]
    return [Message(role="system", content=text), *messages]


def describe(
    messages: Sequence[Message], tools: Sequence[ToolSpec], schema: dict[str, JsonValue] | None
) -> list[Message]:
    """The conversation with the tools in its system message."""
    lines = "\n".join(f"- {t.name}: {t.description} {as_json(t.parameters)}" for t in tools)
    answer = '"your answer"' if schema is None else f"JSON that satisfies {as_json(schema)}"
    return with_system(messages, render("tools", tools=lines, answer=answer))


def reply_schema(
    tools: Sequence[ToolSpec], schema: dict[str, JsonValue] | None
) -> dict[str, JsonValue]:
    """The schema of a reply: a call of one of ``tools``, or an answer (of ``schema``)."""
    answer: JsonValue = schema if schema is not None else {"type": "string"}
    return union([_object(answer=answer), *map(_call_schema, tools)])


def _call_schema(tool: ToolSpec) -> dict[str, JsonValue]:
    return _object(tool={"const": tool.name}, arguments=tool.parameters)


def _object(**fields: JsonValue) -> dict[str, JsonValue]:
    required: list[JsonValue] = list(fields)
    return {"type": "object", "properties": fields, "required": required}


def read(text: str, position: int) -> tuple[str, tuple[ToolCall, ...]]:
    """The answer and the calls in a reply; ``position`` in the conversation makes ids unique."""
    try:
        reply = json.loads(text)
        if "answer" in reply:
            answer = reply["answer"]
            return answer if isinstance(answer, str) else as_json(answer), ()
        call = ToolCall(id=f"call_{position}", name=reply["tool"], arguments=reply["arguments"])
    except (ValueError, TypeError, KeyError) as error:
        raise MalformedReply(
            f"The model's tool call is not complete JSON ({error}); allow it more max_tokens", text
        ) from error
    return "", (call,)


def as_text(messages: Sequence[Message]) -> list[Message]:
    """Calls and results of earlier turns as plain messages, in the form `describe` asks for."""
    names: dict[str, str] = {}
    plain: list[Message] = []
    for message in messages:
        names.update({call.id: call.name for call in message.tool_calls})
        if message.tool_calls:
            calls = [
                as_json({"tool": c.name, "arguments": c.arguments}) for c in message.tool_calls
            ]
            text = "\n".join([*([message.content] if message.content else []), *calls])
            plain.append(Message(role="assistant", content=text))
        elif message.role == "tool":
            name = names.get(message.tool_call_id or "", "the tool")
            plain.append(Message(role="user", content=f"Result of {name}: {message.content}"))
        else:
            plain.append(message)
    return plain

"""The OpenAI chat format from the server's side: requests read, replies written. No I/O here.

`models.wire` is the other side. Of a request these fields are honoured: model, messages, stream,
stream_options.include_usage, temperature, max_tokens, max_completion_tokens, seed, n, user and
metadata.session; all others are accepted and have no effect.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from .models.base import Usage
from .server import ReplyOptions

Json = dict[str, JsonValue]
Finish = Literal["stop", "length"]

SESSION_HEADER = "x-reverie-session"
INCOGNITO_HEADER = "x-reverie-incognito"
SESSION_LENGTH = 200
_ROLES = {"developer": "system", "function": "tool"}


class Refused(Exception):
    """A request that is not answered, as an HTTP status and OpenAI's error object."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    def body(self) -> Json:
        """OpenAI's error object."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        if self.status == 429:
            kind = "rate_limit_error"
        error: Json = {
            "message": self.message,
            "type": kind,
            "param": self.param,
            "code": self.code,
        }
        return {"error": error}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a client asks for. ``session`` is None if it named none."""

    model: str
    messages: tuple[dict[str, str], ...]
    options: ReplyOptions
    session: str | None
    stream: bool
    include_usage: bool


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Said(_Lenient):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: JsonValue = None


class _StreamOptions(_Lenient):
    include_usage: bool | None = None


class _Asked(_Lenient):
    model: str
    messages: list[_Said] = Field(min_length=1)
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    n: int | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    seed: int | None = None
    user: str | None = None
    metadata: dict[str, JsonValue] | None = None


def read_request(body: bytes, headers: Mapping[str, str]) -> ChatRequest:
    """The request in a body and its headers. Raises Refused naming the field that is wrong."""
    try:
        asked = _Asked.model_validate_json(body)
    except ValidationError as error:
        raise _wrong(error) from error
    if asked.n not in (None, 1):
        raise _invalid("n", "one answer a request is all there is; leave it out")
    messages = tuple(
        {"role": _ROLES.get(said.role, said.role), "content": _text(said.content, position)}
        for position, said in enumerate(asked.messages)
    )
    if all(said["role"] != "user" for said in messages):
        raise _invalid("messages", "there is none of the role user to answer")
    return ChatRequest(
        model=asked.model,
        messages=messages,
        options=ReplyOptions(
            temperature=asked.temperature,
            max_tokens=asked.max_completion_tokens or asked.max_tokens,
            seed=asked.seed,
            incognito=_incognito(headers),
        ),
        session=_session(asked, headers),
        stream=bool(asked.stream),
        include_usage=bool(asked.stream_options and asked.stream_options.include_usage),
    )


def _invalid(field: str, why: str, code: str | None = None) -> Refused:
    return Refused(400, f"{field}: {why}", param=field, code=code)


def _wrong(error: ValidationError) -> Refused:
    first = error.errors(include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return Refused(400, f"The body is no JSON object: {first['msg']}", code="invalid_json")
    path = ""
    for part in first["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    if not path:
        return Refused(400, f"The body is no JSON object: {first['msg']}")
    return _invalid(path, first["msg"])


def _text(content: JsonValue, position: int) -> str:
    """The text of a message's content, its parts one below the other."""
    at = f"messages[{position}].content"
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise _invalid(at, "Input should be a text or a list of parts")
    return "\n".join(_part(part, f"{at}[{number}]") for number, part in enumerate(content))


def _part(part: JsonValue, at: str) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(kind, str):
        raise _invalid(at, "a part is an object with a type")
    if kind not in ("text", "refusal"):
        raise _invalid(at, f"{kind!r} cannot be read here; send text parts only", "unsupported")
    text = part.get(kind)
    if not isinstance(text, str):
        raise _invalid(f"{at}.{kind}", "Input should be a text")
    return text


def _session(asked: _Asked, headers: Mapping[str, str]) -> str | None:
    """The conversation the client names: by the header, metadata.session or user, in this order."""
    kept = (asked.metadata or {}).get("session")
    if kept is not None and not isinstance(kept, str):
        raise _invalid("metadata.session", "Input should be a text")
    named = {
        "X-Reverie-Session": headers.get(SESSION_HEADER),
        "metadata.session": kept,
        "user": asked.user,
    }
    for place, value in named.items():
        if value is None or not value.strip():
            continue
        if len(value) > SESSION_LENGTH:
            raise _invalid(place, f"longer than {SESSION_LENGTH} characters")
        return value.strip()
    return None


def _incognito(headers: Mapping[str, str]) -> bool:
    """Refuses what it cannot read: who meant to leave no trace must not leave one."""
    said = headers.get(INCOGNITO_HEADER, "").strip().lower()
    if said not in ("", "0", "1", "false", "true"):
        raise _invalid("X-Reverie-Incognito", "write 1, or leave it out")
    return said in ("1", "true")


def derived_session(key: str, messages: Sequence[Mapping[str, str]]) -> str:
    """A conversation's name by how it begins: the same while the client resends its history.

    ``key`` is what tells callers apart.
    """
    system = [said["content"] for said in messages if said["role"] == "system"]
    first = next((said["content"] for said in messages if said["role"] == "user"), "")
    beginning = json.dumps([key, system[:1], first])
    return "chat-" + sha256(beginning.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Answer:
    """Writes one reply. ``created`` is in seconds since 1970."""

    id: str
    created: int
    model: str
    session: str
    max_tokens: int | None = None

    def whole(self, text: str, usage: Usage, sources: Sequence[str]) -> Json:
        """The reply in one object."""
        choice: Json = {
            "index": 0,
            "message": {"role": "assistant", "content": text, "refusal": None},
            "logprobs": None,
            "finish_reason": self._finish(usage),
        }
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": counts(usage),
            "reverie": self._provenance(sources),
        }

    def begin(self) -> Json:
        """The first chunk of a stream."""
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, text: str) -> Json:
        """The chunk that carries a piece of text."""
        return self._chunk({"content": text})

    def end(self, usage: Usage, sources: Sequence[str]) -> Json:
        """The chunk that says why the text ends, and where it came from."""
        last = self._chunk({}, self._finish(usage))
        return {**last, "reverie": self._provenance(sources)}

    def usage(self, usage: Usage) -> Json:
        """The chunk after the last, for those who asked what was used."""
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": counts(usage)}

    def _head(self, kind: str) -> Json:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def _chunk(self, delta: Json, finish: Finish | None = None) -> Json:
        choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def _finish(self, usage: Usage) -> Finish:
        """A service does not say why it ended, but a limit that was used up says it."""
        cut = self.max_tokens is not None and usage.completion_tokens >= self.max_tokens
        return "length" if cut else "stop"

    def _provenance(self, sources: Sequence[str]) -> Json:
        return {"session": self.session, "sources": list(sources)}


def counts(usage: Usage) -> Json:
    """OpenAI's usage object."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


def model_card(model: str, created: int) -> Json:
    """A model in the list of models."""
    return {"id": model, "object": "model", "created": created, "owned_by": "reverie"}


def as_json(value: Json) -> bytes:
    """JSON in ASCII, so that no text a model may produce can fail to be encoded."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def event(value: Json) -> bytes:
    """A server-sent event."""
    return b"data: " + as_json(value) + b"\n\n"


DONE = b"data: [DONE]\n\n"
"""The event that ends a stream."""

"""One reply over HTTP: in one object, or as server-sent events; and what went wrong, in words.

Only what serves imports this: it needs the extra ``serve``.
"""

from __future__ import annotations

import logging

from starlette.responses import Response
from starlette.types import Send

from ..errors import ContextOverflow, ModelUnavailable
from .server_turns import Stopping, Turn
from .server_wire import DONE, Answer, Json, Refused, as_json, event

_log = logging.getLogger(__name__)
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


def json_response(value: Json) -> Response:
    """A good answer."""
    return Response(as_json(value), media_type="application/json")


def refusal(refused: Refused) -> Response:
    """OpenAI's error object with its status."""
    return Response(
        as_json(refused.body()),
        status_code=refused.status,
        headers=refused.headers,
        media_type="application/json",
    )


async def whole(turn: Turn, answer: Answer) -> Response:
    """The reply when it is done."""
    try:
        text = "".join([piece async for piece in turn])
        return json_response(answer.whole(text, turn.usage, turn.sources))
    except Exception as error:
        return refusal(fault(error))


async def stream(turn: Turn, answer: Answer, send: Send, *, usage: bool) -> Response | None:
    """The reply as it is made; ``usage`` adds what it consumed.

    It begins with the first piece: what goes wrong before is returned as a response of its own,
    with its status. What goes wrong later is an event.
    """
    begun = False

    async def tell(*values: Json) -> None:
        nonlocal begun
        if not begun:
            await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
            begun = True
            values = (answer.begin(), *values)
        await _write(send, b"".join(map(event, values)))

    try:
        async for piece in turn:
            if piece:
                await tell(answer.piece(piece))
        await tell(answer.end(turn.usage, turn.sources))
        if usage:
            await tell(answer.usage(turn.usage))
        await _write(send, DONE)
    except Exception as error:
        refused = fault(error)
        if not begun:
            return refusal(refused)
        await _write(send, event(refused.body()))
    await _write(send, b"", more=False)
    return None


async def _write(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


def fault(error: Exception) -> Refused:
    """What a client is told of what went wrong in the service: nothing of its insides."""
    if isinstance(error, Stopping):
        return Refused(503, "The server is shutting down", code="shutting_down")
    if isinstance(error, ContextOverflow):
        return Refused(
            400,
            "messages: the conversation is longer than the model can read; send less of it",
            param="messages",
            code="context_length_exceeded",
        )
    _log.error("A reply failed", exc_info=error)
    if isinstance(error, ModelUnavailable):
        return Refused(503, "The language model cannot be reached now", code="model_unavailable")
    return internal()


def internal() -> Refused:
    """What is said of a fault that is the server's own."""
    why = "Something went wrong in the server; its log says what"
    return Refused(500, why, code="internal_error")

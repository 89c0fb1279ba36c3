"""The routes of `reverie serve`: who may ask, what they ask for, and the answer over HTTP.

Only what serves imports this: it needs the extra ``serve``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from uuid import uuid4

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .server import ChatService
from .server_address import names_loopback
from .server_keys import Caller, KeyRing
from .server_reply import internal, json_response, refusal, stream, whole
from .server_turns import Desk, Full, Turn
from .server_wire import Answer, ChatRequest, Refused, derived_session, model_card, read_request

BODY_LIMIT = 4 * 2**20
"""The longest body, in bytes."""
DRAIN_LIMIT = 16 * BODY_LIMIT
"""A body that is too long is read up to this, so that its sender hears the answer."""


class Front:
    """A service behind HTTP: ``app`` is the ASGI application, ``desk`` what can stop it.

    Without ``keys`` everything belongs to ``user`` and only programs of this machine are answered:
    a page in its browser, which might otherwise talk the browser into asking, is not.
    """

    def __init__(
        self,
        service: ChatService,
        *,
        keys: KeyRing | None = None,
        user: str = "default",
        places: int = 8,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.service = service
        self.desk = Desk(places)
        self._keys = keys
        self._anyone = Caller(user)
        self._clock = clock
        self._opened = int(clock())
        app = Starlette(
            routes=[
                Route("/health", self._health, methods=["GET"]),
                Route("/v1/models", self._models, methods=["GET"]),
                Route("/v1/models/{name:path}", self._model, methods=["GET"]),
                Route("/v1/chat/completions", _Chat(self), methods=["POST"]),
            ],
            exception_handlers={
                Refused: _refuse,
                HTTPException: _refuse_route,
                Exception: _refuse_fault,
            },
        )
        app.router.redirect_slashes = False
        self.app: ASGIApp = app if keys is not None else _OnlyThisMachine(app)

    def caller(self, headers: Headers) -> Caller:
        """Whose key it is. Raises Refused (401) for none of ours."""
        if self._keys is None:
            return self._anyone
        scheme, _, key = headers.get("authorization", "").partition(" ")
        found = self._keys.find(key.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise Refused(
                401,
                "No such API key. Send one as 'Authorization: Bearer KEY'",
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return found

    def check_model(self, name: str) -> None:
        """Raises Refused (404) for a model that is not served."""
        if name != self.service.model_id:
            raise Refused(
                404,
                f"There is no model {name!r} here; there is {self.service.model_id!r}",
                param="model",
                code="model_not_found",
            )

    def answer(self, asked: ChatRequest, session: str) -> Answer:
        """What will write the reply."""
        return Answer(
            id=f"chatcmpl-{uuid4().hex}",
            created=int(self._clock()),
            model=self.service.model_id,
            session=session,
            max_tokens=asked.options.max_tokens,
        )

    async def _health(self, request: Request) -> Response:
        return json_response({"status": "ok"})

    async def _models(self, request: Request) -> Response:
        self.caller(request.headers)
        card = model_card(self.service.model_id, self._opened)
        return json_response({"object": "list", "data": [card]})

    async def _model(self, request: Request) -> Response:
        self.caller(request.headers)
        self.check_model(request.path_params["name"])
        return json_response(model_card(self.service.model_id, self._opened))


class _OnlyThisMachine:
    """Answers requests to this machine's own address that no foreign web page has made.

    A page can have a name of its own resolve to 127.0.0.1 (the Host header shows it), or post to
    127.0.0.1 outright (the Origin header does).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if not names_loopback(headers.get("host", "")):
            why = "Without API keys only the addresses localhost, 127.0.0.1 and [::1] are answered"
        elif origin is not None and not names_loopback(origin):
            why = "Without API keys web pages of other machines are not answered"
        else:
            return await self._app(scope, receive, send)
        refused = refusal(Refused(403, why, code="not_this_machine"))
        return await refused(scope, receive, send)


class _Chat:
    """``POST /v1/chat/completions``."""

    def __init__(self, front: Front) -> None:
        self._front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        front = self._front
        caller = front.caller(request.headers)
        try:
            body = await _read_body(request)
        except ClientDisconnect:
            return
        asked = read_request(body, request.headers)
        front.check_model(asked.model)
        key = caller.key_hash or caller.user
        session = asked.session or derived_session(key, asked.messages)
        ask = partial(
            front.service.reply,
            caller.user,
            asked.messages,
            session=session,
            options=asked.options,
        )
        answer = front.answer(asked, session)

        async def use(turn: Turn) -> None:
            if asked.stream:
                response = await stream(turn, answer, send, usage=asked.include_usage)
            else:
                response = await whole(turn, answer)
            if response is not None:
                await response(scope, receive, send)

        try:
            with front.desk.place():
                await front.desk.serve(caller.user, ask, use, partial(_gone, receive))
        except Full:
            raise _busy() from None


async def _gone(receive: Receive) -> None:
    """Returns when the client has left; its body has been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read_body(request: Request) -> bytes:
    """The body. Raises Refused (413) for one that is too long."""
    kept, size = bytearray(), 0
    async for part in request.stream():
        size += len(part)
        if size <= BODY_LIMIT:
            kept += part
        elif size > DRAIN_LIMIT:
            break
    if size > BODY_LIMIT:
        limit = BODY_LIMIT // 2**20
        raise Refused(413, f"The body is over the limit of {limit} MiB", code="body_too_large")
    return bytes(kept)


def _busy() -> Refused:
    why = "As many requests are in flight as this server takes; try again shortly"
    return Refused(429, why, code="rate_limit_exceeded", headers={"Retry-After": "1"})


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal(error)


async def _refuse_route(request: Request, error: Exception) -> Response:
    """Starlette's own refusals: no such path, or not by this method."""
    assert isinstance(error, HTTPException)
    why = f"{request.method} {request.url.path}: {error.detail}"
    return refusal(Refused(error.status_code, why, headers=error.headers))


async def _refuse_fault(request: Request, error: Exception) -> Response:
    """What we did not foresee; the server logs it."""
    return refusal(internal())

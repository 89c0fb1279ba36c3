"""Any server that speaks the OpenAI chat protocol, through the ``openai`` SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from pydantic import JsonValue

from ...errors import MissingExtra, ModelError, ModelUnavailable
from . import wire
from .api_model import Answer, forbid_check

if TYPE_CHECKING:
    import httpx
    from openai import AsyncOpenAI

PATH = "/chat/completions"
NO_KEY = "none"  # servers on one's own machine want none, but the SDK insists on some


class OpenAIBackend:
    """One model of one server.

    ``usd_per_million`` is the price of a million prompt tokens and of a million completion tokens;
    without it the cost is unknown. Without ``base_url`` the server is OpenAI's and the key is
    needed, as an argument or in ``OPENAI_API_KEY``.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        usd_per_million: tuple[float, float] | None = None,
        timeout: float = 120.0,
    ) -> None:
        try:
            import openai
        except ImportError as error:
            raise MissingExtra("openai", "litellm") from error
        self._name = name
        self._prices = usd_per_million
        self._key = api_key
        self._base_url = base_url
        self._timeout = timeout
        try:
            self._client = openai.OpenAI(
                api_key=self._key_or_none(), base_url=base_url, timeout=timeout, max_retries=0
            )
        except openai.OpenAIError as error:
            raise ModelUnavailable(f"openai/{name}: {error}") from error
        self._async: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncOpenAI] = WeakKeyDictionary()

    @property
    def id(self) -> str:
        """``openai/NAME`` or ``URL#NAME``."""
        return f"{self._base_url}#{self._name}" if self._base_url else f"openai/{self._name}"

    @property
    def name(self) -> str:
        """The model's name on the wire."""
        return self._name

    def context_tokens(self) -> int | None:
        """Unknown: the protocol has no question for it."""
        return None

    def create(self, body: wire.Body) -> Answer:
        """Send a chat completion request, without retrying."""
        self._check()
        response = self._client.post(PATH, body=body, cast_to=_response_type())
        return self._answer(response)

    async def acreate(self, body: wire.Body) -> Answer:
        """`create` without blocking."""
        self._check()
        client = self._async_client()
        response = await client.post(PATH, body=body, cast_to=_response_type())
        return self._answer(response)

    def stream(self, body: wire.Body) -> Iterator[str]:
        """Send a streaming request and yield the pieces of text."""
        from openai import Stream
        from openai.types.chat import ChatCompletionChunk

        self._check()
        with self._client.post(
            PATH,
            body={**body, "stream": True},
            cast_to=ChatCompletionChunk,
            stream=True,
            stream_cls=Stream[ChatCompletionChunk],
        ) as chunks:
            for chunk in chunks:
                for choice in chunk.choices[:1]:
                    if choice.delta.content:
                        yield choice.delta.content

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def _key_or_none(self) -> str | None:
        return self._key or (NO_KEY if self._base_url else None)

    def _async_client(self) -> AsyncOpenAI:
        """One client for each event loop: its connections belong to the loop that opened them.

        Connections close after each answer, because a loop may end without telling us.
        """
        import httpx
        import openai

        loop = asyncio.get_running_loop()
        if loop not in self._async:
            self._async[loop] = openai.AsyncOpenAI(
                api_key=self._key_or_none(),
                base_url=self._base_url,
                max_retries=0,
                http_client=httpx.AsyncClient(
                    limits=httpx.Limits(max_keepalive_connections=0), timeout=self._timeout
                ),
                timeout=self._timeout,
            )
        return self._async[loop]

    def _check(self) -> None:
        if not (self._base_url and _is_here(self._base_url)):
            forbid_check(self.id)

    def _answer(self, response: httpx.Response) -> Answer:
        try:
            raw = response.json()
        except ValueError as error:
            raise ModelError(f"{self.id} answered with something else than JSON") from error
        if not isinstance(raw, dict):
            raise ModelError(f"{self.id} answered with something else than a JSON object")
        answer = cast(Mapping[str, JsonValue], raw)
        return Answer(answer, self._usd(answer))

    def _usd(self, raw: Mapping[str, JsonValue]) -> float | None:
        usage = raw.get("usage")
        if self._prices is None or not isinstance(usage, dict):
            return None
        counts = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
        if not all(isinstance(count, int) for count in counts):
            return None
        pairs = zip(counts, self._prices, strict=True)
        return sum(cast(int, count) * price for count, price in pairs) / 1e6


def _response_type() -> type[httpx.Response]:
    import httpx

    return httpx.Response


def _is_here(url: str) -> bool:
    """Whether a server runs on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
